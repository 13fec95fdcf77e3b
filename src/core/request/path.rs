//! The path of a request, as far as all who read it agree on it (RFC 3986 3.3).
//!
//! Traefik forwards the path as the client wrote it, and back ends differ in how they decode and normalise it.
//! A rule that opens something therefore only sees paths that leave nothing to interpret.

/// The decoded path of `uri`; `None` where a back end could take it for another one: dot segments, empty segments,
/// encoded slashes or percent signs, backslashes, `;`, control characters, or what is not UTF-8.
#[must_use]
pub fn unambiguous(uri: &str) -> Option<String> {
    let raw = uri.split(['?', '#']).next()?;
    let path = decoded(raw)?;
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

fn decoded(raw: &str) -> Option<String> {
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
        if matches!(decoded, b'\\' | b';' | 0..=0x1f | 0x7f) {
            return None;
        }
        bytes.push(decoded);
    }
    String::from_utf8(bytes).ok()
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
    use super::PathPattern;

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
