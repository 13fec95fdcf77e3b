//! Step 7: what a decision asks of the keys, and where keys may come from.

use std::rc::Rc;

use crate::core::fetching::{CacheRules, ClientRules, DocumentState};
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::{Jwk, JwkSet};
use crate::core::signature::alg::Alg;
use crate::core::unix_time::{Seconds, UnixTime};
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
    pub const fn origin(&self) -> &Origin {
        match self {
            Self::Url(url) | Self::Discovery { url, .. } => &url.origin,
        }
    }
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

/// What an operator may know of a key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetView {
    /// Whose tokens its keys verify: the issuers as the configuration names them.
    pub issuer: Vec<String>,
    /// URL without its query, issuer where that is discovered, or path; empty for keys of the configuration.
    pub place: String,
    /// Whether it serves.
    pub state: DocumentState,
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
