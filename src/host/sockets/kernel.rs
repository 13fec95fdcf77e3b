//! What the lock, its signals, notifications and the mailbox need of the host. [`super::imports`] asks WASI;
//! the simulated host of the tests interleaves many instances.

use std::time::Duration;

pub(crate) use crate::host::wasi::{Descriptor, Errno, FileType};

/// Families of datagram sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Unix,
    V4,
    V6,
}

/// The host's name of a socket, only to compare and to pass back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SocketName {
    pub(super) address: [u8; 128],
    pub(super) port: u32,
}

impl SocketName {
    pub(super) const EMPTY: Self = Self { address: [0; 128], port: 0 };
}

/// Whether received bytes stay in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Receive {
    Take,
    Peek,
}

/// How much of the buffer is zeroed before a receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wipe {
    /// What is received has a checksum that begins in its head.
    Head,
    /// Zeros are how missing bytes are found.
    All,
}

/// Options of a socket that mean nothing to one that is connected to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flag {
    /// `SO_KEEPALIVE`.
    KeepAlive,
    /// `SO_BROADCAST`.
    Broadcast,
}

/// The calls that instances use to find, keep apart and notify each other.
///
/// The host mixes up calls of instances that are in it at the same moment ([`super::imports`]), so bytes, counts and
/// descriptors that come back are data to check. Options of sockets and the clock are not mixed up.
pub(crate) trait Kernel {
    /// Nanoseconds of the process's monotonic clock: one base for all instances.
    fn monotonic_nanos() -> u64;
    /// An unpredictable number.
    fn random() -> Result<u32, Errno>;
    /// Sleeps for `span` or longer.
    fn sleep(span: Duration);
    /// Lets another instance run first.
    fn yield_now();

    /// What `descriptor` stands for.
    fn file_type(descriptor: Descriptor) -> Result<FileType, Errno>;
    /// Closes `descriptor`.
    fn close(descriptor: Descriptor) -> Result<(), Errno>;

    /// A non-blocking datagram socket.
    fn open_datagram(family: Family) -> Result<Descriptor, Errno>;
    /// Gives a datagram socket a name that no other has.
    fn bind_anew(descriptor: Descriptor, family: Family) -> Result<(), Errno>;
    /// The socket's own name.
    fn local_name(descriptor: Descriptor) -> Result<SocketName, Errno>;
    /// The name of the socket that this one is connected to.
    fn peer_name(descriptor: Descriptor) -> Result<SocketName, Errno>;
    /// Connects a datagram socket.
    fn connect_to(descriptor: Descriptor, name: &SocketName) -> Result<(), Errno>;
    /// Makes receives block until a datagram arrives.
    fn set_blocking(descriptor: Descriptor) -> Result<(), Errno>;
    /// Ends a connection in both directions, which wakes every blocked receiver.
    fn shut_down(descriptor: Descriptor) -> Result<(), Errno>;

    /// Sends `bytes` and returns how many were sent. [`Errno::AGAIN`] if the queue is full.
    fn send(descriptor: Descriptor, bytes: &[u8]) -> Result<usize, Errno>;
    /// Appends the next datagram to `out` and returns its length, 0 after a shutdown. [`Errno::AGAIN`] if there is none.
    fn receive(descriptor: Descriptor, mode: Receive, wipe: Wipe, out: &mut Vec<u8>) -> Result<usize, Errno>;
    /// As [`Kernel::receive`], but returns the name of the sender.
    fn receive_from(
        descriptor: Descriptor,
        mode: Receive,
        wipe: Wipe,
        out: &mut Vec<u8>,
    ) -> Result<SocketName, Errno>;

    /// `SO_SNDBUF`, bytes.
    fn send_buffer(descriptor: Descriptor) -> Result<u32, Errno>;
    /// Sets `SO_SNDBUF`, bytes.
    fn set_send_buffer(descriptor: Descriptor, bytes: u32) -> Result<(), Errno>;
    /// `SO_RCVBUF`, bytes.
    fn receive_buffer(descriptor: Descriptor) -> Result<u32, Errno>;
    /// Sets `SO_RCVBUF`, bytes.
    fn set_receive_buffer(descriptor: Descriptor, bytes: u32) -> Result<(), Errno>;
    /// An option that is on or off.
    fn flag(descriptor: Descriptor, flag: Flag) -> Result<bool, Errno>;
    /// Turns it on or off.
    fn set_flag(descriptor: Descriptor, flag: Flag, on: bool) -> Result<(), Errno>;
}
