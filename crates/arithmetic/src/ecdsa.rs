//! Verification with ECDSA (FIPS 186-5 6.4.2, as RFC 7518 3.4 uses it): ES256, ES384, ES512 and ES256K without their hashes.
//!
//! Every value here is public: time depends on all of them.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::limbs::{Limbs, add, bit, carry_unsigned, from_be_bytes, is_zero, less};
use crate::modulus::Modulus;
use crate::multiply::{Comb, Point, sparse_sum};
use crate::weierstrass::{Affine, Curve, Jacobian};

/// A curve with its field and its scalars: [`crate::curves::p256::P256`], [`crate::curves::p384::P384`],
/// [`crate::curves::p521::P521`] or [`crate::curves::secp256k1::Secp256k1`].
pub trait Ecdsa {
    /// A coordinate, a hash, r or s, big-endian.
    type Bytes: AsRef<[u8]>;
    /// A scalar.
    type Scalar: AsRef<[i32]>;
    /// An element of the field.
    type Field: Curve;

    /// `None` for p or more.
    fn field(bytes: &Self::Bytes) -> Option<Self::Field>;
    /// `None` unless r and s are in range.
    fn signature(
        hash: &Self::Bytes,
        r: &Self::Bytes,
        s: &Self::Bytes,
    ) -> Option<Signature<Self::Scalar, Self::Field>>;
}

/// P, 3P, 5P, ... 15P, for G and a key.
type OddMultiples<F> = [[Affine<F>; 8]; 2];

/// A public key without a table.
#[derive(Clone, Debug)]
pub struct PublicKey<C: Ecdsa> {
    point: Affine<C::Field>,
    /// Computed at first use, which costs a tenth of a verification.
    odd_multiples: OnceCell<Box<OddMultiples<C::Field>>>,
}

impl<C: Ecdsa> PublicKey<C> {
    /// A key from its big-endian coordinates. `None` unless both are below p and the point is on the curve (SP 800-56A
    /// 5.6.2.3.4; the cofactor is 1, so every such point has the order n).
    pub fn from_affine(x: &C::Bytes, y: &C::Bytes) -> Option<Self> {
        Some(Self::from_point(Affine::new(C::field(x)?, C::field(y)?)?))
    }

    /// A key from its big-endian x and the parity of its y. `None` unless x is below p and a point has this x.
    pub fn from_compressed(x: &C::Bytes, y_is_odd: bool) -> Option<Self> {
        Some(Self::from_point(Affine::decompress(C::field(x)?, y_is_odd)?))
    }

    const fn from_point(point: Affine<C::Field>) -> Self {
        Self { point, odd_multiples: OnceCell::new() }
    }

    /// Whether (r, s), big-endian, is a signature of the hash. High s are accepted: JOSE does not forbid them.
    #[must_use]
    pub fn verify_prehash(&self, hash: &C::Bytes, r: &C::Bytes, s: &C::Bytes) -> bool {
        C::signature(hash, r, s).is_some_and(|signature| {
            let multiples = || Box::new([Affine::G.odd_multiples(), self.point.odd_multiples()]);
            let [of_g, of_key] = &**self.odd_multiples.get_or_init(multiples);
            let sum = sparse_sum([(signature.u1.as_ref(), of_g), (signature.u2.as_ref(), of_key)]);
            signature.fits(sum, &self.point)
        })
    }

    /// The key with its table, which pays off from the second or third verification on.
    pub fn prepare(&self, generator: &Rc<Generator<C>>) -> PreparedKey<C> {
        PreparedKey { point: self.point, comb: Comb::new(&self.point), generator: Rc::clone(generator) }
    }
}

/// The table of G that all prepared keys of a curve share: 9 KB for P-256, 14 for P-384.
#[derive(Debug)]
pub struct Generator<C: Ecdsa>(Comb<Jacobian<C::Field>>);

impl<C: Ecdsa> Generator<C> {
    /// Builds the table.
    #[expect(clippy::new_without_default, reason = "it costs as much as a verification")]
    pub fn new() -> Self {
        Self(Comb::new(&Affine::G))
    }
}

/// A public key with a table of 9 or 14 KB: a third of the time of [`PublicKey::verify_prehash`].
#[derive(Debug)]
pub struct PreparedKey<C: Ecdsa> {
    point: Affine<C::Field>,
    comb: Comb<Jacobian<C::Field>>,
    generator: Rc<Generator<C>>,
}

impl<C: Ecdsa> PreparedKey<C> {
    /// As [`PublicKey::verify_prehash`], with the same answer.
    #[must_use]
    pub fn verify_prehash(&self, hash: &C::Bytes, r: &C::Bytes, s: &C::Bytes) -> bool {
        C::signature(hash, r, s).is_some_and(|signature| {
            let terms = [(signature.u1.as_ref(), &self.generator.0), (signature.u2.as_ref(), &self.comb)];
            signature.fits(Some(Comb::sum(terms)), &self.point)
        })
    }
}

/// A signature in range: the multiples of G and of the key whose sum has a certain x.
pub struct Signature<S, F> {
    u1: S,
    u2: S,
    /// The x coordinates that are r mod n: r, and r + n if that is below p, which is below 2n.
    x: [Option<F>; 2],
}

impl<const N: usize, F: Curve> Signature<Limbs<N>, F> {
    /// `None` unless r and s are in 1 to n - 1. `field` takes limbs in [0, 2^29), and returns `None` for p or more.
    pub(crate) fn new(
        order: &Modulus<N>,
        field: impl Fn(&Limbs<N>) -> Option<F>,
        [hash, r, s]: [&[u8]; 3],
    ) -> Option<Self> {
        let [hash, r, s] = [hash, r, s].map(from_be_bytes);
        if is_zero(&r) || is_zero(&s) || !less(&r, &order.value) || !less(&s, &order.value) {
            return None;
        }
        let inverse = order.to_montgomery(&order.invert(&s));
        let (u1, u2) = (order.montgomery(&hash, &inverse), order.montgomery(&r, &inverse));
        Some(Self { u1, u2, x: [field(&r), field(&carry_unsigned(&add(&r, &order.value)))] })
    }
}

impl<S: AsRef<[i32]>, F: Curve> Signature<S, F> {
    /// Whether the sum u1·G + u2·key has the right x; `sum` is the result of the fast formulas.
    fn fits(&self, sum: Option<Jacobian<F>>, key: &Affine<F>) -> bool {
        let sum = match sum {
            Some(sum) if !sum.is_void() => Some(sum),
            // Infinity, or two equal points occurred on the way: only a signer who chose the numbers can cause this.
            Some(_) | None => self.complete_sum(key),
        };
        sum.is_some_and(|sum| self.x.iter().flatten().any(|x| sum.has_x(x)))
    }

    /// `u1·G + u2·key` for all numbers, bit by bit; `None` is infinity.
    fn complete_sum(&self, key: &Affine<F>) -> Option<Jacobian<F>> {
        let mut sum: Option<Jacobian<F>> = None;
        for position in (0..<Jacobian<F> as Point>::BITS).rev() {
            sum = sum.map(|sum| sum.double());
            for (scalar, point) in [(&self.u1, &Affine::G), (&self.u2, key)] {
                if bit(scalar.as_ref(), position) == 1 {
                    sum = Jacobian::complete_plus(sum, point);
                }
            }
        }
        sum
    }
}
