//! The claims set (RFC 7519 4): members typed on demand, dot paths into it.

use crate::core::refusal::Refusal;
use crate::core::token::json::{Document, Value};
use crate::core::unix_time::UnixTime;

/// Claims of one token.
#[derive(Clone, Debug)]
pub struct ClaimsSet(Document);

/// Largest NumericDate in seconds: beyond it a double no longer tells seconds apart.
const MAX_NUMERIC_DATE: u64 = 1 << 53;

impl ClaimsSet {
    /// Takes the payload of a token.
    #[must_use]
    pub const fn new(payload: Document) -> Self {
        Self(payload)
    }

    /// Bytes held, for callers that bound what they keep.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.0.memory()
    }

    /// The claim `name` at the top level.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<Value<'_>> {
        self.0.root().member(name)
    }

    /// The value at `path`.
    #[must_use]
    pub fn at(&self, path: &ClaimPath) -> Option<Value<'_>> {
        path.segments.iter().try_fold(self.0.root(), |value, name| value.member(name))
    }

    /// A NumericDate (RFC 7519 2): a JSON number, integer or fraction, from 0 to 2^53 seconds.
    ///
    /// # Errors
    /// `claim_invalid` for any other type or value.
    pub fn numeric_date(&self, name: &'static str) -> Result<Option<UnixTime>, Refusal> {
        let Some(value) = self.claim(name) else {
            return Ok(None);
        };
        let date = value.as_number().and_then(numeric_date).ok_or(Refusal::ClaimInvalid { claim: name })?;
        Ok(Some(date))
    }
}

fn numeric_date(text: &str) -> Option<UnixTime> {
    if let Ok(seconds) = text.parse::<u64>() {
        return (seconds <= MAX_NUMERIC_DATE).then(|| UnixTime::from_seconds(seconds));
    }
    let seconds: f64 = text.parse().ok()?;
    if !(0.0..=9_007_199_254_740_992.0).contains(&seconds) {
        return None;
    }
    #[expect(
        clippy::as_conversions,
        reason = "0 to 2^53 seconds in milliseconds fit 64 bits; the fraction is cut"
    )]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as above")]
    Some(UnixTime::from_millis((seconds * 1000.0) as u64))
}

/// A dot path into the claims: `realm_access.roles`; `\.` is a dot inside a name, `\\` a backslash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    segments: Vec<String>,
}

impl ClaimPath {
    /// Parses a path. `None` for an empty path, an empty segment, or a backslash before anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = vec![String::new()];
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '.' => segments.push(String::new()),
                '\\' => match chars.next() {
                    Some(c @ ('.' | '\\')) => segments.last_mut()?.push(c),
                    Some(_) | None => return None,
                },
                c => segments.last_mut()?.push(c),
            }
        }
        segments.iter().all(|segment| !segment.is_empty()).then_some(Self { segments })
    }
}

#[cfg(test)]
pub(crate) fn claims(json: &str) -> ClaimsSet {
    use crate::core::token::json::JsonLimits;
    let limits = JsonLimits { max_depth: 32, max_nodes: 4096 };
    ClaimsSet::new(Document::parse(json.as_bytes().to_vec(), limits).unwrap())
}

#[cfg(test)]
mod tests {
    use super::{ClaimPath, claims};
    use crate::core::refusal::Refusal;
    use crate::core::unix_time::UnixTime;

    #[test]
    fn numeric_dates() {
        let invalid = Err(Refusal::ClaimInvalid { claim: "exp" });
        for (value, expected) in [
            ("0", Ok(Some(UnixTime::from_seconds(0)))),
            ("1700000000", Ok(Some(UnixTime::from_seconds(1_700_000_000)))),
            ("1700000000.25", Ok(Some(UnixTime::from_millis(1_700_000_000_250)))),
            ("1.7e9", Ok(Some(UnixTime::from_seconds(1_700_000_000)))),
            ("9007199254740992", Ok(Some(UnixTime::from_seconds(1 << 53)))),
            ("9007199254740993", invalid.clone()),
            ("1e16", invalid.clone()),
            ("1e999", invalid.clone()),
            ("-1", invalid.clone()),
            ("-0.5", invalid.clone()),
            ("18446744073709551616", invalid.clone()),
            ("\"1700000000\"", invalid.clone()),
            ("null", invalid.clone()),
            ("true", invalid.clone()),
            ("[1]", invalid.clone()),
        ] {
            assert_eq!(claims(&format!("{{\"exp\":{value}}}")).numeric_date("exp"), expected, "{value}");
        }
        assert_eq!(claims("{}").numeric_date("exp"), Ok(None));
    }

    #[test]
    fn paths() {
        let set = claims(r#"{"a":{"b.c":{"d\\e":1}},"x":[{"y":2}],"":3}"#);
        for (path, expected) in
            [("a.b\\.c.d\\\\e", Some("1")), ("a.b", None), ("x.y", None), ("a.b\\.c.d\\\\e.f", None)]
        {
            assert_eq!(set.at(&ClaimPath::parse(path).unwrap()).map(|v| v.raw()), expected, "{path}");
        }
        for path in ["", ".", "a.", ".a", "a..b", "a\\", "a\\b"] {
            assert_eq!(ClaimPath::parse(path), None, "{path}");
        }
    }
}
