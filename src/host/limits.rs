//! The bounds of the host's work: value, unit, reason.

/// Largest answer taken from the host, in bytes; Traefik bounds a request head to 1 MiB.
pub const MAX_HOST_ANSWER_BYTES: usize = 16 << 20;
/// Redirects followed. Providers use none or one (`www`, trailing slash).
pub const MAX_REDIRECTS: u32 = 3;
/// Attempts for one exchange if only the host's races explain the failure. Three in a thousand exchanges fail that way
/// when many instances fetch at once.
pub const MAX_EXCHANGES: u32 = 3;
/// Most bytes of all heads and trailers of one response, including interim ones.
pub const MAX_HEAD_BYTES: usize = 32 << 10;
/// Longest line before a chunk, including extensions (RFC 9112 7.1.1 asks for a bound).
pub const MAX_CHUNK_LINE_BYTES: usize = 1024;
/// Most names of a certificate in a message.
pub const MAX_CERTIFICATE_NAMES: usize = 3;
/// Most addresses of one name. The host keeps a list of the largest number ever requested: a constant keeps it
/// from being replaced while another instance reads it.
pub const MAX_ADDRESSES: usize = 8;
/// Attempts if only the host's races explain a failure.
pub const MAX_CONFUSED: u32 = 4;
/// Receives until the queue must be empty. Linux queues 11 datagrams, 513 under systemd.
pub const MAX_FOREIGN_DATAGRAMS: u32 = 1024;
/// Attempts to read a file whose content differs each time.
pub const MAX_READINGS: u32 = 8;
/// Looks at an invalid record before it is removed.
pub const MAX_BAD_LOOKS: u32 = 8;
/// Attempts to put a record.
pub const MAX_PUTS: u32 = 4;
