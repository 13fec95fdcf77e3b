//! When not to ask for a token.

use crate::core::bypass::Mode;
use crate::core::config::options::row::{rows, top, words};
use crate::core::config::options::syntax::{METHOD, PATHS};
use crate::core::config::options::{Kind, Row, Table, Words};

words! {
    /// `mode`.
    MODES: Mode = {
        "required" => Mode::Required,
        "optional" => Mode::Optional,
        "permissive" => Mode::Permissive,
        "dryRun" => Mode::DryRun,
    };
}

rows! {
    "When not to ask for a token";

    /// `optional`: no token passes, a bad one does not; `permissive` and `dryRun`: nothing is refused.
    MODE = top("mode", Kind::Word(MODES.names, 0));

    /// CORS preflights pass.
    BYPASS_PREFLIGHT = top("bypassPreflight", Kind::Flag(false));

    /// Methods that need no token, in capital letters.
    BYPASS_METHODS = top("bypassMethods", Kind::List).like(&METHOD).or_empty();

    /// Paths that need no token: `/health`, or `/public/*` for all below.
    BYPASS_PATHS = top("bypassPaths", Kind::List).like(&PATHS).or_empty();
}
