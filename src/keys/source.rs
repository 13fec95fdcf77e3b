//! One key source: a file, or what all instances know of a URL, becomes a JWK Set.

use crate::core::fetching::{DocumentState, DocumentView};
use crate::core::jwk::lookup::{KeyFormat, KeyLocation, KeySetView, KeySource};
use crate::core::jwk::{Jwk, JwkSet, Origin, pem, secret};
use crate::core::limits::MAX_JWKS_BYTES;
use crate::core::unix_time::{Seconds, UnixTime};
use crate::documents::error::DocumentError;
use crate::documents::io::Io;
use crate::documents::kept::{Change, Kept};
use crate::documents::lease::Waiting;
use crate::keys::error::{KeyError, usable};
use crate::keys::key_set::{self, Question};

/// What is kept of a source. Replaced whole.
pub type Loaded = Kept<JwkSet>;

/// An event for operators: a set changed, or a source failed in a new way.
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
    /// A set was loaded that differs from the previous one.
    Changed {
        /// New `kid`s.
        added: Vec<String>,
        /// Removed `kid`s.
        removed: Vec<String>,
        /// Usable keys in the set.
        keys: usize,
        /// Why other keys of the set are skipped.
        skipped: Vec<String>,
        /// The document is a single key, not a set.
        is_lone: bool,
        /// Time since the set was fetched or read.
        age: Seconds,
        /// Time until it is fetched again.
        next_refresh: Seconds,
    },
    /// The source failed; the same failure is not reported twice in a row.
    Failed {
        /// Why it failed.
        error: KeyError,
        /// Whether an older set is still used.
        serving_stale: bool,
        /// Earliest next attempt.
        retry_after: Seconds,
    },
    /// The source works again, with the same set as before.
    Recovered,
}

/// State of a source that was never read.
pub fn unloaded(source: &KeySource) -> Loaded {
    match source {
        KeySource::Configured(_) | KeySource::File { .. } => Loaded::of_file(),
        KeySource::Url(keys) => Loaded::of_remote(&key_set::document(keys)),
    }
}

/// Whether a source may have a key of this name, so that it can be asked for it.
pub fn may_have(source: &KeySource, kid: Option<&str>) -> bool {
    match source {
        KeySource::Url(keys) => key_set::may_have(keys, kid),
        KeySource::Configured(_) | KeySource::File { .. } => true,
    }
}

/// What an operator may know of a source.
pub fn view(source: &KeySource, loaded: &Loaded, issuer: Vec<String>, now: UnixTime) -> KeySetView {
    let document = loaded.view(place(source), now);
    let (set, document) = match source {
        KeySource::Configured(set) => (Some(set), DocumentView { state: DocumentState::Fresh, ..document }),
        KeySource::File { .. } | KeySource::Url(_) => (loaded.content.as_deref(), document),
    };
    KeySetView {
        issuer,
        document,
        keys: set.map_or(0, |set| set.keys().len()),
        kids: set.map(|set| set.kids().map(str::to_owned).collect()).unwrap_or_default(),
    }
}

/// The state after what other instances have learnt since the last look, if it is time for one. Fetches nothing.
pub fn caught_up(source: &KeySource, loaded: &Loaded, now: UnixTime, io: &Io<'_>) -> Option<Loaded> {
    match source {
        KeySource::Url(keys) if loaded.may_look(now) => {
            let question = Question { keys, wanted: None, known: None };
            Some(loaded.caught_up(&key_set::document(keys), &question, now, io))
        }
        KeySource::Url(_) | KeySource::Configured(_) | KeySource::File { .. } => None,
    }
}

/// Fetches or reads the source, for the key that is `wanted` of it. Never fails: a failure is part of the new state.
pub fn refreshed(
    (source, wanted): (&KeySource, Option<&str>),
    loaded: &Loaded,
    waiting: Waiting,
    now: UnixTime,
    io: &Io<'_>,
) -> (Loaded, Option<KeyEvent>) {
    let (next, change, now) = match source {
        KeySource::Configured(_) => return (loaded.clone(), None),
        KeySource::File { path, format } => {
            let (next, change) = loaded.reread(path, MAX_JWKS_BYTES, &|bytes| parse(bytes, format), now, io);
            (next, change, now)
        }
        KeySource::Url(keys) => {
            let question = Question { keys, wanted, known: loaded.content.as_deref() };
            let (next, change) = loaded.asked(&key_set::document(keys), &question, waiting, io);
            // Fetching takes time.
            (next, change, io.now())
        }
    };
    let kind = change.map(|change| match change {
        Change::Replaced => changed(loaded, &next, now),
        Change::Failed(error) => KeyEventKind::Failed {
            error,
            serving_stale: next.content.is_some(),
            retry_after: next.freshness.retry_after(now),
        },
        Change::Recovered => KeyEventKind::Recovered,
    });
    (next, kind.map(|kind| KeyEvent { place: place(source), kind }))
}

fn changed(before: &Loaded, after: &Loaded, now: UnixTime) -> KeyEventKind {
    let (before, set) = (before.content.as_deref(), after.content.as_deref());
    let kids_without = |of: Option<&JwkSet>, other: Option<&JwkSet>| {
        let kids = of.into_iter().flat_map(JwkSet::kids);
        kids.filter(|kid| !other.is_some_and(|set| set.has_kid(kid))).map(str::to_owned).collect()
    };
    KeyEventKind::Changed {
        added: kids_without(set, before),
        removed: kids_without(before, set),
        keys: set.map_or(0, |set| set.keys().len()),
        skipped: set.map(|set| set.skipped.iter().map(ToString::to_string).collect()).unwrap_or_default(),
        is_lone: set.is_some_and(|set| set.is_lone),
        age: now.seconds_since(after.freshness.fetched_at().unwrap_or(now)),
        next_refresh: after.freshness.asked_at().map_or(Seconds(0), |at| at.seconds_since(now)),
    }
}

fn parse(bytes: Vec<u8>, format: &KeyFormat) -> Result<JwkSet, KeyError> {
    let set = match format {
        KeyFormat::JwkSet => JwkSet::parse(bytes, Origin::Configured).map_err(KeyError::JwkSet)?,
        KeyFormat::Bundle => JwkSet::parse(bytes, Origin::Bundle).map_err(KeyError::JwkSet)?,
        KeyFormat::Pem { kid } => {
            let text = String::from_utf8(bytes).map_err(|_| DocumentError::NotUtf8)?;
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
            KeyLocation::Url(url) | KeyLocation::Cluster(url) | KeyLocation::EachKid(url) => {
                format!("{}{}", url.origin, url.path())
            }
            KeyLocation::Discovery { issuers, .. } => issuers.first().cloned().unwrap_or_default(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::core::jwk::lookup::KeyFormat::{self, JwkSet, Pem, PemOrSecret, Secret};

    #[test]
    fn what_a_file_holds_is_what_its_option_says() {
        let kid = || Some("k".to_owned());
        let pem = include_str!("../../tests/vectors/pem/p-256.pem");
        let behind_text = format!("Subject: CN=a\n{pem}");
        let secret = "correct horse battery staple, twice over";
        let base64 = "Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZSwgdHdpY2Ugb3Zlcg==";
        let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"s"}]}"#;
        /// What a file holds, its format, and what kind of key that is, with its name.
        type Row<'r> = (&'r str, KeyFormat, Option<(&'r str, Option<&'r str>)>);
        let rows: [Row<'_>; 11] = [
            (set, JwkSet, Some(("OKP on Ed25519", Some("s")))),
            (pem, JwkSet, None),
            (pem, Pem { kid: kid() }, Some(("EC on P-256", Some("k")))),
            (secret, Pem { kid: kid() }, None),
            (secret, Secret { kid: kid(), base64: false }, Some(("oct of 40 bytes", Some("k")))),
            (base64, Secret { kid: None, base64: true }, Some(("oct of 40 bytes", None))),
            (secret, Secret { kid: None, base64: true }, None),
            (pem, PemOrSecret { kid: kid() }, Some(("EC on P-256", Some("k")))),
            (&behind_text, PemOrSecret { kid: None }, Some(("EC on P-256", None))),
            (secret, PemOrSecret { kid: kid() }, Some(("oct of 40 bytes", Some("k")))),
            ("short", PemOrSecret { kid: kid() }, None),
        ];
        for (text, format, expected) in rows {
            let found = parse(text.as_bytes().to_vec(), &format).ok().map(|set| {
                let key = &set.keys()[0];
                (format!("{:?}", key.key()), key.kid.clone())
            });
            let expected = expected.map(|(key, kid)| (key.to_owned(), kid.map(str::to_owned)));
            assert_eq!(found, expected, "{text} {format:?}");
        }
    }
}
