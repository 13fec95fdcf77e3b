//! Single flight for the instances of a router: who fetches, who waits, and what was fetched, in the record that is
//! passed on with the lock.

use std::cell::Cell;
use std::time::Duration;

use super::Host;
use super::deadline::{Deadline, Pauses};
use super::kernel::Kernel as _;
use super::lock::{Lock, elapsed, id, keep, last_seen, now, patience};
use super::notify;
use crate::core::unix_time::Seconds;
use crate::keys::envelope::{Bell, Envelope, Nanos, Turn, Watch};
use crate::keys::io::{
    Asked, Failure, Generation, Share, Shared, SharedDocument, SourceId, Unshared, Waiting,
};

/// How long newcomers spin for the record before sleeping. Many wait for an instance that fetches; those who would only
/// wait for it stay out of its way.
const NEWCOMERS_SPIN: Duration = Duration::from_millis(2);
/// Between two looks of a waiting request.
const PAUSE: Duration = Duration::from_millis(100);
/// Nanoseconds after which a waiting request looks at the record whatever the version: its lease may have ended.
const LOOK_AGAIN: u64 = 500_000_000;

thread_local! {
    /// The version whose record was looked at; zero is none.
    static VERSION: Cell<u32> = const { Cell::new(0) };
}

/// Shares key documents between the instances of a router.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mailbox;

impl Share for Mailbox {
    fn look(&self, source: SourceId, seen: Generation) -> Option<Shared> {
        let lock = Lock::find()?;
        let version = lock.signals().version();
        let unchanged = version.is_some_and(|version| version == VERSION.get());
        let record = if unchanged { last_seen() } else { lock.look()? };
        VERSION.set(version.unwrap_or(0));
        let shared = if Envelope::generation(&record)? > seen {
            Envelope::decode(&record, now()).and_then(|envelope| envelope.look(source, seen).cloned())
        } else {
            None
        };
        keep(record);
        let shared = shared?;
        // One that did not fit the record helps nobody.
        (shared.document.is_some() || shared.failures > 0).then_some(shared)
    }

    fn ask(
        &self,
        source: SourceId,
        seen: Generation,
        lease: Seconds,
        waiting: Waiting,
        attempt: &mut dyn FnMut(Option<&SharedDocument>) -> Result<SharedDocument, Failure>,
    ) -> Asked {
        let Some(lock) = Lock::find() else {
            return Unshared.ask(source, seen, lease, waiting, attempt);
        };
        // A lease may be taken over once while this request waits; more would be no service to it.
        let deadline = Deadline::after(Seconds(lease.0.saturating_mul(2)));
        loop {
            // Without this, a thousand requests at once would all wait for the record to learn that they may not wait.
            let refused = || waiting == Waiting::ForKeys && lock.signals().are_full(now());
            let turn = update_unless(lock, &refused, |envelope| {
                let abandoned = envelope.bell(source);
                let turn = envelope.turn(source, seen, waiting, id(), now(), lease);
                let mut bell = None;
                if matches!(turn, Turn::Ask(_)) {
                    if let Some(abandoned) = abandoned {
                        notify::ring(abandoned);
                        notify::take_down(abandoned);
                    }
                    // Whoever has keys refreshes alone.
                    bell = if waiting == Waiting::ForKeys { notify::hang() } else { None };
                    envelope.hang(source, bell);
                }
                (turn, envelope.crowded_until(source), bell)
            });
            let Some((turn, crowded, bell)) = turn else {
                return Asked::Crowded;
            };
            if let Some(until) = crowded {
                lock.signals().refuse(until);
            }
            match turn {
                // Its document did not fit the record: everybody for himself.
                Turn::Known(shared) if shared.document.is_none() && shared.failures == 0 => {
                    let generation = shared.generation;
                    return Asked::Known(Shared { generation, ..shared.after(attempt(None), generation) });
                }
                Turn::Known(shared) => return Asked::Known(shared),
                Turn::Ask(document) => {
                    let outcome = attempt(document.as_ref());
                    let shared = update(lock, |envelope| {
                        // Before the result is there: if this instance ends between the two, those who wait are awake.
                        if let Some(bell) = bell {
                            notify::ring(bell);
                            notify::take_down(bell);
                        }
                        envelope.finish(source, id(), now(), outcome)
                    });
                    lock.signals().set_version(shared.generation);
                    lock.signals().admit();
                    return Asked::Known(shared);
                }
                Turn::Underway => return Asked::Underway,
                Turn::Crowded => return Asked::Crowded,
                Turn::Wait(bell) => match wait(lock, source, seen, bell, deadline) {
                    Some(shared) if shared.document.is_some() || shared.failures > 0 => {
                        return Asked::Known(shared);
                    }
                    Some(_) => {}
                    None => update(lock, Envelope::leave),
                },
            }
            if deadline.check().is_err() {
                return Asked::Crowded;
            }
        }
    }
}

/// Changes the record.
fn update<R>(lock: Lock, change: impl FnOnce(&mut Envelope) -> R) -> R {
    changed(lock, &lock.take(), change)
}

/// Changes the record, unless `refused` while it has to be waited for.
fn update_unless<R>(
    lock: Lock,
    refused: &dyn Fn() -> bool,
    change: impl FnOnce(&mut Envelope) -> R,
) -> Option<R> {
    lock.take_unless(NEWCOMERS_SPIN, refused).map(|record| changed(lock, &record, change))
}

fn changed<R>(lock: Lock, record: &[u8], change: impl FnOnce(&mut Envelope) -> R) -> R {
    let mut envelope = Envelope::decode(record, now()).unwrap_or_default();
    let result = change(&mut envelope);
    lock.put(envelope.encode());
    result
}

/// Waits for the end of an attempt; `None` where its lease or the caller's time ends first.
fn wait(
    lock: Lock,
    source: SourceId,
    seen: Generation,
    bell: Option<Bell>,
    deadline: Deadline,
) -> Option<Shared> {
    // When it has rung, the record comes in a moment.
    let rung = bell.is_some_and(notify::listen).then(Pauses::new);
    let mut looked_at = None;
    let mut empty_since = None;
    let mut next_look = now();
    while deadline.check().is_ok() {
        match rung {
            Some(pauses) => pauses.rest(),
            None => Host::sleep(PAUSE),
        }
        let version = lock.signals().version();
        if version.is_some() && version == looked_at && now() < next_look {
            continue;
        }
        let Some(record) = lock.look() else {
            // Out at the moment, or lost.
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
        match Envelope::decode(&record, now())?.watch(source, seen, now()) {
            Watch::Known(shared) => {
                keep(record);
                return Some(shared);
            }
            Watch::Underway => {}
            Watch::Abandoned => return None,
        }
    }
    None
}
