//! A request as http-wasm serves it: read, decided, performed; and the log.

pub mod abi;
pub mod boot;
pub mod guest;
pub mod log;
pub mod perform;
pub mod request;
