//! What `main` does first in every instance.

use std::panic::{self, PanicHookInfo};

use http_wasm_guest::host::log;

/// Most bytes of a panic message in the log.
const MAX_PANIC_BYTES: usize = 512;

/// Sends panics to the host log and gives up the standard streams: descriptor 2 may be somebody's socket, and the
/// host never closes the three that it opens for every router and reload.
pub fn boot() {
    panic::set_hook(Box::new(report));
    #[cfg(feature = "fetch")]
    super::fetch::close_standard_streams();
}

fn report(info: &PanicHookInfo<'_>) {
    let message = info.to_string();
    let (message, _) =
        message.as_bytes().split_at_checked(MAX_PANIC_BYTES).unwrap_or((message.as_bytes(), &[]));
    log::write(2, message);
}
