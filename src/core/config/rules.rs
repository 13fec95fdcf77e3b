//! `rules`, `scopeImplies`.

use std::rc::Rc;

use crate::core::claims::scope::{ScopeHierarchy, is_scope};
use crate::core::claims::step_up;
use crate::core::config::accepted::{expression, scopes, step_up as read_step_up};
use crate::core::config::error::Errors;
use crate::core::config::options::Row;
use crate::core::config::options::accepted::{AUDIENCE, CLAIMS, SCOPE_IMPLIES, SCOPES, STEP_UP, STEP_UP_ACR};
use crate::core::config::options::rules::{RULE_HEADERS, RULE_METHODS, RULE_PATHS, RULE_TOKEN, RULES};
use crate::core::config::values::Values;
use crate::core::limits::MAX_RULES;
use crate::core::policy::TrustedIssuer;
use crate::core::request::header_name::is_field_name;
use crate::core::request::path::PathPattern;
use crate::core::rules::{Demands, HeaderCondition, Needs, Rule, RuleTable, ValuePattern, shadowed};
use crate::core::text::quoted;

/// The table of `rules`. Requests for `bypassed` paths come to none of them.
#[inline(never)]
pub(super) fn rule_table(
    root: &Values,
    bypassed: &[PathPattern],
    issuers: &[TrustedIssuer],
    errors: &mut Errors,
) -> RuleTable {
    let entries = root.sections(&RULES);
    if entries.len() > MAX_RULES {
        errors.conflict(RULES.path, format!("has more than {MAX_RULES} entries"));
        return RuleTable::default();
    }
    let mut rules: Vec<Rule> = Vec::with_capacity(entries.len());
    let open = Rule { paths: bypassed.to_vec(), ..Rule::default() };
    for entry in entries {
        let before = errors.len();
        let rule = rule(entry, errors);
        // A rule with errors is not compared with others.
        if errors.len() == before && !entry.has_refused() {
            if !bypassed.is_empty() && shadowed(&rule, std::slice::from_ref(&open)).is_some() {
                errors.conflict(entry.place(), "no request comes to it: bypassPaths lets them all pass");
            }
            if let Some(takers) = shadowed(&rule, &rules) {
                let takers: Vec<String> = takers.iter().map(|at| format!("rules[{at}]")).collect();
                errors.conflict(
                    entry.place(),
                    format!("no request comes to it: all of them are under {}", takers.join(" or ")),
                );
            }
            check_step_up(entry, &rule, issuers, errors);
        }
        rules.push(rule);
    }
    RuleTable::new(rules)
}

/// What a rule that is not empty has at least one of.
const RULES_OF_A_REQUEST: [&Row; 3] = [&RULE_METHODS, &RULE_PATHS, &RULE_HEADERS];

fn rule(entry: &Values, errors: &mut Errors) -> Rule {
    if entry.is_empty() && !errors.misnamed(entry.place(), &RULES_OF_A_REQUEST) {
        errors.conflict(entry.place(), "is empty; write paths: [/*] for all requests with a token");
    }
    let paths = entry.list(&RULE_PATHS).unwrap_or_default();
    let rule = Rule {
        methods: entry.list(&RULE_METHODS).unwrap_or_default().to_vec(),
        paths: paths.iter().filter_map(|text| PathPattern::parse(text)).collect(),
        headers: headers(entry, errors),
        needs: needs(entry, errors),
    };
    let is_every = rule.paths.is_empty() || rule.paths.iter().any(PathPattern::is_every_path);
    if rule.needs == Needs::Nothing && is_every && rule.methods.is_empty() && rule.headers.is_empty() {
        errors.conflict(
            entry.path(&RULE_TOKEN),
            "is for every request; write mode: optional if no request needs a token",
        );
    }
    rule
}

fn headers(entry: &Values, errors: &mut Errors) -> Vec<HeaderCondition> {
    let written = entry.lists(&RULE_HEADERS).unwrap_or_default();
    let path = entry.path(&RULE_HEADERS);
    let mut conditions = Vec::with_capacity(written.len());
    for (name, texts) in written {
        if !is_field_name(name) {
            errors.value(&path, quoted(name), "the name of a header");
        }
        if texts.is_empty() {
            errors.value(format!("{path}.{name}"), "nothing", "values of the header, * for any");
        }
        let mut values = Vec::with_capacity(texts.len());
        for text in texts {
            match ValuePattern::parse(text) {
                Some(value) => values.push(value),
                None => {
                    errors.value(format!("{path}.{name}"), quoted(text), "a value, or its beginning and *")
                }
            }
        }
        conditions.push(HeaderCondition::new(name.clone(), values));
    }
    conditions
}

fn needs(entry: &Values, errors: &mut Errors) -> Needs {
    let demands = Demands {
        audience: entry.list(&AUDIENCE).unwrap_or_default().to_vec(),
        scopes: if entry.has(&SCOPES) { scopes(entry, errors) } else { None },
        expression: expression(entry, errors),
        step_up: read_step_up(entry),
    };
    if !entry.has(&RULE_TOKEN) {
        return Needs::Token(Box::new(demands));
    }
    if let Some(demand) = [&AUDIENCE, &SCOPES, &CLAIMS, &STEP_UP].into_iter().find(|demand| entry.has(demand))
    {
        errors.conflict(entry.path(demand), "asks something of a token, and token: none looks at none");
    }
    Needs::Nothing
}

/// If an issuer and a rule ask for different sign-ins, no sign-in meets both.
fn check_step_up(entry: &Values, rule: &Rule, issuers: &[TrustedIssuer], errors: &mut Errors) {
    let Needs::Token(demands) = &rule.needs else { return };
    let asked = demands.step_up.as_ref().filter(|step_up| !step_up.acr.is_empty());
    let meets_none =
        |issuer: &TrustedIssuer| step_up::common(issuer.claims.step_up.as_ref(), asked).is_empty();
    if asked.is_some() && issuers.iter().any(meets_none) {
        errors
            .conflict(entry.path(&STEP_UP_ACR), "has no value that the stepUp of the issuer accepts as well");
    }
}

/// `scopeImplies`.
pub(super) fn scope_hierarchy(root: &Values, errors: &mut Errors) -> Rc<ScopeHierarchy> {
    let rows = root.lists(&SCOPE_IMPLIES).unwrap_or_default();
    for (name, included) in rows {
        let path = || format!("{}.{name}", SCOPE_IMPLIES.path);
        if included.is_empty() {
            errors.value(path(), "nothing", "the scopes that it includes, * for all");
        }
        if !is_scope(name) || name == "*" {
            errors.value(SCOPE_IMPLIES.path, quoted(name), "a scope (RFC 6749 3.3)");
        }
        for scope in included.iter().filter(|scope| !is_scope(scope)) {
            errors.value(path(), quoted(scope), "scopes (RFC 6749 3.3)");
        }
    }
    Rc::new(ScopeHierarchy::new(rows))
}

/// Every scope that the policy may ask for, once.
pub(super) fn all_scopes(issuers: &[TrustedIssuer], rules: &RuleTable) -> Vec<String> {
    let of_issuers = issuers.iter().filter_map(|issuer| issuer.claims.scopes.as_ref());
    let of_rules = rules.rules().iter().filter_map(|rule| match &rule.needs {
        Needs::Token(demands) => demands.scopes.as_ref(),
        Needs::Nothing => None,
    });
    let mut all: Vec<String> = Vec::new();
    for scope in of_issuers.chain(of_rules).flat_map(|scopes| &scopes.required) {
        if !all.contains(scope) {
            all.push(scope.clone());
        }
    }
    all
}
