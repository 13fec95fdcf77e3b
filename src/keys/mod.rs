//! Ring 2: where keys come from and when they are asked for. No I/O of its own.

pub mod io;
pub mod envelope;
pub mod archive;
pub mod freshness;
pub mod cache_control;
pub mod discovery;
pub mod remote;
pub mod source;
pub mod key_log;
pub mod verified;
pub mod keyring;
pub mod error;
#[cfg(test)]
mod outside;
pub mod proof_keys;
pub mod replay;
