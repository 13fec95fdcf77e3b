//! The rows of `tests/cases/` in one Traefik, a router for each configuration.

use std::net::SocketAddr;

use serde_json::{Value, json};
use testbed::asked;
use testbed::cases::{Bed, Case, Rows, Seen};
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::port::free_address;
use testbed::traefik::{FETCH, OFFLINE, Plugin, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;
use traefik_jwt_auth::core::config::{Capabilities, compile};

/// Configurations in force at the same time.
const BATCH: usize = 40;

/// How requests come to the plugin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It is the middleware of their router.
    Middleware,
    /// Traefik's forwardAuth asks it about them.
    Asked,
}

/// Every row through `plugin.wasm`.
pub(crate) fn fetch() {
    run(FETCH, Way::Middleware, |_| true);
}

/// Every row that needs no network through `plugin-offline.wasm`.
pub(crate) fn offline() {
    run(OFFLINE, Way::Middleware, |config| !config.to_string().contains("://localhost:"));
}

/// Every row that is not about the request as it goes on through `plugin.wasm` that forwardAuth of other routers asks.
pub(crate) fn asked() {
    run(FETCH, Way::Asked, |_| true);
}

fn run(plugin: Plugin, way: Way, fits: impl Fn(&Value) -> bool) {
    let idp = JwksServer::https(keys::public_set().to_string());
    let bed = Bed { now: unix_now(), jwks_url: idp.url("/jwks.json"), ca_pem: idp.ca_pem().to_owned() };
    let rows = Rows::read(&bed);
    // Traefik itself removes a certificate header that a client sends: `mtls_certificates` has real ones.
    let is_of_client =
        |case: &Case| !matches!(case.config["proofs"]["mtls"].as_str(), Some("optional" | "required"));
    // Rows are about times: each is minted when its turn has come.
    let minted = |row: usize| -> Option<Case> {
        let case = rows.case(row, unix_now());
        match way {
            _ if !fits(&case.config) || !is_of_client(&case) => None,
            Way::Middleware => Some(case),
            Way::Asked => asked::asked(&case, &managed(&case.config)),
        }
    };
    let configs: Vec<(usize, Value)> =
        (0..rows.count()).filter_map(|row| Some((row, minted(row)?.config))).collect();
    let upstream = Upstream::start();
    let (with_auth, auth) = bed_with_auth(vec![plugin]);
    let traefik = Traefik::start(&match way {
        Way::Middleware => Setup { plugins: vec![plugin], ..Setup::default() },
        Way::Asked => with_auth,
    });
    let mut wrong = Vec::new();
    let mut number = 0;
    for batch in batches(&configs) {
        let mut routes = Routes::to(&upstream.url());
        let mut checks = Vec::new();
        for (config, rows) in batch {
            let host = format!("config-{number}");
            number += 1;
            match way {
                Way::Middleware => routes.protect(&host, plugin, &config),
                Way::Asked => {
                    let address = format!("http://{auth}/asked-{host}");
                    routes.answer(&format!("asked-{host}"), AUTH, plugin, &config);
                    routes.protect_with(&host, asked::forward_auth(&address, &managed(&config)));
                }
            }
            checks.extend(rows.into_iter().map(|row| (host.clone(), row)));
        }
        traefik.configure(&routes);
        for (host, row) in checks {
            let case = minted(row).unwrap();
            // Asked again, the token is a known one.
            if let Err(difference) =
                check(&traefik, &case, &host).and_then(|()| check(&traefik, &case, &host))
            {
                wrong.push(format!("{}: {difference}", case.name));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} rows, {}:\n{}",
        wrong.len(),
        configs.len(),
        plugin.name,
        wrong.join("\n")
    );
}

/// Configurations with the numbers of their rows, as many as an old Traefik, which compiles the module for every router,
/// can load in good time.
fn batches(rows: &[(usize, Value)]) -> Vec<Vec<(Value, Vec<usize>)>> {
    let mut configs: Vec<(Value, Vec<usize>)> = Vec::new();
    for (row, config) in rows {
        match configs.iter_mut().find(|(known, _)| known == config) {
            Some((_, rows)) => rows.push(*row),
            None => configs.push((config.clone(), vec![*row])),
        }
    }
    configs.chunks(BATCH).map(<[_]>::to_vec).collect()
}

/// The entry point at which proxies ask.
pub(crate) const AUTH: &str = "auth";

/// A Traefik with an entry point for clients, and one for proxies on this machine, with its address.
pub(crate) fn bed_with_auth(plugins: Vec<Plugin>) -> (Setup, SocketAddr) {
    let auth = free_address();
    let own = json!({"address": auth.to_string(), "forwardedHeaders": {"trustedIPs": ["127.0.0.1/32"]}});
    let setup = Setup {
        plugins,
        entry_point: json!({"asDefault": true, "http": {"aliasHeadersStrategy": "delete"}}),
        more: json!({"entryPoints": {AUTH: own}}),
        ..Setup::default()
    };
    (setup, auth)
}

/// The names of the managed headers of a configuration.
pub(crate) fn managed(config: &Value) -> Vec<String> {
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let policy = compile(config.to_string().as_bytes(), &capabilities).ok();
    let rows = policy.iter().flat_map(|policy| policy.forward.managed.rows());
    rows.map(|row| row.name().to_owned()).collect()
}

fn check(traefik: &Traefik, case: &Case, host: &str) -> Result<(), String> {
    let response = traefik.send(&case.request.to(host));
    for word in &case.expect.refused {
        if traefik.log_with(0, &[host, word]).is_empty() && traefik.log_with(0, &[word]).is_empty() {
            return Err(format!("the log does not say '{word}'"));
        }
    }
    if !case.expect.log.is_empty() {
        let message =
            |line: String| serde_json::from_str::<Value>(&line).ok()?["message"].as_str().map(str::to_owned);
        let mut lines = traefik.log_with(0, &["traefik-jwt-auth: "]).into_iter().filter_map(message);
        if !lines.any(|line| case.expect.is_logged_in(&line)) {
            return Err(format!("no line of the log has {:?}", case.expect.log));
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
