//! Waiting with a deadline.

use std::time::{Duration, Instant};

/// How many times longer than on an idle machine something may take on one that is slow and busy.
const PATIENCE: u64 = 4;

/// Polls until `ready` gives a value, which takes less than `seconds` on an idle machine.
///
/// # Panics
/// After a multiple of `seconds`, saying `what` did not happen.
pub fn wait<T>(what: &str, seconds: u64, mut ready: impl FnMut() -> Option<T>) -> T {
    #[expect(clippy::disallowed_methods, reason = "the clock of a native test is real")]
    let now = Instant::now;
    let seconds = seconds * PATIENCE;
    let deadline = now() + Duration::from_secs(seconds);
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(now() < deadline, "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Seconds since 1970-01-01.
///
/// # Panics
/// When the clock stands before 1970.
pub fn unix_now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the clock of a native test is real")]
    let now = std::time::SystemTime::now();
    i64::try_from(now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()).unwrap()
}
