//! Step 5: where the token is (RFC 6750 2). Finding changes nothing; stripping is decided in `answer`.

use std::fmt;

use crate::core::limits::{MAX_COOKIE_COPIES, MAX_SEARCHED_BYTES};
use crate::core::refusal::Refusal;
use crate::core::request::rewritten::{Rewritten, RewrittenHeader};
use crate::core::request::{RequestView, cookie, header_name, parameter_name, uri};
use crate::core::token::base64url;
use crate::core::token::jws::{self, Padding, UnverifiedToken};

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
        /// How the token is written there.
        form: Form,
    },
    /// A cookie.
    Cookie {
        /// Name of the cookie.
        name: String,
        /// How the token is written there.
        form: Form,
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
    /// One subprotocol that is the token behind a prefix: `bearer.TOKEN`.
    WebSocketPrefix {
        /// The prefix, compared without case.
        prefix: String,
        /// How the token is written behind it.
        encoding: Encoding,
    },
}

/// How a header or a cookie has the token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// Authentication scheme before the token, compared without case; empty where the value is the token.
    pub scheme: String,
    /// Whether the scheme may be left out.
    pub is_optional: bool,
    /// Whether the parts of the token may have padding.
    pub padding: Padding,
}

/// How a token is written in the name of a subprotocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As it is.
    #[default]
    Plain,
    /// As base64url, once more.
    Base64url,
}

impl From<&str> for Form {
    /// `Bearer`; `Bearer?` may be left out.
    fn from(text: &str) -> Self {
        let (scheme, is_optional) = text.strip_suffix('?').map_or((text, false), |scheme| (scheme, true));
        Self { scheme: scheme.to_owned(), is_optional, padding: Padding::Refuse }
    }
}

impl Form {
    /// Whether the token may stand alone.
    const fn takes_bare(&self) -> bool {
        self.is_optional || self.scheme.is_empty()
    }

    /// What is behind the scheme; `None` where `value` does not begin with it as a word.
    fn behind_scheme<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        let (word, rest) = value.split_at_checked(self.scheme.len())?;
        (!self.scheme.is_empty() && word.eq_ignore_ascii_case(self.scheme.as_bytes())).then_some(rest)
    }
}

impl TokenPlace {
    /// Whether some back end takes both for one place, which one entry is enough for.
    #[must_use]
    pub fn is_alias(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Header { name, form }, Self::Header { name: other, form: another }) => {
                header_name::is_alias(name, other)
                    && (form.scheme.eq_ignore_ascii_case(&another.scheme)
                        || (form.takes_bare() && another.takes_bare()))
            }
            (Self::Cookie { name, .. }, Self::Cookie { name: other, .. })
            | (Self::Query { name }, Self::Query { name: other }) => {
                parameter_name::is_alias(name.as_bytes(), other)
            }
            (Self::WebSocketProtocol { marker }, Self::WebSocketProtocol { marker: other }) => {
                marker.eq_ignore_ascii_case(other)
            }
            (Self::WebSocketPrefix { prefix, .. }, Self::WebSocketPrefix { prefix: other, .. }) => {
                begins_with(prefix.as_bytes(), other) || begins_with(other.as_bytes(), prefix)
            }
            (Self::WebSocketPrefix { prefix, .. }, Self::WebSocketProtocol { marker })
            | (Self::WebSocketProtocol { marker }, Self::WebSocketPrefix { prefix, .. }) => {
                begins_with(marker.as_bytes(), prefix)
            }
            (
                Self::Header { .. }
                | Self::Cookie { .. }
                | Self::Query { .. }
                | Self::WebSocketProtocol { .. }
                | Self::WebSocketPrefix { .. },
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
            Self::Cookie { .. }
            | Self::Query { .. }
            | Self::WebSocketProtocol { .. }
            | Self::WebSocketPrefix { .. } => false,
        }
    }

    const fn padding(&self) -> Padding {
        match self {
            Self::Header { form, .. } => form.padding,
            Self::Cookie { .. }
            | Self::Query { .. }
            | Self::WebSocketProtocol { .. }
            | Self::WebSocketPrefix { .. } => Padding::Refuse,
        }
    }
}

impl fmt::Display for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header { name, form } if form.scheme.is_empty() => write!(f, "header {name}"),
            Self::Header { name, form } => write!(f, "header {name} with the scheme {}", form.scheme),
            Self::Cookie { name, .. } => write!(f, "cookie {name}"),
            Self::Query { name } => write!(f, "query parameter {name}"),
            Self::WebSocketProtocol { marker } => write!(f, "{WEBSOCKET_PROTOCOL} behind {marker}"),
            Self::WebSocketPrefix { prefix, .. } => {
                write!(f, "{WEBSOCKET_PROTOCOL} with the prefix {prefix}")
            }
        }
    }
}

impl TokenSources {
    /// The scheme that a challenge names: that of the first header that has one.
    #[must_use]
    pub fn challenge_scheme(&self) -> &str {
        let schemes = self.places.iter().filter_map(|place| match place {
            TokenPlace::Header { form, .. } => Some(form.scheme.as_str()),
            TokenPlace::Cookie { .. }
            | TokenPlace::Query { .. }
            | TokenPlace::WebSocketProtocol { .. }
            | TokenPlace::WebSocketPrefix { .. } => None,
        });
        schemes.into_iter().find(|scheme| !scheme.is_empty()).unwrap_or("Bearer")
    }

    /// Names of the query parameters that may hold a token.
    pub fn query_parameters(&self) -> impl Iterator<Item = &str> {
        self.places.iter().filter_map(|place| match place {
            TokenPlace::Query { name } => Some(name.as_str()),
            TokenPlace::Header { .. }
            | TokenPlace::Cookie { .. }
            | TokenPlace::WebSocketProtocol { .. }
            | TokenPlace::WebSocketPrefix { .. } => None,
        })
    }
}

/// A token and where it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundToken<'p> {
    /// The bytes of the token, not empty and not checked any further.
    pub token: Vec<u8>,
    /// Every place that holds it, at least one.
    pub places: Vec<&'p TokenPlace>,
    /// Other tokens in other copies of the one cookie that holds this one. A browser sends a cookie of its host and one of
    /// the domain above under one name, in an order that says nothing, and one of them may be old.
    pub others: Vec<Vec<u8>>,
    /// Whether there are copies with something else, which a back end must not find instead of the token.
    pub has_strays: bool,
}

impl FoundToken<'_> {
    /// Each of the copies as the token of the request, in order.
    #[must_use]
    pub fn copies(&self) -> Vec<Self> {
        (std::iter::once(&self.token).chain(&self.others))
            .map(|token| Self {
                token: token.clone(),
                places: self.places.clone(),
                others: Vec::new(),
                has_strays: true,
            })
            .collect()
    }

    /// What it says. Apart from [`find`], because a token that is known from before needs no second look at each of its
    /// bytes.
    ///
    /// # Errors
    /// `token_repeated` where it is a list, `scheme_unexpected` where a scheme is in it, `credentials_malformed` for other
    /// characters that no token has;
    /// `token_too_large`; those of [`jws::parse`].
    pub fn parse(&self, sources: &TokenSources) -> Result<UnverifiedToken<'_>, Refusal> {
        if self.token.len() > sources.max_bytes {
            self.check(sources)?;
        }
        // What parses has no character that the check refuses, so only the others are looked at for a better reason.
        jws::parse_with(&self.token, self.padding())
            .map_err(|refusal| self.check(sources).err().unwrap_or(refusal))
    }

    /// Whether what an earlier request found out about the same bytes holds here: not if they have padding, which another
    /// place takes and this one does not.
    #[must_use]
    pub fn may_be_known(&self, sources: &TokenSources) -> bool {
        let somewhere = sources.places.iter().any(|place| place.padding() == Padding::Accept);
        !somewhere || self.padding() == Padding::Accept || !self.token.contains(&b'=')
    }

    /// What every place takes that holds it.
    fn padding(&self) -> Padding {
        let everywhere = self.places.iter().all(|place| place.padding() == Padding::Accept);
        if everywhere && !self.places.is_empty() { Padding::Accept } else { Padding::Refuse }
    }

    /// Checks that it is a b64token (RFC 6750 2.1) and not too long.
    fn check(&self, sources: &TokenSources) -> Result<(), Refusal> {
        if !self.token.iter().copied().all(is_token68) {
            // `Bearer a, Bearer b` is what several lines become behind some proxies.
            let several = self.token.iter().any(|byte| matches!(byte, b' ' | b'\t' | b','));
            // `Bearer Bearer a` is one token for all that.
            let blank = self.token.iter().position(|byte| *byte == b' ');
            let word = blank.and_then(|end| self.token.get(..end));
            return Err(if word.is_some_and(is_scheme) {
                Refusal::SchemeUnexpected
            } else if several {
                Refusal::TokenRepeated
            } else {
                Refusal::CredentialsMalformed
            });
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
    /// Headers of which something is left.
    pub rewritten: Vec<Rewritten>,
    /// Path and query.
    pub uri: Option<Vec<u8>>,
}

const WEBSOCKET_PROTOCOL: &str = RewrittenHeader::WebSocketProtocol.name();

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

/// Every place at which the request presents something: one token, several, or what is none.
#[must_use]
pub fn presented<'p>(sources: &'p TokenSources, request: &dyn RequestView) -> Vec<&'p TokenPlace> {
    let presents = |place: &&TokenPlace| match place {
        TokenPlace::Header { name, form } => header_name::values(request, name).into_iter().any(|value| {
            let is_first = form.behind_scheme(value.trim_ascii_start()).is_some();
            is_first || names_scheme(&value, &form.scheme) || credentials(value, form) != Ok(None)
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

/// The request with no other copy of the cookie than those that hold the token: another one may be what a back end reads.
#[must_use]
pub fn without_strays(found: &FoundToken<'_>, request: &dyn RequestView) -> Stripped {
    let mut stripped = Stripped::default();
    let mut lines = request.header_values("Cookie");
    for place in &found.places {
        if let TokenPlace::Cookie { name, form } = place {
            let is_token = |value: &[u8]| in_cookie_value(value, form) == Ok(Some(&found.token));
            lines = cookie::retain(&lines, name, is_token).into_iter().collect();
        }
    }
    stripped.remove.extend(header_name::spellings(request, "Cookie").map(str::to_owned));
    let left = lines.pop().map(|value| Rewritten { header: RewrittenHeader::Cookie, value });
    stripped.rewritten.extend(left);
    stripped
}

fn in_header(request: &dyn RequestView, name: &str, form: &Form) -> Result<Option<Vec<u8>>, Refusal> {
    let mut values = header_name::values(request, name);
    let Some(value) = values.pop() else {
        return Ok(None);
    };
    // Which of several values a back end reads is anyone's guess, so none is taken (RFC 6750 2).
    if !values.is_empty() {
        return Err(Refusal::TokenRepeated);
    }
    credentials(value, form)
}

/// A cookie without value is what a sign-out leaves, and no token.
fn in_cookie<'p>(
    request: &dyn RequestView,
    name: &str,
    form: &Form,
    places: usize,
) -> Result<Option<FoundToken<'p>>, Refusal> {
    let lines = cookie_lines(request, places).ok_or(Refusal::CredentialsMalformed)?;
    let values = lines.iter().flat_map(|line| cookie::values(line, name)).filter(|value| !value.is_empty());
    let mut tokens: Vec<&[u8]> = Vec::new();
    let (mut is_malformed, mut has_strays) = (false, false);
    for value in values {
        match in_cookie_value(value, form) {
            Ok(Some(token)) if tokens.contains(&token) => {}
            Ok(Some(_)) if tokens.len() >= MAX_COOKIE_COPIES => return Err(Refusal::TokenRepeated),
            Ok(Some(token)) => tokens.push(token),
            Ok(None) => has_strays = true,
            Err(_) => (is_malformed, has_strays) = (true, true),
        }
    }
    let mut tokens = tokens.into_iter().map(<[u8]>::to_vec);
    let Some(token) = tokens.next() else {
        return if is_malformed { Err(Refusal::CookieMalformed) } else { Ok(None) };
    };
    let others: Vec<_> = tokens.collect();
    has_strays |= !others.is_empty();
    Ok(Some(FoundToken { token, places: Vec::new(), others, has_strays }))
}

/// The token in the value of a cookie. Between the scheme and it is a blank, or what becomes of one in an encoded value.
/// `None` for another scheme.
fn in_cookie_value<'v>(value: &'v [u8], form: &Form) -> Result<Option<&'v [u8]>, Refusal> {
    let mut token = value;
    let without_blank =
        |text: &'v [u8]| [&b" "[..], b"+", b"%20"].into_iter().find_map(|blank| text.strip_prefix(blank));
    match form.behind_scheme(value).filter(|rest| without_blank(rest).is_some()) {
        Some(mut rest) => {
            while let Some(behind) = without_blank(rest) {
                rest = behind;
            }
            token = rest;
        }
        None if form.takes_bare() => {}
        None => return Ok(None),
    }
    if token.is_empty() || !token.iter().copied().all(is_token68) {
        return Err(Refusal::CookieMalformed);
    }
    Ok(Some(token))
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

fn begins_with(text: &[u8], prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}

/// The one token of `values`; an item that is `None` could not be read. The same token twice is one token.
fn single(values: impl Iterator<Item = Option<Vec<u8>>>) -> Result<Option<Vec<u8>>, Refusal> {
    let mut found: Option<Vec<u8>> = None;
    for value in values {
        let token = value
            .filter(|token| !token.is_empty() && token.iter().copied().all(is_token68))
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

/// `scheme 1*SP b64token` (RFC 6750 2.1, RFC 9110 11.4), or the token alone where that is allowed. Another scheme is no
/// token at all, unless ours comes later in the value: `Basic x, Bearer TOKEN` is a list, and many back ends search for
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

/// Whether `word`, which a blank follows, is an authentication scheme and no token.
fn is_scheme(word: &[u8]) -> bool {
    let dots = word.iter().filter(|byte| **byte == b'.').count();
    dots < 2 && std::str::from_utf8(word).is_ok_and(header_name::is_field_name)
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
    use super::{
        Encoding, Form, FoundToken, Padding, Stripped, TokenPlace, TokenSources, find, presented, strip,
        without_strays,
    };
    use crate::core::limits::MAX_SEARCHED_BYTES;
    use crate::core::request::RecordedRequest;
    use crate::core::request::rewritten::{Rewritten, RewrittenHeader};

    fn header(name: &str, scheme: &str) -> TokenPlace {
        TokenPlace::Header { name: name.into(), form: scheme.into() }
    }

    fn cookie(name: &str) -> TokenPlace {
        TokenPlace::Cookie { name: name.into(), form: Form::default() }
    }

    fn every_place() -> TokenSources {
        TokenSources {
            places: vec![
                header("Authorization", "Bearer"),
                header("X-Token", ""),
                cookie("jwt"),
                cookie("jwt2"),
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
                let found = FoundToken { token, ..FoundToken::default() };
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
            // Copies of one cookie are told apart later, unless something else is there.
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
    fn only_the_token_is_left_of_several_copies() {
        let sources = TokenSources {
            places: vec![TokenPlace::Cookie { name: "jwt".into(), form: "Bearer?".into() }],
            max_bytes: 8,
        };
        for (lines, expected) in [
            (&["Cookie: a=1; jwt=new; jwt=old; b=2"][..], Some("a=1; jwt=new; b=2")),
            (&["Cookie: jwt=old; JWT[]=x; a=1", "Cookie: jwt=Bearer%20new"], Some("a=1; jwt=Bearer%20new")),
            (&["Cookie: jwt=; jwt=a b; jwt=new"], Some("jwt=new")),
            // Where a back end might find another one beside it, none is left.
            (&["Cookie: jwt=old; a=1 jwt=new, jwt=old"], None),
        ] {
            let request = request("/", lines);
            let found = find(&sources, &request).unwrap();
            let copies = found.copies();
            let new = copies.iter().find(|copy| copy.token == b"new").unwrap();
            let left = without_strays(new, &request);
            let cookie = left.rewritten.first().map(|left| String::from_utf8(left.value.clone()).unwrap());
            assert_eq!(cookie.as_deref(), expected, "{lines:?}");
            assert_eq!(left.remove, ["Cookie"]);
        }
    }

    #[test]
    fn padding_is_taken_where_every_place_takes_it() {
        let padded = b"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0=.AAA=";
        let strict = header("X-Token", "");
        let form = Form { padding: Padding::Accept, ..Form::default() };
        let lenient = TokenPlace::Header { name: "X-Amzn".into(), form };
        let sources = TokenSources { places: vec![], max_bytes: 99 };
        for (places, expected) in
            [(vec![&lenient], true), (vec![&strict], false), (vec![&lenient, &strict], false)]
        {
            let found = FoundToken { token: padded.to_vec(), places, ..FoundToken::default() };
            assert_eq!(found.parse(&sources).is_ok(), expected);
        }
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
