//! The bounds of documents: value, unit, reason. The bounds of their content and of the configuration are in
//! [`core::limits`](crate::core::limits).

use crate::core::limits::MAX_FETCH_TIMEOUT_SECONDS;
use crate::core::unix_time::Seconds;

/// Shortest freshness lifetime that a server can set. A shorter one, set by mistake, would overload the provider.
pub const MIN_LIFETIME: Seconds = Seconds(60);
/// Longest freshness lifetime that a server can set. With a longer one, a revoked key would be accepted for too long.
pub const MAX_LIFETIME: Seconds = Seconds(86_400);
/// Most bytes of a record: the largest datagram that the host's sockets carry (65,504) with some room.
pub const MAX_RECORD_BYTES: usize = 65_000;
/// Most bytes of the reason of a failure in a record.
pub const MAX_REASON_BYTES: usize = 512;
/// Most requests that wait at once for one router's documents. Each holds a thread of Traefik, and under a limit of 300
/// threads, 200 of them ended the process.
pub const MAX_WAITERS: u32 = 64;
/// Time after the deadline of a fetch before another instance retries. It covers parsing and a busy machine.
pub const LEASE_MARGIN: Seconds = Seconds(2);
/// The longest lease.
pub const MAX_LEASE: Seconds = Seconds(MAX_FETCH_TIMEOUT_SECONDS + LEASE_MARGIN.0);
/// Bytes of a file in a directory besides its document: a few short texts and their framing.
pub const MAX_FILE_OVERHEAD_BYTES: usize = 64 << 10;
/// How far the clocks of two machines with one directory may be apart.
pub const MAX_CLOCK_DIFFERENCE: Seconds = Seconds(60);
/// A clock that is behind the last event by more than that was set back. Less is what two looks at it may differ by.
pub const LEAST_SETBACK: Seconds = Seconds(1);
