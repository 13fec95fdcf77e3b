//! The one table from a refusal to its answer.

use crate::core::answer::{AnswerRules, Details, body, challenge};
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;

/// An answer to give instead of the upstream's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// HTTP status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for HEAD.
    pub body: Vec<u8>,
    /// The reason, for the log.
    pub refusal: Refusal,
}

struct Class {
    status: u16,
    title: &'static str,
    /// The `error` of the challenge; `None` is no challenge at all.
    error: Option<&'static str>,
}

const fn class(refusal: &Refusal, unavailable_status: u16) -> Class {
    match refusal {
        // No error code where no credentials were sent (RFC 6750 3.1).
        Refusal::TokenMissing => Class { status: 401, title: "No token provided", error: Some("") },
        Refusal::TokenRepeated | Refusal::CredentialsMalformed => {
            Class { status: 400, title: "Invalid request", error: Some("invalid_request") }
        }
        Refusal::TokenTooLarge { .. }
        | Refusal::TokenMalformed { .. }
        | Refusal::TokenEncrypted
        | Refusal::CritNotSupported
        | Refusal::AlgNotAllowed { .. }
        | Refusal::KeyNotFound { .. }
        | Refusal::SignatureInvalid { .. }
        | Refusal::TokenExpired { .. }
        | Refusal::TokenNotYetValid { .. }
        | Refusal::ClaimMissing { .. }
        | Refusal::ClaimInvalid { .. }
        | Refusal::AudienceNotAccepted => {
            Class { status: 401, title: "Invalid token", error: Some("invalid_token") }
        }
        Refusal::IssuerNotTrusted { .. } => {
            Class { status: 401, title: "Invalid issuer", error: Some("invalid_token") }
        }
        Refusal::ClaimsRejected => {
            Class { status: 403, title: "Forbidden", error: Some("insufficient_scope") }
        }
        Refusal::KeysUnavailable { .. } => {
            Class { status: unavailable_status, title: "Keys unavailable", error: None }
        }
    }
}

/// Answers `refusal`.
#[must_use]
pub fn reject(rules: &AnswerRules, refusal: Refusal, request: &dyn RequestView) -> Reject {
    let Class { status, title, error } = class(&refusal, rules.unavailable_status);
    let (content_type, mut body) = body::render(rules.format, rules.details, title, &refusal);
    let mut headers = Vec::new();
    if let Some(error) = error {
        let description = match rules.details {
            Details::Show if !error.is_empty() => refusal.description(),
            Details::Show | Details::Hide => String::new(),
        };
        headers.push(("WWW-Authenticate", challenge::bearer(&rules.realm, error, &description)));
    }
    if let Refusal::KeysUnavailable { retry_after } = &refusal {
        headers.push(("Retry-After", retry_after.0.max(1).to_string()));
    }
    if !content_type.is_empty() {
        headers.push(("Content-Type", content_type.into()));
    }
    headers.push(("Cache-Control", "no-store".into()));
    if request.method() == "HEAD" {
        body.clear();
    }
    Reject { status, headers, body, refusal }
}

#[cfg(test)]
mod tests {
    use super::reject;
    use crate::core::answer::{AnswerRules, BodyFormat, Details};
    use crate::core::refusal::Refusal;
    use crate::core::request::RecordedRequest;
    use crate::core::unix_time::Seconds;

    const RULES: AnswerRules = AnswerRules {
        format: BodyFormat::Json,
        realm: String::new(),
        details: Details::Hide,
        unavailable_status: 503,
    };

    #[test]
    fn the_table_of_answers() {
        let kid = None;
        for (refusal, status, body, challenge) in [
            (Refusal::TokenMissing, 401, r#"{"error": "No token provided"}"#, Some("Bearer")),
            (
                Refusal::TokenRepeated,
                400,
                r#"{"error": "Invalid request"}"#,
                Some(r#"Bearer error="invalid_request""#),
            ),
            (
                Refusal::SignatureInvalid { kid },
                401,
                r#"{"error": "Invalid token"}"#,
                Some(r#"Bearer error="invalid_token""#),
            ),
            (
                Refusal::IssuerNotTrusted { issuer: None },
                401,
                r#"{"error": "Invalid issuer"}"#,
                Some(r#"Bearer error="invalid_token""#),
            ),
            (
                Refusal::ClaimsRejected,
                403,
                r#"{"error": "Forbidden"}"#,
                Some(r#"Bearer error="insufficient_scope""#),
            ),
            (
                Refusal::KeysUnavailable { retry_after: Seconds(7) },
                503,
                r#"{"error": "Keys unavailable"}"#,
                None,
            ),
        ] {
            let answer = reject(&RULES, refusal, &RecordedRequest::new("GET", "/"));
            let header = |name| {
                answer.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
            };
            assert_eq!((answer.status, answer.body.as_slice()), (status, body.as_bytes()));
            assert_eq!(header("WWW-Authenticate"), challenge);
            assert_eq!(header("Content-Type"), Some("application/json"));
            assert_eq!(header("Cache-Control"), Some("no-store"));
            assert_eq!(header("Retry-After"), (status == 503).then_some("7"));
        }
    }

    #[test]
    fn head_has_no_body_and_details_say_why() {
        let rules = AnswerRules { details: Details::Show, realm: "api".into(), ..RULES };
        let answer = reject(&rules, Refusal::AudienceNotAccepted, &RecordedRequest::new("HEAD", "/"));
        assert!(answer.body.is_empty());
        assert_eq!(
            answer.headers.first().map(|(_, value)| value.as_str()),
            Some(
                r#"Bearer realm="api", error="invalid_token", error_description="the token is meant for another audience""#
            )
        );
    }
}
