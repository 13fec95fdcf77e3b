//! JSON for configuration, tokens, key sets and metadata.

mod document;
mod parse;
pub(in crate::core) mod scan;

pub use document::{Children, Document, Kind, Value};
pub use parse::{JsonError, JsonLimits};
