//! Documents that the middleware serves itself.

/// A document that the middleware serves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// HTTP status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<(&'static str, String)>,
    /// Body; empty for HEAD.
    pub body: Vec<u8>,
}
