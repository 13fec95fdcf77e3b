//! Step 10: what is done with the request.

mod decision;
mod rules;
mod served;
pub mod managed;
pub mod verdict;
pub mod forward;
pub mod proven;
pub mod accept;
pub mod field_value;
pub mod challenge;
pub mod body;
pub mod reject;
pub mod browser;
pub mod cors;
pub mod resource_metadata;
pub mod status;

pub use accept::Accept;
pub use decision::{Decision, NeedKeys};
pub use forward::Forward;
pub use reject::Reject;
pub use rules::{AnswerRules, Beside, BodyFormat, Details, DpopChallenge};
pub use served::Served;
