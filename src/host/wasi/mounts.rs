//! Which mount a path is below.

use super::{Descriptor, mount_path};
use crate::documents::files::FileError;

/// The mount that holds `path` and the rest of the path below it. `..` is refused here, since the host follows it.
pub(crate) fn locate(path: &str) -> Result<(Descriptor, String), FileError> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if !path.starts_with('/') || parts.contains(&"..") || path.contains('\0') {
        return Err(FileError::NotFound);
    }
    let mut best: Option<(usize, Descriptor)> = None;
    let mut descriptor = Descriptor::FIRST_MOUNT;
    while let Ok(mount) = mount_path(descriptor) {
        let prefix: Vec<&str> = mount.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        let longer = best.is_none_or(|(length, _)| prefix.len() > length);
        if longer && prefix.len() < parts.len() && parts.starts_with(&prefix) {
            best = Some((prefix.len(), descriptor));
        }
        descriptor = descriptor.next();
    }
    let (length, mount) = best.ok_or(FileError::NotFound)?;
    Ok((mount, parts.get(length..).unwrap_or_default().join("/")))
}
