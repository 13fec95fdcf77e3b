//! Whether `htu` is the URI of the request (RFC 9449 4.3, check 9): after the normalisation of RFC 3986 6.2.2 and 6.2.3,
//! without query and fragment.

use crate::core::request::{RequestView, uri};
use crate::core::url::{Origin, Url};

/// Whether `htu` is the URI of `request`, which was sent to `origin`.
#[must_use]
pub fn is_target(htu: &str, origin: &Origin, request: &dyn RequestView) -> bool {
    is_same_text(htu, origin, request) || is_same_uri(htu, origin, request)
}

/// The usual case, letter by letter: a path of unreserved characters has no other form, but for its dots.
fn is_same_text(htu: &str, origin: &Origin, request: &dyn RequestView) -> bool {
    let path = uri::path(request.uri());
    let rest = htu.strip_prefix(&origin.to_string());
    path.starts_with(b"/")
        && rest.is_some_and(|rest| rest.as_bytes() == path)
        && path.iter().all(|byte| is_unreserved(*byte) || *byte == b'/')
}

fn is_same_uri(htu: &str, origin: &Origin, request: &dyn RequestView) -> bool {
    let htu = match htu.split_once("://") {
        Some((scheme, rest)) if is_upgrade(request) => {
            http_scheme(scheme).map(|http| format!("{http}://{rest}"))
        }
        Some(_) | None => None,
    }
    .map_or(htu.into(), std::borrow::Cow::<str>::Owned);
    let path = uri::path(request.uri());
    // A path that a middleware in front has made may begin with a dot segment, and is that of no URI.
    let is_path = path.is_empty() || path.starts_with(b"/");
    Url::parse(&htu).is_some_and(|url| {
        is_path && url.origin == *origin && normal_path(url.path().as_bytes()) == normal_path(path)
    })
}

/// The origin that the client sent the request to: `configured`, else what `Host` and Traefik's `X-Forwarded-Proto` say.
#[must_use]
pub fn origin(configured: Option<&Origin>, request: &dyn RequestView) -> Option<Origin> {
    if let Some(origin) = configured {
        return Some(origin.clone());
    }
    let scheme = only(request, "X-Forwarded-Proto")?;
    let scheme = http_scheme(&scheme).unwrap_or(&scheme);
    let host = only(request, "Host")?;
    // What is behind the authority would be a path.
    let url = Url::parse(&format!("{scheme}://{host}")).filter(|_| !host.contains(['/', '?', '#']))?;
    Some(url.origin)
}

/// The URI of the request in its normal form, for the log.
#[must_use]
pub fn shown(origin: Option<&Origin>, request: &dyn RequestView) -> String {
    let path = || normal_path(uri::path(request.uri())).into_iter().map(char::from).collect::<String>();
    origin.map_or(String::new(), |origin| format!("{origin}{}", path()))
}

/// The schemes of WebSockets under the names that the handshake has (RFC 6455 3); `None` for others.
fn http_scheme(scheme: &str) -> Option<&'static str> {
    let names = [("ws", "http"), ("wss", "https")];
    names.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name)).map(|(_, http)| http)
}

fn is_upgrade(request: &dyn RequestView) -> bool {
    only(request, "Upgrade").is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"))
}

/// The value of a header that is there once.
fn only(request: &dyn RequestView, name: &str) -> Option<String> {
    let mut values = request.header_values(name).into_iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    String::from_utf8(value).ok()
}

/// A path in its normal form: escapes of unreserved characters decoded, others in upper case (RFC 3986 6.2.2.1 and
/// 6.2.2.2), bytes that no URI has escaped, dot segments gone (6.2.2.3), `/` for an empty one (6.2.3).
fn normal_path(path: &[u8]) -> Vec<u8> {
    let mut normal = vec![b'/'];
    // The last byte is a slash that no segment has followed yet.
    let mut is_open = true;
    for segment in path.strip_prefix(b"/").unwrap_or(path).split(|byte| *byte == b'/') {
        if !is_open {
            normal.push(b'/');
        }
        let start = normal.len();
        push_segment(&mut normal, segment);
        let dots = match normal.get(start..) {
            Some(b".") => 1,
            Some(b"..") => 2,
            Some(_) | None => 0,
        };
        is_open = dots != 0;
        if is_open {
            normal.truncate(start);
        }
        if dots == 2 {
            // Its slash, and the segment before it.
            normal.pop();
            let slash = normal.iter().rposition(|byte| *byte == b'/');
            normal.truncate(slash.unwrap_or_default());
            normal.push(b'/');
        }
    }
    normal
}

fn push_segment(normal: &mut Vec<u8>, segment: &[u8]) {
    let mut rest = segment;
    while let Some((byte, behind)) = rest.split_first() {
        let escaped = if *byte == b'%' { behind.split_at_checked(2) } else { None };
        let decoded = escaped.and_then(|(digits, behind)| Some((hex(digits)?, behind)));
        let (found, is_plain, behind) = match decoded {
            Some((decoded, behind)) => (decoded, is_unreserved(decoded), behind),
            None => (*byte, byte.is_ascii_graphic(), behind),
        };
        if is_plain {
            normal.push(found);
        } else {
            escape(normal, found);
        }
        rest = behind;
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |value, digit| {
        let digit = u8::try_from(char::from(*digit).to_digit(16)?).ok()?;
        Some(value.wrapping_shl(4) | digit)
    })
}

fn escape(out: &mut Vec<u8>, byte: u8) {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0').to_ascii_uppercase();
    out.push(b'%');
    out.extend([digit(byte >> 4), digit(byte & 15)].into_iter().filter_map(|c| u8::try_from(c).ok()));
}

/// RFC 3986 2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::{is_same_text, is_same_uri, is_target, normal_path, origin, shown};
    use crate::core::request::RecordedRequest;
    use crate::core::url::Url;
    use proptest::prelude::*;

    fn request(uri: &str) -> RecordedRequest {
        RecordedRequest::new("GET", uri).header("Host", "api.example").header("X-Forwarded-Proto", "https")
    }

    #[test]
    fn the_origin_is_that_of_the_configuration_or_the_host() {
        for (proto, host, expected) in [
            ("https", "api.example", Some("https://api.example")),
            ("https", "API.example:443", Some("https://api.example")),
            ("http", "api.example:80", Some("http://api.example")),
            ("http", "api.example:443", Some("http://api.example:443")),
            ("https", "api.example:8443", Some("https://api.example:8443")),
            ("wss", "api.example", Some("https://api.example")),
            ("WS", "[::1]:8080", Some("http://[::1]:8080")),
            ("gopher", "api.example", None),
            ("", "api.example", None),
            ("https", "", None),
            ("https", "api.example/x", None),
            ("https", "api.example?x", None),
            ("https", "api.example#", None),
            ("https", "u@api.example", None),
            ("https, http", "api.example", None),
        ] {
            let request =
                RecordedRequest::new("GET", "/").header("Host", host).header("X-Forwarded-Proto", proto);
            let found = origin(None, &request).map(|origin| origin.to_string());
            assert_eq!(found.as_deref(), expected, "{proto} {host}");
        }
        let configured = Url::parse("https://front.example").unwrap().origin;
        assert_eq!(origin(Some(&configured), &request("/")), Some(configured));
        for twice in ["Host", "X-Forwarded-Proto"] {
            assert_eq!(origin(None, &request("/").header(twice, "https")), None, "{twice}");
        }
    }

    #[test]
    fn htu_is_compared_in_its_normal_form_without_query_and_fragment() {
        for (uri, htu, expected) in [
            ("/orders?x=1", "https://api.example/orders", true),
            ("/orders", "https://api.example/orders?x=1#f", true),
            ("/orders", "HTTPS://API.Example:443/orders", true),
            ("/orders", "https://api.example/orders/", false),
            ("/orders/", "https://api.example/orders", false),
            ("/orders", "https://api.example/Orders", false),
            ("/orders", "http://api.example/orders", false),
            ("/orders", "https://api.example:8443/orders", false),
            ("/orders", "https://evil.example/orders", false),
            ("/orders", "https://api.example.evil/orders", false),
            ("/orders", "https://u@api.example/orders", false),
            ("/orders", "/orders", false),
            ("/orders", "", false),
            ("/orders", " https://api.example/orders", false),
            ("/", "https://api.example", true),
            ("/", "https://api.example?x", true),
            ("/~a%7e/%2d%c3%a9", "https://api.example/%7Ea~/-%C3%A9", true),
            ("/a%2fb", "https://api.example/a/b", false),
            ("/a%2fb", "https://api.example/a%2Fb", true),
            ("/a/./b/../c", "https://api.example/a/c", true),
            ("/a/%2e%2E/c", "https://api.example/c", true),
            ("/a//b", "https://api.example/a/b", false),
            ("/a;b=1", "https://api.example/a", false),
            ("/a%zz", "https://api.example/a%zz", true),
            ("/orders", "wss://api.example/orders", false),
            ("/é", "https://api.example/%C3%A9", true),
            ("./orders", "https://api.example/orders", false),
            ("../orders", "https://api.example/orders", false),
            ("orders", "https://api.example/orders", false),
        ] {
            let request = request(uri);
            let origin = origin(None, &request).unwrap();
            assert_eq!(is_target(htu, &origin, &request), expected, "{uri} {htu}");
            assert_eq!(is_same_uri(htu, &origin, &request), expected, "{uri} {htu}");
        }
    }

    #[test]
    fn a_websocket_upgrade_may_be_named_by_either_scheme() {
        let request = RecordedRequest::new("GET", "/chat")
            .header("Host", "api.example")
            .header("X-Forwarded-Proto", "wss")
            .header("Upgrade", "WebSocket");
        let origin = origin(None, &request).unwrap();
        for (htu, expected) in [
            ("wss://api.example/chat", true),
            ("https://api.example/chat", true),
            ("ws://api.example/chat", false),
            ("http://api.example/chat", false),
        ] {
            assert_eq!(is_target(htu, &origin, &request), expected, "{htu}");
        }
        assert_eq!(shown(Some(&origin), &request), "https://api.example/chat");
    }

    #[test]
    fn normal_paths() {
        for (path, expected) in [
            ("", "/"),
            ("/", "/"),
            ("/..", "/"),
            ("/.", "/"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/../../b", "/b"),
            ("/...", "/..."),
            ("/%41%4a%6A", "/AJj"),
            ("/%", "/%"),
            ("/%4", "/%4"),
            ("/%2525", "/%2525"),
            ("/\u{1} \"", "/%01%20\""),
        ] {
            assert_eq!(normal_path(path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        /// What is normal stays as it is, so two paths that are compared have one form each.
        #[test]
        fn normal_is_normal(path in "(/|\\.|%2[eEfF]|%7[eE]|%c3|[a-z]|%){0,12}") {
            let once = normal_path(path.as_bytes());
            prop_assert_eq!(normal_path(&once), once.clone(), "{}", path);
        }

        /// The short way lets nothing pass that the long one does not.
        #[test]
        fn the_same_text_is_the_same_uri(
            path in "(/|\\.|%2e|~|[a-z]|#|\\?|é|\"){0,6}", other in "(/|\\.|%2e|~|[a-z]){0,2}", port in "(:443|:80|)",
        ) {
            let request = request(&format!("/{path}"));
            let origin = origin(None, &request).unwrap();
            for htu in [format!("https://api.example{port}/{path}"), format!("https://api.example/{other}")] {
                let same = is_same_text(&htu, &origin, &request);
                prop_assert!(!same || is_same_uri(&htu, &origin, &request), "{} {}", htu, path);
            }
        }
    }
}
