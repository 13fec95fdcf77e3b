//! Step-up authentication (RFC 9470): how a user signed in, and how long ago. A token that does not say so is as good as any
//! other, so what is missing is a challenge to sign in again and no fault of the token.

use crate::core::claims::validity::TimeRules;
use crate::core::refusal::Refusal;
use crate::core::token::claims_set::{ClaimsSet, numeric_date};
use crate::core::unix_time::{Seconds, UnixTime};

/// `stepUp`: how a user has to have signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    /// Values of `acr` (OpenID Connect Core 2), any of, the preferred one first; empty asks for none.
    pub acr: Vec<String>,
    /// How long ago `auth_time` may be.
    pub max_age: Option<Seconds>,
}

/// Checks what the issuer's rules and those of the request ask for together. `time` says by how much clocks may differ.
///
/// # Errors
/// `step_up_required`, with what is not met.
#[inline(never)]
pub fn check(
    claims: &ClaimsSet,
    issuer: Option<&StepUp>,
    rule: Option<&StepUp>,
    time: &TimeRules,
    now: UnixTime,
) -> Result<(), Refusal> {
    let asked = || issuer.into_iter().chain(rule);
    let acr = claims.claim("acr").and_then(|acr| acr.as_str()).unwrap_or_default();
    let acr_is_met = asked().all(|asked| asked.acr.is_empty() || asked.acr.iter().any(|value| value == acr));
    let max_age = asked().filter_map(|asked| asked.max_age).min();
    let unmet_age = max_age.filter(|max_age| !is_recent(claims, *max_age, time, now));
    if acr_is_met && unmet_age.is_none() {
        return Ok(());
    }
    let acr_values = if acr_is_met { Vec::new() } else { common(issuer, rule) };
    Err(Refusal::StepUpRequired { acr_values: acr_values.join(" "), max_age: unmet_age })
}

/// The values of `acr` that meet both, in the order of the rule's. A configuration without such a value is refused.
#[must_use]
pub fn common<'s>(issuer: Option<&'s StepUp>, rule: Option<&'s StepUp>) -> Vec<&'s str> {
    let values = |asked: Option<&'s StepUp>| asked.map_or(&[][..], |asked| asked.acr.as_slice());
    let (issuers, rules) = (values(issuer), values(rule));
    match (issuers, rules) {
        ([], only) | (only, []) => only.iter().map(String::as_str).collect(),
        (issuers, rules) => {
            rules.iter().filter(|value| issuers.contains(value)).map(String::as_str).collect()
        }
    }
}

/// `auth_time` is a date, not in the future, and at most `max_age` ago, give or take the skew.
fn is_recent(claims: &ClaimsSet, max_age: Seconds, time: &TimeRules, now: UnixTime) -> bool {
    claims.claim("auth_time").and_then(numeric_date).is_some_and(|signed_in| {
        signed_in <= now.saturating_add(time.ahead)
            && now <= signed_in.saturating_add(max_age).saturating_add(time.clock_skew)
    })
}

#[cfg(test)]
mod tests {
    use super::{StepUp, check};
    use crate::core::claims::validity::TimeRules;
    use crate::core::refusal::Refusal;
    use crate::core::token::claims_set::claims;
    use crate::core::unix_time::{Seconds, UnixTime};

    fn step_up(acr: &str, max_age: u64) -> StepUp {
        let acr = acr.split_ascii_whitespace().map(str::to_owned).collect();
        StepUp { acr, max_age: (max_age != 0).then_some(Seconds(max_age)) }
    }

    /// What the challenge would say: the values of `acr`, and the age.
    fn unmet(json: &str, issuer: &StepUp, rule: &StepUp, skew: u64) -> Option<(String, u64)> {
        let time = TimeRules { clock_skew: Seconds(skew), ahead: Seconds(skew), ..TimeRules::default() };
        match check(&claims(json), Some(issuer), Some(rule), &time, UnixTime::from_seconds(1000)) {
            Ok(()) => None,
            Err(Refusal::StepUpRequired { acr_values, max_age }) => {
                Some((acr_values, max_age.map_or(0, |age| age.0)))
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn rfc_9470_3_only_what_is_not_met() {
        let none = StepUp::default();
        for (json, acr, max_age, skew, expected) in [
            (r#"{"acr":"phr"}"#, "phr 2", 0, 0, None),
            (r#"{"acr":"2"}"#, "phr 2", 0, 0, None),
            (r#"{"acr":"1"}"#, "phr 2", 0, 0, Some(("phr 2", 0))),
            (r#"{"acr":"PHR"}"#, "phr", 0, 0, Some(("phr", 0))),
            (r#"{"acr":["phr"]}"#, "phr", 0, 0, Some(("phr", 0))),
            (r#"{"acr":2}"#, "2", 0, 0, Some(("2", 0))),
            (r#"{"acr":""}"#, "2", 0, 0, Some(("2", 0))),
            ("{}", "2 1", 0, 0, Some(("2 1", 0))),
            (r#"{"auth_time":700}"#, "", 300, 0, None),
            (r#"{"auth_time":699.999}"#, "", 300, 0, Some(("", 300))),
            (r#"{"auth_time":690}"#, "", 300, 10, None),
            (r#"{"auth_time":689}"#, "", 300, 10, Some(("", 300))),
            (r#"{"auth_time":1001}"#, "", 300, 0, Some(("", 300))),
            (r#"{"auth_time":1001}"#, "", 300, 1, None),
            (r#"{"auth_time":9007199254740992}"#, "", 300, 3600, Some(("", 300))),
            (r#"{"auth_time":"1000"}"#, "", 300, 0, Some(("", 300))),
            (r#"{"auth_time":null}"#, "", 300, 0, Some(("", 300))),
            ("{}", "", 300, 0, Some(("", 300))),
            (r#"{"acr":"2","auth_time":1}"#, "2", 300, 0, Some(("", 300))),
            (r#"{"acr":"1","auth_time":999}"#, "2", 300, 0, Some(("2", 0))),
            (r#"{"acr":"1","auth_time":1}"#, "2", 300, 0, Some(("2", 300))),
        ] {
            let asked = step_up(acr, max_age);
            let expected = expected.map(|(acr, age): (&str, u64)| (acr.to_owned(), age));
            assert_eq!(unmet(json, &none, &asked, skew), expected, "{json} {acr} {max_age}");
            assert_eq!(unmet(json, &asked, &none, skew), expected, "{json} {acr} {max_age}");
        }
    }

    #[test]
    fn a_rule_comes_on_top_of_the_issuer() {
        let (issuer, rule) = (step_up("a b c", 600), step_up("c x b", 300));
        for (json, expected) in [
            (r#"{"acr":"b","auth_time":700}"#, None),
            (r#"{"acr":"a","auth_time":700}"#, Some(("c b", 0))),
            (r#"{"acr":"x","auth_time":700}"#, Some(("c b", 0))),
            (r#"{"acr":"c","auth_time":500}"#, Some(("", 300))),
        ] {
            let expected = expected.map(|(acr, age): (&str, u64)| (acr.to_owned(), age));
            assert_eq!(unmet(json, &issuer, &rule, 0), expected, "{json}");
        }
    }
}
