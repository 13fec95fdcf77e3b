//! One key source: a file or a URL becomes a JWK Set.

use std::rc::Rc;

use sha2::{Digest, Sha256};

use crate::core::jwk::lookup::{
    CacheRules, KeyFormat, KeyLocation, KeySetState, KeySetView, KeySource, RemoteKeys, TextSource,
};
use crate::core::jwk::{Jwk, JwkSet, Origin, pem, secret};
use crate::core::limits::{MAX_JWKS_BYTES, MAX_TEXT_FILE_BYTES};
use crate::core::policy::IssuerId;
use crate::core::unix_time::{Seconds, UnixTime};
use crate::keys::cache_control;
use crate::keys::discovery::{self, DiscoveryError};
use crate::keys::error::KeyError;
use crate::keys::freshness::{Freshness, State};
use crate::keys::io::{ClientExtras, FetchError, FetchRequest, Fetched, FileStamp, Io};

/// A file is examined once a second, and its keys serve for a day after it has gone.
const FILE_RULES: CacheRules = CacheRules { ttl: Seconds(1), cooldown: Seconds(1), stale: Seconds(86_400) };

/// What is kept of a source. Replaced whole.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The current set.
    pub set: Option<Rc<JwkSet>>,
    /// When it was had, and when to ask again.
    pub freshness: Freshness,
    /// Grows with every change of the set.
    pub generation: u64,
    etag: Option<String>,
    stamp: Option<FileStamp>,
    digest: Option<[u8; 32]>,
    last_error: Option<KeyError>,
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
        /// When the set is asked for again.
        next_refresh: Option<UnixTime>,
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

enum Content {
    Changed(Box<NewSet>),
    Unchanged { lifetime: Option<Seconds> },
}

struct NewSet {
    set: JwkSet,
    /// SHA-256 of what was read: the same bytes are the same keys.
    digest: [u8; 32],
    etag: Option<String>,
    stamp: Option<FileStamp>,
    lifetime: Option<Seconds>,
}

impl Loaded {
    /// State of a source that was never asked.
    #[must_use]
    pub fn new(source: &KeySource) -> Self {
        let rules = match source {
            KeySource::Configured(_) | KeySource::File { .. } => FILE_RULES,
            KeySource::Url(remote) => remote.cache,
        };
        Self {
            set: None,
            freshness: Freshness::new(rules),
            generation: 0,
            etag: None,
            stamp: None,
            digest: None,
            last_error: None,
        }
    }

    /// What an operator may know of it.
    #[must_use]
    pub fn view(&self, source: &KeySource, issuer: IssuerId, now: UnixTime) -> KeySetView {
        let (set, state) = match source {
            KeySource::Configured(set) => (Some(set), State::Fresh),
            KeySource::File { .. } | KeySource::Url(_) => (self.set.as_deref(), self.freshness.state(now)),
        };
        KeySetView {
            issuer,
            place: place(source),
            state: match state {
                State::Fresh => KeySetState::Fresh,
                State::Stale => KeySetState::Stale,
                State::Absent => KeySetState::Absent,
            },
            keys: set.map_or(0, |set| set.keys().len()),
            kids: set.map(|set| set.kids().map(str::to_owned).collect()).unwrap_or_default(),
            had_at: self.freshness.fetched_at(),
            due_at: self.freshness.asked_at().filter(|_| state != State::Absent),
            last_error: self.last_error.as_ref().map(ToString::to_string),
        }
    }

    /// Asks the source. Never fails: a failure is part of the new state.
    #[must_use]
    pub fn refreshed(&self, source: &KeySource, now: UnixTime, io: &dyn Io) -> (Self, Option<KeyEvent>) {
        let content = match source {
            KeySource::Configured(_) => return (self.clone(), None),
            KeySource::File { path, format } => self.read(path, format, io),
            KeySource::Url(remote) => self.fetch(remote, io),
        };
        let (loaded, kind) = match content {
            Ok(Content::Changed(new)) => self.replaced(*new, now),
            Ok(Content::Unchanged { lifetime }) => {
                let recovered = self.last_error.is_some().then_some(KeyEventKind::Recovered);
                let freshness = self.freshness.fetched(now, lifetime);
                (Self { freshness, last_error: None, ..self.clone() }, recovered)
            }
            Err(error) => self.failed(error, now),
        };
        (loaded, kind.map(|kind| KeyEvent { place: place(source), kind }))
    }

    fn replaced(&self, new: NewSet, now: UnixTime) -> (Self, Option<KeyEventKind>) {
        let NewSet { set, digest, etag, stamp, lifetime } = new;
        let freshness = self.freshness.fetched(now, lifetime);
        let digest = Some(digest);
        if let Some(before) = self.set.as_ref().filter(|_| self.digest == digest) {
            // The old set stays, so that what was verified with it stays verified.
            let event = self.last_error.is_some().then_some(KeyEventKind::Recovered);
            let set = Some(Rc::clone(before));
            return (Self { set, freshness, etag, stamp, digest, last_error: None, ..*self }, event);
        }
        let kids_without = |of: &JwkSet, other: Option<&JwkSet>| {
            of.kids().filter(|kid| !other.is_some_and(|set| set.has_kid(kid))).map(str::to_owned).collect()
        };
        let before = self.set.as_deref();
        let event = KeyEventKind::Changed {
            added: kids_without(&set, before),
            removed: before.map(|before| kids_without(before, Some(&set))).unwrap_or_default(),
            keys: set.keys().len(),
            skipped: set.skipped.iter().map(ToString::to_string).collect(),
            next_refresh: freshness.fresh_until(),
        };
        let generation = self.generation.wrapping_add(1);
        (
            Self { set: Some(Rc::new(set)), freshness, generation, etag, stamp, digest, last_error: None },
            Some(event),
        )
    }

    fn failed(&self, error: KeyError, now: UnixTime) -> (Self, Option<KeyEventKind>) {
        let freshness = self.freshness.failed(now);
        let event = (self.last_error.as_ref() != Some(&error)).then(|| KeyEventKind::Failed {
            error: error.clone(),
            serving_stale: self.set.is_some(),
            retry_after: freshness.retry_after(now),
        });
        (Self { freshness, last_error: Some(error), ..self.clone() }, event)
    }

    fn read(&self, path: &str, format: &KeyFormat, io: &dyn Io) -> Result<Content, KeyError> {
        let stamp = io.stat(path).map_err(KeyError::File)?;
        if self.set.is_some() && self.stamp == Some(stamp) && self.last_error.is_none() {
            return Ok(Content::Unchanged { lifetime: None });
        }
        let bytes = io.read(path, MAX_JWKS_BYTES).map_err(KeyError::File)?;
        let digest = Sha256::digest(&bytes).into();
        let set = parse(bytes, format)?;
        Ok(Content::Changed(Box::new(NewSet { set, digest, etag: None, stamp: Some(stamp), lifetime: None })))
    }

    fn fetch(&self, remote: &RemoteKeys, io: &dyn Io) -> Result<Content, KeyError> {
        let ca = match &remote.client.ca {
            Some(ca) => resolve(ca, io)?,
            None => String::new(),
        };
        let headers = (remote.client.headers.iter())
            .map(|(name, value)| Ok((name.clone(), resolve(value, io)?)))
            .collect::<Result<Vec<_>, KeyError>>()?;
        let deadline = io.now().saturating_add(remote.client.timeout);
        let get = |url: &str, etag: Option<&str>| {
            fetch_with_retries(remote.client.max_retries, deadline, io, |timeout| FetchRequest {
                url,
                headers: &headers,
                ca_pem: &ca,
                insecure_skip_verify: remote.client.insecure_skip_verify,
                allow_http: remote.client.allow_http,
                timeout,
                max_body_bytes: MAX_JWKS_BYTES,
                etag,
                extras: ClientExtras::default(),
            })
        };
        let url = match &remote.location {
            KeyLocation::Url(url) => url.clone(),
            KeyLocation::Discovery { issuer } => discover(issuer, |url| get(url, None))?,
        };
        // An ETag belongs to the URL it came from, and a discovered URL may have moved.
        let etag = match remote.location {
            KeyLocation::Url(_) => self.set.as_ref().and(self.etag.as_deref()),
            KeyLocation::Discovery { .. } => None,
        };
        match get(&url, etag).map_err(KeyError::Fetch)? {
            Fetched::Document { body, cache_control, age, etag } => {
                let digest = Sha256::digest(&body).into();
                let lifetime = cache_control::lifetime(&cache_control, age);
                let set = JwkSet::parse(body, Origin::Fetched).map_err(KeyError::JwkSet)?;
                // An empty or unreadable set is more likely a fault of the provider than a revocation of everything.
                if set.keys().is_empty() {
                    return Err(KeyError::NoUsableKey);
                }
                Ok(Content::Changed(Box::new(NewSet { set, digest, etag, stamp: None, lifetime })))
            }
            Fetched::NotModified { cache_control } if self.set.is_some() => {
                Ok(Content::Unchanged { lifetime: cache_control::lifetime(&cache_control, Seconds(0)) })
            }
            Fetched::NotModified { .. } => Err(KeyError::Fetch(FetchError::Status(304))),
        }
    }
}

/// The `jwks_uri` of the first metadata document that is the issuer's. A document that names another issuer ends
/// the search: whoever answers there is not to be asked again in another way.
fn discover(issuer: &str, get: impl Fn(&str) -> Result<Fetched, FetchError>) -> Result<String, KeyError> {
    let mut last = KeyError::Discovery(DiscoveryError::NotJson);
    for url in discovery::metadata_urls(issuer) {
        match get(&url) {
            Ok(Fetched::Document { body, .. }) => {
                return discovery::jwks_uri(body, issuer).map_err(KeyError::Discovery);
            }
            Ok(Fetched::NotModified { .. }) => last = KeyError::Fetch(FetchError::Status(304)),
            Err(FetchError::Status(status)) if status < 500 => {
                last = KeyError::Fetch(FetchError::Status(status));
            }
            Err(error) => return Err(KeyError::Fetch(error)),
        }
    }
    Err(last)
}

/// All attempts for all documents of a source share the one deadline of `timeoutSeconds`, give or take the second to
/// which time left is rounded; only faults that may pass are tried again.
fn fetch_with_retries<'a>(
    max_retries: u32,
    deadline: UnixTime,
    io: &dyn Io,
    request: impl Fn(Seconds) -> FetchRequest<'a>,
) -> Result<Fetched, FetchError> {
    let mut retries = max_retries;
    loop {
        let now = io.now();
        if now >= deadline {
            return Err(FetchError::Timeout);
        }
        let left = deadline.seconds_since(now);
        let outcome = io.get(&request(left.max(Seconds(1))));
        match outcome {
            Err(error)
                if error.may_pass() && retries > 0 && deadline.seconds_since(io.now()) > Seconds(0) =>
            {
                retries = retries.saturating_sub(1);
            }
            outcome => return outcome,
        }
    }
}

fn resolve(text: &TextSource, io: &dyn Io) -> Result<String, KeyError> {
    match text {
        TextSource::Inline(text) => Ok(text.clone()),
        TextSource::File(path) => {
            let bytes = io.read(path, MAX_TEXT_FILE_BYTES).map_err(KeyError::File)?;
            let text = String::from_utf8(bytes).map_err(|_| KeyError::NotUtf8)?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
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
    if set.keys().is_empty() { Err(KeyError::NoUsableKey) } else { Ok(set) }
}

/// A secret in a file usually ends in a line break that is not part of it.
fn secret_key(bytes: &[u8], kid: Option<&String>, base64: bool) -> Result<JwkSet, KeyError> {
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let key = secret::parse(text, base64).map_err(KeyError::Secret)?;
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
            KeyLocation::Url(url) => url.split(['?', '#']).next().unwrap_or_default().to_owned(),
            KeyLocation::Discovery { issuer } => issuer.clone(),
        },
    }
}
