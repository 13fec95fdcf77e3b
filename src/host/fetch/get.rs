//! The GET: redirects, one deadline for everything, and retries if the host mixed up instances.

use super::http::{self, Answer, Progress, RequestParts, ResponseReader};
use super::proxy;
use super::tls::{self, TlsStream};
use crate::core::url::address::may_be_led_to;
use crate::core::url::proxy::Proxy;
use crate::core::url::{Host, Origin, Scheme, Url};
use crate::documents::fetch::{Client, Fetch, FetchError, FetchRequest, Fetched};
use crate::host::limits::{MAX_EXCHANGES, MAX_REDIRECTS};
use crate::host::sockets::connect::{Connection, Fault, Integrity, NamedBy, Received, resolve};
use crate::host::sockets::deadline::{Deadline, Pauses};
use crate::host::sockets::imports;
use crate::host::sockets::lock;

/// Bits of the random number of bytes that pad a request without TLS.
const PADDING_MASK: u32 = 0x7ff;

/// Fetches over the sockets of the host.
#[derive(Clone, Copy, Debug, Default)]
pub struct HostFetch;

impl Fetch for HostFetch {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        let (client, rules) = (request.client, request.client.rules);
        let deadline = Deadline::after(request.timeout);
        if request.url.origin.scheme == Scheme::Http && !rules.allow_http {
            return Err(FetchError::Url);
        }
        let mut url = request.url.clone();
        let mut redirects: u32 = 0;
        let mut named_by = NamedBy::Configuration;
        loop {
            // No way back after a redirect to another server: it must not choose what is requested with credentials.
            if url.origin != *client.home {
                named_by = NamedBy::Answer;
            }
            let proxy = rules.proxy.as_ref().filter(|_| !proxy::is_exempt(&url.origin, &rules.no_proxy));
            let hop = Hop { url: &url, proxy, named_by };
            let location = match exchange(&hop, request, deadline) {
                Ok(Answer::Final(fetched)) => return Ok(fetched),
                Ok(Answer::Redirect { location }) => location,
                Err(FetchError::Status(status @ (401 | 403))) if hop.lacks_credentials_of(client) => {
                    return Err(FetchError::StatusElsewhere(status));
                }
                Err(error) => return Err(error),
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
    proxy: Option<&'a Proxy>,
    named_by: NamedBy,
}

impl Hop<'_> {
    /// The settings for a single server, if this is the one: they may be credentials, and another server has another name.
    fn own<'c>(&self, client: &'c Client<'_>) -> Option<&'c Client<'c>> {
        match self.named_by {
            NamedBy::Configuration => Some(client),
            NamedBy::Answer => None,
        }
    }

    /// Whether there are credentials for another server.
    fn lacks_credentials_of(&self, client: &Client<'_>) -> bool {
        let has_some = !client.headers.is_empty() || client.identity.is_some();
        client.rules.server.withheld || (has_some && self.own(client).is_none())
    }
}

fn exchange(hop: &Hop<'_>, request: &FetchRequest<'_>, deadline: Deadline) -> Result<Answer, FetchError> {
    let mut attempts: u32 = 1;
    let mut first = None;
    loop {
        match exchange_once(hop, request, deadline) {
            Ok(answer) => {
                // Without TLS and a lock, nothing else detects another instance's document.
                if hop.url.origin.scheme == Scheme::Https || lock::exists() || first.as_ref() == Some(&answer)
                {
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
    let origin = &hop.url.origin;
    let addresses = match hop.proxy {
        Some(_) if hop.named_by == NamedBy::Answer && !may_be_led_through_a_proxy(origin) => {
            return Err(FetchError::Forbidden.into());
        }
        Some(proxy) => resolve(&proxy.url.origin, NamedBy::Configuration, deadline)?,
        None => resolve(origin, hop.named_by, deadline)?,
    };
    let mut connection = Connection::open(&addresses, deadline)?;
    let own = hop.own(request.client);
    let mut parts = RequestParts {
        accept: request.accept,
        headers: own.map_or(&[], |client| &client.headers),
        etag: request.etag,
        ..RequestParts::default()
    };
    let mut stream = match origin.scheme {
        Scheme::Http => {
            parts = RequestParts { proxy: hop.proxy, padding: padding()?, ..parts };
            Stream::Plain(connection)
        }
        Scheme::Https => {
            if let Some(proxy) = hop.proxy {
                open_tunnel(&mut connection, proxy, origin, deadline)?;
            }
            let name = own.and_then(|client| client.rules.server.server_name.as_deref());
            let name = tls::server_name(&origin.host, name)?;
            let identity = own.and_then(|client| client.identity.as_ref());
            Stream::Tls(Box::new(TlsStream::handshake(connection, name, identity, request.client, deadline)?))
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
                // Also if bytes keep dripping in.
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

/// The checks for a host that the proxy resolves: only a literal address is known.
fn may_be_led_through_a_proxy(origin: &Origin) -> bool {
    match origin.host {
        Host::Address(address) => may_be_led_to(address),
        Host::Name(_) => true,
    }
}

fn open_tunnel(
    connection: &mut Connection,
    proxy: &Proxy,
    origin: &Origin,
    deadline: Deadline,
) -> Result<(), FetchError> {
    connection.send_at_once(&proxy::connect(proxy, origin, padding()?))?;
    let pauses = Pauses::new();
    let mut reader = ResponseReader::of_tunnel();
    let mut received = Vec::new();
    loop {
        match connection.receive(&mut received, Integrity::Here)? {
            Received::Bytes => {
                if proxy::read_reply(&mut reader, &received)? == Progress::Complete {
                    return Ok(());
                }
                received.clear();
                deadline.check()?;
            }
            Received::NothingYet => pauses.pause(deadline)?,
            Received::End => return Err(FetchError::Http("the answer ended early")),
        }
    }
}

/// Without TLS, only the length sent distinguishes our request from one that another instance sent at the same moment and
/// the host took instead. The answer to that would be a good document of another issuer on the same server.
fn padding() -> Result<usize, FetchError> {
    let random = imports::random().map_err(|_| FetchError::Host("no random numbers"))?;
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
