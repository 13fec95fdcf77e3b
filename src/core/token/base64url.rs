//! base64url without padding, canonical only (RFC 7515 2, RFC 4648 3.5): exactly one text for each value, so
//! that a token cannot be altered without its signature noticing.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

/// Decodes `text`. `None` for padding, white space, other alphabets and non-zero trailing bits.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Decodes base64 as people write secrets: either alphabet (RFC 4648 4 and 5), with or without padding. Never for
/// tokens.
pub fn decode_lenient(text: &[u8]) -> Option<Vec<u8>> {
    decode_folded(unpadded(text.trim_ascii()))
}

/// Decodes base64 in either alphabet (RFC 4648 4 and 5), canonical, with all of its padding or none. Never for tokens.
pub fn decode_either(text: &[u8]) -> Option<Vec<u8>> {
    let is_padded = text.last() == Some(&b'=');
    if is_padded && !text.len().is_multiple_of(4) { None } else { decode_folded(unpadded(text)) }
}

/// Decodes base64 with padding (RFC 4648 4), canonical only.
pub fn decode_padded(text: &[u8]) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// Decodes base64url with padding (RFC 4648 5), canonical only.
pub fn decode_url_padded(text: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE.decode(text).ok()
}

fn unpadded(text: &[u8]) -> &[u8] {
    text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text)
}

/// Decodes either alphabet. Nearly all texts are in that for URLs, and need no copy.
fn decode_folded(text: &[u8]) -> Option<Vec<u8>> {
    decode(text).or_else(|| decode(&folded(text)))
}

/// In the alphabet for URLs.
fn folded(text: &[u8]) -> Vec<u8> {
    let fold = |byte: &u8| match byte {
        b'+' => b'-',
        b'/' => b'_',
        _ => *byte,
    };
    text.iter().map(fold).collect()
}

/// Encodes `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decode, decode_either, decode_lenient, decode_padded, decode_url_padded, encode};
    use proptest::prelude::*;

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
    fn keys_may_be_written_in_either_base64_with_all_padding_or_none() {
        for (text, expected) in [
            ("+/8=", Some(&b"\xfb\xff"[..])),
            ("-_8=", Some(b"\xfb\xff")),
            ("+/8", Some(b"\xfb\xff")),
            ("AA==", Some(b"\0")),
            ("AA", Some(b"\0")),
            ("", Some(b"")),
            ("AA=", None),
            ("A===", None),
            ("====", None),
            ("AB==", None),
            ("AA==\n", None),
        ] {
            assert_eq!(decode_either(text.as_bytes()).as_deref(), expected, "{text}");
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

    /// By the definition: the bits of the characters one after another, and what is left over is zero.
    fn by_hand(text: &[u8], alphabet: &str) -> Option<Vec<u8>> {
        let digits: Option<Vec<usize>> =
            text.iter().map(|byte| alphabet.bytes().position(|known| known == *byte)).collect();
        let bits: Vec<usize> =
            digits?.iter().flat_map(|digit| (0..6).rev().map(move |at| digit >> at & 1)).collect();
        let (bytes, rest) = bits.split_at(bits.len() / 8 * 8);
        let canonical = rest.len() < 6 && !rest.contains(&1);
        let byte = |bits: &[usize]| bits.iter().fold(0, |byte, bit| byte << 1 | u8::try_from(*bit).unwrap());
        canonical.then(|| bytes.chunks(8).map(byte).collect())
    }

    /// The same with padding to whole groups.
    fn padded_by_hand(text: &[u8], alphabet: &str) -> Option<Vec<u8>> {
        let unpadded = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
        text.len().is_multiple_of(4).then(|| by_hand(unpadded, alphabet))?
    }

    const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    fn all_by_hand(text: &[u8]) -> [Option<Vec<u8>>; 3] {
        let (plain, url) = (format!("{LETTERS}+/"), format!("{LETTERS}-_"));
        [by_hand(text, &url), padded_by_hand(text, &plain), padded_by_hand(text, &url)]
    }

    #[test]
    fn every_character_at_every_place() {
        for length in 1..10 {
            for at in 0..length {
                for character in 0..=255 {
                    let mut text = vec![b'A'; length];
                    text[at] = character;
                    let decoded = [decode(&text), decode_padded(&text), decode_url_padded(&text)];
                    assert_eq!(decoded, all_by_hand(&text), "{text:?}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn as_by_hand(text in prop_oneof!["[A-Za-z0-9_-]{0,40}", "[A-Za-z0-9+/_=-]{0,12}={0,3}", "[AQgw=]{0,9}"]) {
            let text = text.as_bytes();
            prop_assert_eq!([decode(text), decode_padded(text), decode_url_padded(text)], all_by_hand(text));
        }

        #[test]
        fn what_was_encoded(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
        }
    }
}
