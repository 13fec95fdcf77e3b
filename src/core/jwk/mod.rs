//! Parses key material: JWK, JWK Set, PEM.

#[expect(clippy::module_inception, reason = "the file carries the name of what it parses, as its room does")]
pub mod jwk;
pub mod presented;
pub(in crate::core) mod public_key;
mod thumbprint;
pub(crate) mod der;
pub(in crate::core) mod spki;
pub(in crate::core) mod certificate;
pub mod pem;
pub mod secret;
pub mod secret_bytes;
pub mod no_secret;
pub mod mistaken;
pub mod jwk_set;
pub mod lookup;

pub use jwk::{Jwk, JwkError, Origin};
pub use jwk_set::{JwkSet, JwkSetError, SkippedKey};
pub use pem::PemError;
pub use presented::PresentedKey;
pub use secret_bytes::SecretError;
