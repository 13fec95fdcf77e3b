//! What became of a request, as one word in a header (`verdictHeader`): for Traefik's metrics and access log, which read
//! the headers of the request after the middlewares have run, and for clients.

use crate::core::answer::managed::SetHeader;

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It has a valid token.
    Allow,
    /// It needs no token: `mode: optional`, a bypass, or a document that the middleware serves itself.
    Anonymous,
    /// It is refused with this code, or would be, were it not for the mode.
    Refused(&'static str),
}

impl Verdict {
    /// The value of the headers. There are as many as refusals have codes and two more, so that they can be labels of
    /// metrics.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Anonymous => "anonymous",
            Self::Refused(code) => code,
        }
    }
}

/// The headers that say what became of a request. Every decision has them, and removes what the client sent under the
/// names of managed headers: also from a request that is answered here, since Traefik reads it afterwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// The client's copies of managed headers, to remove from the request first.
    pub remove: Vec<String>,
    /// The header of the request to set then.
    pub request: Option<SetHeader>,
    /// The header of the response.
    pub response: Option<(String, String)>,
}
