//! How often a known token allocates on its way through the core. A bump here is paid by every request.
#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;
use testbed::keys;
use testbed::tokens::Token;
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::decide::decide;
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::keys::keyring::Keyring;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is left to the system's allocator; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get().saturating_add(1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get().saturating_add(1));
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NOW: u64 = 1_790_000_000;

#[test]
fn a_known_token_allocates_its_header_value_and_what_is_forwarded() {
    let configuration = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/", "audience": "api",
        "forwardHeaders": {"X-User-Sub": "sub", "X-User-Email": "email"},
    });
    let capabilities = Capabilities { fetch: false, env: &|_| None };
    let policy = Rc::new(compile(configuration.to_string().as_bytes(), &capabilities).unwrap());
    let keyring = Keyring::new(Rc::clone(&policy));
    let claims = json!({
        "iss": "https://idp.example/", "aud": "api", "sub": "alice", "email": "alice@example.com", "exp": NOW + 600,
    });
    let token = Token::new("EdDSA", claims).mint();
    let request = ["Accept", "Cookie", "User-Agent", "X-Request-Id"]
        .iter()
        .fold(RecordedRequest::new("GET", "/"), |request, name| request.header(name, "value"))
        .header("Authorization", format!("Bearer {token}"));
    let now = UnixTime::from_seconds(NOW);
    let count = || {
        let before = COUNT.get();
        let decision = decide(&policy, &keyring.at(now), now, &request);
        let count = COUNT.get().saturating_sub(before);
        assert!(matches!(decision, Decision::Forward(_)), "{decision:?}");
        count
    };
    let new = count();
    let known = count();
    println!("new {new}, known {known}");
    // The header's values and its one value, the list of places, and the text of a header name.
    assert_eq!(known, 4);
}
