//! The bounds of documents: value, unit, reason. Those of what is in them, and of what the configuration may say, are in
//! [`core::limits`](crate::core::limits).

use crate::core::limits::MAX_FETCH_TIMEOUT_SECONDS;
use crate::core::unix_time::Seconds;

/// Shortest freshness lifetime that a server can ask for: below it, a mistake at the provider would become load on it.
pub const MIN_LIFETIME: Seconds = Seconds(60);
/// Longest freshness lifetime that a server can ask for: above it, a revoked key would live too long.
pub const MAX_LIFETIME: Seconds = Seconds(86_400);
/// Most bytes of a record: the largest datagram that the host's sockets carry (65,504) with some room.
pub const MAX_RECORD_BYTES: usize = 65_000;
/// Most bytes of the reason of a failure in a record.
pub const MAX_REASON_BYTES: usize = 512;
/// Most requests that wait at once for one router's documents. Each holds a thread of Traefik, and under a limit of 300
/// threads 200 of them were the end of the process.
pub const MAX_WAITERS: u32 = 64;
/// What may pass beyond the deadline of a fetch before another instance tries: the parsing, and a busy machine.
pub const LEASE_MARGIN: Seconds = Seconds(2);
/// The longest lease.
pub const MAX_LEASE: Seconds = Seconds(MAX_FETCH_TIMEOUT_SECONDS + LEASE_MARGIN.0);
/// Bytes of a file in a directory beside its document: a few short texts, and what is around them.
pub const MAX_FILE_OVERHEAD_BYTES: usize = 64 << 10;
/// How far the clocks of two machines with one directory may be apart.
pub const MAX_CLOCK_DIFFERENCE: Seconds = Seconds(60);
