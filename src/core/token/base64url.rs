//! base64url without padding, canonical only (RFC 7515 2, RFC 4648 3.5): exactly one text for each value, so
//! that a token cannot be altered without its signature noticing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes `text`. `None` for padding, white space, other alphabets and non-zero trailing bits.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes base64 as people write secrets: either alphabet (RFC 4648 4 and 5), with or without padding. Never for
/// tokens.
#[must_use]
pub fn decode_lenient(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    let unpadded = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let folded: Vec<u8> = unpadded
        .iter()
        .map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            _ => *byte,
        })
        .collect();
    decode(&folded)
}

/// Encodes `bytes`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decode, decode_lenient};

    #[test]
    fn secrets_may_be_written_in_any_base64() {
        for (text, expected) in [
            ("+/8=", Some(&b"\xfb\xff"[..])),
            ("-_8", Some(b"\xfb\xff")),
            ("AA==\n", Some(b"\0")),
            ("AA===", None),
            ("A!", None),
        ] {
            assert_eq!(decode_lenient(text.as_bytes()).as_deref(), expected, "{text}");
        }
    }

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
