//! How many tight elements of a field an element sums at most. Operations on sums assert what they take in debug builds;
//! release builds carry nothing and check nothing.

/// The count of an element: a sum of `k` tight ones counts `k`, and so does a difference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Magnitude {
    #[cfg(debug_assertions)]
    count: u8,
}

impl Magnitude {
    /// Of zero.
    pub(crate) const NONE: Self = Self::of(0);
    /// Of what products and carries return.
    pub(crate) const TIGHT: Self = Self::of(1);

    /// In release builds the count is dropped.
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

    /// Of a sum or a difference.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self::of(self.count().saturating_add(other.count()))
    }

    /// Of a product that is not reduced yet: columns are bounded by the product of the counts.
    pub(crate) const fn times(self, other: Self) -> Self {
        Self::of(self.count().saturating_mul(other.count()))
    }

    /// Panics in debug builds if the count is above `most`.
    pub(crate) const fn assert_at_most(self, most: u8) {
        debug_assert!(self.count() <= most, "more tight elements than the operation takes");
    }
}

/// What the tests of all fields need.
#[cfg(test)]
pub(crate) mod overcounts {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    /// Whether an operation panics because its operands count too much.
    pub(crate) fn is_asserted<T>(operation: impl FnOnce() -> T) -> bool {
        catch_unwind(AssertUnwindSafe(operation)).err().is_some_and(|panic| {
            panic.downcast_ref::<&str>().is_some_and(|message| message.starts_with("more tight elements"))
        })
    }
}
