//! Ring 3: all that knows http-wasm, WASI, sockets, files and the clock.

#[cfg(target_os = "wasi")]
pub mod wasm;
pub mod clock;
#[cfg(any(target_os = "wasi", all(feature = "fetch", test)))]
#[cfg_attr(
    not(all(feature = "fetch", target_os = "wasi")),
    expect(dead_code, reason = "what only the module with sockets needs")
)]
pub(crate) mod wasi;
#[cfg(target_os = "wasi")]
mod directories;
pub mod limits;
#[cfg(not(all(feature = "fetch", target_os = "wasi")))]
pub mod mounts;
#[cfg(feature = "fetch")]
pub mod fetch;
#[cfg(all(feature = "fetch", any(target_os = "wasi", test)))]
pub mod sockets;

#[cfg(not(all(feature = "fetch", target_os = "wasi")))]
pub use mounts::MountedFiles;
#[cfg(all(feature = "fetch", target_os = "wasi"))]
pub use sockets::MountedFiles;

/// Whether this module fetches. The other refuses every URL, and has no code for what is at one.
pub const FETCHES: bool = cfg!(feature = "fetch");

#[cfg(all(feature = "fetch", target_os = "wasi"))]
use fetch::HostFetch;
#[cfg(all(not(feature = "fetch"), target_os = "wasi"))]
use offline::{HostDirectory, HostFetch, HostShare, close_standard_streams, exclusive, open_lock};
#[cfg(all(feature = "fetch", target_os = "wasi"))]
use sockets::lock::{close_standard_streams, exclusive, open as open_lock};
#[cfg(all(feature = "fetch", target_os = "wasi"))]
use sockets::{Mailbox as HostShare, MountedDirectory as HostDirectory};

/// Replaces `fetch` in the artifact without sockets.
#[cfg(all(not(feature = "fetch"), target_os = "wasi"))]
mod offline {
    pub(super) use crate::documents::directory::NoDirectory as HostDirectory;
    use crate::documents::fetch::{Fetch, FetchError, FetchRequest, Fetched};
    pub(super) use crate::documents::lease::Unshared as HostShare;

    /// Rejects the request; the configuration has already rejected every URL.
    #[derive(Clone, Copy, Debug, Default)]
    pub(super) struct HostFetch;

    impl Fetch for HostFetch {
        fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
            Err(FetchError::NotSupported)
        }
    }

    /// Every instance has its own descriptor table here: there is nothing to close.
    pub(super) const fn close_standard_streams() {}

    /// Instances have nothing in common here.
    pub(super) fn exclusive<R>(work: impl FnOnce() -> R) -> R {
        work()
    }

    /// Nor here.
    pub(super) const fn open_lock() {}
}
