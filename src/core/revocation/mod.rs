//! Tokens that were taken back before their time. It is looked up for every request, also with a token that is known.

pub mod name;
pub mod marker;
pub mod list;

use std::rc::Rc;

use crate::core::refusal::Refusal;
use crate::core::revocation::list::RevocationList;
use crate::core::revocation::marker::{MarkerRules, Markers, Missing};
use crate::core::token::claims_set::ClaimsSet;

/// `revocation`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationRules {
    /// `revocation.directory`.
    pub markers: Option<MarkerRules>,
    /// Whether there is a list (`revocation.file`, `revocation.url`), and what becomes of requests without it.
    pub list: Option<Missing>,
}

/// The list, as an instance has it.
pub trait Revocations {
    /// The last good one; `None` if none was ever had, or the last is too old.
    fn list(&self) -> Option<Rc<RevocationList>>;
}

/// Refuses a token that was revoked.
///
/// # Errors
/// `token_revoked`, `revocation_unavailable`.
pub fn check(
    claims: &ClaimsSet,
    rules: &RevocationRules,
    markers: &dyn Markers,
    revocations: &dyn Revocations,
) -> Result<(), Refusal> {
    if let Some(rules) = &rules.markers {
        marker::check(claims, rules, markers)?;
    }
    match (rules.list, rules.list.and_then(|_| revocations.list())) {
        (Some(_), Some(list)) => list.check(claims),
        (Some(Missing::Refuse), None) => Err(Refusal::RevocationUnavailable),
        (Some(Missing::Accept), None) | (None, _) => Ok(()),
    }
}
