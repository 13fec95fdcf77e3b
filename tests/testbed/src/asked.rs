//! The rows of `tests/cases/` as another proxy asks about them (`answerAs: forwardAuth`). What becomes of the request beside
//! managed headers, and of the upstream's answer, is left out of them, since the proxy that asks changes neither.

use serde_json::{Value, json};

use crate::cases::{Case, CaseRequest};

/// The row with the middleware that is asked; none where it cannot hold. `managed` are the names that the proxy takes from
/// the answer.
#[must_use]
pub fn asked(case: &Case, managed: &[String]) -> Option<Case> {
    let mut case = case.clone();
    let expect = &mut case.expect;
    let is_grpc = expect.headers.iter().any(|(name, _)| name == "Grpc-Status");
    // Their own documents are for those who ask for them, and not for whoever asks about a request.
    let is_document = (expect.served && !is_grpc) || expect.status == 204;
    // Nor is it shown whether there is a body.
    let has_body = case.request.headers.iter().any(|(name, _)| {
        ["content-length", "transfer-encoding"].contains(&name.to_ascii_lowercase().as_str())
    });
    // The proxy is told to remove headers in other spellings.
    let is_alias = |name: &str| name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let reads_alias =
        case.request.headers.iter().any(|(name, _)| is_alias(name) && !is_one_of(managed, name));
    let is_asked = !case.config["answerAs"].is_null();
    // The proxy passes the request on, so nothing of it can be rewritten or removed.
    let proofs = &case.config["proofs"];
    let changes = proofs["forward"] == "bearer" || !matches!(proofs["mtls"].as_str(), None | Some("off"));
    if is_asked || changes || !expect.refused.is_empty() || is_document || has_body || reads_alias {
        return None;
    }
    // What becomes of other headers and of the target is not ours to say.
    expect.upstream.retain(|(name, _)| is_one_of(managed, name));
    expect.uri = None;
    if let Some(config) = case.config.as_object_mut() {
        config.remove("forwardAuthorization");
        config.insert("answerAs".into(), json!("forwardAuth"));
    }
    if is_grpc {
        let status = expect.headers.iter().find(|(name, _)| name == "Grpc-Status");
        expect.status = match status.and_then(|(_, value)| value.as_deref()) {
            Some("7") => 403,
            Some("14") => 503,
            _ => 401,
        };
    }
    if let Some(code) = expect.asked.take() {
        (expect.status, expect.code) = (400, Some(code));
        expect.upstream.clear();
        expect.headers.clear();
    }
    if expect.status == 200 {
        expect.headers.clear();
    }
    Some(case)
}

fn is_one_of(names: &[String], name: &str) -> bool {
    let fold = |name: &str| name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    names.iter().any(|known| fold(known) == fold(name))
}

/// The question about `request`, as Traefik's forwardAuth asks it.
#[must_use]
pub fn question(request: &CaseRequest) -> CaseRequest {
    let first = |name: &str| {
        let mut lines = request.headers.iter();
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
    };
    let host = first("X-Forwarded-Host").or_else(|| first("Host")).unwrap_or_else(|| "localhost".into());
    let mut headers: Vec<(String, String)> = vec![
        ("X-Forwarded-Method".into(), request.method.clone()),
        ("X-Forwarded-Proto".into(), first("X-Forwarded-Proto").unwrap_or_else(|| "http".into())),
        ("X-Forwarded-Host".into(), host),
        ("X-Forwarded-Uri".into(), request.path.clone()),
        ("Host".into(), "auth.internal".into()),
    ];
    let own = ["connection", "host", "upgrade", "te", "content-length", "transfer-encoding"];
    let goes_on = |name: &str| {
        let name = name.to_ascii_lowercase();
        !own.contains(&name.as_str()) && !name.starts_with("x-forwarded-")
    };
    headers.extend(request.headers.iter().filter(|(name, _)| goes_on(name)).cloned());
    CaseRequest { method: "GET".into(), path: "/auth".into(), headers }
}

/// Traefik's own middleware that asks at `address`.
#[must_use]
pub fn forward_auth(address: &str, managed: &[String]) -> Value {
    json!({"forwardAuth": {
        "address": address, "authResponseHeaders": managed, "trustForwardHeader": false, "maxResponseBodySize": 65536,
    }})
}
