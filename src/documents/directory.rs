//! Documents in a directory (`jwksCache.directory`): one fetch for all routers that mount it, and documents right after a
//! restart, also while the provider is down.
//!
//! Pure except for [`Directory`]. A file is trusted as little as an answer from the network: if it is not complete, of this
//! source, acceptable to its user and not from the future, it counts as absent.

use crate::core::fetching::DocumentState;
use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::digest::digest;
use crate::documents::document::{Reader, SharedDocument};
use crate::documents::limits::{MAX_CLOCK_DIFFERENCE, MAX_FILE_OVERHEAD_BYTES};
use crate::documents::source_id::SourceId;

const MAGIC: [u8; 8] = *b"DOCFILE\x02";
const DIGEST_BYTES: usize = 8;

/// Who may fetch for a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This router, until it releases the claim.
    Ours,
    /// Another one.
    Theirs,
    /// Unknown: the directory is missing or cannot be written.
    Impossible,
}

/// Keeps files in a directory that several routers mount (`jwksCache.directory`). Implemented by `host`.
pub trait Directory {
    /// The file called `name`, at most `max_bytes` of it. Its content is not trusted.
    fn load(&self, directory: &str, name: &str, max_bytes: usize) -> Option<Vec<u8>>;

    /// Replaces the file called `name` atomically. A failure does no harm.
    fn store(&self, directory: &str, name: &str, content: &[u8]);

    /// Claims `name`, and takes over a claim older than `lease`.
    fn claim(&self, directory: &str, name: &str, lease: Seconds) -> Claim;

    /// Releases a claim.
    fn release(&self, directory: &str, name: &str);

    /// Waits for a few milliseconds.
    fn pause(&self);
}

/// Keeps nothing: for a host without sockets.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDirectory;

impl Directory for NoDirectory {
    fn load(&self, _: &str, _: &str, _: usize) -> Option<Vec<u8>> {
        None
    }

    fn store(&self, _: &str, _: &str, _: &[u8]) {}

    fn claim(&self, _: &str, _: &str, _: Seconds) -> Claim {
        Claim::Impossible
    }

    fn release(&self, _: &str, _: &str) {}

    fn pause(&self) {}
}

/// The directory as one source uses it.
pub struct DirectoryCache<'a> {
    /// Reads and writes the files.
    pub files: &'a dyn Directory,
    /// `jwksCache.directory`.
    pub directory: &'a str,
    /// The source of the document.
    pub source: SourceId,
    /// How long a fetch may take before another router tries.
    pub lease: Seconds,
    /// Largest body.
    pub max_body_bytes: usize,
}

/// The content of a document and whether it is fresh; `None` if it is not acceptable.
pub type Judge<'a, T> = &'a dyn Fn(&SharedDocument) -> Option<(T, DocumentState)>;

/// What a router finds in a directory.
pub enum Found<T> {
    /// Another router's document, newer than the known one.
    Document(SharedDocument, T),
    /// Nothing: this router fetches, then calls [`DirectoryCache::finish`].
    Fetch(Claim),
}

impl DirectoryCache<'_> {
    /// Returns a fresh document stored by another router, or says that this router fetches; waits while another router
    /// fetches. `known` is what this router has. If it has nothing, a stale document is taken as well: the directory is
    /// there to serve at once, and the source is fetched again soon.
    pub fn begin<T>(
        &self,
        known: Option<&SharedDocument>,
        judge: Judge<'_, T>,
        now: &dyn Fn() -> UnixTime,
    ) -> Found<T> {
        let name = file_name(self.source);
        let deadline = now().saturating_add(self.lease);
        let of_another_router = || {
            self.newer(known, judge, now()).filter(|(_, _, state)| match state {
                DocumentState::Fresh => true,
                DocumentState::Stale => known.is_none(),
                DocumentState::Absent => false,
            })
        };
        loop {
            if let Some((document, content, _)) = of_another_router() {
                return Found::Document(document, content);
            }
            match self.files.claim(self.directory, &name, self.lease) {
                Claim::Theirs if now() < deadline => self.files.pause(),
                claim @ (Claim::Theirs | Claim::Impossible) => return Found::Fetch(claim),
                // Between the look and the claim another router may have stored its document and released its claim.
                Claim::Ours => {
                    let Some((document, content, _)) = of_another_router() else {
                        return Found::Fetch(Claim::Ours);
                    };
                    self.files.release(self.directory, &name);
                    return Found::Document(document, content);
                }
            }
        }
    }

    /// Stores what was fetched, if anything, and releases the claim.
    pub fn finish(&self, claim: Claim, fetched: Option<&SharedDocument>) {
        let name = file_name(self.source);
        if let Some(document) = fetched {
            self.files.store(self.directory, &name, &encode(self.source, document));
        }
        if claim == Claim::Ours {
            self.files.release(self.directory, &name);
        }
    }

    /// What to use after a failed fetch: another router may have succeeded meanwhile.
    pub fn instead<T>(
        &self,
        known: Option<&SharedDocument>,
        judge: Judge<'_, T>,
        now: UnixTime,
    ) -> Option<(SharedDocument, T)> {
        let (document, content, state) = self.newer(known, judge, now)?;
        (state != DocumentState::Absent).then_some((document, content))
    }

    fn newer<T>(
        &self,
        known: Option<&SharedDocument>,
        judge: Judge<'_, T>,
        now: UnixTime,
    ) -> Option<(SharedDocument, T, DocumentState)> {
        let max_bytes = self.max_body_bytes.saturating_add(MAX_FILE_OVERHEAD_BYTES);
        let file = self.files.load(self.directory, &file_name(self.source), max_bytes)?;
        let document = decode(self.source, &file, self.max_body_bytes, now)?;
        if known.is_some_and(|known| document.fetched_at <= known.fetched_at) {
            return None;
        }
        let (content, state) = judge(&document)?;
        Some((document, content, state))
    }
}

/// The name of a source's file.
pub fn file_name(source: SourceId) -> String {
    source.0.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + ".document"
}

fn encode(source: SourceId, document: &SharedDocument) -> Vec<u8> {
    let mut file = [&MAGIC[..], &source.0].concat();
    document.write(&mut file);
    let digest = digest(&[&file]);
    file.extend_from_slice(&digest.to_le_bytes());
    file
}

fn decode(source: SourceId, file: &[u8], max_body_bytes: usize, now: UnixTime) -> Option<SharedDocument> {
    let (content, sum) = file.split_last_chunk::<DIGEST_BYTES>()?;
    if digest(&[content]) != u64::from_le_bytes(*sum) {
        return None;
    }
    let mut reader = Reader(content);
    if reader.array()? != MAGIC || SourceId(reader.array()?) != source {
        return None;
    }
    let document = SharedDocument::read(&mut reader)?;
    let in_time = document.fetched_at <= now.saturating_add(MAX_CLOCK_DIFFERENCE);
    let bounded = document.document.body.len() <= max_body_bytes;
    (in_time && bounded && reader.0.is_empty()).then_some(document)
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::{Claim, Directory, DirectoryCache, Found, decode, encode, file_name};
    use crate::core::fetching::DocumentState;
    use crate::core::unix_time::{Seconds, UnixTime};
    use crate::documents::document::{Document, SharedDocument};
    use crate::documents::source_id::SourceId;

    const A: SourceId = SourceId([0xa; 16]);

    fn document(body: &str, second: u64) -> SharedDocument {
        let document =
            Document { body: body.into(), cache_control: "max-age=60".into(), age: Seconds(0), etag: None };
        SharedDocument { document, fetched_at: UnixTime::from_seconds(second) }
    }

    #[derive(Default)]
    struct Files {
        files: RefCell<BTreeMap<String, Vec<u8>>>,
        claimed: Cell<bool>,
        /// What another router finishes while this one pauses.
        theirs: RefCell<Option<SharedDocument>>,
        pauses: Cell<u64>,
        /// What another router finishes right before this one claims.
        just_before: RefCell<Option<SharedDocument>>,
        writable: Cell<bool>,
    }

    impl Directory for Files {
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
        directory: &Files,
        known: Option<&SharedDocument>,
        now: u64,
        fetched: Option<&str>,
    ) -> (Result<String, UnixTime>, usize) {
        let cache = DirectoryCache {
            files: directory,
            directory: "/d",
            source: A,
            lease: Seconds(5),
            max_body_bytes: 100,
        };
        let now = || UnixTime::from_millis(now * 1000 + directory.pauses.get() * 100);
        let judge = |document: &SharedDocument| {
            let state = match now().seconds_since(document.fetched_at).0 {
                0..60 => DocumentState::Fresh,
                60..120 => DocumentState::Stale,
                _ => DocumentState::Absent,
            };
            // As an invalid key set is not.
            (document.document.body != b"garbage").then_some(((), state))
        };
        let text = |document: SharedDocument| String::from_utf8(document.document.body).unwrap();
        match cache.begin(known, &judge, &now) {
            Found::Document(document, ()) => (Ok(text(document)), 0),
            Found::Fetch(claim) => {
                let fetched = fetched.map(|body| document(body, now().as_seconds()));
                cache.finish(claim, fetched.as_ref());
                let instead = || cache.instead(known, &judge, now()).map(|(document, ())| document);
                (fetched.or_else(instead).map(text).ok_or_else(now), 1)
            }
        }
    }

    fn directory() -> Files {
        let directory = Files::default();
        directory.writable.set(true);
        directory
    }

    #[test]
    fn one_router_fetches_and_the_next_finds_its_file() {
        let directory = directory();
        assert_eq!(attempt(&directory, None, 1000, Some("x")), (Ok("x".into()), 1));
        assert!(!directory.claimed.get());
        assert_eq!(attempt(&directory, None, 1001, Some("y")), (Ok("x".into()), 0));
        // A router that refreshes has the file's document already.
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
        // A router that never comes back is waited for as long as a fetch may take.
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
        let directory = Files::default();
        assert_eq!(attempt(&directory, None, 1000, Some("x")), (Ok("x".into()), 1));
        assert_eq!(attempt(&directory, None, 1000, None), (Err(UnixTime::from_seconds(1000)), 1));
    }

    #[test]
    fn files_are_whole_ours_and_not_from_the_future_or_not_there() {
        let now = UnixTime::from_seconds(1000);
        let good = encode(A, &document("body", 1000));
        assert_eq!(decode(A, &good, 100, now), Some(document("body", 1000)));
        assert_eq!(decode(A, &encode(A, &document("body", 1060)), 100, now), Some(document("body", 1060)));
        assert_eq!(decode(A, &encode(A, &document("body", 1061)), 100, now), None);
        assert_eq!(decode(SourceId([0xb; 16]), &good, 100, now), None);
        for at in 0..good.len() {
            let mut altered = good.clone();
            altered[at] ^= 1;
            assert_eq!(decode(A, &altered, 100, now), None, "{at}");
            assert_eq!(decode(A, &good[..at], 100, now), None, "{at}");
        }
        assert_eq!(decode(A, &[&good[..], b"x"].concat(), 100, now), None);
        assert_eq!(decode(A, &good, 3, now), None, "larger than the source allows");
        let directory = directory();
        directory.store("", &file_name(A), b"garbage");
        assert_eq!(attempt(&directory, None, 1000, Some("x")), (Ok("x".into()), 1));
        assert_eq!(attempt(&directory, None, 1000, Some("y")), (Ok("x".into()), 0));
    }

    #[test]
    fn a_document_that_is_not_acceptable_is_not_there() {
        let directory = directory();
        directory.store("", &file_name(A), &encode(A, &document("garbage", 1000)));
        assert_eq!(attempt(&directory, None, 1000, None), (Err(UnixTime::from_seconds(1000)), 1));
        assert_eq!(attempt(&directory, None, 1000, Some("x")), (Ok("x".into()), 1));
    }

    #[test]
    fn a_file_is_named_after_its_source() {
        assert_eq!(file_name(A), format!("{}.document", "0a".repeat(16)));
    }
}
