//! One JWK Set over the network: the issuer's metadata where it is discovered, the set, all under one deadline; asked
//! for by one instance at a time, and by one router where several share a directory.

use crate::core::jwk::lookup::{KeyLocation, RemoteKeys, TextSource};
use crate::core::jwk::{JwkSet, Origin};
use crate::core::limits::{MAX_JWKS_BYTES, MAX_SHOWN_CHARS, MAX_TEXT_FILE_BYTES};
use crate::core::text::{cut, one_line};
use crate::core::unix_time::{Seconds, UnixTime};
use crate::keys::archive::Shelf;
use crate::keys::cache_control;
use crate::keys::discovery::{self, DiscoveryError};
use crate::keys::envelope::LEASE_MARGIN;
use crate::keys::error::KeyError;
use crate::keys::freshness::{Freshness, State};
use crate::keys::io::{
    Asked, ClientExtras, ClientIdentity, Failure, FetchError, FetchRequest, Fetched, Generation, Io,
    ReadFile, SharedDocument, SourceId, Waiting,
};

/// Names what a GET for `remote` brings: everything that it depends on goes in. Values from files count by their path.
#[must_use]
pub fn source_id(remote: &RemoteKeys) -> SourceId {
    let client = &remote.client;
    let mut parts = parts(remote);
    parts.push(client.proxy.clone().unwrap_or_default());
    parts.extend(client.headers.iter().flat_map(|(name, value)| [name.clone(), text(value)]));
    digest(&parts)
}

/// As [`source_id`], for a name that others may read: nothing in it could be used to guess a secret. `None` where
/// values of headers are in the configuration itself, since two routers that send different ones must not share a file.
#[must_use]
fn public_id(remote: &RemoteKeys) -> Option<SourceId> {
    let client = &remote.client;
    let mut parts = parts(remote);
    // The password of a proxy makes no difference to what comes through it.
    parts.push(client.proxy.as_deref().map(without_user).unwrap_or_default());
    for (name, value) in &client.headers {
        match value {
            TextSource::Inline(_) => return None,
            TextSource::File(_) => parts.extend([name.clone(), text(value)]),
        }
    }
    Some(digest(&parts))
}

fn parts(remote: &RemoteKeys) -> Vec<String> {
    let client = &remote.client;
    let (kind, location) = match &remote.location {
        KeyLocation::Url(url) => ("url", url),
        KeyLocation::Discovery { issuer } => ("discovery", issuer),
    };
    let identity = client.identity.as_ref();
    vec![
        kind.to_owned(),
        location.clone(),
        client.ca.as_ref().map(text).unwrap_or_default(),
        client.insecure_skip_verify.to_string(),
        identity.map(|(certificates, _)| text(certificates)).unwrap_or_default(),
        client.server_name.clone().unwrap_or_default(),
        client.no_proxy.clone(),
    ]
}

fn text(source: &TextSource) -> String {
    match source {
        TextSource::Inline(text) => format!("={text}"),
        TextSource::File(path) => format!("<{path}"),
    }
}

fn without_user(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
}

fn digest(parts: &[String]) -> SourceId {
    SourceId::of(&parts.iter().map(String::as_bytes).collect::<Vec<_>>())
}

/// What `document` says of its own freshness, as of `now`.
#[must_use]
pub fn freshness(remote: &RemoteKeys, document: &SharedDocument, now: UnixTime) -> Freshness {
    let lifetime = cache_control::lifetime(&document.cache_control, document.age);
    // The clock of whoever fetched may be ahead.
    Freshness::new(remote.cache).fetched(document.fetched_at.min(now), lifetime)
}

/// The keys of `document`.
///
/// # Errors
/// `JwkSet`, `NoUsableKey`: an empty or unreadable set is more likely a fault of the provider than a revocation of
/// everything.
pub fn key_set(document: &SharedDocument) -> Result<JwkSet, KeyError> {
    let set = JwkSet::parse(document.body.clone(), Origin::Fetched).map_err(KeyError::JwkSet)?;
    if set.keys().is_empty() { Err(KeyError::NoUsableKey) } else { Ok(set) }
}

/// What asking brought, and what became of an attempt of our own.
pub struct Answer {
    /// What is known now.
    pub asked: Asked,
    /// Whether this instance was the one to fetch.
    pub own_attempt: bool,
    /// Why its attempt failed.
    pub failure: Option<KeyError>,
}

/// Asks for the set of `remote`, or takes what another instance or router has brought meanwhile.
pub fn ask(remote: &RemoteKeys, id: SourceId, seen: Generation, waiting: Waiting, io: &dyn Io) -> Answer {
    let retries = match waiting {
        Waiting::ForKeys => remote.client.max_retries,
        // This request has its keys already.
        Waiting::NotAtAll => 0,
    };
    let lease = Seconds(remote.client.timeout.0.saturating_add(LEASE_MARGIN.0));
    let mut own_attempt = false;
    let mut failure = None;
    let mut fetch = |known: Option<&SharedDocument>| {
        fetch(remote, known, retries, io).map_err(|error| {
            let reason = reason(&error);
            failure = Some(error);
            Failure { at: io.now(), reason }
        })
    };
    let mut attempt = |known: Option<&SharedDocument>| {
        own_attempt = true;
        let Some((directory, source)) = remote.directory.as_deref().zip(public_id(remote)) else {
            return fetch(known);
        };
        let shelf = Shelf { archive: io, directory, source, lease };
        // A file is trusted no more than the network: one without keys does not exist.
        let state = |document: &SharedDocument| match key_set(document) {
            Ok(_) => freshness(remote, document, io.now()).state(io.now()),
            Err(_) => State::Absent,
        };
        shelf.attempt(known, &state, &|| io.now(), &mut fetch)
    };
    let asked = io.ask(id, seen, lease, waiting, &mut attempt);
    Answer { asked, own_attempt, failure }
}

fn fetch(
    remote: &RemoteKeys,
    known: Option<&SharedDocument>,
    retries: u32,
    io: &dyn Io,
) -> Result<SharedDocument, KeyError> {
    let client = &remote.client;
    let ca = client.ca.as_ref().map_or_else(|| Ok(String::new()), |ca| resolve(ca, io))?;
    let headers = (client.headers.iter())
        .map(|(name, value)| Ok((name.clone(), resolve(value, io)?)))
        .collect::<Result<Vec<_>, KeyError>>()?;
    let identity = match &client.identity {
        Some((certificates, key)) => Some((resolve(certificates, io)?, resolve(key, io)?)),
        None => None,
    };
    let identity = identity
        .as_ref()
        .map(|(certificates, key)| ClientIdentity { certificates_pem: certificates, key_pem: key });
    let deadline = io.now().saturating_add(client.timeout);
    let get = |url: &str, etag: Option<&str>| {
        fetch_with_retries(retries, deadline, io, |timeout| FetchRequest {
            url,
            headers: &headers,
            ca_pem: &ca,
            insecure_skip_verify: client.insecure_skip_verify,
            allow_http: client.allow_http,
            timeout,
            max_body_bytes: MAX_JWKS_BYTES,
            etag,
            extras: ClientExtras {
                identity,
                server_name: client.server_name.as_deref(),
                proxy: client.proxy.as_deref(),
                no_proxy: &client.no_proxy,
            },
        })
    };
    // An ETag belongs to the URL it came from, and a discovered URL may have moved.
    let (url, known) = match &remote.location {
        KeyLocation::Url(url) => (url.clone(), known),
        KeyLocation::Discovery { issuer } => (discover(issuer, |url| get(url, None))?, None),
    };
    let etag = known.and_then(|known| known.etag.as_deref());
    match (get(&url, etag).map_err(KeyError::Fetch)?, known) {
        (Fetched::Document { body, cache_control, age, etag }, _) => {
            let document = SharedDocument { body, cache_control, age, etag, fetched_at: io.now() };
            key_set(&document).map(|_| document)
        }
        (Fetched::NotModified { cache_control }, Some(known)) => {
            Ok(SharedDocument { cache_control, age: Seconds(0), fetched_at: io.now(), ..known.clone() })
        }
        (Fetched::NotModified { .. }, None) => Err(KeyError::Fetch(FetchError::Status(304))),
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

/// Why, for operators: a provider's words, cut.
#[must_use]
pub fn reason(error: &KeyError) -> String {
    cut(&one_line(error), MAX_SHOWN_CHARS).into_owned()
}

fn resolve(text: &TextSource, io: &dyn Io) -> Result<String, KeyError> {
    match text {
        TextSource::Inline(text) => Ok(text.clone()),
        TextSource::File(path) => {
            let bytes = ReadFile::read(io, path, MAX_TEXT_FILE_BYTES).map_err(KeyError::File)?;
            let text = String::from_utf8(bytes).map_err(|_| KeyError::NotUtf8)?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{public_id, source_id};
    use crate::core::jwk::lookup::{CacheRules, ClientRules, KeyLocation, RemoteKeys, TextSource};
    use crate::core::unix_time::Seconds;

    pub(in crate::keys) fn remote(headers: &[(&str, TextSource)], proxy: Option<&str>) -> RemoteKeys {
        RemoteKeys {
            location: KeyLocation::Url("https://idp.example/jwks.json".into()),
            client: ClientRules {
                ca: None,
                insecure_skip_verify: false,
                timeout: Seconds(5),
                max_retries: 0,
                headers: headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
                allow_http: false,
                identity: None,
                server_name: None,
                proxy: proxy.map(str::to_owned),
                no_proxy: String::new(),
            },
            cache: CacheRules { ttl: Seconds(600), cooldown: Seconds(30), stale: Seconds(1000) },
            directory: None,
        }
    }

    #[test]
    fn no_name_that_others_read_depends_on_a_secret() {
        let inline = |value: &str| remote(&[("X-Key", TextSource::Inline(value.into()))], None);
        let file = |path: &str| remote(&[("X-Key", TextSource::File(path.into()))], None);
        assert_ne!(source_id(&inline("a")), source_id(&inline("b")));
        assert_eq!(public_id(&inline("a")), None);
        assert_ne!(public_id(&file("/a")), public_id(&file("/b")));
        let public = |proxy| public_id(&remote(&[], proxy)).unwrap();
        let plain = public(Some("http://proxy:1"));
        for proxy in ["http://user:pass@proxy:1", "http://user:p@ss@proxy:1", "user:other@proxy:1", "proxy:1"]
        {
            assert_eq!(public(Some(proxy)), plain, "{proxy}");
        }
        assert!(plain != public(None) && plain != public(Some("http://proxy:2")));
    }
}
