//! A provider, a file system and other instances, simulated for tests.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::core::fetching::{ClientRules, ServerRules};
use crate::core::unix_time::{Seconds, UnixTime};
use crate::core::url::Url;
use crate::documents::directory::{Claim, Directory};
use crate::documents::document::SharedDocument;
use crate::documents::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use crate::documents::files::{FileError, FileStamp, ReadFile};
use crate::documents::io::Io;
use crate::documents::lease::{Failure, Holder, Lease, Share, Shared, Turn, Unshared, Version, Waiting};
use crate::documents::source_id::SourceId;

type Provider = Box<dyn Fn(&Url) -> Result<Fetched, FetchError>>;

/// Everything that [`Io`] asks for.
pub struct Outside {
    now: Rc<Cell<UnixTime>>,
    clock: Box<dyn Fn() -> UnixTime>,
    answers: RefCell<Vec<Result<Fetched, FetchError>>>,
    /// What answers if no answers are queued.
    provider: Provider,
    /// Requests at the provider.
    pub asked: Cell<usize>,
    /// Their URLs.
    pub urls: RefCell<Vec<String>>,
    /// The `If-None-Match` of the last request.
    pub etag: RefCell<Option<String>>,
    /// The `Accept` of the last request.
    pub accept: Cell<&'static str>,
    /// Seconds that every answer takes.
    pub slow: Cell<u64>,
    /// The one file: time of modification, content.
    pub file: RefCell<Option<(u64, String)>>,
    /// The instances share nothing.
    pub alone: Cell<bool>,
    /// Another instance is fetching.
    pub busy: Cell<bool>,
    /// How often an instance wanted to fetch.
    pub turns: Cell<usize>,
    /// How often it looked for what others have learnt.
    pub looks: Cell<usize>,
    /// How long the others were to wait for the last attempt, in seconds.
    pub span: Cell<u64>,
    /// The headers of the configuration in the last request.
    pub sent: RefCell<Vec<(String, String)>>,
    shared: RefCell<BTreeMap<SourceId, Shared>>,
    /// Of the clock that is never set back.
    version: Cell<u64>,
    files: RefCell<BTreeMap<String, Vec<u8>>>,
}

impl Default for Outside {
    fn default() -> Self {
        Self::new()
    }
}

/// `clientConfig` of a test: nothing but a timeout.
pub fn client() -> ClientRules {
    ClientRules {
        ca: None,
        insecure_skip_verify: false,
        timeout: Seconds(5),
        max_retries: 0,
        allow_http: false,
        proxy: None,
        no_proxy: String::new(),
        server: ServerRules::default(),
    }
}

impl Outside {
    /// A provider that is down and no file, at some time.
    pub fn new() -> Self {
        let now = Rc::new(Cell::new(UnixTime::from_seconds(10_000)));
        let clock = Rc::clone(&now);
        Self {
            now,
            clock: Box::new(move || clock.get()),
            answers: RefCell::default(),
            provider: Box::new(|_| Err(FetchError::Connect)),
            asked: Cell::new(0),
            urls: RefCell::default(),
            etag: RefCell::default(),
            accept: Cell::default(),
            slow: Cell::new(0),
            file: RefCell::default(),
            alone: Cell::new(false),
            busy: Cell::new(false),
            turns: Cell::new(0),
            looks: Cell::new(0),
            span: Cell::new(0),
            sent: RefCell::default(),
            shared: RefCell::default(),
            version: Cell::new(0),
            files: RefCell::default(),
        }
    }

    /// The same at `now`.
    pub fn at(self, now: UnixTime) -> Self {
        self.set(now);
        self
    }

    /// The same with a provider that answers.
    pub fn with_provider(self, provider: impl Fn(&Url) -> Result<Fetched, FetchError> + 'static) -> Self {
        Self { provider: Box::new(provider), ..self }
    }

    /// As ring 2 asks for it.
    pub fn io(&self) -> Io<'_> {
        Io { now: &self.clock, files: self, fetch: self, share: self, directory: self }
    }

    /// The time.
    pub fn now(&self) -> UnixTime {
        self.now.get()
    }

    /// Queues an answer of the provider.
    pub fn next(&self, answer: Result<Fetched, FetchError>) {
        self.answers.borrow_mut().insert(0, answer);
    }

    /// Sets the time.
    pub fn set(&self, now: UnixTime) {
        self.now.set(now);
    }

    /// Lets time pass.
    pub fn wait(&self, seconds: u64) {
        self.now.set(self.now.get().saturating_add(Seconds(seconds)));
    }

    /// Sets the clock back.
    pub fn set_back(&self, seconds: u64) {
        self.now.set(self.now.get().saturating_sub(Seconds(seconds)));
    }

    /// What an instance with an older copy makes of a record that was lost.
    pub fn begin_record_anew(&self, document: &SharedDocument) {
        for shared in self.shared.borrow_mut().values_mut() {
            *shared =
                Shared { version: self.version(), document: Some(document.clone()), ..Shared::default() };
        }
    }

    /// As for another router.
    pub fn forget_shared(&self) {
        self.shared.borrow_mut().clear();
    }

    fn version(&self) -> Version {
        self.version.set(self.version.get().max(self.now.get().as_millis()));
        Version(self.version.get())
    }
}

impl Fetch for Outside {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        self.asked.set(self.asked.get().saturating_add(1));
        self.urls.borrow_mut().push(request.url.to_string());
        *self.etag.borrow_mut() = request.etag.map(str::to_owned);
        self.accept.set(request.accept);
        self.sent.borrow_mut().clone_from(&request.client.headers);
        self.wait(self.slow.get());
        let lined_up = self.answers.borrow_mut().pop();
        lined_up.unwrap_or_else(|| (self.provider)(request.url))
    }
}

impl ReadFile for Outside {
    fn stat(&self, _: &str) -> Result<FileStamp, FileError> {
        let file = self.file.borrow();
        let (modified, text) = file.as_ref().ok_or(FileError::NotFound)?;
        let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
        Ok(FileStamp { modified: *modified, size, inode: 1 })
    }

    fn read(&self, _: &str, _: usize) -> Result<Vec<u8>, FileError> {
        self.file.borrow().as_ref().map(|(_, text)| text.clone().into_bytes()).ok_or(FileError::NotFound)
    }
}

impl Share for Outside {
    fn look(&self, source: SourceId, seen: Version) -> Option<Shared> {
        self.looks.set(self.looks.get().saturating_add(1));
        self.shared.borrow().get(&source).filter(|shared| shared.version > seen).cloned()
    }

    fn begin(&self, source: SourceId, seen: Version, waiting: Waiting, span: Seconds) -> Turn {
        self.turns.set(self.turns.get().saturating_add(1));
        self.span.set(span.0);
        if self.alone.get() {
            return Unshared.begin(source, seen, waiting, span);
        }
        if let Some(shared) = self.look(source, seen) {
            return Turn::Known(shared);
        }
        if self.busy.get() {
            return if waiting == Waiting::NotAtAll { Turn::Underway } else { Turn::Crowded };
        }
        let known = self.shared.borrow().get(&source).and_then(|shared| shared.document.clone());
        Turn::Ask(Lease { source, known, version: seen.next(), holder: Holder::Recorded(None) })
    }

    fn finish(&self, lease: Lease, attempt: Result<SharedDocument, Failure>) -> Shared {
        if self.alone.get() {
            return Unshared.finish(lease, attempt);
        }
        let known = self.shared.borrow().get(&lease.source).cloned().unwrap_or_default();
        let shared = known.after(attempt, self.version());
        self.shared.borrow_mut().insert(lease.source, shared.clone());
        shared
    }
}

impl Directory for Outside {
    fn load(&self, _: &str, name: &str, _: usize) -> Option<Vec<u8>> {
        self.files.borrow().get(name).cloned()
    }

    fn store(&self, _: &str, name: &str, content: &[u8]) {
        self.files.borrow_mut().insert(name.into(), content.into());
    }

    fn claim(&self, _: &str, _: &str, _: Seconds) -> Claim {
        Claim::Ours
    }

    fn release(&self, _: &str, _: &str) {}

    fn pause(&self) {}
}
