//! Sockets: opened, named, connected, and their options.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{check, close};
use crate::host::sockets::kernel::{Descriptor, Errno, Family, Flag, SocketName};

/// The V2 form: the address buffer is 128 bytes, a little-endian family and the address.
#[repr(C)]
pub(super) struct AddressReference {
    pointer: *mut u8,
    length: u32,
}

// The host reads it by offset.
const _: () = assert!(size_of::<AddressReference>() == 8);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_fdstat_set_flags(fd: i32, flags: i32) -> i32;
    fn sock_open(family: i32, kind: i32, fd: *mut i32) -> i32;
    fn sock_connect(fd: i32, address: *const AddressReference, port: u32) -> i32;
    fn sock_bind(fd: i32, address: *const AddressReference, port: u32) -> i32;
    fn sock_getlocaladdr(fd: i32, address: *const AddressReference, port: *mut u32) -> i32;
    fn sock_getpeeraddr(fd: i32, address: *const AddressReference, port: *mut u32) -> i32;
    fn sock_getsockopt(fd: i32, level: i32, option: i32, value: *mut i32, length: i32) -> i32;
    fn sock_setsockopt(fd: i32, level: i32, option: i32, value: *const i32, length: i32) -> i32;
    fn sock_shutdown(fd: i32, how: i32) -> i32;
}

/// A non-blocking TCP socket of the address's family.
pub(crate) fn open_stream(address: IpAddr) -> Result<Descriptor, Errno> {
    open_socket(if address.is_ipv4() { Family::V4 } else { Family::V6 }, 2)
}

/// A non-blocking datagram socket.
pub(crate) fn open_datagram(family: Family) -> Result<Descriptor, Errno> {
    open_socket(family, 1)
}

/// Makes receives block until a datagram arrives.
pub(crate) fn set_blocking(descriptor: Descriptor) -> Result<(), Errno> {
    // SAFETY: takes numbers only.
    check(unsafe { fd_fdstat_set_flags(descriptor.0, 0) })
}

fn open_socket(family: Family, kind: i32) -> Result<Descriptor, Errno> {
    let descriptor = open(family, kind)?;
    // SAFETY: takes numbers only; 4 is non-blocking.
    match check(unsafe { fd_fdstat_set_flags(descriptor.0, 4) }) {
        Ok(()) => Ok(descriptor),
        Err(errno) => {
            // Otherwise a receive would block the request until a datagram arrives.
            close(descriptor)?;
            Err(errno)
        }
    }
}

fn open(family: Family, kind: i32) -> Result<Descriptor, Errno> {
    let mut opened = -1;
    // SAFETY: the host writes a descriptor number to a local.
    check(unsafe { sock_open(family_number(family).into(), kind, &raw mut opened) })?;
    if opened < 0 { Err(Errno::NONSENSE) } else { Ok(Descriptor(opened)) }
}

/// Ends a connection in both directions, which wakes every blocked receiver.
pub(crate) fn shut_down(descriptor: Descriptor) -> Result<(), Errno> {
    // SAFETY: takes numbers only.
    check(unsafe { sock_shutdown(descriptor.0, 3) })
}

/// Gives a datagram socket a name that no other has: a port of the loopback interface, or an abstract unix name.
pub(crate) fn bind_anew(descriptor: Descriptor, family: Family) -> Result<(), Errno> {
    let mut address = match family {
        Family::Unix => {
            let mut bytes = [0; 128];
            if let Some(first) = bytes.first_mut() {
                *first = family_number(Family::Unix);
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

/// Where the host writes a name; valid only while the name is not moved.
pub(super) fn places(name: &mut SocketName) -> (AddressReference, *mut u32) {
    (AddressReference { pointer: name.address.as_mut_ptr(), length: 128 }, &raw mut name.port)
}

/// The socket's own name.
pub(crate) fn local_name(descriptor: Descriptor) -> Result<SocketName, Errno> {
    let mut name = SocketName::EMPTY;
    let (reference, port) = places(&mut name);
    // SAFETY: the host writes at most the 128 bytes that the reference names, and a u32.
    check(unsafe { sock_getlocaladdr(descriptor.0, &raw const reference, port) })?;
    Ok(name)
}

/// The name of the socket that this one is connected to.
pub(crate) fn peer_name(descriptor: Descriptor) -> Result<SocketName, Errno> {
    let mut name = SocketName::EMPTY;
    let (reference, port) = places(&mut name);
    // SAFETY: the host writes at most the 128 bytes that the reference names, and a u32.
    check(unsafe { sock_getpeeraddr(descriptor.0, &raw const reference, port) })?;
    Ok(name)
}

/// Connects a datagram socket.
pub(crate) fn connect_to(descriptor: Descriptor, name: &SocketName) -> Result<(), Errno> {
    let mut address = name.address;
    let reference = AddressReference { pointer: address.as_mut_ptr(), length: 128 };
    // SAFETY: the host reads the 128 bytes that the reference names.
    check(unsafe { sock_connect(descriptor.0, &raw const reference, name.port) })
}

/// Begins to connect; usually [`Errno::IN_PROGRESS`].
pub(crate) fn connect(descriptor: Descriptor, address: SocketAddr) -> Result<(), Errno> {
    let mut bytes = address_bytes(address.ip());
    let reference = AddressReference { pointer: bytes.as_mut_ptr(), length: 128 };
    // SAFETY: the host reads the 128 bytes that the reference names.
    check(unsafe { sock_connect(descriptor.0, &raw const reference, u32::from(address.port())) })
}

/// The address that the socket is connected to; [`Errno::NOT_CONNECTED`] before that.
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

/// An option that is on or off.
pub(crate) fn flag(descriptor: Descriptor, flag: Flag) -> Result<bool, Errno> {
    option(descriptor, number(flag)).map(|value| value != 0)
}

/// Turns it on or off.
pub(crate) fn set_flag(descriptor: Descriptor, flag: Flag, on: bool) -> Result<(), Errno> {
    set_option(descriptor, number(flag), on.into())
}

const fn number(flag: Flag) -> i32 {
    match flag {
        Flag::Broadcast => 4,
        Flag::KeepAlive => 7,
    }
}

fn set_option(descriptor: Descriptor, option: i32, value: u32) -> Result<(), Errno> {
    let value = i32::try_from(value).map_err(|_| Errno::NONSENSE)?;
    // SAFETY: the host reads the four bytes of a local.
    check(unsafe { sock_setsockopt(descriptor.0, 0, option, &raw const value, 4) })
}

fn option(descriptor: Descriptor, option: i32) -> Result<i32, Errno> {
    let mut value = 0;
    // SAFETY: the host writes four bytes to a local.
    check(unsafe { sock_getsockopt(descriptor.0, 0, option, &raw mut value, 4) })?;
    Ok(value)
}

const fn family_number(family: Family) -> u8 {
    match family {
        Family::V4 => 1,
        Family::V6 => 2,
        Family::Unix => 3,
    }
}

fn address_bytes(address: IpAddr) -> [u8; 128] {
    let (family, octets): (u8, &[u8]) = match &address {
        IpAddr::V4(address) => (family_number(Family::V4), &address.octets()),
        IpAddr::V6(address) => (family_number(Family::V6), &address.octets()),
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

pub(super) fn ip_address(family: u8, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        1 => bytes.first_chunk::<4>().map(|octets| IpAddr::V4(Ipv4Addr::from(*octets))),
        2 => bytes.first_chunk::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(*octets))),
        _ => None,
    }
}
