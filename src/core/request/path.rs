//! The path of a request, as far as all who read it agree on it (RFC 3986 3.3).
//!
//! Traefik forwards the path as the client wrote it, and back ends differ in how they decode and normalise it.
//! A rule that opens something therefore only sees paths that leave nothing to interpret.

use std::borrow::Cow;

/// The decoded path of `uri`; `None` where a back end could take it for another one: dot segments, empty segments
/// before the last, encoded slashes, percent signs or question marks, backslashes, `;`, `#`, their look-alikes, control characters,
/// or what is not UTF-8.
#[must_use]
pub fn unambiguous(uri: &str) -> Option<Cow<'_, str>> {
    let raw = uri.split('?').next()?;
    let path = decoded(raw).filter(|path| !path.chars().any(is_compatible_punctuation))?;
    let segments = path.strip_prefix('/')?;
    let mut rest = segments.split('/').peekable();
    while let Some(segment) = rest.next() {
        let is_last = rest.peek().is_none();
        if matches!(segment, "." | "..") || (segment.is_empty() && !is_last) {
            return None;
        }
    }
    Some(path)
}

fn decoded(raw: &str) -> Option<Cow<'_, str>> {
    if !raw.bytes().any(|byte| byte == b'%' || is_unclear(byte)) {
        return Some(Cow::Borrowed(raw));
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        let decoded = if byte == b'%' {
            let byte = hex(rest.next()?)?.checked_mul(16)?.checked_add(hex(rest.next()?)?)?;
            if matches!(byte, b'/' | b'%') {
                return None;
            }
            byte
        } else {
            byte
        };
        if is_unclear(decoded) {
            return None;
        }
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

const fn is_unclear(byte: u8) -> bool {
    matches!(byte, b'\\' | b';' | b'?' | b'#' | 0..=0x1f | 0x7f)
}

/// Characters that a back end which normalises Unicode (NFKC) turns into dots, slashes, backslashes or one of
/// `;?#%`: fullwidth and small forms, and leaders.
const fn is_compatible_punctuation(c: char) -> bool {
    matches!(
        c,
        '\u{2024}'
            ..='\u{2026}'
                | '\u{fe52}'
                | '\u{fe54}'
                | '\u{fe56}'
                | '\u{fe5f}'
                | '\u{fe68}'
                | '\u{fe6a}'
                | '\u{ff03}'
                | '\u{ff05}'
                | '\u{ff0e}'
                | '\u{ff0f}'
                | '\u{ff1b}'
                | '\u{ff1f}'
                | '\u{ff3c}'
    )
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

/// A path, or all below one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathPattern {
    /// Exactly this path.
    Exact(String),
    /// Every path that starts with this, which ends in `/`.
    Below(String),
}

impl PathPattern {
    /// Parses `/path` or `/path/*`. `None` for anything else, a pattern that no path could match included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (path, below) = match text.strip_suffix('*') {
            Some(path) => (path, true),
            None => (text, false),
        };
        if path.contains('*')
            || path.contains('?')
            || unambiguous(path)? != path
            || below != text.ends_with("/*")
        {
            return None;
        }
        Some(if below { Self::Below(path.to_owned()) } else { Self::Exact(path.to_owned()) })
    }

    /// Whether all paths are meant.
    #[must_use]
    pub fn is_every_path(&self) -> bool {
        matches!(self, Self::Below(path) if path == "/")
    }

    /// Whether `path`, as [`unambiguous`] gives it, is meant.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Below(prefix) => path.starts_with(prefix.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PathPattern, unambiguous};

    #[test]
    fn paths_that_everyone_reads_alike() {
        for (uri, expected) in [
            ("/", Some("/")),
            ("/acme/users?id=1", Some("/acme/users")),
            ("/acme/", Some("/acme/")),
            ("/a%20b/%C3%A9?x=%zz", Some("/a b/\u{e9}")),
            ("/a+b", Some("/a+b")),
            ("/a.b/..c/...", Some("/a.b/..c/...")),
            ("/?/../", Some("/")),
            ("acme", None),
            ("/acme//", None),
            ("/acme/.%2e/evil", None),
            ("/acme%3Bv=1/users", None),
            ("/acme#/users", None),
            ("/acme%23", None),
            ("/acme%3F", None),
            ("/acme\u{7f}", None),
            ("/acme/\u{2025}/evil", None),
            ("/acme/%EF%BC%8E%EF%BC%8E/evil", None),
            ("/acme\u{ff0f}evil", None),
        ] {
            assert_eq!(unambiguous(uri).as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn patterns() {
        for (text, expected) in [
            ("/health", Some(PathPattern::Exact("/health".into()))),
            ("/", Some(PathPattern::Exact("/".into()))),
            ("/public/*", Some(PathPattern::Below("/public/".into()))),
            ("/*", Some(PathPattern::Below("/".into()))),
            ("/public*", None),
            ("/a/*/b", None),
            ("health", None),
            ("", None),
            ("/a//b", None),
            ("/a/../b", None),
            ("/a?b", None),
            ("/a%20b", None),
        ] {
            assert_eq!(PathPattern::parse(text), expected, "{text}");
        }
    }
}
