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

#[cfg(test)]
mod tests {
    use crate::core::signature::VerifyingKey;
    use crate::core::signature::alg::{Alg, Crv};
    use crate::core::signature::examples::{example, p384};

    #[test]
    fn what_a_signature_costs_grows_with_the_key_and_the_text() {
        let rsa = |bytes: usize| {
            let n = [&[0x80], &vec![0; bytes - 2][..], &[1]].concat();
            VerifyingKey::rsa(&n, &[1, 0, 1]).unwrap()
        };
        // The base point of secp256k1 (SEC 2 2.4.1).
        let secp256k1 = "0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
        let secp256k1 = crate::core::signature::examples::hex(secp256k1);
        for (key, fixed, of_a_kib) in [
            (VerifyingKey::hmac(&[7; 32]).unwrap(), 2, 5),
            (rsa(256), 120, 5),
            (rsa(384), 270, 5),
            (rsa(512), 480, 5),
            (rsa(1024), 1920, 5),
            (example("RFC 7515 A.3").key, 150, 5),
            (p384(), 440, 5),
            (example("RFC 7515 A.4").key, 800, 5),
            (VerifyingKey::ec_sec1(Crv::Secp256k1, &secp256k1).unwrap(), 360, 5),
            (example("RFC 8037 A.4").key, 107, 5),
        ] {
            for (bytes, kib) in [(0, 0), (1, 1), (1024, 1), (1025, 2), (16_384, 16)] {
                assert_eq!(key.cost(bytes), fixed + of_a_kib * kib, "{key:?} {bytes}");
            }
        }
        for (alg, bytes, fixed) in
            [(Alg::MlDsa44, 1312, 600), (Alg::MlDsa65, 1952, 900), (Alg::MlDsa87, 2592, 1_400)]
        {
            let key = VerifyingKey::ml_dsa(alg, &vec![7; bytes]).unwrap();
            assert_eq!(
                [key.cost(0), key.cost(1024), key.cost(1025)],
                [fixed, fixed + 12, fixed + 24],
                "{alg}"
            );
        }
        assert_eq!(VerifyingKey::hmac(&[7; 32]).unwrap().cost(usize::MAX), u32::MAX);
    }
}
