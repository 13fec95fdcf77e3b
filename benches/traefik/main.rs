//! What the middleware costs in a real Traefik: `make bench`, or `make bench BENCH="cost memory"` for some parts.
//! CPU time of the Traefik process, not wall time; rounds interleaved, medians; tables as in `docs/performance.md`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark fails by panicking and reports on standard output"
)]

mod client;
mod configuration;
mod cost;
mod growth;
mod instances;
mod keys;
mod memory;
mod reloads;
mod sizes;

use testbed::traefik::Plugin;

/// The guest that `trivial.wat` says.
const TRIVIAL: Plugin = Plugin { name: "trivial", file: "target/trivial.wasm" };

/// The guest that `calls.wat` says.
const CALLS: Plugin = Plugin { name: "calls", file: "target/calls.wasm" };

type Part = (&'static str, fn());

const PARTS: &[Part] = &[
    ("sizes", sizes::measure),
    ("cost", cost::measure),
    ("growth", growth::measure),
    ("memory", memory::measure),
    ("instances", instances::measure),
    ("reloads", reloads::measure),
    ("keys", keys::measure),
    ("bursts", keys::bursts),
];

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    for (name, measure) in PARTS {
        if chosen.is_empty() || chosen.iter().any(|word| word == name) {
            eprintln!("== {name}");
            measure();
            println!();
        }
    }
}

/// The middle one; of an even number, the lower of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() - 1) / 2]
}
