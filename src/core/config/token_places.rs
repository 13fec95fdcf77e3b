//! Options that say where the token is.

use crate::core::config::error::Errors;
use crate::core::config::options::Row;
use crate::core::config::options::places::*;
use crate::core::config::proofs;
use crate::core::config::values::Values;
use crate::core::request::header_name::is_alias;
use crate::core::text::quoted;
use crate::core::token::jws::Padding;
use crate::core::token::source::{Form, TokenPlace, TokenSources};

/// What says where a token is; each entry has one.
static KINDS: [&Row; 5] =
    [&SOURCE_HEADER, &SOURCE_COOKIE, &SOURCE_QUERY, &SOURCE_WS_PROTOCOL, &SOURCE_WS_PREFIX];

/// `tokenSources`, `tokenKey` and its other name `tokenQueryKey`, `maxTokenBytes`.
#[inline(never)]
pub(super) fn token_sources(root: &Values, errors: &mut Errors) -> TokenSources {
    let mut places: Vec<TokenPlace> = Vec::new();
    for entry in root.sections(&TOKEN_SOURCES) {
        let Some(place) = place(entry, proofs::has_dpop(root), errors) else { continue };
        if places.iter().any(|other| other.is_alias(&place)) {
            errors.conflict(entry.place(), "is the same place as an entry before it");
        }
        places.push(place);
    }
    if !root.has(&TOKEN_SOURCES) {
        places.push(TokenPlace::Header { name: "Authorization".into(), form: "Bearer".into() });
    } else if places.is_empty() && errors.is_empty() {
        // No place would mean that no request ever passes.
        errors.value(TOKEN_SOURCES.path, "nothing", "at least one place of a token");
    }
    let keys = [&TOKEN_KEY, &TOKEN_QUERY_KEY].map(|row| root.text(row).map(|name| (row, name)));
    if let [Some((_, first)), Some((other, second))] = keys
        && first != second
    {
        errors.conflict(other.path, "is another name of tokenKey, which has another value");
    }
    if let Some((_, name)) = keys.into_iter().flatten().next() {
        let place = TokenPlace::Query { name: name.to_owned() };
        if !places.iter().any(|other| other.is_alias(&place)) {
            places.push(place);
        }
    }
    TokenSources { places, max_bytes: usize::try_from(root.int(&MAX_TOKEN)).unwrap_or(usize::MAX) }
}

fn place(entry: &Values, has_dpop: bool, errors: &mut Errors) -> Option<TokenPlace> {
    if KINDS.iter().any(|kind| entry.is_refused(kind)) {
        return None;
    }
    let mut named = KINDS.iter().filter_map(|kind| Some((*kind, entry.text(kind)?))).collect::<Vec<_>>();
    let Some((kind, name)) = named.pop().filter(|_| named.is_empty()) else {
        errors.conflict(
            entry.place(),
            "needs exactly one of header, cookie, query, webSocketProtocol, webSocketPrefix",
        );
        return None;
    };
    for (row, with, words) in [
        (&SOURCE_SCHEME, [&SOURCE_HEADER, &SOURCE_COOKIE], "header and cookie"),
        (&SOURCE_PADDING, [&SOURCE_HEADER; 2], "header"),
        (&SOURCE_ENCODING, [&SOURCE_WS_PREFIX; 2], "webSocketPrefix"),
    ] {
        if entry.has(row) && !with.contains(&kind) {
            errors.conflict(entry.path(row), format!("goes with {words} only"));
        }
    }
    let (is_query, is_cookie) = (*kind == SOURCE_QUERY, *kind == SOURCE_COOKIE);
    let text = name.to_owned();
    Some(if is_cookie {
        TokenPlace::Cookie { name: text, form: form(entry, "", has_dpop, errors) }
    } else if is_query {
        TokenPlace::Query { name: text }
    } else if *kind == SOURCE_WS_PREFIX {
        TokenPlace::WebSocketPrefix { prefix: text, encoding: entry.word(&SOURCE_ENCODING, &ENCODINGS) }
    } else if *kind == SOURCE_WS_PROTOCOL {
        TokenPlace::WebSocketProtocol { marker: text }
    } else {
        // By default, the value of any other header is the token alone.
        let default = if name.eq_ignore_ascii_case("Authorization") { "Bearer" } else { "" };
        let mut form = form(entry, default, has_dpop, errors);
        if entry.flag(&SOURCE_PADDING) {
            form.padding = Padding::Accept;
        }
        if ["Cookie", "Sec-WebSocket-Protocol", "Host", "Connection"].iter().any(|own| is_alias(own, name)) {
            let expected = "a header of its own; cookies have the key cookie";
            errors.value(entry.path(kind), quoted(name), expected);
        }
        TokenPlace::Header { name: text, form }
    })
}

fn form(entry: &Values, default: &str, has_dpop: bool, errors: &mut Errors) -> Form {
    if !entry.is_written(&SOURCE_SCHEME) {
        return default.into();
    }
    let text = entry.text(&SOURCE_SCHEME).unwrap_or_default();
    let form = Form::from(text);
    let scheme = form.scheme.as_str();
    if scheme.eq_ignore_ascii_case("DPoP") && !has_dpop {
        // A token that is sent with it is good only together with the proof beside it.
        errors.conflict(
            entry.path(&SOURCE_SCHEME),
            "DPoP needs a check of the proof (RFC 9449 7.1): set proofs.dpop beside it",
        );
    }
    form
}
