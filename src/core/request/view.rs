//! What a decision may read of a request. Ring 3 implements it over the host, tests over a record.

use std::net::IpAddr;

/// Names of headers, from one text in which a NUL follows each: no allocation for each of them.
#[derive(Clone, Copy, Debug)]
pub struct HeaderNames<'r>(pub &'r str);

impl<'r> Iterator for HeaderNames<'r> {
    type Item = &'r str;

    fn next(&mut self) -> Option<&'r str> {
        let end = self.0.bytes().position(|byte| byte == 0)?;
        let (name, rest) = self.0.split_at_checked(end)?;
        self.0 = rest.get(1..)?;
        Some(name)
    }
}

/// A request, read lazily: a value that no rule asks for is never fetched from the host.
pub trait RequestView {
    /// The method, upper case as sent.
    fn method(&self) -> &str;
    /// Path and query as received, undecoded: no text, since a client may write any byte.
    fn uri(&self) -> &[u8];
    /// Every header name once, in the host's spelling.
    fn header_names(&self) -> HeaderNames<'_>;
    /// All values of the header `name`, compared without case, in order.
    fn header_values(&self, name: &str) -> Vec<Vec<u8>>;
    /// The address that the connection comes from, regardless of headers.
    fn source_address(&self) -> Option<IpAddr>;
}

/// A request held in memory.
#[derive(Clone, Debug, Default)]
pub struct RecordedRequest {
    method: String,
    uri: Vec<u8>,
    names: String,
    headers: Vec<(String, Vec<u8>)>,
    source: Option<IpAddr>,
}

impl RecordedRequest {
    /// A request without headers.
    pub fn new(method: &str, uri: &str) -> Self {
        Self {
            method: method.into(),
            uri: uri.into(),
            names: String::new(),
            headers: Vec::new(),
            source: None,
        }
    }

    /// Adds one header line.
    pub fn header(mut self, name: &str, value: impl Into<Vec<u8>>) -> Self {
        if !self.header_names().any(|known| known.eq_ignore_ascii_case(name)) {
            self.names.push_str(&name.to_ascii_lowercase());
            self.names.push('\0');
        }
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the address that it comes from.
    pub const fn from_address(mut self, address: IpAddr) -> Self {
        self.source = Some(address);
        self
    }
}

impl RequestView for RecordedRequest {
    fn method(&self) -> &str {
        &self.method
    }

    fn uri(&self) -> &[u8] {
        &self.uri
    }

    fn header_names(&self) -> HeaderNames<'_> {
        HeaderNames(&self.names)
    }

    fn header_values(&self, name: &str) -> Vec<Vec<u8>> {
        self.headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.clone())
            .collect()
    }

    fn source_address(&self) -> Option<IpAddr> {
        self.source
    }
}
