//! Reloads: a mistake disables a router and a correction brings it back; descriptors stay what they are.

use serde_json::json;
use testbed::http::Request;
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

/// The offline artifact keeps nothing open over 20 reloads of 10 routers.
pub(crate) fn descriptors_offline() {
    assert_eq!(growth(OFFLINE), 0);
}

/// The other one keeps at most one descriptor for each router and reload: its mailbox.
pub(crate) fn descriptors_fetch() {
    let growth = growth(FETCH);
    assert!(growth <= 10 * 20, "{growth} descriptors over 20 reloads of 10 routers");
}

fn growth(plugin: Plugin) -> usize {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![plugin], ..Setup::default() });
    let reload = |number: usize| {
        let mut configuration = inline();
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
    (1..=20).for_each(reload);
    let mut after = traefik.descriptors();
    // Idle connections of the clients and to the upstream close in their own time.
    for _ in 0..200 {
        if after <= before {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
        after = traefik.descriptors();
    }
    println!("{}: {before} descriptors before, {after} after", plugin.name);
    after.saturating_sub(before)
}
