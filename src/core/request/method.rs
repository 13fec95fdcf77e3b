//! The method of a request, as far as all who read it agree on it (RFC 9110 9.1).

use crate::core::request::RequestView;
use crate::core::request::header_name::{is_alias, is_field_name};

/// Headers in which frameworks find another method than that of the request line.
const OVERRIDES: [&str; 3] = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];

/// The method; `None` if a back end may take it for another one.
#[must_use]
pub fn unambiguous(request: &dyn RequestView) -> Option<&str> {
    let is_override = |name: &str| OVERRIDES.iter().any(|other| is_alias(name, other));
    (!request.header_names().any(is_override)).then(|| request.method())
}

/// Whether `text` is a method, in upper case, as clients send it: in another case it would match no request.
#[must_use]
pub fn is_method(text: &str) -> bool {
    is_field_name(text) && !text.bytes().any(|byte| byte.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{is_method, unambiguous};
    use crate::core::request::RecordedRequest;

    #[test]
    fn methods_are_names_in_capitals() {
        for (text, expected) in [
            ("GET", true),
            ("M-SEARCH", true),
            ("get", false),
            ("Get", false),
            ("", false),
            ("G T", false),
            ("GET,", false),
        ] {
            assert_eq!(is_method(text), expected, "{text}");
        }
    }

    #[test]
    fn no_header_says_otherwise() {
        let request = || RecordedRequest::new("POST", "/");
        assert_eq!(unambiguous(&request().header("X-Method", "GET")), Some("POST"));
        for name in ["X-HTTP-Method-Override", "x_http_method", "X~Method~Override"] {
            assert_eq!(unambiguous(&request().header(name, "POST")), None, "{name}");
        }
    }
}
