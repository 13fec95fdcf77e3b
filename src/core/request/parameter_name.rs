//! Names of query parameters and cookies that a back end may take for one another.
//!
//! A name that only some back end reads as that of the token must not carry a second one past the token that was
//! verified. What they do, besides decoding (`%74oken`):
//! - PHP drops blanks before a name, ends it at a NUL, makes `_` of blanks and dots in it and of a `[` that nothing closes,
//!   and of `token[]` a list that takes the place of `token`; `qs` (Express) reads `[token]` as `token`;
//! - ASP.NET and ASP.NET Core compare names of parameters and of cookies without case;
//! - ASP and System.Web also decode `%u0074`;
//! - many trim names, also of blanks that are not ASCII: Django and, before 0.7, Express's `cookie` of those of Latin-1 (a byte
//!   A0), the `cookie` of Rust of those of Unicode. Which these are differs, so everything else counts as one of them.
//!
//! Cookies: Go, Node, Python and PHP compare them with case, but one that compares without is enough. Their names are not
//! decoded by current PHP and Rack, but by older ones and by `CGI.pm`.

use crate::core::request::header_name::fold;

/// Whether some back end reads `written`, the name as the request has it, as `name`.
pub fn is_alias(written: &[u8], name: &str) -> bool {
    // The first byte decides for most names.
    let Some(first) = written.first() else { return name.is_empty() };
    let is_dropped = |byte: u8| is_blank(byte) || (!byte.is_ascii() && name.is_ascii());
    let begins_itself = !is_dropped(*first) && !matches!(first, b'[' | b'%' | b'+');
    if begins_itself && name.bytes().next().is_none_or(|byte| fold(byte) != fold(*first)) {
        return false;
    }
    let mut written = Decoded(written).skip_while(|byte| is_dropped(*byte) || *byte == b'[');
    name.bytes().all(|byte| written.next().is_some_and(|found| fold(found) == fold(byte)))
        && written.take_while(|byte| !matches!(byte, 0 | b'[' | b']')).all(is_dropped)
}

/// Whether a name of the configuration is unambiguous: it is not if it begins or ends with characters that back ends drop.
pub fn is_usable(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('[') && !name.bytes().any(is_blank)
}

const fn is_blank(byte: u8) -> bool {
    byte <= b' '
}

/// The bytes of a name, decoded. A `%` that begins no escape is itself: back ends that read such a name read it so.
struct Decoded<'w>(&'w [u8]);

impl Iterator for Decoded<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (byte, length) = match self.0 {
            [] => return None,
            [b'%', b'u' | b'U', digits @ ..] => {
                let code = digits.get(..4).and_then(|digits| {
                    digits.iter().try_fold(0_u16, |code, digit| Some((code << 4) | hex(*digit)?))
                });
                // Names that are compared are ASCII.
                code.map_or((b'%', 1), |code| (u8::try_from(code).unwrap_or(u8::MAX), 6))
            }
            [b'%', high, low, ..] => {
                let byte =
                    hex(*high).zip(hex(*low)).and_then(|(high, low)| u8::try_from(high << 4 | low).ok());
                byte.map_or((b'%', 1), |byte| (byte, 3))
            }
            [b'+', ..] => (b' ', 1),
            [byte, ..] => (*byte, 1),
        };
        self.0 = self.0.get(length..)?;
        Some(byte)
    }
}

fn hex(digit: u8) -> Option<u16> {
    u16::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{is_alias, is_usable};

    #[test]
    fn usable_names_are_their_own_alias() {
        for (name, expected) in [
            ("token", true),
            ("access_token", true),
            ("auth[token]", true),
            ("a+b%2", true),
            ("\u{fc}ber", true),
            ("", false),
            ("[token]", false),
            (" token", false),
            ("token\t", false),
            ("a b", false),
        ] {
            assert_eq!(is_usable(name), expected, "{name}");
            let written: String = name.bytes().map(|byte| format!("%{byte:02x}")).collect();
            assert!(!expected || is_alias(written.as_bytes(), name), "{name}");
        }
    }

    #[test]
    fn names_as_back_ends_read_them() {
        for (name, written, expected) in [
            ("token", "token", true),
            ("token", "%74oken", true),
            ("token", "%74%6F%6b%65%6E", true),
            ("token", "TOKEN", true),
            ("token", "+token", true),
            ("token", "%20%09%00token", true),
            ("token", "token+%0a", true),
            ("token", "\u{a0}token", true),
            ("token", "%A0token", true),
            ("token", "token%C2%A0%e2%80%83+", true),
            ("token", "%uFEFFtoken%u00a0", true),
            ("token", "to%A0ken", false),
            ("token", "token%00", true),
            ("token", "token%00x", true),
            ("token", "token[]", true),
            ("token", "token%5b0%5D", true),
            ("token", "token+[x", true),
            ("token", "[token]", true),
            ("token", "[token][a]", true),
            ("token", "%u0074oken", true),
            ("token", "%U0074oke%u006E", true),
            ("access_token", "access.token", true),
            ("access_token", "access+token", true),
            ("access_token", "access[token", true),
            ("access_token", "access%5Btoken", true),
            ("access_token", "access_token", true),
            ("auth[token]", "auth[token]", true),
            ("auth[token]", "auth[user]", false),
            ("\u{fc}ber", "%C3%BCber", true),
            ("\u{fc}ber", "%C3ber", false),
            ("token", "", false),
            ("token", "toke", false),
            ("token", "tokens", false),
            ("token", "token_", false),
            ("token", "token+x", false),
            ("token", "xtoken", false),
            ("token", "_token", false),
            ("token", "t%6fken%", false),
            ("token", "to%zzken", false),
            ("token", "%u00", false),
            ("token", "%u0174oken", false),
            ("token", "%2574oken", false),
            ("access_token", "access", false),
            ("access_token", "accesstoken", false),
        ] {
            assert_eq!(is_alias(written.as_bytes(), name), expected, "{written} for {name}");
        }
    }
}
