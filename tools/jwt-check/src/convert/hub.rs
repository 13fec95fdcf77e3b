//! Traefik Hub's JWT middleware, whose names are those of this one.

use serde_json::{Value, json};
use traefik_jwt_auth::core::config::schema::OPTIONS;

use crate::convert::hub_claims;
use crate::convert::old::{Old, boolean, text};
use crate::convert::target::{Target, is_elsewhere};
use crate::input::Form;

pub(super) fn convert(block: &Value, form: &Form) -> Target {
    let mut old = Old::of(block);
    let mut target = Target::default();
    if let Some((name, _)) = old.take("usernameClaim") {
        target.dropped(&name, "the host of WASM plugins has no way to ClientUsername of the access log; the log can keep a header of forwardHeaders");
    }
    let forwards = old.take("forwardAuthorization").map(|(name, value)| {
        target.became(&name, "forwardAuthorization");
        boolean(&value)
    });
    let strips = old.take("stripAuthorizationHeader").map(|(name, value)| {
        target.became(&name, "forwardAuthorization");
        boolean(&value)
    });
    let goes_on = forwards.or(strips.map(|strips| !strips)).unwrap_or(false);
    target.set("forwardAuthorization", goes_on);
    if forwards.is_none() && strips.is_none() {
        target.comment("forwardAuthorization", "There, the token is stripped unless this is true.");
    }
    if let Some((name, value)) = old.take("claims") {
        target.became(&name, "claims");
        target.rule = hub_claims::parse(&text(&value));
        if text(&value).contains('{') {
            target.wider.push("claims: words in braces are values of the request here; between double quotes, \\{ is a brace".into());
        }
        target.set("claims", text(&value));
    }
    if let Some((name, value)) = old.take("signingSecret") {
        let base64 = block.get("signingSecretBase64Encoded").is_some_and(boolean);
        target.became(&name, "signingSecret");
        let written = text(&value);
        let is_lost = written.starts_with("urn:k8s:secret:") && !matches!(form, Form::Kubernetes(_));
        let secret = if is_lost {
            target.by_hand.push(format!(
                "{name}: {written} is resolved in resources of Kubernetes alone; put the secret into the variable JWT_SECRET"
            ));
            "env:JWT_SECRET".to_owned()
        } else {
            target.secret(&name, &written, base64)
        };
        if base64 && secret != written && !is_elsewhere(&written) {
            target.comment("signingSecret", "The new one is base64 as well.");
        }
        target.set("signingSecret", secret);
    }
    for name in old.rest() {
        if let Some(value) = block.get(&name) {
            copy(&name, &name, value, &mut target);
        }
    }
    let names: Vec<String> = target.options.keys().cloned().collect();
    let has = |name: &str| names.iter().any(|known| known == name);
    if has("forwardHeaders") {
        target.set("missingClaim", "empty");
        target.comment("missingClaim", "As there: a claim that is missing sends the header without a value.");
    }
    tenants(&mut target);
    if ["jwksUrl", "jwksFile", "publicKey", "trustedIssuers"].iter().any(|name| has(name)) {
        target.wider.push("algorithms: also EdDSA, ES256K and ML-DSA, if a key can serve them".into());
    }
    target
        .stricter
        .push("exp: has to be there; requiredClaims: none accepts tokens that never expire".into());
    target
}

/// Copies an option, or of a section what is an option here.
fn copy(path: &str, pattern: &str, value: &Value, target: &mut Target) {
    let is_section = !OPTIONS.contains(&pattern)
        && OPTIONS
            .iter()
            .any(|option| option.strip_prefix(pattern).is_some_and(|rest| rest.starts_with(['.', '['])));
    match value {
        _ if OPTIONS.contains(&pattern) => {
            target.became(path, pattern);
            if let Some(option) = path.split('.').next().filter(|option| *option == path) {
                target.set(option, value.clone());
            }
        }
        Value::Object(members) if is_section => {
            let known = |name: &str| {
                let inner = format!("{pattern}.{name}");
                let below = |option: &&str| {
                    option
                        .strip_prefix(inner.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
                };
                OPTIONS.iter().any(|option| below(option) || *option == format!("{pattern}.*"))
            };
            let mut kept = members.clone();
            for name in members.keys().filter(|name| !known(name)) {
                kept.remove(name);
                target.left(&format!("{path}.{name}"), "there is no such option here");
            }
            for name in kept.keys() {
                target.became(&format!("{path}.{name}"), path);
            }
            target.became(path, path);
            target.set(path, kept);
        }
        _ if is_section => {
            target.became(path, path);
            target.set(path, value.clone());
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            target.left(path, "there is no such option in Traefik Hub or here");
        }
    }
}

/// Keys of all tenants of Entra ID need the form of their issuers.
fn tenants(target: &mut Target) {
    let url = target.options.get("jwksUrl").and_then(Value::as_str).unwrap_or_default().to_owned();
    let rest = url.strip_prefix("https://login.microsoftonline.com/").unwrap_or_default();
    let Some((tenant, _)) = rest.split_once("/discovery/") else { return };
    if ["common", "organizations", "consumers"].contains(&tenant) && !target.options.contains_key("issuer") {
        target.set("issuer", json!("https://login.microsoftonline.com/{tenant}/v2.0"));
        target.comment(
            "issuer",
            "These are the keys of all tenants of Entra ID. List yours in tenants, and set audience.",
        );
        target.stricter.push(
            "issuer: tokens of Entra ID's version 1 have another one, https://sts.windows.net/{tenant}/"
                .into(),
        );
    }
}
