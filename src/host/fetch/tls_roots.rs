//! The roots that are built in: 54 KB that nothing but a fetch over TLS reads, so an instance has them from its first one on.
#![expect(unsafe_code, reason = "the last step of the build finds a function by its exported name")]

use std::hint::black_box;

use rustls::pki_types::TrustAnchor;
use webpki_roots::TLS_SERVER_ROOTS;

/// Puts the bytes of the roots into the memory. `tools/bulk-memory` writes its code; as the compiler makes it, the bytes are
/// there from the beginning, and it does nothing.
#[unsafe(export_name = "load_roots")]
#[inline(never)]
extern "C" fn load() {
    // Else it would be left out as a function without effects.
    black_box(TLS_SERVER_ROOTS);
}

/// All of them.
pub(super) fn roots() -> Vec<TrustAnchor<'static>> {
    load();
    // The compiler knows nothing of this value, so it reads nothing ahead.
    black_box(TLS_SERVER_ROOTS).to_vec()
}
