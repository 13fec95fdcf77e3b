//! Tokens that were taken back before their time. It is looked up for every request, also with a token that is known.

pub mod name;
pub mod marker;
pub mod list;

use std::rc::Rc;

use crate::core::fetching::{CacheRules, ClientRules};
use crate::core::refusal::Refusal;
use crate::core::revocation::list::RevocationList;
use crate::core::revocation::marker::{MarkerRules, Markers, Missing};
use crate::core::token::claims_set::ClaimsSet;
use crate::core::url::Url;

/// `revocation`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationRules {
    /// `revocation.directory`.
    pub markers: Option<MarkerRules>,
    /// `revocation.file` or `revocation.url`.
    pub list: Option<Rc<ListSource>>,
    /// `revocation.onMissing`.
    pub missing: Missing,
}

/// Where the list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListSource {
    /// In a file below the mounts.
    File(String),
    /// On a server.
    Url(Box<RemoteList>),
}

/// A list on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteList {
    /// Its URL.
    pub url: Url,
    /// How it is fetched.
    pub client: ClientRules,
    /// How long it is kept.
    pub cache: CacheRules,
    /// Where routers share it (`jwksCache.directory`).
    pub directory: Option<String>,
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
    if rules.list.is_none() {
        return Ok(());
    }
    match (revocations.list(), rules.missing) {
        (Some(list), _) => list.check(claims),
        (None, Missing::Refuse) => Err(Refusal::RevocationUnavailable),
        (None, Missing::Accept) => Ok(()),
    }
}
