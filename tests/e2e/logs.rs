//! What an operator learns from Traefik's log: the queries of `docs/logs.md`, run on a real one.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::keys;
use testbed::tokens::{Token, tamper};
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik, root, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

fn configuration(changes: &Value) -> Value {
    let mut configuration = json!({"jwks": keys::public_set(), "issuer": "https://idp.example/"});
    for (name, value) in changes.as_object().unwrap() {
        configuration[name] = value.clone();
    }
    configuration
}

/// The messages about refusals, in order.
fn lines(traefik: &Traefik) -> Vec<String> {
    let messages = traefik.log().into_iter().filter_map(|line| {
        let line: Value = serde_json::from_str(&line).unwrap();
        Some(line["message"].as_str()?.to_owned())
    });
    let ours = |line: &String| {
        line.starts_with("traefik-jwt-auth: refused ") || line.starts_with("traefik-jwt-auth: passed ")
    };
    messages.filter(ours).collect()
}

/// The line of jq in the documentation tells who is refused and why, and no line holds a token.
pub(crate) fn refusals() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("info", OFFLINE, &configuration(&json!({})));
    routes.protect("sub", OFFLINE, &configuration(&json!({"log": {"sub": true, "refusals": "warn"}})));
    routes.protect("off", OFFLINE, &configuration(&json!({"log": {"refusals": "off"}})));
    routes.protect("debug", OFFLINE, &configuration(&json!({"log": {"refusals": "debug"}})));
    routes.protect("dry", OFFLINE, &configuration(&json!({"mode": "dryRun"})));
    routes.protect("few", OFFLINE, &configuration(&json!({"log": {"perMinute": 2}})));
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let claims = json!({"iss": "https://idp.example/", "sub": "alice", "exp": unix_now() + 600});
    let mut expired = claims.clone();
    expired["exp"] = json!(unix_now() - 10);
    let expired = Token::new("ES256", expired).mint();
    let forged = tamper(&Token::new("EdDSA", claims.clone()).mint(), "signature");
    let mut strange = Token::new("EdDSA", claims);
    strange.kid = Some(Some("a\"b\\c\n{\"level\":\"error\"}\u{202e} é".into()));
    let strange = strange.mint();
    let send = |host: &str, token: &str| {
        traefik.send(&Request::get(host, "/orders?access_token=hidden").bearer(token)).status
    };
    for _ in 0..3 {
        assert_eq!(send("info", &expired), 401);
    }
    assert_eq!(send("info", &strange), 401);
    assert_eq!(traefik.send(&Request::new("DELETE", "info", "/a%0ab\"c")).status, 401);
    assert_eq!((send("sub", &forged), send("off", &forged), send("debug", &forged)), (401, 401, 401));
    assert_eq!(send("dry", &forged), 200);
    let told = wait("the lines are there", 10, || Some(lines(&traefik)).filter(|lines| lines.len() >= 7));
    assert_eq!(told.len(), 7, "{told:#?}");
    let expected = r#"traefik-jwt-auth: refused code=token_expired status=401 method="GET" path="/orders" iss="https://idp.example/" alg="ES256" kid="p256" reason="the token has expired" found="exp was 1"#;
    assert!(told[0].starts_with(expected), "{}", told[0]);
    let end = r#" s ago" expected="exp in the future, or at most 0 s ago (clockSkewSeconds)""#;
    assert!(told[0].ends_with(end), "{}", told[0]);
    let all = traefik.log().join("\n");
    for token in [&expired, &forged, &strange] {
        for part in token.split('.') {
            assert!(!all.contains(part), "the log has {part}");
        }
    }
    assert!(!all.contains("hidden") && all.matches("alice").count() == 1, "{all}");
    assert_eq!(
        traefik.log_with(0, &["\"warn\"", "refused code=signature_invalid", "sub=\\\"alice\\\""]).len(),
        1
    );

    if Command::new("jq").arg("--version").output().is_ok() {
        documented_jq(&traefik);
    } else {
        println!("there is no jq: the line of docs/logs.md was not tried");
    }

    for (line, code) in told.iter().zip(codes(&told)) {
        let fields = logfmt(line.strip_prefix("traefik-jwt-auth: ").unwrap());
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(field("code"), Some(code), "{line}");
        assert!(
            field("method").is_some() && field("path").is_some_and(|path| path.starts_with('/')),
            "{line}"
        );
        assert!(field("iss").is_none_or(|iss| iss == "https://idp.example/"), "{line}");
    }

    // More than the budget of an instance: some are left out, and the lines never exceed it.
    let before = lines(&traefik).len();
    for _ in 0..20 {
        assert_eq!(send("few", &forged), 401);
    }
    let more = lines(&traefik).len() - before;
    assert!((1..20).contains(&more), "{more} lines for 20 refusals");
}

/// The code of each line, found by its place.
fn codes(lines: &[String]) -> impl Iterator<Item = &str> {
    lines.iter().map(|line| line.split("code=").nth(1).unwrap().split(' ').next().unwrap())
}

/// A line as the `logfmt` stage of the LogQL in the documentation reads it (the grammar of go-logfmt): keys without
/// blanks, `=` and quotes, values bare or as quoted strings.
fn logfmt(mut line: &str) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    loop {
        line = line.trim_start_matches(' ');
        let end = line.find(['=', ' ', '"']).unwrap_or(line.len());
        let (key, rest) = line.split_at(end);
        if key.is_empty() {
            assert_eq!(rest, "", "not logfmt");
            return fields;
        }
        let Some(value) = rest.strip_prefix('=') else {
            line = rest;
            fields.push((key.to_owned(), String::new()));
            continue;
        };
        let (value, rest) = if value.starts_with('"') {
            let mut strings = serde_json::Deserializer::from_str(value).into_iter::<String>();
            let text = strings.next().unwrap().unwrap();
            (text, value.split_at(strings.byte_offset()).1)
        } else {
            let (text, rest) = value.split_at(value.find(' ').unwrap_or(value.len()));
            (text.to_owned(), rest)
        };
        assert!(rest.is_empty() || rest.starts_with(' '), "not logfmt: {rest}");
        fields.push((key.to_owned(), value));
        line = rest;
    }
}

/// The line of jq in the documentation, on the log of this Traefik.
fn documented_jq(traefik: &Traefik) {
    let documented = fs::read_to_string(root().join("docs/logs.md")).unwrap();
    let command = documented.split("```sh\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
    fs::write(traefik.directory().join("traefik.log"), traefik.log().join("\n") + "\nnot JSON\n").unwrap();
    let output = Command::new("bash")
        .args(["-c", &format!("set -o pipefail; {command}")])
        .current_dir(traefik.directory())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let said: Vec<&str> = said.lines().map(str::trim_start).collect();
    let problem = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{problem}");
    assert_eq!(said[0], "3 token_expired\thttps://idp.example/\tES256\tp256\tGET\t/orders");
    let rest = said[1..].join("\n");
    // What a dry run lets pass is no refusal.
    assert!(
        rest.contains("1 signature_invalid\thttps://idp.example/\tEdDSA\ted25519\tGET\t/orders"),
        "{rest}"
    );
    assert!(rest.contains("1 token_missing\t-\t-\t-\tDELETE\t/a%0Ab%22c"), "{rest}");
    // Tabs, line breaks and backslashes are escapes in TSV.
    let kid = "a\"b\\\\c\\n{\"level\":\"error\"}\u{202e} é";
    assert!(
        rest.contains(&format!("1 key_not_found\thttps://idp.example/\tEdDSA\t{kid}\tGET\t/orders")),
        "{rest}"
    );
}

/// What a configuration accepts that says nothing of issuer and audience: told once for a router and load, however many
/// instances are born.
pub(crate) fn warnings() {
    const CLIENTS: usize = 20;
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    for plugin in [OFFLINE, FETCH] {
        let name = |what: &str| format!("{what}-{}", plugin.name);
        routes.protect(&name("open"), plugin, &json!({"jwks": keys::public_set()}));
        routes.protect(&name("closed"), plugin, &configuration(&json!({"audience": "api"})));
    }
    let remote = json!({"jwksUrl": "https://localhost:1/keys?a=b", "issuer": "https://idp.example/", "audience": "api"});
    routes.protect("remote", FETCH, &remote);
    let traefik = Traefik::start(&Setup::default());
    traefik.configure(&routes);
    let claims = json!({"iss": "https://anybody.example/", "sub": "alice", "exp": unix_now() + 600});
    let token = Token::new("EdDSA", claims).mint();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let host = ["open-jwt-offline", "open-jwt"][client % 2];
            let (traefik, token) = (&traefik, &token);
            scope.spawn(move || {
                assert_eq!(traefik.send(&Request::get(host, "/slow?500").bearer(token)).status, 200);
            });
        }
    });
    for words in ["no issuer is set: tokens of every issuer", "no audience is set: tokens for every audience"]
    {
        let lines = traefik.log_with(0, &["\"level\":\"warn\"", "traefik-jwt-auth: ", words]);
        assert_eq!(lines.len(), 2, "{lines:?}");
    }
    let in_force = format!("traefik-jwt-auth: version {}, mode required, ", env!("CARGO_PKG_VERSION"));
    let lines = traefik.log_with(0, &["\"level\":\"info\"", &in_force]);
    assert_eq!(lines.len(), 5, "{lines:?}");
    let of_one =
        "issuer https://idp.example/, audience api, keys from https://localhost:1/keys, rules requiredClaims";
    assert_eq!(traefik.log_with(0, &[&in_force, of_one]).len(), 1, "{lines:?}");
    assert_eq!(traefik.log_with(0, &["jwksCache.directory is not set: after a reload"]).len(), 1);

    // With the level that Traefik has by default.
    let unavailable = json!({"jwksUrl": "https://localhost:1/keys", "issuer": "https://idp.example/", "audience": "api",
        "log": {"refusals": "error"}, "clientConfig": {"timeoutSeconds": 1, "maxRetries": 0}});
    let mut routes = Routes::to(&upstream.url());
    routes.protect("away", FETCH, &unavailable);
    traefik.configure(&routes);
    let claims = json!({"iss": "https://idp.example/", "aud": "api", "exp": unix_now() + 600});
    let token = Token::new("EdDSA", claims).mint();
    assert_eq!(traefik.send(&Request::get("away", "/").bearer(&token)).status, 503);
    for words in ["no connection; no keys to serve with", "refused code=keys_unavailable"] {
        let lines =
            || Some(traefik.log_with(0, &["\"level\":\"error\"", words])).filter(|lines| !lines.is_empty());
        wait(words, 10, lines);
    }
}

/// The user in Traefik's access log: the host has no way to `ClientUsername`, but the log may keep the header that we
/// set, and never one that a client sent.
pub(crate) fn access_log() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("access", OFFLINE, &configuration(&json!({"bypassPaths": ["/health"]})));
    let directory = temporary_directory("access");
    let file = directory.join("access");
    let fields = json!({"headers": {"names": {"X-User-Sub": "keep", "X_user_sub": "keep"}}});
    let more = json!({"accessLog": {"filePath": file, "format": "json", "fields": fields}});
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], more, ..Setup::default() });
    traefik.configure(&routes);
    let claims = json!({"iss": "https://idp.example/", "sub": "alice", "exp": unix_now() + 600});
    let token = Token::new("EdDSA", claims).mint();
    for (path, token) in
        [("/accepted", &token), ("/refused", &tamper(&token, "signature")), ("/health", &token)]
    {
        let request = Request::get("access", path).bearer(token);
        let _ = traefik.send(&request.header("X-User-Sub", "root").header("X_user_sub", "root"));
    }
    let line = |path: &str| -> Value {
        wait("the line of the access log is there", 10, || {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            lines.into_iter().find(|line| line["RequestPath"] == path)
        })
    };
    for (path, status, user) in
        [("/accepted", 200, json!("alice")), ("/refused", 401, Value::Null), ("/health", 200, Value::Null)]
    {
        let line = line(path);
        let found = (&line["DownstreamStatus"], &line["request_X-User-Sub"], &line["request_X_user_sub"]);
        assert_eq!(found, (&json!(status), &user, &Value::Null), "{line}");
        assert_eq!(line["ClientUsername"], "-", "{line}");
    }
    let _ = fs::remove_dir_all(directory);
}
