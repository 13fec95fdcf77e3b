//! The one thing that instances of a router have in common: a datagram socket connected to itself.
//!
//! The first instance opens it, later ones find it under the same number. One datagram lies in it, the record of
//! [`crate::documents::record`]. A look (PEEK) leaves it there. Taking it out is atomic, so whoever has it is alone until
//! it is put back: that makes it the lock for all that the host does not bear from two instances at once.
//!
//! Every result also changes the size of the socket's receive buffer, which nothing depends on: reading that number
//! costs less than a look, and unlike a look it cannot be mixed up with the I/O of whoever fetches.
//!
//! The record may get lost (its holder traps) or come twice (two find the box empty for too long). So nobody waits
//! for it for long, everybody keeps a copy, and taking it merges all that is there. Without a mailbox, everything
//! works, alone.

use std::cell::Cell;
use std::time::Duration;

use super::deadline::{Deadline, Pauses};
use super::imports::{self, Descriptor, Errno, Family, Receive, SocketName, Wipe};
use super::notify;
use super::private_socket;
use crate::core::unix_time::Seconds;
use crate::documents::document::SharedDocument;
use crate::documents::lease::{
    Failure, Holder, Lease, Notify, Share, Shared, Turn, Unshared, Version, Waiting,
};
use crate::documents::limits::MAX_RECORD_BYTES;
use crate::documents::record::{HEADER_BYTES, Nanos, Next, Record, Watch};
use crate::documents::source_id::SourceId;
use crate::host::limits::{MAX_BAD_LOOKS, MAX_PUTS};

/// Makes the largest datagram (65,504 bytes) smaller than a receive vector, so that a send which the host mixed up with
/// a receive fails instead of queueing foreign bytes.
const SEND_BUFFER: u32 = 32_768;
/// Send buffer sizes that tell until which second as many requests wait as may, modulo [`GATE_SECONDS`]. All let a
/// whole record through.
const FIRST_GATE: u32 = 32_520;
const GATE_SECONDS: u32 = 240;
/// How long the box may be empty before its record is taken for lost, and a spread, so that not all who wait put their
/// copy at once. Where 200 instances are born on two cores, a holder was off the processor for 630 ms; with 150 ms of
/// patience some bursts then made two requests instead of one, and two holders can lose a descriptor.
const PATIENCE: Duration = Duration::from_millis(1_500);
const PATIENCE_SPREAD: u32 = 401;
/// Receive buffer sizes that tell a version: enough for the largest datagram, below what Linux allows (212,992).
const FIRST_VERSION: u32 = 131_072;
const VERSIONS: u32 = 65_536;
/// Far more than exclusive work takes.
const LONGEST_HOLD: Duration = Duration::from_secs(4);
/// How long one looks again and again for the record before one sleeps. Whoever has it needs some 100 us, and many wait
/// for an instance that fetches; those who would only wait for it stay out of its way.
const RECORD_PATIENCE: Duration = Duration::from_millis(50);
const NEWCOMERS_PATIENCE: Duration = Duration::from_millis(2);
/// Between two looks of a waiting request.
const PAUSE: Duration = Duration::from_millis(100);
/// Nanoseconds after which a waiting request looks at the record whatever the version: its lease may have ended.
const LOOK_AGAIN: u64 = 500_000_000;

/// Shares key documents between the instances of a router.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mailbox;

#[derive(Clone, Copy)]
enum Place {
    NotLookedFor,
    None,
    At(Descriptor, SocketName),
}

thread_local! {
    static FIRST_INSTANCE: Cell<bool> = const { Cell::new(false) };
    static PLACE: Cell<Place> = const { Cell::new(Place::NotLookedFor) };
    static ID: Cell<u32> = const { Cell::new(0) };
    /// Since when this instance has had the record out.
    static HELD: Cell<Option<Nanos>> = const { Cell::new(None) };
    /// The version whose record was looked at; zero is none.
    static VERSION: Cell<u32> = const { Cell::new(0) };
    /// The last record seen, for the case that it gets lost.
    static OWN: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Notes that this instance is the first of its runtime: the one that opens the mailbox.
pub(crate) fn mark_first_instance() {
    FIRST_INSTANCE.set(true);
}

impl Mailbox {
    /// Opens the mailbox, where this is the first instance of its runtime. It costs one descriptor until the process
    /// ends, so only a configuration that reads files or URLs asks for it.
    pub fn open() {
        if FIRST_INSTANCE.replace(false) {
            let families = [Family::Unix, Family::V4, Family::V6];
            let opened = families.into_iter().find_map(open);
            PLACE.set(opened.map_or(Place::None, |(descriptor, name)| Place::At(descriptor, name)));
        }
    }
}

impl Share for Mailbox {
    fn look(&self, source: SourceId, seen: Version) -> Option<Shared> {
        let descriptor = place()?;
        let version = version(descriptor);
        let unchanged = version.is_some_and(|version| version == VERSION.get());
        let record = if unchanged { OWN.take() } else { look(descriptor)? };
        VERSION.set(version.unwrap_or(0));
        let shared = if Record::version(&record)? > seen {
            Record::decode(&record, now()).and_then(|record| record.look(source, seen).cloned())
        } else {
            None
        };
        OWN.set(record);
        shared.filter(is_result)
    }

    fn begin(&self, source: SourceId, seen: Version, waiting: Waiting, span: Seconds) -> Turn {
        let Some(descriptor) = place() else {
            return Unshared.begin(source, seen, waiting, span);
        };
        // A lease may be taken over once while this request waits; more would be no service to it.
        let deadline = Deadline::after(Seconds(span.0.saturating_mul(2)));
        loop {
            // Without this, a thousand requests at once would all wait for the record to learn that they may not wait.
            let refused = || waiting == Waiting::ForDocument && gate_is_closed(descriptor);
            let next = update_unless(descriptor, &refused, |record| {
                let abandoned = record.notify(source);
                let next = record.turn(source, seen, waiting, id(), now(), span);
                let mut notify = None;
                if matches!(next, Next::Ask(_)) {
                    if let Some(abandoned) = abandoned {
                        notify::ring(abandoned);
                        notify::take_down(abandoned);
                    }
                    // A request that has a document refreshes it alone.
                    notify = if waiting == Waiting::ForDocument { notify::hang() } else { None };
                    record.set_notify(source, notify);
                }
                (next, record.crowded_until(source), notify)
            });
            let Some((next, crowded, notify)) = next else {
                return Turn::Crowded;
            };
            if let Some(until) = crowded {
                close_gate(descriptor, until);
            }
            match next {
                Next::Known(shared) if is_result(&shared) => return Turn::Known(shared),
                // Its document did not fit the record, so each instance asks for itself.
                Next::Known(shared) => return Turn::Ask(Lease::alone(source, shared.version)),
                Next::Ask(known) => {
                    return Turn::Ask(Lease { source, known, holder: Holder::Recorded(notify) });
                }
                Next::Underway => return Turn::Underway,
                Next::Crowded => return Turn::Crowded,
                Next::Wait(notify) => match wait(descriptor, source, seen, notify, deadline) {
                    Some(shared) if is_result(&shared) => return Turn::Known(shared),
                    Some(_) => {}
                    None => update(descriptor, Record::leave),
                },
            }
            if deadline.check().is_err() {
                return Turn::Crowded;
            }
        }
    }

    fn finish(&self, lease: Lease, attempt: Result<SharedDocument, Failure>) -> Shared {
        let (Some(descriptor), Holder::Recorded(notify)) = (place(), lease.holder) else {
            return Unshared.finish(lease, attempt);
        };
        let shared = update(descriptor, |record| record.finish(lease.source, id(), now(), attempt));
        announce(descriptor, shared.version);
        open_gate(descriptor);
        if let Some(notify) = notify {
            notify::ring(notify);
            exclusive(|| notify::take_down(notify));
        }
        shared
    }
}

/// Whether `shared` has what an attempt brought, which a document that did not fit the record has not.
const fn is_result(shared: &Shared) -> bool {
    shared.document.is_some() || shared.failures > 0
}

/// Whether this instance has the mailbox.
pub(crate) fn exists() -> bool {
    place().is_some()
}

/// Does something while no other instance holds the record. Without a mailbox it is just done.
pub(crate) fn exclusive<R>(work: impl FnOnce() -> R) -> R {
    match place() {
        Some(descriptor) if !is_held() => {
            let record = take(descriptor);
            HELD.set(Some(now()));
            let result = work();
            put(descriptor, record);
            HELD.set(None);
            result
        }
        Some(_) | None => work(),
    }
}

/// Whether this is work inside of [`exclusive`] work. A trap leaves the note behind, but not for long.
fn is_held() -> bool {
    HELD.get().is_some_and(|since| elapsed(since) < LONGEST_HOLD)
}

/// Changes the record.
fn update<R>(descriptor: Descriptor, change: impl FnOnce(&mut Record) -> R) -> R {
    changed(descriptor, &take(descriptor), change)
}

/// Changes the record, unless `refused` while it has to be waited for.
fn update_unless<R>(
    descriptor: Descriptor,
    refused: &dyn Fn() -> bool,
    change: impl FnOnce(&mut Record) -> R,
) -> Option<R> {
    let pauses = Pauses::with_patience(NEWCOMERS_PATIENCE);
    take_unless(descriptor, pauses, refused).map(|record| changed(descriptor, &record, change))
}

fn changed<R>(descriptor: Descriptor, record: &[u8], change: impl FnOnce(&mut Record) -> R) -> R {
    let mut record = Record::decode(record, now()).unwrap_or_default();
    let result = change(&mut record);
    put(descriptor, record.encode());
    result
}

/// Waits for the end of an attempt; `None` where its lease or the caller's time ends first.
fn wait(
    descriptor: Descriptor,
    source: SourceId,
    seen: Version,
    notify: Option<Notify>,
    deadline: Deadline,
) -> Option<Shared> {
    // When it has rung, the record comes in a moment.
    let rung = notify.is_some_and(notify::listen).then(Pauses::new);
    let mut looked_at = None;
    let mut empty_since = None;
    let mut next_look = now();
    while deadline.check().is_ok() {
        match rung {
            Some(pauses) => pauses.rest(),
            None => imports::sleep(PAUSE),
        }
        let version = version(descriptor);
        if version.is_some() && version == looked_at && now() < next_look {
            continue;
        }
        let Some(record) = look(descriptor) else {
            // Out at the moment, or lost.
            if elapsed(*empty_since.get_or_insert_with(now)) >= patience() {
                let record = take(descriptor);
                put(descriptor, record);
                empty_since = None;
            }
            continue;
        };
        empty_since = None;
        looked_at = version;
        next_look = Nanos(now().0.saturating_add(LOOK_AGAIN));
        match Record::decode(&record, now())?.watch(source, seen, now()) {
            Watch::Known(shared) => {
                OWN.set(record);
                return Some(shared);
            }
            Watch::Underway => {}
            Watch::Abandoned => return None,
        }
    }
    None
}

/// Tells newcomers that enough wait, until the lease of what they wait for ends or its result comes.
fn close_gate(descriptor: Descriptor, until: Nanos) {
    if let Some(second) = gate_second(until) {
        // Where this fails, they learn it from the record.
        let _ = imports::set_send_buffer(descriptor, FIRST_GATE.saturating_add(second));
    }
}

fn open_gate(descriptor: Descriptor) {
    // Else it opens by itself, later.
    let _ = imports::set_send_buffer(descriptor, SEND_BUFFER);
}

fn gate_is_closed(descriptor: Descriptor) -> bool {
    let size = imports::send_buffer(descriptor).unwrap_or(SEND_BUFFER);
    let until = size.checked_sub(FIRST_GATE).filter(|second| *second < GATE_SECONDS);
    match (until, gate_second(now())) {
        // Half of the circle is the future.
        (Some(until), Some(now)) => {
            let left = until.saturating_add(GATE_SECONDS).saturating_sub(now).checked_rem(GATE_SECONDS);
            left.is_some_and(|left| left > 0 && left < GATE_SECONDS / 2)
        }
        (None, _) | (_, None) => false,
    }
}

fn gate_second(at: Nanos) -> Option<u32> {
    let second = (at.0 / 1_000_000_000).checked_rem(GATE_SECONDS.into())?;
    u32::try_from(second).ok()
}

/// A number that every result changes; `None` where the system has no such number.
fn version(descriptor: Descriptor) -> Option<u32> {
    let size = imports::receive_buffer(descriptor).ok()?;
    size.checked_sub(FIRST_VERSION).is_some_and(|version| version < VERSIONS).then_some(size)
}

fn announce(descriptor: Descriptor, version: Version) {
    // Two results follow each other by microseconds at least: the middle bits tell them apart.
    let [_, low, high, ..] = version.0.to_le_bytes();
    let size = FIRST_VERSION.saturating_add(u16::from_le_bytes([low, high]).into());
    // Where this fails, looks are just dearer.
    let _ = imports::set_receive_buffer(descriptor, size);
}

/// The record, left where it is. `None` where there is none at the moment.
fn look(descriptor: Descriptor) -> Option<Vec<u8>> {
    let mut record = Vec::new();
    for _ in 0..MAX_BAD_LOOKS {
        record.clear();
        match receive(descriptor, Receive::Peek, &mut record) {
            Ok(()) if Record::verify(&record, now()).is_some() => return Some(record),
            Err(Errno::AGAIN) => return None,
            // Most bad looks are the host's and the next one is good.
            Ok(()) | Err(_) => {}
        }
    }
    let record = take(descriptor);
    put(descriptor, record.clone());
    Some(record)
}

/// Takes the record out: waits for it, and after a while goes on with the copy.
fn take(descriptor: Descriptor) -> Vec<u8> {
    take_unless(descriptor, Pauses::with_patience(RECORD_PATIENCE), &|| false).unwrap_or_default()
}

/// As [`take`]; `None` where `refused` before the record came.
fn take_unless(descriptor: Descriptor, pauses: Pauses, refused: &dyn Fn() -> bool) -> Option<Vec<u8>> {
    let mut since = now();
    let mut beat = imports::keep_alive(descriptor);
    let mut taken: Option<Vec<u8>> = None;
    let mut removed = false;
    let mut faults: u32 = 0;
    loop {
        if !removed && refused() {
            return None;
        }
        // A take whose bytes land elsewhere removes the record all the same: what was seen before it saves it.
        let mut seen = Vec::new();
        let looked = receive(descriptor, Receive::Peek, &mut seen);
        let mut record = Vec::new();
        match receive(descriptor, Receive::Take, &mut record) {
            Err(Errno::AGAIN) if removed => break,
            Err(Errno::AGAIN) => {
                // Where many want the record, one may always come when it is out, and yet it is not lost.
                let last = std::mem::replace(&mut beat, imports::keep_alive(descriptor));
                if last != beat {
                    since = now();
                }
                if elapsed(since) >= patience() {
                    // So that whoever waits as long does not go on at the same time.
                    show_life(descriptor);
                    break;
                }
                pauses.rest();
            }
            Err(_) if faults >= MAX_BAD_LOOKS => {
                // No mailbox any more.
                PLACE.set(Place::None);
                break;
            }
            received @ (Ok(()) | Err(_)) => {
                faults = faults.saturating_add(u32::from(received.is_err()));
                removed = true;
                if received.is_ok() {
                    taken = Some(join(taken, record));
                }
                if looked.is_ok() {
                    taken = Some(join(taken, seen));
                }
            }
        }
    }
    // Never below what this instance has seen: a lease counts as much as a result, and both come back with the copy of
    // anybody who saw them.
    let own = OWN.take();
    let missing = taken.as_ref().is_none_or(|taken| {
        Record::version(&own) >= Record::version(taken)
            && own.get(HEADER_BYTES..) != taken.get(HEADER_BYTES..)
    });
    if missing {
        taken = Some(join(taken, own));
    }
    taken
}

/// Both records in one; a record that cannot be read counts as none.
fn join(known: Option<Vec<u8>>, other: Vec<u8>) -> Vec<u8> {
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
    all.merge(other);
    all.encode()
}

/// Puts a record, and looks whether it is there.
fn put(descriptor: Descriptor, mut record: Vec<u8>) {
    show_life(descriptor);
    for _ in 0..MAX_PUTS {
        match imports::send(descriptor, &record) {
            Ok(_) => {}
            // Another record is there already; the next one who takes it merges what this instance keeps.
            Err(Errno::AGAIN) => break,
            // With the length of a receive, which is too long for a datagram: nothing was put.
            Err(_) => continue,
        }
        let mut seen = Vec::new();
        match receive(descriptor, Receive::Peek, &mut seen) {
            // Taken by another instance.
            Err(Errno::AGAIN) => break,
            Ok(()) if Record::verify(&seen, now()) >= Record::verify(&record, now()) => break,
            Ok(()) | Err(_) => {}
        }
        // Foreign bytes in the box: out with them. Whoever was faster has the lock now, and puts what it keeps.
        let Some(drained) = drain(descriptor) else {
            break;
        };
        record = drained.into_iter().fold(record, |record, drained| join(Some(record), drained));
    }
    if Record::has_waiters(&record) {
        record = Record::decode(&record, now()).unwrap_or_default().without_waiters().encode();
    }
    OWN.set(record);
}

/// Tells those who wait for the record that somebody had it.
fn show_life(descriptor: Descriptor) {
    if let Ok(beat) = imports::keep_alive(descriptor) {
        // Where this fails, they wait for it for a shorter time.
        let _ = imports::set_keep_alive(descriptor, !beat);
    }
}

/// Everything that is in the box; `None` where that is nothing.
fn drain(descriptor: Descriptor) -> Option<Vec<Vec<u8>>> {
    let mut drained = Vec::new();
    for _ in 0..MAX_BAD_LOOKS {
        let mut one = Vec::new();
        match receive(descriptor, Receive::Take, &mut one) {
            Err(Errno::AGAIN) => break,
            Ok(()) => drained.push(one),
            // Nobody's, or not from here.
            Err(_) => drained.push(Vec::new()),
        }
    }
    (!drained.is_empty()).then_some(drained)
}

/// A datagram of the mailbox, and only of the mailbox: who else sent one before it was connected has another name.
fn receive(descriptor: Descriptor, mode: Receive, record: &mut Vec<u8>) -> Result<(), Errno> {
    let sender = imports::receive_from(descriptor, mode, Wipe::Head, record)?;
    match PLACE.get() {
        Place::At(_, name) if name == sender => Ok(()),
        Place::At(..) | Place::None | Place::NotLookedFor => Err(Errno::NONSENSE),
    }
}

fn place() -> Option<Descriptor> {
    if let Place::NotLookedFor = PLACE.get() {
        let found = Descriptor::STANDARD
            .into_iter()
            .find_map(|descriptor| Some((descriptor, private_socket::name(descriptor)?)));
        PLACE.set(found.map_or(Place::None, |(descriptor, name)| Place::At(descriptor, name)));
    }
    match PLACE.get() {
        Place::At(descriptor, _) => Some(descriptor),
        Place::None | Place::NotLookedFor => None,
    }
}

fn open(family: Family) -> Option<(Descriptor, SocketName)> {
    let descriptor = private_socket::open(family).ok()?;
    // An empty box would make the first requests wait for a record that never was.
    let ready = imports::set_send_buffer(descriptor, SEND_BUFFER)
        .and_then(|()| imports::send(descriptor, &Record::default().encode()));
    announce(descriptor, Version(0));
    let name = private_socket::name(descriptor).filter(|_| ready.is_ok());
    if name.is_none() {
        // Nobody knows of it yet.
        let _ = imports::close(descriptor);
    }
    name.map(|name| (descriptor, name))
}

fn id() -> u32 {
    if ID.get() == 0 {
        ID.set(imports::random().unwrap_or(1).max(1));
    }
    ID.get()
}

fn patience() -> Duration {
    PATIENCE.saturating_add(Duration::from_millis((id() % PATIENCE_SPREAD).into()))
}

fn now() -> Nanos {
    Nanos(imports::monotonic_nanos())
}

fn elapsed(since: Nanos) -> Duration {
    Duration::from_nanos(now().0.saturating_sub(since.0))
}

// A unix datagram may have twice the set size less 32 bytes.
const _: () = assert!(MAX_RECORD_BYTES == 65_000 && FIRST_GATE * 2 - 32 > 65_000);
const _: () = assert!(FIRST_GATE + GATE_SECONDS <= SEND_BUFFER);
