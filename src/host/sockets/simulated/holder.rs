//! The instance that holds the lock: the record that it puts back is there, and if it ends, others continue.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Fault, Plan, Simulated, Trapped, alone, await_first, begin, faults, run, survives};
use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::document::{Document, SharedDocument};
use crate::documents::lease::{Failure, Holder, Share as _, Turn, Version, Waiting};
use crate::documents::limits::MAX_RECORD_BYTES;
use crate::documents::record::{Nanos, Record};
use crate::documents::source_id::SourceId;
use crate::host::sockets::kernel::Kernel as _;
use crate::host::sockets::lock::{Lock, close_standard_streams, elapsed, exclusive, keep, now, open};
use crate::host::sockets::mailbox::Mailbox;

const SOURCE: SourceId = SourceId([7; 16]);
const LEASE: Seconds = Seconds(3);

fn opened() -> Lock {
    close_standard_streams();
    open();
    Lock::find().unwrap()
}

fn record() -> Vec<u8> {
    let mut record = Record::default();
    let failure = Failure { at: UnixTime::from_millis(1), reason: "refused".to_owned() };
    record.finish(SOURCE, 1, Nanos(5), Err(failure));
    record.encode()
}

/// In 50 runs without faults, instances that come these milliseconds after the first, each with its number and the lock.
fn one_after_another(starts: &[u64], life: &(dyn Fn(usize, Lock) + Sync)) {
    for seed in 0..50 {
        let plan =
            Plan { seed, instances: starts.len(), faults: Vec::new(), budget: 0, foreign: |_| Vec::new() };
        let outcome = run(plan, &|me| {
            if me > 0 {
                await_first();
                Simulated::sleep(Duration::from_millis(starts[me]));
            }
            let lock = opened();
            if me == 0 {
                begin();
            }
            life(me, lock);
        });
        assert_eq!(outcome, Ok(()), "seed {seed}");
    }
}

/// Asks as a request without the document does.
fn turn() -> Turn {
    Mailbox.begin(SOURCE, Version(0), Waiting::ForDocument, LEASE)
}

/// Is the waiter that polls, and ends.
fn wait_and_end(lock: Lock) {
    let mut record = Record::decode(&lock.take(), now()).unwrap();
    record.turn(SOURCE, Version(0), Waiting::ForDocument, 1, now(), LEASE);
    lock.put(record.encode());
}

#[test]
fn a_record_that_is_put_is_in_the_socket_whatever_the_host_sends() {
    for fault in [Fault::Scrambled, Fault::TooLong] {
        let met = AtomicUsize::new(0);
        for seed in 0..200 {
            let plan = Plan { seed, instances: 1, faults: vec![fault], budget: 1, foreign: |_| Vec::new() };
            let outcome = run(plan, &|_| {
                let lock = opened();
                lock.take();
                begin();
                lock.put(record());
                met.fetch_add(faults().0.len(), Ordering::Relaxed);
                // Another instance has no copy.
                keep(Vec::new());
                assert_eq!(lock.look(), Some(record()));
            });
            assert_eq!(outcome, Ok(()), "{fault:?}, seed {seed}");
        }
        assert!(met.into_inner() > 0, "{fault:?} never happened");
    }
}

fn large() -> SharedDocument {
    let document = Document { body: vec![b'x'; MAX_RECORD_BYTES], ..Document::default() };
    SharedDocument { document, fetched_at: UnixTime::from_millis(1) }
}

#[test]
fn a_document_too_large_for_the_record_is_no_result_for_others() {
    // One waits for the attempt, one comes later.
    one_after_another(&[0, 300, 2_500], &|me, _| {
        if me == 0 {
            let Turn::Ask(lease) = turn() else { panic!("it is the first") };
            Simulated::sleep(Duration::from_secs(1));
            let shared = Mailbox.finish(lease, Ok(large()));
            assert_eq!(shared.document, Some(large()), "its own");
            return;
        }
        assert!(me == 1 || Mailbox.look(SOURCE, Version(0)).is_none());
        let turn = turn();
        let Turn::Ask(lease) = turn else { panic!("{turn:?}") };
        assert!(matches!(lease.holder, Holder::Alone), "{lease:?}");
    });
}

#[test]
fn what_one_instance_has_fetched_the_others_find() {
    one_after_another(&[0, 1_000], &|me, _| {
        if me == 0 {
            let Turn::Ask(lease) = turn() else { panic!("it is the first") };
            Mailbox.finish(lease, Err(Failure { at: UnixTime::from_millis(1), reason: "refused".into() }));
        } else {
            // Again, from what the first look kept.
            for _ in 0..2 {
                assert!(Mailbox.look(SOURCE, Version(0)).is_some());
            }
        }
    });
}

#[test]
fn who_needs_no_document_is_not_turned_away_and_has_nobody_to_wake() {
    alone(|| {
        let lock = opened();
        lock.signals().refuse(Nanos(now().0 + 5_000_000_000));
        let begin = |waiting| Mailbox.begin(SOURCE, Version(0), waiting, LEASE);
        assert!(matches!(begin(Waiting::ForDocument), Turn::Crowded));
        let turn = begin(Waiting::NotAtAll);
        let Turn::Ask(lease) = turn else { panic!("{turn:?}") };
        assert!(matches!(lease.holder, Holder::Recorded(None)), "{lease:?}");
        Mailbox.finish(lease, Err(Failure { at: UnixTime::from_millis(1), reason: "refused".into() }));
        let turn = Mailbox.begin(SOURCE, Version(now().0), Waiting::ForDocument, LEASE);
        let Turn::Ask(lease) = turn else { panic!("{turn:?}") };
        assert!(matches!(lease.holder, Holder::Recorded(Some(_))), "{lease:?}");
    });
}

#[test]
fn exclusive_work_holds_the_lock_every_time() {
    alone(|| {
        let lock = opened();
        for round in 0..3 {
            assert_eq!(exclusive(|| lock.look()), None, "round {round}");
            assert!(lock.look().is_some(), "round {round}");
        }
    });
}

#[test]
fn a_trap_in_exclusive_work_does_not_end_the_lock() {
    alone(|| {
        let lock = opened();
        assert!(!survives(|| exclusive(|| resume_unwind(Box::new(Trapped)))));
        assert_eq!(lock.look(), None, "the record was out");
        Simulated::sleep(Duration::from_secs(5));
        exclusive(|| ());
        assert!(lock.look().is_some(), "the instance works without the lock");
        assert_eq!(exclusive(|| lock.look()), None);
    });
}

/// The owner of the lease and the waiter that polls have ended, and nobody else knows what the other waiters block on.
#[test]
fn a_lost_record_wakes_the_waiters_that_it_knew() {
    one_after_another(&[0, 300, 600, 3_000], &|me, lock| match me {
        0 => {
            assert!(matches!(turn(), Turn::Ask(_)));
            Simulated::sleep(Duration::from_secs(2));
            // It ends with the record.
            lock.take();
        }
        1 => wait_and_end(lock),
        2 => {
            let turn = turn();
            assert!(matches!(turn, Turn::Ask(_)), "{turn:?}");
        }
        _ => exclusive(|| ()),
    });
}

/// The record was begun again by an instance that has seen less, and its lease has no owner any more: whoever knows a newer result
/// wakes those that wait for it.
#[test]
fn a_newer_result_wakes_the_waiters_of_a_lease_that_it_replaces() {
    one_after_another(&[0, 300, 600, 1_200], &|me, lock| match me {
        0 => assert!(matches!(turn(), Turn::Ask(_))),
        1 => wait_and_end(lock),
        2 => {
            let turn = turn();
            assert!(matches!(turn, Turn::Known(_)), "{turn:?}");
        }
        _ => {
            keep(record());
            exclusive(|| ());
        }
    });
}

#[test]
fn a_waiter_takes_over_when_the_lease_of_an_ended_owner_expires() {
    one_after_another(&[0, 300], &|me, lock| {
        let since = now();
        let turn = turn();
        assert!(matches!(turn, Turn::Ask(_)), "{turn:?}");
        let waited = elapsed(since);
        assert!(me == 0 || waited < Duration::from_secs(LEASE.0 + 1), "{waited:?}");
        assert!(!Record::has_waiters(&lock.look().unwrap()), "instance {me} does not wait any more");
    });
}
