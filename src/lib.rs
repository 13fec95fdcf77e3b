//! JWT authentication for Traefik as one WebAssembly file.

pub mod host;
pub mod keys;
pub mod core;
