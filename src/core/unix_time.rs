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
    pub const fn from_seconds(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The instant `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, the fraction cut.
    pub const fn as_seconds(self) -> u64 {
        self.0 / 1000
    }

    /// `self + span`, saturating.
    pub const fn saturating_add(self, span: Seconds) -> Self {
        Self(self.0.saturating_add(span.0.saturating_mul(1000)))
    }

    /// `self - span`, saturating at the epoch.
    pub const fn saturating_sub(self, span: Seconds) -> Self {
        Self(self.0.saturating_sub(span.0.saturating_mul(1000)))
    }

    /// A date and time (RFC 3339 5.6, `2030-01-31T12:00:00Z`, with fraction and offset if wanted) from 1970 on;
    /// digits beyond milliseconds are cut, and a leap second is the second after it.
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let at = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|byte| wanted.contains(byte));
        let separated = at(4, b"-") && at(7, b"-") && at(10, b"Tt ") && at(13, b":") && at(16, b":");
        let (year, month, day) = (number(text, 0, 4)?, number(text, 5, 2)?, number(text, 8, 2)?);
        let (hour, minute, second) = (number(text, 11, 2)?, number(text, 14, 2)?, number(text, 17, 2)?);
        let leap_year = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        let days_in_month = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap_year => 29,
            2 => 28,
            _ => return None,
        };
        if !separated || !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let (millis, zone) = match text.get(19..)?.strip_prefix('.') {
            Some(rest) => {
                let digits = rest.find(|c: char| !c.is_ascii_digit())?;
                let thousandths = rest.get(..digits)?.chars().chain("000".chars()).take(3);
                if digits == 0 {
                    return None;
                }
                (thousandths.collect::<String>().parse::<i64>().ok()?, rest.get(digits..)?)
            }
            None => (0, text.get(19..)?),
        };
        let offset_minutes = match zone.as_bytes() {
            [b'Z' | b'z'] => 0,
            [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
                let (hours, minutes) = (number(zone, 1, 2)?, number(zone, 4, 2)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                let offset = hours.saturating_mul(60).saturating_add(minutes);
                if *sign == b'-' { offset.saturating_neg() } else { offset }
            }
            _ => return None,
        };
        #[expect(
            clippy::arithmetic_side_effects,
            reason = "every part is bounded above: under 10^15 milliseconds in all"
        )]
        let millis = {
            // Years begin in March here, so that the leap day is their last; 153 days in five months from March.
            let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
            let days =
                year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
            let seconds = ((days * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
            seconds * 1000 + millis
        };
        u64::try_from(millis).ok().map(Self)
    }

    /// The instant in UTC, to the second (RFC 3339 5.6): `2030-01-31T12:00:00Z`.
    #[expect(
        clippy::arithmetic_side_effects,
        reason = "of at most 2^64 milliseconds, which are 2^38 days, numbers stay below 2^64"
    )]
    pub fn to_rfc3339(self) -> String {
        let seconds = self.as_seconds();
        // Years begin in March here, as above; 146,097 days in 400 years.
        let days = seconds / 86_400 + 719_468;
        let day_of_era = days % 146_097;
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = days / 146_097 * 400 + year_of_era + u64::from(month < 3);
        let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }

    /// Whole seconds from `earlier` to `self`, zero if `earlier` is later.
    pub const fn seconds_since(self, earlier: Self) -> Seconds {
        Seconds(self.0.saturating_sub(earlier.0) / 1000)
    }
}

/// The `len` digits of `text` from `start` on.
fn number(text: &str, start: usize, len: usize) -> Option<i64> {
    let digits = text.get(start..start.checked_add(len)?)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{Seconds, UnixTime};

    #[test]
    fn rfc_3339_5_6() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00.001z", Some(1)),
            ("1970-01-01t01:00:00.1239+01:00", Some(123)),
            ("1985-04-12T23:20:50.52Z", Some(482_196_050_520)),
            ("1996-12-19T16:39:57-08:00", Some(851_042_397_000)),
            ("1990-12-31T23:59:60Z", Some(662_688_000_000)),
            ("2000-02-29T12:00:00Z", Some(951_825_600_000)),
            ("2024-02-29 00:00:00Z", Some(1_709_164_800_000)),
            ("2024-03-01T00:00:00Z", Some(1_709_251_200_000)),
            ("2100-03-01T00:00:00Z", Some(4_107_542_400_000)),
            ("9999-12-31T23:59:59.999Z", Some(253_402_300_799_999)),
            ("1969-12-31T23:59:59Z", None),
            ("0000-01-01T00:00:00Z", None),
            ("2100-02-29T00:00:00Z", None),
            ("2023-02-29T00:00:00Z", None),
            ("2023-13-01T00:00:00Z", None),
            ("2023-00-01T00:00:00Z", None),
            ("2023-01-00T00:00:00Z", None),
            ("2023-04-31T00:00:00Z", None),
            ("2023-01-01T24:00:00Z", None),
            ("2023-01-01T00:60:00Z", None),
            ("2023-01-01T00:00:61Z", None),
            ("2023-01-01T00:00:00", None),
            ("2023-01-01T00:00:00.Z", None),
            ("2023-01-01T00:00:00.5", None),
            ("2023-01-01T00:00:00+24:00", None),
            ("2023-01-01T00:00:00+0100", None),
            ("2023-01-01", None),
            ("2023/01/01T00:00:00Z", None),
            ("+023-01-01T00:00:00Z", None),
            ("2023-01-01T00:00:00Zx", None),
            ("\u{e9}23-01-01T00:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(UnixTime::from_rfc3339(text), millis.map(UnixTime::from_millis), "{text}");
        }
    }

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_709_164_800, "2024-02-29T00:00:00Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(UnixTime::from_seconds(seconds).to_rfc3339(), text);
            assert_eq!(UnixTime::from_rfc3339(text), Some(UnixTime::from_seconds(seconds)));
        }
        let end = UnixTime::from_millis(u64::MAX);
        assert_eq!(end.saturating_add(Seconds(1)), end);
        assert_eq!(UnixTime::from_seconds(5).saturating_sub(Seconds(9)), UnixTime::from_seconds(0));
        assert_eq!(UnixTime::from_millis(5_900).seconds_since(UnixTime::from_millis(3_000)), Seconds(2));
        assert_eq!(UnixTime::from_seconds(1).seconds_since(UnixTime::from_seconds(2)), Seconds(0));
    }
}
