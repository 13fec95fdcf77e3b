//! Numbers of any size and precision, compared exactly: a double would take 9007199254740993 for ...992.

use std::cmp::Ordering;

/// A decimal number: ±0.d₁d₂d₃… × 10^exponent, without zeros at either end of its digits; zero has none.
#[derive(Clone, Debug)]
pub(super) struct Decimal<T> {
    negative: bool,
    /// Of the text, from its first digit that counts to its last, the point still among them.
    digits: T,
    exponent: i64,
}

impl<'t> Decimal<&'t str> {
    /// Parses a JSON number (RFC 8259 6). `None` for anything else, and for an exponent beyond 18 digits.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
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
        let digits = mantissa.trim_matches(['0', '.']);
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0 });
        }
        let leading_zeros = whole.bytes().chain(fraction.bytes()).take_while(|digit| *digit == b'0').count();
        let point = i64::try_from(whole.len()).ok()?.checked_sub(i64::try_from(leading_zeros).ok()?)?;
        Some(Self { negative, digits, exponent: exponent.checked_add(point)? })
    }

    /// The same number, independent of the text.
    pub(super) fn into_owned(self) -> Decimal<String> {
        Decimal { negative: self.negative, digits: self.digits.to_owned(), exponent: self.exponent }
    }

    fn magnitude(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (true, true) => Ordering::Equal,
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            // Digits without outer zeros compare as text does.
            (false, false) => {
                self.exponent.cmp(&other.exponent).then_with(|| self.bytes().cmp(other.bytes()))
            }
        }
    }

    fn bytes(&self) -> impl Iterator<Item = u8> + 't {
        self.digits.bytes().filter(|byte| *byte != b'.')
    }
}

impl Decimal<String> {
    /// The same number, for comparing.
    pub(super) fn borrowed(&self) -> Decimal<&str> {
        Decimal { negative: self.negative, digits: &self.digits, exponent: self.exponent }
    }
}

impl Ord for Decimal<&str> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude(other),
            (true, true) => other.magnitude(self),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }
}

impl PartialOrd for Decimal<&str> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal<&str> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal<&str> {}

fn parse_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    // 18 digits leave room in 64 bits for the position of the point.
    (digits.len() <= 18).then(|| text.parse().ok()).flatten()
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
                        let (one, two) = (Decimal::parse(a).unwrap(), Decimal::parse(b).unwrap());
                        assert_eq!(one.cmp(&two), at.cmp(&other_at), "{a} {b}");
                        assert_eq!(one == two, at == other_at, "{a} {b}");
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
            "1e-",
            "1e0000000000000000001",
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
            let compared = |a: String, b: String| Decimal::parse(&a).unwrap().cmp(&Decimal::parse(&b).unwrap());
            let scaled = |n: i64| format!("{n}e-{shift}");
            prop_assert_eq!(compared(scaled(a), scaled(b)), a.cmp(&b));
            let half = |n: i64| format!("{n}.5");
            // Away from zero .5 moves every number the same way.
            if (a < 0) == (b < 0) {
                prop_assert_eq!(compared(half(a), half(b)), a.cmp(&b));
            }
        }
    }
}
