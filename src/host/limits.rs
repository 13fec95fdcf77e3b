//! The bounds of the host's work: value, unit, reason.

/// Largest answer taken from the host, in bytes; Traefik bounds a request head to 1 MiB.
pub const MAX_HOST_ANSWER_BYTES: usize = 16 << 20;
/// Redirects followed. Providers use none or one (`www`, trailing slash).
pub const MAX_REDIRECTS: u32 = 3;
/// Attempts for one exchange where only the host's races explain the failure. Three in a thousand exchanges fail
/// that way when many instances fetch at once.
pub const MAX_EXCHANGES: u32 = 3;
/// Most bytes of all heads and trailers of one response, interim ones included.
pub const MAX_HEAD_BYTES: usize = 32 << 10;
/// Longest line before a chunk, extensions included (RFC 9112 7.1.1 asks for a bound).
pub const MAX_CHUNK_LINE_BYTES: usize = 1024;
/// Names of a certificate that are shown.
pub const MAX_CERTIFICATE_NAMES: usize = 3;
/// Addresses taken of one name. The host keeps a list of the largest number ever asked for: a constant keeps it
/// from being replaced while another instance reads it.
pub const MAX_ADDRESSES: usize = 8;
/// Attempts for what only the host's races explain.
pub const MAX_CONFUSED: u32 = 4;
/// Receives until the queue must be empty. Linux lets 11 datagrams wait, 513 under systemd.
pub const MAX_FOREIGN_DATAGRAMS: u32 = 1024;
/// Attempts until a file that never reads the same twice is given up.
pub const MAX_READINGS: u32 = 8;
/// Looks at a record that cannot be read before it is taken out.
pub const MAX_BAD_LOOKS: u32 = 8;
/// Attempts to put a record.
pub const MAX_PUTS: u32 = 4;
