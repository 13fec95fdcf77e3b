//! Only in `target/race-test.wasm`: makes the host's races as likely as they get. Every request begins without keys
//! (`guest.rs`), and half of what instances and routers have in common is read, checked, and then ignored. So most
//! requests fetch at the same time, and the others read what they leave behind.

use crate::core::unix_time::Seconds;
use crate::documents::directory::{Claim, Directory};
use crate::documents::document::SharedDocument;
use crate::documents::lease::{Failure, Lease, Share, Shared, Turn, Unshared, Version, Waiting};
use crate::documents::source_id::SourceId;
use crate::host::sockets::{Mailbox, MountedDirectory, imports};
use crate::host::wasm::abi::write_log;

/// For long enough to put a result.
const LEASE: Seconds = Seconds(5);

/// The mailbox, which keeps nobody from asking.
pub(super) struct RacingShare;

/// The directory, which keeps nobody from fetching.
pub(super) struct RacingDirectory;

impl Share for RacingShare {
    fn look(&self, source: SourceId, seen: Version) -> Option<Shared> {
        check_canaries();
        Mailbox.look(source, seen).filter(|_| coin())
    }

    /// A fetch, even if others are fetching.
    fn begin(&self, source: SourceId, seen: Version, waiting: Waiting, span: Seconds) -> Turn {
        Unshared.begin(source, seen, waiting, span)
    }

    /// Puts the result into the record, unless that is being done.
    fn finish(&self, lease: Lease, attempt: Result<SharedDocument, Failure>) -> Shared {
        // Nothing is newer than this, so the record is always changed.
        let newest = Version(u64::MAX);
        if let Turn::Ask(recorded) = Mailbox.begin(lease.source, newest, Waiting::NotAtAll, LEASE) {
            Mailbox.finish(recorded, attempt.clone());
        }
        check_canaries();
        Unshared.finish(lease, attempt)
    }
}

impl Directory for RacingDirectory {
    fn load(&self, directory: &str, name: &str, max_bytes: usize) -> Option<Vec<u8>> {
        MountedDirectory.load(directory, name, max_bytes).filter(|_| coin() && coin())
    }

    fn store(&self, directory: &str, name: &str, content: &[u8]) {
        MountedDirectory.store(directory, name, content);
        check_canaries();
    }

    fn claim(&self, directory: &str, name: &str, lease: Seconds) -> Claim {
        match MountedDirectory.claim(directory, name, lease) {
            Claim::Theirs => Claim::Impossible,
            claim @ (Claim::Ours | Claim::Impossible) => claim,
        }
    }

    fn release(&self, directory: &str, name: &str) {
        MountedDirectory.release(directory, name);
    }

    fn pause(&self) {
        MountedDirectory.pause();
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
