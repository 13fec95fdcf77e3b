//! What is done with a request.

use crate::core::answer::accept::Accept;
use crate::core::answer::forward::Forward;
use crate::core::answer::reject::Reject;
use crate::core::answer::served::Served;
use crate::core::issuer_id::IssuerId;

/// The outcome for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Pass the request on, changed as said.
    Forward(Forward),
    /// Tell the proxy that asks that it may pass the request on (`answerAs: forwardAuth`).
    Accept(Accept),
    /// Refuse it.
    Reject(Reject),
    /// Answer it with a document of our own; no token is needed for it.
    Serve(Served),
    /// Keys may be had by asking; decide again afterwards.
    NeedKeys(NeedKeys),
}

/// Whose keys a decision lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedKeys {
    /// The issuer.
    pub issuer: IssuerId,
    /// The `kid` of the token.
    pub kid: Option<String>,
}
