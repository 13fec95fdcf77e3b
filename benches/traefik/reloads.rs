//! What Traefik pays for routers with the middleware: CPU time of a load, and the memory that each leaves behind.

use serde_json::json;
use testbed::traefik::{FETCH, OFFLINE, Plugin, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::usual;

use crate::TRIVIAL;

const ROUTERS: usize = 50;
const RELOADS: usize = 30;

/// Prints the table.
pub(crate) fn measure() {
    println!(
        "| guest of {ROUTERS} routers | ms of CPU a load | MiB resident at first | MiB more after {RELOADS} loads |"
    );
    println!("|---|---|---|---|");
    for (plugin, configuration) in [
        (TRIVIAL, json!({"none": "none"})),
        (OFFLINE, usual::configuration()),
        (FETCH, usual::configuration()),
    ] {
        let (cpu, first, last) = load(plugin, &configuration);
        println!("| {} | {cpu:.0} | {first:.0} | {:.0} |", plugin.name, last - first);
    }
}

fn load(plugin: Plugin, configuration: &serde_json::Value) -> (f64, f64, f64) {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![plugin], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    routes.protect("router-0", plugin, configuration);
    for number in 1..ROUTERS {
        routes.share(&format!("router-{number}"), "router-0");
    }
    let resident = || traefik.resident_kib() as f64 / 1024.0;
    traefik.configure(&routes);
    let (first, before) = (resident(), traefik.cpu_nanoseconds());
    for _ in 0..RELOADS {
        traefik.configure(&routes);
    }
    let cpu = (traefik.cpu_nanoseconds() - before) as f64 / 1e6 / RELOADS as f64;
    (cpu, first, resident())
}
