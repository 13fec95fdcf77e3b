//! The path of a request, as far as all who read it agree on it (RFC 3986 3.3).
//!
//! Traefik forwards the path as the client wrote it, and back ends differ in how they decode and normalise it.
//! A rule that opens something therefore only sees paths that leave nothing to interpret.

use std::borrow::Cow;

use crate::core::limits::MAX_UNAMBIGUOUS_PATH_BYTES;
use crate::core::request::uri;

/// The decoded path of `uri`; `None` if a back end could take it for another one: dot segments, empty segments before the
/// last, encoded slashes, percent signs or question marks, backslashes, `;`, `#`, control characters, what some back ends
/// read as one of these or drop, or what is not UTF-8. Windows drops dots and blanks at the end of a segment, and
/// has names for directories above the parent (`...`), so segments neither end nor begin like these.
///
/// None is longer than [`MAX_UNAMBIGUOUS_PATH_BYTES`].
///
/// `:` (streams of a file) and `~1` (short names) stay: they name something else in the same directory, never above it.
pub fn unambiguous(uri: &[u8]) -> Option<Cow<'_, str>> {
    let raw = Some(uri::path(uri)).filter(|raw| raw.len() <= MAX_UNAMBIGUOUS_PATH_BYTES)?;
    let path = decoded(std::str::from_utf8(raw).ok()?)?;
    if path.chars().any(|c| !c.is_ascii() && is_unclear_char(c)) {
        return None;
    }
    let mut rest = path.strip_prefix('/')?.split('/').peekable();
    while let Some(segment) = rest.next() {
        let is_last = rest.peek().is_none();
        let is_dropped_at_end = |c: char| c == '.' || c.is_whitespace();
        if segment.starts_with("..")
            || segment.ends_with(is_dropped_at_end)
            || (segment.is_empty() && !is_last)
        {
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

/// Characters that some back end reads as a dot, a slash, a backslash or one of `;?#%`, or drops.
fn is_unclear_char(c: char) -> bool {
    c.is_control() || is_compatible_punctuation(c) || is_similar_punctuation(c) || is_dropped(c)
}

/// Unicode normalisation (NFKC, UAX 15) makes texts with such a character of them; fractions have a fraction slash.
const fn is_compatible_punctuation(c: char) -> bool {
    matches!(
        c,
        '\u{bc}'..='\u{be}'
            | '\u{37e}'
            | '\u{2024}'..='\u{2026}'
            | '\u{2047}'..='\u{2049}'
            | '\u{2100}'..='\u{2101}'
            | '\u{2105}'..='\u{2106}'
            | '\u{2150}'..='\u{215f}'
            | '\u{2189}'
            | '\u{2488}'..='\u{249b}'
            | '\u{33c2}'
            | '\u{33c7}'
            | '\u{33d8}'
            | '\u{fe14}'
            | '\u{fe16}'
            | '\u{fe19}'
            | '\u{fe30}'
            | '\u{fe52}'
            | '\u{fe54}'
            | '\u{fe56}'
            | '\u{fe5f}'
            | '\u{fe68}'
            | '\u{fe6a}'
            | '\u{ff03}'
            | '\u{ff05}'
            | '\u{ff0e}'..='\u{ff0f}'
            | '\u{ff1b}'
            | '\u{ff1f}'
            | '\u{ff3c}'
            | '\u{1f100}'
    )
}

/// Code pages of Windows ("best fit") read them as slash or backslash, yen and won sign included, and IDNA (UTS 46) reads
/// ideographic full stops as dots.
const fn is_similar_punctuation(c: char) -> bool {
    matches!(
        c,
        '\u{a5}'
            | '\u{20a9}'
            | '\u{2044}'
            | '\u{2215}'..='\u{2216}'
            | '\u{29f5}'
            | '\u{29f8}'..='\u{29f9}'
            | '\u{3002}'
            | '\u{ff61}'
    )
}

/// Format characters and others without a glyph (Default_Ignorable_Code_Point, UAX 44), and separators of lines.
const fn is_dropped(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
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
    pub fn parse(text: &str) -> Option<Self> {
        let (path, below) = match text.strip_suffix('*') {
            Some(path) => (path, true),
            None => (text, false),
        };
        if path.contains('*')
            || path.contains('?')
            || unambiguous(path.as_bytes())? != path
            || below != text.ends_with("/*")
        {
            return None;
        }
        Some(if below { Self::Below(path.to_owned()) } else { Self::Exact(path.to_owned()) })
    }

    /// Whether all paths are meant.
    pub fn is_every_path(&self) -> bool {
        matches!(self, Self::Below(path) if path == "/")
    }

    /// Whether `path`, as [`unambiguous`] gives it, is meant.
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
            ("/a.b/.c/c..d", Some("/a.b/.c/c..d")),
            ("/.well-known/a:b~1", Some("/.well-known/a:b~1")),
            ("/\u{e9}\u{301}\u{4e2d}\u{1f600}", Some("/\u{e9}\u{301}\u{4e2d}\u{1f600}")),
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
            assert_eq!(unambiguous(uri.as_bytes()).as_deref(), expected, "{uri}");
        }
        assert_eq!(unambiguous(b"/\xff"), None);
        assert_eq!(unambiguous(b"/a?\xff").as_deref(), Some("/a"));
    }

    #[test]
    fn segments_that_windows_reads_otherwise() {
        for segment in [
            "a.", "a..", ".", "..", "...", "....", "..a", ". ", ".. ", ".. .", "a ", "a%20", "a\u{a0}",
            "%2e%2ea",
        ] {
            for uri in [format!("/{segment}"), format!("/{segment}/b"), format!("/a/{segment}")] {
                assert_eq!(unambiguous(uri.as_bytes()), None, "{uri}");
            }
        }
    }

    #[test]
    fn characters_that_a_back_end_reads_otherwise_or_drops() {
        for c in "\u{80}\u{a5}\u{ad}\u{bd}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202e}\u{2024}\u{2025}\u{2028}\u{2044}\
            \u{2060}\u{2215}\u{2216}\u{2488}\u{29f8}\u{3002}\u{fe0f}\u{fe52}\u{fe68}\u{feff}\u{ff05}\u{ff0e}\u{ff0f}\u{ff1b}\
            \u{ff3c}\u{ff61}\u{e0020}"
            .chars()
        {
            let uri = format!("/a{c}b");
            assert_eq!(unambiguous(uri.as_bytes()), None, "{uri:?}");
            let encoded: String = uri.bytes().skip(1).map(|byte| format!("%{byte:02X}")).collect();
            assert_eq!(unambiguous(format!("/{encoded}").as_bytes()), None, "{uri:?}");
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
