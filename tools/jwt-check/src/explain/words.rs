//! What each check of a walk compares, in words.

use traefik_jwt_auth::core::answer::field_value::json;
use traefik_jwt_auth::core::claims::binding::{self, Binding, BoundTokens};
use traefik_jwt_auth::core::claims::checks;
use traefik_jwt_auth::core::claims::expression::Expression;
use traefik_jwt_auth::core::claims::scope::{self, Match, ScopeRules};
use traefik_jwt_auth::core::claims::step_up::StepUp;
use traefik_jwt_auth::core::claims::tenant::IssuerTemplate;
use traefik_jwt_auth::core::claims::validity::TimeRules;
use traefik_jwt_auth::core::presented::Presented;
use traefik_jwt_auth::core::proof::rules::ProofRules;
use traefik_jwt_auth::core::proof::{dpop, target};
use traefik_jwt_auth::core::revocation::name::{Revocable, of_marker};
use traefik_jwt_auth::core::revocation::{ListSource, RevocationRules};
use traefik_jwt_auth::core::rules::Ruling;
use traefik_jwt_auth::core::text::name;
use traefik_jwt_auth::core::token::claims_set::{ClaimsSet, numeric_date};
use traefik_jwt_auth::core::unix_time::UnixTime;

/// What the check of this name compares: what the request has, and what is asked for. One that has no words here is at
/// least named.
pub(super) fn checked(check: &str, presented: &Presented<'_>) -> Vec<(String, String)> {
    let (sent, claims) = (&presented.sent, presented.claims);
    let rules = &sent.issuer.claims;
    let of = |claim: &str| claims.claim(claim).map_or("none".into(), json);
    let demands = sent.ruling.demands();
    match check {
        checks::TIME => vec![times(claims, &rules.time, sent.now)],
        "type" => {
            let wanted: Vec<&str> = rules.token_type.typ().into_iter().collect();
            vec![(format!("typ {}", typ_of(presented.header.typ.as_deref())), accepted(&wanted))]
        }
        "registered" => vec![(format!("sub {}, jti {}", of("sub"), of("jti")), String::new())],
        "workload" => rules
            .trust_domain
            .iter()
            .map(|domain| (format!("sub {}", of("sub")), format!("has to be a workload of {}", domain.id())))
            .collect(),
        "tenant" => rules
            .templates
            .iter()
            .filter_map(IssuerTemplate::claim)
            .map(|path| {
                let found = format!("{path} {}", claims.at(path).map_or("none".into(), json));
                (found, "has to repeat the tenant".to_owned())
            })
            .collect(),
        "required" => {
            vec![(
                if rules.required.is_empty() { "none".into() } else { list(&rules.required) },
                String::new(),
            )]
        }
        "audience" => vec![(format!("aud {}", of("aud")), accepted(&rules.audience))],
        "client" => {
            vec![(format!("azp {}, client_id {}", of("azp"), of("client_id")), accepted(&rules.clients))]
        }
        "binding" => {
            let bound = match rules.binding.bound_tokens {
                BoundTokens::Refuse => "none is accepted",
                BoundTokens::Accept => "any is accepted",
            };
            vec![(format!("cnf {}", of("cnf")), bound.to_owned())]
        }
        "scopes" => rules.scopes.iter().map(|scopes| scopes_of(claims, scopes, None)).collect(),
        "rule" => match sent.ruling {
            Ruling::Free => vec![],
            Ruling::Under(at, _) => vec![(format!("rules[{at}] is the first that matches"), String::new())],
            Ruling::Fault(_) => vec![("none matches".into(), String::new())],
        },
        "rule audience" => demands
            .iter()
            .filter(|demands| !demands.audience.is_empty())
            .map(|demands| (format!("aud {}", of("aud")), accepted(&demands.audience)))
            .collect(),
        "rule scopes" => demands
            .and_then(|demands| demands.scopes.as_ref())
            .iter()
            .map(|scopes| scopes_of(claims, scopes, rules.scopes.as_ref()))
            .collect(),
        "rule expression" => functions(demands.and_then(|demands| demands.expression.as_ref()), presented),
        "step-up" => {
            let asked = rules.step_up.iter().chain(demands.and_then(|demands| demands.step_up.as_ref()));
            let words = |asked: &StepUp| {
                let age = asked.max_age.map_or("any".into(), |age| format!("at most {} s ago", age.0));
                (
                    format!("acr {}, auth_time {}", of("acr"), of("auth_time")),
                    format!("{}, {age}", accepted(&asked.acr)),
                )
            };
            asked.map(words).collect()
        }
        "expression" => {
            let expression = rules.expression.as_ref().filter(|expression| expression.of_claims().is_some());
            functions(expression, presented)
        }
        "live expression" => {
            let expression = rules.expression.as_ref().filter(|expression| expression.of_request().is_some());
            functions(expression, presented)
        }
        "revocation" => sent.policy.revocation.iter().flat_map(|rules| revoked(claims, rules)).collect(),
        "possession" => {
            sent.policy.proofs.iter().flat_map(|rules| possession(claims, rules, presented)).collect()
        }
        _ => vec![("is checked".into(), String::new())],
    }
}

/// What of the token can be revoked, and where that would be said.
fn revoked(claims: &ClaimsSet, rules: &RevocationRules) -> Vec<(String, String)> {
    let named = || Revocable::ALL.into_iter().flat_map(|what| what.of(claims).map(move |text| (what, text)));
    let mut lines = Vec::new();
    if let Some(markers) = &rules.markers {
        let path = |(what, text): (Revocable, &str)| {
            let path = [&markers.directory, what.directory(), &of_marker(text)].join("/");
            (format!("{} {}", what.member(), name(text)), format!("no marker {path}; not looked for here"))
        };
        lines.extend(named().map(path));
    }
    if let Some(list) = rules.list.as_deref() {
        let (place, is_read) = match list {
            ListSource::File(path) => (name(path), "; if it is not here, nothing is looked up"),
            ListSource::Url(list) => {
                (name(&format!("{}{}", list.url.origin, list.url.path())), "; not fetched here")
            }
        };
        let found: Vec<String> =
            named().map(|(what, text)| format!("{} {}", what.member(), name(text))).collect();
        lines.push((found.join(", "), format!("no entry in {place}{is_read}")));
    }
    lines
}

/// What the token is bound to and what came with it, and what is asked for.
fn possession(claims: &ClaimsSet, rules: &ProofRules, presented: &Presented<'_>) -> Vec<(String, String)> {
    let (sent, mut lines) = (&presented.sent, Vec::new());
    let bound = |binding| binding::bound_to(claims, binding).map_or("none".into(), name);
    if let Some(dpop) = &rules.dpop {
        let under = if sent.places.iter().any(|place| place.is_dpop()) { "DPoP" } else { "another scheme" };
        let proofs = sent.request.header_values(dpop::HEADER).len();
        let algorithms: Vec<&str> = dpop.algorithms.iter().map(|alg| alg.name()).collect();
        let origin = target::origin(dpop.origin.as_ref(), sent.request);
        lines.push((
            format!("jkt {}, under {under}, {proofs} in DPoP", bound(Binding::Key)),
            format!(
                "{} {} within {} s, alg {}",
                sent.request.method(),
                name(&target::shown(origin.as_ref(), sent.request)),
                dpop.max_age.0,
                list(&algorithms)
            ),
        ));
    }
    if let Some(mtls) = &rules.mtls {
        let values = sent.request.header_values(&mtls.header);
        let found = match values.as_slice() {
            [value] => mtls.format.thumbprint(value).unwrap_or("no certificate in it".into()),
            values => format!("{} values", values.len()),
        };
        lines
            .push((format!("{}: {found}", mtls.header), format!("x5t#S256 {}", bound(Binding::Certificate))));
    }
    lines
}

/// Each function of the expression, with its value.
fn functions(expression: Option<&Expression>, presented: &Presented<'_>) -> Vec<(String, String)> {
    let (claims, sent) = (presented.claims, &presented.sent);
    let values = expression.iter().flat_map(|expression| expression.explain(claims, sent.request, sent.now));
    values.map(|(function, truth)| (format!("{function} is {}", truth.name()), String::new())).collect()
}

/// The scopes that the token has, from the claim of the rules or of the issuer, and those that are required.
fn scopes_of(claims: &ClaimsSet, scopes: &ScopeRules, issuer: Option<&ScopeRules>) -> (String, String) {
    let how = match scopes.matching {
        Match::All => "all",
        Match::Any => "any",
    };
    let claim = scopes.claim.as_ref().or_else(|| issuer?.claim.as_ref());
    (list(&scope::held(claims, claim)), format!("required: {how} of {}", list(&scopes.required)))
}

/// What is accepted, where an empty list asks for nothing.
pub(super) fn accepted<T: AsRef<str>>(names: &[T]) -> String {
    if names.is_empty() { "any is accepted".into() } else { format!("accepted: {}", list(names)) }
}

pub(super) fn typ_of(typ: Option<&str>) -> String {
    typ.map_or("none".into(), name)
}

fn list<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|text| name(text.as_ref())).collect::<Vec<_>>().join(" ")
}

/// Each date of the token beside now, and the rules about dates.
fn times(claims: &ClaimsSet, rules: &TimeRules, now: UnixTime) -> (String, String) {
    let mut said = vec![format!("now {}", now.as_seconds())];
    for claim in ["exp", "nbf", "iat", "auth_time"] {
        if let Some(date) = claims.claim(claim).and_then(numeric_date) {
            let (ahead, ago) = (date.seconds_since(now).0, now.seconds_since(date).0);
            said.push(if date > now {
                format!("{claim} in {ahead} s")
            } else {
                format!("{claim} {ago} s ago")
            });
        }
    }
    let mut asked = vec![format!("clockSkewSeconds {}", rules.clock_skew.0)];
    asked.extend(rules.max_lifetime.map(|most| format!("maxLifetimeSeconds {}", most.0)));
    asked
        .extend(rules.max_age.map(|most| format!("maxAgeSeconds {} of {}", most.span.0, most.since.claim())));
    (said.join(", "), asked.join(", "))
}
