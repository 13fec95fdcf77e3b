//! A rule that is written and empty never loads, however it arrives: an unset variable must not open anything.

use serde_json::{Value, json};
use traefik_jwt_auth::core::config::schema::OPTIONS;

use crate::options::example;
use crate::{SECRET, compiled, keyed, refusals};

/// Options that restrict nothing, or whose empty value has a meaning: none of them opens anything. Whatever is not
/// listed here is refused when it is empty, also an option that is yet to come.
const HARMLESS: &[&str] = &[
    // No key fewer tokens pass.
    "jwksUrl",
    "jwks",
    "jwksFile",
    "publicKey",
    "signingSecret",
    "keys",
    // How keys are fetched; roots are added by `ca`, and a client certificate is for the server to ask for.
    "clientConfig",
    "clientConfig.tls",
    "clientConfig.tls.ca",
    "clientConfig.tls.cert",
    "clientConfig.tls.key",
    "clientConfig.tls.serverName",
    "clientConfig.headers",
    "clientConfig.proxy",
    "clientConfig.noProxy",
    "jwksCache",
    "jwksCache.directory",
    // Fewer places; an empty scheme is the token alone.
    "tokenSources[].scheme",
    "tokenKey",
    "tokenQueryKey",
    // What the upstream and clients get.
    "forwardHeaders",
    "forwardPayloadHeader",
    "verdictHeader",
    "verdictHeader.request",
    "verdictHeader.response",
    "errors",
    "errors.realm",
    "errors.body",
    "errors.contentType",
    "errors.codeHeader",
    "errors.redirectUrl",
    "errors.forbiddenRedirectUrl",
    "errors.cors",
    "resourceMetadata",
    "resourceMetadata.resource",
    "resourceMetadata.authorizationServers",
    "resourceMetadata.scopesSupported",
    // Nothing is shown.
    "status",
    "status.path",
    "log",
    // No path is open; no test, or one of a request with nothing in it.
    "bypassMethods",
    "bypassPaths",
    "tests",
    "tests[].name",
    "tests[].claims",
    "tests[].typ",
    "tests[].request",
    "tests[].request.method",
    "tests[].request.path",
    "tests[].request.headers",
];

/// Every option and section, by a path to it.
fn options_and_sections() -> Vec<String> {
    let mut all: Vec<String> = OPTIONS
        .iter()
        .flat_map(|option| {
            let option = option.trim_end_matches(".*");
            let ends = option.match_indices('.').map(|(at, _)| at).chain([option.len()]);
            ends.map(|end| option.get(..end).unwrap().trim_end_matches("[]").to_owned()).collect::<Vec<_>>()
        })
        .collect();
    all.sort();
    all.dedup();
    all
}

/// `config` with `value` at `option`.
fn with_value(mut config: Value, option: &str, value: &Value) -> Value {
    let mut at = &mut config;
    for part in option.split('.') {
        let name = part.trim_end_matches("[]");
        if at.get(name).is_none() {
            at[name] = if part.ends_with("[]") { json!([{}]) } else { json!({}) };
        }
        at = &mut at[name];
        if part.ends_with("[]") {
            at = &mut at[0];
        }
    }
    *at = value.clone();
    config
}

#[test]
fn an_option_that_is_empty_is_refused_unless_it_is_known_to_be_harmless() {
    let forms = [
        json!(null),
        json!([]),
        json!(""),
        json!(" "),
        json!("\n"),
        json!({}),
        json!([""]),
        json!("[]"),
        json!("{}"),
    ];
    for option in options_and_sections() {
        let name = option.trim_start_matches("trustedIssuers[].");
        let (mut accepted, mut refused) = (Vec::new(), 0);
        for form in &forms {
            let config = with_value(example("everything"), &option, form);
            if refusals(&config, true).is_empty() { accepted.push(form) } else { refused += 1 }
        }
        match name {
            // The text that asks for nothing.
            "requiredClaims" => assert_eq!(accepted, [&json!("[]")], "{option}"),
            _ if HARMLESS.contains(&name) => assert!(refused > 0, "{option}"),
            _ => assert_eq!(accepted, [&json!(null); 0], "{option}"),
        }
    }
}

#[test]
fn no_claim_is_required_where_that_is_said() {
    for none in [json!("none"), json!(["none"]), json!("[]"), json!(" [ ] ")] {
        let policy = compiled(&keyed(&json!({"requiredClaims": none})));
        assert_eq!(policy.issuers[0].claims.required, [""; 0], "{none}");
        let entry = json!({"issuer": "https://b.example", "signingSecret": SECRET, "requiredClaims": none});
        let policy = compiled(&keyed(&json!({"requiredClaims": "exp,sub", "trustedIssuers": [entry]})));
        assert_eq!(policy.issuers[1].claims.required, [""; 0], "{none}");
    }
}
