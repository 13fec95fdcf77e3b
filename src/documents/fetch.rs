//! One HTTP GET of a document, as ring 3 does it.

use std::fmt;

use crate::core::fetching::ClientRules;
use crate::core::unix_time::Seconds;
use crate::core::url::{Origin, Url};
use crate::documents::document::Document;

/// One HTTP GET, all of it under one deadline.
#[derive(Clone, Copy, Debug)]
pub struct FetchRequest<'a> {
    /// `http` only if [`ClientRules::allow_http`].
    pub url: &'a Url,
    /// The settings to use.
    pub client: &'a Client<'a>,
    /// Value of `Accept`, unless the configuration sets one.
    pub accept: &'static str,
    /// Deadline over resolve, connect, TLS and read of one attempt.
    pub timeout: Seconds,
    /// Largest accepted body, in bytes.
    pub max_body_bytes: usize,
    /// Sent as `If-None-Match` if present.
    pub etag: Option<&'a str>,
}

/// `clientConfig` for one document, with the texts that it may keep in files.
pub struct Client<'a> {
    /// All settings as they are configured.
    pub rules: &'a ClientRules,
    /// The server that the configuration names. Another server, reached by a redirect or a discovered URL, gets nothing
    /// of [`ClientRules::server`], and some addresses are forbidden for it.
    pub home: &'a Origin,
    /// PEM certificates trusted besides the built-in roots; may be empty.
    pub ca_pem: String,
    /// Extra request headers for `home`. Never logged.
    pub headers: Vec<(String, String)>,
    /// Presented if `home` asks for a certificate.
    pub identity: Option<ClientIdentity>,
}

impl fmt::Debug for Client<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("home", self.home).finish_non_exhaustive()
    }
}

/// A certificate chain and its key.
pub struct ClientIdentity {
    /// PEM, the own certificate first.
    pub certificates_pem: String,
    /// PEM: PKCS#8, PKCS#1 or SEC1. Never logged.
    pub key_pem: String,
}

/// The result of a successful GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// 200 with a body of at most `max_body_bytes`.
    Document(Document),
    /// 304: the document of the sent `ETag` is still current.
    NotModified {
        /// As in [`Document`].
        cache_control: String,
    },
}

/// Why a GET failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The URL is not an absolute http(s) URL, or it is an http URL and those are not allowed.
    Url,
    /// The name did not resolve.
    Resolve,
    /// No connection to any address.
    Connect,
    /// The TLS handshake failed; the text says why, without secrets.
    Tls(String),
    /// The deadline passed.
    Timeout,
    /// The answer is not valid HTTP/1.1 (RFC 9112), or it ended early.
    Http(&'static str),
    /// A status other than 200 and 304.
    Status(u16),
    /// 401 or 403 of a server that does not get the configured credentials, because they are for another server.
    StatusElsewhere(u16),
    /// Too many redirects, or a redirect to an invalid URL or from https to http.
    Redirect,
    /// A redirect or a `jwks_uri` leads to a forbidden address.
    Forbidden,
    /// The body is larger than `max_body_bytes`.
    TooLarge,
    /// This artifact has no sockets (`plugin-offline.wasm`).
    NotSupported,
    /// Descriptors or memory are exhausted, or the host returned nonsense.
    Host(&'static str),
}

/// Does the GET. Implemented by `host::fetch`.
pub trait Fetch {
    /// One attempt; the caller retries.
    ///
    /// # Errors
    /// Every failure, including [`FetchError::Timeout`]. Only the resolver of the machine may block past
    /// `request.timeout`.
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError>;
}

impl FetchError {
    /// Whether a retry may succeed: the transport failed, not the answer or the configuration.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Resolve | Self::Connect | Self::Tls(_) | Self::Timeout | Self::Http(_) | Self::Host(_) => {
                true
            }
            Self::Status(status) => *status >= 500,
            Self::Url
            | Self::StatusElsewhere(_)
            | Self::Redirect
            | Self::Forbidden
            | Self::TooLarge
            | Self::NotSupported => false,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("not a URL that may be fetched"),
            Self::Resolve => f.write_str("the name does not resolve"),
            Self::Connect => f.write_str("no connection"),
            Self::Tls(reason) => write!(f, "TLS: {reason}"),
            Self::Timeout => f.write_str("timed out"),
            Self::Http(problem) => write!(f, "HTTP: {problem}"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::StatusElsewhere(status) => {
                write!(f, "status {status} of a server that gets no headers and certificate of clientConfig")
            }
            Self::Redirect => f.write_str("redirected too often or to no URL that may be fetched"),
            Self::Forbidden => {
                f.write_str("a redirect or jwks_uri leads to an address that none may lead to")
            }
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::NotSupported => f.write_str("this artifact cannot fetch: use plugin.wasm"),
            Self::Host(problem) => write!(f, "host: {problem}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Client, FetchError};
    use crate::core::url::Url;
    use crate::documents::outside::client;

    #[test]
    fn what_may_pass_is_tried_again() {
        for (error, may_pass) in [
            (FetchError::Resolve, true),
            (FetchError::Connect, true),
            (FetchError::Tls("expired".into()), true),
            (FetchError::Timeout, true),
            (FetchError::Http("cut off"), true),
            (FetchError::Host("no memory"), true),
            (FetchError::Status(404), false),
            (FetchError::Status(499), false),
            (FetchError::Status(500), true),
            (FetchError::Status(503), true),
            (FetchError::StatusElsewhere(503), false),
            (FetchError::Url, false),
            (FetchError::Redirect, false),
            (FetchError::Forbidden, false),
            (FetchError::TooLarge, false),
            (FetchError::NotSupported, false),
        ] {
            assert_eq!(error.may_pass(), may_pass, "{error}");
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let (rules, url) = (client(), Url::parse("https://idp.example/keys").unwrap());
        let headers = vec![("Authorization".to_owned(), "Basic hidden".to_owned())];
        let client =
            Client { rules: &rules, home: &url.origin, ca_pem: "hidden".into(), headers, identity: None };
        let shown = format!("{client:?}");
        assert!(shown.contains("idp.example") && !shown.contains("hidden"), "{shown}");
    }
}
