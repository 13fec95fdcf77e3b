//! base64url without padding, canonical only (RFC 7515 2, RFC 4648 3.5): exactly one text for each value, so
//! that a token cannot be altered without its signature noticing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// No character has this value, and no value this bit.
const INVALID: u8 = 0x80;

/// The value of each character.
const VALUES: [u8; 256] = {
    let mut table = [INVALID; 256];
    let mut rest = table.as_mut_slice();
    let mut character = 0_u8;
    while let Some((entry, behind)) = rest.split_first_mut() {
        *entry = match character {
            b'A'..=b'Z' => character.wrapping_sub(b'A'),
            b'a'..=b'z' => character.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => character.wrapping_sub(b'0').wrapping_add(52),
            b'-' => 62,
            b'_' => 63,
            _ => INVALID,
        };
        character = character.wrapping_add(1);
        rest = behind;
    }
    table
};

/// Decodes `text`. `None` for padding, white space, other alphabets and non-zero trailing bits.
///
/// Our own, where encoding is a crate's: that decoder is unrolled for long texts, is 3.7 KB more of every module, and
/// decodes a token in as many instructions.
#[must_use]
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (quads, rest) = text.as_chunks::<4>();
    let behind = rest.len().saturating_sub(1);
    let mut bytes = vec![0; quads.len().saturating_mul(3).saturating_add(behind)];
    let (triples, end) = bytes.as_chunks_mut::<3>();
    let mut invalid = 0;
    for (quad, triple) in quads.iter().zip(triples) {
        *triple = decode_quad(*quad, &mut invalid);
    }
    // What is missing counts as zero, and so must the bits that lie behind the last byte.
    let mut last = [b'A'; 4];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let last = decode_quad(last, &mut invalid);
    end.iter_mut().zip(last).for_each(|(to, from)| *to = from);
    let canonical = rest.len() != 1 && last.iter().skip(end.len()).all(|byte| *byte == 0);
    (canonical && invalid & INVALID == 0).then_some(bytes)
}

/// The bytes of four characters; `invalid` collects what tells others from characters of the alphabet.
#[inline(always)]
fn decode_quad(quad: [u8; 4], invalid: &mut u8) -> [u8; 3] {
    let value = |character| VALUES.get(usize::from(character)).copied().unwrap_or(INVALID);
    let [a, b, c, d] = quad;
    let [a, b, c, d] = [value(a), value(b), value(c), value(d)];
    *invalid |= a | b | c | d;
    let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
    let [third, second, first, _] = bits.to_le_bytes();
    [first, second, third]
}

/// Decodes base64 as people write secrets: either alphabet (RFC 4648 4 and 5), with or without padding. Never for
/// tokens.
#[must_use]
pub fn decode_lenient(text: &[u8]) -> Option<Vec<u8>> {
    decode_folded(unpadded(text.trim_ascii()))
}

/// Decodes base64 in either alphabet (RFC 4648 4 and 5), canonical, with all of its padding or none. Never for tokens.
#[must_use]
pub fn decode_either(text: &[u8]) -> Option<Vec<u8>> {
    let is_padded = text.last() == Some(&b'=');
    if is_padded && !text.len().is_multiple_of(4) { None } else { decode_folded(unpadded(text)) }
}

/// Decodes base64 with padding (RFC 4648 4), canonical only.
#[must_use]
pub fn decode_padded(text: &[u8]) -> Option<Vec<u8>> {
    let is_base64 = text.len().is_multiple_of(4) && !text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    if is_base64 { decode(&folded(unpadded(text))) } else { None }
}

/// Decodes base64url with padding (RFC 4648 5), canonical only.
#[must_use]
pub fn decode_url_padded(text: &[u8]) -> Option<Vec<u8>> {
    if text.len().is_multiple_of(4) { decode(unpadded(text)) } else { None }
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
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{decode, decode_either, decode_lenient, decode_padded, decode_url_padded, encode};
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
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

    #[test]
    fn every_character_at_every_place() {
        for length in 1..10 {
            for at in 0..length {
                for character in 0..=255 {
                    let mut text = vec![b'A'; length];
                    text[at] = character;
                    assert_eq!(decode(&text), URL_SAFE_NO_PAD.decode(&text).ok(), "{text:?}");
                    assert_eq!(decode_padded(&text), STANDARD.decode(&text).ok(), "{text:?}");
                    assert_eq!(decode_url_padded(&text), URL_SAFE.decode(&text).ok(), "{text:?}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn as_the_crate(text in prop_oneof!["[A-Za-z0-9_-]{0,40}", "[A-Za-z0-9+/_=-]{0,12}={0,3}", "[AQgw=]{0,9}"]) {
            prop_assert_eq!(decode(text.as_bytes()), URL_SAFE_NO_PAD.decode(&text).ok());
            prop_assert_eq!(decode_padded(text.as_bytes()), STANDARD.decode(&text).ok());
            prop_assert_eq!(decode_url_padded(text.as_bytes()), URL_SAFE.decode(&text).ok());
        }

        #[test]
        fn what_was_encoded(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert_eq!(decode_padded(STANDARD.encode(&bytes).as_bytes()), Some(bytes.clone()));
            prop_assert_eq!(decode(encode(&bytes).as_bytes()), Some(bytes));
        }
    }
}
