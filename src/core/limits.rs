//! Every bound of the product: value, unit, reason. Nothing grows with input unless its bound is here.

/// Largest key set read from a file or URL, in bytes. Real sets are 1 to 20 KB.
pub const MAX_JWKS_BYTES: usize = 1 << 20;
/// Nesting depth of JSON in tokens and key sets. Identity providers stay under 10.
pub const MAX_JSON_DEPTH: usize = 32;
/// JSON values in a key set. A key has about 10, one with a certificate chain 15.
pub const MAX_JWKS_NODES: usize = 16_384;
/// Keys kept of one set. The largest known public sets have about 20.
pub const MAX_KEYS_PER_SET: usize = 256;
/// Signature verifications one token may cause, where several keys fit it.
pub const MAX_VERIFICATIONS_PER_TOKEN: usize = 16;
/// Smallest RSA modulus in bits (RFC 7518 3.3 and 3.5).
pub const MIN_RSA_BITS: usize = 2048;
/// Largest RSA modulus in bits: the cost of a verification grows with its square.
pub const MAX_RSA_BITS: usize = 8192;
/// Largest file that a value of the configuration names (`file:/path`): certificates, secrets, credentials.
pub const MAX_TEXT_FILE_BYTES: usize = 256 << 10;
/// Largest RSA public exponent in bits: each bit costs a squaring. Nearly all keys have 65537, which has 17.
pub const MAX_RSA_EXPONENT_BITS: usize = 32;
