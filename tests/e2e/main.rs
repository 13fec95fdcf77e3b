//! The built plugin in a real Traefik. `make e2e` builds, fetches Traefik and runs this; an argument filters by
//! name. No test is ever skipped: a missing Traefik or artifact is a failure.
#![expect(
    clippy::unwrap_used,
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
mod outside;
mod sharing;
mod races;
mod browser;
mod headers;
mod logs;
mod paths;
mod status;
mod examples;
mod soak;

use std::process::ExitCode;

use testbed::harness::{self, Test};

/// The long ones first.
const TESTS: &[Test] = &[
    ("in_flight", load::in_flight),
    ("races_keys_stay_apart", races::keys_stay_apart),
    ("sharing_directory", sharing::directory),
    ("provider_failures", provider::failures),
    ("descriptors_inline", reload::descriptors_inline),
    ("descriptors_url", reload::descriptors_url),
    ("rows_fetch", rows::fetch),
    ("rows_offline", rows::offline),
    ("untouched", proxy::untouched),
    ("host_of_the_request", proxy::host_of_the_request),
    ("mistake_and_correction", reload::mistake_and_correction),
    ("parallel", load::parallel),
    ("provider_forms", provider::forms),
    ("provider_addresses", provider::addresses),
    ("provider_dead_address", provider::dead_address),
    ("provider_tls_reasons", provider::tls_reasons),
    ("files_and_variables", outside::files_and_variables),
    ("sharing_burst", sharing::burst),
    ("sharing_crowd", sharing::crowd),
    ("sharing_ahead", sharing::ahead),
    ("sharing_rotation", sharing::rotation),
    ("sharing_stale", sharing::stale),
    ("sharing_issuers", sharing::issuers),
    ("sharing_same_traefik", sharing::same_traefik),
    ("provider_proxy", sharing::through_a_proxy),
    ("provider_client_certificate", sharing::client_certificate),
    ("browser_redirect", browser::redirect),
    ("log_refusals", logs::refusals),
    ("log_warnings", logs::warnings),
    ("log_access", logs::access_log),
    ("path_tricks", paths::tricks),
    ("status_key_sets", status::key_sets),
    ("headers_bytes", headers::bytes),
    ("headers_trailers", headers::trailers),
    ("example_seed", examples::seed),
];

/// `make soak`: minutes instead of seconds.
const SOAK: &[Test] = &[
    ("races_keys_stay_apart", races::keys_stay_apart),
    ("soak_descriptors", reload::descriptors_soak),
    ("soak_mixed", soak::mixed),
];

fn main() -> ExitCode {
    harness::run(if std::env::var_os("SOAK_MINUTES").is_some() { SOAK } else { TESTS }, &[])
}
