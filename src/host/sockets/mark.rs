//! Marks: a random send buffer size identifies a socket as ours, independently of its number.

use super::Host;
use super::kernel::{Errno, Kernel as _};

/// Far below what Linux allows as a send buffer (212,992), far above its least (2,304).
const FIRST: u32 = 16_384;
const MASK: u32 = 0x3fff;

/// A mark for one socket.
pub(super) fn random() -> Result<u32, Errno> {
    Ok(FIRST.saturating_add(Host::random()? & MASK))
}
