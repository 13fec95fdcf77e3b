//! Ed25519 (RFC 8037 3.1, RFC 8032 5.1.7), strictly: S below the order, canonical encodings of A and R, neither
//! of small order. So one signature has one encoding, and no key accepts one signature for every message.

use std::cell::OnceCell;
use std::rc::Rc;

use arithmetic::ed25519::{self, BasePoint, PreparedKey, PublicKey};

use super::in_use::InUse;
use super::{KeyError, SignatureError};
use crate::core::limits::MAX_TABLES_OF_A_CURVE;

/// The encoded point A.
pub(super) struct Ed25519Key {
    /// `None` if its order is small. Whether y has an x costs a square root, so it waits for the first signature.
    point: Option<PublicKey>,
    table: InUse<PreparedKey>,
}

thread_local! {
    /// The same for all keys, so made once.
    static BASE_POINT: OnceCell<Rc<BasePoint>> = const { OnceCell::new() };
}

impl Ed25519Key {
    /// Refuses a wrong length and a y that is not reduced. Whether y has an x is found at the first signature.
    #[inline(never)]
    pub(super) fn new(encoded: &[u8]) -> Result<Self, KeyError> {
        let bytes = encoded.len();
        let encoded: [u8; 32] = encoded.try_into().map_err(|_| KeyError::Ed25519Length { bytes })?;
        let point = match PublicKey::from_bytes(&encoded) {
            Ok(point) => Some(point),
            Err(ed25519::KeyError::SmallOrder) => None,
            Err(ed25519::KeyError::NotCanonical) => return Err(KeyError::Ed25519NotCanonical),
        };
        Ok(Self { point, table: InUse::default() })
    }

    /// `signature` is R and S (RFC 8037 3.1).
    #[inline(never)]
    pub(super) fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let found = signature.len();
        let signature: &[u8; 64] =
            signature.try_into().map_err(|_| SignatureError::Length { expected: 64, found })?;
        let point =
            self.point.as_ref().filter(|point| point.is_point()).ok_or(SignatureError::KeyUnusable)?;
        let make = || {
            let base = BASE_POINT.with(|made| Rc::clone(made.get_or_init(|| Rc::new(BasePoint::new()))));
            // Every table holds on to the base point's.
            if Rc::strong_count(&base) <= MAX_TABLES_OF_A_CURVE.saturating_add(1) {
                point.prepare(&base)
            } else {
                None
            }
        };
        let holds = match self.table.get_or_make(make) {
            Some(table) => table.verify(signing_input, signature),
            None => point.verify(signing_input, signature),
        };
        if holds { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

#[cfg(test)]
mod tests {
    use crate::core::signature::alg::Alg;
    use crate::core::signature::examples::{example, hex};
    use crate::core::signature::{KeyError, SignatureError, VerifyingKey, verify};

    /// All encodings of points whose order divides 8, canonical or not.
    const SMALL_ORDER: [&str; 14] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ];

    #[test]
    fn ed25519_is_strict_about_small_orders_rfc_8037() {
        let example = example("RFC 8037 A.4");
        for (index, point) in SMALL_ORDER.into_iter().enumerate() {
            let point = hex(point);
            // As R, with S = 0: for a key of small order this would be a signature of everything.
            let signature = [&point[..], &[0; 32]].concat();
            assert_eq!(example.verdict(&signature), Err(SignatureError::Mismatch), "R {index}");
            match VerifyingKey::ed25519(&point) {
                Ok(key) => {
                    let verdict = verify(&key, Alg::EdDsa, &example.input, &signature);
                    assert_eq!(verdict, Err(SignatureError::KeyUnusable), "A {index}");
                }
                Err(error) => {
                    assert_eq!((error, index >= 10), (KeyError::Ed25519NotCanonical, true), "A {index}")
                }
            }
        }
    }

    #[test]
    fn ed25519_is_strict_about_encodings_rfc_8032_5_1() {
        let example = example("RFC 8037 A.4");
        // S + L, the same value modulo the order L.
        let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
        let mut carry = 0;
        let mut plus_order = example.signature.clone();
        for (s, l) in plus_order[32..].iter_mut().zip(&order) {
            let sum = u16::from(*s) + u16::from(*l) + carry;
            *s = u8::try_from(sum & 0xff).unwrap();
            carry = sum >> 8;
        }
        assert_eq!(example.verdict(&plus_order), Err(SignatureError::Mismatch));
        for (key, expected) in [
            (vec![7; 31], Err(KeyError::Ed25519Length { bytes: 31 })),
            (vec![7; 33], Err(KeyError::Ed25519Length { bytes: 33 })),
            (vec![], Err(KeyError::Ed25519Length { bytes: 0 })),
            // y = 2^255 - 1, with either sign; p - 1 is the largest.
            ([vec![0xff; 31], vec![0x7f]].concat(), Err(KeyError::Ed25519NotCanonical)),
            (vec![0xff; 32], Err(KeyError::Ed25519NotCanonical)),
            ([vec![0xec], vec![0xff; 30], vec![0x7f]].concat(), Ok(())),
            (vec![7; 32], Ok(())),
        ] {
            assert_eq!(VerifyingKey::ed25519(&key).map(|_| ()), expected, "{key:x?}");
        }
        // y = 2 belongs to no point.
        let key = VerifyingKey::ed25519(&[&[2], &[0; 31][..]].concat()).unwrap();
        let verdict = verify(&key, Alg::EdDsa, &example.input, &example.signature);
        assert_eq!(verdict, Err(SignatureError::KeyUnusable));
    }
}
