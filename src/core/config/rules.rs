//! `rules`, `scopeImplies`.

use std::rc::Rc;

use crate::core::claims::scope::ScopeHierarchy;
use crate::core::claims::step_up;
use crate::core::config::accepted::{expression, is_scope, scopes};
use crate::core::config::coerce::Section;
use crate::core::config::error::Errors;
use crate::core::config::step_up::step_up as read_step_up;
use crate::core::limits::MAX_RULES;
use crate::core::policy::TrustedIssuer;
use crate::core::request::header_name::is_field_name;
use crate::core::request::method::is_method;
use crate::core::request::path::PathPattern;
use crate::core::rules::{Demands, HeaderCondition, Needs, Rule, RuleTable, ValuePattern, shadowed};
use crate::core::text::quoted;

/// The table of `rules`. Requests for `bypassed` paths come to none of them.
#[inline(never)]
pub(super) fn rule_table(
    root: &Section,
    bypassed: &[PathPattern],
    issuers: &[TrustedIssuer],
    errors: &mut Errors,
) -> RuleTable {
    let entries = root.sections("rules", errors);
    if entries.len() > MAX_RULES {
        errors.conflict("rules", format!("has more than {MAX_RULES} entries"));
        return RuleTable::default();
    }
    let mut rules: Vec<Rule> = Vec::with_capacity(entries.len());
    let open = Rule { paths: bypassed.to_vec(), ..Rule::default() };
    for entry in &entries {
        let told = errors.len();
        let rule = rule(entry, errors);
        // What a rule without its faults would be, nobody knows.
        if errors.len() == told {
            if !bypassed.is_empty() && shadowed(&rule, std::slice::from_ref(&open)).is_some() {
                errors.conflict(entry.path(""), "no request comes to it: bypassPaths lets them all pass");
            }
            if let Some(takers) = shadowed(&rule, &rules) {
                let takers: Vec<String> = takers.iter().map(|at| format!("rules[{at}]")).collect();
                errors.conflict(
                    entry.path(""),
                    format!("no request comes to it: all of them are under {}", takers.join(" or ")),
                );
            }
            check_step_up(entry, &rule, issuers, errors);
        }
        rules.push(rule);
    }
    RuleTable::new(rules)
}

fn rule(entry: &Section, errors: &mut Errors) -> Rule {
    if entry.is_empty() {
        errors.conflict(entry.path(""), "is empty; write paths: [/*] for all requests with a token");
    }
    let methods = entry.list("methods", errors).unwrap_or_default();
    for method in methods.iter().filter(|method| !is_method(method)) {
        errors.value(entry.path("methods"), quoted(method), "a method in capital letters, such as GET");
    }
    let mut paths = Vec::new();
    for text in entry.list("paths", errors).unwrap_or_default() {
        match PathPattern::parse(&text) {
            Some(pattern) => paths.push(pattern),
            None => errors.value(
                entry.path("paths"),
                quoted(&text),
                "a path such as /orders, /orders/{id}, or /orders/* for all below",
            ),
        }
    }
    let rule = Rule { methods, paths, headers: headers(entry, errors), needs: needs(entry, errors) };
    let is_every = rule.paths.is_empty() || rule.paths.iter().any(PathPattern::is_every_path);
    if rule.needs == Needs::Nothing && is_every && rule.methods.is_empty() && rule.headers.is_empty() {
        errors.conflict(
            entry.path("token"),
            "is for every request; write mode: optional if no request needs a token",
        );
    }
    rule
}

fn headers(entry: &Section, errors: &mut Errors) -> Vec<HeaderCondition> {
    let section = entry.section("headers", errors);
    let names: Vec<String> = section.members().into_iter().map(|(name, _)| name.to_owned()).collect();
    let mut conditions = Vec::with_capacity(names.len());
    for name in names {
        if !is_field_name(&name) {
            errors.value(section.path(""), quoted(&name), "the name of a header");
        }
        let written = section.list(&name, errors).unwrap_or_default();
        if written.is_empty() {
            errors.value(section.path(&name), "nothing", "values of the header, * for any");
        }
        let mut values = Vec::with_capacity(written.len());
        for text in &written {
            match ValuePattern::parse(text) {
                Some(value) => values.push(value),
                None => errors.value(section.path(&name), quoted(text), "a value, or its beginning and *"),
            }
        }
        conditions.push(HeaderCondition { name, values });
    }
    conditions
}

fn needs(entry: &Section, errors: &mut Errors) -> Needs {
    let demands = Demands {
        audience: entry.list("audience", errors).unwrap_or_default(),
        scopes: scopes(entry, errors),
        expression: expression(entry, errors),
        step_up: read_step_up(entry, errors),
    };
    if !entry.choice("token", false, &[("none", true)], errors) {
        return Needs::Token(Box::new(demands));
    }
    if let Some(demand) =
        ["audience", "scopes", "claims", "stepUp"].into_iter().find(|demand| entry.has(demand))
    {
        errors.conflict(entry.path(demand), "asks something of a token, and token: none looks at none");
    }
    Needs::Nothing
}

/// Where an issuer and a rule ask for different sign-ins, none would meet both.
fn check_step_up(entry: &Section, rule: &Rule, issuers: &[TrustedIssuer], errors: &mut Errors) {
    let Needs::Token(demands) = &rule.needs else { return };
    let asked = demands.step_up.as_ref().filter(|step_up| !step_up.acr.is_empty());
    let meets_none =
        |issuer: &TrustedIssuer| step_up::common(issuer.claims.step_up.as_ref(), asked).is_empty();
    if asked.is_some() && issuers.iter().any(meets_none) {
        let path = entry.section("stepUp", &mut Errors::default()).path("acr");
        errors.conflict(path, "has no value that the stepUp of the issuer accepts as well");
    }
}

/// `scopeImplies`.
pub(super) fn scope_hierarchy(root: &Section, errors: &mut Errors) -> Rc<ScopeHierarchy> {
    let section = root.section("scopeImplies", errors);
    let names: Vec<String> = section.members().into_iter().map(|(name, _)| name.to_owned()).collect();
    let mut rows = Vec::with_capacity(names.len());
    for name in names {
        let included = section.list(&name, errors).unwrap_or_default();
        let wrong = |scope: &&String| !is_scope(scope);
        if included.is_empty() {
            errors.value(section.path(&name), "nothing", "the scopes that it includes, * for all");
        }
        if !is_scope(&name) || name == "*" {
            errors.value(section.path(""), quoted(&name), "a scope (RFC 6749 3.3)");
        }
        for scope in included.iter().filter(wrong) {
            errors.value(section.path(&name), quoted(scope), "scopes (RFC 6749 3.3)");
        }
        rows.push((name, included));
    }
    Rc::new(ScopeHierarchy::new(&rows))
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
