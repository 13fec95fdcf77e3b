//! Headers of the client that go on without a part of their value, or in another form.

/// One of the headers that are rewritten. There are no others: every other header that the upstream gets from the
/// middleware is a managed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RewrittenHeader {
    /// Its token as a bearer token.
    Authorization,
    /// Without the names of managed headers.
    Connection,
    /// Without the token.
    Cookie,
    /// Without the token.
    WebSocketProtocol,
}

impl RewrittenHeader {
    /// The name of the header.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Authorization => "Authorization",
            Self::Connection => "Connection",
            Self::Cookie => "Cookie",
            Self::WebSocketProtocol => "Sec-WebSocket-Protocol",
        }
    }
}

/// What is left of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewritten {
    /// Which one.
    pub header: RewrittenHeader,
    /// Its new value, in place of all that the request has.
    pub value: Vec<u8>,
}
