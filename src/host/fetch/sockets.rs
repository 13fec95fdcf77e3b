//! The imports of WASI and of the WasmEdge socket extension, version 2, as wasi-go 0.8 serves them.
//!
//! All instances of a middleware share one host object that is not made for it: a call may use the pointer, the
//! length or the address of a call that another instance makes at the same moment. Hence the rules of this file:
//! - Every transfer goes through one static buffer, which has the same address in every instance. Receives always
//!   give its whole length, sends never more. A mix-up then stays inside somebody's buffer: wrong bytes, never a
//!   write elsewhere.
//! - The buffer is zeroed before a receive, so that bytes which landed elsewhere are not replaced by old ones, and after
//!   every transfer, so that a send of another instance which takes this buffer for its own sends zeros.
//! - Counts, addresses and descriptors that come back are data to be checked, not facts.
//! - Nothing waits for a descriptor, but whoever listens for a bell: all other sockets are non-blocking, and the only
//!   poll is one relative clock.
#![expect(unsafe_code, reason = "the WASI and socket imports: the only unsafe code of the project")]

use std::cell::UnsafeCell;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ptr::null_mut;
use std::time::Duration;

/// Bytes of the buffer. More than the largest datagram that a send buffer of 32 KiB lets through, so that a send
/// with a foreign receive length fails (EMSGSIZE) instead of queueing.
pub(crate) const BUFFER_BYTES: usize = 1 << 16;
const BUFFER_LENGTH: u32 = 1 << 16;

/// Shortest sleep. The host makes a deadline of the span, and then looks how much time is left of it. Where its thread
/// is off the processor between the two for longer than the span and a millisecond, what is left is negative, which
/// its poll takes for no end at all: the request hangs for good, with a thread. Of 50 instances that fetched on two
/// saturated cores one was lost in 10,000 requests with sleeps of 2 ms and again with 20 ms. So sleeps are long, and
/// few: what may be there in a moment is asked for again after [`yield_now`].
const SHORTEST_SLEEP: Duration = Duration::from_millis(50);
/// Addresses taken of one name. The host keeps a list of the largest number ever asked for: a constant keeps it
/// from being replaced while another instance reads it.
const MAX_ADDRESSES: usize = 8;
/// `AI_NUMERICSERV`: the service is a decimal port.
const NUMERIC_SERVICE: u16 = 1 << 3;

/// fd_read, fd_seek (which fd_pread and fd_pwrite need) and fd_filestat_get.
const RIGHTS_READ: u64 = (1 << 1) | (1 << 2) | (1 << 21);

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

/// Families of datagram sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Unix,
    V4,
    V6,
}

/// The name of a socket as the host has it, only to be compared and given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SocketName {
    address: [u8; 128],
    port: u32,
}

/// What `stat` says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileStat {
    pub(crate) device: u64,
    pub(crate) inode: u64,
    pub(crate) file_type: FileType,
    pub(crate) size: u64,
    pub(crate) modified: u64,
}

#[repr(C, align(16))]
struct Buffer {
    #[cfg(feature = "race-test")]
    before: Canary,
    bytes: UnsafeCell<[u8; BUFFER_BYTES]>,
    #[cfg(feature = "race-test")]
    behind: Canary,
}

// SAFETY: a guest instance has one thread. Other instances make the host write here only through the raw pointer,
// and no reference to the content is ever made.
unsafe impl Sync for Buffer {}

static BUFFER: Buffer = Buffer {
    #[cfg(feature = "race-test")]
    before: UnsafeCell::new([CANARY; BUFFER_BYTES]),
    bytes: UnsafeCell::new([0; BUFFER_BYTES]),
    #[cfg(feature = "race-test")]
    behind: UnsafeCell::new([CANARY; BUFFER_BYTES]),
};

/// As long as the longest transfer: a write that begins or ends beside the buffer changes one of them.
#[cfg(feature = "race-test")]
type Canary = UnsafeCell<[u8; BUFFER_BYTES]>;
#[cfg(feature = "race-test")]
const CANARY: u8 = 0xc5;

/// Whether nothing was ever written just before or behind the buffer.
#[cfg(feature = "race-test")]
pub(crate) fn canaries_are_whole() -> bool {
    [&BUFFER.before, &BUFFER.behind].into_iter().all(|canary| {
        // SAFETY: initialised bytes of a static, which the host does not write to while the guest runs.
        let bytes = unsafe { &*std::hint::black_box(canary.get()) };
        bytes.iter().all(|byte| *byte == CANARY)
    })
}

#[repr(C)]
struct IoVector {
    pointer: *mut u8,
    length: u32,
}

#[repr(C)]
#[derive(Default)]
struct FdStat {
    file_type: u8,
    flags: u16,
    rights_base: u64,
    rights_inheriting: u64,
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

#[repr(C)]
struct Subscription {
    user_data: u64,
    tag: u8,
    clock: SubscriptionClock,
}

/// A struct of its own, since it begins at byte 16 whatever stands before it.
#[repr(C)]
struct SubscriptionClock {
    id: u32,
    timeout: u64,
    precision: u64,
    flags: u16,
}

// The host reads and writes these by offset.
const _: () = assert!(size_of::<Subscription>() == 48 && std::mem::offset_of!(Subscription, clock) == 16);
const _: () = assert!(std::mem::offset_of!(SubscriptionClock, timeout) == 8 && size_of::<Event>() == 32);
const _: () =
    assert!(size_of::<FdStat>() == 24 && size_of::<RawFileStat>() == 64 && size_of::<PreStat>() == 8);
const _: () = assert!(size_of::<AddressInfo>() == 28 && size_of::<ResolvedAddress>() == 12);
const _: () = assert!(size_of::<IoVector>() == 8 && size_of::<AddressReference>() == 8);

#[repr(C)]
#[derive(Default)]
struct Event {
    user_data: u64,
    error: u16,
    tag: u8,
    bytes: u64,
    flags: u16,
}

/// The V2 form: the address buffer is 128 bytes, a little-endian family and the address.
#[repr(C)]
struct AddressReference {
    pointer: *mut u8,
    length: u32,
}

#[repr(C)]
struct AddressInfo {
    flags: u16,
    family: u8,
    socket_type: u8,
    protocol: u32,
    address_length: u32,
    address: *mut ResolvedAddress,
    canonical_name: *mut u8,
    canonical_name_length: u32,
    next: *mut AddressInfo,
}

/// What `AddressInfo::address` points to; the host writes the family, and port and address behind `data`.
#[repr(C)]
struct ResolvedAddress {
    family: u8,
    data_length: u32,
    data: *mut u8,
}

/// Port in network order, then 4 or 16 bytes. The host reads a length of 14 as 26, so 26 it is.
type ResolvedData = [u8; 26];

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_fdstat_get(fd: i32, stat: *mut FdStat) -> i32;
    fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32;
    fn fd_close(fd: i32) -> i32;
    fn fd_filestat_get(fd: i32, stat: *mut RawFileStat) -> i32;
    fn fd_pread(fd: i32, vectors: *const IoVector, count: i32, offset: u64, read: *mut u32) -> i32;
    fn fd_pwrite(fd: i32, vectors: *const IoVector, count: i32, offset: u64, written: *mut u32) -> i32;
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
    fn poll_oneoff(
        subscriptions: *const Subscription,
        events: *mut Event,
        count: i32,
        returned: *mut u32,
    ) -> i32;
    fn sched_yield() -> i32;
    fn clock_time_get(clock: i32, precision: u64, time: *mut u64) -> i32;
    fn random_get(buffer: *mut u8, length: usize) -> i32;
    fn sock_open(family: i32, kind: i32, fd: *mut i32) -> i32;
    fn sock_connect(fd: i32, address: *const AddressReference, port: u32) -> i32;
    fn sock_bind(fd: i32, address: *const AddressReference, port: u32) -> i32;
    fn sock_getlocaladdr(fd: i32, address: *const AddressReference, port: *mut u32) -> i32;
    fn sock_getpeeraddr(fd: i32, address: *const AddressReference, port: *mut u32) -> i32;
    fn sock_getsockopt(fd: i32, level: i32, option: i32, value: *mut i32, length: i32) -> i32;
    fn sock_setsockopt(fd: i32, level: i32, option: i32, value: *const i32, length: i32) -> i32;
    fn sock_recv(
        fd: i32,
        vectors: *const IoVector,
        count: i32,
        flags: i32,
        received: *mut u32,
        out_flags: *mut u32,
    ) -> i32;
    fn sock_shutdown(fd: i32, how: i32) -> i32;
    fn sock_send(fd: i32, vectors: *const IoVector, count: i32, flags: i32, sent: *mut u32) -> i32;
    fn sock_getaddrinfo(
        name: *const u8,
        name_length: usize,
        service: *const u8,
        service_length: usize,
        hints: *const AddressInfo,
        results: *const *mut AddressInfo,
        max_results: u32,
        count: *mut u32,
    ) -> i32;
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

/// Nanoseconds of the process's monotonic clock: one base for all instances.
pub(crate) fn monotonic_nanos() -> u64 {
    let mut time = 0;
    // SAFETY: the host writes a u64 to a local.
    let errno = unsafe { clock_time_get(1, 1, &raw mut time) };
    // Cannot fail with this clock; the largest time ends every wait.
    if errno == 0 { time } else { u64::MAX }
}

/// An unpredictable number.
pub(crate) fn random() -> Result<u32, Errno> {
    let mut bytes = [0; 4];
    // SAFETY: the host writes as many bytes as the array has.
    check(unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) })?;
    Ok(u32::from_le_bytes(bytes))
}

/// Sleeps for `span`, at least [`SHORTEST_SLEEP`]. Holds a thread of the host meanwhile.
pub(crate) fn sleep(span: Duration) {
    let timeout = u64::try_from(span.max(SHORTEST_SLEEP).as_nanos()).unwrap_or(u64::MAX);
    let clock = SubscriptionClock { id: 1, timeout, precision: 0, flags: 0 };
    let subscription = Subscription { user_data: 0, tag: 0, clock };
    let mut event = Event::default();
    let mut returned = 0;
    // SAFETY: one subscription to read and room for one event, both locals.
    let errno = unsafe { poll_oneoff(&raw const subscription, &raw mut event, 1, &raw mut returned) };
    if errno != 0 {
        // No descriptors left for the host's pipe: better to spin politely than to fail.
        yield_now();
    }
}

/// Lets another request of this process run first.
pub(crate) fn yield_now() {
    // SAFETY: takes nothing; it cannot fail.
    unsafe { sched_yield() };
}

/// A non-blocking TCP socket of the address's family.
pub(crate) fn open_stream(address: IpAddr) -> Result<Descriptor, Errno> {
    open_socket(if address.is_ipv4() { Family::V4 } else { Family::V6 }, 2)
}

/// A non-blocking datagram socket.
pub(crate) fn open_datagram(family: Family) -> Result<Descriptor, Errno> {
    open_socket(family, 1)
}

/// A datagram socket whose receives block.
pub(crate) fn open_blocking_datagram(family: Family) -> Result<Descriptor, Errno> {
    open(family, 1)
}

fn open_socket(family: Family, kind: i32) -> Result<Descriptor, Errno> {
    let descriptor = open(family, kind)?;
    // SAFETY: takes numbers only; 4 is non-blocking.
    match check(unsafe { fd_fdstat_set_flags(descriptor.0, 4) }) {
        Ok(()) => Ok(descriptor),
        Err(errno) => {
            // Without it a receive would hold the request until somebody sends.
            close(descriptor)?;
            Err(errno)
        }
    }
}

fn open(family: Family, kind: i32) -> Result<Descriptor, Errno> {
    let mut opened = -1;
    // SAFETY: the host writes a descriptor number to a local.
    check(unsafe { sock_open(family.number().into(), kind, &raw mut opened) })?;
    if opened < 0 { Err(Errno::NONSENSE) } else { Ok(Descriptor(opened)) }
}

/// Ends a connection in both directions, which wakes whoever waits for something to come.
pub(crate) fn shut_down(descriptor: Descriptor) -> Result<(), Errno> {
    // SAFETY: takes numbers only.
    check(unsafe { sock_shutdown(descriptor.0, 3) })
}

/// Gives a datagram socket a name that nobody has: a port of the loopback interface, or an abstract unix name.
pub(crate) fn bind_anew(descriptor: Descriptor, family: Family) -> Result<(), Errno> {
    let mut address = match family {
        Family::Unix => {
            let mut bytes = [0; 128];
            if let Some(first) = bytes.first_mut() {
                *first = Family::Unix.number();
            }
            bytes
        }
        Family::V4 => address_bytes(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        Family::V6 => address_bytes(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    };
    let reference = AddressReference { pointer: address.as_mut_ptr(), length: 128 };
    // SAFETY: the host reads the 128 bytes that the reference names.
    check(unsafe { sock_bind(descriptor.0, &raw const reference, 0) })
}

/// The socket's own name.
pub(crate) fn local_name(descriptor: Descriptor) -> Result<SocketName, Errno> {
    let mut name = SocketName { address: [0; 128], port: 0 };
    let reference = AddressReference { pointer: name.address.as_mut_ptr(), length: 128 };
    // SAFETY: the host writes at most the 128 bytes that the reference names, and a u32.
    check(unsafe { sock_getlocaladdr(descriptor.0, &raw const reference, &raw mut name.port) })?;
    Ok(name)
}

/// The name of whom the socket is connected to.
pub(crate) fn peer_name(descriptor: Descriptor) -> Result<SocketName, Errno> {
    let mut name = SocketName { address: [0; 128], port: 0 };
    let reference = AddressReference { pointer: name.address.as_mut_ptr(), length: 128 };
    // SAFETY: the host writes at most the 128 bytes that the reference names, and a u32.
    check(unsafe { sock_getpeeraddr(descriptor.0, &raw const reference, &raw mut name.port) })?;
    Ok(name)
}

/// Connects a datagram socket.
pub(crate) fn connect_to(descriptor: Descriptor, name: &SocketName) -> Result<(), Errno> {
    let mut address = name.address;
    let reference = AddressReference { pointer: address.as_mut_ptr(), length: 128 };
    // SAFETY: the host reads the 128 bytes that the reference names.
    check(unsafe { sock_connect(descriptor.0, &raw const reference, name.port) })
}

/// Begins to connect; [`Errno::IN_PROGRESS`] is the rule.
pub(crate) fn connect(descriptor: Descriptor, address: SocketAddr) -> Result<(), Errno> {
    let mut bytes = address_bytes(address.ip());
    let reference = AddressReference { pointer: bytes.as_mut_ptr(), length: 128 };
    // SAFETY: the host reads the 128 bytes that the reference names.
    check(unsafe { sock_connect(descriptor.0, &raw const reference, u32::from(address.port())) })
}

/// Whom the socket is connected to; [`Errno::NOT_CONNECTED`] while it is not.
pub(crate) fn peer_address(descriptor: Descriptor) -> Result<SocketAddr, Errno> {
    let name = peer_name(descriptor)?;
    let port = u16::try_from(name.port).map_err(|_| Errno::NONSENSE)?;
    let ip = parse_address(&name.address).ok_or(Errno::NONSENSE)?;
    Ok(SocketAddr::new(ip, port))
}

/// The pending error of a socket (`SO_ERROR`), which this clears.
pub(crate) fn pending_error(descriptor: Descriptor) -> Result<(), Errno> {
    let errno = option(descriptor, 2)?;
    if errno == 0 { Ok(()) } else { Err(Errno(u16::try_from(errno).unwrap_or(u16::MAX))) }
}

/// `SO_SNDBUF`.
pub(crate) fn send_buffer(descriptor: Descriptor) -> Result<u32, Errno> {
    u32::try_from(option(descriptor, 5)?).map_err(|_| Errno::NONSENSE)
}

/// Sets `SO_SNDBUF`.
pub(crate) fn set_send_buffer(descriptor: Descriptor, bytes: u32) -> Result<(), Errno> {
    set_option(descriptor, 5, bytes)
}

/// `SO_RCVBUF`.
pub(crate) fn receive_buffer(descriptor: Descriptor) -> Result<u32, Errno> {
    u32::try_from(option(descriptor, 6)?).map_err(|_| Errno::NONSENSE)
}

/// Sets `SO_RCVBUF`.
pub(crate) fn set_receive_buffer(descriptor: Descriptor, bytes: u32) -> Result<(), Errno> {
    set_option(descriptor, 6, bytes)
}

/// `SO_KEEPALIVE`.
pub(crate) fn keep_alive(descriptor: Descriptor) -> Result<bool, Errno> {
    option(descriptor, 7).map(|value| value != 0)
}

/// Sets `SO_KEEPALIVE`.
pub(crate) fn set_keep_alive(descriptor: Descriptor, on: bool) -> Result<(), Errno> {
    set_option(descriptor, 7, on.into())
}

fn set_option(descriptor: Descriptor, option: i32, value: u32) -> Result<(), Errno> {
    let value = i32::try_from(value).map_err(|_| Errno::NONSENSE)?;
    // SAFETY: the host reads the four bytes of a local.
    check(unsafe { sock_setsockopt(descriptor.0, 0, option, &raw const value, 4) })
}

/// Appends what has arrived to `out` and returns how much; zero is the end of the stream.
pub(crate) fn receive(
    descriptor: Descriptor,
    mode: Receive,
    wipe: Wipe,
    out: &mut Vec<u8>,
) -> Result<usize, Errno> {
    let flags = match mode {
        Receive::Take => 0,
        Receive::Peek => 1,
    };
    let vector = wiped_buffer(wipe);
    let mut count = 0;
    let mut out_flags = 0;
    // SAFETY: the vector names the static buffer, all of it; count and flags are locals of four bytes.
    check(unsafe {
        sock_recv(descriptor.0, &raw const vector, 1, flags, &raw mut count, &raw mut out_flags)
    })?;
    copy_out(count, out)
}

/// Sends the beginning of `bytes`, as much as fits the buffer and the socket takes, and returns how much that was.
pub(crate) fn send(descriptor: Descriptor, bytes: &[u8]) -> Result<usize, Errno> {
    let (vector, length) = filled_buffer(bytes)?;
    let mut count = 0;
    // SAFETY: the vector names the beginning of the static buffer; the count is a local.
    let sent = check(unsafe { sock_send(descriptor.0, &raw const vector, 1, 0, &raw mut count) });
    wipe(length);
    sent?;
    checked_count(count, length)
}

/// The addresses of `name`. The host has its own timeouts and may block far beyond ours.
///
/// The host gathers results in one list for all instances. Asking for a port that is made from the name makes a
/// foreign result visible: the port comes back with each address.
pub(crate) fn resolve(name: &str) -> Result<Vec<IpAddr>, Errno> {
    let tag = name_tag(name);
    let service = tag.to_string();
    let mut data: [ResolvedData; MAX_ADDRESSES] = [[0; 26]; MAX_ADDRESSES];
    let mut addresses =
        [const { ResolvedAddress { family: 0, data_length: 26, data: null_mut() } }; MAX_ADDRESSES];
    let mut nodes = [const { no_info() }; MAX_ADDRESSES];
    let first = (&raw mut nodes).cast::<AddressInfo>();
    for index in 0..MAX_ADDRESSES {
        let data = (&raw mut data).cast::<ResolvedData>().wrapping_add(index).cast();
        let address = (&raw mut addresses).cast::<ResolvedAddress>().wrapping_add(index);
        let following = index.saturating_add(1);
        let next = if following < MAX_ADDRESSES { first.wrapping_add(following) } else { null_mut() };
        // SAFETY: `index` is below the length of the three arrays, which outlive the call below.
        unsafe {
            (*address).data = data;
            first.wrapping_add(index).write(AddressInfo { address, next, ..no_info() });
        }
    }
    let hints = AddressInfo { flags: NUMERIC_SERVICE, socket_type: 2, ..no_info() };
    let mut count = 0;
    // SAFETY: name and service are read with their lengths; the list has MAX_ADDRESSES nodes, each with an address
    // and 26 bytes of data behind it, which is what the host writes to.
    check(unsafe {
        sock_getaddrinfo(
            name.as_ptr(),
            name.len(),
            service.as_ptr(),
            service.len(),
            &raw const hints,
            &raw const first,
            8,
            &raw mut count,
        )
    })?;
    let found = addresses.iter().map(|address| address.family).zip(&data);
    let found = found.take(usize::try_from(count).map_err(|_| Errno::NONSENSE)?);
    let mut result = Vec::new();
    for (family, data) in found {
        let (port, address) = data.split_first_chunk().ok_or(Errno::NONSENSE)?;
        if u16::from_be_bytes(*port) != tag {
            return Err(Errno::NONSENSE);
        }
        result.push(ip_address(family, address).ok_or(Errno::NONSENSE)?);
    }
    Ok(result)
}

/// The path of a mount; [`Errno::BAD_DESCRIPTOR`] behind the last one.
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
    // SAFETY: the host writes exactly `length` bytes, or fails where the name has another length.
    check(unsafe { fd_prestat_dir_name(descriptor.0, name.as_mut_ptr(), name.len()) })?;
    String::from_utf8(name).map_err(|_| Errno::NONSENSE)
}

/// The state of `path` below the mount, symbolic links followed. Refuses no `..`: the caller has to.
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

/// Creates a directory; [`Errno::EXISTS`] where there is one.
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

/// Renames a file below the mount, replacing what has the new name.
pub(crate) fn rename(mount: Descriptor, from: &str, to: &str) -> Result<(), Errno> {
    // SAFETY: the host reads both paths with their lengths.
    check(unsafe { path_rename(mount.0, from.as_ptr(), from.len(), mount.0, to.as_ptr(), to.len()) })
}

/// Writes the beginning of `bytes` at `offset`, as much as fits the buffer, and returns how much that was.
pub(crate) fn write_at(descriptor: Descriptor, offset: u64, bytes: &[u8]) -> Result<usize, Errno> {
    let (vector, length) = filled_buffer(bytes)?;
    let mut count = 0;
    // SAFETY: the vector names the beginning of the static buffer; the count is a local.
    let written = check(unsafe { fd_pwrite(descriptor.0, &raw const vector, 1, offset, &raw mut count) });
    wipe(length);
    written?;
    checked_count(count, length)
}

/// Appends the bytes at `offset` to `out`, at most [`BUFFER_BYTES`], and returns how many; zero is the end.
pub(crate) fn read_at(descriptor: Descriptor, offset: u64, out: &mut Vec<u8>) -> Result<usize, Errno> {
    let vector = wiped_buffer(Wipe::All);
    let mut count = 0;
    // SAFETY: the vector names the static buffer, all of it; the count is a local.
    check(unsafe { fd_pread(descriptor.0, &raw const vector, 1, offset, &raw mut count) })?;
    copy_out(count, out)
}

/// The beginning of the buffer, with as many bytes in it as fit.
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

/// All of the buffer, with zeros in it.
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

fn option(descriptor: Descriptor, option: i32) -> Result<i32, Errno> {
    let mut value = 0;
    // SAFETY: the host writes four bytes to a local.
    check(unsafe { sock_getsockopt(descriptor.0, 0, option, &raw mut value, 4) })?;
    Ok(value)
}

fn check(errno: i32) -> Result<(), Errno> {
    if errno == 0 { Ok(()) } else { Err(Errno(u16::try_from(errno).unwrap_or(u16::MAX))) }
}

const fn no_info() -> AddressInfo {
    AddressInfo {
        flags: 0,
        family: 0,
        socket_type: 0,
        protocol: 0,
        address_length: 0,
        address: null_mut(),
        canonical_name: null_mut(),
        canonical_name_length: 0,
        next: null_mut(),
    }
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

const fn to_file_stat(stat: &RawFileStat) -> FileStat {
    FileStat {
        device: stat.device,
        inode: stat.inode,
        file_type: to_file_type(stat.file_type),
        size: stat.size,
        modified: stat.modified,
    }
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

fn address_bytes(address: IpAddr) -> [u8; 128] {
    let (family, octets): (u8, &[u8]) = match &address {
        IpAddr::V4(address) => (Family::V4.number(), &address.octets()),
        IpAddr::V6(address) => (Family::V6.number(), &address.octets()),
    };
    let mut bytes = [0; 128];
    let text = [family, 0];
    for (to, from) in bytes.iter_mut().zip(text.iter().chain(octets)) {
        *to = *from;
    }
    bytes
}

fn parse_address(bytes: &[u8; 128]) -> Option<IpAddr> {
    let (family, address) = bytes.split_first_chunk()?;
    let [low, 0] = *family else {
        return None;
    };
    ip_address(low, address)
}

fn ip_address(family: u8, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        1 => bytes.first_chunk::<4>().map(|octets| IpAddr::V4(Ipv4Addr::from(*octets))),
        2 => bytes.first_chunk::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(*octets))),
        _ => None,
    }
}

/// 1 to 65535 from the name (FNV-1a, folded).
fn name_tag(name: &str) -> u16 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_le_bytes();
    u16::from_le_bytes([a ^ c, b ^ d]).max(1)
}
