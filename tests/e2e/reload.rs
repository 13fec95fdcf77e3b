//! Reloads: a mistake disables a router and a correction brings it back; descriptors stay what they are.

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::traefik::{FETCH, OFFLINE, Plugin, Routes, Setup, Traefik};
use testbed::upstream::Upstream;

use crate::proxy::{inline, token};

/// A mistake in one router's configuration: 404 there, a log line that names it, and the others go on.
pub(crate) fn mistake_and_correction() {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup::default());
    for plugin in [FETCH, OFFLINE] {
        let status = |host: &str| traefik.send(&Request::get(host, "/").bearer(&token())).status;
        let configure = |configuration: &serde_json::Value| {
            let mut routes = Routes::to(&upstream.url());
            routes.protect("good", plugin, &inline());
            routes.protect("changing", plugin, configuration);
            traefik.configure(&routes);
        };
        configure(&inline());
        assert_eq!((status("good"), status("changing")), (200, 200));
        let mut wrong = inline();
        wrong["isuer"] = json!("https://idp.example/");
        let before = traefik.log().len();
        configure(&wrong);
        assert_eq!((status("good"), status("changing")), (200, 404), "{}", plugin.name);
        assert!(!traefik.log_with(before, &["isuer", "issuer"]).is_empty(), "{:?}", traefik.log());
        configure(&inline());
        assert_eq!((status("good"), status("changing")), (200, 200), "{}", plugin.name);
    }
    // No configuration at all says what to set.
    let before = traefik.log().len();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("empty", OFFLINE, &json!({}));
    traefik.configure(&routes);
    assert_eq!(traefik.send(&Request::get("empty", "/").bearer(&token())).status, 404);
    assert!(!traefik.log_with(before, &["jwksUrl"]).is_empty(), "{:?}", traefik.log());
}

/// A runtime in which somebody slept has a pipe of two descriptors, until Go's collector comes.
const PIPES: usize = 100;

/// Neither artifact keeps anything open over 20 reloads of 10 routers with keys inline.
pub(crate) fn descriptors_inline() {
    assert_eq!(growth(OFFLINE, &inline(), 10), 0);
    assert_eq!(growth(FETCH, &inline(), 10), 0);
}

/// With keys from a URL it is one descriptor for each router and reload: the mailbox.
pub(crate) fn descriptors_url() {
    let growth = growth_with_url(10);
    assert!(growth <= 10 * 10 + PIPES, "{growth} descriptors over 10 reloads of 10 routers");
}

/// The same ten times as long, for `docs/measurements/fetching.md`.
pub(crate) fn descriptors_soak() {
    assert_eq!(growth(OFFLINE, &inline(), 100), 0);
    assert_eq!(growth(FETCH, &inline(), 100), 0);
    let growth = growth_with_url(100);
    assert!(growth <= 10 * 100 + PIPES, "{growth} descriptors over 100 reloads of 10 routers");
}

fn growth_with_url(reloads: usize) -> usize {
    let idp = JwksServer::http(keys::public_set().to_string());
    let configuration = json!({
        "jwksUrl": idp.url("/jwks.json"), "issuer": "https://idp.example/",
        "clientConfig": {"allowHttp": true},
    });
    growth(FETCH, &configuration, reloads)
}

fn growth(plugin: Plugin, configuration: &Value, reloads: usize) -> usize {
    let upstream = Upstream::start();
    // No idle connections to the upstream: whatever stays open is kept.
    let more = json!({"serversTransport": {"maxIdleConnsPerHost": -1}});
    let traefik = Traefik::start(&Setup { plugins: vec![plugin], more, ..Setup::default() });
    let reload = |number: usize| {
        let mut configuration = configuration.clone();
        configuration["clockSkewSeconds"] = json!(number);
        let mut routes = Routes::to(&upstream.url());
        routes.protect("router-0", plugin, &configuration);
        for other in 1..10 {
            routes.share(&format!("router-{other}"), "router-0");
        }
        traefik.configure(&routes);
        for router in 0..10 {
            let answer = traefik.send(&Request::get(&format!("router-{router}"), "/").bearer(&token()));
            assert_eq!(answer.status, 200);
        }
    };
    reload(0);
    let before = traefik.descriptors();
    (1..=reloads).for_each(reload);
    let mut after = traefik.descriptors();
    // Connections of the clients close in their own time.
    for _ in 0..200 {
        if after <= before {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        after = traefik.descriptors();
    }
    let source = if configuration["jwksUrl"].is_null() { "inline" } else { "from a URL" };
    println!("{}, keys {source}: {before} descriptors, {after} after {reloads} reloads", plugin.name);
    after.saturating_sub(before)
}
