//! Ring 3: all that knows http-wasm, WASI, sockets, files and the clock.
