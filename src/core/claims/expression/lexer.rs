//! Text of the claims language → tokens. Strings are Go's, because Traefik Hub reads its expressions with Go's
//! parser: raw between backticks, with escapes between double quotes.

use std::borrow::Cow;

use crate::core::claims::expression::ExpressionError;

/// One token and where it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'s> {
    /// Byte offset in the source.
    pub(super) at: usize,
    /// What it is.
    pub(super) kind: TokenKind<'s>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'s> {
    /// A function name.
    Name(&'s str),
    /// A string argument.
    Text(Text<'s>),
    /// `(`
    Open,
    /// `)`
    Close,
    /// `,`
    Comma,
    /// `&&`
    And,
    /// `||`
    Or,
    /// `!`
    Not,
    /// Nothing is left.
    End,
}

/// A decoded string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text<'s> {
    /// The characters.
    pub(super) value: Cow<'s, str>,
    /// Byte offsets in `value` of every `{` that was written `\{`: no request value starts there.
    pub(super) literal_braces: Vec<usize>,
}

/// Tokens of one expression.
pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    pub(super) const fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    /// The next token, [`TokenKind::End`] for ever after the last.
    pub(super) fn next(&mut self) -> Result<Token<'s>, ExpressionError> {
        let rest = self.rest().trim_start();
        self.at = self.source.len().saturating_sub(rest.len());
        let at = self.at;
        let Some(first) = rest.chars().next() else {
            return Ok(Token { at, kind: TokenKind::End });
        };
        let kind = match first {
            '(' => self.symbol("(", TokenKind::Open),
            ')' => self.symbol(")", TokenKind::Close),
            ',' => self.symbol(",", TokenKind::Comma),
            '!' => self.symbol("!", TokenKind::Not),
            '&' if rest.starts_with("&&") => self.symbol("&&", TokenKind::And),
            '|' if rest.starts_with("||") => self.symbol("||", TokenKind::Or),
            '&' | '|' => return Err(self.error(at, "a single & or |; the operators are && and ||")),
            '`' => TokenKind::Text(self.raw_string()?),
            '"' => TokenKind::Text(self.quoted_string()?),
            '\'' => return Err(self.error(at, "text stands between backticks or double quotes")),
            c if c.is_ascii_alphabetic() => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                self.at = at.saturating_add(end);
                TokenKind::Name(rest.get(..end).unwrap_or(""))
            }
            _ => return Err(self.error(at, "a character that starts nothing")),
        };
        Ok(Token { at, kind })
    }

    /// `problem` at the byte offset `at`.
    pub(super) fn error(&self, at: usize, problem: impl Into<String>) -> ExpressionError {
        let before = self.source.get(..at).unwrap_or(self.source);
        ExpressionError { column: before.chars().count().saturating_add(1), problem: problem.into() }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or("")
    }

    fn symbol(&mut self, symbol: &str, kind: TokenKind<'s>) -> TokenKind<'s> {
        self.at = self.at.saturating_add(symbol.len());
        kind
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.rest().chars().next()?;
        self.at = self.at.saturating_add(c.len_utf8());
        Some(c)
    }

    fn raw_string(&mut self) -> Result<Text<'s>, ExpressionError> {
        let start = self.at;
        self.bump();
        let rest = self.rest();
        let end = rest.find('`').ok_or_else(|| self.error(start, "the closing backtick is missing"))?;
        self.at = self.at.saturating_add(end).saturating_add(1);
        // Go drops carriage returns from raw strings.
        let text = rest.get(..end).unwrap_or("");
        let value =
            if text.contains('\r') { Cow::Owned(text.replace('\r', "")) } else { Cow::Borrowed(text) };
        Ok(Text { value, literal_braces: Vec::new() })
    }

    fn quoted_string(&mut self) -> Result<Text<'s>, ExpressionError> {
        let start = self.at;
        self.bump();
        let mut value = Vec::new();
        let mut literal_braces = Vec::new();
        loop {
            match self.bump() {
                Some('"') => break,
                Some('\\') => {
                    if self.rest().starts_with('{') {
                        literal_braces.push(value.len());
                        value.push(b'{');
                        self.bump();
                    } else {
                        self.escape(&mut value)?;
                    }
                }
                Some('\n') | None => return Err(self.error(start, "the closing double quote is missing")),
                Some(c) => value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        let value =
            String::from_utf8(value).map_err(|_| self.error(start, "the escapes do not make UTF-8"))?;
        Ok(Text { value: Cow::Owned(value), literal_braces })
    }

    /// One escape of an interpreted string (Go specification, "Rune literals"), the backslash already read.
    fn escape(&mut self, value: &mut Vec<u8>) -> Result<(), ExpressionError> {
        let at = self.at.saturating_sub(1);
        let unknown = |lexer: &Self| {
            lexer.error(at, r#"an unknown escape; between double quotes a backslash is written \\"#)
        };
        let c = self.bump().ok_or_else(|| unknown(self))?;
        let byte = match c {
            'a' => 7,
            'b' => 8,
            't' => b'\t',
            'n' => b'\n',
            'v' => 11,
            'f' => 12,
            'r' => b'\r',
            '\\' => b'\\',
            '"' => b'"',
            'x' => {
                let number = self.number(2, 16).ok_or_else(|| unknown(self))?;
                u8::try_from(number).map_err(|_| unknown(self))?
            }
            '0'..='7' => {
                self.at = at.saturating_add(1);
                let number = self.number(3, 8).ok_or_else(|| unknown(self))?;
                u8::try_from(number).map_err(|_| unknown(self))?
            }
            'u' | 'U' => {
                let number = self.number(if c == 'u' { 4 } else { 8 }, 16).ok_or_else(|| unknown(self))?;
                let c = char::from_u32(number).ok_or_else(|| unknown(self))?;
                value.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Ok(());
            }
            _ => return Err(unknown(self)),
        };
        value.push(byte);
        Ok(())
    }

    /// Exactly `digits` digits of `radix`.
    fn number(&mut self, digits: usize, radix: u32) -> Option<u32> {
        let text = self.rest().get(..digits)?;
        let number = text.chars().all(|c| c.is_digit(radix)).then(|| u32::from_str_radix(text, radix).ok());
        self.at = self.at.saturating_add(digits);
        number.flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::{Lexer, Text, TokenKind};

    fn text(source: &str) -> Result<(String, Vec<usize>), usize> {
        let token = Lexer::new(source).next().map_err(|error| error.column)?;
        let TokenKind::Text(Text { value, literal_braces }) = token.kind else { panic!("{token:?}") };
        Ok((value.into_owned(), literal_braces))
    }

    #[test]
    fn strings_as_in_go() {
        for (source, expected) in [
            ("`a\\.b`", Ok("a\\.b")),
            ("`a\r\n\"b`", Ok("a\n\"b")),
            ("``", Ok("")),
            ("`a", Err(1)),
            (r#""a`b""#, Ok("a`b")),
            (r#""\a\b\t\n\v\f\r\\\"""#, Ok("\x07\x08\t\n\x0b\x0c\r\\\"")),
            (r#""\x41\101\u00e9\U0001F600""#, Ok("AA\u{e9}\u{1f600}")),
            (r#""\xc3\xa9""#, Ok("\u{e9}")),
            (r#""\xff""#, Err(1)),
            (r#"  "\.""#, Err(4)),
            (r#""\'""#, Err(2)),
            (r#""\400""#, Err(2)),
            (r#""\08""#, Err(2)),
            (r#""\ud800""#, Err(2)),
            (r#""\x+1""#, Err(2)),
            (r#""\u12""#, Err(2)),
            (r#""\"#, Err(2)),
            ("\"a\nb\"", Err(1)),
            (r#""a"#, Err(1)),
        ] {
            assert_eq!(text(source).map(|(value, _)| value), expected.map(str::to_owned), "{source}");
        }
        assert_eq!(text(r#""\{a}{""#), Ok(("{a}{".to_owned(), vec![0])));
    }

    #[test]
    fn operators_are_two_characters() {
        for (source, expected) in [
            ("&&", Ok(TokenKind::And)),
            ("||", Ok(TokenKind::Or)),
            ("&", Err(1)),
            ("|", Err(1)),
            ("& &", Err(1)),
            ("| |", Err(1)),
            ("|&", Err(1)),
        ] {
            let kind = Lexer::new(source).next().map(|token| token.kind).map_err(|error| error.column);
            assert_eq!(kind, expected, "{source}");
        }
    }

    #[test]
    fn columns_count_characters() {
        let mut lexer = Lexer::new("Equals ( `\u{e9}\u{e9}` , &");
        let mut kinds = Vec::new();
        let error = loop {
            match lexer.next() {
                Ok(token) => kinds.push((token.at, token.kind)),
                Err(error) => break error,
            }
        };
        assert_eq!(kinds.len(), 4);
        assert_eq!(kinds[3], (16, TokenKind::Comma));
        assert_eq!(error.column, 17);
    }
}
