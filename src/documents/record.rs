//! The record that all instances of a router share: the state of each source, and which instance is fetching it.
//!
//! Pure. The record travels through a host that may lose it, duplicate it, or mix it with other bytes. So it carries a
//! checksum, every length is checked, a record that no instance can have written is rejected, and records merge in any
//! order.
//!
//! A header of 64 bytes, little endian: magic `DOCS` at 0, format at 4, the highest version at 8, waiters at 16,
//! length of the entries at 20, checksum at 24; the rest is zero. Then the entries. Each source has a lease of its own,
//! so that a provider that hangs does not delay other documents.

use std::cmp::Ordering;

use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::digest::digest;
use crate::documents::document::{Reader, SharedDocument};
use crate::documents::lease::{Failure, Notify, Shared, Version, Waiting};
use crate::documents::limits::{MAX_LEASE, MAX_REASON_BYTES, MAX_RECORD_BYTES, MAX_WAITERS};
use crate::documents::source_id::SourceId;

/// Bytes of the header.
pub const HEADER_BYTES: usize = 64;
const MAGIC: [u8; 5] = *b"DOCS\x02";
const HAS_DOCUMENT: u8 = 1;

/// Nanoseconds of the process's monotonic clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nanos(pub u64);

/// All that is shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    waiters: u32,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    source: SourceId,
    /// When the lease of its owner expires; zero if there is no lease.
    lease_until: Nanos,
    owner: u32,
    /// Of the lease.
    notify: Option<Notify>,
    /// Whether a waiter polls for the end of the lease.
    watched: bool,
    shared: Shared,
}

/// What an instance that wants to fetch a source does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: this state is newer than the one it has seen.
    Known(Shared),
    /// Fetch: it has the lease. With the known document.
    Ask(Option<SharedDocument>),
    /// Continue with the document that it has.
    Underway,
    /// Wait until notified, or by polling if there is nothing to listen to. It is counted.
    Wait(Option<Notify>),
    /// Give up: too many others wait.
    Crowded,
}

/// What a look at the record tells a waiting instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// The attempt is over.
    Known(Shared),
    /// It continues.
    Underway,
    /// The lease has ended without a result.
    Abandoned,
}

impl Record {
    /// The highest version of a valid record, without reading the entries. `None` if the record is not complete or no
    /// instance can have written it by `now`: versions are times, so one from the future would win forever.
    #[must_use]
    pub fn verify(bytes: &[u8], now: Nanos) -> Option<Version> {
        let (header, entries) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let mut fields = Reader(header);
        let magic: [u8; 5] = fields.array()?;
        let padding: [u8; 3] = fields.array()?;
        let version = fields.u64()?;
        let waiters = fields.u32()?;
        let length = fields.u32()?;
        let sum = fields.u64()?;
        let whole = magic == MAGIC && padding == [0; 3] && usize::try_from(length).ok()? == entries.len();
        let possible = version <= now.0 && waiters <= MAX_WAITERS;
        (whole && possible && sum == checksum(header, entries)).then_some(Version(version))
    }

    /// The highest version of a record that was verified before.
    pub fn version(bytes: &[u8]) -> Option<Version> {
        bytes.get(8..)?.first_chunk().map(|bytes| Version(u64::from_le_bytes(*bytes)))
    }

    /// Whether a valid record counts any waiters, without reading the entries.
    pub fn has_waiters(bytes: &[u8]) -> bool {
        bytes.get(16..20).is_some_and(|waiters| waiters != [0; 4])
    }

    /// Reads a record. `None` if it is not complete or no instance can have written it by `now`: a version is above the
    /// one in the header, or a lease is longer than the longest.
    pub fn decode(bytes: &[u8], now: Nanos) -> Option<Self> {
        let version = Self::verify(bytes, now)?;
        let (header, entries) = bytes.split_first_chunk::<HEADER_BYTES>()?;
        let waiters = u32::from_le_bytes(*header.get(16..)?.first_chunk()?);
        let mut reader = Reader(entries);
        let mut record = Self { waiters, entries: Vec::new() };
        while !reader.0.is_empty() {
            record.entries.push(Entry::read(&mut reader)?);
        }
        let last_lease = after(now, MAX_LEASE);
        let possible = record.entries.iter().all(|entry| entry.lease_until <= last_lease);
        (possible && record.newest() == version).then_some(record)
    }

    /// The encoded record. Documents that do not fit are left out, the largest first. One instance at a time still fetches
    /// them, but each instance has to.
    pub fn encode(&self) -> Vec<u8> {
        let sizes = self.entries.iter().map(Entry::size);
        let mut total = sizes.clone().fold(HEADER_BYTES, usize::saturating_add);
        // Not sorted: that would add 5 KB to the module for a rare case.
        let mut whole: Vec<Option<usize>> = sizes.map(Some).collect();
        while total > MAX_RECORD_BYTES {
            // The first of equal ones.
            let largest = self.entries.iter().zip(&mut whole).rev().max_by_key(|(_, size)| **size);
            let Some((entry, Some(size))) = largest.map(|(entry, size)| (entry, size.take())) else { break };
            total = total.saturating_sub(size).saturating_add(entry.without_document().size());
        }
        let mut bytes = vec![0; HEADER_BYTES];
        for (entry, whole) in self.entries.iter().zip(whole) {
            match whole {
                Some(_) => entry.write(&mut bytes),
                None => entry.without_document().write(&mut bytes),
            }
        }
        let version = self.newest();
        let length = bytes.len().saturating_sub(HEADER_BYTES);
        let mut fields = Vec::with_capacity(HEADER_BYTES);
        fields.extend_from_slice(&MAGIC);
        fields.extend_from_slice(&[0; 3]);
        fields.extend_from_slice(&version.0.to_le_bytes());
        fields.extend_from_slice(&self.waiters.to_le_bytes());
        fields.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
        for (to, from) in bytes.iter_mut().zip(&fields) {
            *to = *from;
        }
        if let Some((header, entries)) = bytes.split_first_chunk_mut::<HEADER_BYTES>() {
            let sum = checksum(header, entries);
            for (to, from) in header.iter_mut().skip(24).zip(sum.to_le_bytes()) {
                *to = from;
            }
        }
        bytes
    }

    /// Takes over what is newer in `other`. The order of merging does not matter. Returns what wakes the waiters for leases that are
    /// in neither any more.
    pub fn merge(&mut self, other: Self) -> Vec<Notify> {
        let mut replaced = Vec::new();
        // Requests that waited for a result that is there have gone.
        self.waiters = match self.newest().cmp(&other.newest()) {
            Ordering::Less => other.waiters,
            Ordering::Equal => self.waiters.max(other.waiters),
            Ordering::Greater => self.waiters,
        };
        for mut entry in other.entries {
            match self.entries.iter_mut().find(|known| known.source == entry.source) {
                Some(known) => {
                    if known.rank() < entry.rank() {
                        std::mem::swap(known, &mut entry);
                    } else if known.rank() == entry.rank() {
                        known.watched |= entry.watched;
                    }
                    replaced.extend(entry.notify.filter(|notify| known.notify != Some(*notify)));
                }
                None => {
                    self.insert(entry);
                }
            }
        }
        replaced
    }

    /// What is known of `source` if it is newer than `seen`.
    pub fn look(&self, source: SourceId, seen: Version) -> Option<&Shared> {
        self.entry(source).map(|entry| &entry.shared).filter(|shared| shared.version > seen)
    }

    /// Decides which instance fetches `source`. Notes the lease or the waiter in the record, which the caller puts back.
    pub fn turn(
        &mut self,
        source: SourceId,
        seen: Version,
        waiting: Waiting,
        owner: u32,
        now: Nanos,
        lease: Seconds,
    ) -> Next {
        if let Some(shared) = self.look(source, seen) {
            return Next::Known(shared.clone());
        }
        if self.entry(source).is_some_and(|entry| entry.lease_until > now) {
            return match waiting {
                Waiting::NotAtAll => Next::Underway,
                Waiting::ForDocument if self.waiters >= MAX_WAITERS => Next::Crowded,
                Waiting::ForDocument => {
                    self.waiters = self.waiters.saturating_add(1);
                    let entry = self.entry_mut(source);
                    let watched = std::mem::replace(&mut entry.watched, true);
                    Next::Wait(entry.notify.filter(|_| watched))
                }
            };
        }
        let entry = self.entry_mut(source);
        entry.notify = None;
        entry.watched = false;
        entry.lease_until = after(now, lease.min(MAX_LEASE));
        entry.owner = owner;
        Next::Ask(entry.shared.document.clone())
    }

    /// What wakes the waiters for the last lease of `source`, if the lease was not finished.
    pub fn notify(&self, source: SourceId) -> Option<Notify> {
        self.entry(source).and_then(|entry| entry.notify)
    }

    /// Notes what wakes the waiters for the new lease of `source`.
    pub fn set_notify(&mut self, source: SourceId, notify: Option<Notify>) {
        self.entry_mut(source).notify = notify;
    }

    /// What a waiting instance finds. Changes nothing.
    pub fn watch(&self, source: SourceId, seen: Version, now: Nanos) -> Watch {
        match self.entry(source) {
            Some(entry) if entry.shared.version > seen => Watch::Known(entry.shared.clone()),
            Some(entry) if entry.lease_until > now => Watch::Underway,
            Some(_) | None => Watch::Abandoned,
        }
    }

    /// Until when no other request may wait for `source`, if the limit is reached.
    pub fn crowded_until(&self, source: SourceId) -> Option<Nanos> {
        self.entry(source).filter(|_| self.waiters >= MAX_WAITERS).map(|entry| entry.lease_until)
    }

    /// Removes one waiter.
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
        let entry = self.entry_mut(source);
        // Versions come from the clock, so that they also win against a record that was lost and begun again.
        entry.shared = std::mem::take(&mut entry.shared).after(attempt, Version(now.0));
        if entry.owner == owner {
            entry.lease_until = Nanos(0);
            entry.notify = None;
        }
        let shared = entry.shared.clone();
        // All waiters see the result and go; if each of them took the record to say so, newcomers would be delayed.
        self.waiters = 0;
        shared
    }

    /// The copy that an instance keeps in case the record is lost: without the waiters of others.
    pub fn without_waiters(self) -> Self {
        Self { waiters: 0, ..self }
    }

    fn newest(&self) -> Version {
        self.entries.iter().map(|entry| entry.shared.version).max().unwrap_or_default()
    }

    fn entry(&self, source: SourceId) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.source == source)
    }

    fn entry_mut(&mut self, source: SourceId) -> &mut Entry {
        let found = self.entries.iter().position(|entry| entry.source == source);
        let at = found.unwrap_or_else(|| {
            let (lease_until, shared) = (Nanos(0), Shared::default());
            self.insert(Entry { source, lease_until, owner: 0, notify: None, watched: false, shared })
        });
        #[expect(clippy::indexing_slicing, reason = "found, or just inserted there")]
        &mut self.entries[at]
    }

    /// Entries are in the order of their sources, so that two records that know the same are the same.
    fn insert(&mut self, entry: Entry) -> usize {
        let at = self.entries.partition_point(|known| known.source < entry.source);
        self.entries.insert(at, entry);
        at
    }
}

fn after(now: Nanos, span: Seconds) -> Nanos {
    Nanos(now.0.saturating_add(span.0.saturating_mul(1_000_000_000)))
}

impl Entry {
    /// A newer attempt wins, then the longer lease, so that a lease is not lost to a copy from before it.
    fn rank(&self) -> (Version, Nanos, bool) {
        (self.shared.version, self.lease_until, self.shared.document.is_some())
    }

    fn without_document(&self) -> Self {
        let shared = Shared {
            version: self.shared.version,
            document: None,
            failures: self.shared.failures,
            failure: self.shared.failure.clone(),
        };
        Self { shared, ..*self }
    }

    fn size(&self) -> usize {
        let mut head = Vec::new();
        self.write_head(&mut head);
        head.len().saturating_add(self.shared.document.as_ref().map_or(0, SharedDocument::size))
    }

    fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.source.0);
        out.extend_from_slice(&self.lease_until.0.to_le_bytes());
        out.extend_from_slice(&self.owner.to_le_bytes());
        out.push(u8::from(self.notify.is_some()) | (u8::from(self.watched) << 1));
        let notify = self.notify.unwrap_or(Notify { number: 0, mark: 0 });
        out.extend_from_slice(&notify.number.to_le_bytes());
        out.extend_from_slice(&notify.mark.to_le_bytes());
        out.extend_from_slice(&self.shared.version.0.to_le_bytes());
        out.extend_from_slice(&self.shared.failures.to_le_bytes());
        let failure = self.shared.failure.as_ref();
        out.extend_from_slice(&failure.map_or(0, |failure| failure.at.as_millis()).to_le_bytes());
        let reason = failure.map_or("", |failure| &failure.reason);
        let (reason, _) = reason.split_at(reason.floor_char_boundary(MAX_REASON_BYTES));
        out.extend_from_slice(&u32::try_from(reason.len()).unwrap_or(0).to_le_bytes());
        out.extend_from_slice(reason.as_bytes());
        out.push(self.shared.document.as_ref().map_or(0, |_| HAS_DOCUMENT));
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.write_head(out);
        if let Some(document) = &self.shared.document {
            document.write(out);
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let source = SourceId(reader.array()?);
        let lease_until = Nanos(reader.u64()?);
        let owner = reader.u32()?;
        let [flags] = reader.array()?;
        let notify = Notify { number: reader.u32()?, mark: reader.u32()? };
        let (notify, watched) = ((flags & 1 != 0).then_some(notify), flags & 2 != 0);
        let version = Version(reader.u64()?);
        let failures = reader.u32()?;
        let failed_at = Some(reader.u64()?).filter(|millis| *millis > 0).map(UnixTime::from_millis);
        let reason = Some(reader.bytes()?).filter(|reason| reason.len() <= MAX_REASON_BYTES)?;
        let reason = std::str::from_utf8(reason).ok()?.to_owned();
        let failure = failed_at.map(|at| Failure { at, reason });
        let [flags] = reader.array()?;
        let document = match flags & HAS_DOCUMENT {
            0 => None,
            _ => Some(SharedDocument::read(reader)?),
        };
        let shared = Shared { version, document, failures, failure };
        Some(Self { source, lease_until, owner, notify, watched, shared })
    }
}

/// Of a whole record. The checksum's own bytes count as zero.
fn checksum(header: &[u8; HEADER_BYTES], entries: &[u8]) -> u64 {
    let mut unsummed = *header;
    for byte in unsummed.iter_mut().skip(24).take(8) {
        *byte = 0;
    }
    digest(&[&unsummed, entries])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop, proptest};

    use super::{HEADER_BYTES, Nanos, Next, Record, Watch};
    use crate::core::unix_time::{Seconds, UnixTime};
    use crate::documents::document::{Document, SharedDocument};
    use crate::documents::lease::{Failure, Notify, Version, Waiting};
    use crate::documents::limits::{MAX_REASON_BYTES, MAX_RECORD_BYTES, MAX_WAITERS};
    use crate::documents::source_id::SourceId;

    const A: SourceId = SourceId([1; 16]);
    const B: SourceId = SourceId([2; 16]);
    const NONE: Version = Version(0);
    /// Than anything in a test that looks at no time.
    const LATER: Nanos = Nanos(1_000_000_000);

    fn document(body: &[u8]) -> SharedDocument {
        let document = Document {
            body: body.to_vec(),
            cache_control: "max-age=60".into(),
            age: Seconds(1),
            etag: Some("\"e\"".into()),
        };
        SharedDocument { document, fetched_at: UnixTime::from_seconds(5) }
    }

    fn ask(record: &mut Record, seen: Version, waiting: Waiting, owner: u32, now: u64) -> Next {
        record.turn(A, seen, waiting, owner, Nanos(now), Seconds(1))
    }

    #[test]
    fn one_asks_and_the_others_wait_or_go_on() {
        let mut record = Record::default();
        assert_eq!(ask(&mut record, NONE, Waiting::ForDocument, 1, 100), Next::Ask(None));
        assert_eq!(ask(&mut record, NONE, Waiting::NotAtAll, 2, 101), Next::Underway);
        for _ in 0..MAX_WAITERS {
            assert_eq!(ask(&mut record, NONE, Waiting::ForDocument, 3, 101), Next::Wait(None));
        }
        assert_eq!(ask(&mut record, NONE, Waiting::ForDocument, 4, 101), Next::Crowded);
        record.leave();
        assert_eq!(ask(&mut record, NONE, Waiting::ForDocument, 4, 101), Next::Wait(None));
        assert_eq!(record.watch(A, NONE, Nanos(101)), Watch::Underway);
        // Another source is not affected.
        assert_eq!(record.turn(B, NONE, Waiting::ForDocument, 5, Nanos(102), Seconds(1)), Next::Ask(None));
        let shared = record.finish(A, 1, Nanos(200), Ok(document(b"x")));
        assert_eq!((shared.version, shared.failures), (Version(200), 0));
        assert_eq!(record.watch(A, NONE, Nanos(201)), Watch::Known(shared.clone()));
        assert_eq!(ask(&mut record, NONE, Waiting::ForDocument, 6, 201), Next::Known(shared.clone()));
        assert_eq!(
            ask(&mut record, shared.version, Waiting::NotAtAll, 6, 201),
            Next::Ask(Some(document(b"x")))
        );
    }

    #[test]
    fn all_but_the_first_who_wait_are_notified() {
        let (notify, mut record) = (Notify { number: 7, mark: 8 }, Record::default());
        assert_eq!(ask(&mut record, NONE, Waiting::ForDocument, 1, 100), Next::Ask(None));
        record.set_notify(A, Some(notify));
        let mut record = Record::decode(&record.encode(), Nanos(101)).unwrap();
        for expected in [None, Some(notify), Some(notify)] {
            assert_eq!(ask(&mut record, NONE, Waiting::ForDocument, 2, 101), Next::Wait(expected));
        }
        // The lease expires: the instance that takes it over finds what wakes the others, and gets its own.
        assert_eq!(record.notify(A), Some(notify));
        assert_eq!(ask(&mut record, NONE, Waiting::ForDocument, 3, 2_000_000_000), Next::Ask(None));
        let other = Notify { number: 9, mark: 9 };
        record.set_notify(A, Some(other));
        record.finish(A, 1, Nanos(2_000_000_001), Ok(document(b"late")));
        assert_eq!(record.notify(A), Some(other));
        let seen = Version(2_000_000_001);
        for expected in [None, Some(other)] {
            assert_eq!(ask(&mut record, seen, Waiting::ForDocument, 4, 2_000_000_002), Next::Wait(expected));
        }
        record.finish(A, 3, Nanos(2_000_000_003), Ok(document(b"x")));
        assert_eq!(record.notify(A), None);
    }

    #[test]
    fn a_failure_is_news_and_keeps_the_document() {
        let mut record = Record::default();
        ask(&mut record, NONE, Waiting::ForDocument, 1, 100);
        let first = record.finish(A, 1, Nanos(200), Ok(document(b"x")));
        ask(&mut record, first.version, Waiting::NotAtAll, 1, 300);
        let failure = Failure { at: UnixTime::from_seconds(9), reason: "status 500".into() };
        let failed = record.finish(A, 1, Nanos(400), Err(failure.clone()));
        assert_eq!((failed.version, failed.failures), (Version(400), 1));
        assert_eq!((failed.failure, failed.document), (Some(failure), Some(document(b"x"))));
        assert_eq!(record.look(A, first.version).map(|shared| shared.failures), Some(1));
        assert_eq!(record.look(A, failed.version), None);
    }

    #[test]
    fn a_lease_that_ended_is_taken_over_and_its_owner_comes_late() {
        let mut record = Record::default();
        ask(&mut record, NONE, Waiting::ForDocument, 1, 100);
        assert_eq!(record.watch(A, NONE, Nanos(2_000_000_000)), Watch::Abandoned);
        assert_eq!(ask(&mut record, NONE, Waiting::ForDocument, 2, 2_000_000_000), Next::Ask(None));
        record.finish(A, 1, Nanos(2_000_000_001), Ok(document(b"late")));
        // The second is still asking.
        assert_eq!(
            ask(&mut record, Version(2_000_000_001), Waiting::NotAtAll, 3, 2_000_000_002),
            Next::Underway
        );
    }

    #[test]
    fn an_old_copy_does_not_bring_back_who_waited() {
        let mut record = Record::default();
        ask(&mut record, NONE, Waiting::ForDocument, 1, 100);
        ask(&mut record, NONE, Waiting::ForDocument, 2, 100);
        let copy = record.clone();
        assert!(Record::has_waiters(&copy.encode()));
        record.finish(A, 1, Nanos(200), Ok(document(b"x")));
        let finished = record.clone();
        record.merge(copy.clone());
        assert_eq!(record, finished);
        let mut other_way = copy;
        other_way.merge(finished.clone());
        assert_eq!(other_way, finished);
    }

    #[test]
    fn a_record_that_does_not_fit_leaves_out_the_largest_documents() {
        let mut record = Record::default();
        record.finish(A, 1, Nanos(1), Ok(document(&[b'a'; 40_000])));
        record.finish(B, 1, Nanos(2), Ok(document(&[b'b'; 30_000])));
        let bytes = record.encode();
        assert!(bytes.len() <= MAX_RECORD_BYTES);
        let read = Record::decode(&bytes, LATER).unwrap();
        assert_eq!(read.look(A, NONE).map(|shared| shared.document.is_some()), Some(false));
        assert_eq!(read.look(B, NONE).map(|shared| shared.document.is_some()), Some(true));
        // An instance that still has the document gives it back.
        let mut merged = read;
        merged.merge(record.clone());
        assert_eq!(merged, record);
    }

    #[test]
    fn a_reason_is_cut_at_a_character_and_one_that_was_not_is_none() {
        let [all, all_but_one] = [MAX_REASON_BYTES, MAX_REASON_BYTES - 1].map(|length| "x".repeat(length));
        let mut bytes = Vec::new();
        for (reason, expected) in [
            (all.clone(), &all),
            (format!("{all}x"), &all),
            (format!("{all_but_one}é"), &all_but_one),
            ("é".repeat(MAX_REASON_BYTES), &"é".repeat(MAX_REASON_BYTES / 2)),
        ] {
            let mut record = Record::default();
            record.finish(A, 1, Nanos(7), Err(Failure { at: UnixTime::from_seconds(9), reason }));
            bytes = record.encode();
            let read = Record::decode(&bytes, LATER).unwrap();
            let failure = read.look(A, NONE).unwrap().failure.clone().unwrap();
            assert_eq!(failure.reason, *expected);
            assert_eq!(Record::decode(&read.encode(), LATER), Some(read));
        }
        // The text, whose last byte is before that which says whether there is a document.
        let end = bytes.len() - 1;
        let with = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut changed = bytes.clone();
            change(&mut changed);
            Record::decode(&sealed(changed), LATER)
        };
        assert!(with(&|_| {}).is_some());
        assert_eq!(with(&|bytes| bytes[end - 1] = b'x'), None, "not UTF-8");
        let start = end - MAX_REASON_BYTES;
        let longer = u32::try_from(MAX_REASON_BYTES + 1).unwrap().to_le_bytes();
        let long = |bytes: &mut Vec<u8>| {
            bytes[start - 4..start].copy_from_slice(&longer);
            bytes.insert(end, b'x');
        };
        assert_eq!(with(&long), None, "longer than any that is written");
    }

    #[test]
    fn no_altered_record_is_read() {
        let mut record = Record::default();
        record.finish(A, 1, Nanos(7), Ok(document(&[b'k'; 300])));
        let bytes = record.encode();
        assert_eq!(Record::verify(&bytes, LATER), Some(Version(7)));
        assert_eq!(Record::decode(&bytes, LATER), Some(record));
        for at in 0..bytes.len() {
            for bit in [1, 0x80] {
                let mut altered = bytes.clone();
                altered[at] ^= bit;
                assert_eq!(Record::verify(&altered, LATER), None, "{at}");
            }
            assert_eq!(Record::verify(&bytes[..at], LATER), None);
            // A hole from here to the end, as a receive that landed elsewhere leaves it.
            let mut hole = bytes.clone();
            hole[at..].fill(0);
            assert!(hole == bytes || Record::verify(&hole, LATER).is_none(), "{at}");
        }
        let other = {
            let mut other = Record::default();
            other.finish(A, 2, Nanos(7), Ok(document(&[b'q'; 300])));
            other.encode()
        };
        for at in 1..bytes.len() - 1 {
            let mixed = [&bytes[..at], &other[at..]].concat();
            assert!(mixed == bytes || mixed == other || Record::verify(&mixed, LATER).is_none(), "{at}");
        }
    }

    #[test]
    fn a_true_checksum_does_not_make_lengths_true() {
        let mut record = Record::default();
        record.finish(A, 1, Nanos(7), Ok(document(b"body")));
        let bytes = record.encode();
        for at in HEADER_BYTES..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 0xff;
            // For every content, nothing panics and nothing is read beyond the end.
            let _ = Record::decode(&sealed(altered), LATER);
        }
    }

    #[test]
    fn what_is_in_an_entry_comes_back() {
        let mut record = Record::default();
        for (waiting, watched, notify) in [
            (Waiting::NotAtAll, false, None),
            (Waiting::ForDocument, true, None),
            (Waiting::ForDocument, true, Some(Notify { number: 7, mark: 9 })),
        ] {
            ask(&mut record, NONE, waiting, 1, 100);
            record.set_notify(A, notify);
            let entry = &record.entries[0];
            assert_eq!((entry.watched, entry.notify), (watched, notify));
            assert_eq!(Record::decode(&record.encode(), LATER), Some(record.clone()));
        }
        // In whichever order they came.
        let with = |sources: [SourceId; 2]| {
            let mut record = Record::default();
            for source in sources {
                record.finish(source, 1, Nanos(7), Ok(document(b"x")));
            }
            record
        };
        assert_eq!(with([A, B]), with([B, A]));
        assert_eq!(with([B, A]).entries.iter().map(|entry| entry.source).collect::<Vec<_>>(), [A, B]);
    }

    #[test]
    fn a_lease_and_its_crowd_end_on_time() {
        let mut record = Record::default();
        ask(&mut record, NONE, Waiting::NotAtAll, 1, 100);
        let end = 100 + 1_000_000_000;
        assert_eq!(ask(&mut record, NONE, Waiting::NotAtAll, 2, end - 1), Next::Underway);
        assert_eq!(record.watch(A, NONE, Nanos(end - 1)), Watch::Underway);
        assert_eq!(record.watch(A, NONE, Nanos(end)), Watch::Abandoned);
        assert_eq!(ask(&mut record.clone(), NONE, Waiting::NotAtAll, 2, end), Next::Ask(None));
        for _ in 0..MAX_WAITERS {
            assert_eq!(record.crowded_until(A), None);
            ask(&mut record, NONE, Waiting::ForDocument, 3, 101);
        }
        assert_eq!((record.crowded_until(A), record.crowded_until(B)), (Some(Nanos(end)), None));
        let alone = record.clone().without_waiters();
        assert_eq!((alone.waiters, &alone.entries), (0, &record.entries));
    }

    #[test]
    fn a_merge_keeps_who_watches_the_same_lease() {
        let leased = |now: u64, watched: bool| {
            let mut record = Record::default();
            ask(&mut record, NONE, Waiting::NotAtAll, 1, now);
            record.entries[0].watched = watched;
            record
        };
        for (known, other, watched) in [
            (leased(1, true), leased(1, false), true),
            (leased(1, false), leased(1, true), true),
            (leased(1, false), leased(1, false), false),
            (leased(2, false), leased(1, true), false),
            (leased(1, true), leased(2, false), false),
        ] {
            let mut merged = known.clone();
            merged.merge(other.clone());
            assert_eq!(merged.entries[0].watched, watched, "{known:?} {other:?}");
        }
    }

    #[test]
    fn a_merge_says_whom_nobody_wakes_any_more() {
        let notify = |number: u32| Some(Notify { number, mark: 9 });
        let leased = |now: u64, notify: Option<Notify>| {
            let mut record = Record::default();
            ask(&mut record, NONE, Waiting::NotAtAll, 1, now);
            record.set_notify(A, notify);
            record
        };
        let mut finished = Record::default();
        finished.finish(A, 1, Nanos(7), Ok(document(b"x")));
        for (known, other, expected) in [
            (leased(1, notify(1)), finished.clone(), vec![notify(1)]),
            (leased(1, None), finished.clone(), vec![]),
            (leased(1, notify(1)), leased(2, notify(2)), vec![notify(1)]),
            (leased(1, notify(1)), leased(1, notify(1)), vec![]),
            (leased(1, notify(1)), Record::default(), vec![]),
        ] {
            for (mut one, another) in [(known.clone(), other.clone()), (other.clone(), known.clone())] {
                let replaced: Vec<_> = one.merge(another).into_iter().map(Some).collect();
                assert_eq!(replaced, expected, "{one:?}");
            }
        }
    }

    #[test]
    fn a_record_fits_up_to_the_last_byte() {
        let with = |bytes: usize| {
            let mut record = Record::default();
            record.finish(A, 1, Nanos(7), Ok(document(&vec![0; bytes])));
            record
        };
        let most = MAX_RECORD_BYTES - with(0).encode().len();
        assert_eq!(with(most).encode().len(), MAX_RECORD_BYTES);
        assert!(with(most + 1).encode().len() < 1_000);
    }

    /// Seals an altered record as its writer would.
    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let (header, entries) = bytes.split_first_chunk_mut::<HEADER_BYTES>().unwrap();
        header[20..24].copy_from_slice(&u32::try_from(entries.len()).unwrap().to_le_bytes());
        let sum = super::checksum(header, entries).to_le_bytes();
        header[24..32].copy_from_slice(&sum);
        bytes
    }

    #[test]
    fn what_nobody_can_have_written_is_not_read() {
        let now = Nanos(5_000_000_000);
        let finished = |at: u64| {
            let mut record = Record::default();
            record.finish(A, 1, Nanos(at), Ok(document(b"x")));
            record
        };
        let leased = |until: u64| {
            let mut record = Record::default();
            record.turn(A, NONE, Waiting::NotAtAll, 1, now, Seconds(1));
            record.entries[0].lease_until = Nanos(until);
            record
        };
        let waited = |waiters: u32| Record { waiters, ..finished(1) };
        let at = |place: usize, byte: u8| {
            let mut bytes = finished(7).encode();
            bytes[place] = byte;
            sealed(bytes)
        };
        let header = |version: u64| {
            let mut bytes = finished(7).encode();
            bytes[8..16].copy_from_slice(&version.to_le_bytes());
            sealed(bytes)
        };
        for (name, bytes, possible) in [
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
            ("of another format", at(4, 1), false),
            ("of something else", at(0, b'X'), false),
            ("with what nobody writes there", at(7, 1), false),
        ] {
            assert_eq!(Record::decode(&bytes, now).is_some(), possible, "{name}");
        }
        // The header alone says so for what is compared without being decoded.
        assert_eq!(Record::verify(&finished(now.0).encode(), now), Some(Version(now.0)));
        assert_eq!(Record::verify(&finished(now.0 + 1).encode(), now), None);
        assert_eq!(Record::verify(&waited(MAX_WAITERS + 1).encode(), now), None);
    }

    #[test]
    fn no_lease_is_longer_than_the_longest() {
        let mut record = Record::default();
        record.turn(A, NONE, Waiting::NotAtAll, 1, Nanos(0), Seconds(u64::MAX));
        assert_eq!(record.watch(A, NONE, Nanos(61_999_999_999)), Watch::Underway);
        assert_eq!(record.watch(A, NONE, Nanos(62_000_000_000)), Watch::Abandoned);
        assert_eq!(Record::decode(&record.encode(), Nanos(0)), Some(record));
    }

    fn records() -> impl Strategy<Value = Record> {
        let entry = (0_u8..3, 1_u64..5, prop::option::of(0_u64..3), any::<bool>());
        prop::collection::vec(entry, 0..4).prop_map(|entries| {
            let mut record = Record::default();
            for (source, version, lease, success) in entries {
                let source = SourceId([source; 16]);
                // One version has one content, as in life: the clock does not repeat itself.
                let content = document(&[source.0[0], u8::try_from(version).unwrap()]);
                let attempt = if version % 2 == 0 {
                    Ok(content)
                } else {
                    Err(Failure { at: UnixTime::from_millis(1), reason: format!("reason {version}") })
                };
                let mut one = Record::default();
                one.finish(source, 0, Nanos(version), attempt);
                if let Some(lease) = lease
                    && success
                {
                    let seen = Version(version);
                    one.turn(source, seen, Waiting::NotAtAll, 0, Nanos(lease), Seconds(1));
                }
                record.merge(one);
            }
            record
        })
    }

    proptest! {
        #[test]
        fn merging_has_no_order(a in records(), b in records(), c in records(), _d in Just(())) {
            let join = |order: [&Record; 3]| {
                let mut all = Record::default();
                for one in order {
                    all.merge(one.clone());
                }
                all
            };
            let all = join([&a, &b, &c]);
            assert_eq!(all, join([&c, &a, &b]));
            assert_eq!(all, join([&b, &c, &a]));
            assert_eq!(Record::decode(&all.encode(), LATER), Some(all));
        }

        #[test]
        fn noise_is_never_a_record(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            assert_eq!(Record::decode(&noise, LATER), None);
        }
    }
}
