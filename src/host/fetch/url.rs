//! `http` and `https` URLs (RFC 3986, RFC 9110 4.2): just what a GET and its redirects need.
//!
//! Pure. Only ASCII is accepted: an internationalised host name has to be given in its `xn--` form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longest URL accepted, in bytes (RFC 9110 4.1 asks for 8000 octets at least).
const MAX_URL_BYTES: usize = 8192;
/// Longest host name, in bytes (RFC 1035 2.3.4).
const MAX_HOST_BYTES: usize = 253;

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Plain TCP.
    Http,
    /// TLS.
    Https,
}

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A name to resolve, in lower case.
    Name(String),
    /// A literal address.
    Address(IpAddr),
}

/// An absolute `http` or `https` URL without user information and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// Name or address.
    pub host: Host,
    /// Explicit port, or the scheme's.
    pub port: u16,
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
}

impl Url {
    /// Parses an absolute URL; `None` for anything else, also with user information in it: a password in a
    /// URL ends in logs.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_URL_BYTES || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = if scheme.eq_ignore_ascii_case("https") {
            Scheme::Https
        } else if scheme.eq_ignore_ascii_case("http") {
            Scheme::Http
        } else {
            return None;
        };
        let rest = without_fragment(rest);
        let (authority, target) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at_checked(at)?,
            None => (rest, ""),
        };
        let (host, port) = parse_authority(authority)?;
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Some(Self { scheme, host, port: port.unwrap_or(scheme.default_port()), target })
    }

    /// Value of the `Host` header: the port only where it is not the scheme's (RFC 9110 4.2.3).
    #[must_use]
    pub fn authority(&self) -> String {
        let host = match &self.host {
            Host::Name(name) => name.clone(),
            Host::Address(IpAddr::V4(address)) => address.to_string(),
            Host::Address(IpAddr::V6(address)) => format!("[{address}]"),
        };
        if self.port == self.scheme.default_port() { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether both lead to the same server by the same means: only then may credentials follow a redirect.
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.host == other.host && self.port == other.port
    }

    /// Where a `Location` of this URL's answer leads (RFC 3986 5.2). `None` where it may not lead: not a URL,
    /// another scheme, or from `https` down to `http`.
    #[must_use]
    pub fn follow(&self, location: &str) -> Option<Self> {
        let next = if location.contains("://") && !location.starts_with(['/', '?', '.']) {
            Self::parse(location)?
        } else {
            self.relative(location)?
        };
        match (self.scheme, next.scheme) {
            (Scheme::Https, Scheme::Http) => None,
            (Scheme::Https | Scheme::Http, Scheme::Https) | (Scheme::Http, Scheme::Http) => Some(next),
        }
    }

    fn relative(&self, reference: &str) -> Option<Self> {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{scheme}://{rest}"));
        }
        let reference = without_fragment(reference);
        // A colon in the first segment makes it a scheme (`mailto:x`), which is none of ours.
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
        Self::parse(&format!("{scheme}://{}{target}", self.authority()))
    }
}

/// Whether a redirect may lead to this address. Link-local addresses hold the metadata services of clouds, and
/// an unspecified one is this machine: a key server has no reason to point there.
#[must_use]
pub fn is_redirect_target(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_redirect_target_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_redirect_target_v4(mapped),
            None => !(address == Ipv6Addr::UNSPECIFIED || address.is_unicast_link_local()),
        },
    }
}

const fn is_redirect_target_v4(address: Ipv4Addr) -> bool {
    // All of 0.0.0.0/8 is "this network" (RFC 1122 3.2.1.3); Linux connects 0.0.0.0 to the local machine.
    !(matches!(address.octets(), [0, ..]) || address.is_link_local())
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
    // Underscores are no host names, but Docker Compose services have them.
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let labels_fit = name.trim_end_matches('.').split('.').all(|label| (1..=63).contains(&label.len()));
    if name.len() > MAX_HOST_BYTES || !name.bytes().all(allowed) || !labels_fit {
        return None;
    }
    Some(Host::Name(name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::{Host, Scheme, Url, is_redirect_target};

    fn shown(url: &Url) -> String {
        let scheme = match url.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        format!("{scheme} {} {} {}", url.authority(), url.port, url.target)
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
        ] {
            assert_eq!(base.follow(reference).map(|url| shown(&url)).as_deref(), expected, "{reference}");
        }
    }

    #[test]
    fn https_never_leads_to_http() {
        let base = Url::parse("https://a/b").unwrap();
        assert_eq!(base.follow("http://a/b"), None);
        assert_eq!(base.follow("HTTP://a/b"), None);
        assert_eq!(base.follow("//b/c").map(|url| url.scheme), Some(Scheme::Https));
    }

    #[test]
    fn redirect_targets_exclude_link_local_and_unspecified() {
        for (text, allowed) in [
            ("93.184.216.34", true),
            ("127.0.0.1", true),
            ("10.0.0.1", true),
            ("169.254.169.254", false),
            ("0.0.0.0", false),
            ("0.1.2.3", false),
            ("::1", true),
            ("2001:db8::1", true),
            ("::", false),
            ("fe80::1", false),
            ("febf::1", false),
            ("::ffff:169.254.169.254", false),
            ("::ffff:0.0.0.0", false),
        ] {
            assert_eq!(is_redirect_target(text.parse().unwrap()), allowed, "{text}");
        }
    }

    #[test]
    fn origin_is_scheme_host_and_port() {
        let base = Url::parse("https://A:443/x").unwrap();
        assert!(base.same_origin(&Url::parse("https://a/y").unwrap()));
        for other in ["http://a:443/x", "https://b/x", "https://a:444/x"] {
            assert!(!base.same_origin(&Url::parse(other).unwrap()), "{other}");
        }
        assert_eq!(base.host, Host::Name("a".to_owned()));
    }
}
