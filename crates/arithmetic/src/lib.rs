//! The public-key operations of signature checks in 27- and 29-bit limbs, because the host's compiler has no
//! 64x64→128 multiply and crates made for one fall to library calls (docs/measurements/arithmetic.md). Public values only:
//! time depends on the inputs, so nothing here may touch a private key.

pub mod rsa;
mod bounds;
#[cfg(test)]
mod interval;
#[cfg(test)]
mod twins;
mod limbs;
mod magnitude;
mod inverse;
mod modulus;
mod multiply;
mod weierstrass;
pub mod ecdsa;
pub mod curves;
pub mod ed25519;
pub mod ml_dsa;
#[cfg(test)]
mod structured;
