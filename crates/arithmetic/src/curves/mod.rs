//! The curves of ECDSA: NIST's, each with a field of its own, and secp256k1.

mod montgomery_field;
pub mod p256;
pub mod p384;
pub mod p521;
pub mod secp256k1;
#[cfg(test)]
pub(crate) mod oracle;
