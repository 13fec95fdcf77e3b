//! The root certificates that browsers trust, kept out of the memory of instances that make no connection.
//!
//! They are 54 KB, and the host copies every active data segment into every instance. `scripts/passive.py` makes a
//! passive segment of them, which [`loaded`] copies to its place when the first connection over TLS is made.

#[cfg(target_os = "wasi")]
use std::cell::UnsafeCell;

/// A root certificate, in DER: what a chain is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Root<'b> {
    /// The subject.
    pub subject: &'b [u8],
    /// The key (RFC 5280 4.1.2.7).
    pub subject_public_key_info: &'b [u8],
    /// Which names it may vouch for (RFC 5280 4.2.1.10); empty for any.
    pub name_constraints: &'b [u8],
}

/// As `build.rs` writes them, after these words and their length in four bytes.
const START: &[u8] = b"root certificates";

#[cfg(any(target_os = "wasi", test))]
const BYTES: &[u8; include_bytes!(concat!(env!("OUT_DIR"), "/roots.bin")).len()] =
    include_bytes!(concat!(env!("OUT_DIR"), "/roots.bin"));

/// Reads them. `None` where the bytes are anything else.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Vec<Root<'_>>> {
    let (length, mut rest) = bytes.strip_prefix(START)?.split_first_chunk::<4>()?;
    if u32::try_from(rest.len()) != Ok(u32::from_be_bytes(*length)) {
        return None;
    }
    let mut roots = Vec::new();
    while !rest.is_empty() {
        roots.push(Root {
            subject: part(&mut rest)?,
            subject_public_key_info: part(&mut rest)?,
            name_constraints: part(&mut rest)?,
        });
    }
    Some(roots)
}

fn part<'b>(rest: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, behind) = rest.split_first_chunk::<2>()?;
    let (part, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    *rest = behind;
    Some(part)
}

#[cfg(target_os = "wasi")]
struct Place(UnsafeCell<[u8; BYTES.len()]>);

// SAFETY: a guest instance has one thread.
#[cfg(target_os = "wasi")]
#[expect(unsafe_code, reason = "a static that is written once")]
unsafe impl Sync for Place {}

#[cfg(target_os = "wasi")]
static PLACE: Place = Place(UnsafeCell::new(*BYTES));

/// The bytes of the root certificates, copied to their place if they are not there yet.
#[cfg(target_os = "wasi")]
#[expect(unsafe_code, reason = "memory that is filled from a data segment")]
pub(super) fn loaded() -> &'static [u8] {
    /// Where no memory is: `scripts/passive.py` finds the copy from here and makes it one from the segment. A module
    /// that it did not see has the bytes in place and never copies.
    const SEGMENT: *const u8 = std::ptr::without_provenance(0x7ead_7007);
    let place = PLACE.0.get().cast::<u8>();
    // They begin with a letter. SAFETY: inside of the array, which nothing but the copy below writes; volatile, because
    // to the compiler the bytes are those of the initializer.
    if unsafe { place.read_volatile() } == 0 {
        // SAFETY: as above; no reference to the array exists before this function returns one.
        unsafe { std::ptr::copy_nonoverlapping(SEGMENT, place, BYTES.len()) }
    }
    // SAFETY: the array is not written any more.
    unsafe { std::slice::from_raw_parts(place, BYTES.len()) }
}

#[cfg(test)]
mod tests {
    use super::{BYTES, parse};

    #[test]
    fn they_are_those_of_webpki_roots() {
        let roots = parse(BYTES).unwrap();
        assert_eq!(roots.len(), webpki_roots::TLS_SERVER_ROOTS.len());
        for (root, original) in roots.iter().zip(webpki_roots::TLS_SERVER_ROOTS) {
            assert_eq!(root.subject, &*original.subject);
            assert_eq!(root.subject_public_key_info, &*original.subject_public_key_info);
            assert_eq!(root.name_constraints, original.name_constraints.as_deref().unwrap_or_default());
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for length in [0, 1, 16, 18, 20, 21, 100, BYTES.len() - 1] {
            assert_eq!(parse(&BYTES[..length]), None, "{length}");
        }
        assert_eq!(parse(&vec![0; BYTES.len()]), None);
    }
}
