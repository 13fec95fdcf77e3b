//! The imports of WASI and of the WasmEdge socket extension, version 2, as wasi-go 0.8 serves them.
//!
//! All instances of a middleware share one host object that is not made for sharing: a call may use the pointer, the
//! length or the address of a call that another instance makes at the same moment. Hence the rules of this folder:
//! - Every transfer goes through one static buffer, which has the same address in every instance. Receives always pass its
//!   whole length, sends never more. A mix-up then stays inside the buffer of some instance: it causes wrong bytes, never
//!   a write elsewhere.
//! - The buffer is zeroed before a receive, so that old bytes do not replace bytes that landed elsewhere, and after every
//!   transfer, so that a mixed-up send of another instance that uses this buffer sends zeros.
//! - Counts, addresses and descriptors that come back are data to check, not facts.
//! - No call blocks on a descriptor, except the wait for a notification: all other sockets are non-blocking, and the
//!   only poll is one relative clock.
#![expect(unsafe_code, reason = "the WASI and socket imports: the only unsafe code of the project")]

mod clock;
mod transfer;
mod socket;
mod resolve;

use std::time::Duration;

use super::kernel::{Descriptor, Errno, Family, FileType, Flag, Kernel, Receive, SocketName, Wipe};
use crate::host::wasi::{check, close, file_type};

pub(crate) use clock::{random, sleep};
pub(crate) use resolve::resolve;
pub(crate) use socket::{connect, open_stream, peer_address, pending_error, send_buffer, set_send_buffer};
pub use transfer::margins_are_clean;
pub(crate) use transfer::{read_at, receive, send, write_at};

/// WASI as the kernel of the rooms above.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wasi;

impl Kernel for Wasi {
    fn monotonic_nanos() -> u64 {
        clock::monotonic_nanos()
    }

    fn random() -> Result<u32, Errno> {
        clock::random()
    }

    fn sleep(span: Duration) {
        clock::sleep(span);
    }

    fn yield_now() {
        clock::yield_now();
    }

    fn file_type(descriptor: Descriptor) -> Result<FileType, Errno> {
        file_type(descriptor)
    }

    fn close(descriptor: Descriptor) -> Result<(), Errno> {
        close(descriptor)
    }

    fn open_datagram(family: Family) -> Result<Descriptor, Errno> {
        socket::open_datagram(family)
    }

    fn bind_anew(descriptor: Descriptor, family: Family) -> Result<(), Errno> {
        socket::bind_anew(descriptor, family)
    }

    fn local_name(descriptor: Descriptor) -> Result<SocketName, Errno> {
        socket::local_name(descriptor)
    }

    fn peer_name(descriptor: Descriptor) -> Result<SocketName, Errno> {
        socket::peer_name(descriptor)
    }

    fn connect_to(descriptor: Descriptor, name: &SocketName) -> Result<(), Errno> {
        socket::connect_to(descriptor, name)
    }

    fn set_blocking(descriptor: Descriptor) -> Result<(), Errno> {
        socket::set_blocking(descriptor)
    }

    fn shut_down(descriptor: Descriptor) -> Result<(), Errno> {
        socket::shut_down(descriptor)
    }

    fn send(descriptor: Descriptor, bytes: &[u8]) -> Result<usize, Errno> {
        transfer::send(descriptor, bytes)
    }

    fn receive(descriptor: Descriptor, mode: Receive, wipe: Wipe, out: &mut Vec<u8>) -> Result<usize, Errno> {
        transfer::receive(descriptor, mode, wipe, out)
    }

    fn receive_from(
        descriptor: Descriptor,
        mode: Receive,
        wipe: Wipe,
        out: &mut Vec<u8>,
    ) -> Result<SocketName, Errno> {
        transfer::receive_from(descriptor, mode, wipe, out)
    }

    fn send_buffer(descriptor: Descriptor) -> Result<u32, Errno> {
        socket::send_buffer(descriptor)
    }

    fn set_send_buffer(descriptor: Descriptor, bytes: u32) -> Result<(), Errno> {
        socket::set_send_buffer(descriptor, bytes)
    }

    fn receive_buffer(descriptor: Descriptor) -> Result<u32, Errno> {
        socket::receive_buffer(descriptor)
    }

    fn set_receive_buffer(descriptor: Descriptor, bytes: u32) -> Result<(), Errno> {
        socket::set_receive_buffer(descriptor, bytes)
    }

    fn flag(descriptor: Descriptor, flag: Flag) -> Result<bool, Errno> {
        socket::flag(descriptor, flag)
    }

    fn set_flag(descriptor: Descriptor, flag: Flag, on: bool) -> Result<(), Errno> {
        socket::set_flag(descriptor, flag, on)
    }
}
