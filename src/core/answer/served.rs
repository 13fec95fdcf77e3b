//! Documents that the middleware serves itself.

use crate::core::answer::verdict::Label;

/// A document that the middleware serves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// HTTP status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for HEAD.
    pub body: Vec<u8>,
    /// What became of the request; filled in by `decide`.
    pub label: Label,
}
