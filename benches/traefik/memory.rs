//! Resident memory of a request in flight: each has an instance of the guest to itself.

use std::io::Write;

use serde_json::json;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::usual;

use crate::client::{answer, cpu_per_request, open, request};
use crate::tokens::{NEW_TOKENS, new};
use crate::{TRIVIAL, median};

const IN_FLIGHT: usize = 1_000;
const ROUNDS: usize = 3;

/// Prints the table.
pub(crate) fn measure() {
    let tokens = new("EdDSA", NEW_TOKENS);
    println!(
        "| route | KiB of resident memory for a request in flight | over the plain route |\n|---|---|---|"
    );
    let mut plain = 0.0;
    for host in ["plain", "trivial", "jwt", "offline"] {
        let kib = median((0..ROUNDS).map(|_| in_flight(host, &tokens)).collect());
        if host == "plain" {
            plain = kib;
        }
        println!("| {host} | {kib:.0} | {:+.0} |", kib - plain);
    }
}

/// In a Traefik of its own, after all the tokens.
fn in_flight(host: &str, tokens: &[String]) -> f64 {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH, OFFLINE, TRIVIAL], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    routes.open("plain");
    routes.protect("trivial", TRIVIAL, &json!({"none": "none"}));
    routes.protect("jwt", FETCH, &usual::configuration());
    routes.protect("offline", OFFLINE, &usual::configuration());
    traefik.configure(&routes);
    let heads: Vec<Vec<u8>> = tokens.iter().map(|token| request(host, "/", token).head()).collect();
    cpu_per_request(&traefik, &heads, 0, heads.len(), "200");
    let before = traefik.resident_kib();
    let served = upstream.requests();
    let mut connections: Vec<_> = (0..IN_FLIGHT)
        .map(|number| {
            let mut stream = open(traefik.address());
            let token = &tokens[number % tokens.len()];
            stream.get_mut().write_all(&request(host, "/slow?15000", token).head()).unwrap();
            stream
        })
        .collect();
    testbed::wait::wait("all of them are at the upstream", 60, || {
        (upstream.requests() - served == IN_FLIGHT).then_some(())
    });
    let after = traefik.resident_kib();
    for stream in &mut connections {
        assert_eq!(answer(stream), "200");
    }
    after.saturating_sub(before) as f64 / IN_FLIGHT as f64
}
