//! Ring 3: all that knows http-wasm, WASI, sockets, files and the clock.

#[cfg(feature = "fetch")]
pub mod fetch;
