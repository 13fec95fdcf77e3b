//! What the keys come from: files as they are here, and one key set in place of everything that is not. What was used or
//! revoked is not looked up but in a list that is here.

use std::rc::Rc;

use serde_json::json;
use traefik_jwt_auth::core::jwk::lookup::{KeyLocation, KeySource};
use traefik_jwt_auth::core::limits::{MAX_REVOCATION_LIST_BYTES, MAX_TEXT_FILE_BYTES};
use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::proof::dpop::{KeptKeys, Replay};
use traefik_jwt_auth::core::proof::nonce::{NonceSecret, NonceSecrets, NonceSource};
use traefik_jwt_auth::core::proof::replay::{ReplayMemory, Use, UsedProof};
use traefik_jwt_auth::core::revocation::list::RevocationList;
use traefik_jwt_auth::core::revocation::marker::{Found, Markers};
use traefik_jwt_auth::core::revocation::{ListSource, Revocations};
use traefik_jwt_auth::core::signature::VerifyingKey;
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::core::url::Url;
use traefik_jwt_auth::documents::document::Document;
use traefik_jwt_auth::documents::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use traefik_jwt_auth::documents::files::{FileError, FileStamp, ReadFile};
use traefik_jwt_auth::keys::discovery::metadata_urls;

use crate::outside::Outside;

/// The surroundings of one walk.
pub(super) struct World<'a> {
    pub(super) outside: &'a dyn Outside,
    pub(super) policy: &'a Policy,
    pub(super) jwks: Option<&'a [u8]>,
}

impl World<'_> {
    /// The metadata of the issuer that has them at `url`: they lead to the key set.
    fn metadata(&self, url: &Url) -> Option<Vec<u8>> {
        let sources = self.policy.issuers.iter().flat_map(|issuer| &issuer.keys);
        let issuers = sources.filter_map(|source| match source {
            KeySource::Url(remote) => match &remote.location {
                KeyLocation::Discovery { issuers, url } => Some((issuers, url)),
                KeyLocation::Url(_) | KeyLocation::Cluster(_) | KeyLocation::EachKid(_) => None,
            },
            KeySource::Configured(_) | KeySource::File { .. } => None,
        });
        let mut names = issuers.filter(|(_, issuer)| metadata_urls(issuer).contains(url));
        let name = names.next()?.0.first()?;
        let jwks_uri = Url { origin: url.origin.clone(), target: "/jwks".into() }.to_string();
        Some(json!({"issuer": name, "jwks_uri": jwks_uri}).to_string().into_bytes())
    }

    fn content(&self, path: &str) -> Result<Vec<u8>, FileError> {
        let here = self.outside.read(path).ok();
        here.or_else(|| self.jwks.map(<[u8]>::to_vec)).ok_or(FileError::NotFound)
    }
}

impl KeptKeys for World<'_> {
    fn kept(&self, _: &str) -> Option<Rc<VerifyingKey>> {
        None
    }

    fn keep(&self, _: &str, _: &Rc<VerifyingKey>) {}
}

/// Nothing is used up here.
impl ReplayMemory for World<'_> {
    fn first_use(&self, _: &UsedProof<'_>) -> Use {
        Use::First
    }
}

impl NonceSecrets for World<'_> {
    fn nonce_secret(&self) -> Option<Rc<NonceSecret>> {
        let dpop = self.policy.proofs.as_ref().and_then(|rules| rules.dpop.as_ref())?;
        match &dpop.replay {
            Replay::Nonce(NonceSource::File(path)) => {
                let secret = self.outside.read(path).ok().filter(|text| text.len() <= MAX_TEXT_FILE_BYTES)?;
                NonceSecret::new(&secret).map(Rc::new)
            }
            Replay::Nonce(NonceSource::Configured(_)) | Replay::Window | Replay::Directory(_) => None,
        }
    }
}

/// The directory is there, and nothing in it: the walk says which markers Traefik looks for.
impl Markers for World<'_> {
    fn find(&self, path: &str) -> Found {
        let markers = self.policy.revocation.as_ref().and_then(|rules| rules.markers.as_ref());
        if markers.is_some_and(|rules| rules.directory == path) {
            return Found::At(UnixTime::from_millis(0));
        }
        Found::Nothing
    }
}

impl Revocations for World<'_> {
    fn list(&self) -> Option<Rc<RevocationList>> {
        let text = match self.policy.revocation.as_ref()?.list.as_deref()? {
            ListSource::File(path) => self.outside.read(path).unwrap_or_default(),
            ListSource::Url(_) => Vec::new(),
        };
        let text = if text.len() > MAX_REVOCATION_LIST_BYTES { Vec::new() } else { text };
        RevocationList::parse(&text).ok().map(Rc::new)
    }
}

impl Fetch for World<'_> {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        let set = self.jwks.ok_or(FetchError::NotSupported)?;
        let body = self.metadata(request.url).unwrap_or_else(|| set.to_vec());
        Ok(Fetched::Document(Document { body, ..Document::default() }))
    }
}

impl ReadFile for World<'_> {
    fn stat(&self, path: &str) -> Result<FileStamp, FileError> {
        let size = self.content(path)?.len();
        Ok(FileStamp { modified: 0, size: u64::try_from(size).unwrap_or(u64::MAX), inode: 0 })
    }

    fn read(&self, path: &str, max_bytes: usize) -> Result<Vec<u8>, FileError> {
        let content = self.content(path)?;
        if content.len() > max_bytes { Err(FileError::TooLarge) } else { Ok(content) }
    }
}
