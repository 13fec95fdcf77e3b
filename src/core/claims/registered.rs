//! `typ`, and registered claims other than time: `iss`, `sub`, `aud`, `jti` and presence (RFC 7519 4.1 and 5.1).

use crate::core::json::Kind;
use crate::core::refusal::{AskedBy, Refusal};
use crate::core::token::claims_set::ClaimsSet;

/// `tokenType`: what a token has to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TokenType {
    /// Anything.
    #[default]
    Any,
    /// An access token (RFC 9068): neither an ID token nor any other.
    Access,
    /// A token of this `typ`.
    Typ(String),
}

impl TokenType {
    /// The `typ` that is asked for.
    pub fn typ(&self) -> Option<&str> {
        match self {
            Self::Any => None,
            Self::Access => Some("at+jwt"),
            Self::Typ(typ) => Some(typ),
        }
    }
}

/// Claims that an access token has (RFC 9068 2.2).
pub const ACCESS_TOKEN_CLAIMS: [&str; 7] = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];

/// `typ` is the one that is asked for (RFC 8725 3.11); as a media type it is compared without case, and a leading
/// `application/` may be left out (RFC 7515 4.1.9). An access token also has the claims of RFC 9068 2.2.
///
/// # Errors
/// `token_type_not_accepted`, `claim_missing`.
pub fn check_type(typ: Option<&str>, claims: &ClaimsSet, wanted: &TokenType) -> Result<(), Refusal> {
    let Some(wanted_typ) = wanted.typ() else {
        return Ok(());
    };
    if !typ.is_some_and(|typ| short_media_type(typ).eq_ignore_ascii_case(short_media_type(wanted_typ))) {
        return Err(Refusal::TokenTypeNotAccepted { typ: typ.map(str::to_owned) });
    }
    match wanted {
        TokenType::Access => ACCESS_TOKEN_CLAIMS.iter().try_for_each(|claim| check_present(claims, claim)),
        TokenType::Any | TokenType::Typ(_) => Ok(()),
    }
}

fn short_media_type(typ: &str) -> &str {
    match typ.split_once('/') {
        Some((tree, name)) if tree.eq_ignore_ascii_case("application") && !name.contains('/') => name,
        Some(_) | None => typ,
    }
}

/// Claims that RFC 7519 defines as strings are strings if they are present. `sub` and `jti` may be numbers as well:
/// providers put the number of a database row there, and no check compares them unless the configuration asks for it.
///
/// # Errors
/// `claim_invalid`.
pub fn check_types(claims: &ClaimsSet) -> Result<(), Refusal> {
    for (claim, may_be_number) in [("iss", false), ("sub", true), ("jti", true)] {
        let fits = |kind| kind == Kind::String || (may_be_number && kind == Kind::Number);
        if claims.claim(claim).is_some_and(|value| !fits(value.kind())) {
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
    required.iter().try_for_each(|claim| check_present(claims, claim))
}

fn check_present(claims: &ClaimsSet, claim: &str) -> Result<(), Refusal> {
    if claims.claim(claim).is_none_or(|value| value.kind() == Kind::Null) {
        return Err(Refusal::ClaimMissing { claim: claim.to_owned() });
    }
    Ok(())
}

/// `aud` is a string or an array of strings, and names one of `accepted` if that is not empty
/// (RFC 7519 4.1.3), compared byte for byte.
///
/// # Errors
/// `claim_invalid`, `claim_missing` if an audience is required, `audience_not_accepted`.
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
    if met { Ok(()) } else { Err(Refusal::AudienceNotAccepted { asked_by: AskedBy::Issuer }) }
}

/// The same for the audiences that a rule requires. The type of `aud` has been checked.
///
/// # Errors
/// `audience_not_accepted`.
pub fn check_audience_here(claims: &ClaimsSet, accepted: &[String]) -> Result<(), Refusal> {
    let is_met = accepted.is_empty() || check_audience(claims, accepted).is_ok();
    if is_met { Ok(()) } else { Err(Refusal::AudienceNotAccepted { asked_by: AskedBy::Rule }) }
}

#[cfg(test)]
mod tests {
    use super::{TokenType, check_audience, check_audience_here, check_required, check_type, check_types};
    use crate::core::refusal::{AskedBy, Refusal};
    use crate::core::token::claims_set::claims;

    fn code(outcome: Result<(), Refusal>) -> &'static str {
        outcome.err().map_or("ok", |refusal| refusal.code())
    }

    #[test]
    fn rfc_9068_4_and_rfc_7515_4_1_9_typ() {
        let access = r#"{"iss":"i","exp":1,"aud":"a","sub":"s","client_id":"c","iat":1,"jti":"j"}"#;
        let without_jti = r#"{"iss":"i","exp":1,"aud":"a","sub":"s","client_id":"c","iat":1}"#;
        let literal = |typ: &str| TokenType::Typ(typ.into());
        for (wanted, typ, json, expected) in [
            (TokenType::Any, None, "{}", "ok"),
            (TokenType::Access, Some("at+jwt"), access, "ok"),
            (TokenType::Access, Some("AT+JWT"), access, "ok"),
            (TokenType::Access, Some("application/at+jwt"), access, "ok"),
            (TokenType::Access, Some("Application/At+Jwt"), access, "ok"),
            (TokenType::Access, Some("JWT"), access, "token_type_not_accepted"),
            (TokenType::Access, Some("application/x/at+jwt"), access, "token_type_not_accepted"),
            (TokenType::Access, Some("text/at+jwt"), access, "token_type_not_accepted"),
            (TokenType::Access, Some(""), access, "token_type_not_accepted"),
            (TokenType::Access, None, access, "token_type_not_accepted"),
            (TokenType::Access, Some("at+jwt"), without_jti, "claim_missing"),
            (literal("secevent+jwt"), Some("secevent+jwt"), "{}", "ok"),
            (literal("application/secevent+jwt"), Some("secevent+JWT"), "{}", "ok"),
            (literal("at+jwt"), Some("at+jwt"), "{}", "ok"),
            (literal("JWT"), Some("at+jwt"), "{}", "token_type_not_accepted"),
            (literal("JWT"), None, "{}", "token_type_not_accepted"),
        ] {
            assert_eq!(code(check_type(typ, &claims(json), &wanted)), expected, "{wanted:?} {typ:?} {json}");
        }
        for claim in super::ACCESS_TOKEN_CLAIMS {
            let json = access.replace(&format!("\"{claim}\":"), "\"x\":");
            let refusal = check_type(Some("at+jwt"), &claims(&json), &TokenType::Access);
            assert_eq!(refusal, Err(Refusal::ClaimMissing { claim: claim.into() }));
        }
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
            // What is wrong with the claim itself is said before a rule is asked.
            let here = check_audience_here(&claims(json), &accepted);
            let refusal = Refusal::AudienceNotAccepted { asked_by: AskedBy::Rule };
            let expected = if expected == "ok" || accepted.is_empty() { Ok(()) } else { Err(refusal) };
            assert_eq!(here, expected, "{json}");
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
            (r#"{"sub":1,"jti":-2.50}"#, "ok"),
            (r#"{"iss":1}"#, "claim_invalid"),
            (r#"{"sub":true}"#, "claim_invalid"),
            (r#"{"sub":null}"#, "claim_invalid"),
            (r#"{"jti":{"a":1}}"#, "claim_invalid"),
            (r#"{"iss":null}"#, "claim_invalid"),
            (r#"{"jti":["c"]}"#, "claim_invalid"),
        ] {
            assert_eq!(code(check_types(&claims(json))), expected, "{json}");
        }
    }
}
