//! The one table from a refusal to its answer.

use crate::core::answer::verdict::Label;
use crate::core::answer::{AnswerRules, Beside, Details, body, challenge};
use crate::core::proof::dpop::NONCE_HEADER;
use crate::core::proof::fault::{INVALID_DPOP_PROOF, USE_DPOP_NONCE};
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::request::forwarded::AnswerAs;

/// An answer to give instead of the upstream's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// HTTP status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// Body; empty for HEAD.
    pub body: Vec<u8>,
    /// The reason, for the log.
    pub refusal: Refusal,
    /// What became of the request; filled in by `decide`.
    pub label: Label,
}

struct Class {
    status: u16,
    title: &'static str,
    challenge: Challenge,
    grpc: GrpcStatus,
}

/// The challenge that an answer carries.
enum Challenge {
    /// None.
    No,
    /// Without an error code, because no credentials were sent (RFC 6750 3.1).
    Plain,
    /// With this `error`.
    Error(&'static str),
}

/// Status codes of gRPC.
#[derive(Clone, Copy)]
enum GrpcStatus {
    PermissionDenied,
    Unavailable,
    Unauthenticated,
}

impl GrpcStatus {
    const fn code(self) -> &'static str {
        match self {
            Self::PermissionDenied => "7",
            Self::Unavailable => "14",
            Self::Unauthenticated => "16",
        }
    }

    /// The HTTP status that clients of gRPC map to this one if they get no other.
    const fn http_status(self) -> u16 {
        match self {
            Self::PermissionDenied => 403,
            Self::Unavailable => 503,
            Self::Unauthenticated => 401,
        }
    }
}

const fn class(refusal: &Refusal, unavailable_status: u16) -> Class {
    let grpc = GrpcStatus::Unauthenticated;
    match refusal {
        Refusal::TokenMissing => {
            Class { status: 401, title: "No token provided", challenge: Challenge::Plain, grpc }
        }
        Refusal::TokenRepeated
        | Refusal::CredentialsMalformed
        | Refusal::SchemeUnexpected
        | Refusal::CookieMalformed
        | Refusal::McpHeaderInvalid { .. }
        | Refusal::TargetMalformed
        | Refusal::ChangeNotPossible => Class {
            status: 400,
            title: "Invalid request",
            challenge: Challenge::Error("invalid_request"),
            grpc,
        },
        // Nothing that the client can do about it: another proxy has to ask, or to ask otherwise.
        Refusal::ForwardedRequestInvalid { .. } => {
            Class { status: 400, title: "Invalid request", challenge: Challenge::No, grpc }
        }
        Refusal::PeerNotTrusted => Class {
            status: 403,
            title: "Forbidden",
            challenge: Challenge::No,
            grpc: GrpcStatus::PermissionDenied,
        },
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
        | Refusal::AudienceNotAccepted { .. }
        | Refusal::ClientNotAccepted
        | Refusal::TokenTypeNotAccepted { .. }
        | Refusal::TokenLifetimeTooLong { .. }
        | Refusal::TokenTooOld { .. }
        | Refusal::TokenRevoked => {
            Class { status: 401, title: "Invalid token", challenge: Challenge::Error("invalid_token"), grpc }
        }
        Refusal::ProofMissing { missing } => {
            Class { status: 401, title: "Invalid token", challenge: Challenge::Error(missing.error()), grpc }
        }
        Refusal::ProofInvalid { fault } => {
            Class { status: 401, title: "Invalid proof", challenge: Challenge::Error(fault.error()), grpc }
        }
        Refusal::ProofReplayed => Class {
            status: 401,
            title: "Invalid proof",
            challenge: Challenge::Error(INVALID_DPOP_PROOF),
            grpc,
        },
        Refusal::ProofNonce { .. } => {
            Class { status: 401, title: "Nonce required", challenge: Challenge::Error(USE_DPOP_NONCE), grpc }
        }
        Refusal::IssuerNotTrusted { .. } => {
            Class { status: 401, title: "Invalid issuer", challenge: Challenge::Error("invalid_token"), grpc }
        }
        Refusal::ScopeInsufficient => Class {
            status: 403,
            title: "Insufficient scope",
            challenge: Challenge::Error("insufficient_scope"),
            grpc: GrpcStatus::PermissionDenied,
        },
        Refusal::ClaimsRejected => Class {
            status: 403,
            title: "Forbidden",
            challenge: Challenge::Error("insufficient_scope"),
            grpc: GrpcStatus::PermissionDenied,
        },
        // Another token would change nothing.
        Refusal::RuleMissing | Refusal::OriginNotAllowed => Class {
            status: 403,
            title: "Forbidden",
            challenge: Challenge::No,
            grpc: GrpcStatus::PermissionDenied,
        },
        Refusal::StepUpRequired { .. } => Class {
            status: 401,
            title: "Sign-in required",
            challenge: Challenge::Error("insufficient_user_authentication"),
            grpc,
        },
        Refusal::ReplayUnavailable => unavailable("Replay memory unavailable", unavailable_status),
        Refusal::RevocationUnavailable => unavailable("Revocation unavailable", unavailable_status),
        Refusal::KeysUnavailable { .. } => Class {
            status: unavailable_status,
            title: "Keys unavailable",
            challenge: Challenge::No,
            grpc: GrpcStatus::Unavailable,
        },
    }
}

const fn unavailable(title: &'static str, status: u16) -> Class {
    Class { status, title, challenge: Challenge::No, grpc: GrpcStatus::Unavailable }
}

/// Answers `refusal`. `scopes` are those that a token for the request has to hold, separated by spaces.
#[must_use]
pub fn reject(rules: &AnswerRules, refusal: Refusal, scopes: &str, request: &dyn RequestView) -> Reject {
    let class = class(&refusal, rules.unavailable_status);
    let mut headers: Vec<(String, String)> = Vec::with_capacity(6);
    let mut header = |name: &str, value: String| headers.push((name.to_owned(), value));
    if let Some(challenge) = challenge(rules, &class, &refusal, scopes, request) {
        header("WWW-Authenticate", challenge);
    }
    if let Refusal::KeysUnavailable { retry_after } = &refusal {
        header("Retry-After", retry_after.0.max(1).to_string());
    }
    if let Refusal::ProofNonce { nonce } = &refusal {
        header(NONCE_HEADER, nonce.clone());
    }
    if !rules.code_header.is_empty() {
        header(&rules.code_header, refusal.code().to_owned());
    }
    header("Cache-Control", "no-store".to_owned());
    for (name, value) in rules.cors.headers(request, &rules.exposed()) {
        header(name, value);
    }
    if is_grpc(request) {
        return grpc(rules, &class, refusal, headers);
    }
    if let Some(location) = redirect(rules, &class, &refusal, request) {
        header("Location", location);
        return Reject { status: 302, headers, body: Vec::new(), refusal, label: Label::default() };
    }
    let (content_type, mut body) =
        body::render(&rules.format, rules.details, class.status, class.title, &refusal);
    if !content_type.is_empty() {
        header("Content-Type", content_type);
    }
    if request.method() == "HEAD" {
        body.clear();
    }
    Reject { status: class.status, headers, body, refusal, label: Label::default() }
}

/// The challenge of each scheme that is accepted, in one line: parameters about this refusal stand with the scheme that the
/// client has used (RFC 9449 7.1 and 7.2).
fn challenge(
    rules: &AnswerRules,
    class: &Class,
    refusal: &Refusal,
    scopes: &str,
    request: &dyn RequestView,
) -> Option<String> {
    let error = match &class.challenge {
        Challenge::No => return None,
        Challenge::Plain => "",
        Challenge::Error(error) => error,
    };
    let description = match rules.details {
        Details::Show if !error.is_empty() => refusal.description(),
        Details::Show | Details::Hide => String::new(),
    };
    let (mut acr_values, mut max_age) = ("", String::new());
    if let Refusal::StepUpRequired { acr_values: values, max_age: age } = refusal {
        acr_values = values;
        max_age = age.map(|age| age.0.to_string()).unwrap_or_default();
    }
    let asks_for_a_token = class.status == 401 && !matches!(refusal, Refusal::StepUpRequired { .. });
    let scope = if asks_for_a_token || *refusal == Refusal::ScopeInsufficient { scopes } else { "" };
    let metadata = rules.resource_metadata.as_ref().map_or("", |metadata| metadata.url());
    let parameters = |algs| {
        let about: [(&str, &str); 8] = [
            ("realm", &rules.realm),
            ("error", error),
            ("error_description", &description),
            ("scope", scope),
            ("acr_values", acr_values),
            ("max_age", &max_age),
            ("resource_metadata", metadata),
            ("algs", algs),
        ];
        about
    };
    let Some(dpop) = &rules.dpop else {
        return Some(challenge::challenge(&rules.challenge_scheme, &parameters("")));
    };
    let plain = |algs| [("realm", rules.realm.as_str()), ("resource_metadata", metadata), ("algs", algs)];
    let own = challenge::challenge("DPoP", &parameters(&dpop.algorithms));
    Some(match dpop.beside {
        Beside::Nothing => own,
        Beside::Bearer
            if matches!(error, INVALID_DPOP_PROOF | USE_DPOP_NONCE) || came_under_dpop(request) =>
        {
            [challenge::challenge(&rules.challenge_scheme, &plain("")), own].join(", ")
        }
        Beside::Bearer => [
            challenge::challenge(&rules.challenge_scheme, &parameters("")),
            challenge::challenge("DPoP", &plain(&dpop.algorithms)),
        ]
        .join(", "),
    })
}

fn came_under_dpop(request: &dyn RequestView) -> bool {
    let is_dpop = |value: &Vec<u8>| value.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"DPoP "));
    request.header_values("Authorization").iter().any(is_dpop)
}

/// A browser can sign in again; it cannot fix a request or wait for keys.
fn redirect(
    rules: &AnswerRules,
    class: &Class,
    refusal: &Refusal,
    request: &dyn RequestView,
) -> Option<String> {
    let redirect = match (refusal, class.status) {
        // Whatever its status is. An issuer that does not know of the other sign-in would send the browser back at once.
        (Refusal::KeysUnavailable { .. } | Refusal::PeerNotTrusted | Refusal::StepUpRequired { .. }, _) => {
            None
        }
        // Signing in sets the cookie anew.
        (Refusal::CookieMalformed, _) | (_, 401) => rules.redirect.as_ref(),
        (_, 403) => rules.forbidden_redirect.as_ref(),
        _ => None,
    };
    redirect?.location(request)
}

fn is_grpc(request: &dyn RequestView) -> bool {
    // gRPC is only ever POST: no other request pays for the header.
    request.method() == "POST"
        && request.header_values("Content-Type").first().is_some_and(|value| {
            let rest = value.strip_prefix(b"application/grpc");
            rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
        })
}

/// Trailers-only: HTTP 200, the outcome in headers, no body. To a proxy that asks, 200 would mean that the request may pass:
/// it gets the status that clients of gRPC read as the same outcome.
fn grpc(rules: &AnswerRules, class: &Class, refusal: Refusal, mut headers: Vec<(String, String)>) -> Reject {
    let message = match rules.details {
        Details::Show => format!("{}: {}", class.title, refusal.description()),
        Details::Hide => class.title.to_owned(),
    };
    headers.push(("Content-Type".into(), "application/grpc".into()));
    headers.push(("Grpc-Status".into(), class.grpc.code().into()));
    // Percent-encoding leaves printable ASCII other than the percent sign as it is.
    headers.push(("Grpc-Message".into(), message.replace('%', "%25")));
    let status = match rules.asking.answer_as {
        AnswerAs::Middleware => 200,
        AnswerAs::ForwardAuth => class.grpc.http_status(),
    };
    Reject { status, headers, body: Vec::new(), refusal, label: Label::default() }
}

#[cfg(test)]
mod tests {
    use super::Reject;
    use crate::core::answer::browser::Redirect;
    use crate::core::answer::resource_metadata::{Members, ResourceMetadata};
    use crate::core::answer::{AnswerRules, Details};
    use crate::core::refusal::{AskedBy, Refusal};
    use crate::core::request::RecordedRequest;
    use crate::core::unix_time::Seconds;

    fn reject(rules: &AnswerRules, refusal: Refusal, request: &RecordedRequest) -> Reject {
        super::reject(rules, refusal, "read write", request)
    }

    fn header<'a>(answer: &'a Reject, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn the_table_of_answers() {
        let kid = None;
        for (refusal, status, body, challenge) in [
            (
                Refusal::TokenMissing,
                401,
                r#"{"error": "No token provided"}"#,
                Some(r#"Bearer scope="read write""#),
            ),
            (
                Refusal::TokenRepeated,
                400,
                r#"{"error": "Invalid request"}"#,
                Some(r#"Bearer error="invalid_request""#),
            ),
            (
                Refusal::SignatureInvalid { kid, untried: 0 },
                401,
                r#"{"error": "Invalid token"}"#,
                Some(r#"Bearer error="invalid_token", scope="read write""#),
            ),
            (
                Refusal::IssuerNotTrusted { issuer: None },
                401,
                r#"{"error": "Invalid issuer"}"#,
                Some(r#"Bearer error="invalid_token", scope="read write""#),
            ),
            (
                Refusal::ScopeInsufficient,
                403,
                r#"{"error": "Insufficient scope"}"#,
                Some(r#"Bearer error="insufficient_scope", scope="read write""#),
            ),
            (
                Refusal::ClaimsRejected,
                403,
                r#"{"error": "Forbidden"}"#,
                Some(r#"Bearer error="insufficient_scope""#),
            ),
            (Refusal::RuleMissing, 403, r#"{"error": "Forbidden"}"#, None),
            (Refusal::OriginNotAllowed, 403, r#"{"error": "Forbidden"}"#, None),
            (
                Refusal::McpHeaderInvalid { header: "Mcp-Name".into(), problem: "is missing" },
                400,
                r#"{"error": "Invalid request"}"#,
                Some(r#"Bearer error="invalid_request""#),
            ),
            (
                Refusal::StepUpRequired { acr_values: "phr 2".into(), max_age: Some(Seconds(300)) },
                401,
                r#"{"error": "Sign-in required"}"#,
                Some(r#"Bearer error="insufficient_user_authentication", acr_values="phr 2", max_age=300"#),
            ),
            (
                Refusal::KeysUnavailable { retry_after: Seconds(7) },
                503,
                r#"{"error": "Keys unavailable"}"#,
                None,
            ),
        ] {
            let answer = reject(&AnswerRules::default(), refusal, &RecordedRequest::new("GET", "/"));
            assert_eq!((answer.status, answer.body.as_slice()), (status, body.as_bytes()));
            assert_eq!(header(&answer, "WWW-Authenticate"), challenge);
            assert_eq!(header(&answer, "Content-Type"), Some("application/json"));
            assert_eq!(header(&answer, "Cache-Control"), Some("no-store"));
            assert_eq!(header(&answer, "Retry-After"), (status == 503).then_some("7"));
        }
    }

    #[test]
    fn head_has_no_body_and_details_say_why() {
        let rules = AnswerRules {
            details: Details::Show,
            realm: "api".into(),
            code_header: "X-Code".into(),
            resource_metadata: ResourceMetadata::new("https://api.example/", &Members::default()),
            ..AnswerRules::default()
        };
        let answer = reject(
            &rules,
            Refusal::AudienceNotAccepted { asked_by: AskedBy::Issuer },
            &RecordedRequest::new("HEAD", "/"),
        );
        assert!(answer.body.is_empty());
        assert_eq!(header(&answer, "X-Code"), Some("audience_not_accepted"));
        assert_eq!(
            header(&answer, "WWW-Authenticate"),
            Some(concat!(
                r#"Bearer realm="api", error="invalid_token", "#,
                r#"error_description="the token is meant for another audience", scope="read write", "#,
                r#"resource_metadata="https://api.example/.well-known/oauth-protected-resource""#
            ))
        );
    }

    #[test]
    fn grpc_is_answered_in_headers_alone() {
        let request = RecordedRequest::new("POST", "/pkg.Service/Call");
        for (content_type, refusal, status) in [
            ("application/grpc", Refusal::TokenMissing, Some("16")),
            (
                "application/grpc+proto",
                Refusal::AudienceNotAccepted { asked_by: AskedBy::Issuer },
                Some("16"),
            ),
            ("application/grpc", Refusal::KeysUnavailable { retry_after: Seconds(1) }, Some("14")),
            ("application/grpc-web", Refusal::TokenMissing, None),
            ("application/json", Refusal::TokenMissing, None),
        ] {
            let request = request.clone().header("Content-Type", content_type);
            let answer = reject(&AnswerRules::default(), refusal, &request);
            assert_eq!(header(&answer, "Grpc-Status"), status, "{content_type}");
            assert_eq!(answer.status == 200 && answer.body.is_empty(), status.is_some());
        }
    }

    #[test]
    fn browsers_are_sent_to_sign_in_for_401_only() {
        let rules = AnswerRules {
            redirect: Some(Redirect {
                template: "https://login.example/?next={url}".into(),
                token_parameters: vec![],
            }),
            ..AnswerRules::default()
        };
        let request = RecordedRequest::new("GET", "/a").header("Sec-Fetch-Mode", "navigate");
        let answer = reject(&rules, Refusal::TokenMissing, &request);
        assert_eq!(
            (answer.status, header(&answer, "Location")),
            (302, Some("https://login.example/?next=%2Fa"))
        );
        assert_eq!(reject(&rules, Refusal::TokenRepeated, &request).status, 400);
        assert_eq!(reject(&rules, Refusal::CookieMalformed, &request).status, 302);
        assert_eq!(reject(&AnswerRules::default(), Refusal::CookieMalformed, &request).status, 400);
        assert_eq!(reject(&rules, Refusal::TokenMissing, &RecordedRequest::new("GET", "/a")).status, 401);
        let unavailable = Refusal::KeysUnavailable { retry_after: Seconds(1) };
        let rules = AnswerRules { unavailable_status: 401, ..rules };
        assert_eq!(reject(&rules, unavailable, &request).status, 401);
        assert_eq!(reject(&rules, Refusal::ClaimsRejected, &request).status, 403);
        let page = Redirect { template: "https://www.example/denied".into(), token_parameters: vec![] };
        let rules = AnswerRules { forbidden_redirect: Some(page), ..rules };
        let answer = reject(&rules, Refusal::ClaimsRejected, &request);
        assert_eq!((answer.status, header(&answer, "Location")), (302, Some("https://www.example/denied")));
        let script = RecordedRequest::new("GET", "/a").header("Sec-Fetch-Mode", "cors");
        assert_eq!(reject(&rules, Refusal::ClaimsRejected, &script).status, 403);
    }
}
