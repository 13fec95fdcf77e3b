//! The outside as the keys ring asks for it.

use crate::core::unix_time::UnixTime;
use crate::host::{HostFetch, MountedFiles, clock};
use crate::keys::io::{Fetch, FetchError, FetchRequest, Fetched, FileError, FileStamp, Io, ReadFile};

/// URLs, files and time of the host.
#[derive(Default)]
pub(super) struct HostIo {
    fetch: HostFetch,
    files: MountedFiles,
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

impl Io for HostIo {
    fn now(&self) -> UnixTime {
        clock::now()
    }
}
