//! What a key of RSA may be like.

/// Smallest modulus in bits (RFC 7518 3.3 and 3.5).
pub const MIN_RSA_BITS: usize = 2048;
/// Largest modulus in bits: the cost of a verification grows with its square.
pub const MAX_RSA_BITS: usize = 8192;

/// Largest public exponent, which nearly all keys have: each further bit adds a squaring to every forged signature.
pub const MAX_RSA_EXPONENT: u32 = 65_537;
