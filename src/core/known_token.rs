//! A verified token that is remembered, with what it is worth for as long as only the time passes.

use std::rc::Rc;

use crate::core::answer::forward::Identity;
use crate::core::claims::{ClaimRules, validity};
use crate::core::issuer_id::IssuerId;
use crate::core::signature::VerifiedToken;
use crate::core::unix_time::UnixTime;

/// What one instance remembers of a token under its one policy.
#[derive(Debug)]
pub struct KnownToken {
    /// The token.
    pub token: VerifiedToken,
    /// What it is worth whatever the request is; `None` where its claims have to be checked each time.
    pub standing: Option<Standing>,
}

/// That every rule holds, and the identity that follows.
#[derive(Debug)]
pub struct Standing {
    from: UnixTime,
    until: UnixTime,
    identity: Rc<Identity>,
}

impl Standing {
    /// The standing of a token whose claims held at `now`. `None` where the rules look at more than claims and time.
    #[must_use]
    pub fn new(
        token: &VerifiedToken,
        rules: &ClaimRules,
        now: UnixTime,
        identity: &Rc<Identity>,
    ) -> Option<Self> {
        let settled = rules.expression.as_ref().is_none_or(|expression| expression.looks_at_claims_only());
        let until = validity::end(token.claims(), &rules.time).ok()?;
        settled.then(|| Self { from: now, until, identity: Rc::clone(identity) })
    }

    /// The identity where everything still holds at `now`. Before the first check nothing is said, for clocks that
    /// are set back: what held then may not have held earlier.
    #[must_use]
    pub fn at(&self, now: UnixTime) -> Option<Rc<Identity>> {
        (self.from <= now && now < self.until).then(|| Rc::clone(&self.identity))
    }
}

impl KnownToken {
    /// Bytes held, for callers that bound what they keep.
    #[must_use]
    pub fn memory(&self) -> usize {
        let identity = self.standing.as_ref().map_or(0, |standing| standing.identity.memory());
        size_of::<Self>().saturating_add(self.token.memory()).saturating_add(identity)
    }
}

/// What an earlier request found out about a token's signature, with keys that are still the current ones.
#[derive(Clone, Debug)]
pub enum Recalled {
    /// The signature holds.
    Verified {
        /// Whose keys verified it.
        issuer: IssuerId,
        /// The token; whether its claims hold is still to be checked.
        token: Rc<KnownToken>,
    },
    /// No key verifies it.
    SignatureInvalid {
        /// The `kid` of the token.
        kid: Option<String>,
        /// Candidate keys that were not tried.
        untried: usize,
    },
}

/// What one instance remembers of tokens. What is recalled was found with keys that are still the current ones.
pub trait Memory {
    /// What is known of `token`, compared as a whole.
    fn recall(&self, token: &[u8]) -> Option<Recalled>;

    /// Keeps that the current keys of `issuer` verified the token `bytes`.
    fn remember_verified(&self, bytes: &[u8], issuer: IssuerId, token: &Rc<KnownToken>);

    /// Keeps that none of the current keys of `issuer` verifies the token `bytes`.
    fn remember_invalid(&self, bytes: &[u8], issuer: IssuerId, kid: Option<&str>, untried: usize);
}
