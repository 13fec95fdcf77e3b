//! Which mount a path is below.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::plain_path::plain;
use super::{Descriptor, mount_path};
use crate::documents::files::FileError;

/// A mount, and its plain path; that of the root is empty.
struct Mount {
    descriptor: Descriptor,
    path: String,
}

thread_local! {
    /// Read once: mounts are there before an instance starts and stay, and to ask takes two calls of the host for each.
    static MOUNTS: OnceCell<Vec<Mount>> = const { OnceCell::new() };
}

/// The mount that holds `path` and the rest of the path below it. `..` is refused here, since the host follows it.
pub(crate) fn locate(path: &str) -> Result<(Descriptor, Cow<'_, str>), FileError> {
    let path = plain(path).ok_or(FileError::NotFound)?;
    MOUNTS.with(|mounts| {
        let holding = mounts.get_or_init(read).iter().filter(|mount| below(&path, mount).is_some());
        // The longest path, and the first of several.
        let best = holding.rev().max_by_key(|mount| mount.path.len()).ok_or(FileError::NotFound)?;
        let rest = match path {
            Cow::Borrowed(path) => below(path, best).map(Cow::Borrowed),
            Cow::Owned(ref path) => below(path, best).map(|rest| Cow::Owned(rest.to_owned())),
        };
        Ok((best.descriptor, rest.ok_or(FileError::NotFound)?))
    })
}

/// What of `path` is below the mount, if something is.
fn below<'p>(path: &'p str, mount: &Mount) -> Option<&'p str> {
    path.strip_prefix(mount.path.as_str())?.strip_prefix('/')
}

fn read() -> Vec<Mount> {
    let mut mounts = Vec::new();
    let mut descriptor = Descriptor::FIRST_MOUNT;
    while let Ok(path) = mount_path(descriptor) {
        // The host says it as the configuration has it.
        if let Some(path) = plain(&format!("/{path}")) {
            mounts.push(Mount { descriptor, path: path.into_owned() });
        }
        descriptor = descriptor.next();
    }
    mounts
}
