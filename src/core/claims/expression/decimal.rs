//! Numbers of any size and precision, compared exactly: a double would take 9007199254740993 for ...992.

use std::cmp::Ordering;

/// A decimal number: ±0.d₁d₂d₃… × 10^exponent, without zeros at either end of its digits; zero has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// Parses a JSON number (RFC 8259 6). `None` for anything else, and for an exponent beyond 18 digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) if !fraction.is_empty() => (whole, fraction),
            Some(_) => return None,
            None => (mantissa, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits = || whole.bytes().chain(fraction.bytes());
        let leading_zeros = digits().take_while(|digit| *digit == b'0').count();
        let mut digits: Vec<u8> = digits().skip(leading_zeros).collect();
        digits.truncate(
            digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last.saturating_add(1)),
        );
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0 });
        }
        let point = i64::try_from(whole.len()).ok()?.checked_sub(i64::try_from(leading_zeros).ok()?)?;
        Some(Self { negative, digits, exponent: exponent.checked_add(point)? })
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Digits without outer zeros compare as text does.
            (false, false) => self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits)),
        }
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // 18 digits leave room in 64 bits for the position of the point.
    if digits.is_empty() || digits.len() > 18 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::Decimal;
    use proptest::prelude::*;

    #[test]
    fn in_order() {
        // Each row is greater than the one before it; the texts of a row are equal.
        let rows: &[&[&str]] = &[
            &["-1e999999999999999999"],
            &["-18446744073709551616"],
            &["-10", "-1e1", "-1.0e+1"],
            &["-9.99"],
            &["-0.001", "-1e-3"],
            &["0", "-0", "0.0", "0e5", "-0.000e-7"],
            &["1e-999999999999999999"],
            &["0.1", "1e-1", "0.10"],
            &["0.3"],
            &["0.30000000000000000001"],
            &["1", "1.0", "10e-1", "0.1e1"],
            &["9.9999999999999999999"],
            &["10"],
            &["11"],
            &["100"],
            &["9007199254740992", "9007199254740992.0"],
            &["9007199254740992.5"],
            &["9007199254740993"],
            &["123456789012345678901234567890"],
            &["123456789012345678901234567891"],
            &["1e400"],
        ];
        for (at, row) in rows.iter().enumerate() {
            for (other_at, other) in rows.iter().enumerate() {
                for a in *row {
                    for b in *other {
                        let ordering = Decimal::parse(a).unwrap().cmp(&Decimal::parse(b).unwrap());
                        assert_eq!(ordering, at.cmp(&other_at), "{a} {b}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_json_numbers() {
        for text in [
            "",
            "-",
            "+1",
            "01",
            "-01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "e1",
            "1e1e1",
            "1.2.3",
            "0x1",
            " 1",
            "1 ",
            "1_000",
            "Infinity",
            "NaN",
            "1e9999999999999999999",
            "1e1.5",
            "1e+-1",
            "--1",
            "\u{661}",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_integers_of_any_scale(a in any::<i64>(), b in any::<i64>(), shift in 0_u32..18) {
            let scaled = |n: i64| Decimal::parse(&format!("{n}e-{shift}")).unwrap();
            prop_assert_eq!(scaled(a).cmp(&scaled(b)), a.cmp(&b));
            let half = |n: i64| Decimal::parse(&format!("{n}.5")).unwrap();
            // Away from zero .5 moves every number the same way.
            if (a < 0) == (b < 0) {
                prop_assert_eq!(half(a).cmp(&half(b)), a.cmp(&b));
            }
        }
    }
}
