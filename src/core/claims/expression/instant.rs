//! The instants of `Before` and `After`.

use crate::core::unix_time::{Seconds, UnixTime};

/// A point in time, fixed or relative to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instant {
    Fixed(UnixTime),
    /// `now` and seconds after it.
    After(Seconds),
    /// `now` less seconds.
    Ago(Seconds),
}

impl Instant {
    /// Parses `2030-01-31T12:00:00Z` (RFC 3339), seconds since 1970, `now`, `now+60` and `now-3600`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let seconds = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse().ok()).flatten()
        };
        match text.strip_prefix("now") {
            Some("") => Some(Self::After(Seconds(0))),
            Some(shift) => match shift.strip_prefix('-') {
                Some(digits) => seconds(digits).map(Seconds).map(Self::Ago),
                None => seconds(shift.strip_prefix('+')?).map(Seconds).map(Self::After),
            },
            None => seconds(text)
                .map(UnixTime::from_seconds)
                .or_else(|| UnixTime::from_rfc3339(text))
                .map(Self::Fixed),
        }
    }

    /// The instant, at the time `now`.
    pub(super) const fn at(self, now: UnixTime) -> UnixTime {
        match self {
            Self::Fixed(instant) => instant,
            Self::After(span) => now.saturating_add(span),
            Self::Ago(span) => now.saturating_sub(span),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Instant;
    use crate::core::unix_time::UnixTime;

    #[test]
    fn forms() {
        for (text, millis) in [
            ("2030-01-01T00:00:00Z", Some(1_893_456_000_000)),
            ("1893456000", Some(1_893_456_000_000)),
            ("0", Some(0)),
            ("now", Some(5_000_500)),
            ("now+60", Some(5_060_500)),
            ("now-60", Some(4_940_500)),
            ("now-9999999999", Some(0)),
            ("now60", None),
            ("now+", None),
            ("now - 60", None),
            ("now--60", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("99999999999999999999", None),
            ("2030-01-01", None),
            ("", None),
        ] {
            let instant = Instant::parse(text).map(|instant| instant.at(UnixTime::from_millis(5_000_500)));
            assert_eq!(instant, millis.map(UnixTime::from_millis), "{text}");
        }
    }
}
