//! Text that somebody else chose, as messages show it.
//!
//! The modules are built without what derives of `Debug` write, so `{:?}` writes nothing there (`scripts/toolchain.sh`).

use std::fmt::{self, Write};

/// A JSON string (RFC 8259 7) in printable ASCII: nothing in it can end the line, hide, or steer a terminal.
pub struct Quoted<'t>(pub &'t str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                ' '..='~' => f.write_char(c)?,
                _ => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        write!(f, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        f.write_char('"')
    }
}

/// The same, of at most `max_chars` characters; `...` at its end says that there are more.
pub struct Cut<'t> {
    /// The text.
    pub text: &'t str,
    /// How much of it is shown.
    pub max_chars: usize,
}

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.char_indices().nth(self.max_chars) {
            None => Quoted(self.text).fmt(f),
            Some((end, _)) => {
                let shown: String = [self.text.get(..end).unwrap_or_default(), "..."].concat();
                Quoted(&shown).fmt(f)
            }
        }
    }
}

/// A JSON array of texts.
#[must_use]
pub fn list<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| Quoted(text.as_ref()).to_string()).collect();
    format!("[{}]", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::{Cut, Quoted, list};
    use proptest::prelude::*;

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
    fn long_text_is_cut_between_characters() {
        let cut = |text| Cut { text, max_chars: 2 }.to_string();
        assert_eq!(cut("ab"), r#""ab""#);
        assert_eq!(cut("abc"), r#""ab...""#);
        assert_eq!(cut("\u{fc}\u{fc}\u{fc}"), r#""\u00fc\u00fc...""#);
    }

    #[test]
    fn lists() {
        assert_eq!(list::<&str>(&[]), "[]");
        assert_eq!(list(&["a", "\""]), r#"["a","\""]"#);
    }

    proptest! {
        #[test]
        fn json_reads_it_back(text in any::<String>()) {
            let quoted = Quoted(&text).to_string();
            prop_assert!(quoted.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }
}
