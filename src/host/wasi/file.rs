//! Files and directories below the mounts.

use super::{Descriptor, Errno, FileType, check, close, to_file_type};

/// fd_read, fd_seek (which fd_pread and fd_pwrite need) and fd_filestat_get.
const RIGHTS_READ: u64 = (1 << 1) | (1 << 2) | (1 << 21);

/// Bytes of names that are read at once: of 480 proofs.
const LISTED_BYTES: usize = 32 << 10;

/// What `stat` says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStat {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) file_type: FileType,
    pub(crate) links: u64,
    pub(crate) size: u64,
    pub(crate) modified: u64,
}

#[repr(C)]
#[derive(Default)]
struct RawFileStat {
    device: u64,
    inode: u64,
    file_type: u8,
    links: u64,
    size: u64,
    accessed: u64,
    modified: u64,
    changed: u64,
}

#[repr(C)]
#[derive(Default)]
struct PreStat {
    tag: u8,
    name_length: u32,
}

// The host writes these by offset.
const _: () = assert!(size_of::<RawFileStat>() == 64 && size_of::<PreStat>() == 8);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_filestat_get(fd: i32, stat: *mut RawFileStat) -> i32;
    fn fd_prestat_get(fd: i32, stat: *mut PreStat) -> i32;
    fn fd_prestat_dir_name(fd: i32, name: *mut u8, length: usize) -> i32;
    fn path_open(
        fd: i32,
        lookup: i32,
        path: *const u8,
        path_length: usize,
        flags: i32,
        rights_base: u64,
        rights_inheriting: u64,
        fd_flags: i32,
        opened: *mut i32,
    ) -> i32;
    fn path_filestat_get(
        fd: i32,
        lookup: i32,
        path: *const u8,
        path_length: usize,
        stat: *mut RawFileStat,
    ) -> i32;
    fn fd_readdir(fd: i32, buffer: *mut u8, length: usize, cookie: u64, used: *mut usize) -> i32;
    fn path_create_directory(fd: i32, path: *const u8, path_length: usize) -> i32;
    fn path_remove_directory(fd: i32, path: *const u8, path_length: usize) -> i32;
    fn path_unlink_file(fd: i32, path: *const u8, path_length: usize) -> i32;
    fn path_rename(
        fd: i32,
        from: *const u8,
        from_length: usize,
        new_fd: i32,
        to: *const u8,
        to_length: usize,
    ) -> i32;
}

/// The path of a mount; [`Errno::BAD_DESCRIPTOR`] after the last one.
pub(crate) fn mount_path(descriptor: Descriptor) -> Result<String, Errno> {
    let mut stat = PreStat::default();
    // SAFETY: the host writes one prestat to a local of that layout.
    check(unsafe { fd_prestat_get(descriptor.0, &raw mut stat) })?;
    let length = usize::try_from(stat.name_length).map_err(|_| Errno::NONSENSE)?;
    // Longer than a path can be (PATH_MAX).
    if stat.tag != 0 || length > 4096 {
        return Err(Errno::NONSENSE);
    }
    let mut name = vec![0; length];
    // SAFETY: the host writes exactly `length` bytes, or fails if the name has another length.
    check(unsafe { fd_prestat_dir_name(descriptor.0, name.as_mut_ptr(), name.len()) })?;
    String::from_utf8(name).map_err(|_| Errno::NONSENSE)
}

/// The state of `path` below the mount; symbolic links are followed. The caller has to reject `..`.
pub(crate) fn path_stat(mount: Descriptor, path: &str) -> Result<FileStat, Errno> {
    let mut stat = RawFileStat::default();
    // SAFETY: the host reads the path with its length and writes one filestat to a local of that layout.
    check(unsafe { path_filestat_get(mount.0, 1, path.as_ptr(), path.len(), &raw mut stat) })?;
    Ok(to_file_stat(&stat))
}

/// The state of an open file.
pub(crate) fn file_stat(descriptor: Descriptor) -> Result<FileStat, Errno> {
    let mut stat = RawFileStat::default();
    // SAFETY: the host writes one filestat to a local of that layout.
    check(unsafe { fd_filestat_get(descriptor.0, &raw mut stat) })?;
    Ok(to_file_stat(&stat))
}

/// Opens `path` below the mount for reading.
pub(crate) fn open_file(mount: Descriptor, path: &str) -> Result<Descriptor, Errno> {
    open_path(mount, path, 0, RIGHTS_READ)
}

/// Creates the file `path` below the mount, which must not exist, for writing and reading.
pub(crate) fn create_file(mount: Descriptor, path: &str) -> Result<Descriptor, Errno> {
    // O_CREAT and O_EXCL; fd_write besides.
    open_path(mount, path, 1 | 4, RIGHTS_READ | (1 << 6))
}

fn open_path(mount: Descriptor, path: &str, flags: i32, rights: u64) -> Result<Descriptor, Errno> {
    let mut opened = -1;
    // SAFETY: the host reads the path with its length and writes a descriptor number to a local. The file is opened
    // non-blocking (4), so that a pipe put in its place cannot hold the request.
    check(unsafe { path_open(mount.0, 1, path.as_ptr(), path.len(), flags, rights, 0, 4, &raw mut opened) })?;
    if opened < 0 { Err(Errno::NONSENSE) } else { Ok(Descriptor(opened)) }
}

/// Names in the directory `path` below the mount, the first of them if there are many.
pub(crate) fn list(mount: Descriptor, path: &str) -> Result<Vec<String>, Errno> {
    // O_DIRECTORY; fd_readdir.
    let directory = open_path(mount, path, 1 << 1, 1 << 14)?;
    let mut buffer = vec![0_u8; LISTED_BYTES];
    let mut used = 0_usize;
    // SAFETY: the host writes up to the length of the buffer, and a count to a local.
    let read = check(unsafe { fd_readdir(directory.0, buffer.as_mut_ptr(), buffer.len(), 0, &raw mut used) });
    // A failure means that it is closed already.
    let _ = close(directory);
    read?;
    Ok(names(buffer.get(..used).ok_or(Errno::NONSENSE)?))
}

/// The names in a list of entries, each behind a head of 24 bytes that has its length at 16. The last one may be cut.
fn names(mut entries: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    while let Some((head, rest)) = entries.split_first_chunk::<24>() {
        let length = head.get(16..20).and_then(|length| Some(u32::from_le_bytes(length.try_into().ok()?)));
        let length = length.and_then(|length| usize::try_from(length).ok());
        let Some((name, rest)) = length.and_then(|length| rest.split_at_checked(length)) else { break };
        names.extend(std::str::from_utf8(name).map(str::to_owned));
        entries = rest;
    }
    names
}

/// Creates a directory; [`Errno::EXISTS`] if it exists.
pub(crate) fn create_directory(mount: Descriptor, path: &str) -> Result<(), Errno> {
    // SAFETY: the host reads the path with its length.
    check(unsafe { path_create_directory(mount.0, path.as_ptr(), path.len()) })
}

/// Removes an empty directory.
pub(crate) fn remove_directory(mount: Descriptor, path: &str) -> Result<(), Errno> {
    // SAFETY: the host reads the path with its length.
    check(unsafe { path_remove_directory(mount.0, path.as_ptr(), path.len()) })
}

/// Removes a file.
pub(crate) fn remove_file(mount: Descriptor, path: &str) -> Result<(), Errno> {
    // SAFETY: the host reads the path with its length.
    check(unsafe { path_unlink_file(mount.0, path.as_ptr(), path.len()) })
}

/// Renames a file below the mount, and replaces a file with the new name.
pub(crate) fn rename(mount: Descriptor, from: &str, to: &str) -> Result<(), Errno> {
    // SAFETY: the host reads both paths with their lengths.
    check(unsafe { path_rename(mount.0, from.as_ptr(), from.len(), mount.0, to.as_ptr(), to.len()) })
}

const fn to_file_stat(stat: &RawFileStat) -> FileStat {
    FileStat {
        device: stat.device,
        inode: stat.inode,
        file_type: to_file_type(stat.file_type),
        links: stat.links,
        size: stat.size,
        modified: stat.modified,
    }
}
