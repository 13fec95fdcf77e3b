//! The deadline of a fetch, and how to wait until then for something that is about to happen.

use std::time::Duration;

use super::Host;
use super::kernel::Kernel as _;
use crate::core::unix_time::Seconds;
use crate::documents::fetch::FetchError;

/// How long to spin for an answer before sleeping, since sleeps are long ([`super::kernel::Kernel::sleep`]): one instance
/// of a router does this every few minutes, and many may wait for it.
const PATIENCE: Duration = Duration::from_millis(50);
/// Length of a sleep between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// When a fetch must end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: u64,
}

impl Deadline {
    pub(crate) fn after(span: Seconds) -> Self {
        Self { at: Host::monotonic_nanos().saturating_add(span.0.saturating_mul(1_000_000_000)) }
    }

    pub(crate) fn check(self) -> Result<(), FetchError> {
        if self.left().is_zero() { Err(FetchError::Timeout) } else { Ok(()) }
    }

    pub(super) fn left(self) -> Duration {
        Duration::from_nanos(self.at.saturating_sub(Host::monotonic_nanos()))
    }

    /// A deadline after one of `shares` equal parts of the time left.
    pub(super) fn share(self, shares: usize) -> Self {
        let now = Host::monotonic_nanos();
        let shares = u64::try_from(shares).unwrap_or(u64::MAX);
        let part = self.at.saturating_sub(now).checked_div(shares).unwrap_or(0);
        Self { at: now.saturating_add(part) }
    }
}

/// Pauses between looks at something that is about to happen: first it yields, then it sleeps.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pauses {
    since: u64,
    patience: Duration,
}

impl Pauses {
    pub(crate) fn new() -> Self {
        Self::with_patience(PATIENCE)
    }

    pub(crate) fn with_patience(patience: Duration) -> Self {
        Self { since: Host::monotonic_nanos(), patience }
    }

    /// Pauses, or fails if no time is left.
    pub(crate) fn pause(self, deadline: Deadline) -> Result<(), FetchError> {
        if deadline.left().is_zero() {
            return Err(FetchError::Timeout);
        }
        self.rest();
        Ok(())
    }

    /// Pauses.
    pub(crate) fn rest(self) {
        let waited = Host::monotonic_nanos().saturating_sub(self.since);
        if Duration::from_nanos(waited) < self.patience {
            Host::yield_now();
        } else {
            Host::sleep(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Deadline, Pauses};
    use crate::core::unix_time::Seconds;
    use crate::documents::fetch::FetchError;
    use crate::host::sockets::Host;
    use crate::host::sockets::kernel::Kernel as _;
    use crate::host::sockets::simulated::alone;

    #[test]
    fn a_fetch_ends_at_its_deadline() {
        alone(|| {
            let deadline = Deadline::after(Seconds(2));
            assert_eq!((deadline.check(), Pauses::new().pause(deadline)), (Ok(()), Ok(())));
            Host::sleep(Duration::from_secs(1));
            assert_eq!(deadline.check(), Ok(()));
            assert!(deadline.left() < Duration::from_secs(1));
            Host::sleep(deadline.left());
            let over = Err(FetchError::Timeout);
            assert_eq!((deadline.check(), Pauses::new().pause(deadline)), (over.clone(), over));
        });
    }
}
