//! The request of a command line, as the middleware sees it.

use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::token::base64url;
use traefik_jwt_auth::core::token::source::{Encoding, TokenPlace};

use crate::explain::Request;

/// With the token at the first place.
pub(super) fn of(asked: &Request, policy: &Policy) -> RecordedRequest {
    let mut path = asked.path.clone();
    let mut headers = asked.headers.clone();
    let token = asked.token.as_deref().map(without_scheme);
    if let (Some(token), Some(place)) = (token, policy.token.places.first()) {
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
fn without_scheme(token: &str) -> &str {
    let token = token.trim();
    match token.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("Bearer") => rest.trim(),
        Some(_) | None => token,
    }
}
