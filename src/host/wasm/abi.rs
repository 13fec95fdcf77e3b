//! The http-wasm handler ABI (module `http_handler`), as safe functions. Lengths that the host returns are checked
//! against what was offered before anything is read.
//!
//! It is our own binding, not a crate's: the exported handler rejects requests if no middleware is registered, values come
//! in one allocation per call, and nothing is borrowed while the host runs.
#![expect(unsafe_code, reason = "imports and exports of the http-wasm ABI")]

use std::cell::{Cell, OnceCell};

use crate::host::limits::MAX_HOST_ANSWER_BYTES;

/// Bytes offered for a first answer: a request line, ten header names or a token of usual size fit.
const FIRST_OFFER: usize = 2048;
/// Bytes offered for a configuration: unused memory is not touched, and a second call costs more.
const CONFIG_OFFER: usize = 8192;

const REQUEST_HEADERS: i32 = 0;
const RESPONSE_HEADERS: i32 = 1;
const REQUEST_BODY: i32 = 0;
const RESPONSE_BODY: i32 = 1;

#[link(wasm_import_module = "http_handler")]
unsafe extern "C" {
    fn log(level: i32, text: *const u8, length: usize);
    fn enable_features(features: i32) -> i32;
    fn get_config(buffer: *mut u8, limit: usize) -> i32;
    fn get_method(buffer: *mut u8, limit: usize) -> i32;
    fn get_uri(buffer: *mut u8, limit: usize) -> i32;
    fn get_source_addr(buffer: *mut u8, limit: usize) -> i32;
    fn set_uri(uri: *const u8, length: usize);
    fn get_header_names(kind: i32, buffer: *mut u8, limit: usize) -> i64;
    fn get_header_values(
        kind: i32,
        name: *const u8,
        name_length: usize,
        buffer: *mut u8,
        limit: usize,
    ) -> i64;
    fn set_header_value(
        kind: i32,
        name: *const u8,
        name_length: usize,
        value: *const u8,
        value_length: usize,
    );
    fn remove_header(kind: i32, name: *const u8, name_length: usize);
    fn set_status_code(status: i32);
    fn write_body(kind: i32, body: *const u8, length: usize);
}

/// The functions that the host calls for every request.
pub trait Handler {
    /// Returns whether the request is forwarded to the upstream.
    fn handle_request(&self) -> Next;

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

struct Registered(OnceCell<Box<dyn Handler>>);

// SAFETY: a guest instance has one thread.
unsafe impl Sync for Registered {}

static HANDLER: Registered = Registered(OnceCell::new());

/// Installs the handler of this instance; a second one is ignored.
pub fn register(handler: impl Handler + 'static) {
    let _ = HANDLER.0.set(Box::new(handler));
}

#[unsafe(export_name = "handle_request")]
extern "C" fn handle_request() -> i64 {
    match HANDLER.0.get().map(|handler| handler.handle_request()) {
        Some(Next::Forward) => 1,
        Some(Next::Answered) => 0,
        None => {
            set_status(500);
            0
        }
    }
}

#[unsafe(export_name = "handle_response")]
extern "C" fn handle_response(_context: i32, _is_error: i32) {
    if let Some(handler) = HANDLER.0.get() {
        handler.handle_response();
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
    // SAFETY: the host reads `length` bytes of a live string.
    unsafe { log(level, text.as_ptr(), text.len()) }
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
    // SAFETY: the caller offers a live buffer and its capacity.
    let fill = |buffer, limit| i64::from(unsafe { get_config(buffer, limit) });
    read_offering(CONFIG_OFFER, fill)
}

/// The request's method.
pub fn method() -> Vec<u8> {
    // SAFETY: as in `config`.
    read(|buffer, limit| i64::from(unsafe { get_method(buffer, limit) }))
}

/// The request's path and query.
pub fn uri() -> Vec<u8> {
    // SAFETY: as in `config`.
    read(|buffer, limit| i64::from(unsafe { get_uri(buffer, limit) }))
}

/// Address and port that the connection comes from.
pub fn source_address() -> Vec<u8> {
    // SAFETY: as in `config`.
    read(|buffer, limit| i64::from(unsafe { get_source_addr(buffer, limit) }))
}

/// Replaces path and query.
pub fn replace_uri(uri: &[u8]) {
    // SAFETY: the host reads `length` bytes of a live slice.
    unsafe { set_uri(uri.as_ptr(), uri.len()) }
}

/// Names of the request's headers, each followed by a NUL.
pub fn header_names() -> Vec<u8> {
    // SAFETY: as in `config`.
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
    // SAFETY: as in `config`; the name is a live string.
    let list = read(|buffer, limit| unsafe {
        let returned = get_header_values(REQUEST_HEADERS, name.as_ptr(), name.len(), buffer, limit);
        count.set(u32::try_from(returned >> 32).unwrap_or(0));
        returned
    });
    Values { count: count.get(), list }
}

/// Sets a header of the request, replacing all its values.
pub fn set_request_header(name: &str, value: &[u8]) {
    set_header(REQUEST_HEADERS, name, value);
}

/// Removes a header of the request with all its values.
pub fn remove_request_header(name: &str) {
    // SAFETY: the name is a live string.
    unsafe { remove_header(REQUEST_HEADERS, name.as_ptr(), name.len()) }
}

/// Replaces the request's body with an empty one, without reading it.
pub fn empty_request_body() {
    // SAFETY: the host reads nothing.
    unsafe { write_body(REQUEST_BODY, std::ptr::null(), 0) }
}

/// Sets a header of the response. Has no effect after [`set_status`].
pub fn set_response_header(name: &str, value: &[u8]) {
    set_header(RESPONSE_HEADERS, name, value);
}

/// Sets the status of the response, which sends its head.
pub fn set_status(status: u16) {
    // SAFETY: no memory is involved.
    unsafe { set_status_code(i32::from(status)) }
}

/// Writes the body of the response.
pub fn write_response_body(body: &[u8]) {
    // SAFETY: the host reads `length` bytes of a live slice.
    unsafe { write_body(RESPONSE_BODY, body.as_ptr(), body.len()) }
}

fn set_header(kind: i32, name: &str, value: &[u8]) {
    // SAFETY: name and value are live.
    unsafe { set_header_value(kind, name.as_ptr(), name.len(), value.as_ptr(), value.len()) }
}

fn read(fill: impl Fn(*mut u8, usize) -> i64) -> Vec<u8> {
    read_offering(FIRST_OFFER, fill)
}

/// Calls `fill` with a buffer, and once more with a larger one if the answer did not fit. The low half of its result is the
/// length of the answer; nothing is written if that exceeds the limit.
fn read_offering(offer: usize, fill: impl Fn(*mut u8, usize) -> i64) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(offer);
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
