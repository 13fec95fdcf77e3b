//! Options that say what the upstream gets.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::core::answer::field_value::Filling;
use crate::core::answer::forward::{ForwardRules, TokenForwarding};
use crate::core::answer::managed::{ManagedHeaders, NotManaged, Source, Tokens};
use crate::core::config::accepted;
use crate::core::config::error::Errors;
use crate::core::config::options::proofs::CERTIFICATE_HEADER;
use crate::core::config::options::upstream::*;
use crate::core::config::values::Values;
use crate::core::issuer_id::IssuerId;
use crate::core::proof::dpop;
use crate::core::proof::mtls::CertificateForwarding;
use crate::core::proof::rules::ProofRules;
use crate::core::request::header_name::{is_alias, is_field_name};
use crate::core::request::rewritten::RewrittenHeader;
use crate::core::text::quoted;
use crate::core::token::claims_set::ClaimPath;
use crate::core::token::source::{TokenPlace, TokenSources};

/// Claims that are not used as names of headers: if a header follows one, the two are in the wrong order.
const USUAL_CLAIMS: &[&str] = &[
    "aud",
    "azp",
    "client_id",
    "email",
    "exp",
    "family_name",
    "given_name",
    "groups",
    "iat",
    "iss",
    "jti",
    "name",
    "nbf",
    "oid",
    "preferred_username",
    "roles",
    "scope",
    "sid",
    "sub",
    "tid",
    "upn",
];

/// One row of `forwardHeaders`.
pub(super) struct ClaimHeader {
    /// Where it stands in the configuration.
    path: String,
    name: String,
    filling: Filling,
}

/// `forwardHeaders`, `forwardLists`, `missingClaim`, `forwardPayloadHeader`, `forwardPayloadFormat`,
/// `forwardAuthorization`, `verdictHeader`; `issuers` has the headers of issuers
/// with their own.
#[inline(never)]
pub(super) fn forward_rules(
    root: &Values,
    issuers: BTreeMap<IssuerId, Vec<ClaimHeader>>,
    token: &TokenSources,
    proofs: Option<&ProofRules>,
    errors: &mut Errors,
) -> ForwardRules {
    let mut managed = ManagedHeaders::default();
    let mut add = |path: String, name: &str, from, tokens, errors: &mut Errors| {
        if carries_token(name, token) || (carries_proof(name) && proofs.is_some_and(ProofRules::has_dpop)) {
            errors.conflict(path, "carries the token; forwardAuthorization says whether it goes on");
        } else if let Err(reason) = managed.add(name, from, tokens) {
            not_managed(path, name, reason, errors);
        }
    };
    let own: Rc<[IssuerId]> = issuers.keys().copied().collect();
    for header in claim_headers(root, errors).unwrap_or_else(user_header) {
        let from = Source::Claim(header.filling);
        add(header.path, &header.name, from, Tokens::Except(Rc::clone(&own)), errors);
    }
    for (issuer, headers) in issuers {
        for header in headers {
            add(header.path, &header.name, Source::Claim(header.filling), Tokens::Of(issuer), errors);
        }
    }
    if let Some(payload) = root.text(&PAYLOAD_HEADER).filter(|name| !name.is_empty()) {
        let from = Source::Payload(root.word(&PAYLOAD_FORMAT, &PAYLOAD_FORMATS));
        add(PAYLOAD_HEADER.path.into(), payload, from, Tokens::All, errors);
    } else if root.has(&PAYLOAD_FORMAT) {
        errors.conflict(PAYLOAD_FORMAT.path, "belongs to forwardPayloadHeader, which is not set");
    }
    if let Some(verdict) = root.text(&VERDICT_REQUEST).filter(|name| !name.is_empty()) {
        add(VERDICT_REQUEST.path.into(), verdict, Source::Verdict, Tokens::All, errors);
    }
    let mtls = proofs.and_then(|rules| rules.mtls.as_ref());
    if let Some(mtls) = mtls.filter(|mtls| mtls.forwarding == CertificateForwarding::Remove) {
        add(CERTIFICATE_HEADER.path.into(), &mtls.header, Source::Certificate, Tokens::All, errors);
    }
    ForwardRules {
        managed,
        lists: root.word(&FORWARD_LISTS, &LISTS),
        missing: root.word(&MISSING_CLAIM, &MISSING),
        token: if root.flag(&FORWARD_AUTHORIZATION) { TokenForwarding::Keep } else { TokenForwarding::Strip },
        verdict_response_header: root.text(&VERDICT_RESPONSE).unwrap_or_default().to_owned(),
        looked_at: Vec::new(),
    }
}

/// Whether a client sends its proof in the header `name`.
fn carries_proof(name: &str) -> bool {
    is_alias(dpop::HEADER, name)
}

/// Whether a client sends its token in the header `name`. `Authorization` is reserved for it in any case.
fn carries_token(name: &str, sources: &TokenSources) -> bool {
    let header = |place: &TokenPlace| match place {
        TokenPlace::Header { name: header, .. } => is_alias(header, name),
        TokenPlace::Cookie { .. } => is_alias(RewrittenHeader::Cookie.name(), name),
        TokenPlace::WebSocketProtocol { .. } | TokenPlace::WebSocketPrefix { .. } => {
            is_alias(RewrittenHeader::WebSocketProtocol.name(), name)
        }
        TokenPlace::Query { .. } => false,
    };
    name.eq_ignore_ascii_case("Authorization") || sources.places.iter().any(header)
}

fn not_managed(path: String, name: &str, reason: NotManaged, errors: &mut Errors) {
    match reason {
        NotManaged::Name => errors.value(path, quoted(name), "the name of a header"),
        NotManaged::Reserved => {
            errors.conflict(path, "belongs to the connection or to routing, so the middleware cannot set it");
        }
        NotManaged::Same { name, option } => {
            errors.conflict(path, format!("is the same header as {name} of {option} for many back ends"));
        }
    }
}

/// What the upstream gets by default.
fn user_header() -> Vec<ClaimHeader> {
    Filling::parse("sub")
        .map(|filling| ClaimHeader { path: "forwardHeaders".into(), name: "X-User-Sub".into(), filling })
        .into_iter()
        .collect()
}

/// `forwardHeaders`; `None` if it is absent.
#[inline(never)]
pub(super) fn claim_headers(values: &Values, errors: &mut Errors) -> Option<Vec<ClaimHeader>> {
    let rows = values.map(&FORWARD_HEADERS)?;
    let mut headers: Vec<ClaimHeader> = Vec::with_capacity(rows.len());
    for (name, claim) in rows {
        let path = format!("{}.{name}", values.path(&FORWARD_HEADERS));
        if USUAL_CLAIMS.contains(&name.as_str()) && claim.contains('-') && is_field_name(claim) {
            let expected = format!("a claim; the header stands first: {claim}: {name}");
            errors.value(path, quoted(claim), expected);
            continue;
        }
        match Filling::parse(claim) {
            Some(filling) => {
                if let Some(whole) = filling.claims().find_map(ClaimPath::with_whole_host) {
                    errors.value(path.as_str(), quoted(claim), accepted::escaped(&whole));
                }
                headers.push(ClaimHeader { path, name: name.clone(), filling });
            }
            None => errors.value(
                path,
                quoted(claim),
                "a claim, a path such as realm_access.roles, the first of several such as email|sub, or a text such as user:{sub}",
            ),
        }
    }
    Some(headers)
}
