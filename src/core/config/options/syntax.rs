//! What the text of an option, or each element of its list, has to be besides its kind.

use crate::core::answer::managed::is_reserved;
use crate::core::claims::scope::is_scope;
use crate::core::request::header_name::{is_alias, is_field_name};
use crate::core::request::method::is_method;
use crate::core::request::parameter_name::is_usable;
use crate::core::request::path::PathPattern;
use crate::core::request::source_range::SourceRange;
use crate::core::token::source::Form;
use crate::core::url::{Url, is_host_name, is_serialized_origin};

/// A rule for a text.
#[derive(Clone, Copy, Debug)]
pub struct Syntax {
    /// Whether a text follows it.
    pub is: fn(&str) -> bool,
    /// What is expected.
    pub expected: &'static str,
}

macro_rules! syntaxes {
    ($($(#[doc = $about:literal])+ $name:ident = $is:expr, $expected:literal;)+) => {
        $($(#[doc = $about])+ pub(super) static $name: Syntax = Syntax { is: $is, expected: $expected };)+
    };
}

syntaxes! {
    /// A path below the mounts.
    MOUNTED = |text| text.starts_with('/') && text.split('/').all(|part| part != ".."),
        "an absolute path below settings.mounts";
    /// What a certificate can name.
    SERVER_NAME = |text| text.parse::<std::net::IpAddr>().is_ok() || is_host_name(text),
        "the name of a host, or an address";
    /// A method.
    METHOD = is_method, "a method in capital letters, such as OPTIONS";
    /// Paths of requests.
    PATHS = |text| PathPattern::parse(text).is_some(),
        "a path such as /orders, /orders/{id}, or /orders/* for all below";
    /// The path of our own document.
    PATH = |text| PathPattern::parse(text).is_some_and(|pattern| pattern.one().is_some()), "a path such as /jwt-status";
    /// Addresses.
    ADDRESSES = |text| SourceRange::parse(text).is_some(), "addresses, or ranges such as 10.0.0.0/8";
    /// An origin.
    ORIGIN = is_serialized_origin, "origins such as https://app.example";
    /// An origin, or all.
    ORIGIN_OR_ALL = |text| text == "*" || is_serialized_origin(text), "origins such as https://app.example, or *";
    /// Scheme and host.
    HOST_URL = |text| !text.contains(['?', '#']) && Url::parse(text).is_some_and(|url| url.target == "/"),
        "scheme and host, such as https://api.example.com";
    /// Where browsers are sent.
    REDIRECT = is_redirect, "an absolute URL, https://host/path?parameter={url}, with {url} only in its query";
    /// A media type.
    MEDIA_TYPE = |text| text.is_ascii() && !text.contains(char::is_control), "a media type";
    /// A header of a response that has no other purpose.
    RESPONSE_HEADER = |name| is_field_name(name) && !is_taken(name), "the name of a header of its own";
    /// A query parameter.
    PARAMETER = is_usable, "the name of a query parameter, without blanks and not beginning with [";
    /// A header, a subprotocol.
    NAME = is_field_name, "a name without spaces and separators";
    /// A cookie.
    COOKIE = is_cookie_name, "a name without spaces and separators";
    /// An authentication scheme.
    SCHEME = |text| is_field_name(&Form::from(text).scheme),
        "an authentication scheme, one that may be left out such as Bearer?, or nothing";
    /// `typ` of a token.
    TYP = |text| text.split('/').all(is_field_name), "access, or a typ such as at+jwt";
    /// The outcome of a test.
    OUTCOME = |text| text.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
        "allow, deny, or the code of a refusal such as scope_insufficient";
    /// `acr`: a challenge has them between quotes, with spaces between them, as scopes are.
    ACR = is_scope, "values of acr without blanks, quotes and backslashes";
}

/// Headers that answers have for a purpose of their own; and all that begin with `Access-Control-`.
const OF_ANSWERS: &[&str] = &[
    "Cache-Control",
    "Content-Type",
    "Grpc-Message",
    "Grpc-Status",
    "Location",
    "Retry-After",
    "Set-Cookie",
    "Vary",
    "WWW-Authenticate",
];

/// Whether the header `name` has a purpose of its own in answers.
pub fn is_of_answers(name: &str) -> bool {
    let cors = name.get(..15).is_some_and(|start| is_alias(start, "Access-Control-"));
    cors || OF_ANSWERS.iter().any(|own| is_alias(own, name))
}

fn is_taken(name: &str) -> bool {
    is_reserved(name) || is_of_answers(name) || name.eq_ignore_ascii_case("Authorization")
}

/// The original URL may only be inside a query, where its encoding holds.
fn is_redirect(template: &str) -> bool {
    let fragment = template.split_once('#').map_or("", |(_, fragment)| fragment);
    Url::parse(template).is_some_and(|url| ![url.path(), fragment].iter().any(|part| part.contains("{url}")))
}

/// Visible ASCII without what ends a name or begins a value: frameworks have `:` and the like in names of cookies.
fn is_cookie_name(name: &str) -> bool {
    let ends = |byte| matches!(byte, b';' | b'=' | b',' | b'"' | b'\\');
    is_field_name(name)
        || (is_usable(name) && name.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !ends(byte)))
}
