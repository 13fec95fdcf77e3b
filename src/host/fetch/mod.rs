//! Keys from a URL: one GET over sockets and TLS. Only in `plugin.wasm` (feature `fetch`).

pub mod http;
pub mod url;
