//! What the keys come from: files as they are here, and one key set in place of all URLs.

use traefik_jwt_auth::documents::document::Document;
use traefik_jwt_auth::documents::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use traefik_jwt_auth::documents::files::{FileError, FileStamp, ReadFile};

use crate::command::Outside;

/// One key set in place of all URLs.
pub(super) struct KeySets<'a>(pub(super) Option<&'a [u8]>);

impl Fetch for KeySets<'_> {
    fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        let body = self.0.ok_or(FetchError::NotSupported)?.to_vec();
        Ok(Fetched::Document(Document { body, ..Document::default() }))
    }
}

/// Files as they are here.
pub(super) struct Files<'a>(pub(super) &'a dyn Outside);

impl ReadFile for Files<'_> {
    fn stat(&self, path: &str) -> Result<FileStamp, FileError> {
        let size = self.0.read(path).map_err(|_| FileError::NotFound)?.len();
        Ok(FileStamp { modified: 0, size: u64::try_from(size).unwrap_or(u64::MAX), inode: 0 })
    }

    fn read(&self, path: &str, max_bytes: usize) -> Result<Vec<u8>, FileError> {
        let content = self.0.read(path).map_err(|_| FileError::NotFound)?;
        if content.len() > max_bytes { Err(FileError::TooLarge) } else { Ok(content) }
    }
}
