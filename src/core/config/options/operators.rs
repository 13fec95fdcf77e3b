//! What operators see.

use crate::core::config::options::row::{rows, top, words};
use crate::core::config::options::syntax::{ADDRESSES, PATH};
use crate::core::config::options::{Kind, Range, Row, Table, Words};
use crate::core::limits::MAX_LINES_PER_MINUTE;
use crate::core::refusal_log::LogLevel;

const PER_MINUTE: Range = Range { least: 1, most: MAX_LINES_PER_MINUTE, default: 60, unit: "lines" };

words! {
    /// `log.refusals`.
    LEVELS: LogLevel = {
        "off" => LogLevel::Off,
        "debug" => LogLevel::Debug,
        "info" => LogLevel::Info,
        "warn" => LogLevel::Warn,
        "error" => LogLevel::Error,
    };
}

rows! {
    "What operators see";

    /// What the log says.
    LOG = top("log", Kind::Object).or_empty();

    /// Level of the line that every refusal gets.
    LOG_REFUSALS = top("log.refusals", Kind::Word(LEVELS.names, 2));

    /// The line has the `sub` of the token as well.
    LOG_SUB = top("log.sub", Kind::Flag(false));

    /// Lines that one instance writes in a minute.
    LOG_PER_MINUTE = top("log.perMinute", Kind::Whole(&PER_MINUTE));

    /// The state of key sets and revocations, for those who may read it.
    STATUS = top("status", Kind::Object).or_empty();

    /// Path at which `GET` answers with the state of key sets and revocations, without a token.
    STATUS_PATH = top("status.path", Kind::Text).like(&PATH).or_empty();

    /// Who may read it: addresses and ranges (`10.0.0.0/8`) of the connection as Traefik sees it.
    STATUS_SOURCE_RANGE = top("status.sourceRange", Kind::List).like(&ADDRESSES).or_empty();

    /// The `kid`s are in it as well.
    STATUS_KIDS = top("status.kids", Kind::Flag(false));
}
