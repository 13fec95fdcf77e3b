//! The clock of the machine, set back and forth while Traefik runs: an operator mistypes a date, a virtual machine wakes up,
//! NTP comes late. Keys that were taken away stop working and new ones begin to, whatever time it was when they were fetched.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testbed::harness;
use testbed::http::Request;
use testbed::jwks_server::{Behaviour, JwksServer};
use testbed::keys;
use testbed::set_clock::SetClock;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

const ISSUER: &str = "https://idp.example/";
const MONTH: i64 = 30 * 86_400;
const HOSTS: [&str; 4] = ["url", "directory", "fetch-file", "offline-file"];

/// A month ahead, back, a month behind, and back again. In each place the provider and the file change their keys.
pub(crate) fn set_back_and_forth() {
    let directory = temporary_directory("clock");
    let path = directory.to_str().unwrap();
    let idp = JwksServer::http(keys::jwk_set(&["ed25519"]).to_string());
    publish(&idp, &directory, &["ed25519"]);
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { mounts: vec![format!("{path}:{path}")], ..Setup::default() });
    let Some(clock) = SetClock::of(traefik.id()) else {
        harness::skip("clock_set_back_and_forth", "the clock of a process cannot be set here");
        return;
    };
    let url = json!({
        "jwksUrl": idp.url("/jwks.json"), "clientConfig": {"allowHttp": true, "timeoutSeconds": 3},
        "jwksCache": {"cooldownSeconds": 1},
    });
    let mut shared = url.clone();
    shared["jwksCache"]["directory"] = json!(path);
    let file = json!({"jwksFile": directory.join("set.json")});
    let plugins = [(FETCH, &url), (FETCH, &shared), (FETCH, &file), (OFFLINE, &file)];
    let mut routes = Routes::to(&upstream.url());
    for (host, (plugin, source)) in HOSTS.iter().zip(plugins) {
        let mut configuration = source.clone();
        configuration["issuer"] = json!(ISSUER);
        routes.protect(host, plugin, &configuration);
    }
    traefik.configure(&routes);
    let status = |host: &str, token: &str| traefik.send(&Request::get(host, "/slow?5").bearer(token)).status;
    // From one place to the next: the key of then, and the key of now.
    let mut before = "EdDSA";
    for (ahead, alg, key) in [
        (MONTH, "EdDSA", "ed25519"),
        (0, "ES256", "p256"),
        (-MONTH, "ES384", "p384"),
        (MONTH, "RS256", "rsa"),
        (-MONTH, "EdDSA", "ed25519"),
        (0, "ES256", "p256"),
    ] {
        clock.set(ahead);
        publish(&idp, &directory, &[key]);
        let now = unix_now() + ahead;
        let token = |alg: &str, claims: Value| Token::new(alg, claims).mint();
        let claims = json!({"iss": ISSUER, "sub": "alice", "nbf": now - 60, "exp": now + 600});
        let (new, old) = (token(alg, claims.clone()), token(before, claims.clone()));
        for host in HOSTS {
            // The first one brings the set. Where the name of the key is unknown, that is at once.
            wait(&format!("{host}, {ahead} s ahead: the new key"), 5, || {
                (status(host, &new) == 200).then_some(())
            });
            let is_other = alg != before;
            wait(&format!("{host}, {ahead} s ahead: no old key"), 5, || {
                (!is_other || status(host, &old) == 401).then_some(())
            });
            // What is known is not known for longer than it is valid.
            clock.set(ahead + 601);
            assert_eq!(status(host, &new), 401, "{host}, {ahead} s ahead: after its end");
            clock.set(ahead - 120);
            assert_eq!(status(host, &new), 401, "{host}, {ahead} s ahead: before its beginning");
            clock.set(ahead);
            wait(&format!("{host}, {ahead} s ahead: again"), 5, || (status(host, &new) == 200).then_some(()));
        }
        before = alg;
    }
    assert!(traefik.log_with(0, &["wasm error"]).is_empty());
    without_provider(&traefik, &clock, &upstream);
    fs::remove_dir_all(directory).unwrap();
}

/// The provider fails while the clock is ahead. Back again, it is asked within seconds.
fn without_provider(traefik: &Traefik, clock: &SetClock, upstream: &Upstream) {
    let mut idp = JwksServer::http(keys::jwk_set(&["ed25519"]).to_string());
    let configuration = json!({
        "jwksUrl": idp.url("/jwks.json"), "issuer": ISSUER, "jwksCache": {"cooldownSeconds": 60},
        "clientConfig": {"allowHttp": true, "timeoutSeconds": 3, "maxRetries": 0},
    });
    let mut routes = Routes::to(&upstream.url());
    routes.protect("failing", FETCH, &configuration);
    traefik.configure(&routes);
    let token = |now: i64| Token::new("EdDSA", json!({"iss": ISSUER, "exp": now + 600})).mint();
    let status = |now: i64| traefik.send(&Request::get("failing", "/").bearer(&token(now))).status;
    idp.set(Behaviour::Status(500));
    clock.set(MONTH);
    for _ in 0..3 {
        assert_eq!(status(unix_now() + MONTH), 503);
    }
    clock.set(0);
    assert_eq!(status(unix_now()), 503);
    idp.set(Behaviour::Up);
    wait("the keys are there", 5, || (status(unix_now()) == 200).then_some(()));
}

/// A provider that fails for good: its keys serve for `ttlSeconds` and then for `staleSeconds`, by an instance that has them,
/// from what instances share and from the directory, and no longer.
pub(crate) fn stale_keys() {
    const TTL: i64 = 60;
    const STALE: i64 = 600;
    let directory = temporary_directory("stale");
    let path = directory.to_str().unwrap();
    let mut idp = JwksServer::http(keys::jwk_set(&["ed25519"]).to_string());
    let upstream = Upstream::start();
    let setup = Setup { plugins: vec![FETCH], mounts: vec![format!("{path}:{path}")], ..Setup::default() };
    let traefik = Traefik::start(&setup);
    let Some(clock) = SetClock::of(traefik.id()) else {
        harness::skip("clock_stale_keys", "the clock of a process cannot be set here");
        return;
    };
    let hosts = [
        ("never", 0, None),
        ("stale", STALE, None),
        ("never-kept", 0, Some(path)),
        ("kept", STALE, Some(path)),
    ];
    let mut routes = Routes::to(&upstream.url());
    for (host, stale, directory) in hosts {
        let mut configuration = json!({
            "jwksUrl": idp.url(&format!("/{host}")), "issuer": ISSUER,
            "clientConfig": {"allowHttp": true, "timeoutSeconds": 3, "maxRetries": 0},
            "jwksCache": {"ttlSeconds": TTL, "staleSeconds": stale, "cooldownSeconds": 1},
        });
        if let Some(directory) = directory {
            configuration["jwksCache"]["directory"] = json!(directory);
        }
        routes.protect(host, FETCH, &configuration);
    }
    traefik.configure(&routes);
    let request = |host: &str, ahead: i64| {
        let claims = json!({"iss": ISSUER, "exp": unix_now() + ahead + 600});
        Request::get(host, "/slow?50").bearer(&Token::new("EdDSA", claims).mint())
    };
    // Several at once, so that the last ones come to instances that are new.
    let statuses = |host: &str, ahead: i64| {
        let request = request(host, ahead);
        std::thread::scope(|scope| {
            let sent = [(); 8].map(|()| scope.spawn(|| traefik.send(&request).status));
            sent.map(|thread| thread.join().unwrap())
        })
    };
    for (host, ..) in hosts {
        assert_eq!(traefik.send(&request(host, 0)).status, 200, "{host}");
    }
    idp.set(Behaviour::Status(500));
    for ahead in [TTL - 10, TTL + 10, TTL + STALE - 20, TTL + STALE + 10] {
        clock.set(ahead);
        for (host, stale, _) in hosts {
            let expected = if ahead < TTL + stale { 200 } else { 503 };
            assert_eq!(statuses(host, ahead), [expected; 8], "{host}, {ahead} s later");
        }
    }
    idp.set(Behaviour::Up);
    for (host, ..) in hosts {
        let ahead = TTL + STALE + 10;
        wait(&format!("{host} has its keys"), 5, || {
            (traefik.send(&request(host, ahead)).status == 200).then_some(())
        });
    }
    assert!(traefik.log_with(0, &["wasm error"]).is_empty());
    fs::remove_dir_all(directory).unwrap();
}

/// At the provider and in the file, which is replaced.
fn publish(idp: &JwksServer, directory: &Path, keys: &[&str]) {
    let set = keys::jwk_set(keys).to_string();
    fs::write(directory.join("set.part"), &set).unwrap();
    fs::rename(directory.join("set.part"), directory.join("set.json")).unwrap();
    idp.publish(set);
}
