//! `Matches`: regular expressions in linear time, over the whole value.

use regex_lite::{Regex, RegexBuilder};

use crate::core::limits::{MAX_COMPILED_PATTERN_BYTES, MAX_MATCHED_BYTES};

/// Texts that have nothing in common: what matches them all says nothing of a claim.
const UNLIKE: [&str; 4] = ["a", "Z 9", "\u{e9}_%.", "x@y-z/0"];

/// A pattern that has to match from the first character of a value to its last.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    regex: Regex,
    /// What it costs for each byte of a value: a match may look at all of it.
    cost: usize,
}

/// Memory that a pattern is tried to be compiled into, in bytes: by that it becomes known how large it is.
const ROOMS: [usize; 7] = [256, 512, 1 << 10, 2 << 10, 4 << 10, 8 << 10, MAX_COMPILED_PATTERN_BYTES];
/// Bytes of a pattern whose part in a match costs a unit of `MAX_EXPRESSION_WORK`. A state has 16, and takes four.
const BYTES_OF_A_UNIT: usize = 4;

impl Pattern {
    /// Compiles `pattern`, at load: 10 microseconds of wasm for the usual ones, so every instance can afford it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn compile(pattern: &str) -> Result<Self, String> {
        if pattern.is_empty() {
            return Err("the pattern is empty; Equals(`claim`, ``) is about an empty claim".into());
        }
        let compile = |pattern: &str, bytes: usize| {
            RegexBuilder::new(pattern)
                .size_limit(bytes)
                .build()
                .map_err(|error| format!("the pattern is not accepted: {error}"))
        };
        // Alone first: `a)|(b` must not become two alternatives of the whole.
        compile(pattern, MAX_COMPILED_PATTERN_BYTES)?;
        let whole = format!(r"\A(?:{pattern})\z");
        // The usual ones fit the second or third room.
        let mut compiled = Err(String::new());
        for room in ROOMS {
            compiled = compile(&whole, room).map(|regex| Self { regex, cost: room / BYTES_OF_A_UNIT });
            if compiled.is_ok() {
                break;
            }
        }
        let compiled: Self = compiled?;
        if UNLIKE.iter().all(|text| compiled.regex.is_match(text)) {
            return Err("the pattern matches every text; Exists(`claim`) asks for a claim alone".into());
        }
        Ok(compiled)
    }

    /// What a match takes at most, in units of `MAX_EXPRESSION_WORK`.
    pub(super) fn cost(&self, value: &str) -> usize {
        value.len().min(MAX_MATCHED_BYTES).saturating_add(1).saturating_mul(self.cost)
    }

    /// Whether all of `value` matches; `None` if it is too long to be tried.
    pub(super) fn matches(&self, value: &str) -> Option<bool> {
        (value.len() <= MAX_MATCHED_BYTES).then(|| self.regex.is_match(value))
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_match_costs_by_the_size_of_the_pattern_and_the_length_of_the_value() {
        let costs = |pattern: &str| {
            let pattern = Pattern::compile(pattern).unwrap();
            [0, 1, 99, 1024, 1025].map(|length| pattern.cost(&"x".repeat(length)))
        };
        let (small, large) = (costs("a"), costs("[a-z]{1,20}@example"));
        // A byte costs a fourth of a room, of which the smallest has 256 bytes, the next ones twice as many, and the last 16 KiB.
        for costs in [small, large] {
            assert!((64..=4_096).contains(&costs[0]) && costs[0].is_power_of_two(), "{costs:?}");
            assert_eq!(costs, [1, 2, 100, 1025, 1025].map(|bytes| bytes * costs[0]));
        }
        assert!(small[0] < large[0] && small[0] <= 256, "{small:?} {large:?}");
    }

    #[test]
    fn the_whole_value() {
        for (pattern, value, expected) in [
            (r"[a-z]+@example\.com", "alice@example.com", Some(true)),
            (r"[a-z]+@example\.com", "alice@example.com.evil.example", Some(false)),
            (r"[a-z]+@example\.com", "alice@example.com\n", Some(false)),
            ("a|b", "ab", Some(false)),
            ("a|b", "b", Some(true)),
            ("a|ab", "ab", Some(true)),
            ("^a$", "a", Some(true)),
            ("(?m)^a$", "a\nb", Some(false)),
            ("(?i)admin", "ADMIN", Some(true)),
            ("a?", "", Some(true)),
            (".", "a", Some(true)),
            (".{2}", "\u{e9}\u{e9}", Some(true)),
            ("a*", &"a".repeat(1024), Some(true)),
            ("a*", &"a".repeat(1025), None),
        ] {
            assert_eq!(Pattern::compile(pattern).unwrap().matches(value), expected, "{pattern} {value}");
        }
        for pattern in ["(", "a)|(b", "[", "a{1000}{1000}", "(?=a)", r"(a)\1", "(?x)a # b", &"(".repeat(99)] {
            assert!(Pattern::compile(pattern).is_err(), "{pattern}");
        }
        // A variable that was not set leaves these.
        for pattern in
            ["", ".*", ".+", "^.*$", "(?s).*", ".*?", "(.*)", r"[\s\S]*", ".*|", ".*.*", "[^\n]+", r"\S.*|\s"]
        {
            assert!(Pattern::compile(pattern).is_err(), "{pattern}");
        }
        for pattern in [r".*\.example", "a.*", r"\S+", r"\w+", "[^@]+", ".{0,3}", ".*@.*"] {
            assert!(Pattern::compile(pattern).is_ok(), "{pattern}");
        }
    }
}
