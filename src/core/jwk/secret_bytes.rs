//! The bytes of a secret for HMAC, and why some are rejected.

use std::fmt;

use super::no_secret::{self, NoSecret};
use crate::core::limits::MIN_DIFFERENT_SECRET_BYTES;
use crate::core::signature::{KeyError, VerifyingKey};

/// Why a secret is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretError {
    /// It is declared as base64 and is not.
    NotBase64,
    /// A public key: everyone knows it and could sign tokens with it (RFC 8725 2.1).
    PublicKey,
    /// A text that everyone knows or can guess.
    NoSecret(NoSecret),
    /// Too few different bytes for any length.
    Monotonous {
        /// How many there are.
        different: usize,
    },
    /// Too short.
    Key(KeyError),
}

/// Makes a key of the bytes of a secret.
///
/// # Errors
/// `NoSecret`, `Key`, `Monotonous`.
pub fn of_bytes(secret: &[u8]) -> Result<VerifyingKey, SecretError> {
    refuse_recognised(secret)?;
    let key = VerifyingKey::hmac(secret).map_err(SecretError::Key)?;
    let mut seen = [false; 256];
    for byte in secret {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    let different = seen.into_iter().filter(|seen| *seen).count();
    if different < MIN_DIFFERENT_SECRET_BYTES { Err(SecretError::Monotonous { different }) } else { Ok(key) }
}

/// Rejects a text that is not secret.
///
/// # Errors
/// `NoSecret`.
pub(super) fn refuse_recognised(text: &[u8]) -> Result<(), SecretError> {
    match std::str::from_utf8(text).ok().and_then(no_secret::recognised) {
        Some(no_secret) => Err(SecretError::NoSecret(no_secret)),
        None => Ok(()),
    }
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64 => f.write_str("the secret is not base64"),
            Self::PublicKey => {
                f.write_str("a public key stands where a secret belongs: everyone could sign with it")
            }
            Self::NoSecret(no_secret) => no_secret.fmt(f),
            Self::Monotonous { different } => write!(
                f,
                "the secret has only {different} different bytes; make one with openssl rand -base64 48"
            ),
            Self::Key(error) => error.fmt(f),
        }
    }
}
