//! The list of what is revoked, as one instance has it: read from a file when that changes, or fetched and shared as key sets
//! are.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use crate::core::fetching::DocumentState;
use crate::core::limits::{MAX_REASON_CHARS, MAX_REVOCATION_LIST_BYTES};
use crate::core::refusal_log::LogLevel;
use crate::core::revocation::list::{ListError, RevocationList};
use crate::core::revocation::{ListSource, RemoteList, Revocations};
use crate::core::text::{cut, one_line};
use crate::core::unix_time::UnixTime;
use crate::core::url::Url;
use crate::documents::ask::{Meaning, Place, Remote};
use crate::documents::document::Document;
use crate::documents::error::DocumentError;
use crate::documents::fetch::FetchError;
use crate::documents::io::Io;
use crate::documents::kept::{Change, Kept};
use crate::documents::lease::Waiting;

/// Why there is no list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RevocationError {
    /// It could not be had.
    Document(DocumentError),
    /// It is none.
    List(ListError),
}

impl From<DocumentError> for RevocationError {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

impl fmt::Display for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(error) => error.fmt(f),
            Self::List(error) => error.fmt(f),
        }
    }
}

/// The document at the URL of a list.
struct List<'l>(&'l RemoteList);

impl List<'_> {
    fn document(&self) -> Remote<'_> {
        Remote {
            kind: "revocations",
            location: self.0.url.to_string(),
            home: &self.0.url.origin,
            client: &self.0.client,
            cache: self.0.cache,
            directory: self.0.directory.as_deref(),
            accept: "application/json-seq, application/jsonl, application/x-ndjson, */*",
            max_body_bytes: MAX_REVOCATION_LIST_BYTES,
        }
    }
}

impl Meaning for List<'_> {
    type Content = RevocationList;
    type Error = RevocationError;

    fn locate(
        &self,
        _: &[(String, String)],
        _: &dyn Fn(&Url) -> Result<Document, FetchError>,
    ) -> Result<Place, RevocationError> {
        Ok(Place::Configured(self.0.url.clone()))
    }

    fn read(&self, body: &[u8]) -> Result<RevocationList, RevocationError> {
        RevocationList::parse(body).map_err(RevocationError::List)
    }
}

/// The list of `source`, if it is on a server.
fn remote(source: Option<&ListSource>) -> Option<List<'_>> {
    match source {
        Some(ListSource::Url(list)) => Some(List(list)),
        Some(ListSource::File(_)) | None => None,
    }
}

/// What an instance keeps of the list.
pub struct RevokedTokens {
    source: Option<Rc<ListSource>>,
    kept: RefCell<Rc<Kept<RevocationList>>>,
    /// A decision has asked for the list and found none.
    is_missed: Cell<bool>,
}

/// Something an operator should read: its level and its text.
pub type Event = (LogLevel, String);

impl RevokedTokens {
    /// Nothing has been asked yet.
    #[must_use]
    pub fn new(source: Option<&Rc<ListSource>>) -> Self {
        let kept = remote(source.map(AsRef::as_ref))
            .map_or_else(Kept::of_file, |list| Kept::of_remote(&list.document()));
        Self { source: source.cloned(), kept: RefCell::new(Rc::new(kept)), is_missed: Cell::new(false) }
    }

    /// Reads a file that has changed.
    pub fn catch_up(&self, now: UnixTime, io: &Io<'_>) -> Option<Event> {
        let Some(ListSource::File(path)) = self.source.as_deref() else { return None };
        let kept = self.kept();
        let is_absent = kept.freshness.state(now) == DocumentState::Absent;
        if !(kept.is_due(now) || is_absent && kept.freshness.may_ask(now)) {
            return None;
        }
        let read = |bytes: Vec<u8>| RevocationList::parse(&bytes).map_err(RevocationError::List);
        let (next, change) = kept.reread(path, MAX_REVOCATION_LIST_BYTES, &read, now, io);
        self.replace(next, change)
    }

    /// Takes over what other instances have learnt of a list at a URL. Asks no server.
    pub fn look(&self, now: UnixTime, io: &Io<'_>) {
        let Some(list) = remote(self.source.as_deref()) else { return };
        let kept = self.kept();
        if kept.may_look(now) {
            *self.kept.borrow_mut() = Rc::new(kept.caught_up(&list.document(), &list, now, io));
        }
    }

    /// Whether the last decision lacked the list, and its server may be asked.
    #[must_use]
    pub fn is_worth_asking(&self, now: UnixTime) -> bool {
        let may_ask = remote(self.source.as_deref()).is_some() && self.kept().freshness.may_ask(now);
        self.is_missed.take() && may_ask
    }

    /// Asks the server, for a request that waits.
    pub fn refresh(&self, io: &Io<'_>) -> Option<Event> {
        self.ask(Waiting::ForDocument, io)
    }

    /// Asks the server if the list is due, or was missed by a request that went on without it; nobody waits.
    pub fn refresh_ahead(&self, now: UnixTime, io: &Io<'_>) -> Option<Event> {
        let asks = self.kept().is_due(now) || self.is_worth_asking(now);
        if asks { self.ask(Waiting::NotAtAll, io) } else { None }
    }

    /// The list as a decision at `now` sees it.
    #[must_use]
    pub const fn at(&self, now: UnixTime) -> RevokedAt<'_> {
        RevokedAt { tokens: self, now }
    }

    fn ask(&self, waiting: Waiting, io: &Io<'_>) -> Option<Event> {
        let list = remote(self.source.as_deref())?;
        let (next, change) = self.kept().asked(&list.document(), &list, waiting, io);
        self.replace(next, change)
    }

    fn kept(&self) -> Rc<Kept<RevocationList>> {
        Rc::clone(&self.kept.borrow())
    }

    fn replace(&self, next: Kept<RevocationList>, change: Option<Change<RevocationError>>) -> Option<Event> {
        let entries = next.content.as_ref().map_or(0, |list| list.len());
        let had = next.content.is_some();
        *self.kept.borrow_mut() = Rc::new(next);
        let place = match self.source.as_deref()? {
            ListSource::File(path) => path.clone(),
            // A query may hold a credential.
            ListSource::Url(list) => format!("{}{}", list.url.origin, list.url.path()),
        };
        let (level, text) = match change? {
            Change::Replaced => (LogLevel::Info, format!("{entries} revocations")),
            Change::Recovered => (LogLevel::Info, "available again".to_owned()),
            Change::Failed(error) => {
                let reason = error.to_string();
                let reason = cut(&reason, MAX_REASON_CHARS);
                if had {
                    (LogLevel::Warn, format!("{reason}; the {entries} revocations from before still count"))
                } else {
                    (LogLevel::Error, format!("{reason}; what is revoked is not known"))
                }
            }
        };
        Some((level, one_line(format_args!("{place}: {text}"))))
    }
}

/// [`RevokedTokens`] at an instant.
#[derive(Clone, Copy)]
pub struct RevokedAt<'t> {
    tokens: &'t RevokedTokens,
    now: UnixTime,
}

impl Revocations for RevokedAt<'_> {
    fn list(&self) -> Option<Rc<RevocationList>> {
        let kept = self.tokens.kept();
        let serves = kept.freshness.state(self.now) != DocumentState::Absent;
        let list = kept.content.clone().filter(|_| serves);
        self.tokens.is_missed.set(list.is_none());
        list
    }
}
