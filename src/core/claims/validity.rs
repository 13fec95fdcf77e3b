//! Time of validity: `exp`, `nbf`, `iat` (RFC 7519 4.1.4 to 4.1.6). Ring 1: `now` is an argument.

use crate::core::refusal::Refusal;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::unix_time::{Seconds, UnixTime};

/// Checks that `now` lies in the token's time of validity, give or take `clock_skew`.
///
/// # Errors
/// `token_expired`, `token_not_yet_valid`, `claim_invalid`.
pub fn check(claims: &ClaimsSet, clock_skew: Seconds, now: UnixTime) -> Result<(), Refusal> {
    check_exp(claims, clock_skew, now)?;
    check_nbf(claims, clock_skew, now)?;
    // A future `iat` alone refuses nothing (RFC 7519 4.1.6 gives it no such meaning), but it has to be a date.
    claims.numeric_date("iat").map(|_| ())
}

/// From `exp` plus the skew on: the instant itself is too late (RFC 7519 4.1.4).
fn check_exp(claims: &ClaimsSet, clock_skew: Seconds, now: UnixTime) -> Result<(), Refusal> {
    // Presence is the rule of requiredClaims, so that one absent claim has one code.
    let Some(exp) = claims.numeric_date("exp")? else {
        return Ok(());
    };
    if now >= exp.saturating_add(clock_skew) {
        return Err(Refusal::TokenExpired { exp, now });
    }
    Ok(())
}

/// Until `nbf` less the skew (RFC 7519 4.1.5: the instant itself is good).
fn check_nbf(claims: &ClaimsSet, clock_skew: Seconds, now: UnixTime) -> Result<(), Refusal> {
    let Some(nbf) = claims.numeric_date("nbf")? else {
        return Ok(());
    };
    if nbf > now.saturating_add(clock_skew) {
        return Err(Refusal::TokenNotYetValid { nbf, now });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::core::token::claims_set::claims;
    use crate::core::unix_time::{Seconds, UnixTime};

    #[test]
    fn rfc_7519_4_1_4_to_4_1_6() {
        for (json, skew, expected) in [
            ("{}", 0, "ok"),
            (r#"{"exp":1001}"#, 0, "ok"),
            (r#"{"exp":1000.5}"#, 0, "ok"),
            (r#"{"exp":1000}"#, 0, "token_expired"),
            (r#"{"exp":999}"#, 1, "token_expired"),
            (r#"{"exp":999}"#, 2, "ok"),
            (r#"{"nbf":1000}"#, 0, "ok"),
            (r#"{"nbf":1000.5}"#, 0, "token_not_yet_valid"),
            (r#"{"nbf":1001}"#, 0, "token_not_yet_valid"),
            (r#"{"nbf":1001}"#, 1, "ok"),
            (r#"{"exp":9007199254740992}"#, u64::MAX, "ok"),
            (r#"{"exp":null}"#, 0, "claim_invalid"),
            (r#"{"nbf":"1"}"#, 0, "claim_invalid"),
            (r#"{"iat":"1"}"#, 0, "claim_invalid"),
            (r#"{"iat":2000}"#, 0, "ok"),
        ] {
            let outcome = check(&claims(json), Seconds(skew), UnixTime::from_seconds(1000));
            assert_eq!(outcome.err().map_or("ok", |refusal| refusal.code()), expected, "{json} {skew}");
        }
    }
}
