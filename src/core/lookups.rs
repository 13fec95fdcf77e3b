//! What the checks of a request look up outside of the core.

use std::rc::Rc;

use crate::core::proof::dpop::KeptKeys;
use crate::core::proof::nonce::{NonceSecret, NonceSecrets};
use crate::core::proof::replay::{ReplayMemory, Use, UsedProof};
use crate::core::revocation::Revocations;
use crate::core::revocation::list::RevocationList;
use crate::core::revocation::marker::{Found, Markers};
use crate::core::signature::VerifyingKey;

/// All of it.
pub trait Lookups: KeptKeys + ReplayMemory + NonceSecrets + Markers + Revocations {}

impl<T: KeptKeys + ReplayMemory + NonceSecrets + Markers + Revocations> Lookups for T {}

/// Looks up nothing: every request that needs an answer is refused.
#[derive(Clone, Copy, Debug)]
pub struct Unknown;

impl KeptKeys for Unknown {
    fn kept(&self, _: &str) -> Option<Rc<VerifyingKey>> {
        None
    }

    fn keep(&self, _: &str, _: &Rc<VerifyingKey>) {}
}

impl ReplayMemory for Unknown {
    fn first_use(&self, _: &UsedProof<'_>) -> Use {
        Use::Unknown
    }
}

impl NonceSecrets for Unknown {
    fn nonce_secret(&self) -> Option<Rc<NonceSecret>> {
        None
    }
}

impl Markers for Unknown {
    fn find(&self, _: &str) -> Found {
        Found::Unknown
    }
}

impl Revocations for Unknown {
    fn list(&self) -> Option<Rc<RevocationList>> {
        None
    }
}
