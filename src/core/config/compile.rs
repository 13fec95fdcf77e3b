//! The whole configuration.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::core::about::CONFIGURATION_PAGE;
use crate::core::bypass::{BypassRules, Preflight};
use crate::core::claims::ClaimRules;
use crate::core::claims::tenant::IssuerTemplate;
use crate::core::config::accepted::{self, IssuerNames};
use crate::core::config::capabilities::Capabilities;
use crate::core::config::client::{self, Shared};
use crate::core::config::error::{ConfigError, Errors, Problem};
use crate::core::config::key_sources::KeySources;
use crate::core::config::options::accepted::{ALGORITHMS, AUDIENCE};
use crate::core::config::options::bypass::*;
use crate::core::config::options::keys::{ISSUER, SIGNER, TENANT_CLAIM, TRUSTED_ISSUERS};
use crate::core::config::read::read;
use crate::core::config::values::Values;
use crate::core::config::{
    answers, key_sources, proofs, revocation, rules, self_test, token_places, too_open, upstream,
};
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::KeySource;
use crate::core::policy::{Policy, TrustedIssuer};
use crate::core::request::path::PathPattern;
use crate::core::signature::alg::Alg;
use crate::core::text::{Quoted, quoted};

/// Compiles a configuration.
///
/// # Errors
/// Every problem of it.
pub fn compile(
    json: impl Into<Vec<u8>>,
    capabilities: &Capabilities<'_>,
) -> Result<Policy, Vec<ConfigError>> {
    let mut errors = Errors::default();
    match read(json.into(), &mut errors) {
        Some(root) if root.is_empty() && errors.is_empty() => errors.push("", Problem::Empty),
        Some(root) => {
            let mut policy = policy(&root, capabilities, &mut errors);
            let tests = self_test::parse(&root, &policy, &mut errors);
            // The tests of rules that are not there say nothing.
            if errors.is_empty() {
                self_test::run(&tests, &policy, &mut errors);
            }
            if errors.is_empty() {
                policy.doubts = self_test::doubts(&tests, &policy);
                return Ok(policy);
            }
        }
        None => errors.push("", Problem::NotAnObject),
    }
    Err(errors.into_vec())
}

// This and the other large compile steps are kept out of line: one function of 25 KB has a frame of 5 KB on the host's
// stack, which then grows, by copying, in every instance (docs/measurements/build.md).
#[inline(never)]
fn policy(root: &Values, capabilities: &Capabilities<'_>, errors: &mut Errors) -> Policy {
    let shared = client::shared(root, capabilities, errors);
    let (mut issuers, headers) = issuers(root, &shared, errors);
    let sources = issuers.iter().flat_map(|issuer| &issuer.keys);
    let fetched = sources.filter_map(|source| match source {
        KeySource::Url(remote) => Some(&remote.client),
        KeySource::Configured(_) | KeySource::File { .. } => None,
    });
    shared.check_proxy(fetched, errors);
    let trusted: Vec<String> = issuers.iter().flat_map(|issuer| issuer.names.iter().cloned()).collect();
    let mut token = token_places::token_sources(root, errors);
    proofs::add_place(root, &mut token);
    let proofs = proofs::proofs(root, capabilities, errors);
    let mut forward = upstream::forward_rules(root, headers, &token, proofs.as_ref(), errors);
    let bypass = bypass(root, errors);
    let mut table = rules::rule_table(root, &bypass.paths, &issuers, errors);
    forward.looked_at = table.headers();
    let hierarchy = rules::scope_hierarchy(root, errors);
    let scopes = issuers.iter_mut().filter_map(|issuer| issuer.claims.scopes.as_mut());
    scopes.chain(table.scopes_mut()).for_each(|scopes| scopes.hierarchy = Rc::clone(&hierarchy));
    let scopes = rules::all_scopes(&issuers, &table);
    let answer = answers::answer_rules(root, (&trusted, &scopes), &token, proofs.as_ref(), &forward, errors);
    let origins = answers::allowed_origins(root, &answer, &table);
    let revocation = revocation::revocation(root, &issuers, &shared, errors);
    Policy {
        bypass,
        token,
        issuers,
        rules: table,
        origins,
        forward,
        answer,
        proofs,
        revocation,
        doubts: Vec::new(),
    }
}

/// Headers of issuers that have their own.
type OwnHeaders = BTreeMap<IssuerId, Vec<upstream::ClaimHeader>>;

/// The issuer of the top level, if it has keys, and those of `trustedIssuers`.
#[inline(never)]
fn issuers(root: &Values, shared: &Shared<'_>, errors: &mut Errors) -> (Vec<TrustedIssuer>, OwnHeaders) {
    let mut issuers = Vec::new();
    let mut headers = OwnHeaders::new();
    let entries = root.sections(&TRUSTED_ISSUERS);
    let rules = accepted::claim_rules(root, None, errors);
    let names = accepted::issuer_names(root, errors);
    let sources = key_sources::compile(root, &names, &shared.client, shared, errors);
    let home = sources.home().cloned();
    let no_keys = sources.are_missing();
    let misnamed = key_sources::are_misnamed(root, errors);
    if !no_keys {
        issuers.push(issuer(root, names, sources, rules.clone(), errors));
    } else if entries.is_empty() && !misnamed {
        errors.push("", Problem::NoKeys);
    } else if root.has(&ISSUER) && !misnamed {
        errors.conflict(
            ISSUER.path,
            "has no keys; set discovery: true, jwksUrl or another source of keys beside it",
        );
    }
    if no_keys && !entries.is_empty() && !misnamed {
        refuse_without_keys(root, errors);
    }
    for entry in entries {
        let names = accepted::issuer_names(entry, errors);
        let client = shared.client_of(entry, home.as_ref(), errors);
        let sources = key_sources::compile(entry, &names, &client, shared, errors);
        let misnamed = key_sources::are_misnamed(entry, errors);
        if sources.are_missing() && !misnamed {
            errors.conflict(
                entry.place(),
                "has no keys; set discovery: true, jwksUrl or another source of keys in it",
            );
        }
        let claims = accepted::claim_rules(entry, Some(&rules), errors);
        if let Some(own) = upstream::claim_headers(entry, errors) {
            headers.insert(IssuerId(issuers.len()), own);
        }
        issuers.push(issuer(entry, names, sources, claims, errors));
    }
    refuse_repeated(&issuers, errors);
    (issuers, headers)
}

/// Rules of the top level that its entries do not inherit say nothing if the top level has no keys.
fn refuse_without_keys(root: &Values, errors: &mut Errors) {
    for row in [&ALGORITHMS, &TENANT_CLAIM, &SIGNER] {
        if root.has(row) && !root.is_refused(row) {
            errors.conflict(
                row.path,
                "is about keys of the top level, which has none; write it in trustedIssuers[]",
            );
        }
    }
}

#[inline(never)]
fn issuer(
    values: &Values,
    names: IssuerNames,
    sources: KeySources,
    mut claims: ClaimRules,
    errors: &mut Errors,
) -> TrustedIssuer {
    let algorithms = algorithms(values, &sources, errors);
    claims.templates = names.templates;
    claims.trust_domain = names.trust_domain;
    if claims.trust_domain.is_some() {
        svid_rules(values, &mut claims, errors);
    }
    let signers = values.list(&SIGNER).unwrap_or_default().to_vec();
    let keys = sources.into_vec();
    let issuer = TrustedIssuer { names: names.exact, kind: names.kind, keys, algorithms, signers, claims };
    too_open::refuse_every_tenant(values, &issuer, errors);
    issuer
}

/// What every JWT-SVID has (JWT-SVID 3).
fn svid_rules(values: &Values, claims: &mut ClaimRules, errors: &mut Errors) {
    let is_told = values.is_refused(&AUDIENCE) || errors.misnamed(values.place(), &[&AUDIENCE]);
    if claims.audience.is_empty() && !is_told {
        errors.conflict(
            values.path(&AUDIENCE),
            "is needed with format: spiffe: the audience of a JWT-SVID is all that keeps others from sending it here",
        );
    }
    if !claims.required.iter().any(|claim| claim == "exp") {
        claims.required.push("exp".into());
    }
}

fn refuse_repeated(issuers: &[TrustedIssuer], errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for name in issuers.iter().flat_map(TrustedIssuer::own_names) {
        if seen.contains(&name) {
            errors.conflict(TRUSTED_ISSUERS.path, format!("the issuer {} is named twice", Quoted(name)));
        }
        seen.push(name);
    }
    let mut seen: Vec<&IssuerTemplate> = Vec::new();
    for template in issuers.iter().flat_map(|issuer| &issuer.claims.templates) {
        if seen.iter().any(|other| other.overlaps(template)) {
            errors.conflict(TRUSTED_ISSUERS.path, format!("the issuer \"{template}\" is named twice"));
        }
        seen.push(template);
    }
    let misnamed = errors.misnamed("", &[&ISSUER]);
    if issuers.iter().filter(|issuer| issuer.is_asked_last()).count() > 1 && !misnamed {
        errors.conflict(
            TRUSTED_ISSUERS.path,
            "only one entry may go without issuer, and issuer: kubernetes counts as one",
        );
    }
}

/// The allow-list (RFC 8725 3.1): by default what the keys can do, and HMAC only if there is a secret.
fn algorithms(values: &Values, sources: &KeySources, errors: &mut Errors) -> Vec<Alg> {
    let able: Vec<Alg> = Alg::ALL.into_iter().filter(|alg| sources.can_serve(*alg)).collect();
    let default = || able.iter().copied().filter(|alg| sources.serves_unasked(*alg)).collect();
    let Some(names) = values.list(&ALGORITHMS) else {
        return default();
    };
    let path = values.path(&ALGORITHMS);
    let mut allowed = Vec::new();
    for name in names {
        match Alg::from_name(name) {
            None => {
                let known: Vec<&str> = Alg::ALL.iter().map(|alg| alg.name()).collect();
                let why = if name == "Ed448" {
                    format!("; Ed448 is left out, {CONFIGURATION_PAGE} says why")
                } else {
                    String::new()
                };
                errors.value(&path, quoted(name), format!("algorithms out of {}{why}", known.join(", ")));
            }
            Some(alg) if alg.is_hmac() && !able.contains(&alg) && !sources.is_empty() => {
                errors.conflict(&path, format!("{name} needs a secret that is long enough for it"));
            }
            Some(alg) => allowed.push(alg),
        }
    }
    if allowed.is_empty() {
        return default();
    }
    if !sources.is_empty() && !allowed.iter().any(|alg| able.contains(alg)) {
        errors.conflict(&path, "no configured key can be used with any of them");
    }
    allowed
}

#[inline(never)]
fn bypass(root: &Values, errors: &mut Errors) -> BypassRules {
    let texts = root.list(&BYPASS_PATHS).unwrap_or_default();
    let paths: Vec<PathPattern> = texts.iter().filter_map(|text| PathPattern::parse(text)).collect();
    for (text, _) in texts.iter().zip(&paths).filter(|(_, pattern)| pattern.is_every_path()) {
        errors.conflict(
            BYPASS_PATHS.path,
            format!("{} is every path; write mode: optional if no request needs a token", quoted(text)),
        );
    }
    BypassRules {
        methods: root.list(&BYPASS_METHODS).unwrap_or_default().to_vec(),
        mode: root.word(&MODE, &MODES),
        preflight: if root.flag(&BYPASS_PREFLIGHT) { Preflight::Pass } else { Preflight::Check },
        paths,
    }
}
