//! The upstream: it says what reached it.
//!
//! `/slow?MILLISECONDS` answers late, `/stream?COUNT` sends that many chunks and waits for nothing,
//! `/stream-step` sends a chunk for each byte of the request body as it arrives, an `Upgrade: websocket`
//! becomes an echo of bytes, and everything else is answered with a JSON of the request.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::json;

use crate::http::{read_chunk, read_lines};
use crate::port;

/// An upstream on a free port of 127.0.0.1, until it is dropped.
pub struct Upstream {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    requests: Arc<AtomicUsize>,
    accepting: Option<JoinHandle<()>>,
}

impl Upstream {
    /// Starts one.
    ///
    /// # Panics
    /// When there is no free port.
    pub fn start() -> Self {
        Self::start_at("127.0.0.1:0")
    }

    /// Starts one at this address.
    ///
    /// # Panics
    /// When the port is taken.
    pub fn start_at(address: &str) -> Self {
        let listener = port::listen_at(address);
        let address = listener.local_addr().unwrap();
        let (ended, requests) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stop, count) = (Arc::clone(&ended), Arc::clone(&requests));
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), count) = (stream, Arc::clone(&count)) else { continue };
                std::thread::spawn(move || {
                    // Traefik closes connections as it likes.
                    let _ = serve(stream, &count);
                });
            }
        });
        Self { address, ended, requests, accepting: Some(accepting) }
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests that reached it.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn serve(stream: TcpStream, requests: &AtomicUsize) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::with_capacity(64 * 1024, stream);
    loop {
        let (first, headers) = read_lines(&mut stream)?;
        requests.fetch_add(1, Ordering::SeqCst);
        let value = |name: &str| {
            headers
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
        };
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        if value("Upgrade").is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
            return echo(stream, &headers);
        }
        if path == "/stream-step" {
            return step(stream);
        }
        let (length, sum) = match (value("Transfer-Encoding"), value("Content-Length")) {
            (Some(_), _) => digest_chunks(&mut stream)?,
            (None, Some(length)) => {
                digest(&mut (&mut stream).take(length.parse().map_err(std::io::Error::other)?))?
            }
            (None, None) => (0, 0),
        };
        match path {
            "/slow" => std::thread::sleep(Duration::from_millis(query.parse().unwrap_or(0))),
            "/stream" => {
                let stream = stream.get_mut();
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                for number in 0..query.parse().unwrap_or(3) {
                    chunk(stream, format!("data: {number}\n\n").as_bytes())?;
                }
                stream.write_all(b"0\r\n\r\n")?;
                continue;
            }
            _ => {}
        }
        let body = json!({
            "method": method, "target": target, "headers": headers, "body": {"length": length, "sum": sum}
        })
        .to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Upstream: yes\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let stream = stream.get_mut();
        stream.write_all(head.as_bytes())?;
        if method != "HEAD" {
            stream.write_all(body.as_bytes())?;
        }
    }
}

/// After the switch of protocols, whatever comes goes back; the identity goes first.
fn echo(mut stream: BufReader<TcpStream>, headers: &[(String, String)]) -> std::io::Result<()> {
    let head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    stream.get_mut().write_all(head)?;
    let identity: Vec<_> = headers.iter().filter(|(name, _)| name == "X-User-Sub").collect();
    stream.get_mut().write_all(format!("{}\n", json!(identity)).as_bytes())?;
    loop {
        let bytes = stream.fill_buf()?.to_vec();
        if bytes.is_empty() {
            return Ok(());
        }
        stream.get_mut().write_all(&bytes)?;
        stream.consume(bytes.len());
    }
}

/// A chunk out for every chunk in: shows that neither direction is held back.
fn step(mut stream: BufReader<TcpStream>) -> std::io::Result<()> {
    stream.get_mut().write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    while let Some(received) = read_chunk(&mut stream)? {
        chunk(stream.get_mut(), &received)?;
    }
    stream.get_mut().write_all(b"0\r\n\r\n")
}

fn chunk(stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    stream.write_all(&framed)
}

/// Length and a position-dependent sum, without holding the body.
fn digest(body: &mut impl Read) -> std::io::Result<(u64, u64)> {
    let mut digest = (0, 0);
    let mut buffer = [0; 64 * 1024];
    loop {
        match body.read(&mut buffer)? {
            0 => return Ok(digest),
            count => add(&mut digest, &buffer[..count]),
        }
    }
}

fn digest_chunks(stream: &mut impl BufRead) -> std::io::Result<(u64, u64)> {
    let mut digest = (0, 0);
    while let Some(chunk) = read_chunk(stream)? {
        add(&mut digest, &chunk);
    }
    Ok(digest)
}

fn add((length, sum): &mut (u64, u64), bytes: &[u8]) {
    for byte in bytes {
        *length += 1;
        *sum = sum.wrapping_mul(31).wrapping_add(u64::from(*byte));
    }
}

/// What an upstream says of a body, for comparison: (length, sum).
pub fn body_digest(body: &[u8]) -> (u64, u64) {
    let mut digest = (0, 0);
    add(&mut digest, body);
    digest
}
