//! Files below the mounts, as ring 3 reads them.

use std::fmt;

/// Identity of a file's content for change detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    /// Modification time in nanoseconds.
    pub modified: u64,
    /// Size in bytes.
    pub size: u64,
    /// Inode, which changes when a file is replaced by renaming.
    pub inode: u64,
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileError {
    /// No such file below the mounts of the plugin.
    NotFound,
    /// Larger than the caller's limit.
    TooLarge,
    /// Any other failure.
    Unreadable,
}

/// Reads files below `settings.mounts`. Implemented by `host`.
pub trait ReadFile {
    /// The stamp of `path`, following symbolic links.
    ///
    /// # Errors
    /// If there is no such file or it cannot be examined.
    fn stat(&self, path: &str) -> Result<FileStamp, FileError>;

    /// The whole content of `path`.
    ///
    /// # Errors
    /// If it is missing, unreadable or larger than `max_bytes`.
    fn read(&self, path: &str, max_bytes: usize) -> Result<Vec<u8>, FileError>;
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "no such file below settings.mounts",
            Self::TooLarge => "the file is too large",
            Self::Unreadable => "the file cannot be read",
        })
    }
}
