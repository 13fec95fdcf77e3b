//! Signals between instances in three options of the lock's socket, which have no other use. Reading one is cheaper than a
//! look at the record, and unlike a look it cannot be mixed up with the I/O of another instance.

use super::Host;
use super::kernel::{Descriptor, Errno, Flag, Kernel as _};
use crate::documents::lease::Version;
use crate::documents::limits::MAX_RECORD_BYTES;
use crate::documents::record::Nanos;

/// Makes the largest datagram (65,504 bytes) smaller than a receive vector, so that a send which the host mixed up with
/// a receive fails instead of queueing foreign bytes.
const SEND_BUFFER: u32 = 32_768;
/// Send buffer sizes that encode until which second no more requests are admitted, modulo [`ADMISSION_SECONDS`]. All let a
/// whole record through.
const FIRST_ADMISSION: u32 = 32_520;
const ADMISSION_SECONDS: u32 = 240;
/// Receive buffer sizes that encode a version: enough for the largest datagram, below what Linux allows (212,992).
const FIRST_VERSION: u32 = 131_072;
const VERSIONS: u32 = 65_536;

/// Three values on one socket: the version of the record, the admission limit, and a heartbeat.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signals(Descriptor);

impl Signals {
    /// Those of the lock's socket.
    pub(super) const fn of(descriptor: Descriptor) -> Self {
        Self(descriptor)
    }

    /// Sets the values of a new socket.
    pub(super) fn begin(self) -> Result<(), Errno> {
        Host::set_send_buffer(self.0, SEND_BUFFER)?;
        self.set_version(Version(0));
        Ok(())
    }

    /// A number that every result changes (`SO_RCVBUF`); `None` if the system does not keep it.
    pub(super) fn version(self) -> Option<u32> {
        let size = Host::receive_buffer(self.0).ok()?;
        size.checked_sub(FIRST_VERSION).is_some_and(|version| version < VERSIONS).then_some(size)
    }

    /// Changes the version: the record has a result of `version`.
    pub(super) fn set_version(self, version: Version) {
        // Two results are at least microseconds apart: the middle bits differ.
        let [_, low, high, ..] = version.0.to_le_bytes();
        let size = FIRST_VERSION.saturating_add(u16::from_le_bytes([low, high]).into());
        // If this fails, others look at the record more often.
        let _ = Host::set_receive_buffer(self.0, size);
    }

    /// Admits no more waiting requests (`SO_SNDBUF`) until `until`, or until [`Signals::admit`].
    pub(super) fn refuse(self, until: Nanos) {
        if let Some(second) = second(until) {
            // If this fails, they learn it from the record.
            let _ = Host::set_send_buffer(self.0, FIRST_ADMISSION.saturating_add(second));
        }
    }

    /// Admits waiting requests again.
    pub(super) fn admit(self) {
        // If this fails, the limit expires later.
        let _ = Host::set_send_buffer(self.0, SEND_BUFFER);
    }

    /// Whether no more requests may wait at `now`.
    pub(super) fn are_full(self, now: Nanos) -> bool {
        let size = Host::send_buffer(self.0).unwrap_or(SEND_BUFFER);
        let until = size.checked_sub(FIRST_ADMISSION).filter(|second| *second < ADMISSION_SECONDS);
        match (until, second(now)) {
            // Half of the circle is the future.
            (Some(until), Some(now)) => {
                let ahead = until.saturating_add(ADMISSION_SECONDS).saturating_sub(now);
                let left = ahead.checked_rem(ADMISSION_SECONDS);
                left.is_some_and(|left| left > 0 && left < ADMISSION_SECONDS / 2)
            }
            (None, _) | (_, None) => false,
        }
    }

    /// A number below four that every holder of the lock counts up (`SO_KEEPALIVE` and `SO_BROADCAST`, which say nothing to
    /// such a socket). With one bit, two holders between two looks would be none, and so on for as long as the patience of
    /// those that look: four of 15,000 simulated routers had that in which each held the lock for up to half a second.
    pub(super) fn heartbeat(self) -> Result<u8, Errno> {
        let [low, high] = [Flag::KeepAlive, Flag::Broadcast].map(|flag| Host::flag(self.0, flag));
        Ok(u8::from(low?) | u8::from(high?) << 1)
    }

    /// Shows the instances that wait for the lock that it is held.
    pub(super) fn beat(self) {
        if let Ok(beat) = self.heartbeat() {
            // If this fails, they count the lock as lost sooner.
            let _ = Host::set_flag(self.0, Flag::KeepAlive, beat & 1 == 0);
            if beat & 1 == 1 {
                let _ = Host::set_flag(self.0, Flag::Broadcast, beat & 2 == 0);
            }
        }
    }
}

fn second(at: Nanos) -> Option<u32> {
    let second = (at.0 / 1_000_000_000).checked_rem(ADMISSION_SECONDS.into())?;
    u32::try_from(second).ok()
}

// A unix datagram may have twice the set size less 32 bytes.
const _: () = assert!(MAX_RECORD_BYTES == 65_000 && FIRST_ADMISSION * 2 - 32 > 65_000);
const _: () = assert!(FIRST_ADMISSION + ADMISSION_SECONDS <= SEND_BUFFER);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{ADMISSION_SECONDS, FIRST_ADMISSION, FIRST_VERSION, SEND_BUFFER, Signals, VERSIONS};
    use crate::documents::lease::Version;
    use crate::documents::record::Nanos;
    use crate::host::sockets::Host;
    use crate::host::sockets::kernel::{Family, Kernel as _};
    use crate::host::sockets::simulated::alone;

    fn on_a_new_socket(test: impl Fn(Signals) + Sync) {
        alone(|| {
            let signals = Signals::of(Host::open_datagram(Family::Unix).unwrap());
            assert_eq!(signals.version(), None, "of the system's own size");
            signals.begin().unwrap();
            assert_eq!(signals.version(), Some(FIRST_VERSION));
            assert_eq!(Host::send_buffer(signals.0), Ok(SEND_BUFFER));
            test(signals);
        });
    }

    #[test]
    fn requests_are_refused_for_as_long_as_was_said() {
        let seconds = |seconds: u64| Nanos(seconds * 1_000_000_000);
        on_a_new_socket(|signals| {
            assert!(!signals.are_full(seconds(0)), "of a new socket");
            for (name, until, now, full) in [
                ("a second before the end", 100, 99, true),
                ("at the end", 100, 100, false),
                ("after the end", 100, 101, false),
                ("as long as it can be distinguished", 219, 100, true),
                ("longer than any lease", 220, 100, false),
                ("over the end of the circle", 241, 239, true),
                ("before the end of the circle", 239, 241, false),
                ("one round later", 100, 339, true),
            ] {
                signals.refuse(seconds(until));
                assert_eq!(signals.are_full(seconds(now)), full, "{name}");
                signals.admit();
                assert!(!signals.are_full(seconds(now)), "{name}, admitted again");
            }
        });
    }

    #[test]
    fn each_signal_leaves_the_others_alone() {
        on_a_new_socket(|signals| {
            let all = || (signals.version(), signals.are_full(Nanos(0)), signals.heartbeat());
            let (version, full, beat) = all();
            signals.set_version(Version(0x12_3456));
            let changed = signals.version();
            assert!(changed.is_some() && changed != version);
            assert_eq!(all(), (changed, full, beat));
            signals.refuse(Nanos(1_000_000_000));
            assert_eq!(all(), (changed, true, beat));
            signals.beat();
            assert_eq!(all(), (changed, true, beat.map(|beat| (beat + 1) % 4)));
            (0..3).for_each(|_| signals.beat());
            assert_eq!(all(), (changed, true, beat));
        });
    }

    #[test]
    fn four_beats_in_a_row_differ() {
        on_a_new_socket(|signals| {
            let beats: BTreeSet<u8> = (0..4)
                .map(|_| {
                    signals.beat();
                    signals.heartbeat().unwrap()
                })
                .collect();
            assert_eq!(beats, BTreeSet::from([0, 1, 2, 3]));
        });
    }

    #[test]
    fn sizes_that_nobody_sets_say_nothing() {
        on_a_new_socket(|signals| {
            Host::set_receive_buffer(signals.0, FIRST_VERSION + VERSIONS).unwrap();
            assert_eq!(signals.version(), None);
            Host::set_receive_buffer(signals.0, FIRST_VERSION + VERSIONS - 1).unwrap();
            assert!(signals.version().is_some());
            Host::set_send_buffer(signals.0, FIRST_ADMISSION + ADMISSION_SECONDS).unwrap();
            assert!(!signals.are_full(Nanos(200_000_000_000)));
        });
    }

    #[test]
    fn results_of_different_microseconds_have_different_versions() {
        on_a_new_socket(|signals| {
            for (version, next, differ) in [(0_u64, 256, true), (255, 256, true), (0, 255, false)] {
                signals.set_version(Version(version));
                let first = signals.version();
                signals.set_version(Version(next));
                assert_eq!(signals.version() != first, differ, "{version} and {next}");
            }
        });
    }
}
