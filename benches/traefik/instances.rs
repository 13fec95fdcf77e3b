//! CPU time of a request that needs a new instance of the guest, which has its configuration to read and its first token
//! to verify: nothing that one instance knows serves another.

use std::io::Write;

use serde_json::json;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::usual;

use crate::client::{answer, cpu_per_request, open, request};
use crate::tokens::new;
use crate::{TRIVIAL, median, more};

const AT_ONCE: usize = 100;
const ROUNDS: usize = 7;

/// Prints the table.
pub(crate) fn measure() {
    let (usual, large) = (usual::configuration(), usual::large_configuration());
    println!(
        "{AT_ONCE} requests at once, each with a token of its own; a configuration of {} bytes with 5 keys, the large \
         one of {} bytes with 10.\n",
        usual.to_string().len(),
        large.to_string().len()
    );
    let none = json!({"none": "none"});
    let mut optional = large.clone();
    optional["mode"] = json!("optional");
    let cases = [
        ("plain route", None, &none, "EdDSA"),
        ("trivial guest", Some(TRIVIAL), &none, "EdDSA"),
        ("`plugin-offline.wasm`, large, no token", Some(OFFLINE), &optional, ""),
        ("`plugin.wasm`, large, no token", Some(FETCH), &optional, ""),
        ("`plugin-offline.wasm`, large, EdDSA", Some(OFFLINE), &large, "EdDSA"),
        ("`plugin.wasm`, large, EdDSA", Some(FETCH), &large, "EdDSA"),
        ("`plugin-offline.wasm`, EdDSA", Some(OFFLINE), &usual, "EdDSA"),
        ("`plugin-offline.wasm`, ES256", Some(OFFLINE), &usual, "ES256"),
        ("`plugin.wasm`, EdDSA", Some(FETCH), &usual, "EdDSA"),
        ("`plugin.wasm`, ES256", Some(FETCH), &usual, "ES256"),
    ];
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH, OFFLINE, TRIVIAL], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    let mut bursts = Vec::new();
    for (number, (_, plugin, configuration, alg)) in cases.iter().enumerate() {
        let host = format!("case-{number}");
        match plugin {
            Some(plugin) => routes.protect(&host, *plugin, configuration),
            None => routes.open(&host),
        }
        let tokens = if alg.is_empty() { vec![String::new()] } else { new(alg, AT_ONCE) };
        bursts.push(Burst::new(&host, &tokens));
    }
    let figures = cpu_of_new_instances(&traefik, &upstream, &routes, &bursts, ROUNDS);
    println!("| route | µs for a request that needs a new instance | over the plain route |\n|---|---|---|");
    for ((name, ..), own) in cases.iter().zip(&figures) {
        println!("| {name} | {:.0} | {:+.0} |", median(own.clone()), more(own, &figures[0]));
    }
}

/// Requests that are in flight at once.
pub(crate) struct Burst {
    before: Vec<Vec<u8>>,
    at_once: Vec<Vec<u8>>,
}

impl Burst {
    pub(crate) fn new(host: &str, tokens: &[String]) -> Self {
        let heads = |target| tokens.iter().map(|token| request(host, target, token).head()).collect();
        Self { before: heads("/"), at_once: heads("/slow?2000") }
    }

    /// Requests that come while all others are in flight each need a new instance.
    fn cpu(&self, traefik: &Traefik) -> f64 {
        cpu_per_request(traefik, &self.before, 0, 10, "200");
        let before = traefik.cpu_nanoseconds();
        let mut connections: Vec<_> = (0..AT_ONCE)
            .map(|number| {
                let mut stream = open(traefik.address());
                stream.get_mut().write_all(&self.at_once[number % self.at_once.len()]).unwrap();
                stream
            })
            .collect();
        for stream in &mut connections {
            assert_eq!(answer(stream), "200");
        }
        (traefik.cpu_nanoseconds() - before) as f64 / 1e3 / AT_ONCE as f64
    }
}

/// µs of CPU for a request of each burst, a figure a round.
pub(crate) fn cpu_of_new_instances(
    traefik: &Traefik,
    upstream: &Upstream,
    routes: &Routes,
    bursts: &[Burst],
    rounds: usize,
) -> Vec<Vec<f64>> {
    let mut figures = vec![Vec::new(); bursts.len()];
    for round in 0..=rounds {
        // Another configuration is another pool of instances.
        traefik.configure(&Routes::to(&upstream.url()));
        traefik.configure(routes);
        // Each comes first as often as last: what garbage the one before left is paid by the next.
        for index in 0..bursts.len() {
            let index = (index + round) % bursts.len();
            let cost = bursts[index].cpu(traefik);
            if round > 0 {
                figures[index].push(cost);
            }
        }
    }
    figures
}
