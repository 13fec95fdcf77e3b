//! Ring 2: which keys serve an issuer, and when they are fetched. Documents are fetched, kept and shared by
//! [`documents`](crate::documents). No I/O here.

pub mod discovery;
pub mod cluster;
pub mod by_kid;
pub mod key_set;
pub mod source;
pub mod key_log;
pub mod verified;
pub mod keyring;
pub mod error;
pub mod proof_keys;
pub mod replay;
pub mod revocations;
pub mod nonce_file;
