//! The characters of a token.

/// Whether it is a character of a b64token (RFC 6750 2.1). A table, because comparisons with each range cost several times as much.
pub(super) fn is_token68(byte: u8) -> bool {
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
