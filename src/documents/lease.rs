//! Who asks for a document: one instance of a router at a time. It begins with a lease and finishes with a result that all
//! instances see, also if that is a failure.

use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::document::SharedDocument;
use crate::documents::source_id::SourceId;

/// Orders the states of one source: every attempt makes a higher one. Zero is that of a source never asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

/// What all instances know of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Of the last attempt.
    pub version: Version,
    /// What the last successful attempt brought.
    pub document: Option<SharedDocument>,
    /// Failed attempts since then.
    pub failures: u32,
    /// The last of them.
    pub failure: Option<Failure>,
}

/// An attempt that brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When it failed.
    pub at: UnixTime,
    /// Why, for operators.
    pub reason: String,
}

/// What a request does while another instance fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It lacks the document and waits, if not too many do.
    ForDocument,
    /// It goes on with the document that it has.
    NotAtAll,
}

/// Whose turn it is to ask for a source.
#[derive(Debug)]
pub enum Turn {
    /// Nobody's: this state is newer than the one seen, of a success or of a failure.
    Known(Shared),
    /// This instance's, which asks and then calls [`Share::finish`].
    Ask(Lease),
    /// Another instance's, which is asking.
    Underway,
    /// Another instance's, and as many requests wait for it as may.
    Crowded,
}

/// The right to ask for a source. One that is dropped holds up nobody for longer than it was taken for: it expires.
#[derive(Debug)]
pub struct Lease {
    /// Of what.
    pub source: SourceId,
    /// The document that all instances have, which may be asked for conditionally.
    pub known: Option<SharedDocument>,
    /// Of the state after the attempt, unless that is recorded with a newer one.
    pub version: Version,
    /// For whom it holds.
    pub holder: Holder,
}

/// Which other instances a lease keeps from asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// All: it is in their record, and those that wait for its end are notified.
    Recorded(Option<Notify>),
    /// None: the instance has no record in common with others, or one that has no room for the document.
    Alone,
}

/// What wakes those who wait for a lease to end, as the host knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Number of its descriptor.
    pub number: u32,
    /// Distinguishes it from what may have the same number later.
    pub mark: u32,
}

/// Shares what was fetched between the instances of a router. Implemented by `host`.
pub trait Share {
    /// What is known of `source` if it is newer than `seen`. Costs microseconds.
    fn look(&self, source: SourceId, seen: Version) -> Option<Shared>;

    /// Whose turn it is to ask for `source`, if nothing newer than `seen` is known. A lease ends after `span`, finished
    /// or not. Blocks for as long as another instance asks if the request is `waiting`, and for twice `span` at most.
    fn begin(&self, source: SourceId, seen: Version, waiting: Waiting, span: Seconds) -> Turn;

    /// Shares the result of an attempt and ends its lease. Returns the new state.
    fn finish(&self, lease: Lease, attempt: Result<SharedDocument, Failure>) -> Shared;
}

/// Shares nothing: for a host without the means.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unshared;

impl Share for Unshared {
    fn look(&self, _: SourceId, _: Version) -> Option<Shared> {
        None
    }

    fn begin(&self, source: SourceId, seen: Version, _: Waiting, _: Seconds) -> Turn {
        Turn::Ask(Lease::alone(source, seen.next()))
    }

    fn finish(&self, lease: Lease, attempt: Result<SharedDocument, Failure>) -> Shared {
        Shared::default().after(attempt, lease.version)
    }
}

impl Version {
    /// The next one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl Lease {
    /// A lease that keeps no other instance from asking. Nothing is known, so it brings a document.
    pub const fn alone(source: SourceId, version: Version) -> Self {
        Self { source, known: None, version, holder: Holder::Alone }
    }
}

impl Shared {
    /// The state after an attempt; its version is `at_least` or the next one.
    pub fn after(self, attempt: Result<SharedDocument, Failure>, at_least: Version) -> Self {
        let version = self.version.next().max(at_least);
        match attempt {
            Ok(document) => Self { version, document: Some(document), failures: 0, failure: None },
            Err(failure) => {
                Self { version, failures: self.failures.saturating_add(1), failure: Some(failure), ..self }
            }
        }
    }
}
