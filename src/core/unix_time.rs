//! Time as data. Ring 1 never reads a clock: `now` is always an argument.

/// An instant, in milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored (RFC 7519 2, NumericDate).
///
/// Milliseconds hold every NumericDate up to 2^53 seconds with its fraction cut, and compare as integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

/// A span of whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u64);

impl UnixTime {
    /// The instant `seconds` after the epoch; saturates at the end of the representable range.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The instant `millis` milliseconds after the epoch.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, the fraction cut.
    #[must_use]
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// `self + span`, saturating.
    #[must_use]
    pub const fn saturating_add(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(span.0.saturating_mul(1000)))
    }

    /// `self - span`, saturating at the epoch.
    #[must_use]
    pub const fn saturating_sub(self, span: Seconds) -> Self {
        Self(self.0.saturating_sub(span.0.saturating_mul(1000)))
    }

    /// Whole seconds from `earlier` to `self`, zero if `earlier` is later.
    #[must_use]
    pub const fn seconds_since(self, earlier: Self) -> Seconds {
        Seconds(self.0.saturating_sub(earlier.0) / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::{Seconds, UnixTime};

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let end = UnixTime::from_millis(u64::MAX);
        assert_eq!(end.saturating_add(Seconds(1)), end);
        assert_eq!(UnixTime::from_seconds(5).saturating_sub(Seconds(9)), UnixTime::from_seconds(0));
        assert_eq!(UnixTime::from_millis(5_900).seconds_since(UnixTime::from_millis(3_000)), Seconds(2));
        assert_eq!(UnixTime::from_seconds(1).seconds_since(UnixTime::from_seconds(2)), Seconds(0));
    }
}
