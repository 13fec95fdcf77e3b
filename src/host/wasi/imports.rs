//! Descriptors, and what the numbers of WASI mean.

use super::{Descriptor, Errno, FileType};

#[repr(C)]
#[derive(Default)]
struct FdStat {
    file_type: u8,
    flags: u16,
    rights_base: u64,
    rights_inheriting: u64,
}

// The host writes it by offset.
const _: () = assert!(size_of::<FdStat>() == 24);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_fdstat_get(fd: i32, stat: *mut FdStat) -> i32;
    fn fd_close(fd: i32) -> i32;
}

/// What `descriptor` stands for.
pub(crate) fn file_type(descriptor: Descriptor) -> Result<FileType, Errno> {
    let mut stat = FdStat::default();
    // SAFETY: the host writes one fdstat to a local of that layout.
    check(unsafe { fd_fdstat_get(descriptor.0, &raw mut stat) })?;
    Ok(to_file_type(stat.file_type))
}

/// Closes `descriptor`.
pub(crate) fn close(descriptor: Descriptor) -> Result<(), Errno> {
    // SAFETY: takes a number only.
    check(unsafe { fd_close(descriptor.0) })
}

pub(crate) fn check(errno: i32) -> Result<(), Errno> {
    if errno == 0 { Ok(()) } else { Err(Errno(u16::try_from(errno).unwrap_or(u16::MAX))) }
}

pub(crate) const fn to_file_type(number: u8) -> FileType {
    match number {
        2 => FileType::CharacterDevice,
        3 => FileType::Directory,
        4 => FileType::RegularFile,
        5 => FileType::Datagram,
        6 => FileType::Stream,
        _ => FileType::Other,
    }
}
