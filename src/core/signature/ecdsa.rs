//! ECDSA on P-256, P-384 and P-521 (RFC 7518 3.4) and on secp256k1 (RFC 8812 3). High S is accepted: JOSE does not forbid it.

use std::cell::OnceCell;
use std::rc::Rc;
use std::thread::LocalKey;

use arithmetic::curves::p256::P256;
use arithmetic::curves::p384::P384;
use arithmetic::curves::{p521, secp256k1};
use arithmetic::ecdsa::{Ecdsa, Generator, PreparedKey, PublicKey};

use super::alg::{Crv, Hash};
use super::in_use::InUse;
use super::{KeyError, SignatureError};
use crate::core::limits::MAX_TABLES_OF_A_CURVE;

/// A public point.
pub(super) struct EcdsaKey {
    crv: Crv,
    /// A compressed point costs a square root, so it waits for the first signature. `None`: not a point of the curve.
    point: OnceCell<Option<Point>>,
    /// Such a point (SEC 1 2.3.3), of the right length; empty for others.
    compressed: Vec<u8>,
}

enum Point {
    P256(Box<OwnKey<P256>>),
    P384(Box<OwnKey<P384>>),
    // Two without tables: few tokens use them.
    P521(p521::PublicKey),
    Secp256k1(secp256k1::PublicKey),
}

/// A point on a curve of our own arithmetic and, once it is in use, its table.
struct OwnKey<C: Ecdsa + 'static> {
    public: PublicKey<C>,
    table: InUse<PreparedKey<C>>,
    generator: &'static LocalKey<OnceCell<Rc<Generator<C>>>>,
}

thread_local! {
    // The same for all keys of a curve, so made once.
    static P256_GENERATOR: OnceCell<Rc<Generator<P256>>> = const { OnceCell::new() };
    static P384_GENERATOR: OnceCell<Rc<Generator<P384>>> = const { OnceCell::new() };
}

impl<C: Ecdsa> OwnKey<C> {
    fn new(public: PublicKey<C>, generator: &'static LocalKey<OnceCell<Rc<Generator<C>>>>) -> Box<Self> {
        Box::new(Self { public, table: InUse::default(), generator })
    }

    #[inline(never)]
    fn verify(&self, digest: &C::Bytes, r: &C::Bytes, s: &C::Bytes) -> bool {
        let make = || {
            let generator =
                self.generator.with(|made| Rc::clone(made.get_or_init(|| Rc::new(Generator::new()))));
            // Every table holds on to the generator's.
            (Rc::strong_count(&generator) <= MAX_TABLES_OF_A_CURVE.saturating_add(1))
                .then(|| self.public.prepare(&generator))
        };
        match self.table.get_or_make(make) {
            Some(table) => table.verify_prehash(digest, r, s),
            None => self.public.verify_prehash(digest, r, s),
        }
    }
}

impl EcdsaKey {
    /// The point (x, y): coordinates of full length (RFC 7518 6.2.1.2) that satisfy the equation of the curve
    /// (RFC 8725 3.4).
    pub(super) fn from_coordinates(crv: Crv, x: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        for (member, coordinate) in [("x", x), ("y", y)] {
            if coordinate.len() != crv.coordinate_bytes() {
                return Err(KeyError::CoordinateLength { crv, member, bytes: coordinate.len() });
            }
        }
        let point = point(crv, 4, x, y).ok_or(KeyError::NotOnCurve { crv })?;
        Ok(Self { crv, point: OnceCell::from(Some(point)), compressed: Vec::new() })
    }

    /// A point as in SEC 1 2.3.3. Whether a compressed x has a y is found at the first signature.
    pub(super) fn from_sec1(crv: Crv, sec1: &[u8]) -> Result<Self, KeyError> {
        let length = crv.coordinate_bytes();
        match sec1.split_first() {
            Some((4, xy)) if xy.len() == length.saturating_mul(2) => {
                let (x, y) = xy.split_at(length);
                Self::from_coordinates(crv, x, y)
            }
            Some((2 | 3, x)) if x.len() == length => {
                Ok(Self { crv, point: OnceCell::new(), compressed: sec1.to_vec() })
            }
            Some(_) | None => Err(KeyError::PointEncoding { crv }),
        }
    }

    pub(super) const fn crv(&self) -> Crv {
        self.crv
    }

    /// `signature` is r and s as fixed-length integers (RFC 7518 3.4), each in [1, n - 1].
    #[inline(never)]
    pub(super) fn verify(
        &self,
        hash: Hash,
        signing_input: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let expected = self.crv.coordinate_bytes().saturating_mul(2);
        if signature.len() != expected {
            return Err(SignatureError::Length { expected, found: signature.len() });
        }
        let digest = hash.digest(&[signing_input]);
        let (r, s) = signature.split_at(self.crv.coordinate_bytes());
        let point = self.point.get_or_init(|| self.decompress()).as_ref();
        let holds = match point.ok_or(SignatureError::KeyUnusable)? {
            Point::P256(key) => match (digest.first_chunk(), r.first_chunk(), s.first_chunk()) {
                (Some(digest), Some(r), Some(s)) => key.verify(digest, r, s),
                _ => false,
            },
            Point::P384(key) => match (digest.first_chunk(), r.first_chunk(), s.first_chunk()) {
                (Some(digest), Some(r), Some(s)) => key.verify(digest, r, s),
                _ => false,
            },
            Point::P521(key) => {
                // SHA-512 is two bytes shorter than the order.
                let digest = [&[0, 0], &digest[..]].concat();
                match (digest.first_chunk(), r.first_chunk(), s.first_chunk()) {
                    (Some(digest), Some(r), Some(s)) => key.verify_prehash(digest, r, s),
                    _ => false,
                }
            }
            Point::Secp256k1(key) => match (digest.first_chunk(), r.first_chunk(), s.first_chunk()) {
                (Some(digest), Some(r), Some(s)) => key.verify_prehash(digest, r, s),
                _ => false,
            },
        };
        if holds { Ok(()) } else { Err(SignatureError::Mismatch) }
    }

    fn decompress(&self) -> Option<Point> {
        let (&form, x) = self.compressed.split_first()?;
        point(self.crv, form, x, &[])
    }
}

#[inline(never)]
fn point(crv: Crv, form: u8, x: &[u8], y: &[u8]) -> Option<Point> {
    Some(match crv {
        Crv::P256 => {
            Point::P256(OwnKey::new(public(form, x.first_chunk(), y.first_chunk())?, &P256_GENERATOR))
        }
        Crv::P384 => {
            Point::P384(OwnKey::new(public(form, x.first_chunk(), y.first_chunk())?, &P384_GENERATOR))
        }
        Crv::P521 => Point::P521(public(form, x.first_chunk(), y.first_chunk())?),
        Crv::Secp256k1 => Point::Secp256k1(public(form, x.first_chunk(), y.first_chunk())?),
        Crv::Ed25519 => return None,
    })
}

/// The point of SEC 1 2.3.4: 2 and 3 are x alone, with the parity of y.
fn public<C: Ecdsa>(form: u8, x: Option<&C::Bytes>, y: Option<&C::Bytes>) -> Option<PublicKey<C>> {
    match form {
        2 | 3 => PublicKey::from_compressed(x?, form == 3),
        _ => PublicKey::from_affine(x?, y?),
    }
}

#[cfg(test)]
mod tests {
    use super::{EcdsaKey, Point};
    use crate::core::limits::MAX_TABLES_OF_A_CURVE;
    use crate::core::signature::Family;
    use crate::core::signature::alg::{Alg, Crv};
    use crate::core::signature::examples::{Example, example, hex, p384};
    use crate::core::signature::{KeyError, SignatureError, VerifyingKey, verify};
    use crate::core::token::base64url::decode;

    const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    const P384_ORDER: &str =
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
    const P521_ORDER: &str = concat!(
        "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa",
        "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
    );

    #[test]
    fn r_and_s_are_between_1_and_n_minus_1_rfc_7515_10_1_and_cve_2022_21449() {
        let keys = [
            (example("RFC 7515 A.3").key, Alg::Es256, P256_ORDER),
            (p384(), Alg::Es384, P384_ORDER),
            (example("RFC 7515 A.4").key, Alg::Es512, P521_ORDER),
        ];
        for (key, alg, order) in keys {
            let n = hex(order);
            let zero = vec![0; n.len()];
            let mut one = zero.clone();
            one[n.len() - 1] = 1;
            let all_ones = vec![0xff; n.len()];
            let below = subtract(&n, &one);
            for (r, s) in [
                (&zero, &zero),
                (&zero, &one),
                (&one, &zero),
                (&n, &one),
                (&one, &n),
                (&all_ones, &one),
                (&one, &all_ones),
                (&one, &one),
                (&below, &below),
            ] {
                let signature = [&r[..], &s[..]].concat();
                assert_eq!(
                    verify(&key, alg, b"input", &signature),
                    Err(SignatureError::Mismatch),
                    "{alg} {r:x?} {s:x?}"
                );
            }
        }
    }

    #[test]
    fn high_s_is_accepted_rfc_7518_3_4() {
        for (name, order) in [("RFC 7515 A.3", P256_ORDER), ("RFC 7515 A.4", P521_ORDER)] {
            let example = example(name);
            let (r, s) = example.signature.split_at(example.signature.len() / 2);
            let other = subtract(&hex(order), s);
            assert_eq!(example.verdict(&[r, &other].concat()), Ok(()), "{name}");
        }
    }

    #[test]
    fn points_have_full_coordinates_and_are_on_the_curve_rfc_7518_6_2_1_and_rfc_8725_3_4() {
        let x = decode(b"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").unwrap();
        let y = decode(b"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0").unwrap();
        let long = [&[0], &x[..]].concat();
        let zero = [0; 32];
        let length = |member, bytes| Err(KeyError::CoordinateLength { crv: Crv::P256, member, bytes });
        for (x, y, expected) in [
            (&x[..], &y[..], Ok(())),
            (&x[1..], &y, length("x", 31)),
            (&x, &y[..31], length("y", 31)),
            (&long, &y, length("x", 33)),
            (&[], &y, length("x", 0)),
            (&y, &x, Err(KeyError::NotOnCurve { crv: Crv::P256 })),
            (&x, &x, Err(KeyError::NotOnCurve { crv: Crv::P256 })),
            (&zero, &zero, Err(KeyError::NotOnCurve { crv: Crv::P256 })),
            (&[0xff; 32], &[0xff; 32], Err(KeyError::NotOnCurve { crv: Crv::P256 })),
        ] {
            assert_eq!(VerifyingKey::ec(Crv::P256, x, y).map(|_| ()), expected, "{x:x?} {y:x?}");
        }
        for (first, body, expected) in [
            (4, &[&x[..], &y[..]].concat()[..], Ok(())),
            (2, &x, Ok(())),
            (3, &x, Ok(())),
            (2, &[&x[..], &y[..]].concat(), Err(KeyError::PointEncoding { crv: Crv::P256 })),
            (4, &x, Err(KeyError::PointEncoding { crv: Crv::P256 })),
            (5, &x, Err(KeyError::PointEncoding { crv: Crv::P256 })),
            (6, &[&x[..], &y[..]].concat(), Err(KeyError::PointEncoding { crv: Crv::P256 })),
            (0, &[], Err(KeyError::PointEncoding { crv: Crv::P256 })),
        ] {
            let key = VerifyingKey::ec_sec1(Crv::P256, &[&[first], body].concat());
            assert_eq!(key.map(|_| ()), expected, "{first} {body:x?}");
        }
        assert_eq!(
            VerifyingKey::ec_sec1(Crv::Ed25519, &[4; 65]).map(|_| ()),
            Err(KeyError::NotOnCurve { crv: Crv::Ed25519 })
        );
    }

    #[test]
    fn a_compressed_point_is_found_at_the_first_signature() {
        let Example { input, signature, .. } = example("RFC 7515 A.3");
        let x = decode(b"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU").unwrap();
        for (sec1, expected) in [
            ([&[3], &x[..]].concat(), Ok(())),
            ([&[2], &x[..]].concat(), Err(SignatureError::Mismatch)),
            // No point has x = 1; 2^256 - 1 is not a coordinate.
            ([&[2], &[0; 31][..], &[1]].concat(), Err(SignatureError::KeyUnusable)),
            ([&[2], &[0xff; 32][..]].concat(), Err(SignatureError::KeyUnusable)),
        ] {
            let key = VerifyingKey::ec_sec1(Crv::P256, &sec1).unwrap();
            assert_eq!(verify(&key, Alg::Es256, &input, &signature), expected, "{sec1:x?}");
        }
    }

    /// A table takes memory for as long as its key lives, so there are few.
    #[test]
    fn so_many_keys_of_a_curve_have_tables() {
        let Example { input, signature, .. } = example("RFC 7515 A.3");
        let keys: Vec<_> = (0..=MAX_TABLES_OF_A_CURVE).map(|_| example("RFC 7515 A.3").key).collect();
        for key in &keys {
            for _ in 0..3 {
                assert_eq!(verify(key, Alg::Es256, &input, &signature), Ok(()));
            }
        }
        let has_table = |key: &&VerifyingKey| {
            let Family::Ecdsa(EcdsaKey { point, .. }) = &key.0 else { panic!("{key:?}") };
            let Some(Some(Point::P256(own))) = point.get() else { panic!("{key:?}") };
            own.table.get_or_make(|| None).is_some()
        };
        assert_eq!(keys.iter().filter(has_table).count(), MAX_TABLES_OF_A_CURVE);
    }

    /// `a - b`, big-endian, of one length.
    fn subtract(a: &[u8], b: &[u8]) -> Vec<u8> {
        let mut borrow = false;
        let mut difference: Vec<u8> = a
            .iter()
            .zip(b)
            .rev()
            .map(|(a, b)| {
                let (x, first) = a.overflowing_sub(*b);
                let (x, second) = x.overflowing_sub(borrow.into());
                borrow = first || second;
                x
            })
            .collect();
        difference.reverse();
        difference
    }
}
