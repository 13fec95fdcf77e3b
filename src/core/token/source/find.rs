//! Finds the one token of a request (RFC 6750 2), and changes nothing.

use crate::core::refusal::Refusal;
use crate::core::request::{RequestView, cookie, header_name, uri};
use crate::core::token::base64url;
use crate::core::token::source::characters::are_of_token;
use crate::core::token::source::copies::in_cookie;
use crate::core::token::source::found::{FoundToken, is_scheme};
use crate::core::token::source::places::{Encoding, Form, TokenPlace, TokenSources};
use crate::core::token::source::search::{begins_with, cookie_lines, searched_uri, websocket_protocols};

/// Finds the one token of the request.
///
/// # Errors
/// `token_missing`; `token_repeated` for different tokens, unless they are copies of one cookie and nothing else is there,
/// and for a second line of a header; `credentials_malformed` for a scheme or marker without a token,
/// and for what is too long to be searched; `scheme_unexpected`, `cookie_malformed`.
pub fn find<'p>(sources: &'p TokenSources, request: &dyn RequestView) -> Result<FoundToken<'p>, Refusal> {
    let mut found: Option<FoundToken<'p>> = None;
    for place in &sources.places {
        let one = |token| FoundToken { token, ..FoundToken::default() };
        let here = match place {
            TokenPlace::Header { name, form } => in_header(request, name, form)?.map(one),
            TokenPlace::Cookie { name, form } => in_cookie(request, name, form, sources.places.len())?,
            TokenPlace::Query { name } => in_query(request, name, sources.places.len())?.map(one),
            TokenPlace::WebSocketProtocol { marker } => in_websocket_protocol(request, marker)?.map(one),
            TokenPlace::WebSocketPrefix { prefix, encoding } => {
                behind_websocket_prefix(request, prefix, *encoding)?.map(one)
            }
        };
        let Some(here) = here else { continue };
        match &mut found {
            Some(first) if first.token == here.token && !first.has_strays && !here.has_strays => {
                first.places.push(place);
            }
            Some(_) => return Err(Refusal::TokenRepeated),
            None => found = Some(FoundToken { places: vec![place], ..here }),
        }
    }
    found.ok_or(Refusal::TokenMissing)
}

/// Every place at which the request presents something: one token, several, or something else.
pub fn presented<'p>(sources: &'p TokenSources, request: &dyn RequestView) -> Vec<&'p TokenPlace> {
    let presents = |place: &&TokenPlace| match place {
        TokenPlace::Header { name, form } => header_name::values(request, name).into_iter().any(|value| {
            let is_first = form.behind_scheme(value.trim_ascii_start()).is_some();
            is_first || credentials(value, form) != Ok(None)
        }),
        TokenPlace::Cookie { name, .. } => {
            let has = |line: &Vec<u8>| cookie::values(line, name).next().is_some();
            cookie_lines(request, sources.places.len()).is_none_or(|lines| lines.iter().any(has))
        }
        TokenPlace::Query { name } => searched_uri(request, sources.places.len())
            .is_none_or(|uri| uri::query_values(uri, name).next().is_some()),
        TokenPlace::WebSocketProtocol { marker } => websocket_protocols(request)
            .iter()
            .any(|protocol| protocol.eq_ignore_ascii_case(marker.as_bytes())),
        TokenPlace::WebSocketPrefix { prefix, .. } => {
            websocket_protocols(request).iter().any(|protocol| begins_with(protocol, prefix))
        }
    };
    sources.places.iter().filter(presents).collect()
}

fn in_header(request: &dyn RequestView, name: &str, form: &Form) -> Result<Option<Vec<u8>>, Refusal> {
    let mut values = header_name::values(request, name);
    let Some(value) = values.pop() else {
        return Ok(None);
    };
    // Back ends differ in which of several values they read, so none of them is taken (RFC 6750 2).
    if !values.is_empty() {
        return Err(Refusal::TokenRepeated);
    }
    credentials(value, form)
}

fn in_query(request: &dyn RequestView, name: &str, places: usize) -> Result<Option<Vec<u8>>, Refusal> {
    let uri = searched_uri(request, places).ok_or(Refusal::CredentialsMalformed)?;
    single(uri::query_values(uri, name).filter(|value| value.as_ref().is_none_or(|v| !v.is_empty())))
}

fn in_websocket_protocol(request: &dyn RequestView, marker: &str) -> Result<Option<Vec<u8>>, Refusal> {
    let offered = websocket_protocols(request);
    let mut rest = offered.into_iter();
    let mut tokens = Vec::new();
    while let Some(protocol) = rest.next() {
        if protocol.eq_ignore_ascii_case(marker.as_bytes()) {
            tokens.push(rest.next());
        }
    }
    single(tokens.into_iter())
}

fn behind_websocket_prefix(
    request: &dyn RequestView,
    prefix: &str,
    encoding: Encoding,
) -> Result<Option<Vec<u8>>, Refusal> {
    let offered = websocket_protocols(request);
    let behind = offered.iter().filter(|protocol| begins_with(protocol, prefix));
    single(behind.map(|protocol| {
        let text = protocol.get(prefix.len()..)?;
        match encoding {
            Encoding::Plain => Some(text.to_vec()),
            Encoding::Base64url => base64url::decode(text),
        }
    }))
}

/// The one token of `values`; an item that is `None` could not be read. The same token twice is one token.
fn single(values: impl Iterator<Item = Option<Vec<u8>>>) -> Result<Option<Vec<u8>>, Refusal> {
    let mut found: Option<Vec<u8>> = None;
    for value in values {
        let token = value
            .filter(|token| !token.is_empty() && are_of_token(token))
            .ok_or(Refusal::CredentialsMalformed)?;
        match &found {
            Some(first) if *first != token => return Err(Refusal::TokenRepeated),
            Some(_) | None => found = Some(token),
        }
    }
    Ok(found)
}

/// `scheme 1*SP b64token` (RFC 6750 2.1, RFC 9110 11.4), or the token alone if that is allowed. Another scheme means
/// that there is no token, unless ours comes later in the value: `Basic x, Bearer TOKEN` is a list, and many back ends search for
/// `Bearer ` wherever it is.
fn credentials(mut value: Vec<u8>, form: &Form) -> Result<Option<Vec<u8>>, Refusal> {
    value.truncate(value.trim_ascii_end().len());
    let trimmed = value.trim_ascii_start();
    let end = trimmed.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(trimmed.len());
    let (first, rest) = trimmed.split_at(end);
    let token = if form.behind_scheme(first).is_some_and(<[u8]>::is_empty) {
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        rest.get(spaces..).unwrap_or_default()
    } else if names_scheme(trimmed, &form.scheme) {
        return Err(Refusal::CredentialsMalformed);
    } else if trimmed.is_empty() || !form.takes_bare() {
        return Ok(None);
    } else if rest.is_empty() {
        trimmed
    } else if !is_scheme(first) {
        return Err(Refusal::TokenRepeated);
    } else if form.is_optional {
        return Ok(None);
    } else {
        return Err(Refusal::SchemeUnexpected);
    };
    if token.is_empty() || token.starts_with(b"\t") {
        return Err(Refusal::CredentialsMalformed);
    }
    let before = value.len().saturating_sub(token.len());
    value.drain(..before);
    Ok(Some(value))
}

/// Whether `scheme` and a blank are somewhere in `value`.
fn names_scheme(value: &[u8], scheme: &str) -> bool {
    let scheme = scheme.as_bytes();
    !scheme.is_empty()
        && value.windows(scheme.len().saturating_add(1)).any(|part| {
            matches!(part.last(), Some(b' ' | b'\t'))
                && part.get(..scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme))
        })
}

#[cfg(test)]
mod tests {
    use super::{Encoding, TokenPlace, TokenSources, find, presented};
    use crate::core::limits::MAX_SEARCHED_BYTES;
    use crate::core::request::RecordedRequest;
    use crate::core::request::rewritten::{Rewritten, RewrittenHeader};
    use crate::core::token::source::examples::{cookie, every_place, header, request};
    use crate::core::token::source::strip;

    fn outcome(sources: &TokenSources, uri: &str, lines: &[&str]) -> String {
        let request = request(uri, lines);
        let found = find(sources, &request);
        match found.and_then(|found| found.check(sources).map(|()| found)) {
            Ok(found) => {
                let at: Vec<_> = found
                    .places
                    .iter()
                    .map(|place| match place {
                        TokenPlace::Header { name, .. } => name.as_str(),
                        TokenPlace::Cookie { name, .. } => name,
                        TokenPlace::Query { .. } => "query",
                        TokenPlace::WebSocketProtocol { .. } | TokenPlace::WebSocketPrefix { .. } => {
                            "protocol"
                        }
                    })
                    .collect();
                let others = found.others.iter().map(|token| String::from_utf8_lossy(token));
                let others = others.collect::<Vec<_>>().join(" ");
                let others = if found.has_strays { format!(", not {others}") } else { others };
                format!("{} in {}{others}", String::from_utf8(found.token).unwrap(), at.join(", "))
            }
            Err(refusal) => refusal.code().to_owned(),
        }
    }

    #[test]
    fn what_is_too_long_to_be_searched_is_refused_and_goes_whole() {
        let sources = every_place();
        let most = MAX_SEARCHED_BYTES / sources.places.len();
        let filled = |start: &str, more: usize| format!("{start}{}", "x".repeat(most + more - start.len()));
        for (more, expected) in [(0, "token_missing"), (1, "credentials_malformed")] {
            let lines = [format!("Cookie: {}", filled("a=", more))];
            assert_eq!(outcome(&sources, "/", &[&lines[0]]), expected);
            assert_eq!(outcome(&sources, &filled("/?a=", more), &[]), expected);
        }
        let all: Vec<&TokenPlace> = sources.places.iter().collect();
        let lines = [format!("Cookie: {}", filled("jwt=a; b=", 1))];
        let request = request(&filled("/p?token=a&b=", 1), &[&lines[0]]);
        let presented = presented(&sources, &request);
        assert_eq!(presented, all[2..5]);
        let stripped = strip(&all, &request);
        assert_eq!(stripped.uri.as_deref(), Some(&b"/p"[..]));
        assert!(
            stripped.remove.contains(&"Cookie".to_owned()) && stripped.rewritten.is_empty(),
            "{stripped:?}"
        );
    }

    #[test]
    fn authorization_header() {
        let bearer = TokenSources { places: vec![header("Authorization", "Bearer")], max_bytes: 8 };
        let found = "a.b.c in Authorization";
        for (values, expected) in [
            (&["Bearer a.b.c"][..], found),
            (&["bearer a.b.c"], found),
            (&["BEARER   a.b.c "], found),
            (&["\tBearer a.b.c\t"], found),
            (&[], "token_missing"),
            (&[""], "token_missing"),
            (&["Basic YTpi"], "token_missing"),
            (&["Bearera.b.c"], "token_missing"),
            (&["a.b.c"], "token_missing"),
            (&["Bearer"], "credentials_malformed"),
            (&["Bearer "], "credentials_malformed"),
            // RFC 9110 11.4: 1*SP.
            (&["Bearer\ta.b.c"], "credentials_malformed"),
            (&["Bearer \ta.b.c"], "credentials_malformed"),
            (&["Bearer\t"], "credentials_malformed"),
            (&["Basic x, Bearer a.b.c"], "credentials_malformed"),
            (&["Basic x,bearer a.b.c"], "credentials_malformed"),
            (&["Basic Bearer a.b.c"], "credentials_malformed"),
            (&[", Bearer a.b.c"], "credentials_malformed"),
            (&["Basic x Bearer\ta.b.c"], "credentials_malformed"),
            (&["Digest realm=\"Bearer\""], "token_missing"),
            (&["Bearer a;b"], "credentials_malformed"),
            (&["Bearer \u{e9}"], "credentials_malformed"),
            (&["Bearer a.b.c d.e.f"], "token_repeated"),
            (&["Bearer Bearer a.b.c"], "scheme_unexpected"),
            (&["Bearer a.b.c, Bearer d.e.f"], "token_repeated"),
            (&["Bearer a.b.c", "Bearer a.b.c"], "token_repeated"),
            (&["Bearer a.b.c", "Basic YTpi"], "token_repeated"),
            (&["Bearer 123456789"], "token_too_large"),
        ] {
            let lines: Vec<_> = values.iter().map(|value| format!("authorization: {value}")).collect();
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            assert_eq!(outcome(&bearer, "/?token=x.y.z", &lines), expected, "{values:?}");
        }
    }

    #[test]
    fn every_place_in_order() {
        for (uri, lines, expected) in [
            ("/", &["X-Token: a.b.c"][..], "a.b.c in X-Token"),
            ("/", &["X-Token:"], "token_missing"),
            ("/", &["X-Token: Bearer a.b.c"], "scheme_unexpected"),
            ("/", &["X-Token: Bearer a.b.c, Bearer d.e.f"], "scheme_unexpected"),
            ("/", &["X-Token: a.b.c d.e.f"], "token_repeated"),
            ("/", &["X-Token: a.b.c, d.e.f"], "token_repeated"),
            ("/", &["X-Token: a.b.c,d.e.f"], "token_repeated"),
            // CGI and the like make one variable of both.
            ("/", &["X_Token: a.b.c"], "a.b.c in X-Token"),
            ("/", &["X-Token: a.b.c", "x_token: d.e.f"], "token_repeated"),
            ("/", &["X-Token: a.b.c", "X.Token: d.e.f"], "token_repeated"),
            ("/", &["X-Token: a.b.c", "X~Token: a.b.c"], "token_repeated"),
            ("/", &["X|Token: a.b.c"], "a.b.c in X-Token"),
            ("/", &["Cookie: x=1; jwt=a.b.c"], "a.b.c in jwt"),
            ("/", &["Cookie: x=1", "Cookie: jwt=\"a.b.c\""], "a.b.c in jwt"),
            ("/", &["Cookie: jwt=a.b.c; jwt=a.b.c"], "a.b.c in jwt"),
            // Copies of one cookie are compared later, unless another place has a token as well.
            ("/", &["Cookie: jwt=a.b.c; jwt=d.e.f"], "a.b.c in jwt, not d.e.f"),
            ("/", &["Cookie: jwt=a.b.c; jwt=d e; jwt=d.e.f"], "a.b.c in jwt, not d.e.f"),
            ("/", &["Cookie: jwt=a b; jwt=a.b.c"], "a.b.c in jwt, not "),
            ("/", &["Cookie: jwt=a; jwt=b; jwt=c; jwt=d; jwt=a"], "a in jwt, not b c d"),
            ("/", &["Cookie: jwt=a; jwt=b; jwt=c; jwt=d; jwt=e"], "token_repeated"),
            ("/", &["X-Token: a.b.c", "Cookie: jwt=a.b.c; jwt=d.e.f"], "token_repeated"),
            ("/", &["Cookie: jwt=a.b.c; jwt=d.e.f; jwt2=a.b.c"], "token_repeated"),
            ("/?token=a.b.c", &["Cookie: jwt=a.b.c; jwt=a b"], "token_repeated"),
            ("/", &["Cookie: jwt=; jwt=a.b.c"], "a.b.c in jwt"),
            ("/", &["Cookie: jwt="], "token_missing"),
            ("/", &["Cookie: JWT=a.b.c"], "a.b.c in jwt"),
            ("/", &["Cookie: jwt=a.b.c; JWT=d.e.f"], "a.b.c in jwt, not d.e.f"),
            ("/", &["Cookie: jwt=a.b.c; jwt[]=d.e.f"], "a.b.c in jwt, not d.e.f"),
            ("/", &["Cookie: jwt=a.b.c; x=1, jwt=d.e.f"], "a.b.c in jwt, not d.e.f"),
            ("/", &["Cookie: jwts=a.b.c"], "token_missing"),
            ("/", &["Cookie: jwt=a b"], "cookie_malformed"),
            ("/?token=a.b.c", &[], "a.b.c in query"),
            ("/?x=1&%74oken=a%2Eb%2Ec", &[], "a.b.c in query"),
            ("/?token=a.b.c&token=a.b.c", &[], "a.b.c in query"),
            ("/?token=a.b.c&token=d.e.f", &[], "token_repeated"),
            ("/?token=", &[], "token_missing"),
            ("/?token=%", &[], "credentials_malformed"),
            ("/?token=a%20b", &[], "credentials_malformed"),
            ("/?token=a+b", &[], "credentials_malformed"),
            ("/?Token=a.b.c", &[], "a.b.c in query"),
            ("/?token=a.b.c&+token=d.e.f", &[], "token_repeated"),
            ("/?token=a.b.c&%20token=d.e.f", &[], "token_repeated"),
            ("/?token=a.b.c&token[]=d.e.f", &[], "token_repeated"),
            ("/?token=a.b.c&TOKEN=d.e.f", &[], "token_repeated"),
            ("/?token=a.b.c&token%00=d.e.f", &[], "token_repeated"),
            ("/?token=a.b.c;token=d.e.f", &[], "token_repeated"),
            ("/?token=a.b.c&+token=a.b.c", &[], "a.b.c in query"),
            ("/?tokens=a.b.c", &[], "token_missing"),
            ("/token=a.b.c", &[], "token_missing"),
            ("/", &["Sec-WebSocket-Protocol: bearer, a.b.c"], "a.b.c in protocol"),
            ("/", &["Sec-WebSocket-Protocol: chat,Bearer,a.b.c,x"], "a.b.c in protocol"),
            ("/", &["Sec-WebSocket-Protocol: bearer", "Sec-WebSocket-Protocol: a.b.c"], "a.b.c in protocol"),
            ("/", &["Sec-WebSocket-Protocol: bearer"], "credentials_malformed"),
            ("/", &["Sec-WebSocket-Protocol: bearer, a b"], "credentials_malformed"),
            ("/", &["Sec-WebSocket-Protocol: bearer, a, bearer, b"], "token_repeated"),
            ("/", &["Sec-WebSocket-Protocol: chat, a.b.c"], "token_missing"),
            (
                "/",
                &["Sec-WebSocket-Protocol: bearer, a", "Sec_WebSocket_Protocol: bearer, b"],
                "token_repeated",
            ),
            ("/?token=a.b.c", &["Authorization: Bearer a.b.c"], "a.b.c in Authorization, query"),
            ("/?token=a.b.c", &["Cookie: jwt2=a.b.c; jwt=a.b.c"], "a.b.c in jwt, jwt2, query"),
            ("/?token=d.e.f", &["Authorization: Bearer a.b.c"], "token_repeated"),
            ("/?token=d.e.f", &["Authorization: Basic YTpi"], "d.e.f in query"),
            ("/", &["Cookie: jwt=a.b.c", "Sec-WebSocket-Protocol: bearer, d.e.f"], "token_repeated"),
            ("/?token=123456789", &[], "token_too_large"),
        ] {
            assert_eq!(outcome(&every_place(), uri, lines), expected, "{uri} {lines:?}");
        }
    }

    #[test]
    fn a_scheme_that_may_be_left_out() {
        let jwt = TokenPlace::Cookie { name: "jwt".into(), form: "Bearer?".into() };
        let only = TokenPlace::Cookie { name: "only".into(), form: "Bearer".into() };
        let sources =
            TokenSources { places: vec![header("Authorization", "Bearer?"), jwt, only], max_bytes: 8 };
        for (line, expected) in [
            ("Authorization: a.b.c", "a.b.c in Authorization"),
            ("Authorization: bearer  a.b.c", "a.b.c in Authorization"),
            ("Authorization:", "token_missing"),
            ("Authorization: Basic YTpi", "token_missing"),
            ("Authorization: Bearerx", "Bearerx in Authorization"),
            ("Authorization: Bearer", "credentials_malformed"),
            ("Authorization: Basic x, Bearer a.b.c", "credentials_malformed"),
            ("Authorization: a.b.c d.e.f", "token_repeated"),
            ("Authorization: a.b.c, d.e.f", "token_repeated"),
            ("Authorization: Bearer a.b.c d.e.f", "token_repeated"),
            ("Cookie: jwt=a.b.c", "a.b.c in jwt"),
            ("Cookie: jwt=Bearer%20a.b.c", "a.b.c in jwt"),
            ("Cookie: jwt=bearer+a.b.c", "a.b.c in jwt"),
            ("Cookie: jwt=\"Bearer a.b.c\"", "a.b.c in jwt"),
            ("Cookie: jwt=Bearer  %20a.b.c", "a.b.c in jwt"),
            ("Cookie: jwt=Bearera.b", "Bearera.b in jwt"),
            ("Cookie: jwt=Bearer%20", "cookie_malformed"),
            ("Cookie: jwt=Bearer%2520a.b.c", "cookie_malformed"),
            ("Cookie: jwt=Basic%20a.b.c", "cookie_malformed"),
            ("Cookie: only=Bearer%20a.b.c", "a.b.c in only"),
            ("Cookie: only=a.b.c", "token_missing"),
        ] {
            let expected = if expected.starts_with("Bearera") { "token_too_large" } else { expected };
            assert_eq!(outcome(&sources, "/", &[line]), expected, "{line}");
        }
        let basic = request("/", &["Authorization: Basic YTpi"]);
        assert!(presented(&sources, &basic).is_empty());
        for line in ["Authorization: a.b.c", "Authorization: a b.c.d e", "Authorization: Bearer x"] {
            let found = presented(&sources, &request("/", &[line])).len();
            assert_eq!(found, usize::from(!line.contains("b.c.d")), "{line}");
        }
    }

    #[test]
    fn a_token_in_the_name_of_a_subprotocol() {
        let plain = TokenPlace::WebSocketPrefix { prefix: "bearer.".into(), encoding: Encoding::Plain };
        let encoded = TokenPlace::WebSocketPrefix { prefix: "b64.".into(), encoding: Encoding::Base64url };
        let sources = TokenSources { places: vec![plain, encoded], max_bytes: 8 };
        for (line, expected) in [
            ("chat, bearer.a.b.c", "a.b.c in protocol"),
            ("BEARER.a.b.c", "a.b.c in protocol"),
            ("b64.YS5iLmM, chat", "a.b.c in protocol"),
            ("bearer.a.b.c, b64.YS5iLmM", "a.b.c in protocol, protocol"),
            ("bearer.a.b.c, bearer.a.b.c", "a.b.c in protocol"),
            ("bearer.a.b.c, bearer.d.e.f", "token_repeated"),
            ("bearer.", "credentials_malformed"),
            ("b64.", "credentials_malformed"),
            ("b64.YS5iLmN", "credentials_malformed"),
            ("b64.YS5iLmM=", "credentials_malformed"),
            ("b64.YSBi", "credentials_malformed"),
            ("b64.YSBi, chat", "credentials_malformed"),
            ("bearer, a.b.c", "token_missing"),
        ] {
            let line = format!("Sec-WebSocket-Protocol: {line}");
            assert_eq!(outcome(&sources, "/", &[&line]), expected, "{line}");
        }
        let request = request("/", &["Sec-WebSocket-Protocol: a, bearer.x, v1, b64.eA"]);
        let places = presented(&sources, &request);
        let left = Rewritten { header: RewrittenHeader::WebSocketProtocol, value: b"a, v1".to_vec() };
        assert_eq!(strip(&places, &request).rewritten, [left]);
    }

    #[test]
    fn two_tokens_are_refused_in_every_pair_of_places() {
        let places = [
            (header("Authorization", "Bearer"), "Authorization: Bearer T"),
            (header("X-Token", ""), "X-Token: T"),
            (cookie("jwt"), "Cookie: jwt=T"),
            (cookie("jwt2"), "Cookie: jwt2=T"),
            (TokenPlace::Query { name: "token".into() }, "token=T"),
            (TokenPlace::Query { name: "t".into() }, "t=T"),
            (TokenPlace::WebSocketProtocol { marker: "bearer".into() }, "Sec-WebSocket-Protocol: bearer, T"),
            (TokenPlace::WebSocketProtocol { marker: "jwt".into() }, "Sec-WebSocket-Protocol: jwt, T"),
        ];
        let carrying = |written: [(&str, &str); 2]| {
            let (mut uri, mut lines) = ("/?".to_owned(), Vec::new());
            for (written, token) in written {
                let written = written.replace("X-Token", "x-t").replace('T', token).replace("x-t", "X-Token");
                if written.contains(':') {
                    lines.push(written);
                } else {
                    uri = format!("{uri}{written}&");
                }
            }
            lines.into_iter().fold(RecordedRequest::new("GET", &uri), |request, line| {
                let (name, value) = line.split_once(": ").unwrap();
                request.header(name, value)
            })
        };
        for (first, written) in &places {
            for (second, other) in places.iter().filter(|(place, _)| place != first) {
                let sources = TokenSources { places: vec![first.clone(), second.clone()], max_bytes: 8 };
                let two = find(&sources, &carrying([(written, "a.b.c"), (other, "d.e.f")]));
                assert_eq!(
                    two.err().map(|refusal| refusal.code()),
                    Some("token_repeated"),
                    "{written} {other}"
                );
                let one = carrying([(written, "a.b.c"), (other, "a.b.c")]);
                assert_eq!(find(&sources, &one).unwrap().places.len(), 2, "{written} {other}");
            }
        }
    }
}
