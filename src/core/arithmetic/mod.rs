//! The public-key operations of signature checks in 27- and 29-bit limbs, because the host's compiler has no
//! 64x64→128 multiply and crates made for one fall to library calls (docs/performance.md). Public values only: time
//! depends on the inputs, so nothing here may touch a private key.

mod montgomery;
pub mod rsa;
mod limbs;
mod modulus;
mod multiply;
mod weierstrass;
pub mod ecdsa;
#[cfg(test)]
mod ecdsa_oracle;
mod p256_field;
pub mod p256;
mod p384_field;
pub mod p384;
mod p521_field;
pub mod p521;
pub mod secp256k1;
mod ed25519_field;
mod ed25519_point;
pub mod ed25519;
