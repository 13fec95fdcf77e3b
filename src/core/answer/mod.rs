//! Step 10: what is done with the request.

pub mod forward;
pub mod field_value;
pub mod challenge;
pub mod body;
pub mod reject;
pub mod browser;
pub mod cors;
pub mod resource_metadata;
pub mod status;

pub use forward::Forward;
pub use reject::Reject;

use crate::core::answer::resource_metadata::ResourceMetadata;
use crate::core::answer::status::StatusRules;
use crate::core::policy::IssuerId;
use crate::core::refusal_log::LogRules;

/// The outcome for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Pass the request on, changed as said.
    Forward(Forward),
    /// Refuse it.
    Reject(Reject),
    /// Answer it with a document of our own; no token is needed for it.
    Serve(Served),
    /// Keys may be had by asking; decide again afterwards.
    NeedKeys(NeedKeys),
}

/// A document that the middleware serves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// HTTP status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for HEAD.
    pub body: Vec<u8>,
}

/// Whose keys a decision lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NeedKeys {
    /// The issuer.
    pub issuer: IssuerId,
    /// The `kid` of the token.
    pub kid: Option<String>,
}

/// How refusals are answered and logged (`errors`, `unavailableStatus`, `resourceMetadata`, `log`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRules {
    /// `errors.format`, or `errors.body`.
    pub format: BodyFormat,
    /// `errors.realm`; empty for none.
    pub realm: String,
    /// `errors.details`: code and description in the answer.
    pub details: Details,
    /// `errors.codeHeader`: response header with the code; empty for none.
    pub code_header: String,
    /// `errors.redirectUrl`: where browsers are sent to sign in.
    pub redirect: Option<browser::Redirect>,
    /// `errors.cors`: origins whose pages may read refusals.
    pub cors: cors::Origins,
    /// `unavailableStatus`: the status when keys cannot be had.
    pub unavailable_status: u16,
    /// `resourceMetadata`.
    pub resource_metadata: Option<ResourceMetadata>,
    /// `status`: the state of the key sets, for operators.
    pub status: Option<StatusRules>,
    /// `log`: what the log says of a refusal.
    pub log: LogRules,
}

/// Body of a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// `{"error": "…"}`
    Json,
    /// Problem Details (RFC 9457).
    Problem,
    /// The sentence alone.
    Text,
    /// No body.
    Empty,
    /// A text of the configuration with `{code}`, `{description}`, `{status}` and `{title}` filled in.
    Custom {
        /// `errors.contentType`.
        content_type: String,
        /// `errors.body`.
        template: String,
    },
}

/// Whether answers say why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Details {
    /// Only the class of the refusal.
    Hide,
    /// Also its code and description.
    Show,
}

impl Default for AnswerRules {
    fn default() -> Self {
        Self {
            format: BodyFormat::Json,
            realm: String::new(),
            details: Details::Hide,
            code_header: String::new(),
            redirect: None,
            cors: cors::Origins::default(),
            unavailable_status: 503,
            resource_metadata: None,
            status: None,
            log: LogRules::default(),
        }
    }
}
