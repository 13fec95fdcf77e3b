//! Directories and markers below the mounts, for proofs that were used and for revocations. None of these calls needs a
//! descriptor of its own but the list of a directory.

use std::borrow::Cow;

use crate::core::revocation::marker::{Found, Markers};
use crate::core::unix_time::UnixTime;
use crate::host::exclusive;
use crate::host::wasi::{self, Errno, locate};
use crate::keys::replay::{Created, Directories, DirectoryStat};

/// What is below the mounts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MountedDirectories;

impl Directories for MountedDirectories {
    fn create(&self, path: &str) -> Created {
        let Ok((mount, path)) = locate(path) else {
            return Created::Failed;
        };
        match wasi::create_directory(mount, &path) {
            Ok(()) => Created::New,
            Err(Errno::EXISTS) => Created::Exists,
            Err(Errno::NO_SUCH_FILE) => Created::NoParent,
            Err(_) => Created::Failed,
        }
    }

    fn stat(&self, path: &str) -> Option<DirectoryStat> {
        let (mount, path) = locate(path).ok()?;
        let stat = wasi::path_stat(mount, &path).ok()?;
        Some(DirectoryStat { links: stat.links, size: stat.size, modified: to_time(stat.modified) })
    }

    fn list(&self, path: &str) -> Vec<String> {
        // The directory may be the mount itself, which is below none.
        let below = format!("{path}/.below");
        let Ok((mount, inner)) = locate(&below) else {
            return Vec::new();
        };
        let path = inner.strip_suffix(".below").unwrap_or(&inner).trim_end_matches('/');
        let path = if path.is_empty() { "." } else { path };
        exclusive(|| wasi::list(mount, path)).unwrap_or_default()
    }

    fn remove(&self, path: &str) {
        if let Ok((mount, path)) = locate(path) {
            // What is not empty is somebody else's.
            let _ = wasi::remove_directory(mount, &path);
        }
    }
}

impl Markers for MountedDirectories {
    fn find(&self, path: &str) -> Found {
        // The directory may be the mount itself, which is always there.
        let Ok((mount, path)) = locate(path)
            .or_else(|_| locate(&format!("{path}/.below")).map(|(mount, _)| (mount, Cow::Borrowed("."))))
        else {
            return Found::Unknown;
        };
        match wasi::path_stat(mount, &path) {
            Ok(stat) => Found::At(to_time(stat.modified)),
            Err(Errno::NO_SUCH_FILE) => Found::Nothing,
            Err(_) => Found::Unknown,
        }
    }
}

const fn to_time(nanos: u64) -> UnixTime {
    UnixTime::from_millis(nanos / 1_000_000)
}
