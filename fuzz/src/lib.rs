//! What reads bytes of others, each as a function of bytes ([`TARGETS`]): libFuzzer looks for bytes that break one
//! (`make fuzz`, `libfuzzer/`), and `tests/replay.rs` gives each of them what was kept of earlier runs (`corpus/`).
//!
//! Where others read the same, a target compares: what differs is either a rule that stands there, or a fault.

pub mod corpus;
mod cut;
mod mark;
mod strict;
mod targets;

pub use mark::reached;
pub use targets::{TARGETS, Target};

/// The instant of everything here, in seconds.
pub(crate) const NOW: u64 = 1_700_000_000;

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
