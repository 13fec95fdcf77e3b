//! The imports of WASI and of the WasmEdge socket extension, version 2, as wasi-go 0.8 serves them.
//!
//! All instances of a middleware share one host object that is not made for it: a call may use the pointer, the
//! length or the address of a call that another instance makes at the same moment. Hence the rules of this folder:
//! - Every transfer goes through one static buffer, which has the same address in every instance. Receives always
//!   give its whole length, sends never more. A mix-up then stays inside somebody's buffer: wrong bytes, never a
//!   write elsewhere.
//! - The buffer is zeroed before a receive, so that bytes which landed elsewhere are not replaced by old ones, and after
//!   every transfer, so that a send of another instance which takes this buffer for its own sends zeros.
//! - Counts, addresses and descriptors that come back are data to be checked, not facts.
//! - Nothing waits for a descriptor, but whoever listens for a bell: all other sockets are non-blocking, and the only
//!   poll is one relative clock.
#![expect(unsafe_code, reason = "the WASI and socket imports: the only unsafe code of the project")]

mod clock;
mod transfer;
mod socket;
mod resolve;
mod file;

pub(crate) use clock::{monotonic_nanos, random, sleep, yield_now};
pub(crate) use file::{
    FileStat, create_directory, create_file, file_stat, mount_path, open_file, path_stat, remove_directory,
    remove_file, rename,
};
pub(crate) use resolve::resolve;
pub(crate) use socket::{
    SocketName, bind_anew, connect, connect_to, keep_alive, local_name, open_datagram, open_stream,
    peer_address, peer_name, pending_error, receive_buffer, send_buffer, set_blocking, set_keep_alive,
    set_receive_buffer, set_send_buffer, shut_down,
};
#[cfg(feature = "race-test")]
pub(crate) use transfer::canaries_are_whole;
pub(crate) use transfer::{Receive, Wipe, read_at, receive, receive_from, send, write_at};

/// A WASI error number, or one of ours for answers that cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(u16);

impl Errno {
    pub(crate) const NO_FAMILY: Self = Self(5);
    pub(crate) const AGAIN: Self = Self(6);
    pub(crate) const ALREADY: Self = Self(7);
    pub(crate) const BAD_DESCRIPTOR: Self = Self(8);
    pub(crate) const EXISTS: Self = Self(20);
    pub(crate) const IN_PROGRESS: Self = Self(26);
    pub(crate) const IS_CONNECTED: Self = Self(30);
    pub(crate) const TOO_MANY_OPEN: Self = Self(33);
    pub(crate) const NO_SUCH_FILE: Self = Self(44);
    pub(crate) const NOT_CONNECTED: Self = Self(53);
    pub(crate) const NOT_SOCKET: Self = Self(57);
    /// The host returned something outside of what the call can return.
    pub(crate) const NONSENSE: Self = Self(u16::MAX);
}

/// A descriptor number. Whether it still means what it meant is for the caller to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor(i32);

impl Descriptor {
    /// The standard streams, or what took their place.
    pub(crate) const STANDARD: [Self; 3] = [Self(0), Self(1), Self(2)];
    /// Where mounts begin.
    pub(crate) const FIRST_MOUNT: Self = Self(3);

    /// The descriptor that another instance told of.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        i32::try_from(number).ok().map(Self)
    }

    /// To be told to another instance; never negative.
    pub(crate) fn number(self) -> u32 {
        self.0.unsigned_abs()
    }

    /// The number after this one.
    pub(crate) const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// What a descriptor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileType {
    CharacterDevice,
    Directory,
    RegularFile,
    Datagram,
    Stream,
    Other,
}

/// Families of datagram sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Unix,
    V4,
    V6,
}

#[repr(C)]
#[derive(Default)]
struct FdStat {
    file_type: u8,
    flags: u16,
    rights_base: u64,
    rights_inheriting: u64,
}

impl Family {
    const fn number(self) -> u8 {
        match self {
            Self::V4 => 1,
            Self::V6 => 2,
            Self::Unix => 3,
        }
    }
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

fn check(errno: i32) -> Result<(), Errno> {
    if errno == 0 { Ok(()) } else { Err(Errno(u16::try_from(errno).unwrap_or(u16::MAX))) }
}

const fn to_file_type(number: u8) -> FileType {
    match number {
        2 => FileType::CharacterDevice,
        3 => FileType::Directory,
        4 => FileType::RegularFile,
        5 => FileType::Datagram,
        6 => FileType::Stream,
        _ => FileType::Other,
    }
}
