//! Step 10: what is done with the request.

pub mod forward;
pub mod challenge;
pub mod body;
pub mod reject;

pub use forward::Forward;
pub use reject::Reject;

use crate::core::policy::IssuerId;

/// The outcome for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Pass the request on, changed as said.
    Forward(Forward),
    /// Answer it here.
    Reject(Reject),
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

/// How refusals are answered (`errors`, `unavailableStatus`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRules {
    /// `errors.format`.
    pub format: BodyFormat,
    /// `errors.realm`; empty for none.
    pub realm: String,
    /// `errors.details`: code and description in the answer.
    pub details: Details,
    /// `unavailableStatus`: the status when keys cannot be had.
    pub unavailable_status: u16,
}

/// Body of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// `{"error": "…"}`
    Json,
    /// The sentence alone.
    Text,
    /// No body.
    Empty,
}

/// Whether answers say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Details {
    /// Only the class of the refusal.
    Hide,
    /// Also its code and description.
    Show,
}
