//! The configurations and tokens that are measured.

use serde_json::{Value, json};
use testbed::keys;
use testbed::tokens::Token;
use testbed::wait::unix_now;

const ISSUER: &str = "https://idp.example/";

/// Tokens in turn: more than all caches of all instances hold.
pub(crate) const NEW_TOKENS: usize = 2_000;

/// Keys inline, two claims forwarded.
pub(crate) fn usual() -> Value {
    json!({
        "jwks": keys::public_set().to_string(),
        "issuer": ISSUER,
        "audience": "api",
        "forwardHeaders": {"X-User-Sub": "sub", "X-User-Email": "email"},
    })
}

/// Claims of a usual size; `number` makes them those of another token.
pub(crate) fn claims(number: usize) -> Value {
    json!({
        "iss": ISSUER, "aud": "api", "sub": "8f14e45f-ceea-467f-ab13-1c2d3e4f5a6b",
        "exp": unix_now() + 36_000, "iat": unix_now() - 5, "jti": format!("7c9e6679-7425-40de-944b-{number:012}"),
        "email": "alice@example.com", "email_verified": true, "name": "Alice Example",
        "preferred_username": "alice", "scope": "openid profile email orders:read orders:write",
        "azp": "web", "sid": "0d6f3f1c-91e7-4cbb-8f0a-5d8e7c1b2a39", "auth_time": unix_now() - 60,
        "realm_access": {"roles": ["default-roles-example", "offline_access", "uma_authorization"]},
    })
}

/// A good token.
pub(crate) fn known(alg: &str) -> String {
    Token::new(alg, claims(0)).mint()
}

/// Good tokens, no two the same.
pub(crate) fn new(alg: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| Token::new(alg, claims(number)).mint()).collect()
}
