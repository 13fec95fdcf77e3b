//! What a page makes tokens of, and which options it may not put into a link.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail by panicking")]

mod common;

use common::{Files, has_names, run};
use serde_json::{Value, json};

/// The only middleware of the report.
fn middleware(options: &Value) -> Value {
    let file = json!({"http": {"middlewares": {"jwt": {"plugin": {"jwt": options}}}}}).to_string();
    let (_, text) = run(&["--format", "json", "f.json"], &Files::of("f.json", &file));
    serde_json::from_str::<Value>(&text).unwrap()[0]["middlewares"][0].clone()
}

#[test]
fn tokens_of_tests() {
    let found = middleware(&json!({
        "issuer": "https://idp.example/", "jwksUrl": "https://idp.example/jwks.json", "audience": "api",
        "algorithms": "ES256", "maxLifetimeSeconds": 600,
        "tests": [
            {
                "name": "a", "expect": "allow", "claims": {"aud": "api", "nbf": "5"}, "typ": "JWT", "now": "2026-01-01T00:00:00Z",
                "request": {"path": "/x", "method": "PUT", "headers": {"X-A": "b"}}
            },
            {"name": "b", "expect": "issuer_not_trusted", "claims": {"aud": "api", "iss": "https://other/"}},
            {"name": "no token", "expect": "token_missing"}
        ]
    }));
    let signing = json!({"keys": "set", "algorithms": ["ES256"], "variable": null, "isBase64": false, "lifetimeSeconds": 600});
    let expected = json!([
        {
            "name": "a", "expect": "allow", "now": "2026-01-01T00:00:00Z", "typ": "JWT", "method": "PUT", "path": "/x",
            "headers": {"X-A": "b"}, "claims": {"iss": "https://idp.example/", "aud": "api", "nbf": 5}, "signing": signing
        },
        {
            "name": "b", "expect": "issuer_not_trusted", "now": null, "typ": null, "method": null, "path": null,
            "headers": null, "claims": {"iss": "https://other/", "aud": "api"}, "signing": signing
        }
    ]);
    assert_eq!(found["samples"], expected);
    has_names(&found["samples"][0]["signing"], "{keys, algorithms, variable, isBase64, lifetimeSeconds}");
}

#[test]
fn a_token_where_there_are_no_tests_and_who_signs_it() {
    let secret = "0123456789abcdef0123456789abcdef";
    for (options, keys, variable) in [
        (
            json!({"issuer": "a", "signingSecret": "env:KEY", "signingSecretBase64Encoded": "true"}),
            "secret",
            json!("KEY"),
        ),
        (json!({"issuer": "a", "signingSecret": secret}), "unknown", Value::Null),
        (json!({"issuer": "a", "jwksFile": "/keys/set.json"}), "set", Value::Null),
    ] {
        let options = merged(options, &json!({"audience": ["x", "y"], "scopes": {"required": "read"}}));
        let sample = &middleware(&options)["samples"][0];
        let claims = json!({"iss": "a", "sub": "alice", "aud": "x", "scope": "read"});
        assert_eq!(sample["claims"], claims, "{sample}");
        assert_eq!(
            (&sample["signing"]["keys"], &sample["signing"]["variable"]),
            (&json!(keys), &variable),
            "{sample}"
        );
    }
}

fn merged(mut options: Value, more: &Value) -> Value {
    let members = more.as_object().unwrap().clone();
    options.as_object_mut().unwrap().extend(members);
    options
}

#[test]
fn secrets_in_the_file() {
    let secret = "0123456789abcdef0123456789abcdef";
    for (options, expected) in [
        (json!({"signingSecret": secret}), vec!["signingSecret"]),
        (json!({"signingSecret": "env:SET"}), vec![]),
        (json!({"keys": {"a": secret, "b": "env:SET", "c": "file:/x"}}), vec!["keys.a"]),
        (json!({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}), vec!["jwks.keys[0].k"]),
        (json!({"jwks": "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"}), vec!["jwks"]),
        (json!({"publicKey": "-----BEGIN PUBLIC KEY-----\nAAAA"}), vec![]),
        (json!({"publicKey": "-----BEGIN PRIVATE KEY-----\nAAAA"}), vec!["publicKey"]),
        (json!({"clientConfig": {"headers": {"X-Key": "abc"}}}), vec!["clientConfig.headers.X-Key"]),
        (
            json!({"trustedIssuers": [{"issuer": "a", "signingSecret": secret}]}),
            vec!["trustedIssuers[0].signingSecret"],
        ),
    ] {
        assert_eq!(middleware(&options)["secrets"], json!(expected), "{options}");
    }
}
