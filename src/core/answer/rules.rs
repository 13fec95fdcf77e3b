//! How refusals are answered.

use crate::core::answer::browser::Redirect;
use crate::core::answer::cors::Origins;
use crate::core::answer::resource_metadata::ResourceMetadata;
use crate::core::answer::status::StatusRules;
use crate::core::proof::dpop::NONCE_HEADER;
use crate::core::refusal_log::LogRules;
use crate::core::request::forwarded::Asking;

/// How refusals are answered and logged (`errors`, `unavailableStatus`, `resourceMetadata`, `log`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerRules {
    /// `answerAs`, `trustedPeers`: to whom.
    pub asking: Asking,
    /// `errors.format`, or `errors.body`.
    pub format: BodyFormat,
    /// The scheme of challenges: that of the first header in which a token is looked for.
    pub challenge_scheme: String,
    /// What challenges say of proofs of possession, if those are checked.
    pub dpop: Option<DpopChallenge>,
    /// `errors.realm`; empty for none.
    pub realm: String,
    /// `errors.details`: code and description in the answer.
    pub details: Details,
    /// `errors.codeHeader`: response header with the code; empty for no header.
    pub code_header: String,
    /// `errors.redirectUrl`: where browsers are sent to sign in.
    pub redirect: Option<Redirect>,
    /// `errors.forbiddenRedirectUrl`: where browsers are sent whose token does not allow what they ask for.
    pub forbidden_redirect: Option<Redirect>,
    /// `errors.cors`: origins whose pages may read refusals.
    pub cors: Origins,
    /// `unavailableStatus`: the status when keys cannot be had.
    pub unavailable_status: u16,
    /// `resourceMetadata`.
    pub resource_metadata: Option<ResourceMetadata>,
    /// `status`: the state of key sets and revocations, for operators.
    pub status: Option<StatusRules>,
    /// `log`: what the log says of a refusal.
    pub log: LogRules,
}

/// The challenge of the scheme `DPoP` (RFC 9449 7.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpopChallenge {
    /// `algs`: the accepted algorithms, with spaces between them.
    pub algorithms: String,
    /// What is accepted beside it.
    pub beside: Beside,
    /// Whether a proof needs a nonce.
    pub has_nonce: bool,
}

/// What is accepted beside the scheme `DPoP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside {
    /// Tokens that are bound to nothing, under the scheme of the other challenge.
    Bearer,
    /// Nothing.
    Nothing,
}

impl AnswerRules {
    /// Headers of refusals that pages of other origins may read, beside those of every refusal.
    #[must_use]
    pub fn exposed(&self) -> [&str; 2] {
        let nonce = self.dpop.as_ref().is_some_and(|dpop| dpop.has_nonce);
        [&self.code_header, if nonce { NONCE_HEADER } else { "" }]
    }
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
            asking: Asking::default(),
            format: BodyFormat::Json,
            challenge_scheme: "Bearer".into(),
            dpop: None,
            realm: String::new(),
            details: Details::Hide,
            code_header: String::new(),
            redirect: None,
            forbidden_redirect: None,
            cors: Origins::default(),
            unavailable_status: 503,
            resource_metadata: None,
            status: None,
            log: LogRules::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AnswerRules, Beside, DpopChallenge};

    #[test]
    fn pages_may_read_what_a_refusal_has_for_them() {
        let challenge =
            |has_nonce| DpopChallenge { algorithms: "ES256".into(), beside: Beside::Bearer, has_nonce };
        for (code_header, dpop, expected) in [
            ("", None, ["", ""]),
            ("X-Code", None, ["X-Code", ""]),
            ("X-Code", Some(challenge(false)), ["X-Code", ""]),
            ("X-Code", Some(challenge(true)), ["X-Code", "DPoP-Nonce"]),
        ] {
            let rules = AnswerRules { code_header: code_header.into(), dpop, ..AnswerRules::default() };
            assert_eq!(rules.exposed(), expected);
        }
    }
}
