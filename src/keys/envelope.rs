//! The record that all instances of a router share: what is known of each source, and who is asking.
//!
//! Pure. The record travels through a host that may lose it, double it, or mix it with other bytes, so it carries a
//! checksum, every length is checked, what nobody can have written is not read, and two records merge into one whatever
//! order they come in.
//!
//! A header of 64 bytes, little endian: magic `JWKS` at 0, format at 4, the highest generation at 8, waiters at 16,
//! length of the slots at 20, checksum at 24; the rest is zero. Then the slots. Each source has a lease of its own,
//! so that a provider that hangs holds up nobody else's keys.

use std::cmp::Ordering;

use crate::core::limits::MAX_FETCH_TIMEOUT_SECONDS;
use crate::core::unix_time::{Seconds, UnixTime};
use crate::keys::io::{Failure, Generation, Shared, SharedDocument, SourceId, Waiting};

/// Bytes of the header.
pub const HEADER_BYTES: usize = 64;
/// Most bytes of a record: the largest datagram that the host's sockets carry (65,504) with some room.
pub const MAX_RECORD_BYTES: usize = 65_000;
/// Most bytes of the reason of a failure in a record.
const MAX_REASON_BYTES: usize = 512;
/// Most requests that wait at once for one router's keys. Each holds a thread of Traefik, and under a limit of 300
/// threads 200 of them were the end of the process.
pub const MAX_WAITERS: u32 = 64;

/// What may pass beyond the deadline of a fetch before another instance tries: the parsing, and a busy machine.
pub const LEASE_MARGIN: Seconds = Seconds(2);
/// The longest lease.
const MAX_LEASE: Seconds = Seconds(MAX_FETCH_TIMEOUT_SECONDS + LEASE_MARGIN.0);

const MAGIC: [u8; 5] = *b"JWKS\x01";
const HAS_DOCUMENT: u8 = 1;
const HAS_ETAG: u8 = 1;

/// Nanoseconds of the process's monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub u64);

/// All that is shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    waiters: u32,
    slots: Vec<Slot>,
}

/// What wakes those who wait, as the host knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bell {
    /// Of its descriptor.
    pub number: u32,
    /// Tells it from what may have the same number later.
    pub mark: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    source: SourceId,
    /// Until when its owner may be asking; zero where nobody is.
    lease_until: Nanos,
    owner: u32,
    /// Of the lease.
    bell: Option<Bell>,
    /// Whether somebody waits who notices the end of the lease by himself.
    watched: bool,
    shared: Shared,
}

/// What an instance that wants a source asked does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Nothing: this is newer than what it has seen.
    Known(Shared),
    /// Ask; the lease is its own. With the document that is known.
    Ask(Option<SharedDocument>),
    /// Go on with the keys it has.
    Underway,
    /// Wait; it is counted. Until the bell rings, or by sleeping where there is none to listen to.
    Wait(Option<Bell>),
    /// Give up: enough others wait.
    Crowded,
}

/// What a look at the record tells a waiting instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// The attempt is over.
    Known(Shared),
    /// It goes on.
    Underway,
    /// The lease has ended without a result.
    Abandoned,
}

impl Envelope {
    /// The highest generation of a valid record, without reading the slots. `None` for anything that is not whole, or
    /// that nobody can have written by `now`: generations are times, so one from the future would win for good.
    #[must_use]
    pub fn verify(record: &[u8], now: Nanos) -> Option<Generation> {
        let (header, slots) = record.split_first_chunk::<HEADER_BYTES>()?;
        let mut fields = Reader(header);
        let magic: [u8; 5] = fields.array()?;
        let padding: [u8; 3] = fields.array()?;
        let generation = fields.u64()?;
        let waiters = fields.u32()?;
        let length = fields.u32()?;
        let sum = fields.u64()?;
        let whole = magic == MAGIC && padding == [0; 3] && usize::try_from(length).ok()? == slots.len();
        let possible = generation <= now.0 && waiters <= MAX_WAITERS;
        (whole && possible && sum == checksum(header, slots)).then_some(Generation(generation))
    }

    /// The highest generation of a record that was verified before.
    #[must_use]
    pub fn generation(record: &[u8]) -> Option<Generation> {
        record.get(8..)?.first_chunk().map(|bytes| Generation(u64::from_le_bytes(*bytes)))
    }

    /// Whether a valid record counts anybody who waits, without reading the slots.
    #[must_use]
    pub fn has_waiters(record: &[u8]) -> bool {
        record.get(16..20).is_some_and(|waiters| waiters != [0; 4])
    }

    /// Reads a record; `None` for anything that is not whole, or that nobody can have written by `now`: no generation
    /// beyond the one in the header, no lease longer than there are.
    #[must_use]
    pub fn decode(record: &[u8], now: Nanos) -> Option<Self> {
        let generation = Self::verify(record, now)?;
        let (header, slots) = record.split_first_chunk::<HEADER_BYTES>()?;
        let waiters = u32::from_le_bytes(*header.get(16..)?.first_chunk()?);
        let mut reader = Reader(slots);
        let mut envelope = Self { waiters, slots: Vec::new() };
        while !reader.0.is_empty() {
            envelope.slots.push(Slot::read(&mut reader)?);
        }
        let last_lease = after(now, MAX_LEASE);
        let possible = envelope.slots.iter().all(|slot| slot.lease_until <= last_lease);
        (possible && envelope.newest() == generation).then_some(envelope)
    }

    /// The record. Documents that do not fit are left out, the largest first: their sources are still asked by one
    /// instance at a time, but each instance has to.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let sizes = self.slots.iter().map(Slot::size);
        let mut total = sizes.clone().fold(HEADER_BYTES, usize::saturating_add);
        // Not sorted, which would be 5 KB of the module for what hardly ever happens.
        let mut whole: Vec<Option<usize>> = sizes.map(Some).collect();
        while total > MAX_RECORD_BYTES {
            // Of equal ones the first.
            let largest = self.slots.iter().zip(&mut whole).rev().max_by_key(|(_, size)| **size);
            let Some((slot, Some(size))) = largest.map(|(slot, size)| (slot, size.take())) else { break };
            total = total.saturating_sub(size).saturating_add(slot.without_document().size());
        }
        let mut record = vec![0; HEADER_BYTES];
        for (slot, whole) in self.slots.iter().zip(whole) {
            match whole {
                Some(_) => slot.write(&mut record),
                None => slot.without_document().write(&mut record),
            }
        }
        let generation = self.newest();
        let length = record.len().saturating_sub(HEADER_BYTES);
        let mut fields = Vec::with_capacity(HEADER_BYTES);
        fields.extend_from_slice(&MAGIC);
        fields.extend_from_slice(&[0; 3]);
        fields.extend_from_slice(&generation.0.to_le_bytes());
        fields.extend_from_slice(&self.waiters.to_le_bytes());
        fields.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        for (to, from) in record.iter_mut().zip(&fields) {
            *to = *from;
        }
        if let Some((header, slots)) = record.split_first_chunk_mut::<HEADER_BYTES>() {
            let sum = checksum(header, slots);
            for (to, from) in header.iter_mut().skip(24).zip(sum.to_le_bytes()) {
                *to = from;
            }
        }
        record
    }

    /// Takes over from `other` what is newer in it. The order of merging does not matter.
    pub fn merge(&mut self, other: Self) {
        // Who waited for a result that is there has gone.
        self.waiters = match self.newest().cmp(&other.newest()) {
            Ordering::Less => other.waiters,
            Ordering::Equal => self.waiters.max(other.waiters),
            Ordering::Greater => self.waiters,
        };
        for slot in other.slots {
            match self.slots.iter_mut().find(|known| known.source == slot.source) {
                Some(known) if known.rank() < slot.rank() => *known = slot,
                Some(known) => known.watched |= known.rank() == slot.rank() && slot.watched,
                None => {
                    self.insert(slot);
                }
            }
        }
    }

    /// What is known of `source` where it is newer than `seen`.
    #[must_use]
    pub fn look(&self, source: SourceId, seen: Generation) -> Option<&Shared> {
        self.slot(source).map(|slot| &slot.shared).filter(|shared| shared.generation > seen)
    }

    /// Whose turn it is to ask for `source`. Notes the lease or the waiting in the record, which the caller puts back.
    pub fn turn(
        &mut self,
        source: SourceId,
        seen: Generation,
        waiting: Waiting,
        owner: u32,
        now: Nanos,
        lease: Seconds,
    ) -> Turn {
        if let Some(shared) = self.look(source, seen) {
            return Turn::Known(shared.clone());
        }
        if self.slot(source).is_some_and(|slot| slot.lease_until > now) {
            return match waiting {
                Waiting::NotAtAll => Turn::Underway,
                Waiting::ForKeys if self.waiters >= MAX_WAITERS => Turn::Crowded,
                Waiting::ForKeys => {
                    self.waiters = self.waiters.saturating_add(1);
                    let slot = self.slot_mut(source);
                    let watched = std::mem::replace(&mut slot.watched, true);
                    Turn::Wait(slot.bell.filter(|_| watched))
                }
            };
        }
        let slot = self.slot_mut(source);
        slot.bell = None;
        slot.watched = false;
        slot.lease_until = after(now, lease.min(MAX_LEASE));
        slot.owner = owner;
        Turn::Ask(slot.shared.document.clone())
    }

    /// The bell of the last lease of `source`, where it was not finished.
    #[must_use]
    pub fn bell(&self, source: SourceId) -> Option<Bell> {
        self.slot(source).and_then(|slot| slot.bell)
    }

    /// Gives the new lease of `source` its bell.
    pub fn hang(&mut self, source: SourceId, bell: Option<Bell>) {
        self.slot_mut(source).bell = bell;
    }

    /// What a waiting instance finds. Changes nothing.
    #[must_use]
    pub fn watch(&self, source: SourceId, seen: Generation, now: Nanos) -> Watch {
        match self.slot(source) {
            Some(slot) if slot.shared.generation > seen => Watch::Known(slot.shared.clone()),
            Some(slot) if slot.lease_until > now => Watch::Underway,
            Some(_) | None => Watch::Abandoned,
        }
    }

    /// Until when nobody else may begin to wait for `source`, where as many wait as may.
    #[must_use]
    pub fn crowded_until(&self, source: SourceId) -> Option<Nanos> {
        self.slot(source).filter(|_| self.waiters >= MAX_WAITERS).map(|slot| slot.lease_until)
    }

    /// One instance waits no longer.
    pub const fn leave(&mut self) {
        self.waiters = self.waiters.saturating_sub(1);
    }

    /// Enters the result of an attempt and ends its lease. Returns the new state.
    pub fn finish(
        &mut self,
        source: SourceId,
        owner: u32,
        now: Nanos,
        attempt: Result<SharedDocument, Failure>,
    ) -> Shared {
        let slot = self.slot_mut(source);
        // The clock makes generations that also win against a record that was lost and begun anew.
        slot.shared = std::mem::take(&mut slot.shared).after(attempt, Generation(now.0));
        if slot.owner == owner {
            slot.lease_until = Nanos(0);
            slot.bell = None;
        }
        let shared = slot.shared.clone();
        // Everybody who waits sees the result and goes; 64 goodbyes would only hold up those who come now.
        self.waiters = 0;
        shared
    }

    /// As an instance keeps it for the case that the record is lost: without the waiting of others.
    #[must_use]
    pub fn without_waiters(self) -> Self {
        Self { waiters: 0, ..self }
    }

    fn newest(&self) -> Generation {
        self.slots.iter().map(|slot| slot.shared.generation).max().unwrap_or_default()
    }

    fn slot(&self, source: SourceId) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.source == source)
    }

    fn slot_mut(&mut self, source: SourceId) -> &mut Slot {
        let found = self.slots.iter().position(|slot| slot.source == source);
        let at = found.unwrap_or_else(|| {
            let (lease_until, shared) = (Nanos(0), Shared::default());
            self.insert(Slot { source, lease_until, owner: 0, bell: None, watched: false, shared })
        });
        #[expect(clippy::indexing_slicing, reason = "found, or just inserted there")]
        &mut self.slots[at]
    }

    /// Slots are in the order of their sources, so that two records that know the same are the same.
    fn insert(&mut self, slot: Slot) -> usize {
        let at = self.slots.partition_point(|known| known.source < slot.source);
        self.slots.insert(at, slot);
        at
    }
}

fn after(now: Nanos, span: Seconds) -> Nanos {
    Nanos(now.0.saturating_add(span.0.saturating_mul(1_000_000_000)))
}

impl Slot {
    /// A newer attempt wins, then the longer lease, so that a lease is not lost to a copy from before it.
    fn rank(&self) -> (Generation, Nanos, bool) {
        (self.shared.generation, self.lease_until, self.shared.document.is_some())
    }

    fn without_document(&self) -> Self {
        let shared = Shared {
            generation: self.shared.generation,
            document: None,
            failures: self.shared.failures,
            failure: self.shared.failure.clone(),
        };
        Self { shared, ..*self }
    }

    fn size(&self) -> usize {
        let mut bytes = Vec::new();
        self.without_document_bytes(&mut bytes);
        let Some(document) = &self.shared.document else {
            return bytes.len();
        };
        let etag = document.etag.as_ref().map_or(0, String::len);
        [29, document.body.len(), document.cache_control.len(), etag]
            .iter()
            .fold(bytes.len(), |sum, part| sum.saturating_add(*part))
    }

    fn without_document_bytes(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.source.0);
        out.extend_from_slice(&self.lease_until.0.to_le_bytes());
        out.extend_from_slice(&self.owner.to_le_bytes());
        out.push(u8::from(self.bell.is_some()) | (u8::from(self.watched) << 1));
        let bell = self.bell.unwrap_or(Bell { number: 0, mark: 0 });
        out.extend_from_slice(&bell.number.to_le_bytes());
        out.extend_from_slice(&bell.mark.to_le_bytes());
        out.extend_from_slice(&self.shared.generation.0.to_le_bytes());
        out.extend_from_slice(&self.shared.failures.to_le_bytes());
        let failure = self.shared.failure.as_ref();
        out.extend_from_slice(&failure.map_or(0, |failure| failure.at.as_millis()).to_le_bytes());
        let reason = failure.map_or("", |failure| &failure.reason).as_bytes();
        let reason = reason.get(..MAX_REASON_BYTES).unwrap_or(reason);
        out.extend_from_slice(&u32::try_from(reason.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(reason);
        out.push(self.shared.document.as_ref().map_or(0, |_| HAS_DOCUMENT));
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.without_document_bytes(out);
        if let Some(document) = &self.shared.document {
            write_document(document, out);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let source = SourceId(reader.array()?);
        let lease_until = Nanos(reader.u64()?);
        let owner = reader.u32()?;
        let [flags] = reader.array()?;
        let bell = Bell { number: reader.u32()?, mark: reader.u32()? };
        let (bell, watched) = ((flags & 1 != 0).then_some(bell), flags & 2 != 0);
        let generation = Generation(reader.u64()?);
        let failures = reader.u32()?;
        let failed_at = Some(reader.u64()?).filter(|millis| *millis > 0).map(UnixTime::from_millis);
        let reason = String::from_utf8_lossy(reader.bytes()?).into_owned();
        let failure = failed_at.map(|at| Failure { at, reason });
        let [flags] = reader.array()?;
        let document = match flags & HAS_DOCUMENT {
            0 => None,
            _ => Some(read_document(reader)?),
        };
        let shared = Shared { generation, document, failures, failure };
        Some(Self { source, lease_until, owner, bell, watched, shared })
    }
}

/// The form of a document in records and files.
pub(super) fn write_document(document: &SharedDocument, out: &mut Vec<u8>) {
    out.extend_from_slice(&document.fetched_at.as_millis().to_le_bytes());
    out.extend_from_slice(&document.age.0.to_le_bytes());
    out.push(document.etag.as_ref().map_or(0, |_| HAS_ETAG));
    let etag = document.etag.as_deref().unwrap_or_default();
    for part in [&document.body, document.cache_control.as_bytes(), etag.as_bytes()] {
        // Nothing that long is ever written: bodies are bounded far below.
        out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        out.extend_from_slice(part);
    }
}

/// Reads what [`write_document`] wrote.
pub(super) fn read_document(reader: &mut Reader<'_>) -> Option<SharedDocument> {
    let fetched_at = UnixTime::from_millis(reader.u64()?);
    let age = Seconds(reader.u64()?);
    let [flags] = reader.array()?;
    let body = reader.bytes()?.to_vec();
    let cache_control = String::from_utf8(reader.bytes()?.to_vec()).ok()?;
    let etag = String::from_utf8(reader.bytes()?.to_vec()).ok()?;
    let etag = (flags & HAS_ETAG != 0).then_some(etag);
    Some(SharedDocument { body, cache_control, age, etag, fetched_at })
}

/// What is left of bytes that are being read.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.u32()?).ok()?;
        self.take(length)
    }
}

/// Finds holes, cuts and mixtures, which is what the host's races make; it is no defence against a forger: nobody else
/// can write where records are kept. The checksum's own bytes count as zero. Four sums
/// side by side, since one would wait for each multiplication: 60 KB cost 35 us that way.
fn checksum(header: &[u8; HEADER_BYTES], slots: &[u8]) -> u64 {
    let mut unsummed = *header;
    for byte in unsummed.iter_mut().skip(24).take(8) {
        *byte = 0;
    }
    let mut sums =
        [0x9e37_79b9_7f4a_7c15_u64, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0x27d4_eb2f_1656_67c5];
    for part in [&unsummed, slots] {
        let (blocks, rest) = part.as_chunks::<32>();
        for block in blocks {
            add_block(&mut sums, block);
        }
        let mut last = [0; 32];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        add_block(&mut sums, &last);
    }
    let [a, b, c, d] = sums;
    let sum = mix(mix(mix(a, b), c), d);
    sum ^ (sum >> 32)
}

fn add_block(sums: &mut [u64; 4], block: &[u8; 32]) {
    for (sum, word) in sums.iter_mut().zip(block.as_chunks::<8>().0) {
        *sum = mix(*sum, u64::from_le_bytes(*word));
    }
}

const fn mix(sum: u64, word: u64) -> u64 {
    (sum ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop, proptest};

    use super::{Bell, Envelope, HEADER_BYTES, MAX_RECORD_BYTES, MAX_WAITERS, Nanos, Turn, Watch};
    use crate::core::unix_time::{Seconds, UnixTime};
    use crate::keys::io::{Failure, Generation, SharedDocument, SourceId, Waiting};

    const A: SourceId = SourceId([1; 16]);
    const B: SourceId = SourceId([2; 16]);
    const NONE: Generation = Generation(0);
    /// Than anything in a test that looks at no time.
    const LATER: Nanos = Nanos(1_000_000_000);

    fn document(body: &[u8]) -> SharedDocument {
        SharedDocument {
            body: body.to_vec(),
            cache_control: "max-age=60".into(),
            age: Seconds(1),
            etag: Some("\"e\"".into()),
            fetched_at: UnixTime::from_seconds(5),
        }
    }

    fn ask(envelope: &mut Envelope, seen: Generation, waiting: Waiting, owner: u32, now: u64) -> Turn {
        envelope.turn(A, seen, waiting, owner, Nanos(now), Seconds(1))
    }

    #[test]
    fn one_asks_and_the_others_wait_or_go_on() {
        let mut envelope = Envelope::default();
        assert_eq!(ask(&mut envelope, NONE, Waiting::ForKeys, 1, 100), Turn::Ask(None));
        assert_eq!(ask(&mut envelope, NONE, Waiting::NotAtAll, 2, 101), Turn::Underway);
        for _ in 0..MAX_WAITERS {
            assert_eq!(ask(&mut envelope, NONE, Waiting::ForKeys, 3, 101), Turn::Wait(None));
        }
        assert_eq!(ask(&mut envelope, NONE, Waiting::ForKeys, 4, 101), Turn::Crowded);
        envelope.leave();
        assert_eq!(ask(&mut envelope, NONE, Waiting::ForKeys, 4, 101), Turn::Wait(None));
        assert_eq!(envelope.watch(A, NONE, Nanos(101)), Watch::Underway);
        // Another source is nobody's concern here.
        assert_eq!(envelope.turn(B, NONE, Waiting::ForKeys, 5, Nanos(102), Seconds(1)), Turn::Ask(None));
        let shared = envelope.finish(A, 1, Nanos(200), Ok(document(b"x")));
        assert_eq!((shared.generation, shared.failures), (Generation(200), 0));
        assert_eq!(envelope.watch(A, NONE, Nanos(201)), Watch::Known(shared.clone()));
        assert_eq!(ask(&mut envelope, NONE, Waiting::ForKeys, 6, 201), Turn::Known(shared.clone()));
        assert_eq!(
            ask(&mut envelope, shared.generation, Waiting::NotAtAll, 6, 201),
            Turn::Ask(Some(document(b"x")))
        );
    }

    #[test]
    fn all_but_the_first_who_wait_listen_for_the_bell() {
        let (bell, mut envelope) = (Bell { number: 7, mark: 8 }, Envelope::default());
        assert_eq!(ask(&mut envelope, NONE, Waiting::ForKeys, 1, 100), Turn::Ask(None));
        envelope.hang(A, Some(bell));
        let mut envelope = Envelope::decode(&envelope.encode(), Nanos(101)).unwrap();
        for expected in [None, Some(bell), Some(bell)] {
            assert_eq!(ask(&mut envelope, NONE, Waiting::ForKeys, 2, 101), Turn::Wait(expected));
        }
        // The lease ends: whoever takes it over finds the bell, and hangs one of its own.
        assert_eq!(envelope.bell(A), Some(bell));
        assert_eq!(ask(&mut envelope, NONE, Waiting::ForKeys, 3, 2_000_000_000), Turn::Ask(None));
        let other = Bell { number: 9, mark: 9 };
        envelope.hang(A, Some(other));
        envelope.finish(A, 1, Nanos(2_000_000_001), Ok(document(b"late")));
        assert_eq!(envelope.bell(A), Some(other));
        let seen = Generation(2_000_000_001);
        for expected in [None, Some(other)] {
            assert_eq!(ask(&mut envelope, seen, Waiting::ForKeys, 4, 2_000_000_002), Turn::Wait(expected));
        }
        envelope.finish(A, 3, Nanos(2_000_000_003), Ok(document(b"x")));
        assert_eq!(envelope.bell(A), None);
    }

    #[test]
    fn a_failure_is_news_and_keeps_the_document() {
        let mut envelope = Envelope::default();
        ask(&mut envelope, NONE, Waiting::ForKeys, 1, 100);
        let first = envelope.finish(A, 1, Nanos(200), Ok(document(b"x")));
        ask(&mut envelope, first.generation, Waiting::NotAtAll, 1, 300);
        let failure = Failure { at: UnixTime::from_seconds(9), reason: "status 500".into() };
        let failed = envelope.finish(A, 1, Nanos(400), Err(failure.clone()));
        assert_eq!((failed.generation, failed.failures), (Generation(400), 1));
        assert_eq!((failed.failure, failed.document), (Some(failure), Some(document(b"x"))));
        assert_eq!(envelope.look(A, first.generation).map(|shared| shared.failures), Some(1));
        assert_eq!(envelope.look(A, failed.generation), None);
    }

    #[test]
    fn a_lease_that_ended_is_taken_over_and_its_owner_comes_late() {
        let mut envelope = Envelope::default();
        ask(&mut envelope, NONE, Waiting::ForKeys, 1, 100);
        assert_eq!(envelope.watch(A, NONE, Nanos(2_000_000_000)), Watch::Abandoned);
        assert_eq!(ask(&mut envelope, NONE, Waiting::ForKeys, 2, 2_000_000_000), Turn::Ask(None));
        envelope.finish(A, 1, Nanos(2_000_000_001), Ok(document(b"late")));
        // The second is still asking.
        assert_eq!(
            ask(&mut envelope, Generation(2_000_000_001), Waiting::NotAtAll, 3, 2_000_000_002),
            Turn::Underway
        );
    }

    #[test]
    fn an_old_copy_does_not_bring_back_who_waited() {
        let mut envelope = Envelope::default();
        ask(&mut envelope, NONE, Waiting::ForKeys, 1, 100);
        ask(&mut envelope, NONE, Waiting::ForKeys, 2, 100);
        let copy = envelope.clone();
        assert!(Envelope::has_waiters(&copy.encode()));
        envelope.finish(A, 1, Nanos(200), Ok(document(b"x")));
        let finished = envelope.clone();
        envelope.merge(copy.clone());
        assert_eq!(envelope, finished);
        let mut other_way = copy;
        other_way.merge(finished.clone());
        assert_eq!(other_way, finished);
    }

    #[test]
    fn a_record_that_does_not_fit_leaves_out_the_largest_documents() {
        let mut envelope = Envelope::default();
        envelope.finish(A, 1, Nanos(1), Ok(document(&[b'a'; 40_000])));
        envelope.finish(B, 1, Nanos(2), Ok(document(&[b'b'; 30_000])));
        let record = envelope.encode();
        assert!(record.len() <= MAX_RECORD_BYTES);
        let read = Envelope::decode(&record, LATER).unwrap();
        assert_eq!(read.look(A, NONE).map(|shared| shared.document.is_some()), Some(false));
        assert_eq!(read.look(B, NONE).map(|shared| shared.document.is_some()), Some(true));
        // Whoever still has the document gives it back.
        let mut merged = read;
        merged.merge(envelope.clone());
        assert_eq!(merged, envelope);
    }

    #[test]
    fn no_altered_record_is_read() {
        let mut envelope = Envelope::default();
        envelope.finish(A, 1, Nanos(7), Ok(document(&[b'k'; 300])));
        let record = envelope.encode();
        assert_eq!(Envelope::verify(&record, LATER), Some(Generation(7)));
        assert_eq!(Envelope::decode(&record, LATER), Some(envelope));
        for at in 0..record.len() {
            for bit in [1, 0x80] {
                let mut altered = record.clone();
                altered[at] ^= bit;
                assert_eq!(Envelope::verify(&altered, LATER), None, "{at}");
            }
            assert_eq!(Envelope::verify(&record[..at], LATER), None);
            // A hole from here to the end, as a receive that landed elsewhere leaves it.
            let mut hole = record.clone();
            hole[at..].fill(0);
            assert!(hole == record || Envelope::verify(&hole, LATER).is_none(), "{at}");
        }
        let other = {
            let mut other = Envelope::default();
            other.finish(A, 2, Nanos(7), Ok(document(&[b'q'; 300])));
            other.encode()
        };
        for at in 1..record.len() - 1 {
            let mixed = [&record[..at], &other[at..]].concat();
            assert!(mixed == record || mixed == other || Envelope::verify(&mixed, LATER).is_none(), "{at}");
        }
    }

    #[test]
    fn a_true_checksum_does_not_make_lengths_true() {
        let mut envelope = Envelope::default();
        envelope.finish(A, 1, Nanos(7), Ok(document(b"body")));
        let record = envelope.encode();
        for at in HEADER_BYTES..record.len() {
            let mut altered = record.clone();
            altered[at] ^= 0xff;
            // Whatever it says, nothing panics, and nothing is read beyond the end.
            let _ = Envelope::decode(&sealed(altered), LATER);
        }
    }

    /// Seals an altered record as its writer would.
    fn sealed(mut record: Vec<u8>) -> Vec<u8> {
        let (header, slots) = record.split_first_chunk_mut::<HEADER_BYTES>().unwrap();
        let sum = super::checksum(header, slots).to_le_bytes();
        header[24..32].copy_from_slice(&sum);
        record
    }

    #[test]
    fn what_nobody_can_have_written_is_not_read() {
        let now = Nanos(5_000_000_000);
        let finished = |at: u64| {
            let mut envelope = Envelope::default();
            envelope.finish(A, 1, Nanos(at), Ok(document(b"x")));
            envelope
        };
        let leased = |until: u64| {
            let mut envelope = Envelope::default();
            envelope.turn(A, NONE, Waiting::NotAtAll, 1, now, Seconds(1));
            envelope.slots[0].lease_until = Nanos(until);
            envelope
        };
        let waited = |waiters: u32| Envelope { waiters, ..finished(1) };
        let header = |generation: u64| {
            let mut record = finished(7).encode();
            record[8..16].copy_from_slice(&generation.to_le_bytes());
            sealed(record)
        };
        for (name, record, possible) in [
            ("of this moment", finished(now.0).encode(), true),
            ("of the next moment", finished(now.0 + 1).encode(), false),
            ("of the end of time", finished(u64::MAX).encode(), false),
            ("the longest lease", leased(now.0 + 62_000_000_000).encode(), true),
            ("a longer lease", leased(now.0 + 62_000_000_001).encode(), false),
            ("a lease for good", leased(u64::MAX).encode(), false),
            ("as many wait as may", waited(MAX_WAITERS).encode(), true),
            ("more wait than may", waited(MAX_WAITERS + 1).encode(), false),
            ("all of the world waits", waited(u32::MAX).encode(), false),
            ("the header is right", header(7), true),
            ("the header knows more", header(8), false),
            ("the header knows less", header(6), false),
        ] {
            assert_eq!(Envelope::decode(&record, now).is_some(), possible, "{name}");
        }
        // The header alone tells it of what is compared without being read.
        assert_eq!(Envelope::verify(&finished(now.0).encode(), now), Some(Generation(now.0)));
        assert_eq!(Envelope::verify(&finished(now.0 + 1).encode(), now), None);
        assert_eq!(Envelope::verify(&waited(MAX_WAITERS + 1).encode(), now), None);
    }

    #[test]
    fn no_lease_is_longer_than_the_longest() {
        let mut envelope = Envelope::default();
        envelope.turn(A, NONE, Waiting::NotAtAll, 1, Nanos(0), Seconds(u64::MAX));
        assert_eq!(envelope.watch(A, NONE, Nanos(61_999_999_999)), Watch::Underway);
        assert_eq!(envelope.watch(A, NONE, Nanos(62_000_000_000)), Watch::Abandoned);
        assert_eq!(Envelope::decode(&envelope.encode(), Nanos(0)), Some(envelope));
    }

    fn envelopes() -> impl Strategy<Value = Envelope> {
        let slot = (0_u8..3, 1_u64..5, prop::option::of(0_u64..3), any::<bool>());
        prop::collection::vec(slot, 0..4).prop_map(|slots| {
            let mut envelope = Envelope::default();
            for (source, generation, lease, success) in slots {
                let source = SourceId([source; 16]);
                // One generation has one content, as in life: the clock does not repeat itself.
                let content = document(&[source.0[0], u8::try_from(generation).unwrap()]);
                let attempt = if generation % 2 == 0 {
                    Ok(content)
                } else {
                    Err(Failure { at: UnixTime::from_millis(1), reason: format!("reason {generation}") })
                };
                let mut one = Envelope::default();
                one.finish(source, 0, Nanos(generation), attempt);
                if let Some(lease) = lease
                    && success
                {
                    let seen = Generation(generation);
                    one.turn(source, seen, Waiting::NotAtAll, 0, Nanos(lease), Seconds(1));
                }
                envelope.merge(one);
            }
            envelope
        })
    }

    proptest! {
        #[test]
        fn merging_has_no_order(a in envelopes(), b in envelopes(), c in envelopes(), _d in Just(())) {
            let join = |order: [&Envelope; 3]| {
                let mut all = Envelope::default();
                for one in order {
                    all.merge(one.clone());
                }
                all
            };
            let all = join([&a, &b, &c]);
            assert_eq!(all, join([&c, &a, &b]));
            assert_eq!(all, join([&b, &c, &a]));
            assert_eq!(Envelope::decode(&all.encode(), LATER), Some(all));
        }

        #[test]
        fn noise_is_never_a_record(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            assert_eq!(Envelope::decode(&noise, LATER), None);
        }
    }
}
