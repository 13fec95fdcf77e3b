//! The configuration as a user writes it: what is refused and with which words, and what is made of the rest.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod clusters;
mod empty;
mod fetching;
mod guides;
mod migrate;
mod options;
mod providers;
mod rules;
mod strange;

use options::example;
use serde_json::{Value, json};
use traefik_jwt_auth::core::answer::forward::{MissingClaim, TokenForwarding};
use traefik_jwt_auth::core::answer::managed::{Managed, Source};
use traefik_jwt_auth::core::claims::ClaimRules;
use traefik_jwt_auth::core::claims::registered::TokenType;
use traefik_jwt_auth::core::claims::validity::TimeRules;
use traefik_jwt_auth::core::config::{Capabilities, ConfigError, compile};
use traefik_jwt_auth::core::fetching::{RequestHeader, TextSource};
use traefik_jwt_auth::core::issuer_id::IssuerId;
use traefik_jwt_auth::core::jwk::lookup::{KeyFormat, KeyLocation, KeySource};
use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::refusal_log::{LogLevel, LogRules, LoggedSub};
use traefik_jwt_auth::core::signature::alg::Alg;
use traefik_jwt_auth::core::token::source::{Encoding, TokenPlace};
use traefik_jwt_auth::core::unix_time::Seconds;
use traefik_jwt_auth::core::url::Url;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// 64 bytes for `k` of a JWK.
const OCT: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg";
const RSA_2048: &str = include_str!("../vectors/pem/rsa-2048.pem");
const RSA_1024: &str = include_str!("../vectors/pem/rsa-1024.pem");
const ED25519: &str = include_str!("../vectors/pem/ed25519.pem");
const CERTIFICATE: &str = include_str!("../vectors/pem/p-256-certificate.pem");
const REFUSALS: &str = include_str!("refusals.txt");

fn environment(name: &str) -> Option<String> {
    match name {
        "SECRET" | "BATCH_SECRET" | "SUPABASE_JWT_SECRET" => Some(SECRET.to_owned()),
        "JWT_SECRET" => Some("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned()),
        "JWKS_AUTHORIZATION" => Some("Basic YTpi".to_owned()),
        "STAFF_JWKS" => Some(json!({"keys": [{"kty": "oct", "k": OCT}]}).to_string()),
        "PEM" => Some(RSA_2048.replace('\n', " ")),
        "SHORT" => Some("short".to_owned()),
        "UNRESOLVED" => Some("${JWT_SIGNING_SECRET_OF_PRODUCTION}".to_owned()),
        "WITH_LINE_BREAK" => Some(format!("{SECRET}\r\n")),
        // What Traefik hands on for a name of settings.envs that is not set.
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

fn with(json: &[u8], fetch: bool) -> Result<Policy, Vec<ConfigError>> {
    compile(json, &Capabilities { fetch, env: &environment })
}

/// What is written in JSON means the same as what Traefik hands on of a file.
fn compiled(config: &Value) -> Policy {
    let [policy, of_file] = [config, &handed_on(config)].map(|config| {
        with(config.to_string().as_bytes(), true)
            .unwrap_or_else(|errors| panic!("{config}: {}", lines(&errors).join("\n")))
    });
    assert_eq!(format!("{of_file:?}"), format!("{policy:?}"), "{config}");
    policy
}

/// `config` as Traefik hands on a file: scalars are texts, and so is what is empty.
fn handed_on(config: &Value) -> Value {
    match config {
        Value::Null | Value::String(_) => config.clone(),
        Value::Bool(_) | Value::Number(_) => json!(config.to_string()),
        Value::Array(elements) if elements.is_empty() => json!(""),
        Value::Object(members) if members.is_empty() => json!(""),
        Value::Array(elements) => elements.iter().map(handed_on).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), handed_on(value))).collect())
        }
    }
}

/// Without what all refusals begin with.
fn lines(errors: &[ConfigError]) -> Vec<String> {
    let line = |error: &ConfigError| {
        let line = error.to_string();
        assert!(!line.contains('\n'), "{line}");
        line.strip_prefix("configuration refused ").expect("every line says so").to_owned()
    };
    errors.iter().map(line).collect()
}

fn refusals(config: &Value, fetch: bool) -> Vec<String> {
    with(config.to_string().as_bytes(), fetch).err().map(|errors| lines(&errors)).unwrap_or_default()
}

/// `config` beside a secret, so that keys are not what is missing.
fn keyed(config: &Value) -> Value {
    let mut keyed = json!({"signingSecret": SECRET});
    for (name, value) in config.as_object().unwrap() {
        keyed[name] = value.clone();
    }
    keyed
}

#[test]
fn nothing_configured_says_what_to_set() {
    let what_to_set = "(config_empty): nothing is configured; set at least jwksUrl (or discovery, jwks, jwksFile, \
                       publicKey, signingSecret, keys) and issuer";
    for json in ["", " ", "null", "{}"] {
        let errors = with(json.as_bytes(), true).unwrap_err();
        assert_eq!(lines(&errors), [what_to_set], "{json}");
    }
    for json in ["[]", "1", "{", "\u{0}", "\"{}\""] {
        let errors = with(json.as_bytes(), true).unwrap_err();
        assert_eq!(lines(&errors), ["(config_not_an_object): it is not an object"], "{json}");
    }
    let no_keys = "(keys_missing): there are no keys; set one of jwksUrl, discovery, jwks, jwksFile, publicKey, \
                   signingSecret, keys, trustedIssuers";
    for config in [
        json!({"issuer": "https://idp.example/"}),
        // As Hub's documentation has them: an empty text is no value.
        json!({"jwksUrl": "", "jwks": "", "jwksFile": "", "publicKey": "", "signingSecret": "", "keys": {}}),
        json!({"keys": "", "discovery": false}),
    ] {
        assert_eq!(refusals(&config, true), [no_keys], "{config}");
    }
}

#[test]
fn every_refusal_says_what_was_found_and_what_is_expected() {
    let private = RSA_2048.replace("PUBLIC", "PRIVATE");
    let base64: String = RSA_2048.lines().skip(1).collect();
    let (modulus, many) = (format!("w{}Q", "x".repeat(340)), RSA_2048.repeat(20));
    let texts = [
        ("$MODULUS", modulus.as_str()),
        ("$MANY_RSA_2048", &many),
        ("$RSA_2048", RSA_2048),
        ("$RSA_1024", RSA_1024),
        ("$RSA_PRIVATE", &private),
        ("$RSA_BASE64", &base64),
        ("$SECRET", SECRET),
    ];
    let (mut rows, mut wrong): (usize, Vec<String>) = (0, Vec::new());
    for row in REFUSALS.split("\n\n").skip(1) {
        let mut row = row.lines();
        let mut config = row.next().unwrap().to_owned();
        for (name, text) in texts {
            config = config.replace(name, Value::from(text).to_string().trim_matches('"'));
        }
        let config = keyed(&serde_json::from_str(&config).expect(&config));
        let expected: Vec<&str> = row.map(str::trim_start).collect();
        let found = refusals(&config, true);
        if found != expected {
            wrong.push(format!("{config}\n    {}", found.join("\n    ")));
        }
        assert!(!refusals(&config, true).iter().any(|line| line.contains(SECRET)), "{config}");
        rows += 1;
    }
    assert!(rows > 100, "{rows}");
    assert!(wrong.is_empty(), "{} rows, with what is said instead:\n{}", wrong.len(), wrong.join("\n\n"));
}

#[test]
fn claims_of_a_test_may_be_as_deep_as_those_of_a_token() {
    let nested = |depth: usize| (1..depth).fold(json!({}), |value, _| json!({ "a": value }));
    let config = |depth| keyed(&json!({"tests": [{"claims": nested(depth), "expect": "allow"}]}));
    assert_eq!(refusals(&config(32), true), <[&str; 0]>::default());
    let too_deep = "(option_invalid): tests[0].claims: found an object that is too deep or too large, expected the claims \
                    of a token";
    assert_eq!(refusals(&config(33), true), [too_deep]);
}

#[test]
fn all_problems_are_told_at_once() {
    let config =
        json!({"mode": "x", "jwksURL": "y", "maxTokenBytes": "z", "signingSecret": "short", "jwks": "{"});
    assert_eq!(
        refusals(&config, true),
        [
            "(option_unknown): jwksURL is not an option; did you mean jwksUrl?",
            "(option_invalid): maxTokenBytes: found \"z\", expected a whole number from 64 to 131072",
            "(option_invalid): mode: found \"x\", expected one of required, optional, permissive, dryRun",
            "(key_unusable): jwks: the key set is unreadable: not JSON",
            "(key_unusable): signingSecret: the secret has 5 bytes, HS256 needs 32, HS384 48, HS512 64; make one \
             with openssl rand -base64 48",
        ]
    );
    // Also that keys are missing.
    assert_eq!(refusals(&json!({"mode": "x"}), true).len(), 2);
}

#[test]
fn the_artifact_without_sockets_says_which_one_fetches() {
    let no_sockets = "plugin-offline.wasm has no sockets and fetches nothing; use plugin.wasm, or keys from jwks, \
                      jwksFile, publicKey, signingSecret or keys";
    for (config, path) in [
        (json!({"jwksUrl": "https://idp.example/jwks.json", "issuer": "https://idp.example/"}), "jwksUrl"),
        (json!({"discovery": true, "issuer": "https://idp.example/"}), "discovery"),
        (
            json!({"trustedIssuers": [{"jwksUrl": "https://idp.example/", "issuer": "https://idp.example/"}]}),
            "trustedIssuers[0].jwksUrl",
        ),
    ] {
        assert_eq!(refusals(&config, true), [""; 0], "{config}");
        assert_eq!(refusals(&config, false), [format!("(option_conflict): {path}: {no_sockets}")]);
    }
}

#[test]
fn a_list_is_no_more_fetched_than_keys_are() {
    let config = |source: Value| json!({"signingSecret": SECRET, "revocation": source});
    let url = config(json!({"url": "https://idp.example/revoked"}));
    let refused =
        "(option_conflict): revocation.url: cannot be fetched by plugin-offline.wasm; use revocation.file";
    assert_eq!((refusals(&url, true), refusals(&url, false)), (vec![], vec![refused.to_owned()]));
    assert_eq!(refusals(&config(json!({"file": "/revoked.jsonl"})), false), [""; 0]);
}

#[test]
fn bounds_are_what_they_say() {
    let rules = |count: usize| {
        let rule = |at: usize| json!({"paths": [format!("/{at}")]});
        json!({"signingSecret": SECRET, "rules": (0..count).map(rule).collect::<Vec<_>>()})
    };
    let errors = |of: Value| json!({"signingSecret": SECRET, "errors": of});
    let tests = |count: usize| {
        let test = json!({"expect": "token_missing"});
        json!({"signingSecret": SECRET, "tests": vec![test; count]})
    };
    for (most, more) in [
        (rules(256), rules(257)),
        (tests(64), tests(65)),
        (errors(json!({"realm": "x".repeat(256)})), errors(json!({"realm": "x".repeat(257)}))),
        (errors(json!({"body": "x".repeat(16_384)})), errors(json!({"body": "x".repeat(16_385)}))),
    ] {
        assert_eq!((refusals(&most, true).len(), refusals(&more, true).len()), (0, 1));
    }
}

/// What a mistake brings with it is not told beside it.
#[test]
fn one_mistake_is_told_once() {
    let told = |config: &Value| {
        refusals(&if config["jwksFile"].is_null() { keyed(config) } else { config.clone() }, true)
    };
    for (config, expected) in [
        (
            json!({"proofs": {"dpop": "requird"}, "tokenSources": [{"header": "Authorization", "scheme": "DPoP"}]}),
            "proofs.dpop",
        ),
        (json!({"rules": [{"paths": ["/*"]}, {"paths": ["/a"], "token": "nonee"}]}), "rules[1].token"),
        (
            json!({"issuer": "spiffe://example.org", "format": "spiffe", "jwksFile": "/bundle.json", "audience": 5}),
            "audience",
        ),
        (
            json!({"resourceMetadata": {"resource": "api", "scopesSupported": ["a"], "authorizationServers": ["https://a"]}}),
            "resourceMetadata.resource",
        ),
    ] {
        let told = told(&config);
        assert!(told.len() == 1 && told[0].contains(&format!("): {expected}: ")), "{config}: {told:#?}");
    }
    // The same without the mistake in it.
    for config in [
        json!({"tokenSources": [{"header": "Authorization", "scheme": "DPoP"}]}),
        json!({"rules": [{"paths": ["/*"]}, {"paths": ["/a"], "token": "none"}]}),
        json!({"issuer": "spiffe://example.org", "format": "spiffe", "jwksFile": "/bundle.json"}),
    ] {
        assert_eq!(told(&config).len(), 1, "{config}");
    }
    let keyless = json!({
        "issuer": "https://a.example/", "trustedIssuers": [{"issuer": "b", "jwksUrl": "https://b.example/"}],
    });
    let told = "(option_conflict): issuer: has no keys; set discovery: true, jwksUrl or another source of keys beside it";
    assert_eq!(refusals(&keyless, true), [told]);
}

#[test]
fn what_resembles_a_host_is_none_in_a_path() {
    for (jwks_url, target) in [
        ("keys", Some("/t/keys")),
        ("/keys", Some("/keys")),
        (".well-known/keys", Some("/t/.well-known/keys")),
        ("v2.0/keys", Some("/t/v2.0/keys")),
        ("v.10/keys", Some("/t/v.10/keys")),
        ("a.b/keys", Some("/t/a.b/keys")),
        ("keys.json", Some("/t/keys.json")),
        ("idp.example/keys", None),
        ("idp:8443/keys", None),
        ("idp:keys", None),
    ] {
        for issuers in [json!("https://a.example/t"), json!(["https://a.example/t", "https://a.example/t/"])]
        {
            let config = json!({"issuer": issuers, "jwksUrl": jwks_url});
            let found = with(config.to_string().as_bytes(), true).ok().map(|policy| {
                let KeySource::Url(remote) = &policy.issuers[0].keys[0] else { panic!("{config}") };
                let KeyLocation::Url(url) = &remote.location else { panic!("{config}") };
                url.to_string()
            });
            assert_eq!(found, target.map(|target| format!("https://a.example{target}")), "{config}");
        }
        let of_two = json!({"issuer": ["https://a.example", "https://b.example"], "jwksUrl": jwks_url});
        assert_eq!(refusals(&of_two, true).len(), 1, "{of_two}");
    }
}

#[test]
fn a_set_may_stand_where_its_file_does() {
    let set = json!({"keys": [{"kty": "oct", "k": OCT}]}).to_string();
    for (text, is_inline) in
        [(set.clone(), true), (format!(" \n{set}"), true), ("/set.json".to_owned(), false)]
    {
        let policy = compiled(&json!({"jwksFile": text}));
        assert_eq!(matches!(policy.issuers[0].keys[0], KeySource::Configured(_)), is_inline, "{text}");
    }
}

/// Only `format: spiffe` makes a trust domain of an issuer.
#[test]
fn a_name_of_spiffe_is_a_name() {
    let plain = compiled(&json!({"issuer": "spiffe://example.org", "signingSecret": SECRET}));
    assert!(plain.issuers[0].claims.trust_domain.is_none());
    let required = |more: Value| {
        let mut config = json!({
            "issuer": "spiffe://example.org", "format": "spiffe", "jwksFile": "/bundle.json", "audience": "api",
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        compiled(&config).issuers[0].claims.required.clone()
    };
    assert_eq!(required(json!({})), ["exp"]);
    assert_eq!(required(json!({"requiredClaims": ["exp", "sub"]})), ["exp", "sub"]);
    assert_eq!(required(json!({"requiredClaims": ["sub"]})), ["sub", "exp"]);
}

#[test]
fn what_the_log_says_is_configured() {
    let policy = compiled(&json!({
        "signingSecret": SECRET, "log": {"refusals": "debug", "sub": true, "perMinute": 7},
    }));
    let expected = LogRules { level: LogLevel::Debug, sub: LoggedSub::Show, per_minute: 7 };
    assert_eq!(policy.answer.log, expected);
}

#[test]
fn defaults() {
    let policy =
        compiled(&json!({"jwksUrl": "https://idp.example/jwks.json", "issuer": "https://idp.example/"}));
    let [issuer] = policy.issuers.as_slice() else { panic!("{policy:?}") };
    assert_eq!(issuer.names, ["https://idp.example/"]);
    let time = TimeRules { ahead: Seconds(10), ..TimeRules::default() };
    assert_eq!(issuer.claims, ClaimRules { required: vec!["exp".to_owned()], time, ..ClaimRules::default() });
    let asymmetric: Vec<Alg> = Alg::ALL.into_iter().filter(|alg| !alg.is_hmac()).collect();
    assert_eq!(issuer.algorithms, asymmetric);
    let [KeySource::Url(remote)] = issuer.keys.as_slice() else { panic!("{policy:?}") };
    let url = Url::parse("https://idp.example/jwks.json").unwrap();
    assert_eq!(remote.location, KeyLocation::Url(url));
    assert_eq!((remote.client.timeout, remote.client.max_retries), (Seconds(5), 3));
    assert_eq!((remote.cache.ttl, remote.cache.cooldown), (Seconds(600), Seconds(30)));
    assert_eq!(remote.cache.stale, Seconds(86_400));
    assert_eq!(policy.token.max_bytes, 16_384);
    let headers: Vec<&str> = policy.forward.managed.rows().iter().map(Managed::name).collect();
    assert_eq!(headers, ["X-User-Sub"]);
    assert_eq!((policy.forward.missing, policy.forward.token), (MissingClaim::Remove, TokenForwarding::Keep));
    assert_eq!(policy.answer, traefik_jwt_auth::core::answer::AnswerRules::default());
}

#[test]
fn keys_decide_which_algorithms_are_accepted() {
    let oct = json!({"keys": [{"kty": "oct", "k": OCT}]});
    for (config, expected) in [
        (json!({"publicKey": RSA_2048}), "RS256 RS384 RS512 PS256 PS384 PS512"),
        (json!({"publicKey": ED25519}), "EdDSA Ed25519"),
        (json!({"publicKey": format!("{ED25519}{CERTIFICATE}")}), "ES256 EdDSA Ed25519"),
        (json!({"keys": {"a": ED25519}}), "EdDSA Ed25519"),
        (json!({"signingSecret": SECRET}), "HS256"),
        (json!({"signingSecret": SECRET.repeat(2)}), "HS256 HS384 HS512"),
        (json!({"signingSecret": "env:SECRET", "publicKey": "env:PEM", "algorithms": "RS256"}), "RS256"),
        (json!({"signingSecret": "file:/run/secret"}), "HS256 HS384 HS512"),
        (json!({"jwks": oct}), "HS256 HS384 HS512"),
        (json!({"publicKey": RSA_2048, "algorithms": ["PS256", "ES256"]}), "PS256 ES256"),
        // A set in a file may be a copy of a public one, and a secret in that is none.
        (json!({"jwksFile": "/keys/jwks.json", "algorithms": "HS256,RS256"}), "HS256 RS256"),
    ] {
        let policy = compiled(&config);
        let accepted: Vec<&str> = policy.issuers[0].algorithms.iter().map(|alg| alg.name()).collect();
        assert_eq!(accepted.join(" "), expected, "{config}");
    }
    let file = compiled(&json!({"jwksFile": "/keys/jwks.json"}));
    assert!(!file.issuers[0].algorithms.iter().any(|alg| alg.is_hmac()));
}

#[test]
fn values_may_be_kept_elsewhere() {
    let file = |path: &str, format| format!("{:?}", KeySource::File { path: path.to_owned(), format });
    let none = None;
    for (config, expected) in [
        (json!({"jwks": "file:/keys/a"}), file("/keys/a", KeyFormat::JwkSet)),
        (json!({"jwksFile": "/keys/a"}), file("/keys/a", KeyFormat::JwkSet)),
        (json!({"jwksFile": "file:/keys/a"}), file("/keys/a", KeyFormat::JwkSet)),
        (json!({"publicKey": "file:/keys/a"}), file("/keys/a", KeyFormat::Pem { kid: none.clone() })),
        (
            json!({"signingSecret": "file:/keys/a", "signingSecretBase64Encoded": "true"}),
            file("/keys/a", KeyFormat::Secret { kid: none, base64: true }),
        ),
        (
            json!({"keys": {"k": "file:/keys/a"}}),
            file("/keys/a", KeyFormat::PemOrSecret { kid: Some("k".to_owned()) }),
        ),
    ] {
        assert_eq!(format!("{:?}", compiled(&config).issuers[0].keys[0]), expected, "{config}");
    }
    for (config, same) in [
        (json!({"publicKey": "env:PEM"}), json!({"publicKey": RSA_2048})),
        (json!({"signingSecret": "env:SECRET"}), json!({"signingSecret": SECRET})),
        // The value of a Kubernetes secret, of a variable, a block of YAML: one line break is none of it.
        (json!({"signingSecret": "env:WITH_LINE_BREAK"}), json!({"signingSecret": SECRET})),
        (json!({"signingSecret": format!("{SECRET}\n")}), json!({"signingSecret": SECRET})),
        (json!({"signingSecret": "env:SECRET\n"}), json!({"signingSecret": SECRET})),
        (json!({"keys": {"k": format!("{SECRET}\n")}}), json!({"keys": {"k": SECRET}})),
        (json!({"keys": {"k": "env:PEM"}}), json!({"keys": {"k": RSA_2048}})),
        (json!({"jwksFile": "{\"keys\":[]}", "publicKey": ED25519}), json!({})),
    ] {
        if same == json!({}) {
            assert_eq!(refusals(&config, true).len(), 1, "{config}");
        } else {
            assert_eq!(format!("{:?}", compiled(&config)), format!("{:?}", compiled(&same)), "{config}");
        }
    }
    let client = |config: &Value| match compiled(config).issuers.swap_remove(0).keys.swap_remove(0) {
        KeySource::Url(remote) => remote.client,
        other @ (KeySource::Configured(_) | KeySource::File { .. }) => panic!("{other:?}"),
    };
    let config = |ca: &str| {
        let headers = json!({
            "Authorization": "env:SECRET", "X-Key": "file:/run/key", "X-Plain": "Bearer v file",
            "X-Bearer": "Bearer file:/run/token", "X-Basic": "Basic env:SECRET"
        });
        json!({"jwksUrl": "https://idp.example/", "clientConfig": {"tls": {"ca": ca}, "headers": headers}})
    };
    assert_eq!(client(&config("/ca.pem")).ca, Some(TextSource::File("/ca.pem".to_owned())));
    assert_eq!(client(&config("file:/ca.pem")).ca, Some(TextSource::File("/ca.pem".to_owned())));
    let inline = client(&config(&CERTIFICATE.replace('\n', "\\n")));
    assert_eq!(inline.ca, Some(TextSource::Inline(CERTIFICATE.to_owned())));
    let expected = [
        ("Authorization", "", TextSource::Inline(SECRET.to_owned())),
        ("X-Basic", "Basic", TextSource::Inline(SECRET.to_owned())),
        ("X-Bearer", "Bearer", TextSource::File("/run/token".to_owned())),
        ("X-Key", "", TextSource::File("/run/key".to_owned())),
        ("X-Plain", "", TextSource::Inline("Bearer v file".to_owned())),
    ];
    let header = |(name, scheme, value): (&str, &str, TextSource)| RequestHeader {
        name: name.to_owned(),
        scheme: scheme.to_owned(),
        value,
    };
    assert_eq!(inline.server.headers, expected.map(header));
}

#[test]
fn issuers_are_split_only_where_a_url_follows_every_comma() {
    for (issuer, expected) in [
        (json!("https://a/"), vec!["https://a/"]),
        (json!("a, b"), vec!["a, b"]),
        (json!("https://a/, https://b/"), vec!["https://a/", "https://b/"]),
        (json!(["a,b", "https://a/,https://b/"]), vec!["a,b", "https://a/,https://b/"]),
        (json!("[\"a,b\", \"c\"]"), vec!["a,b", "c"]),
    ] {
        assert_eq!(compiled(&keyed(&json!({"issuer": issuer}))).issuers[0].names, expected, "{issuer}");
    }
}

#[test]
fn empty_lists_and_objects_are_empty_texts_in_files() {
    let native = json!({
        "jwks": "", "keys": {}, "clientConfig": {"headers": {}, "tls": {}}, "jwksCache": {}, "forwardHeaders": {},
        "errors": {"cors": []}, "resourceMetadata": {}, "verdictHeader": {}, "bypassPaths": [], "tests": []
    });
    let mut texts = native.clone();
    for value in texts.as_object_mut().unwrap().values_mut() {
        if value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(|object| object.is_empty())
        {
            *value = json!("");
        }
    }
    texts["clientConfig"] = json!({"headers": "", "tls": ""});
    texts["errors"] = json!({"cors": ""});
    let policy = compiled(&keyed(&native));
    assert!(policy.forward.managed.rows().is_empty());
    assert_eq!(format!("{policy:?}"), format!("{:?}", compiled(&keyed(&texts))));
}

/// Where no proof of DPoP is read, a header of its name is one like others.
#[test]
fn a_claim_may_be_forwarded_as_dpop_beside_mtls() {
    let config = json!({"proofs": {"mtls": "required"}, "forwardHeaders": {"DPoP": "sub"}});
    assert!(compiled(&keyed(&config)).forward.managed.contains("DPoP"));
}

#[test]
fn an_issuer_is_discovered_with_and_without_a_slash() {
    let config = json!({"discovery": true, "issuer": ["https://idp.example", "https://idp.example/"]});
    let policy = compiled(&config);
    let KeySource::Url(keys) = &policy.issuers[0].keys[0] else { panic!("not fetched") };
    let KeyLocation::Discovery { issuers, .. } = &keys.location else { panic!("{:?}", keys.location) };
    assert_eq!(issuers, &["https://idp.example", "https://idp.example/"]);
}

#[test]
fn an_issuer_says_otherwise_or_inherits() {
    let mut config = example("everything");
    config["trustedIssuers"] = json!([
        {"issuer": "https://b.example", "signingSecret": SECRET, "audience": "b"},
        {
            "issuer": "https://c.example/{tenant}/", "tenants": ["x", "y"], "signingSecret": SECRET,
            "tokenType": "at+jwt", "maxLifetimeSeconds": 60, "maxAgeSeconds": 0, "scopes": {"required": ["orders"]},
            "claims": "Exists(`c`)", "forwardHeaders": {"X-C": "sub"}
        }
    ]);
    let policy = compiled(&config);
    let [top, b, c] = policy.issuers.as_slice() else { panic!("{policy:?}") };
    assert_eq!(b.claims, ClaimRules { audience: vec!["b".into()], ..top.claims.clone() });
    assert_eq!(c.claims.audience, top.claims.audience);
    assert_eq!(c.claims.token_type, TokenType::Typ("at+jwt".into()));
    assert_eq!(c.claims.time.max_lifetime, Some(Seconds(60)));
    assert_eq!(c.claims.time.max_age, None);
    assert_eq!(c.claims.scopes.as_ref().unwrap().required, ["orders"]);
    assert_eq!(c.claims.expression.as_ref().unwrap().source(), "Exists(`c`)");
    assert!(c.names.is_empty() && !c.accepts_any());
    assert_eq!(policy.issuer(Some("https://c.example/x/")).map(|(id, _)| id), Some(IssuerId(2)));
    assert_eq!(policy.issuer(Some("https://c.example/z/")).map(|(id, _)| id), None);
    let filled = |issuer| {
        let rows = policy.forward.managed.rows().iter().filter(move |row| row.is_filled_by(IssuerId(issuer)));
        rows.filter(|row| matches!(row.source(), Source::Claim(_))).map(Managed::name).collect::<Vec<_>>()
    };
    assert_eq!((filled(0), filled(2)), (filled(1), vec!["X-C"]));
    assert!(filled(0).contains(&"X-User-Sub") && !filled(0).contains(&"X-C"));
}

/// What is written holds for the beginning and for the end of a token; an entry that writes nothing has that of the top
/// level.
#[test]
fn clock_skew() {
    let entry = |own: Value| {
        let mut entry = json!({"issuer": "https://b.example/", "jwksUrl": "https://b.example/keys"});
        entry.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        entry
    };
    for (top, own, expected) in [
        (json!({}), json!({}), [(0, 10), (0, 10)]),
        (json!({"clockSkewSeconds": 0}), json!({}), [(0, 0), (0, 0)]),
        (json!({"clockSkewSeconds": "30"}), json!({"clockSkewSeconds": 0}), [(30, 30), (0, 0)]),
        (json!({}), json!({"clockSkewSeconds": 5}), [(0, 10), (5, 5)]),
    ] {
        let mut config = json!({"jwksUrl": "https://a.example/keys", "issuer": "https://a.example/"});
        config.as_object_mut().unwrap().extend(top.as_object().unwrap().clone());
        config["trustedIssuers"] = json!([entry(own)]);
        let policy = compiled(&config);
        let times = policy.issuers.iter().map(|issuer| issuer.claims.time);
        let found: Vec<_> = times.map(|time| (time.clock_skew.0, time.ahead.0)).collect();
        assert_eq!(found, expected, "{config}");
    }
}

#[test]
fn token_places() {
    let header = |name: &str, scheme: &str| TokenPlace::Header { name: name.into(), form: scheme.into() };
    let query = |name: &str| TokenPlace::Query { name: name.into() };
    let cookie = |name: &str| TokenPlace::Cookie { name: name.into(), form: "".into() };
    let prefix = |prefix: &str, is_encoded| TokenPlace::WebSocketPrefix {
        prefix: prefix.into(),
        encoding: if is_encoded { Encoding::Base64url } else { Encoding::Plain },
    };
    let bearer = header("Authorization", "Bearer");
    for (config, expected) in [
        (json!({}), vec![bearer.clone()]),
        (json!({"tokenKey": "t"}), vec![bearer.clone(), query("t")]),
        (json!({"tokenQueryKey": "t"}), vec![bearer.clone(), query("t")]),
        (json!({"tokenKey": ""}), vec![bearer]),
        (json!({"tokenSources": [{"cookie": "c"}], "tokenKey": "t"}), vec![cookie("c"), query("t")]),
        (json!({"tokenSources": [{"query": "t"}], "tokenKey": "t"}), vec![query("t")]),
        (
            json!({"tokenSources": [{"header": "authorization", "scheme": ""}]}),
            vec![header("authorization", "")],
        ),
        (
            json!({"tokenSources": "[{\"header\": \"X-T\", \"scheme\": \"Token\"}]"}),
            vec![header("X-T", "Token")],
        ),
        (
            json!({"tokenSources": [{"header": "Authorization"}, {"header": "X-T"}]}),
            vec![header("Authorization", "Bearer"), header("X-T", "")],
        ),
        (
            json!({"tokenSources": [{"header": "Authorization", "scheme": ""}]}),
            vec![header("Authorization", "")],
        ),
        (
            json!({"tokenSources": [
                {"header": "Authorization", "scheme": "Bearer?"}, {"cookie": "auth:token/@[x]"},
                {"webSocketPrefix": "k8s.", "encoding": "base64url"}, {"webSocketPrefix": "bearer."},
            ]}),
            vec![
                header("Authorization", "Bearer?"),
                cookie("auth:token/@[x]"),
                prefix("k8s.", true),
                prefix("bearer.", false),
            ],
        ),
    ] {
        assert_eq!(compiled(&keyed(&config)).token.places, expected, "{config}");
    }
}
