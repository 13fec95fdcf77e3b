//! Why a document could not be obtained.

use std::fmt;

use crate::documents::fetch::FetchError;
use crate::documents::files::FileError;

/// Failure of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentError {
    /// The URL could not be fetched.
    Fetch(FetchError),
    /// A file could not be read.
    File(FileError),
    /// The file is not UTF-8.
    NotUtf8,
}

impl From<FetchError> for DocumentError {
    fn from(error: FetchError) -> Self {
        Self::Fetch(error)
    }
}

impl From<FileError> for DocumentError {
    fn from(error: FileError) -> Self {
        Self::File(error)
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(error) => write!(f, "{error}"),
            Self::File(error) => write!(f, "{error}"),
            Self::NotUtf8 => f.write_str("the file is not UTF-8"),
        }
    }
}
