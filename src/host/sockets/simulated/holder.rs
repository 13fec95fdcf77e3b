//! The instance that holds the lock: the record that it puts back is there, and the lock is free after a trap.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Fault, Plan, Simulated, Trapped, alone, begin, faults, run, survives};
use crate::core::unix_time::UnixTime;
use crate::documents::lease::Failure;
use crate::documents::record::{Nanos, Record};
use crate::documents::source_id::SourceId;
use crate::host::sockets::kernel::Kernel as _;
use crate::host::sockets::lock::{Lock, close_standard_streams, exclusive, keep, open};

fn opened() -> Lock {
    close_standard_streams();
    open();
    Lock::find().unwrap()
}

fn record() -> Vec<u8> {
    let mut record = Record::default();
    let failure = Failure { at: UnixTime::from_millis(1), reason: "refused".to_owned() };
    record.finish(SourceId([7; 16]), 1, Nanos(5), Err(failure));
    record.encode()
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
