//! Step 9: the rules about a token, and the checks that hold it to them.

pub mod checks;
pub mod registered;
pub mod client;
pub mod binding;
pub mod validity;
pub mod tenant;
pub mod spiffe;
pub mod scope;
pub mod step_up;
pub mod expression;

use crate::core::claims::binding::BindingRules;
use crate::core::claims::expression::Expression;
use crate::core::claims::registered::TokenType;
use crate::core::claims::scope::ScopeRules;
use crate::core::claims::spiffe::TrustDomain;
use crate::core::claims::step_up::StepUp;
use crate::core::claims::tenant::IssuerTemplate;
use crate::core::claims::validity::TimeRules;
use crate::core::signature::VerifiedToken;
use crate::core::token::claims_set::ClaimsSet;

/// What a token's claims have to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClaimRules {
    /// Accepted audiences, any of; empty asks for none (`audience`).
    pub audience: Vec<String>,
    /// Accepted clients, any of; empty asks for none (`clients`).
    pub clients: Vec<String>,
    /// Claims that have to be present (`requiredClaims`).
    pub required: Vec<String>,
    /// What the token has to be (`tokenType`).
    pub token_type: TokenType,
    /// When the token has to be valid, and for how long.
    pub time: TimeRules,
    /// Scopes that the token has to hold (`scopes`).
    pub scopes: Option<ScopeRules>,
    /// Names of issuers with many tenants, whose tokens say twice which tenant they are of.
    pub templates: Vec<IssuerTemplate>,
    /// The trust domain that the subjects have to be in (`format: spiffe`).
    pub trust_domain: Option<TrustDomain>,
    /// What tokens have to be bound to, and what becomes of other bindings (`proofs`, `boundTokens`).
    pub binding: BindingRules,
    /// What else has to hold (`claims`).
    pub expression: Option<Expression>,
    /// How, and how long ago, the user has to have signed in (`stepUp`).
    pub step_up: Option<StepUp>,
}

/// A token whose signature holds, and every check of the token. Identity headers are made from nothing else.
#[derive(Clone, Copy, Debug)]
pub struct AcceptedToken<'t> {
    claims: &'t ClaimsSet,
}

impl<'t> AcceptedToken<'t> {
    /// Only [`checks::accept`] makes one.
    const fn new(token: &'t VerifiedToken) -> Self {
        Self { claims: token.claims() }
    }

    /// A token that nobody checked, for the tests of other rooms.
    #[cfg(test)]
    pub(crate) const fn unchecked(token: &'t VerifiedToken) -> Self {
        Self::new(token)
    }

    /// The claims.
    pub const fn claims(self) -> &'t ClaimsSet {
        self.claims
    }
}
