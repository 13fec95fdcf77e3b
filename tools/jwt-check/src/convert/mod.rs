//! From the block of another middleware to one of this.
pub mod source;

use crate::input::{Environment, File};
use crate::verdict::Verdict;

/// What a block becomes.
pub struct Converted;

impl Converted {
    /// How it ends.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict::CannotTell
    }
    /// YAML.
    #[must_use]
    pub fn text(&self) -> String {
        String::new()
    }
    /// What has to be looked at.
    #[must_use]
    pub fn remarks(&self) -> String {
        String::new()
    }
    /// For programs.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }
}

/// Converts.
///
/// # Errors
/// Not yet.
pub fn convert(
    _: File<'_>,
    _: Option<&str>,
    _: Option<source::Source>,
    _: Environment<'_>,
) -> Result<Converted, String> {
    Err("not yet".into())
}
