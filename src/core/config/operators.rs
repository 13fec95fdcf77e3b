//! Options for those who run the proxy: what the log says, and the state of key sets and revocations.

use crate::core::answer::status::{Kids, StatusRules};
use crate::core::config::error::Errors;
use crate::core::config::options::Row;
use crate::core::config::options::operators::*;
use crate::core::config::values::Values;
use crate::core::refusal_log::{LogRules, LoggedSub};
use crate::core::request::source_range::SourceRange;

/// `log`.
pub(super) fn log_rules(root: &Values) -> LogRules {
    LogRules {
        level: root.word(&LOG_REFUSALS, &LEVELS),
        sub: if root.flag(&LOG_SUB) { LoggedSub::Show } else { LoggedSub::Hide },
        per_minute: u32::try_from(root.int(&LOG_PER_MINUTE)).unwrap_or(0),
    }
}

/// `status`. The configuration has to name who may read it: no default would be right.
pub(super) fn status_rules(root: &Values, errors: &mut Errors) -> Option<StatusRules> {
    let kids = if root.flag(&STATUS_KIDS) { Kids::Show } else { Kids::Hide };
    let Some(path) = root.text(&STATUS_PATH) else {
        if root.has_in(&STATUS) && !root.is_refused(&STATUS_PATH) {
            errors.conflict(STATUS_PATH.path, "is needed with the other options of status");
        }
        return None;
    };
    if root.list(&STATUS_SOURCE_RANGE).is_none_or(<[_]>::is_empty) && !root.is_refused(&STATUS_SOURCE_RANGE) {
        errors.conflict(STATUS_SOURCE_RANGE.path, "is needed with status.path: who may read it");
    }
    let ranges = source_ranges(root, &STATUS_SOURCE_RANGE);
    Some(StatusRules { path: path.to_owned(), ranges, kids })
}

/// The ranges of the list `row`.
pub(super) fn source_ranges(root: &Values, row: &Row) -> Vec<SourceRange> {
    root.list(row).unwrap_or_default().iter().filter_map(|text| SourceRange::parse(text)).collect()
}
