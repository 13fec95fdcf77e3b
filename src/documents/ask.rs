//! Fetching a document: one instance of a router at a time, one router of those that share a directory, then the
//! server, all under one deadline.

use std::fmt::Display;

use crate::core::fetching::{CacheRules, ClientRules, RequestHeader, TextSource};
use crate::core::limits::{MAX_REASON_CHARS, MAX_TEXT_FILE_BYTES};
use crate::core::text::{cut, one_line};
use crate::core::unix_time::{Seconds, UnixTime};
use crate::core::url::{Origin, Url};
use crate::documents::cache_control;
use crate::documents::directory::{DirectoryCache, Found};
use crate::documents::document::{Document, SharedDocument};
use crate::documents::error::DocumentError;
use crate::documents::fetch::{Client, ClientIdentity, FetchError, FetchRequest, Fetched};
use crate::documents::freshness::Freshness;
use crate::documents::io::Io;
use crate::documents::lease::{Failure, Shared, Turn, Version, Waiting};
use crate::documents::limits::{LEASE_MARGIN, MAX_CLOCK_DIFFERENCE, MAX_LIFETIME, MIN_LIFETIME};
use crate::documents::source_id::SourceId;

/// A document on a server: how it is named, fetched and kept.
pub struct Remote<'a> {
    /// What kind of document it is and how it is found. Part of its name, so that no two kinds share a document.
    pub kind: &'static str,
    /// Where it is, or from where it is found.
    pub location: String,
    /// The server that the configuration names.
    pub home: &'a Origin,
    /// `clientConfig`.
    pub client: &'a ClientRules,
    /// How long it is cached.
    pub cache: CacheRules,
    /// Where routers share it.
    pub directory: Option<&'a str>,
    /// Value of `Accept`, unless the configuration has one.
    pub accept: &'static str,
    /// Largest accepted body, in bytes.
    pub max_body_bytes: usize,
}

/// What a document is to its user.
pub trait Meaning {
    /// The content of the document.
    type Content;
    /// Why the document is not acceptable.
    type Error: From<DocumentError> + Display;

    /// Finds the URL of the document, or makes the document of others. `get` fetches documents under the same deadline;
    /// `sent` are the headers that the server of the configuration gets with that (`clientConfig.headers`).
    ///
    /// # Errors
    /// An error of `get`, or a fetched document that is not acceptable.
    fn locate(
        &self,
        sent: &[(String, String)],
        get: &dyn Fn(&Url) -> Result<Document, FetchError>,
    ) -> Result<Place, Self::Error>;

    /// Parses `body`. A document that is rejected here is neither shared nor kept: the last good one stays.
    ///
    /// # Errors
    /// If the content is not acceptable.
    fn read(&self, body: &[u8]) -> Result<Self::Content, Self::Error>;

    /// The freshness lifetime that the content asks for, if it does, whatever `Cache-Control` says.
    fn lifetime(&self, _content: &Self::Content) -> Option<Seconds> {
        None
    }
}

/// Where a document is.
pub enum Place {
    /// Where the configuration says.
    Configured(Url),
    /// Where another document says. It may have moved, and an `ETag` belongs to one URL, so the fetch is not conditional.
    Discovered(Url),
    /// Here: it was made of what has been fetched.
    Composed(Document),
}

/// The result of asking for a document.
pub enum Asked<M: Meaning> {
    /// A state newer than the one seen, of another instance's attempt.
    Known(Shared),
    /// The state after an attempt of this instance, and its outcome: the content if it was parsed meanwhile.
    Own(Shared, Result<Option<M::Content>, M::Error>),
    /// Another instance is fetching, and this one does not wait, or not any longer.
    Underway,
}

impl Remote<'_> {
    /// Its name among instances.
    pub fn id(&self) -> SourceId {
        SourceId::of_source([self.kind, &self.location], self.client)
    }

    /// Its name among routers, if they may share it.
    pub fn public_id(&self) -> Option<SourceId> {
        SourceId::public([self.kind, &self.location], self.client)
    }

    /// The freshness of `document` at `now`, according to its headers or what it `asks` for itself, which is bounded alike.
    pub fn freshness(&self, document: &SharedDocument, asks: Option<Seconds>, now: UnixTime) -> Freshness {
        let lifetime = match asks {
            Some(lifetime) => Some(lifetime.clamp(MIN_LIFETIME, MAX_LIFETIME)),
            None => cache_control::lifetime(&document.document.cache_control, document.document.age),
        };
        // The clock of the machine that fetched it may be ahead a little, or this one's was set back since.
        let freshness = Freshness::new(self.cache).fetched(document.fetched_at.min(now), lifetime);
        let is_nearly_in_time = document.fetched_at <= now.saturating_add(MAX_CLOCK_DIFFERENCE);
        if is_nearly_in_time { freshness } else { freshness.of_unknown_age(now) }
    }

    /// How long another instance or router waits for this one's attempt.
    fn lease(&self) -> Seconds {
        Seconds(self.client.timeout.0.saturating_add(LEASE_MARGIN.0))
    }

    fn directory_cache<'a>(&'a self, io: &Io<'a>) -> Option<DirectoryCache<'a>> {
        let (directory, source) = self.directory.zip(self.public_id())?;
        let (files, lease, max_body_bytes) = (io.directory, self.lease(), self.max_body_bytes);
        Some(DirectoryCache { files, directory, source, lease, max_body_bytes })
    }
}

/// Fetches the document of `remote`, named `id` among instances, or takes what another instance or router has fetched
/// meanwhile.
pub fn ask<M: Meaning>(
    remote: &Remote<'_>,
    meaning: &M,
    id: SourceId,
    seen: Version,
    waiting: Waiting,
    io: &Io<'_>,
) -> Asked<M> {
    let lease = match io.share.begin(id, seen, waiting, remote.lease()) {
        Turn::Known(shared) => return Asked::Known(shared),
        Turn::Underway | Turn::Crowded => return Asked::Underway,
        Turn::Ask(lease) => lease,
    };
    let attempt = match remote.directory_cache(io) {
        None => fetch(remote, meaning, lease.known.as_ref(), waiting, io),
        Some(directory) => {
            let known = lease.known.as_ref();
            // A file is trusted no more than the network.
            let judge = |document: &SharedDocument| {
                let content = meaning.read(&document.document.body).ok()?;
                let freshness = remote.freshness(document, meaning.lifetime(&content), io.now());
                Some((content, freshness.state(io.now())))
            };
            match directory.begin(known, &judge, io.now) {
                Found::Document(document, content) => Ok((document, Some(content))),
                Found::Fetch(claim) => {
                    let fetched = fetch(remote, meaning, known, waiting, io);
                    directory.finish(claim, fetched.as_ref().ok().map(|(document, _)| document));
                    fetched.or_else(|error| {
                        let instead = directory.instead(known, &judge, io.now());
                        instead.map(|(document, content)| (document, Some(content))).ok_or(error)
                    })
                }
            }
        }
    };
    let (result, own) = match attempt {
        Ok((document, content)) => (Ok(document), Ok(content)),
        Err(error) => (Err(Failure { at: io.now(), reason: reason(&error) }), Err(error)),
    };
    Asked::Own(io.share.finish(lease, result), own)
}

/// The document from its server, and its content unless it is the known one.
fn fetch<M: Meaning>(
    remote: &Remote<'_>,
    meaning: &M,
    known: Option<&SharedDocument>,
    waiting: Waiting,
    io: &Io<'_>,
) -> Result<(SharedDocument, Option<M::Content>), M::Error> {
    let client = client(remote, io)?;
    let deadline = io.now().saturating_add(remote.client.timeout);
    let retries = match waiting {
        Waiting::ForDocument => remote.client.max_retries,
        // This request has a document already.
        Waiting::NotAtAll => 0,
    };
    let get = |url: &Url, etag: Option<&str>| {
        get_with_retries(retries, (deadline, remote.client.timeout), io, |timeout| FetchRequest {
            url,
            client: &client,
            accept: remote.accept,
            timeout,
            max_body_bytes: remote.max_body_bytes,
            etag,
        })
    };
    let get_whole = |url: &Url| match get(url, None)? {
        Fetched::Document(document) => Ok(document),
        Fetched::NotModified { .. } => Err(FetchError::Status(304)),
    };
    let (url, known) = match meaning.locate(&client.headers, &get_whole)? {
        Place::Configured(url) => (url, known),
        Place::Discovered(url) => (url, None),
        Place::Composed(document) => {
            let content = meaning.read(&document.body)?;
            return Ok((SharedDocument { document, fetched_at: io.now() }, Some(content)));
        }
    };
    let etag = known.and_then(|known| known.document.etag.as_deref());
    match (get(&url, etag).map_err(DocumentError::Fetch)?, known) {
        (Fetched::Document(document), _) => {
            let content = meaning.read(&document.body)?;
            Ok((SharedDocument { document, fetched_at: io.now() }, Some(content)))
        }
        (Fetched::NotModified { cache_control }, Some(known)) => {
            let document = Document { cache_control, age: Seconds(0), ..known.document.clone() };
            Ok((SharedDocument { document, fetched_at: io.now() }, None))
        }
        (Fetched::NotModified { .. }, None) => Err(DocumentError::Fetch(FetchError::Status(304)).into()),
    }
}

/// All attempts for all documents of a source share the one deadline of `timeoutSeconds`; the time left is rounded to
/// seconds. Only failures that may pass are retried.
fn get_with_retries<'a>(
    max_retries: u32,
    (deadline, all): (UnixTime, Seconds),
    io: &Io<'_>,
    request: impl Fn(Seconds) -> FetchRequest<'a>,
) -> Result<Fetched, FetchError> {
    let mut retries = max_retries;
    loop {
        let now = io.now();
        if now >= deadline {
            return Err(FetchError::Timeout);
        }
        // Never more than all of it, if the clock was set back meanwhile.
        let left = deadline.seconds_since(now).min(all);
        let outcome = io.fetch.get(&request(left.max(Seconds(1))));
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

/// The reason of a failure, for operators.
pub fn reason(error: &impl Display) -> String {
    cut(&one_line(error), MAX_REASON_CHARS).into_owned()
}

/// The settings, with the texts that are kept in files.
fn client<'a>(remote: &Remote<'a>, io: &Io<'_>) -> Result<Client<'a>, DocumentError> {
    let rules = remote.client;
    let ca_pem = rules.ca.as_ref().map_or_else(|| Ok(String::new()), |ca| resolve(ca, io))?;
    let headers = (rules.server.headers.iter())
        .map(|header| Ok((header.name.clone(), value(header, io)?)))
        .collect::<Result<Vec<_>, DocumentError>>()?;
    let identity = match &rules.server.identity {
        Some((certificates, key)) => {
            Some(ClientIdentity { certificates_pem: resolve(certificates, io)?, key_pem: resolve(key, io)? })
        }
        None => None,
    };
    Ok(Client { rules, home: remote.home, ca_pem, headers, identity })
}

fn value(header: &RequestHeader, io: &Io<'_>) -> Result<String, DocumentError> {
    let value = resolve(&header.value, io)?;
    Ok(if header.scheme.is_empty() { value } else { format!("{} {value}", header.scheme) })
}

fn resolve(text: &TextSource, io: &Io<'_>) -> Result<String, DocumentError> {
    match text {
        TextSource::Inline(text) => Ok(text.clone()),
        TextSource::File(path) => {
            let bytes = io.files.read(path, MAX_TEXT_FILE_BYTES).map_err(DocumentError::File)?;
            let text = String::from_utf8(bytes).map_err(|_| DocumentError::NotUtf8)?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}
