//! Which mount a path is below.

use std::cell::OnceCell;

use super::{Descriptor, mount_path};
use crate::documents::files::FileError;

/// A mount, and the parts of its path.
struct Mount {
    descriptor: Descriptor,
    parts: Vec<String>,
}

thread_local! {
    /// Read once: mounts are there before an instance starts and stay, and to ask takes two calls of the host for each.
    static MOUNTS: OnceCell<Vec<Mount>> = const { OnceCell::new() };
}

/// The mount that holds `path` and the rest of the path below it. `..` is refused here, since the host follows it.
pub(crate) fn locate(path: &str) -> Result<(Descriptor, String), FileError> {
    let parts: Vec<&str> = parts(path).collect();
    if !path.starts_with('/') || parts.contains(&"..") || path.contains('\0') {
        return Err(FileError::NotFound);
    }
    MOUNTS.with(|mounts| {
        let holding = mounts.get_or_init(read).iter().filter(|mount| {
            mount.parts.len() < parts.len() && mount.parts.iter().zip(&parts).all(|(own, part)| own == part)
        });
        // The longest path, and the first of several.
        let best = holding.rev().max_by_key(|mount| mount.parts.len()).ok_or(FileError::NotFound)?;
        Ok((best.descriptor, parts.get(best.parts.len()..).unwrap_or_default().join("/")))
    })
}

fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

fn read() -> Vec<Mount> {
    let mut mounts = Vec::new();
    let mut descriptor = Descriptor::FIRST_MOUNT;
    while let Ok(path) = mount_path(descriptor) {
        mounts.push(Mount { descriptor, parts: parts(&path).map(str::to_owned).collect() });
        descriptor = descriptor.next();
    }
    mounts
}
