//! The built plugin in a real Traefik. `make e2e` builds, fetches Traefik and runs this; an argument filters by
//! name. A missing Traefik or artifact is a failure; a test that the machine lacks something else for is skipped, which the last
//! lines say.
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
mod quick_start;
mod reload;
mod load;
mod provider;
mod tls;
mod certificate_rules;
mod hosts;
mod credentials;
mod clusters;
mod outside;
mod sharing;
mod local;
mod races;
mod browser;
mod headers;
mod recorder;
mod smuggling;
mod frames;
mod logs;
mod metrics;
mod paths;
mod status;
mod copies;
mod forward_auth;
mod deploy;
mod examples;
mod proofs;
mod mtls;
mod revocation;
mod soak;
mod started;
mod cruel;
mod dying;
mod clock;

use std::process::ExitCode;

use testbed::harness::{self, Test};

/// The long ones first.
const TESTS: &[Test] = &[
    ("forward_auth_many_routers", forward_auth::many_routers),
    ("sharing_directory", sharing::directory),
    ("rows_fetch", rows::fetch),
    ("rows_asked", rows::asked),
    ("tls_certificates", tls::certificates),
    ("dying_some_bytes", dying::some_bytes),
    ("rows_offline", rows::offline),
    ("descriptors_inline", reload::descriptors_inline),
    ("descriptors_url", reload::descriptors_url),
    ("revocation_long_list", revocation::long_list),
    ("provider_failures", provider::failures),
    ("provider_endless", provider::endless),
    ("local_forged_records", local::forged_records),
    ("local_forged_records_udp", local::forged_records_udp),
    ("races_keys_stay_apart", races::keys_stay_apart),
    ("proofs_replay", proofs::replay),
    ("cruel_few_descriptors", cruel::few_descriptors),
    ("clock_set_back_and_forth", clock::set_back_and_forth),
    ("clock_stale_keys", clock::stale_keys),
    ("proofs_before_strip_prefix", proofs::before_strip_prefix),
    ("proofs_nonce_of_two", proofs::nonce_of_two),
    ("mtls_certificates", mtls::certificates),
    ("revocation_markers", revocation::markers),
    ("revocation_lists", revocation::lists),
    ("cruel_full_disk", cruel::full_disk),
    ("sharing_provider_away_at_reload", sharing::provider_away_at_reload),
    ("forward_auth_trust", forward_auth::trust),
    ("forward_auth_untouched", forward_auth::untouched),
    ("forward_auth_keys_are_renewed", forward_auth::keys_are_renewed),
    ("forward_auth_example", forward_auth::example),
    ("untouched", proxy::untouched),
    ("host_of_the_request", proxy::host_of_the_request),
    ("mistake_and_correction", reload::mistake_and_correction),
    ("provider_forms", provider::forms),
    ("provider_addresses", provider::addresses),
    ("provider_dead_address", provider::dead_address),
    ("provider_tls_reasons", provider::tls_reasons),
    ("provider_documents", provider::documents),
    ("files_and_variables", outside::files_and_variables),
    ("local_files", local::files),
    ("sharing_rotation", sharing::rotation),
    ("sharing_replaced_key", sharing::replaced_key),
    ("sharing_stale", sharing::stale),
    ("sharing_issuers", sharing::issuers),
    ("provider_proxy", sharing::through_a_proxy),
    ("provider_client_certificate", sharing::client_certificate),
    ("credentials_stay_with_their_server", credentials::stay_with_their_server),
    ("credentials_of_each_issuer", credentials::of_each_issuer),
    ("clusters_own_cluster", clusters::own_cluster),
    ("clusters_load_balancer", clusters::load_balancer),
    ("addresses_that_answers_name", credentials::addresses_that_answers_name),
    ("browser_redirect", browser::redirect),
    ("log_refusals", logs::refusals),
    ("log_warnings", logs::warnings),
    ("log_access", logs::access_log),
    ("metrics_example", metrics::example),
    ("metrics_clients_have_no_say", metrics::clients_have_no_say),
    ("path_tricks", paths::tricks),
    ("path_rewritten", paths::rewritten),
    ("status_key_sets", status::key_sets),
    ("status_revocations", status::revocations),
    ("copies_of_tokens", copies::tokens),
    ("headers_bytes", headers::bytes),
    ("headers_trailers", headers::trailers),
    ("headers_caches", headers::caches),
    ("headers_query_bytes", headers::query_bytes),
    ("headers_preflight_body", headers::preflight_body),
    ("smuggling_requests", smuggling::requests),
    ("smuggling_upgrades", smuggling::upgrades),
    ("smuggling_long_heads", smuggling::long_heads),
    ("frames_requests", frames::requests),
    ("frames_crumbs", frames::crumbs),
    ("example_seed", examples::seed),
    ("example_rules", examples::rules),
    ("example_blocks", examples::blocks),
    ("example_converted", examples::converted),
    ("release", examples::release),
    ("deploy_compose", deploy::compose),
    ("deploy_ingress_route", deploy::ingress_route),
    ("deploy_ingress", deploy::ingress),
    ("deploy_many_routers", deploy::many_routers),
    ("deploy_gateway", deploy::gateway),
    ("deploy_redis", deploy::redis),
    ("deploy_http_provider", deploy::http_provider),
    ("deploy_toml", deploy::toml),
    ("deploy_helm", deploy::helm),
    ("deploy_helm_archive", deploy::helm_archive),
    ("deploy_systemd", deploy::systemd),
    ("quick_start", quick_start::page),
];

/// Those that send hundreds of requests at once, or measure how long requests take: they need the processor for
/// themselves.
const ALONE: &[Test] = &[
    ("in_flight", load::in_flight),
    ("parallel", load::parallel),
    ("cruel_small_machine", cruel::small_machine),
    ("cruel_few_threads", cruel::few_threads),
    ("sharing_burst", sharing::burst),
    ("sharing_crowd", sharing::crowd),
    ("sharing_ahead", sharing::ahead),
    ("sharing_same_traefik", sharing::same_traefik),
];

/// `make soak`: minutes instead of seconds.
const SOAK: &[Test] = &[
    ("races_keys_stay_apart", races::keys_stay_apart),
    ("local_forged_records", local::forged_records_soak),
    ("soak_descriptors", reload::descriptors_soak),
    ("soak_many_routers", forward_auth::many_routers_soak),
    ("soak_mixed", soak::mixed),
    ("soak_proofs", proofs::soak),
];

/// `make cruel`, besides some of the others where the machine is made small for all of them.
const CRUEL: &[Test] = &[("dying_every_byte", dying::every_byte)];

/// Only of the Traefik and the processors that are known to have the fault.
const CONTROL: Test = ("copies_bed_shows_the_fault", copies::bed_shows_the_fault);

fn main() -> ExitCode {
    if let Some(code) = local::attacker() {
        return code;
    }
    if std::env::var_os("SOAK_MINUTES").is_some() {
        return harness::run(SOAK, &[], &[]);
    }
    if std::env::var_os("CRUEL").is_some() {
        return harness::run(CRUEL, &[], &[]);
    }
    if std::env::var_os("TRAEFIK").is_some() || !cfg!(target_arch = "x86_64") {
        let reason = "another Traefik or processor, which may copy in another way".into();
        return harness::run(TESTS, ALONE, &[(CONTROL.0, reason)]);
    }
    harness::run(&[TESTS, &[CONTROL]].concat(), ALONE, &[])
}
