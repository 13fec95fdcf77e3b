//! `clientConfig.proxy`: which hosts are reached through it (`NO_PROXY`), and the request to it (RFC 9110 9.3.6). Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::http::{Progress, ResponseReader};
use crate::core::url::proxy::Proxy;
use crate::core::url::{Host, Origin, Url};
use crate::documents::fetch::FetchError;

/// Value of `Proxy-Authorization`, for the proxy alone.
pub fn authorization(proxy: &Proxy) -> Option<String> {
    proxy.user.as_ref().map(|user| format!("Basic {}", STANDARD.encode(user)))
}

/// The request for a tunnel to the server of `origin`, with `padding` extra bytes.
pub fn connect(proxy: &Proxy, origin: &Origin, padding: usize) -> Vec<u8> {
    let authority = format!("{}:{}", origin.host, origin.port);
    let mut head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(authorization) = authorization(proxy) {
        head.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
    }
    head.push_str(&format!("X-Padding: {}\r\n\r\n", "0".repeat(padding)));
    head.into_bytes()
}

/// Takes the next bytes of the answer to CONNECT. When it is complete, what follows goes to the server.
///
/// # Errors
/// [`FetchError::Status`] for anything but 2xx, [`FetchError::Http`] if it is not an answer to CONNECT.
pub fn read_reply(reader: &mut ResponseReader, bytes: &[u8]) -> Result<Progress, FetchError> {
    let read = reader.push(bytes);
    // Says which server failed, rather than how.
    if let Err(FetchError::Http(_)) = read { Err(FetchError::Http("not an answer of a proxy")) } else { read }
}

/// Whether `no_proxy` exempts the host of `origin`: `*`, names with all below them (`.name` alike), addresses and
/// networks (`10.0.0.0/8`), each with or without a port. The machine itself is always exempt.
pub fn is_exempt(origin: &Origin, no_proxy: &str) -> bool {
    let local = match &origin.host {
        Host::Name(name) => name.trim_end_matches('.') == "localhost",
        Host::Address(address) => address.is_loopback(),
    };
    local || no_proxy.split([',', ' ']).filter(|entry| !entry.is_empty()).any(|entry| matches(origin, entry))
}

fn matches(origin: &Origin, entry: &str) -> bool {
    if entry == "*" {
        return true;
    }
    if let Some((network, bits)) = entry.split_once('/') {
        return in_network(origin, network, bits).unwrap_or(false);
    }
    let Some(parsed) =
        Url::parse(&format!("http://{}", entry.trim_start_matches("*.").trim_start_matches('.')))
    else {
        // An IPv6 address without brackets.
        return entry.parse().is_ok_and(|address| origin.host == Host::Address(address));
    };
    let parsed = parsed.origin;
    // Without a port, `Url` has the default port of its scheme.
    let default = parsed.port == 80 && !entry.ends_with(":80");
    if !default && parsed.port != origin.port {
        return false;
    }
    match (&parsed.host, &origin.host) {
        (Host::Name(parent), Host::Name(name)) => {
            let (parent, name) = (parent.trim_end_matches('.'), name.trim_end_matches('.'));
            name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        }
        (Host::Address(one), Host::Address(other)) => one == other,
        (Host::Name(_), Host::Address(_)) | (Host::Address(_), Host::Name(_)) => false,
    }
}

fn in_network(origin: &Origin, network: &str, bits: &str) -> Option<bool> {
    let Host::Address(address) = origin.host else {
        return Some(false);
    };
    let bits: u32 = bits.parse().ok()?;
    let width = |address: std::net::IpAddr| match address {
        std::net::IpAddr::V4(address) => (32, u128::from(address.to_bits())),
        std::net::IpAddr::V6(address) => (128, address.to_bits()),
    };
    let (length, network) = width(network.parse().ok()?);
    let (other, address) = width(address);
    let ignored = u32::checked_sub(length, bits)?;
    Some(length == other && (network ^ address).checked_shr(ignored).unwrap_or(0) == 0)
}

#[cfg(test)]
mod tests {
    use super::{authorization, connect, is_exempt, read_reply};
    use crate::core::url::Url;
    use crate::core::url::proxy::Proxy;
    use crate::documents::fetch::FetchError;
    use crate::host::fetch::http::{Progress, ResponseReader};

    #[test]
    fn a_tunnel_is_asked_for() {
        let proxy = Proxy::parse("u:p@proxy:1").unwrap();
        let url = Url::parse("https://idp.example/keys").unwrap();
        assert_eq!(authorization(&Proxy::parse("proxy:1").unwrap()), None);
        assert_eq!(
            String::from_utf8(connect(&proxy, &url.origin, 2)).unwrap(),
            "CONNECT idp.example:443 HTTP/1.1\r\nHost: idp.example:443\r\nProxy-Authorization: Basic dTpw\r\nX-Padding: 00\r\n\r\n"
        );
    }

    /// The result for `reply`, the same in pieces of every length.
    fn read(reply: &[u8]) -> Result<Progress, FetchError> {
        let in_pieces = |step: usize| {
            let mut reader = ResponseReader::of_tunnel();
            let mut pieces = reply.chunks(step);
            pieces.try_fold(Progress::More, |_, piece| read_reply(&mut reader, piece))
        };
        let whole = in_pieces(usize::MAX);
        for step in [1, 2, 7] {
            assert_eq!(in_pieces(step), whole, "in pieces of {step}: {:?}", String::from_utf8_lossy(reply));
        }
        whole
    }

    #[test]
    fn replies() {
        let no_answer = Err(FetchError::Http("not an answer of a proxy"));
        let status = |status| Err(FetchError::Status(status));
        let endless_head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(40_000));
        let endless_interim = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(2_000);
        for (name, reply, expected) in [
            ("nothing yet", "", Ok(Progress::More)),
            ("no end of the head", "HTTP/1.1 200 Connection established\r\nX: y\r\n", Ok(Progress::More)),
            ("only an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", Ok(Progress::More)),
            ("a tunnel", "HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n", Ok(Progress::Complete)),
            ("a tunnel, no reason", "HTTP/1.0 200\r\n\r\n", Ok(Progress::Complete)),
            ("another success", "HTTP/1.1 204 No Content\r\n\r\n", Ok(Progress::Complete)),
            (
                "an interim answer first",
                "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
                Ok(Progress::Complete),
            ),
            (
                "lengths mean nothing",
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                Ok(Progress::Complete),
            ),
            ("a login is asked for", "HTTP/1.1 407 No\r\n\r\nbody", status(407)),
            ("a redirect", "HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\n\r\n", status(302)),
            ("not modified", "HTTP/1.1 304 Not Modified\r\n\r\n", status(304)),
            ("another protocol", "HTTP/1.1 101 Switching\r\n\r\n", status(101)),
            ("bytes of no server", "HTTP/1.1 200 OK\r\n\r\nmore", no_answer.clone()),
            ("lines end in LF", "HTTP/1.1 200 OK\n\n", no_answer.clone()),
            ("one line ends in LF", "HTTP/1.1 200 OK\r\nX: y\n\r\n", no_answer.clone()),
            ("four digits", "HTTP/1.1 2000 OK\r\n\r\n", no_answer.clone()),
            ("a sign", "HTTP/1.1 +20 OK\r\n\r\n", no_answer.clone()),
            ("the reason at once", "HTTP/1.1 200OK\r\n\r\n", no_answer.clone()),
            ("a status of no class", "HTTP/1.1 600 OK\r\n\r\n", no_answer.clone()),
            ("another version", "HTTP/1.2 200 OK\r\n\r\n", no_answer.clone()),
            ("HTTP/2", "HTTP/2 200\r\n\r\n", no_answer.clone()),
            ("a folded line", "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", no_answer.clone()),
            ("a blank before the colon", "HTTP/1.1 200 OK\r\nX : y\r\n\r\n", no_answer.clone()),
            ("a control character", "HTTP/1.1 200 OK\r\nX: \u{1}\r\n\r\n", no_answer.clone()),
            ("no field", "HTTP/1.1 200 OK\r\nX\r\n\r\n", no_answer.clone()),
            ("an SSH server", "SSH-2.0\r\n\r\n", no_answer.clone()),
            ("an empty line", "\r\n\r\n", no_answer.clone()),
            ("a head without end", &endless_head, no_answer.clone()),
            ("interim answers without end", &endless_interim, no_answer),
        ] {
            assert_eq!(read(reply.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn exemptions() {
        for (no_proxy, url, expected) in [
            ("", "https://idp.example/", false),
            ("", "http://localhost:8080/", true),
            ("", "http://127.0.0.1/", true),
            ("*", "https://idp.example/", true),
            ("idp.example", "https://idp.example/", true),
            ("example", "https://idp.example/", true),
            (".example", "https://idp.example/", true),
            ("*.example", "https://idp.example/", true),
            ("other, idp.example", "https://idp.example/", true),
            ("dp.example", "https://idp.example/", false),
            ("idp.example:443", "https://idp.example/", true),
            ("idp.example:80", "https://idp.example/", false),
            ("idp.example:444", "https://idp.example/", false),
            ("10.0.0.0/8", "https://10.1.2.3/", true),
            ("10.0.0.0/8", "https://11.1.2.3/", false),
            ("10.0.0.0/8", "https://idp.example/", false),
            ("10.0.0.0/0", "https://11.1.2.3/", true),
            ("10.0.0.0/33", "https://10.1.2.3/", false),
            ("2001:db8::/32", "https://[2001:db8::1]/", true),
            ("2001:db8::1", "https://[2001:db8::1]/", true),
            ("10.1.2.3", "https://10.1.2.3/", true),
            ("/", "https://10.1.2.3/", false),
        ] {
            assert_eq!(is_exempt(&Url::parse(url).unwrap().origin, no_proxy), expected, "{no_proxy:?} {url}");
        }
    }
}
