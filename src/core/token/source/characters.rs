//! The characters of a token: those of a b64token (RFC 6750 2.1).

/// Whether `text` consists of them. Checks eight bytes at a time, since every byte of every new token is checked.
pub(super) fn are_of_token(text: &[u8]) -> bool {
    let (eights, rest) = text.as_chunks::<8>();
    eights.iter().all(|[a, b, c, d, e, f, g, h]| {
        is_token68(*a)
            & is_token68(*b)
            & is_token68(*c)
            & is_token68(*d)
            & is_token68(*e)
            & is_token68(*f)
            & is_token68(*g)
            & is_token68(*h)
    }) && rest.iter().copied().all(is_token68)
}

/// A table, because comparisons with each range cost several times as much.
#[inline(always)]
fn is_token68(byte: u8) -> bool {
    TOKEN68.get(usize::from(byte)).copied().unwrap_or(false)
}

const TOKEN68: [bool; 256] = {
    let mut table = [false; 256];
    let mut rest = table.as_mut_slice();
    let mut byte = 0_u8;
    while let Some((entry, behind)) = rest.split_first_mut() {
        *entry =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=');
        byte = byte.wrapping_add(1);
        rest = behind;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::are_of_token;

    #[test]
    fn one_other_character_anywhere_is_found() {
        for length in 1..20_usize {
            for at in 0..length {
                for byte in 0..=255_u8 {
                    let mut text = vec![b'a'; length];
                    text[at] = byte;
                    let expected = byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
                    assert_eq!(are_of_token(&text), expected, "{byte} at {at} of {length}");
                }
            }
        }
        assert!(are_of_token(b""));
    }
}
