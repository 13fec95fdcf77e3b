//! One key source and what is kept of it: a file, or what all instances know of a URL, becomes a JWK Set.

use std::hash::{DefaultHasher, Hasher as _};
use std::rc::Rc;

use crate::core::jwk::lookup::{CacheRules, KeyFormat, KeyLocation, KeySetView, KeySource, RemoteKeys};
use crate::core::jwk::{Jwk, JwkSet, Origin, pem, secret};
use crate::core::limits::MAX_JWKS_BYTES;
use crate::core::unix_time::{Seconds, UnixTime};
use crate::keys::error::{KeyError, usable};
use crate::keys::freshness::{Freshness, State};
use crate::keys::io::{Asked, FileStamp, Generation, Io, Shared, SharedDocument, SourceId, Waiting};
use crate::keys::remote;

/// A file is examined once a second, and its keys serve for a day after it has gone.
const FILE_RULES: CacheRules = CacheRules { ttl: Seconds(1), cooldown: Seconds(1), stale: Seconds(86_400) };
/// Between two looks at what other instances know, and between two attempts to ask while another one asks.
const LOOK_INTERVAL: Seconds = Seconds(1);

/// What is kept of a source. Replaced whole.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The current set.
    pub set: Option<Rc<JwkSet>>,
    /// When it was had, and when to ask again.
    pub freshness: Freshness,
    /// Grows with every change of the set.
    pub generation: u64,
    /// Name of a URL's document among instances and routers.
    id: SourceId,
    /// The newest state of the URL's document that was taken over.
    seen: Generation,
    next_look: UnixTime,
    /// Another instance is asking: until then, only a request without keys asks whether it has finished.
    busy_until: UnixTime,
    stamp: Option<FileStamp>,
    /// Of what was read: the same bytes are the same keys.
    digest: Option<u64>,
    last_error: Option<String>,
}

/// Something an operator should read: a set changed, or a source failed in a new way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEvent {
    /// URL without its query, or path.
    pub place: String,
    /// What happened.
    pub kind: KeyEventKind,
}

/// Kinds of [`KeyEvent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyEventKind {
    /// A set was loaded that differs from the one before.
    Changed {
        /// `kid`s that came.
        added: Vec<String>,
        /// `kid`s that went.
        removed: Vec<String>,
        /// Usable keys in the set.
        keys: usize,
        /// Why other keys of the set are not used.
        skipped: Vec<String>,
        /// The document is one key, without the set around it.
        is_lone: bool,
        /// Since the set was fetched or read.
        age: Seconds,
        /// Until it is asked for again.
        next_refresh: Seconds,
    },
    /// The source failed; the same failure is not told twice in a row.
    Failed {
        /// Why.
        error: KeyError,
        /// Whether an older set goes on serving.
        serving_stale: bool,
        /// Earliest next attempt.
        retry_after: Seconds,
    },
    /// The source works again, with the set it had before.
    Recovered,
}

impl Loaded {
    /// State of a source that was never asked.
    #[must_use]
    pub fn new(source: &KeySource) -> Self {
        let (rules, id) = match source {
            KeySource::Configured(_) | KeySource::File { .. } => (FILE_RULES, SourceId([0; 16])),
            KeySource::Url(remote) => (remote.cache, remote::source_id(remote)),
        };
        let epoch = UnixTime::from_millis(0);
        Self {
            set: None,
            freshness: Freshness::new(rules),
            generation: 0,
            id,
            seen: Generation::default(),
            next_look: epoch,
            busy_until: epoch,
            stamp: None,
            digest: None,
            last_error: None,
        }
    }

    /// Whether the source should be asked now although its set still serves.
    #[must_use]
    pub fn is_due(&self, now: UnixTime) -> bool {
        self.freshness.is_due(now) && now >= self.busy_until
    }

    /// What other instances have learnt of the source since the last look; asks nobody.
    #[must_use]
    pub fn caught_up(&self, source: &KeySource, now: UnixTime, io: &dyn Io) -> Option<Self> {
        match source {
            KeySource::Url(remote) if now >= self.next_look => {
                let looked = Self { next_look: now.saturating_add(LOOK_INTERVAL), ..self.clone() };
                Some(match io.look(self.id, self.seen) {
                    Some(shared) => looked.taken_over(shared, remote, None, now).0,
                    None => looked,
                })
            }
            KeySource::Url(_) | KeySource::Configured(_) | KeySource::File { .. } => None,
        }
    }

    /// What an operator may know of it.
    #[must_use]
    pub fn view(&self, source: &KeySource, issuer: Vec<String>, now: UnixTime) -> KeySetView {
        let (set, state) = match source {
            KeySource::Configured(set) => (Some(set), State::Fresh),
            KeySource::File { .. } | KeySource::Url(_) => (self.set.as_deref(), self.freshness.state(now)),
        };
        KeySetView {
            issuer,
            place: place(source),
            state,
            keys: set.map_or(0, |set| set.keys().len()),
            kids: set.map(|set| set.kids().map(str::to_owned).collect()).unwrap_or_default(),
            had_at: self.freshness.fetched_at(),
            due_at: self.freshness.asked_at().filter(|_| state != State::Absent),
            last_error: self.last_error.clone(),
        }
    }

    /// Asks the source. Never fails: a failure is part of the new state.
    #[must_use]
    pub fn refreshed(
        &self,
        source: &KeySource,
        waiting: Waiting,
        now: UnixTime,
        io: &dyn Io,
    ) -> (Self, Option<KeyEvent>) {
        let (loaded, kind) = match source {
            KeySource::Configured(_) => return (self.clone(), None),
            KeySource::File { path, format } => self.reread(path, format, now, io),
            KeySource::Url(remote) => self.asked(remote, waiting, io),
        };
        (loaded, kind.map(|kind| KeyEvent { place: place(source), kind }))
    }

    fn asked(&self, remote: &RemoteKeys, waiting: Waiting, io: &dyn Io) -> (Self, Option<KeyEventKind>) {
        let remote::Answer { asked, own_attempt, failure } =
            remote::ask(remote, self.id, self.seen, waiting, io);
        let now = io.now();
        match asked {
            Asked::Known(shared) => {
                let outcome = own_attempt.then_some(match failure {
                    Some(error) if shared.failures > 0 => Err(error),
                    Some(_) | None => Ok(()),
                });
                self.taken_over(shared, remote, outcome, now)
            }
            Asked::Underway | Asked::Crowded => {
                (Self { busy_until: now.saturating_add(LOOK_INTERVAL), ..self.clone() }, None)
            }
        }
    }

    /// The state after `shared`, which is newer than this one. `outcome` is that of an attempt of our own: only whoever
    /// asked tells what became of it.
    fn taken_over(
        &self,
        shared: Shared,
        remote: &RemoteKeys,
        outcome: Option<Result<(), KeyError>>,
        now: UnixTime,
    ) -> (Self, Option<KeyEventKind>) {
        let own_failures = match &outcome {
            Some(Err(_)) => self.freshness.failures().saturating_add(1),
            Some(Ok(())) | None => 0,
        };
        // A record that was lost and begun anew may hold an older document than this instance.
        let newer = shared
            .document
            .filter(|document| self.freshness.fetched_at().is_none_or(|at| document.fetched_at >= at));
        let (mut loaded, changed) = match newer {
            Some(document) => self.with_document(&document, remote, now),
            None => (self.clone(), None),
        };
        loaded.seen = shared.generation;
        if shared.failures > 0 {
            let at = shared.failure.as_ref().map_or(now, |failure| failure.at.min(now));
            loaded.freshness = loaded.freshness.failed_times(at, shared.failures.max(own_failures));
        }
        let failed_before = self.last_error.is_some() || self.freshness.failures() > 0;
        let event = match outcome {
            None => {
                loaded.last_error = shared.failure.map(|failure| failure.reason);
                None
            }
            Some(Ok(())) => {
                loaded.last_error = None;
                changed.or_else(|| failed_before.then_some(KeyEventKind::Recovered))
            }
            Some(Err(error)) => {
                let reason = remote::reason(&error);
                // Where more than ours are known that this instance had not seen, since the record was lost for a while,
                // whoever made the first one has told of it.
                let news = match failed_before {
                    true => self.last_error.as_ref() != Some(&reason),
                    false => shared.failures <= 1,
                };
                let event = news.then(|| loaded.failure_event(&error, now));
                loaded.last_error = Some(reason);
                event
            }
        };
        (loaded, event)
    }

    fn with_document(
        &self,
        document: &SharedDocument,
        remote: &RemoteKeys,
        now: UnixTime,
    ) -> (Self, Option<KeyEventKind>) {
        let freshness = remote::freshness(remote, document, now);
        let digest = digest(&document.body);
        if self.set.is_some() && self.digest == Some(digest) {
            // The old set stays, so that what was verified with it stays verified.
            return (Self { freshness, ..self.clone() }, None);
        }
        // Whoever fetched it has looked; another's is trusted no more than the network.
        match remote::key_set(document) {
            Ok(set) => self.replaced(Self { freshness, ..self.clone() }, set, digest, now),
            Err(_) => (self.clone(), None),
        }
    }

    /// `next` with another set.
    fn replaced(&self, next: Self, set: JwkSet, digest: u64, now: UnixTime) -> (Self, Option<KeyEventKind>) {
        let kids_without = |of: &JwkSet, other: Option<&JwkSet>| {
            of.kids().filter(|kid| !other.is_some_and(|set| set.has_kid(kid))).map(str::to_owned).collect()
        };
        let before = self.set.as_deref();
        let event = KeyEventKind::Changed {
            added: kids_without(&set, before),
            removed: before.map(|before| kids_without(before, Some(&set))).unwrap_or_default(),
            keys: set.keys().len(),
            skipped: set.skipped.iter().map(ToString::to_string).collect(),
            is_lone: set.is_lone,
            age: now.seconds_since(next.freshness.fetched_at().unwrap_or(now)),
            next_refresh: next.freshness.asked_at().map_or(Seconds(0), |at| at.seconds_since(now)),
        };
        let generation = self.generation.wrapping_add(1);
        (Self { set: Some(Rc::new(set)), generation, digest: Some(digest), ..next }, Some(event))
    }

    fn failure_event(&self, error: &KeyError, now: UnixTime) -> KeyEventKind {
        KeyEventKind::Failed {
            error: error.clone(),
            serving_stale: self.set.is_some(),
            retry_after: self.freshness.retry_after(now),
        }
    }

    fn reread(
        &self,
        path: &str,
        format: &KeyFormat,
        now: UnixTime,
        io: &dyn Io,
    ) -> (Self, Option<KeyEventKind>) {
        let recovered = self.last_error.is_some().then_some(KeyEventKind::Recovered);
        match self.read(path, format, io) {
            Ok(None) => {
                let freshness = self.freshness.fetched(now, None);
                (Self { freshness, last_error: None, ..self.clone() }, recovered)
            }
            Ok(Some((set, digest, stamp))) => {
                let freshness = self.freshness.fetched(now, None);
                let next = Self { freshness, stamp: Some(stamp), last_error: None, ..self.clone() };
                if self.set.is_some() && self.digest == Some(digest) {
                    (next, recovered)
                } else {
                    self.replaced(next, set, digest, now)
                }
            }
            Err(error) => {
                let freshness = self.freshness.failed(now);
                let reason = remote::reason(&error);
                let news = self.last_error.as_ref() != Some(&reason);
                let failed = Self { freshness, last_error: Some(reason), ..self.clone() };
                let event = news.then(|| failed.failure_event(&error, now));
                (failed, event)
            }
        }
    }

    /// `None` where the file is the one that was read before.
    fn read(
        &self,
        path: &str,
        format: &KeyFormat,
        io: &dyn Io,
    ) -> Result<Option<(JwkSet, u64, FileStamp)>, KeyError> {
        let stamp = io.stat(path).map_err(KeyError::File)?;
        if self.set.is_some() && self.stamp == Some(stamp) && self.last_error.is_none() {
            return Ok(None);
        }
        let bytes = io.read(path, MAX_JWKS_BYTES).map_err(KeyError::File)?;
        let digest = digest(&bytes);
        Ok(Some((parse(bytes, format)?, digest, stamp)))
    }
}

/// Tells a changed document from an unchanged one. Nobody gains from a collision: whoever could make one chooses the
/// keys anyway.
fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}

fn parse(bytes: Vec<u8>, format: &KeyFormat) -> Result<JwkSet, KeyError> {
    let set = match format {
        KeyFormat::JwkSet => JwkSet::parse(bytes, Origin::Configured).map_err(KeyError::JwkSet)?,
        KeyFormat::Pem { kid } => {
            let text = String::from_utf8(bytes).map_err(|_| KeyError::NotUtf8)?;
            let mut keys = pem::parse(&text).map_err(KeyError::Pem)?;
            for key in &mut keys {
                key.kid.clone_from(kid);
            }
            JwkSet::from_keys(keys)
        }
        KeyFormat::Secret { kid, base64 } => secret_key(&bytes, kid.as_ref(), *base64)?,
        KeyFormat::PemOrSecret { kid } if bytes.windows(11).any(|window| window == b"-----BEGIN ") => {
            return parse(bytes, &KeyFormat::Pem { kid: kid.clone() });
        }
        KeyFormat::PemOrSecret { kid } => secret_key(&bytes, kid.as_ref(), false)?,
    };
    usable(set)
}

fn secret_key(bytes: &[u8], kid: Option<&String>, base64: bool) -> Result<JwkSet, KeyError> {
    let key = secret::parse(bytes, base64).map_err(KeyError::Secret)?;
    let mut key = Jwk::from_key(key);
    key.kid = kid.cloned();
    Ok(JwkSet::from_keys(vec![key]))
}

fn place(source: &KeySource) -> String {
    match source {
        KeySource::Configured(_) => String::new(),
        KeySource::File { path, .. } => path.clone(),
        // A query may hold a credential.
        KeySource::Url(remote) => match &remote.location {
            KeyLocation::Url(url) => format!("{}{}", url.origin, url.path()),
            KeyLocation::Discovery { issuers, .. } => issuers.first().cloned().unwrap_or_default(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::Loaded;
    use crate::core::jwk::lookup::KeySource;
    use crate::core::unix_time::UnixTime;
    use crate::keys::error::KeyError;
    use crate::keys::io::{FetchError, Generation, Shared};
    use crate::keys::remote::tests::remote;

    #[test]
    fn a_failure_is_told_by_whoever_made_the_first_one() {
        let (remote, now) = (remote(), UnixTime::from_seconds(1));
        let loaded = Loaded::new(&KeySource::Url(Box::new(remote.clone())));
        for (failures, told) in [(1, true), (2, false)] {
            let shared = Shared { generation: Generation(7), failures, ..Shared::default() };
            let outcome = Some(Err(KeyError::Fetch(FetchError::Connect)));
            let (failed, event) = loaded.taken_over(shared.clone(), &remote, outcome, now);
            assert_eq!(event.is_some(), told, "{failures}");
            // In a new way: told, whoever was first.
            let outcome = Some(Err(KeyError::Fetch(FetchError::Timeout)));
            assert!(failed.taken_over(shared, &remote, outcome, now).1.is_some());
        }
    }
}
