//! Where our verdict and jwt-simple's may differ, and why.

use crate::NOW_SECONDS;
use serde_json::{Value, json};
use traefik_jwt_auth::core::token::base64url::decode;

/// Where the two verdicts may differ.
pub(crate) struct Difference {
    /// Our code, or "allow".
    pub(crate) ours: &'static str,
    /// Which tokens.
    pub(crate) applies: fn(&Parts) -> bool,
    /// Why both are right, or we are.
    pub(crate) reason: &'static str,
}

/// A token taken apart by unrelated parsers, as far as it can be.
pub(crate) struct Parts {
    token: String,
    pub(crate) header_text: Vec<u8>,
    pub(crate) claims_text: Vec<u8>,
    pub(crate) header: Value,
    claims: Value,
}

impl Parts {
    pub(crate) fn of(token: &str) -> Self {
        let mut parts = token.trim().split('.').map(|part| decode(part.as_bytes()).unwrap_or_default());
        let header_text = parts.next().unwrap_or_default();
        let claims_text = parts.next().unwrap_or_default();
        let value = |text: &[u8]| serde_json::from_slice(text).unwrap_or(Value::Null);
        let (header, claims) = (value(&header_text), value(&claims_text));
        Self { token: token.to_owned(), header, claims, header_text, claims_text }
    }

    fn dates(&self) -> impl Iterator<Item = f64> {
        ["exp", "nbf", "iat"].iter().filter_map(|claim| self.claims[claim].as_f64())
    }

    fn either(&self, holds: impl Fn(&str) -> bool) -> bool {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        holds(&text(&self.header_text)) || holds(&text(&self.claims_text))
    }

    fn is_null(&self, of: &Value, members: &[&str]) -> bool {
        members.iter().any(|member| of.get(member).is_some_and(Value::is_null))
    }
}

/// Names in the palettes below that may come twice.
const NAMES: [&str; 18] = [
    "alg", "typ", "kid", "cty", "crit", "b64", "jku", "other", "x", "exp", "nbf", "iat", "sub", "jti",
    "roles", "deep", "text", "nonce",
];

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        ours: "token_expired",
        applies: |parts| parts.claims["exp"].as_f64() == Some(NOW_SECONDS),
        reason: "a token is expired from the instant of exp on (RFC 7519 4.1.4), there from the second behind it",
    },
    Difference {
        ours: "allow",
        applies: |parts| parts.claims["iat"].as_f64() > Some(NOW_SECONDS),
        reason: "iat in the future refuses nothing (RFC 7519 4.1.6 gives it no such meaning)",
    },
    Difference {
        ours: "token_not_yet_valid",
        applies: |parts| {
            parts.claims["nbf"].as_f64().is_some_and(|nbf| nbf > NOW_SECONDS && nbf.fract() != 0.0)
        },
        reason: "a fraction of nbf counts (RFC 7519 2), there it is cut",
    },
    Difference {
        ours: "claim_invalid",
        applies: |parts| parts.dates().any(|date| !(0.0..9_007_199_254_740_992.0).contains(&date)),
        reason: "no date is negative or beyond 2^53; there -0.5 is 0, and seconds beyond 2^32 lose bits",
    },
    Difference {
        ours: "claim_invalid",
        applies: |parts| parts.is_null(&parts.claims, &["sub", "jti"]),
        reason: "null is no string (RFC 7519 4.1.2, 4.1.7), there it is absence",
    },
    Difference {
        ours: "allow",
        applies: |parts| parts.claims["sub"].is_number() || parts.claims["jti"].is_number(),
        reason: "sub and jti may be numbers, since providers send them so",
    },
    Difference {
        ours: "allow",
        applies: |parts| parts.claims.get("nonce").is_some_and(|nonce| !nonce.is_string()),
        reason: "nonce is OpenID Connect's, for the client that logs in; no rule here reads it",
    },
    Difference {
        ours: "allow",
        applies: |parts| parts.header["typ"].as_str() == Some("JOSE"),
        reason: "typ is compared where tokenType asks for it (RFC 8725 3.11), there it is always some JWT",
    },
    Difference {
        ours: "allow",
        applies: |parts| parts.header["jwk"].is_object() || parts.header["jku"].is_array(),
        reason: "jwk, jku, x5u and x5c are not looked at (RFC 8725 3.10), there they have to be strings",
    },
    Difference {
        ours: "allow",
        applies: |parts| parts.token.trim() != parts.token,
        reason: "spaces around the token belong to the header field (RFC 9110 11.4)",
    },
    Difference {
        ours: "token_malformed",
        applies: |parts| parts.is_null(&parts.header, &["typ", "kid", "cty"]),
        reason: "null is no string (RFC 7515 4.1), there it is absence",
    },
    Difference {
        ours: "crit_not_supported",
        applies: |parts| parts.header.get("crit").is_some_and(|crit| crit.is_null() || crit == &json!([])),
        reason: "crit must not be empty (RFC 7515 4.1.11), there it is ignored then",
    },
    Difference {
        ours: "token_malformed",
        applies: |parts| parts.header["b64"] == false,
        reason: "a JWT must not have an unencoded payload (RFC 7797 7), there b64 is unknown",
    },
    Difference {
        ours: "token_malformed",
        applies: |parts| parts.header["cty"] == "JWT",
        reason: "nested tokens are not supported (RFC 7519 5.2), there cty is not looked at",
    },
    Difference {
        ours: "token_encrypted",
        applies: |parts| !parts.header["enc"].is_null(),
        reason: "enc makes a JWE (RFC 7516 4.1.2), there it is unknown",
    },
    Difference {
        ours: "token_malformed",
        applies: |parts| parts.header.is_array(),
        reason: "the header is an object (RFC 7515 4), there an array of its members in their order serves, too",
    },
    Difference {
        ours: "token_malformed",
        applies: |parts| {
            let member = |name| format!("\"{name}\":");
            NAMES.iter().any(|name| parts.either(|text| text.matches(&member(name)).count() > 1))
        },
        reason: "no name twice (RFC 7515 4, RFC 7519 4), there only for names it knows",
    },
    Difference {
        ours: "token_malformed",
        applies: |parts| parts.either(|text| text.contains("\\ud800")),
        reason: "half a surrogate pair is no text (RFC 8259 8.2), there it is skipped in unknown members",
    },
    Difference {
        ours: "token_malformed",
        applies: |parts| parts.either(|text| text.contains("[[[[[[[[")),
        reason: "depth is bounded to 8 in headers and 32 in claims sets, there to 128",
    },
];
