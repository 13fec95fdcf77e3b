//! Step 2: the host's request as a [`RequestView`]. A value crosses the boundary when a rule asks for it.

use std::cell::OnceCell;
use std::net::{IpAddr, SocketAddr};

use http_wasm_guest::host::Request;

use crate::core::request::{HeaderNames, RequestView};
use crate::host::wasm::abi;

/// The request that the host is handling, read lazily and once.
pub struct HostRequest<'h> {
    request: &'h Request,
    method: OnceCell<String>,
    uri: OnceCell<Vec<u8>>,
    header_names: OnceCell<String>,
}

impl<'h> HostRequest<'h> {
    /// Nothing is read yet.
    pub fn new(request: &'h Request) -> Self {
        Self { request, method: OnceCell::new(), uri: OnceCell::new(), header_names: OnceCell::new() }
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// The parts of a list in which a NUL follows each; Go allows no NUL in a header.
fn parts(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.strip_suffix(b"\0").into_iter().flat_map(|list| list.split(|byte| *byte == 0))
}

impl RequestView for HostRequest<'_> {
    fn method(&self) -> &str {
        self.method.get_or_init(|| text(self.request.method().into()))
    }

    fn uri(&self) -> &[u8] {
        self.uri.get_or_init(|| self.request.uri().into())
    }

    fn header_names(&self) -> HeaderNames<'_> {
        HeaderNames(self.header_names.get_or_init(|| text(abi::header_names())))
    }

    fn header_values(&self, name: &str) -> Vec<Vec<u8>> {
        let abi::Values { count, mut list } = abi::header_values(name);
        match (count, list.last()) {
            // Common case (one value): no search, no copy.
            (1, Some(0)) => {
                list.pop();
                vec![list]
            }
            _ => parts(&list).map(<[u8]>::to_vec).collect(),
        }
    }

    fn source_address(&self) -> Option<IpAddr> {
        let address: SocketAddr = std::str::from_utf8(&self.request.source_addr()).ok()?.parse().ok()?;
        Some(address.ip())
    }
}
