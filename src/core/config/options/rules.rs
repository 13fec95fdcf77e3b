//! What is asked for by method, path and header.

use crate::core::config::options::row::{rows, top};
use crate::core::config::options::syntax::{METHOD, ORIGIN, PATHS};
use crate::core::config::options::{Kind, Row, Shared, Table};

/// The one word of `rules[].token`.
pub const NO_TOKEN: &[&str] = &["none"];

rows! {
    "Rules by method, path and header";

    /// The first rule that a request matches says what is asked for beside all else; what matches none is refused.
    RULES = top("rules", Kind::Objects(Shared::OfRules))
        .instead("leave the option out to have the same rules for every request");

    /// Methods in capital letters, compared exactly.
    RULE_METHODS = top("rules[].methods", Kind::List).like(&METHOD).otherwise("all");

    /// Paths: `/orders`, `/orders/{id}` for one segment, `/orders/*` for all below.
    RULE_PATHS = top("rules[].paths", Kind::List).like(&PATHS).otherwise("all");

    /// Headers, each of which has to have one of its values: exact, a beginning with `*`, or `*` for any.
    RULE_HEADERS = top("rules[].headers", Kind::Lists).otherwise("any");

    /// The request needs no token, and gets no identity.
    RULE_TOKEN = top("rules[].token", Kind::Word(NO_TOKEN, 0)).otherwise("a token");

    /// Origins of pages that may send requests; any other `Origin` is refused.
    ORIGINS = top("origins", Kind::List).like(&ORIGIN).instead("leave the option out to accept requests of every page").otherwise("all");
}
