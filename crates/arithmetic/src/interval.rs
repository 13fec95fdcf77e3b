//! Intervals of integers, for tests that compute bounds.
#![expect(
    clippy::arithmetic_side_effects,
    reason = "ends are below 2^127, because those of factors are below 2^64"
)]

use std::ops::{Add, AddAssign, Mul, Neg, Shl, Shr, Sub, SubAssign};

/// All numbers from `low` to `high`. Whatever may leave LOWEST to HIGHEST, the range of a type, panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval<const LOWEST: i128, const HIGHEST: i128> {
    pub(crate) low: i128,
    pub(crate) high: i128,
}

impl<const LOWEST: i128, const HIGHEST: i128> Interval<LOWEST, HIGHEST> {
    pub(crate) const fn between(low: i128, high: i128) -> Self {
        assert!(low <= high && LOWEST <= low && high <= HIGHEST, "an interval that its type does not hold");
        Self { low, high }
    }

    pub(crate) const fn exactly(number: i128) -> Self {
        Self::between(number, number)
    }

    /// From `-most` to `most`.
    pub(crate) const fn within(most: i128) -> Self {
        Self::between(-most, most)
    }

    /// The same numbers in another type.
    pub(crate) fn convert<const L: i128, const H: i128>(self) -> Interval<L, H> {
        Interval::between(self.low, self.high)
    }

    /// The smallest interval that holds both.
    pub(crate) fn join(self, other: Self) -> Self {
        Self::between(self.low.min(other.low), self.high.max(other.high))
    }

    pub(crate) fn is_within(self, other: Self) -> bool {
        other.low <= self.low && self.high <= other.high
    }

    /// The largest magnitude.
    pub(crate) fn most(self) -> i128 {
        self.high.max(-self.low)
    }

    /// What `bits` bits keep of a number, in [-half, 2^bits - half), and the carry. As in the code, adding `half`
    /// must not overflow.
    pub(crate) fn split(self, bits: usize, half: i128) -> (Self, Self) {
        let shifted = self + Self::exactly(half);
        let carry = Self::between(shifted.low >> bits, shifted.high >> bits);
        let rest = if carry.low == carry.high {
            Self::between(self.low - (carry.low << bits), self.high - (carry.high << bits))
        } else {
            Self::between(-half, (1 << bits) - 1 - half)
        };
        (rest, carry)
    }
}

impl<const L: i128, const H: i128> Add for Interval<L, H> {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::between(self.low + other.low, self.high + other.high)
    }
}

impl<const L: i128, const H: i128> Sub for Interval<L, H> {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self::between(self.low - other.high, self.high - other.low)
    }
}

impl<const L: i128, const H: i128> Neg for Interval<L, H> {
    type Output = Self;

    fn neg(self) -> Self {
        Self::between(-self.high, -self.low)
    }
}

impl<const L: i128, const H: i128> Mul for Interval<L, H> {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let ends = [self.low, self.high].map(|a| [a * other.low, a * other.high]);
        let [a, b, c, d] = [ends[0][0], ends[0][1], ends[1][0], ends[1][1]];
        Self::between(a.min(b).min(c).min(d), a.max(b).max(c).max(d))
    }
}

/// A literal times a limb.
impl<const L: i128, const H: i128> Mul<Interval<L, H>> for i32 {
    type Output = Interval<L, H>;

    fn mul(self, other: Interval<L, H>) -> Interval<L, H> {
        Interval::exactly(self.into()) * other
    }
}

impl<const L: i128, const H: i128> Shl<i32> for Interval<L, H> {
    type Output = Self;

    fn shl(self, bits: i32) -> Self {
        Self::between(self.low << bits, self.high << bits)
    }
}

impl<const L: i128, const H: i128> Shr<i32> for Interval<L, H> {
    type Output = Self;

    fn shr(self, bits: i32) -> Self {
        Self::between(self.low >> bits, self.high >> bits)
    }
}

impl<const L: i128, const H: i128> AddAssign for Interval<L, H> {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl<const L: i128, const H: i128> SubAssign for Interval<L, H> {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}
