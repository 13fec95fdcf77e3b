//! What the fields of P-256 and P-384 share: Montgomery residues ("Modular multiplication without trial division",
//! Mathematics of Computation 44, 1985) with R = 2^(29·limbs), for p that are -1 modulo 2^29: the quotient digit of a
//! column is then its own low limb, and a digit times p is a few shifted additions (Gueron and Krasnov, "Fast prime field
//! elliptic-curve cryptography with 256-bit primes", Journal of Cryptographic Engineering 5, 2015, section 3).
//!
//! An element is a number congruent to its residue, not the residue itself. *Tight* elements, returned by products and
//! `tighten`, have balanced limbs (`limbs`), and a head limb below one and a half times that of p. A sum of `k` tight ones
//! has the magnitude `k`; operations take the magnitudes that `Curve` states and assert them in debug builds.
//!
//! A product may have a larger head than its factors, so no bound of one operation shows that heads stay small; the
//! formulas of `weierstrass` keep them small together, which `formulas_stay_in_the_stated_bounds` computes.

/// The largest sum of products of magnitudes that fits a column.
pub(super) const MAX_PRODUCT: u8 = 9;
/// The largest magnitude that can be made tight.
pub(super) const MAX_SUM: u8 = 6;

/// The type `Field` of elements. The module also defines `P`, the modulus; `tight_limbs`, from limbs of a magnitude up to
/// [`MAX_SUM`] to balanced ones; `product` and `square`, to columns; `reduce`, from columns to balanced limbs. `head` is
/// the number of bits of p in the head limb.
macro_rules! montgomery_field {
    ($n:literal limbs, $bytes:literal bytes, $bits:literal bits, head $head:literal, b: $b:expr, g: [$x:expr, $y:expr $(,)?]) => {
        /// The largest head limb of a tight element.
        const MAX_HEAD: i32 = 3 << ($head - 1);

        /// An element of the field.
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
                debug_assert!(are_balanced(&limbs, 0, MAX_HEAD), "limbs that are not tight");
                Self { limbs, magnitude: Magnitude::TIGHT }
            }

            /// The same element below p, with limbs in [0, 2^29).
            fn positive(&self) -> Limbs<$n> {
                // Within ±p.
                let tight = carry_unsigned(&self.tighten().limbs);
                let positive = if tight[$n - 1] < 0 { carry_unsigned(&add(&tight, &P.value)) } else { tight };
                debug_assert!(less(&positive, &P.value), "a residue that is not below p");
                positive
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

            fn assert_at_most(&self, most: u8) {
                self.magnitude.assert_at_most(most);
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
            use super::{Field, MAX_HEAD, P, bounds};
            use crate::curves::montgomery_field::{MAX_PRODUCT, MAX_SUM};
            use crate::limbs::bounds::{add, subtract};
            use crate::limbs::{LIMB_MASK, are_balanced};
            use crate::magnitude::Magnitude;
            use crate::magnitude::overcounts::is_asserted;
            use crate::modulus::residues::{extreme, residue};
            use crate::twins;
            use crate::weierstrass::Curve;
            use crate::weierstrass::limits::{FieldTwin, limits_of_formulas, scaled};
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
                        assert!(are_balanced(&tight.limbs, 0, MAX_HEAD));
                    }
                    assert!(e.minus(&e.tighten()).is_zero());
                    assert_eq!(value(a.inverse().times(&a.tighten())), value(Field::ONE));
                }
            }

            /// The field with intervals for limbs.
            #[derive(Clone, Copy, Debug)]
            struct Twin;

            /// Balanced limbs, or their opposites, and a head.
            const fn balanced(head: i128) -> twins::Limbs<$n> {
                let mut limbs = [twins::i32::within(1 << 28); $n];
                limbs[$n - 1] = twins::i32::within(head);
                limbs
            }

            impl FieldTwin<$n> for Twin {
                // What `tighten` leaves.
                const TIGHTENED: twins::Limbs<$n> = balanced((1 << ($head - 1)) + (1 << ($head - 5)));
                const A_IS_ZERO: bool = false;

                fn times(a: &twins::Limbs<$n>, b: &twins::Limbs<$n>) -> twins::Limbs<$n> {
                    bounds::reduce(&bounds::product(a, b))
                }

                fn squared(a: &twins::Limbs<$n>) -> twins::Limbs<$n> {
                    bounds::reduce(&bounds::square(a))
                }

                fn difference_of_products(factors: [&twins::Limbs<$n>; 4]) -> twins::Limbs<$n> {
                    let [a, b, c, d] = factors;
                    let (mut columns, less) = (bounds::product(a, b), bounds::product(c, d));
                    for (column, less) in columns.iter_mut().zip(less) {
                        *column -= less;
                    }
                    bounds::reduce(&columns)
                }

                fn plus(a: &twins::Limbs<$n>, b: &twins::Limbs<$n>) -> twins::Limbs<$n> {
                    add(a, b)
                }

                fn minus(a: &twins::Limbs<$n>, b: &twins::Limbs<$n>) -> twins::Limbs<$n> {
                    subtract(a, b)
                }

                fn tighten(a: &twins::Limbs<$n>) -> twins::Limbs<$n> {
                    bounds::tight_limbs(a)
                }

                fn from_unsigned(limbs: &twins::Limbs<$n>) -> twins::Limbs<$n> {
                    Self::times(limbs, &Self::TIGHTENED)
                }
            }

            /// Whatever is stated and asserted, and that nothing overflows: for all inputs, by intervals.
            #[test]
            fn formulas_stay_in_the_stated_bounds() {
                let tight = balanced(MAX_HEAD.into());
                let limits = limits_of_formulas::<Twin, $n>();
                for (name, limbs) in &limits {
                    let [low @ .., head] = limbs;
                    println!("{name}: head {:?}, p has 2^{}", head, $head);
                    assert!(low.iter().zip(&tight).all(|(limb, tight)| limb.is_within(*tight)), "{name}");
                    assert!(head.is_within(tight[$n - 1]), "{name} {head:?}");
                }
                // Every operation at every magnitude that it takes and limbs hold, for tight elements of any origin.
                for (a, b) in
                    (1..8).flat_map(|a| (1..8).map(move |b| (a, b))).filter(|(a, b)| a * b <= MAX_PRODUCT)
                {
                    let rest = scaled(&tight, (MAX_PRODUCT - a * b).min(7));
                    let (a, b) = (scaled(&tight, a), scaled(&tight, b));
                    Twin::times(&a, &b);
                    Twin::difference_of_products([&a, &b, &rest, &tight]);
                }
                Twin::squared(&scaled(&tight, 3));
                // Unsigned limbs are of the magnitude 2.
                let unsigned = [twins::i32::between(0, LIMB_MASK.into()); $n];
                let two = scaled(&tight, 2);
                assert!(unsigned[..$n - 1].iter().zip(&two).all(|(limb, two)| limb.is_within(*two)));
                // Tightened elements are within ±p, so zero is the only one of its residue.
                let tightened = Twin::tighten(&scaled(&tight, MAX_SUM));
                assert!(tightened[$n - 1].most() + 1 < 1 << ($head - 1) | 1 << ($head - 2));
                for (limb, stated) in tightened.iter().zip(&Twin::TIGHTENED) {
                    assert!(limb.is_within(*stated), "{tightened:?}");
                }
                let mut residue = unsigned;
                residue[$n - 1] = twins::i32::between(0, P.value[$n - 1].into());
                for (limb, stated) in Twin::tighten(&residue).iter().zip(&Twin::TIGHTENED) {
                    assert!(limb.is_within(*stated), "{limb:?}");
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
