//! Only in `target/race-test.wasm`: makes the host's races as likely as they get. Every request begins without keys
//! (`guest.rs`), and half of what instances and routers have in common is read, checked, and then ignored. So most
//! requests fetch at the same time, and the others read what they leave behind.

use crate::core::unix_time::Seconds;
use crate::host::sockets::{Mailbox, MountedArchive, imports};
use crate::host::wasm::abi::write_log;
use crate::keys::io::{
    Archive, Asked, Claim, Failure, Generation, Share, Shared, SharedDocument, SourceId, Unshared, Waiting,
};

/// The mailbox, which keeps nobody from asking.
#[derive(Default)]
pub(super) struct RacingShare(Mailbox);

/// The directory, which keeps nobody from fetching.
#[derive(Default)]
pub(super) struct RacingArchive(MountedArchive);

impl Share for RacingShare {
    fn look(&self, source: SourceId, seen: Generation) -> Option<Shared> {
        check_canaries();
        self.0.look(source, seen).filter(|_| coin())
    }

    /// Asks whoever else does, then puts the outcome into the record, where that is not being done.
    fn ask(
        &self,
        source: SourceId,
        seen: Generation,
        lease: Seconds,
        waiting: Waiting,
        attempt: &mut dyn FnMut(Option<&SharedDocument>) -> Result<SharedDocument, Failure>,
    ) -> Asked {
        let outcome = attempt(None);
        let mut again = |_: Option<&SharedDocument>| outcome.clone();
        // Nothing is newer than this, so the record is always changed.
        self.0.ask(source, Generation(u64::MAX), lease, Waiting::NotAtAll, &mut again);
        check_canaries();
        Unshared.ask(source, seen, lease, waiting, &mut again)
    }
}

impl Archive for RacingArchive {
    fn load(&self, directory: &str, name: &str, max_bytes: usize) -> Option<Vec<u8>> {
        self.0.load(directory, name, max_bytes).filter(|_| coin() && coin())
    }

    fn store(&self, directory: &str, name: &str, content: &[u8]) {
        self.0.store(directory, name, content);
        check_canaries();
    }

    fn claim(&self, directory: &str, name: &str, lease: Seconds) -> Claim {
        match self.0.claim(directory, name, lease) {
            Claim::Theirs => Claim::Impossible,
            claim @ (Claim::Ours | Claim::Impossible) => claim,
        }
    }

    fn release(&self, directory: &str, name: &str) {
        self.0.release(directory, name);
    }

    fn pause(&self) {
        self.0.pause();
    }
}

fn coin() -> bool {
    imports::random().is_ok_and(|number| number & 1 == 1)
}

fn check_canaries() {
    if !imports::canaries_are_whole() {
        write_log(2, "race-test: somebody wrote beside the static buffer");
    }
}
