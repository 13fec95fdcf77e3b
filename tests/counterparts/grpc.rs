//! A real gRPC client and server: it gets the status that its call failed with, not a mangled answer.

use serde_json::{Value, json};
use testbed::asked::forward_auth;
use testbed::keys;
use testbed::port::free_address;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;

use crate::script::Script;

const OK: u32 = 0;
const PERMISSION_DENIED: u32 = 7;
const UNAVAILABLE: u32 = 14;
const UNAUTHENTICATED: u32 = 16;

/// Messages in a call to `Chat`: more than is buffered on the way.
const MESSAGES: usize = 64;

/// Calls with one answer, with several, and with streams both ways, through both artifacts.
pub(crate) fn statuses() {
    let server = Script::start("grpc-server.mjs", &json!({}));
    let server = server.said["url"].as_str().unwrap();
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let rules = json!({
        "jwks": keys::public_set(),
        "issuer": "https://idp.example/",
        "scopes": {"required": ["write"]},
        "forwardHeaders": {"X-User-Sub": "sub"},
    });
    let mut details = rules.clone();
    details["errors"] = json!({"details": true, "redirectUrl": "https://login.example/?next={url}"});
    let mut down = rules.clone();
    down.as_object_mut().unwrap().remove("jwks");
    down["jwksUrl"] = json!(format!("https://{}/jwks.json", free_address()));
    for (host, plugin, configuration) in [
        ("fetch.example", FETCH, &rules),
        ("offline.example", OFFLINE, &rules),
        ("details.example", OFFLINE, &details),
        ("down.example", FETCH, &down),
    ] {
        routes.protect(host, plugin, configuration);
        routes.lead(host, server);
    }
    // Traefik's forwardAuth asks the plugin: not 200 with the outcome in headers, which would mean yes.
    let auth = free_address();
    let mut asked = rules.clone();
    asked["answerAs"] = json!("forwardAuth");
    routes.answer("asked", "auth", FETCH, &asked);
    routes
        .protect_with("asked.example", forward_auth(&format!("http://{auth}/asked"), &["X-User-Sub".into()]));
    routes.lead("asked.example", server);
    let own = json!({"address": auth.to_string(), "forwardedHeaders": {"trustedIPs": ["127.0.0.1/32"]}});
    let traefik = Traefik::start(&Setup {
        entry_point: json!({"asDefault": true}),
        more: json!({"entryPoints": {"auth": own}}),
        ..Setup::default()
    });
    traefik.configure(&routes);

    let token = |scope: &str, exp: i64| {
        let claims = json!({"iss": "https://idp.example/", "sub": "alice", "scope": scope, "exp": exp});
        Token::new("ES256", claims).mint()
    };
    let good = token("write", unix_now() + 600);
    let expired = token("write", unix_now() - 10);
    let reader = token("read", unix_now() + 600);
    let mut rows: Vec<(&str, &str, &str, u32, &str)> = Vec::new();
    for host in ["fetch.example", "offline.example", "asked.example"] {
        for method in ["Say", "Count", "Chat"] {
            rows.push((host, method, &good, OK, "OK"));
            rows.push((host, method, "", UNAUTHENTICATED, "No token provided"));
            rows.push((host, method, "no.such.token", UNAUTHENTICATED, "Invalid token"));
            rows.push((host, method, &expired, UNAUTHENTICATED, "Invalid token"));
            rows.push((host, method, &reader, PERMISSION_DENIED, "Insufficient scope"));
        }
    }
    rows.push(("details.example", "Say", "", UNAUTHENTICATED, "No token provided: no token was sent"));
    rows.push(("down.example", "Say", &good, UNAVAILABLE, "Keys unavailable"));
    let calls: Vec<Value> = rows
        .iter()
        .map(|(host, method, token, ..)| {
            let messages = if *method == "Chat" { MESSAGES } else { 1 };
            json!({"host": host, "method": method, "token": token, "messages": messages})
        })
        .collect();
    let said =
        Script::run("grpc-client.mjs", &json!({"address": traefik.address().to_string(), "calls": calls}));
    let seen = said["seen"].as_array().unwrap();
    assert_eq!(seen.len(), rows.len());
    for ((host, method, _, code, details), seen) in rows.iter().zip(seen) {
        let answers = match (*code, *method) {
            (OK, "Count") => 3,
            (OK, "Chat") => MESSAGES,
            (OK, _) => 1,
            (_, _) => 0,
        };
        let answers = vec!["alice"; answers];
        assert_eq!(seen, &json!({"code": code, "details": details, "answers": answers}), "{host} {method}");
    }
}
