//! A verified token that is cached, with the identity that follows from it.

use std::rc::Rc;

use crate::core::answer::forward::Identity;
use crate::core::claims::checks;
use crate::core::claims::validity::Timely;
use crate::core::derived::Derived;
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::KeyState;
use crate::core::lookups::{Lookups, Unknown};
use crate::core::presented::{Presented, Sent};
use crate::core::refusal::Refusal;
use crate::core::signature::VerifiedToken;
use crate::core::steps::Steps;

/// What one instance remembers of a token under its one policy.
#[derive(Debug)]
pub struct KnownToken {
    token: VerifiedToken,
    derived: Derived,
    /// `None` if a check of the token fails: then the checks are run again, for the same refusal.
    standing: Option<Standing>,
}

/// The identity of a token that passes every check of the token. A request gets it if it passes the checks of requests.
#[derive(Debug)]
struct Standing {
    time: Timely,
    identity: Rc<Identity>,
}

impl KnownToken {
    /// The token and, if it may send this request, who does. `time` is what the check of its time gave.
    pub fn new<S: Steps>(
        token: VerifiedToken,
        time: Timely,
        sent: &Sent<'_>,
        steps: &mut S,
    ) -> (Self, Result<Rc<Identity>, Refusal>) {
        let standing = Standing::new(&token, time, sent, steps);
        let derived = Derived::default();
        let identity = standing.as_ref().map_err(Refusal::clone);
        let presented = Presented { derived: Some(&derived), ..sent.with(&token) };
        let identity = identity.and_then(|standing| standing.identity(&presented, steps));
        (Self { token, derived, standing: standing.ok() }, identity)
    }

    /// Who sends the request that presents the token again.
    ///
    /// # Errors
    /// The refusal of the first check that fails.
    pub fn identity<S: Steps>(&self, sent: &Sent<'_>, steps: &mut S) -> Result<Rc<Identity>, Refusal> {
        let presented = Presented { derived: Some(&self.derived), ..sent.with(&self.token) };
        match &self.standing {
            Some(standing) => standing.identity(&presented, steps),
            None => {
                let time = checks::time(&presented, steps)?;
                Standing::new(&self.token, time, sent, steps)?.identity(&presented, steps)
            }
        }
    }

    /// Bytes held, for callers that bound what they keep.
    pub fn memory(&self) -> usize {
        let identity = self.standing.as_ref().map_or(0, |standing| standing.identity.memory());
        let own = size_of::<Self>().saturating_add(self.token.memory());
        own.saturating_add(self.derived.memory()).saturating_add(identity)
    }

    /// A token without standing, for the tests of other rooms.
    #[cfg(test)]
    pub(crate) fn unchecked(token: VerifiedToken) -> Self {
        Self { token, derived: Derived::default(), standing: None }
    }
}

impl Standing {
    fn new<S: Steps>(
        token: &VerifiedToken,
        time: Timely,
        sent: &Sent<'_>,
        steps: &mut S,
    ) -> Result<Self, Refusal> {
        let accepted = checks::accept(token, sent, steps)?;
        let identity = Identity::new(&sent.policy.forward, sent.issuer_id, accepted);
        Ok(Self { time, identity: Rc::new(identity) })
    }

    /// The identity, if the token is still valid at this time and this request passes every check.
    fn identity<S: Steps>(&self, presented: &Presented<'_>, steps: &mut S) -> Result<Rc<Identity>, Refusal> {
        if !self.time.holds_at(presented.sent.now) {
            checks::time(presented, steps)?;
        }
        checks::request(presented, steps)?;
        Ok(Rc::clone(&self.identity))
    }
}

/// What was found out about the signature of a token.
#[derive(Clone, Debug)]
pub enum Finding {
    /// A key verifies it.
    Verified(Rc<KnownToken>),
    /// No key verifies it.
    Invalid {
        /// The `kid` of the token.
        kid: Option<String>,
        /// Candidate keys that were not tried.
        untried: usize,
    },
}

/// What an earlier request found out about a token, with keys that are still the current ones.
#[derive(Clone, Debug)]
pub struct Recalled {
    /// Whose keys they are.
    pub issuer: IssuerId,
    /// What was found out.
    pub finding: Finding,
}

/// What a decision found out about a token, for later ones.
#[derive(Debug)]
pub struct Learned {
    /// The token, as it was found.
    pub token: Box<[u8]>,
    /// Whose keys were tried.
    pub issuer: IssuerId,
    /// In which state those were.
    pub keys: KeyState,
    /// What was found out.
    pub finding: Finding,
}

/// What one instance remembers of tokens.
pub trait Memory {
    /// What is known of `token`, compared as a whole.
    fn recall(&self, token: &[u8]) -> Option<Recalled>;

    /// What else can be looked up.
    fn lookups(&self) -> &dyn Lookups {
        &Unknown
    }
}
