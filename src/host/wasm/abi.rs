//! The http-wasm handler ABI (module `http_handler`), by the crate `http-wasm-guest`, and what the crate lacks.
//!
//! The crate makes an allocation of every name and value of a header, which doubles the instructions of a known token. So
//! these two are read here: in one allocation per call, with lengths checked against what was offered. Its `handle_request`
//! forwards requests if no guest is registered, so [`HandlerSlot::register`] comes before anything that can fail.
#![expect(unsafe_code, reason = "imports of the http-wasm ABI")]

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use http_wasm_guest::Guest;
use http_wasm_guest::host::{Request, Response, admin, log};

use crate::host::limits::MAX_HOST_ANSWER_BYTES;

/// Bytes offered for a first answer: ten header names or a token of usual size fit.
const FIRST_OFFER: usize = 2048;

const REQUEST_HEADERS: i32 = 0;

#[link(wasm_import_module = "http_handler")]
unsafe extern "C" {
    fn enable_features(features: i32) -> i32;
    fn get_header_names(kind: i32, buffer: *mut u8, limit: usize) -> i64;
    fn get_header_values(
        kind: i32,
        name: *const u8,
        name_length: usize,
        buffer: *mut u8,
        limit: usize,
    ) -> i64;
}

/// The request and the response that the host is handling.
#[derive(Clone, Copy)]
pub struct Http<'h> {
    /// The request.
    pub request: &'h Request,
    /// The response.
    pub response: &'h Response,
}

/// The functions that the host calls for every request.
pub trait Handler {
    /// Returns whether the request is forwarded to the upstream.
    fn handle_request(&self, http: Http<'_>) -> Next;

    /// The upstream has answered.
    fn handle_response(&self);
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It is forwarded to the upstream.
    Forward,
    /// It has been answered.
    Answered,
}

/// The handler of this instance. Requests are rejected while it is empty.
#[derive(Clone, Default)]
pub struct HandlerSlot(Rc<OnceCell<Box<dyn Handler>>>);

impl HandlerSlot {
    /// Registers an empty slot with the host.
    pub fn register() -> Self {
        let slot = Self::default();
        http_wasm_guest::register(slot.clone());
        slot
    }

    /// Installs the handler; a second one is ignored.
    pub fn fill(&self, handler: impl Handler + 'static) {
        let _ = self.0.set(Box::new(handler));
    }
}

impl Guest for HandlerSlot {
    fn handle_request(&self, request: &Request, response: &Response) -> (bool, i32) {
        match self.0.get().map(|handler| handler.handle_request(Http { request, response })) {
            Some(Next::Forward) => (true, 0),
            Some(Next::Answered) => (false, 0),
            None => {
                response.set_status(500);
                (false, 0)
            }
        }
    }

    fn handle_response(&self, _context: i32, _request: &Request, _response: &Response, _is_error: bool) {
        if let Some(handler) = self.0.get() {
            handler.handle_response();
        }
    }
}

/// Runs the constructors of the libc. If the `_start` of a libc leaves them to the linker, the linker wraps each export and
/// they run around every request, unless they are called. Must be called once, before anything else.
pub fn construct() {
    #[cfg(ctors_by_linker)]
    {
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        // SAFETY: the linker makes it, and it takes nothing.
        unsafe { __wasm_call_ctors() }
    }
}

/// Writes a line to Traefik's log; -1 debug, 0 info, 1 warning, 2 error.
pub fn write_log(level: i32, text: &str) {
    log::write(level, text.as_bytes());
}

/// Not a feature of http-wasm. The host keeps what instances enable while they start, for all instances of a router and
/// load, and returns it: so later instances learn that they are not the first.
const STARTED: i32 = 1 << 30;

/// Whether no other instance of this router and load has called this before. Only for `main`.
pub fn is_first_instance() -> bool {
    // SAFETY: no memory is involved.
    unsafe { enable_features(0) & STARTED == 0 && enable_features(STARTED) & STARTED != 0 }
}

/// The configuration of the middleware, as JSON.
pub fn config() -> Vec<u8> {
    admin::config().into()
}

/// Names of the request's headers, each followed by a NUL.
pub fn header_names() -> Vec<u8> {
    // SAFETY: the caller offers a live buffer and its capacity.
    read(|buffer, limit| unsafe { get_header_names(REQUEST_HEADERS, buffer, limit) })
}

/// Values of one header.
pub struct Values {
    /// How many.
    pub count: u32,
    /// The values, each followed by a NUL.
    pub list: Vec<u8>,
}

/// Values of a header of the request.
pub fn header_values(name: &str) -> Values {
    let count = Cell::new(0);
    // SAFETY: as in `header_names`; the name is a live string.
    let list = read(|buffer, limit| unsafe {
        let returned = get_header_values(REQUEST_HEADERS, name.as_ptr(), name.len(), buffer, limit);
        count.set(u32::try_from(returned >> 32).unwrap_or(0));
        returned
    });
    Values { count: count.get(), list }
}

/// Calls `fill` with a buffer, and once more with a larger one if the answer did not fit. The low half of its result is the
/// length of the answer; nothing is written if that exceeds the limit.
fn read(fill: impl Fn(*mut u8, usize) -> i64) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(FIRST_OFFER);
    for _ in 0..2 {
        let returned = fill(buffer.as_mut_ptr(), buffer.capacity());
        let Ok(length) = usize::try_from(returned & 0xffff_ffff) else { break };
        if length <= buffer.capacity() {
            // SAFETY: the host wrote `length` bytes, which is at most the capacity it was offered.
            unsafe { buffer.set_len(length) }
            return buffer;
        }
        if length > MAX_HOST_ANSWER_BYTES {
            break;
        }
        buffer = Vec::with_capacity(length);
    }
    Vec::new()
}
