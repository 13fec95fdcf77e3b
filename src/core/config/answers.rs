//! Options that say how refusals are answered.

use crate::core::answer::browser::Redirect;
use crate::core::answer::cors::Origins;
use crate::core::answer::forward::ForwardRules;
use crate::core::answer::resource_metadata::{Members, ResourceMetadata};
use crate::core::answer::{AnswerRules, BodyFormat, Details};
use crate::core::config::accepted::{OFFLINE, OFFLINE_IS_FOR_CLIENTS};
use crate::core::config::error::Errors;
use crate::core::config::options::Row;
use crate::core::config::options::answers::*;
use crate::core::config::options::rules::ORIGINS;
use crate::core::config::proofs;
use crate::core::config::values::Values;
use crate::core::config::{forward_auth, operators};
use crate::core::limits::{MAX_ERROR_BODY_BYTES, MAX_REALM_BYTES};
use crate::core::proof::rules::ProofRules;
use crate::core::rules::RuleTable;
use crate::core::text::quoted;
use crate::core::token::source::TokenSources;

/// `answerAs`, `trustedPeers`, `errors`, `unavailableStatus`, `resourceMetadata`, `status`, `log`.
#[inline(never)]
pub(super) fn answer_rules(
    root: &Values,
    (issuers, scopes): (&[String], &[String]),
    token: &TokenSources,
    proofs: Option<&ProofRules>,
    forward: &ForwardRules,
    errors: &mut Errors,
) -> AnswerRules {
    AnswerRules {
        dpop: proofs.and_then(|rules| proofs::challenge(rules, root, token)),
        asking: forward_auth::asking(root, forward, proofs, errors),
        format: format(root, errors),
        challenge_scheme: token.challenge_scheme().to_owned(),
        realm: realm(root, errors),
        details: if root.flag(&ERRORS_DETAILS) { Details::Show } else { Details::Hide },
        code_header: root.text(&ERRORS_CODE_HEADER).unwrap_or_default().to_owned(),
        redirect: redirect(root, &ERRORS_REDIRECT, token),
        forbidden_redirect: redirect(root, &ERRORS_FORBIDDEN_REDIRECT, token),
        cors: Origins { allowed: root.list(&ERRORS_CORS).unwrap_or_default().to_vec() },
        unavailable_status: u16::try_from(root.int(&UNAVAILABLE_STATUS)).unwrap_or(503),
        resource_metadata: resource_metadata(root, issuers, scopes, proofs, errors),
        status: operators::status_rules(root, errors),
        log: operators::log_rules(root),
    }
}

fn format(root: &Values, errors: &mut Errors) -> BodyFormat {
    let content_type = root.text(&ERRORS_CONTENT_TYPE);
    let Some(template) = root.text(&ERRORS_BODY) else {
        if content_type.is_some() && !root.is_refused(&ERRORS_BODY) {
            errors.conflict(ERRORS_CONTENT_TYPE.path, "belongs to errors.body, which is not set");
        }
        return root.word(&ERRORS_FORMAT, &FORMATS);
    };
    if root.has(&ERRORS_FORMAT) {
        errors.conflict(ERRORS_BODY.path, "is a format of its own; leave errors.format out");
    }
    if template.len() > MAX_ERROR_BODY_BYTES {
        let expected = format!("at most {MAX_ERROR_BODY_BYTES} bytes");
        errors.value(ERRORS_BODY.path, format!("{} bytes", template.len()), expected);
    }
    let content_type = content_type.unwrap_or("text/html; charset=utf-8");
    BodyFormat::Custom { content_type: content_type.to_owned(), template: template.to_owned() }
}

fn realm(root: &Values, errors: &mut Errors) -> String {
    let realm = root.text(&ERRORS_REALM).unwrap_or_default();
    if !realm.chars().all(|c| matches!(c, ' '..='~')) || realm.len() > MAX_REALM_BYTES {
        let expected = format!("at most {MAX_REALM_BYTES} printable ASCII characters");
        errors.value(ERRORS_REALM.path, quoted(realm), expected);
    }
    realm.to_owned()
}

fn redirect(root: &Values, row: &Row, token: &TokenSources) -> Option<Redirect> {
    let template = root.text(row)?.to_owned();
    Some(Redirect { template, token_parameters: token.query_parameters().map(str::to_owned).collect() })
}

/// `origins`. A server of the Model Context Protocol has to check them (2026-07-28, Streamable HTTP, "Security"), so there
/// the origins of `errors.cors` apply if `origins` is not written.
pub(super) fn allowed_origins(root: &Values, answer: &AnswerRules, rules: &RuleTable) -> Vec<String> {
    let Some(origins) = root.list(&ORIGINS) else {
        let named = &answer.cors.allowed;
        let is_named = rules.is_about_mcp() && !named.iter().any(|origin| origin == "*");
        return if is_named { named.clone() } else { Vec::new() };
    };
    origins.to_vec()
}

fn resource_metadata(
    root: &Values,
    issuers: &[String],
    demanded: &[String],
    proofs: Option<&ProofRules>,
    errors: &mut Errors,
) -> Option<ResourceMetadata> {
    let scopes = scopes_supported(root, demanded, errors);
    let Some(resource) = root.text(&METADATA_RESOURCE) else {
        if root.has_in(&METADATA) && !root.is_refused(&METADATA_RESOURCE) {
            let rule = "is needed with the other options of resourceMetadata";
            errors.conflict(METADATA_RESOURCE.path, rule);
        }
        return None;
    };
    let servers = root.list(&METADATA_SERVERS).unwrap_or(issuers);
    if servers.is_empty() && !root.is_refused(&METADATA_SERVERS) {
        errors.conflict(METADATA_SERVERS.path, "is needed if there is no issuer to take its place");
    }
    let proofs = proofs.map(|rules| proofs::metadata(rules, root)).unwrap_or_default();
    let metadata = ResourceMetadata::new(
        resource,
        &Members {
            authorization_servers: servers,
            scopes,
            name: root.text(&METADATA_NAME).unwrap_or_default(),
            authorization_details_types: root.list(&METADATA_DETAILS).unwrap_or_default(),
            proofs,
        },
    );
    if metadata.is_none() {
        let expected = "an absolute URL without query and fragment";
        errors.value(METADATA_RESOURCE.path, quoted(resource), expected);
    }
    metadata
}

/// A client that finds the server by its metadata registers for these scopes and can get no others later, so every scope
/// that may be demanded is among them.
fn scopes_supported<'v>(root: &'v Values, demanded: &'v [String], errors: &mut Errors) -> &'v [String] {
    let Some(scopes) = root.list(&METADATA_SCOPES) else {
        return demanded;
    };
    if scopes.iter().any(|scope| scope == OFFLINE) {
        errors.conflict(METADATA_SCOPES.path, OFFLINE_IS_FOR_CLIENTS);
    }
    let missing: Vec<&str> =
        demanded.iter().filter(|scope| !scopes.contains(scope)).map(String::as_str).collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        errors.conflict(
            METADATA_SCOPES.path,
            format!("lacks {missing}, which may be demanded; name every scope, or leave the option out"),
        );
    }
    scopes
}
