//! Where tokens may be (RFC 6750 2): the places of the configuration.

use std::fmt;

use crate::core::request::{header_name, parameter_name};
use crate::core::token::jws::Padding;
use crate::core::token::source::search::{WEBSOCKET_PROTOCOL, begins_with};

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
/// A form body (RFC 6750 2.2) is not supported: the host would have to hold back the whole body of every request, which ends
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
    /// Authentication scheme before the token, compared without case; empty if the value is the token.
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
    pub(super) const fn takes_bare(&self) -> bool {
        self.is_optional || self.scheme.is_empty()
    }

    /// What is behind the scheme; `None` if `value` does not begin with it as a word.
    pub(super) fn behind_scheme<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        let (word, rest) = value.split_at_checked(self.scheme.len())?;
        (!self.scheme.is_empty() && word.eq_ignore_ascii_case(self.scheme.as_bytes())).then_some(rest)
    }
}

impl TokenPlace {
    /// Whether some back end takes both for one place, so that one entry is enough.
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

    /// Whether the token comes with a proof of possession (RFC 9449 7.1).
    #[must_use]
    pub fn is_dpop(&self) -> bool {
        match self {
            Self::Header { form, .. } => form.scheme.eq_ignore_ascii_case("DPoP"),
            Self::Cookie { .. }
            | Self::Query { .. }
            | Self::WebSocketProtocol { .. }
            | Self::WebSocketPrefix { .. } => false,
        }
    }

    /// Whether shared caches must not store the answer to a request with a token here, whatever the upstream says
    /// (RFC 9111 3.5).
    pub fn is_kept_from_caches(&self) -> bool {
        match self {
            Self::Header { name, .. } => name.eq_ignore_ascii_case("Authorization"),
            Self::Cookie { .. }
            | Self::Query { .. }
            | Self::WebSocketProtocol { .. }
            | Self::WebSocketPrefix { .. } => false,
        }
    }

    /// Whether the parts of a token may have padding here.
    pub(super) const fn padding(&self) -> Padding {
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

#[cfg(test)]
mod tests {
    use super::{Encoding, TokenPlace};
    use crate::core::token::source::examples::{cookie, every_place, header};

    #[test]
    fn one_entry_is_enough_for_what_a_back_end_takes_for_one_place() {
        let prefix =
            |prefix: &str| TokenPlace::WebSocketPrefix { prefix: prefix.into(), encoding: Encoding::Plain };
        let marker = |marker: &str| TokenPlace::WebSocketProtocol { marker: marker.into() };
        let query = |name: &str| TokenPlace::Query { name: name.into() };
        for (one, other, expected) in [
            (header("X-Token", ""), header("x_token", ""), true),
            (header("X-Token", "Bearer"), header("X-Token", "bearer"), true),
            (header("X-Token", "Bearer?"), header("X-Token", ""), true),
            (header("X-Token", "Bearer?"), header("X-Token", "DPoP?"), true),
            (header("X-Token", "Bearer"), header("X-Token", "DPoP"), false),
            (header("X-Token", "Bearer"), header("X-Token", ""), false),
            (header("X-Token", ""), header("X-Other", ""), false),
            (cookie("jwt"), cookie("JWT"), true),
            (cookie("jwt"), cookie("other"), false),
            (query("jwt"), query("jwt"), true),
            (query("jwt"), query("other"), false),
            (cookie("jwt"), query("jwt"), false),
            (marker("bearer"), marker("Bearer"), true),
            (marker("bearer"), marker("jwt"), false),
            (prefix("bearer."), prefix("Bearer.x."), true),
            (prefix("bearer."), prefix("jwt."), false),
            (prefix("bearer"), marker("bearer.v1"), true),
            (prefix("bearer."), marker("bearer"), false),
            (prefix("jwt"), header("jwt", ""), false),
        ] {
            assert_eq!(one.is_alias(&other), expected, "{one} {other}");
            assert_eq!(other.is_alias(&one), expected, "{other} {one}");
        }
    }

    #[test]
    fn dpop_is_a_scheme_and_caches_know_authorization() {
        for (place, is_dpop, is_kept) in [
            (header("Authorization", "Bearer"), false, true),
            (header("authorization", "dpop"), true, true),
            (header("X-Token", "DPoP"), true, false),
            (cookie("DPoP"), false, false),
            (TokenPlace::Query { name: "Authorization".into() }, false, false),
        ] {
            assert_eq!((place.is_dpop(), place.is_kept_from_caches()), (is_dpop, is_kept), "{place}");
        }
    }

    #[test]
    fn the_log_names_a_place_as_the_configuration_does() {
        let names: Vec<String> = every_place().places.iter().map(TokenPlace::to_string).collect();
        assert_eq!(
            names,
            [
                "header Authorization with the scheme Bearer",
                "header X-Token",
                "cookie jwt",
                "cookie jwt2",
                "query parameter token",
                "Sec-WebSocket-Protocol behind bearer",
            ]
        );
        let place = TokenPlace::WebSocketPrefix { prefix: "jwt.".into(), encoding: Encoding::Plain };
        assert_eq!(place.to_string(), "Sec-WebSocket-Protocol with the prefix jwt.");
    }
}
