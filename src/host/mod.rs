//! Ring 3: all that knows http-wasm, WASI, sockets, files and the clock.

pub mod clock;
#[cfg(not(all(feature = "fetch", target_os = "wasi")))]
pub mod mounts;
#[cfg(target_os = "wasi")]
mod boot;
#[cfg(feature = "fetch")]
pub mod fetch;

#[cfg(target_os = "wasi")]
pub use boot::boot;
#[cfg(all(feature = "fetch", target_os = "wasi"))]
pub use fetch::{HostFetch, MountedFiles};
#[cfg(not(all(feature = "fetch", target_os = "wasi")))]
pub use mounts::MountedFiles;
