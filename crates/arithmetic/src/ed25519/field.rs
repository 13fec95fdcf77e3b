//! The field of Ed25519: integers modulo p = 2^255 - 19.
//!
//! Limbs as in `limbs`; only products carry, as in Bernstein ("Curve25519: new Diffie-Hellman speed records",
//! PKC 2006, section 4). An element is a number congruent to its residue, not the residue itself. *Tight* elements, which
//! every product returns, have limbs within ±(2^28 + SLACK), the head limb too. A sum of `k` tight ones has the magnitude `k`;
//! operations state the magnitudes they take and assert them in debug builds. 2^261 is 1216 modulo p: a carry out of the
//! head is added at the foot.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "the tests compute the bounds of limbs and columns; casts keep a byte, or a constant; indices are below the \
              fixed lengths"
)]

use crate::bounds::bounded;
use crate::limbs::{
    self, Columns, LIMB_BITS, LIMB_MASK, Limbs, add, are_balanced, are_unsigned, carry_unsigned,
    from_be_bytes, less, narrow, product, split, split_at, split_balanced, subtract, wide,
};
use crate::magnitude::Magnitude;
use crate::modulus::Modulus;

/// The modulus p.
const P: Modulus = Modulus::new(&[
    0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, //
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xed,
]);

/// 2^261 modulo p.
const FOLD: i32 = 1216;

/// How far a limb of a tight element may be from balance.
const SLACK: i32 = 1 << 17;

/// An element of the field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    limbs: Limbs,
    magnitude: Magnitude,
}

/// The largest product of magnitudes that fits a column.
const MAX_PRODUCT: u8 = 13;
/// The largest magnitude that `residue` takes.
const MAX_SUM: u8 = 7;

impl Field {
    pub(super) const ZERO: Self = Self { limbs: [0; 9], magnitude: Magnitude::NONE };
    pub(super) const ONE: Self = Self::small(1);

    /// A number of at most 28 bits.
    pub(super) const fn small(value: i32) -> Self {
        Self::tight([value, 0, 0, 0, 0, 0, 0, 0, 0])
    }

    const fn tight(limbs: Limbs) -> Self {
        debug_assert!(
            are_balanced(&limbs, SLACK + 1, (1 << (LIMB_BITS - 1)) + SLACK),
            "limbs that are not tight"
        );
        Self { limbs, magnitude: Magnitude::TIGHT }
    }

    /// A number with limbs in [0, 2^29).
    const fn unsigned(limbs: Limbs) -> Self {
        debug_assert!(are_unsigned(&limbs), "limbs that are not in [0, 2^29)");
        Self { limbs, magnitude: Magnitude::of(2) }
    }

    /// `None` for p or more (RFC 8032 5.1.3 step 1).
    pub(super) const fn from_le_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let mut reversed = *bytes;
        reversed.reverse();
        let limbs = from_be_bytes(&reversed);
        if less(&limbs, &P.value) { Some(Self::unsigned(limbs).times(&Self::ONE)) } else { None }
    }

    /// The residue, little-endian.
    pub(super) const fn to_le_bytes(self) -> [u8; 32] {
        let limbs = self.canonical();
        let mut bytes = [0; 32];
        let mut bit = 0;
        while bit < 256 {
            let low = limbs[bit / LIMB_BITS] as i64 >> (bit % LIMB_BITS);
            let high = if bit / LIMB_BITS < 8 { limbs[bit / LIMB_BITS + 1] as i64 } else { 0 };
            bytes[bit / 8] = (low | high << (LIMB_BITS - bit % LIMB_BITS)) as u8;
            bit += 8;
        }
        bytes
    }

    /// Magnitudes add up.
    pub(super) const fn plus(&self, other: &Self) -> Self {
        let magnitude = self.magnitude.plus(other.magnitude);
        Self { limbs: add(&self.limbs, &other.limbs), magnitude }
    }

    /// Magnitudes add up.
    pub(super) const fn minus(&self, other: &Self) -> Self {
        let magnitude = self.magnitude.plus(other.magnitude);
        Self { limbs: subtract(&self.limbs, &other.limbs), magnitude }
    }

    /// Takes products of magnitudes up to 13.
    #[inline(never)]
    pub(super) const fn times(&self, other: &Self) -> Self {
        self.magnitude.times(other.magnitude).assert_at_most(MAX_PRODUCT);
        Self::tight(reduce(&product(&self.limbs, &other.limbs)))
    }

    /// Takes magnitudes up to 3.
    #[inline(never)]
    pub(super) const fn squared(&self) -> Self {
        self.magnitude.times(self.magnitude).assert_at_most(MAX_PRODUCT);
        Self::tight(reduce(&limbs::square(&self.limbs)))
    }

    const fn squared_times(&self, times: usize) -> Self {
        let mut power = *self;
        let mut i = 0;
        while i < times {
            power = power.squared();
            i += 1;
        }
        power
    }

    /// Panics in debug builds if the magnitude is above `most`.
    pub(super) const fn assert_at_most(&self, most: u8) {
        self.magnitude.assert_at_most(most);
    }

    /// Takes magnitudes up to 7.
    pub(super) const fn is_zero(&self) -> bool {
        let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = self.canonical();
        (a0 | a1 | a2 | a3 | a4 | a5 | a6 | a7 | a8) == 0
    }

    /// Whether the residue is odd: the sign of an x coordinate (RFC 8032 5.1.2).
    pub(super) const fn is_odd(&self) -> bool {
        self.canonical()[0] & 1 == 1
    }

    /// `1/self`, 0 for 0.
    pub(super) const fn inverse(&self) -> Self {
        Self::unsigned(P.invert(&self.canonical())).times(&Self::ONE)
    }

    /// `self^((p - 5) / 8)`, that is `self^(2^252 - 3)`, along the addition chain of Bernstein's inversion (in the same
    /// section). A name says how many consecutive ones the exponent has.
    const fn power_for_root(&self) -> Self {
        let ones2 = self.squared().times(self);
        let ones4 = ones2.squared_times(2).times(&ones2);
        let ones5 = ones4.squared().times(self);
        let ones10 = ones5.squared_times(5).times(&ones5);
        let ones20 = ones10.squared_times(10).times(&ones10);
        let ones40 = ones20.squared_times(20).times(&ones20);
        let ones50 = ones40.squared_times(10).times(&ones10);
        let ones100 = ones50.squared_times(50).times(&ones50);
        let ones200 = ones100.squared_times(100).times(&ones100);
        let ones250 = ones200.squared_times(50).times(&ones50);
        ones250.squared_times(2).times(self)
    }

    /// A square root of `u/v` for v other than 0 (RFC 8032 5.1.3 step 3); `None` if there is none. Takes tight elements.
    pub(super) const fn root_of_ratio(u: &Self, v: &Self) -> Option<Self> {
        /// 2^((p - 1) / 4), a square root of -1.
        const ROOT_OF_MINUS_1: Field = Field::small(2).power_for_root().squared().times(&Field::small(2));
        let v3 = v.squared().times(v);
        let uv7 = v3.squared().times(v).times(u);
        let root = uv7.power_for_root().times(&v3).times(u);
        let square = root.squared().times(v);
        if square.minus(u).is_zero() {
            Some(root)
        } else if square.plus(u).is_zero() {
            Some(root.times(&ROOT_OF_MINUS_1))
        } else {
            None
        }
    }

    /// The residue; takes magnitudes up to 7.
    const fn canonical(&self) -> Limbs {
        self.magnitude.assert_at_most(MAX_SUM);
        let limbs = below_twice_p(&self.times(&Self::ONE).limbs, &ABOVE);
        let residue =
            if less(&limbs, &P.value) { limbs } else { carry_unsigned(&subtract(&limbs, &P.value)) };
        debug_assert!(are_unsigned(&residue) && less(&residue, &P.value), "a residue that is not below p");
        residue
    }
}

/// 64p, which makes a tight number positive: all ones, except for what 2^261 folds to.
const ABOVE: Limbs = {
    let ones = LIMB_MASK as i32;
    [ones + 1 - FOLD, ones, ones, ones, ones, ones, ones, ones, ones]
};

bounded! {
    twins: crate::limbs::bounds::add, crate::limbs::bounds::carry_unsigned;

    /// The same element from 0 to 2p, with limbs in [0, 2^29); takes a tight one, and 64p.
    const fn below_twice_p(limbs: &Limbs, above: &Limbs) -> Limbs {
        let mut limbs = carry_unsigned(&add(&carry_unsigned(limbs), above));
        // The head limb has the bits from 232 on; 2^255 is 19.
        let (head, times) = split_at(limbs[8], 23);
        limbs[0] += 19 * times;
        limbs[8] = head;
        carry_unsigned(&limbs)
    }

    /// The residue's nine columns: the upper half, as limbs, folds into the lower.
    #[inline(always)]
    const fn reduce(c: &Columns) -> Limbs {
        let (h0, t) = split(c[9]);
        let (h1, t) = split(c[10] + t);
        let (h2, t) = split(c[11] + t);
        let (h3, t) = split(c[12] + t);
        let (h4, t) = split(c[13] + t);
        let (h5, t) = split(c[14] + t);
        let (h6, t) = split(c[15] + t);
        let (h7, h8) = split(c[16] + t);
        // 2^261 is 1216.
        let (r0, t) = split_balanced(c[0] + 1216 * h0);
        let (r1, t) = split_balanced(c[1] + 1216 * h1 + t);
        let (r2, t) = split_balanced(c[2] + 1216 * h2 + t);
        let (r3, t) = split_balanced(c[3] + 1216 * h3 + t);
        let (r4, t) = split_balanced(c[4] + 1216 * h4 + t);
        let (r5, t) = split_balanced(c[5] + 1216 * h5 + t);
        let (r6, t) = split_balanced(c[6] + 1216 * h6 + t);
        let (r7, t) = split_balanced(c[7] + 1216 * h7 + t);
        let (r8, t) = split_balanced(c[8] + 1216 * h8 + t);
        let (r0, t) = split_balanced(wide(r0) + 1216 * t);
        [r0, r1 + narrow(t), r2, r3, r4, r5, r6, r7, r8]
    }
}

#[cfg(test)]
mod tests {
    use super::{ABOVE, Field, LIMB_BITS, LIMB_MASK, MAX_PRODUCT, P, SLACK, bounds};
    use crate::limbs::bounds::{product, square};
    use crate::magnitude::Magnitude;
    use crate::magnitude::overcounts::is_asserted;
    use crate::modulus::residues::{extreme, residue};
    use crate::structured::textbook::{self, Edwards};
    use crate::structured::{Random, cases, report};
    use crate::twins;
    use num_bigint::BigUint;
    use proptest::test_runner::{RngAlgorithm, TestRng};

    /// Tight limbs reach 2^17 beyond balance: limb 1 has that much more here.
    fn element(rng: &mut TestRng, count: u8) -> Field {
        let mut limbs: [i32; 9] = extreme(rng, count.into(), 1 << 28);
        limbs[1] += limbs[1].signum() * i32::from(count) * SLACK;
        Field { limbs, magnitude: Magnitude::of(count) }
    }

    /// Every operation at the largest magnitudes it allows: overflow would panic here.
    #[test]
    fn stays_in_its_bounds() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let value = |field: Field| residue(&P, &field.limbs);
        let product = |a: Field, b: Field| P.montgomery(&P.to_montgomery(&value(a)), &value(b));
        for round in 0..2_000 {
            let mut element = |count| element(&mut rng, count);
            let (a, b) = [(1, 7), (2, 6), (3, 4), (4, 3)].map(|(a, b)| (element(a), element(b)))[round % 4];
            assert_eq!(value(a.times(&b)), product(a, b));
            let c = element(3);
            assert_eq!(value(c.squared()), product(c, c));
            for tight in [a.times(&b), c.squared()] {
                assert!(tight.limbs.iter().all(|limb| limb.abs() <= (1 << 28) + SLACK));
            }
            let a = element(5);
            assert_eq!(a.canonical(), value(a));
            let bytes = a.to_le_bytes();
            assert_eq!(Field::from_le_bytes(&bytes).unwrap().to_le_bytes(), bytes);
            assert!(a.minus(&Field::unsigned(value(a))).is_zero());
            assert_eq!(value(a.inverse().times(&a)), value(Field::ONE));
        }
    }

    /// Whatever is stated and asserted, and that nothing overflows: for all inputs, by intervals.
    #[test]
    fn operations_stay_in_the_stated_bounds() {
        let most = (1 << (LIMB_BITS - 1)) + i128::from(SLACK);
        let times = |count: i128| [twins::i32::within(count * most); 9];
        let tight = times(1);
        let mut pairs = 0;
        for (a, b) in
            (1..8).flat_map(|a| (1..8).map(move |b| (a, b))).filter(|(a, b)| a * b <= MAX_PRODUCT.into())
        {
            let mut results = vec![bounds::reduce(&product(&times(a), &times(b)))];
            if a == b {
                results.push(bounds::reduce(&square(&times(a))));
            }
            for result in results {
                assert!(
                    result.iter().zip(&tight).all(|(limb, tight)| limb.is_within(*tight)),
                    "{a} {b} {result:?}"
                );
            }
            pairs += 1;
        }
        assert_eq!(pairs, 25);
        // Numbers with unsigned limbs are of the magnitude 2.
        assert!(2 * most > i128::from(LIMB_MASK));
        let limbs = bounds::below_twice_p(&tight, &ABOVE.map(|limb| twins::i32::exactly(limb.into())));
        let [low @ .., head] = limbs;
        assert!(low.iter().all(|limb| limb.low >= 0 && limb.high <= LIMB_MASK.into()), "{limbs:?}");
        // p has the head 2^23 - 1 and more below.
        assert!(head.low >= 0 && head.high <= 1 << 23, "{limbs:?}");
    }

    /// As a textbook has it, for numbers with structure.
    #[test]
    fn field_is_as_defined() {
        let (mut random, p) = (Random::new(), Edwards::new().p);
        let bytes_of = |number: &BigUint| {
            let mut bytes: [u8; 32] = textbook::bytes(number, 32).try_into().unwrap();
            bytes.reverse();
            bytes
        };
        let cases = cases(1_400);
        for _ in 0..cases {
            let related = BigUint::from(1_u8) << 261_u32;
            let [a, b, c, d] = [(); 4].map(|()| random.residue(&[&p, &related]));
            // It is a divisor.
            let b = b.max(1_u8.into());
            let [x, y, z, w] =
                [&a, &b, &c, &d].map(|number| Field::from_le_bytes(&bytes_of(number)).unwrap());
            let (sum, sum_value) = (x.plus(&y).minus(&z), textbook::minus(&((&a + &b) % &p), &c, &p));
            let (difference, difference_value) = (w.minus(&x), textbook::minus(&d, &a, &p));
            let twice = difference.plus(&difference);
            let root = Field::root_of_ratio(&x.times(&Field::ONE), &y.times(&Field::ONE))
                .map(|root| root.squared().times(&y));
            let results = [
                (sum.times(&twice), &sum_value * &difference_value * 2_u8 % &p),
                (sum.squared(), &sum_value * &sum_value % &p),
                (sum.plus(&twice), (&sum_value + &difference_value * 2_u8) % &p),
                (sum.inverse(), sum_value.modinv(&p).unwrap_or_default()),
                (root.unwrap_or(x), a.clone()),
            ];
            for (at, (result, expected)) in results.iter().enumerate() {
                assert_eq!(result.to_le_bytes(), bytes_of(expected), "operation {at} of {a} {b} {c} {d}");
                assert_eq!(result.is_zero(), *expected == BigUint::ZERO);
                assert_eq!(result.is_odd(), expected.bit(0));
            }
            // a/b has a root if a·b has one: Euler's criterion.
            let euler = (&a * &b % &p).modpow(&((&p - 1_u8) / 2_u8), &p);
            assert_eq!(root.is_some(), euler <= BigUint::from(1_u8), "{a}/{b}");
        }
        // p and more are no elements.
        for above in 0..19_u8 {
            assert!(Field::from_le_bytes(&bytes_of(&(&p + above))).is_none());
        }
        report("the field of Ed25519", cases);
    }

    /// One more than each operation takes.
    #[test]
    #[cfg_attr(not(debug_assertions), ignore = "counts exist in debug builds only")]
    fn counts_are_asserted() {
        let [one, two, four, seven] = [1, 2, 4, 7].map(|count| {
            let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            element(&mut rng, count)
        });
        assert!(is_asserted(|| seven.times(&two)));
        assert!(is_asserted(|| four.minus(&one).times(&four.plus(&one))));
        assert!(is_asserted(|| four.squared()));
        // Eight would not fit limbs; here only the magnitude shows it.
        let eight = Field { magnitude: Magnitude::of(8), ..one };
        assert!(is_asserted(|| eight.is_zero()));
        assert!(is_asserted(|| eight.is_odd()));
        assert!(is_asserted(|| eight.to_le_bytes()));
        assert!(is_asserted(|| eight.inverse()));
        // Results are tight again.
        assert!(!is_asserted(|| two.squared().plus(&one).times(&four.plus(&two))));
    }
}
