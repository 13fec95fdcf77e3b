//! A JWK Set on a server: its URL, possibly found through the issuer's metadata, and when it is acceptable.

use crate::core::jwk::lookup::{KeyLocation, RemoteKeys};
use crate::core::jwk::{JwkSet, Origin};
use crate::core::limits::{MAX_JWKS_BYTES, MAX_KEY_BYTES};
use crate::core::unix_time::Seconds;
use crate::core::url::Url;
use crate::documents::ask::{Meaning, Place, Remote};
use crate::documents::document::Document;
use crate::documents::error::DocumentError;
use crate::documents::fetch::FetchError;
use crate::keys::by_kid;
use crate::keys::cluster;
use crate::keys::discovery::{self, DiscoveryError};
use crate::keys::error::{KeyError, usable};

/// Without the last one, servers that do not know the first two answer 406.
const ACCEPT: &str = "application/jwk-set+json, application/json, */*;q=0.1";

/// `keys` as a document.
pub fn document(keys: &RemoteKeys) -> Remote<'_> {
    let (kind, location) = match &keys.location {
        KeyLocation::Url(url) if keys.origin == Origin::Bundle => ("SPIFFE bundle", url.to_string()),
        KeyLocation::Url(url) => ("JWK Set", url.to_string()),
        // No URL has a space in it.
        KeyLocation::Discovery { issuers, .. } => ("JWK Set of an issuer", issuers.join(" ")),
        KeyLocation::Cluster(url) => ("JWK Set of a cluster", url.to_string()),
        KeyLocation::EachKid(url) => ("keys by kid", url.to_string()),
    };
    let is_one_key = matches!(keys.location, KeyLocation::EachKid(_));
    Remote {
        kind,
        location,
        home: keys.location.origin(),
        client: &keys.client,
        cache: keys.cache,
        directory: keys.directory.as_deref(),
        accept: ACCEPT,
        max_body_bytes: if is_one_key { MAX_KEY_BYTES } else { MAX_JWKS_BYTES },
    }
}

/// A key set that is asked for.
pub struct Question<'q> {
    /// Where it is.
    pub keys: &'q RemoteKeys,
    /// `kid` of the token that has no key.
    pub wanted: Option<&'q str>,
    /// What is known of it.
    pub known: Option<&'q JwkSet>,
}

/// Whether a set may have a key of this name: it is asked for no other.
pub fn may_have(keys: &RemoteKeys, kid: Option<&str>) -> bool {
    !matches!(keys.location, KeyLocation::EachKid(_)) || kid.is_some_and(by_kid::is_name)
}

impl Meaning for Question<'_> {
    type Content = JwkSet;
    type Error = KeyError;

    fn locate(
        &self,
        sent: &[(String, String)],
        get: &dyn Fn(&Url) -> Result<Document, FetchError>,
    ) -> Result<Place, KeyError> {
        match &self.keys.location {
            KeyLocation::Url(url) => Ok(Place::Configured(url.clone())),
            KeyLocation::Discovery { issuers, url } => discover(issuers, url, get).map(Place::Discovered),
            KeyLocation::Cluster(url) => cluster::compose(url, sent, get).map(Place::Composed),
            KeyLocation::EachKid(url) => {
                let known = self.known.into_iter().flat_map(JwkSet::kids);
                by_kid::compose(url, self.wanted, known, get).map(Place::Composed)
            }
        }
    }

    fn read(&self, body: &[u8]) -> Result<JwkSet, KeyError> {
        let set =
            |body: &[u8]| usable(JwkSet::parse(body.to_vec(), self.keys.origin).map_err(KeyError::JwkSet)?);
        match &self.keys.location {
            KeyLocation::Url(_) | KeyLocation::Discovery { .. } => set(body),
            KeyLocation::Cluster(_) => {
                let (issuer, body) = cluster::parts(body)?;
                Ok(set(body)?.of_issuer(issuer))
            }
            KeyLocation::EachKid(_) => by_kid::parts(body),
        }
    }

    fn lifetime(&self, set: &JwkSet) -> Option<Seconds> {
        set.refresh_hint
    }
}

/// The `jwks_uri` of the first metadata document of the issuer. A document that names another issuer ends the search:
/// the server that answered must not be asked again in another way.
fn discover(
    issuers: &[String],
    base: &Url,
    get: &dyn Fn(&Url) -> Result<Document, FetchError>,
) -> Result<Url, KeyError> {
    let mut last = KeyError::Discovery(DiscoveryError::NotJson);
    for url in discovery::metadata_urls(base) {
        match get(&url) {
            Ok(document) => {
                return discovery::jwks_uri(document.body, issuers, &url).map_err(KeyError::Discovery);
            }
            Err(FetchError::Status(status)) if status < 500 => {
                last = DocumentError::Fetch(FetchError::Status(status)).into();
            }
            Err(error) => return Err(DocumentError::Fetch(error).into()),
        }
    }
    Err(last)
}

#[cfg(test)]
pub(super) mod tests {
    use super::document;
    use crate::core::fetching::{CacheRules, ClientRules, RequestHeader, TextSource};
    use crate::core::jwk::Origin;
    use crate::core::jwk::lookup::{KeyLocation, RemoteKeys};
    use crate::core::unix_time::Seconds;
    use crate::core::url::Url;
    use crate::core::url::proxy::Proxy;
    use crate::documents::ask::Remote;
    use crate::documents::outside::client;
    use crate::documents::source_id::SourceId;

    pub(in crate::keys) fn remote() -> RemoteKeys {
        RemoteKeys {
            location: KeyLocation::Url(Url::parse("https://idp.example/jwks.json?secret=1").unwrap()),
            origin: Origin::Fetched,
            client: client(),
            cache: CacheRules { ttl: Seconds(600), cooldown: Seconds(30), stale: Seconds(1000) },
            directory: None,
        }
    }

    fn source_id(remote: &RemoteKeys) -> SourceId {
        document(remote).id()
    }

    fn public_id(remote: &RemoteKeys) -> Option<SourceId> {
        document(remote).public_id()
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
            RemoteKeys {
                location: KeyLocation::Cluster(Url::parse("https://idp.example/").unwrap()),
                ..remote()
            },
            RemoteKeys { origin: Origin::Bundle, ..remote() },
            RemoteKeys {
                location: KeyLocation::EachKid(Url::parse("https://idp.example/").unwrap()),
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
        // Another kind of document at the same URL is another document.
        let keys = remote();
        let other = Remote { kind: "list", ..document(&keys) };
        assert_ne!(other.id(), source_id(&keys));
        assert_ne!(other.public_id(), public_id(&keys));
        // When an attempt is given up does not affect its result.
        let patient = with(|client| (client.timeout, client.max_retries) = (Seconds(60), 9));
        assert_eq!((source_id(&patient), public_id(&patient)), (source_id(&remote()), public_id(&remote())));
    }
}
