//! One GET over HTTP/1.1 (RFC 9112): the request as bytes, and a response reader that is fed with bytes.
//!
//! Pure: it knows neither sockets nor TLS. Everything a server sends is hostile: heads, bodies and chunk lines
//! are bounded, and a message whose length can be read in two ways is rejected instead of guessed.

mod request;
mod response;

pub use request::{RequestParts, request};
pub use response::{Answer, Progress, ResponseReader};

const fn is_field_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}
