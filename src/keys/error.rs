//! Why keys could not be loaded.

use std::fmt;

use crate::core::jwk::{JwkSet, JwkSetError, PemError, SecretError};
use crate::documents::error::DocumentError;
use crate::keys::discovery::DiscoveryError;

/// Failure of one key source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// The document could not be obtained.
    Document(DocumentError),
    /// The issuer's metadata do not give a JWK Set URL.
    Discovery(DiscoveryError),
    /// The fetch presents no token that names the issuer of the cluster.
    NoOwnToken,
    /// The content is not a JWK Set.
    JwkSet(JwkSetError),
    /// The content is not PEM with public keys.
    Pem(PemError),
    /// The content is not a usable secret.
    Secret(SecretError),
    /// There is a set, but none of its keys is usable.
    NoUsableKey {
        /// Why, key by key.
        skipped: Vec<String>,
    },
}

/// `set`, if it has a usable key.
///
/// # Errors
/// `NoUsableKey`: an empty set is more likely a fault of the provider than a revocation of everything.
pub fn usable(set: JwkSet) -> Result<JwkSet, KeyError> {
    if !set.keys().is_empty() {
        return Ok(set);
    }
    Err(KeyError::NoUsableKey { skipped: set.skipped.iter().map(ToString::to_string).collect() })
}

impl From<DocumentError> for KeyError {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(error) => write!(f, "{error}"),
            Self::Discovery(error) => write!(f, "{error}"),
            Self::NoOwnToken => f.write_str("the token for the API server is no JWT with an issuer"),
            Self::JwkSet(error) => write!(f, "not a JWK Set: {error}"),
            Self::Pem(error) => write!(f, "not a public key in PEM: {error}"),
            Self::Secret(error) => write!(f, "not a usable secret: {error}"),
            Self::NoUsableKey { skipped } if skipped.is_empty() => f.write_str("there is no key in the set"),
            Self::NoUsableKey { .. } => f.write_str("no usable key in the set"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KeyError, usable};
    use crate::core::jwk::{JwkSet, Origin};

    #[test]
    fn a_set_without_a_usable_key_says_whether_it_has_any() {
        let weak = r#"{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}"#;
        let good = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        for (keys, expected) in [
            (String::new(), Some("there is no key in the set")),
            (weak.to_owned(), Some("no usable key in the set")),
            (format!("{weak},{good}"), None),
        ] {
            let set = JwkSet::parse(format!(r#"{{"keys":[{keys}]}}"#).into_bytes(), Origin::Fetched).unwrap();
            let error = usable(set).err();
            let text = error.as_ref().map(ToString::to_string);
            assert_eq!(text.as_deref(), expected, "{keys}");
            // Each key that is not usable is in the log with its reason.
            if let Some(KeyError::NoUsableKey { skipped }) = error {
                assert_eq!(skipped.len(), usize::from(keys == weak), "{keys}");
            }
        }
    }
}
