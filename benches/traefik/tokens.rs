//! The tokens that are measured.

use serde_json::Value;
use testbed::tokens::Token;
use testbed::usual;
use testbed::wait::unix_now;

/// Tokens in turn: more than all caches of all instances hold.
pub(crate) const NEW_TOKENS: usize = 2_000;

/// Claims of a usual size; `number` makes them those of another token.
pub(crate) fn claims(number: usize) -> Value {
    usual::claims(unix_now(), number)
}

/// A good token.
pub(crate) fn known(alg: &str) -> String {
    Token::new(alg, claims(0)).mint()
}

/// Good tokens, no two the same.
pub(crate) fn new(alg: &str, count: usize) -> Vec<String> {
    (1..=count).map(|number| Token::new(alg, claims(number)).mint()).collect()
}
