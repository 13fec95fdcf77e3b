//! Step 11: a decision becomes host calls, in the one legal order: headers, status, body. Setting the status
//! sends the head.

use crate::core::answer::verdict::Label;
use crate::core::answer::{Accept, Forward, Reject, Served};
use crate::core::bypass::Body;
use crate::host::wasm::abi;

/// Changes the request before it is forwarded.
pub fn forward(forward: &Forward) {
    for name in forward.removed() {
        abi::remove_request_header(name);
    }
    for (name, value) in forward.headers() {
        abi::set_request_header(name, value);
    }
    if let Some(uri) = &forward.uri {
        abi::replace_uri(uri);
    }
    match forward.body {
        Body::Keep => {}
        Body::Drop => abi::empty_request_body(),
    }
    for (name, value) in forward.response() {
        abi::set_response_header(name, value.as_bytes());
    }
}

/// Labels a request that is answered here with its verdict: Traefik's access log and metrics read it afterwards, and only
/// a token may put a user into them.
fn label(label: &Label) {
    for name in &label.remove {
        abi::remove_request_header(name);
    }
    if let Some(header) = &label.request {
        abi::set_request_header(header.name(), header.value());
    }
    if let Some((name, value)) = &label.response {
        abi::set_response_header(name, value.as_bytes());
    }
}

/// Answers a proxy that asks: the request may pass, and this is its sender.
#[inline(never)]
pub fn accept(accept: &Accept) {
    label(&accept.label);
    for header in accept.headers() {
        abi::set_response_header(header.name(), header.value());
    }
    answer(200, std::iter::once(("Cache-Control", "no-store")), b"");
}

/// Refuses the request.
#[inline(never)]
pub fn reject(reject: &Reject) {
    label(&reject.label);
    let headers = reject.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    answer(reject.status, headers, &reject.body);
}

/// Answers with our own document.
#[inline(never)]
pub fn serve(served: &Served) {
    label(&served.label);
    let headers = served.headers.iter().map(|(name, value)| (*name, value.as_str()));
    answer(served.status, headers, &served.body);
}

fn answer<'h>(status: u16, headers: impl Iterator<Item = (&'h str, &'h str)>, body: &[u8]) {
    for (name, value) in headers {
        abi::set_response_header(name, value.as_bytes());
    }
    if !body.is_empty() {
        // Without it, Go would answer in chunks.
        abi::set_response_header("Content-Length", body.len().to_string().as_bytes());
    }
    abi::set_status(status);
    if !body.is_empty() {
        abi::write_response_body(body);
    }
}
