//! The outside as the keys ring asks for it.

use crate::core::unix_time::Seconds;
use crate::core::unix_time::UnixTime;
use crate::host::{HostFetch, HostShare, KeyArchive, MountedFiles, clock};
use crate::keys::io::{
    Archive, Asked, Claim, Failure, Fetch, FetchError, FetchRequest, Fetched, FileError, FileStamp,
    Generation, Io, ReadFile, Share, Shared, SharedDocument, SourceId, Waiting,
};

/// URLs, files and time of the host.
#[derive(Default)]
pub(super) struct HostIo {
    fetch: HostFetch,
    files: MountedFiles,
    share: HostShare,
    archive: KeyArchive,
}

impl Fetch for HostIo {
    fn get(&self, request: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        self.fetch.get(request)
    }
}

impl ReadFile for HostIo {
    fn stat(&self, path: &str) -> Result<FileStamp, FileError> {
        self.files.stat(path)
    }

    fn read(&self, path: &str, max_bytes: usize) -> Result<Vec<u8>, FileError> {
        self.files.read(path, max_bytes)
    }
}

impl Share for HostIo {
    fn look(&self, source: SourceId, seen: Generation) -> Option<Shared> {
        self.share.look(source, seen)
    }

    fn ask(
        &self,
        source: SourceId,
        seen: Generation,
        lease: Seconds,
        waiting: Waiting,
        attempt: &mut dyn FnMut(Option<&SharedDocument>) -> Result<SharedDocument, Failure>,
    ) -> Asked {
        self.share.ask(source, seen, lease, waiting, attempt)
    }
}

impl Archive for HostIo {
    fn load(&self, directory: &str, name: &str, max_bytes: usize) -> Option<Vec<u8>> {
        self.archive.load(directory, name, max_bytes)
    }

    fn store(&self, directory: &str, name: &str, content: &[u8]) {
        self.archive.store(directory, name, content);
    }

    fn claim(&self, directory: &str, name: &str, lease: Seconds) -> Claim {
        self.archive.claim(directory, name, lease)
    }

    fn release(&self, directory: &str, name: &str) {
        self.archive.release(directory, name);
    }

    fn pause(&self) {
        self.archive.pause();
    }
}

impl Io for HostIo {
    fn now(&self) -> UnixTime {
        clock::now()
    }
}
