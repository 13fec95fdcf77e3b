//! The names of all options, exactly as users write them. An option that is not here is refused.

use serde_json::Value;

use crate::core::config::coerce::Section;
use crate::core::config::error::{Errors, Problem};

/// Every option by its full path. `[]` is an element of a list, `*` a name that the user chooses.
pub const OPTIONS: &[&str] = &[
    "jwksUrl",
    "issuer",
    "discovery",
    "jwks",
    "jwksFile",
    "publicKey",
    "signingSecret",
    "signingSecretBase64Encoded",
    "keys.*",
    "trustedIssuers[].issuer",
    "trustedIssuers[].jwksUrl",
    "trustedIssuers[].discovery",
    "trustedIssuers[].jwks",
    "trustedIssuers[].jwksFile",
    "trustedIssuers[].publicKey",
    "trustedIssuers[].signingSecret",
    "trustedIssuers[].signingSecretBase64Encoded",
    "trustedIssuers[].keys.*",
    "trustedIssuers[].algorithms",
    "trustedIssuers[].audience",
    "trustedIssuers[].requiredClaims",
    "trustedIssuers[].clockSkewSeconds",
    "trustedIssuers[].tenants",
    "trustedIssuers[].tenantClaim",
    "trustedIssuers[].tokenType",
    "trustedIssuers[].maxLifetimeSeconds",
    "trustedIssuers[].maxAgeSeconds",
    "trustedIssuers[].maxAgeClaim",
    "trustedIssuers[].scopes.required",
    "trustedIssuers[].scopes.match",
    "trustedIssuers[].scopes.claim",
    "trustedIssuers[].claims",
    "trustedIssuers[].forwardHeaders.*",
    "clientConfig.tls.ca",
    "clientConfig.tls.insecureSkipVerify",
    "clientConfig.timeoutSeconds",
    "clientConfig.maxRetries",
    "clientConfig.headers.*",
    "clientConfig.allowHttp",
    "jwksCache.ttlSeconds",
    "jwksCache.cooldownSeconds",
    "jwksCache.staleSeconds",
    "algorithms",
    "audience",
    "requiredClaims",
    "clockSkewSeconds",
    "tenants",
    "tenantClaim",
    "tokenType",
    "maxLifetimeSeconds",
    "maxAgeSeconds",
    "maxAgeClaim",
    "scopes.required",
    "scopes.match",
    "scopes.claim",
    "claims",
    "tokenSources[].header",
    "tokenSources[].scheme",
    "tokenSources[].cookie",
    "tokenSources[].query",
    "tokenSources[].webSocketProtocol",
    "tokenKey",
    "tokenQueryKey",
    "maxTokenBytes",
    "forwardHeaders.*",
    "missingClaim",
    "forwardAuthorization",
    "errors.format",
    "errors.realm",
    "errors.details",
    "errors.body",
    "errors.contentType",
    "errors.codeHeader",
    "errors.redirectUrl",
    "errors.cors",
    "resourceMetadata.resource",
    "resourceMetadata.authorizationServers",
    "resourceMetadata.scopesSupported",
    "unavailableStatus",
    "mode",
    "verdictHeader.request",
    "verdictHeader.response",
    "bypassPreflight",
    "bypassPaths",
    "tests[].name",
    "tests[].claims",
    "tests[].typ",
    "tests[].now",
    "tests[].request.method",
    "tests[].request.path",
    "tests[].request.headers.*",
    "tests[].expect",
];

/// Options whose value is an object or list of its own, which is not looked into here.
const OPAQUE: &[&str] = &["jwks", "trustedIssuers[].jwks"];

/// Reports every option that does not exist.
pub fn refuse_unknown(root: &Section<'_>, errors: &mut Errors) {
    for (name, value) in root.members() {
        walk(name, name, value, errors);
    }
}

/// `path` is as the user wrote it, `pattern` the same with `[]` for indexes and `*` for chosen names.
fn walk(path: &str, pattern: &str, value: &Value, errors: &mut Errors) {
    if OPTIONS.contains(&pattern) || OPAQUE.contains(&pattern) {
        return;
    }
    let inner = |separator: &str| {
        let prefix = format!("{pattern}{separator}");
        OPTIONS.iter().any(|option| option.starts_with(&prefix))
    };
    if inner("[]") {
        let parsed = parsed(value);
        for (index, element) in parsed.as_array().into_iter().flatten().enumerate() {
            for (name, value) in element.as_object().into_iter().flatten() {
                walk(&format!("{path}[{index}].{name}"), &format!("{pattern}[].{name}"), value, errors);
            }
        }
    } else if OPTIONS.contains(&format!("{pattern}.*").as_str()) {
        // Names that the user chooses; their values are read where they are used.
    } else if inner(".") {
        let parsed = parsed(value);
        for (name, value) in parsed.as_object().into_iter().flatten() {
            walk(&format!("{path}.{name}"), &format!("{pattern}.{name}"), value, errors);
        }
    } else {
        errors.push(path, Problem::Unknown { nearest: nearest(pattern).map(str::to_owned) });
    }
}

/// Labels and KV stores deliver objects and lists as JSON in a string.
fn parsed(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.clone(),
    }
}

/// The option that is meant most likely: the same last name elsewhere, else few letters apart.
fn nearest(unknown: &str) -> Option<&'static str> {
    let last = |path: &'static str| path.trim_end_matches(".*").rsplit('.').next().unwrap_or(path);
    let wanted = unknown.rsplit('.').next().unwrap_or(unknown);
    let parent = |path: &str| path.rsplit_once('.').map_or(String::new(), |(parent, _)| parent.to_owned());
    let distance = |option: &&'static str| {
        let path = option.trim_end_matches(".*");
        let here = usize::from(parent(path) != parent(unknown));
        edit_distance(&last(option).to_lowercase(), &wanted.to_lowercase())
            .saturating_mul(2)
            .saturating_add(here)
    };
    let best = OPTIONS.iter().min_by_key(|option| distance(option))?;
    let allowed = wanted.chars().count().div_ceil(3).saturating_mul(2).saturating_add(1);
    (distance(best) <= allowed).then(|| best.trim_end_matches(".*"))
}

/// Levenshtein's distance. Names are short; longer ones are cut.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (above, cb) in row.iter().skip(1).zip(&b) {
            let substituted = diagonal.saturating_add(usize::from(ca != *cb));
            left = substituted.min(left.saturating_add(1)).min(above.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{edit_distance, nearest};

    #[test]
    fn the_nearest_option() {
        for (unknown, expected) in [
            ("jwksURL", Some("jwksUrl")),
            ("jwkUrl", Some("jwksUrl")),
            ("issuers", Some("issuer")),
            ("ttlSeconds", Some("jwksCache.ttlSeconds")),
            ("clientConfig.ca", Some("clientConfig.tls.ca")),
            ("clientConfig.tls.CA", Some("clientConfig.tls.ca")),
            ("forwardHeader", Some("forwardHeaders")),
            ("errors.formats", Some("errors.format")),
            ("trustedIssuers[].audiences", Some("trustedIssuers[].audience")),
            ("xyzzy", None),
        ] {
            assert_eq!(nearest(unknown), expected, "{unknown}");
        }
    }

    #[test]
    fn distances() {
        for (a, b, distance) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("flaw", "lawn", 2)] {
            assert_eq!(edit_distance(a, b), distance);
        }
    }
}
