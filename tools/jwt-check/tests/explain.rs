//! `jwt-check explain`: exit codes, the step that fails, and that no signature is printed.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod common;

use common::{Files, has_names, run};
use serde_json::{Value, json};
use testbed::proofs::{Proof, public_jwk, sha256, thumbprint};
use testbed::tokens::Token;
use testbed::{keys, wait};

/// Runs the command on `config`, as a middleware of a dynamic configuration.
fn explain(config: &Value, arguments: &[&str]) -> (u8, String) {
    let dynamic = json!({"http": {"middlewares": {
        "other": {"headers": {}}, "jwt": {"plugin": {"jwt": config}}
    }}});
    run(&[&["explain", "f.json"], arguments].concat(), &Files::of("f.json", &dynamic.to_string()))
}

fn token(claims: &[(&str, Value)]) -> String {
    let exp = wait::unix_now().saturating_add(300);
    let base = json!({"iss": "https://idp.example/", "sub": "alice", "exp": exp});
    let base = base.as_object().unwrap().clone().into_iter();
    let more = claims.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    Token::new("EdDSA", Value::Object(base.chain(more).collect())).mint()
}

#[test]
fn exit_codes_steps_and_no_signature() {
    let inline = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/", "scopes": {"required": "read"},
        "claims": "Equals(`tenant`, `{path.0}`)"
    });
    let query = json!({
        "jwks": keys::public_set(), "tokenSources": [{"query": "t"}], "audience": "api",
        "errors": {"redirectUrl": "https://login.example/?next={url}"}
    });
    let remote = json!({"jwksUrl": "https://idp.example/jwks.json", "issuer": "https://idp.example/"});
    let open = json!({"jwks": keys::public_set(), "bypassPaths": ["/health"]});
    let tenant = [("tenant", json!("acme")), ("scope", json!("read"))];
    let (good, no_scope, old) = (token(&tenant), token(&tenant[..1]), token(&[("exp", json!(1000))]));
    let bound = token(&[&tenant[..], &[("cnf", json!({"jkt": "a"}))]].concat());
    for (name, config, token, arguments, code, says) in [
        ("allow", &inline, &good, &["--path", "/acme/x"][..], 0, "\nallow\n"),
        ("open", &inline, &good, &["--path", "/acme/x"], 0, "warning         no audience is set: tokens"),
        ("tenant", &inline, &good, &["--path", "/other/x"], 1, "Equals(`tenant`, `{path.0}`) is false"),
        ("header", &inline, &good, &["--header", "X-A: b"], 1, "deny: claims_rejected with status 403"),
        ("scope", &inline, &no_scope, &["--path", "/acme/x"], 1, "fails here      scope_insufficient"),
        ("bound", &inline, &bound, &["--path", "/acme/x"], 1, "fails here      proof_missing"),
        ("expired", &inline, &old, &[], 1, "fails here      token_expired"),
        ("earlier", &inline, &old, &["--now", "999"], 1, "fails here      scope_insufficient"),
        (
            "browser",
            &query,
            &good,
            &["--path", "/?a=1", "--header", "Sec-Fetch-Mode: navigate"],
            1,
            "Location: https://login.example/?next=%2F%3Fa%3D1\n",
        ),
        ("remote", &remote, &good, &[], 2, "cannot tell"),
        (
            "no token",
            &open,
            &good,
            &["--path", "/health"],
            0,
            "bypass          no token is needed for this path",
        ),
    ] {
        let (found, text) = explain(config, &[&["--token", token], arguments].concat());
        assert_eq!(found, code, "{name}: {}", text);
        assert!(text.contains(says), "{name}: {}", text);
        let signature = token.rsplit_once('.').unwrap().1;
        assert!(!text.contains(signature), "{name}: {}", text);
        // A check says what it compares, and nothing where its option is left out.
        assert!(!text.contains("is checked"), "{name}: {}", text);
    }
}

/// Which rule a request is under, and what of it is not met.
#[test]
fn rules_of_requests() {
    let config = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/", "clients": ["web"], "scopeImplies": {"admin": ["*"]},
        "rules": [
            {"methods": ["DELETE"], "scopes": {"required": "delete"}, "stepUp": {"acr": ["phr"], "maxAgeSeconds": 300}},
            {"methods": ["GET"], "paths": ["/orders/*"], "scopes": {"required": "read"}},
            {"paths": ["/public/*"], "token": "none"},
            {"headers": {"Mcp-Method": "tools/call"}},
        ],
    });
    let of = |client: &str, scope: &str| token(&[("azp", json!(client)), ("scope", json!(scope))]);
    let (reader, admin, stranger) = (of("web", "read"), of("web", "admin"), of("other", "admin"));
    for (token, arguments, code, says) in [
        (&reader, &["--path", "/orders/1"][..], 0, "rules[1] is the first that matches"),
        (&admin, &["--path", "/orders/1"], 0, "\nallow\n"),
        (&of("web", "write"), &["--path", "/orders/1"], 1, "fails here      scope_insufficient"),
        (&reader, &["--method", "DELETE"], 1, "fails here      scope_insufficient"),
        (&admin, &["--method", "DELETE"], 1, "fails here      step_up_required"),
        (&admin, &["--method", "PATCH"], 1, "fails here      mcp_header_invalid"),
        (&admin, &["--path", "/orders/..%2f1"], 1, "fails here      rule_missing"),
        (&reader, &["--path", "/public/a"], 0, "no token is needed under the rule of this request"),
        (&stranger, &["--path", "/orders/1"], 1, "fails here      client_not_accepted"),
    ] {
        let (found, text) = explain(&config, &[&["--token", token], arguments].concat());
        assert_eq!(found, code, "{arguments:?}: {text}");
        assert!(text.contains(says), "{arguments:?}: {text}");
    }
}

/// Where the middleware answers proxies, the request is the one that is asked about.
#[test]
fn a_proxy_asks() {
    let config = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/", "answerAs": "forwardAuth", "trustedPeers": "192.0.2.0/24",
        "forwardHeaders": {"X-User": "sub"}, "claims": "Equals(`sub`, `{path.0}`) && Equals(`host`, `{host.0}`)"
    });
    let token = token(&[("host", json!("api"))]);
    let words = ["--token", &token, "--method", "PUT", "--header", "Host: api.example"];
    let (code, text) = explain(&config, &[&words[..], &["--path", "/alice/1"]].concat());
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("\nallow: the proxy that asks may pass the request on\n"), "{text}");
    assert!(text.contains("  the upstream gets X-User: alice, if the proxy copies it\n"), "{text}");
    let (code, text) = explain(&config, &[&words[..], &["--path", "/bob/1"]].concat());
    assert!(code == 1 && text.contains("fails here      claims_rejected"), "{text}");
    let (_, text) = explain(&config, &[&words[..], &["--path", "/alice/1", "--format", "json"]].concat());
    let report: Value = serde_json::from_str(&text).unwrap();
    let user = json!({"name": "X-User", "value": "alice"});
    assert!(report["answer"]["headers"].as_array().unwrap().contains(&user), "{text}");
}

/// The steps and the decision are those of one walk: a scheme that is there twice fails in both.
#[test]
fn the_step_that_fails_is_the_one_that_decides() {
    let config = json!({"jwks": keys::public_set(), "tokenSources": [{"header": "Authorization"}]});
    let header = format!("Authorization: Bearer Bearer {}", token(&[]));
    let (code, text) = explain(&config, &["--header", &header]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("fails here      scheme_unexpected"), "{text}");
    assert!(text.contains("deny: scheme_unexpected with status 400"), "{text}");
    assert!(!text.contains("header          alg"), "{text}");
}

/// What the token has and what is asked for, in every step and at the end, and in no form of the language.
#[test]
fn both_values_of_each_step() {
    let config = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/", "audience": ["api", "b c"],
        "scopes": {"required": ["read", "write"]}, "tokenType": "JWT", "maxAgeSeconds": 600
    });
    let now = wait::unix_now();
    let mut token = Token::new(
        "EdDSA",
        json!({
            "iss": "https://idp.example/", "exp": now + 300, "iat": now - 60, "aud": "api", "scope": "read x"
        }),
    );
    token.header.insert("typ".into(), json!("JWT"));
    let (pasted, at) = (format!("Bearer {}", token.mint()), now.to_string());
    let (code, text) = explain(&config, &["--token", &pasted, "--now", &at]);
    assert_eq!(code, 1, "{}", text);
    for line in [
        "header          alg EdDSA, kid ed25519, typ JWT\n",
        "issuer          iss https://idp.example/; accepted: https://idp.example/\n",
        "exp in 300 s, iat 60 s ago; clockSkewSeconds 0, maxAgeSeconds 600 of iat\n",
        "type            typ JWT; accepted: JWT\n",
        "required        exp\n",
        "audience        aud \"api\"; accepted: api \"b c\"\n",
        "scopes          read x; required: all of read write\n",
        "fails here      scope_insufficient: ",
        "  found         read x\n  expected      all of read write\n  hint          missing: write\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    for form in ["Some(", "None", "Any", "Access", "Refuse"] {
        assert!(!text.contains(form), "{form}: {text}");
    }
}

/// What a token is bound to and what came with it, which markers Traefik looks for, and a list that is here.
#[test]
fn proofs_and_revocation() {
    let config = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/",
        "proofs": {"dpop": "optional", "mtls": "optional", "origin": "https://api.example", "replay": "directory", "directory": "/r"},
        "revocation": {"directory": "/revoked", "file": "/list.jsonl"},
    });
    let jkt = thumbprint(&public_jwk("p256"));
    let bound = token(&[("jti", json!("a/1")), ("cnf", json!({"jkt": jkt}))]);
    let proof = |path: &str| {
        let htu = format!("https://api.example{path}");
        format!("DPoP: {}", Proof::new("GET", &htu, &bound, wait::unix_now()).sign())
    };
    let ask = |list: &str, headers: &[&str], token: &str| {
        let dynamic = json!({"http": {"middlewares": {"jwt": {"plugin": {"jwt": config}}}}});
        let dynamic = dynamic.to_string();
        let files = Files(vec![("f.json", &dynamic), ("/list.jsonl", list)]);
        let headers = headers.iter().flat_map(|header| ["--header", *header]);
        run(
            &["explain", "f.json", "--token", token, "--path", "/orders"]
                .into_iter()
                .chain(headers)
                .collect::<Vec<_>>(),
            &files,
        )
    };
    let (good, under) = (proof("/orders"), format!("DPoP {bound}"));
    let marker = format!("jti a/1; no marker /revoked/jti/{}; not looked for here", sha256(b"a/1"));
    let possession =
        format!("jkt {jkt}, under DPoP, 1 in DPoP; GET https://api.example/orders within 60 s, alg ES256 ");
    for (what, list, headers, token, code, says) in [
        ("good", "", &[good.as_str()][..], &bound, 0, marker.as_str()),
        ("good", "", &[&good], &bound, 0, &possession),
        ("pasted with its scheme", "", &[&good], &under, 0, "\nallow\n"),
        ("no proof", "", &[], &under, 1, "fails here      proof_missing"),
        ("another path", "", &[&proof("/other")], &bound, 1, "htu is not the URI of the request"),
        ("on the list", "{\"jti\":\"a/1\"}\n", &[&good], &bound, 1, "fails here      token_revoked"),
        (
            "another on the list",
            "{\"jti\":\"b\"}\n",
            &[&good],
            &bound,
            0,
            "jti a/1, sub alice; no entry in /list.jsonl",
        ),
    ] {
        let (found, text) = ask(list, headers, token);
        assert_eq!(found, code, "{what}: {text}");
        assert!(text.contains(says), "{what}: {says}: {text}");
    }
}

const TOML: &str = r#"
[http.routers.api]
rule = "Host(`api.example`)"
middlewares = ["jwt"]

[http.middlewares.other.headers]
frameDeny = true

[http.middlewares.jwt.plugin.jwt]
publicKey = """
PEM"""
issuer = "https://idp.example/"
clockSkewSeconds = 30
forwardAuthorization = false
tokenSources = [{header = "X-Token"}, {query = "t"}]
claims = "Equals(`method`, `{method}`) && Equals(`team`, `{header:X-Team}`)"

[http.middlewares.jwt.plugin.jwt.forwardHeaders]
X-User-Sub = "sub"

[http.middlewares.open.plugin.jwt]
publicKey = """
PEM"""
"#;

#[test]
fn toml_options_of_the_request_and_tokens_in_other_words() {
    let text = TOML.replace("PEM", keys::public_pem("ed25519"));
    let files = Files::of("dynamic.toml", &text);
    let token = token(&[("method", json!("PUT")), ("team", json!("blue"))]);
    let signature = token.rsplit_once('.').unwrap().1;
    let (in_path, in_header) = (format!("/x?a=1&t={token}"), format!("X-Token: {token}"));
    let encoded = in_path.replace('.', "%2E");
    let bearer = format!("Authorization: Bearer {token}");
    let named = ["--middleware", "jwt", "--method", "PUT", "--header", "X-Team: blue"];
    for (words, code, says) in [
        ([&named[..], &["--token", &token]].concat(), 0, "the upstream gets X-User-Sub: alice"),
        ([&named[..4], &["--token", &token]].concat(), 1, "Equals(`team`, `{header:X-Team}`) is undecided"),
        (
            [&named[..2], &named[4..], &["--token", &token]].concat(),
            1,
            "Equals(`method`, `{method}`) is false",
        ),
        (
            [&named[..], &["--header", &in_header]].concat(),
            0,
            "the upstream does not get x-token of the client",
        ),
        ([&named[..], &["--path", &in_path]].concat(), 0, "the upstream gets the path and query /x?a=1\n"),
        ([&named[..], &["--path", &encoded]].concat(), 0, "the upstream gets the path and query /x?a=1\n"),
        // The one is in no place that is looked at.
        ([&named[..], &["--header", &bearer]].concat(), 1, "fails here      token_missing"),
        (vec!["--middleware", "open", "--header", &bearer], 0, "\nallow\n"),
        (vec!["--middleware", "other", "--token", &token], 2, "there is no such middleware"),
        (vec!["--token", &token], 2, "there are several middlewares"),
        ([&named[..], &["--path"]].concat(), 2, "--path needs a value"),
        // A slip that repeats the word.
        (vec![&token, "x"], 2, "one FILE at a time"),
        (vec![&format!("--{token}"), "x"], 2, "there is not an option"),
    ] {
        let (found, text) = run(&[vec!["explain", "dynamic.toml"], words].concat(), &files);
        assert_eq!((found, text.contains(says)), (code, true), "{says}: {text}");
        assert!(!text.contains(signature), "{says}: {text}");
    }
}

#[test]
fn keys_may_come_from_a_file_and_mistakes_are_told() {
    let remote = json!({"jwksUrl": "https://idp.example/jwks.json", "issuer": "https://idp.example/"});
    let in_file = json!({"jwksFile": "/keys/set.json", "issuer": "https://idp.example/"});
    let elsewhere = json!({"jwksFile": "/not/here.json", "issuer": "https://idp.example/"});
    let discovered = json!({"discovery": true, "issuer": "https://idp.example/"});
    let (token, set) = (token(&[]), keys::public_set().to_string());
    for (config, arguments, code, says) in [
        (&discovered, &["--jwks", "/keys/set.json"][..], 0, "\nallow\n"),
        (&elsewhere, &["--jwks", "/keys/set.json"], 0, "\nallow\n"),
        (&elsewhere, &[], 2, "cannot tell"),
        (&remote, &["--jwks", "/keys/set.json"], 0, "\nallow\n"),
        (&in_file, &[], 0, "\nallow\n"),
        (&json!({"jwksURL": "x"}), &[], 2, "did you mean jwksUrl?"),
        (&json!({"signingSecret": "env:NOT_SET_HERE"}), &[], 2, "env:NOT_SET_HERE, which is not set"),
        (&remote, &["--middleware", "nobody"], 2, "there is no such middleware"),
        (&remote, &["--tokn", "x"], 2, "there is not an option --tokn"),
        (&remote, &["--help"], 0, "jwt-check explain [--token TOKEN]"),
    ] {
        let dynamic = json!({"http": {"middlewares": {"jwt": {"plugin": {"jwt": config}}}}}).to_string();
        let files = Files(vec![("f.json", &dynamic), ("/keys/set.json", &set), ("-", &token)]);
        let words = [&["explain", "f.json", "--token", "-"], arguments].concat();
        let (found, text) = run(&words, &files);
        assert_eq!((found, text.contains(says)), (code, true), "{config} {arguments:?}: {text}");
        assert!(!text.contains(token.rsplit_once('.').unwrap().1), "{text}");
    }
}

/// What programs read: every name of it, for each end of the walk.
#[test]
fn for_programs() {
    let config = json!({"jwks": keys::public_set(), "issuer": "https://idp.example/", "audience": "api"});
    let (good, bad) = (token(&[("aud", json!("api"))]), token(&[("aud", json!("b"))]));
    for (config, token, verdict, end) in [
        (&config, &good, "allow", "upstream"),
        (&config, &bad, "deny", "answer"),
        (&json!({"jwksUrl": "https://a/", "issuer": "https://idp.example/"}), &good, "cannot tell", "why"),
        (&json!({"jwksURL": "https://a/"}), &good, "cannot tell", "problems"),
    ] {
        let (_, text) = explain(config, &["--token", token, "--format", "json"]);
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["verdict"], verdict, "{text}");
        let mut common = report.clone();
        common.as_object_mut().unwrap().remove(end);
        has_names(&common, "{verdict, middleware, warnings, configuration, steps, failure}");
        assert!(!text.contains(token.rsplit_once('.').unwrap().1), "{text}");
        if end == "answer" {
            has_names(&report["failure"], "{code, description, found, expected, hint, whatToDo}");
            assert_eq!(report["failure"]["found"], "b");
            assert_eq!(report["answer"]["status"], 401);
            let steps = report["steps"].as_array().unwrap();
            has_names(&steps[0], "{step, found, expected, fails}");
            let fails: Vec<&Value> = steps.iter().filter(|step| step["fails"] == true).collect();
            let audience =
                json!({"step": "audience", "found": "aud \"b\"", "expected": "accepted: api", "fails": true});
            assert_eq!(fails, [&audience], "{text}");
        }
    }
}
