//! The request of a command line, as the middleware sees it.

use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::proof::dpop;
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::token::base64url;
use traefik_jwt_auth::core::token::source::{Encoding, TokenPlace};

use crate::explain::Request;

/// With the token at the first place.
pub(super) fn of(asked: &Request, policy: &Policy) -> RecordedRequest {
    let mut path = asked.path.clone();
    let mut headers = asked.headers.clone();
    let (scheme, token) = asked.token.as_deref().map(split_scheme).unzip();
    // A token beside a proof is under that scheme, which is the last place unless it is listed.
    let has_proof = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(dpop::HEADER));
    let under_dpop = has_proof || scheme == Some("DPoP");
    let dpop = policy.token.places.iter().find(|place| place.is_dpop()).filter(|_| under_dpop);
    if let (Some(token), Some(place)) = (token, dpop.or(policy.token.places.first())) {
        match place {
            TokenPlace::Header { name, form } => {
                headers.push((name.clone(), format!("{} {token}", form.scheme).trim().to_owned()));
            }
            TokenPlace::Cookie { name, form } if !form.scheme.is_empty() => {
                headers.push(("Cookie".into(), format!("{name}={}%20{token}", form.scheme)));
            }
            TokenPlace::Cookie { name, .. } => headers.push(("Cookie".into(), format!("{name}={token}"))),
            TokenPlace::WebSocketProtocol { marker } => {
                headers.push(("Sec-WebSocket-Protocol".into(), format!("{marker}, {token}")));
            }
            TokenPlace::WebSocketPrefix { prefix, encoding } => {
                let token = match encoding {
                    Encoding::Plain => token.to_owned(),
                    Encoding::Base64url => base64url::encode(token.as_bytes()),
                };
                headers.push(("Sec-WebSocket-Protocol".into(), format!("{prefix}{token}")));
            }
            TokenPlace::Query { name } => {
                path.push(if path.contains('?') { '&' } else { '?' });
                path.push_str(&format!("{name}={token}"));
            }
        }
    }
    let request = RecordedRequest::new(&asked.method, &path);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_bytes()))
}

/// A token that was copied out of a header has the scheme before it.
fn split_scheme(token: &str) -> (&'static str, &str) {
    let token = token.trim();
    let split = ["Bearer", "DPoP"].into_iter().find_map(|known| {
        let (scheme, rest) = token.split_once(' ')?;
        scheme.eq_ignore_ascii_case(known).then(|| (known, rest.trim()))
    });
    split.unwrap_or(("", token))
}
