//! Expressions are evaluated without allocation, but for what a request has to be copied or decoded for: headers, the
//! host among them, paths with escapes, and text with a value of the request in its middle.
#![expect(unsafe_code, reason = "an allocator is")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use traefik_jwt_auth::core::claims::expression::{Expression, Truth};
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::token::claims_set::ClaimsSet;
use traefik_jwt_auth::core::token::json::{Document, JsonLimits};
use traefik_jwt_auth::core::unix_time::UnixTime;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: everything is the system's allocator; the count needs none.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get().saturating_add(1));
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller says.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn evaluation_allocates_nothing() {
    let json = r#"{"grp":"admin","list":["a","b"],"scope":"read write","n":12.5,"iat":1,"tenant":"acme","mail":"a@b"}"#;
    let limits = JsonLimits { max_depth: 8, max_nodes: 64 };
    let claims = ClaimsSet::new(Document::parse(json.as_bytes().to_vec(), limits).unwrap());
    let request = RecordedRequest::new("GET", "/acme/x?y");
    for source in [
        "Equals(`grp`, `admin`) && Prefix(`grp`, `ad`) && Suffix(`grp`, `in`) && !Exists(`absent`)",
        "Contains(`grp`, `dmi`) && Contains(`list`, `b`) && Equals(`list.1`, `b`)",
        "SplitContains(`scope`, ` `, `write`) && SplitContains(`grp`, ``, `m`)",
        "OneOf(`grp`, `x`, `admin`) && OneOf(`list`, `x`, `a`)",
        "Greater(`n`, `12.49`) && Less(`n`, `1.26e1`) && Before(`iat`, `now`) && After(`iat`, `0`)",
        "Equals(`tenant`, `{path.0}`) && !Equals(`tenant`, `{path}`) && !Equals(`tenant`, `{method}`)",
        "Matches(`mail`, `[a-z]+@[a-z]+`)",
    ] {
        let expression = Expression::parse(source).unwrap();
        let evaluate = || expression.evaluate(&claims, &request, UnixTime::from_seconds(1000));
        // The first match makes the memory that its pattern keeps.
        assert_eq!(evaluate(), Truth::True, "{source}");
        let before = ALLOCATIONS.get();
        evaluate();
        assert_eq!(ALLOCATIONS.get().saturating_sub(before), 0, "{source}");
    }
}
