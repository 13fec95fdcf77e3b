//! The members of a public key, in the form that its thumbprint covers.

use crate::core::signature::alg::{Alg, Crv};
use crate::core::signature::{KeyError, VerifyingKey};

/// The members that define a key (RFC 7638 3.2), decoded.
pub(in crate::core) enum PublicKey {
    /// Without leading zeros (RFC 7518 2, Base64urlUInt).
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// Both of the full length (RFC 7518 6.2.1.2).
    Ec { crv: Crv, x: Vec<u8>, y: Vec<u8> },
    /// Bytes as they stand (RFC 8037 2).
    Okp { crv: Crv, x: Vec<u8> },
    /// Bytes as they stand (RFC 9964 4).
    Akp { alg: Alg, public: Vec<u8> },
}

impl PublicKey {
    /// The key to verify with.
    pub(in crate::core) fn verifying(&self) -> Result<VerifyingKey, KeyError> {
        match self {
            Self::Rsa { n, e } => VerifyingKey::rsa(n, e),
            Self::Ec { crv, x, y } => VerifyingKey::ec(*crv, x, y),
            Self::Okp { x, .. } => VerifyingKey::ed25519(x),
            Self::Akp { alg, public } => VerifyingKey::ml_dsa(*alg, public),
        }
    }
}
