//! `proofs`: which proofs of possession are checked, and how.

use crate::core::proof::dpop::DpopRules;
use crate::core::proof::mtls::MtlsRules;

/// `proofs`: what is checked of proofs. Whether one is demanded of every token is a rule of its
/// claims ([`binding`](crate::core::claims::binding)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProofRules {
    /// `proofs.dpop`.
    pub dpop: Option<DpopRules>,
    /// `proofs.mtls`.
    pub mtls: Option<MtlsRules>,
    /// `proofs.forward`.
    pub forwarding: ProofForwarding,
}

impl ProofRules {
    /// Whether DPoP is checked.
    #[must_use]
    pub const fn has_dpop(&self) -> bool {
        self.dpop.is_some()
    }
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
