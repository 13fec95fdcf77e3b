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

/// A path, or all below one, in which segments may be left open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    /// The text up to the first open segment, or up to the `*`: then it ends in `/`.
    fixed: String,
    /// The segments from the first open one on.
    rest: Vec<Segment>,
    end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// `{name}`: one segment that is not empty.
    Open,
    /// This one.
    Is(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing follows.
    Here,
    /// `/*`: a slash, and whatever follows it.
    Below,
}

impl PathPattern {
    /// Parses `/path`, `/path/{segment}/path` or `/path/*`. `None` for anything else, a pattern that no path could match
    /// included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (path, end) = match text.strip_suffix("/*") {
            Some(path) => (path, End::Below),
            None => (text, End::Here),
        };
        // A segment that is left open stands for any that can be read in one way.
        let is_open = |segment: &&str| {
            let name = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
            name.is_some_and(|name| !name.is_empty() && name.bytes().all(is_name_byte))
        };
        let segments: Vec<&str> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
        let filled = |segment: &&str| if is_open(segment) { "x".to_owned() } else { (*segment).to_owned() };
        let example = format!("/{}", segments.iter().map(filled).collect::<Vec<_>>().join("/"));
        let is_pattern = if path.is_empty() { end == End::Below } else { path.starts_with('/') };
        if !is_pattern
            || example.contains(['*', '?', '{', '}'])
            || unambiguous(example.as_bytes())? != example
            || (end == End::Below && path.ends_with('/'))
        {
            return None;
        }
        let first_open = segments.iter().position(is_open);
        let fixed = match first_open {
            None if end == End::Here => path.to_owned(),
            None => format!("{path}/"),
            Some(at) => format!(
                "/{}",
                segments.iter().take(at).map(|segment| format!("{segment}/")).collect::<String>()
            ),
        };
        let segment = |segment: &&str| {
            if is_open(segment) { Segment::Open } else { Segment::Is((*segment).to_owned()) }
        };
        let rest = segments.iter().skip(first_open.unwrap_or(segments.len())).map(segment).collect();
        Some(Self { fixed, rest, end })
    }

    /// The path that is meant, if it is one.
    #[must_use]
    pub fn one(&self) -> Option<&str> {
        (self.rest.is_empty() && self.end == End::Here).then_some(&self.fixed)
    }

    /// The text that every path begins with that is meant: the whole path, or up to a slash.
    #[must_use]
    pub fn fixed(&self) -> &str {
        &self.fixed
    }

    /// Whether all paths are meant.
    pub fn is_every_path(&self) -> bool {
        self.fixed == "/" && self.rest.is_empty() && self.end == End::Below
    }

    /// Whether `path`, as [`unambiguous`] gives it, is meant.
    pub fn matches(&self, path: &str) -> bool {
        let Some(behind) = behind(path, &self.fixed) else { return false };
        if self.rest.is_empty() {
            return self.end == End::Below || behind.is_empty();
        }
        // Of many patterns with one beginning, most differ from a path at its end.
        match (self.end, self.rest.last()) {
            (End::Here, Some(Segment::Is(last))) if !behind.ends_with(last.as_str()) => false,
            (End::Here | End::Below, _) => self.rest_is(behind),
        }
    }

    /// Whether `behind` is what may follow the fixed text.
    #[inline(never)]
    fn rest_is(&self, behind: &str) -> bool {
        let mut segments = behind.split('/');
        let fits = self.rest.iter().all(|wanted| {
            segments.next().is_some_and(|segment| match wanted {
                Segment::Open => !segment.is_empty(),
                Segment::Is(text) => segment == text,
            })
        });
        fits && segments.next().is_some() == (self.end == End::Below)
    }

    /// Whether every path that `other` means is meant.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        let (own, others) = (self.segments(), other.segments());
        let is_long_enough = match (self.end, other.end) {
            (End::Here, End::Here) => others.len() == own.len(),
            (End::Here, End::Below) => false,
            (End::Below, End::Here) => others.len() > own.len(),
            (End::Below, End::Below) => others.len() >= own.len(),
        };
        let fits = |(own, other): (&Segment, &Segment)| match (own, other) {
            (Segment::Open, Segment::Is(text)) => !text.is_empty(),
            (Segment::Open, Segment::Open) => true,
            (Segment::Is(own), Segment::Is(other)) => own == other,
            (Segment::Is(_), Segment::Open) => false,
        };
        is_long_enough && own.iter().zip(&others).all(fits)
    }

    /// All segments before the end.
    fn segments(&self) -> Vec<Segment> {
        let mut segments: Vec<Segment> =
            self.fixed.split('/').skip(1).map(|segment| Segment::Is(segment.to_owned())).collect();
        if !self.rest.is_empty() || self.end == End::Below {
            // What is behind the last slash of the fixed text is the rest.
            segments.pop();
        }
        segments.extend(self.rest.iter().cloned());
        segments
    }
}

/// What `path` has behind `start`. Patterns of one table often begin alike, so their last bytes are compared first.
fn behind<'p>(path: &'p str, start: &str) -> Option<&'p str> {
    let (found, behind) = path.split_at_checked(start.len())?;
    let ends_alike = found.as_bytes().last_chunk::<4>() == start.as_bytes().last_chunk::<4>();
    (ends_alike && found == start).then_some(behind)
}

const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::{PathPattern, unambiguous};
    use proptest::prelude::*;

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
        for (text, meant, not_meant) in [
            ("/health", vec!["/health"], vec!["/health/", "/healthz", "/", "/Health"]),
            ("/", vec!["/"], vec!["/a"]),
            ("/a/", vec!["/a/"], vec!["/a", "/a/b"]),
            ("/public/*", vec!["/public/", "/public/a", "/public/a/b/"], vec!["/public", "/publicity"]),
            ("/*", vec!["/", "/a", "/a/b"], vec![]),
            (
                "/orders/{id}",
                vec!["/orders/7", "/orders/a b"],
                vec!["/orders/", "/orders", "/orders/7/", "/orders/7/x"],
            ),
            ("/{a}", vec!["/x"], vec!["/", "/x/"]),
            ("/{a}/*", vec!["/x/", "/x/y/z"], vec!["/x", "/"]),
            ("/a/{b}/c/{d-1}", vec!["/a/1/c/2"], vec!["/a/1/d/2", "/a/1/c", "/a/1/c/", "/a//c/2"]),
            ("/a/{b}/c/*", vec!["/a/1/c/", "/a/1/c/x"], vec!["/a/1/c", "/a/1/cc/x", "/b/1/c/x"]),
            ("/a/{b}/", vec!["/a/1/"], vec!["/a/1", "/a/1/2"]),
        ] {
            let pattern = PathPattern::parse(text).unwrap();
            for path in meant {
                assert!(pattern.matches(path), "{text} {path}");
            }
            for path in not_meant {
                assert!(!pattern.matches(path), "{text} {path}");
            }
            assert_eq!(pattern.is_every_path(), text == "/*", "{text}");
            assert_eq!(pattern.fixed(), text.split(['*', '{']).next().unwrap(), "{text}");
            assert_eq!(pattern.one(), (!text.contains(['*', '{'])).then_some(text), "{text}");
            assert!(pattern.covers(&pattern), "{text}");
        }
        for text in [
            "",
            "health",
            "*",
            "/public*",
            "/a/*/b",
            "/*/a",
            "/a/**",
            "/a//b",
            "/a//*",
            "//*",
            "/a/../b",
            "/a?b",
            "/a%20b",
            "/a/{}",
            "/a/{b",
            "/a/b}",
            "/a/x{b}",
            "/a/{b}x",
            "/a/{b c}",
            "/a/{*}",
            "/{a}*",
            "{a}",
            "/a/{b}{c}",
        ] {
            assert_eq!(PathPattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn what_covers_what() {
        for (text, other, expected) in [
            ("/a", "/a", true),
            ("/a", "/b", false),
            ("/a", "/a/", false),
            ("/a", "/a/*", false),
            ("/a/*", "/a", false),
            ("/a/*", "/a/", true),
            ("/a/*", "/a/b", true),
            ("/a/*", "/a/b/*", true),
            ("/a/*", "/a/{b}", true),
            ("/a/b/*", "/a/*", false),
            ("/*", "/", true),
            ("/*", "/{a}/*", true),
            ("/{a}", "/b", true),
            ("/{a}", "/{b}", true),
            ("/{a}", "/", false),
            ("/b", "/{a}", false),
            ("/{a}/*", "/b/c", true),
            ("/{a}/*", "/b/", true),
            ("/{a}/*", "/b", false),
            ("/{a}/c/*", "/b/c/{d}/e", true),
            ("/{a}/c", "/b/c/*", false),
        ] {
            let (pattern, other_pattern) =
                (PathPattern::parse(text).unwrap(), PathPattern::parse(other).unwrap());
            assert_eq!(pattern.covers(&other_pattern), expected, "{text} {other}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_pattern_covers_what_it_says(
            own in prop::sample::select(PATTERNS.to_vec()), other in prop::sample::select(PATTERNS.to_vec()),
            path in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", ""]), 1..5),
        ) {
            let (own, other) = (PathPattern::parse(own).unwrap(), PathPattern::parse(other).unwrap());
            let uri = format!("/{}", path.join("/"));
            let path = unambiguous(uri.as_bytes());
            if let Some(path) = path && own.covers(&other) && other.matches(&path) {
                prop_assert!(own.matches(&path), "{own:?} {other:?} {path}");
            }
        }
    }

    const PATTERNS: [&str; 14] = [
        "/",
        "/*",
        "/a",
        "/a/",
        "/a/*",
        "/{x}",
        "/{x}/*",
        "/{x}/",
        "/a/b",
        "/a/{x}",
        "/{x}/b",
        "/{x}/b/*",
        "/a/{x}/c/*",
        "/a/b/c",
    ];
}
