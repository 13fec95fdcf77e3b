//! JSON for everything that is written in it: configuration, tokens, key sets and what is discovered.

mod document;
mod parse;
pub(in crate::core) mod scan;

pub use document::{Children, Document, Kind, Value};
pub use parse::{JsonError, JsonLimits};
