//! Which mount a path is below.

use std::borrow::Cow;
use std::cell::OnceCell;

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

/// `path` without empty parts and `.`, if it is absolute and has no `..`.
fn plain(path: &str) -> Option<Cow<'_, str>> {
    if is_plain(path) {
        return Some(Cow::Borrowed(path));
    }
    if !path.starts_with('/') || path.contains('\0') {
        return None;
    }
    let mut plain = String::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        if part == ".." {
            return None;
        }
        plain = plain + "/" + part;
    }
    Some(Cow::Owned(plain))
}

/// Whether it is that already, as it usually is: markers and proofs are looked for with each request, so it is looked
/// through once, byte by byte.
fn is_plain(path: &str) -> bool {
    let Some(path) = path.strip_prefix('/') else { return false };
    let (mut length, mut dots) = (0_usize, 0_usize);
    for byte in path.bytes() {
        match byte {
            // A part that is nothing, `.` or `..`.
            b'/' if length == dots && length <= 2 => return false,
            b'/' => (length, dots) = (0, 0),
            0 => return false,
            b'.' => (length, dots) = (length.saturating_add(1), dots.saturating_add(1)),
            _ => length = length.saturating_add(1),
        }
    }
    length != dots || length > 2
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
