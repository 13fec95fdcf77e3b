//! Tokens to try a configuration with, made of its own `tests:`. The claims alone: the party that shows them signs them.

use serde_json::{Map, Value, json};
use traefik_jwt_auth::core::jwk::lookup::KeySource;
use traefik_jwt_auth::core::policy::{Policy, TrustedIssuer};

/// Claims that are dates, which Traefik hands on as texts.
const DATES: &[&str] = &["exp", "nbf", "iat", "auth_time"];

/// How long a token is good that nobody says anything of, in seconds.
const LIFETIME: u64 = 3600;

/// Whose keys can sign for the middleware, and for each test what a token and the request have. `iat` and `exp` are left
/// to the party that makes the token, unless the test has them; null takes one away.
pub(crate) fn samples(options: &Value, policy: &Policy) -> Vec<Value> {
    let written = options.get("tests").map(read);
    let tests = written.as_ref().and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut samples: Vec<Value> = tests
        .iter()
        .filter(|test| test.get("claims").is_some())
        .map(|test| of_test(test, options, policy))
        .collect();
    if samples.is_empty() {
        samples.extend(policy.issuers.first().map(|issuer| plain(issuer, options)));
    }
    samples
}

/// JSON in a text, as labels have it, or the value itself.
fn read(value: &Value) -> Value {
    let inner = value.as_str().and_then(|text| serde_json::from_str(text).ok());
    inner.unwrap_or_else(|| value.clone())
}

fn of_test(test: &Value, options: &Value, policy: &Policy) -> Value {
    let mut claims = match test.get("claims").map(read) {
        Some(Value::Object(claims)) => claims,
        Some(_) | None => Map::new(),
    };
    if !claims.contains_key("iss") {
        let first = policy.issuers.iter().find_map(|issuer| issuer.names.first());
        claims.extend(first.map(|name| ("iss".to_owned(), json!(name))));
    }
    for date in DATES {
        let seconds = claims.get(*date).and_then(Value::as_str).and_then(|text| text.parse::<u64>().ok());
        claims.extend(seconds.map(|seconds| ((*date).to_owned(), json!(seconds))));
    }
    let issuer = policy.issuer(claims.get("iss").and_then(Value::as_str)).map(|(_, issuer)| issuer);
    let issuer = issuer.or(policy.issuers.first());
    let at = |pointer: &str| test.pointer(pointer).cloned().unwrap_or_default();
    json!({
        "name": at("/name"), "expect": at("/expect"), "now": at("/now"), "typ": at("/typ"), "claims": claims,
        "method": at("/request/method"), "path": at("/request/path"), "headers": at("/request/headers"),
        "signing": issuer.map(|issuer| signing(issuer, options)),
    })
}

/// What the issuer asks for, where no test says what a token looks like.
fn plain(issuer: &TrustedIssuer, options: &Value) -> Value {
    let mut claims = Map::new();
    let rules = &issuer.claims;
    claims.extend(issuer.names.first().map(|name| ("iss".to_owned(), json!(name))));
    claims.insert("sub".into(), "alice".into());
    claims.extend(rules.audience.first().map(|audience| ("aud".to_owned(), json!(audience))));
    let scopes = rules.scopes.as_ref().filter(|scopes| scopes.claim.is_none());
    claims.extend(scopes.map(|scopes| ("scope".to_owned(), json!(scopes.required.join(" ")))));
    json!({
        "name": "with issuer, audience and scopes", "claims": claims, "typ": rules.token_type.typ(),
        "signing": signing(issuer, options),
    })
}

/// How a token has to be signed: with a key of a set from elsewhere, with a secret from a variable, or with a key that only
/// the issuer has.
fn signing(issuer: &TrustedIssuer, options: &Value) -> Value {
    let algorithms: Vec<&str> = issuer.algorithms.iter().map(|alg| alg.name()).collect();
    let is_elsewhere = |source: &KeySource| matches!(source, KeySource::Url(_) | KeySource::File { .. });
    let secret =
        options.get("signingSecret").and_then(Value::as_str).and_then(|text| text.strip_prefix("env:"));
    let is_encoded =
        options.get("signingSecretBase64Encoded").is_some_and(|value| value.to_string().contains("true"));
    let keys = match secret {
        _ if issuer.keys.iter().any(is_elsewhere) => "set",
        Some(_) => "secret",
        None => "unknown",
    };
    let lifetime = issuer.claims.time.max_lifetime.map_or(LIFETIME, |most| most.0.min(LIFETIME));
    json!({
        "keys": keys, "algorithms": algorithms, "variable": secret, "isBase64": is_encoded, "lifetimeSeconds": lifetime,
    })
}
