//! The GET itself: redirects, one deadline over everything, and the repetition of what the host mixed up.

use super::connect::{Connection, Deadline, Fault, Integrity, Pauses, Received, resolve};
use super::http::{self, Answer, Progress, ResponseReader};
use super::mailbox;
use super::sockets;
use super::tls::TlsStream;
use super::url::{Scheme, Url};
use crate::keys::io::{Fetch, FetchError, FetchRequest, Fetched};

/// Redirects followed. Providers use none or one (`www`, trailing slash).
const MAX_REDIRECTS: u32 = 3;
/// Attempts for one exchange where only the host's races explain the failure. Three in a thousand exchanges fail
/// that way when many instances fetch at once.
const MAX_EXCHANGES: u32 = 3;

/// Bits of the random length that a request without TLS is longer.
const PADDING_MASK: u32 = 0x7ff;

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
            let hop = Hop { url: &url, headers, redirected: redirects > 0 };
            let location = match exchange(&hop, request, deadline)? {
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

/// One step on the way to the document.
struct Hop<'a> {
    url: &'a Url,
    headers: &'a [(String, String)],
    redirected: bool,
}

fn exchange(hop: &Hop<'_>, request: &FetchRequest<'_>, deadline: Deadline) -> Result<Answer, FetchError> {
    let mut attempts: u32 = 1;
    let mut first = None;
    loop {
        match exchange_once(hop, request, deadline) {
            Ok(answer) => {
                // Nothing else keeps another instance's document apart where there is neither TLS nor a mailbox.
                if hop.url.scheme == Scheme::Https || mailbox::exists() || first.as_ref() == Some(&answer) {
                    return Ok(answer);
                }
                if first.replace(answer).is_none() {
                    continue;
                }
            }
            Err(fault) if fault.mixed_up && attempts < MAX_EXCHANGES => {}
            Err(fault) => return Err(fault.error),
        }
        deadline.check()?;
        attempts = attempts.saturating_add(1);
        if attempts > MAX_EXCHANGES {
            return Err(FetchError::Host("the answers of other instances came between"));
        }
    }
}

fn exchange_once(hop: &Hop<'_>, request: &FetchRequest<'_>, deadline: Deadline) -> Result<Answer, Fault> {
    let addresses = resolve(hop.url, hop.redirected, deadline)?;
    let connection = Connection::open(&addresses, deadline)?;
    let mut stream = match hop.url.scheme {
        Scheme::Http => Stream::Plain(connection),
        Scheme::Https => Stream::Tls(Box::new(TlsStream::handshake(connection, hop.url, request, deadline)?)),
    };
    let padding = match hop.url.scheme {
        Scheme::Http => padding()?,
        Scheme::Https => 0,
    };
    stream.send(&http::request(hop.url, hop.headers, request.etag, padding)?, deadline)?;
    let mut reader = ResponseReader::new(request.max_body_bytes, request.etag.is_some());
    let mut pauses = Pauses::new();
    let mut received = Vec::new();
    loop {
        received.clear();
        match stream.receive(&mut received, deadline)? {
            Received::Bytes => {
                if reader.push(&received)? == Progress::Complete {
                    return Ok(reader.into_answer()?);
                }
                // Also where bytes keep dripping in.
                deadline.check()?;
                pauses = Pauses::new();
            }
            Received::NothingYet => pauses.pause(deadline)?,
            Received::End => {
                reader.end_of_stream()?;
                return Ok(reader.into_answer()?);
            }
        }
    }
}

/// Without TLS only the length that was sent tells our request from one that another instance sent at the same moment
/// and the host took instead; its answer would be a good document of another issuer on the same server.
fn padding() -> Result<usize, FetchError> {
    let random = sockets::random().map_err(|_| FetchError::Host("no random numbers"))?;
    Ok(usize::try_from(random & PADDING_MASK).unwrap_or(0))
}

enum Stream {
    Plain(Connection),
    Tls(Box<TlsStream>),
}

impl Stream {
    fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), FetchError> {
        match self {
            Self::Plain(connection) => connection.send_at_once(bytes),
            Self::Tls(stream) => stream.send(bytes, deadline),
        }
    }

    fn receive(&mut self, out: &mut Vec<u8>, deadline: Deadline) -> Result<Received, Fault> {
        match self {
            Self::Plain(connection) => Ok(connection.receive(out, Integrity::Here)?),
            Self::Tls(stream) => stream.receive(out, deadline),
        }
    }
}
