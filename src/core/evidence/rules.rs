//! What a token claims beside what the rules ask for.

use crate::core::claims::expression::Truth;
use crate::core::claims::registered::{ACCESS_TOKEN_CLAIMS, TokenType};
use crate::core::claims::scope::{self, Match, ScopeRules};
use crate::core::claims::validity::TimeRules;
use crate::core::claims::{ClaimRules, client};
use crate::core::evidence::{list, near};
use crate::core::json::{Kind, Value};
use crate::core::policy::{Policy, TrustedIssuer};
use crate::core::refusal::Evidence;
use crate::core::signature::alg::Alg;
use crate::core::text::{Quoted, name};
use crate::core::token::claims_set::{ClaimsSet, numeric_date};
use crate::core::token::source::FoundToken;
use crate::core::unix_time::{Seconds, UnixTime};

pub(super) fn issuer(
    policy: &Policy,
    (iss, token): (Option<&str>, Option<&FoundToken<'_>>),
    claims: &ClaimsSet,
) -> Evidence {
    let of_another_signer =
        token.zip(policy.entry(claims, iss)).filter(|(token, (_, entry))| !entry.accepts_signer_of(token));
    if let Some((token, (_, entry))) = of_another_signer {
        return Evidence {
            found: token.signer().map_or("no signer".into(), |signer| name(&signer)),
            expected: list(&entry.signers),
            hint: "compared with signer of the header".into(),
        };
    }
    // The issuer fits a template, and the claim that repeats its tenant does not.
    let entry = iss.and_then(|iss| Some((iss, policy.issuer(Some(iss))?.1)));
    let tenant = entry.and_then(|(iss, entry)| {
        let mut templates = entry.claims.templates.iter();
        templates.find_map(|template| Some((template.tenant(iss)?, template.claim()?)))
    });
    if let Some((tenant, path)) = tenant {
        return Evidence {
            found: format!("{path} is {}", claims.at(path).map_or("absent".into(), shown)),
            expected: name(tenant),
            hint: "tenantClaim has to repeat the tenant of iss".into(),
        };
    }
    let expected: Vec<String> = policy.issuers.iter().flat_map(TrustedIssuer::named).collect();
    Evidence {
        found: iss.map_or("no iss".into(), name),
        hint: near(iss.as_slice(), &expected),
        expected: list(expected),
    }
}

pub(super) fn algorithm(alg: &str, issuer: &TrustedIssuer) -> Evidence {
    let expected: Vec<&str> = issuer.algorithms.iter().map(|alg| alg.name()).collect();
    let hint = match near(&[alg], &expected) {
        near if !near.is_empty() => near,
        _ if Alg::from_name(alg).is_none() => "no such algorithm is known here".into(),
        _ => "keys of the configuration, or the option algorithms, leave it out".into(),
    };
    Evidence { found: name(alg), expected: list(expected), hint }
}

pub(super) fn audience(claims: &ClaimsSet, accepted: &[String]) -> Evidence {
    let aud = claims.claim("aud").map(texts).unwrap_or_default();
    Evidence {
        found: if aud.is_empty() { "an empty list".into() } else { list(&aud) },
        hint: near(&aud, accepted),
        expected: list(accepted),
    }
}

pub(super) fn token_type(typ: Option<&str>, wanted: &TokenType) -> Evidence {
    Evidence {
        found: typ.map_or("no typ".into(), |typ| format!("typ {}", name(typ))),
        expected: format!("typ {}", name(wanted.typ().unwrap_or_default())),
        hint: match wanted {
            TokenType::Access => "tokenType: access wants access tokens of RFC 9068".into(),
            TokenType::Any | TokenType::Typ(_) => String::new(),
        },
    }
}

pub(super) fn client(claims: &ClaimsSet, accepted: &[String]) -> Evidence {
    let found = client::of(claims);
    Evidence {
        found: found.map_or("no azp and no client_id".into(), name),
        hint: near(found.as_slice(), accepted),
        expected: list(accepted),
    }
}

pub(super) fn step_up(
    claims: &ClaimsSet,
    acr_values: &str,
    max_age: Option<Seconds>,
    now: UnixTime,
) -> Evidence {
    let (mut found, mut expected) = (Vec::new(), Vec::new());
    if !acr_values.is_empty() {
        found.push(format!("acr is {}", claims.claim("acr").map_or("absent".into(), shown)));
        expected.push(format!("acr out of {acr_values}"));
    }
    if let Some(max_age) = max_age {
        let signed_in = claims.claim("auth_time").and_then(numeric_date);
        found.push(match signed_in {
            Some(date) if date > now => format!("auth_time is {} s ahead", ahead(date, now).0),
            Some(date) => format!("auth_time was {} s ago", now.seconds_since(date).0),
            None => "no auth_time that is a date".into(),
        });
        expected.push(format!("at most {} s ago (stepUp.maxAgeSeconds)", max_age.0));
    }
    Evidence { found: found.join(", "), expected: expected.join(", "), ..Evidence::default() }
}

/// `issuer` and `rule` are asked for together; of one that asks for one of several scopes, all are missing.
pub(super) fn scopes(claims: &ClaimsSet, issuer: Option<&ScopeRules>, rule: Option<&ScopeRules>) -> Evidence {
    let Some(unmet) =
        [issuer, rule].into_iter().flatten().find(|rules| scope::check(claims, issuer, Some(rules)).is_err())
    else {
        return Evidence::default();
    };
    let path = unmet.claim.as_ref().or_else(|| issuer?.claim.as_ref());
    let held = scope::held(claims, path);
    let claim = match path {
        Some(path) => path.to_string(),
        None => "scope and no scp".into(),
    };
    let missing = unmet.required.iter().filter(|scope| !unmet.is_held(claims, path, scope));
    let how = match unmet.matching {
        Match::All => "all of",
        Match::Any => "one of",
    };
    Evidence {
        found: if held.is_empty() { format!("no {claim}") } else { list(&held) },
        expected: format!("{how} {}", list(&unmet.required)),
        hint: format!("missing: {}", list(missing)),
    }
}

pub(super) fn proof(claims: &ClaimsSet) -> Evidence {
    let members = claims.claim("cnf").map(|cnf| list(cnf.members().map(|(name, _)| name)));
    Evidence {
        found: format!(
            "cnf with {}",
            members.filter(|list| !list.is_empty()).as_deref().unwrap_or("no member")
        ),
        expected: "no cnf, or boundTokens: accept".into(),
        ..Evidence::default()
    }
}

pub(super) fn expression(culprits: &[(&str, Truth)]) -> Evidence {
    let said: Vec<String> =
        culprits.iter().map(|(function, truth)| format!("{function} is {}", truth.name())).collect();
    let undecided = culprits.iter().any(|(_, truth)| *truth == Truth::Undecided);
    Evidence {
        found: said.join("; "),
        expected: String::new(),
        hint: if undecided {
            "undecided: the request has no such value, or several".into()
        } else {
            String::new()
        },
    }
}

pub(super) fn expired(exp: UnixTime, now: UnixTime, rules: &TimeRules) -> Evidence {
    Evidence {
        found: format!("exp was {} s ago", now.seconds_since(exp).0),
        expected: format!("exp in the future, or at most {} s ago (clockSkewSeconds)", rules.clock_skew.0),
        ..Evidence::default()
    }
}

pub(super) fn not_yet_valid(nbf: UnixTime, now: UnixTime, rules: &TimeRules) -> Evidence {
    let hint = "nbf seems to be in milliseconds; RFC 7519 asks for seconds";
    Evidence {
        found: format!("nbf is in {} s", ahead(nbf, now).0),
        expected: format!("nbf in the past, or at most {} s ahead (clockSkewSeconds)", rules.clock_skew.0),
        hint: if is_in_milliseconds(nbf, now) { hint.into() } else { String::new() },
    }
}

pub(super) fn lifetime(lifetime: Seconds, rules: &TimeRules) -> Evidence {
    let expected = rules.max_lifetime.map(|most| format!("at most {} s (maxLifetimeSeconds)", most.0));
    Evidence {
        found: format!("{} s from iat to exp", lifetime.0),
        expected: expected.unwrap_or_default(),
        ..Evidence::default()
    }
}

pub(super) fn age(age: Seconds, rules: &TimeRules) -> Evidence {
    let Some(most) = rules.max_age else {
        return Evidence::default();
    };
    let (span, skew) = (most.span.0, rules.clock_skew.0);
    Evidence {
        found: format!("{} was {} s ago", most.since.claim(), age.0),
        expected: format!("at most {span} s (maxAgeSeconds), and {skew} s more (clockSkewSeconds)"),
        ..Evidence::default()
    }
}

/// Seconds from `now` to `then`, the beginning of one counted as a whole.
fn ahead(then: UnixTime, now: UnixTime) -> Seconds {
    Seconds(then.as_millis().saturating_sub(now.as_millis()).div_ceil(1000))
}

/// Dates of this time, a thousand times as large.
fn is_in_milliseconds(date: UnixTime, now: UnixTime) -> bool {
    (now.as_seconds() / 2..now.as_seconds().saturating_mul(2)).contains(&(date.as_seconds() / 1000))
}

/// Which rules ask for a claim that is absent, and which claims there are.
pub(super) fn missing(claim: &str, claims: &ClaimsSet, rules: &ClaimRules) -> Evidence {
    let is_date = |names: &[&str]| names.contains(&claim);
    let is_tenant =
        rules.templates.iter().filter_map(|template| template.claim()).any(|path| path.to_string() == claim);
    let max_age = rules.time.max_age.is_some_and(|max_age| max_age.since.claim() == claim);
    let reasons = [
        (rules.required.iter().any(|required| required == claim), "requiredClaims"),
        (
            rules.token_type == TokenType::Access && ACCESS_TOKEN_CLAIMS.contains(&claim),
            "tokenType: access (RFC 9068)",
        ),
        (claim == "aud" && !rules.audience.is_empty(), "audience"),
        (is_tenant, "tenantClaim"),
        (rules.time.max_lifetime.is_some() && is_date(&["iat", "exp"]), "maxLifetimeSeconds"),
        (max_age, "maxAgeSeconds"),
    ];
    let reasons: Vec<&str> =
        reasons.into_iter().filter(|(asks, _)| *asks).map(|(_, reason)| reason).collect();
    let ask = if reasons.len() > 1 { "ask" } else { "asks" };
    let names: Vec<&str> = claims.value().members().map(|(name, _)| name).collect();
    let found = match claims.claim(claim) {
        Some(_) => format!("{} is null", name(claim)),
        None => format!("the claims {}", list(&names)),
    };
    let is_blank = claim.trim() != claim || claim.is_empty();
    Evidence {
        found,
        expected: format!("{}, which {} {ask} for", name(claim), reasons.join(" and ")),
        hint: if is_blank {
            format!("the configuration has a blank in the name: {}", Quoted(claim))
        } else {
            near(&names, &[claim])
        },
    }
}

/// The kind of a value that has another one, and what it should be.
pub(super) fn invalid(claim: &str, claims: &ClaimsSet, now: UnixTime) -> Evidence {
    let value = claims.claim(claim);
    let date = value.and_then(numeric_date);
    let expected = match claim {
        "exp" | "nbf" | "iat" | "auth_time" => "a number of seconds since 1970 that is not in the future",
        "aud" => "a string, or an array of strings",
        _ => "a string",
    };
    let found = match (date, value.map(Value::kind)) {
        (Some(date), _) if date > now => format!("{claim} is {} s ahead", ahead(date, now).0),
        (_, Some(kind)) => format!("{claim} is {}", kind_name(kind)),
        (_, None) => format!("no {claim}"),
    };
    Evidence { found, expected: expected.into(), ..Evidence::default() }
}

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::True | Kind::False => "a boolean",
        Kind::Number => "a number",
        Kind::String => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
    }
}

fn shown(value: Value<'_>) -> String {
    value.as_str().map_or_else(|| kind_name(value.kind()).to_owned(), name)
}

/// A text, or the texts of an array.
fn texts<'c>(value: Value<'c>) -> Vec<&'c str> {
    match value.as_str() {
        Some(text) => vec![text],
        None => value.elements().filter_map(Value::as_str).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{client, invalid, not_yet_valid, step_up};
    use crate::core::claims::validity::TimeRules;
    use crate::core::refusal::Evidence;
    use crate::core::token::claims_set::claims;
    use crate::core::unix_time::{Seconds, UnixTime};

    const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);

    fn evidence(found: &str, expected: &str, hint: &str) -> Evidence {
        Evidence { found: found.into(), expected: expected.into(), hint: hint.into() }
    }

    #[test]
    fn clients() {
        let accepted = ["web".to_owned(), "app".to_owned()];
        for (json, found, hint) in [
            (r#"{"azp": "Web"}"#, "Web", "Web and web differ by upper and lower case"),
            (r#"{"client_id": "c"}"#, "c", ""),
            ("{}", "no azp and no client_id", ""),
        ] {
            assert_eq!(client(&claims(json), &accepted), evidence(found, "web app", hint), "{json}");
        }
    }

    #[test]
    fn when_somebody_signed_in() {
        for (json, found) in [
            (r#"{"acr": "low", "auth_time": 1700000010}"#, "acr is low, auth_time is 10 s ahead"),
            (r#"{"acr": 1, "auth_time": 1700000000}"#, "acr is a number, auth_time was 0 s ago"),
            (r#"{"auth_time": 1699999990}"#, "acr is absent, auth_time was 10 s ago"),
            (r#"{"auth_time": "then"}"#, "acr is absent, no auth_time that is a date"),
        ] {
            let of_both = step_up(&claims(json), "high", Some(Seconds(5)), NOW);
            let expected = evidence(found, "acr out of high, at most 5 s ago (stepUp.maxAgeSeconds)", "");
            assert_eq!(of_both, expected, "{json}");
        }
    }

    #[test]
    fn a_beginning_that_is_ahead() {
        let rules =
            TimeRules { clock_skew: Seconds(5), ahead: Seconds(5), max_lifetime: None, max_age: None };
        let expected = "nbf in the past, or at most 5 s ahead (clockSkewSeconds)";
        let milliseconds = "nbf seems to be in milliseconds; RFC 7519 asks for seconds";
        for (nbf, hint) in [
            (1_700_000_007, ""),
            (3_400_000_000, ""),
            (1_700_000_000_000, milliseconds),
            (850_000_000_000, milliseconds),
            (849_999_999_999, ""),
            (3_399_999_999_999, milliseconds),
            (3_400_000_000_000, ""),
        ] {
            let found = format!("nbf is in {} s", nbf - 1_700_000_000);
            let of_nbf = not_yet_valid(UnixTime::from_seconds(nbf), NOW, &rules);
            assert_eq!(of_nbf, evidence(&found, expected, hint), "{nbf}");
        }
    }

    #[test]
    fn values_of_another_kind() {
        let date = "a number of seconds since 1970 that is not in the future";
        for (claim, json, found, expected) in [
            ("iat", r#"{"iat": 1700000000.5}"#, "iat is 1 s ahead", date),
            ("iat", r#"{"iat": 1700000000}"#, "iat is a number", date),
            ("nbf", r#"{"nbf": true}"#, "nbf is a boolean", date),
            ("aud", r#"{"aud": {}}"#, "aud is an object", "a string, or an array of strings"),
            ("iss", r#"{"iss": ["a"]}"#, "iss is an array", "a string"),
            ("sub", r#"{"sub": null}"#, "sub is null", "a string"),
            ("sub", "{}", "no sub", "a string"),
        ] {
            assert_eq!(invalid(claim, &claims(json), NOW), evidence(found, expected, ""), "{json}");
        }
    }
}
