//! CPU time for a request, over the plain route and the trivial guest, measured side by side.

use std::net::SocketAddr;

use serde_json::json;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::usual;
use testbed::wait::unix_now;

use crate::client::{cpu_of, request};
use crate::tokens::{NEW_TOKENS, claims, known, new};
use crate::{CALLS, TRIVIAL, median, more};

pub(crate) const ROUNDS: usize = 9;
pub(crate) const REQUESTS: usize = 1_000;

/// Requests that are alike, and what one of them costs: a figure a round.
pub(crate) struct Row {
    pub(crate) name: String,
    status: &'static str,
    requests: Vec<Vec<u8>>,
    pub(crate) figures: Vec<f64>,
}

impl Row {
    pub(crate) fn new(name: &str, host: &str, status: &'static str, tokens: &[String]) -> Self {
        Self::to(name, host, "/", status, tokens)
    }

    /// With another target than the root.
    pub(crate) fn to(name: &str, host: &str, target: &str, status: &'static str, tokens: &[String]) -> Self {
        Self::of(name, status, tokens.iter().map(|token| request(host, target, token).head()).collect())
    }

    /// Requests of any kind.
    pub(crate) fn of(name: &str, status: &'static str, requests: Vec<Vec<u8>>) -> Self {
        Self { name: name.into(), status, requests, figures: Vec::new() }
    }
}

fn rows() -> Vec<Row> {
    let one = |token: String| vec![token];
    let with = |member: &str, value: serde_json::Value| {
        let mut claims = claims(0);
        claims[member] = value;
        vec![Token::new("EdDSA", claims).mint()]
    };
    let mut rows = vec![
        Row::new("plain route", "plain", "200", &one(known("EdDSA"))),
        Row::new("trivial guest", "trivial", "200", &one(known("EdDSA"))),
        Row::new("guest with the same calls", "calls", "200", &one(known("EdDSA"))),
    ];
    for alg in ["EdDSA", "ES256", "RS256"] {
        rows.push(Row::new(&format!("known {alg}"), "jwt", "200", &one(known(alg))));
    }
    rows.push(Row::new("known EdDSA, offline", "offline", "200", &one(known("EdDSA"))));
    for alg in ["EdDSA", "ES256", "ES512", "RS256"] {
        rows.push(Row::new(&format!("new {alg}"), "jwt", "200", &new(alg, NEW_TOKENS)));
    }
    // What refusing costs where Traefik does it by itself.
    rows.push(Row::new("refused by ipAllowList", "refused", "403", &one(known("EdDSA"))));
    rows.push(Row::new("missing", "jwt", "401", &one(String::new())));
    rows.push(Row::new("malformed", "jwt", "401", &one("a.b.c".into())));
    rows.push(Row::new("expired", "jwt", "401", &with("exp", json!(unix_now() - 60))));
    rows.push(Row::new("wrong issuer", "jwt", "401", &with("iss", json!("https://evil.example/"))));
    let forged = Token::new("EdDSA", claims(0)).signed_by("ed25519-other").mint();
    rows.push(Row::new("forged, the same again", "jwt", "401", &[forged]));
    rows
}

/// Prints the table.
pub(crate) fn measure() {
    let upstream = Upstream::start();
    let traefik =
        Traefik::start(&Setup { plugins: vec![FETCH, OFFLINE, TRIVIAL, CALLS], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    routes.open("plain");
    routes.protect_with("refused", json!({"ipAllowList": {"sourceRange": ["192.0.2.1/32"]}}));
    routes.protect("trivial", TRIVIAL, &json!({"none": "none"}));
    routes.protect("calls", CALLS, &json!({"none": "none"}));
    routes.protect("jwt", FETCH, &usual::configuration());
    routes.protect("offline", OFFLINE, &usual::configuration());
    traefik.configure(&routes);
    let mut rows = rows();
    fill(&mut rows, &|| traefik.cpu_nanoseconds(), traefik.address());
    let plain = rows[0].figures.clone();
    let refused = rows.iter().find(|row| row.status == "403").map(|row| row.figures.clone()).unwrap();
    println!(
        "| request | token bytes | µs | over the plain route | of the plain route | over a refusal of Traefik |\n\
         |---|---|---|---|---|---|"
    );
    for row in &rows {
        let over = more(&row.figures, &plain);
        let ratio = median(row.figures.iter().zip(&plain).map(|(own, plain)| own / plain).collect());
        let cost = median(row.figures.clone());
        let bytes = row.requests[0].len().saturating_sub(request("jwt", "/", "").head().len());
        let refusal = match row.status {
            "200" => String::new(),
            _ => format!("{:+.1}", more(&row.figures, &refused)),
        };
        println!("| {} | {bytes} | {cost:.1} | {over:+.1} | {ratio:.2} | {refusal} |", row.name);
    }
}

/// Measures all rows, in turn, round by round.
pub(crate) fn fill(rows: &mut [Row], clock: &dyn Fn() -> u64, address: SocketAddr) {
    // A round that does not count: instances, connections and key tables are made.
    for round in 0..=ROUNDS {
        for row in &mut *rows {
            let cost = cpu_of(clock, address, &row.requests, round * REQUESTS, REQUESTS, row.status);
            if round > 0 {
                row.figures.push(cost);
            }
        }
    }
}
