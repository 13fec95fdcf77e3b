//! `s^e mod n`, the public operation of RSA (RFC 8017 5.2.2, RSAVP1), by squaring along the bits of e from its head
//! (Knuth, The Art of Computer Programming, volume 2, 4.6.3). It does not check the padding.
//!
//! Every value here is public: time depends on all of them.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "shifts of a u32 below 32; bits of e are 2 to 17, because e is 3 to 65537"
)]

mod limits;
mod montgomery;

use std::cell::OnceCell;
use std::cmp::Ordering;

pub use limits::{MAX_RSA_BITS, MAX_RSA_EXPONENT, MIN_RSA_BITS};
use montgomery::{Modulus, Number, Work};

/// Why two numbers are rejected as a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// A modulus outside [`MIN_RSA_BITS`] to [`MAX_RSA_BITS`].
    ModulusSize {
        /// Its size.
        bits: usize,
    },
    /// A modulus that is not a product of odd primes.
    ModulusEven,
    /// An exponent that is even or 1.
    Exponent,
    /// An exponent above [`MAX_RSA_EXPONENT`].
    ExponentTooLarge,
}

/// Why bytes are not a signature with the key for any message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// Not as long as the modulus (RFC 8017 8.2.2 step 1): otherwise one signature would have several encodings.
    Length {
        /// Length in bytes.
        expected: usize,
        /// Length in bytes.
        found: usize,
    },
    /// Not below the modulus (RFC 8017 5.2.2 step 1), for the same reason.
    OutOfRange,
}

/// An RSA public key (RFC 8017 3.1), made in about a microsecond; the first use adds the constants of the modulus.
#[derive(Clone, Debug)]
pub struct RsaPublicKey {
    modulus: Modulus,
    exponent: u32,
    /// R² mod n, computed at first use: it costs as much as a verification.
    r_squared: OnceCell<Number>,
}

impl RsaPublicKey {
    /// A key from big-endian modulus and exponent; leading zero bytes are allowed.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let (n, e) = (strip_zeros(modulus), strip_zeros(exponent));
        let bits = bit_length(n);
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
            return Err(KeyError::ModulusSize { bits });
        }
        if !is_odd(n) {
            return Err(KeyError::ModulusEven);
        }
        // With 1, every message would be its own signature; an even e has no inverse.
        if !is_odd(e) || e == [1] {
            return Err(KeyError::Exponent);
        }
        let exponent =
            e.iter().try_fold(0_u32, |value, byte| value.checked_mul(256)?.checked_add((*byte).into()));
        let exponent =
            exponent.filter(|value| *value <= MAX_RSA_EXPONENT).ok_or(KeyError::ExponentTooLarge)?;
        Ok(Self { modulus: Modulus::new(n, bits), exponent, r_squared: OnceCell::new() })
    }

    /// Length of the modulus in bits.
    pub fn bits(&self) -> usize {
        self.modulus.bits
    }

    /// Length of the modulus, and of every signature, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.modulus.bits.div_ceil(8)
    }

    /// The encoded message `signature^e mod n`, big-endian, [`Self::size_bytes`] long.
    ///
    /// # Errors
    /// See [`SignatureError`].
    pub fn recover(&self, signature: &[u8]) -> Result<Vec<u8>, SignatureError> {
        let n = &self.modulus;
        let (expected, found) = (self.size_bytes(), signature.len());
        if found != expected {
            return Err(SignatureError::Length { expected, found });
        }
        let signature = Number::from_bytes(signature, n.limbs);
        if signature.compare(&n.value) != Ordering::Less {
            return Err(SignatureError::OutOfRange);
        }
        let r_squared = self.r_squared.get_or_init(|| n.r_squared());
        let mut work = Work::new(n.limbs);
        let base = work.product(n, &signature, r_squared);
        let mut power = base.clone();
        // The bits of e below its head bit, the last one (always set) apart: its factor is the plain signature, which
        // also takes R out of the result.
        let bits = u32::BITS - self.exponent.leading_zeros();
        for bit in (1..bits - 1).rev() {
            power = work.square(n, &power);
            if self.exponent >> bit & 1 == 1 {
                power = work.product(n, &power, &base);
            }
        }
        power = work.square(n, &power);
        power = work.product(n, &power, &signature);
        power.subtract_once(&n.value);
        Ok(power.to_bytes(expected))
    }
}

fn strip_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// Bits of a big-endian number without leading zeros.
fn bit_length(bytes: &[u8]) -> usize {
    let unused = bytes.first().map_or(0, |first| first.leading_zeros());
    bytes.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or(0))
}

fn is_odd(bytes: &[u8]) -> bool {
    bytes.last().is_some_and(|last| last % 2 == 1)
}

#[cfg(test)]
mod tests {
    use super::{KeyError, RsaPublicKey, SignatureError};
    use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
    use crypto_bigint::{BoxedUint, Odd};
    use proptest::prelude::Rng;
    use proptest::test_runner::{RngAlgorithm, TestRng};

    fn rng() -> TestRng {
        TestRng::deterministic_rng(RngAlgorithm::ChaCha)
    }

    fn bytes(rng: &mut TestRng, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        rng.fill_bytes(&mut bytes);
        bytes
    }

    /// An odd number of exactly `bits` bits: random, all ones, or as few ones as possible.
    fn modulus(rng: &mut TestRng, bits: usize, kind: usize) -> Vec<u8> {
        let len = bits.div_ceil(8);
        let mut n = match kind % 4 {
            0 => vec![0xff; len],
            1 => vec![0; len],
            _ => bytes(rng, len),
        };
        let head = 1_u8 << ((bits - 1) % 8);
        n[0] = n[0] & (head - 1) | head;
        n[len - 1] |= 1;
        n
    }

    fn by_crate(n: &[u8], e: u32, s: &[u8]) -> Vec<u8> {
        let precision = u32::try_from(n.len() * 8).unwrap();
        let uint = |bytes| BoxedUint::from_be_slice(bytes, precision.next_multiple_of(64)).unwrap();
        let params = BoxedMontyParams::new_vartime(Odd::new(uint(n)).unwrap());
        let power = BoxedMontyForm::new(uint(s), &params).pow_bounded_exp(&BoxedUint::from(u64::from(e)), 32);
        let bytes = power.retrieve().to_be_bytes();
        bytes[bytes.len() - n.len()..].to_vec()
    }

    /// `n - k` for a small k.
    fn minus(n: &[u8], k: u8) -> Vec<u8> {
        let mut out = n.to_vec();
        let mut borrow = k;
        for byte in out.iter_mut().rev() {
            let (value, under) = byte.overflowing_sub(borrow);
            (*byte, borrow) = (value, u8::from(under));
        }
        out
    }

    fn agrees(n: &[u8], e: u32, s: &[u8]) {
        let key = RsaPublicKey::new(n, &e.to_be_bytes()).unwrap();
        for _ in 0..2 {
            assert_eq!(key.recover(s), Ok(by_crate(n, e, s)), "n {n:02x?} e {e} s {s:02x?}");
        }
    }

    #[test]
    fn recovers_as_crypto_bigint_does_at_edges() {
        let mut rng = rng();
        for (case, bits) in
            [2048, 2049, 2050, 2055, 2136, 3071, 3072, 4096, 4100, 8192].into_iter().enumerate()
        {
            for kind in 0..3 {
                let n = modulus(&mut rng, bits, kind);
                let e = [3, 65537, 5, 17, 65535][(case + kind) % 5];
                let mut zero = vec![0; n.len()];
                agrees(&n, e, &zero);
                zero[n.len() - 1] = 1;
                agrees(&n, e, &zero);
                agrees(&n, e, &minus(&n, 1));
                agrees(&n, e, &minus(&n, 2));
                // The head bit alone, and all ones below it.
                let mut s = vec![0; n.len()];
                s[0] = 1 << ((bits - 1) % 8);
                agrees(&n, e, &minus(&s, 1));
                assert_eq!(RsaPublicKey::new(&n, &[3]).unwrap().bits(), bits);
            }
        }
    }

    #[test]
    fn recovers_as_crypto_bigint_does_on_random_numbers() {
        let mut rng = rng();
        for case in 0..1_000 {
            let bits =
                2048 + usize::try_from(rng.next_u32() % if case % 50 == 0 { 6145 } else { 130 }).unwrap();
            let n = modulus(&mut rng, bits, case);
            let mut s = bytes(&mut rng, n.len());
            s[0] &= n[0] >> 1;
            // Runs of ones and zeros reach the extremes of the carries.
            if case % 3 == 0 {
                let at = usize::try_from(rng.next_u32()).unwrap() % 200;
                s[at + 1..at + 40].fill(if case % 2 == 0 { 0xff } else { 0 });
            }
            agrees(&n, [3, 65537][case % 2], &s);
        }
    }

    #[test]
    fn refuses_what_is_no_signature_of_the_key() {
        let n = modulus(&mut rng(), 2048, 2);
        let key = RsaPublicKey::new(&n, &[1, 0, 1]).unwrap();
        let mut above = n.clone();
        above[0] = 0xff;
        let length = |found| SignatureError::Length { expected: 256, found };
        for (s, error) in [
            (n.clone(), SignatureError::OutOfRange),
            (above, SignatureError::OutOfRange),
            (vec![0xff; 256], SignatureError::OutOfRange),
            (vec![1; 255], length(255)),
            (vec![0; 257], length(257)),
            (vec![], length(0)),
        ] {
            assert_eq!(key.recover(&s), Err(error));
        }
        assert_eq!(key.recover(&minus(&n, 1)).map(|m| m.len()), Ok(256));
    }

    /// If the length is not a whole number of bytes, the bytes of a signature can hold numbers above n.
    #[test]
    fn refuses_signatures_above_the_modulus_at_every_length() {
        let mut rng = rng();
        for bits in 2048..2400 {
            let n = modulus(&mut rng, bits, bits);
            let key = RsaPublicKey::new(&n, &[3]).unwrap();
            for bit in 0..8 {
                let mut s = bytes(&mut rng, n.len());
                s[0] = s[0] & n[0] | 1 << bit;
                assert_eq!(key.recover(&s).is_ok(), s < n, "{bits} bits, bit {bit}");
                s[0] = 1 << bit;
                s[1..].fill(0);
                assert_eq!(key.recover(&s).is_ok(), s < n, "{bits} bits, bit {bit} alone");
            }
        }
    }

    #[test]
    fn refuses_numbers_that_are_no_key() {
        let mut rng = rng();
        let n = modulus(&mut rng, 2048, 2);
        let padded = [&[0, 0], n.as_slice()].concat();
        let exponent = Some(KeyError::Exponent);
        let too_large = Some(KeyError::ExponentTooLarge);
        for (e, error) in [
            (&[3][..], None),
            (&[0, 0, 0, 0, 1, 0, 1], None),
            (&[1, 0, 3], too_large),
            (&[0xff, 0xff, 0xff, 0xff], too_large),
            (&[1, 0, 0, 0, 1], too_large),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 1], too_large),
            (&[1], exponent),
            (&[0, 1], exponent),
            (&[2], exponent),
            (&[1, 0, 0], exponent),
            (&[0], exponent),
            (&[], exponent),
        ] {
            assert_eq!(RsaPublicKey::new(&n, e).err(), error, "e {e:02x?}");
            assert_eq!(RsaPublicKey::new(&padded, e).err(), error, "e {e:02x?}");
        }
        assert_eq!(RsaPublicKey::new(&padded, &[3]).unwrap().size_bytes(), 256);
        for (bits, accepted) in
            [(8, false), (2047, false), (2048, true), (8192, true), (8193, false), (20_000, false)]
        {
            let n = modulus(&mut rng, bits, 2);
            let error = (!accepted).then_some(KeyError::ModulusSize { bits });
            assert_eq!(RsaPublicKey::new(&n, &[3]).err(), error, "{bits} bits");
        }
        let mut even = n.clone();
        even[255] &= 0xfe;
        assert_eq!(RsaPublicKey::new(&even, &[3]).err(), Some(KeyError::ModulusEven));
        for n in [&[][..], &[0], &[0; 300]] {
            assert_eq!(RsaPublicKey::new(n, &[3]).err(), Some(KeyError::ModulusSize { bits: 0 }));
        }
    }
}
