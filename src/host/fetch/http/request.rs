//! The request.

use super::is_field_byte;
use crate::core::fetching::is_header_of_the_fetch;
use crate::core::request::header_name::is_field_name;
use crate::core::url::proxy::Proxy;
use crate::core::url::{Scheme, Url};
use crate::documents::fetch::FetchError;
use crate::host::fetch::proxy;

/// The parts of a GET besides its URL.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestParts<'a> {
    /// `Accept`, unless it is configured.
    pub accept: &'a str,
    /// Configured headers, except those that a fetch sets itself.
    pub headers: &'a [(String, String)],
    /// `If-None-Match`.
    pub etag: Option<&'a str>,
    /// The proxy, if it reads the request itself; with `https` it does not.
    pub proxy: Option<&'a Proxy>,
    /// Bytes of padding.
    pub padding: usize,
}

/// The bytes of a GET. Headers with a line break are rejected: otherwise a configured value could become another header.
/// Headers that a fetch sets itself are rejected, too.
///
/// # Errors
/// [`FetchError::Http`] for such a header.
pub fn request(url: &Url, parts: &RequestParts<'_>) -> Result<Vec<u8>, FetchError> {
    let RequestParts { accept, headers, etag, proxy, padding } = *parts;
    // The proxy reads only plain requests (RFC 9112 3.2.2); requests to https go through a tunnel.
    let proxy = proxy.filter(|_| url.origin.scheme == Scheme::Http);
    let target = if proxy.is_some() { url.to_string() } else { url.target.clone() };
    let mut head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n", url.origin.authority());
    let mut add = |name: &str, value: &str| {
        let fits = is_field_name(name) && value.bytes().all(is_field_byte);
        if fits {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
            Ok(())
        } else {
            Err(FetchError::Http("a request header cannot be sent"))
        }
    };
    let configured = |own: &str| headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(own));
    if !configured("accept") {
        add("Accept", accept)?;
    }
    if !configured("user-agent") {
        add("User-Agent", concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))?;
    }
    for (name, value) in headers {
        if is_header_of_the_fetch(name) {
            return Err(FetchError::Http("a request header cannot be sent"));
        }
        add(name, value)?;
    }
    if let Some(etag) = etag {
        add("If-None-Match", etag)?;
    }
    if let Some(authorization) = proxy.and_then(proxy::authorization) {
        add("Proxy-Authorization", &authorization)?;
    }
    if padding > 0 {
        add("X-Padding", &"0".repeat(padding))?;
    }
    add("Accept-Encoding", "identity")?;
    add("Connection", "close")?;
    head.push_str("\r\n");
    Ok(head.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{RequestParts, request};
    use crate::core::url::Url;
    use crate::core::url::proxy::Proxy;
    use crate::documents::fetch::FetchError;

    #[test]
    fn the_request_is_one_message() {
        let url = Url::parse("https://idp.example:8443/keys?a=b").unwrap();
        let headers = [("X-Key".to_owned(), "v".to_owned())];
        assert_eq!(
            String::from_utf8(
                request(
                    &url,
                    &RequestParts {
                        accept: "application/json",
                        headers: &headers,
                        etag: Some("\"e\""),
                        proxy: None,
                        padding: 3
                    }
                )
                .unwrap()
            )
            .unwrap(),
            format!(
                "GET /keys?a=b HTTP/1.1\r\nHost: idp.example:8443\r\nAccept: application/json\r\n\
                 User-Agent: traefik-jwt-auth/{}\r\nX-Key: v\r\nIf-None-Match: \"e\"\r\nX-Padding: 000\r\nAccept-Encoding: identity\r\n\
                 Connection: close\r\n\r\n",
                env!("CARGO_PKG_VERSION")
            )
        );
        for (name, value) in [
            ("X\r\nY", "v"),
            ("X", "v\r\nY: z"),
            ("", "v"),
            ("X Y", "v"),
            ("X", "v\0"),
            ("HOST", "evil"),
            ("Proxy_Authorization", "Basic dTpw"),
        ] {
            let headers = [(name.to_owned(), value.to_owned())];
            let refused = request(&url, &RequestParts { headers: &headers, ..RequestParts::default() });
            assert_eq!(
                refused,
                Err(FetchError::Http("a request header cannot be sent")),
                "{name:?}: {value:?}"
            );
        }
        assert!(request(&url, &RequestParts { etag: Some("a\r\nb"), ..RequestParts::default() }).is_err());
    }

    #[test]
    fn what_is_for_the_proxy_goes_to_the_proxy_only() {
        let proxy = Proxy::parse("http://u:p@proxy:1").unwrap();
        for (url, line, authorized) in [
            (
                "http://idp.example/keys",
                "GET http://idp.example/keys HTTP/1.1\r\nHost: idp.example\r\n",
                true,
            ),
            ("https://idp.example/keys", "GET /keys HTTP/1.1\r\nHost: idp.example\r\n", false),
        ] {
            let parts = RequestParts { proxy: Some(&proxy), ..RequestParts::default() };
            let text = String::from_utf8(request(&Url::parse(url).unwrap(), &parts).unwrap()).unwrap();
            assert!(text.starts_with(line), "{text}");
            assert_eq!(text.contains("\r\nProxy-Authorization: Basic dTpw\r\n"), authorized, "{text}");
            assert!(!text.contains("X-Padding"), "{text}");
        }
    }
}
