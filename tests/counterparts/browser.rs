//! A real Chromium: where it is sent to sign in, and what a page may read of a refusal.

use serde_json::{Value, json};
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{OFFLINE, Routes, Setup, Traefik};
use testbed::wait::unix_now;

use crate::need::chromium;
use crate::script::Script;

/// Runs these steps: what was seen in each.
fn browse(steps: &Value) -> Vec<Value> {
    let said = Script::run("browser.mjs", &json!({"chromium": chromium().unwrap(), "steps": steps}));
    said["seen"].as_array().unwrap().clone()
}

/// A Traefik and its port, which is part of every origin.
fn start() -> (Traefik, u16) {
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    let port = traefik.address().port();
    (traefik, port)
}

/// An upstream that allows `origin` to read its answers, and routes to it.
fn upstream(origin: &str) -> (Script, Routes) {
    let upstream = Script::start("upstream.mjs", &json!({"origin": origin}));
    let routes = Routes::to(upstream.said["url"].as_str().unwrap());
    (upstream, routes)
}

fn token(exp: i64) -> String {
    Token::new("EdDSA", json!({"iss": "https://idp.example/", "sub": "alice", "exp": exp})).mint()
}

/// A navigation without a valid token ends at the sign-in page, which can read where it came from.
pub(crate) fn navigation() {
    let (traefik, port) = start();
    let (_upstream, mut routes) = upstream("null");
    let configuration = json!({
        "jwks": keys::public_set(),
        "issuer": "https://idp.example/",
        "tokenSources": [{"header": "Authorization", "scheme": "Bearer"}, {"cookie": "session"}, {"query": "jwt"}],
        "errors": {"redirectUrl": format!("http://login.example:{port}/sign-in?lang=en&next={{url}}")},
    });
    routes.protect("app.example", OFFLINE, &configuration);
    routes.open("login.example");
    traefik.configure(&routes);

    let (valid, expired) = (token(unix_now() + 600), token(unix_now() - 10));
    let app = format!("http://app.example:{port}");
    // What a browser asks for, and what the sign-in page is told of it.
    let targets = [
        ("/", "/"),
        ("/orders?x=1&y=%26&next=//evil.example", "/orders?x=1&y=%26&next=//evil.example"),
        ("/%2e%2e/caf\u{e9}?q=\u{20ac} #top", "/caf%C3%A9?q=%E2%82%AC%20"),
        ("/?a=b", "/?a=b"),
    ];
    let mut steps: Vec<Value> =
        targets.iter().map(|(target, _)| json!({"goto": format!("{app}{target}")})).collect();
    steps.push(json!({"goto": format!("{app}/?jwt={expired}&page=2")}));
    steps.push(json!({"goto": format!("{app}/?jwt={valid}")}));
    let seen = browse(&json!(steps));

    let expected = targets.iter().map(|(_, told)| *told).chain(["/?page=2"]);
    for (seen, told) in seen.iter().zip(expected) {
        assert_eq!(seen["status"], 200, "{seen}");
        let url = seen["url"].as_str().unwrap().split('#').next().unwrap().to_owned();
        let sign_in = format!("http://login.example:{port}/sign-in?lang=en&next=");
        let next = url.strip_prefix(&sign_in).unwrap_or_else(|| panic!("{url}"));
        assert!(!next.contains(['&', '=', '/', '?']), "{next}");
        assert_eq!(decoded(next), format!("{app}{told}"));
        assert_eq!(seen["chain"].as_array().unwrap().len(), 2, "{seen}");
    }
    let inside = seen.last().unwrap();
    assert_eq!((&inside["status"], &inside["chain"]), (&json!(200), &json!([format!("{app}/?jwt={valid}")])));
}

/// As a server reads a parameter.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(part.split_at(2).0, 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}

/// A page of another origin reads status, body and code of a refusal where its origin is named, and only there; and
/// the preflight that the browser sends before reaches the API where `bypassPreflight` lets it. The metadata of RFC 9728
/// is for everybody.
pub(crate) fn cross_origin() {
    let (traefik, port) = start();
    let origin = |name: &str| format!("http://{name}.example:{port}");
    let (_upstream, mut routes) = upstream(&origin("page"));
    let api = json!({
        "jwks": keys::public_set(),
        "issuer": "https://idp.example/",
        "bypassPreflight": true,
        "forwardHeaders": {"X-User-Sub": "sub"},
        "resourceMetadata": {"resource": format!("{}/data", origin("api"))},
        "errors": {
            "cors": [origin("page")], "details": true, "codeHeader": "X-Code",
            "redirectUrl": format!("{}/?next={{url}}", origin("page")),
        },
    });
    routes.protect("api.example", OFFLINE, &api);
    let mut strict = api;
    strict["bypassPreflight"] = json!(false);
    routes.protect("strict.example", OFFLINE, &strict);
    routes.open("page.example");
    routes.open("elsewhere.example");
    traefik.configure(&routes);

    let bearer = |exp: i64| json!({"Authorization": format!("Bearer {}", token(exp))});
    let (good, expired) = (bearer(unix_now() + 600), bearer(unix_now() - 10));
    let step = |from: &str, to: &str, headers: &Value| json!({"from": origin(from), "fetch": format!("{}/data", origin(to)), "headers": headers});
    let seen = browse(&json!([
        step("page", "api", &json!({})),
        step("page", "api", &expired),
        step("page", "api", &good),
        step("page", "strict", &json!({})),
        step("page", "strict", &good),
        step("elsewhere", "api", &json!({})),
        step("elsewhere", "api", &good),
        // As a client of MCP in a page asks for it; the header takes a preflight.
        json!({
            "from": origin("elsewhere"),
            "fetch": format!("{}/.well-known/oauth-protected-resource/data", origin("api")),
            "headers": {"MCP-Protocol-Version": "2025-06-18"},
        }),
    ]));
    let [bare, expired, good, strict_bare, strict, elsewhere_bare, elsewhere, metadata] = seen.as_slice()
    else {
        panic!("{seen:?}")
    };
    for (seen, code) in [(bare, "token_missing"), (expired, "token_expired"), (strict_bare, "token_missing")]
    {
        assert_eq!(seen["status"], 401, "{seen}");
        let body: Value = serde_json::from_str(seen["body"].as_str().unwrap()).unwrap();
        assert_eq!((&body["code"], &seen["headers"]["x-code"]), (&json!(code), &json!(code)), "{seen}");
        assert!(seen["headers"]["www-authenticate"].as_str().unwrap().starts_with("Bearer"), "{seen}");
    }
    assert_eq!(good["status"], 200, "{good}");
    let reached: Value = serde_json::from_str(good["body"].as_str().unwrap()).unwrap();
    assert_eq!(reached["x-user-sub"], "alice");
    let document: Value = serde_json::from_str(metadata["body"].as_str().unwrap()).unwrap();
    assert_eq!(
        (&metadata["status"], &document["resource"]),
        (&json!(200), &json!(format!("{}/data", origin("api"))))
    );
    // The browser hides from a page what it may not read: a refused preflight, and answers for other origins.
    for hidden in [strict, elsewhere_bare, elsewhere] {
        assert_eq!(hidden, &json!({"error": "TypeError"}));
    }
}

/// A page can give a WebSocket its token as a subprotocol only; the upstream gets the identity, and not the token.
pub(crate) fn web_socket() {
    let (traefik, port) = start();
    let (_upstream, mut routes) = upstream("null");
    let configuration = json!({
        "jwks": keys::public_set(),
        "issuer": "https://idp.example/",
        "tokenSources": [{"webSocketProtocol": "bearer"}],
        "forwardHeaders": {"X-User-Sub": "sub"},
        "forwardAuthorization": false,
    });
    routes.protect("socket.example", OFFLINE, &configuration);
    routes.open("page.example");
    traefik.configure(&routes);
    let step = |protocols: &[&str]| {
        json!({
            "from": format!("http://page.example:{port}"),
            "socket": format!("ws://socket.example:{port}/"),
            "protocols": protocols,
        })
    };
    let (good, expired) = (token(unix_now() + 600), token(unix_now() - 10));
    let seen = browse(&json!([
        step(&["bearer", &good]),
        step(&["chat", "bearer", &good]),
        step(&["bearer", &expired]),
        step(&["chat"]),
    ]));
    let expected = [
        json!({"protocol": "bearer", "user": "alice", "offered": "bearer"}),
        json!({"protocol": "chat", "user": "alice", "offered": "chat, bearer"}),
        json!({"error": "refused"}),
        json!({"error": "refused"}),
    ];
    assert_eq!(seen, expected);
}
