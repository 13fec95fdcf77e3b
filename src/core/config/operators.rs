//! Options for those who run the proxy: what the log says.

use crate::core::config::coerce::Section;
use crate::core::config::error::Errors;
use crate::core::limits::MAX_LINES_PER_MINUTE;
use crate::core::refusal_log::{LogLevel, LogRules, LoggedSub};

/// `log`.
pub(super) fn log_rules(root: &Section<'_>, errors: &mut Errors) -> LogRules {
    let section = root.section("log", errors);
    let defaults = LogRules::default();
    let levels = [
        ("off", LogLevel::Off),
        ("debug", LogLevel::Debug),
        ("info", LogLevel::Info),
        ("warn", LogLevel::Warn),
    ];
    let per_minute =
        section.integer("perMinute", defaults.per_minute.into(), 1..=MAX_LINES_PER_MINUTE, errors);
    LogRules {
        level: section.choice("refusals", defaults.level, &levels, errors),
        sub: if section.boolean("sub", false, errors) { LoggedSub::Show } else { LoggedSub::Hide },
        per_minute: u32::try_from(per_minute).unwrap_or(defaults.per_minute),
    }
}
