//! The rows of `tests/cases/`, all of them at once in one Traefik, a router for each configuration.

use serde_json::Value;
use testbed::cases::{Bed, Case, Seen, load};
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::traefik::{FETCH, OFFLINE, Plugin, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;

/// Every row through `plugin.wasm`.
pub(crate) fn fetch() {
    run(FETCH, |_| true);
}

/// Every row that needs no network through `plugin-offline.wasm`.
pub(crate) fn offline() {
    run(OFFLINE, |config| !config.to_string().contains("://localhost:"));
}

fn run(plugin: Plugin, fits: impl Fn(&Value) -> bool) {
    let idp = JwksServer::https(keys::public_set().to_string());
    let bed = Bed { now: unix_now(), jwks_url: idp.url("/jwks.json"), ca_pem: idp.ca_pem().to_owned() };
    let cases: Vec<Case> = load(&bed).into_iter().filter(|case| fits(&case.config)).collect();
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let mut configs: Vec<&Value> = Vec::new();
    let hosts: Vec<String> = cases
        .iter()
        .map(|case| {
            let known = configs.iter().position(|config| **config == case.config);
            let index = known.unwrap_or_else(|| {
                configs.push(&case.config);
                routes.protect(&format!("config-{}", configs.len() - 1), plugin, &case.config);
                configs.len() - 1
            });
            format!("config-{index}")
        })
        .collect();
    let traefik = Traefik::start(&Setup { plugins: vec![plugin], ..Setup::default() });
    traefik.configure(&routes);
    let mut wrong = Vec::new();
    for (case, host) in cases.iter().zip(&hosts) {
        if let Err(difference) = check(&traefik, case, host) {
            wrong.push(format!("{}: {difference}", case.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} rows, {}:\n{}",
        wrong.len(),
        cases.len(),
        plugin.name,
        wrong.join("\n")
    );
}

fn check(traefik: &Traefik, case: &Case, host: &str) -> Result<(), String> {
    let response = traefik.send(&case.request.to(host));
    for word in &case.expect.refused {
        if traefik.log_with(0, &[host, word]).is_empty() && traefik.log_with(0, &[word]).is_empty() {
            return Err(format!("the log does not say '{word}'"));
        }
    }
    let upstream = response.header("X-Upstream").map(|_| {
        let seen = response.json();
        let lines = seen["headers"].as_array().unwrap().iter();
        Seen {
            uri: text(&seen["target"]),
            headers: lines.map(|line| (text(&line[0]), text(&line[1]))).collect(),
        }
    });
    let body = if upstream.is_some() { String::new() } else { response.text() };
    case.expect.compare(response.status, &response.headers, &body, upstream.as_ref())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
