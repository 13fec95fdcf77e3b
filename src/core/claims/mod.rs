//! Step 9: the claims of a verified token against the rules.

pub mod registered;
pub mod validity;

use crate::core::refusal::Refusal;
use crate::core::signature::VerifiedToken;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::unix_time::{Seconds, UnixTime};

/// What a token's claims have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimRules {
    /// Accepted audiences, any of; empty asks for none (`audience`).
    pub audience: Vec<String>,
    /// Claims that have to be present (`requiredClaims`).
    pub required: Vec<String>,
    /// How far clocks may differ, for `exp` and `nbf` (`clockSkewSeconds`).
    pub clock_skew: Seconds,
}

/// A token whose signature and claims hold. Identity headers are made from nothing else.
#[derive(Clone, Copy, Debug)]
pub struct AcceptedToken<'t> {
    claims: &'t ClaimsSet,
}

impl<'t> AcceptedToken<'t> {
    /// The claims.
    #[must_use]
    pub const fn claims(self) -> &'t ClaimsSet {
        self.claims
    }
}

/// Checks every rule, cheapest first.
///
/// # Errors
/// The refusal of the first rule that does not hold.
pub fn check<'t>(
    token: &'t VerifiedToken,
    rules: &ClaimRules,
    now: UnixTime,
) -> Result<AcceptedToken<'t>, Refusal> {
    let claims = token.claims();
    check_unverified(claims, rules, now)?;
    registered::check_types(claims)?;
    registered::check_required(claims, &rules.required)?;
    registered::check_audience(claims, &rules.audience)?;
    Ok(AcceptedToken { claims })
}

/// The rules that are worth a look before the signature: an expired token costs no arithmetic. A pass means
/// nothing; [`check`] looks again.
///
/// # Errors
/// As [`validity::check`].
pub fn check_unverified(claims: &ClaimsSet, rules: &ClaimRules, now: UnixTime) -> Result<(), Refusal> {
    validity::check(claims, rules.clock_skew, now)
}
