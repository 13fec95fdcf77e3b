//! `stepUp`: at the top level, of an issuer, of a rule.

use crate::core::claims::step_up::StepUp;
use crate::core::config::coerce::Section;
use crate::core::config::error::Errors;
use crate::core::limits::MAX_TOKEN_AGE_SECONDS;
use crate::core::text::quoted;
use crate::core::unix_time::Seconds;

/// What `section` says; `None` where it says nothing.
pub(super) fn step_up(section: &Section, errors: &mut Errors) -> Option<StepUp> {
    let told = errors.len();
    let step_up = section.section("stepUp", errors);
    // What is empty or no object has been told.
    if step_up.is_empty() || errors.len() != told {
        return None;
    }
    let acr = step_up.list("acr", errors).unwrap_or_default();
    // The challenge has them between quotes, with spaces between them.
    let is_acr = |value: &&String| {
        value.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'\\'))
    };
    for value in acr.iter().filter(|value| !is_acr(value)) {
        errors.value(
            step_up.path("acr"),
            quoted(value),
            "values of acr without blanks, quotes and backslashes",
        );
    }
    let is_written = step_up.has("maxAgeSeconds");
    let max_age =
        is_written.then(|| Seconds(step_up.integer("maxAgeSeconds", 1, 1..=MAX_TOKEN_AGE_SECONDS, errors)));
    Some(StepUp { acr, max_age })
}
