//! Verification with Ed25519 (RFC 8032 5.1.7), strictly: S below the order, R and the key in their only encoding and of
//! no small order, no cofactor in the equation. What RFC 8037 3.1 calls EdDSA, with crv Ed25519.
//!
//! The verdict equals `verify_strict` of ed25519-dalek, except for keys whose y is p or more, which that accepts.
//! Every value here is public: time depends on all of them.
#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "indices are below the lengths beside them"
)]

mod field;
mod point;

use std::cell::OnceCell;
use std::rc::Rc;

use sha2::{Digest, Sha512};

use crate::limbs::{Limbs, from_be_bytes, less};
use crate::modulus::Modulus;
use crate::multiply::{Comb, sparse_sum};
use field::Field;
use point::{Affine, B, Completed, has_small_order, normalize};

/// The order L of the base point.
const L: Modulus = Modulus::new(&[
    0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, //
    0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
]);

/// B, 3B, 5B, ... 15B.
static ODD_MULTIPLES_OF_B: [Affine; 8] = odd_multiples(&B);

/// Why 32 bytes are rejected as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// y is p or more (RFC 8032 5.1.3 step 1): a key would have several encodings.
    NotCanonical,
    /// A point whose order divides 8: it would accept a signature of everything.
    SmallOrder,
}

/// A public key without a table: a verification computes the multiples it needs.
#[derive(Clone, Debug)]
pub struct PublicKey {
    encoded: [u8; 32],
    /// The negative of the key's point, or `None` if y belongs to no point; computed at first use.
    opposite: OnceCell<Option<Affine>>,
}

impl PublicKey {
    /// A key from its encoding (RFC 8032 5.1.2). Whether y belongs to a point at all is a square root, left to the first
    /// use and to [`Self::is_point`].
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let (y, _) = decode(bytes).ok_or(KeyError::NotCanonical)?;
        if has_small_order(&y) {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self { encoded: *bytes, opposite: OnceCell::new() })
    }

    /// Whether the key is a point of the curve; otherwise it verifies nothing.
    #[must_use]
    pub fn is_point(&self) -> bool {
        self.opposite().is_some()
    }

    /// Whether the signature of the message is valid for this key.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let (Some(opposite), Some(signature)) = (self.opposite(), Signature::new(signature)) else {
            return false;
        };
        let k = signature.challenge(&self.encoded, message);
        let sum = sparse_sum([(&signature.s, &ODD_MULTIPLES_OF_B), (&k, &odd_multiples(opposite))]);
        sum.is_some_and(|sum| signature.fits(&sum))
    }

    /// The key with its table, which pays off from the second or third verification on. `None` unless [`Self::is_point`].
    pub fn prepare(&self, base: &Rc<BasePoint>) -> Option<PreparedKey> {
        let opposite = Comb::new(self.opposite()?);
        Some(PreparedKey { encoded: self.encoded, opposite, base: Rc::clone(base) })
    }

    fn opposite(&self) -> Option<&Affine> {
        let find = || {
            let (y, x_is_odd) = decode(&self.encoded)?;
            Affine::with_y(&y, x_is_odd).map(|point| point.opposite())
        };
        self.opposite.get_or_init(find).as_ref()
    }
}

/// The table of the base point that all prepared keys share: 14 KB.
#[derive(Debug)]
pub struct BasePoint(Comb<Completed>);

impl BasePoint {
    /// Builds the table.
    #[expect(clippy::new_without_default, reason = "it costs as much as five verifications")]
    pub fn new() -> Self {
        Self(Comb::new(&B))
    }
}

/// A public key with a table of 14 KB: a third of the time of [`PublicKey::verify`].
#[derive(Clone, Debug)]
pub struct PreparedKey {
    encoded: [u8; 32],
    opposite: Comb<Completed>,
    base: Rc<BasePoint>,
}

impl PreparedKey {
    /// As [`PublicKey::verify`], with the same answer.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        Signature::new(signature).is_some_and(|signature| {
            let k = signature.challenge(&self.encoded, message);
            signature.fits(&Comb::sum([(&signature.s, &self.base.0), (&k, &self.opposite)]))
        })
    }
}

/// y, and whether x is odd (RFC 8032 5.1.3 step 1).
fn decode(bytes: &[u8; 32]) -> Option<(Field, bool)> {
    let mut y = *bytes;
    let x_is_odd = y[31] >> 7 == 1;
    y[31] &= 0x7f;
    Field::from_le_bytes(&y).map(|y| (y, x_is_odd))
}

/// A signature with S below the order.
struct Signature {
    r: [u8; 32],
    s: Limbs,
}

impl Signature {
    fn new(signature: &[u8; 64]) -> Option<Self> {
        let (r, s) = signature.split_first_chunk()?;
        let s = from_le_bytes(s.first_chunk()?);
        less(&s, &L.value).then_some(Self { r: *r, s })
    }

    /// SHA-512(R, A, M) modulo the order (RFC 8032 5.1.7 step 2).
    fn challenge(&self, key: &[u8; 32], message: &[u8]) -> Limbs {
        /// R modulo the order, and R·2^256: the factors that turn the halves of the hash into residues.
        const LOW: Limbs = L.to_montgomery(&[1, 0, 0, 0, 0, 0, 0, 0, 0]);
        const HIGH: Limbs = L.to_montgomery(&[0, 0, 0, 0, 0, 0, 0, 0, 1 << 24]);
        let hash: [u8; 64] =
            Sha512::new().chain_update(self.r).chain_update(key).chain_update(message).finalize().into();
        let (low, high) = hash.split_first_chunk().unwrap_or((&[0; 32], &[]));
        let high = high.first_chunk().unwrap_or(&[0; 32]);
        L.sum(&L.montgomery(&from_le_bytes(low), &LOW), &L.montgomery(&from_le_bytes(high), &HIGH))
    }

    /// Whether S·B - k·A is R, byte for byte: then R is the only encoding of a point.
    fn fits(&self, sum: &Completed) -> bool {
        let (x, y) = sum.coordinates();
        let mut encoded = y.to_le_bytes();
        encoded[31] |= u8::from(x.is_odd()) << 7;
        encoded == self.r && !has_small_order(&y)
    }
}

fn from_le_bytes(bytes: &[u8; 32]) -> Limbs {
    let mut reversed = *bytes;
    reversed.reverse();
    from_be_bytes(&reversed)
}

/// P, 3P, 5P, ... 15P.
const fn odd_multiples(point: &Affine) -> [Affine; 8] {
    let mut multiples = [Completed::from_affine(point); 16];
    let mut odd = [Completed::from_affine(point); 8];
    let mut i = 1;
    while i < 8 {
        // multiples[i] is (i + 1)·P.
        multiples[2 * i - 1] = multiples[i - 1].double();
        multiples[2 * i] = multiples[2 * i - 1].plus(point);
        odd[i] = multiples[2 * i];
        i += 1;
    }
    let mut affine = [Affine::ZERO; 8];
    normalize(&odd, &mut affine);
    affine
}

#[cfg(test)]
mod tests {
    use super::{BasePoint, KeyError, L, PublicKey};
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use ed25519_dalek::{Signature, VerifyingKey};
    use proptest::prelude::Rng;
    use proptest::test_runner::{RngAlgorithm, TestRng};
    use sha2::{Digest, Sha512};
    use std::rc::Rc;

    fn bytes<const N: usize>(rng: &mut TestRng) -> [u8; N] {
        let mut bytes = [0; N];
        rng.fill_bytes(&mut bytes);
        bytes
    }

    fn scalar(rng: &mut TestRng) -> Scalar {
        Scalar::from_bytes_mod_order(bytes(rng))
    }

    fn point(scalar: Scalar) -> EdwardsPoint {
        ED25519_BASEPOINT_POINT * scalar
    }

    fn signature(r: [u8; 32], s: [u8; 32]) -> [u8; 64] {
        [r, s].concat().try_into().unwrap()
    }

    fn challenge(r: &[u8; 32], key: &[u8; 32], message: &[u8]) -> Scalar {
        Scalar::from_hash(Sha512::new().chain_update(r).chain_update(key).chain_update(message))
    }

    /// Whether a little-endian y is p or more, without its sign bit.
    fn is_above(key: &[u8; 32]) -> bool {
        key[0] >= 0xed && key[1..31].iter().all(|&byte| byte == 0xff) && key[31] & 0x7f == 0x7f
    }

    /// The verdict, which must be the same for all three.
    fn verdict(base: &Rc<BasePoint>, key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
        let oracle = VerifyingKey::from_bytes(key)
            .is_ok_and(|key| key.verify_strict(message, &Signature::from_bytes(signature)).is_ok());
        let plain = PublicKey::from_bytes(key).ok();
        let prepared = plain.as_ref().and_then(|key| key.prepare(base));
        let context = || format!("key {key:02x?} message {message:02x?} signature {signature:02x?}");
        assert_eq!(plain.is_some_and(|key| key.verify(message, signature)), oracle, "plain, {}", context());
        assert_eq!(
            prepared.is_some_and(|key| key.verify(message, signature)),
            oracle,
            "prepared, {}",
            context()
        );
        oracle
    }

    #[test]
    fn agrees_with_dalek_on_signatures_and_mutations() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let base = Rc::new(BasePoint::new());
        for round in 0..150_usize {
            let secret = scalar(&mut rng);
            let key = point(secret).compress().to_bytes();
            let message = vec![7; round];
            let nonce = scalar(&mut rng);
            let r = point(nonce).compress().to_bytes();
            let s = nonce + challenge(&r, &key, &message) * secret;
            let good = signature(r, s.to_bytes());
            assert!(verdict(&base, &key, &message, &good));
            assert!(!verdict(&base, &key, &[&message[..], b"."].concat(), &good));
            for part in [0..32, 32..64] {
                let mut bad = good;
                bad[usize::try_from(rng.next_u32()).unwrap() % 32 + part.start] ^= 1 << (round % 8);
                assert!(!verdict(&base, &key, &message, &bad));
            }
            let mut bad = key;
            bad[round % 32] ^= 1 << (rng.next_u32() % 8);
            assert!(!verdict(&base, &bad, &message, &good));
            // The sign of R alone, and S with the order added.
            let mut bad = good;
            bad[31] ^= 0x80;
            assert!(!verdict(&base, &key, &message, &bad));
            let mut bad = good;
            let order = (-Scalar::ONE).to_bytes();
            let mut carry = 1;
            for (byte, order) in bad[32..].iter_mut().zip(order) {
                let sum = u16::from(*byte) + u16::from(order) + carry;
                (*byte, carry) = (u8::try_from(sum & 0xff).unwrap(), sum >> 8);
            }
            assert!(!verdict(&base, &key, &message, &bad));
        }
    }

    #[test]
    fn agrees_with_dalek_on_small_multiples() {
        let base = Rc::new(BasePoint::new());
        let numbers = [1_u64, 2, 3, 8, 15, 16, 17, 31, 32, 33, 255, 1 << 33, (1 << 33) + 1];
        let small = numbers.map(Scalar::from);
        for secret in small.into_iter().chain(small.map(|a| -a)) {
            let key = point(secret).compress().to_bytes();
            for nonce in [Scalar::ONE, -Scalar::ONE, secret, -secret, secret.invert()] {
                let r = point(nonce).compress().to_bytes();
                let k = challenge(&r, &key, b"");
                let s = nonce + k * secret;
                assert!(verdict(&base, &key, b"", &signature(r, s.to_bytes())));
                for s in [Scalar::ZERO, Scalar::ONE, -Scalar::ONE, nonce, k * secret] {
                    verdict(&base, &key, b"", &signature(r, s.to_bytes()));
                }
            }
        }
    }

    /// Keys and R with a part of small order: no cofactor, so each of the eight parts counts.
    #[test]
    fn agrees_with_dalek_on_torsion() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let base = Rc::new(BasePoint::new());
        let mut accepted = 0;
        for round in 0..12_u8 {
            let secret = scalar(&mut rng);
            for key_torsion in EIGHT_TORSION {
                let key = (point(secret) + key_torsion).compress().to_bytes();
                for r_torsion in EIGHT_TORSION {
                    let nonce = scalar(&mut rng);
                    let r = (point(nonce) + r_torsion).compress().to_bytes();
                    let s = nonce + challenge(&r, &key, &[round]) * secret;
                    accepted += u32::from(verdict(&base, &key, &[round], &signature(r, s.to_bytes())));
                }
            }
        }
        // 1 in 8, as R's torsion must be that of -k·A.
        assert!((60..140).contains(&accepted), "{accepted}");
    }

    /// y from 0 up and from p down, y of p or more, with both signs: all points of small order in all their encodings,
    /// and what looks like them.
    fn odd_encodings() -> Vec<[u8; 32]> {
        let mut encodings: Vec<[u8; 32]> =
            EIGHT_TORSION.iter().map(|point| point.compress().to_bytes()).collect();
        for low in 0..=255 {
            let mut above = [0xff; 32];
            (above[0], above[31]) = (low, 0x7f);
            let mut below = [0; 32];
            below[0] = low;
            encodings.extend([above, below]);
        }
        let flipped: Vec<_> = encodings
            .iter()
            .map(|encoding| {
                let mut flipped = *encoding;
                flipped[31] ^= 0x80;
                flipped
            })
            .collect();
        encodings.extend(flipped);
        encodings
    }

    #[test]
    fn refuses_odd_encodings_of_keys() {
        for key in odd_encodings() {
            let oracle = VerifyingKey::from_bytes(&key).ok().filter(|key| !key.is_weak());
            let ours = PublicKey::from_bytes(&key);
            assert_eq!(ours.as_ref().err() == Some(&KeyError::NotCanonical), is_above(&key), "{key:02x?}");
            let ours = ours.ok().filter(PublicKey::is_point);
            assert_eq!(ours.is_some(), oracle.is_some() && !is_above(&key), "{key:02x?}");
        }
    }

    #[test]
    fn agrees_with_dalek_on_odd_encodings_of_r() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let base = Rc::new(BasePoint::new());
        let secret = scalar(&mut rng);
        let key = point(secret).compress().to_bytes();
        for r in odd_encodings() {
            // Right but for R's small order: S·B - k·A is zero.
            let s = challenge(&r, &key, b"") * secret;
            assert!(!verdict(&base, &key, b"", &signature(r, s.to_bytes())));
        }
        for torsion in EIGHT_TORSION {
            // Keys of small order, for which k·A is predictable.
            let key = torsion.compress().to_bytes();
            assert_eq!(PublicKey::from_bytes(&key).err(), Some(KeyError::SmallOrder));
            for r in EIGHT_TORSION {
                assert!(!verdict(&base, &key, b"", &signature(r.compress().to_bytes(), [0; 32])));
            }
            let r = point(secret).compress().to_bytes();
            assert!(!verdict(&base, &key, b"", &signature(r, secret.to_bytes())));
        }
    }

    #[test]
    fn agrees_with_dalek_on_any_bytes() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        for _ in 0..500 {
            let key = bytes(&mut rng);
            let ours = PublicKey::from_bytes(&key).ok().filter(PublicKey::is_point);
            assert_eq!(ours.is_some(), VerifyingKey::from_bytes(&key).is_ok(), "{key:02x?}");
            assert!(!ours.is_some_and(|key| key.verify(b"", &bytes(&mut rng))));
        }
        let base = Rc::new(BasePoint::new());
        let key = point(scalar(&mut rng)).compress().to_bytes();
        let l_less_1 = (-Scalar::ONE).to_bytes();
        let mut l = l_less_1;
        l[0] += 1;
        let mut half = [0xff; 32];
        half[31] = 0x0f;
        for s in [[0; 32], [0xff; 32], l, l_less_1, half] {
            assert!(!verdict(&base, &key, b"", &signature(key, s)));
        }
        assert_eq!(L.value, super::from_le_bytes(&l));
    }
}
