//! Key material.

pub mod lookup;

use crate::core::signature::VerifyingKey;

/// A key.
#[derive(Debug, PartialEq, Eq)]
pub struct Jwk {
    /// The key.
    pub key: VerifyingKey,
}

/// Keys.
#[derive(Debug, PartialEq, Eq)]
pub struct JwkSet;
