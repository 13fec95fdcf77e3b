//! HMAC with SHA-2 (RFC 7518 3.2).

use super::alg::Hash;
use super::{KeyError, SignatureError};
use ::hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

/// A secret that serves at least HS256.
pub(super) struct HmacKey {
    secret: Vec<u8>,
}

impl HmacKey {
    /// Refuses a secret shorter than the shortest hash: it serves no algorithm (RFC 7518 3.2).
    pub(super) fn new(secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < Hash::Sha256.bytes() {
            return Err(KeyError::SecretTooShort { bytes: secret.len() });
        }
        Ok(Self { secret: secret.to_vec() })
    }

    pub(super) const fn bytes(&self) -> usize {
        self.secret.len()
    }

    /// A secret must be at least as long as the hash (RFC 7518 3.2).
    pub(super) const fn is_long_enough_for(&self, hash: Hash) -> bool {
        self.secret.len() >= hash.bytes()
    }

    #[inline(never)]
    pub(super) fn verify(&self, hash: Hash, signing_input: &[u8], mac: &[u8]) -> Result<(), SignatureError> {
        match hash {
            Hash::Sha256 => check::<Hmac<Sha256>>(&self.secret, signing_input, mac),
            Hash::Sha384 => check::<Hmac<Sha384>>(&self.secret, signing_input, mac),
            Hash::Sha512 => check::<Hmac<Sha512>>(&self.secret, signing_input, mac),
        }
    }
}

/// `verify_slice` compares in constant time and only the full length: a truncated MAC is refused.
fn check<M: Mac + KeyInit>(secret: &[u8], signing_input: &[u8], mac: &[u8]) -> Result<(), SignatureError> {
    let state = <M as KeyInit>::new_from_slice(secret).map_err(|_| SignatureError::KeyUnusable)?;
    state.chain_update(signing_input).verify_slice(mac).map_err(|_| SignatureError::Mismatch)
}

#[cfg(test)]
mod tests {
    use crate::core::signature::{KeyError, VerifyingKey};

    #[test]
    fn secrets_are_as_long_as_the_hash_rfc_7518_3_2() {
        for bytes in [0, 1, 31] {
            let error = Err(KeyError::SecretTooShort { bytes });
            assert_eq!(VerifyingKey::hmac(&vec![7; bytes]).map(|_| ()), error);
        }
        assert!(VerifyingKey::hmac(&[7; 32]).is_ok());
    }
}
