//! The list of what is revoked, as one instance has it: read from a file when that changes, or fetched and shared as key sets
//! are.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

use crate::core::fetching::DocumentState;
use crate::core::limits::{MAX_REASON_CHARS, MAX_REVOCATION_LIST_BYTES};
use crate::core::refusal_log::LogLevel;
use crate::core::revocation::list::{ListError, RevocationList};
use crate::core::revocation::{ListSource, ListView, RemoteList, Revocations};
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

/// Where the list is.
fn place(source: &ListSource) -> String {
    match source {
        ListSource::File(path) => path.clone(),
        // A query may hold a credential.
        ListSource::Url(list) => format!("{}{}", list.url.origin, list.url.path()),
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
        let place = place(self.source.as_deref()?);
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

    fn list_view(&self) -> Option<ListView> {
        let place = place(self.tokens.source.as_deref()?);
        let kept = self.tokens.kept();
        let entries = kept.content.as_ref().map_or(0, |list| list.len());
        Some(ListView { document: kept.view(place, self.now), entries })
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{ListSource, ListView, RemoteList, Revocations, RevokedTokens};
    use crate::core::fetching::{CacheRules, DocumentState};
    use crate::core::refusal_log::LogLevel::{Error, Info, Warn};
    use crate::core::unix_time::Seconds;
    use crate::core::url::Url;
    use crate::documents::document::Document;
    use crate::documents::fetch::Fetched;
    use crate::documents::outside::{Outside, client};

    const ONE: &str = r#"{"jti":"a"}"#;
    const TWO: &str = "{\"jti\":\"a\"}\n{\"sub\":\"b\"}\n";

    fn on_a_server() -> RevokedTokens {
        let list = RemoteList {
            url: Url::parse("https://idp.example/revoked?key=hidden").unwrap(),
            client: client(),
            cache: CacheRules { ttl: Seconds(100), cooldown: Seconds(10), stale: Seconds(1_000) },
            directory: None,
        };
        RevokedTokens::new(Some(&Rc::new(ListSource::Url(Box::new(list)))))
    }

    fn answers(outside: &Outside, text: &str) {
        outside.next(Ok(Fetched::Document(Document { body: text.into(), ..Document::default() })));
    }

    fn entries(tokens: &RevokedTokens, outside: &Outside) -> Option<usize> {
        tokens.at(outside.now()).list().map(|list| list.len())
    }

    #[test]
    fn without_a_source_nothing_is_asked() {
        let (tokens, outside) = (RevokedTokens::new(None), Outside::new());
        let (now, io) = (outside.now(), outside.io());
        tokens.look(now, &io);
        assert_eq!(entries(&tokens, &outside), None);
        assert!(!tokens.is_worth_asking(now));
        assert_eq!(
            [tokens.catch_up(now, &io), tokens.refresh(&io), tokens.refresh_ahead(now, &io)],
            [const { None }; 3]
        );
        assert_eq!((outside.asked.get(), outside.turns.get()), (0, 0));
    }

    #[test]
    fn a_file_is_read_when_it_changes_and_the_last_good_list_counts() {
        let source = Rc::new(ListSource::File("/revoked".into()));
        let (tokens, outside) = (RevokedTokens::new(Some(&source)), Outside::new());
        let none = "/revoked: no such file below settings.mounts; what is revoked is not known";
        let kept = "not one JSON object with jti, sid, sub or client_id, and perhaps before in seconds; \
            the 2 revocations from before still count";
        for (content, wait, event, expected) in [
            (None, 0, Some((Error, none)), None),
            // The same is said once; a file that is not there is asked for once a second.
            (None, 2, None, None),
            (Some((1, ONE)), 0, None, None),
            (Some((1, ONE)), 2, Some((Info, "/revoked: 1 revocations")), Some(1)),
            (Some((2, TWO)), 0, None, Some(1)),
            (Some((2, TWO)), 2, Some((Info, "/revoked: 2 revocations")), Some(2)),
            (Some((2, TWO)), 2, None, Some(2)),
            (Some((3, "no list")), 2, Some((Warn, kept)), Some(2)),
            (Some((4, TWO)), 5, Some((Info, "/revoked: available again")), Some(2)),
        ] {
            *outside.file.borrow_mut() = content.map(|(at, text)| (at, text.to_owned()));
            outside.wait(wait);
            let found = tokens.catch_up(outside.now(), &outside.io());
            let found = found.as_ref().map(|(level, text)| (*level, text.as_str()));
            assert_eq!(found.map(|(level, _)| level), event.map(|(level, _)| level), "{content:?} {found:?}");
            let said = event.map_or("", |(_, said)| said);
            assert!(found.map_or("", |(_, text)| text).ends_with(said), "{content:?} {found:?}");
            assert_eq!(entries(&tokens, &outside), expected, "{content:?}");
        }
        // No server is asked about it.
        assert!(!tokens.is_worth_asking(outside.now()));
        assert_eq!(tokens.refresh_ahead(outside.now(), &outside.io()), None);
        assert_eq!(outside.turns.get(), 0);
    }

    #[test]
    fn a_server_is_asked_for_a_request_that_lacks_the_list_and_not_before() {
        let (tokens, outside) = (on_a_server(), Outside::new());
        let now = outside.now();
        assert_eq!(tokens.catch_up(now, &outside.io()), None);
        assert!(!tokens.is_worth_asking(now), "nothing was missed");
        assert_eq!(tokens.refresh_ahead(now, &outside.io()), None);
        assert_eq!(entries(&tokens, &outside), None);
        assert!(tokens.is_worth_asking(now));
        assert!(!tokens.is_worth_asking(now), "once for each that missed it");
        let (level, text) = tokens.refresh(&outside.io()).unwrap();
        assert_eq!((level, outside.asked.get()), (Error, 1));
        assert!(text.starts_with("https://idp.example/revoked: "), "{text}");
        assert!(text.ends_with("; what is revoked is not known") && !text.contains("hidden"), "{text}");
        // Not until its server may be asked again.
        assert_eq!(entries(&tokens, &outside), None);
        assert!(!tokens.is_worth_asking(now));
        outside.wait(2);
        assert_eq!(entries(&tokens, &outside), None);
        answers(&outside, ONE);
        let event = tokens.refresh_ahead(outside.now(), &outside.io());
        assert_eq!(event, Some((Info, "https://idp.example/revoked: 1 revocations".to_owned())));
        assert_eq!((entries(&tokens, &outside), outside.asked.get()), (Some(1), 2));
        assert!(!tokens.is_worth_asking(outside.now()), "it is there");
        assert_eq!(
            outside.accept.get(),
            "application/json-seq, application/jsonl, application/x-ndjson, */*"
        );
        // Fresh: nobody asks. Due: somebody does whom nothing waits for.
        outside.wait(50);
        assert_eq!(tokens.refresh_ahead(outside.now(), &outside.io()), None);
        assert_eq!(outside.asked.get(), 2);
        outside.wait(60);
        answers(&outside, TWO);
        assert!(tokens.refresh_ahead(outside.now(), &outside.io()).is_some());
        assert_eq!((entries(&tokens, &outside), outside.asked.get()), (Some(2), 3));
        // What is no list replaces none.
        outside.wait(110);
        answers(&outside, "no list");
        let (level, text) = tokens.refresh_ahead(outside.now(), &outside.io()).unwrap();
        assert!(level == Warn && text.ends_with("; the 2 revocations from before still count"), "{text}");
        assert_eq!(entries(&tokens, &outside), Some(2));
        // Too old, it is none.
        outside.wait(2_000);
        assert_eq!(entries(&tokens, &outside), None);
        assert!(tokens.is_worth_asking(outside.now()));
    }

    #[test]
    fn operators_see_its_state() {
        let (tokens, outside) = (on_a_server(), Outside::new());
        let view = || tokens.at(outside.now()).list_view().unwrap();
        assert_eq!((view().entries, view().document.state), (0, DocumentState::Absent));
        answers(&outside, TWO);
        assert!(tokens.refresh(&outside.io()).is_some());
        outside.wait(7);
        let ListView { document, entries } = view();
        assert_eq!((entries, document.state), (2, DocumentState::Fresh));
        assert_eq!(document.place, "https://idp.example/revoked", "no query");
        assert_eq!(document.had_at.map(|at| outside.now().seconds_since(at)), Some(Seconds(7)));
        assert!(document.due_at.is_some() && document.last_error.is_none());
        outside.wait(110);
        answers(&outside, "no list");
        assert!(tokens.refresh_ahead(outside.now(), &outside.io()).is_some());
        assert!(view().entries == 2 && view().document.last_error.is_some());
        assert_eq!(RevokedTokens::new(None).at(outside.now()).list_view(), None);
    }

    #[test]
    fn what_another_instance_has_fetched_is_taken_over() {
        let (one, other, outside) = (on_a_server(), on_a_server(), Outside::new());
        answers(&outside, ONE);
        assert!(one.refresh(&outside.io()).is_some());
        assert_eq!(entries(&other, &outside), None);
        other.look(outside.now(), &outside.io());
        assert_eq!((entries(&other, &outside), outside.asked.get()), (Some(1), 1));
        // Looked at once a second.
        outside.wait(20);
        answers(&outside, TWO);
        other.look(outside.now(), &outside.io());
        assert!(one.refresh(&outside.io()).is_some());
        other.look(outside.now(), &outside.io());
        assert_eq!(entries(&other, &outside), Some(1));
        outside.wait(1);
        other.look(outside.now(), &outside.io());
        assert_eq!(entries(&other, &outside), Some(2));
    }
}
