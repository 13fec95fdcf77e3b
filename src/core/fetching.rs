//! What the configuration says of documents that are fetched: with which settings, and how long they are kept. Rings 2
//! and 3 act on it.

use crate::core::request::header_name::is_alias;
use crate::core::unix_time::{Seconds, UnixTime};
use crate::core::url::proxy::Proxy;

/// A text of the configuration that may be kept outside of it.
#[derive(Clone, PartialEq, Eq)]
pub enum TextSource {
    /// The text itself.
    Inline(String),
    /// Content of a file below the mounts, read when needed.
    File(String),
}

impl std::fmt::Debug for TextSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Either may be a credential or lead to one.
        f.write_str("TextSource")
    }
}

/// `clientConfig`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientRules {
    /// `tls.ca`: PEM trusted besides the built-in roots.
    pub ca: Option<TextSource>,
    /// `tls.insecureSkipVerify`.
    pub insecure_skip_verify: bool,
    /// `timeoutSeconds`: deadline of one attempt.
    pub timeout: Seconds,
    /// `maxRetries`: further attempts after the first.
    pub max_retries: u32,
    /// `allowHttp`.
    pub allow_http: bool,
    /// `proxy`.
    pub proxy: Option<Proxy>,
    /// `noProxy`: hosts that are asked without it, in the form of `NO_PROXY`.
    pub no_proxy: String,
    /// What is meant for the server of the source alone.
    pub server: ServerRules,
}

/// The part of `clientConfig` that is meant for one server, the one that the configuration names. Nothing of it goes to another
/// origin: that of another issuer, of a redirect, of a `jwks_uri`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerRules {
    /// `headers` of the request, none of those of [`is_header_of_the_fetch`].
    pub headers: Vec<RequestHeader>,
    /// `tls.cert` and `tls.key`: PEM, for servers that ask for a certificate.
    pub identity: Option<(TextSource, TextSource)>,
    /// `tls.serverName`: expected in the certificate instead of the URL's host.
    pub server_name: Option<String>,
    /// The top level has headers or a certificate, which are for another server, and there are none for this one.
    pub withheld: bool,
}

/// A header of `clientConfig.headers`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// Its name.
    pub name: String,
    /// The scheme before a value that is kept elsewhere (`Bearer file:/path`); empty if there is none.
    pub scheme: String,
    /// Its value, or what follows the scheme.
    pub value: TextSource,
}

impl RequestHeader {
    /// Whether it says who asks.
    pub fn is_authorization(&self) -> bool {
        self.name.eq_ignore_ascii_case("Authorization")
    }
}

/// Whether a fetch sets the header `name` itself, or the header belongs to the connection (RFC 9110 7.6.1): then
/// `clientConfig.headers` cannot.
pub fn is_header_of_the_fetch(name: &str) -> bool {
    const OWN: [&str; 15] = [
        "Accept-Encoding",
        "Connection",
        "Content-Length",
        "Expect",
        "Host",
        "If-None-Match",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Range",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "X-Padding",
    ];
    OWN.iter().any(|own| is_alias(name, own))
}

/// `jwksCache`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheRules {
    /// `ttlSeconds`: age at which a document is fetched again if the server names none.
    pub ttl: Seconds,
    /// `cooldownSeconds`: least time between two fetches that clients can cause.
    pub cooldown: Seconds,
    /// `staleSeconds`: how long a document serves past its freshness lifetime while it cannot be fetched.
    pub stale: Seconds,
}

/// The state of a document that operators may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentView {
    /// URL without its query, issuer if the URL is discovered, or path; empty for what is in the configuration.
    pub place: String,
    /// Whether it serves.
    pub state: DocumentState,
    /// When it was last fetched, or confirmed to be current.
    pub had_at: Option<UnixTime>,
    /// When it is fetched again; `None` if that waits for a request that needs it.
    pub due_at: Option<UnixTime>,
    /// Why the last attempt failed, if it did.
    pub last_error: Option<String>,
}

/// Whether a document serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentState {
    /// Younger than its freshness lifetime.
    Fresh,
    /// Older, and still allowed to serve.
    Stale,
    /// Never loaded, or too old to serve.
    Absent,
}
