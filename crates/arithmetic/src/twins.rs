//! What the text of a function in `bounded!` means in its twin: types and steps of the same names, with intervals.
#![expect(
    non_camel_case_types,
    clippy::arithmetic_side_effects,
    reason = "they stand for the types of the same name; numbers are below 2^62"
)]

use crate::interval::Interval;
use crate::limbs::{self, LIMB_BITS};

pub(crate) type i32 = Interval<{ -(1 << 31) }, { (1 << 31) - 1 }>;
pub(crate) type i64 = Interval<{ -(1 << 63) }, { (1 << 63) - 1 }>;
pub(crate) type u64 = Interval<0, { (1 << 64) - 1 }>;
pub(crate) type Limbs<const N: usize = 9> = [i32; N];
pub(crate) type Columns<const N: usize = 17> = [i64; N];
pub(crate) const ZERO: u64 = u64::exactly(0);

pub(crate) fn wide(limb: i32) -> i64 {
    limb.convert()
}

pub(crate) fn widen<const N: usize>(limbs: &Limbs<N>) -> [i64; N] {
    limbs.map(wide)
}

pub(crate) fn unsigned(limb: i32) -> u64 {
    limb.convert()
}

pub(crate) fn narrow(column: i64) -> i32 {
    column.convert()
}

pub(crate) fn split(column: i64) -> (i64, i64) {
    column.split(LIMB_BITS, 0)
}

pub(crate) fn split_limb(limb: i32) -> (i32, i32) {
    split_at(limb, LIMB_BITS)
}

pub(crate) fn split_at(limb: i32, bits: usize) -> (i32, i32) {
    limb.split(bits, 0)
}

pub(crate) fn split_balanced(column: i64) -> (i32, i64) {
    let (rest, carry) = column.split(LIMB_BITS, 1 << (LIMB_BITS - 1));
    (rest.convert(), carry)
}

pub(crate) fn balance(limb: i32) -> (i32, i32) {
    balance_at(limb, LIMB_BITS)
}

pub(crate) fn balance_at(limb: i32, bits: usize) -> (i32, i32) {
    limb.split(bits, 1 << (bits - 1))
}

/// Any digit.
pub(crate) fn quotient_digit(_: u64, _: u64) -> u64 {
    u64::between(0, limbs::LIMB_MASK.into())
}

pub(crate) fn shift_limb(column: u64) -> u64 {
    column.split(LIMB_BITS, 0).1
}

#[cfg(test)]
mod tests {
    use crate::interval::Interval;
    use crate::limbs::{balance, balance_at, narrow, split, split_balanced, split_limb};
    use crate::twins;

    /// The numbers around every carry of a limb, and where a carry may be cut short.
    fn numbers(most: i64) -> impl Iterator<Item = i64> {
        let units = (-8..=8_i64).map(|unit| unit << 28).chain([25, 30, 31, 45, 57, 61].map(|bits| 1 << bits));
        units
            .flat_map(|unit| [unit, -unit])
            .flat_map(|unit| [-2, -1, 0, 1, 2].map(|near| unit + near))
            .filter(move |number| number.abs() <= most)
    }

    fn has<const L: i128, const H: i128>(interval: Interval<L, H>, number: impl Into<i128>) -> bool {
        let number = number.into();
        interval.low <= number && number <= interval.high
    }

    /// What the code does to each number of an interval is in what the twin does to the interval, at both of its ends.
    #[test]
    fn twins_hold_what_the_code_does() {
        let mut pairs = 0;
        for low in numbers(1 << 61) {
            for high in numbers(1 << 61).filter(|high| low <= *high) {
                let twin = twins::i64::between(low.into(), high.into());
                let ((rest, carry), (balanced, balanced_carry)) =
                    (twins::split(twin), twins::split_balanced(twin));
                for number in [low, high, low.midpoint(high)] {
                    let (r, c) = split(number);
                    assert!(has(rest, r) && has(carry, c), "{number} of {twin:?}");
                    assert!((0..1 << 29).contains(&r) && (c << 29) + r == number);
                    let (r, c) = split_balanced(number);
                    assert!(has(balanced, r) && has(balanced_carry, c), "{number} of {twin:?}");
                    assert!((-(1 << 28)..1 << 28).contains(&r) && (c << 29) + i64::from(r) == number);
                }
                pairs += 1;
            }
        }
        for low in numbers((7 << 28) - 1).map(narrow) {
            for high in numbers((7 << 28) - 1).map(narrow).filter(|high| low <= *high) {
                let twin = twins::i32::between(low.into(), high.into());
                for number in [low, high, low.midpoint(high)] {
                    let pairs = [
                        (twins::balance(twin), balance(number)),
                        (twins::split_limb(twin), split_limb(number)),
                        (twins::balance_at(twin, 24), balance_at(number, 24)),
                        (twins::balance_at(twin, 7), balance_at(number, 7)),
                    ];
                    for ((rest, carry), (r, c)) in pairs {
                        assert!(has(rest, r) && has(carry, c), "{number} of {twin:?}");
                    }
                    for bits in [7, 24, 29] {
                        let (rest, carry) = balance_at(number, bits);
                        assert!((-(1 << bits)..1 << bits).contains(&(2 * i64::from(rest))));
                        assert_eq!((i64::from(carry) << bits) + i64::from(rest), i64::from(number));
                    }
                }
                pairs += 1;
            }
        }
        assert!(pairs > 5_000, "{pairs}");
    }

    #[test]
    #[should_panic(expected = "its type does not hold")]
    fn what_may_leave_its_type_fails() {
        let limb = twins::i32::between(0, 1 << 30);
        let _ = limb + limb;
    }
}
