//! How many tight elements of a field an element sums at most. Operations on sums assert what they take in debug builds;
//! release builds carry nothing and check nothing.

/// The magnitude of an element: `k` for a sum or difference of `k` tight elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Magnitude {
    #[cfg(debug_assertions)]
    count: u8,
}

impl Magnitude {
    /// The magnitude of zero.
    pub(crate) const NONE: Self = Self::of(0);
    /// The magnitude of the results of products and carries.
    pub(crate) const TIGHT: Self = Self::of(1);

    /// Release builds drop the number.
    #[cfg_attr(not(debug_assertions), expect(unused_variables, reason = "counts exist in debug builds only"))]
    pub(crate) const fn of(count: u8) -> Self {
        Self {
            #[cfg(debug_assertions)]
            count,
        }
    }

    /// 0 in release builds.
    const fn count(self) -> u8 {
        #[cfg(debug_assertions)]
        return self.count;
        #[cfg(not(debug_assertions))]
        0
    }

    /// The magnitude of a sum or a difference.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self::of(self.count().saturating_add(other.count()))
    }

    /// The magnitude of a product that is not reduced yet: the product of the magnitudes bounds the columns.
    pub(crate) const fn times(self, other: Self) -> Self {
        Self::of(self.count().saturating_mul(other.count()))
    }

    /// Panics in debug builds if the magnitude is above `most`.
    pub(crate) const fn assert_at_most(self, most: u8) {
        debug_assert!(self.count() <= most, "more tight elements than the operation takes");
    }
}

/// Helpers for the tests of all fields.
#[cfg(test)]
pub(crate) mod overcounts {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Whether an operation panics because of the magnitudes of its operands.
    pub(crate) fn is_asserted<T>(operation: impl FnOnce() -> T) -> bool {
        catch_unwind(AssertUnwindSafe(operation)).err().is_some_and(|panic| {
            panic.downcast_ref::<&str>().is_some_and(|message| message.starts_with("more tight elements"))
        })
    }
}
