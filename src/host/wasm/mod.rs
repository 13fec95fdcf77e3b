//! The http-wasm side: reading requests, performing decisions, and the log.

pub mod abi;
pub mod boot;
pub mod guest;
pub mod log;
pub mod lookups;
pub mod perform;
pub mod request;
