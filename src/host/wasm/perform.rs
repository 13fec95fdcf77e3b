//! Step 11: a decision becomes host calls, in the one legal order: headers, status, body. Setting the status
//! sends the head.

use crate::core::answer::verdict::Label;
use crate::core::answer::{Accept, Forward, Reject, Served};
use crate::core::bypass::Body;
use crate::host::wasm::abi::Http;

/// Changes the request before it is forwarded.
pub fn forward(forward: &Forward, http: Http<'_>) {
    for name in forward.removed() {
        http.request.header.remove(name.as_bytes());
    }
    for (name, value) in forward.headers() {
        http.request.header.set(name.as_bytes(), value);
    }
    if let Some(uri) = &forward.uri {
        http.request.set_uri(uri);
    }
    match forward.body {
        Body::Keep => {}
        Body::Drop => http.request.body.write(b""),
    }
    for (name, value) in forward.response() {
        http.response.header.set(name.as_bytes(), value.as_bytes());
    }
}

/// Labels a request that is answered here with its verdict: Traefik's access log and metrics read it afterwards, and only
/// a token may put a user into them.
fn label(label: &Label, http: Http<'_>) {
    for name in &label.remove {
        http.request.header.remove(name.as_bytes());
    }
    if let Some(header) = &label.request {
        http.request.header.set(header.name().as_bytes(), header.value());
    }
    if let Some((name, value)) = &label.response {
        http.response.header.set(name.as_bytes(), value.as_bytes());
    }
}

/// Answers a proxy that asks: the request may pass, and this is its sender.
#[inline(never)]
pub fn accept(accept: &Accept, http: Http<'_>) {
    label(&accept.label, http);
    for header in accept.headers() {
        http.response.header.set(header.name().as_bytes(), header.value());
    }
    answer(http, 200, std::iter::once(("Cache-Control", "no-store")), b"");
}

/// Refuses the request.
#[inline(never)]
pub fn reject(reject: &Reject, http: Http<'_>) {
    label(&reject.label, http);
    let headers = reject.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    answer(http, reject.status, headers, &reject.body);
}

/// Answers with our own document.
#[inline(never)]
pub fn serve(served: &Served, http: Http<'_>) {
    label(&served.label, http);
    let headers = served.headers.iter().map(|(name, value)| (*name, value.as_str()));
    answer(http, served.status, headers, &served.body);
}

fn answer<'h>(http: Http<'_>, status: u16, headers: impl Iterator<Item = (&'h str, &'h str)>, body: &[u8]) {
    for (name, value) in headers {
        http.response.header.set(name.as_bytes(), value.as_bytes());
    }
    if !body.is_empty() {
        // Without it, Go would answer in chunks.
        http.response.header.set(b"Content-Length", body.len().to_string().as_bytes());
    }
    http.response.set_status(i32::from(status));
    if !body.is_empty() {
        http.response.body.write(body);
    }
}
