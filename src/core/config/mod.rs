//! Step 0: JSON becomes a [`Policy`](crate::core::policy::Policy), or every reason why not.

pub mod options;
mod written;
mod values;
mod hint;
pub mod read;
mod names_elsewhere;
mod capabilities;
mod compile;
mod key_sources;
mod client;
mod outside;
mod url;
mod token_places;
mod accepted;
mod rules;
mod upstream;
mod proofs;
mod revocation;
mod answers;
mod operators;
mod forward_auth;
mod self_test;
mod too_open;
mod summary;
pub mod error;

pub use capabilities::Capabilities;
pub use compile::compile;
pub use error::ConfigError;
pub use summary::{summary, without_directory};
pub use too_open::warnings;
