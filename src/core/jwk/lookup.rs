//! Step 7: the interface of a decision to the keys, and the possible sources of keys.

use std::rc::Rc;

use crate::core::fetching::{CacheRules, ClientRules, DocumentView};
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::{Jwk, JwkSet, Origin as JwkOrigin};
use crate::core::signature::alg::Alg;
use crate::core::unix_time::Seconds;
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
    /// The bundle of a trust domain.
    Bundle,
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
    /// PEM blocks if the content looks like PEM, otherwise a secret.
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
    /// What it is besides: fetched, or a bundle.
    pub origin: JwkOrigin,
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
    /// At the URL in the metadata of the issuer (`discovery`).
    Discovery {
        /// The issuer, exactly as its tokens and its metadata have it: one, or two that differ by a trailing slash.
        issuers: Vec<String>,
        /// The issuer as a URL.
        url: Url,
    },
    /// At this URL of the API server of a cluster (`issuer: kubernetes`). The keys are for the issuer of the token that the
    /// fetch presents there.
    Cluster(Url),
    /// One key in PEM for each `kid`, at this URL with it in the place of `{kid}` ([`around_kid`]).
    EachKid(Url),
}

impl KeyLocation {
    /// The server that the configuration names. The set itself may be on another server.
    pub const fn origin(&self) -> &Origin {
        match self {
            Self::Url(url) | Self::Discovery { url, .. } | Self::Cluster(url) | Self::EachKid(url) => {
                &url.origin
            }
        }
    }
}

/// What is before and after `{kid}` in a target that has it.
#[must_use]
pub fn around_kid(target: &str) -> Option<(&str, &str)> {
    let (before, after) = target.split_once('{')?;
    Some((before, after.strip_prefix("kid}")?))
}

/// Keys that may verify a token.
#[derive(Debug, Default)]
pub struct Candidates {
    /// In the order to try.
    pub keys: Vec<Rc<Jwk>>,
    /// Whether there may be more keys.
    pub more: MoreKeys,
    /// The state of the issuer's key sets that they belong to; `None` if one of the sets is not usable, so that a result with
    /// them must not be remembered.
    pub state: Option<KeyState>,
}

/// One state of all key sets of an issuer: results with its keys are valid only in this state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyState(pub u64);

/// Whether there are keys beyond the candidates. Ordered: the greatest of several sources counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MoreKeys {
    /// There are none.
    #[default]
    None,
    /// A key set is unavailable at the moment.
    Unavailable {
        /// When a retry makes sense.
        retry_after: Seconds,
    },
    /// A refresh may add keys.
    Ask,
}

/// The state of a key set that operators may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeySetView {
    /// Whose tokens its keys verify: the issuers as the configuration names them.
    pub issuer: Vec<String>,
    /// The document that it is.
    pub document: DocumentView,
    /// Number of usable keys.
    pub keys: usize,
    /// Their names, if they have any.
    pub kids: Vec<String>,
}

/// The keys ring, as decisions use it.
pub trait KeyLookup {
    /// Every key set, in the order of the policy.
    fn key_sets(&self) -> Vec<KeySetView>;

    /// Keys of `issuer` for a token that names `kid` and `alg`. Never fetches.
    fn candidates(&self, issuer: IssuerId, kid: Option<&str>, alg: Alg) -> Candidates;
}

#[cfg(test)]
mod tests {
    use super::around_kid;

    #[test]
    fn a_target_has_the_place_of_a_kid_or_not() {
        for (target, expected) in [
            ("/keys/{kid}", Some(("/keys/", ""))),
            ("/keys/{kid}.pem?v=1", Some(("/keys/", ".pem?v=1"))),
            ("/keys/{kid}/{kid}", Some(("/keys/", "/{kid}"))),
            ("/keys/{KID}", None),
            ("/keys/{id}/{kid}", None),
            ("/keys/", None),
        ] {
            assert_eq!(around_kid(target), expected, "{target}");
        }
    }
}
