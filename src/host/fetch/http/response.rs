//! The response, read as its bytes arrive.

use std::borrow::Cow;

use super::is_field_byte;
use crate::core::request::header_name::is_field_name;
use crate::core::unix_time::Seconds;
use crate::documents::document::Document;
use crate::documents::fetch::{FetchError, Fetched};
use crate::host::fetch::gzip;
use crate::host::limits::{MAX_CHUNK_LINE_BYTES, MAX_HEAD_BYTES};

/// A complete response, as far as the caller needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// 200, or 304 to a request with `If-None-Match`; transfer and content codings are removed.
    Final(Fetched),
    /// 301, 302, 303, 307 or 308.
    Redirect {
        /// `Location`, unchanged.
        location: String,
    },
}

/// Whether more bytes are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Read more, or call [`ResponseReader::end_of_stream`].
    More,
    /// The response is complete; bytes that follow are ignored.
    Complete,
}

/// Reads one response.
#[derive(Debug)]
pub struct ResponseReader {
    request: Request,
    max_body_bytes: usize,
    head_budget: usize,
    line: Vec<u8>,
    head: Head,
    state: State,
    body: Vec<u8>,
}

/// The request that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Get,
    /// A GET with `If-None-Match`.
    ConditionalGet,
    Connect,
}

#[derive(Debug)]
enum State {
    StatusLine,
    Fields,
    /// Bytes that are missing.
    Length(usize),
    UntilClose,
    ChunkLine,
    /// Bytes of this chunk that are missing.
    Chunk(usize),
    ChunkEnd,
    Trailers,
    Complete,
}

#[derive(Debug, Default)]
struct Head {
    status: u16,
    minor_version: u8,
    cache_control: String,
    age: Seconds,
    etag: Option<String>,
    location: Option<String>,
    content_length: Option<u64>,
    transfer_encoding: Option<String>,
    content_encoding: Option<String>,
}

impl ResponseReader {
    /// A reader for a response to a GET; `conditional` says whether `If-None-Match` was sent, without which a
    /// 304 is an error.
    pub fn new(max_body_bytes: usize, conditional: bool) -> Self {
        let request = if conditional { Request::ConditionalGet } else { Request::Get };
        Self::answering(request, max_body_bytes)
    }

    /// A reader for a response to a CONNECT, which is complete with the head of a success (RFC 9110 9.3.6). Anything but
    /// a success is an error, and so are bytes that follow: nothing has been sent to the server behind the proxy yet.
    pub fn of_tunnel() -> Self {
        Self::answering(Request::Connect, 0)
    }

    fn answering(request: Request, max_body_bytes: usize) -> Self {
        Self {
            request,
            max_body_bytes,
            head_budget: MAX_HEAD_BYTES,
            line: Vec::new(),
            head: Head::default(),
            state: State::StatusLine,
            body: Vec::new(),
        }
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// [`FetchError::Http`], [`FetchError::Status`] or [`FetchError::TooLarge`], as soon as it is certain.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<Progress, FetchError> {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Complete if self.request == Request::Connect => {
                    return Err(FetchError::Http("bytes before the tunnel is used"));
                }
                State::Complete => break,
                State::Length(left) => {
                    let rest = self.take_body(bytes, left)?;
                    let left = left.saturating_sub(bytes.len());
                    self.state = if left == 0 { State::Complete } else { State::Length(left) };
                    rest
                }
                State::Chunk(left) => {
                    let rest = self.take_body(bytes, left)?;
                    let left = left.saturating_sub(bytes.len());
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    rest
                }
                State::UntilClose => self.take_body(bytes, bytes.len())?,
                State::StatusLine | State::Fields | State::ChunkLine | State::ChunkEnd | State::Trailers => {
                    self.take_line(bytes)?
                }
            };
        }
        Ok(match self.state {
            State::Complete => Progress::Complete,
            State::StatusLine
            | State::Fields
            | State::Length(_)
            | State::UntilClose
            | State::ChunkLine
            | State::Chunk(_)
            | State::ChunkEnd
            | State::Trailers => Progress::More,
        })
    }

    /// The server has closed: complete for a body without a length, early for any other.
    ///
    /// # Errors
    /// [`FetchError::Http`] if the response is not complete.
    pub fn end_of_stream(&mut self) -> Result<(), FetchError> {
        match self.state {
            State::UntilClose | State::Complete => {
                self.state = State::Complete;
                Ok(())
            }
            State::StatusLine
            | State::Fields
            | State::Length(_)
            | State::ChunkLine
            | State::Chunk(_)
            | State::ChunkEnd
            | State::Trailers => Err(FetchError::Http("the answer ended early")),
        }
    }

    /// The complete response.
    ///
    /// # Errors
    /// [`FetchError::Http`] if it is not complete, or is a redirect without `Location`.
    pub fn into_answer(self) -> Result<Answer, FetchError> {
        if !matches!(self.state, State::Complete) {
            return Err(FetchError::Http("the answer ended early"));
        }
        let coding = self.head.content_coding();
        let Head { status, cache_control, age, etag, location, .. } = self.head;
        match status {
            200 => {
                let body = match coding {
                    Some(Coding::Gzip) => gzip::decode(&self.body, self.max_body_bytes)?,
                    Some(Coding::Identity) | None => self.body,
                };
                Ok(Answer::Final(Fetched::Document(Document { body, cache_control, age, etag })))
            }
            304 => Ok(Answer::Final(Fetched::NotModified { cache_control })),
            _ => location
                .map(|location| Answer::Redirect { location })
                .ok_or(FetchError::Http("redirect without Location")),
        }
    }

    fn take_body<'a>(&mut self, bytes: &'a [u8], wanted: usize) -> Result<&'a [u8], FetchError> {
        let (taken, rest) = bytes.split_at_checked(wanted).unwrap_or((bytes, &[]));
        if taken.len() > self.max_body_bytes.saturating_sub(self.body.len()) {
            return Err(FetchError::TooLarge);
        }
        self.body.extend_from_slice(taken);
        Ok(rest)
    }

    /// Collects a line and processes it when its CRLF is there. A bare LF or CR is rejected, as RFC 9112 2.2 allows.
    fn take_line<'a>(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], FetchError> {
        let (part, rest) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(at) => bytes.split_at_checked(at.saturating_add(1)).unwrap_or((bytes, &[])),
            None => (bytes, &[][..]),
        };
        self.spend(part.len())?;
        self.line.extend_from_slice(part);
        if self.line.last() != Some(&b'\n') {
            return Ok(rest);
        }
        let line = std::mem::take(&mut self.line);
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return Err(FetchError::Http("line without CRLF"));
        };
        match self.state {
            State::StatusLine => {
                self.head = parse_status_line(line)?;
                self.state = State::Fields;
            }
            State::Fields if line.is_empty() => self.state = self.after_head()?,
            State::Fields => self.head.take_field(line)?,
            State::ChunkLine => {
                let size = parse_chunk_size(line)?;
                if size > self.max_body_bytes.saturating_sub(self.body.len()) {
                    return Err(FetchError::TooLarge);
                }
                self.state = if size == 0 { State::Trailers } else { State::Chunk(size) };
            }
            State::ChunkEnd if line.is_empty() => self.state = State::ChunkLine,
            State::ChunkEnd => return Err(FetchError::Http("chunk longer than its size")),
            // Trailers are read and dropped: they must not change what the head said.
            State::Trailers if line.is_empty() => self.state = State::Complete,
            State::Trailers => {
                parse_field(line)?;
            }
            State::Length(_) | State::UntilClose | State::Chunk(_) | State::Complete => {
                return Err(FetchError::Http("line outside of a head"));
            }
        }
        Ok(rest)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), FetchError> {
        match self.state {
            State::ChunkLine | State::ChunkEnd => {
                // Does not use the budget of the heads: a document may come in any number of small chunks.
                if self.line.len().saturating_add(bytes) > MAX_CHUNK_LINE_BYTES {
                    return Err(FetchError::Http("chunk line too long"));
                }
            }
            State::StatusLine
            | State::Fields
            | State::Trailers
            | State::Length(_)
            | State::UntilClose
            | State::Chunk(_)
            | State::Complete => {
                self.head_budget =
                    self.head_budget.checked_sub(bytes).ok_or(FetchError::Http("head too large"))?;
            }
        }
        Ok(())
    }

    /// Which body follows (RFC 9112 6.3).
    fn after_head(&self) -> Result<State, FetchError> {
        let head = &self.head;
        match head.status {
            // A final 101 cannot come, since the request has no upgrade.
            101 => return Err(FetchError::Status(101)),
            100..=199 => return Ok(State::StatusLine),
            // Regardless of the stated length.
            200..=299 if self.request == Request::Connect => return Ok(State::Complete),
            other if self.request == Request::Connect => return Err(FetchError::Status(other)),
            200 => {}
            304 if self.request == Request::ConditionalGet => return Ok(State::Complete),
            301 | 302 | 303 | 307 | 308 => return Ok(State::Complete),
            other => return Err(FetchError::Status(other)),
        }
        if head.content_coding().is_none() {
            return Err(FetchError::Http("content coding other than gzip"));
        }
        match (&head.transfer_encoding, head.content_length) {
            (Some(_), Some(_)) => Err(FetchError::Http("both Transfer-Encoding and Content-Length")),
            (Some(coding), None) if head.minor_version > 0 && coding.eq_ignore_ascii_case("chunked") => {
                Ok(State::ChunkLine)
            }
            (Some(_), None) => Err(FetchError::Http("transfer coding other than chunked")),
            (None, Some(length)) => match usize::try_from(length) {
                Ok(0) => Ok(State::Complete),
                Ok(length) if length <= self.max_body_bytes => Ok(State::Length(length)),
                Ok(_) | Err(_) => Err(FetchError::TooLarge),
            },
            (None, None) => Ok(State::UntilClose),
        }
    }
}

#[derive(Clone, Copy)]
enum Coding {
    Identity,
    Gzip,
}

impl Head {
    /// `None` if it is not supported. The request accepts no compression, but some servers compress anyway.
    fn content_coding(&self) -> Option<Coding> {
        let coding = self.content_encoding.as_deref().unwrap_or("identity");
        if coding.eq_ignore_ascii_case("identity") {
            Some(Coding::Identity)
        } else if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            Some(Coding::Gzip)
        } else {
            None
        }
    }

    fn take_field(&mut self, line: &[u8]) -> Result<(), FetchError> {
        let (name, value) = parse_field(line)?;
        let value = &*value;
        if name.eq_ignore_ascii_case("cache-control") {
            join(&mut self.cache_control, value);
        } else if name.eq_ignore_ascii_case("age") {
            self.age = Seconds(decimal(value).unwrap_or(0));
        } else if name.eq_ignore_ascii_case("etag") {
            self.etag = Some(value.to_owned());
        } else if name.eq_ignore_ascii_case("location") {
            if self.location.replace(value.to_owned()).is_some_and(|earlier| earlier != value) {
                return Err(FetchError::Http("two different Location"));
            }
        } else if name.eq_ignore_ascii_case("content-length") {
            // A list of equal values is one value (RFC 9112 6.3); anything else could be read in two ways.
            for part in value.split(',') {
                let length =
                    decimal(part.trim_matches([' ', '\t'])).ok_or(FetchError::Http("bad Content-Length"))?;
                if self.content_length.replace(length).is_some_and(|earlier| earlier != length) {
                    return Err(FetchError::Http("two different Content-Length"));
                }
            }
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            join(self.transfer_encoding.get_or_insert_default(), value);
        } else if name.eq_ignore_ascii_case("content-encoding") {
            join(self.content_encoding.get_or_insert_default(), value);
        }
        Ok(())
    }
}

fn join(list: &mut String, value: &str) {
    if !list.is_empty() {
        list.push_str(", ");
    }
    list.push_str(value);
}

/// RFC 9112 4: `HTTP/1.1 200 OK`; the reason and the blank before it may be missing.
fn parse_status_line(line: &[u8]) -> Result<Head, FetchError> {
    let bad = FetchError::Http("not an HTTP/1.1 answer");
    let (minor_version, rest) = match line.split_at_checked(9) {
        Some((b"HTTP/1.1 ", rest)) => (1, rest),
        Some((b"HTTP/1.0 ", rest)) => (0, rest),
        Some(_) | None => return Err(bad),
    };
    let (digits, reason) = rest.split_at_checked(3).ok_or_else(|| bad.clone())?;
    let status = str::from_utf8(digits).ok().and_then(decimal).and_then(|status| u16::try_from(status).ok());
    match status {
        Some(status @ 100..=599) if reason.is_empty() || reason.first() == Some(&b' ') => {
            Ok(Head { status, minor_version, ..Head::default() })
        }
        Some(_) | None => Err(bad),
    }
}

/// RFC 9112 5: a folded line or a blank before the colon is rejected, since readers differ on it. Bytes that are
/// not UTF-8 occur in the wild in headers that are not used here, so they are not a reason to reject the keys.
fn parse_field(line: &[u8]) -> Result<(&str, Cow<'_, str>), FetchError> {
    let bad = FetchError::Http("malformed header");
    let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| bad.clone())?;
    let (name, value) = line.split_at_checked(colon).ok_or_else(|| bad.clone())?;
    let value = trimmed(value.strip_prefix(b":").unwrap_or_default());
    match str::from_utf8(name) {
        Ok(name) if is_field_name(name) && value.iter().copied().all(is_field_byte) => {
            Ok((name, String::from_utf8_lossy(value)))
        }
        Ok(_) | Err(_) => Err(bad),
    }
}

/// Without the blanks around it (RFC 9110 5.6.3): not what else is white space to ASCII, such as a CR that ends no line.
fn trimmed(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    trimmed_end(value)
}

fn trimmed_end(mut value: &[u8]) -> &[u8] {
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// RFC 9112 7.1: hexadecimal size, then extensions, which are ignored.
fn parse_chunk_size(line: &[u8]) -> Result<usize, FetchError> {
    let bad = FetchError::Http("bad chunk size");
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = trimmed_end(digits);
    // Sixteen digits fit 64 bits; from_str_radix would also take a sign.
    if digits.is_empty() || digits.len() > 16 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(bad);
    }
    let digits = str::from_utf8(digits).map_err(|_| bad.clone())?;
    let size = u64::from_str_radix(digits, 16).map_err(|_| bad)?;
    Ok(usize::try_from(size).unwrap_or(usize::MAX))
}

/// Digits only: `parse` would also take a sign.
fn decimal(text: &str) -> Option<u64> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Progress, ResponseReader};
    use crate::core::unix_time::Seconds;
    use crate::documents::document::Document;
    use crate::documents::fetch::{FetchError, Fetched};
    use crate::host::limits::MAX_CHUNK_LINE_BYTES;

    const MAX: usize = 64;

    /// Feeds `stream` in pieces of `step` bytes, then the end of the stream.
    fn read(stream: &[u8], step: usize) -> Result<Answer, FetchError> {
        let mut reader = ResponseReader::new(MAX, true);
        for piece in stream.chunks(step) {
            if reader.push(piece)? == Progress::Complete {
                return reader.into_answer();
            }
        }
        reader.end_of_stream()?;
        reader.into_answer()
    }

    /// The same for every way to cut the stream.
    fn answer(stream: &str) -> Result<Answer, FetchError> {
        let whole = read(stream.as_bytes(), usize::MAX);
        for step in [1, 2, 3, 7] {
            assert_eq!(read(stream.as_bytes(), step), whole, "in pieces of {step}: {stream:?}");
        }
        whole
    }

    fn body(stream: &str) -> String {
        match answer(stream) {
            Ok(Answer::Final(Fetched::Document(Document { body, .. }))) => String::from_utf8(body).unwrap(),
            other => panic!("{stream:?}: {other:?}"),
        }
    }

    #[test]
    fn bodies_of_each_framing() {
        for stream in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello, and what follows",
            "HTTP/1.1 200\r\nContent-Length: 5, 5\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1;a=\"b\"\r\nh\r\n004 ;x\r\nello\r\n0\r\nX-T: 1\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nhello",
            "HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello",
        ] {
            assert_eq!(body(stream), "hello", "{stream:?}");
        }
        assert_eq!(body("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "");
        assert_eq!(body("HTTP/1.1 200 OK\r\n\r\n"), "");
        // As much as there may be.
        let most = "x".repeat(MAX);
        assert_eq!(body(&format!("HTTP/1.1 200 OK\r\n\r\n{most}")), most);
        let extension = "x".repeat(MAX_CHUNK_LINE_BYTES - "1;\r\n".len());
        let stream =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{extension}\r\na\r\n0\r\n\r\n");
        assert_eq!(body(&stream), "a");
    }

    #[test]
    fn what_is_said_about_the_document_is_kept() {
        let stream = "HTTP/1.1 200 OK\r\nCache-Control: public\r\ncache-control:  max-age=60 \r\nAge: 7\r\nETag: W/\"a\"\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(
            answer(stream),
            Ok(Answer::Final(Fetched::Document(Document {
                body: Vec::new(),
                cache_control: "public, max-age=60".to_owned(),
                age: Seconds(7),
                etag: Some("W/\"a\"".to_owned()),
            })))
        );
        assert_eq!(
            answer("HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=1\r\nContent-Length: 99\r\n\r\n"),
            Ok(Answer::Final(Fetched::NotModified { cache_control: "max-age=1".to_owned() }))
        );
        assert_eq!(
            answer("HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 99\r\n\r\n"),
            Ok(Answer::Redirect { location: "/there".to_owned() })
        );
    }

    #[test]
    fn what_cannot_be_trusted_is_refused() {
        let http = |reason| Err(FetchError::Http(reason));
        let long_head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(40_000));
        let many_interim = "HTTP/1.1 100 Continue\r\nX: y\r\n\r\n".repeat(2000);
        let long_line =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;{}\r\n", "x".repeat(2000));
        let big = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(MAX + 1));
        for (stream, expected) in [
            ("", http("the answer ended early")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", http("the answer ended early")),
            ("HTTP/1.1 200 OK\r\nContent-Len", http("the answer ended early")),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                http("the answer ended early"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
                http("the answer ended early"),
            ),
            ("HTTP/1.1 200 OK\nContent-Length: 0\n\n", http("line without CRLF")),
            ("HTTP/2 200\r\n\r\n", http("not an HTTP/1.1 answer")),
            ("HTTP/1.1 2000 OK\r\n\r\n", http("not an HTTP/1.1 answer")),
            ("HTTP/1.1 +20 OK\r\n\r\n", http("not an HTTP/1.1 answer")),
            ("<html>\r\n", http("not an HTTP/1.1 answer")),
            ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", http("malformed header")),
            ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", http("malformed header")),
            ("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", http("malformed header")),
            ("HTTP/1.1 200 OK\r\nA: \rb\r\n\r\n", http("malformed header")),
            ("HTTP/1.1 200 OK\r\nA: b\r\r\n\r\n", http("malformed header")),
            ("HTTP/1.1 200 OK\r\nA: \x0cb\r\n\r\n", http("malformed header")),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\x0c\r\na\r\n0\r\n\r\n",
                http("bad chunk size"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r;x\r\na\r\n0\r\n\r\n",
                http("bad chunk size"),
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", http("bad Content-Length")),
            ("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\nhello", http("bad Content-Length")),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", http("bad Content-Length")),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
                http("two different Content-Length"),
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\n", http("two different Content-Length")),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                http("both Transfer-Encoding and Content-Length"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                http("transfer coding other than chunked"),
            ),
            (
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                http("transfer coding other than chunked"),
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", http("bad chunk size")),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n",
                http("bad chunk size"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000001\r\na\r\n0\r\n\r\n",
                http("bad chunk size"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nno trailer\r\n\r\n",
                http("malformed header"),
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", http("bad chunk size")),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
                http("chunk longer than its size"),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                Err(FetchError::TooLarge),
            ),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n", http("the answer ended early")),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n41\r\n", Err(FetchError::TooLarge)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 65\r\n\r\n", Err(FetchError::TooLarge)),
            ("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\n", http("content coding other than gzip")),
            ("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", http("malformed gzip")),
            ("HTTP/1.1 302 Found\r\n\r\n", http("redirect without Location")),
            ("HTTP/1.1 302 Found\r\nLocation: /a\r\nLocation: /b\r\n\r\n", http("two different Location")),
            ("HTTP/1.1 101 Switching\r\n\r\n", Err(FetchError::Status(101))),
            ("HTTP/1.1 204 No Content\r\n\r\n", Err(FetchError::Status(204))),
            ("HTTP/1.1 500 Oops\r\nContent-Length: 9\r\n\r\n", Err(FetchError::Status(500))),
            (&long_head, http("head too large")),
            (&many_interim, http("head too large")),
            (&long_line, http("chunk line too long")),
            (&big, Err(FetchError::TooLarge)),
        ] {
            let shown: String = stream.chars().take(90).collect();
            assert_eq!(answer(stream), expected, "{shown:?}");
        }
        let mut unconditional = ResponseReader::new(MAX, false);
        assert_eq!(unconditional.push(b"HTTP/1.1 304 Not Modified\r\n\r\n"), Err(FetchError::Status(304)));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_in_any_pieces_are_read_alike(stream in proptest::collection::vec(proptest::num::u8::ANY, 0..200), step in 1usize..20) {
            let mut stream = stream;
            stream.splice(0..0, *b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n");
            proptest::prop_assert_eq!(read(&stream, step), read(&stream, usize::MAX));
        }

        #[test]
        fn noise_never_panics(stream in proptest::collection::vec(proptest::num::u8::ANY, 0..400), step in 1usize..20) {
            let _ = read(&stream, step);
        }
    }
}
