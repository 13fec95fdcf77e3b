//! Which tokens are accepted.

use crate::core::claims::binding::BoundTokens;
use crate::core::claims::scope::Match;
use crate::core::claims::validity::Since;
use crate::core::config::options::row::{inherited, own, rows, words};
use crate::core::config::options::{Kind, Range, Row, Table, Words};
use crate::core::limits::{MAX_CLOCK_SKEW_SECONDS, MAX_TOKEN_AGE_SECONDS};

const SKEW: Range = Range { least: 0, most: MAX_CLOCK_SKEW_SECONDS, default: 0, unit: "seconds" };
const AGE: Range = Range { least: 0, most: MAX_TOKEN_AGE_SECONDS, default: 0, unit: "seconds" };

words! {
    /// `maxAgeClaim`.
    SINCE: Since = { "iat" => Since::Issued, "auth_time" => Since::SignedIn };
    /// `scopes.match`.
    MATCHES: Match = { "all" => Match::All, "any" => Match::Any };
    /// `boundTokens`.
    BINDINGS: BoundTokens = { "refuse" => BoundTokens::Refuse, "accept" => BoundTokens::Accept };
}

rows! {
    "What is accepted";

    /// Accepted values of `alg`; HS* only with a secret that is long enough, `none` never.
    ALGORITHMS = own("algorithms", Kind::List)
        .instead("leave the option out to accept those that the keys can serve").otherwise("what the keys can serve");

    /// `aud` has to name one of them.
    AUDIENCE = inherited("audience", Kind::List).instead("leave the option out to accept every audience")
        .otherwise("every audience");

    /// Claims that have to be present; `none` requires none, not even `exp`.
    REQUIRED_CLAIMS = inherited("requiredClaims", Kind::ListOrNone)
        .instead("write none to require no claim, not even exp").otherwise("`exp`");

    /// How far clocks may differ, for `exp`, `nbf`, `iat` and ages.
    CLOCK_SKEW = inherited("clockSkewSeconds", Kind::Whole(&SKEW)).otherwise("10 for a beginning, 0 for an end");

    /// `access` asks for an access token of RFC 9068; anything else is compared with `typ`, without case.
    TOKEN_TYPE = inherited("tokenType", Kind::Text).instead("leave the option out to accept every type")
        .otherwise("every type");

    /// Most that `exp` may lie after `iat`; 0 is no limit.
    MAX_LIFETIME = inherited("maxLifetimeSeconds", Kind::Whole(&AGE));

    /// Most that the time of `maxAgeClaim` may lie back; 0 is no limit.
    MAX_AGE = inherited("maxAgeSeconds", Kind::Whole(&AGE));

    /// Claim that `maxAgeSeconds` counts from.
    MAX_AGE_CLAIM = inherited("maxAgeClaim", Kind::Word(SINCE.names, 0));

    /// Scopes that the token has to hold, else the answer is 403.
    SCOPES = inherited("scopes", Kind::Object).instead("leave the option out to require no scope");

    /// The scopes.
    SCOPES_REQUIRED = inherited("scopes.required", Kind::List).instead("leave scopes out to require no scope");

    /// Whether all of them are asked for, or any.
    SCOPES_MATCH = inherited("scopes.match", Kind::Word(MATCHES.names, 0));

    /// Claim or path with the scopes: a text with spaces, or a list.
    SCOPES_CLAIM = inherited("scopes.claim", Kind::Text)
        .instead("leave the option out to look into scope and scp").otherwise("`scope`, then `scp`");

    /// What becomes of a token that is bound to a key or a client certificate (`cnf`, RFC 7800).
    BOUND_TOKENS = inherited("boundTokens", Kind::Word(BINDINGS.names, 0))
        .instead("leave the option out to refuse bound tokens");

    /// Expression over the claims and the request; if it is not true, the answer is 403.
    CLAIMS = inherited("claims", Kind::Text).instead("leave the option out to accept every valid token")
        .otherwise("every valid token");
}
