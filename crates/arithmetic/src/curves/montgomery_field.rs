//! What the fields of P-256 and P-384 share: Montgomery residues ("Modular multiplication without trial division",
//! Mathematics of Computation 44, 1985) with R = 2^(29·limbs), for p that are -1 modulo 2^29: the quotient digit of a
//! column is then its own low limb, and a digit times p is a few shifted additions (Gueron and Krasnov, "Fast prime field
//! elliptic-curve cryptography with 256-bit primes", Journal of Cryptographic Engineering 5, 2015, section 3).
//!
//! An element is a number congruent to its residue, not the residue itself. *Tight* elements, returned by products and
//! `tighten`, have balanced limbs (`limbs`). A sum of `k` tight ones has the magnitude `k`; operations take the magnitudes
//! that `Curve` states and assert them in debug builds.

/// The largest sum of products of magnitudes that fits a column.
pub(super) const MAX_PRODUCT: u8 = 9;
/// The largest magnitude that can be made tight.
pub(super) const MAX_SUM: u8 = 6;

/// The type `Field` of elements. The module also defines `P`, the modulus; `tight_limbs`, from limbs of a magnitude up to
/// [`MAX_SUM`] to balanced ones; `product` and `square`, to columns; `reduce`, from columns to balanced limbs. `head` is
/// the number of bits of p in the head limb.
macro_rules! montgomery_field {
    ($n:literal limbs, $bytes:literal bytes, $bits:literal bits, head $head:literal, b: $b:expr, g: [$x:expr, $y:expr $(,)?]) => {
        /// An element of the field. The value of a tight one is within ±p.
        #[derive(Clone, Copy, Debug)]
        pub struct Field {
            limbs: Limbs<$n>,
            magnitude: Magnitude,
        }

        impl Field {
            /// Multiplying by this turns the inverse of `x·R`, which lacks R twice, into the residue of the inverse of `x`.
            const R_CUBED: Self = Self::residue(&P.to_montgomery(&P.to_montgomery(&one())));

            /// `None` for p or more.
            pub(super) const fn from_be_bytes(bytes: &[u8; $bytes]) -> Option<Self> {
                Self::from_limbs(&from_be_bytes(bytes))
            }

            /// The residue of a number with limbs in [0, 2^29); `None` for p or more.
            pub(super) const fn from_limbs(limbs: &Limbs<$n>) -> Option<Self> {
                if less(limbs, &P.value) { Some(Self::residue(limbs)) } else { None }
            }

            /// The residue of a constant, below p.
            const fn constant(bytes: &[u8; $bytes]) -> Self {
                Self::residue(&from_be_bytes(bytes))
            }

            const fn residue(limbs: &Limbs<$n>) -> Self {
                Self::tight(tight_limbs(&P.to_montgomery(limbs)))
            }

            const fn tight(limbs: Limbs<$n>) -> Self {
                Self { limbs, magnitude: Magnitude::TIGHT }
            }

            /// The same element below p, with limbs in [0, 2^29).
            fn positive(&self) -> Limbs<$n> {
                let tight = carry_unsigned(&self.tighten().limbs);
                if tight[$n - 1] < 0 { carry_unsigned(&add(&tight, &P.value)) } else { tight }
            }
        }

        impl Curve for Field {
            const ZERO: Self = Self { limbs: [0; $n], magnitude: Magnitude::NONE };
            const ONE: Self = Self::residue(&one());
            const B: Self = Self::constant(&$b);
            const G: (Self, Self) = (Self::constant(&$x), Self::constant(&$y));
            const BITS: usize = $bits;

            fn p() -> &'static [i32] {
                const { &P.value }
            }

            fn plus(&self, other: &Self) -> Self {
                let magnitude = self.magnitude.plus(other.magnitude);
                Self { limbs: add(&self.limbs, &other.limbs), magnitude }
            }

            fn minus(&self, other: &Self) -> Self {
                let magnitude = self.magnitude.plus(other.magnitude);
                Self { limbs: subtract(&self.limbs, &other.limbs), magnitude }
            }

            #[inline(never)]
            fn times(&self, other: &Self) -> Self {
                self.magnitude.times(other.magnitude).assert_at_most(MAX_PRODUCT);
                Self::tight(reduce(&product(&self.limbs, &other.limbs)))
            }

            #[inline(never)]
            fn squared(&self) -> Self {
                self.magnitude.times(self.magnitude).assert_at_most(MAX_PRODUCT);
                Self::tight(reduce(&square(&self.limbs)))
            }

            #[inline(never)]
            fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
                let magnitude = a.magnitude.times(b.magnitude).plus(c.magnitude.times(d.magnitude));
                magnitude.assert_at_most(MAX_PRODUCT);
                let (mut columns, less) = (product(&a.limbs, &b.limbs), product(&c.limbs, &d.limbs));
                for (column, less) in columns.iter_mut().zip(less) {
                    *column -= less;
                }
                Self::tight(reduce(&columns))
            }

            fn tighten(&self) -> Self {
                self.magnitude.assert_at_most(MAX_SUM);
                Self::tight(tight_limbs(&self.limbs))
            }

            /// Balanced limbs are unique, and they cannot represent p: zero is all zeros.
            fn is_zero(&self) -> bool {
                is_zero(&self.tighten().limbs)
            }

            fn is_odd(&self) -> bool {
                P.montgomery(&self.positive(), &one())[0] & 1 == 1
            }

            fn inverse(&self) -> Self {
                // Its limbs are in [0, 2^29).
                let inverse = Self { limbs: P.invert(&self.positive()), magnitude: Magnitude::of(2) };
                inverse.times(&Self::R_CUBED)
            }
        }

        #[cfg(test)]
        mod tests {
            use super::{Field, P};
            use crate::magnitude::Magnitude;
            use crate::magnitude::overcounts::is_asserted;
            use crate::modulus::residues::{extreme, residue};
            use crate::weierstrass::Curve;
            use proptest::test_runner::{RngAlgorithm, TestRng};

            fn element(rng: &mut TestRng, count: u8) -> Field {
                Field { limbs: extreme(rng, count.into(), 1 << $head), magnitude: Magnitude::of(count) }
            }

            /// Every operation at the largest magnitudes that `Curve` allows: overflow would panic here.
            #[test]
            fn stays_in_its_bounds() {
                let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
                let value = |field: Field| residue(&P, &field.limbs);
                let product = |a: Field, b: Field| P.montgomery(&value(a), &value(b));
                for round in 0..2_000 {
                    let mut element = |count| element(&mut rng, count);
                    let (a, b) =
                        [(1, 6), (2, 4), (3, 3), (4, 2)].map(|(a, b)| (element(a), element(b)))[round % 4];
                    assert_eq!(value(a.times(&b)), product(a, b));
                    let (a, b, c, d) = (element(3), element(2), element(1), element(3));
                    assert_eq!(value(a.squared()), product(a, a));
                    let difference = Field::difference_of_products(&a, &b, &c, &d);
                    assert_eq!(P.sum(&value(difference), &product(c, d)), product(a, b));
                    let (a, e) = (element(6), element(5));
                    assert_eq!(value(a.tighten()), value(a));
                    for tight in [a.tighten(), c.times(&d), difference] {
                        let [limbs @ .., head] = tight.limbs;
                        assert!(
                            limbs.iter().all(|limb| (-(1 << 28)..1 << 28).contains(limb))
                                && head.abs() <= 2 << $head
                        );
                    }
                    assert!(e.minus(&e.tighten()).is_zero());
                    assert_eq!(value(a.inverse().times(&a.tighten())), value(Field::ONE));
                }
            }

            /// One more than each operation takes.
            #[test]
            #[cfg_attr(not(debug_assertions), ignore = "counts exist in debug builds only")]
            fn counts_are_asserted() {
                let [one, two, three, four, five, six] = [1, 2, 3, 4, 5, 6].map(|count| {
                    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
                    element(&mut rng, count)
                });
                assert!(is_asserted(|| five.times(&two)));
                assert!(is_asserted(|| two.plus(&three).times(&one.minus(&one))));
                assert!(is_asserted(|| four.squared()));
                assert!(is_asserted(|| Field::difference_of_products(&three, &two, &two, &two)));
                let seven = six.plus(&one);
                assert!(is_asserted(|| seven.tighten()));
                assert!(is_asserted(|| seven.is_zero()));
                assert!(is_asserted(|| seven.is_odd()));
                assert!(is_asserted(|| seven.inverse()));
                // Results are tight again.
                assert!(!is_asserted(|| three.squared().plus(&six.tighten()).times(&four)));
            }
        }
    };
}
pub(super) use montgomery_field;
