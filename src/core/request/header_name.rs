//! Header names that a back end may take for one another.
//!
//! CGI, WSGI, PHP and several proxies turn `X-User-Sub`, `X_User_Sub` and `X.User.Sub` into the same variable,
//! so a name is managed in every such spelling.

/// Whether two names are the same after folding case and `-`, `_` and `.`.
#[must_use]
pub fn is_alias(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| fold(a) == fold(b))
}

const fn fold(byte: u8) -> u8 {
    match byte {
        b'_' | b'.' => b'-',
        _ => byte.to_ascii_lowercase(),
    }
}

/// Whether `name` is a field name (RFC 9110 5.1: a token).
#[must_use]
pub fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_token_byte)
}

/// The characters of a token (RFC 9110 5.6.2).
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

#[cfg(test)]
mod tests {
    use super::{is_alias, is_field_name};

    #[test]
    fn aliases_fold_case_and_separators() {
        for (a, b, same) in [
            ("X-User-Sub", "x-user-sub", true),
            ("X-User-Sub", "x_user_sub", true),
            ("X-User-Sub", "X.User_Sub", true),
            ("X-User-Sub", "XUserSub", false),
            ("X-User-Sub", "X-User-Sub2", false),
            ("X-User-Sub", "X-User-Su", false),
        ] {
            assert_eq!(is_alias(a, b), same, "{a} {b}");
        }
    }

    #[test]
    fn field_names_are_tokens() {
        for (name, valid) in
            [("X-User", true), ("", false), ("X User", false), ("X:User", false), ("X\u{e9}", false)]
        {
            assert_eq!(is_field_name(name), valid, "{name}");
        }
    }
}
