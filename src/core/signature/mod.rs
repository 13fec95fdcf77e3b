//! Step 8: whether a signature is that of a key. The key decides which algorithms are possible (RFC 8725
//! 3.1); an algorithm that does not fit is rejected before anything is computed.

pub mod alg;
mod hmac;
mod rsa;
mod ecdsa;
mod eddsa;
mod ml_dsa;
pub mod certificate;
mod cost;
mod in_use;
#[cfg(test)]
mod examples;
mod verified;

pub use verified::{NotVerified, VerifiedToken, verify_with_any};

use std::fmt;

use alg::{Alg, Crv, Kty, Scheme};

use crate::core::limits::{MAX_RSA_BITS, MAX_RSA_EXPONENT, MIN_RSA_BITS};

/// A key that signatures are verified with. Made only of material that is strong enough.
///
/// Making one is cheap: what a signature needs beyond the checks is computed with the first one.
pub struct VerifyingKey(Family);

enum Family {
    Hmac(hmac::HmacKey),
    Rsa(rsa::RsaKey),
    Ecdsa(ecdsa::EcdsaKey),
    Ed25519(eddsa::Ed25519Key),
    MlDsa(ml_dsa::MlDsaKey),
}

/// Why key material is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// A secret shorter than the hash of HS256 (RFC 7518 3.2).
    SecretTooShort {
        /// Its length.
        bytes: usize,
    },
    /// An RSA modulus outside the accepted sizes (RFC 7518 3.3 and 3.5).
    RsaModulusSize {
        /// Its size.
        bits: usize,
    },
    /// An RSA modulus that is not a product of odd primes.
    RsaModulusEven,
    /// An RSA exponent that is even or 1.
    RsaExponent,
    /// An RSA exponent above [`MAX_RSA_EXPONENT`].
    RsaExponentTooLarge,
    /// A coordinate that does not have the full length (RFC 7518 6.2.1.2).
    CoordinateLength {
        /// The curve.
        crv: Crv,
        /// Name of the coordinate.
        member: &'static str,
        /// Its length.
        bytes: usize,
    },
    /// Bytes that do not encode a point (SEC 1 2.3.3).
    PointEncoding {
        /// The curve.
        crv: Crv,
    },
    /// Coordinates that do not satisfy the equation of the curve (RFC 8725 3.4).
    NotOnCurve {
        /// The curve.
        crv: Crv,
    },
    /// An Ed25519 key that does not have 32 bytes (RFC 8037 2).
    Ed25519Length {
        /// Its length.
        bytes: usize,
    },
    /// An Ed25519 key whose y is not reduced (RFC 8032 5.1.3).
    Ed25519NotCanonical,
    /// A key for ML-DSA whose `alg` is not one of ML-DSA.
    NotAnMlDsaAlg,
    /// An ML-DSA key that does not have the length of its algorithm (FIPS 204, table 2).
    MlDsaLength {
        /// Length in bytes.
        expected: usize,
        /// Length in bytes.
        bytes: usize,
    },
}

/// Why a signature is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The algorithm is not one of the key's.
    AlgDoesNotFitKey,
    /// Not the length that the algorithm and the key give it; for ECDSA usually DER.
    Length {
        /// Length in bytes.
        expected: usize,
        /// Length in bytes.
        found: usize,
    },
    /// An RSA signature that is not below the modulus (RFC 8017 5.2.2).
    OutOfRange,
    /// Not the signature of this input by this key.
    Mismatch,
    /// The key is not a point of its curve, or has small order.
    KeyUnusable,
}

/// Whether `signature` is the signature of `signing_input` by `key` with `alg` (RFC 7515 5.2, step 8).
///
/// # Errors
/// See [`SignatureError`]. It returns for all bytes.
pub fn verify(
    key: &VerifyingKey,
    alg: Alg,
    signing_input: &[u8],
    signature: &[u8],
) -> Result<(), SignatureError> {
    if !key.supports(alg) {
        return Err(SignatureError::AlgDoesNotFitKey);
    }
    match (&key.0, alg.scheme()) {
        (Family::Hmac(key), Scheme::Hmac) => key.verify(alg.hash(), signing_input, signature),
        (Family::Rsa(key), Scheme::RsaPkcs1) => key.verify_pkcs1(alg.hash(), signing_input, signature),
        (Family::Rsa(key), Scheme::RsaPss) => key.verify_pss(alg.hash(), signing_input, signature),
        (Family::Ecdsa(key), Scheme::Ecdsa) => key.verify(alg.hash(), signing_input, signature),
        (Family::Ed25519(key), Scheme::Ed25519) => key.verify(signing_input, signature),
        (Family::MlDsa(key), Scheme::MlDsa) => key.verify(signing_input, signature),
        (
            Family::Hmac(_) | Family::Rsa(_) | Family::Ecdsa(_) | Family::Ed25519(_) | Family::MlDsa(_),
            Scheme::Hmac
            | Scheme::RsaPkcs1
            | Scheme::RsaPss
            | Scheme::Ecdsa
            | Scheme::Ed25519
            | Scheme::MlDsa,
        ) => Err(SignatureError::AlgDoesNotFitKey),
    }
}

impl VerifyingKey {
    /// An HMAC secret of 32 bytes or more. It serves the algorithms whose hash is not longer (RFC 7518 3.2).
    ///
    /// # Errors
    /// [`KeyError::SecretTooShort`].
    pub fn hmac(secret: &[u8]) -> Result<Self, KeyError> {
        hmac::HmacKey::new(secret).map(|key| Self(Family::Hmac(key)))
    }

    /// An RSA key of 2048 to 8192 bits with an odd exponent of 3 to 65537; `n` and `e` are big-endian.
    ///
    /// # Errors
    /// `RsaModulusSize`, `RsaModulusEven`, `RsaExponent`, `RsaExponentTooLarge`.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        rsa::RsaKey::new(n, e).map(|key| Self(Family::Rsa(key)))
    }

    /// A point of P-256, P-384, P-521 or secp256k1 by its coordinates, big-endian and of full length.
    ///
    /// # Errors
    /// `CoordinateLength`, `NotOnCurve`.
    pub fn ec(crv: Crv, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        ecdsa::EcdsaKey::from_coordinates(crv, x, y).map(|key| Self(Family::Ecdsa(key)))
    }

    /// A point of P-256, P-384, P-521 or secp256k1 as in SEC 1 2.3.3, compressed or not.
    ///
    /// # Errors
    /// `PointEncoding`, `NotOnCurve`.
    pub fn ec_sec1(crv: Crv, point: &[u8]) -> Result<Self, KeyError> {
        ecdsa::EcdsaKey::from_sec1(crv, point).map(|key| Self(Family::Ecdsa(key)))
    }

    /// An Ed25519 public key of 32 bytes (RFC 8032 5.1.5).
    ///
    /// # Errors
    /// `Ed25519Length`, `Ed25519NotCanonical`.
    pub fn ed25519(encoded: &[u8]) -> Result<Self, KeyError> {
        eddsa::Ed25519Key::new(encoded).map(|key| Self(Family::Ed25519(key)))
    }

    /// An ML-DSA public key (FIPS 204 7.2) for `alg`, one of ML-DSA.
    ///
    /// # Errors
    /// `NotAnMlDsaAlg`, `MlDsaLength`.
    pub fn ml_dsa(alg: Alg, encoded: &[u8]) -> Result<Self, KeyError> {
        ml_dsa::MlDsaKey::new(alg, encoded).map(|key| Self(Family::MlDsa(key)))
    }

    /// Whether signatures with `alg` can be verified with this key: kty and crv fit, a secret is long enough.
    pub fn supports(&self, alg: Alg) -> bool {
        match &self.0 {
            Family::Hmac(key) => alg.kty() == Kty::Oct && key.is_long_enough_for(alg.hash()),
            Family::Rsa(_) => alg.kty() == Kty::Rsa,
            Family::Ecdsa(key) => alg.crv() == Some(key.crv()),
            Family::Ed25519(_) => alg.crv() == Some(Crv::Ed25519),
            Family::MlDsa(key) => alg == key.alg(),
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Family::Hmac(key) => write!(f, "oct of {} bytes", key.bytes()),
            Family::Rsa(key) => write!(f, "RSA of {} bits", key.bits()),
            Family::Ecdsa(key) => write!(f, "EC on {}", key.crv().name()),
            Family::Ed25519(_) => f.write_str("OKP on Ed25519"),
            Family::MlDsa(key) => write!(f, "AKP for {}", key.alg()),
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SecretTooShort { bytes } => {
                write!(
                    f,
                    "the secret has {bytes} bytes, HS256 needs 32, HS384 48, HS512 64; make one with openssl rand \
                     -base64 48"
                )
            }
            Self::RsaModulusSize { bits } => {
                write!(f, "the RSA modulus n has {bits} bits, expected {MIN_RSA_BITS} to {MAX_RSA_BITS}")
            }
            Self::RsaModulusEven => f.write_str("the RSA modulus n is even"),
            Self::RsaExponent => f.write_str("the RSA exponent e must be odd and 3 or more"),
            Self::RsaExponentTooLarge => write!(
                f,
                "the RSA exponent e is above {MAX_RSA_EXPONENT}, and each bit of it makes forged tokens cost more"
            ),
            Self::CoordinateLength { crv, member, bytes } => {
                let expected = crv.coordinate_bytes();
                write!(f, "coordinate {member} has {bytes} bytes, {} needs {expected}", crv.name())
            }
            Self::PointEncoding { crv } => write!(f, "the key does not encode a point of {}", crv.name()),
            Self::NotOnCurve { crv } => write!(f, "x and y are no point of {}", crv.name()),
            Self::Ed25519Length { bytes } => write!(f, "the Ed25519 key has {bytes} bytes, expected 32"),
            Self::Ed25519NotCanonical => {
                f.write_str("the Ed25519 key is not the canonical encoding of a point")
            }
            Self::NotAnMlDsaAlg => f.write_str("alg is not ML-DSA-44, ML-DSA-65 or ML-DSA-87"),
            Self::MlDsaLength { expected, bytes } => {
                write!(f, "the ML-DSA key has {bytes} bytes, expected {expected}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::alg::{Alg, Crv};
    use super::examples::{EXAMPLES, Example, example, p384};
    use super::{SignatureError, VerifyingKey, verify};
    use proptest::prelude::*;

    #[test]
    fn the_key_decides_the_algorithms_rfc_8725_3_1_rfc_8037_3_1_rfc_9864() {
        use Alg::{Ed25519, EdDsa, Es256, Es384, Es512, Hs256, Hs384, Hs512};
        use Alg::{Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        for (key, algs) in [
            (VerifyingKey::hmac(&[7; 32]).unwrap(), &[Hs256][..]),
            (VerifyingKey::hmac(&[7; 40]).unwrap(), &[Hs256]),
            (VerifyingKey::hmac(&[7; 48]).unwrap(), &[Hs256, Hs384]),
            (VerifyingKey::hmac(&[7; 64]).unwrap(), &[Hs256, Hs384, Hs512]),
            (example("RFC 7515 A.2").key, &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512]),
            (example("RFC 7515 A.3").key, &[Es256]),
            (p384(), &[Es384]),
            (example("RFC 7515 A.4").key, &[Es512]),
            (example("RFC 8037 A.4").key, &[EdDsa, Ed25519]),
        ] {
            for alg in Alg::ALL {
                assert_eq!(key.supports(alg), algs.contains(&alg), "{key:?} {alg}");
                let refused = verify(&key, alg, b"", b"") == Err(SignatureError::AlgDoesNotFitKey);
                assert_eq!(refused, !algs.contains(&alg), "{key:?} {alg}");
            }
        }
    }

    #[test]
    fn an_rsa_key_is_no_hmac_secret_rfc_8725_2_1() {
        // The classic confusion: HS256 over the public key's text. The key does not serve it at all.
        let Example { key, input, .. } = example("RFC 7515 A.2");
        for alg in [Alg::Hs256, Alg::Hs384, Alg::Hs512] {
            assert_eq!(verify(&key, alg, &input, &[0; 32]), Err(SignatureError::AlgDoesNotFitKey));
        }
    }

    #[test]
    fn signatures_have_one_length_rfc_7518_3_and_rfc_8037_3_1() {
        for name in EXAMPLES {
            let example = example(name);
            assert_eq!(example.verdict(&example.signature), Ok(()), "{name}");
            let expected = example.alg.signature_bytes().unwrap_or(256);
            for found in [0, 1, 31, 63, 65, 70, 95, 131, 133, 255, 257, 4096] {
                let signature: Vec<u8> = example.signature.iter().copied().cycle().take(found).collect();
                let error = match example.alg.is_hmac() {
                    true => SignatureError::Mismatch,
                    false => SignatureError::Length { expected, found },
                };
                assert_eq!(example.verdict(&signature), Err(error), "{name} {found}");
            }
            // The same number with a leading zero, or without its first byte.
            assert!(example.verdict(&[&[0], &example.signature[..]].concat()).is_err(), "{name}");
            assert!(example.verdict(&example.signature[1..]).is_err(), "{name}");
        }
    }

    #[test]
    fn each_bit_counts() {
        for name in EXAMPLES {
            let example = example(name);
            for at in (0..example.signature.len()).step_by(7) {
                let mut signature = example.signature.clone();
                signature[at] ^= 0x10;
                assert!(example.verdict(&signature).is_err(), "{name} {at}");
            }
        }
    }

    #[test]
    fn debug_prints_type_and_size_only() {
        let printed: Vec<String> =
            EXAMPLES.into_iter().map(|name| format!("{:?}", example(name).key)).collect();
        let expected = [
            "oct of 64 bytes",
            "RSA of 2048 bits",
            "EC on P-256",
            "EC on P-521",
            "RSA of 2048 bits",
            "EC on P-521",
            "OKP on Ed25519",
        ];
        assert_eq!(printed, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        #[test]
        fn random_bytes_are_never_a_signature(
            which in 0..EXAMPLES.len(),
            input in prop::collection::vec(any::<u8>(), 0..64),
            seed in prop::collection::vec(any::<u8>(), 1..80),
            length in prop_oneof![Just(32), Just(64), Just(132), Just(256), 0..300_usize],
        ) {
            thread_local! {
                static KEYS: Vec<Example> = EXAMPLES.into_iter().map(example).collect();
            }
            let signature: Vec<u8> = seed.iter().copied().cycle().take(length).collect();
            KEYS.with(|keys| {
                let Example { key, alg, .. } = &keys[which];
                prop_assert!(verify(key, *alg, &input, &signature).is_err());
                Ok(())
            })?;
        }

        #[test]
        fn random_material_is_a_key_or_an_error(
            a in prop::collection::vec(any::<u8>(), 0..300),
            b in prop::collection::vec(any::<u8>(), 0..70),
            signature in prop::collection::vec(any::<u8>(), 64),
        ) {
            let keys = [
                VerifyingKey::hmac(&a),
                VerifyingKey::rsa(&a, &b),
                VerifyingKey::ec(Crv::P256, &a, &b),
                VerifyingKey::ec_sec1(Crv::P521, &a),
                VerifyingKey::ed25519(b.get(..32).unwrap_or(&b)),
            ];
            for key in keys.into_iter().flatten() {
                for alg in [Alg::Hs256, Alg::Es256, Alg::EdDsa] {
                    prop_assert!(verify(&key, alg, &b, &signature).is_err());
                }
            }
        }
    }
}
