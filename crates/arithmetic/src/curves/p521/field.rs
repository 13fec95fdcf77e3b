//! The field of P-521: integers modulo p = 2^521 - 1.
//!
//! Limbs as in `limbs`, 18 of them. An element is a number congruent to its residue, not the residue itself. 2^522 is 2
//! modulo p: a carry out of the head is added twice at the foot.
//!
//! Products are Karatsuba's, of two halves (Knuth, The Art of Computer Programming, volume 2, 4.3.3).
//!
//! A column sums up to 35 products of limbs. That leaves no room for factors of a magnitude above 1, as the smaller
//! fields have it, so every operation carries. All elements are tight, with limbs within ±(2^28 + SLACK): no magnitudes.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the tests compute the bounds of limbs and columns; indices are below the fixed lengths"
)]

use crate::bounds::bounded;
use crate::limbs::{
    Columns, LIMB_BITS, Limbs, add, are_balanced, are_unsigned, balance, carry_unsigned, from_be_bytes,
    is_zero, less, narrow, one, product, split_at, split_balanced, square, subtract, wide,
};
use crate::modulus::Modulus;
use crate::weierstrass::Curve;

/// Limbs of an element.
const N: usize = 18;
/// How far a limb of a tight element may be from balance.
const SLACK: i32 = 1 << 7;

/// The modulus p.
const P: Modulus<N> = {
    let mut bytes = [0xff; 66];
    bytes[0] = 1;
    Modulus::new(&bytes)
};

/// An element of the field.
#[derive(Clone, Copy, Debug)]
pub struct Field(Limbs<N>);

impl Field {
    /// The element of a number with limbs in [0, 2^29); `None` for p or more.
    pub(super) fn from_limbs(limbs: &Limbs<N>) -> Option<Self> {
        // The sum only carries; 700 bytes smaller than carrying here.
        less(limbs, &P.value).then(|| Self(*limbs).plus(&Self::ZERO))
    }

    /// The element of a constant below p.
    const fn constant(bytes: &[u8; 66]) -> Self {
        Self::carried(&from_be_bytes(bytes))
    }

    #[inline(always)]
    const fn tight(limbs: Limbs<N>) -> Self {
        debug_assert!(
            are_balanced(&limbs, SLACK + 1, (1 << (LIMB_BITS - 1)) + SLACK),
            "limbs that are not tight"
        );
        Self(limbs)
    }

    #[inline(always)]
    const fn carried(limbs: &Limbs<N>) -> Self {
        Self::tight(carry(limbs))
    }

    /// The residue, with limbs in [0, 2^29).
    const fn canonical(&self) -> Limbs<N> {
        // Within (-2p, 2p), then from -2 to p + 1, then from 0 to p.
        let residue = fold_head(&fold_head(&self.0));
        debug_assert!(are_unsigned(&residue) && residue[N - 1] <= P.value[N - 1], "a residue above p");
        if less(&residue, &P.value) { residue } else { [0; N] }
    }
}

impl Curve for Field {
    const ZERO: Self = Self([0; N]);
    const ONE: Self = Self(one());
    const B: Self = Self::constant(&[
        0x00, 0x51, 0x95, 0x3e, 0xb9, 0x61, 0x8e, 0x1c, 0x9a, 0x1f, 0x92, 0x9a, 0x21, 0xa0, 0xb6,
        0x85, //
        0x40, 0xee, 0xa2, 0xda, 0x72, 0x5b, 0x99, 0xb3, 0x15, 0xf3, 0xb8, 0xb4, 0x89, 0x91, 0x8e,
        0xf1, //
        0x09, 0xe1, 0x56, 0x19, 0x39, 0x51, 0xec, 0x7e, 0x93, 0x7b, 0x16, 0x52, 0xc0, 0xbd, 0x3b,
        0xb1, //
        0xbf, 0x07, 0x35, 0x73, 0xdf, 0x88, 0x3d, 0x2c, 0x34, 0xf1, 0xef, 0x45, 0x1f, 0xd4, 0x6b,
        0x50, //
        0x3f, 0x00,
    ]);
    const G: (Self, Self) = (
        Self::constant(&[
            0x00, 0xc6, 0x85, 0x8e, 0x06, 0xb7, 0x04, 0x04, 0xe9, 0xcd, 0x9e, 0x3e, 0xcb, 0x66, 0x23,
            0x95, //
            0xb4, 0x42, 0x9c, 0x64, 0x81, 0x39, 0x05, 0x3f, 0xb5, 0x21, 0xf8, 0x28, 0xaf, 0x60, 0x6b,
            0x4d, //
            0x3d, 0xba, 0xa1, 0x4b, 0x5e, 0x77, 0xef, 0xe7, 0x59, 0x28, 0xfe, 0x1d, 0xc1, 0x27, 0xa2,
            0xff, //
            0xa8, 0xde, 0x33, 0x48, 0xb3, 0xc1, 0x85, 0x6a, 0x42, 0x9b, 0xf9, 0x7e, 0x7e, 0x31, 0xc2,
            0xe5, //
            0xbd, 0x66,
        ]),
        Self::constant(&[
            0x01, 0x18, 0x39, 0x29, 0x6a, 0x78, 0x9a, 0x3b, 0xc0, 0x04, 0x5c, 0x8a, 0x5f, 0xb4, 0x2c,
            0x7d, //
            0x1b, 0xd9, 0x98, 0xf5, 0x44, 0x49, 0x57, 0x9b, 0x44, 0x68, 0x17, 0xaf, 0xbd, 0x17, 0x27,
            0x3e, //
            0x66, 0x2c, 0x97, 0xee, 0x72, 0x99, 0x5e, 0xf4, 0x26, 0x40, 0xc5, 0x50, 0xb9, 0x01, 0x3f,
            0xad, //
            0x07, 0x61, 0x35, 0x3c, 0x70, 0x86, 0xa2, 0x72, 0xc2, 0x40, 0x88, 0xbe, 0x94, 0x76, 0x9f,
            0xd1, //
            0x66, 0x50,
        ]),
    );
    const BITS: usize = 521;

    fn p() -> &'static [i32] {
        const { &P.value }
    }

    #[inline(never)]
    fn plus(&self, other: &Self) -> Self {
        Self::carried(&add(&self.0, &other.0))
    }

    #[inline(never)]
    fn minus(&self, other: &Self) -> Self {
        Self::carried(&subtract(&self.0, &other.0))
    }

    #[inline(never)]
    fn times(&self, other: &Self) -> Self {
        Self::tight(multiply(&self.0, &other.0))
    }

    #[inline(never)]
    fn squared(&self) -> Self {
        Self::tight(multiply_by_itself(&self.0))
    }

    fn difference_of_products(a: &Self, b: &Self, c: &Self, d: &Self) -> Self {
        a.times(b).minus(&c.times(d))
    }

    fn assert_at_most(&self, _: u8) {}

    fn tighten(&self) -> Self {
        *self
    }

    fn is_zero(&self) -> bool {
        is_zero(&self.canonical())
    }

    fn is_odd(&self) -> bool {
        self.canonical()[0] & 1 == 1
    }

    fn inverse(&self) -> Self {
        Self(P.invert(&self.canonical())).plus(&Self::ZERO)
    }
}

bounded! {
    twins: crate::limbs::bounds::add, crate::limbs::bounds::carry_unsigned, crate::limbs::bounds::product,
        crate::limbs::bounds::square;

    /// The tight limbs of a sum of three tight elements.
    #[inline(always)]
    const fn carry(limbs: &Limbs<18>) -> Limbs<18> {
        let (head, t) = balance(limbs[17]);
        let (mut tight, mut t) = (*limbs, 2 * t);
        let mut i = 0;
        while i < 17 {
            let (limb, next) = balance(limbs[i]);
            (tight[i], t) = (limb + t, next);
            i += 1;
        }
        tight[17] = head + t;
        tight
    }

    /// The same element with the bits above 521 added at the foot. Limbs in [0, 2^29), but the foot's may be -2, -1 or
    /// 2^29.
    const fn fold_head(limbs: &Limbs<18>) -> Limbs<18> {
        let mut limbs = carry_unsigned(limbs);
        // 521 is 17·29 + 28.
        let (head, above) = split_at(limbs[17], 28);
        limbs[0] += above;
        limbs[17] = head;
        limbs
    }

    #[inline(always)]
    const fn multiply(a: &Limbs<18>, b: &Limbs<18>) -> Limbs<18> {
        let ([a_low, a_high, a_both], [b_low, b_high, b_both]) = (halves(a), halves(b));
        reduce(&product(&a_low, &b_low), &product(&a_high, &b_high), &product(&a_both, &b_both))
    }

    #[inline(always)]
    const fn multiply_by_itself(a: &Limbs<18>) -> Limbs<18> {
        let [low, high, both] = halves(a);
        reduce(&square(&low), &square(&high), &square(&both))
    }

    /// The low half, the high half and their sum, which is not carried.
    #[inline(always)]
    const fn halves(a: &Limbs<18>) -> [Limbs; 3] {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8, high @ ..] = *a;
        let low = [a0, a1, a2, a3, a4, a5, a6, a7, a8];
        [low, high, add(&low, &high)]
    }

    /// The product from Karatsuba's three: of the low halves, of the high halves and of their sums. Its columns have names,
    /// because arrays that a loop sums up stay in memory (docs/measurements/arithmetic.md).
    #[inline(always)]
    const fn reduce(low: &Columns, high: &Columns, both: &Columns) -> Limbs<18> {
        let (
            [l0, l1, l2, l3, l4, l5, l6, l7, l8, l9, l10, l11, l12, l13, l14, l15, l16],
            [h0, h1, h2, h3, h4, h5, h6, h7, h8, h9, h10, h11, h12, h13, h14, h15, h16],
        ) = (*low, *high);
        // Low halves with high ones: half a number up, and from 2^522 on twice at the foot.
        let mut middle = *both;
        let mut i = 0;
        while i < 17 {
            middle[i] -= low[i] + high[i];
            i += 1;
        }
        let [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16] = middle;
        let columns = [
            l0 + 2 * h0 + 2 * m9,
            l1 + 2 * h1 + 2 * m10,
            l2 + 2 * h2 + 2 * m11,
            l3 + 2 * h3 + 2 * m12,
            l4 + 2 * h4 + 2 * m13,
            l5 + 2 * h5 + 2 * m14,
            l6 + 2 * h6 + 2 * m15,
            l7 + 2 * h7 + 2 * m16,
            l8 + 2 * h8,
            l9 + 2 * h9 + m0,
            l10 + 2 * h10 + m1,
            l11 + 2 * h11 + m2,
            l12 + 2 * h12 + m3,
            l13 + 2 * h13 + m4,
            l14 + 2 * h14 + m5,
            l15 + 2 * h15 + m6,
            l16 + 2 * h16 + m7,
            m8,
        ];
        let (foot, mut t) = split_balanced(columns[0]);
        let mut limbs = [foot; 18];
        let mut i = 1;
        while i < 18 {
            (limbs[i], t) = split_balanced(columns[i] + t);
            i += 1;
        }
        let (foot, t) = split_balanced(wide(foot) + 2 * t);
        limbs[0] = foot;
        limbs[1] += narrow(t);
        limbs
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, LIMB_BITS, Limbs, N, P, SLACK, bounds};
    use crate::limbs::bounds::{add, subtract};
    use crate::limbs::carry_unsigned;
    use crate::modulus::residues::extreme;
    use crate::twins;
    use crate::weierstrass::Curve;
    use crate::weierstrass::limits::{FieldTwin, limits_of_formulas, scaled};
    use crypto_bigint::{NonZero, U576};
    use proptest::test_runner::{RngAlgorithm, TestRng};

    fn p() -> NonZero<U576> {
        NonZero::new(U576::ONE.shl_vartime(521) - U576::ONE).unwrap()
    }

    /// The residue of a number with limbs of any sign.
    fn number(limbs: &Limbs<N>) -> U576 {
        let p = p();
        limbs.iter().rev().fold(U576::ZERO, |sum, limb| {
            let shifted = sum.mul_mod(&U576::from(1_u32 << 29), &p);
            let magnitude = U576::from(limb.unsigned_abs());
            if *limb < 0 { shifted.sub_mod(&magnitude, &p) } else { shifted.add_mod(&magnitude, &p) }
        })
    }

    fn value(element: Field) -> U576 {
        number(&element.0)
    }

    /// Limbs at or near the limits of a tight element; the one beside the foot has the widest range.
    fn element(rng: &mut TestRng) -> Field {
        let mut limbs: Limbs<N> = extreme(rng, 1, 1 << 28);
        limbs[1] += limbs[1].signum() * SLACK;
        Field(limbs)
    }

    /// Every operation of two elements as crypto-bigint does it; overflow would panic here.
    fn agrees(a: Field, b: Field) {
        let p = p();
        let (av, bv) = (value(a), value(b));
        let product = av.mul_mod(&bv, &p);
        let results = [
            (a.plus(&b), av.add_mod(&bv, &p)),
            (a.minus(&b), av.sub_mod(&bv, &p)),
            (a.times(&b), product),
            (a.squared(), av.mul_mod(&av, &p)),
            (Field::difference_of_products(&a, &b, &b, &b), product.sub_mod(&bv.mul_mod(&bv, &p), &p)),
            (a.inverse().times(&a), if av == U576::ZERO { U576::ZERO } else { U576::ONE }),
        ];
        for (result, expected) in results {
            assert_eq!(value(result), expected, "{a:?} {b:?}");
            assert!(result.0.iter().all(|limb| limb.abs() <= (1 << 28) + SLACK), "{a:?} {b:?}");
        }
        assert_eq!(value(Field(a.canonical())), av);
        assert_eq!(a.is_zero(), av == U576::ZERO);
        assert_eq!(a.is_odd(), av.is_odd().to_bool());
    }

    #[test]
    fn agrees_with_crypto_bigint_at_the_ends_of_its_limbs() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        for _ in 0..1_000 {
            agrees(element(&mut rng), element(&mut rng));
        }
        // All products of a column have one sign here: in a difference of products, both add up.
        let [high, low] = [(1 << 28) + SLACK, -(1 << 28) - SLACK].map(|limb| Field([limb; N]));
        for (a, b) in [(high, high), (high, low), (low, high), (low, low)] {
            agrees(a, b);
        }
        assert_eq!(
            value(Field::difference_of_products(&high, &high, &high, &low)),
            value(high.squared().plus(&high.squared()))
        );
    }

    #[test]
    fn agrees_with_crypto_bigint_around_zero_and_p() {
        // From -2p - 2 to 2p + 2: more representations of a small number than tight limbs have.
        let multiple = |times: i32, more: i32| {
            let mut limbs = P.value.map(|limb| limb * times);
            limbs[0] += more;
            Field::carried(&carry_unsigned(&limbs))
        };
        let mut zeros = 0;
        for times in -2..=2 {
            for more in -2..=2 {
                let a = multiple(times, more);
                agrees(a, multiple(1, 1));
                zeros += u32::from(a.is_zero());
            }
        }
        assert_eq!(zeros, 5);
    }

    #[test]
    fn numbers_from_p_on_are_no_elements() {
        let mut above = P.value;
        assert!(Field::from_limbs(&above).is_none());
        above[0] -= 1;
        assert_eq!(Field::from_limbs(&above).map(value), Some(*p().as_ref() - U576::ONE));
        assert!(Field::from_limbs(&[(1 << 29) - 1; N]).is_none());
    }

    /// The field with intervals for limbs.
    #[derive(Clone, Copy, Debug)]
    struct Twin;

    impl FieldTwin<N> for Twin {
        const TIGHTENED: twins::Limbs<N> = [twins::i32::within((1 << (LIMB_BITS - 1)) + 128); N];
        const A_IS_ZERO: bool = false;

        fn times(a: &twins::Limbs<N>, b: &twins::Limbs<N>) -> twins::Limbs<N> {
            bounds::multiply(a, b)
        }

        fn squared(a: &twins::Limbs<N>) -> twins::Limbs<N> {
            bounds::multiply_by_itself(a)
        }

        fn difference_of_products([a, b, c, d]: [&twins::Limbs<N>; 4]) -> twins::Limbs<N> {
            Self::minus(&Self::times(a, b), &Self::times(c, d))
        }

        fn plus(a: &twins::Limbs<N>, b: &twins::Limbs<N>) -> twins::Limbs<N> {
            bounds::carry(&add(a, b))
        }

        fn minus(a: &twins::Limbs<N>, b: &twins::Limbs<N>) -> twins::Limbs<N> {
            bounds::carry(&subtract(a, b))
        }

        fn tighten(a: &twins::Limbs<N>) -> twins::Limbs<N> {
            *a
        }

        fn from_unsigned(limbs: &twins::Limbs<N>) -> twins::Limbs<N> {
            bounds::carry(limbs)
        }
    }

    /// Whatever is stated and asserted, and that nothing overflows: for all inputs, by intervals.
    #[test]
    fn formulas_stay_in_the_stated_bounds() {
        let tight = Twin::TIGHTENED;
        assert_eq!(tight[0].most(), (1 << 28) + i128::from(SLACK));
        let three = Twin::plus(&scaled(&tight, 2), &tight);
        for limbs in limits_of_formulas::<Twin, N>().iter().map(|(_, limbs)| limbs).chain([&three]) {
            for (limb, tight) in limbs.iter().zip(&tight) {
                assert!(limb.is_within(*tight), "{limbs:?}");
            }
        }
        // Constants: unsigned limbs are below three tight ones.
        let [.., limb] = tight;
        assert!(scaled(&tight, 3).iter().all(|three| three.most() > 1 << LIMB_BITS) && limb.low < 0);
        // Within (-2p, 2p): the first fold leaves a foot of a few more than its bits, the second a carry of one at most.
        let folded = bounds::fold_head(&tight);
        assert!(folded[0].low >= -2 && folded[0].high <= 1 << LIMB_BITS, "{folded:?}");
        assert!(folded[1..].iter().all(|limb| limb.low == 0 && limb.high < 1 << LIMB_BITS), "{folded:?}");
        let again = bounds::fold_head(&folded);
        assert!(again[0].low >= -1 && again[0].high <= 1 << LIMB_BITS, "{again:?}");
    }
}
