//! A key-set server that can fail in every way that one on the network can.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ConfigBuilder, RootCertStore, ServerConfig, ServerConnection, StreamOwned, WantsVerifier};

use crate::certificate::Issued;
use crate::port;

/// How the server answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// The document, with `Content-Length`.
    Up,
    /// Connections are refused.
    Down,
    /// The request is read and never answered.
    Hang,
    /// A byte of the answer at a time, this many milliseconds apart.
    Drip(u64),
    /// The answer comes after this many milliseconds.
    Late(u64),
    /// This status with a JSON body that says so.
    Status(u16),
    /// 200 with a page of HTML.
    Html,
    /// Half of the announced body, then the connection closes.
    HalfBody,
    /// 200 with 10 MiB of valid JSON.
    Huge,
    /// The document in chunks.
    Chunked,
    /// The document without a length; the end of the connection ends it.
    UntilClose,
    /// A redirect there, with this status.
    Redirect(u16, String),
    /// A certificate of a CA that nobody trusts.
    WrongCertificate,
    /// These bytes as they stand, then the end of the connection.
    Raw(Vec<u8>),
    /// The first as they stand, then the second again and again, as long as the client reads them.
    Endless(&'static str, &'static str),
}

struct State {
    behaviour: Behaviour,
    document: String,
    headers: Vec<(String, String)>,
    authorization: Option<String>,
    at_paths: Option<Vec<(String, String)>>,
    etag: bool,
    request_heads: Vec<String>,
    certified: Vec<bool>,
}

impl State {
    /// How the request with this head is answered, or the status of a refusal.
    fn answer_to(&self, head: &str) -> Result<(Behaviour, String), u16> {
        let mut lines = head.lines();
        let path = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        let sent = lines.find_map(|line| line.strip_prefix("Authorization: "));
        if self.authorization.is_some() && self.authorization.as_deref() != sent {
            return Err(401);
        }
        let document = match &self.at_paths {
            None => Some(&self.document),
            Some(documents) => documents.iter().find(|(at, _)| at == path).map(|(_, text)| text),
        };
        document.map(|document| (self.behaviour.clone(), document.clone())).ok_or(403)
    }
}

struct Shared {
    state: Mutex<State>,
    requests: AtomicUsize,
    stop: AtomicUsize,
    tls: Option<[Arc<ServerConfig>; 2]>,
}

/// A server on a free port of 127.0.0.1, until it is dropped.
pub struct JwksServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    ca_pem: String,
    client_identity: (String, String),
    accepting: Option<JoinHandle<()>>,
}

/// A certificate for localhost and 127.0.0.1, its CA, and what a client of that CA presents.
struct Certificate {
    config: Arc<ServerConfig>,
    ca_pem: String,
    client_identity: (String, String),
}

const UP: usize = 0;
const DOWN: usize = 1;
const ENDED: usize = 2;

impl JwksServer {
    /// A server over HTTPS with a CA of its own.
    pub fn https(document: impl Into<String>) -> Self {
        Self::https_at("127.0.0.1:0", document)
    }

    /// The same at this address, for configurations that name it.
    pub fn https_at(address: &str, document: impl Into<String>) -> Self {
        Self::start(address, document.into(), Some(certificate("the CA of the tests", Clients::NotAsked)))
    }

    /// A server over HTTPS that serves only clients with a certificate of its CA.
    pub fn https_for_clients(document: impl Into<String>) -> Self {
        Self::start(
            "127.0.0.1:0",
            document.into(),
            Some(certificate("the CA of the tests", Clients::Certified)),
        )
    }

    /// A server over HTTPS with this certificate, that asks clients for one of the same CA and does without.
    pub fn https_asking(issued: &Issued, document: impl Into<String>) -> Self {
        Self::start("127.0.0.1:0", document.into(), Some(certified(issued, Clients::Asked)))
    }

    /// A server over HTTPS that presents a certificate whose key it does not have.
    pub fn https_without_key(document: impl Into<String>) -> Self {
        let mut certified = certificate("the CA of the tests", Clients::NotAsked);
        let (presented, own) = (Issued::p256("the CA of another"), Issued::p256("its own CA"));
        certified.ca_pem.clone_from(&presented.ca_pem);
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.key.serialize_der()));
        let signing = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        let both = CertifiedKey::new(vec![presented.certificate.der().clone()], signing);
        let config =
            builder().with_no_client_auth().with_cert_resolver(Arc::new(SingleCertAndKey::from(both)));
        certified.config = Arc::new(config);
        Self::start("127.0.0.1:0", document.into(), Some(certified))
    }

    /// A server over plain HTTP.
    pub fn http(document: impl Into<String>) -> Self {
        Self::start("127.0.0.1:0", document.into(), None)
    }

    /// The same at this address, which may be one of IPv6.
    pub fn http_at(address: &str, document: impl Into<String>) -> Self {
        Self::start(address, document.into(), None)
    }

    fn start(address: &str, document: String, certified: Option<Certificate>) -> Self {
        let listener = port::listen_at(address);
        let address = listener.local_addr().unwrap();
        let state = State {
            behaviour: Behaviour::Up,
            document,
            headers: Vec::new(),
            authorization: None,
            at_paths: None,
            etag: false,
            request_heads: Vec::new(),
            certified: Vec::new(),
        };
        let (tls, ca_pem, client_identity) = match certified {
            Some(Certificate { config, ca_pem, client_identity }) => {
                let untrusted = certificate("a CA that nobody trusts", Clients::NotAsked).config;
                (Some([config, untrusted]), ca_pem, client_identity)
            }
            None => Default::default(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            requests: AtomicUsize::new(0),
            stop: AtomicUsize::new(UP),
            tls,
        });
        let mut server = Self { shared, address, ca_pem, client_identity, accepting: None };
        server.accept(listener);
        server
    }

    fn accept(&mut self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        shared.stop.store(UP, Ordering::SeqCst);
        self.accepting = Some(std::thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.stop.load(Ordering::SeqCst) != UP {
                    return;
                }
                let (Ok(stream), shared) = (stream, Arc::clone(&shared)) else { continue };
                std::thread::spawn(move || {
                    // A client that gives up is one of the cases, not a failure.
                    let _ = shared.serve(stream);
                });
            }
        }));
    }

    fn stop_accepting(&mut self, stop: usize) {
        self.shared.stop.store(stop, Ordering::SeqCst);
        if let Some(accepting) = self.accepting.take() {
            let _ = TcpStream::connect(self.address);
            let _ = accepting.join();
        }
    }

    /// Answers so from now on.
    ///
    /// # Panics
    /// When another process took the port while the server was down.
    pub fn set(&mut self, behaviour: Behaviour) {
        let down = behaviour == Behaviour::Down;
        self.shared.state.lock().unwrap().behaviour = behaviour;
        if down {
            self.stop_accepting(DOWN);
        } else if self.accepting.is_none() {
            let listener = TcpListener::bind(self.address).unwrap();
            self.accept(listener);
        }
    }

    /// The document from now on.
    pub fn publish(&self, document: impl Into<String>) {
        self.shared.state.lock().unwrap().document = document.into();
    }

    /// From now on a request without this value of `Authorization` gets a 401, as from an API server.
    pub fn demand(&self, authorization: &str) {
        self.shared.state.lock().unwrap().authorization = Some(authorization.into());
    }

    /// From now on each of these paths has a document of its own, and every other path is a 403.
    pub fn publish_at(&self, documents: &[(&str, &str)]) {
        let documents = documents.iter().map(|(path, text)| ((*path).into(), (*text).into()));
        self.shared.state.lock().unwrap().at_paths = Some(documents.collect());
    }

    /// Headers that every 200 carries, such as `Cache-Control`.
    pub fn set_headers(&self, headers: &[(&str, &str)]) {
        self.shared.state.lock().unwrap().headers =
            headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    }

    /// Whether 200s carry an ETag, and a request that names it gets a 304.
    pub fn set_etag(&self, etag: bool) {
        self.shared.state.lock().unwrap().etag = etag;
    }

    /// Requests read since the start.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// The heads of those requests, as received.
    pub fn request_heads(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().request_heads.clone()
    }

    /// Whether the client of each of them presented a certificate.
    pub fn certified(&self) -> Vec<bool> {
        self.shared.state.lock().unwrap().certified.clone()
    }

    /// The URL of `path`, with `localhost` as the host.
    pub fn url(&self, path: &str) -> String {
        let scheme = if self.shared.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}{path}", self.address.port())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A certificate of the CA and its key as PEM, for `clientConfig.tls.cert` and `key`.
    pub fn client_identity(&self) -> &(String, String) {
        &self.client_identity
    }

    /// The CA as PEM, for `clientConfig.tls.ca`; empty over plain HTTP.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }
}

impl Drop for JwksServer {
    fn drop(&mut self) {
        self.stop_accepting(ENDED);
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(10)))?;
        let wrong = self.state.lock().unwrap().behaviour == Behaviour::WrongCertificate;
        match &self.tls {
            None => self.answer(stream, |_| false),
            Some(configs) => {
                let config = Arc::clone(&configs[usize::from(wrong)]);
                let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
                let mut stream = StreamOwned::new(connection, stream);
                self.answer(&mut stream, |stream| stream.conn.peer_certificates().is_some())?;
                stream.conn.send_close_notify();
                stream.flush()
            }
        }
    }

    fn answer<S: Read + Write>(
        &self,
        mut stream: S,
        is_certified: impl Fn(&S) -> bool,
    ) -> std::io::Result<()> {
        let head = read_head(&mut stream)?;
        self.requests.fetch_add(1, Ordering::SeqCst);
        let (behaviour, document, mut headers, etag) = {
            let mut state = self.state.lock().unwrap();
            state.request_heads.push(head.clone());
            state.certified.push(is_certified(&stream));
            let answer = state.answer_to(&head);
            let (behaviour, document) =
                answer.unwrap_or_else(|status| (Behaviour::Status(status), String::new()));
            (behaviour, document, state.headers.clone(), state.etag)
        };
        let tag = format!("\"{}-{}\"", document.len(), document.bytes().map(u64::from).sum::<u64>());
        if etag {
            headers.push(("ETag".into(), tag.clone()));
        }
        if etag
            && head
                .lines()
                .any(|line| line.to_ascii_lowercase().starts_with("if-none-match:") && line.contains(&tag))
        {
            return stream.write_all(&response(304, &headers, None, b""));
        }
        let body = document.as_bytes();
        let whole = response(200, &headers, Some(body.len()), body);
        match behaviour {
            Behaviour::Up | Behaviour::WrongCertificate => stream.write_all(&whole),
            Behaviour::Down => Ok(()),
            Behaviour::Hang => self.hang(),
            Behaviour::Late(milliseconds) => {
                std::thread::sleep(Duration::from_millis(milliseconds));
                stream.write_all(&whole)
            }
            Behaviour::Drip(milliseconds) => {
                for byte in whole {
                    stream.write_all(&[byte])?;
                    stream.flush()?;
                    std::thread::sleep(Duration::from_millis(milliseconds));
                }
                Ok(())
            }
            Behaviour::Status(status) => {
                let body = format!("{{\"status\": {status}}}");
                stream.write_all(&response(status, &[], Some(body.len()), body.as_bytes()))
            }
            Behaviour::Html => {
                let page = b"<!doctype html><title>Sign in</title><p>not a key set";
                stream.write_all(&response(200, &[], Some(page.len()), page))
            }
            Behaviour::HalfBody => {
                stream.write_all(&response(200, &headers, Some(body.len()), &body[..body.len() / 2]))
            }
            Behaviour::Huge => {
                let body = format!("{{\"keys\": [], \"padding\": \"{}\"}}", "x".repeat(10 << 20));
                stream.write_all(&response(200, &headers, Some(body.len()), body.as_bytes()))
            }
            Behaviour::Chunked => {
                headers.push(("Transfer-Encoding".into(), "chunked".into()));
                let mut answer = response(200, &headers, None, b"");
                for chunk in body.chunks(100) {
                    answer.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    answer.extend_from_slice(chunk);
                    answer.extend_from_slice(b"\r\n");
                }
                answer.extend_from_slice(b"0\r\n\r\n");
                stream.write_all(&answer)
            }
            Behaviour::UntilClose => stream.write_all(&response(200, &headers, None, body)),
            Behaviour::Redirect(status, location) => {
                let headers = [("Location".to_owned(), location)];
                stream.write_all(&response(status, &headers, Some(0), b""))
            }
            Behaviour::Raw(bytes) => stream.write_all(&bytes),
            Behaviour::Endless(head, again) => {
                stream.write_all(head.as_bytes())?;
                let many = again.repeat((64 << 10) / again.len());
                loop {
                    stream.write_all(many.as_bytes())?;
                }
            }
        }
    }

    /// Until the behaviour changes, the server ends, or a minute is over.
    fn hang(&self) -> std::io::Result<()> {
        for _ in 0..600 {
            std::thread::sleep(Duration::from_millis(100));
            let hanging = self.state.lock().unwrap().behaviour == Behaviour::Hang;
            if !hanging || self.stop.load(Ordering::SeqCst) == ENDED {
                break;
            }
        }
        Ok(())
    }
}

fn response(status: u16, headers: &[(String, String)], length: Option<usize>, body: &[u8]) -> Vec<u8> {
    let mut head =
        format!("HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = length {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

fn read_head(stream: &mut impl Read) -> std::io::Result<String> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 || head.len() > 64 * 1024 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// What a server asks of its clients.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Clients {
    NotAsked,
    /// For a certificate of the server's CA, and does without.
    Asked,
    /// For such a certificate, and serves nobody else.
    Certified,
}

/// Signed by a CA called `ca_name`.
fn certificate(ca_name: &str, clients: Clients) -> Certificate {
    certified(&Issued::p256(ca_name), clients)
}

fn builder() -> ConfigBuilder<ServerConfig, WantsVerifier> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap()
}

fn certified(issued: &Issued, clients: Clients) -> Certificate {
    let builder = builder();
    let builder = if clients == Clients::NotAsked {
        builder.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        roots.add(issued.ca_der.clone()).unwrap();
        let provider = Arc::clone(builder.crypto_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = match clients {
            Clients::Asked => verifier.allow_unauthenticated(),
            Clients::NotAsked | Clients::Certified => verifier,
        };
        builder.with_client_cert_verifier(verifier.build().unwrap())
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(issued.key.serialize_der()));
    let config = builder.with_single_cert(vec![issued.certificate.der().clone()], key).unwrap();
    Certificate {
        config: Arc::new(config),
        ca_pem: issued.ca_pem.clone(),
        client_identity: issued.client.clone(),
    }
}
