//! The request.

use super::{is_field_byte, is_token};
use crate::host::fetch::proxy::{self, Proxy};
use crate::host::fetch::url::Url;
use crate::keys::io::FetchError;

/// What a GET is made of besides its URL.
#[derive(Clone, Copy, Debug, Default)]
pub struct RequestParts<'a> {
    /// Configured headers.
    pub headers: &'a [(String, String)],
    /// `If-None-Match`.
    pub etag: Option<&'a str>,
    /// The proxy that is to read the request itself.
    pub proxy: Option<&'a Proxy>,
    /// Bytes that the request is longer than needed.
    pub padding: usize,
}

/// The bytes of a GET. Header names and values that could end a line are refused: a configured value with a line
/// break would otherwise become a header of its own.
///
/// # Errors
/// [`FetchError::Http`] for such a header.
pub fn request(url: &Url, parts: &RequestParts<'_>) -> Result<Vec<u8>, FetchError> {
    let RequestParts { headers, etag, proxy, padding } = *parts;
    let target = proxy::target(url, proxy.is_some());
    let mut head = format!("GET {target} HTTP/1.1\r\nHost: {}\r\n", url.authority());
    let mut add = |name: &str, value: &str| {
        let fits = !name.is_empty() && name.bytes().all(is_token) && value.bytes().all(is_field_byte);
        if fits {
            for part in [name, ": ", value, "\r\n"] {
                head.push_str(part);
            }
            Ok(())
        } else {
            Err(FetchError::Http("a request header cannot be sent"))
        }
    };
    let ours = [
        "host",
        "connection",
        "content-length",
        "transfer-encoding",
        "accept-encoding",
        "if-none-match",
        "proxy-authorization",
    ];
    let configured =
        || headers.iter().filter(|(name, _)| !ours.iter().any(|our| name.eq_ignore_ascii_case(our)));
    if !configured().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
        add("Accept", "application/jwk-set+json, application/json")?;
    }
    if !configured().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
        add("User-Agent", concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))?;
    }
    for (name, value) in configured() {
        add(name, value)?;
    }
    if let Some(etag) = etag {
        add("If-None-Match", etag)?;
    }
    if let Some(authorization) = proxy.and_then(Proxy::authorization) {
        add("Proxy-Authorization", authorization)?;
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
    use crate::host::fetch::proxy::Proxy;
    use crate::host::fetch::url::Url;
    use crate::keys::io::FetchError;

    #[test]
    fn the_request_is_one_message() {
        let url = Url::parse("https://idp.example:8443/keys?a=b").unwrap();
        let headers = [("X-Key".to_owned(), "v".to_owned()), ("HOST".to_owned(), "evil".to_owned())];
        assert_eq!(
            String::from_utf8(
                request(
                    &url,
                    &RequestParts { headers: &headers, etag: Some("\"e\""), proxy: None, padding: 3 }
                )
                .unwrap()
            )
            .unwrap(),
            format!(
                "GET /keys?a=b HTTP/1.1\r\nHost: idp.example:8443\r\nAccept: application/jwk-set+json, application/json\r\n\
                 User-Agent: traefik-jwt-auth/{}\r\nX-Key: v\r\nIf-None-Match: \"e\"\r\nX-Padding: 000\r\nAccept-Encoding: identity\r\n\
                 Connection: close\r\n\r\n",
                env!("CARGO_PKG_VERSION")
            )
        );
        for (name, value) in [("X\r\nY", "v"), ("X", "v\r\nY: z"), ("", "v"), ("X Y", "v"), ("X", "v\0")] {
            let headers = [(name.to_owned(), value.to_owned())];
            let refused = request(&url, &RequestParts { headers: &headers, ..RequestParts::default() });
            assert_eq!(
                refused,
                Err(FetchError::Http("a request header cannot be sent")),
                "{name:?}: {value:?}"
            );
        }
        assert!(request(&url, &RequestParts { etag: Some("a\r\nb"), ..RequestParts::default() }).is_err());
        let url = Url::parse("http://idp.example/keys").unwrap();
        let proxy = Proxy::parse("http://u:p@proxy:1").unwrap();
        let bytes = request(&url, &RequestParts { proxy: Some(&proxy), ..RequestParts::default() }).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("GET http://idp.example/keys HTTP/1.1\r\nHost: idp.example\r\n"), "{text}");
        assert!(text.contains("\r\nProxy-Authorization: Basic dTpw\r\n"), "{text}");
    }
}
