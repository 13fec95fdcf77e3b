//! The URL of a proxy: `[http://][user:password@]host[:port]`.

use std::fmt;

use super::Url;

/// The URL and the credentials of a proxy.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its URL; the path is not used.
    pub url: Url,
    /// `user:password`, decoded. Never logged.
    pub user: Option<Vec<u8>>,
}

impl Proxy {
    /// Parses `[http://][user:password@]host[:port]`: without a scheme it is `http`, as in the environment. `None` for
    /// anything else, also with a path.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if !scheme.eq_ignore_ascii_case("http") || rest.contains(['/', '?', '#']) {
            return None;
        }
        let (user, host) = match rest.rsplit_once('@') {
            Some((user, host)) => (Some(decode_percent(user)?), host),
            None => (None, rest),
        };
        Some(Self { url: Url::parse(&format!("http://{host}"))?, user })
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy").field("url", &self.url).finish_non_exhaustive()
    }
}

fn decode_percent(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        decoded.push(match byte {
            b'%' => digit(bytes.next()?)? << 4 | digit(bytes.next()?)?,
            _ if byte.is_ascii_graphic() => byte,
            _ => return None,
        });
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::Proxy;

    #[test]
    fn proxies_parse() {
        for (text, url, user) in [
            ("http://proxy:3128", "http://proxy:3128/", None),
            ("proxy:3128", "http://proxy:3128/", None),
            ("HTTP://Proxy/", "http://proxy/", None),
            ("http://u:p%40ss@proxy:1", "http://proxy:1/", Some("u:p@ss")),
            ("http://u:p@ss@proxy:1", "http://proxy:1/", Some("u:p@ss")),
            ("http://[::1]:3128", "http://[::1]:3128/", None),
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!(
                (proxy.url.to_string().as_str(), proxy.user.as_deref()),
                (url, user.map(str::as_bytes))
            );
            let shown = format!("{proxy:?}");
            assert!(shown.contains("url") && !shown.contains("p@"), "{shown}");
        }
        for text in [
            "",
            "https://proxy:1",
            "socks5://proxy:1",
            "http://u%4@proxy",
            "http://u%+4@proxy",
            "http://",
            "http://proxy/path",
            "http://proxy?query",
            "http://u/p@proxy",
            "http://u p@proxy",
            "proxy:0",
        ] {
            assert_eq!(Proxy::parse(text), None, "{text}");
        }
    }
}
