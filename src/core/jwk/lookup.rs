//! Step 7: what a decision asks of the keys, and where keys may come from.

use std::rc::Rc;

use crate::core::issuer_id::IssuerId;
use crate::core::jwk::{Jwk, JwkSet};
use crate::core::request::header_name::is_alias;
use crate::core::signature::alg::Alg;
use crate::core::unix_time::{Seconds, UnixTime};
use crate::core::url::proxy::Proxy;
use crate::core::url::{Origin, Url};

/// Where keys of one issuer come from. Ring 2 acts on it.
#[derive(Debug)]
pub enum KeySource {
    /// Keys of the configuration itself.
    Configured(JwkSet),
    /// A file below the mounts of the plugin, read again when it changes.
    File {
        /// Absolute path.
        path: String,
        /// What the file holds.
        format: KeyFormat,
    },
    /// A JWK Set at a URL.
    Url(Box<RemoteKeys>),
}

/// Content of a key file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyFormat {
    /// A JWK Set (RFC 7517 5).
    JwkSet,
    /// PEM blocks.
    Pem {
        /// The `kid` these keys serve; `None` serves every `kid`.
        kid: Option<String>,
    },
    /// A secret for HMAC; one trailing line break is not part of it.
    Secret {
        /// The `kid` this key serves; `None` serves every `kid`.
        kid: Option<String>,
        /// The file holds base64 of the secret.
        base64: bool,
    },
    /// PEM blocks where the content looks like them, else a secret.
    PemOrSecret {
        /// The `kid` these keys serve.
        kid: Option<String>,
    },
}

/// A JWK Set at a URL, and how it is fetched and kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteKeys {
    /// Where the set is.
    pub location: KeyLocation,
    /// Client settings (`clientConfig`).
    pub client: ClientRules,
    /// How long a set is used (`jwksCache`).
    pub cache: CacheRules,
    /// Where routers share what they fetched (`jwksCache.directory`).
    pub directory: Option<String>,
}

/// Where a fetched JWK Set is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyLocation {
    /// At this URL.
    Url(Url),
    /// Where the metadata of the issuer say (`discovery`).
    Discovery {
        /// The issuer, exactly as its tokens and its metadata have it: one, or two that differ by a trailing slash.
        issuers: Vec<String>,
        /// The issuer as a URL.
        url: Url,
    },
}

impl KeyLocation {
    /// The server that the configuration names. The set itself may be on another one.
    #[must_use]
    pub const fn origin(&self) -> &Origin {
        match self {
            Self::Url(url) | Self::Discovery { url, .. } => &url.origin,
        }
    }
}

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

/// The part of `clientConfig` that is meant for one server, that of [`KeyLocation::origin`]. Nothing of it goes to another
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
    /// The scheme before a value that is kept elsewhere (`Bearer file:/path`); empty for none.
    pub scheme: String,
    /// Its value, or what follows the scheme.
    pub value: TextSource,
}

/// Whether a fetch sets the header `name` itself, or the header belongs to the connection (RFC 9110 7.6.1): then
/// `clientConfig.headers` cannot.
#[must_use]
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
    /// `ttlSeconds`: age at which a set is fetched again, where the server names none.
    pub ttl: Seconds,
    /// `cooldownSeconds`: least time between two fetches that clients can cause.
    pub cooldown: Seconds,
    /// `staleSeconds`: how long past its freshness a set serves while it cannot be fetched.
    pub stale: Seconds,
}

/// Keys that may verify a token.
#[derive(Debug, Default)]
pub struct Candidates {
    /// In the order to try.
    pub keys: Vec<Rc<Jwk>>,
    /// Whether there may be others.
    pub more: MoreKeys,
    /// Which state of the issuer's key sets they are of; `None` if one of the sets cannot serve, so that nothing that is
    /// found out with them is worth remembering.
    pub state: Option<KeyState>,
}

/// One state of all key sets of an issuer: whatever was found out with its keys dies with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyState(pub u64);

/// What is known of keys beyond the candidates. Ordered: of several sources, the greatest counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoreKeys {
    /// There are none.
    #[default]
    None,
    /// A key set cannot be had right now.
    Unavailable {
        /// When asking again makes sense.
        retry_after: Seconds,
    },
    /// A refresh may bring some.
    Ask,
}

/// State of a key set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySetState {
    /// Younger than its freshness.
    Fresh,
    /// Past its freshness, and still allowed to serve.
    Stale,
    /// Never loaded, or too old to serve.
    Absent,
}

/// What an operator may know of a key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetView {
    /// Whose tokens its keys verify: the issuers as the configuration names them.
    pub issuer: Vec<String>,
    /// URL without its query, issuer where that is discovered, or path; empty for keys of the configuration.
    pub place: String,
    /// Whether it serves.
    pub state: KeySetState,
    /// Number of usable keys.
    pub keys: usize,
    /// Their names, where they have some.
    pub kids: Vec<String>,
    /// When it was last had, or confirmed to be current.
    pub had_at: Option<UnixTime>,
    /// When it is asked for again; `None` where that waits for a request that needs it.
    pub due_at: Option<UnixTime>,
    /// Why the last attempt failed, if it did.
    pub last_error: Option<String>,
}

/// The keys ring, as a decision sees it.
pub trait KeyLookup {
    /// Every key set, in the order of the policy.
    fn key_sets(&self) -> Vec<KeySetView>;

    /// Keys of `issuer` for a token that names `kid` and `alg`. Never fetches.
    fn candidates(&self, issuer: IssuerId, kid: Option<&str>, alg: Alg) -> Candidates;
}
