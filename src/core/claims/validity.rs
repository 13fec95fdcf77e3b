//! Time of validity: `exp`, `nbf`, `iat` (RFC 7519 4.1.4 to 4.1.6). Ring 1: `now` is an argument.

use crate::core::refusal::Refusal;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::unix_time::{Seconds, UnixTime};

/// Rules about the dates of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRules {
    /// How far clocks may differ at the end of a token: `exp` and ages (`clockSkewSeconds`).
    pub clock_skew: Seconds,
    /// The same at its beginning: how far `nbf`, or the date that an age begins with, may lie in the future. Apart,
    /// because without `clockSkewSeconds` it is not nothing: a token that is a few seconds early is one that was just
    /// issued, and taking it gives nobody more time.
    pub ahead: Seconds,
    /// Longest time from `iat` to `exp` (`maxLifetimeSeconds`).
    pub max_lifetime: Option<Seconds>,
    /// Longest time since `iat` or `auth_time` (`maxAgeSeconds`, `maxAgeClaim`).
    pub max_age: Option<MaxAge>,
}

/// `maxAgeSeconds` and `maxAgeClaim`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxAge {
    /// How long ago the beginning may lie.
    pub span: Seconds,
    /// What counts as the beginning.
    pub since: Since,
}

/// `maxAgeClaim`: where an age begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Since {
    /// When the token was issued: `iat`.
    #[default]
    Issued,
    /// When the user signed in: `auth_time` (OpenID Connect Core 2).
    SignedIn,
}

impl Since {
    /// The claim.
    pub const fn claim(self) -> &'static str {
        match self {
            Self::Issued => "iat",
            Self::SignedIn => "auth_time",
        }
    }
}

/// That the time of a token holds, and for how long that needs no second look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timely {
    from: UnixTime,
    until: UnixTime,
}

impl Timely {
    /// Whether it still holds at `now`. Before the check nothing is said, for clocks that are set back: what held then may
    /// not have held earlier.
    #[must_use]
    pub fn holds_at(self, now: UnixTime) -> bool {
        self.from <= now && now < self.until
    }
}

/// What never ends.
const NEVER: UnixTime = UnixTime::from_millis(u64::MAX);

/// Checks that `now` lies in the token's time of validity, give or take the clock skew, and that this time is not
/// longer, and the token not older, than the rules allow. Conditions that begin to hold go on holding; the end is
/// that of those that do not.
///
/// # Errors
/// `token_expired`, `token_not_yet_valid`, `claim_invalid`; `token_lifetime_too_long`, `token_too_old`, and
/// `claim_missing` if one of those claims is absent.
pub fn check(claims: &ClaimsSet, rules: &TimeRules, now: UnixTime) -> Result<Timely, Refusal> {
    let exp = claims.numeric_date("exp")?;
    let expires = check_exp(exp, rules.clock_skew, now)?;
    check_nbf(claims, rules.ahead, now)?;
    // A future `iat` alone refuses nothing (RFC 7519 4.1.6 gives it no such meaning), but it has to be a date.
    let iat = claims.numeric_date("iat")?;
    if let Some(longest) = rules.max_lifetime {
        let exp = exp.ok_or_else(|| missing("exp"))?;
        let lifetime_begins = past(iat, "iat", rules.ahead, now)?;
        if exp > lifetime_begins.saturating_add(longest) {
            return Err(Refusal::TokenLifetimeTooLong { lifetime: exp.seconds_since(lifetime_begins) });
        }
    }
    let too_old = match rules.max_age {
        Some(max_age) => check_age(claims, max_age, rules, now)?,
        None => NEVER,
    };
    Ok(Timely { from: now, until: expires.min(too_old) })
}

/// From `exp` plus the skew on: the instant itself is too late (RFC 7519 4.1.4). Returns that instant.
fn check_exp(exp: Option<UnixTime>, clock_skew: Seconds, now: UnixTime) -> Result<UnixTime, Refusal> {
    // Presence is the rule of requiredClaims, so that one absent claim has one code.
    let Some(exp) = exp else {
        return Ok(NEVER);
    };
    let end = exp.saturating_add(clock_skew);
    if now >= end { Err(Refusal::TokenExpired { exp, now }) } else { Ok(end) }
}

/// Until `nbf` less what it may be ahead (RFC 7519 4.1.5: the instant itself is good).
fn check_nbf(claims: &ClaimsSet, ahead: Seconds, now: UnixTime) -> Result<(), Refusal> {
    let Some(nbf) = claims.numeric_date("nbf")? else {
        return Ok(());
    };
    if nbf > now.saturating_add(ahead) {
        return Err(Refusal::TokenNotYetValid { nbf, now });
    }
    Ok(())
}

/// `now` less the beginning is at most the span plus the skew. Returns the first instant at which it is more.
fn check_age(
    claims: &ClaimsSet,
    max_age: MaxAge,
    rules: &TimeRules,
    now: UnixTime,
) -> Result<UnixTime, Refusal> {
    let claim = max_age.since.claim();
    let since = past(claims.numeric_date(claim)?, claim, rules.ahead, now)?;
    let last = since.saturating_add(max_age.span).saturating_add(rules.clock_skew);
    if now > last {
        return Err(Refusal::TokenTooOld { age: now.seconds_since(since) });
    }
    // Its last instant is still good; milliseconds are the unit of all instants.
    Ok(UnixTime::from_millis(last.as_millis().saturating_add(1)))
}

/// A date that has come, or nearly: one far in the future would make every age and lifetime short enough.
fn past(
    date: Option<UnixTime>,
    claim: &'static str,
    ahead: Seconds,
    now: UnixTime,
) -> Result<UnixTime, Refusal> {
    let date = date.ok_or_else(|| missing(claim))?;
    if date > now.saturating_add(ahead) {
        return Err(Refusal::ClaimInvalid { claim });
    }
    Ok(date)
}

fn missing(claim: &str) -> Refusal {
    Refusal::ClaimMissing { claim: claim.into() }
}

#[cfg(test)]
mod tests {
    use super::{MaxAge, Since, TimeRules, Timely, check};
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
            let rules = skewed(skew);
            assert_eq!(code(json, &rules), expected, "{json} {skew}");
        }
    }

    fn skewed(seconds: u64) -> TimeRules {
        TimeRules { clock_skew: Seconds(seconds), ahead: Seconds(seconds), ..TimeRules::default() }
    }

    #[test]
    fn a_beginning_ahead_gives_no_time_at_the_end() {
        let max_age = Some(MaxAge { span: Seconds(60), since: Since::Issued });
        let rules = TimeRules { ahead: Seconds(10), max_age, ..TimeRules::default() };
        for (json, expected) in [
            (r#"{"nbf":1010,"iat":1010,"exp":1001}"#, "ok"),
            (r#"{"nbf":1010.001,"iat":1000}"#, "token_not_yet_valid"),
            (r#"{"iat":1010.001}"#, "claim_invalid"),
            (r#"{"iat":1000,"exp":1000}"#, "token_expired"),
            (r#"{"iat":939.999}"#, "token_too_old"),
        ] {
            assert_eq!(code(json, &rules), expected, "{json}");
        }
        let now = UnixTime::from_seconds(1000);
        let timely = check(&claims(r#"{"nbf":1010,"iat":1000,"exp":1050}"#), &rules, now);
        assert_eq!(timely, Ok(Timely { from: now, until: UnixTime::from_seconds(1050) }));
    }

    #[test]
    fn what_held_holds_from_the_check_to_the_end() {
        let timely = Timely { from: UnixTime::from_seconds(1000), until: UnixTime::from_seconds(1050) };
        for (now, expected) in [
            (999_999, false),
            (1_000_000, true),
            (1_000_001, true),
            (1_049_999, true),
            (1_050_000, false),
            (1_050_001, false),
        ] {
            assert_eq!(timely.holds_at(UnixTime::from_millis(now)), expected, "{now}");
        }
    }

    fn code(json: &str, rules: &TimeRules) -> &'static str {
        let outcome = check(&claims(json), rules, UnixTime::from_seconds(1000));
        outcome.err().map_or("ok", |refusal| refusal.code())
    }

    #[test]
    fn lifetime_from_iat_to_exp() {
        for (json, skew, expected) in [
            (r#"{"iat":990,"exp":1050}"#, 0, "ok"),
            (r#"{"iat":990,"exp":1050.001}"#, 0, "token_lifetime_too_long"),
            (r#"{"iat":990,"exp":1051}"#, 30, "token_lifetime_too_long"),
            (r#"{"iat":1000,"exp":1060}"#, 0, "ok"),
            (r#"{"iat":1001,"exp":1060}"#, 0, "claim_invalid"),
            (r#"{"iat":1001,"exp":1060}"#, 1, "ok"),
            (r#"{"iat":9000,"exp":9001}"#, 0, "claim_invalid"),
            (r#"{"exp":1001}"#, 0, "claim_missing"),
            (r#"{"iat":990}"#, 0, "claim_missing"),
            (r#"{"iat":"990","exp":1001}"#, 0, "claim_invalid"),
        ] {
            let max_lifetime = Some(Seconds(60));
            let rules = TimeRules { max_lifetime, ..skewed(skew) };
            assert_eq!(code(json, &rules), expected, "{json} {skew}");
        }
    }

    #[test]
    fn age_since_issue_or_sign_in() {
        let (issued, signed_in) = (Since::Issued, Since::SignedIn);
        for (json, since, skew, expected) in [
            (r#"{"iat":940}"#, issued, 0, "ok"),
            (r#"{"iat":939.999}"#, issued, 0, "token_too_old"),
            (r#"{"iat":930}"#, issued, 10, "ok"),
            (r#"{"iat":929}"#, issued, 10, "token_too_old"),
            (r#"{"iat":1001}"#, issued, 0, "claim_invalid"),
            (r#"{"iat":1001}"#, issued, 1, "ok"),
            (r#"{"auth_time":999}"#, issued, 0, "claim_missing"),
            (r#"{"iat":1,"auth_time":940}"#, signed_in, 0, "ok"),
            (r#"{"iat":999,"auth_time":939}"#, signed_in, 0, "token_too_old"),
            (r#"{"iat":999}"#, signed_in, 0, "claim_missing"),
            (r#"{"auth_time":true}"#, signed_in, 0, "claim_invalid"),
        ] {
            let max_age = Some(MaxAge { span: Seconds(60), since });
            let rules = TimeRules { max_age, ..skewed(skew) };
            assert_eq!(code(json, &rules), expected, "{json} {since:?} {skew}");
        }
    }
}
