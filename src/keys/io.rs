//! What ring 3 provides to ring 2: one HTTP GET, files, and what instances and routers share.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::core::unix_time::{Seconds, UnixTime};
use crate::core::url::proxy::Proxy;
use crate::core::url::{Origin, Url};

/// One HTTP GET of a JSON document, all of it under one deadline.
#[derive(Clone, Debug)]
pub struct FetchRequest<'a> {
    /// `http` only where `allow_http`.
    pub url: &'a Url,
    /// The server that the configuration names. Others that a redirect or `jwks_uri` leads to get nothing of `server`,
    /// and may not be at every address.
    pub home: &'a Origin,
    /// What is meant for that server alone.
    pub server: ServerExtras<'a>,
    /// PEM certificates trusted besides the built-in roots; empty for none.
    pub ca_pem: &'a str,
    /// Accept any server certificate (`clientConfig.tls.insecureSkipVerify`).
    pub insecure_skip_verify: bool,
    /// Allow plain `http://` (`clientConfig.allowHttp`).
    pub allow_http: bool,
    /// Deadline over resolve, connect, TLS and read of one attempt.
    pub timeout: Seconds,
    /// Largest accepted body, in bytes.
    pub max_body_bytes: usize,
    /// Sent as `If-None-Match` where present.
    pub etag: Option<&'a str>,
    /// The proxy to ask through.
    pub proxy: Option<&'a Proxy>,
    /// Hosts that are asked without the proxy, in the form of `NO_PROXY`.
    pub no_proxy: &'a str,
}

/// What one server gets, as in [`ServerRules`](crate::core::jwk::lookup::ServerRules), read from where it is kept.
#[derive(Clone, Copy, Default)]
pub struct ServerExtras<'a> {
    /// Extra request headers. Never logged.
    pub headers: &'a [(String, String)],
    /// Presented if the server asks for a certificate (`tls.cert`, `tls.key`).
    pub identity: Option<ClientIdentity<'a>>,
    /// Name to ask for and to expect in the certificate instead of the URL's host (`tls.serverName`).
    pub server_name: Option<&'a str>,
    /// There are headers or a certificate for another server.
    pub withheld: bool,
}

impl ServerExtras<'_> {
    /// What a server gets that is not the one it is meant for.
    #[must_use]
    pub const fn elsewhere(&self) -> Self {
        let withheld = self.withheld || !self.headers.is_empty() || self.identity.is_some();
        Self { headers: &[], identity: None, server_name: None, withheld }
    }
}

impl fmt::Debug for ServerExtras<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerExtras").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

/// A certificate chain and its key.
#[derive(Clone, Copy)]
pub struct ClientIdentity<'a> {
    /// PEM, the own certificate first.
    pub certificates_pem: &'a str,
    /// PEM: PKCS#8, PKCS#1 or SEC1. Never logged.
    pub key_pem: &'a str,
}

impl fmt::Debug for ClientIdentity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity").finish_non_exhaustive()
    }
}

/// What a GET brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// 200 with a body.
    Document {
        /// The body, at most `max_body_bytes`.
        body: Vec<u8>,
        /// Value of `Cache-Control`, several joined with a comma; empty when absent.
        cache_control: String,
        /// Value of `Age` in seconds, zero when absent or not a number.
        age: Seconds,
        /// Value of `ETag`.
        etag: Option<String>,
    },
    /// 304: the document of the sent `ETag` is still current.
    NotModified {
        /// As in `Document`.
        cache_control: String,
    },
}

/// Why a GET brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchError {
    /// The URL is not an absolute http(s) URL, or http where it is not allowed.
    Url,
    /// The name did not resolve.
    Resolve,
    /// No connection to any address.
    Connect,
    /// The TLS handshake failed; the text says why, without secrets.
    Tls(String),
    /// The deadline passed.
    Timeout,
    /// The answer is not HTTP/1.1 as RFC 9112 has it, or ended early.
    Http(&'static str),
    /// A status other than 200 and 304.
    Status(u16),
    /// 401 or 403 of a server that gets none of the credentials of the configuration, which are for another one.
    StatusElsewhere(u16),
    /// More redirects than allowed, or one to no URL, or from https to http.
    Redirect,
    /// A redirect or a `jwks_uri` leads to an address that none may lead to.
    Forbidden,
    /// The body is larger than `max_body_bytes`.
    TooLarge,
    /// This artifact has no sockets (`plugin-offline.wasm`).
    NotSupported,
    /// Descriptors or memory are exhausted, or the host returned nonsense.
    Host(&'static str),
}

/// Does the GET. Implemented by `host::fetch`.
pub trait Fetch {
    /// One attempt; retries are the caller's.
    ///
    /// # Errors
    /// Every failure, [`FetchError::Timeout`] included; only the resolver of the machine may block past
    /// `request.timeout`.
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError>;
}

/// Identity of a file's content for change detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// Modification time in nanoseconds.
    pub modified: u64,
    /// Size in bytes.
    pub size: u64,
    /// Inode, which changes when a file is replaced by renaming.
    pub inode: u64,
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// No such file below the mounts of the plugin.
    NotFound,
    /// Larger than the caller's limit.
    TooLarge,
    /// Any other failure.
    Unreadable,
}

/// Reads files below `settings.mounts`. Implemented by `host`.
pub trait ReadFile {
    /// The stamp of `path`, following symbolic links.
    ///
    /// # Errors
    /// When there is no such file or it cannot be examined.
    fn stat(&self, path: &str) -> Result<FileStamp, FileError>;

    /// The whole content of `path`.
    ///
    /// # Errors
    /// When it is missing, unreadable or larger than `max_bytes`.
    fn read(&self, path: &str, max_bytes: usize) -> Result<Vec<u8>, FileError>;
}

/// Everything that refreshing keys needs of the outside.
pub trait Io: Fetch + ReadFile + Share + Archive {
    /// The current time.
    fn now(&self) -> UnixTime;
}

/// Names one key document for all instances of a router, and for all routers that ask for it in the same way: a
/// digest of the URL and of all else that decides what a GET brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceId(pub [u8; 16]);

/// Orders the states of one source: every attempt makes a higher one. Zero is that of a source never asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

/// What all instances know of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Of the last attempt.
    pub generation: Generation,
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

/// A fetched document and what was said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedDocument {
    /// As in [`Fetched::Document`].
    pub body: Vec<u8>,
    /// As in [`Fetched::Document`].
    pub cache_control: String,
    /// As in [`Fetched::Document`].
    pub age: Seconds,
    /// As in [`Fetched::Document`].
    pub etag: Option<String>,
    /// When it was fetched, or last confirmed by a 304.
    pub fetched_at: UnixTime,
}

/// What a request does while another instance fetches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It has no keys and waits, if not too many do.
    ForKeys,
    /// It has keys and goes on with them.
    NotAtAll,
}

/// What asking for a source brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// A state newer than the one seen; of this instance's attempt or of another's, failed or not.
    Known(Shared),
    /// Another instance is fetching.
    Underway,
    /// Another instance is fetching, and as many requests as may wait do.
    Crowded,
}

/// Shares what was fetched between the instances of a router. Implemented by `host`; as it stands, nothing is shared.
pub trait Share {
    /// What is known of `source` where it is newer than `seen`. Costs microseconds.
    fn look(&self, _source: SourceId, _seen: Generation) -> Option<Shared> {
        None
    }

    /// Has `source` asked by one instance at a time. Where nobody has a newer state than `seen` and nobody is asking,
    /// `attempt` is called, which gets the document that is known and says what is now, or when it failed; it should
    /// end within `lease`, after which another instance may try.
    fn ask(
        &self,
        _source: SourceId,
        seen: Generation,
        _lease: Seconds,
        _waiting: Waiting,
        attempt: &mut dyn FnMut(Option<&SharedDocument>) -> Result<SharedDocument, Failure>,
    ) -> Asked {
        let unasked = Shared { generation: seen, ..Shared::default() };
        Asked::Known(unasked.after(attempt(None), Generation(0)))
    }
}

/// Who may fetch for a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This router, until it gives the claim back.
    Ours,
    /// Another one.
    Theirs,
    /// Nobody can say: the directory is missing or not to be written.
    Impossible,
}

/// Keeps files in a directory that several routers mount (`jwksCache.directory`). Implemented by `host`; as it stands,
/// there is no such directory.
pub trait Archive {
    /// The file called `name`, at most `max_bytes` of it. What is in it is not to be trusted.
    fn load(&self, _directory: &str, _name: &str, _max_bytes: usize) -> Option<Vec<u8>> {
        None
    }

    /// Replaces the file called `name`: readers see the old content or all of the new. Failing is no harm.
    fn store(&self, _directory: &str, _name: &str, _content: &[u8]) {}

    /// Claims `name`; a claim older than `lease` is taken over.
    fn claim(&self, _directory: &str, _name: &str, _lease: Seconds) -> Claim {
        Claim::Impossible
    }

    /// Gives a claim back.
    fn release(&self, _directory: &str, _name: &str) {}

    /// Waits for a moment, milliseconds.
    fn pause(&self) {}
}

/// Shares nothing and keeps nothing: for a host without the means.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unshared;

impl Share for Unshared {}

impl Archive for Unshared {}

impl SourceId {
    /// The digest of everything that decides what a GET brings, in an order of the caller's.
    #[must_use]
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            // The length first, so that no two lists run together; of one size on every machine.
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
            digest.update(part);
        }
        let mut id = [0; 16];
        for (to, from) in id.iter_mut().zip(digest.finalize()) {
            *to = from;
        }
        Self(id)
    }
}

impl Shared {
    /// The state after an attempt; its generation is `at_least` or the next one.
    #[must_use]
    pub fn after(self, attempt: Result<SharedDocument, Failure>, at_least: Generation) -> Self {
        let generation = Generation(self.generation.0.saturating_add(1)).max(at_least);
        match attempt {
            Ok(document) => Self { generation, document: Some(document), failures: 0, failure: None },
            Err(failure) => {
                Self { generation, failures: self.failures.saturating_add(1), failure: Some(failure), ..self }
            }
        }
    }
}

impl FetchError {
    /// Whether another attempt right away may succeed: faults of the way, not of the answer or the configuration.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Resolve | Self::Connect | Self::Tls(_) | Self::Timeout | Self::Http(_) | Self::Host(_) => {
                true
            }
            Self::Status(status) => *status >= 500,
            Self::Url
            | Self::StatusElsewhere(_)
            | Self::Redirect
            | Self::Forbidden
            | Self::TooLarge
            | Self::NotSupported => false,
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("not a URL that may be fetched"),
            Self::Resolve => f.write_str("the name does not resolve"),
            Self::Connect => f.write_str("no connection"),
            Self::Tls(reason) => write!(f, "TLS: {reason}"),
            Self::Timeout => f.write_str("timed out"),
            Self::Http(problem) => write!(f, "HTTP: {problem}"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::StatusElsewhere(status) => {
                write!(f, "status {status} of a server that gets no headers and certificate of clientConfig")
            }
            Self::Redirect => f.write_str("redirected too often or to no URL that may be fetched"),
            Self::Forbidden => {
                f.write_str("a redirect or jwks_uri leads to an address that none may lead to")
            }
            Self::TooLarge => f.write_str("the answer is too large"),
            Self::NotSupported => f.write_str("this artifact cannot fetch: use plugin.wasm"),
            Self::Host(problem) => write!(f, "host: {problem}"),
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "no such file below settings.mounts",
            Self::TooLarge => "the file is too large",
            Self::Unreadable => "the file cannot be read",
        })
    }
}
