//! Addresses of names.

use std::net::IpAddr;
use std::ptr::null_mut;

use super::check;
use super::socket::ip_address;
use crate::host::limits::MAX_ADDRESSES;
use crate::host::sockets::kernel::Errno;

/// `AI_NUMERICSERV`: the service is a decimal port.
const NUMERIC_SERVICE: u16 = 1 << 3;

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

// The host reads and writes these by offset.
const _: () = assert!(size_of::<AddressInfo>() == 28 && size_of::<ResolvedAddress>() == 12);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
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

/// The addresses of `name`. The host has its own timeouts and may block far longer than ours.
///
/// The host collects results in one list for all instances. A port derived from the name makes a foreign result visible,
/// because the port comes back with each address.
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

/// 1 to 65535 from the name (FNV-1a, folded).
fn name_tag(name: &str) -> u16 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let [a, b, c, d] = hash.to_le_bytes();
    u16::from_le_bytes([a ^ c, b ^ d]).max(1)
}
