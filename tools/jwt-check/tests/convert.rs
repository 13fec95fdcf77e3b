//! `jwt-check convert`: nine blocks that users have, and that nothing of any block is lost.
mod common;

use common::{Files, has_names, run};
use proptest::prelude::*;
use serde_json::{Value, json};

fn convert(text: &str, arguments: &[&str]) -> (u8, Value) {
    let words = [&["convert", "old.yml", "--format", "json"], arguments].concat();
    let (code, output) = run(&words, &Files::of("old.yml", text));
    // Remarks are behind it.
    let report = output.split_once("\n}\n").map_or(json!(output), |(report, _)| {
        serde_json::from_str(&format!("{report}}}")).unwrap_or_default()
    });
    (code, report)
}

fn middleware(options: &Value) -> String {
    json!({"http": {"middlewares": {"j": {"plugin": {"jwt": options}}}}}).to_string()
}

/// JSON of ASCII alone: YAML forbids some of the rest where it is not escaped.
fn ascii(json: &str) -> String {
    let escaped = |c: char| match c {
        ' '..='~' => c.to_string(),
        _ => format!("\\u{:04x}", u32::from(c)),
    };
    json.chars().map(escaped).collect()
}

/// Files in `old/`, each with what becomes of it beside it. The results load, and their tests pass.
#[test]
fn nine_blocks() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old");
    for (name, code, allowed) in [("agilezebra", 0, 9), ("traefik-hub", 0, 4), ("traefik-jwt-plugin", 1, 5)] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.yml"))).unwrap();
        let (found, report) = convert(&text, &[]);
        assert_eq!((found, &report["check"]["verdict"]), (code, &json!("good")), "{report:#}");
        let yaml = report["yaml"].as_str().unwrap();
        let path = folder.join(format!("{name}.converted.yml"));
        if std::env::var_os("WRITE_CONVERTED").is_some() {
            std::fs::write(&path, yaml).unwrap();
        }
        assert_eq!(yaml, std::fs::read_to_string(path).unwrap(), "{name}");
        assert_eq!(report["middlewares"].as_array().unwrap().len(), 3);
        has_names(&report, "{verdict, middlewares, check, yaml}");
        has_names(
            &report["middlewares"][0],
            "{name, from, options, tests, mapped, dropped, acceptsMore, stricter, byHand}",
        );
        assert!(yaml.matches("expect: allow").count() >= allowed, "{yaml}");
        // It is checked as a file, too.
        assert_eq!(run(&["the.yml"], &Files::of("the.yml", yaml)).0, 0, "{yaml}");
    }
}

/// The rules of docs/jwt-check.md, one row each: the old block, a part of the new one, and what has to be said.
#[test]
fn rules() {
    let pem = "-----BEGIN RSA PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEy3FSbSf22PAnkryyXQSmJv9qUGuGC9YZ/OpCcCzXb57MZzLsx0giOYzXyLd1gVO+daTC3I1nIXqUrinqAco49A==\n-----END RSA PUBLIC KEY-----\n";
    let strong = "Xo4vZm0cQ1pTn8sRk2yLw7uHb5jEd9fG";
    let rows = [
        // Keys.
        (
            json!({"secret": "mysuperlongsecret"}),
            json!({"signingSecret": "env:JWT_SECRET"}),
            "byHand",
            "the old secret is refused here",
        ),
        (json!({"secret": strong}), json!({"signingSecret": strong}), "yaml", ""),
        (json!({"secret": pem}), json!({"publicKey": pem}), "yaml", ""),
        (
            json!({"secrets": {"a": pem, "b": strong, "c": "short", "d": "short"}}),
            json!({"keys": {"a": pem, "b": strong, "c": "env:JWT_SECRET", "d": "env:JWT_SECRET_2"}}),
            "byHand",
            "secrets.d",
        ),
        (
            json!({"secret": "WG80dlptMGNRMXBUbjhzUmsyeUx3N3VIYjVqRWQ5Zkc=", "secretBase64Encoded": true}),
            json!({"signingSecretBase64Encoded": true}),
            "yaml",
            "",
        ),
        (
            json!({"Keys": [strong, "another-secret-of-32-bytes-or-more-xyz"]}),
            json!({"signingSecret": strong, "jwks": {"keys": [{"kty": "oct", "k": "YW5vdGhlci1zZWNyZXQtb2YtMzItYnl0ZXMtb3ItbW9yZS14eXo"}]}}),
            "yaml",
            "",
        ),
        (
            json!({"Keys": [strong, "short"]}),
            json!({"signingSecret": strong}),
            "byHand",
            "Keys[1]: the old secret is refused here",
        ),
        (
            json!({"Keys": [strong, "env:OTHER"]}),
            json!({"signingSecret": strong}),
            "byHand",
            "Keys[1]: a further secret that is kept elsewhere",
        ),
        (
            json!({"Keys": ["https://a/k", "https://b/k"]}),
            json!({"jwksUrl": "https://a/k"}),
            "byHand",
            "https://b/k",
        ),
        (
            json!({"Keys": "http://a/k"}),
            json!({"clientConfig": {"allowHttp": true}}),
            "yaml",
            "the network chooses the keys",
        ),
        // Issuers.
        (
            json!({"issuers": ["https://a/"]}),
            json!({"issuer": ["https://a/", "https://a"], "discovery": true}),
            "yaml",
            "a slash at the end",
        ),
        (
            json!({"issuers": "https://a,https://b"}),
            json!({"trustedIssuers": [{"issuer": ["https://a", "https://a/"], "discovery": true}, {"issuer": ["https://b", "https://b/"], "discovery": true}]}),
            "yaml",
            "",
        ),
        (
            json!({"issuers": ["https://a", "https://b"], "validMethods": ["RS256", "HS256"], "secret": strong}),
            json!({"algorithms": ["RS256", "HS256"], "trustedIssuers": [
             {"issuer": ["https://a", "https://a/"], "discovery": true, "algorithms": "RS256"},
             {"issuer": ["https://b", "https://b/"], "discovery": true, "algorithms": "RS256"}]}),
            "yaml",
            "",
        ),
        (
            json!({"issuers": ["https://*.a.example"]}),
            json!({}),
            "byHand",
            "a token never chooses where keys come from",
        ),
        (
            json!({"issuers": [{"issuer": "https://*.a.example", "jwks": "https://a/k"}]}),
            json!({"issuer": "https://{tenant}.a.example", "jwksUrl": "https://a/k"}),
            "yaml",
            "",
        ),
        // Claims.
        (
            json!({"issuers": ["https://a"], "require": {"iss": "https://a", "aud": ["x", "y"], "role": "r"}}),
            json!({"issuer": "https://a", "audience": ["x", "y"], "claims": "OneOf(`role`, `r`)"}),
            "yaml",
            "",
        ),
        (
            json!({"secret": strong, "require": {"role": ["a", {"$and": ["b", "c"]}], "x.y": {"z": "1"}}}),
            json!({"claims": "(OneOf(`role`, `a`) || OneOf(`role`, `b`) && OneOf(`role`, `c`)) && OneOf(`x\\.y.z`, `1`)"}),
            "yaml",
            "",
        ),
        (
            json!({"secret": strong, "require": {"$or": [{"a": "1"}, {"b": "2", "c": "3"}]}}),
            json!({"claims": "OneOf(`a`, `1`) || OneOf(`b`, `2`) && OneOf(`c`, `3`)"}),
            "yaml",
            "",
        ),
        (
            json!({"secret": strong, "require": {"aud": "{{.Host}}"}}),
            json!({"claims": "OneOf(`aud`, `{host}`)"}),
            "acceptsMore",
            "no port",
        ),
        (
            json!({"secret": strong, "require": {"a": "{{.Path}}", "b": "c"}}),
            json!({"claims": "Exists(`to be written by hand`) && OneOf(`b`, `c`)"}),
            "byHand",
            "require.a",
        ),
        (
            json!({"secret": strong, "require": {"{{.Host}}": "c"}}),
            json!({"claims": "Exists(`to be written by hand`)"}),
            "byHand",
            "cannot depend on the request",
        ),
        (
            json!({"secret": strong, "require": {"a": "{path}`\"\\"}}),
            json!({"claims": "OneOf(`a`, \"\\{path}`\\\"\\\\\")"}),
            "yaml",
            "",
        ),
        (
            json!({"secret": strong, "require": {"scope": ["a", "b"]}}),
            json!({"scopes": {"required": ["a", "b"], "match": "any"}}),
            "acceptsMore",
            "scopes",
        ),
        (
            json!({"secret": strong, "require": {"a": []}}),
            json!({"claims": "Exists(`to be written by hand`)"}),
            "byHand",
            "an empty list",
        ),
        (
            json!({"secret": strong, "require": {"a": {"$not": "b"}}}),
            json!({"claims": "Exists(`to be written by hand`)"}),
            "byHand",
            "$and and $or",
        ),
        // Defaults.
        (
            json!({"secret": strong}),
            json!({"requiredClaims": "none", "tokenSources": [{"cookie": "Authorization"}, {"header": "Authorization", "scheme": "Bearer?"}]}),
            "yaml",
            "There, exp was not asked for",
        ),
        (
            json!({"secret": strong, "cookieName": "", "parameterName": "t", "forwardToken": "false", "optional": "true"}),
            json!({"tokenSources": [{"header": "Authorization", "scheme": "Bearer?"}, {"query": "t"}], "forwardAuthorization": false, "mode": "optional"}),
            "yaml",
            "",
        ),
        (
            json!({"jwksUrl": "https://a/k", "stripAuthorizationHeader": false}),
            json!({"forwardAuthorization": true}),
            "yaml",
            "",
        ),
        (
            json!({"jwksUrl": "https://a/k", "forwardHeaders": {"A": "b"}}),
            json!({"forwardAuthorization": false, "missingClaim": "empty"}),
            "yaml",
            "token is stripped",
        ),
        (
            json!({"Keys": [strong], "PayloadFields": ["exp"], "Aud": "a"}),
            json!({"requiredClaims": ["exp"], "audience": "a"}),
            "stricter",
            "only if PayloadFields has aud",
        ),
        (
            json!({"Keys": [strong], "JwtSources": [{"type": "header", "key": "X"}, {"type": "bearer", "key": "Y"}, {"type": "form", "key": "Z"}]}),
            json!({"tokenSources": [{"header": "X", "scheme": ""}, {"header": "Y"}]}),
            "dropped",
            "JwtSources[2]",
        ),
        // Dropped.
        (
            json!({"secret": strong, "redirectUnauthorized": "/login"}),
            json!({}),
            "byHand",
            "redirectUnauthorized: found",
        ),
        (
            json!({"secret": strong, "redirectUnauthorized": "https://a/{{.Path}}"}),
            json!({}),
            "byHand",
            "the only variable here",
        ),
        (
            json!({"secret": strong, "freshness": 60, "delayPrefetch": "5s", "insecureSkipVerify": ["a"], "logUnauthorized": "warn"}),
            json!({}),
            "dropped",
            "insecureSkipVerify",
        ),
        (
            json!({"secret": strong, "redirectForbidden": "https://a/"}),
            json!({}),
            "dropped",
            "no effect without redirectUnauthorized",
        ),
        (
            json!({"secret": strong, "redirectUnauthorized": "https://a/?u={{URLQueryEscape .URL}}", "redirectForbidden": "https://a/no"}),
            json!({"errors": {"redirectUrl": "https://a/?u={url}", "forbiddenRedirectUrl": "https://a/no"}}),
            "yaml",
            "",
        ),
        (
            json!({"Keys": [strong], "OpaUrl": "http://opa/", "OpaBody": true}),
            json!({}),
            "acceptsMore",
            "http://opa/",
        ),
        (
            json!({"secret": strong, "unheardOf": 1}),
            json!({}),
            "byHand",
            "unheardOf: agilezebra/jwt-middleware has no such option",
        ),
    ];
    for (old, new, place, says) in rows {
        let (_, report) = convert(&middleware(&old), &[]);
        let one = &report["middlewares"][0];
        for (name, value) in new.as_object().unwrap() {
            assert_eq!(&one["options"][name], value, "{old}: {report:#}");
        }
        let said = if place == "yaml" { &report["yaml"] } else { &one[place] };
        let said = said.as_str().map_or_else(|| said.to_string(), str::to_owned);
        assert!(said.split_whitespace().collect::<Vec<_>>().join(" ").contains(says), "{says}: {report:#}");
        // It loads, unless it has no keys any more.
        let has_keys = ["wildcard", "*"].iter().all(|mark| !old.to_string().contains(mark))
            || one["options"].get("jwksUrl").is_some();
        assert_eq!(report["check"]["verdict"] == "good", has_keys, "{old}: {report:#}");
    }
}

#[test]
fn which_middleware_it_is() {
    let own = middleware(&json!({"jwksUrl": "https://a/k", "issuer": "https://a"}));
    assert_eq!(convert(&own, &[]).0, 2);
    assert_eq!(convert(&own, &["--from", "hub"]).0, 0);
    assert_eq!(convert("a: b\nservices: {}\n", &[]).0, 2);
    assert_eq!(run(&["convert", "--from", "x", "f"], &Files::of("f", "")).0, 2);
    let labels = "services:\n  a:\n    labels:\n    - traefik.http.middlewares.j.plugin.jwt.issuers=https://a\n    \
                  - traefik.http.middlewares.j.plugin.jwt.require.aud=api\n    - traefik.http.middlewares.j.plugin.jwt.headermap.X-User=sub\n";
    let (code, report) = convert(labels, &[]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(report["middlewares"][0]["options"]["forwardHeaders"], json!({"X-User": "sub"}));
}

/// What is written can be read, whatever is in the old block.
#[test]
fn the_result_is_yaml() {
    let strong = "Xo4vZm0cQ1pTn8sRk2yLw7uHb5jEd9fG";
    let named = |name: &str, plugin: &str| json!({"http": {"middlewares": {name: {"plugin": {plugin: {"secret": strong}}}}}});
    let long = "long".repeat(1_000);
    for (name, plugin) in [("a\nb", "jwt"), ("a: b #", "jwt"), ("j", " p\r\nq"), ("~", "1"), (&long, &long)] {
        let (code, report) = convert(&yaml_serde::to_string(&named(name, plugin)).unwrap(), &[]);
        let middleware = &report["check"]["middlewares"][0];
        assert_eq!(
            (code, &middleware["name"], &middleware["plugin"]),
            (0, &json!(name), &json!(plugin)),
            "{report:#}"
        );
    }
    // What JSON allows and YAML does not, in options, remarks and samples.
    let foreign = "a\u{7f}\u{80}\u{85}\u{9f}\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}b";
    let old = json!({"Keys": [strong], "Iss": format!("a, {foreign}"), foreign: foreign});
    let (_, report) = convert(&ascii(&middleware(&old)), &["--from", "traefik-jwt-plugin"]);
    let yaml = report["yaml"].as_str().unwrap();
    assert!(yaml.contains("\"of a\\u007f"), "{yaml}");
    assert_eq!(report["check"]["middlewares"][0]["name"], "j", "{report:#}");
    // No label is a template, but every file is.
    let labels = ["secret=Xo4vZm0cQ1pTn8sRk2yLw7uHb5jEd9fG", "issuers={{ env \"SET\" }}{{x}}"];
    let labels = labels.map(|label| format!("traefik.http.middlewares.j.plugin.jwt.{label}\n")).concat();
    let (code, report) = convert(&labels, &[]);
    let written = r#"'{{`{{`}} env "SET" }}{{`{{`}}x}}'"#;
    assert!(report["yaml"].as_str().unwrap().contains(written), "{code} {report:#}");
    // Tests that are there stay.
    let tests = json!([{"name": "x", "claims": {"aud": "api"}, "expect": "allow"}]);
    let own = middleware(
        &json!({"jwksUrl": "https://a/k", "usernameClaim": "sub", "audience": "api", "tests": tests}),
    );
    let (code, report) = convert(&own, &[]);
    assert_eq!((code, &report["middlewares"][0]["options"]["tests"]), (0, &tests), "{report:#}");
}

/// Of several blocks with one name none is lost in silence.
#[test]
fn blocks_of_one_name() {
    let resource = |namespace: &str, secret: &str| {
        let metadata = json!({"name": "j", "namespace": namespace});
        json!({"kind": "Middleware", "metadata": metadata, "spec": {"plugin": {"jwt": {"secret": secret}}}})
            .to_string()
    };
    let [one, two] = ["Xo4vZm0cQ1pTn8sRk2yLw7uHb5jEd9fG", "another-secret-of-32-bytes-or-more-xyz"];
    for (resources, code, count, by_hand) in [
        ([resource("a", one), resource("b", two)], 0, 2, 0),
        ([resource("a", one), resource("a", one)], 0, 1, 0),
        ([resource("a", one), resource("a", two)], 1, 1, 1),
    ] {
        let (found, report) = convert(&resources.join("\n---\n"), &[]);
        let blocks = report["middlewares"].as_array().unwrap();
        assert_eq!(
            (found, blocks.len(), blocks[0]["byHand"].as_array().unwrap().len()),
            (code, count, by_hand),
            "{report:#}"
        );
    }
}

/// Texts that are found again.
fn leaf() -> impl Strategy<Value = Value> {
    (0_u32..1000).prop_map(|number| json!(format!("value-{number:04}-x")))
}

fn requirement() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            list.clone().prop_map(Value::Array),
            list.clone().prop_map(|list| json!({"$and": list})),
            list.prop_map(|list| json!({"$or": list})),
            prop::collection::btree_map("[a-z.{`]{1,6}", inner, 1..3).prop_map(|members| json!(members)),
        ]
    })
}

const ISSUERS: &[&str] =
    &["https://value-1001-x.example", "https://value-1002-x.example/", "https://value-1003-x.example"];

fn agilezebra() -> impl Strategy<Value = Value> {
    let require = prop::collection::btree_map("[a-z]{1,4}|aud|scope|iss", requirement(), 0..4);
    let more = prop::sample::subsequence(
        vec![
            ("cookieName", json!("value-2000-x")),
            ("headerName", json!("value-2001-x")),
            ("parameterName", json!("value-2002-x")),
            ("redirectUnauthorized", json!("https://value-2003-x.example/?a={{.URL}}")),
            ("redirectForbidden", json!("https://value-2004-x.example/")),
            ("headerMap", json!({"X-A": "value-2005-x", "X-B": "value-2006-x.b"})),
            ("rootCAs", json!(["/value-2007-x.pem"])),
            ("insecureSkipVerify", json!(["value-2008-x"])),
            ("unauthenticatedMethods", json!(["VALUE-2009-X"])),
            ("validMethods", json!(["RS256", "ES256"])),
            ("freshness", json!(60)),
            ("optional", json!(true)),
            ("unheardOf", json!({"a": "value-2010-x"})),
        ],
        0..14,
    );
    (require, more, prop::sample::subsequence(ISSUERS.to_vec(), 1..4)).prop_map(|(require, more, issuers)| {
        let always = [("issuers", json!(issuers)), ("require", json!(require))];
        let members = always.into_iter().chain(more);
        Value::Object(members.map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

/// Every path of a value, with the text where it is one.
fn paths(value: &Value, path: &str, found: &mut Vec<(String, Option<String>)>) {
    if !path.is_empty() {
        found.push((path.to_owned(), value.as_str().map(str::to_owned)));
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        paths(inner, &if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, found);
    }
    for (at, inner) in value.as_array().into_iter().flatten().enumerate() {
        paths(inner, &format!("{path}[{at}]"), found);
    }
}

proptest! {
    /// Each option of the old block is mapped or dropped, each text of it is in the new one or below what is dropped, and
    /// the result loads with its tests.
    #[test]
    fn nothing_is_lost(block in agilezebra()) {
        let (_, report) = convert(&middleware(&block), &[]);
        let one = &report["middlewares"][0];
        let listed = |list: &str| -> Vec<String> {
            let fates = one[list].as_array().unwrap();
            fates.iter().map(|fate| fate["path"].as_str().unwrap().to_owned()).collect()
        };
        let (mapped, dropped) = (listed("mapped"), listed("dropped"));
        let options = one["options"].to_string();
        let mut all = Vec::new();
        paths(&block, "", &mut all);
        for (path, text) in all {
            let is_below = |lists: &[String]| lists.iter().any(|known| {
                path.strip_prefix(known.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
            });
            prop_assert!(is_below(&mapped) || is_below(&dropped), "{path} of {block}: {report:#}");
            if let Some(text) = text {
                let text = text.replace("{{.URL}}", "{url}").replace("x.b", "x\\\\.b");
                prop_assert!(options.contains(&text) || is_below(&dropped), "{text} at {path} of {block}: {report:#}");
            }
        }
        let problems: Vec<&Value> = report["check"]["middlewares"].as_array().unwrap().iter().flat_map(|one| one["problems"].as_array().unwrap()).collect();
        prop_assert!(problems.is_empty(), "{block}: {report:#}");
    }
}
