//! Registered claims other than time: `iss`, `sub`, `aud`, `jti` and presence (RFC 7519 4.1).

use crate::core::refusal::Refusal;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::token::json::Kind;

/// Claims that RFC 7519 wants as strings are strings where present.
///
/// # Errors
/// `claim_invalid`.
pub fn check_types(claims: &ClaimsSet) -> Result<(), Refusal> {
    for claim in ["iss", "sub", "jti"] {
        if claims.claim(claim).is_some_and(|value| value.kind() != Kind::String) {
            return Err(Refusal::ClaimInvalid { claim });
        }
    }
    Ok(())
}

/// Every claim of `required` is present and not null.
///
/// # Errors
/// `claim_missing`.
pub fn check_required(claims: &ClaimsSet, required: &[String]) -> Result<(), Refusal> {
    match required.iter().find(|name| claims.claim(name).is_none_or(|value| value.kind() == Kind::Null)) {
        Some(claim) => Err(Refusal::ClaimMissing { claim: claim.clone() }),
        None => Ok(()),
    }
}

/// `aud` is a string or an array of strings, and names one of `accepted` where that is not empty
/// (RFC 7519 4.1.3), compared byte for byte.
///
/// # Errors
/// `claim_invalid`, `claim_missing` where an audience is asked for, `audience_not_accepted`.
pub fn check_audience(claims: &ClaimsSet, accepted: &[String]) -> Result<(), Refusal> {
    let Some(aud) = claims.claim("aud") else {
        return if accepted.is_empty() { Ok(()) } else { Err(Refusal::ClaimMissing { claim: "aud".into() }) };
    };
    let is_accepted = |name: &str| accepted.iter().any(|accepted| accepted == name);
    let mut met = accepted.is_empty();
    if let Some(name) = aud.as_str() {
        met = met || is_accepted(name);
    } else if aud.kind() == Kind::Array {
        for element in aud.elements() {
            let name = element.as_str().ok_or(Refusal::ClaimInvalid { claim: "aud" })?;
            met = met || is_accepted(name);
        }
    } else {
        return Err(Refusal::ClaimInvalid { claim: "aud" });
    }
    if met { Ok(()) } else { Err(Refusal::AudienceNotAccepted) }
}

#[cfg(test)]
mod tests {
    use super::{check_audience, check_required, check_types};
    use crate::core::refusal::Refusal;
    use crate::core::token::claims_set::claims;

    fn code(outcome: Result<(), Refusal>) -> &'static str {
        outcome.err().map_or("ok", |refusal| refusal.code())
    }

    #[test]
    fn rfc_7519_4_1_3_audience() {
        for (json, accepted, expected) in [
            (r#"{"aud":"a"}"#, &["a"][..], "ok"),
            (r#"{"aud":["x","b"]}"#, &["a", "b"], "ok"),
            (r#"{"aud":"A"}"#, &["a"], "audience_not_accepted"),
            (r#"{"aud":"a/"}"#, &["a"], "audience_not_accepted"),
            (r#"{"aud":[]}"#, &["a"], "audience_not_accepted"),
            (r#"{"aud":["a",1]}"#, &["a"], "claim_invalid"),
            (r#"{"aud":{"a":1}}"#, &["a"], "claim_invalid"),
            (r#"{"aud":null}"#, &[], "claim_invalid"),
            (r#"{"aud":1}"#, &[], "claim_invalid"),
            (r#"{"aud":"other"}"#, &[], "ok"),
            ("{}", &["a"], "claim_missing"),
            ("{}", &[], "ok"),
        ] {
            let accepted: Vec<String> = accepted.iter().map(|name| (*name).into()).collect();
            assert_eq!(code(check_audience(&claims(json), &accepted)), expected, "{json}");
        }
    }

    #[test]
    fn required_and_string_or_uri() {
        let required = ["exp".to_owned(), "tenant".to_owned()];
        for (json, expected) in [
            (r#"{"exp":1,"tenant":false}"#, "ok"),
            (r#"{"exp":1}"#, "claim_missing"),
            (r#"{"exp":1,"tenant":null}"#, "claim_missing"),
        ] {
            assert_eq!(code(check_required(&claims(json), &required)), expected, "{json}");
        }
        for (json, expected) in [
            (r#"{"iss":"a","sub":"b","jti":"c"}"#, "ok"),
            (r#"{"sub":1}"#, "claim_invalid"),
            (r#"{"iss":null}"#, "claim_invalid"),
            (r#"{"jti":["c"]}"#, "claim_invalid"),
        ] {
            assert_eq!(code(check_types(&claims(json))), expected, "{json}");
        }
    }
}
