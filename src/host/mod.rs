//! Ring 3: all that knows http-wasm, WASI, sockets, files and the clock.

#[cfg(target_os = "wasi")]
pub mod abi;
#[cfg(target_os = "wasi")]
pub mod guest;
#[cfg(target_os = "wasi")]
pub mod request;
#[cfg(target_os = "wasi")]
pub mod perform;
#[cfg(target_os = "wasi")]
pub mod log;
