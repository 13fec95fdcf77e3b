//! What instances and routers share, half of it ignored.

use std::hash::{BuildHasher as _, RandomState};

use traefik_jwt_auth::core::unix_time::Seconds;
use traefik_jwt_auth::documents::directory::{Claim, Directory};
use traefik_jwt_auth::documents::document::SharedDocument;
use traefik_jwt_auth::documents::lease::{Failure, Lease, Share, Shared, Turn, Unshared, Version, Waiting};
use traefik_jwt_auth::documents::source_id::SourceId;
use traefik_jwt_auth::host::sockets::{Mailbox, MountedDirectory, margins_are_clean};
use traefik_jwt_auth::host::wasm::abi::write_log;

/// Long enough to put a result.
const LEASE: Seconds = Seconds(5);

/// The mailbox, which lets every instance fetch.
pub(super) struct RacingShare;

/// The directory, which lets every router fetch.
pub(super) struct RacingDirectory;

impl Share for RacingShare {
    fn look(&self, source: SourceId, seen: Version) -> Option<Shared> {
        check_margins();
        Mailbox.look(source, seen).filter(|_| coin())
    }

    /// A fetch, even if others are fetching.
    fn begin(&self, source: SourceId, seen: Version, waiting: Waiting, span: Seconds) -> Turn {
        Unshared.begin(source, seen, waiting, span)
    }

    /// Puts the result into the record, unless that already happens.
    fn finish(&self, lease: Lease, attempt: Result<SharedDocument, Failure>) -> Shared {
        // Nothing is newer than this, so the record is always changed.
        let newest = Version(u64::MAX);
        if let Turn::Ask(recorded) = Mailbox.begin(lease.source, newest, Waiting::NotAtAll, LEASE) {
            Mailbox.finish(recorded, attempt.clone());
        }
        check_margins();
        Unshared.finish(lease, attempt)
    }
}

impl Directory for RacingDirectory {
    fn load(&self, directory: &str, name: &str, max_bytes: usize) -> Option<Vec<u8>> {
        MountedDirectory.load(directory, name, max_bytes).filter(|_| coin() && coin())
    }

    fn store(&self, directory: &str, name: &str, content: &[u8]) {
        MountedDirectory.store(directory, name, content);
        check_margins();
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

/// Each hasher of the standard library has its own random keys.
fn coin() -> bool {
    RandomState::new().hash_one(0) & 1 == 1
}

fn check_margins() {
    if !margins_are_clean() {
        write_log(2, "race-test: a transfer went beyond the static buffer");
    }
}
