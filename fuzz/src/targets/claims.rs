//! Claims: paths, dates and how long they hold.

use traefik_jwt_auth::core::claims::validity::{self, TimeRules};
use traefik_jwt_auth::core::claims::{client, scope};
use traefik_jwt_auth::core::json::Document;
use traefik_jwt_auth::core::limits::{CLAIMS_JSON, MAX_NUMERIC_DATE};
use traefik_jwt_auth::core::token::claims_set::{ClaimPath, ClaimsSet};
use traefik_jwt_auth::core::unix_time::{Seconds, UnixTime};

use crate::NOW;
use crate::cut::{parts, text};
use crate::mark::mark;
use crate::strict::Tree;

/// A claims set, and a path into it.
pub(super) fn claims(input: &[u8]) {
    let [json, path] = parts(input);
    let Some(claims) = parsed(json) else { return };
    let tree = Tree::object(json).expect("both read it, which the target json shows");
    for name in ["exp", "nbf", "iat"] {
        let ours = claims.numeric_date(name);
        let theirs = tree.member(name).map(|value| value.number().and_then(millis));
        mark(if matches!(theirs, Some(Some(_))) { "a date" } else { "no date" });
        match theirs {
            None => assert_eq!(ours, Ok(None)),
            Some(None) => assert!(ours.is_err(), "{ours:?}"),
            Some(millis) => assert_eq!(ours.map(|date| date.map(UnixTime::as_millis)), Ok(millis)),
        }
    }
    at_path(&claims, &tree, &text(path));
    time(&claims);
    let scopes = scope::held(&claims, None);
    assert!(scopes.len() <= json.len());
    let _ = (client::of(&claims), claims.issuer());
}

/// A claims set as the product takes it.
pub(super) fn parsed(json: &[u8]) -> Option<ClaimsSet> {
    let document = Document::parse(json.to_vec(), CLAIMS_JSON).ok()?;
    Tree::object(json)?;
    Some(ClaimsSet::new(document))
}

/// A NumericDate in milliseconds, digit by digit: whatever is smaller is cut.
pub(super) fn millis(text: &str) -> Option<u64> {
    let (decimal, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let negative = decimal.starts_with('-');
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let digits = format!("{}{fraction}", whole.trim_start_matches('-'));
    if digits.bytes().all(|digit| digit == b'0') {
        return Some(0);
    }
    if negative {
        return None;
    }
    // Beyond these no digit of a text of this length is left before or behind the point.
    let far = i64::try_from(text.len()).expect("short") + 30;
    let exponent = match exponent.parse::<i64>() {
        Ok(exponent) => exponent.clamp(-far, far),
        Err(_) if exponent.starts_with('-') => -far,
        Err(_) => far,
    };
    let point = i64::try_from(digits.len() - fraction.len()).expect("short") + exponent + 3;
    let Ok(point) = usize::try_from(point) else { return Some(0) };
    let padded = format!("{digits:0<point$}");
    let whole = padded[..point].trim_start_matches('0');
    if whole.is_empty() {
        return Some(0);
    }
    let millis: u128 = whole.get(..whole.len().min(38))?.parse().expect("digits");
    let is_date = whole.len() < 30 && millis <= u128::from(MAX_NUMERIC_DATE) * 1_000;
    // An integer beyond the limit is none, and so is a fraction beyond it that is cut.
    is_date.then(|| u64::try_from(millis).expect("it is small"))
}

/// What is at a path is found step by step.
fn at_path(claims: &ClaimsSet, tree: &Tree, text: &str) {
    let Some(path) = ClaimPath::parse(text) else { return };
    assert_eq!(ClaimPath::parse(&path.to_string()).as_ref(), Some(&path), "{text:?}");
    let mut at = Some(tree);
    for step in steps(text) {
        at = at.and_then(|at| match at {
            Tree::Object(_) => at.member(&step),
            Tree::List(elements) => {
                elements.iter().enumerate().find(|(n, _)| n.to_string() == step).map(|(_, e)| e)
            }
            Tree::Null | Tree::Bool(_) | Tree::Number(_) | Tree::Text(_) => None,
        });
    }
    let ours = claims.at(&path).map(|value| Tree::of(value.raw().as_bytes()).expect("a value"));
    if ours.is_some() {
        mark("found at a path");
    }
    assert_eq!(ours.as_ref(), at, "{text:?}");
}

/// `\.` and `\\` are characters of a name; a backslash before anything else is itself.
fn steps(text: &str) -> Vec<String> {
    let (mut steps, mut step) = (Vec::new(), String::new());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' if matches!(rest.peek(), Some('.' | '\\')) => step.extend(rest.next()),
            '.' => steps.push(std::mem::take(&mut step)),
            c => step.push(c),
        }
    }
    steps.push(step);
    steps
}

/// What holds now holds later exactly as long as the first check says.
fn time(claims: &ClaimsSet) {
    let rules = TimeRules { clock_skew: Seconds(3), ahead: Seconds(2), ..TimeRules::default() };
    let now = UnixTime::from_seconds(NOW);
    let Ok(timely) = validity::check(claims, &rules, now) else { return };
    for later in [0, 1, 999, 1_000, 3_000, 60_000, 63_000, 64_000, 1 << 50] {
        let then = UnixTime::from_millis(NOW * 1_000 + later);
        mark(if timely.holds_at(then) { "holds on" } else { "ends" });
        assert_eq!(timely.holds_at(then), validity::check(claims, &rules, then).is_ok(), "{later}");
    }
}
