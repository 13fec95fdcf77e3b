//! What `main` does first in every instance.

use crate::host::{close_standard_streams, log};

/// Sends panics to the host log and gives up the standard streams: descriptor 2 may be somebody's socket, and the
/// host never closes the three that it opens for every router and reload.
pub fn boot() {
    std::panic::set_hook(Box::new(|info| log::panic(&info.to_string())));
    close_standard_streams();
}
