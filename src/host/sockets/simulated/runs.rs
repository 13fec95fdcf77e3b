//! Properties that hold for all faults of the host, in runs of many seeds. `SIMULATED_SEED=n` repeats one run,
//! `SIMULATED_SEEDS=n` makes n runs, from `SIMULATED_FIRST` on where it is set.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use super::{
    Fault, Plan, Seeded, Simulated, await_first, await_others, begin, below, clock, faults, living, lost_by,
    run, survives,
};
use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::document::{Document, SharedDocument};
use crate::documents::lease::{Failure, Share, Turn, Version, Waiting};
use crate::documents::record::{Nanos, Record};
use crate::documents::source_id::SourceId;
use crate::host::limits::MAX_PUTS;
use crate::host::sockets::kernel::Kernel as _;
use crate::host::sockets::lock::{self, exclusive};
use crate::host::sockets::mailbox::Mailbox;

const SOURCE: SourceId = SourceId([7; 16]);
const LEASE: Seconds = Seconds(3);
/// Nanoseconds of the longest attempt: less than the lease.
const LONGEST_ATTEMPT: u64 = 1_500_000_000;
const SECOND: u64 = 1_000_000_000;
/// How long the lock may count as held, including the spread.
const PATIENCE: u64 = 1_950_000_000;

/// The runs of a million from which something was learnt: an attempt outlasts its lease, every try of a put is a fault, a look finds
/// a record that was begun again by an instance that has seen less, and requests wait for a lease in such a record.
const LEARNT: [u64; 7] = [215_680, 279_120, 373_767, 492_585, 504_400, 640_305, 749_183];

/// What the run has seen. Only the instance that runs looks at it.
#[derive(Default)]
struct Seen {
    /// Instances that are in an attempt, and in exclusive work.
    attempts: BTreeMap<usize, Begun>,
    exclusive: BTreeMap<usize, Begun>,
    attempted: usize,
    /// Numbers of documents that an instance has fetched.
    fetched: BTreeSet<u64>,
    /// Most instances at once that were in an attempt, or in exclusive work.
    most_attempts: usize,
    most_exclusive: usize,
    /// What each instance knew when it last held the lock, if there was no fault then, and how many there had been.
    left: Vec<(usize, Version)>,
}

/// When an instance began something, and the time that it had lost before.
struct Begun {
    at: u64,
    lost_before: u64,
}

impl Begun {
    fn now(instance: usize) -> Self {
        Self { at: clock(), lost_before: lost_by(instance) }
    }
}

fn document(number: u64) -> SharedDocument {
    let document = Document { body: number.to_le_bytes().to_vec(), ..Document::default() };
    SharedDocument { document, fetched_at: UnixTime::from_millis(1) }
}

/// A record as an attacker writes it: a document with a true checksum, a lease that never ends, or noise.
fn foreign(now: u64) -> Vec<u8> {
    let mut record = Record::default();
    match now % 3 {
        0 => {
            record.finish(SOURCE, 1, Nanos(now), Ok(document(u64::MAX)));
        }
        1 => {
            record.turn(SOURCE, Version(0), Waiting::NotAtAll, 1, Nanos(now), Seconds(u64::MAX));
        }
        _ => return vec![0x5a; 80],
    }
    record.encode()
}

/// How many of these are at work, except those that were off the processor meanwhile, and those that outlast their lease because
/// the lock was not there for so long.
fn there(at_work: &BTreeMap<usize, Begun>) -> usize {
    let now = clock();
    let is_there = |(instance, begun): &(&usize, &Begun)| {
        lost_by(**instance) == begun.lost_before && now - begun.at < LEASE.0 * SECOND
    };
    at_work.iter().filter(is_there).count()
}

/// The requests of one instance.
struct Instance<'r> {
    me: usize,
    seen: &'r Mutex<Seen>,
    version: Version,
    /// Longest exclusive work, nanoseconds.
    hold: u64,
    trapped: bool,
}

impl Instance<'_> {
    fn with<R>(&self, act: impl FnOnce(&mut Seen) -> R) -> R {
        act(&mut self.seen.lock().unwrap())
    }

    /// Looks at the record, then asks as a request without the document does, or one that refreshes it.
    fn request(&mut self, waiting: Waiting) {
        if let Some(shared) = Mailbox.look(SOURCE, self.version) {
            assert!(shared.version > self.version, "an older version than was seen");
            self.take_over(shared.version, shared.document.as_ref());
            return;
        }
        let (seen, since) = (self.version, Simulated::monotonic_nanos());
        let shared = match Mailbox.begin(SOURCE, seen, waiting, LEASE) {
            Turn::Known(shared) => Some(shared),
            Turn::Ask(lease) => Some(Mailbox.finish(lease, self.attempt())),
            Turn::Underway | Turn::Crowded => None,
        };
        let (_, lost) = faults();
        // Twice the lease, an attempt at its end, and the lock may count as lost before and after it.
        let bound = 2 * LEASE.0 * SECOND + LONGEST_ATTEMPT + 4 * PATIENCE + 2 * lost + 100 * self.hold;
        let waited = Simulated::monotonic_nanos() - since;
        assert!(waited < bound, "waited {waited} ns");
        if let Some(shared) = shared {
            assert!(shared.version > seen, "no newer version than was seen");
            self.take_over(shared.version, shared.document.as_ref());
        }
    }

    fn take_over(&mut self, version: Version, document: Option<&SharedDocument>) {
        self.version = version;
        if let Some(document) = document {
            let number = u64::from_le_bytes(*document.document.body.first_chunk().unwrap());
            assert!(self.with(|seen| seen.fetched.contains(&number)), "a document that nobody fetched");
        }
    }

    /// Takes its time, opens and closes something exclusively, and fails now and then.
    fn attempt(&self) -> Result<SharedDocument, Failure> {
        self.with(|seen| {
            seen.most_attempts = seen.most_attempts.max(1 + there(&seen.attempts));
            seen.attempts.insert(self.me, Begun::now(self.me));
            seen.attempted += 1;
        });
        self.exclusive_work();
        Simulated::sleep(Duration::from_nanos(below(LONGEST_ATTEMPT - 200_000_000)));
        let outcome = if below(4) == 0 {
            Err(Failure { at: UnixTime::from_millis(1), reason: "refused".to_owned() })
        } else {
            Ok(self.with(|seen| {
                let number = u64::try_from(seen.fetched.len()).unwrap();
                seen.fetched.insert(number);
                document(number)
            }))
        };
        self.with(|seen| seen.attempts.remove(&self.me));
        outcome
    }

    fn exclusive_work(&self) {
        exclusive(|| {
            self.with(|seen| {
                seen.most_exclusive = seen.most_exclusive.max(1 + there(&seen.exclusive));
                seen.exclusive.insert(self.me, Begun::now(self.me));
            });
            for _ in 0..below(4) {
                Simulated::yield_now();
            }
            if self.hold > 0 {
                Simulated::sleep(Duration::from_nanos(below(self.hold)));
            }
            self.with(|seen| seen.exclusive.remove(&self.me));
        });
    }

    fn live(&mut self, requests: u64) {
        for _ in 0..requests {
            let waiting = if below(4) == 0 { Waiting::NotAtAll } else { Waiting::ForDocument };
            let alive = survives(|| {
                if below(3) == 0 {
                    Simulated::sleep(Duration::from_nanos(below(3 * SECOND)));
                }
                match below(4) {
                    0 => self.exclusive_work(),
                    _ => self.request(waiting),
                }
            });
            if !alive {
                self.trapped = true;
                self.with(|seen| (seen.attempts.remove(&self.me), seen.exclusive.remove(&self.me)));
            }
        }
    }

    /// Holds the lock once more, which merges what this instance knows into the record.
    fn leave(&self) {
        if self.trapped {
            // What it knew may be lost with the record that it had out then.
            return;
        }
        let before = faults().0.len();
        if survives(|| self.exclusive_work()) && faults().0.len() == before {
            self.with(|seen| seen.left.push((before, self.version)));
        }
    }

    /// After all others: the lock comes back, and is there at once from then on.
    fn finds_everything_whole(&mut self) {
        while !survives(await_others) {}
        for round in 0..2 {
            let since = Simulated::monotonic_nanos();
            self.exclusive_work();
            let waited = Simulated::monotonic_nanos() - since;
            let bound = if round == 0 { PATIENCE + SECOND } else { SECOND / 20 } + self.hold;
            assert!(waited < bound, "the lock of nobody was held for {waited} ns");
        }
        let record = Mailbox.look(SOURCE, Version(0)).map_or(Version(0), |shared| shared.version);
        let faults_now = faults().0.len();
        let left = self.with(|seen| std::mem::take(&mut seen.left));
        let kept = left.iter().all(|(faults, version)| *faults < faults_now || *version <= record);
        assert!(kept, "forgotten: {left:?} with {faults_now} faults, and the record has {record:?}");
        // An instance that takes a lease over wakes the waiters of its owner.
        Simulated::sleep(Duration::from_secs(LEASE.0 + 1));
        self.version = self.version.max(Version(Simulated::monotonic_nanos()));
        self.request(Waiting::ForDocument);
        assert!(lock::exists(), "no lock any more");
        Simulated::sleep(Duration::from_secs(60));
        assert!(living() == 1, "an instance waits for good");
    }
}

/// Nanoseconds that exclusive work takes. In some runs without faults that is so much that all instances wait for each
/// other for longer than their patience, although the lock is never lost.
const fn longest_hold(seed: u64) -> u64 {
    if seed.is_multiple_of(20) { 500_000_000 } else { 0 }
}

/// The faults of a run. Most runs have one kind, so that the effects of each kind are separate.
fn kinds(seed: u64) -> Vec<Fault> {
    use Fault::{Doubled, Elsewhere, Foreign, Lost, LostTime, Scrambled, TooLong, Trap};
    match seed % 10 {
        0 => vec![],
        1 => vec![Foreign],
        2 => vec![Doubled],
        3 => vec![Lost],
        4 => vec![Scrambled],
        5 => vec![TooLong],
        6 => vec![Elsewhere],
        7 => vec![Trap],
        8 => vec![LostTime],
        _ => vec![Foreign, Doubled, Lost, Scrambled, TooLong, Elsewhere, Trap, LostTime],
    }
}

fn one_run(seed: u64) -> Result<Seen, String> {
    let mut random = Seeded(seed);
    let instances = usize::try_from(2 + random.below(6)).unwrap();
    let requests = 1 + random.below(4);
    let budget = usize::try_from(1 + random.below(4)).unwrap();
    let plan = Plan { seed: random.next(), instances, faults: kinds(seed), budget, foreign };
    let seen = Mutex::new(Seen::default());
    let allowed = Mutex::new(0);
    run(plan, &|me| {
        let mut instance =
            Instance { me, seen: &seen, version: Version(0), hold: longest_hold(seed), trapped: false };
        if me > 0 {
            while !survives(await_first) {}
        }
        survives(|| {
            lock::close_standard_streams();
            lock::open();
        });
        if me == 0 {
            begin();
        }
        if me + 1 == instances {
            instance.finds_everything_whole();
            // All but these lose or duplicate the record. Then two may continue with their copies at the same time.
            let (too_long, others): (Vec<Fault>, Vec<Fault>) =
                faults().0.iter().partition(|fault| **fault == Fault::TooLong);
            // As soon as every try of a put is one, the record is lost, too.
            let lost = too_long.len() / usize::try_from(MAX_PUTS).unwrap();
            let harmful = lost + others.iter().filter(|fault| **fault != Fault::Foreign).count();
            *allowed.lock().unwrap() = 2 * harmful;
        } else {
            instance.live(requests);
            instance.leave();
        }
    })?;
    let (seen, allowed) = (seen.into_inner().unwrap(), allowed.into_inner().unwrap());
    if seen.most_attempts > 1 + allowed || seen.most_exclusive > 1 + allowed {
        return Err(format!(
            "{} attempts and {} exclusive works at the same time, with {allowed} faults",
            seen.most_attempts, seen.most_exclusive
        ));
    }
    Ok(seen)
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[test]
fn instances_share_one_fetch_whatever_the_host_does() {
    let seeds: Vec<u64> = match number("SIMULATED_SEED") {
        Some(seed) => vec![seed],
        None => {
            let first = number("SIMULATED_FIRST").unwrap_or(0);
            (first..first + number("SIMULATED_SEEDS").unwrap_or(500)).chain(LEARNT).collect()
        }
    };
    let count = seeds.len();
    let (mut attempted, mut failures) = (0, Vec::new());
    for seed in seeds {
        match one_run(seed) {
            Ok(seen) => attempted += seen.attempted,
            Err(failure) => failures.push(format!("seed {seed}, {:?}: {failure}", kinds(seed))),
        }
    }
    let first: Vec<_> = failures.iter().take(20).collect();
    assert!(failures.is_empty(), "{} of {count} runs: {first:#?}", failures.len());
    assert!(count == 1 || attempted > count / 2, "{attempted} attempts");
}
