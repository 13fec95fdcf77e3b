//! Files in `jwksCache.directory`, written through the static buffer and in exclusive work only.
//!
//! A claim is a directory beside the file: creating one is atomic on every file system, and its age shows when its owner
//! must be gone. A claim equally far in the future has no owner, either.

use std::time::Duration;

use super::files::{self, MountedFiles, read_all};
use super::imports;
use super::kernel::{Descriptor, Errno};
use super::lock;
use crate::core::unix_time::Seconds;
use crate::documents::directory::{Claim, Directory};
use crate::documents::files::ReadFile;
use crate::host::clock;
use crate::host::wasi::{self, locate};

/// Time between two looks for another router's file.
const PAUSE: Duration = Duration::from_millis(50);

/// Keeps files below the mounts.
#[derive(Clone, Copy, Debug, Default)]
pub struct MountedDirectory;

impl Directory for MountedDirectory {
    fn load(&self, directory: &str, name: &str, max_bytes: usize) -> Option<Vec<u8>> {
        MountedFiles.read(&format!("{directory}/{name}"), max_bytes).ok()
    }

    fn store(&self, directory: &str, name: &str, content: &[u8]) {
        // A unique name, so that two writers never share a file.
        let Ok(random) = imports::random() else {
            return;
        };
        let temporary = format!("{directory}/{name}.{random:08x}.tmp");
        let path = format!("{directory}/{name}");
        let (Ok((mount, temporary)), Ok((_, path))) = (locate(&temporary), locate(&path)) else {
            return;
        };
        lock::exclusive(|| {
            let renamed = write_new(mount, &temporary, content)
                .and_then(|()| wasi::rename(mount, &temporary, &path))
                .is_ok();
            if !renamed {
                // There may be none, and nothing more can be done about one.
                let _ = wasi::remove_file(mount, &temporary);
            }
        });
    }

    fn claim(&self, directory: &str, name: &str, lease: Seconds) -> Claim {
        let path = format!("{directory}/{name}.claim");
        let Ok((mount, path)) = locate(&path) else {
            return Claim::Impossible;
        };
        for _ in 0..2 {
            match wasi::create_directory(mount, &path) {
                Ok(()) => return Claim::Ours,
                Err(Errno::EXISTS) => {}
                Err(_) => return Claim::Impossible,
            }
            let Ok(stat) = wasi::path_stat(mount, &path) else {
                // Given back in this moment.
                continue;
            };
            let age = clock::now().as_millis().abs_diff(stat.modified / 1_000_000);
            if age <= lease.0.saturating_mul(1000) {
                return Claim::Theirs;
            }
            let _ = wasi::remove_directory(mount, &path);
        }
        Claim::Theirs
    }

    fn release(&self, directory: &str, name: &str) {
        if let Ok((mount, path)) = locate(&format!("{directory}/{name}.claim")) {
            // Taken over by another router, then.
            let _ = wasi::remove_directory(mount, &path);
        }
    }

    fn pause(&self) {
        imports::sleep(PAUSE);
    }
}

fn write_new(mount: Descriptor, path: &str, content: &[u8]) -> Result<(), Errno> {
    let file = wasi::create_file(mount, path)?;
    let mut offset: usize = 0;
    let mut written = Ok(());
    while let Some(rest) = content.get(offset..).filter(|rest| !rest.is_empty()) {
        let at = u64::try_from(offset).unwrap_or(u64::MAX);
        match imports::write_at(file, at, rest) {
            Ok(count) if count > 0 => offset = offset.saturating_add(count),
            Ok(_) | Err(_) => {
                written = Err(Errno::NONSENSE);
                break;
            }
        }
    }
    // The file is read back, since the host may have written another instance's bytes.
    let whole = written.is_ok() && read_all(file, content.len()).as_deref() == Some(content);
    files::close(file);
    if whole { Ok(()) } else { Err(Errno::NONSENSE) }
}
