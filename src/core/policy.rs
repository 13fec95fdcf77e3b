//! The compiled configuration: the rules of every room, data only.

use crate::core::answer::AnswerRules;
use crate::core::answer::forward::ForwardRules;
use crate::core::bypass::BypassRules;
use crate::core::claims::ClaimRules;
use crate::core::jwk::lookup::KeySource;
use crate::core::signature::alg::Alg;
use crate::core::token::source::TokenSources;

/// All that one middleware demands and answers.
#[derive(Debug)]
pub struct Policy {
    /// When no token is asked for.
    pub bypass: BypassRules,
    /// Where the token is.
    pub token: TokenSources,
    /// Whose tokens are accepted, and how each is checked; never empty.
    pub issuers: Vec<TrustedIssuer>,
    /// What the upstream gets.
    pub forward: ForwardRules,
    /// How refusals are answered.
    pub answer: AnswerRules,
}

/// One party whose tokens are accepted. Its keys serve no other.
#[derive(Debug)]
pub struct TrustedIssuer {
    /// Accepted values of `iss`, byte for byte (RFC 8725 3.8); empty accepts any `iss`, also none.
    pub names: Vec<String>,
    /// Where its keys come from.
    pub keys: Vec<KeySource>,
    /// Accepted algorithms (RFC 8725 3.1).
    pub algorithms: Vec<Alg>,
    /// What its tokens have to claim.
    pub claims: ClaimRules,
}

/// Position of a [`TrustedIssuer`] in its [`Policy`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssuerId(pub usize);

impl Policy {
    /// The entry for `iss`: the one that names it, else the one that accepts any.
    #[must_use]
    pub fn issuer(&self, iss: Option<&str>) -> Option<(IssuerId, &TrustedIssuer)> {
        let entries = || self.issuers.iter().enumerate().map(|(at, issuer)| (IssuerId(at), issuer));
        entries()
            .find(|(_, issuer)| issuer.names.iter().any(|name| Some(name.as_str()) == iss))
            .or_else(|| entries().find(|(_, issuer)| issuer.names.is_empty()))
    }
}
