//! What an instance keeps of a document: the last good content, and when to fetch it again. A file and a URL differ only in
//! how they are read.

use std::fmt::Display;
use std::rc::Rc;

use crate::core::fetching::{CacheRules, DocumentState, DocumentView};
use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::ask::{Asked, Meaning, Remote, ask, reason};
use crate::documents::digest::digest;
use crate::documents::document::SharedDocument;
use crate::documents::error::DocumentError;
use crate::documents::files::FileStamp;
use crate::documents::freshness::Freshness;
use crate::documents::io::Io;
use crate::documents::lease::{Shared, Version, Waiting};
use crate::documents::source_id::SourceId;

/// A file is examined once a second, and is used for a day after it is gone.
const FILE_RULES: CacheRules = CacheRules { ttl: Seconds(1), cooldown: Seconds(1), stale: Seconds(86_400) };
/// Time between two looks at what other instances know, and between two attempts while another instance fetches.
const LOOK_INTERVAL: Seconds = Seconds(1);

/// Whether anything is fetched: the artifact without sockets has only files, and its configuration no URLs.
const FETCHES: bool = cfg!(feature = "remote");

/// What is kept of a source. Replaced whole.
#[derive(Debug)]
pub struct Kept<T> {
    /// The last good content.
    pub content: Option<Rc<T>>,
    /// When it was fetched, and when to fetch it again.
    pub freshness: Freshness,
    /// Increases with every change of the content.
    pub generation: u64,
    /// Why the last attempt failed, if it did.
    pub last_error: Option<String>,
    /// Name of a URL's document among instances.
    id: SourceId,
    /// The newest state of the URL's document that was taken over.
    seen: Version,
    next_look: UnixTime,
    /// Another instance is fetching: until then, only a request that needs the document asks whether it has finished.
    busy_until: UnixTime,
    stamp: Option<FileStamp>,
    /// Digest of what was read: the same bytes are the same content.
    digest: Option<u64>,
}

/// The outcome of a fetch, if an operator should know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<E> {
    /// The content has changed.
    Replaced,
    /// The source failed; the same failure is not reported twice in a row.
    Failed(E),
    /// The source works again, with the same content as before.
    Recovered,
}

/// Whether `then`, which was less than [`LOOK_INTERVAL`] away when it was set, is still to come. It is not if the clock was set
/// back since.
fn is_ahead(then: UnixTime, now: UnixTime) -> bool {
    now < then && then <= now.saturating_add(LOOK_INTERVAL)
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { content: self.content.clone(), last_error: self.last_error.clone(), ..*self }
    }
}

impl<T> Kept<T> {
    /// State of a file that was never read.
    pub const fn of_file() -> Self {
        Self::new(FILE_RULES, SourceId([0; 16]))
    }

    /// State of a document that was never fetched.
    pub fn of_remote(remote: &Remote<'_>) -> Self {
        Self::new(remote.cache, remote.id())
    }

    const fn new(rules: CacheRules, id: SourceId) -> Self {
        let epoch = UnixTime::from_millis(0);
        Self {
            content: None,
            freshness: Freshness::new(rules),
            generation: 0,
            last_error: None,
            id,
            seen: Version(0),
            next_look: epoch,
            busy_until: epoch,
            stamp: None,
            digest: None,
        }
    }

    /// Whether to fetch the source now although its content is still usable.
    pub fn is_due(&self, now: UnixTime) -> bool {
        self.freshness.is_due(now) && !is_ahead(self.busy_until, now)
    }

    /// What operators may see of it; it came from `place`.
    pub fn view(&self, place: String, now: UnixTime) -> DocumentView {
        let state = self.freshness.state(now);
        DocumentView {
            place,
            state,
            had_at: self.freshness.fetched_at(),
            due_at: self.freshness.asked_at().filter(|_| state != DocumentState::Absent),
            last_error: self.last_error.clone(),
        }
    }

    /// Whether it is time for [`Self::caught_up`].
    pub fn may_look(&self, now: UnixTime) -> bool {
        !is_ahead(self.next_look, now)
    }

    /// The state after what other instances have learnt since the last look. Fetches nothing.
    pub fn caught_up<M: Meaning<Content = T>>(
        &self,
        remote: &Remote<'_>,
        meaning: &M,
        now: UnixTime,
        io: &Io<'_>,
    ) -> Self {
        let looked = Self { next_look: now.saturating_add(LOOK_INTERVAL), ..self.clone() };
        if !FETCHES {
            return looked;
        }
        match io.share.look(self.id, self.seen) {
            Some(shared) => looked.taken_over(shared, remote, meaning, None, now).0,
            None => looked,
        }
    }

    /// Fetches the document. Never fails: a failure is part of the new state.
    pub fn asked<M: Meaning<Content = T>>(
        &self,
        remote: &Remote<'_>,
        meaning: &M,
        waiting: Waiting,
        io: &Io<'_>,
    ) -> (Self, Option<Change<M::Error>>) {
        if !FETCHES {
            return (self.clone(), None);
        }
        let asked = ask(remote, meaning, self.id, self.seen, waiting, io);
        let now = io.now();
        match asked {
            Asked::Known(shared) => self.taken_over(shared, remote, meaning, None, now),
            Asked::Own(shared, outcome) => self.taken_over(shared, remote, meaning, Some(outcome), now),
            Asked::Underway => (Self { busy_until: now.saturating_add(LOOK_INTERVAL), ..self.clone() }, None),
        }
    }

    /// The state after `shared`, which is newer than this one. `own` is the outcome of an attempt of this instance, with the
    /// content if it was parsed meanwhile. Only the instance that fetched reports the outcome.
    fn taken_over<M: Meaning<Content = T>>(
        &self,
        shared: Shared,
        remote: &Remote<'_>,
        meaning: &M,
        own: Option<Result<Option<T>, M::Error>>,
        now: UnixTime,
    ) -> (Self, Option<Change<M::Error>>) {
        let (own, content) = match own {
            None => (None, None),
            Some(Ok(content)) => (Some(Ok(())), content),
            Some(Err(error)) => (Some(Err(error)), None),
        };
        let own_failures = match &own {
            Some(Err(_)) => self.freshness.failures().saturating_add(1),
            Some(Ok(())) | None => 0,
        };
        // A record that was lost and begun again may hold an older document than this instance. By a clock that was set back
        // since, every document is older.
        let is_newer = |document: &SharedDocument| {
            self.freshness.is_from_the_future(now)
                || self.freshness.fetched_at().is_none_or(|at| document.fetched_at >= at)
        };
        let newer = shared.document.filter(is_newer);
        let (mut kept, replaced) = match newer {
            Some(document) => self.with_document(&document, content, remote, meaning, now),
            None => (self.clone(), false),
        };
        kept.seen = shared.version;
        if shared.failures > 0 {
            let at = shared.failure.as_ref().map_or(now, |failure| failure.at.min(now));
            kept.freshness = kept.freshness.settled(now).failed_times(at, shared.failures.max(own_failures));
        }
        let failed_before = self.last_error.is_some();
        let change = match own {
            None => {
                kept.last_error = shared.failure.map(|failure| failure.reason);
                None
            }
            Some(Ok(())) => {
                kept.last_error = None;
                if replaced { Some(Change::Replaced) } else { failed_before.then_some(Change::Recovered) }
            }
            Some(Err(error)) => {
                let reason = reason(&error);
                // If others failed before us while the record was lost, the first of them has reported it.
                let is_news = match failed_before {
                    true => self.last_error.as_ref() != Some(&reason),
                    false => shared.failures <= 1,
                };
                kept.last_error = Some(reason);
                is_news.then_some(Change::Failed(error))
            }
        };
        (kept, change)
    }

    fn with_document<M: Meaning<Content = T>>(
        &self,
        document: &SharedDocument,
        content: Option<T>,
        remote: &Remote<'_>,
        meaning: &M,
        now: UnixTime,
    ) -> (Self, bool) {
        let freshness = |content: &T| remote.freshness(document, meaning.lifetime(content), now);
        let digest = digest(&[&document.document.body]);
        if let Some(content) = self.content.as_deref().filter(|_| self.digest == Some(digest)) {
            // The old content stays, so that tokens verified with it stay verified.
            return (Self { freshness: freshness(content), ..self.clone() }, false);
        }
        // The instance that fetched it has parsed it; a document of another instance is trusted no more than the network.
        match content.map_or_else(|| meaning.read(&document.document.body), Ok) {
            Ok(content) => {
                let freshness = freshness(&content);
                (Self { freshness, ..self.clone() }.replaced(content, digest), true)
            }
            Err(_) => (self.clone(), false),
        }
    }

    fn replaced(self, content: T, digest: u64) -> Self {
        let generation = self.generation.wrapping_add(1);
        Self { content: Some(Rc::new(content)), generation, digest: Some(digest), ..self }
    }

    /// Reads the file `path` if it has changed. Never fails, as [`Self::asked`].
    pub fn reread<E: From<DocumentError> + Display>(
        &self,
        path: &str,
        max_bytes: usize,
        read: &dyn Fn(Vec<u8>) -> Result<T, E>,
        now: UnixTime,
        io: &Io<'_>,
    ) -> (Self, Option<Change<E>>) {
        let recovered = self.last_error.is_some().then_some(Change::Recovered);
        let freshness = self.freshness.fetched(now, None);
        match self.read_changed(path, max_bytes, io) {
            Ok(None) => (Self { freshness, ..self.clone() }, None),
            Ok(Some((bytes, stamp))) => {
                let digest = digest(&[&bytes]);
                match read(bytes) {
                    Ok(content) => {
                        let next = Self { freshness, stamp: Some(stamp), last_error: None, ..self.clone() };
                        if self.content.is_some() && self.digest == Some(digest) {
                            (next, recovered)
                        } else {
                            (next.replaced(content, digest), Some(Change::Replaced))
                        }
                    }
                    Err(error) => self.unread(error, now),
                }
            }
            Err(error) => self.unread(error.into(), now),
        }
    }

    fn unread<E: Display>(&self, error: E, now: UnixTime) -> (Self, Option<Change<E>>) {
        let reason = reason(&error);
        let is_news = self.last_error.as_ref() != Some(&reason);
        let freshness = self.freshness.settled(now).failed(now);
        let kept = Self { freshness, last_error: Some(reason), ..self.clone() };
        (kept, is_news.then_some(Change::Failed(error)))
    }

    /// `None` if the file has not changed.
    fn read_changed(
        &self,
        path: &str,
        max_bytes: usize,
        io: &Io<'_>,
    ) -> Result<Option<(Vec<u8>, FileStamp)>, DocumentError> {
        let stamp = io.files.stat(path)?;
        if self.content.is_some() && self.stamp == Some(stamp) && self.last_error.is_none() {
            return Ok(None);
        }
        Ok(Some((io.files.read(path, max_bytes)?, stamp)))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Change, Kept};
    use crate::core::fetching::{ClientRules, DocumentState, RequestHeader, ServerRules, TextSource};
    use crate::core::unix_time::{Seconds, UnixTime};
    use crate::documents::document::Document;
    use crate::documents::error::DocumentError;
    use crate::documents::fetch::{FetchError, Fetched};
    use crate::documents::lease::{Shared, Version, Waiting};
    use crate::documents::limits::LEASE_MARGIN;
    use crate::documents::lines::{Lines, document, lines, with_client, with_remote};
    use crate::documents::outside::{Outside, client};

    #[test]
    fn any_document_is_fetched_shared_and_kept_for_as_long_as_it_is_acceptable() {
        with_remote(Some("/shared"), |remote| {
            let (outside, never, meaning) = (Outside::new(), Kept::of_remote(remote), Lines::default());
            outside.next(document("a\nb"));
            let (kept, change) = never.asked(remote, &meaning, Waiting::ForDocument, &outside.io());
            assert_eq!((lines(&kept), change), (vec!["a", "b"], Some(Change::Replaced)));
            assert_eq!((outside.accept.get(), meaning.0.take()), ("application/jsonl", 1));
            // Another instance finds it in the record, another router in the directory.
            let other = never.caught_up(remote, &meaning, outside.now(), &outside.io());
            assert_eq!((lines(&other), meaning.0.take()), (vec!["a", "b"], 1));
            outside.forget_shared();
            let (other, _) = never.asked(remote, &meaning, Waiting::ForDocument, &outside.io());
            assert_eq!((lines(&other), outside.asked.get()), (vec!["a", "b"], 1));
            assert_eq!(meaning.0.take(), 1);
            // The last good one stays, also among the others, and is not parsed again.
            outside.wait(30);
            outside.next(document("a\n\nb"));
            let (failed, change) = kept.asked(remote, &meaning, Waiting::NotAtAll, &outside.io());
            assert_eq!((lines(&failed), failed.generation), (vec!["a", "b"], kept.generation));
            assert_eq!(change, Some(Change::Failed(DocumentError::NotUtf8)));
            assert_eq!(meaning.0.take(), 1);
            let other = other.caught_up(remote, &meaning, outside.now(), &outside.io());
            assert_eq!((lines(&other), other.last_error.is_some()), (vec!["a", "b"], true));
            assert_eq!(meaning.0.take(), 0);
        });
    }

    #[test]
    fn what_the_server_says_of_a_document_that_has_not_changed_counts() {
        with_remote(None, |remote| {
            let (outside, meaning) = (Outside::new(), Lines::default());
            let answer = Document {
                body: b"a".to_vec(),
                cache_control: "max-age=1000".into(),
                age: Seconds(500),
                etag: Some("\"1\"".into()),
            };
            outside.next(Ok(Fetched::Document(answer)));
            let (kept, _) =
                Kept::of_remote(remote).asked(remote, &meaning, Waiting::ForDocument, &outside.io());
            let state = |kept: &Kept<Vec<String>>, outside: &Outside| kept.freshness.state(outside.now());
            // Another instance waits for as long as this one may take, and a little longer.
            assert_eq!(outside.span.get(), remote.client.timeout.0 + LEASE_MARGIN.0);
            outside.wait(501);
            assert_eq!(state(&kept, &outside), DocumentState::Stale);
            outside.next(Ok(Fetched::NotModified { cache_control: "max-age=300".into() }));
            let (kept, change) = kept.asked(remote, &meaning, Waiting::NotAtAll, &outside.io());
            assert_eq!((lines(&kept), change, outside.etag.take()), (vec!["a"], None, Some("\"1\"".into())));
            outside.wait(299);
            assert_eq!(state(&kept, &outside), DocumentState::Fresh);
            outside.wait(1);
            assert_eq!(state(&kept, &outside), DocumentState::Stale);
        });
    }

    #[test]
    fn the_last_failure_is_the_reason_even_if_the_time_is_over() {
        let rules = ClientRules { max_retries: 9, ..client() };
        with_client(&rules, None, |remote| {
            for (slow, asked, expected) in [
                (0, 10, "no connection"),
                (5, 1, "no connection"),
                (4, 2, "no connection"),
                (6, 1, "no connection"),
            ] {
                let outside = Outside::new();
                outside.slow.set(slow);
                let (kept, _) = Kept::of_remote(remote).asked(
                    remote,
                    &Lines::default(),
                    Waiting::ForDocument,
                    &outside.io(),
                );
                assert_eq!(
                    (kept.last_error.as_deref(), outside.asked.get()),
                    (Some(expected), asked),
                    "{slow}"
                );
            }
        });
    }

    #[test]
    fn texts_of_files_are_read_for_each_fetch() {
        let header = |name: &str, scheme: &str, value| RequestHeader {
            name: name.into(),
            scheme: scheme.into(),
            value,
        };
        let file = || TextSource::File("/secret".into());
        let headers = vec![
            header("X-Key", "", file()),
            header("Authorization", "Bearer", file()),
            header("X-Kind", "", TextSource::Inline("keys".into())),
        ];
        let rules = ClientRules { server: ServerRules { headers, ..ServerRules::default() }, ..client() };
        with_client(&rules, None, |remote| {
            let (outside, meaning) = (Outside::new(), Lines::default());
            let mut kept = Kept::of_remote(remote);
            for (text, sent) in
                [(None, None), (Some("first\r\n"), Some("first")), (Some("second"), Some("second"))]
            {
                *outside.file.borrow_mut() = text.map(|text| (1, text.to_owned()));
                outside.sent.borrow_mut().clear();
                outside.next(document(text.unwrap_or("never")));
                outside.wait(700);
                kept = kept.asked(remote, &meaning, Waiting::ForDocument, &outside.io()).0;
                let expected = sent.map(|text| {
                    [
                        ("X-Key", text.to_owned()),
                        ("Authorization", format!("Bearer {text}")),
                        ("X-Kind", "keys".into()),
                    ]
                    .map(|(name, value)| (name.to_owned(), value))
                });
                assert_eq!(outside.sent.take(), expected.into_iter().flatten().collect::<Vec<_>>());
                assert_eq!(kept.last_error.is_some(), sent.is_none());
            }
        });
    }

    #[test]
    fn a_file_that_says_the_same_again_is_no_news() {
        let (outside, path) = (Outside::new(), "/lines");
        let reads = Cell::new(0);
        let read = |bytes: Vec<u8>| -> Result<Vec<String>, DocumentError> {
            reads.set(reads.get() + 1);
            let text = String::from_utf8(bytes).map_err(|_| DocumentError::NotUtf8)?;
            if text == "bad" { Err(DocumentError::NotUtf8) } else { Ok(vec![text]) }
        };
        let mut kept = Kept::of_file();
        for (file, generation, news, due, had) in [
            (Some((1, "a")), 1, true, 1, 1),
            // Not read again, also where it was touched only once.
            (Some((1, "a")), 1, false, 1, 1),
            (Some((2, "a")), 1, false, 1, 2),
            (Some((2, "a")), 1, false, 1, 2),
            (None, 1, true, 0, 2),
            (None, 1, false, 0, 2),
            (Some((2, "a")), 1, true, 1, 3),
            (Some((2, "a")), 1, false, 1, 3),
            (Some((3, "bad")), 1, true, 0, 4),
            (Some((4, "b")), 2, true, 1, 5),
        ] {
            *outside.file.borrow_mut() = file.map(|(at, text)| (at, text.to_owned()));
            outside.wait(1);
            let (next, change) = kept.reread(path, 100, &read, outside.now(), &outside.io());
            kept = next;
            let found = (kept.generation, change.is_some(), reads.get());
            assert_eq!(found, (generation, news, had), "{file:?}");
            assert_eq!(kept.last_error.is_none(), due == 1, "{file:?}");
            assert_eq!(kept.freshness.fetched_at() == Some(outside.now()), due == 1, "{file:?}");
        }
    }

    #[test]
    fn a_failure_is_reported_by_the_instance_that_made_the_first_one() {
        with_remote(None, |remote| {
            let (now, never) = (UnixTime::from_seconds(1), Kept::of_remote(remote));
            for (failures, reported) in [(1, true), (2, false)] {
                let shared = Shared { version: Version(7), failures, ..Shared::default() };
                let own = |error: FetchError| Some(Err(error.into()));
                let (failed, change) = never.taken_over(
                    shared.clone(),
                    remote,
                    &Lines::default(),
                    own(FetchError::Connect),
                    now,
                );
                assert_eq!(change.is_some(), reported, "{failures}");
                // In a new way: it is reported, whichever instance was first.
                let again =
                    failed.taken_over(shared, remote, &Lines::default(), own(FetchError::Timeout), now);
                assert!(again.1.is_some());
            }
        });
    }
}
