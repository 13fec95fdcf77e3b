//! Arithmetic modulo an odd number of up to 521 bits: the scalars of all curves, and inverses for their fields.
//!
//! Products are Montgomery's ("Modular multiplication without trial division", Mathematics of Computation 44, 1985), a
//! digit of one factor and one of the quotient at a time ("coarsely integrated operand scanning" of Koç, Acar and
//! Kaliski, "Analyzing and comparing Montgomery multiplication algorithms", IEEE Micro 16, 1996, section 5), but without
//! carries between columns.
//!
//! Limbs as in `limbs`, here all in [0, 2^29). Public values only: time depends on all of them.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    reason = "the tests compute the bounds of limbs and columns; casts keep what a mask left, or a carry within 32 bits; \
              indices are below the fixed lengths"
)]

use crate::bounds::bounded;
use crate::inverse::inverse;
use crate::limbs::{
    LIMB_BITS, LIMB_MASK, Limbs, add, are_unsigned, carry_unsigned, from_be_bytes, less, one, subtract,
    unsigned,
};

/// An odd modulus m; products are Montgomery's, with R = 2^(29 N).
pub(crate) struct Modulus<const N: usize = 9> {
    pub(crate) value: Limbs<N>,
    /// 1/m mod 2^29.
    inverse: i64,
    /// R² mod m.
    r_squared: Limbs<N>,
}

impl<const N: usize> Modulus<N> {
    pub(crate) const fn new(bytes: &[u8]) -> Self {
        let value = from_be_bytes(bytes);
        let inverse = inverse_of_digit(value[0] as u32) as i64 & LIMB_MASK;
        let mut modulus = Self { value, inverse, r_squared: [0; N] };
        // R² by doubling 1.
        let mut power = one();
        let mut i = 0;
        while i < 2 * N * LIMB_BITS {
            power = modulus.sum(&power, &power);
            i += 1;
        }
        modulus.r_squared = power;
        modulus
    }

    /// `a - m` if that is not negative, for `a` below 2m.
    const fn subtract_once(&self, a: &Limbs<N>) -> Limbs<N> {
        let result = if less(a, &self.value) { *a } else { carry_unsigned(&subtract(a, &self.value)) };
        self.assert_below(&result);
        result
    }

    /// Panics in debug builds unless `a` is below m, and its limbs in [0, 2^29).
    const fn assert_below(&self, a: &Limbs<N>) {
        debug_assert!(are_unsigned(a) && less(a, &self.value), "a number that is not below its modulus");
    }

    /// `a·b/R mod m`, below m, for `a·b` below `R·m`.
    #[inline(never)]
    pub(crate) const fn montgomery(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        debug_assert!(are_unsigned(a) && are_unsigned(b), "limbs that are not in [0, 2^29)");
        debug_assert!(less(a, &self.value) || less(b, &self.value), "two factors above the modulus");
        let columns = product_columns(a, b, &self.value, self.inverse as u64);
        let mut result = [0; N];
        let mut carry = 0;
        let mut i = 0;
        while i < N - 1 {
            let column = columns[i] + carry;
            (result[i], carry) = ((column & LIMB_MASK as u64) as i32, column >> LIMB_BITS);
            i += 1;
        }
        // The result is below 2m.
        debug_assert!(carry >> LIMB_BITS == 0, "a product above the limbs");
        result[N - 1] = carry as i32;
        self.subtract_once(&result)
    }

    /// `a·R mod m`, for `a` below R.
    pub(crate) const fn to_montgomery(&self, a: &Limbs<N>) -> Limbs<N> {
        self.montgomery(a, &self.r_squared)
    }

    /// `a + b mod m`, if both are below m.
    pub(crate) const fn sum(&self, a: &Limbs<N>, b: &Limbs<N>) -> Limbs<N> {
        self.assert_below(a);
        self.assert_below(b);
        self.subtract_once(&carry_unsigned(&add(a, b)))
    }

    /// `1/a mod m`, below m, for `a` below m that has no factor in common with it; 0 for 0.
    pub(crate) const fn invert(&self, a: &Limbs<N>) -> Limbs<N> {
        self.assert_below(a);
        let inverse = inverse(a, &self.value);
        self.assert_below(&inverse);
        inverse
    }
}

bounded! {
    /// The columns of `a·b/R` without the last carries, for a modulus and its inverse mod 2^29. Unsigned: 36 products are
    /// too many for an i64.
    #[inline(always)]
    const fn product_columns<const N: usize>(a: &Limbs<N>, b: &Limbs<N>, m: &Limbs<N>, inverse: u64) -> [u64; N] {
        let mut columns = [ZERO; N];
        let mut i = 0;
        while i < N {
            let first = columns[0] + unsigned(a[i]) * unsigned(b[0]);
            // The multiple of m that makes the lowest column zero.
            let digit = quotient_digit(first, inverse);
            let carry = shift_limb(first + digit * unsigned(m[0]));
            let mut j = 1;
            while j < N {
                columns[j - 1] = columns[j] + unsigned(a[i]) * unsigned(b[j]) + digit * unsigned(m[j]);
                j += 1;
            }
            columns[N - 1] = ZERO;
            columns[0] += carry;
            i += 1;
        }
        columns
    }
}

const ZERO: u64 = 0;

/// `-first/m mod 2^29`, for the inverse of m.
const fn quotient_digit(first: u64, inverse: u64) -> u64 {
    first.wrapping_mul(inverse).wrapping_neg() & LIMB_MASK as u64
}

const fn shift_limb(column: u64) -> u64 {
    column >> LIMB_BITS
}

/// `1/m mod 2^32` for an odd m. Newton: m is its own inverse mod 8, and every step doubles the number of correct bits: 3, 6,
/// 12, 24, 48.
pub(crate) const fn inverse_of_digit(m: u32) -> u32 {
    let mut inverse = m;
    let mut i = 0;
    while i < 4 {
        inverse = inverse.wrapping_mul(2_u32.wrapping_sub(m.wrapping_mul(inverse)));
        i += 1;
    }
    inverse
}

/// Helpers for the tests of both kinds of fields.
#[cfg(test)]
pub(crate) mod residues {
    use super::{LIMB_BITS, Limbs, Modulus, add, carry_unsigned};
    use proptest::prelude::Rng;
    use proptest::test_runner::TestRng;

    /// The residue of a number with limbs of any sign and size, limb by limb.
    pub(crate) fn residue<const N: usize>(modulus: &Modulus<N>, limbs: &Limbs<N>) -> Limbs<N> {
        limbs.iter().rev().fold([0; N], |sum, &limb| {
            let shifted = (0..LIMB_BITS).fold(sum, |sum, _| modulus.sum(&sum, &sum));
            let mut small = [0; N];
            small[0] = limb;
            let small = carry_unsigned(&small);
            modulus
                .sum(&shifted, &if limb < 0 { carry_unsigned(&add(&small, &modulus.value)) } else { small })
        })
    }

    /// Limbs at or near the ends of what `count` tight elements sum to; the head limb within `head` for each of them.
    pub(crate) fn extreme<const N: usize>(rng: &mut TestRng, count: i32, head: i32) -> Limbs<N> {
        let mut limb = |most: i32| match rng.next_u32() % 8 {
            0..=2 => count * most,
            3..=5 => -count * most,
            6 => 0,
            _ => i32::try_from(rng.next_u32() % (1 << 28)).unwrap(),
        };
        let mut limbs = [0; N];
        for at in &mut limbs {
            *at = limb(1 << 28);
        }
        limbs[N - 1] = limb(head) % (count * head + 1);
        limbs
    }
}

#[cfg(test)]
mod tests {
    use super::{LIMB_BITS, Limbs, Modulus, bounds, inverse_of_digit};
    use crate::twins;
    use crypto_bigint::{NonZero, U576};
    use proptest::prelude::Rng;
    use proptest::test_runner::{RngAlgorithm, TestRng};

    const LIMB: u32 = (1 << LIMB_BITS) - 1;

    fn number(limbs: &Limbs<18>) -> U576 {
        limbs
            .iter()
            .rev()
            .fold(U576::ZERO, |sum, &limb| sum.shl_vartime(29) | U576::from(u32::try_from(limb).unwrap()))
    }

    /// Limbs that are all ones, zero or anything.
    fn limbs(rng: &mut TestRng) -> Limbs<18> {
        [0; 18].map(|_: i32| {
            i32::try_from(match rng.next_u32() % 4 {
                0 => 0,
                1 | 2 => LIMB,
                _ => rng.next_u32() & LIMB,
            })
            .unwrap()
        })
    }

    /// The largest numbers, whose columns are the fullest: overflow would panic here.
    #[test]
    fn multiplies_as_crypto_bigint_does_at_521_bits() {
        let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        for round in 0..1_000 {
            let mut bytes = [0xff; 66];
            if round % 4 > 0 {
                rng.fill_bytes(&mut bytes);
            }
            (bytes[0], bytes[65]) = (1, bytes[65] | 1);
            let modulus = Modulus::<18>::new(&bytes);
            let m = NonZero::new(number(&modulus.value)).unwrap();
            // One factor fills the limbs, the other is below m, which is at least 2^520.
            let [mut a, mut b] = [limbs(&mut rng), limbs(&mut rng)];
            b[17] &= (1 << 27) - 1;
            if round % 5 == 0 {
                (a, b) = ([i32::try_from(LIMB).unwrap(); 18], modulus.value);
                b[0] -= 1;
            }
            let result = number(&modulus.montgomery(&a, &b));
            assert!(result < *m.as_ref());
            let r = U576::ONE.shl_vartime(522).rem_vartime(&m);
            assert_eq!(
                result.mul_mod(&r, &m),
                number(&a).rem_vartime(&m).mul_mod(&number(&b), &m),
                "modulo {m:?}"
            );
        }
    }

    /// For all factors and moduli of all curves, by intervals.
    #[test]
    fn columns_do_not_overflow() {
        fn most<const N: usize>() -> i128 {
            let limbs = [twins::i32::between(0, LIMB.into()); N];
            let columns = bounds::product_columns(&limbs, &limbs, &limbs, twins::u64::exactly(0));
            columns.iter().map(|column| column.high).max().unwrap()
        }
        // 36 products of two limbs, and carries: too many for an i64.
        assert_eq!([most::<9>(), most::<14>(), most::<18>()].map(i128::ilog2), [61, 62, 63]);
    }

    /// For all odd digits: the inverse depends on the bits below 2^29 alone.
    #[test]
    fn digits_have_their_inverses() {
        let step = if std::env::var_os("CASES").is_some() { 2 } else { 2_046 };
        for digit in (1..1_u32 << LIMB_BITS).step_by(step) {
            assert_eq!(inverse_of_digit(digit).wrapping_mul(digit), 1, "{digit}");
        }
    }
}
