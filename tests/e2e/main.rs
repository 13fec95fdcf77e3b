//! The built plugin in a real Traefik. `make e2e` builds, fetches Traefik and runs this; an argument filters by
//! name. No test is ever skipped: a missing Traefik or artifact is a failure.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::exit,
    reason = "a test fails by panicking and reports on standard output"
)]

mod rows;
mod proxy;
mod reload;
mod load;
mod provider;
mod browser;
mod examples;

use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

type Test = (&'static str, fn());

const TESTS: &[Test] = &[
    ("rows_fetch", rows::fetch),
    ("rows_offline", rows::offline),
    ("untouched", proxy::untouched),
    ("mistake_and_correction", reload::mistake_and_correction),
    ("descriptors_offline", reload::descriptors_offline),
    ("descriptors_fetch", reload::descriptors_fetch),
    ("parallel", load::parallel),
    ("in_flight", load::in_flight),
    ("provider_failures", provider::failures),
    ("provider_forms", provider::forms),
    ("provider_rotation", provider::rotation),
    ("provider_stale", provider::stale),
    ("browser_redirect", browser::redirect),
    ("example_seed", examples::seed),
];

/// Each test has a Traefik of its own, so two run side by side.
const PARALLEL: usize = 2;

fn main() {
    let filters: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let chosen: Vec<&Test> = TESTS
        .iter()
        .filter(|(name, _)| filters.is_empty() || filters.iter().any(|filter| name.contains(filter)))
        .collect();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                while let Some((name, test)) = chosen.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let passed = catch_unwind(test).is_ok();
                    println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
                    if !passed {
                        failed.lock().unwrap().push(*name);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!("\n{} passed, {} failed", chosen.len() - failed.len(), failed.len());
    if !failed.is_empty() || chosen.is_empty() {
        println!("failed: {}", failed.join(" "));
        std::process::exit(1);
    }
}
