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

#[cfg(test)]
mod tests {
    use super::{FIRST, MASK, random};
    use crate::host::sockets::simulated::alone;

    #[test]
    fn a_mark_is_a_size_that_linux_allows() {
        alone(|| {
            let marks: Vec<u32> = (0..100).map(|_| random().unwrap()).collect();
            assert!(marks.iter().all(|mark| (FIRST..=FIRST + MASK).contains(mark)), "{marks:?}");
            assert!(marks.iter().any(|mark| mark % 2 == 0), "{marks:?}");
        });
    }
}
