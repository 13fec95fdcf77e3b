//! `http` and `https` URLs (RFC 3986, RFC 9110 4.2): what a GET and its redirects need, and which server a URL leads to.
//!
//! Only ASCII is accepted: an internationalised host name has to be given in its `xn--` form.

pub mod address;
pub mod proxy;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use crate::core::limits::{MAX_HOST_BYTES, MAX_URL_BYTES};

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain TCP.
    Http,
    /// TLS.
    Https,
}

/// The host to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name to resolve, in lower case.
    Name(String),
    /// A literal address.
    Address(IpAddr),
}

/// A server and its scheme (RFC 6454): credentials for one origin are not sent to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Name or address.
    pub host: Host,
    /// Explicit port, or the default of the scheme.
    pub port: u16,
}

/// An absolute `http` or `https` URL without user information and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Its origin.
    pub origin: Origin,
    /// Path and query as sent in the request line; never empty.
    pub target: String,
}

impl Scheme {
    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl Origin {
    /// Value of the `Host` header: with the port if it is not the default of the scheme (RFC 9110 4.2.3).
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.name(), self.authority())
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.target)
    }
}

impl Url {
    /// Parses an absolute URL; `None` for anything else, including a URL with user information: a password in a URL ends
    /// up in logs.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_URL_BYTES || !is_of_url(text) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = [Scheme::Https, Scheme::Http]
            .into_iter()
            .find(|known| scheme.eq_ignore_ascii_case(known.name()))?;
        let rest = without_fragment(rest);
        let (authority, target) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at_checked(at)?,
            None => (rest, ""),
        };
        let (host, port) = parse_authority(authority)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Some(Self { origin: Origin { scheme, host, port: port.unwrap_or(scheme.default_port()) }, target })
    }

    /// The target of a `Location` in the answer of this URL (RFC 3986 5.2). `None` if it is not a URL, has another scheme,
    /// or leads from `https` to `http`.
    pub fn follow(&self, location: &str) -> Option<Self> {
        let next = if location.contains("://") && !location.starts_with(['/', '?', '.']) {
            Self::parse(location)?
        } else {
            self.relative(location)?
        };
        self.may_lead_to(&next).then_some(next)
    }

    /// Whether the answer of this URL may name `next`: not if that leads from `https` to `http`.
    #[must_use]
    pub fn may_lead_to(&self, next: &Self) -> bool {
        match (self.origin.scheme, next.origin.scheme) {
            (Scheme::Https, Scheme::Http) => false,
            (Scheme::Https | Scheme::Http, Scheme::Https) | (Scheme::Http, Scheme::Http) => true,
        }
    }

    /// The path, without the query.
    pub fn path(&self) -> &str {
        split_query(&self.target).0
    }

    fn relative(&self, reference: &str) -> Option<Self> {
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", self.origin.scheme.name()));
        }
        // Before dots take anything away.
        if !is_of_url(reference) {
            return None;
        }
        let reference = without_fragment(reference);
        // A colon in the first segment makes it a scheme (`mailto:x`), which is not supported.
        let first = reference.split(['/', '?']).next().unwrap_or_default();
        if first.contains(':') {
            return None;
        }
        let (base_path, base_query) = split_query(&self.target);
        let (path, query) = split_query(reference);
        let (path, query) = if path.is_empty() {
            (base_path.to_owned(), query.or(base_query))
        } else if path.starts_with('/') {
            (without_dots(path), query)
        } else {
            let folder = base_path.rsplit_once('/').map_or("", |(folder, _)| folder);
            (without_dots(&format!("{folder}/{path}")), query)
        };
        let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        Self::parse(&format!("{}{target}", self.origin))
    }
}

/// Whether `text` is an origin as browsers write it (RFC 6454 6.2): in lower case, without the port of its scheme, without
/// a path. Schemes other than `http` and `https` are those of applications (`capacitor://localhost`).
pub fn is_serialized_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else { return false };
    if [Scheme::Http, Scheme::Https].iter().any(|known| known.name() == scheme) {
        return Url::parse(text).is_some_and(|url| url.origin.to_string() == text);
    }
    !scheme.is_empty()
        && !host.is_empty()
        && !host.contains(['/', '?', '#', '@', '*'])
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase())
}

/// Whether all characters may stand in a URL. Browsers take a backslash for a slash.
fn is_of_url(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'"' | b'<' | b'>'))
}

fn without_fragment(text: &str) -> &str {
    text.split_once('#').map_or(text, |(before, _)| before)
}

fn split_query(text: &str) -> (&str, Option<&str>) {
    text.split_once('?').map_or((text, None), |(path, query)| (path, Some(query)))
}

/// RFC 3986 5.2.4 for an absolute path.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index.saturating_add(1) == segments.len();
        match *segment {
            "." | ".." => {
                if *segment == ".." {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    format!("/{}", kept.join("/"))
}

fn parse_authority(authority: &str) -> Option<(Host, Option<u16>)> {
    if authority.contains('@') {
        return None;
    }
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (literal, port) = rest.split_once(']')?;
        (Host::Address(IpAddr::V6(literal.parse().ok()?)), port)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        let (name, port) = authority.split_at_checked(end)?;
        (parse_host(name)?, port)
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        None => return None,
        Some("") => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse().ok().filter(|port| *port != 0)?)
        }
        Some(_) => return None,
    };
    Some((host, port))
}

fn parse_host(name: &str) -> Option<Host> {
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Some(Host::Address(IpAddr::V4(address)));
    }
    is_host_name(name).then(|| Host::Name(name.to_ascii_lowercase()))
}

/// Whether `name` can be resolved: a name of the DNS, also with underscores, which the services of Docker Compose have.
/// One that ends in a number is an odd spelling of an IPv4 address (`0xa9fea9fe`, `2852039166`, `169.254.43518`), which
/// some resolvers take.
pub fn is_host_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let relative = name.strip_suffix('.').unwrap_or(name);
    let last = relative.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit())
        || hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    name.len() <= MAX_HOST_BYTES
        && name.bytes().all(allowed)
        && relative.split('.').all(|label| (1..=63).contains(&label.len()))
        && !is_number
}

#[cfg(test)]
mod tests {
    use super::{Host, Scheme, Url, is_serialized_origin};

    fn shown(url: &Url) -> String {
        let origin = &url.origin;
        format!("{} {} {} {}", origin.scheme.name(), origin.authority(), origin.port, url.target)
    }

    #[test]
    fn urls_parse_as_rfc_3986_has_them() {
        for (text, expected) in [
            ("https://idp.example/.well-known/jwks.json", "https idp.example 443 /.well-known/jwks.json"),
            ("HTTPS://IDP.Example:443/a?b=c#d", "https idp.example 443 /a?b=c"),
            ("http://idp_1:8080", "http idp_1:8080 8080 /"),
            ("http://idp:/", "http idp 80 /"),
            ("https://idp?x", "https idp 443 /?x"),
            ("https://[::1]:8443/k", "https [::1]:8443 8443 /k"),
            ("http://127.0.0.1/k", "http 127.0.0.1 80 /k"),
            ("https://idp./k", "https idp. 443 /k"),
        ] {
            assert_eq!(Url::parse(text).map(|url| shown(&url)).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_plain_url_is_refused() {
        for text in [
            "",
            "idp.example/keys",
            "/keys",
            "ftp://idp.example/",
            "file:///etc/passwd",
            "https://",
            "https:///keys",
            "https://user:password@idp.example/",
            "https://idp.example@evil.example/",
            "https://idp.example:0/",
            "https://idp.example:65536/",
            "https://idp.example:+443/",
            "https://idp.example:443x/",
            "https://[::1/",
            "https://[::1]x/",
            "https://[fe80::1%25eth0]/",
            "https://::1/",
            "https://idp..example/",
            "https://idp.example/a b",
            "https://idp.example/a\r\nX: y",
            "https://ïdp.example/",
            "https://idp.example\\@evil.example/",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
        assert_eq!(Url::parse(&format!("https://a/{}", "x".repeat(9000))), None);
        assert_eq!(Url::parse(&format!("https://{}/", "x".repeat(64))), None);
    }

    #[test]
    fn redirects_resolve_as_rfc_3986_5_4() {
        let base = Url::parse("http://a/b/c/d?q").unwrap();
        for (reference, expected) in [
            ("g", Some("http a 80 /b/c/g")),
            ("./g", Some("http a 80 /b/c/g")),
            ("g/", Some("http a 80 /b/c/g/")),
            ("/g", Some("http a 80 /g")),
            ("//g", Some("http g 80 /")),
            ("?y", Some("http a 80 /b/c/d?y")),
            ("g?y", Some("http a 80 /b/c/g?y")),
            ("g?y/../x", Some("http a 80 /b/c/g?y/../x")),
            ("#s", Some("http a 80 /b/c/d?q")),
            ("", Some("http a 80 /b/c/d?q")),
            (".", Some("http a 80 /b/c/")),
            ("..", Some("http a 80 /b/")),
            ("../g", Some("http a 80 /b/g")),
            ("../../../g", Some("http a 80 /g")),
            ("g/../h", Some("http a 80 /b/c/h")),
            ("https://other:444/x", Some("https other:444 444 /x")),
            ("g:h", None),
            ("mailto:x@y", None),
            ("file:///etc/passwd", None),
            ("http://user@other/", None),
            ("a b", None),
            ("a\\b/../g", None),
            ("\u{1}/../g", None),
            ("\u{e9}/../g", None),
        ] {
            assert_eq!(base.follow(reference).map(|url| shown(&url)).as_deref(), expected, "{reference}");
        }
    }

    #[test]
    fn https_never_leads_to_http() {
        let base = Url::parse("https://a/b").unwrap();
        assert_eq!(base.follow("http://a/b"), None);
        assert_eq!(base.follow("HTTP://a/b"), None);
        assert_eq!(base.follow("//b/c").map(|url| url.origin.scheme), Some(Scheme::Https));
    }

    #[test]
    fn odd_spellings_of_addresses_are_no_hosts() {
        for host in [
            "2852039166",
            "0xa9fea9fe",
            "0XA9FEA9FE",
            "0x",
            "0251.0376.0251.0376",
            "169.254.43518",
            "169.16689662",
            "0xa9.0xfe.0xa9.0xfe",
            "169.254.169.254.",
            "999.999.999.999",
            "1.2.3",
            "a.1",
            "[::ffff:169.254.169.254%1]",
        ] {
            assert_eq!(Url::parse(&format!("https://{host}/")), None, "{host}");
        }
        for host in ["0xa9fea9fg", "1a", "1.a", "0x1.a", "4.example", "a.b0x1", "127.0.0.1"] {
            assert!(Url::parse(&format!("https://{host}/")).is_some(), "{host}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let origin = |text: &str| Url::parse(text).unwrap().origin;
        for (one, same) in [
            ("https://a/x", "HTTPS://A:443?y"),
            ("http://a", "http://a:80/"),
            ("http://a:", "http://a:80/"),
            ("https://A.example:8443/", "https://a.EXAMPLE:8443/x"),
            ("https://[::1]/", "https://[0:0::0:1]:443/"),
            ("https://[2001:DB8::a]:1/", "https://[2001:db8:0::A]:1/"),
        ] {
            assert_eq!(origin(one), origin(same), "{one} {same}");
        }
        for (one, other) in [
            ("https://a/", "http://a/"),
            ("https://a/", "http://a:443/"),
            ("https://a/", "https://b/"),
            ("https://a/", "https://a:444/"),
            // The resolver takes these for an address; they get no credentials.
            ("https://a.example/", "https://a.example./"),
            ("https://a.example/", "https://a.example.evil/"),
            ("https://a.example/", "https://b.a.example/"),
            ("https://127.0.0.1/", "https://[::ffff:127.0.0.1]/"),
            ("https://127.0.0.1/", "https://localhost/"),
        ] {
            assert_ne!(origin(one), origin(other), "{one} {other}");
        }
        assert_eq!(origin("https://A:443/x").host, Host::Name("a".to_owned()));
        // A text with a password is not an origin.
        assert_eq!(Url::parse("https://a.example@evil.example/"), None);
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        for text in [
            "https://app.example",
            "http://localhost:3000",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "capacitor://localhost",
        ] {
            assert!(is_serialized_origin(text), "{text}");
        }
        for text in [
            "app.example",
            "*",
            "null",
            "https://",
            "https://app.example/",
            "https://app.example:443",
            "http://app.example:80",
            "https://App.example",
            "HTTPS://app.example",
            "https://*.example",
            "https://user@app.example",
            "https://app.example?",
            "http://[0:0::1]",
            "Capacitor://localhost",
            "capacitor://localhost/",
            "://localhost",
        ] {
            assert!(!is_serialized_origin(text), "{text}");
        }
    }

    #[test]
    fn urls_and_origins_are_shown() {
        for (text, origin, shown) in [
            ("HTTPS://A:443/x?y#z", "https://a", "https://a/x?y"),
            ("http://[::1]:8080", "http://[::1]:8080", "http://[::1]:8080/"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!((url.origin.to_string().as_str(), url.to_string().as_str()), (origin, shown));
        }
    }
}
