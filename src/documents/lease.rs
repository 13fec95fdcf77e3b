//! Who fetches a document: one instance of a router at a time. It begins with a lease and finishes with a result that all
//! instances see, even if the result is a failure.

use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::document::SharedDocument;
use crate::documents::source_id::SourceId;

/// Orders the states of one source: every attempt makes a higher version. Zero means that there was no attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

/// What all instances know of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Version of the last attempt.
    pub version: Version,
    /// The result of the last successful attempt.
    pub document: Option<SharedDocument>,
    /// Failed attempts since then.
    pub failures: u32,
    /// The last failure.
    pub failure: Option<Failure>,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// When it failed.
    pub at: UnixTime,
    /// Why it failed, for operators.
    pub reason: String,
}

/// What a request does while another instance fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It needs the document and waits, unless too many requests wait already.
    ForDocument,
    /// It continues with the document that it has.
    NotAtAll,
}

/// Which instance fetches a source.
#[derive(Debug)]
pub enum Turn {
    /// None: this state is newer than the one seen. It is a success or a failure.
    Known(Shared),
    /// This instance. It fetches and then calls [`Share::finish`].
    Ask(Lease),
    /// Another instance, which is fetching.
    Underway,
    /// Another instance, and no more requests may wait for it.
    Crowded,
}

/// The right to fetch a source. If it is dropped, it blocks others only until it expires.
#[derive(Debug)]
pub struct Lease {
    /// The source to fetch.
    pub source: SourceId,
    /// The document that all instances have. The fetch may be conditional on it.
    pub known: Option<SharedDocument>,
    /// Version of the state after the attempt, unless the record has a newer one by then.
    pub version: Version,
    /// Which instances it holds off.
    pub holder: Holder,
}

/// Which other instances a lease keeps from fetching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// All: the lease is in their record, and those that wait for its end are notified.
    Recorded(Option<Notify>),
    /// None: the instance shares no record with others, or the record has no room for the document.
    Alone,
}

/// What wakes the requests that wait for a lease to end, as the host identifies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notify {
    /// Number of the descriptor.
    pub number: u32,
    /// Distinguishes it from a later descriptor with the same number.
    pub mark: u32,
}

/// Shares what was fetched between the instances of a router. Implemented by `host`.
pub trait Share {
    /// What is known of `source` if it is newer than `seen`. Costs microseconds.
    fn look(&self, source: SourceId, seen: Version) -> Option<Shared>;

    /// Decides which instance fetches `source` if nothing newer than `seen` is known. A lease expires after `span`. Blocks
    /// while another instance fetches, if the request is `waiting`, for at most twice `span`.
    fn begin(&self, source: SourceId, seen: Version, waiting: Waiting, span: Seconds) -> Turn;

    /// Shares the result of an attempt and ends its lease. Returns the new state.
    fn finish(&self, lease: Lease, attempt: Result<SharedDocument, Failure>) -> Shared;
}

/// Shares nothing: for a host without sockets.
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
    /// A lease that keeps no other instance from fetching. No document is known, so the fetch is not conditional.
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
                // Fetched before this attempt, whatever time the clock showed then: its time without a provider begins here.
                let document = self.document.map(|document| SharedDocument {
                    fetched_at: document.fetched_at.min(failure.at),
                    ..document
                });
                let failures = self.failures.saturating_add(1);
                Self { version, document, failures, failure: Some(failure) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Failure, Shared, Version};
    use crate::core::unix_time::UnixTime;
    use crate::documents::document::{Document, SharedDocument};

    #[test]
    fn failures_are_counted_until_an_attempt_succeeds() {
        let failure = || Err(Failure { at: UnixTime::from_millis(1), reason: "refused".into() });
        let document = SharedDocument { document: Document::default(), fetched_at: UnixTime::from_millis(1) };
        let mut shared = Shared::default();
        for (attempt, failures, version) in
            [(failure(), 1, 1), (failure(), 2, 2), (Ok(document), 0, 3), (failure(), 1, 4)]
        {
            shared = shared.after(attempt, Version(0));
            assert_eq!((shared.failures, shared.version), (failures, Version(version)));
            assert_eq!(shared.document.is_some(), version > 2);
        }
    }
}
