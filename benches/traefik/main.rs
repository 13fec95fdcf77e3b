//! What the middleware costs in a real Traefik: `make bench`, or `make bench BENCH="cost memory"` for some parts.
//! CPU time of the Traefik process, not wall time; rounds interleaved, medians; tables as in `docs/measurements`.
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
mod cost;
mod growth;
mod instances;
mod keys;
mod memory;
mod peers;
mod proofs;
mod refusals;
mod reloads;
mod rules;
mod sizes;
mod tokens;

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
    ("rules", rules::measure),
    ("refusals", refusals::measure),
    ("proofs", proofs::measure),
    ("memory", memory::measure),
    ("instances", instances::measure),
    ("reloads", reloads::measure),
    ("keys", keys::measure),
    ("bursts", keys::bursts),
    ("peers", peers::measure),
];

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    // What the user has to get first is measured where it is asked for.
    let all = PARTS.iter().filter(|(name, _)| !chosen.is_empty() || *name != "peers");
    for (name, measure) in all {
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

/// How much `own` is over `base`: the median of the differences, round by round.
fn more(own: &[f64], base: &[f64]) -> f64 {
    median(own.iter().zip(base).map(|(own, base)| own - base).collect())
}
