//! What ring 3 provides to ring 2: one HTTP GET, and files.

use std::fmt;

use crate::core::unix_time::{Seconds, UnixTime};

/// One HTTP GET of a JSON document, all of it under one deadline.
#[derive(Clone, Debug)]
pub struct FetchRequest<'a> {
    /// Absolute `https://` URL; `http://` only where `allow_http`.
    pub url: &'a str,
    /// Extra request headers, already resolved. Never logged.
    pub headers: &'a [(String, String)],
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
    /// The TLS handshake failed; the text is rustls' reason, without secrets.
    Tls(String),
    /// The deadline passed.
    Timeout,
    /// The answer is not HTTP/1.1 as RFC 9112 has it, or ended early.
    Http(&'static str),
    /// A status other than 200 and 304.
    Status(u16),
    /// More redirects than allowed, or one to a place that is not allowed.
    Redirect,
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
    /// Every failure, [`FetchError::Timeout`] included; never blocks past `request.timeout`.
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
pub trait Io: Fetch + ReadFile {
    /// The current time.
    fn now(&self) -> UnixTime;
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
            Self::Url | Self::Redirect | Self::TooLarge | Self::NotSupported => false,
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
            Self::Redirect => f.write_str("redirected too often or to a place that is not allowed"),
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
