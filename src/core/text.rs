//! How foreign text is shown in log lines, messages and documents: in printable ASCII. All else is
//! escaped, so nothing in it can end the line, hide, reverse the direction of the text or control a terminal. This is
//! the only place that escapes.
//!
//! The modules are built without what derives of `Debug` write, so `{:?}` writes nothing there (`scripts/toolchain.sh`).

use std::borrow::Cow;
use std::fmt::{self, Write};

use crate::core::limits::MAX_SHOWN_CHARS;

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// As in a JSON string (RFC 8259 7): `\uXXXX`, two of them beyond U+FFFF.
fn escape<W: Write>(out: &mut W, c: char) -> fmt::Result {
    c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}"))
}

/// Writes `text`: runs of `plain` characters as a whole, since most texts are one run, and all others with `other`.
fn write_by_runs<W: Write>(
    out: &mut W,
    text: &str,
    plain: impl Fn(u8) -> bool,
    other: impl Fn(&mut W, char) -> fmt::Result,
) -> fmt::Result {
    let mut rest = text;
    loop {
        // A byte that is plain is a whole character.
        let end = rest.bytes().position(|byte| !plain(byte)).unwrap_or(rest.len());
        let (run, behind) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.write_str(run)?;
        let mut behind = behind.chars();
        let Some(c) = behind.next() else { return Ok(()) };
        other(out, c)?;
        rest = behind.as_str();
    }
}

/// A JSON string (RFC 8259 7) with the whole text.
pub struct Quoted<'t>(pub &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        let plain = |byte| is_printable(byte) && !matches!(byte, b'"' | b'\\');
        write_by_runs(f, self.0, plain, |f, c| match c {
            '"' | '\\' => write!(f, "\\{c}"),
            c => escape(f, c),
        })?;
        f.write_char('"')
    }
}

/// A JSON array of texts.
pub fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| Quoted(text.as_ref()).to_string()).collect();
    format!("[{}]", quoted.join(","))
}

/// The first `max_chars` characters; `...` at the end says that there are more.
pub fn cut(text: &str, max_chars: usize) -> Cow<'_, str> {
    match text.char_indices().nth(max_chars) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned([text.get(..end).unwrap_or_default(), "..."].concat()),
    }
}

/// A text as an error or a log line shows it: a JSON string of at most [`MAX_SHOWN_CHARS`] characters.
pub fn quoted(text: &str) -> String {
    Quoted(&cut(text, MAX_SHOWN_CHARS)).to_string()
}

/// A name between others, with spaces between them: as it is if it is one word, which most are, else [`quoted`].
pub fn name(text: &str) -> String {
    let is_part_of_word = |byte| is_printable(byte) && !matches!(byte, b' ' | b'"' | b'\\' | b'[' | b']');
    let is_word = (1..=MAX_SHOWN_CHARS).contains(&text.len()) && text.bytes().all(is_part_of_word);
    if is_word { text.to_owned() } else { quoted(text) }
}

/// A text for grammars that have no escapes, such as `error_description` (RFC 6750 3): `?` for what would need one.
pub fn unescaped(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\') { c } else { '?' }).collect()
}

/// Writes one line of printable ASCII. Escapes that are in it already are not changed.
pub struct OneLine<W>(pub W);

impl<W: Write> Write for OneLine<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        write_by_runs(&mut self.0, text, is_printable, escape)
    }
}

/// Our own words together with text that is escaped already, on one line.
pub fn one_line(message: impl fmt::Display) -> String {
    let mut line = OneLine(String::new());
    // Writing to a String cannot fail.
    let _ = write!(line, "{message}");
    line.0
}

#[cfg(test)]
mod tests {
    use super::{Quoted, cut, list, name, one_line, quoted, unescaped};
    use crate::core::limits::MAX_SHOWN_CHARS;
    use proptest::prelude::*;

    /// Characters that end a line, hide, or turn text around: C0 and C1 controls, format characters, line and paragraph
    /// separators, tags, blanks that are none.
    const STRANGE: &[char] = &[
        '\0',
        '\u{7}',
        '\n',
        '\r',
        '\u{1b}',
        '\u{7f}',
        '\u{80}',
        '\u{85}',
        '\u{9b}',
        '\u{a0}',
        '\u{ad}',
        '\u{61c}',
        '\u{200b}',
        '\u{200e}',
        '\u{200f}',
        '\u{2028}',
        '\u{2029}',
        '\u{202a}',
        '\u{202e}',
        '\u{2066}',
        '\u{2069}',
        '\u{feff}',
        '\u{fff9}',
        '\u{e0001}',
        '\u{e007f}',
    ];

    #[test]
    fn text_in_quotes() {
        for (text, expected) in [
            ("", r#""""#),
            ("it's 1~", r#""it's 1~""#),
            ("\"\\", r#""\"\\""#),
            ("a\nb\u{7f}", r#""a\u000ab\u007f""#),
            ("\u{fc}\u{202e}\u{1f600}", r#""\u00fc\u202e\ud83d\ude00""#),
        ] {
            assert_eq!(Quoted(text).to_string(), expected);
        }
    }

    #[test]
    fn a_line_keeps_what_is_printable() {
        for (text, expected) in [
            ("", ""),
            (r#"kid "a\u202e" is not used"#, r#"kid "a\u202e" is not used"#),
            ("a\nb\u{2028}c\u{1f600}", r"a\u000ab\u2028c\ud83d\ude00"),
        ] {
            assert_eq!(one_line(text), expected);
        }
    }

    #[test]
    fn nothing_strange_gets_through() {
        for c in STRANGE {
            let text = format!("a{c}b");
            for shown in
                [Quoted(&text).to_string(), quoted(&text), name(&text), unescaped(&text), one_line(&text)]
            {
                assert!(shown.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{shown:?}");
                assert_ne!(shown, "ab", "{c:?} is not seen");
            }
        }
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("ab", 2), "ab");
        assert_eq!(cut("abc", 2), "ab...");
        assert_eq!(cut("\u{fc}\u{fc}\u{fc}", 2), "\u{fc}\u{fc}...");
        let longest = "\u{1f600}".repeat(MAX_SHOWN_CHARS);
        assert_eq!(quoted(&longest), Quoted(&longest).to_string());
        assert_eq!(quoted(&format!("{longest}x")), Quoted(&format!("{longest}...")).to_string());
    }

    #[test]
    fn names_are_words_or_quoted() {
        for (text, expected) in [
            ("key-1", "key-1"),
            ("https://vault.example/keys/a#b", "https://vault.example/keys/a#b"),
            ("", r#""""#),
            ("k 1", r#""k 1""#),
            ("a] removed [b", r#""a] removed [b""#),
            ("a\"", r#""a\"""#),
            (r"\u202e", r#""\\u202e""#),
            ("evil\u{202e}KID\u{2028}next", r#""evil\u202eKID\u2028next""#),
        ] {
            assert_eq!(name(text), expected);
        }
        let longest = "k".repeat(MAX_SHOWN_CHARS);
        assert_eq!(name(&longest), longest);
        assert_eq!(name(&format!("{longest}k")), format!("\"{longest}...\""));
    }

    #[test]
    fn lists() {
        assert_eq!(list::<&str>(&[]), "[]");
        assert_eq!(list(&["a", "\""]), r#"["a","\""]"#);
    }

    #[test]
    fn rfc_6750_3_descriptions() {
        assert_eq!(unescaped("tenant.id"), "tenant.id");
        assert_eq!(unescaped("a\"b\\c\u{fc}\n"), "a?b?c??");
    }

    proptest! {
        #[test]
        fn json_reads_it_back(text in any::<String>()) {
            let quoted = Quoted(&text).to_string();
            prop_assert!(quoted.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }

        #[test]
        fn always_bounded_and_printable(text in any::<String>(), more in "\\PC{0,400}") {
            let text = text + &more;
            for shown in [quoted(&text), name(&text)] {
                prop_assert!(shown.bytes().all(|byte| matches!(byte, b' '..=b'~')));
                prop_assert!(shown.len() <= 12 * MAX_SHOWN_CHARS + 5);
            }
            let line = one_line(&text);
            prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert_eq!(one_line(&line), line);
        }
    }
}
