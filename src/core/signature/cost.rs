//! The cost of verifying one signature, which limits the work that one token causes.
//!
//! Units of about a microsecond on the machine of docs/performance.md, in the host, with the first signature of a key
//! and without its table: what a sender of forged tokens can cause. `tests/guard` compares the figures with what the built
//! modules take.

use super::alg::Crv;
use super::{Family, VerifyingKey};

/// SHA-2 of 1 KiB.
const HASH_OF_A_KIB: u32 = 5;
/// SHAKE256 of 1 KiB.
const SHAKE_OF_A_KIB: u32 = 12;

impl VerifyingKey {
    /// The cost of one signature over `bytes` bytes with this key, for every signature.
    pub fn cost(&self, bytes: usize) -> u32 {
        let (fixed, of_a_kib) = match &self.0 {
            Family::Hmac(_) => (2, HASH_OF_A_KIB),
            Family::Rsa(key) => (rsa(key.bits()), HASH_OF_A_KIB),
            Family::Ecdsa(key) => (ecdsa(key.crv()), HASH_OF_A_KIB),
            Family::Ed25519(_) => (107, HASH_OF_A_KIB),
            Family::MlDsa(key) => (key.cost(), SHAKE_OF_A_KIB),
        };
        let kib = u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX);
        kib.saturating_mul(of_a_kib).saturating_add(fixed)
    }
}

/// Grows with the square of the modulus: 120 for 2048 bits.
fn rsa(bits: usize) -> u32 {
    let words = u32::try_from(bits.div_ceil(64)).unwrap_or(u32::MAX);
    words.saturating_mul(words).saturating_mul(120) / (32 * 32)
}

const fn ecdsa(crv: Crv) -> u32 {
    match crv {
        Crv::P256 | Crv::Ed25519 => 150,
        Crv::P384 => 440,
        Crv::P521 => 800,
        Crv::Secp256k1 => 360,
    }
}
