//! A configuration, a token and a request of a usual size: what is measured and counted.

use serde_json::{Value, json};

use crate::keys;

/// `iss` of the tokens.
pub const ISSUER: &str = "https://idp.example/";

/// What a client sends besides `Host` and `Authorization`.
pub const HEADERS: [(&str, &str); 9] = [
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    ("Accept", "application/json, text/plain, */*"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Connection", "keep-alive"),
    ("Cookie", "theme=dark; session=2f1c9a7e5b3d4f60"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Site", "same-origin"),
    ("X-Request-Id", "7d0f6c1e-8a43-4f0b-9a51-0d8f4a6b2c11"),
];

/// Keys inline, two claims forwarded.
pub fn configuration() -> Value {
    json!({
        "jwks": keys::public_set().to_string(),
        "issuer": ISSUER,
        "audience": "api",
        "forwardHeaders": {"X-User-Sub": "sub", "X-User-Email": "email"},
    })
}

/// The same with ten keys and an expression, 6 KB.
///
/// # Panics
/// Never: it is made of what is above.
pub fn large_configuration() -> Value {
    let mut configuration = configuration();
    let mut set = keys::public_set();
    let keys = set["keys"].as_array_mut().unwrap();
    let again = keys.clone().into_iter().enumerate().map(|(number, mut key)| {
        key["kid"] = json!(format!("other-{number}"));
        key
    });
    keys.extend(again);
    configuration["jwks"] = json!(set.to_string());
    let rest = 6_000usize.saturating_sub(configuration.to_string().len()).min(3_900);
    configuration["claims"] = json!(format!("Equals(`azp`, `web`) || Equals(`azp`, `{}`)", "x".repeat(rest)));
    configuration
}

/// Claims of a token that is good at `now`; `number` makes them those of another token.
pub fn claims(now: i64, number: usize) -> Value {
    json!({
        "iss": ISSUER, "aud": "api", "sub": "8f14e45f-ceea-467f-ab13-1c2d3e4f5a6b",
        "exp": now + 36_000, "iat": now - 5, "jti": format!("7c9e6679-7425-40de-944b-{number:012}"),
        "email": "alice@example.com", "email_verified": true, "name": "Alice Example",
        "preferred_username": "alice", "scope": "openid profile email orders:read orders:write",
        "azp": "web", "sid": "0d6f3f1c-91e7-4cbb-8f0a-5d8e7c1b2a39", "auth_time": now - 60,
        "realm_access": {"roles": ["default-roles-example", "offline_access", "uma_authorization"]},
    })
}

/// Tables of 64 rules, by what they are about; the usual request is under the last rule of each.
#[must_use]
pub fn rule_tables() -> [(&'static str, Value); 4] {
    let table =
        |rule: fn(usize) -> Value, last: Value| Value::Array((0..63).map(rule).chain([last]).collect());
    [
        (
            "paths",
            table(
                |number| json!({"methods": ["GET"], "paths": [format!("/orders/{number}/*"), format!("/order{number:02}")]}),
                json!({"paths": "/orders"}),
            ),
        ),
        (
            "other methods",
            table(
                |number| json!({"methods": ["POST", "PUT"], "paths": [format!("/{{tenant}}/orders-{number}")]}),
                json!({"methods": ["GET"], "paths": ["/orders", "/orders/*"]}),
            ),
        ),
        (
            "open segments",
            table(
                |number| json!({"paths": [format!("/{{tenant}}/orders-{number}")]}),
                json!({"paths": ["/{tenant}"]}),
            ),
        ),
        (
            "a header",
            table(
                |number| json!({"headers": {"User-Agent": [format!("tool-{number}")]}}),
                json!({"headers": {"User-Agent": "*"}}),
            ),
        ),
    ]
}
