//! Writes the root certificates as one text of bytes (`src/host/fetch/roots.rs` reads it).
#![expect(clippy::expect_used, reason = "a build that cannot go on ends")]

use std::path::Path;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg_attr(
        not(feature = "fetch"),
        expect(unused_mut, reason = "nothing is fetched, so nothing is trusted")
    )]
    let mut roots = Vec::new();
    #[cfg(feature = "fetch")]
    for root in webpki_roots::TLS_SERVER_ROOTS {
        for part in [&root.subject, &root.subject_public_key_info] {
            push(&mut roots, part);
        }
        push(&mut roots, root.name_constraints.as_deref().unwrap_or_default());
    }
    let length = u32::try_from(roots.len()).expect("root certificates have less than 4 GB");
    let bytes = [&b"root certificates"[..], &length.to_be_bytes(), &roots].concat();
    let directory = std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    std::fs::write(Path::new(&directory).join("roots.bin"), bytes).expect("OUT_DIR can be written");
}

/// A length in two bytes, then the bytes.
#[cfg(feature = "fetch")]
fn push(bytes: &mut Vec<u8>, part: &[u8]) {
    let length = u16::try_from(part.len()).expect("no part of a root certificate is that long");
    bytes.extend(length.to_be_bytes());
    bytes.extend(part);
}
