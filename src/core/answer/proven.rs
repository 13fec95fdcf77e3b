//! What an accepted request under the scheme `DPoP` (RFC 9449 7.1) goes on with, and what its client gets.

use crate::core::answer::Forward;
use crate::core::answer::forward::TokenForwarding;
use crate::core::proof::dpop::{HEADER, NONCE_HEADER};
use crate::core::proof::nonce::NonceSecrets;
use crate::core::proof::rules::{ProofForwarding, ProofRules};
use crate::core::request::rewritten::{Rewritten, RewrittenHeader};
use crate::core::token::source::{FoundToken, TokenPlace};
use crate::core::unix_time::UnixTime;

/// `forward`, with what `proofs` says of a request with the token `found`.
#[must_use]
pub fn proven(
    (rules, token): (&ProofRules, TokenForwarding),
    found: &FoundToken<'_>,
    (now, secrets): (UnixTime, &dyn NonceSecrets),
    mut forward: Forward,
) -> Forward {
    let under_dpop = || found.places.iter().filter(|place| place.is_dpop());
    if under_dpop().next().is_none() {
        return forward;
    }
    if let Some(nonce) = rules.dpop.as_ref().and_then(|dpop| dpop.next_nonce(now, secrets)) {
        forward.response.push((NONCE_HEADER.to_owned(), nonce));
    }
    match (token, rules.forwarding) {
        (TokenForwarding::Keep, ProofForwarding::AsReceived) => {}
        // The token went, and its proof goes with it.
        (TokenForwarding::Strip, _) => forward.remove.push(HEADER.to_owned()),
        (TokenForwarding::Keep, ProofForwarding::Bearer) => {
            forward.remove.push(HEADER.to_owned());
            let header = RewrittenHeader::Authorization;
            let is_header = |place: &&TokenPlace| match place {
                TokenPlace::Header { name, .. } => name.eq_ignore_ascii_case(header.name()),
                TokenPlace::Cookie { .. }
                | TokenPlace::Query { .. }
                | TokenPlace::WebSocketProtocol { .. }
                | TokenPlace::WebSocketPrefix { .. } => false,
            };
            if under_dpop().any(is_header) {
                let value = [b"Bearer ", found.token.as_slice()].concat();
                forward.rewritten.push(Rewritten { header, value });
            }
        }
    }
    forward
}
