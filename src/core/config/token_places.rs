//! Options that say where the token is.

use crate::core::config::coerce::{Section, Shown};
use crate::core::config::error::Errors;
use crate::core::limits::MAX_TOKEN_BYTES;
use crate::core::request::header_name::{is_alias, is_field_name};
use crate::core::request::parameter_name::is_usable;
use crate::core::text::quoted;
use crate::core::token::jws::Padding;
use crate::core::token::source::{Encoding, Form, TokenPlace, TokenSources};

/// What says where a token is; each entry has one.
const KINDS: [&str; 5] = ["header", "cookie", "query", "webSocketProtocol", "webSocketPrefix"];

const PARAMETER: &str = "the name of a query parameter, without blanks and not beginning with [";

/// `tokenSources`, `tokenKey` and its other name `tokenQueryKey`, `maxTokenBytes`.
#[inline(never)]
pub(super) fn token_sources(root: &Section, errors: &mut Errors) -> TokenSources {
    let mut places: Vec<TokenPlace> = Vec::new();
    for entry in root.sections("tokenSources", errors) {
        let Some(place) = place(&entry, errors) else { continue };
        if places.iter().any(|other| other.is_alias(&place)) {
            errors.conflict(entry.path(""), "is the same place as an entry before it");
        }
        places.push(place);
    }
    if !root.has("tokenSources") {
        places.push(TokenPlace::Header { name: "Authorization".into(), form: "Bearer".into() });
    } else if places.is_empty() && errors.is_empty() {
        // No place would mean that no request ever passes.
        errors.value("tokenSources", "nothing", "at least one place of a token");
    }
    let keys: Vec<_> = ["tokenKey", "tokenQueryKey"]
        .into_iter()
        .filter_map(|key| root.text(key, Shown::Plain, errors).map(|name| (key, name)))
        .collect();
    if let [(_, first), (other, second)] = keys.as_slice()
        && first != second
    {
        errors.conflict(*other, "is another name of tokenKey, which has another value");
    }
    if let Some((key, name)) = keys.into_iter().next() {
        if !is_usable(&name) {
            errors.value(key, quoted(&name), PARAMETER);
        }
        let place = TokenPlace::Query { name };
        if !places.iter().any(|other| other.is_alias(&place)) {
            places.push(place);
        }
    }
    let max_bytes = root.integer("maxTokenBytes", 16_384, 64..=MAX_TOKEN_BYTES, errors);
    TokenSources { places, max_bytes: usize::try_from(max_bytes).unwrap_or(usize::MAX) }
}

fn place(entry: &Section, errors: &mut Errors) -> Option<TokenPlace> {
    let mut named = KINDS
        .into_iter()
        .filter_map(|kind| Some((kind, entry.text(kind, Shown::Plain, errors)?)))
        .collect::<Vec<_>>();
    let Some((kind, name)) = named.pop().filter(|_| named.is_empty()) else {
        errors.conflict(
            entry.path(""),
            "needs exactly one of header, cookie, query, webSocketProtocol, webSocketPrefix",
        );
        return None;
    };
    for (key, with) in
        [("scheme", &["header", "cookie"][..]), ("padding", &["header"]), ("encoding", &["webSocketPrefix"])]
    {
        if entry.has(key) && !with.contains(&kind) {
            errors.conflict(entry.path(key), format!("goes with {} only", with.join(" and ")));
        }
    }
    if kind == "query" {
        if !is_usable(&name) {
            errors.value(entry.path(kind), quoted(&name), PARAMETER);
        }
    } else if kind == "cookie" && is_cookie_name(&name) {
        // More than a token: frameworks have `:` and the like in names.
    } else if !is_field_name(&name) {
        errors.value(entry.path(kind), quoted(&name), "a name without spaces and separators");
    }
    Some(match kind {
        "cookie" => {
            let form = form(entry, "", errors);
            TokenPlace::Cookie { name, form }
        }
        "webSocketPrefix" => {
            let encodings = [("plain", Encoding::Plain), ("base64url", Encoding::Base64url)];
            let encoding = entry.choice("encoding", Encoding::Plain, &encodings, errors);
            TokenPlace::WebSocketPrefix { prefix: name, encoding }
        }
        "query" => TokenPlace::Query { name },
        "webSocketProtocol" => TokenPlace::WebSocketProtocol { marker: name },
        _ => {
            // Where nothing is said, other headers are the token alone.
            let default = if name.eq_ignore_ascii_case("Authorization") { "Bearer" } else { "" };
            let mut form = form(entry, default, errors);
            if entry.boolean("padding", false, errors) {
                form.padding = Padding::Accept;
            }
            if ["Cookie", "Sec-WebSocket-Protocol", "Host", "Connection"]
                .iter()
                .any(|own| is_alias(own, &name))
            {
                errors.value(
                    entry.path(kind),
                    quoted(&name),
                    "a header of its own; cookies have the key cookie",
                );
            }
            TokenPlace::Header { name, form }
        }
    })
}

/// Whether cookies have such names: visible ASCII without what ends a name or begins a value.
fn is_cookie_name(name: &str) -> bool {
    is_usable(name)
        && name
            .bytes()
            .all(|byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b';' | b'=' | b',' | b'"' | b'\\'))
}

fn form(entry: &Section, default: &str, errors: &mut Errors) -> Form {
    if !entry.has("scheme") {
        return default.into();
    }
    let text = entry.text("scheme", Shown::Plain, errors).unwrap_or_default();
    let form = Form::from(text.as_str());
    let scheme = form.scheme.as_str();
    if !text.is_empty() && !is_field_name(scheme) {
        errors.value(
            entry.path("scheme"),
            quoted(&text),
            "an authentication scheme, one that may be left out such as Bearer?, or nothing",
        );
    }
    if scheme.eq_ignore_ascii_case("DPoP") {
        // A token that is sent with it is good only together with the proof beside it.
        errors.conflict(
            entry.path("scheme"),
            "DPoP needs a check of the proof (RFC 9449 7.1), which this version does not have",
        );
    }
    form
}
