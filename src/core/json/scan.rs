//! Searches for bytes, eight at a time: a token is mostly scanned for dots and the ends of strings.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The position of the first dot.
pub(in crate::core) fn dot(bytes: &[u8]) -> Option<usize> {
    find(bytes, |word| zeros(word ^ 0x2e2e_2e2e_2e2e_2e2e))
}

/// The position of the first byte that a JSON string does not contain unescaped: a quotation mark, a backslash or a
/// control character (RFC 8259 7).
pub(super) fn special(bytes: &[u8]) -> Option<usize> {
    find(bytes, |word| {
        let control = word.wrapping_sub(0x2020_2020_2020_2020) & !word & HIGH;
        control | zeros(word ^ 0x2222_2222_2222_2222) | zeros(word ^ 0x5c5c_5c5c_5c5c_5c5c)
    })
}

/// The high bit of every byte that is 0. Bytes behind the first one, which borrow, may have it too.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGH
}

/// The position of the first byte that `marks` marks with the high bit in its word; later bytes may have it, too.
#[inline(always)]
fn find(bytes: &[u8], marks: impl Fn(u64) -> u64) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut at = 0_usize;
    for word in words {
        let marked = marks(u64::from_le_bytes(*word));
        if marked != 0 {
            return Some(at.saturating_add(first(marked)));
        }
        at = at.saturating_add(8);
    }
    let mut word = [0; 8];
    word.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    // The padding of the word is not a part of the text, and may be marked.
    let found = first(marks(u64::from_le_bytes(word)));
    (found < rest.len()).then(|| at.saturating_add(found))
}

/// The index of the first marked byte of a word; 8 if there is none.
fn first(marked: u64) -> usize {
    usize::try_from(marked.trailing_zeros() / 8).unwrap_or(8)
}

#[cfg(test)]
mod tests {
    use super::{dot, special};
    use proptest::prelude::*;

    fn is_special(byte: u8) -> bool {
        matches!(byte, b'"' | b'\\' | 0..=0x1f)
    }

    #[test]
    fn every_byte_at_every_place() {
        for length in 0..20_usize {
            for at in 0..length {
                for byte in 0..=255_u8 {
                    for around in [b'a', b' ', b'!', b'#', b'-', b'/', b'[', b']', 0x7f, 0x80, 0xff] {
                        let mut text = vec![around; length];
                        text[at] = byte;
                        assert_eq!(dot(&text), (byte == b'.').then_some(at), "{text:?}");
                        assert_eq!(special(&text), is_special(byte).then_some(at), "{text:?}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn as_byte_by_byte(text in prop::collection::vec(prop_oneof![any::<u8>(), 0x1f..0x30_u8, 0x5b..0x5e_u8], 0..64)) {
            prop_assert_eq!(dot(&text), text.iter().position(|byte| *byte == b'.'));
            prop_assert_eq!(special(&text), text.iter().position(|byte| is_special(*byte)));
        }
    }
}
