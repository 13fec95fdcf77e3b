//! The plugin in a real Traefik against servers and clients that others wrote. `make counterparts` installs them and
//! runs this; an argument filters by name. A test whose counterpart is not there is skipped and says so, unless
//! `REQUIRE_COUNTERPARTS` is set.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "a test fails by panicking and reports on standard output"
)]

mod need;
mod script;
mod provider;
mod nginx;
mod back_ends;
mod forward_auth;
mod prometheus;
mod browser;
mod playground;
mod grpc;
mod mcp;

use std::process::ExitCode;

use testbed::harness::{self, Skipped, Test};

use crate::need::Need;

/// The long ones first.
const TESTS: &[(&[Need], Test)] = &[
    (&[Need::Node, Need::Chromium, Need::Page], ("playground_walk", playground::walk)),
    (&[Need::Node], ("provider_dpop", provider::dpop)),
    (&[Need::Node], ("mcp_walk", mcp::walk)),
    (&[Need::Node], ("provider_rotation", provider::rotation)),
    (&[Need::Node], ("grpc_statuses", grpc::statuses)),
    (&[Need::Node], ("mcp_tools", mcp::tools)),
    (&[Need::Node], ("mcp_tools_dpop", mcp::tools_dpop)),
    (&[Need::Node], ("mcp_conformance", mcp::conformance)),
    (&[Need::Node, Need::Chromium], ("browser_web_socket", browser::web_socket)),
    (&[Need::Node], ("provider_tokens", provider::tokens)),
    (&[Need::Node], ("provider_id_token", provider::id_token)),
    (&[Need::Node, Need::Nginx], ("provider_behind_nginx", provider::behind_nginx)),
    (&[Need::Nginx], ("nginx_forms", nginx::forms)),
    (&[Need::Nginx], ("nginx_conditional", nginx::conditional)),
    (&[Need::Nginx], ("forward_auth_nginx", forward_auth::nginx)),
    (&[Need::Caddy], ("forward_auth_caddy", forward_auth::caddy)),
    (&[Need::Haproxy], ("forward_auth_haproxy", forward_auth::haproxy)),
    (&[Need::Prometheus], ("prometheus_alert_rules", prometheus::alert_rules)),
    (&[Need::Prometheus], ("prometheus_scrapes", prometheus::scrapes)),
    (&[Need::Lighttpd], ("back_ends_lighttpd", back_ends::lighttpd)),
    (&[Need::Lighttpd], ("back_ends_alias_strategy", back_ends::alias_strategy)),
    (&[Need::Nginx, Need::PhpFpm], ("back_ends_nginx", back_ends::nginx)),
    (&[Need::Apache], ("back_ends_apache", back_ends::apache)),
    (&[Need::Python], ("back_ends_gunicorn", back_ends::gunicorn)),
    (&[Need::Node], ("back_ends_node", back_ends::node)),
    (&[], ("back_ends_asp_net", back_ends::documented)),
    (&[Need::Node, Need::Chromium], ("browser_navigation", browser::navigation)),
    (&[Need::Node, Need::Chromium], ("browser_cross_origin", browser::cross_origin)),
    (&[Need::Node, Need::Python], ("mcp_tools_python", mcp::tools_python)),
];

fn main() -> ExitCode {
    let (mut tests, mut skipped): (Vec<Test>, Vec<Skipped>) = (Vec::new(), Vec::new());
    for (needs, test) in TESTS {
        match needs.iter().find_map(Need::missing) {
            None => tests.push(*test),
            Some(reason) => skipped.push((test.0, reason)),
        }
    }
    let result = harness::run(&tests, &[], &skipped);
    let required = std::env::var("REQUIRE_COUNTERPARTS").is_ok_and(|value| !value.is_empty());
    if required && !skipped.is_empty() {
        eprintln!("REQUIRE_COUNTERPARTS is set, and tests were skipped");
        return ExitCode::FAILURE;
    }
    result
}
