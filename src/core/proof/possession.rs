//! Which proof a request owes for its token, and whether it has it.

use crate::core::claims::binding::{self, Binding};
use crate::core::presented::{Presented, Sent};
use crate::core::proof::dpop;
use crate::core::proof::fault::{MissingProof, ProofFault};
use crate::core::proof::mtls;
use crate::core::proof::rules::ProofRules;
use crate::core::refusal::Refusal;

/// Checks the proofs that a request owes for `token`, which is the one presented.
///
/// # Errors
/// `proof_missing`, also for a bound token that came as a bearer token (RFC 9449 7.2); `proof_invalid`, also for an unbound
/// one that came under `DPoP`; those of [`dpop::check`] and [`mtls::check`].
#[inline(never)]
pub fn check(rules: &ProofRules, token: &[u8], presented: &Presented<'_>) -> Result<(), Refusal> {
    let Presented { sent, claims, derived, .. } = *presented;
    let Sent { now, request, lookups, .. } = sent;
    if let Some(mtls) = &rules.mtls
        && let Some(bound_to) = binding::bound_to(claims, Binding::Certificate)
    {
        mtls::check(mtls, bound_to, request)?;
    }
    let Some(rules) = &rules.dpop else {
        return Ok(());
    };
    let under_dpop = sent.places.iter().any(|place| place.is_dpop());
    match (binding::bound_to(claims, Binding::Key), under_dpop) {
        (Some(bound_to), true) => {
            let hash = derived.map(|derived| &derived.hash);
            let demand = dpop::Demand { rules, token, hash, bound_to, now, request, secrets: lookups };
            dpop::check(&demand, lookups, lookups)
        }
        (Some(_), false) => Err(Refusal::ProofMissing { missing: MissingProof::Scheme }),
        (None, true) => Err(Refusal::ProofInvalid { fault: ProofFault::Thumbprint }),
        (None, false) => Ok(()),
    }
}
