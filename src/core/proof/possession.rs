//! Which proof a request owes for its token, and whether it has it.

use crate::core::claims::binding::{self, Binding};
use crate::core::proof::dpop::{self, DpopRules, KeptKeys, Proven};
use crate::core::proof::fault::ProofFault;
use crate::core::proof::mtls::{self, MtlsRules};
use crate::core::proof::replay::ReplayMemory;
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::unix_time::UnixTime;

/// `proofs`: what is checked of proofs. Whether one is demanded of every token is a rule of its claims ([`binding`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProofRules {
    /// `proofs.dpop`.
    pub dpop: Option<DpopRules>,
    /// `proofs.mtls`.
    pub mtls: Option<MtlsRules>,
    /// `proofs.forward`.
    pub forwarding: ProofForwarding,
}

/// `proofs.forward`: what the upstream gets of a token that came with a proof.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProofForwarding {
    /// `Authorization` and `DPoP` as they came.
    #[default]
    AsReceived,
    /// `Authorization: Bearer`, and no proof.
    Bearer,
}

/// A token that was accepted but for its proof, and the request that it came with.
#[derive(Clone, Copy)]
pub struct Sent<'a> {
    /// The bytes of the token.
    pub token: &'a [u8],
    /// Its claims.
    pub claims: &'a ClaimsSet,
    /// Whether it came under the scheme `DPoP` (RFC 9449 7.1).
    pub under_dpop: bool,
    /// The request.
    pub request: &'a dyn RequestView,
    /// Now.
    pub now: UnixTime,
}

/// Checks the proofs that `sent` owes.
///
/// # Errors
/// `proof_missing`, also for a bound token that came as a bearer token (RFC 9449 7.2); `proof_invalid`, also for an unbound
/// one that came under `DPoP`; those of [`dpop::check`] and [`mtls::check`].
pub fn check(
    rules: &ProofRules,
    sent: &Sent<'_>,
    keys: &dyn KeptKeys,
    memory: &dyn ReplayMemory,
) -> Result<Proven, Refusal> {
    if let Some(mtls) = &rules.mtls
        && let Some(bound_to) = binding::bound_to(sent.claims, Binding::Certificate)
    {
        mtls::check(mtls, bound_to, sent.request)?;
    }
    let Some(rules) = &rules.dpop else {
        return Ok(Proven::default());
    };
    let Sent { token, now, request, .. } = *sent;
    match (binding::bound_to(sent.claims, Binding::Key), sent.under_dpop) {
        (Some(bound_to), true) => {
            dpop::check(&dpop::Demand { rules, token, bound_to, now, request }, keys, memory)
        }
        (Some(_), false) => Err(Refusal::ProofMissing),
        (None, true) => Err(Refusal::ProofInvalid { fault: ProofFault::Thumbprint }),
        (None, false) => Ok(Proven::default()),
    }
}
