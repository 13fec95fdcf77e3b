//! The claims language: values by the laws of logic, and `Matches` against the `regex` crate.

use std::cell::RefCell;

use regex::Regex;
use traefik_jwt_auth::core::claims::expression::{Expression, Truth};
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::unix_time::UnixTime;

use super::claims::parsed;
use crate::NOW;
use crate::cut::{parts, text};
use crate::mark::mark;

/// An expression, a claims set, a path and a header.
pub(super) fn expression(input: &[u8]) {
    let [source, claims, uri, header] = parts(input);
    let source = text(source);
    let expression = match Expression::parse(source.as_str()) {
        Ok(expression) => expression,
        Err(error) => {
            mark("refused");
            assert!((1..=source.chars().count() + 1).contains(&error.column), "{error}");
            return;
        }
    };
    assert_eq!(Expression::parse(expression.source()).as_ref(), Ok(&expression));
    let Some(claims) = parsed(if claims.is_empty() { b"{}" } else { claims }) else { return };
    let request = RecordedRequest::new("GET", &text(uri)).header("Host", "a.example").header("X-A", header);
    let now = UnixTime::from_seconds(NOW);
    let value = |expression: &Expression| expression.evaluate(&claims, &request, now);
    let truth = value(&expression);
    mark(truth.name());
    // With one of the limits reached, what is longer is refused or undecided, so these hold only for what is short.
    let longer = |source: String| Expression::parse(source).map(|longer| value(&longer));
    let expected_not = match truth {
        Truth::True => Truth::False,
        Truth::False => Truth::True,
        Truth::Undecided => Truth::Undecided,
    };
    if let Ok(not) = longer(format!("!({source})")) {
        assert_eq!(not, expected_not, "{source}");
    }
    if source.len() < 200 {
        if let Ok(both) = longer(format!("({source}) && !({source})")) {
            assert!(both != Truth::True, "{source}");
        }
        if let Ok(either) = longer(format!("({source}) || !({source})")) {
            assert!(either != Truth::False, "{source}");
        }
    }
    // Why it does not hold.
    let culprits = expression.culprits(&claims, &request, now);
    assert!(culprits.is_empty() || truth != Truth::True, "{culprits:?}");
    for (function, value) in &culprits {
        assert!(source.contains(function));
        let alone = expression.explain(&claims, &request, now);
        assert!(
            alone.iter().any(|(other, truth)| other == function && truth == value)
                || function.contains("Any")
        );
    }
    let _ = (expression.parts_of_texts(&claims), expression.looks_at("a"));
    assert_eq!(expression.of_claims().is_some(), expression.of_request().is_none());
    if let Some(of_claims) = expression.of_claims() {
        assert_eq!(of_claims.check(&claims).is_ok(), truth == Truth::True, "{source}");
    }
}

thread_local! {
    /// The last pattern of the oracle: it takes milliseconds to be compiled, and runs of inputs differ in the value.
    static COMPILED: RefCell<Option<(String, Option<Regex>)>> = const { RefCell::new(None) };
}

/// A pattern and a value. By rule they are ASCII: classes are ASCII here and Unicode there, and so is `(?i)`.
pub(super) fn pattern(input: &[u8]) {
    let [pattern, value] = parts(input).map(text);
    if !pattern.is_ascii() || !value.is_ascii() || pattern.len() > 256 {
        return;
    }
    if pattern.contains(['`', '\r']) {
        return;
    }
    let source = format!("Matches(`a`, `{pattern}`)");
    let Ok(expression) = Expression::parse(source) else {
        mark("refused");
        return;
    };
    let claims = serde_json::json!({"a": value}).to_string();
    let Some(claims) = parsed(claims.as_bytes()) else { return };
    let ours = expression.evaluate(&claims, &RecordedRequest::default(), UnixTime::from_seconds(NOW));
    let theirs = COMPILED.with_borrow_mut(|kept| {
        if kept.as_ref().is_none_or(|(known, _)| *known != pattern) {
            // Letters that fold to ASCII ones may be written as escapes.
            let escapes = ["\\x", "\\u", "\\U"].iter().any(|escape| pattern.contains(escape));
            let regex = (!escapes).then(|| Regex::new(&format!(r"\A(?:{pattern})\z")));
            // A class of Unicode is larger there, and `(?s)*` repeats nothing, which is refused.
            let regex = regex.and_then(Result::ok);
            *kept = Some((pattern.clone(), regex));
        }
        kept.as_ref().and_then(|(_, regex)| regex.as_ref().map(|regex| regex.is_match(&value)))
    });
    match (ours, theirs) {
        (_, None) => {}
        // The largest pattern may take all the work with a value of 60 bytes.
        (Truth::Undecided, Some(_)) => assert!(value.len() >= 60, "{pattern:?} {value:?}"),
        (ours, Some(theirs)) => {
            mark(if theirs { "matches" } else { "does not match" });
            assert_eq!(ours == Truth::True, theirs, "{pattern:?} {value:?}");
        }
    }
}
