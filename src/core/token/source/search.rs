//! What a place is searched in: lines of cookies, the target, offered subprotocols. What is too long is not searched.

use crate::core::limits::MAX_SEARCHED_BYTES;
use crate::core::request::rewritten::RewrittenHeader;
use crate::core::request::{RequestView, header_name};

/// The header in which a client offers subprotocols (RFC 6455 11.3.4).
pub(super) const WEBSOCKET_PROTOCOL: &str = RewrittenHeader::WebSocketProtocol.name();

/// The lines of the cookies; `None` if they are too long to be searched for each of `places`.
pub(super) fn cookie_lines(request: &dyn RequestView, places: usize) -> Option<Vec<Vec<u8>>> {
    let lines = request.header_values("Cookie");
    is_searchable(lines.iter().map(Vec::len).fold(0, usize::saturating_add), places).then_some(lines)
}

/// The target; `None` if it is too long to be searched for each of `places`.
pub(super) fn searched_uri(request: &dyn RequestView, places: usize) -> Option<&[u8]> {
    Some(request.uri()).filter(|uri| is_searchable(uri.len(), places))
}

const fn is_searchable(bytes: usize, places: usize) -> bool {
    bytes.saturating_mul(places) <= MAX_SEARCHED_BYTES
}

/// The subprotocols that a client offers (RFC 6455 11.3.4).
pub(super) fn websocket_protocols(request: &dyn RequestView) -> Vec<Vec<u8>> {
    let lines = header_name::values(request, WEBSOCKET_PROTOCOL);
    let offered = lines.iter().flat_map(|line| line.split(|byte| *byte == b','));
    offered.map(|protocol| protocol.trim_ascii().to_vec()).filter(|protocol| !protocol.is_empty()).collect()
}

/// Whether `text` begins with `prefix`, compared without case.
pub(super) fn begins_with(text: &[u8], prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
}
