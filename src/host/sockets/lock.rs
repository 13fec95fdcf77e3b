//! The lock of a runtime, and the record that is passed on with it: a datagram socket connected to itself.
//!
//! The first instance opens the socket; later ones find it under the same number. It contains one datagram, the record of
//! [`crate::documents::record`]. A look (PEEK) leaves it there. Taking it out is atomic, so the instance that has it works
//! alone until it puts it back. The record is therefore the lock for everything that the host cannot do for two instances
//! at once.
//!
//! The record may get lost (its holder traps) or duplicated (two instances find the socket empty for too long). So no
//! instance waits long for it, each keeps a copy, and a take merges every record that is there. Without a lock, every
//! instance works on its own.

use std::cell::Cell;
use std::time::Duration;

use super::Host;
use super::deadline::Pauses;
use super::kernel::{Descriptor, Errno, Family, FileType, Kernel as _, Receive, SocketName, Wipe};
use super::notify;
use super::private_socket;
use super::signals::Signals;
use crate::documents::lease::Notify;
use crate::documents::record::{HEADER_BYTES, Nanos, Record};
use crate::host::limits::{MAX_BAD_LOOKS, MAX_PUTS};

/// How long the socket may be empty before its record counts as lost, and a spread, so that not all waiters put their copy
/// at once. When 200 instances started on two cores, a holder was off the processor for 630 ms. With a limit of 150 ms,
/// some bursts then made two requests instead of one, and two holders can lose a descriptor.
const PATIENCE: Duration = Duration::from_millis(1_500);
const PATIENCE_SPREAD: u32 = 401;
/// Far more than exclusive work takes.
const LONGEST_HOLD: Duration = Duration::from_secs(4);
/// How long to spin for the record before sleeping. Holders keep it about 100 µs.
const SPIN: Duration = Duration::from_millis(50);

/// The lock of this runtime.
#[derive(Clone, Copy)]
pub(super) struct Lock {
    descriptor: Descriptor,
    name: SocketName,
}

#[derive(Clone, Copy)]
enum Place {
    NotLookedFor,
    None,
    At(Lock),
}

thread_local! {
    static FIRST_INSTANCE: Cell<bool> = const { Cell::new(false) };
    static PLACE: Cell<Place> = const { Cell::new(Place::NotLookedFor) };
    static ID: Cell<u32> = const { Cell::new(0) };
    /// When this instance took the lock.
    static HELD: Cell<Option<Nanos>> = const { Cell::new(None) };
    /// The last record seen, in case the record gets lost.
    static COPY: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Closes the standard streams that the host opened for this runtime. Only the first instance finds them. A later one may
/// find another instance's socket under the same number, so the type is checked.
pub(crate) fn close_standard_streams() {
    for descriptor in Descriptor::STANDARD {
        if Host::file_type(descriptor) == Ok(FileType::CharacterDevice) && Host::close(descriptor).is_ok() {
            FIRST_INSTANCE.set(true);
        }
    }
}

/// Opens the lock if this is the first instance of its runtime. It costs one descriptor until the process ends, so
/// only a configuration that reads files or URLs opens it.
pub(crate) fn open() {
    if FIRST_INSTANCE.replace(false) {
        let opened = [Family::Unix, Family::V4, Family::V6].into_iter().find_map(Lock::open);
        PLACE.set(opened.map_or(Place::None, Place::At));
    }
}

/// Whether this instance has a lock.
pub(crate) fn exists() -> bool {
    Lock::find().is_some()
}

/// Does something while no other instance holds the lock. If there is no lock, it is done without.
pub(crate) fn exclusive<R>(work: impl FnOnce() -> R) -> R {
    match Lock::find() {
        Some(lock) if !is_held() => {
            let record = lock.take();
            HELD.set(Some(now()));
            let result = work();
            lock.put(record);
            HELD.set(None);
            result
        }
        Some(_) | None => work(),
    }
}

/// Whether [`exclusive`] work is already going on. A trap leaves this set, but not for long.
fn is_held() -> bool {
    HELD.get().is_some_and(|since| elapsed(since) < LONGEST_HOLD)
}

/// Takes the last record that this instance has seen, until [`keep`].
pub(super) fn last_seen() -> Vec<u8> {
    COPY.take()
}

/// Keeps a valid record, for looks at it and in case it gets lost.
pub(super) fn keep(record: Vec<u8>) {
    COPY.set(record);
}

/// Keeps what a look found, and what this instance has seen besides: the record may have been lost, and begun again by an instance
/// that has seen less.
pub(super) fn keep_looked_at(record: Vec<u8>) {
    // What wakes others is in the record still.
    keep(beside(record, last_seen(), |_| ()));
}

impl Lock {
    /// The lock, if this runtime has one.
    pub(super) fn find() -> Option<Self> {
        if let Place::NotLookedFor = PLACE.get() {
            let lock = |descriptor| Some(Self { descriptor, name: private_socket::name(descriptor)? });
            PLACE.set(Descriptor::STANDARD.into_iter().find_map(lock).map_or(Place::None, Place::At));
        }
        match PLACE.get() {
            Place::At(lock) => Some(lock),
            Place::None | Place::NotLookedFor => None,
        }
    }

    fn open(family: Family) -> Option<Self> {
        let descriptor = private_socket::open(family).ok()?;
        // An empty socket would make the first requests wait for a record that never existed.
        let ready = (Signals::of(descriptor).begin())
            .and_then(|()| Host::send(descriptor, &Record::default().encode()));
        let name = private_socket::name(descriptor).filter(|_| ready.is_ok());
        if name.is_none() {
            // No other instance knows it yet.
            let _ = Host::close(descriptor);
        }
        name.map(|name| Self { descriptor, name })
    }

    /// The signals between instances besides the record.
    pub(super) const fn signals(self) -> Signals {
        Signals::of(self.descriptor)
    }

    /// A copy of the record, which stays in the socket. `None` if it is out at the moment.
    pub(super) fn look(self) -> Option<Vec<u8>> {
        let mut record = Vec::new();
        for _ in 0..MAX_BAD_LOOKS {
            record.clear();
            match self.receive(Receive::Peek, &mut record) {
                Ok(()) if Record::verify(&record, now()).is_some() => return Some(record),
                Err(Errno::AGAIN) => return None,
                // The host causes most bad looks, and the next one is good.
                Ok(()) | Err(_) => {}
            }
        }
        let record = self.take();
        self.put(record.clone());
        Some(record)
    }

    /// Takes the record out: waits for it, and after a while continues with the copy.
    pub(super) fn take(self) -> Vec<u8> {
        self.take_unless(SPIN, &|| false).unwrap_or_default()
    }

    /// As [`Lock::take`], spinning for at most `spin`; `None` if `refused` becomes true before the record comes.
    pub(super) fn take_unless(self, spin: Duration, refused: &dyn Fn() -> bool) -> Option<Vec<u8>> {
        let pauses = Pauses::with_patience(spin);
        let mut since = now();
        let mut beat = self.signals().heartbeat();
        let mut taken: Option<Vec<u8>> = None;
        let mut removed = false;
        let mut faults: u32 = 0;
        loop {
            if !removed && refused() {
                return None;
            }
            // A take whose bytes land elsewhere still removes the record: the copy seen before saves it.
            let mut seen = Vec::new();
            let looked = self.receive(Receive::Peek, &mut seen);
            let mut record = Vec::new();
            match self.receive(Receive::Take, &mut record) {
                Err(Errno::AGAIN) if removed => break,
                Err(Errno::AGAIN) => {
                    // Under contention the record may always be out when we look, although it is not lost.
                    let last = std::mem::replace(&mut beat, self.signals().heartbeat());
                    if last != beat {
                        since = now();
                    }
                    if elapsed(since) >= patience() {
                        // So that others that have waited as long do not continue at the same time.
                        self.signals().beat();
                        break;
                    }
                    pauses.rest();
                }
                Err(_) if faults >= MAX_BAD_LOOKS => {
                    // This instance continues without a lock.
                    PLACE.set(Place::None);
                    break;
                }
                // Not the record: another instance may have it, or it comes next.
                Err(Errno::FOREIGN) => faults = faults.saturating_add(1),
                received @ (Ok(()) | Err(_)) => {
                    faults = faults.saturating_add(u32::from(received.is_err()));
                    removed = true;
                    if received.is_ok() {
                        taken = Some(join(taken, record, notify::wake));
                    }
                    if looked.is_ok() {
                        taken = Some(join(taken, seen, notify::wake));
                    }
                }
            }
        }
        // Never less than what this instance has seen: leases and results both come back with the copy of any instance
        // that saw them.
        let copy = last_seen();
        if taken.is_none() {
            // The notifications that instances wait for were lost with the record.
            notify::wake_all(self.descriptor);
        }
        Some(match taken {
            Some(taken) => beside(taken, copy, notify::wake),
            None => join(None, copy, notify::wake),
        })
    }

    /// Puts the record back, and checks that it is there.
    pub(super) fn put(self, mut record: Vec<u8>) {
        self.signals().beat();
        for _ in 0..MAX_PUTS {
            match Host::send(self.descriptor, &record) {
                Ok(_) => {}
                // Records of others are there already: below, they become one with this one.
                Err(Errno::AGAIN) => {}
                // The host took the length of a receive, which is too long for a datagram: nothing was put.
                Err(_) => continue,
            }
            let mut seen = Vec::new();
            match self.receive(Receive::Peek, &mut seen) {
                // Another instance has taken it, or it is behind a foreign datagram, which the next take removes.
                Err(Errno::AGAIN | Errno::FOREIGN) => break,
                Ok(()) if Record::verify(&seen, now()) >= Record::verify(&record, now()) => break,
                Ok(()) | Err(_) => {}
            }
            // Foreign bytes are in the socket: remove them. A faster instance has the lock now, and puts its copy.
            let Some(drained) = self.drain() else {
                break;
            };
            record =
                drained.into_iter().fold(record, |record, drained| join(Some(record), drained, notify::wake));
        }
        if Record::has_waiters(&record) {
            record = Record::decode(&record, now()).unwrap_or_default().without_waiters().encode();
        }
        keep(record);
    }

    /// Everything in the socket; `None` if it is empty.
    fn drain(self) -> Option<Vec<Vec<u8>>> {
        let mut drained = Vec::new();
        for _ in 0..MAX_BAD_LOOKS {
            let mut one = Vec::new();
            match self.receive(Receive::Take, &mut one) {
                Err(Errno::AGAIN) => break,
                Ok(()) => drained.push(one),
                // Foreign, or mixed up.
                Err(_) => drained.push(Vec::new()),
            }
        }
        (!drained.is_empty()).then_some(drained)
    }

    /// A datagram that this socket sent. One that another process sent before it was connected has another sender.
    fn receive(self, mode: Receive, record: &mut Vec<u8>) -> Result<(), Errno> {
        let sender = Host::receive_from(self.descriptor, mode, Wipe::Head, record)?;
        if sender == self.name { Ok(()) } else { Err(Errno::FOREIGN) }
    }
}

/// Both records merged; an invalid record counts as none. Who waits for a lease that is in neither any more is woken: its owner may
/// have ended, and then nobody else knows of them.
fn join(known: Option<Vec<u8>>, other: Vec<u8>, wake: fn(Notify)) -> Vec<u8> {
    let Some(known) = known else {
        return if Record::verify(&other, now()).is_some() { other } else { Record::default().encode() };
    };
    if known == other {
        return known;
    }
    let Some(other) = Record::decode(&other, now()) else {
        return known;
    };
    let mut all = Record::decode(&known, now()).unwrap_or_default();
    all.merge(other).into_iter().for_each(wake);
    all.encode()
}

/// A valid record and the copy that was kept, which is part of it most of the time.
fn beside(record: Vec<u8>, copy: Vec<u8>, wake: fn(Notify)) -> Vec<u8> {
    let is_part = Record::version(&copy) < Record::version(&record)
        || copy.get(HEADER_BYTES..) == record.get(HEADER_BYTES..);
    if is_part { record } else { join(Some(record), copy, wake) }
}

/// A number that distinguishes this instance from others.
pub(super) fn id() -> u32 {
    if ID.get() == 0 {
        ID.set(Host::random().unwrap_or(1).max(1));
    }
    ID.get()
}

/// How long the record may be out before this instance counts it as lost.
pub(super) fn patience() -> Duration {
    PATIENCE.saturating_add(Duration::from_millis((id() % PATIENCE_SPREAD).into()))
}

/// The time of the process.
pub(super) fn now() -> Nanos {
    Nanos(Host::monotonic_nanos())
}

/// The time since `since`.
pub(super) fn elapsed(since: Nanos) -> Duration {
    Duration::from_nanos(now().0.saturating_sub(since.0))
}

#[cfg(test)]
mod tests {
    use super::{
        Lock, PATIENCE, close_standard_streams, elapsed, exclusive, exists, id, keep, keep_looked_at,
        last_seen, now, open,
    };
    use crate::core::unix_time::{Seconds, UnixTime};
    use crate::documents::lease::{Failure, Version, Waiting};
    use crate::documents::record::{Nanos, Record};
    use crate::documents::source_id::SourceId;
    use crate::host::sockets::Host;
    use crate::host::sockets::kernel::{Errno, Kernel as _, Receive};
    use crate::host::sockets::simulated::alone;

    const SOURCE: SourceId = SourceId([7; 16]);

    fn result(version: u64) -> Record {
        let mut record = Record::default();
        let failure = Failure { at: UnixTime::from_millis(1), reason: format!("{version}") };
        record.finish(SOURCE, 1, Nanos(version), Err(failure));
        record
    }

    fn with_lease(mut record: Record) -> Record {
        record.turn(SOURCE, Version(9), Waiting::NotAtAll, 1, Nanos(900_000_000_000), Seconds(40));
        record
    }

    #[test]
    fn a_record_that_is_taken_has_all_that_is_known() {
        let noise = || vec![0x5a; 100];
        for (name, sent, copy, expected) in [
            ("one record", vec![result(1).encode()], Vec::new(), result(1)),
            ("a newer one than the copy", vec![result(2).encode()], result(1).encode(), result(2)),
            ("an older one than the copy", vec![result(1).encode()], result(2).encode(), result(2)),
            (
                "one from before a lease",
                vec![result(1).encode()],
                with_lease(result(1)).encode(),
                with_lease(result(1)),
            ),
            ("two records", vec![result(2).encode(), result(1).encode()], Vec::new(), result(2)),
            (
                "a lease in the second",
                vec![result(1).encode(), with_lease(result(1)).encode()],
                Vec::new(),
                with_lease(result(1)),
            ),
            ("noise", vec![noise()], result(1).encode(), result(1)),
            ("noise before a record", vec![noise(), result(1).encode()], Vec::new(), result(1)),
            ("nothing", Vec::new(), result(1).encode(), result(1)),
            ("nothing, and no copy", Vec::new(), Vec::new(), Record::default()),
        ] {
            alone(|| {
                close_standard_streams();
                open();
                let lock = Lock::find().unwrap();
                lock.receive(Receive::Take, &mut Vec::new()).unwrap();
                sent.iter().for_each(|record| {
                    Host::send(lock.descriptor, record).unwrap();
                });
                keep(copy.clone());
                let taken = lock.take();
                assert_eq!(Record::decode(&taken, now()), Some(expected.clone()), "{name}");
                assert_eq!(lock.look(), None, "{name}: more is left");
                lock.put(taken.clone());
                assert_eq!(lock.look(), Some(taken), "{name}");
            });
        }
    }

    #[test]
    fn a_look_forgets_nothing() {
        let ours = || with_lease(result(2)).encode();
        for (name, found, expected) in [
            ("the same", ours(), with_lease(result(2))),
            ("an older one", result(1).encode(), with_lease(result(2))),
            ("the same without the lease", result(2).encode(), with_lease(result(2))),
            ("a newer one", result(3).encode(), result(3)),
        ] {
            alone(|| {
                keep(ours());
                keep_looked_at(found.clone());
                assert_eq!(Record::decode(&last_seen(), now()), Some(expected.clone()), "{name}");
            });
        }
    }

    #[test]
    fn exclusive_work_may_have_exclusive_work_in_it() {
        alone(|| {
            assert!(!exists());
            assert_eq!(exclusive(|| 1), 1, "without a lock");
        });
        alone(|| {
            close_standard_streams();
            open();
            let lock = Lock::find().unwrap();
            let since = now();
            let held = exclusive(|| exclusive(|| lock.look()));
            assert_eq!((held, lock.look().is_some()), (None, true));
            assert!(elapsed(since) < PATIENCE, "it waited for itself");
        });
    }

    #[test]
    fn a_look_changes_nothing_and_shows_no_noise() {
        alone(|| {
            close_standard_streams();
            open();
            let lock = Lock::find().unwrap();
            let beat = lock.signals().heartbeat();
            assert_eq!(lock.look(), Some(Record::default().encode()));
            assert_eq!(lock.signals().heartbeat(), beat, "it was taken");
            lock.receive(Receive::Take, &mut Vec::new()).unwrap();
            Host::send(lock.descriptor, &[0x5a; 100]).unwrap();
            keep(result(1).encode());
            assert_eq!(lock.look(), Some(result(1).encode()));
        });
    }

    #[test]
    fn a_record_that_is_put_is_the_only_one() {
        alone(|| {
            close_standard_streams();
            open();
            let lock = Lock::find().unwrap();
            // The host has put what is none, and the record of another instance that found the socket empty for too long.
            lock.receive(Receive::Take, &mut Vec::new()).unwrap();
            Host::send(lock.descriptor, &[0x5a; 100]).unwrap();
            Host::send(lock.descriptor, &result(2).encode()).unwrap();
            lock.put(result(1).encode());
            let mut found = Vec::new();
            lock.receive(Receive::Take, &mut found).unwrap();
            assert_eq!(Record::decode(&found, now()), Some(result(2)));
            assert_eq!(lock.receive(Receive::Take, &mut Vec::new()), Err(Errno::AGAIN));
        });
    }

    #[test]
    fn who_is_refused_waits_for_nothing() {
        alone(|| {
            close_standard_streams();
            open();
            let lock = Lock::find().unwrap();
            assert_eq!(lock.take_unless(PATIENCE, &|| true), None);
            let record = lock.take_unless(PATIENCE, &|| false);
            assert_eq!(record, Some(Record::default().encode()));
            let since = now();
            assert_eq!(lock.take_unless(PATIENCE, &|| elapsed(since) > PATIENCE / 2), None);
            assert!(elapsed(since) < PATIENCE);
        });
    }

    #[test]
    fn without_its_socket_an_instance_works_alone() {
        alone(|| {
            close_standard_streams();
            open();
            let lock = Lock::find().unwrap();
            keep(result(1).encode());
            Host::close(lock.descriptor).unwrap();
            assert_eq!(lock.take(), result(1).encode());
            assert!(!exists());
        });
    }

    #[test]
    fn an_instance_has_a_number_of_its_own() {
        alone(|| assert!(id() > 1 && id() == id()));
    }
}
