//! The state of key sets and revocations, as an operator sees it from outside (`status`).

use std::fs;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::{Behaviour, JwksServer};
use testbed::keys;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::wait;

use crate::proxy::token;

/// Absent, fresh, failing: with kids where they are asked for, never a key, and only for the source range.
pub(crate) fn key_sets() {
    let mut idp = JwksServer::https(keys::jwk_set(&["ed25519", "rsa"]).to_string());
    let upstream = Upstream::start();
    let configuration = |range: &str, kids: bool| {
        json!({
            "jwksUrl": idp.url("/jwks.json?key=hidden"),
            "issuer": "https://idp.example/",
            "clientConfig": {"tls": {"ca": idp.ca_pem()}, "timeoutSeconds": 1, "maxRetries": 0,
                "headers": {"X-Key": "hidden"}},
            "jwksCache": {"ttlSeconds": 1, "cooldownSeconds": 1},
            "status": {"path": "/.status/jwt", "sourceRange": [range], "kids": kids},
        })
    };
    let mut routes = Routes::to(&upstream.url());
    routes.protect("status", FETCH, &configuration("127.0.0.0/8", true));
    routes.protect("quiet", FETCH, &configuration("127.0.0.1", false));
    routes.protect("elsewhere", FETCH, &configuration("192.0.2.0/24", true));
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);
    let get = |host: &str| traefik.send(&Request::get(host, "/.status/jwt"));
    let state = |host: &str| -> Value {
        let answer = get(host);
        assert_eq!((answer.status, answer.header("X-Upstream")), (200, None));
        assert!(!answer.text().contains("hidden"), "{}", answer.text());
        assert_eq!(answer.json()["version"], env!("CARGO_PKG_VERSION"));
        answer.json()["keySets"][0].clone()
    };
    let source = idp.url("/jwks.json");
    assert_eq!(
        state("status"),
        json!({"issuer": ["https://idp.example/"], "source": source, "state": "absent", "keys": 0, "kids": [],
            "ageSeconds": null, "nextRefreshSeconds": null, "lastError": null})
    );
    // The next request may be answered by another instance, which has no keys yet.
    let until = |host: &str, what: &str, ready: &dyn Fn(&Value) -> bool| {
        wait(what, 30, || {
            assert!(traefik.send(&Request::get(host, "/").bearer(&token())).status < 600);
            Some(state(host)).filter(|state| ready(state))
        })
    };
    let loaded = until("status", "the set is loaded", &|state| state["state"] == "fresh");
    assert_eq!((&loaded["kids"], &loaded["lastError"]), (&json!(["ed25519", "rsa"]), &Value::Null));
    assert_eq!(loaded["keys"], json!(2), "{loaded}");
    assert!(loaded["ageSeconds"].as_u64().unwrap() <= 60, "{loaded}");
    assert!(loaded["nextRefreshSeconds"].is_u64(), "{loaded}");
    let quiet = until("quiet", "the set is loaded", &|state| state["state"] == "fresh");
    assert_eq!((&quiet["keys"], quiet.get("kids")), (&json!(2), None));
    idp.set(Behaviour::Status(500));
    let failing = until("status", "the failure is told", &|state| {
        state["keys"] == 2 && state["state"] == "stale" && !state["lastError"].is_null()
    });
    assert!(failing["lastError"].as_str().unwrap().contains("500"), "{failing}");
    idp.set(Behaviour::Up);
    until("status", "the provider is back", &|state| {
        state["state"] == "fresh" && state["lastError"].is_null()
    });

    let head = traefik.send(&Request::new("HEAD", "status", "/.status/jwt"));
    assert_eq!((head.status, head.body.len()), (200, 0));
    let others = Request::get("elsewhere", "/.status/jwt").header("X-Forwarded-For", "192.0.2.1");
    assert_eq!(traefik.send(&others).status, 401);
    let behind = traefik.send(&others.bearer(&token()));
    assert_eq!((behind.status, behind.header("X-Upstream")), (200, Some("yes")));
}

/// The list and the directory of `revocation`, before they are there and after.
pub(crate) fn revocations() {
    let upstream = Upstream::start();
    let root = temporary_directory("revocation-status");
    let (list, directory) = (root.join("revoked.jsonl"), root.join("revoked"));
    let traefik =
        Traefik::start(&Setup { mounts: vec![format!("{0}:{0}:ro", root.display())], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    for plugin in [FETCH, OFFLINE] {
        let configuration = json!({
            "jwks": keys::public_set(),
            "revocation": {"file": list, "directory": directory},
            "status": {"path": "/.status/jwt", "sourceRange": ["127.0.0.1"]},
        });
        routes.protect(plugin.name, plugin, &configuration);
    }
    traefik.configure(&routes);
    let state = |host: &str| -> Value {
        let answer = traefik.send(&Request::get(host, "/.status/jwt"));
        assert_eq!((answer.status, answer.header("X-Upstream")), (200, None), "{}", answer.text());
        answer.json()["revocation"].clone()
    };
    for host in [FETCH.name, OFFLINE.name] {
        let absent = state(host);
        assert_eq!(absent["directory"], json!({"source": directory, "state": "absent"}));
        assert_eq!(absent["list"]["source"], json!(list));
        assert_eq!((&absent["list"]["state"], &absent["list"]["entries"]), (&json!("absent"), &json!(0)));
        assert!(absent["list"]["lastError"].is_string(), "{absent}");
    }
    fs::create_dir(&directory).unwrap();
    fs::write(&list, "{\"jti\":\"a\"}\n{\"sub\":\"b\"}\n").unwrap();
    for host in [FETCH.name, OFFLINE.name] {
        assert_eq!(state(host)["directory"]["state"], json!("present"));
        // An instance that found no file looks again after a while.
        let loaded = wait("the list is read", 30, || {
            Some(state(host)).filter(|state| state["list"]["state"] == "fresh")
        });
        assert_eq!((&loaded["list"]["entries"], &loaded["list"]["lastError"]), (&json!(2), &Value::Null));
        assert!(loaded["list"]["ageSeconds"].is_u64(), "{loaded}");
    }
    let _ = fs::remove_dir_all(root);
}
