//! The field of P-256: integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, as Montgomery residues with R = 2^261.
//!
//! Limbs as in `limbs`. An element is a number congruent to its residue, not the residue itself. *Tight* elements, which
//! every product and [`Field::tighten`] return, have balanced limbs; sums of a tight ones count a, and operations say
//! what they take. p is -1 modulo 2^96, so the Montgomery digit of a column is its own low limb, and a digit times p is
//! four shifted additions.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "limb and column bounds of limbs.rs; casts narrow what a carry left within 32 bits; indices are below 17"
)]

use super::limbs::{
    self, Columns, Limbs, add, carry_unsigned, from_be_bytes, less, product, split, split_balanced, subtract,
};
use super::modulus::Modulus;

/// The modulus p.
const P: Modulus = Modulus::new(&[
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, //
    0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
]);

/// An element of the field; the value is within ±p where tight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field(Limbs);

impl Field {
    pub(super) const ZERO: Self = Self([0; 9]);
    pub(super) const ONE: Self = Self(P.to_montgomery(&[1, 0, 0, 0, 0, 0, 0, 0, 0])).tighten();
    /// Takes an inverse of a·R, which lacks R twice, to the residue of the inverse of a.
    const R_CUBED: Self =
        Self(P.to_montgomery(&P.to_montgomery(&P.to_montgomery(&[1, 0, 0, 0, 0, 0, 0, 0, 0]))));

    /// None from p on.
    pub(super) const fn from_be_bytes(bytes: &[u8; 32]) -> Option<Self> {
        Self::from_limbs(&from_be_bytes(bytes))
    }

    /// The residue of a number with limbs in [0, 2^29); None from p on.
    pub(super) const fn from_limbs(limbs: &Limbs) -> Option<Self> {
        if less(limbs, &P.value) { Some(Self(P.to_montgomery(limbs)).tighten()) } else { None }
    }

    /// Counts add up.
    pub(super) const fn plus(&self, other: &Self) -> Self {
        Self(add(&self.0, &other.0))
    }

    /// Counts add up.
    pub(super) const fn minus(&self, other: &Self) -> Self {
        Self(subtract(&self.0, &other.0))
    }

    /// Takes products of counts up to 14.
    #[inline(never)]
    pub(super) const fn times(&self, other: &Self) -> Self {
        reduce(&product(&self.0, &other.0))
    }

    /// Takes counts up to 3.
    #[inline(never)]
    pub(super) const fn squared(&self) -> Self {
        reduce(&limbs::square(&self.0))
    }

    /// `a·b - c·d` with one reduction, for products of counts up to 14 together.
    #[inline(never)]
    pub(super) const fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        let (mut columns, less) = (product(&a.0, &b.0), product(&c.0, &d.0));
        subtract_columns(&mut columns, &less);
        reduce(&columns)
    }

    /// The same element with balanced limbs, within ±0.51 p; takes counts up to 6.
    pub(super) const fn tighten(&self) -> Self {
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

    /// Takes counts up to 6. Balanced limbs are unique and p is out of reach, so that zero is nine zeros.
    pub(super) const fn is_zero(&self) -> bool {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = self.tighten().0;
        (a0 | a1 | a2 | a3 | a4 | a5 | a6 | a7 | a8) == 0
    }

    /// `1/self`, 0 for 0; takes counts up to 6.
    pub(super) const fn inverse(&self) -> Self {
        let tight = carry_unsigned(&self.tighten().0);
        let positive = if tight[8] < 0 { carry_unsigned(&add(&tight, &P.value)) } else { tight };
        Self(P.invert(&positive)).times(&Self::R_CUBED)
    }
}

const fn balance(limb: i32) -> (i32, i32) {
    let carry = (limb + (1 << 28)) >> 29;
    (limb - (carry << 29), carry)
}

#[inline(always)]
const fn subtract_columns(columns: &mut Columns, less: &Columns) {
    let mut i = 0;
    while i < 17 {
        columns[i] -= less[i];
        i += 1;
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
