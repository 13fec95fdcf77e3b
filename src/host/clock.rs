//! The only clock. Everywhere else time is an argument.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::core::unix_time::UnixTime;

/// The time of day; the epoch if the system's clock is before it.
#[expect(clippy::disallowed_methods, reason = "this is the clock")]
pub fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
