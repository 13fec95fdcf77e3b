//! What `main` does first in every instance.

use crate::core::config::{summary, warnings, without_directory};
use crate::core::jwk::lookup::KeySource;
use crate::core::policy::Policy;
use crate::core::refusal_log::LogLevel;
use crate::host::wasm::abi::is_first_instance;
use crate::host::wasm::log;
use crate::host::{close_standard_streams, open_lock};

/// Sends panics to the host log and gives up the standard streams: descriptor 2 may be somebody's socket, and the
/// host never closes the three that it opens for every router and reload.
pub fn boot() {
    std::panic::set_hook(Box::new(|info| log::panic(&info.to_string())));
    close_standard_streams();
}

/// Says in the log what is in force, and what the policy accepts because no rule is written about it: once for a router
/// and load, since every instance runs `main`.
pub fn warn(policy: &Policy) {
    if is_first_instance() {
        log::line(LogLevel::Info, &summary(policy));
        without_directory(policy).iter().for_each(|text| log::line(LogLevel::Info, text));
        warnings(policy).iter().for_each(|warning| log::line(LogLevel::Warn, warning));
    }
}

/// Opens what the instances of a router share, where the policy reads files or URLs: with nothing to ask for, nothing
/// is shared, and the descriptor is saved.
pub fn share(policy: &Policy) {
    let asks = |source: &KeySource| !matches!(source, KeySource::Configured(_));
    if policy.issuers.iter().any(|issuer| issuer.keys.iter().any(asks)) {
        open_lock();
    }
}
