//! Step 5: where the token is (RFC 6750 2). Finding changes nothing; stripping is decided in `answer`.

use crate::core::limits::MAX_SEARCHED_BYTES;
use crate::core::refusal::Refusal;
use crate::core::request::{RequestView, cookie, header_name, parameter_name, uri};
use crate::core::token::jws::{self, UnverifiedToken};

/// Where tokens are looked for, and how long they may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSources {
    /// Places in order (`tokenSources`).
    pub places: Vec<TokenPlace>,
    /// Longest accepted token, in bytes (`maxTokenBytes`).
    pub max_bytes: usize,
}

/// One place of a token. Names are compared as back ends do: see [`header_name`] and [`parameter_name`].
///
/// A form body (RFC 6750 2.2) is none: the host would have to hold back the whole body of every request, which ends
/// streaming, and a page of another origin can post one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// A header.
    Header {
        /// Name of the header.
        name: String,
        /// Authentication scheme before the token, compared without case; empty where the value is the token.
        scheme: String,
    },
    /// A cookie.
    Cookie {
        /// Name of the cookie.
        name: String,
    },
    /// A query parameter (RFC 6750 2.3).
    Query {
        /// Decoded name of the parameter.
        name: String,
    },
    /// The subprotocol that follows a marker in `Sec-WebSocket-Protocol`: all that a browser lets a page say when it
    /// opens a WebSocket.
    WebSocketProtocol {
        /// The marker, compared without case.
        marker: String,
    },
}

impl TokenPlace {
    /// Whether some back end takes both for one place, which one entry is enough for.
    #[must_use]
    pub fn is_alias(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Header { name, scheme }, Self::Header { name: other, scheme: another }) => {
                header_name::is_alias(name, other) && scheme.eq_ignore_ascii_case(another)
            }
            (Self::Cookie { name }, Self::Cookie { name: other })
            | (Self::Query { name }, Self::Query { name: other }) => {
                parameter_name::is_alias(name.as_bytes(), other)
            }
            (Self::WebSocketProtocol { marker }, Self::WebSocketProtocol { marker: other }) => {
                marker.eq_ignore_ascii_case(other)
            }
            (
                Self::Header { .. }
                | Self::Cookie { .. }
                | Self::Query { .. }
                | Self::WebSocketProtocol { .. },
                _,
            ) => false,
        }
    }

    /// Whether shared caches keep no answer to a request with a token here, whatever the upstream says of caches
    /// (RFC 9111 3.5).
    #[must_use]
    pub fn is_kept_from_caches(&self) -> bool {
        match self {
            Self::Header { name, .. } => name.eq_ignore_ascii_case("Authorization"),
            Self::Cookie { .. } | Self::Query { .. } | Self::WebSocketProtocol { .. } => false,
        }
    }
}

impl TokenSources {
    /// Names of the query parameters that may hold a token.
    pub fn query_parameters(&self) -> impl Iterator<Item = &str> {
        self.places.iter().filter_map(|place| match place {
            TokenPlace::Query { name } => Some(name.as_str()),
            TokenPlace::Header { .. } | TokenPlace::Cookie { .. } | TokenPlace::WebSocketProtocol { .. } => {
                None
            }
        })
    }
}

/// A token and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundToken<'p> {
    /// The bytes of the token, not empty and not checked any further.
    pub token: Vec<u8>,
    /// Every place that holds it, at least one.
    pub places: Vec<&'p TokenPlace>,
}

impl FoundToken<'_> {
    /// What it says. Apart from [`find`], because a token that is known from before needs no second look at each of its
    /// bytes.
    ///
    /// # Errors
    /// `token_repeated` where it is a list, `credentials_malformed` for other characters that no token has;
    /// `token_too_large`; those of [`jws::parse`].
    pub fn parse(&self, sources: &TokenSources) -> Result<UnverifiedToken<'_>, Refusal> {
        if self.token.len() > sources.max_bytes {
            self.check(sources)?;
        }
        // What parses has no character that the check refuses, so only the others are looked at for a better reason.
        jws::parse(&self.token).map_err(|refusal| self.check(sources).err().unwrap_or(refusal))
    }

    /// Checks that it is a b64token (RFC 6750 2.1) and not too long.
    fn check(&self, sources: &TokenSources) -> Result<(), Refusal> {
        if !self.token.iter().copied().all(is_token68) {
            // `Bearer a, Bearer b` is what several lines become behind some proxies.
            let several = self.token.iter().any(|byte| matches!(byte, b' ' | b'\t' | b','));
            return Err(if several { Refusal::TokenRepeated } else { Refusal::CredentialsMalformed });
        }
        if self.token.len() > sources.max_bytes {
            return Err(Refusal::TokenTooLarge { bytes: self.token.len() });
        }
        Ok(())
    }
}

/// The request without its token: headers to remove, then headers to set, and the new target if it changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stripped {
    /// Headers to remove, all values.
    pub remove: Vec<String>,
    /// Headers to set, replacing all values.
    pub set: Vec<(String, Vec<u8>)>,
    /// Path and query.
    pub uri: Option<Vec<u8>>,
}

const WEBSOCKET_PROTOCOL: &str = "Sec-WebSocket-Protocol";

/// Finds the one token of the request.
///
/// # Errors
/// `token_missing`; `token_repeated` for different tokens, and for a second line of a header;
/// `credentials_malformed` for a scheme or marker without a token, and for what is too long to be searched.
pub fn find<'p>(sources: &'p TokenSources, request: &dyn RequestView) -> Result<FoundToken<'p>, Refusal> {
    let mut found: Option<FoundToken<'p>> = None;
    for place in &sources.places {
        let token = match place {
            TokenPlace::Header { name, scheme } => in_header(request, name, scheme)?,
            TokenPlace::Cookie { name } => in_cookie(request, name, sources.places.len())?,
            TokenPlace::Query { name } => in_query(request, name, sources.places.len())?,
            TokenPlace::WebSocketProtocol { marker } => in_websocket_protocol(request, marker)?,
        };
        let Some(token) = token else { continue };
        match &mut found {
            Some(first) if first.token == token => first.places.push(place),
            Some(_) => return Err(Refusal::TokenRepeated),
            None => found = Some(FoundToken { token, places: vec![place] }),
        }
    }
    found.ok_or(Refusal::TokenMissing)
}

/// Every place at which the request presents something: one token, several, or what is none.
#[must_use]
pub fn presented<'p>(sources: &'p TokenSources, request: &dyn RequestView) -> Vec<&'p TokenPlace> {
    let presents = |place: &&TokenPlace| match place {
        TokenPlace::Header { name, scheme } => header_name::values(request, name).iter().any(|value| {
            let start = value.trim_ascii_start().get(..scheme.len());
            let is_first = start.is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()));
            is_first || names_scheme(value, scheme)
        }),
        TokenPlace::Cookie { name } => {
            let has = |line: &Vec<u8>| cookie::values(line, name).next().is_some();
            cookie_lines(request, sources.places.len()).is_none_or(|lines| lines.iter().any(has))
        }
        TokenPlace::Query { name } => searched_uri(request, sources.places.len())
            .is_none_or(|uri| uri::query_values(uri, name).next().is_some()),
        TokenPlace::WebSocketProtocol { marker } => websocket_protocols(request)
            .iter()
            .any(|protocol| protocol.eq_ignore_ascii_case(marker.as_bytes())),
    };
    sources.places.iter().filter(presents).collect()
}

/// Takes the token out of `places`, and nothing else out of the request.
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
            TokenPlace::Cookie { name } => {
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
        }
    }
    for (name, left) in [("Cookie", cookies), (WEBSOCKET_PROTOCOL, protocols)] {
        let Some(left) = left else { continue };
        stripped.remove.extend(header_name::spellings(request, name).map(str::to_owned));
        if !left.is_empty() {
            stripped.set.push((name.to_owned(), left.join(&b", "[..])));
        }
    }
    stripped
}

fn in_header(request: &dyn RequestView, name: &str, scheme: &str) -> Result<Option<Vec<u8>>, Refusal> {
    let mut values = header_name::values(request, name);
    let Some(value) = values.pop() else {
        return Ok(None);
    };
    // Which of several values a back end reads is anyone's guess, so none is taken (RFC 6750 2).
    if !values.is_empty() {
        return Err(Refusal::TokenRepeated);
    }
    credentials(value, scheme)
}

/// A cookie without value is what a sign-out leaves, and no token.
fn in_cookie(request: &dyn RequestView, name: &str, places: usize) -> Result<Option<Vec<u8>>, Refusal> {
    let lines = cookie_lines(request, places).ok_or(Refusal::CredentialsMalformed)?;
    let values = lines.iter().flat_map(|line| cookie::values(line, name)).filter(|value| !value.is_empty());
    single(values.map(|value| Some(value.to_vec())))
}

fn in_query(request: &dyn RequestView, name: &str, places: usize) -> Result<Option<Vec<u8>>, Refusal> {
    let uri = searched_uri(request, places).ok_or(Refusal::CredentialsMalformed)?;
    single(uri::query_values(uri, name).filter(|value| value.as_ref().is_none_or(|v| !v.is_empty())))
}

/// The lines of the cookies; `None` if they are too long to be searched for each of `places`.
fn cookie_lines(request: &dyn RequestView, places: usize) -> Option<Vec<Vec<u8>>> {
    let lines = request.header_values("Cookie");
    is_searchable(lines.iter().map(Vec::len).fold(0, usize::saturating_add), places).then_some(lines)
}

/// The target; `None` if it is too long to be searched for each of `places`.
fn searched_uri(request: &dyn RequestView, places: usize) -> Option<&[u8]> {
    Some(request.uri()).filter(|uri| is_searchable(uri.len(), places))
}

const fn is_searchable(bytes: usize, places: usize) -> bool {
    bytes.saturating_mul(places) <= MAX_SEARCHED_BYTES
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

/// The one token of `values`; an item that is `None` could not be read. The same token twice is one token.
fn single(values: impl Iterator<Item = Option<Vec<u8>>>) -> Result<Option<Vec<u8>>, Refusal> {
    let mut found: Option<Vec<u8>> = None;
    for value in values {
        let token = value
            .filter(|token| token.iter().copied().all(is_token68))
            .ok_or(Refusal::CredentialsMalformed)?;
        match &found {
            Some(first) if *first != token => return Err(Refusal::TokenRepeated),
            Some(_) | None => found = Some(token),
        }
    }
    Ok(found)
}

/// The subprotocols that a client offers (RFC 6455 11.3.4).
fn websocket_protocols(request: &dyn RequestView) -> Vec<Vec<u8>> {
    let lines = header_name::values(request, WEBSOCKET_PROTOCOL);
    let offered = lines.iter().flat_map(|line| line.split(|byte| *byte == b','));
    offered.map(|protocol| protocol.trim_ascii().to_vec()).filter(|protocol| !protocol.is_empty()).collect()
}

/// The marker stays: a browser fails the connection unless the server picks one of what was offered.
fn without_token(offered: &[Vec<u8>], marker: &str) -> Vec<Vec<u8>> {
    let mut kept = Vec::new();
    let mut rest = offered.iter();
    while let Some(protocol) = rest.next() {
        kept.push(protocol.clone());
        if protocol.eq_ignore_ascii_case(marker.as_bytes()) {
            rest.next();
        }
    }
    kept
}

/// `scheme 1*SP b64token` (RFC 6750 2.1, RFC 9110 11.4). Another scheme is no token at all, unless ours comes later in the
/// value: `Basic x, Bearer TOKEN` is a list, and many back ends search for `Bearer ` wherever it is.
fn credentials(mut value: Vec<u8>, scheme: &str) -> Result<Option<Vec<u8>>, Refusal> {
    value.truncate(value.trim_ascii_end().len());
    let trimmed = value.trim_ascii_start();
    let token = if scheme.is_empty() {
        if trimmed.is_empty() {
            return Ok(None);
        }
        trimmed
    } else {
        let end = trimmed.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(trimmed.len());
        let (found, rest) = trimmed.split_at(end);
        if !found.eq_ignore_ascii_case(scheme.as_bytes()) {
            let is_later = names_scheme(trimmed, scheme);
            return if is_later { Err(Refusal::CredentialsMalformed) } else { Ok(None) };
        }
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        rest.get(spaces..).unwrap_or_default()
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
    value.windows(scheme.len().saturating_add(1)).any(|part| {
        matches!(part.last(), Some(b' ' | b'\t'))
            && part.get(..scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme))
    })
}

/// The characters of a b64token (RFC 6750 2.1). A table, because comparisons with each range cost several times as much.
fn is_token68(byte: u8) -> bool {
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

#[cfg(test)]
mod tests {
    use super::{FoundToken, Stripped, TokenPlace, TokenSources, find, presented, strip};
    use crate::core::limits::MAX_SEARCHED_BYTES;
    use crate::core::request::RecordedRequest;

    fn header(name: &str, scheme: &str) -> TokenPlace {
        TokenPlace::Header { name: name.into(), scheme: scheme.into() }
    }

    fn every_place() -> TokenSources {
        TokenSources {
            places: vec![
                header("Authorization", "Bearer"),
                header("X-Token", ""),
                TokenPlace::Cookie { name: "jwt".into() },
                TokenPlace::Cookie { name: "jwt2".into() },
                TokenPlace::Query { name: "token".into() },
                TokenPlace::WebSocketProtocol { marker: "bearer".into() },
            ],
            max_bytes: 8,
        }
    }

    /// A request from its target and its header lines.
    fn request(uri: &str, lines: &[&str]) -> RecordedRequest {
        lines.iter().fold(RecordedRequest::new("GET", uri), |request, line| {
            let (name, value) = line.split_once(':').unwrap();
            request.header(name, value.strip_prefix(' ').unwrap_or(value))
        })
    }

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
                        TokenPlace::Cookie { name } => name,
                        TokenPlace::Query { .. } => "query",
                        TokenPlace::WebSocketProtocol { .. } => "protocol",
                    })
                    .collect();
                format!("{} in {}", String::from_utf8(found.token).unwrap(), at.join(", "))
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
        assert!(stripped.remove.contains(&"Cookie".to_owned()) && stripped.set.is_empty(), "{stripped:?}");
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

    /// Which is why the check comes after parsing.
    #[test]
    fn what_parses_has_no_character_that_is_refused() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0.AAAA";
        let sources = TokenSources { places: Vec::new(), max_bytes: token.len() };
        let mut parsed = 0;
        for at in 0..token.len() {
            for byte in 0..=255 {
                let mut token = token.as_bytes().to_vec();
                token[at] = byte;
                let found = FoundToken { token, places: Vec::new() };
                if found.parse(&sources).is_ok() {
                    parsed += 1;
                    assert_eq!(found.check(&sources), Ok(()), "{byte} at {at}");
                }
            }
        }
        assert!(parsed > 256, "{parsed}");
    }

    #[test]
    fn every_place_in_order() {
        for (uri, lines, expected) in [
            ("/", &["X-Token: a.b.c"][..], "a.b.c in X-Token"),
            ("/", &["X-Token:"], "token_missing"),
            ("/", &["X-Token: Bearer a.b.c"], "token_repeated"),
            // CGI and the like make one variable of both.
            ("/", &["X_Token: a.b.c"], "a.b.c in X-Token"),
            ("/", &["X-Token: a.b.c", "x_token: d.e.f"], "token_repeated"),
            ("/", &["X-Token: a.b.c", "X.Token: d.e.f"], "token_repeated"),
            ("/", &["X-Token: a.b.c", "X~Token: a.b.c"], "token_repeated"),
            ("/", &["X|Token: a.b.c"], "a.b.c in X-Token"),
            ("/", &["Cookie: x=1; jwt=a.b.c"], "a.b.c in jwt"),
            ("/", &["Cookie: x=1", "Cookie: jwt=\"a.b.c\""], "a.b.c in jwt"),
            ("/", &["Cookie: jwt=a.b.c; jwt=a.b.c"], "a.b.c in jwt"),
            ("/", &["Cookie: jwt=a.b.c; jwt=d.e.f"], "token_repeated"),
            ("/", &["Cookie: jwt=; jwt=a.b.c"], "a.b.c in jwt"),
            ("/", &["Cookie: jwt="], "token_missing"),
            ("/", &["Cookie: JWT=a.b.c"], "a.b.c in jwt"),
            ("/", &["Cookie: jwt=a.b.c; JWT=d.e.f"], "token_repeated"),
            ("/", &["Cookie: jwt=a.b.c; jwt[]=d.e.f"], "token_repeated"),
            ("/", &["Cookie: jwt=a.b.c; x=1, jwt=d.e.f"], "token_repeated"),
            ("/", &["Cookie: jwts=a.b.c"], "token_missing"),
            ("/", &["Cookie: jwt=a b"], "credentials_malformed"),
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
    fn two_tokens_are_refused_in_every_pair_of_places() {
        let places = [
            (header("Authorization", "Bearer"), "Authorization: Bearer T"),
            (header("X-Token", ""), "X-Token: T"),
            (TokenPlace::Cookie { name: "jwt".into() }, "Cookie: jwt=T"),
            (TokenPlace::Cookie { name: "jwt2".into() }, "Cookie: jwt2=T"),
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
            let set: Vec<(String, Vec<u8>)> = set
                .iter()
                .map(|value| (lines[0].split(':').next().unwrap().to_owned(), value.as_bytes().to_vec()))
                .collect();
            let remove = remove.iter().map(|name| (*name).to_owned()).collect();
            let uri = new_uri.map(|uri: &str| uri.as_bytes().to_vec());
            assert_eq!(stripped, Stripped { remove, set, uri }, "{lines:?}");
        }
    }
}
