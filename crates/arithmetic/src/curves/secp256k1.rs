//! secp256k1 (SEC 2 2.4.1): ES256K without its hash.
//!
//! Few issuers use it, so the field has no code of its own, as those of the NIST curves have: it is the arithmetic of the
//! scalars, for another modulus. Elements are Montgomery residues below p, so every sum is tight.

use crate::ecdsa::{self, Ecdsa, Signature};
use crate::limbs::{Limbs, carry_unsigned, from_be_bytes, is_zero, less, one, subtract};
use crate::modulus::Modulus;
use crate::weierstrass::Curve;

/// The curve secp256k1.
#[derive(Clone, Copy, Debug)]
pub struct Secp256k1;
/// A key on secp256k1.
pub type PublicKey = ecdsa::PublicKey<Secp256k1>;
/// As on the other curves, but only tests make tables here.
#[cfg(test)]
type PreparedKey = ecdsa::PreparedKey<Secp256k1>;
#[cfg(test)]
type Generator = ecdsa::Generator<Secp256k1>;

/// The order n of the group.
const N: Modulus = Modulus::new(&[
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, //
    0xba, 0xae, 0xdc, 0xe6, 0xaf, 0x48, 0xa0, 0x3b, 0xbf, 0xd2, 0x5e, 0x8c, 0xd0, 0x36, 0x41, 0x41, //
]);

/// The modulus p of the field: 2^256 - 2^32 - 977.
const P: Modulus = Modulus::new(&[
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xfc, 0x2f, //
]);

impl Ecdsa for Secp256k1 {
    type Bytes = [u8; 32];
    type Scalar = Limbs;
    type Field = Field;

    fn field(bytes: &[u8; 32]) -> Option<Field> {
        Field::from_limbs(&from_be_bytes(bytes))
    }

    fn signature(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32]) -> Option<Signature<Limbs, Field>> {
        Signature::new(&N, Field::from_limbs, [hash, r, s])
    }
}

/// An element of the field.
#[derive(Clone, Copy, Debug)]
pub struct Field(Limbs);

impl Field {
    /// The residue of a number with limbs in [0, 2^29); `None` for p or more.
    const fn from_limbs(limbs: &Limbs) -> Option<Self> {
        if less(limbs, &P.value) { Some(Self(P.to_montgomery(limbs))) } else { None }
    }

    /// The residue of a constant, below p.
    const fn constant(bytes: &[u8; 32]) -> Self {
        Self(P.to_montgomery(&from_be_bytes(bytes)))
    }
}

impl Curve for Field {
    const ZERO: Self = Self([0; 9]);
    const ONE: Self = Self(P.to_montgomery(&one()));
    const A_IS_ZERO: bool = true;
    const B: Self = Self(P.to_montgomery(&[7, 0, 0, 0, 0, 0, 0, 0, 0]));
    const G: (Self, Self) = (
        Self::constant(&[
            0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87, 0x0b,
            0x07, //
            0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17,
            0x98, //
        ]),
        Self::constant(&[
            0x48, 0x3a, 0xda, 0x77, 0x26, 0xa3, 0xc4, 0x65, 0x5d, 0xa4, 0xfb, 0xfc, 0x0e, 0x11, 0x08,
            0xa8, //
            0xfd, 0x17, 0xb4, 0x48, 0xa6, 0x85, 0x54, 0x19, 0x9c, 0x47, 0xd0, 0x8f, 0xfb, 0x10, 0xd4,
            0xb8, //
        ]),
    );
    const BITS: usize = 256;

    fn p() -> &'static [i32] {
        const { &P.value }
    }

    fn plus(&self, other: &Self) -> Self {
        Self(P.sum(&self.0, &other.0))
    }

    fn minus(&self, other: &Self) -> Self {
        let opposite =
            if is_zero(&other.0) { other.0 } else { carry_unsigned(&subtract(&P.value, &other.0)) };
        Self(P.sum(&self.0, &opposite))
    }

    fn times(&self, other: &Self) -> Self {
        Self(P.montgomery(&self.0, &other.0))
    }

    fn squared(&self) -> Self {
        self.times(self)
    }

    fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        a.times(b).minus(&c.times(d))
    }

    fn assert_at_most(&self, _: u8) {}

    fn tighten(&self) -> Self {
        *self
    }

    fn is_zero(&self) -> bool {
        is_zero(&self.0)
    }

    fn is_odd(&self) -> bool {
        P.montgomery(&self.0, &one())[0] & 1 == 1
    }

    fn inverse(&self) -> Self {
        // The inverse of `x·R` lacks R twice.
        let inverse = P.to_montgomery(&P.to_montgomery(&P.invert(&self.0)));
        Self(inverse)
    }
}

#[cfg(test)]
#[expect(clippy::arithmetic_side_effects, reason = "operators of the oracle, and small numbers")]
mod tests {
    const P: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, //
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0xff, 0xff, 0xfc,
        0x2f, //
    ];
    crate::curves::oracle::agrees_with!(k256, 32, share 5);
}
