//! Ring 2: documents of any content that are fetched, kept and shared. What a document means is up to its user: the
//! `Accept` header, the largest size and whether the content is acceptable are parameters ([`ask::Remote`],
//! [`ask::Meaning`]). No I/O here: that is in [`io::Io`].
//!
//! [`kept::Kept`] is what an instance keeps of a document, [`ask::ask`] how it gets a newer one: a lease of all instances
//! ([`lease`], recorded in [`record`]), the directory of several routers ([`directory`]), then the server ([`fetch`]).

pub mod limits;
pub mod digest;
pub mod document;
pub mod source_id;
pub mod files;
pub mod fetch;
pub mod lease;
pub mod record;
pub mod directory;
pub mod freshness;
pub mod cache_control;
pub mod error;
pub mod io;
pub mod ask;
pub mod kept;
#[cfg(not(target_os = "wasi"))]
pub mod outside;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod set_back;
