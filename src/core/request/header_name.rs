//! Header names that a back end may take for one another.
//!
//! CGI (RFC 3875 4.1.18) makes the variable `HTTP_X_USER_SUB` of `X-User-Sub`, and software that follows it (FastCGI, WSGI,
//! Rack, PHP, lighttpd, Apache) replaces every byte that is neither a letter nor a digit by `_`: `X_User_Sub`,
//! `X.User.Sub` and `X~User~Sub` are the same variable. So a name that the middleware sets or reads is meant in every such
//! spelling. Only what opens something (a preflight, an origin) is compared exactly: there an alias is nothing.

use crate::core::request::RequestView;

/// Whether two names are the same for some back end.
pub fn is_alias(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| fold(a) == fold(b))
}

/// The names in `request` that a back end may take for `name`, as they are written there.
///
/// A name of letters and digits, such as `Authorization`, has one spelling, so no list of names is fetched for it.
pub fn spellings<'r>(request: &'r dyn RequestView, name: &'r str) -> impl Iterator<Item = &'r str> {
    let one = name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let names = (!one).then(|| request.header_names());
    let aliases = names.into_iter().flatten().filter(move |found| is_alias(found, name));
    one.then_some(name).into_iter().chain(aliases)
}

/// All values of the header `name`, in every spelling.
pub fn values(request: &dyn RequestView, name: &str) -> Vec<Vec<u8>> {
    let mut values = Vec::new();
    for name in spellings(request, name) {
        let more = request.header_values(name);
        if values.is_empty() {
            values = more;
        } else {
            values.extend(more);
        }
    }
    values
}

/// What a request has of a header that may be there once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Single {
    /// Nothing.
    Absent,
    /// This text, without the blanks around it.
    Text(String),
    /// Several values, or a value that is not text.
    Unclear,
}

/// What `request` has of the header `name`, in every spelling.
#[must_use]
#[inline(never)]
pub fn single(request: &dyn RequestView, name: &str) -> Single {
    let mut values = values(request, name);
    match (values.pop(), values.is_empty()) {
        (None, _) => Single::Absent,
        (Some(value), true) => {
            let trimmed = value.trim_ascii();
            let value = if trimmed.len() == value.len() { value } else { trimmed.to_vec() };
            String::from_utf8(value).map_or(Single::Unclear, Single::Text)
        }
        (Some(_), false) => Single::Unclear,
    }
}

/// `byte` as back ends compare names: without case, and with all characters but letters and digits alike.
pub const fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'_' }
}

/// Whether `name` is a field name (RFC 9110 5.1: a token).
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
    use super::{Single, is_alias, is_field_name, single, spellings, values};
    use crate::core::request::RecordedRequest;

    #[test]
    fn every_ascii_character_that_is_not_a_letter_or_digit_is_the_same() {
        // Go refuses a name that is not a token (RFC 9110 5.6.2), such as `X User Sub`. It would be an alias all the same.
        for c in (0..=0x7f_u8).map(char::from) {
            let other = format!("X{c}User{c}Sub");
            assert_eq!(is_alias("X-User-Sub", &other), !c.is_ascii_alphanumeric(), "{other:?}");
        }
    }

    #[test]
    fn names_of_a_request_with_other_characters_are_aliases() {
        for name in ["X User-Sub", "X\tUser Sub", "X\"User(Sub", "X\u{7f}User\rSub"] {
            let request = RecordedRequest::new("GET", "/").header(name, "mallory");
            assert_eq!(spellings(&request, "X-User-Sub").collect::<Vec<_>>(), [name.to_ascii_lowercase()]);
        }
    }

    #[test]
    fn spellings_of_a_name_in_a_request() {
        let request = RecordedRequest::new("GET", "/")
            .header("X-Token", "a")
            .header("x~token", "b")
            .header("X-Tokens", "c")
            .header("X-Token", "d")
            .header("Authorization", "e");
        assert_eq!(spellings(&request, "X-Token").collect::<Vec<_>>(), ["x-token", "x~token"]);
        assert_eq!(values(&request, "x.token"), [b"a", b"d", b"b"]);
        assert_eq!(spellings(&request, "Authorization").collect::<Vec<_>>(), ["Authorization"]);
        assert_eq!(values(&request, "Nothing"), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn aliases_fold_case_and_separators() {
        for (a, b, same) in [
            ("X-User-Sub", "x-user-sub", true),
            ("X-User-Sub", "x_user_sub", true),
            ("X-User-Sub", "X.User_Sub", true),
            ("X-User1", "X-User2", false),
            ("X-User-Sub", "XUserSub", false),
            ("X-User-Sub", "X-User-Sub2", false),
            ("X-User-Sub", "X-User-Su", false),
        ] {
            assert_eq!(is_alias(a, b), same, "{a} {b}");
        }
    }

    #[test]
    fn one_header_with_one_value_is_a_text() {
        let request = |lines: &[&str]| {
            let headers = RecordedRequest::new("GET", "/").header("Other", "x");
            lines.iter().fold(headers, |request, line| {
                let (name, value) = line.split_once(':').unwrap();
                request.header(name, value)
            })
        };
        let text = |text: &str| Single::Text(text.to_owned());
        for (lines, expected) in [
            (&[][..], Single::Absent),
            (&["X-Proof:a"], text("a")),
            (&["X-Proof: a b\t"], text("a b")),
            (&["X-Proof:"], text("")),
            (&["X-Proof: "], text("")),
            (&["x_proof:a"], text("a")),
            (&["X-Proof:a", "X-Proof:a"], Single::Unclear),
            (&["X-Proof:a", "x_proof:b"], Single::Unclear),
        ] {
            assert_eq!(single(&request(lines), "X-Proof"), expected, "{lines:?}");
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
