//! A raw HTTP/1.1 client: what it sends is what it was given, byte for byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A request. Header lines are sent in this order and spelling; nothing is added but `Host` when missing,
/// `Content-Length` when there is a body without framing, and `Connection: close`.
#[derive(Clone, Debug)]
pub struct Request {
    method: String,
    target: String,
    host: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Header lines in order, spelled as received.
    pub headers: Vec<(String, String)>,
    /// The body, out of its chunks.
    pub body: Vec<u8>,
}

impl Request {
    /// `method` on `target` of the virtual host `host`.
    pub fn new(method: &str, host: &str, target: &str) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            host: host.into(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A GET.
    pub fn get(host: &str, target: &str) -> Self {
        Self::new("GET", host, target)
    }

    /// Adds a header line.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.into(), value.as_ref().to_vec()));
        self
    }

    /// Adds `Authorization: Bearer` with this token.
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", format!("Bearer {token}"))
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    /// The bytes of the head.
    pub fn head(&self) -> Vec<u8> {
        let mut bytes = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut line = |name: &str, value: &[u8]| {
            bytes.extend_from_slice(name.as_bytes());
            bytes.extend_from_slice(b": ");
            bytes.extend_from_slice(value);
            bytes.extend_from_slice(b"\r\n");
        };
        if !self.has("Host") {
            line("Host", self.host.as_bytes());
        }
        for (name, value) in &self.headers {
            line(name, value);
        }
        if !self.has("Connection") {
            line("Connection", b"close");
        }
        if !self.body.is_empty() && !self.has("Content-Length") && !self.has("Transfer-Encoding") {
            line("Content-Length", self.body.len().to_string().as_bytes());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes
    }

    /// Sends it and reads the answer to its end.
    ///
    /// # Panics
    /// When there is no answer within minutes, which a machine that is slow and busy may need.
    pub fn send(&self, address: SocketAddr) -> Response {
        self.try_send(address).unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.target))
    }

    /// As [`Request::send`].
    ///
    /// # Errors
    /// Those of the connection.
    pub fn try_send(&self, address: SocketAddr) -> std::io::Result<Response> {
        let mut stream = self.open(address)?;
        stream.get_mut().write_all(&self.body)?;
        let (status, headers) = read_head(&mut stream)?;
        let response = Response { status, headers, body: Vec::new() };
        let body = if self.method == "HEAD" { Vec::new() } else { response.read_body(&mut stream)? };
        Ok(Response { body, ..response })
    }

    /// Sends the head only: for upgrades and for bodies that the caller writes.
    ///
    /// # Errors
    /// Those of the connection.
    pub fn open(&self, address: SocketAddr) -> std::io::Result<BufReader<TcpStream>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(240)))?;
        stream.write_all(&self.head())?;
        Ok(BufReader::new(stream))
    }
}

impl Response {
    /// The first value of a header; names are compared without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    fn read_body(&self, stream: &mut impl BufRead) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        if self.status == 101 || self.status == 204 || self.status == 304 {
            return Ok(body);
        }
        if self.header("Transfer-Encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
            while let Some(chunk) = read_chunk(stream)? {
                body.extend_from_slice(&chunk);
            }
        } else if let Some(length) = self.header("Content-Length") {
            body.resize(length.parse().map_err(std::io::Error::other)?, 0);
            stream.read_exact(&mut body)?;
        } else {
            stream.read_to_end(&mut body)?;
        }
        Ok(body)
    }
}

/// Status and header lines of an answer.
///
/// # Errors
/// Those of the connection, and of what is no HTTP.
pub fn read_head(stream: &mut impl BufRead) -> std::io::Result<(u16, Vec<(String, String)>)> {
    let (first, headers) = read_lines(stream)?;
    let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
    Ok((status.ok_or_else(|| std::io::Error::other(format!("no status line: '{first}'")))?, headers))
}

/// The next chunk of a chunked body; none at its end.
///
/// # Errors
/// Those of the connection, and of what is no chunk.
pub fn read_chunk(stream: &mut impl BufRead) -> std::io::Result<Option<Vec<u8>>> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let size = usize::from_str_radix(line.trim_end(), 16).map_err(std::io::Error::other)?;
    let mut chunk = vec![0; size + 2];
    stream.read_exact(&mut chunk)?;
    chunk.truncate(size);
    Ok((size > 0).then_some(chunk))
}

/// First line and header lines of a message.
pub(crate) fn read_lines(stream: &mut impl BufRead) -> std::io::Result<(String, Vec<(String, String)>)> {
    let mut next = || -> std::io::Result<String> {
        let mut line = Vec::new();
        if stream.by_ref().take(1 << 21).read_until(b'\n', &mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let text: String = line.iter().map(|byte| char::from(*byte)).collect();
        Ok(text.trim_end_matches(['\r', '\n']).to_owned())
    };
    let first = next()?;
    let mut headers = Vec::new();
    loop {
        let line = next()?;
        if line.is_empty() {
            return Ok((first, headers));
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
    }
}
