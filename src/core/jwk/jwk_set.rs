//! A JWK Set (RFC 7517 5) and which of its keys come into question for a token. Keys that cannot be used are
//! skipped and reported: the others go on working (RFC 7517 5, last paragraph).

use super::jwk::{self, Jwk, JwkError, Origin};
use crate::core::limits::{MAX_JSON_DEPTH, MAX_JWKS_BYTES, MAX_JWKS_NODES, MAX_KEYS_PER_SET};
use crate::core::signature::alg::Alg;
use crate::core::token::json::{Document, JsonError, JsonLimits, Kind, Value};
use std::fmt;
use std::rc::Rc;

/// Keys of one owner, in the order of their source.
#[derive(Clone, Debug, Default)]
pub struct JwkSet {
    keys: Vec<Rc<Jwk>>,
    /// What was in the source and is not used, for the log.
    pub skipped: Vec<SkippedKey>,
}

/// A key that is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in the array `keys`, from 0.
    pub index: usize,
    /// Its name, where it has one.
    pub kid: Option<String>,
    /// Why.
    pub reason: JwkError,
}

/// Why a text is not a JWK Set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwkSetError {
    /// Longer than [`MAX_JWKS_BYTES`].
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// Not an acceptable JSON text.
    Json(JsonError),
    /// Not an object.
    NotAnObject,
    /// Without an array `keys` (RFC 7517 5.1).
    NoKeys,
}

impl JwkSet {
    /// Reads a set. One without a usable key is a set, too: it verifies nothing.
    ///
    /// # Errors
    /// See [`JwkSetError`].
    pub fn parse(json: Vec<u8>, origin: Origin) -> Result<Self, JwkSetError> {
        if json.len() > MAX_JWKS_BYTES {
            return Err(JwkSetError::TooLarge { bytes: json.len() });
        }
        let limits = JsonLimits { max_depth: MAX_JSON_DEPTH, max_nodes: MAX_JWKS_NODES };
        let document = Document::parse(json, limits).map_err(JwkSetError::Json)?;
        let root = document.root();
        if root.kind() != Kind::Object {
            return Err(JwkSetError::NotAnObject);
        }
        match root.member("keys") {
            Some(list) if list.kind() == Kind::Array => Ok(Self::from_list(list, origin)),
            Some(_) | None => Err(JwkSetError::NoKeys),
        }
    }

    fn from_list(list: Value<'_>, origin: Origin) -> Self {
        let mut set = Self::default();
        for (index, value) in list.elements().enumerate() {
            if index == MAX_KEYS_PER_SET {
                let reason = JwkError::TooManyKeys { max: MAX_KEYS_PER_SET };
                set.skipped.push(SkippedKey { index, kid: None, reason });
                break;
            }
            match jwk::parse(value, origin) {
                Ok(key) => set.keys.push(Rc::new(key)),
                Err(reason) => {
                    let kid = value.member("kid").and_then(Value::as_str).map(str::to_owned);
                    set.skipped.push(SkippedKey { index, kid, reason });
                }
            }
        }
        set
    }

    /// A set of keys from other sources than JSON.
    #[must_use]
    pub fn from_keys(keys: Vec<Jwk>) -> Self {
        Self { keys: keys.into_iter().map(Rc::new).collect(), skipped: Vec::new() }
    }

    /// The usable keys.
    #[must_use]
    pub fn keys(&self) -> &[Rc<Jwk>] {
        &self.keys
    }

    /// The names of the usable keys, in their order.
    pub fn kids(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().filter_map(|key| key.kid.as_deref())
    }

    /// Whether a usable key is called `kid`.
    #[must_use]
    pub fn has_kid(&self, kid: &str) -> bool {
        self.kids().any(|own| own == kid)
    }

    /// The keys that a token with this `kid` and `alg` may be verified with. A token's `kid` admits the keys of
    /// that name, then those without one; a token without `kid` admits all (RFC 7515 4.1.4). Names may repeat
    /// with another `kty` (RFC 7517 4.5). The caller bounds how many it tries.
    pub fn select<'s>(&'s self, kid: Option<&'s str>, alg: Alg) -> impl Iterator<Item = &'s Rc<Jwk>> {
        let named = self.keys.iter().filter(move |key| kid.is_none() || key.kid.as_deref() == kid);
        let unnamed = self.keys.iter().filter(move |key| kid.is_some() && key.kid.is_none());
        named.chain(unnamed).filter(move |key| key.fits(alg))
    }
}

impl fmt::Display for JwkSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TooLarge { bytes } => {
                write!(f, "the key set has {bytes} bytes, expected at most {MAX_JWKS_BYTES}")
            }
            Self::Json(error) => write!(f, "the key set is unreadable: {error}"),
            Self::NotAnObject => f.write_str("the key set is not a JSON object"),
            Self::NoKeys => f.write_str("the key set has no array \"keys\""),
        }
    }
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kid {
            Some(kid) => write!(f, "key {} (kid {kid:?}) is not used: {}", self.index, self.reason),
            None => write!(f, "key {} is not used: {}", self.index, self.reason),
        }
    }
}
