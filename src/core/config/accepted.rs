//! Options that say which tokens are accepted, at the top level and in `trustedIssuers`.

use crate::core::claims::ClaimRules;
use crate::core::claims::binding::BindingRules;
use crate::core::claims::expression::Expression;
use crate::core::claims::registered::TokenType;
use crate::core::claims::scope::{ScopeRules, is_scope};
use crate::core::claims::spiffe::TrustDomain;
use crate::core::claims::step_up::StepUp;
use crate::core::claims::tenant::IssuerTemplate;
use crate::core::claims::validity::{MaxAge, TimeRules};
use crate::core::config::error::{Errors, Problem};
use crate::core::config::options::Row;
use crate::core::config::options::accepted::*;
use crate::core::config::options::keys::{FORMAT, FORMATS, ISSUER, TENANT_CLAIM, TENANTS};
use crate::core::config::options::proofs::{CHECKED, DPOP, MTLS};
use crate::core::config::values::Values;
use crate::core::jwk::Origin;
use crate::core::limits::CLOCK_AHEAD;
use crate::core::policy::{CLUSTER, IssuerKind};
use crate::core::text::quoted;
use crate::core::token::claims_set::ClaimPath;
use crate::core::unix_time::Seconds;

/// The rules of the top level, or of an entry: what that does not say is as `above`.
#[inline(never)]
pub(super) fn claim_rules(values: &Values, above: Option<&ClaimRules>, errors: &mut Errors) -> ClaimRules {
    let list =
        |row, above: Option<&Vec<String>>| values.list(row).map(<[_]>::to_vec).or_else(|| above.cloned());
    let time = above.map(|rules| rules.time);
    let skew = Seconds(values.int_or(&CLOCK_SKEW, time.map(|time| time.clock_skew.0)));
    ClaimRules {
        audience: list(&AUDIENCE, above.map(|rules| &rules.audience)).unwrap_or_default(),
        clients: list(&CLIENTS, above.map(|rules| &rules.clients)).unwrap_or_default(),
        required: list(&REQUIRED_CLAIMS, above.map(|rules| &rules.required))
            .unwrap_or_else(|| vec!["exp".into()]),
        token_type: token_type(values)
            .or_else(|| above.map(|rules| rules.token_type.clone()))
            .unwrap_or_default(),
        time: TimeRules {
            clock_skew: skew,
            // What is written holds at both ends.
            ahead: if values.has(&CLOCK_SKEW) { skew } else { time.map_or(CLOCK_AHEAD, |time| time.ahead) },
            max_lifetime: span(values, &MAX_LIFETIME, time.and_then(|time| time.max_lifetime)),
            max_age: max_age(values, time.and_then(|time| time.max_age), errors),
        },
        scopes: if values.has(&SCOPES) {
            scopes(values, errors)
        } else {
            above.and_then(|rules| rules.scopes.clone())
        },
        binding: binding(values, above.map(|rules| rules.binding)),
        expression: expression(values, errors).or_else(|| above.and_then(|rules| rules.expression.clone())),
        step_up: step_up(values).or_else(|| above.and_then(|rules| rules.step_up.clone())),
        templates: Vec::new(),
        trust_domain: None,
    }
}

/// `boundTokens`, and which proofs are demanded, which is the same for every issuer.
fn binding(values: &Values, above: Option<BindingRules>) -> BindingRules {
    BindingRules {
        bound_tokens: values.word_or(&BOUND_TOKENS, &BINDINGS, above.map(|rules| rules.bound_tokens)),
        dpop: values.word_or(&DPOP, &CHECKED, above.map(|rules| rules.dpop)),
        mtls: values.word_or(&MTLS, &CHECKED, above.map(|rules| rules.mtls)),
    }
}

/// Accepted values of `iss`: those that stand as they are, and those with `{tenant}` in them.
#[derive(Default)]
pub(super) struct IssuerNames {
    pub(super) exact: Vec<String>,
    pub(super) templates: Vec<IssuerTemplate>,
    /// What they are besides, or in the place of both.
    pub(super) kind: IssuerKind,
    /// The trust domain, in the place of all.
    pub(super) trust_domain: Option<TrustDomain>,
}

/// `issuer`, `tenants`, `tenantClaim`.
#[inline(never)]
pub(super) fn issuer_names(values: &Values, errors: &mut Errors) -> IssuerNames {
    let written = values.list(&ISSUER).unwrap_or_default();
    let is_bundle = values.word(&FORMAT, &FORMATS) == Origin::Bundle;
    let trust_domain = match written {
        [name] if is_bundle => TrustDomain::parse(name),
        _ => None,
    };
    let is_cluster = matches!(written, [name] if name == CLUSTER);
    let is_told = values.is_refused(&ISSUER) || errors.misnamed(values.place(), &[&ISSUER]);
    if is_bundle && trust_domain.is_none() && !is_told {
        let expected = "one trust domain beside format: spiffe, such as spiffe://example.org";
        errors.value(values.path(&ISSUER), quoted(written.first().map_or("", String::as_str)), expected);
    } else if !is_cluster && written.iter().any(|name| name == CLUSTER) {
        let expected = "kubernetes alone; others are trustedIssuers";
        errors.value(values.path(&ISSUER), "kubernetes and others", expected);
    }
    let names = if is_bundle || is_cluster { &[] } else { written }.iter().cloned();
    let (templates, exact): (Vec<_>, Vec<_>) = names.partition(|name| name.contains(['{', '}']));
    let tenants = values.list(&TENANTS).unwrap_or_default();
    let claim = claim_path(values, &TENANT_CLAIM, errors);
    let unused = [&TENANTS, &TENANT_CLAIM].into_iter().find(|option| values.has(option));
    if let Some(option) = unused.filter(|_| templates.is_empty()) {
        errors.conflict(values.path(option), "needs an issuer with {tenant} in it");
    }
    // Entra asks its clients to compare both (tid), so that is what happens if nothing is said.
    let claim = if tenants.is_empty() { claim.or_else(|| ClaimPath::parse("tid")) } else { claim };
    let mut parsed = Vec::with_capacity(templates.len());
    for text in templates {
        match IssuerTemplate::new(&text, tenants.to_vec(), claim.clone()) {
            Some(template) => parsed.push(template),
            None => {
                let expected = "an issuer, or one with a single {tenant} behind its beginning";
                errors.value(values.path(&ISSUER), quoted(&text), expected);
            }
        }
    }
    let kind = if is_cluster { IssuerKind::Cluster } else { IssuerKind::Named };
    IssuerNames { exact, templates: parsed, kind, trust_domain }
}

fn token_type(values: &Values) -> Option<TokenType> {
    Some(match values.text(&TOKEN_TYPE)? {
        "access" => TokenType::Access,
        typ => TokenType::Typ(typ.to_owned()),
    })
}

/// A duration in seconds; 0 is no limit.
fn span(values: &Values, row: &Row, above: Option<Seconds>) -> Option<Seconds> {
    let seconds = values.int_or(row, above.map(|span| span.0));
    (seconds != 0).then_some(Seconds(seconds))
}

fn max_age(values: &Values, above: Option<MaxAge>, errors: &mut Errors) -> Option<MaxAge> {
    let since = values.word_or(&MAX_AGE_CLAIM, &SINCE, above.map(|max_age| max_age.since));
    let span = span(values, &MAX_AGE, above.map(|max_age| max_age.span));
    let is_reported = errors.misnamed(values.place(), &[&MAX_AGE]) || values.is_refused(&MAX_AGE);
    if span.is_none() && values.has(&MAX_AGE_CLAIM) && !is_reported {
        errors.conflict(values.path(&MAX_AGE_CLAIM), "needs maxAgeSeconds");
    }
    span.map(|span| MaxAge { span, since })
}

/// The scope that asks for a refresh token, which no server demands of an access token (OpenID Connect Core 11).
pub(super) const OFFLINE: &str = "offline_access";

/// Why it cannot be demanded.
pub(super) const OFFLINE_IS_FOR_CLIENTS: &str =
    "offline_access asks the issuer for a refresh token, and says nothing about a request; leave it out";

/// `scopes`, if it is written.
pub(super) fn scopes(values: &Values, errors: &mut Errors) -> Option<ScopeRules> {
    let list = values.list(&SCOPES_REQUIRED).unwrap_or_default();
    // A scope has no space in it, so "read write" is two.
    let required: Vec<String> =
        list.iter().flat_map(|text| text.split_ascii_whitespace()).map(str::to_owned).collect();
    let is_reported = values.is_refused(&SCOPES)
        || values.is_refused(&SCOPES_REQUIRED)
        || errors.misnamed(values.place(), &[&SCOPES_REQUIRED]);
    if (required.is_empty() || !required.iter().all(|scope| is_scope(scope))) && !is_reported {
        let expected = "at least one scope (RFC 6749 3.3)";
        errors.value(values.path(&SCOPES_REQUIRED), quoted(&list.join(",")), expected);
    }
    if required.iter().any(|scope| scope == OFFLINE) {
        errors.conflict(values.path(&SCOPES_REQUIRED), OFFLINE_IS_FOR_CLIENTS);
    }
    let claim = claim_path(values, &SCOPES_CLAIM, errors);
    Some(ScopeRules {
        required,
        matching: values.word(&SCOPES_MATCH, &MATCHES),
        claim,
        ..ScopeRules::default()
    })
}

/// What is expected of a claim that is named like a URL.
pub(super) fn escaped(whole: &ClaimPath) -> String {
    format!("{whole}: without the backslash, a dot is a step into an object")
}

fn claim_path(values: &Values, row: &Row, errors: &mut Errors) -> Option<ClaimPath> {
    let text = values.text(row)?;
    let path = ClaimPath::parse(text);
    match path.as_ref().map(ClaimPath::with_whole_host) {
        None => errors.value(values.path(row), quoted(text), "a claim, or a path such as realm_access.roles"),
        Some(Some(whole)) => errors.value(values.path(row), quoted(text), escaped(&whole)),
        Some(None) => {}
    }
    path
}

/// `claims`.
pub(super) fn expression(values: &Values, errors: &mut Errors) -> Option<Expression> {
    match Expression::parse(values.text(&CLAIMS)?) {
        Ok(expression) => Some(expression),
        Err(error) => {
            errors.push(values.path(&CLAIMS), Problem::Expression { error });
            None
        }
    }
}

/// `stepUp`, if it is written.
pub(super) fn step_up(values: &Values) -> Option<StepUp> {
    if !values.has_in(&STEP_UP) {
        return None;
    }
    let acr = values.list(&STEP_UP_ACR).unwrap_or_default();
    let max_age = values.has(&STEP_UP_MAX_AGE).then(|| values.seconds(&STEP_UP_MAX_AGE));
    Some(StepUp { acr: acr.to_vec(), max_age })
}
