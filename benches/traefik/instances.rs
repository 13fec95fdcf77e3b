//! CPU time to create an instance of the guest: requests that come while all others are in flight need a new one.

use std::io::Write;

use serde_json::{Value, json};
use testbed::keys;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::Upstream;

use crate::client::{answer, cpu_per_request, open, request};
use crate::configuration::{known, usual};
use crate::{TRIVIAL, median};

const AT_ONCE: usize = 100;
const ROUNDS: usize = 7;

/// Ten keys, 6 KB.
fn large() -> Value {
    let mut configuration = usual();
    let mut set = keys::public_set();
    let keys = set["keys"].as_array_mut().unwrap();
    let first = keys.clone();
    for (number, key) in first.iter().cycle().take(10usize.saturating_sub(first.len())).enumerate() {
        let mut key = key.clone();
        key["kid"] = json!(format!("other-{number}"));
        keys.push(key);
    }
    keys.truncate(10);
    configuration["jwks"] = json!(set.to_string());
    let rest = 6_000usize.saturating_sub(configuration.to_string().len());
    configuration["claims"] =
        json!(format!("Equals(`azp`, `web`) || Equals(`azp`, `{}`)", "x".repeat(rest.min(3_900))));
    configuration
}

/// Prints the table.
pub(crate) fn measure() {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH, OFFLINE, TRIVIAL], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    routes.open("plain");
    routes.protect("trivial", TRIVIAL, &json!({"none": "none"}));
    let configuration = large();
    let bytes = configuration.to_string().len();
    routes.protect("jwt", FETCH, &configuration);
    routes.protect("offline", OFFLINE, &configuration);
    let hosts = ["plain", "trivial", "offline", "jwt"];
    let mut figures = vec![Vec::new(); hosts.len()];
    for round in 0..=ROUNDS {
        // Another configuration is another pool of instances.
        traefik.configure(&Routes::to(&upstream.url()));
        traefik.configure(&routes);
        for (host, figures) in hosts.iter().zip(&mut figures) {
            let cost = burst(&traefik, host);
            if round > 0 {
                figures.push(cost);
            }
        }
    }
    println!("A configuration of {bytes} bytes with 10 keys, an EdDSA token, {AT_ONCE} requests at once.\n");
    println!("| route | µs for a request that needs a new instance | over the plain route |\n|---|---|---|");
    for (host, own) in hosts.iter().zip(&figures) {
        let over = median(own.iter().zip(&figures[0]).map(|(own, plain)| own - plain).collect());
        println!("| {host} | {:.0} | {over:+.0} |", median(own.clone()));
    }
}

fn burst(traefik: &Traefik, host: &str) -> f64 {
    let token = known("EdDSA");
    cpu_per_request(traefik, &[request(host, "/", &token).head()], 0, 10, "200");
    let head = request(host, "/slow?3000", &token).head();
    let before = traefik.cpu_nanoseconds();
    let mut connections: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let mut stream = open(traefik.address());
            stream.get_mut().write_all(&head).unwrap();
            stream
        })
        .collect();
    for stream in &mut connections {
        assert_eq!(answer(stream), "200");
    }
    (traefik.cpu_nanoseconds() - before) as f64 / 1e3 / AT_ONCE as f64
}
