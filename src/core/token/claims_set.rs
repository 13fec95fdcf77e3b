//! The claims set (RFC 7519 4): members typed on demand, dot paths into it.

use std::fmt;

use crate::core::json::{Document, Kind, Value};
use crate::core::limits::MAX_NUMERIC_DATE;
use crate::core::refusal::Refusal;
use crate::core::unix_time::UnixTime;

/// Claims of one token.
#[derive(Clone, Debug)]
pub struct ClaimsSet(Document);

impl ClaimsSet {
    /// Takes the payload of a token.
    pub const fn new(payload: Document) -> Self {
        Self(payload)
    }

    /// Bytes held, for callers that bound what they keep.
    pub fn memory(&self) -> usize {
        self.0.memory()
    }

    /// The payload as it was signed.
    pub fn payload(&self) -> &str {
        self.0.source()
    }

    /// The whole set, an object.
    pub const fn value(&self) -> Value<'_> {
        self.0.root()
    }

    /// The claim `name` at the top level.
    pub fn claim(&self, name: &str) -> Option<Value<'_>> {
        self.0.root().member(name)
    }

    /// `iss` as the token claims it; for choosing whose keys to try, never for trust.
    ///
    /// # Errors
    /// `claim_invalid` if `iss` is not a string.
    pub fn issuer(&self) -> Result<Option<&str>, Refusal> {
        match self.claim("iss") {
            None => Ok(None),
            Some(value) => value.as_str().map(Some).ok_or(Refusal::ClaimInvalid { claim: "iss" }),
        }
    }

    /// The value at `path`.
    pub fn at(&self, path: &ClaimPath) -> Option<Value<'_>> {
        find(self.0.root(), path).0
    }

    /// A NumericDate (RFC 7519 2): a JSON number, integer or fraction, from 0 to 2^53 seconds.
    ///
    /// # Errors
    /// `claim_invalid` for any other type or value.
    pub fn numeric_date(&self, name: &'static str) -> Result<Option<UnixTime>, Refusal> {
        let Some(value) = self.claim(name) else {
            return Ok(None);
        };
        let date = numeric_date(value).ok_or(Refusal::ClaimInvalid { claim: name })?;
        Ok(Some(date))
    }
}

/// What is at `path` in `value`, and how many values were looked at for it.
#[must_use]
pub fn find<'d>(value: Value<'d>, path: &ClaimPath) -> (Option<Value<'d>>, usize) {
    let (mut found, mut looked_at) = (Some(value), 0_usize);
    for name in &path.segments {
        let Some(value) = found else { break };
        let more;
        (found, more) = child(value, name);
        looked_at = looked_at.saturating_add(more);
    }
    (found, looked_at)
}

/// A member of an object by its name, an element of an array by its position from 0.
fn child<'d>(value: Value<'d>, name: &str) -> (Option<Value<'d>>, usize) {
    match value.kind() {
        Kind::Array => {
            let canonical = name == "0" || !name.starts_with(['0', '+']);
            let at: Option<usize> = canonical.then(|| name.parse().ok()).flatten();
            match at {
                Some(at) => {
                    let mut elements = value.elements();
                    let before = elements.by_ref().take(at).count();
                    (elements.next(), before.saturating_add(1))
                }
                None => (None, 1),
            }
        }
        Kind::Object => value.find_member(name),
        Kind::Null | Kind::True | Kind::False | Kind::Number | Kind::String => (None, 1),
    }
}

/// `value` as a NumericDate (RFC 7519 2), if it is one from 0 to 2^53 seconds.
pub fn numeric_date(value: Value<'_>) -> Option<UnixTime> {
    let text = value.as_number()?;
    if let Ok(seconds) = text.parse::<u64>() {
        return (seconds <= MAX_NUMERIC_DATE).then(|| UnixTime::from_seconds(seconds));
    }
    let millis = millis(text).filter(|millis| *millis <= MAX_NUMERIC_DATE.saturating_mul(1000))?;
    Some(UnixTime::from_millis(millis))
}

/// A JSON number of seconds in whole milliseconds; smaller digits are truncated. `None` for negative and for huge
/// numbers. Written by hand, because the tables for reading doubles would add 13 KB to every instance.
fn millis(text: &str) -> Option<u64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (decimal, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = [whole, fraction].concat();
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() {
        return Some(0);
    }
    if unsigned.len() != text.len() {
        return None;
    }
    // An exponent that does not fit is not a time, unless it makes the number zero.
    let Ok(exponent) = exponent.parse::<i32>() else {
        return exponent.starts_with('-').then_some(0);
    };
    // The value in milliseconds is 0.DIGITS times ten to this.
    let places = i64::from(exponent)
        .checked_add(i64::try_from(digits.len()).ok()?)?
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(3)?;
    let Ok(places) = usize::try_from(places) else {
        return Some(0);
    };
    let (digits, zeros) = match digits.get(..places) {
        Some("") => return Some(0),
        Some(digits) => (digits, 0),
        None => (digits, places.saturating_sub(digits.len())),
    };
    digits.parse::<u64>().ok()?.checked_mul(10_u64.checked_pow(u32::try_from(zeros).ok()?)?)
}

/// A dot path into the claims: `realm_access.roles`, `groups.0`; `\.` is a dot inside a name, `\\` a backslash.
/// A backslash before anything else is itself, as in Traefik Hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    segments: Vec<String>,
}

impl ClaimPath {
    /// Parses a path. `None` for an empty path or an empty segment.
    pub fn parse(text: &str) -> Option<Self> {
        let mut segments = Vec::new();
        let mut segment = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '.' => segments.push(std::mem::take(&mut segment)),
                '\\' => segment.push(chars.next_if(|next| matches!(next, '.' | '\\')).unwrap_or('\\')),
                c => segment.push(c),
            }
        }
        segments.push(segment);
        segments.iter().all(|segment| !segment.is_empty()).then_some(Self { segments })
    }

    /// The path that is meant if this one cuts a name at the dots of its host: `https://idp.example/role` as written
    /// looks for `example/role` in `https://idp`.
    pub fn with_whole_host(&self) -> Option<Self> {
        let is_cut = |name: &String| name.split_once("://").is_some_and(|(_, host)| !host.contains('/'));
        let at = self.segments.iter().position(is_cut)?;
        let (before, rest) = self.segments.split_at(at);
        let (first, more) = rest.split_first()?;
        let ends_at = more.iter().position(|name| name.contains('/'));
        let host = first.split_once("://").map_or("", |(_, host)| host);
        // Behind a host with a dot, a name is a member, unless a path begins in it.
        if more.is_empty() || (host.contains('.') && ends_at.is_none()) {
            return None;
        }
        let (host, behind) = more.split_at(ends_at.map_or(more.len(), |at| at.saturating_add(1)));
        let whole = [std::slice::from_ref(first), host].concat().join(".");
        Some(Self { segments: [before, &[whole], behind].concat() })
    }

    /// The claim at the top level that it leads to or into.
    pub fn first(&self) -> &str {
        self.segments.first().map_or("", String::as_str)
    }
}

impl fmt::Display for ClaimPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let escaped = self.segments.iter().map(|name| name.replace('\\', r"\\").replace('.', r"\."));
        f.write_str(&escaped.collect::<Vec<_>>().join("."))
    }
}

#[cfg(test)]
pub(crate) fn claims(json: &str) -> ClaimsSet {
    use crate::core::limits::CLAIMS_JSON;
    ClaimsSet::new(Document::parse(json.as_bytes().to_vec(), CLAIMS_JSON).unwrap())
}

#[cfg(test)]
mod tests {
    use super::{ClaimPath, claims};
    use crate::core::refusal::Refusal;
    use crate::core::unix_time::UnixTime;

    #[test]
    fn what_is_held_is_the_text_and_its_index() {
        let [one, two] =
            [r#"{"a":1}"#, r#"{"a":1,"b":[1,2,3]}"#].map(|json| (json.len(), claims(json).memory()));
        assert!(one.1 > one.0 && two.1 > two.0 && two.1 - one.1 > two.0 - one.0, "{one:?} {two:?}");
    }

    #[test]
    fn numeric_dates() {
        let invalid = Err(Refusal::ClaimInvalid { claim: "exp" });
        for (value, expected) in [
            ("0", Ok(Some(UnixTime::from_seconds(0)))),
            ("1700000000", Ok(Some(UnixTime::from_seconds(1_700_000_000)))),
            ("1700000000.25", Ok(Some(UnixTime::from_millis(1_700_000_000_250)))),
            ("1.7e9", Ok(Some(UnixTime::from_seconds(1_700_000_000)))),
            ("170000000012.5e-2", Ok(Some(UnixTime::from_millis(1_700_000_000_125)))),
            ("1700000000.0009", Ok(Some(UnixTime::from_seconds(1_700_000_000)))),
            ("17E+8", Ok(Some(UnixTime::from_seconds(1_700_000_000)))),
            ("0.0017e12", Ok(Some(UnixTime::from_seconds(1_700_000_000)))),
            ("0.0e99999999999", Ok(Some(UnixTime::from_seconds(0)))),
            ("-0.0", Ok(Some(UnixTime::from_seconds(0)))),
            ("1e-4", Ok(Some(UnixTime::from_seconds(0)))),
            ("12e-99999999999", Ok(Some(UnixTime::from_seconds(0)))),
            ("9007199254740992.0", Ok(Some(UnixTime::from_seconds(1 << 53)))),
            ("9007199254740992.001", invalid.clone()),
            ("1e99999999999", invalid.clone()),
            ("1e2147483647", invalid.clone()),
            ("-1e-400", invalid.clone()),
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
        let set = claims(r#"{"a":{"b.c":{"d\\e":1}},"x":[{"y":2},[3,4]],"t\\":6,"0":7}"#);
        for (path, expected) in [
            (r"a.b\.c.d\\e", Some("1")),
            (r"a.b\.c.d\e", Some("1")),
            (r"a.b\.c.d\\e.f", None),
            ("a.b", None),
            ("x.y", None),
            ("x.0.y", Some("2")),
            ("x.1.1", Some("4")),
            ("x.2", None),
            ("x.00", None),
            ("x.+1", None),
            ("x.-1", None),
            ("x.18446744073709551616", None),
            ("0", Some("7")),
            (r"t\", Some("6")),
            (r"t\\", Some("6")),
        ] {
            let parsed = ClaimPath::parse(path).unwrap();
            assert_eq!(set.at(&parsed).map(|v| v.raw()), expected, "{path}");
            assert_eq!(ClaimPath::parse(&parsed.to_string()), Some(parsed), "{path}");
        }
        for (path, meant) in [
            ("https://acme.example/tenant", Some(r"https://acme\.example/tenant")),
            ("https://a.acme.example/claims.role", Some(r"https://a\.acme\.example/claims.role")),
            (r"https://a\.acme.example/role", Some(r"https://a\.acme\.example/role")),
            ("urn.https://acme.example", Some(r"urn.https://acme\.example")),
            (r"https://acme\.example/tenant", None),
            (r"https://acme\.example/claims.a/b", None),
            (r"https://acme\.example.roles", None),
            (r"https://acme\.example", None),
            ("https://localhost/roles.0", None),
            ("realm_access.roles", None),
            ("a/b.c/d", None),
        ] {
            let whole = ClaimPath::parse(path).unwrap().with_whole_host();
            assert_eq!(whole.map(|path| path.to_string()).as_deref(), meant, "{path}");
        }
        for path in ["", ".", "a.", ".a", "a..b"] {
            assert_eq!(ClaimPath::parse(path), None, "{path}");
        }
    }
}
