//! Keys from a URL: one GET over HTTP and TLS. Only in `plugin.wasm` (feature `fetch`).

pub mod http;
pub mod gzip;
pub mod proxy;

#[cfg(target_os = "wasi")]
mod get;
#[cfg(target_os = "wasi")]
mod tls;
#[cfg(target_os = "wasi")]
mod tls_trust;
#[cfg(target_os = "wasi")]
mod tls_roots;
#[cfg(target_os = "wasi")]
mod tls_algorithms;
#[cfg(target_os = "wasi")]
mod tls_error;

#[cfg(target_os = "wasi")]
pub use get::HostFetch;
