//! Documents in a directory (`jwksCache.directory`): one fetch for all routers that mount it, and keys right after a
//! restart, also while the provider is down.
//!
//! Pure but for the [`Archive`]. A file is trusted as little as an answer from the network: whole, of this source, and
//! not from the future, or it does not exist.

use sha2::{Digest, Sha256};

use crate::core::limits::MAX_JWKS_BYTES;
use crate::core::unix_time::{Seconds, UnixTime};
use crate::keys::envelope::{Reader, read_document, write_document};
use crate::keys::freshness::State;
use crate::keys::io::{Archive, Claim, Failure, SharedDocument, SourceId};

const MAGIC: [u8; 8] = *b"JWKSDOC\x01";
const DIGEST_BYTES: usize = 32;
/// A document, its few short texts, and what is around them.
const MAX_FILE_BYTES: usize = MAX_JWKS_BYTES + (64 << 10);
/// How far the clocks of two machines with one directory may be apart.
const MAX_CLOCK_DIFFERENCE: Seconds = Seconds(60);

/// The directory as one source uses it.
pub struct Shelf<'a> {
    /// What reads and writes.
    pub archive: &'a dyn Archive,
    /// `jwksCache.directory`.
    pub directory: &'a str,
    /// Whose document.
    pub source: SourceId,
    /// How long a fetch may take before another router tries.
    pub lease: Seconds,
}

impl Shelf<'_> {
    /// One attempt for all routers: a fresh document that another one has put there does, else `fetch` is called by
    /// one of them and the others wait for its file. `known` is what this router has, `state` says how good a document
    /// is, `now` what time it is. Without any known document a stale one is taken as well: serving at once is what the
    /// directory is for, and the keys ring then asks again soon.
    ///
    /// # Errors
    /// The failure, where nothing better is had.
    pub fn attempt(
        &self,
        known: Option<&SharedDocument>,
        state: &dyn Fn(&SharedDocument) -> State,
        now: &dyn Fn() -> UnixTime,
        fetch: &mut dyn FnMut(Option<&SharedDocument>) -> Result<SharedDocument, Failure>,
    ) -> Result<SharedDocument, Failure> {
        let name = file_name(self.source);
        let deadline = now().saturating_add(self.lease);
        let of_another_router = || {
            self.newer(&name, known, now()).filter(|found| match state(found) {
                State::Fresh => true,
                State::Stale => known.is_none(),
                State::Absent => false,
            })
        };
        let claim = loop {
            if let Some(found) = of_another_router() {
                return Ok(found);
            }
            match self.archive.claim(self.directory, &name, self.lease) {
                Claim::Theirs if now() < deadline => self.archive.pause(),
                claim @ (Claim::Ours | Claim::Theirs | Claim::Impossible) => break claim,
            }
        };
        // Between the look and the claim another router may have put its document there and given its claim back.
        if claim == Claim::Ours
            && let Some(found) = of_another_router()
        {
            self.archive.release(self.directory, &name);
            return Ok(found);
        }
        let outcome = fetch(known);
        if let Ok(document) = &outcome {
            self.archive.store(self.directory, &name, &encode(self.source, document));
        }
        if claim == Claim::Ours {
            self.archive.release(self.directory, &name);
        }
        // Another router may have come further meanwhile.
        outcome.or_else(|failed| {
            let found = self.newer(&name, known, now());
            found.filter(|document| state(document) != State::Absent).ok_or(failed)
        })
    }

    fn newer(&self, name: &str, known: Option<&SharedDocument>, now: UnixTime) -> Option<SharedDocument> {
        let file = self.archive.load(self.directory, name, MAX_FILE_BYTES)?;
        let document = decode(self.source, &file, now)?;
        known.is_none_or(|known| document.fetched_at > known.fetched_at).then_some(document)
    }
}

/// The name of a source's file.
#[must_use]
pub fn file_name(source: SourceId) -> String {
    source.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + ".jwks"
}

fn encode(source: SourceId, document: &SharedDocument) -> Vec<u8> {
    let mut file = [&MAGIC[..], &source.0].concat();
    write_document(document, &mut file);
    let digest = Sha256::digest(&file);
    file.extend_from_slice(&digest);
    file
}

fn decode(source: SourceId, file: &[u8], now: UnixTime) -> Option<SharedDocument> {
    let (content, digest) = file.split_last_chunk::<DIGEST_BYTES>()?;
    if Sha256::digest(content).as_slice() != digest {
        return None;
    }
    let mut reader = Reader(content);
    if reader.array()? != MAGIC || SourceId(reader.array()?) != source {
        return None;
    }
    let document = read_document(&mut reader)?;
    let in_time = document.fetched_at <= now.saturating_add(MAX_CLOCK_DIFFERENCE);
    let bounded = document.body.len() <= MAX_JWKS_BYTES;
    (in_time && bounded && reader.0.is_empty()).then_some(document)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::{Shelf, decode, encode, file_name};
    use crate::core::unix_time::{Seconds, UnixTime};
    use crate::keys::freshness::State;
    use crate::keys::io::{Archive, Claim, Failure, SharedDocument, SourceId};

    const A: SourceId = SourceId([0xa; 16]);

    fn document(body: &str, second: u64) -> SharedDocument {
        SharedDocument {
            body: body.into(),
            cache_control: "max-age=60".into(),
            age: Seconds(0),
            etag: None,
            fetched_at: UnixTime::from_seconds(second),
        }
    }

    #[derive(Default)]
    struct Directory {
        files: RefCell<BTreeMap<String, Vec<u8>>>,
        claimed: Cell<bool>,
        /// What another router finishes while this one pauses.
        theirs: RefCell<Option<SharedDocument>>,
        pauses: Cell<u64>,
        /// What another router finishes right before this one claims.
        just_before: RefCell<Option<SharedDocument>>,
        writable: Cell<bool>,
    }

    impl Archive for Directory {
        fn load(&self, _: &str, name: &str, max_bytes: usize) -> Option<Vec<u8>> {
            self.files.borrow().get(name).filter(|file| file.len() <= max_bytes).cloned()
        }

        fn store(&self, _: &str, name: &str, content: &[u8]) {
            if self.writable.get() {
                self.files.borrow_mut().insert(name.into(), content.into());
            }
        }

        fn claim(&self, _: &str, _: &str, _: Seconds) -> Claim {
            if let Some(document) = self.just_before.take() {
                self.store("", &file_name(A), &encode(A, &document));
            }
            match (self.writable.get(), self.claimed.replace(true)) {
                (false, _) => Claim::Impossible,
                (true, true) => Claim::Theirs,
                (true, false) => Claim::Ours,
            }
        }

        fn release(&self, _: &str, _: &str) {
            self.claimed.set(false);
        }

        fn pause(&self) {
            self.pauses.set(self.pauses.get() + 1);
            if self.pauses.get() == 3
                && let Some(document) = self.theirs.take()
            {
                self.store("", &file_name(A), &encode(A, &document));
                self.release("", "");
            }
        }
    }

    /// Fresh for a minute, stale for another.
    fn attempt(
        directory: &Directory,
        known: Option<&SharedDocument>,
        now: u64,
        fetched: Option<&str>,
    ) -> (Result<String, UnixTime>, usize) {
        let asked = Cell::new(0);
        let shelf = Shelf { archive: directory, directory: "/d", source: A, lease: Seconds(5) };
        let now = || UnixTime::from_millis(now * 1000 + directory.pauses.get() * 100);
        let state = |document: &SharedDocument| match now().seconds_since(document.fetched_at).0 {
            0..60 => State::Fresh,
            60..120 => State::Stale,
            _ => State::Absent,
        };
        let outcome = shelf.attempt(known, &state, &now, &mut |_| {
            asked.set(asked.get() + 1);
            fetched
                .map(|body| document(body, now().as_seconds()))
                .ok_or_else(|| Failure { at: now(), reason: String::new() })
        });
        let body = outcome.map(|document| String::from_utf8(document.body).unwrap());
        (body.map_err(|failure| failure.at), asked.get())
    }

    fn directory() -> Directory {
        let directory = Directory::default();
        directory.writable.set(true);
        directory
    }

    #[test]
    fn one_router_fetches_and_the_next_finds_its_file() {
        let directory = directory();
        assert_eq!(attempt(&directory, None, 1000, Some("x")), (Ok("x".into()), 1));
        assert!(!directory.claimed.get());
        assert_eq!(attempt(&directory, None, 1001, Some("y")), (Ok("x".into()), 0));
        // Who refreshes has the file's document already.
        let known = document("x", 1000);
        assert_eq!(attempt(&directory, Some(&known), 1050, Some("y")), (Ok("y".into()), 1));
        assert_eq!(attempt(&directory, Some(&known), 1051, Some("z")), (Ok("y".into()), 0));
    }

    #[test]
    fn a_restart_serves_stale_keys_at_once_and_a_refresh_does_not() {
        let directory = directory();
        assert_eq!(attempt(&directory, None, 1000, Some("x")).1, 1);
        assert_eq!(attempt(&directory, None, 1100, Some("y")), (Ok("x".into()), 0));
        assert_eq!(attempt(&directory, None, 1200, Some("y")), (Ok("y".into()), 1));
        let old = document("w", 900);
        assert_eq!(attempt(&directory, Some(&old), 1320, None), (Err(UnixTime::from_seconds(1320)), 1));
        // A provider that is down leaves what another router got a minute before.
        assert_eq!(attempt(&directory, Some(&old), 1261, None), (Ok("y".into()), 1));
    }

    #[test]
    fn while_another_router_fetches_this_one_waits_for_its_file() {
        let directory = directory();
        directory.claimed.set(true);
        directory.theirs.replace(Some(document("theirs", 1000)));
        assert_eq!(attempt(&directory, None, 1000, Some("ours")), (Ok("theirs".into()), 0));
        assert_eq!(directory.pauses.get(), 3);
        // One that never comes back is waited for as long as a fetch may take.
        let directory = self::directory();
        directory.claimed.set(true);
        assert_eq!(attempt(&directory, None, 1000, Some("ours")), (Ok("ours".into()), 1));
        assert_eq!(directory.pauses.get(), 50);
        assert!(directory.claimed.get(), "the claim is another's");
    }

    #[test]
    fn what_another_router_stores_right_before_the_claim_is_found() {
        let directory = directory();
        directory.just_before.replace(Some(document("theirs", 1000)));
        assert_eq!(attempt(&directory, None, 1000, Some("ours")), (Ok("theirs".into()), 0));
        assert!(!directory.claimed.get());
        // As for the first look: a refresh does not take what is stale.
        let directory = self::directory();
        directory.just_before.replace(Some(document("theirs", 1000)));
        let known = document("known", 900);
        assert_eq!(attempt(&directory, Some(&known), 1100, Some("ours")), (Ok("ours".into()), 1));
        assert!(!directory.claimed.get());
    }

    #[test]
    fn a_directory_that_cannot_be_written_changes_nothing() {
        let directory = Directory::default();
        assert_eq!(attempt(&directory, None, 1000, Some("x")), (Ok("x".into()), 1));
        assert_eq!(attempt(&directory, None, 1000, None), (Err(UnixTime::from_seconds(1000)), 1));
    }

    #[test]
    fn files_are_whole_ours_and_not_from_the_future_or_not_there() {
        let now = UnixTime::from_seconds(1000);
        let good = encode(A, &document("body", 1000));
        assert_eq!(decode(A, &good, now), Some(document("body", 1000)));
        assert_eq!(decode(A, &encode(A, &document("body", 1060)), now), Some(document("body", 1060)));
        assert_eq!(decode(A, &encode(A, &document("body", 1061)), now), None);
        assert_eq!(decode(SourceId([0xb; 16]), &good, now), None);
        for at in 0..good.len() {
            let mut altered = good.clone();
            altered[at] ^= 1;
            assert_eq!(decode(A, &altered, now), None, "{at}");
            assert_eq!(decode(A, &good[..at], now), None, "{at}");
        }
        assert_eq!(decode(A, &[&good[..], b"x"].concat(), now), None);
        let directory = directory();
        directory.store("", &file_name(A), b"garbage");
        assert_eq!(attempt(&directory, None, 1000, Some("x")), (Ok("x".into()), 1));
        assert_eq!(attempt(&directory, None, 1000, Some("y")), (Ok("x".into()), 0));
    }

    #[test]
    fn a_source_is_named_by_all_of_its_parts() {
        let ids = [SourceId::of(&[b"ab", b"c"]), SourceId::of(&[b"a", b"bc"]), SourceId::of(&[b"abc"])];
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2]);
        assert_eq!(file_name(A), format!("{}.jwks", "0a".repeat(16)));
    }
}
