//! Step 8: whether a signature is that of a key. The key decides which algorithms come into question (RFC 8725
//! 3.1); an algorithm that does not fit it is refused before anything is computed.

pub mod alg;
mod hmac;
mod rsa;
mod ecdsa;
mod eddsa;
mod verified;

pub use verified::{VerifiedToken, verify_with_any};

use crate::core::limits::{MAX_RSA_BITS, MAX_RSA_EXPONENT_BITS, MIN_RSA_BITS};
use alg::{Alg, Crv, Kty, Scheme};
use std::fmt;

/// A key that signatures are verified with. Made only of material that is strong enough.
///
/// Making one is cheap: what a signature needs beyond the checks is computed with the first one.
pub struct VerifyingKey(Family);

enum Family {
    Hmac(hmac::HmacKey),
    Rsa(rsa::RsaKey),
    Ecdsa(ecdsa::EcdsaKey),
    Ed25519(eddsa::Ed25519Key),
}

/// Why material is not a key that this project uses.
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
    /// An RSA modulus that is no product of odd primes.
    RsaModulusEven,
    /// An RSA exponent that is even, 1 or too large.
    RsaExponent,
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
    /// A number in the signature is zero or not below its modulus.
    OutOfRange,
    /// Not the signature of this input by this key.
    Mismatch,
    /// The key is no point of its curve, or one of small order.
    KeyUnusable,
}

/// Whether `signature` is the signature of `signing_input` by `key` with `alg` (RFC 7515 5.2, step 8).
///
/// # Errors
/// See [`SignatureError`]. Whatever the bytes are, this returns.
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
        (
            Family::Hmac(_) | Family::Rsa(_) | Family::Ecdsa(_) | Family::Ed25519(_),
            Scheme::Hmac | Scheme::RsaPkcs1 | Scheme::RsaPss | Scheme::Ecdsa | Scheme::Ed25519,
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

    /// An RSA key of 2048 to 8192 bits with an odd exponent of 3 or more; `n` and `e` are big-endian.
    ///
    /// # Errors
    /// `RsaModulusSize`, `RsaModulusEven`, `RsaExponent`.
    pub fn rsa(n: &[u8], e: &[u8]) -> Result<Self, KeyError> {
        rsa::RsaKey::new(n, e).map(|key| Self(Family::Rsa(key)))
    }

    /// A point of P-256, P-384 or P-521 by its coordinates, big-endian and of full length.
    ///
    /// # Errors
    /// `CoordinateLength`, `NotOnCurve`.
    pub fn ec(crv: Crv, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        ecdsa::EcdsaKey::from_coordinates(crv, x, y).map(|key| Self(Family::Ecdsa(key)))
    }

    /// A point of P-256, P-384 or P-521 as in SEC 1 2.3.3, compressed or not.
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

    /// Whether signatures with `alg` can be verified with this key: kty and crv fit, a secret is long enough.
    #[must_use]
    pub fn supports(&self, alg: Alg) -> bool {
        match &self.0 {
            Family::Hmac(key) => alg.kty() == Kty::Oct && key.is_long_enough_for(alg.hash()),
            Family::Rsa(_) => alg.kty() == Kty::Rsa,
            Family::Ecdsa(key) => alg.crv() == Some(key.crv()),
            Family::Ed25519(_) => alg.crv() == Some(Crv::Ed25519),
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
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::SecretTooShort { bytes } => {
                write!(f, "the secret has {bytes} bytes, HS256 needs 32, HS384 48, HS512 64")
            }
            Self::RsaModulusSize { bits } => {
                write!(f, "the RSA modulus n has {bits} bits, expected {MIN_RSA_BITS} to {MAX_RSA_BITS}")
            }
            Self::RsaModulusEven => f.write_str("the RSA modulus n is even"),
            Self::RsaExponent => {
                write!(
                    f,
                    "the RSA exponent e must be odd, 3 or more and at most {MAX_RSA_EXPONENT_BITS} bits long"
                )
            }
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
        }
    }
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::AlgDoesNotFitKey => f.write_str("the algorithm does not fit the key"),
            Self::Length { expected, found } => {
                write!(f, "the signature has {found} bytes, expected {expected}")
            }
            Self::OutOfRange => f.write_str("a number in the signature is zero or too large"),
            Self::Mismatch => f.write_str("the signature is not that of the key"),
            Self::KeyUnusable => f.write_str("the key is no usable point of its curve"),
        }
    }
}
