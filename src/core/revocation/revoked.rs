//! Whether the token of a request was revoked, and what operators see of what decides that.

use std::cell::OnceCell;

use crate::core::lookups::Lookups;
use crate::core::presented::Presented;
use crate::core::refusal::Refusal;
use crate::core::revocation::list::ListKey;
use crate::core::revocation::marker::{self, Found, Marker, Missing};
use crate::core::revocation::{RevocationRules, RevocationView};

/// The state of what `rules` configure, for `status`.
pub fn view(rules: &RevocationRules, lookups: &dyn Lookups) -> RevocationView {
    let directory = rules.markers.as_ref().map(|rules| {
        let is_there = matches!(lookups.find(&rules.directory), Found::At(_));
        (rules.directory.clone(), is_there)
    });
    RevocationView { directory, list: lookups.list_view() }
}

/// Refuses a token that was revoked.
///
/// # Errors
/// `token_revoked`, `revocation_unavailable`.
#[inline(never)]
pub fn check(rules: &RevocationRules, presented: &Presented<'_>) -> Result<(), Refusal> {
    let Presented { sent, claims, derived, .. } = *presented;
    if let Some(rules) = &rules.markers {
        let own = OnceCell::new();
        let markers = derived.map_or(&own, |derived| &derived.markers);
        let markers = markers.get_or_init(|| Marker::all_of(claims, &rules.directory));
        marker::check(claims, rules, markers, sent.lookups)?;
    }
    if rules.list.is_none() {
        return Ok(());
    }
    match (sent.lookups.list(), rules.missing) {
        (Some(list), _) if list.is_empty() => Ok(()),
        (Some(list), _) => {
            let own = OnceCell::new();
            let keys = derived.map_or(&own, |derived| &derived.list_keys);
            list.check(claims, keys.get_or_init(|| ListKey::all_of(claims)))
        }
        (None, Missing::Refuse) => Err(Refusal::RevocationUnavailable),
        (None, Missing::Accept) => Ok(()),
    }
}
