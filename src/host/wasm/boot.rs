//! What `main` does first in every instance.

use crate::core::config::{Capabilities, ConfigError, compile, summary, warnings, without_directory};
use crate::core::jwk::lookup::KeySource;
use crate::core::policy::Policy;
use crate::core::proof::dpop::Replay;
use crate::core::proof::nonce::NonceSource;
use crate::core::refusal_log::LogLevel;
use crate::host::wasm::abi::{self, Handler, HandlerSlot, is_first_instance};
use crate::host::wasm::log;
use crate::host::{FETCHES, close_standard_streams, open_lock};

/// Configuration in, handler registered, or exit 1 so that Traefik disables the router.
pub fn start<H: Handler + 'static>(handler: impl FnOnce(Policy) -> H) {
    abi::construct();
    let handler_of_requests = HandlerSlot::register();
    std::panic::set_hook(Box::new(|info| log::panic(&info.to_string())));
    // Descriptor 2 may be the socket of another instance, and the host never closes the three that it opens for every
    // router and reload.
    close_standard_streams();
    let env = |name: &str| std::env::var(name).ok();
    let capabilities = Capabilities { fetch: FETCHES, env: &env };
    match compile(abi::config(), &capabilities) {
        Ok(policy) => {
            warn(&policy);
            share(&policy);
            handler_of_requests.fill(handler(policy));
        }
        Err(errors) => refuse(&errors),
    }
}

/// The one way to refuse a configuration: Traefik disables the routers.
#[expect(clippy::exit, reason = "the last statement of `main`")]
fn refuse(errors: &[ConfigError]) {
    errors.iter().for_each(log::config_error);
    std::process::exit(1);
}

/// Logs what is in force, and what the policy accepts because it has no rule about it: once per router and load, although
/// every instance runs `main`.
fn warn(policy: &Policy) {
    if is_first_instance() {
        log::line(LogLevel::Info, &summary(policy));
        without_directory(policy).iter().for_each(|text| log::line(LogLevel::Info, text));
        warnings(policy).iter().for_each(|warning| log::line(LogLevel::Warn, warning));
    }
}

/// Opens what the instances of a router share, if the policy reads files or URLs. Otherwise nothing is shared, and a
/// descriptor is saved.
fn share(policy: &Policy) {
    let asks = |source: &KeySource| !matches!(source, KeySource::Configured(_));
    let asks_for_keys = policy.issuers.iter().any(|issuer| issuer.keys.iter().any(asks));
    let list = policy.revocation.as_ref().and_then(|rules| rules.list.as_ref());
    let dpop = policy.proofs.as_ref().and_then(|rules| rules.dpop.as_ref());
    let reads = |replay: &Replay| match replay {
        Replay::Directory(_) | Replay::Nonce(NonceSource::File(_)) => true,
        Replay::Nonce(NonceSource::Configured(_)) | Replay::Window => false,
    };
    if asks_for_keys || list.is_some() || dpop.is_some_and(|rules| reads(&rules.replay)) {
        open_lock();
    }
}
