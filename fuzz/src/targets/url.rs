//! URLs against the `url` crate, which reads them as browsers do (WHATWG). It accepts more than is accepted here; what is
//! accepted here leads to the same server there. By rule:
//! - host names are not looked at as IDNA does it: `xn--` labels are only names here;
//! - addresses of IPv4 in those of IPv6 are written with dots here, where browsers write `[::ffff:a00:1]`;
//! - `..` does not take a segment away there that looks like a drive of Windows, which WHATWG has for `file:` alone;
//! - `%2e` is a dot there when it stands for one in a path, and some characters of paths and queries are escaped there.

use traefik_jwt_auth::core::url::proxy::Proxy;
use traefik_jwt_auth::core::url::{Host, Origin, Scheme, Url, is_serialized_origin};

use crate::cut::{parts, text};
use crate::mark::mark;

/// A URL, and where an answer of it leads.
pub(super) fn url(input: &[u8]) {
    let [first, location] = parts(input).map(text);
    let _ = Proxy::parse(&first).map(|proxy| assert!(!format!("{proxy:?}").contains('@')));
    let is_of_http = ["http://", "https://"].iter().any(|scheme| first.starts_with(scheme));
    // With some names as IDNA has them, the `idna` crate panics where it is built to assert.
    if is_of_http && is_serialized_origin(&first) && !has_idna(&first) {
        let theirs = ::url::Url::parse(&first);
        let is_same = theirs.is_ok_and(|url| url.origin().ascii_serialization() == first);
        assert!(is_same || first.contains("[::ffff:"), "{first:?}");
    }
    let Some(url) = Url::parse(&first) else {
        mark("refused");
        return;
    };
    mark("a URL");
    assert_eq!(Url::parse(&url.to_string()), Some(url.clone()), "{first:?}");
    if has_idna(&first) {
        return;
    }
    let base = ::url::Url::parse(&first).unwrap_or_else(|error| panic!("{first:?}: {error}"));
    assert_same_server(&url.origin, &base, &first);
    assert_same_target(&url.target, &base, &first);
    if let Some(next) = url.follow(&location) {
        mark("followed");
        let secure = |url: &Url| url.origin.scheme == Scheme::Https;
        assert!(!secure(&url) || secure(&next), "from {first:?} to {location:?}");
        if !has_idna(&location) {
            let theirs =
                base.join(&location).unwrap_or_else(|error| panic!("{first:?} {location:?}: {error}"));
            assert_same_server(&next.origin, &theirs, &location);
            // Where an escaped dot is taken away together with what is beside it, no trace is left of it.
            let is_of_rules = |text: &String| text.to_ascii_lowercase().contains("%2e") || has_drive(text);
            // Dots of the first are resolved there before it is gone on from, and together with those of the second in RFC 3986 5.2.
            let has_dots = has_dots(url.target.split('?').next().unwrap_or_default());
            if !has_dots && ![&first, &location].into_iter().any(is_of_rules) {
                assert_same_target(&next.target, &theirs, &format!("{first:?} {location:?}"));
            }
        }
    }
}

pub(super) fn has_idna(text: &str) -> bool {
    text.to_ascii_lowercase().contains("xn--")
}

fn has_dots(path: &str) -> bool {
    let dots = ["%2e", ".%2e", "%2e.", "%2e%2e", ".", ".."];
    path.split('/').any(|segment| dots.contains(&segment.to_ascii_lowercase().as_str()))
}

fn has_drive(text: &str) -> bool {
    let is_drive =
        |segment: &str| matches!(segment.as_bytes(), [letter, b':' | b'|'] if letter.is_ascii_alphabetic());
    text.split(['/', '\\', '?', '#']).any(is_drive)
}

pub(super) fn assert_same_server(ours: &Origin, theirs: &::url::Url, text: &str) {
    let scheme = match ours.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    let host = match (&ours.host, theirs.host()) {
        (Host::Name(ours), Some(::url::Host::Domain(theirs))) => ours == theirs,
        (Host::Address(ours), Some(::url::Host::Ipv4(theirs))) => *ours == theirs,
        (Host::Address(ours), Some(::url::Host::Ipv6(theirs))) => *ours == theirs,
        _ => false,
    };
    let port = theirs.port_or_known_default() == Some(ours.port);
    assert!(theirs.scheme() == scheme && host && port, "{text:?}: {ours:?} here, {theirs:?} there");
}

/// Of a target without characters that browsers escape and dots that only they resolve.
fn assert_same_target(ours: &str, theirs: &::url::Url, text: &str) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~!$&()*+,;=:@/?%".contains(c);
    let path = ours.split('?').next().unwrap_or_default();
    if has_dots(path) || !ours.chars().all(plain) {
        return;
    }
    let query = theirs.query().map_or(String::new(), |query| format!("?{query}"));
    assert_eq!(ours, format!("{}{query}", theirs.path()), "{text}");
}
