//! The request without its token. `answer` decides when to strip it.

use crate::core::request::rewritten::{Rewritten, RewrittenHeader};
use crate::core::request::{RequestView, cookie, header_name, uri};
use crate::core::token::base64url;
use crate::core::token::source::places::TokenPlace;
use crate::core::token::source::search::{begins_with, cookie_lines, searched_uri, websocket_protocols};

/// The request without its token: headers to remove, then what is left of others, and the new target if it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stripped {
    /// Headers to remove, all values.
    pub remove: Vec<String>,
    /// Headers of which something is left.
    pub rewritten: Vec<Rewritten>,
    /// Path and query.
    pub uri: Option<Vec<u8>>,
}

/// Takes the token out of `places`, and nothing else out of the request but what could be taken for it then.
#[must_use]
pub fn strip(places: &[&TokenPlace], request: &dyn RequestView) -> Stripped {
    let mut stripped = Stripped::default();
    let mut cookies: Option<Vec<Vec<u8>>> = None;
    let mut protocols: Option<Vec<Vec<u8>>> = None;
    for place in places {
        match place {
            TokenPlace::Header { name, .. } => {
                stripped.remove.extend(header_name::spellings(request, name).map(str::to_owned));
            }
            TokenPlace::Cookie { name, .. } => {
                let lines =
                    cookies.take().or_else(|| cookie_lines(request, places.len())).unwrap_or_default();
                cookies = Some(cookie::without(&lines, name).into_iter().collect());
            }
            TokenPlace::Query { name } => {
                let uri = stripped.uri.as_deref().or_else(|| searched_uri(request, places.len()));
                let uri = uri.unwrap_or_else(|| uri::path(request.uri()));
                stripped.uri = Some(uri::without_query_parameter(uri, name));
            }
            TokenPlace::WebSocketProtocol { marker } => {
                let offered = protocols.take().unwrap_or_else(|| websocket_protocols(request));
                protocols = Some(without_token(&offered, marker));
            }
            TokenPlace::WebSocketPrefix { prefix, .. } => {
                let mut offered = protocols.take().unwrap_or_else(|| websocket_protocols(request));
                offered.retain(|protocol| !begins_with(protocol, prefix));
                protocols = Some(offered);
            }
        }
    }
    for (header, left) in
        [(RewrittenHeader::Cookie, cookies), (RewrittenHeader::WebSocketProtocol, protocols)]
    {
        let Some(left) = left else { continue };
        stripped.remove.extend(header_name::spellings(request, header.name()).map(str::to_owned));
        if !left.is_empty() {
            stripped.rewritten.push(Rewritten { header, value: left.join(&b", "[..]) });
        }
    }
    stripped
}

/// The marker stays: a browser fails the connection unless the server picks one of what was offered. What follows it then must not
/// be read as its token: nobody has looked at that one.
fn without_token(offered: &[Vec<u8>], marker: &str) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    let mut rest = offered.iter();
    while let Some(protocol) = rest.next() {
        kept.push(protocol.clone());
        if protocol.eq_ignore_ascii_case(marker.as_bytes()) {
            rest.next();
        }
    }
    kept.retain(|protocol| !is_like_token(protocol));
    kept
}

/// Whether the first of several parts is an object, as the header of a token is.
fn is_like_token(protocol: &[u8]) -> bool {
    let dot = protocol.iter().position(|byte| *byte == b'.');
    let header = dot.and_then(|dot| base64url::decode_lenient(protocol.get(..dot)?));
    header.is_some_and(|header| header.trim_ascii_start().starts_with(b"{"))
}

#[cfg(test)]
mod tests {
    use super::{Stripped, strip};
    use crate::core::token::source::examples::{every_place, request};
    use crate::core::token::source::{find, presented};

    #[test]
    fn whatever_is_presented_is_found_also_where_it_is_no_token() {
        for (uri, lines, expected) in [
            ("/", &[][..], 0),
            ("/", &["Authorization: Basic YTpi", "Cookie: x=1", "Sec-WebSocket-Protocol: chat"], 0),
            ("/?x=token=a", &["Authorization: Bear"], 0),
            ("/", &["Authorization: Bearer not a token"], 1),
            ("/", &["Authorization: bearer"], 1),
            ("/", &["Authorization: Basic YTpi", "Authorization:  BEARER a.b.c"], 1),
            ("/", &["Authorization: Basic x, Bearer a.b.c"], 1),
            ("/", &["X-Token: a, b"], 1),
            ("/", &["x`token: a"], 1),
            ("/", &["x_token: a"], 1),
            ("/", &["Cookie: jwt=a b", "Cookie: jwt2="], 2),
            ("/?a=b&%74oken=%", &[], 1),
            ("/?[TOKEN]=a", &["Cookie: JWT[0]=b"], 2),
            ("/", &["Sec-WebSocket-Protocol: chat, BEARER"], 1),
            ("/?token=a&token=b", &["Authorization: Bearer c", "X-Token: d", "Cookie: jwt=e"], 4),
        ] {
            let (sources, request) = (every_place(), request(uri, lines));
            let places = presented(&sources, &request);
            assert_eq!(places.len(), expected, "{uri} {lines:?}");
            let stripped = strip(&places, &request);
            assert_eq!(stripped == Stripped::default(), expected == 0, "{uri} {lines:?}");
        }
    }

    #[test]
    fn only_the_token_is_stripped() {
        for (uri, lines, remove, set, new_uri) in [
            ("/", &["Authorization: Bearer a.b.c", "Cookie: x=1"][..], &["Authorization"][..], None, None),
            // Another scheme was not the token: it stays.
            ("/?token=a.b.c&x", &["Authorization: Basic YTpi"], &[], None, Some("/?x")),
            ("/", &["Cookie: jwt=a.b.c"], &["Cookie"], None, None),
            ("/", &["Cookie: a=\"1 \";jwt=a.b.c; b=2"], &["Cookie"], Some("a=\"1 \"; b=2"), None),
            ("/", &["Cookie: jwt=a.b.c; jwt2=a.b.c; b"], &["Cookie"], Some("b"), None),
            ("/a%2f?x=%20&token=a.b.c&&y=+", &[], &[], None, Some("/a%2f?x=%20&&y=+")),
            (
                "/",
                &["Sec-WebSocket-Protocol: bearer, a.b.c, chat.v1 ,x"],
                &["sec-websocket-protocol"],
                Some("bearer, chat.v1, x"),
                None,
            ),
            // What would stand behind the marker then.
            (
                "/",
                &["Sec-WebSocket-Protocol: bearer, a.b.c, e30.e30.x, chat, IHsgfQ.e30."],
                &["sec-websocket-protocol"],
                Some("bearer, chat"),
                None,
            ),
            (
                "/",
                &["Sec-WebSocket-Protocol: bearer, bearer, e30.e30.x, chat"],
                &["sec-websocket-protocol"],
                Some("bearer, chat"),
                None,
            ),
            ("/?token=a.b.c&x&+Token[]=a.b.c", &[], &[], None, Some("/?x")),
            (
                "/?token=a.b.c",
                &["X-Token: a.b.c", "Cookie: jwt=a.b.c"],
                &["x-token", "Cookie"],
                None,
                Some("/"),
            ),
            ("/", &["X_Token: a.b.c"], &["x_token"], None, None),
        ] {
            let (sources, request) = (every_place(), request(uri, lines));
            let stripped = strip(&find(&sources, &request).unwrap().places, &request);
            let rewritten: Vec<(&str, &[u8])> =
                set.iter().map(|value| (lines[0].split(':').next().unwrap(), value.as_bytes())).collect();
            let left: Vec<_> =
                stripped.rewritten.iter().map(|left| (left.header.name(), left.value.as_slice())).collect();
            assert_eq!(stripped.remove, remove, "{lines:?}");
            assert_eq!(left, rewritten, "{lines:?}");
            assert_eq!(stripped.uri.as_deref(), new_uri.map(str::as_bytes), "{lines:?}");
        }
    }
}
