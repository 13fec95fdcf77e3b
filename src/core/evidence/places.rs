//! Where the request has its token, and what is wrong there. Shows no byte that may belong to a token or another secret.

use crate::core::limits::MAX_SHOWN_SCHEME_BYTES;
use crate::core::refusal::Evidence;
use crate::core::request::{RequestView, header_name};
use crate::core::token::source::{self, FoundToken, TokenPlace, TokenSources};

/// The places of `sources` as text.
fn places<'p>(places: impl IntoIterator<Item = &'p TokenPlace>) -> String {
    places.into_iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What the header of a place has instead of a token of its scheme.
fn other_scheme(place: &TokenPlace, request: &dyn RequestView) -> Option<String> {
    let TokenPlace::Header { name, form } = place else { return None };
    (!form.scheme.is_empty()).then(|| scheme_of(name, &form.scheme, request))?
}

/// What the header `name` begins with instead of `scheme`; empty if no scheme is expected.
fn scheme_of(name: &str, scheme: &str, request: &dyn RequestView) -> Option<String> {
    let values = header_name::values(request, name);
    let value = values.first()?.trim_ascii();
    let end = value.iter().position(|byte| matches!(byte, b' ' | b'\t'));
    let word = value.get(..end.unwrap_or(value.len())).unwrap_or_default();
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    let is_scheme = (1..=MAX_SHOWN_SCHEME_BYTES).contains(&word.len()) && word.iter().all(is_name);
    Some(match (end, is_scheme) {
        (_, _) if word.is_empty() => format!("{name} is empty"),
        (None, _) if word.eq_ignore_ascii_case(scheme.as_bytes()) => {
            format!("{name} has {scheme} and nothing behind it")
        }
        (None, _) => format!("{name} has one word and no scheme before it"),
        (Some(_), true) => format!("{name} has the scheme {}", String::from_utf8_lossy(word)),
        (Some(_), false) => format!("{name} begins with what is no scheme"),
    })
}

pub(super) fn missing(sources: &TokenSources, request: &dyn RequestView) -> Evidence {
    let found = sources.places.iter().filter_map(|place| other_scheme(place, request));
    Evidence {
        found: found.collect::<Vec<_>>().join(", "),
        expected: places(&sources.places),
        ..Evidence::default()
    }
}

pub(super) fn repeated(sources: &TokenSources, request: &dyn RequestView) -> Evidence {
    let presented = source::presented(sources, request);
    let count = |place: &TokenPlace| match place {
        TokenPlace::Header { name, .. } => header_name::values(request, name).len(),
        TokenPlace::Cookie { .. }
        | TokenPlace::Query { .. }
        | TokenPlace::WebSocketProtocol { .. }
        | TokenPlace::WebSocketPrefix { .. } => 1,
    };
    let hint = match presented.as_slice() {
        [place] if count(place) > 1 => "the header is there more than once",
        [_] => "there is more than one value at this place",
        [..] => "each of these places has a token, and they differ",
    };
    Evidence { found: places(presented), expected: "one token".into(), hint: hint.into() }
}

pub(super) fn malformed(sources: &TokenSources, request: &dyn RequestView) -> Evidence {
    let presented = source::presented(sources, request);
    let found = presented.iter().find_map(|place| other_scheme(place, request));
    let hint = if source::find(sources, request).is_ok() {
        "it has a character that no token has"
    } else {
        "another scheme before it, nothing behind it, or a character that no token has"
    };
    Evidence {
        found: found.unwrap_or_else(|| places(presented.iter().copied())),
        expected: places(presented.iter().copied()),
        hint: hint.into(),
    }
}

pub(super) fn unexpected_scheme(sources: &TokenSources, request: &dyn RequestView) -> Evidence {
    let found = sources.places.iter().filter_map(|place| match place {
        TokenPlace::Header { name, form } => scheme_of(name, &form.scheme, request),
        TokenPlace::Cookie { .. }
        | TokenPlace::Query { .. }
        | TokenPlace::WebSocketProtocol { .. }
        | TokenPlace::WebSocketPrefix { .. } => None,
    });
    Evidence {
        found: found.collect::<Vec<_>>().join(", "),
        expected: "the token alone".into(),
        hint: "tokenSources[].scheme names a scheme; one that ends in ? may be left out".into(),
    }
}

/// A cookie without a token.
pub(super) fn cookie(sources: &TokenSources, request: &dyn RequestView) -> Evidence {
    Evidence {
        found: places(source::presented(sources, request)),
        expected: "a token".into(),
        ..Evidence::default()
    }
}

/// A description of a token that cannot be parsed.
pub(super) fn shape(found: &FoundToken<'_>) -> Evidence {
    let dots = found.token.iter().filter(|byte| **byte == b'.').count();
    Evidence {
        found: format!(
            "{} bytes in {}, dots: {dots}",
            found.token.len(),
            places(found.places.iter().copied())
        ),
        expected: "a signed token: three parts in base64url with two dots".into(),
        ..Evidence::default()
    }
}
