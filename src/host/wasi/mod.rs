//! The part of WASI that both artifacts have: descriptors, and what is below the mounts. In the module with sockets, all
//! instances of a middleware share one table of descriptors, so there nothing here opens or closes one but under the lock.
#![cfg_attr(target_os = "wasi", expect(unsafe_code, reason = "imports of WASI"))]

#[cfg(target_os = "wasi")]
mod file;
#[cfg(target_os = "wasi")]
mod imports;
#[cfg(target_os = "wasi")]
mod mounts;
#[cfg(any(target_os = "wasi", test))]
mod plain_path;

#[cfg(target_os = "wasi")]
pub(crate) use file::*;
#[cfg(target_os = "wasi")]
pub(crate) use imports::*;
#[cfg(target_os = "wasi")]
pub(crate) use mounts::locate;

/// A WASI error number, or one of ours for answers that cannot be true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(in crate::host) u16);

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
    /// A datagram of another process.
    pub(crate) const FOREIGN: Self = Self(u16::MAX - 1);
}

/// A descriptor number. Whether it still means what it meant is for the caller to check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor(pub(in crate::host) i32);

impl Descriptor {
    /// The standard streams, or what took their place.
    pub(crate) const STANDARD: [Self; 3] = [Self(0), Self(1), Self(2)];
    /// Where mounts begin.
    pub(crate) const FIRST_MOUNT: Self = Self(3);

    /// The descriptor that another instance sent.
    pub(crate) fn from_number(number: u32) -> Option<Self> {
        i32::try_from(number).ok().map(Self)
    }

    /// To be sent to another instance; never negative.
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
