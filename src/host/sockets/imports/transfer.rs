//! The one static buffer, and everything that goes through it.

use std::cell::UnsafeCell;

use super::check;
use super::socket::{AddressReference, places};
use crate::host::sockets::kernel::{Descriptor, Errno, Receive, SocketName, Wipe};

/// Bytes of the buffer. More than the largest datagram that a send buffer of 32 KiB lets through, so that a send
/// with a foreign receive length fails (EMSGSIZE) instead of queueing.
pub(crate) const BUFFER_BYTES: usize = 1 << 16;

const BUFFER_LENGTH: u32 = 1 << 16;

const fn flags(mode: Receive) -> i32 {
    match mode {
        Receive::Take => 0,
        Receive::Peek => 1,
    }
}

#[repr(C, align(16))]
struct Buffer {
    before: Margin,
    bytes: UnsafeCell<[u8; BUFFER_BYTES]>,
    behind: Margin,
}

// SAFETY: a guest instance has one thread. Other instances make the host write here only through the raw pointer,
// and no reference to the content is ever made.
unsafe impl Sync for Buffer {}

static BUFFER: Buffer = Buffer {
    before: UnsafeCell::new([0; MARGIN_BYTES]),
    bytes: UnsafeCell::new([0; BUFFER_BYTES]),
    behind: UnsafeCell::new([0; MARGIN_BYTES]),
};

/// Zeros that nothing writes to, so that a test detects a transfer beyond the buffer.
type Margin = UnsafeCell<[u8; MARGIN_BYTES]>;

const MARGIN_BYTES: usize = 64;

#[repr(C)]
struct IoVector {
    pointer: *mut u8,
    length: u32,
}

// The host reads it by offset.
const _: () = assert!(size_of::<IoVector>() == 8);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_pread(fd: i32, vectors: *const IoVector, count: i32, offset: u64, read: *mut u32) -> i32;
    fn fd_pwrite(fd: i32, vectors: *const IoVector, count: i32, offset: u64, written: *mut u32) -> i32;
    fn sock_recv(
        fd: i32,
        vectors: *const IoVector,
        count: i32,
        flags: i32,
        received: *mut u32,
        out_flags: *mut u32,
    ) -> i32;
    fn sock_recv_from(
        fd: i32,
        vectors: *const IoVector,
        count: i32,
        address: *const AddressReference,
        flags: i32,
        port: *mut u32,
        received: *mut u32,
        out_flags: *mut u32,
    ) -> i32;
    fn sock_send(fd: i32, vectors: *const IoVector, count: i32, flags: i32, sent: *mut u32) -> i32;
}

/// Whether nothing was ever written just before or behind the buffer.
pub fn margins_are_clean() -> bool {
    [&BUFFER.before, &BUFFER.behind].into_iter().all(|margin| {
        // SAFETY: initialised bytes of a static, which the host does not write to while the guest runs.
        let bytes = unsafe { &*std::hint::black_box(margin.get()) };
        *bytes == [0; MARGIN_BYTES]
    })
}

/// Appends what has arrived to `out` and returns its length; zero is the end of the stream.
pub(crate) fn receive(
    descriptor: Descriptor,
    mode: Receive,
    wipe: Wipe,
    out: &mut Vec<u8>,
) -> Result<usize, Errno> {
    let vector = wiped_buffer(wipe);
    let mut count = 0;
    let mut out_flags = 0;
    // SAFETY: the vector names the static buffer, all of it; count and flags are locals of four bytes.
    check(unsafe {
        sock_recv(descriptor.0, &raw const vector, 1, flags(mode), &raw mut count, &raw mut out_flags)
    })?;
    copy_out(count, out)
}

/// As [`receive`], of a datagram, and returns its sender. A sender without a name is an error.
pub(crate) fn receive_from(
    descriptor: Descriptor,
    mode: Receive,
    wipe: Wipe,
    out: &mut Vec<u8>,
) -> Result<SocketName, Errno> {
    let vector = wiped_buffer(wipe);
    let mut sender = SocketName::EMPTY;
    let (reference, port) = places(&mut sender);
    let mut count = 0;
    let mut out_flags = 0;
    // SAFETY: the vector names the static buffer, all of it; the host writes at most the 128 bytes that the reference
    // names; port, count and flags are of four bytes, and all are locals.
    check(unsafe {
        sock_recv_from(
            descriptor.0,
            &raw const vector,
            1,
            &raw const reference,
            flags(mode),
            port,
            &raw mut count,
            &raw mut out_flags,
        )
    })?;
    copy_out(count, out)?;
    Ok(sender)
}

/// Sends the beginning of `bytes`, as much as the buffer and the socket hold, and returns its length.
pub(crate) fn send(descriptor: Descriptor, bytes: &[u8]) -> Result<usize, Errno> {
    let (vector, length) = filled_buffer(bytes)?;
    let mut count = 0;
    // SAFETY: the vector names the beginning of the static buffer; the count is a local.
    let sent = check(unsafe { sock_send(descriptor.0, &raw const vector, 1, 0, &raw mut count) });
    wipe(length);
    sent?;
    checked_count(count, length)
}

/// Writes the beginning of `bytes` at `offset`, as much as the buffer holds, and returns its length.
pub(crate) fn write_at(descriptor: Descriptor, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
    let (vector, length) = filled_buffer(bytes)?;
    let mut count = 0;
    // SAFETY: the vector names the beginning of the static buffer; the count is a local.
    let written = check(unsafe { fd_pwrite(descriptor.0, &raw const vector, 1, offset, &raw mut count) });
    wipe(length);
    written?;
    checked_count(count, length)
}

/// Appends the bytes at `offset` to `out`, at most [`BUFFER_BYTES`], and returns their number; zero is the end. Bytes that the
/// host writes elsewhere are `filler`.
pub(crate) fn read_at(
    descriptor: Descriptor,
    offset: u64,
    filler: u8,
    out: &mut Vec<u8>,
) -> Result<usize, Errno> {
    let vector = wiped_buffer(Wipe::All);
    // SAFETY: the whole static buffer, to which no references exist.
    unsafe { BUFFER.bytes.get().cast::<u8>().write_bytes(filler, BUFFER_BYTES) };
    let mut count = 0;
    // SAFETY: the vector names the static buffer, all of it; the count is a local.
    check(unsafe { fd_pread(descriptor.0, &raw const vector, 1, offset, &raw mut count) })?;
    copy_out(count, out)
}

/// Copies as many bytes as fit to the beginning of the buffer.
fn filled_buffer(bytes: &[u8]) -> Result<(IoVector, usize), Errno> {
    let (bytes, _) = bytes.split_at_checked(BUFFER_BYTES).unwrap_or((bytes, &[]));
    let length = u32::try_from(bytes.len()).map_err(|_| Errno::NONSENSE)?;
    let pointer = BUFFER.bytes.get().cast::<u8>();
    // SAFETY: at most BUFFER_BYTES, from a slice that is not the static buffer, to which no references exist.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), pointer, bytes.len()) };
    Ok((IoVector { pointer, length }, bytes.len()))
}

fn checked_count(count: u32, most: usize) -> Result<usize, Errno> {
    match usize::try_from(count) {
        Ok(count) if count <= most => Ok(count),
        Ok(_) | Err(_) => Err(Errno::NONSENSE),
    }
}

/// The whole buffer, zeroed.
fn wiped_buffer(before: Wipe) -> IoVector {
    wipe(match before {
        Wipe::Head => 64,
        Wipe::All => BUFFER_BYTES,
    });
    IoVector { pointer: BUFFER.bytes.get().cast::<u8>(), length: BUFFER_LENGTH }
}

/// Zeros the beginning of the buffer.
fn wipe(bytes: usize) {
    // SAFETY: at most the whole static buffer, to which no references exist.
    unsafe { BUFFER.bytes.get().cast::<u8>().write_bytes(0, bytes.min(BUFFER_BYTES)) };
}

fn copy_out(count: u32, out: &mut Vec<u8>) -> Result<usize, Errno> {
    let count = usize::try_from(count).map_err(|_| Errno::NONSENSE)?;
    if count > BUFFER_BYTES {
        return Err(Errno::NONSENSE);
    }
    out.reserve(count);
    let start = out.len();
    // SAFETY: `count` bytes of the static buffer go to as many reserved ones behind the content of `out`, which are
    // then part of it; the two do not overlap.
    unsafe {
        std::ptr::copy_nonoverlapping(BUFFER.bytes.get().cast::<u8>(), out.as_mut_ptr().add(start), count);
        out.set_len(start.saturating_add(count));
    }
    wipe(count);
    Ok(count)
}
