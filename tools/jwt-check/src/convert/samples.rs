//! Sample tokens for the new block, by what the old one means. They stand in `tests` of the new one, which refuses to load
//! if its rules decide otherwise.

use serde_json::{Map, Value, json};

use crate::convert::old::{list, text};
use crate::convert::rule::{HOST, Rule, put};
use crate::convert::target::Target;

const TENANT: &str = "aaaaaaaa-0000-1111-2222-bbbbbbbbbbbb";

/// A sample, in the words of `tests`.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) claims: Option<Map<String, Value>>,
    pub(super) request: Option<Value>,
    pub(super) expect: &'static str,
}

/// What is asked of every token.
struct Rules<'a> {
    target: &'a Target,
    base: Map<String, Value>,
    request: Option<Value>,
    /// One of the tokens that are accepted, if one can be made.
    good: Option<Map<String, Value>>,
}

pub(super) fn of(target: &Target) -> Vec<Sample> {
    let mut rules = Rules { target, base: base(target), request: None, good: None };
    let uses_request = target.rule.as_ref().is_some_and(Rule::is_of_request);
    rules.request = uses_request.then(|| json!({"headers": {"Host": HOST}}));
    let mut samples = rules.accepted();
    rules.good = samples.first().and_then(|sample| sample.claims.clone());
    samples.extend(rules.issuers());
    samples.extend(rules.registered());
    samples.extend(rules.rejected());
    samples.extend(without_token(target));
    samples.truncate(32);
    samples
}

fn texts(target: &Target, option: &str) -> Vec<String> {
    target.options.get(option).map(list).unwrap_or_default().iter().map(text).collect()
}

/// The issuers of the top level, and those of each entry.
fn named(target: &Target) -> Vec<Vec<String>> {
    let entries = target.options.get("trustedIssuers").map(list).unwrap_or_default();
    let entries = entries.iter().map(|entry| entry.get("issuer").map(list).unwrap_or_default());
    let entries = entries.map(|names| names.iter().map(text).collect());
    [texts(target, "issuer")]
        .into_iter()
        .chain(entries)
        .filter(|names: &Vec<String>| !names.is_empty())
        .collect()
}

/// Whether an entry takes what no other one names.
fn takes_any(target: &Target) -> bool {
    let sources = ["jwksUrl", "jwks", "jwksFile", "publicKey", "signingSecret", "keys"];
    let top = !target.options.contains_key("issuer")
        && sources.iter().any(|source| target.options.contains_key(*source));
    let entries = target.options.get("trustedIssuers").map(list).unwrap_or_default();
    top || entries.iter().any(|entry| entry.get("issuer").is_none())
}

fn required(target: &Target) -> Vec<String> {
    let names = texts(target, "requiredClaims");
    if names == ["none"] { Vec::new() } else { names }
}

/// With the default.
fn required_of(target: &Target) -> Vec<String> {
    let is_default = !target.options.contains_key("requiredClaims");
    if is_default { vec!["exp".to_owned()] } else { required(target) }
}

/// The claim in which scopes are.
fn scope_claim(scopes: &Value) -> String {
    scopes.get("claim").map_or_else(|| "scope".into(), text)
}

/// The claims that every token has, without what `tests` add.
fn base(target: &Target) -> Map<String, Value> {
    let mut claims = Map::new();
    for claim in required(target) {
        match claim.as_str() {
            "exp" | "iat" | "aud" => {}
            "iss" if !named(target).is_empty() => {}
            "nbf" | "auth_time" => _ = claims.insert(claim, "1767225600".into()),
            _ => _ = claims.insert(claim, "a".into()),
        }
    }
    if let Some(audience) = texts(target, "audience").into_iter().next() {
        claims.insert("aud".into(), audience.into());
    } else if required(target).iter().any(|claim| claim == "aud") {
        claims.insert("aud".into(), "a".into());
    }
    if let Some(scopes) = target.options.get("scopes") {
        let required = scopes.get("required").map(list).unwrap_or_default();
        let all = required.iter().map(text).collect::<Vec<_>>().join(" ");
        claims.insert(scope_claim(scopes), all.into());
    }
    if let Some(names) = named(target).first() {
        of_issuer(&mut claims, names.first().map(String::as_str).unwrap_or_default(), false);
    }
    claims
}

/// The claims of a token of this issuer. Of the first one, `tests` add the name.
fn of_issuer(claims: &mut Map<String, Value>, issuer: &str, is_written: bool) {
    if issuer.contains("{tenant}") {
        claims.insert("iss".into(), issuer.replace("{tenant}", TENANT).into());
        claims.insert("tid".into(), TENANT.into());
    } else if is_written {
        claims.remove("tid");
        claims.insert("iss".into(), issuer.into());
    }
}

impl Rules<'_> {
    /// With what becomes of it, if that can be told.
    fn sample(&self, name: impl Into<String>, claims: Map<String, Value>) -> Option<Sample> {
        let expect = self.outcome(&claims)?;
        Some(Sample { name: name.into(), claims: Some(claims), request: self.request.clone(), expect })
    }

    /// What becomes of a token with these claims, by the first of the rules that refuses it; `None` if they are not what
    /// such claims are, or if a rule is not understood here.
    fn outcome(&self, claims: &Map<String, Value>) -> Option<&'static str> {
        let is_text = |name: &str| claims.get(name).is_none_or(Value::is_string);
        let is_date =
            |value: &Value| value.is_null() || value.as_str().is_some_and(|text| text.parse::<u64>().is_ok());
        let dates = ["exp", "iat", "nbf", "auth_time"].iter().filter_map(|name| claims.get(*name));
        let audience = claims.get("aud").map(list).unwrap_or_default();
        if !(is_text("iss") && is_text("sub") && is_text("jti")) || claims.contains_key("cnf") {
            return None;
        }
        if !dates.into_iter().all(is_date)
            || !audience.iter().all(Value::is_string)
            || claims.get("aud").is_some_and(Value::is_object)
        {
            return None;
        }
        let (target, named) = (self.target, named(self.target));
        if let Some(iss) = claims.get("iss").filter(|_| !named.is_empty() && !takes_any(target)) {
            let mut names = named.iter().flatten().map(|name| name.replace("{tenant}", TENANT));
            if !names.any(|name| *iss == name) {
                return Some("issuer_not_trusted");
            }
        }
        let is_missing = |claim: &String| match claim.as_str() {
            // They are added where they are not written.
            "exp" | "iat" => claims.get(claim).is_some_and(Value::is_null),
            "iss" => named.is_empty() && !claims.contains_key("iss"),
            _ => !claims.contains_key(claim),
        };
        if required_of(target).iter().any(is_missing) {
            return Some("claim_missing");
        }
        let accepted = texts(target, "audience");
        if !accepted.is_empty() && audience.is_empty() {
            return Some("claim_missing");
        }
        if !accepted.is_empty() && !audience.iter().any(|aud| accepted.contains(&text(aud))) {
            return Some("audience_not_accepted");
        }
        if let Some(scopes) = target.options.get("scopes") {
            let is_any = scopes.get("match").is_some_and(|matching| matching == "any");
            let held = match claims.get(&scope_claim(scopes)) {
                Some(Value::Array(elements)) => elements.iter().map(text).collect(),
                Some(Value::String(words)) => words.split(' ').map(str::to_owned).collect::<Vec<_>>(),
                _ => Vec::new(),
            };
            let required = scopes.get("required").map(list).unwrap_or_default();
            let mut is_held = required.iter().map(|scope| held.contains(&text(scope)));
            if !(if is_any { is_held.any(|held| held) } else { is_held.all(|held| held) }) {
                return Some("scope_insufficient");
            }
        }
        match &target.rule {
            None if target.options.contains_key("claims") => None,
            Some(rule) if !rule.holds(claims, HOST) => Some("claims_rejected"),
            Some(_) | None => Some("allow"),
        }
    }

    fn with(&self, way: &[(Vec<String>, String)]) -> Map<String, Value> {
        let mut claims = self.base.clone();
        for (path, value) in way {
            put(&mut claims, path, value);
        }
        claims
    }

    /// A token for each way in which the rules are met.
    fn accepted(&self) -> Vec<Sample> {
        let ways = self.target.rule.as_ref().map_or_else(|| vec![Vec::new()], Rule::ways);
        let mut samples: Vec<Sample> = Vec::new();
        for way in &ways {
            let name = match samples.len() {
                0 => "a token".to_owned(),
                others => format!("in another way, {others}"),
            };
            samples.extend(self.sample(name, self.with(way)).filter(|sample| sample.expect == "allow"));
        }
        samples
    }

    /// A good token with something else about it.
    fn changed(
        &self,
        name: impl Into<String>,
        change: impl FnOnce(&mut Map<String, Value>),
    ) -> Option<Sample> {
        let mut claims = self.good.clone().unwrap_or_else(|| self.base.clone());
        change(&mut claims);
        self.sample(name, claims)
    }

    fn issuers(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        let named = named(self.target);
        for name in named.iter().flatten().skip(1).filter(|_| self.good.is_some()) {
            samples.extend(self.changed(format!("of {name}"), |claims| of_issuer(claims, name, true)));
        }
        // The rules of the top level are those of each entry.
        for name in named.iter().skip(1).filter_map(|names| names.first()) {
            let mut way = self.with(&[]);
            of_issuer(&mut way, name, true);
            samples.extend(
                self.sample(format!("of {name}, and not more"), way)
                    .filter(|sample| sample.expect != "allow"),
            );
        }
        if !named.is_empty() && !takes_any(self.target) {
            let other = "https://somebody-else.example/";
            samples.extend(self.changed("of somebody else", |claims| of_issuer(claims, other, true)));
        }
        samples
    }

    /// Audience, scopes and required claims.
    fn registered(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        for name in named(self.target).iter().skip(1).filter_map(|names| names.first()) {
            samples.extend(
                self.changed(format!("of {name}, for another audience"), |claims| {
                    of_issuer(claims, name, true);
                    claims.insert("aud".into(), "somebody-else".into());
                })
                .filter(|sample| sample.expect == "audience_not_accepted"),
            );
        }
        if !texts(self.target, "audience").is_empty() {
            samples.extend(self.changed("for another audience", |claims| {
                claims.insert("aud".into(), "somebody-else".into());
            }));
        }
        if let Some(scopes) = self.target.options.get("scopes") {
            samples.extend(self.changed("with another scope", |claims| {
                claims.insert(scope_claim(scopes), "another".into());
            }));
        }
        let required = required_of(self.target);
        for claim in required.iter().filter(|claim| *claim != "iss" && *claim != "aud") {
            samples.extend(self.changed(format!("without {claim}"), |claims| {
                claims.remove(claim);
                if ["exp", "iat"].contains(&claim.as_str()) {
                    claims.insert(claim.clone(), Value::Null);
                }
            }));
        }
        if self.good.is_some() && !required.iter().any(|claim| claim == "exp") {
            samples.extend(self.changed("one that never expires", |claims| {
                claims.insert("exp".into(), Value::Null);
            }));
        }
        samples
    }

    /// Tokens that miss one part of the rule each.
    fn rejected(&self) -> Vec<Sample> {
        let Some(rule) = &self.target.rule else { return Vec::new() };
        let mut samples = Vec::new();
        let mut reject = |name: String, way: &[(Vec<String>, String)]| {
            samples.extend(
                self.sample(name, self.with(way)).filter(|sample| sample.expect == "claims_rejected"),
            );
        };
        let parts = rule.parts();
        for (at, missing) in parts.iter().enumerate() {
            let others = parts.iter().enumerate().filter(|(other, _)| *other != at);
            let mut way: Vec<_> =
                others.filter_map(|(_, part)| part.ways().into_iter().next()).flatten().collect();
            if let Rule::Not(inner) = missing {
                way.extend(inner.ways().into_iter().next().unwrap_or_default());
            }
            reject(format!("without the rule {}", at.saturating_add(1)), &way);
        }
        let way = rule.ways().into_iter().next().unwrap_or_default();
        for at in 0..way.len() {
            let mut other = way.clone();
            if let Some((path, value)) = other.get_mut(at) {
                *value = format!("not-{value}");
                let name = format!("with another {}", path.join("."));
                reject(name, &other);
            }
        }
        if let Some(good) = self.good.clone().filter(|_| rule.is_of_request()) {
            let other = "another.example.com";
            if !rule.holds(&good, other) {
                samples.push(Sample {
                    name: "at another host".into(),
                    claims: Some(good),
                    request: Some(json!({"headers": {"Host": other}})),
                    expect: "claims_rejected",
                });
            }
        }
        samples
    }
}

fn without_token(target: &Target) -> Vec<Sample> {
    // `tests` are about rules: there, a request without a token is one without a token in every mode.
    let mut samples =
        vec![Sample { name: "no token".into(), claims: None, request: None, expect: "token_missing" }];
    for method in texts(target, "bypassMethods") {
        let request = Some(json!({"method": method}));
        samples.push(Sample { name: format!("no token, {method}"), claims: None, request, expect: "allow" });
    }
    samples
}
