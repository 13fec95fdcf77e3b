//! Files below the mounts, read through the static buffer of [`super::imports`]: `std::fs` is not safe in a module
//! that has socket imports (14 to 17 of 20 parallel readers trapped).
//!
//! The host may hand out another instance's descriptor, and write bytes into another instance. So the open file is compared
//! with that of the path before and after, and each piece is read twice, into a buffer that was filled differently.

use super::imports;
use super::kernel::{Descriptor, Errno, FileType};
use super::lock;
use crate::documents::files::{FileError, FileStamp, ReadFile};
use crate::host::limits::MAX_READINGS;
use crate::host::wasi::{self, FileStat, locate};

/// Reads below `settings.mounts`; in this artifact a mount has the same path on both sides.
#[derive(Clone, Copy, Debug, Default)]
pub struct MountedFiles;

impl ReadFile for MountedFiles {
    fn stat(&self, path: &str) -> Result<FileStamp, FileError> {
        let (mount, below) = locate(path)?;
        let stat = wasi::path_stat(mount, &below).map_err(to_file_error)?;
        regular(&stat).map(|()| stamp(&stat))
    }

    fn read(&self, path: &str, max_bytes: usize) -> Result<Vec<u8>, FileError> {
        let (mount, below) = locate(path)?;
        for _ in 0..MAX_READINGS {
            // Most files that cannot be read are missing, which needs no exclusive work.
            examine(mount, &below, max_bytes)?;
            // One instance at a time: two that open at once may lose a descriptor for good.
            if let Some(content) = lock::exclusive(|| read_once(mount, &below, max_bytes))? {
                return Ok(content);
            }
        }
        Err(FileError::Unreadable)
    }
}

/// `None` if the parts do not fit together: the file was replaced meanwhile, or the host mixed it up. Everything is one
/// piece of exclusive work, since the wait for it can be long: a file may change between stat and open.
fn read_once(mount: Descriptor, path: &str, max_bytes: usize) -> Result<Option<Vec<u8>>, FileError> {
    let before = examine(mount, path, max_bytes)?;
    let Ok(file) = wasi::open_file(mount, path) else {
        return Ok(None);
    };
    let size = usize::try_from(before.size).map_err(|_| FileError::TooLarge)?;
    let unchanged = || wasi::file_stat(file).as_ref() == Ok(&before);
    let content = if unchanged() { read_all(file, size).filter(|_| unchanged()) } else { None };
    close(file);
    Ok(content)
}

/// Closes a file. If the record of the lock was lost and two instances work at once, the number may be another instance's
/// by now. If that is a file, the instance retries; a socket is never closed here.
pub(super) fn close(file: Descriptor) {
    if wasi::file_stat(file).is_ok_and(|stat| stat.file_type == FileType::RegularFile) {
        // A failure means that it is closed already.
        let _ = wasi::close(file);
    }
}

/// The state of a regular file that is not too large.
fn examine(mount: Descriptor, path: &str, max_bytes: usize) -> Result<FileStat, FileError> {
    let stat = wasi::path_stat(mount, path).map_err(to_file_error)?;
    regular(&stat)?;
    let fits = usize::try_from(stat.size).is_ok_and(|size| size <= max_bytes);
    if fits { Ok(stat) } else { Err(FileError::TooLarge) }
}

/// The whole content of an open file, if that is `size` bytes.
pub(super) fn read_all(file: Descriptor, size: usize) -> Option<Vec<u8>> {
    let mut content = Vec::with_capacity(size);
    loop {
        let piece = read_piece(file, u64::try_from(content.len()).ok()?)?;
        if piece.is_empty() {
            return (content.len() == size).then_some(content);
        }
        content.extend(piece);
        if content.len() > size {
            return None;
        }
    }
}

/// The bytes at `offset` that two readings agree about. What did not arrive is as the buffer was filled, which differs: of a large
/// file some piece does not arrive while others wait for the lock, and twice the same piece often enough.
fn read_piece(file: Descriptor, offset: u64) -> Option<Vec<u8>> {
    let read = |filler| {
        let mut piece = Vec::new();
        imports::read_at(file, offset, filler, &mut piece).ok().map(|_| piece)
    };
    (0..MAX_READINGS).find_map(|_| read(0).filter(|piece| read(u8::MAX).as_ref() == Some(piece)))
}

fn regular(stat: &FileStat) -> Result<(), FileError> {
    match stat.file_type {
        FileType::RegularFile => Ok(()),
        FileType::Directory
        | FileType::CharacterDevice
        | FileType::Datagram
        | FileType::Stream
        | FileType::Other => Err(FileError::Unreadable),
    }
}

const fn stamp(stat: &FileStat) -> FileStamp {
    FileStamp { modified: stat.modified, size: stat.size, inode: stat.inode }
}

fn to_file_error(errno: Errno) -> FileError {
    if errno == Errno::NO_SUCH_FILE { FileError::NotFound } else { FileError::Unreadable }
}
