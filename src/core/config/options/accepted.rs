//! Which tokens are accepted.

use crate::core::claims::binding::BoundTokens;
use crate::core::claims::scope::Match;
use crate::core::claims::validity::Since;
use crate::core::config::options::row::{inherited, own, rows, top, words};
use crate::core::config::options::syntax::{ACR, TYP};
use crate::core::config::options::{Kind, Range, Row, Table, Words};
use crate::core::limits::{MAX_CLOCK_SKEW_SECONDS, MAX_TOKEN_AGE_SECONDS};

const SKEW: Range = Range { least: 0, most: MAX_CLOCK_SKEW_SECONDS, default: 0, unit: "seconds" };
const AGE: Range = Range { least: 0, most: MAX_TOKEN_AGE_SECONDS, default: 0, unit: "seconds" };

const SIGN_IN_AGE: Range = Range { least: 1, most: MAX_TOKEN_AGE_SECONDS, default: 1, unit: "seconds" };

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
        .otherwise("every audience").and_in_rules();

    /// The client that the token was issued to, `azp` or else `client_id`, has to be one of them.
    CLIENTS = inherited("clients", Kind::List).instead("leave the option out to accept tokens of every client")
        .otherwise("every client");

    /// Claims that have to be present; `none` requires none, not even `exp`.
    REQUIRED_CLAIMS = inherited("requiredClaims", Kind::ListOrNone)
        .instead("write none to require no claim, not even exp").otherwise("`exp`");

    /// How far clocks may differ, for `exp`, `nbf`, `iat` and ages.
    CLOCK_SKEW = inherited("clockSkewSeconds", Kind::Whole(&SKEW)).otherwise("10 for a beginning, 0 for an end");

    /// `access` asks for an access token of RFC 9068; anything else is compared with `typ`, without case.
    TOKEN_TYPE = inherited("tokenType", Kind::Text).like(&TYP).instead("leave the option out to accept every type")
        .otherwise("every type");

    /// Most that `exp` may lie after `iat`; 0 is no limit.
    MAX_LIFETIME = inherited("maxLifetimeSeconds", Kind::Whole(&AGE));

    /// Most that the time of `maxAgeClaim` may lie back; 0 is no limit.
    MAX_AGE = inherited("maxAgeSeconds", Kind::Whole(&AGE));

    /// Claim that `maxAgeSeconds` counts from.
    MAX_AGE_CLAIM = inherited("maxAgeClaim", Kind::Word(SINCE.names, 0));

    /// Scopes that the token has to hold, else the answer is 403.
    SCOPES = inherited("scopes", Kind::Object).instead("leave the option out to require no scope")
        .and_in_rules();

    /// The scopes.
    SCOPES_REQUIRED = inherited("scopes.required", Kind::List).instead("leave scopes out to require no scope")
        .and_in_rules();

    /// Whether all of them are asked for, or any.
    SCOPES_MATCH = inherited("scopes.match", Kind::Word(MATCHES.names, 0)).and_in_rules();

    /// Claim or path with the scopes: a text with spaces, or a list.
    SCOPES_CLAIM = inherited("scopes.claim", Kind::Text)
        .instead("leave the option out to look into scope and scp").otherwise("`scope`, then `scp`").and_in_rules();

    /// Scopes that include others; `*` stands for every scope.
    SCOPE_IMPLIES = top("scopeImplies", Kind::Lists).instead("leave the option out if no scope includes another");

    /// What becomes of a token that is bound to a key or a client certificate (`cnf`, RFC 7800).
    BOUND_TOKENS = inherited("boundTokens", Kind::Word(BINDINGS.names, 0))
        .instead("leave the option out to refuse bound tokens");

    /// Expression over the claims and the request; if it is not true, the answer is 403.
    CLAIMS = inherited("claims", Kind::Text).instead("leave the option out to accept every valid token")
        .otherwise("every valid token").and_in_rules();

    /// Step-up authentication (RFC 9470): how the user has to have signed in, else the answer is 401 and says so.
    STEP_UP = inherited("stepUp", Kind::Object).instead("leave the option out to ask for no other sign-in")
        .and_in_rules();

    /// Values of `acr`, any of, the preferred one first.
    STEP_UP_ACR = inherited("stepUp.acr", Kind::List).like(&ACR).and_in_rules().otherwise("any");

    /// Most that `auth_time` may lie back.
    STEP_UP_MAX_AGE = inherited("stepUp.maxAgeSeconds", Kind::Whole(&SIGN_IN_AGE)).and_in_rules().otherwise("any");
}
