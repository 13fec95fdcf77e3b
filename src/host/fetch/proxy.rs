//! `clientConfig.proxy`: which hosts are asked through it (`NO_PROXY`), and how it is asked (RFC 9110 9.3.6). Pure.

use crate::host::limits::MAX_REPLY_BYTES;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::core::url::proxy::Proxy;
use crate::core::url::{Host, Origin, Url};
use crate::documents::fetch::FetchError;

/// What has come of the answer to CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Its end is missing.
    Incomplete,
    /// What follows goes to the server.
    Tunnel,
}

/// Value of `Proxy-Authorization`, for the proxy alone.
#[must_use]
pub fn authorization(proxy: &Proxy) -> Option<String> {
    proxy.user.as_ref().map(|user| format!("Basic {}", STANDARD.encode(user)))
}

/// The request for a tunnel to the server of `origin`, `padding` bytes longer than needed.
#[must_use]
pub fn connect(proxy: &Proxy, origin: &Origin, padding: usize) -> Vec<u8> {
    let authority = format!("{}:{}", origin.host, origin.port);
    let mut head = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n");
    if let Some(authorization) = authorization(proxy) {
        head.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
    }
    head.push_str(&format!("X-Padding: {}\r\n\r\n", "0".repeat(padding)));
    head.into_bytes()
}

/// Reads what the proxy answered so far.
///
/// # Errors
/// [`FetchError::Status`] for anything but 2xx, [`FetchError::Http`] for no HTTP at all, or bytes that follow: the
/// server behind has not been spoken to yet.
pub fn reply(bytes: &[u8]) -> Result<Reply, FetchError> {
    let bad = FetchError::Http("not an answer of a proxy");
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return if bytes.len() > MAX_REPLY_BYTES { Err(bad) } else { Ok(Reply::Incomplete) };
    };
    let status = match bytes.get(..12) {
        Some([b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0' | b'1', b' ', status @ ..]) => status,
        Some(_) | None => return Err(bad),
    };
    let status = str::from_utf8(status).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match status.and_then(|status| status.parse().ok()) {
        Some(200..=299) if end.saturating_add(4) == bytes.len() => Ok(Reply::Tunnel),
        Some(200..=299) | None => Err(bad),
        Some(status) => Err(FetchError::Status(status)),
    }
}

/// Whether `no_proxy` exempts the host of `origin`: `*`, names with all below them (`.name` alike), addresses and
/// networks (`10.0.0.0/8`), each with or without a port. The machine itself is always exempt.
#[must_use]
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
    // Without a port, `Url` fills in that of its scheme.
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
    use super::{Reply, authorization, connect, is_exempt, reply};
    use crate::core::url::Url;
    use crate::core::url::proxy::Proxy;
    use crate::documents::fetch::FetchError;

    #[test]
    fn a_tunnel_is_asked_for() {
        let proxy = Proxy::parse("u:p@proxy:1").unwrap();
        let url = Url::parse("https://idp.example/keys").unwrap();
        assert_eq!(authorization(&Proxy::parse("proxy:1").unwrap()), None);
        assert_eq!(
            String::from_utf8(connect(&proxy, &url.origin, 2)).unwrap(),
            "CONNECT idp.example:443 HTTP/1.1\r\nHost: idp.example:443\r\nProxy-Authorization: Basic dTpw\r\nX-Padding: 00\r\n\r\n"
        );
        assert_eq!(reply(b"HTTP/1.1 200 Connection established\r\nX: y\r\n"), Ok(Reply::Incomplete));
        assert_eq!(reply(b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n"), Ok(Reply::Tunnel));
        assert_eq!(reply(b"HTTP/1.0 200\r\n\r\n"), Ok(Reply::Tunnel));
        assert_eq!(reply(b"HTTP/1.1 407 No\r\n\r\nbody"), Err(FetchError::Status(407)));
        for bytes in [&b"HTTP/1.1 200 OK\r\n\r\nmore"[..], b"SSH-2.0\r\n\r\n", b"\r\n\r\n", &[b'x'; 9000]] {
            assert_eq!(reply(bytes), Err(FetchError::Http("not an answer of a proxy")));
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
