//! A provider, a file system and other instances, as a test plays them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use crate::core::unix_time::{Seconds, UnixTime};
use crate::keys::io::{
    Archive, Asked, Claim, Failure, Fetch, FetchError, FetchRequest, Fetched, FileError, FileStamp,
    Generation, Io, ReadFile, Share, Shared, SharedDocument, SourceId, Unshared, Waiting,
};

pub(super) struct Outside {
    now: Cell<UnixTime>,
    answers: RefCell<Vec<Result<Fetched, FetchError>>>,
    /// Requests at the provider.
    pub(super) asked: Cell<usize>,
    /// Their URLs.
    pub(super) urls: RefCell<Vec<String>>,
    /// The `If-None-Match` of the last.
    pub(super) etag: RefCell<Option<String>>,
    /// Seconds that every answer takes.
    pub(super) slow: Cell<u64>,
    /// The one file: time of modification, content.
    pub(super) file: RefCell<Option<(u64, String)>>,
    /// No mailbox.
    pub(super) alone: Cell<bool>,
    /// Another instance is asking.
    pub(super) busy: Cell<bool>,
    /// How often an instance wanted to ask.
    pub(super) turns: Cell<usize>,
    shared: RefCell<BTreeMap<SourceId, Shared>>,
    shelf: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Outside {
    pub(super) fn new() -> Self {
        Self {
            now: Cell::new(UnixTime::from_seconds(10_000)),
            answers: RefCell::default(),
            asked: Cell::new(0),
            urls: RefCell::default(),
            etag: RefCell::default(),
            slow: Cell::new(0),
            file: RefCell::default(),
            alone: Cell::new(false),
            busy: Cell::new(false),
            turns: Cell::new(0),
            shared: RefCell::default(),
            shelf: RefCell::default(),
        }
    }

    /// What the provider answers after all answers that are already lined up.
    pub(super) fn next(&self, answer: Result<Fetched, FetchError>) {
        self.answers.borrow_mut().insert(0, answer);
    }

    pub(super) fn wait(&self, seconds: u64) {
        self.now.set(self.now.get().saturating_add(Seconds(seconds)));
    }

    /// What an instance with an older copy makes of a record that was lost.
    pub(super) fn begin_record_anew(&self, document: SharedDocument) {
        let generation = Generation(self.now.get().as_millis());
        for shared in self.shared.borrow_mut().values_mut() {
            *shared = Shared { generation, document: Some(document.clone()), ..Shared::default() };
        }
    }

    /// As for another router.
    pub(super) fn forget_shared(&self) {
        self.shared.borrow_mut().clear();
    }
}

impl Fetch for Outside {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        self.asked.set(self.asked.get() + 1);
        self.urls.borrow_mut().push(request.url.to_string());
        *self.etag.borrow_mut() = request.etag.map(str::to_owned);
        self.wait(self.slow.get());
        self.answers.borrow_mut().pop().unwrap_or(Err(FetchError::Connect))
    }
}

impl ReadFile for Outside {
    fn stat(&self, _: &str) -> Result<FileStamp, FileError> {
        let file = self.file.borrow();
        let (modified, text) = file.as_ref().ok_or(FileError::NotFound)?;
        Ok(FileStamp { modified: *modified, size: text.len() as u64, inode: 1 })
    }

    fn read(&self, _: &str, _: usize) -> Result<Vec<u8>, FileError> {
        self.file.borrow().as_ref().map(|(_, text)| text.clone().into_bytes()).ok_or(FileError::NotFound)
    }
}

impl Share for Outside {
    fn look(&self, source: SourceId, seen: Generation) -> Option<Shared> {
        self.shared.borrow().get(&source).filter(|shared| shared.generation > seen).cloned()
    }

    fn ask(
        &self,
        source: SourceId,
        seen: Generation,
        lease: Seconds,
        waiting: Waiting,
        attempt: &mut dyn FnMut(Option<&SharedDocument>) -> Result<SharedDocument, Failure>,
    ) -> Asked {
        self.turns.set(self.turns.get() + 1);
        if self.alone.get() {
            return Unshared.ask(source, seen, lease, waiting, attempt);
        }
        if let Some(shared) = self.look(source, seen) {
            return Asked::Known(shared);
        }
        if self.busy.get() {
            return if waiting == Waiting::NotAtAll { Asked::Underway } else { Asked::Crowded };
        }
        let known = self.shared.borrow().get(&source).cloned().unwrap_or_default();
        let outcome = attempt(known.document.as_ref());
        let shared = known.after(outcome, Generation(self.now.get().as_millis()));
        self.shared.borrow_mut().insert(source, shared.clone());
        Asked::Known(shared)
    }
}

impl Archive for Outside {
    fn load(&self, _: &str, name: &str, _: usize) -> Option<Vec<u8>> {
        self.shelf.borrow().get(name).cloned()
    }

    fn store(&self, _: &str, name: &str, content: &[u8]) {
        self.shelf.borrow_mut().insert(name.into(), content.into());
    }

    fn claim(&self, _: &str, _: &str, _: Seconds) -> Claim {
        Claim::Ours
    }

    fn release(&self, _: &str, _: &str) {}

    fn pause(&self) {}
}

impl Io for Outside {
    fn now(&self) -> UnixTime {
        self.now.get()
    }
}
