//! The field of P-256: integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, as Montgomery residues with R = 2^261.
//!
//! Limbs as in `limbs`. An element is a number congruent to its residue, not the residue itself. *Tight* elements, which
//! every product and `tighten` return, have balanced limbs; sums of a tight ones count a, and operations take what
//! [`Curve`] says, or more. p is -1 modulo 2^96, so the Montgomery digit of a column is its own low limb, and a digit times p is
//! four shifted additions.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    reason = "limb and column bounds of limbs.rs; casts narrow what a carry left within 32 bits"
)]

use crate::limbs::{
    Columns, Limbs, add, balance, carry_unsigned, from_be_bytes, is_zero, less, one, product, split,
    split_balanced, square, subtract,
};
use crate::modulus::Modulus;
use crate::weierstrass::Curve;

/// The modulus p.
const P: Modulus = Modulus::new(&[
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, //
    0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
]);

/// An element of the field; the value is within ±p where tight.
#[derive(Clone, Copy, Debug)]
pub struct Field(Limbs);

impl Field {
    /// Takes an inverse of a·R, which lacks R twice, to the residue of the inverse of a.
    const R_CUBED: Self = Self(P.to_montgomery(&P.to_montgomery(&P.to_montgomery(&one()))));

    /// None from p on.
    pub(super) const fn from_be_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_limbs(&from_be_bytes(bytes))
    }

    /// The residue of a number with limbs in [0, 2^29); None from p on.
    pub(super) const fn from_limbs(limbs: &Limbs) -> Option<Self> {
        if less(limbs, &P.value) { Some(Self::residue(limbs)) } else { None }
    }

    /// The residue of a constant, below p.
    const fn constant(bytes: &[u8; 32]) -> Self {
        Self::residue(&from_be_bytes(bytes))
    }

    const fn residue(limbs: &Limbs) -> Self {
        Self(P.to_montgomery(limbs)).tight()
    }

    /// The same element with balanced limbs, within ±0.51 p; takes counts up to 6.
    const fn tight(&self) -> Self {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = self.0;
        // The head limb counts 2^232; p has 2^24 of them, less a 2^-32nd.
        let q = (a8 + (1 << 23)) >> 24;
        let (r0, t) = balance(a0 + q);
        let (r1, t) = balance(a1 + t);
        let (r2, t) = balance(a2 + t);
        let (r3, t) = balance(a3 - (q << 9) + t);
        let (r4, t) = balance(a4 + t);
        let (r5, t) = balance(a5 + t);
        let (r6, t) = balance(a6 - (q << 18) + t);
        let (r7, t) = balance(a7 + (q << 21) + t);
        Self([r0, r1, r2, r3, r4, r5, r6, r7, a8 - (q << 24) + t])
    }

    /// The same element below p, with limbs in [0, 2^29); takes counts up to 6.
    fn positive(&self) -> Limbs {
        let tight = carry_unsigned(&self.tight().0);
        if tight[8] < 0 { carry_unsigned(&add(&tight, &P.value)) } else { tight }
    }
}

impl Curve for Field {
    const ZERO: Self = Self([0; 9]);
    const ONE: Self = Self::residue(&one());
    const B: Self = Self::constant(&[
        0x5a, 0xc6, 0x35, 0xd8, 0xaa, 0x3a, 0x93, 0xe7, 0xb3, 0xeb, 0xbd, 0x55, 0x76, 0x98, 0x86,
        0xbc, //
        0x65, 0x1d, 0x06, 0xb0, 0xcc, 0x53, 0xb0, 0xf6, 0x3b, 0xce, 0x3c, 0x3e, 0x27, 0xd2, 0x60,
        0x4b, //
    ]);
    const G: (Self, Self) = (
        Self::constant(&[
            0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40,
            0xf2, //
            0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2,
            0x96, //
        ]),
        Self::constant(&[
            0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e,
            0x16, //
            0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51,
            0xf5, //
        ]),
    );
    const BITS: usize = 256;

    fn p() -> &'static [i32] {
        const { &P.value }
    }

    fn plus(&self, other: &Self) -> Self {
        Self(add(&self.0, &other.0))
    }

    fn minus(&self, other: &Self) -> Self {
        Self(subtract(&self.0, &other.0))
    }

    #[inline(never)]
    fn times(&self, other: &Self) -> Self {
        reduce(&product(&self.0, &other.0))
    }

    #[inline(never)]
    fn squared(&self) -> Self {
        reduce(&square(&self.0))
    }

    #[inline(never)]
    fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let (mut columns, less) = (product(&a.0, &b.0), product(&c.0, &d.0));
        for (column, less) in columns.iter_mut().zip(less) {
            *column -= less;
        }
        reduce(&columns)
    }

    fn tighten(&self) -> Self {
        self.tight()
    }

    /// Balanced limbs are unique, and p is out of their reach: zero is all zeros.
    fn is_zero(&self) -> bool {
        is_zero(&self.tight().0)
    }

    fn is_odd(&self) -> bool {
        P.montgomery(&self.positive(), &one())[0] & 1 == 1
    }

    fn inverse(&self) -> Self {
        Self(P.invert(&self.positive())).times(&Self::R_CUBED)
    }
}

/// `columns/R`: adds to the low nine columns the multiple of p that makes them zero. Within p plus a 2^261st of the
/// product.
#[inline(always)]
const fn reduce(c: &Columns) -> Field {
    let (q0, t) = split(c[0]);
    let (q1, t) = split(c[1] + t);
    let (q2, t) = split(c[2] + t);
    let (q3, t) = split(c[3] + t + (q0 << 9));
    let (q4, t) = split(c[4] + t + (q1 << 9));
    let (q5, t) = split(c[5] + t + (q2 << 9));
    let (q6, t) = split(c[6] + t + (q3 << 9) + (q0 << 18));
    let (q7, t) = split(c[7] + t + (q4 << 9) + (q1 << 18) - (q0 << 21));
    let (q8, t) = split(c[8] + t + (q5 << 9) + (q2 << 18) - (q1 << 21) + (q0 << 24));
    let (r0, t) = split_balanced(c[9] + t + (q6 << 9) + (q3 << 18) - (q2 << 21) + (q1 << 24));
    let (r1, t) = split_balanced(c[10] + t + (q7 << 9) + (q4 << 18) - (q3 << 21) + (q2 << 24));
    let (r2, t) = split_balanced(c[11] + t + (q8 << 9) + (q5 << 18) - (q4 << 21) + (q3 << 24));
    let (r3, t) = split_balanced(c[12] + t + (q6 << 18) - (q5 << 21) + (q4 << 24));
    let (r4, t) = split_balanced(c[13] + t + (q7 << 18) - (q6 << 21) + (q5 << 24));
    let (r5, t) = split_balanced(c[14] + t + (q8 << 18) - (q7 << 21) + (q6 << 24));
    let (r6, t) = split_balanced(c[15] + t - (q8 << 21) + (q7 << 24));
    let (r7, t) = split_balanced(c[16] + t + (q8 << 24));
    Field([r0, r1, r2, r3, r4, r5, r6, r7, t as i32])
}

#[cfg(test)]
mod tests {
    use super::{Field, P};
    use crate::modulus::residues::{extreme, residue};
    use crate::weierstrass::Curve;
    use proptest::test_runner::{RngAlgorithm, TestRng};

    /// Every operation at the ends of the counts that `Curve` allows: overflow would panic here.
    #[test]
    fn stays_in_its_bounds() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let value = |field: Field| residue(&P, &field.0);
        let product = |a: Field, b: Field| P.montgomery(&value(a), &value(b));
        for round in 0..2_000 {
            let mut element = |count| Field(extreme(&mut rng, count, 1 << 24));
            let (a, b) = [(1, 6), (2, 4), (3, 3), (4, 2)].map(|(a, b)| (element(a), element(b)))[round % 4];
            assert_eq!(value(a.times(&b)), product(a, b));
            let (a, b, c, d) = (element(3), element(2), element(1), element(3));
            assert_eq!(value(a.squared()), product(a, a));
            let difference = Field::difference_of_products(&a, &b, &c, &d);
            assert_eq!(P.sum(&value(difference), &product(c, d)), product(a, b));
            let a = element(6);
            assert_eq!(value(a.tighten()), value(a));
            for tight in [a.tighten(), c.times(&d), difference] {
                let [limbs @ .., head] = tight.0;
                assert!(
                    limbs.iter().all(|limb| (-(1 << 28)..1 << 28).contains(limb)) && head.abs() <= 1 << 25
                );
            }
            assert!(a.minus(&a.tighten()).is_zero());
            assert_eq!(value(a.inverse().times(&a)), value(Field::ONE));
        }
    }
}
