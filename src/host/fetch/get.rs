//! The GET itself: redirects, one deadline over everything, and the repetition of what the host mixed up.

use super::connect::{Connection, Fault, Integrity, Received, resolve};
use super::deadline::{Deadline, Pauses};
use super::http::{self, Answer, Progress, RequestParts, ResponseReader};
use super::mailbox;
use super::proxy::{self, Proxy, Reply};
use super::sockets;
use super::tls::{self, TlsStream};
use super::url::{Host, Scheme, Url, is_redirect_target};
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
        let proxy = match request.extras.proxy {
            Some(text) => Some(Proxy::parse(text).ok_or(FetchError::Url)?),
            None => None,
        };
        let mut url = first.clone();
        let mut redirects: u32 = 0;
        loop {
            // Configured headers may be credentials: they stay with the server they were meant for.
            let headers = if url.same_origin(&first) { request.headers } else { &[] };
            let server_name = if url.same_origin(&first) { request.extras.server_name } else { None };
            let proxy = proxy.as_ref().filter(|_| !proxy::is_exempt(&url, request.extras.no_proxy));
            let hop = Hop { url: &url, headers, server_name, proxy, redirected: redirects > 0 };
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
    server_name: Option<&'a str>,
    proxy: Option<&'a Proxy>,
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
    let mut connection = match hop.proxy {
        Some(proxy) => {
            if hop.redirected && !is_literal_redirect_target(hop.url) {
                return Err(FetchError::Redirect.into());
            }
            Connection::open(&resolve(&proxy.url, false, deadline)?, deadline)?
        }
        None => Connection::open(&resolve(hop.url, hop.redirected, deadline)?, deadline)?,
    };
    let mut parts = RequestParts { headers: hop.headers, etag: request.etag, ..RequestParts::default() };
    let mut stream = match hop.url.scheme {
        Scheme::Http => {
            parts = RequestParts { proxy: hop.proxy, padding: padding()?, ..parts };
            Stream::Plain(connection)
        }
        Scheme::Https => {
            if let Some(proxy) = hop.proxy {
                open_tunnel(&mut connection, proxy, hop.url, deadline)?;
            }
            let name = tls::server_name(hop.url, hop.server_name)?;
            Stream::Tls(Box::new(TlsStream::handshake(connection, name, request, deadline)?))
        }
    };
    stream.send(&http::request(hop.url, &parts)?, deadline)?;
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

/// What can be said of an address that the proxy resolves: only a literal one is known.
fn is_literal_redirect_target(url: &Url) -> bool {
    match url.host {
        Host::Address(address) => is_redirect_target(address),
        Host::Name(_) => true,
    }
}

fn open_tunnel(
    connection: &mut Connection,
    proxy: &Proxy,
    url: &Url,
    deadline: Deadline,
) -> Result<(), FetchError> {
    connection.send_at_once(&proxy.connect(url, padding()?))?;
    let pauses = Pauses::new();
    let mut received = Vec::new();
    loop {
        match connection.receive(&mut received, Integrity::Here)? {
            Received::Bytes => {
                if proxy::reply(&received)? == Reply::Tunnel {
                    return Ok(());
                }
                deadline.check()?;
            }
            Received::NothingYet => pauses.pause(deadline)?,
            Received::End => return Err(FetchError::Http("the answer ended early")),
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
