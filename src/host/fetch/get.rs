//! The GET itself: redirects, one deadline over everything, and the repetition of what the host mixed up.

use super::connect::{Connection, Deadline, Integrity, Pauses, Received, resolve};
use super::http::{self, Answer, Progress, ResponseReader};
use super::tls::TlsStream;
use super::url::{Scheme, Url};
use crate::keys::io::{Fetch, FetchError, FetchRequest, Fetched};

/// Redirects followed. Providers use none or one (`www`, trailing slash).
const MAX_REDIRECTS: u32 = 3;
/// Attempts for one exchange where only the host's races explain the failure. Three in a thousand exchanges fail
/// that way when many instances fetch at once.
const MAX_EXCHANGES: u32 = 3;

/// Fetches over the sockets of the host.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostFetch;

impl Fetch for HostFetch {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        let deadline = Deadline::after(request.timeout);
        let first = Url::parse(request.url).ok_or(FetchError::Url)?;
        if first.scheme == Scheme::Http && !request.allow_http {
            return Err(FetchError::Url);
        }
        let mut url = first.clone();
        let mut redirects: u32 = 0;
        loop {
            // Configured headers may be credentials: they stay with the server they were meant for.
            let headers = if url.same_origin(&first) { request.headers } else { &[] };
            let bytes = http::request(&url, headers, request.etag)?;
            let location = match exchange(&url, &bytes, request, redirects > 0, deadline)? {
                Answer::Document { body, cache_control, age, etag } => {
                    return Ok(Fetched::Document { body, cache_control, age, etag });
                }
                Answer::NotModified { cache_control } => return Ok(Fetched::NotModified { cache_control }),
                Answer::Redirect { location } => location,
            };
            redirects = redirects.saturating_add(1);
            if redirects > MAX_REDIRECTS {
                return Err(FetchError::Redirect);
            }
            url = url.follow(&location).ok_or(FetchError::Redirect)?;
        }
    }
}

fn exchange(
    url: &Url,
    bytes: &[u8],
    request: &FetchRequest<'_>,
    redirected: bool,
    deadline: Deadline,
) -> Result<Answer, FetchError> {
    let mut attempts: u32 = 1;
    loop {
        match exchange_once(url, bytes, request, redirected, deadline) {
            Err(FetchError::Host(_)) if attempts < MAX_EXCHANGES => {
                deadline.check()?;
                attempts = attempts.saturating_add(1);
            }
            result => return result,
        }
    }
}

fn exchange_once(
    url: &Url,
    bytes: &[u8],
    request: &FetchRequest<'_>,
    redirected: bool,
    deadline: Deadline,
) -> Result<Answer, FetchError> {
    let addresses = resolve(url, redirected, deadline)?;
    let connection = Connection::open(&addresses, deadline)?;
    let mut stream = match url.scheme {
        Scheme::Http => Stream::Plain(connection),
        Scheme::Https => Stream::Tls(Box::new(TlsStream::handshake(connection, url, request, deadline)?)),
    };
    stream.send(bytes, deadline)?;
    let mut reader = ResponseReader::new(request.max_body_bytes, request.etag.is_some());
    let mut pauses = Pauses::new();
    let mut received = Vec::new();
    loop {
        received.clear();
        match stream.receive(&mut received, deadline)? {
            Received::Bytes => {
                if reader.push(&received)? == Progress::Complete {
                    return reader.into_answer();
                }
                // Also where bytes keep dripping in.
                deadline.check()?;
                pauses = Pauses::new();
            }
            Received::NothingYet => pauses.pause(deadline)?,
            Received::End => {
                reader.end_of_stream()?;
                return reader.into_answer();
            }
        }
    }
}

enum Stream {
    Plain(Connection),
    Tls(Box<TlsStream>),
}

impl Stream {
    fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), FetchError> {
        match self {
            Self::Plain(connection) => connection.send(bytes, deadline),
            Self::Tls(stream) => stream.send(bytes, deadline),
        }
    }

    fn receive(&mut self, out: &mut Vec<u8>, deadline: Deadline) -> Result<Received, FetchError> {
        match self {
            Self::Plain(connection) => connection.receive(out, Integrity::Here),
            Self::Tls(stream) => stream.receive(out, deadline),
        }
    }
}
