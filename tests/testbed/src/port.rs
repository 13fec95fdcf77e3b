//! Ports that stay free between two processes and two starts of one server.
//!
//! Port 0 gives one of the range from which the system also takes the local ports of connections: let go for a moment,
//! for nginx or Traefik to bind it or for a server to come back, it may be another's. These are below that range
//! (RFC 6335: 49152 and up, Linux: 32768 and up), and a bound UDP socket of the same number keeps other test processes
//! from them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// An address of 127.0.0.1 on which nobody listens, this process's until it ends.
///
/// # Panics
/// When there is none.
pub fn free_address() -> SocketAddr {
    listen(Ipv4Addr::LOCALHOST.into()).local_addr().unwrap()
}

/// Listens at `address`, where port 0 stands for a free one of this module's.
///
/// # Panics
/// When the port is taken.
pub fn listen_at(address: &str) -> TcpListener {
    let wanted: SocketAddr = address.parse().unwrap_or_else(|error| panic!("{address}: {error}"));
    if wanted.port() == 0 {
        return listen(wanted.ip());
    }
    TcpListener::bind(wanted).unwrap_or_else(|error| panic!("{address}: {error}"))
}

/// Listens on a free port of `ip`, this process's until it ends.
///
/// # Panics
/// When there is none.
pub fn listen(ip: IpAddr) -> TcpListener {
    static TRIED: AtomicU16 = AtomicU16::new(0);
    // Processes begin at different places, so that they seldom meet.
    let start = std::process::id().wrapping_mul(977);
    for _ in 0..COUNT {
        let step = u32::from(TRIED.fetch_add(1, Ordering::Relaxed));
        let offset = start.wrapping_add(step) % u32::from(COUNT);
        let port = FIRST + u16::try_from(offset).unwrap();
        let Ok(kept) = UdpSocket::bind((ip, port)) else { continue };
        if let Ok(listener) = TcpListener::bind((ip, port)) {
            std::mem::forget(kept);
            return listener;
        }
    }
    panic!("no free port of {ip}");
}
