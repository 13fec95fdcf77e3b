//! Inverses modulo m: Lehmer's variant of Euclid's algorithm ("Euclid's algorithm for large numbers",
//! American Mathematical Monthly 45, 1938; Knuth, The Art of Computer Programming, volume 2, 4.5.2, algorithm L). The
//! leading 58 bits of two remainders give several quotients, which are applied to the whole numbers at once. The test
//! that a quotient is right is Collins's ("Lecture notes on arithmetic algorithms", 1980); it needs one division per step.
//!
//! Numbers are slices here, so that one copy of the code serves all lengths.
//!
//! A limb has as many bits as an entry of the matrix that is applied, so a product of the two fits a column of `limbs`.
//! Public values only: time depends on all of them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "windows are below 2^58, quotients and entries of a matrix at most 2^30, limbs below 2^29; casts widen, or \
              narrow what a mask left within 32 bits; indices are below the fixed lengths"
)]

use crate::bounds::bounded;
use crate::limbs::{
    LIMB_BITS, LIMB_MASK, Limbs, are_unsigned, carry_unsigned, is_zero, less, narrow, one, split, subtract,
    wide,
};

/// `1/a mod m`, below m; 0 for 0. `a` is below m and has no factor in common with it; limbs are in [0, 2^29).
pub(crate) const fn inverse<const N: usize>(a: &Limbs<N>, m: &Limbs<N>) -> Limbs<N> {
    let mut sequence = Remainders::new(a, m);
    while !sequence.is_at_end() {
        sequence.advance();
    }
    // The last remainder before zero is 1.
    let Remainders { factor_of_high, high_is_negative, .. } = sequence;
    if high_is_negative && !is_zero(&factor_of_high) {
        carry_unsigned(&subtract(m, &factor_of_high))
    } else {
        factor_of_high
    }
}

/// Two neighbours in Euclid's sequence of remainders of `m` and `a`, `low` below `high`, or numbers on the way from one
/// pair to the next. Each is congruent to a multiple of `a` modulo m; one of the two factors is negative and the other is not,
/// and only their magnitudes are kept, of which none exceeds m.
struct Remainders<const N: usize> {
    high: Limbs<N>,
    low: Limbs<N>,
    factor_of_high: Limbs<N>,
    factor_of_low: Limbs<N>,
    high_is_negative: bool,
}

impl<const N: usize> Remainders<N> {
    const fn new(a: &Limbs<N>, m: &Limbs<N>) -> Self {
        debug_assert!(
            are_unsigned(a) && are_unsigned(m) && (less(a, m) || is_zero(a)),
            "a number above its modulus"
        );
        Self { high: *m, low: *a, factor_of_high: [0; N], factor_of_low: one(), high_is_negative: true }
    }

    const fn is_at_end(&self) -> bool {
        is_zero(&self.low)
    }

    /// Makes `high` smaller: by all steps that the leading bits determine, otherwise by a part of a step.
    const fn advance(&mut self) {
        let steps = Steps::of_leading_bits(&self.high, &self.low);
        if steps.is_none() {
            let (quotient, limbs) = partial_quotient(&self.high, &self.low);
            add_multiple(&mut self.high, -quotient, &self.low, limbs);
            add_multiple(&mut self.factor_of_high, quotient, &self.factor_of_low, limbs);
            if less(&self.high, &self.low) {
                (self.high, self.low) = (self.low, self.high);
                (self.factor_of_high, self.factor_of_low) = (self.factor_of_low, self.factor_of_high);
                self.high_is_negative = !self.high_is_negative;
            }
        } else {
            steps.apply(&mut self.high, &mut self.low);
            steps.magnitudes().apply(&mut self.factor_of_high, &mut self.factor_of_low);
            self.high_is_negative ^= steps.is_odd();
        }
    }
}

/// Steps of Euclid's algorithm as a matrix: `(high, low)` becomes `(a·high + b·low, c·high + d·low)`. The two entries of
/// a row have opposite signs, and so have the two of a column; magnitudes are below 2^29.
struct Steps {
    a: i64,
    b: i64,
    c: i64,
    d: i64,
}

impl Steps {
    /// The steps that the leading bits of two numbers, `low` at most `high`, determine with certainty.
    #[inline(never)]
    const fn of_leading_bits(high: &[i32], low: &[i32]) -> Self {
        let start = bit_length(high).saturating_sub(WINDOW);
        let (mut x, mut y) = (window(high, start), window(low, start));
        let Self { mut a, mut b, mut c, mut d } = Self { a: 1, b: 0, c: 0, d: 1 };
        while y > 0 {
            let quotient = x / y;
            if quotient > LIMB_MASK {
                break;
            }
            let remainder = x - quotient * y;
            // |e| is at most |f|.
            let (e, f) = (a - quotient * c, b - quotient * d);
            if f.abs() > LIMB_MASK {
                break;
            }
            // The bits below the window, as a fraction, change y by less than |d| and the remainder by less than |f|.
            // The quotient is right if the remainder is still not negative and less than y.
            if start > 0 && (remainder < f.abs() || y - remainder < f.abs() + d.abs()) {
                break;
            }
            (x, y) = (y, remainder);
            (a, b, c, d) = (c, d, e, f);
        }
        let largest = if c.abs() > d.abs() { c.abs() } else { d.abs() };
        debug_assert!(
            a.abs() <= largest && b.abs() <= largest && largest <= LIMB_MASK,
            "entries that no limb holds"
        );
        Self { a, b, c, d }
    }

    const fn is_none(&self) -> bool {
        self.b == 0
    }

    /// Whether the number of steps is odd.
    const fn is_odd(&self) -> bool {
        self.b > 0
    }

    /// Applies the steps to the magnitudes of factors, whose signs are opposite, as are those in a row.
    const fn magnitudes(&self) -> Self {
        Self { a: self.a.abs(), b: self.b.abs(), c: self.c.abs(), d: self.d.abs() }
    }

    /// Takes both numbers, as long as each other, through the steps; the results are not negative.
    #[inline(never)]
    const fn apply(&self, high: &mut [i32], low: &mut [i32]) {
        let (mut carry_high, mut carry_low) = (0, 0);
        let mut i = 0;
        while i < high.len() {
            let (x, y) = (wide(high[i]), wide(low[i]));
            (high[i], carry_high) = combine(carry_high, self.a, x, self.b, y);
            (low[i], carry_low) = combine(carry_low, self.c, x, self.d, y);
            i += 1;
        }
        debug_assert!(carry_high == 0 && carry_low == 0, "a remainder that is negative, or too large");
    }
}

/// A factor q, at most 2^30, and a number of limbs l such that `q·2^(29·l)·low` is at most `high`, and nearly the largest
/// such product: for the rare quotients that are too large for a matrix, or that the bits below a window decide.
#[inline(never)]
const fn partial_quotient(high: &[i32], low: &[i32]) -> (i64, usize) {
    let (high_bits, low_bits) = (bit_length(high), bit_length(low));
    // One bit is left between them, unless there was none: the shifted `low` is not above `high`.
    let limbs = high_bits.saturating_sub(low_bits).saturating_sub(1) / LIMB_BITS;
    let start = low_bits.saturating_sub(LIMB_BITS);
    let (x, y) = (window(high, start + limbs * LIMB_BITS), window(low, start));
    // Without bits below its window, `low` is y itself.
    let quotient = x / if start > 0 { y + 1 } else { y };
    (if quotient == 0 { 1 } else { quotient }, limbs)
}

/// Adds `q·2^(29·limbs)·y` to x, which is as long; the sum is not negative and fits.
#[inline(never)]
const fn add_multiple(x: &mut [i32], q: i64, y: &[i32], limbs: usize) {
    let mut carry = 0;
    let mut i = limbs;
    while i < x.len() {
        (x[i], carry) = combine(carry, 1, wide(x[i]), q, wide(y[i - limbs]));
        i += 1;
    }
    debug_assert!(carry == 0 && q.abs() <= 1 << 30, "a sum that is negative, or too large");
}

bounded! {
    /// A limb of `a·x + b·y`, and its carry.
    #[inline(always)]
    const fn combine(carry: i64, a: i64, x: i64, b: i64, y: i64) -> (i32, i64) {
        let (limb, carry) = split(carry + a * x + b * y);
        (narrow(limb), carry)
    }
}

/// Bits of a window.
const WINDOW: usize = 2 * LIMB_BITS;

/// A number without its bits below `start`, which leave at most [`WINDOW`].
const fn window(limbs: &[i32], start: usize) -> i64 {
    let (first, shift) = (start / LIMB_BITS, start % LIMB_BITS);
    let (mut window, mut i) = (0, 0);
    while i < 3 && first + i < limbs.len() {
        let limb = limbs[first + i] as i64;
        window |= if i == 0 { limb >> shift } else { limb << (i * LIMB_BITS - shift) };
        i += 1;
    }
    debug_assert!(window >> WINDOW == 0, "a window above its bits");
    window
}

/// Bits of a number without leading zeros.
const fn bit_length(limbs: &[i32]) -> usize {
    let mut i = limbs.len();
    while i > 0 {
        i -= 1;
        if limbs[i] != 0 {
            return i * LIMB_BITS + limbs[i].ilog2() as usize + 1;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::{Remainders, bounds, inverse};
    use crate::limbs::{LIMB_MASK, Limbs, from_be_bytes};
    use crate::twins;
    use crypto_bigint::{NonZero, U576};
    use proptest::prelude::Rng;
    use proptest::test_runner::{RngAlgorithm, TestRng};

    fn limbs(number: &U576) -> Limbs<18> {
        from_be_bytes(&number.to_be_bytes()[6..])
    }

    /// Quotients of Euclid's algorithm at the ends of what a matrix takes, beyond it, and at the ends of a window.
    fn quotient(rng: &mut TestRng) -> U576 {
        let power = |bits| U576::ONE.shl_vartime(bits);
        match rng.next_u32() % 10 {
            0..=3 => U576::from(1 + rng.next_u32() % 3),
            4 => power(27 + rng.next_u32() % 4) - U576::ONE,
            5 => power(27 + rng.next_u32() % 4) + U576::from(rng.next_u32() % 3),
            6 => power(56 + rng.next_u32() % 4) - U576::ONE,
            7 => power(rng.next_u32() % 160) + U576::from(rng.next_u32()),
            _ => U576::from(1 + rng.next_u32() % (1 << 15)),
        }
    }

    /// A number and a smaller one for which Euclid's algorithm finds these quotients, the last one first.
    fn with_quotients(rng: &mut TestRng, bits: u32) -> (U576, U576) {
        let (mut high, mut low) = (U576::ONE, U576::ZERO);
        loop {
            let next = quotient(rng).saturating_mul(&high).saturating_add(&low);
            if next.bit_width_vartime() > bits {
                return (high, low);
            }
            (high, low) = (next, high);
        }
    }

    #[test]
    fn quotients_of_all_sizes_take_few_rounds() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let mut most = 0;
        for round in 0..20_000 {
            let (m, a) = with_quotients(&mut rng, 256 + 265 * (round % 2));
            let modulus = NonZero::new(m).unwrap();
            let found = inverse(&limbs(&a), &limbs(&m));
            let number = found.iter().rev().fold(U576::ZERO, |sum, &limb| {
                sum.shl_vartime(29) | U576::from(u32::try_from(limb).unwrap())
            });
            assert!(number < m || m == U576::ONE, "1/{a} mod {m}");
            assert_eq!(number.mul_mod(&a, &modulus), U576::ONE.rem_vartime(&modulus), "1/{a} mod {m}");
            let mut sequence = Remainders::new(&limbs(&a), &limbs(&m));
            let rounds = (0..).find(|_| {
                sequence.advance();
                sequence.is_at_end()
            });
            most = most.max(rounds.unwrap());
        }
        // 44; random numbers of 521 bits take 19.
        assert!(most < 60, "{most} rounds");
    }

    /// For all entries of a matrix, all factors and all limbs, by intervals: the carries stay as they are.
    #[test]
    fn combinations_do_not_overflow() {
        let limb = twins::i64::between(0, LIMB_MASK.into());
        for most in [LIMB_MASK.into(), 1 << 30] {
            let mut carry = twins::i64::exactly(0);
            // More carries than any number has limbs.
            for _ in 0..100 {
                let (_, next) =
                    bounds::combine(carry, twins::i64::within(most), limb, twins::i64::within(most), limb);
                carry = carry.join(next);
            }
            assert!(carry.most() <= 4 * most, "{carry:?}");
        }
    }
}
