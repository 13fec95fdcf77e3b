//! Files below `settings.mounts` in the artifact without sockets. There `std::fs` is safe: every instance has its own
//! descriptor table.

use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read};
use std::time::UNIX_EPOCH;

use crate::documents::files::{FileError, FileStamp, ReadFile};

/// Reads below `settings.mounts`.
#[derive(Clone, Copy, Debug, Default)]
pub struct MountedFiles;

impl ReadFile for MountedFiles {
    fn stat(&self, path: &str) -> Result<FileStamp, FileError> {
        stamp(&fs::metadata(path).map_err(|error| to_file_error(&error))?)
    }

    fn read(&self, path: &str, max_bytes: usize) -> Result<Vec<u8>, FileError> {
        let file = File::open(path).map_err(|error| to_file_error(&error))?;
        let stamp = stamp(&file.metadata().map_err(|error| to_file_error(&error))?)?;
        let max = u64::try_from(max_bytes).unwrap_or(u64::MAX);
        if stamp.size > max {
            return Err(FileError::TooLarge);
        }
        let mut content = Vec::new();
        // One byte more than allowed detects a file that has grown since.
        file.take(max.saturating_add(1)).read_to_end(&mut content).map_err(|error| to_file_error(&error))?;
        if content.len() > max_bytes { Err(FileError::TooLarge) } else { Ok(content) }
    }
}

fn stamp(metadata: &Metadata) -> Result<FileStamp, FileError> {
    if !metadata.is_file() {
        return Err(FileError::Unreadable);
    }
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or(0);
    // std does not expose the inode on wasi.
    Ok(FileStamp { modified, size: metadata.len(), inode: 0 })
}

fn to_file_error(error: &std::io::Error) -> FileError {
    if error.kind() == ErrorKind::NotFound { FileError::NotFound } else { FileError::Unreadable }
}

#[cfg(test)]
mod tests {
    use super::MountedFiles;
    use crate::documents::files::{FileError, ReadFile};

    #[test]
    fn reads_up_to_the_limit() {
        let path = std::env::temp_dir().join(format!("mounts-{}.txt", std::process::id()));
        std::fs::write(&path, b"12345").unwrap();
        let name = path.to_str().unwrap();
        assert_eq!(MountedFiles.read(name, 5), Ok(b"12345".to_vec()));
        assert_eq!(MountedFiles.read(name, 6), Ok(b"12345".to_vec()));
        assert_eq!(MountedFiles.read(name, 4), Err(FileError::TooLarge));
        let before = MountedFiles.stat(name).unwrap();
        assert_eq!((before.size, before == MountedFiles.stat(name).unwrap()), (5, true));
        std::fs::write(&path, b"123456").unwrap();
        assert_ne!(MountedFiles.stat(name).unwrap(), before);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(MountedFiles.read(name, 5), Err(FileError::NotFound));
        assert_eq!(MountedFiles.stat(name), Err(FileError::NotFound));
        assert_eq!(MountedFiles.stat(std::env::temp_dir().to_str().unwrap()), Err(FileError::Unreadable));
    }
}
