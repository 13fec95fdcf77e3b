//! One JWK Set over the network: the issuer's metadata where it is discovered, the set, all under one deadline; asked
//! for by one instance at a time, and by one router where several share a directory.

use crate::core::jwk::lookup::{
    ClientRules, KeyLocation, RemoteKeys, RequestHeader, ServerRules, TextSource,
};
use crate::core::jwk::{JwkSet, Origin};
use crate::core::limits::{MAX_JWKS_BYTES, MAX_REASON_CHARS, MAX_TEXT_FILE_BYTES};
use crate::core::text::{cut, one_line};
use crate::core::unix_time::{Seconds, UnixTime};
use crate::core::url::Url;
use crate::keys::archive::Shelf;
use crate::keys::cache_control;
use crate::keys::discovery::{self, DiscoveryError};
use crate::keys::envelope::LEASE_MARGIN;
use crate::keys::error::{KeyError, usable};
use crate::keys::freshness::{Freshness, State};
use crate::keys::io::{
    Asked, ClientIdentity, Failure, FetchError, FetchRequest, Fetched, Generation, Io, ReadFile,
    ServerExtras, SharedDocument, SourceId, Waiting,
};

/// Names what a GET for `remote` brings: everything that it depends on goes in, and what is presented or trusted for it, so
/// that no document is had by other means than its own. Values from files count by their path.
#[must_use]
pub fn source_id(remote: &RemoteKeys) -> SourceId {
    let client = &remote.client;
    let mut parts = parts(remote);
    parts.push(client.proxy.as_ref().and_then(|proxy| proxy.user.clone()).unwrap_or_default());
    parts.push(client.server.identity.as_ref().map(|(_, key)| text(key)).unwrap_or_default());
    for header in &client.server.headers {
        parts.extend(named(header));
        parts.push(text(&header.value));
    }
    digest(&parts)
}

/// As [`source_id`], for a name that others may read: nothing in it could be used to guess a secret. `None` where
/// values of headers are in the configuration itself, since two routers that send different ones must not share a file.
#[must_use]
pub fn public_id(remote: &RemoteKeys) -> Option<SourceId> {
    // The password of a proxy makes no difference to what comes through it, and the key none to the certificate.
    let mut parts = parts(remote);
    for header in &remote.client.server.headers {
        match &header.value {
            TextSource::Inline(_) => return None,
            TextSource::File(_) => {
                parts.extend(named(header));
                parts.push(text(&header.value));
            }
        }
    }
    Some(digest(&parts))
}

/// One for each setting, so that no two lists of them are the same.
fn parts(remote: &RemoteKeys) -> Vec<Vec<u8>> {
    let ClientRules {
        ca,
        insecure_skip_verify,
        allow_http,
        proxy,
        no_proxy,
        server: ServerRules { headers, identity, server_name, withheld: _ },
        // These say when an attempt is given up, not what it brings.
        timeout: _,
        max_retries: _,
    } = &remote.client;
    let (kind, location) = match &remote.location {
        KeyLocation::Url(url) => ("url", url.to_string()),
        // No URL has a space in it.
        KeyLocation::Discovery { issuers, .. } => ("discovery", issuers.join(" ")),
    };
    vec![
        kind.into(),
        location.into(),
        ca.as_ref().map(text).unwrap_or_default(),
        insecure_skip_verify.to_string().into(),
        allow_http.to_string().into(),
        identity.as_ref().map(|(certificates, _)| text(certificates)).unwrap_or_default(),
        server_name.clone().unwrap_or_default().into(),
        proxy.as_ref().map(|proxy| proxy.url.to_string()).unwrap_or_default().into(),
        no_proxy.clone().into(),
        headers.len().to_string().into(),
    ]
}

fn named(header: &RequestHeader) -> [Vec<u8>; 2] {
    [header.name.clone().into(), header.scheme.clone().into()]
}

fn text(source: &TextSource) -> Vec<u8> {
    match source {
        TextSource::Inline(text) => format!("={text}").into(),
        TextSource::File(path) => format!("<{path}").into(),
    }
}

fn digest(parts: &[Vec<u8>]) -> SourceId {
    SourceId::of(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
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
/// `JwkSet`, and those of [`usable`].
pub fn key_set(document: &SharedDocument) -> Result<JwkSet, KeyError> {
    usable(JwkSet::parse(document.body.clone(), Origin::Fetched).map_err(KeyError::JwkSet)?)
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
    let headers = (client.server.headers.iter())
        .map(|header| Ok((header.name.clone(), value(header, io)?)))
        .collect::<Result<Vec<_>, KeyError>>()?;
    let identity = match &client.server.identity {
        Some((certificates, key)) => Some((resolve(certificates, io)?, resolve(key, io)?)),
        None => None,
    };
    let identity = identity
        .as_ref()
        .map(|(certificates, key)| ClientIdentity { certificates_pem: certificates, key_pem: key });
    let deadline = io.now().saturating_add(client.timeout);
    let server = ServerExtras {
        headers: &headers,
        identity,
        server_name: client.server.server_name.as_deref(),
        withheld: client.server.withheld,
    };
    let get = |url: &Url, etag: Option<&str>| {
        fetch_with_retries(retries, deadline, io, |timeout| FetchRequest {
            url,
            home: remote.location.origin(),
            server,
            ca_pem: &ca,
            insecure_skip_verify: client.insecure_skip_verify,
            allow_http: client.allow_http,
            timeout,
            max_body_bytes: MAX_JWKS_BYTES,
            etag,
            proxy: client.proxy.as_ref(),
            no_proxy: &client.no_proxy,
        })
    };
    // An ETag belongs to the URL it came from, and a discovered URL may have moved.
    let (url, known) = match &remote.location {
        KeyLocation::Url(url) => (url.clone(), known),
        KeyLocation::Discovery { issuers, url } => (discover(issuers, url, |url| get(url, None))?, None),
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
fn discover(
    issuers: &[String],
    base: &Url,
    get: impl Fn(&Url) -> Result<Fetched, FetchError>,
) -> Result<Url, KeyError> {
    let mut last = KeyError::Discovery(DiscoveryError::NotJson);
    for url in discovery::metadata_urls(base) {
        match get(&url) {
            Ok(Fetched::Document { body, .. }) => {
                return discovery::jwks_uri(body, issuers, &url).map_err(KeyError::Discovery);
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

/// Why, for operators.
#[must_use]
pub fn reason(error: &KeyError) -> String {
    cut(&one_line(error), MAX_REASON_CHARS).into_owned()
}

fn value(header: &RequestHeader, io: &dyn Io) -> Result<String, KeyError> {
    let value = resolve(&header.value, io)?;
    Ok(if header.scheme.is_empty() { value } else { format!("{} {value}", header.scheme) })
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
    use crate::core::jwk::lookup::{
        CacheRules, ClientRules, KeyLocation, RemoteKeys, RequestHeader, ServerRules, TextSource,
    };
    use crate::core::unix_time::Seconds;
    use crate::core::url::Url;
    use crate::core::url::proxy::Proxy;

    pub(in crate::keys) fn remote() -> RemoteKeys {
        RemoteKeys {
            location: KeyLocation::Url(Url::parse("https://idp.example/jwks.json?secret=1").unwrap()),
            client: ClientRules {
                ca: None,
                insecure_skip_verify: false,
                timeout: Seconds(5),
                max_retries: 0,
                allow_http: false,
                proxy: None,
                no_proxy: String::new(),
                server: ServerRules::default(),
            },
            cache: CacheRules { ttl: Seconds(600), cooldown: Seconds(30), stale: Seconds(1000) },
            directory: None,
        }
    }

    fn with(change: impl FnOnce(&mut ClientRules)) -> RemoteKeys {
        let mut remote = remote();
        change(&mut remote.client);
        remote
    }

    pub(in crate::keys) fn header(name: &str, scheme: &str, value: TextSource) -> RequestHeader {
        RequestHeader { name: name.into(), scheme: scheme.into(), value }
    }

    fn inline(text: &str) -> TextSource {
        TextSource::Inline(text.into())
    }

    fn file(path: &str) -> TextSource {
        TextSource::File(path.into())
    }

    #[test]
    fn no_name_that_others_read_depends_on_a_secret() {
        let sends = |header: RequestHeader| with(|client| client.server.headers = vec![header]);
        let (a, b) = (sends(header("X", "", inline("a"))), sends(header("X", "", inline("b"))));
        assert_ne!(source_id(&a), source_id(&b));
        assert_eq!(public_id(&a), None);
        let proxy = |text| public_id(&with(|client| client.proxy = Some(Proxy::parse(text).unwrap())));
        for text in ["http://user:pass@proxy:1", "http://user:p@ss@proxy:1", "user:other@proxy:1", "proxy:1"]
        {
            assert_eq!(proxy(text), proxy("http://proxy:1"), "{text}");
        }
        let key = |key| public_id(&with(|client| client.server.identity = Some((inline("c"), inline(key)))));
        assert_eq!(key("a"), key("b"));
    }

    #[test]
    fn a_document_is_of_its_own_source_only() {
        let settings = [
            remote(),
            RemoteKeys {
                location: KeyLocation::Url(Url::parse("https://idp.example/").unwrap()),
                ..remote()
            },
            RemoteKeys {
                location: KeyLocation::Discovery {
                    issuers: vec!["https://idp.example/".into()],
                    url: Url::parse("https://idp.example/").unwrap(),
                },
                ..remote()
            },
            RemoteKeys {
                location: KeyLocation::Discovery {
                    issuers: vec!["https://idp.example/".into(), "https://idp.example".into()],
                    url: Url::parse("https://idp.example/").unwrap(),
                },
                ..remote()
            },
            with(|client| client.ca = Some(inline("a"))),
            with(|client| client.ca = Some(inline("b"))),
            with(|client| client.ca = Some(file("a"))),
            with(|client| client.insecure_skip_verify = true),
            with(|client| client.allow_http = true),
            with(|client| client.proxy = Proxy::parse("a:1")),
            with(|client| client.proxy = Proxy::parse("a:2")),
            with(|client| client.no_proxy = "a:1".into()),
            with(|client| client.server.server_name = Some("a".into())),
            with(|client| client.server.identity = Some((inline("a"), inline("k")))),
            with(|client| client.server.identity = Some((inline("b"), inline("k")))),
            with(|client| client.server.headers = vec![header("A", "", file("a"))]),
            with(|client| client.server.headers = vec![header("B", "", file("a"))]),
            with(|client| client.server.headers = vec![header("A", "", file("b"))]),
            with(|client| client.server.headers = vec![header("A", "Bearer", file("a"))]),
        ];
        let secrets = [
            with(|client| client.proxy = Proxy::parse("u:p@a:1")),
            with(|client| client.server.identity = Some((inline("a"), inline("l")))),
            with(|client| client.server.headers = vec![header("A", "", inline("a"))]),
            with(|client| client.server.headers = vec![header("A", "Bearer", inline("a"))]),
        ];
        let public: Vec<_> = settings.iter().map(|remote| public_id(remote).unwrap()).collect();
        let own: Vec<_> = settings.iter().chain(&secrets).map(source_id).collect();
        for ids in [public, own] {
            let mut told_apart = ids.clone();
            told_apart.sort_unstable();
            told_apart.dedup();
            assert_eq!(told_apart.len(), ids.len());
        }
        // When an attempt is given up says nothing of what it brings.
        let patient = with(|client| (client.timeout, client.max_retries) = (Seconds(60), 9));
        assert_eq!((source_id(&patient), public_id(&patient)), (source_id(&remote()), public_id(&remote())));
    }
}
