//! Ed25519 (RFC 8037 3.1, RFC 8032 5.1.7), strictly: S below the order, canonical encodings of A and R, neither
//! of small order. So one signature has one text, and no key accepts a signature of everything.

use super::{KeyError, SignatureError};
use ed25519_dalek::{Signature, VerifyingKey};
use std::cell::OnceCell;

/// The encoded point A.
pub(super) struct Ed25519Key {
    encoded: [u8; 32],
    /// Costs a square root, so it waits for the first signature. None: no point of the curve.
    point: OnceCell<Option<VerifyingKey>>,
}

impl Ed25519Key {
    /// Refuses a wrong length and a y that is not reduced. Whether y has an x is found at the first signature.
    pub(super) fn new(encoded: &[u8]) -> Result<Self, KeyError> {
        let bytes = encoded.len();
        let encoded: [u8; 32] = encoded.try_into().map_err(|_| KeyError::Ed25519Length { bytes })?;
        if !is_reduced(&encoded) {
            return Err(KeyError::Ed25519NotCanonical);
        }
        Ok(Self { encoded, point: OnceCell::new() })
    }

    /// `signature` is R and S (RFC 8037 3.1).
    pub(super) fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let found = signature.len();
        let signature: &[u8; 64] =
            signature.try_into().map_err(|_| SignatureError::Length { expected: 64, found })?;
        let point = self.point.get_or_init(|| {
            let point = VerifyingKey::from_bytes(&self.encoded).ok()?;
            (!point.is_weak()).then_some(point)
        });
        let point = point.as_ref().ok_or(SignatureError::KeyUnusable)?;
        // Compares the encoding of R that it computes with the one received, so that R is canonical, too.
        let signature = Signature::from_bytes(signature);
        point.verify_strict(signing_input, &signature).map_err(|_| SignatureError::Mismatch)
    }
}

/// Whether y < 2^255 - 19 (RFC 8032 5.1.3, step 1), the sign bit apart.
fn is_reduced(encoded: &[u8; 32]) -> bool {
    let [low, middle @ .., high] = encoded;
    *low < 0xed || high & 0x7f != 0x7f || middle.iter().any(|&byte| byte != 0xff)
}
