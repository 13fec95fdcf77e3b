//! Single flight for the instances of a router: the record that is passed on with the lock says which instance fetches,
//! which requests wait, and what was fetched.

use std::cell::Cell;
use std::time::Duration;

use super::Host;
use super::deadline::{Deadline, Pauses};
use super::kernel::Kernel as _;
use super::lock::{Lock, elapsed, id, keep_looked_at, last_seen, now, patience};
use super::notify;
use crate::core::unix_time::Seconds;
use crate::documents::document::SharedDocument;
use crate::documents::lease::{
    Failure, Holder, Lease, Notify, Share, Shared, Turn, Unshared, Version, Waiting,
};
use crate::documents::record::{Nanos, Next, Record, Watch};
use crate::documents::source_id::SourceId;

/// How long new requests spin for the record before sleeping. Many wait for an instance that fetches; they should not
/// delay it.
const NEWCOMERS_SPIN: Duration = Duration::from_millis(2);
/// Time between two looks of a waiting request.
const PAUSE: Duration = Duration::from_millis(100);
/// Nanoseconds after which a waiting request looks at the record even if the version is the same: its lease may have expired.
const LOOK_AGAIN: u64 = 500_000_000;

thread_local! {
    /// The version at the last look; zero before the first.
    static VERSION: Cell<u32> = const { Cell::new(0) };
}

/// Shares documents between the instances of a router.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mailbox;

impl Share for Mailbox {
    fn look(&self, source: SourceId, seen: Version) -> Option<Shared> {
        let lock = Lock::find()?;
        let version = lock.signals().version();
        let unchanged = version.is_some_and(|version| version == VERSION.get());
        let record = if unchanged { last_seen() } else { lock.look()? };
        VERSION.set(version.unwrap_or(0));
        let shared = if Record::version(&record)? > seen {
            Record::decode(&record, now()).and_then(|record| record.look(source, seen).cloned())
        } else {
            None
        };
        keep_looked_at(record);
        shared.filter(is_result)
    }

    fn begin(&self, source: SourceId, seen: Version, waiting: Waiting, span: Seconds) -> Turn {
        let Some(lock) = Lock::find() else {
            return Unshared.begin(source, seen, waiting, span);
        };
        // A lease may be taken over once while this request waits; waiting longer would not help the client.
        let deadline = Deadline::after(Seconds(span.0.saturating_mul(2)));
        loop {
            // Without this, a thousand requests at once would all wait for the record, only to learn that they may not wait.
            let refused = || waiting == Waiting::ForDocument && lock.signals().are_full(now());
            let next = update_unless(lock, &refused, |record| {
                let abandoned = record.notify(source);
                let next = record.turn(source, seen, waiting, id(), now(), span);
                let mut notify = None;
                if matches!(next, Next::Ask(_)) {
                    if let Some(abandoned) = abandoned {
                        notify::wake(abandoned);
                    }
                    // A request that has a document refreshes it alone.
                    notify = if waiting == Waiting::ForDocument { notify::open() } else { None };
                    record.set_notify(source, notify);
                }
                (next, record.crowded_until(source), notify)
            });
            let Some((next, crowded, notify)) = next else {
                return Turn::Crowded;
            };
            if let Some(until) = crowded {
                lock.signals().refuse(until);
            }
            match next {
                Next::Known(shared) if is_result(&shared) => return Turn::Known(shared),
                // Its document did not fit the record, so each instance fetches it.
                Next::Known(shared) => return Turn::Ask(Lease::alone(source, shared.version)),
                Next::Ask(known) => {
                    let (version, holder) = (seen.next(), Holder::Recorded(notify));
                    return Turn::Ask(Lease { source, known, version, holder });
                }
                Next::Underway => return Turn::Underway,
                Next::Crowded => return Turn::Crowded,
                Next::Wait(notify) => match wait(lock, source, seen, notify, deadline) {
                    Some(shared) if is_result(&shared) => return Turn::Known(shared),
                    Some(_) => {}
                    None => update(lock, Record::leave),
                },
            }
            if deadline.check().is_err() {
                return Turn::Crowded;
            }
        }
    }

    fn finish(&self, lease: Lease, attempt: Result<SharedDocument, Failure>) -> Shared {
        let (Some(lock), Holder::Recorded(notify)) = (Lock::find(), lease.holder) else {
            return Unshared.finish(lease, attempt);
        };
        let shared = update(lock, |record| {
            // Before the result is there: if this instance ends between the two, the waiters are awake.
            if let Some(notify) = notify {
                notify::wake(notify);
            }
            record.finish(lease.source, id(), now(), attempt)
        });
        lock.signals().set_version(shared.version);
        lock.signals().admit();
        shared
    }
}

/// Whether `shared` contains the result of an attempt: not if the document did not fit the record.
const fn is_result(shared: &Shared) -> bool {
    shared.document.is_some() || shared.failures > 0
}

/// Changes the record.
fn update<R>(lock: Lock, change: impl FnOnce(&mut Record) -> R) -> R {
    changed(lock, &lock.take(), change)
}

/// Changes the record, unless `refused` becomes true while waiting for it.
fn update_unless<R>(
    lock: Lock,
    refused: &dyn Fn() -> bool,
    change: impl FnOnce(&mut Record) -> R,
) -> Option<R> {
    lock.take_unless(NEWCOMERS_SPIN, refused).map(|record| changed(lock, &record, change))
}

fn changed<R>(lock: Lock, record: &[u8], change: impl FnOnce(&mut Record) -> R) -> R {
    let mut record = Record::decode(record, now()).unwrap_or_default();
    let result = change(&mut record);
    lock.put(record.encode());
    result
}

/// Waits for the end of an attempt; `None` if its lease or the caller's time ends first.
fn wait(
    lock: Lock,
    source: SourceId,
    seen: Version,
    notify: Option<Notify>,
    deadline: Deadline,
) -> Option<Shared> {
    // After the wake-up, the record comes within a moment.
    let woken = notify.is_some_and(notify::wait).then(Pauses::new);
    let mut looked_at = None;
    let mut empty_since = None;
    let mut next_look = now();
    while deadline.check().is_ok() {
        match woken {
            Some(pauses) => pauses.rest(),
            None => Host::sleep(PAUSE),
        }
        let version = lock.signals().version();
        if version.is_some() && version == looked_at && now() < next_look {
            continue;
        }
        let Some(record) = lock.look() else {
            // It is out at the moment, or lost.
            if elapsed(*empty_since.get_or_insert_with(now)) >= patience() {
                let record = lock.take();
                lock.put(record);
                empty_since = None;
            }
            continue;
        };
        empty_since = None;
        looked_at = version;
        next_look = Nanos(now().0.saturating_add(LOOK_AGAIN));
        match Record::decode(&record, now())?.watch(source, seen, now()) {
            Watch::Known(shared) => {
                keep_looked_at(record);
                return Some(shared);
            }
            Watch::Underway => {}
            Watch::Abandoned => return None,
        }
    }
    None
}
