//! Options for those who run the proxy: what the log says, and the state of the key sets.

use crate::core::answer::status::{Kids, StatusRules};
use crate::core::config::coerce::{Section, Shown};
use crate::core::config::error::Errors;
use crate::core::limits::MAX_LINES_PER_MINUTE;
use crate::core::refusal_log::{LogLevel, LogRules, LoggedSub};
use crate::core::request::path::PathPattern;
use crate::core::request::source_range::SourceRange;
use crate::core::text::quoted;

/// `log`.
pub(super) fn log_rules(root: &Section, errors: &mut Errors) -> LogRules {
    let section = root.section("log", errors);
    let defaults = LogRules::default();
    let levels = [
        ("off", LogLevel::Off),
        ("debug", LogLevel::Debug),
        ("info", LogLevel::Info),
        ("warn", LogLevel::Warn),
        ("error", LogLevel::Error),
    ];
    let per_minute =
        section.integer("perMinute", defaults.per_minute.into(), 1..=MAX_LINES_PER_MINUTE, errors);
    LogRules {
        level: section.choice("refusals", defaults.level, &levels, errors),
        sub: if section.boolean("sub", false, errors) { LoggedSub::Show } else { LoggedSub::Hide },
        per_minute: u32::try_from(per_minute).unwrap_or(defaults.per_minute),
    }
}

/// `status`. Whoever may read it has to be named: there is no default that would be right.
pub(super) fn status_rules(root: &Section, errors: &mut Errors) -> Option<StatusRules> {
    let section = root.section("status", errors);
    let path = section.text("path", Shown::Plain, errors);
    let texts = section.list("sourceRange", errors).unwrap_or_default();
    let kids = if section.boolean("kids", false, errors) { Kids::Show } else { Kids::Hide };
    let ranges = source_ranges(&section.path("sourceRange"), &texts, errors);
    let Some(path) = path else {
        if !section.is_empty() {
            errors.conflict(section.path("path"), "is needed with the other options of status");
        }
        return None;
    };
    if !matches!(PathPattern::parse(&path), Some(PathPattern::Exact(_))) {
        errors.value(section.path("path"), quoted(&path), "a path such as /jwt-status");
    }
    if texts.is_empty() {
        errors.conflict(section.path("sourceRange"), "is needed with status.path: who may read it");
    }
    Some(StatusRules { path, ranges, kids })
}

/// The ranges that `texts` are.
pub(super) fn source_ranges(path: &str, texts: &[String], errors: &mut Errors) -> Vec<SourceRange> {
    let mut ranges = Vec::with_capacity(texts.len());
    for text in texts {
        match SourceRange::parse(text) {
            Some(range) => ranges.push(range),
            None => errors.value(path, quoted(text), "addresses, or ranges such as 10.0.0.0/8"),
        }
    }
    ranges
}
