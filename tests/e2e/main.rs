//! The built plugin in a real Traefik. `make e2e` builds, fetches Traefik and runs this; an argument filters by
//! name. No test is ever skipped: a missing Traefik or artifact is a failure.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    reason = "a test fails by panicking and reports on standard output"
)]

mod rows;
mod proxy;
mod reload;
mod load;
mod provider;
mod browser;
mod examples;

use std::process::ExitCode;

use testbed::harness::{self, Test};

const TESTS: &[Test] = &[
    ("rows_fetch", rows::fetch),
    ("rows_offline", rows::offline),
    ("untouched", proxy::untouched),
    ("mistake_and_correction", reload::mistake_and_correction),
    ("descriptors_offline", reload::descriptors_offline),
    ("descriptors_fetch", reload::descriptors_fetch),
    ("parallel", load::parallel),
    ("provider_failures", provider::failures),
    ("provider_forms", provider::forms),
    ("provider_rotation", provider::rotation),
    ("provider_stale", provider::stale),
    ("browser_redirect", browser::redirect),
    ("example_seed", examples::seed),
];

fn main() -> ExitCode {
    harness::run(TESTS, &[])
}
