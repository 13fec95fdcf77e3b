//! base64url without padding, canonical only (RFC 7515 2, RFC 4648 3.5): exactly one text for each value, so
//! that a token cannot be altered without its signature noticing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes `text`. `None` for padding, white space, other alphabets and non-zero trailing bits.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes `bytes`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn only_the_canonical_form() {
        for (text, expected) in [
            ("", Some(&b""[..])),
            ("AA", Some(b"\0")),
            ("AAA", Some(b"\0\0")),
            ("-_8", Some(b"\xfb\xff")),
            ("A", None),
            ("AB", None),
            ("AAB", None),
            ("AA==", None),
            ("AA=", None),
            ("+/8", None),
            ("A A", None),
            ("AA\n", None),
        ] {
            assert_eq!(decode(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }
}
