//! How often the core allocates where every request pays for it.
#![expect(unsafe_code, reason = "an allocator that counts")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::rc::Rc;

use serde_json::json;
use testbed::keys;
use testbed::tokens::Token;
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::claims::expression::{Expression, Truth};
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::decide::decide;
use traefik_jwt_auth::core::json::{Document, JsonLimits};
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::token::claims_set::ClaimsSet;
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
        let decided = decide(&policy, &keyring.at(now), now, &request);
        keyring.remember(decided.learned);
        let decision = decided.decision;
        let count = COUNT.get().saturating_sub(before);
        assert!(matches!(decision, Decision::Forward(_)), "{decision:?}");
        count
    };
    let new = count();
    let known = count();
    println!("new {new}, known {known}");
    // The header's values and its one value, and the list of places.
    assert_eq!(known, 3);
}

/// But for what a request has to be copied or decoded for: headers, the host among them, paths with escapes, and text
/// with a value of the request in its middle.
#[test]
fn evaluation_of_an_expression_allocates_nothing() {
    let json = r#"{"grp":"admin","list":["a","b"],"scope":"read write","n":12.5,"iat":1,"tenant":"acme","mail":"a@b"}"#;
    let limits = JsonLimits { max_depth: 8, max_nodes: 64 };
    let claims = ClaimsSet::new(Document::parse(json.as_bytes().to_vec(), limits).unwrap());
    let request = RecordedRequest::new("GET", "/acme/x?y");
    for source in [
        "Equals(`grp`, `admin`) && Prefix(`grp`, `ad`) && Suffix(`grp`, `in`) && !Exists(`absent`)",
        "Contains(`grp`, `dmi`) && Contains(`list`, `b`) && Equals(`list.1`, `b`)",
        "SplitContains(`scope`, ` `, `write`) && SplitContains(`grp`, `m`, `ad`)",
        "OneOf(`grp`, `x`, `admin`) && OneOf(`list`, `x`, `a`)",
        "Greater(`n`, `12.49`) && Less(`n`, `1.26e1`) && Before(`iat`, `now`) && After(`iat`, `0`)",
        "Equals(`tenant`, `{path.0}`) && !Equals(`tenant`, `{path}`) && !Equals(`tenant`, `{method}`)",
        "Matches(`mail`, `[a-z]+@[a-z]+`)",
    ] {
        let expression = Expression::parse(source).unwrap();
        let evaluate = || expression.evaluate(&claims, &request, UnixTime::from_seconds(1000));
        // The first match makes the memory that its pattern keeps.
        assert_eq!(evaluate(), Truth::True, "{source}");
        let before = COUNT.get();
        evaluate();
        assert_eq!(COUNT.get().saturating_sub(before), 0, "{source}");
    }
}
