//! Keys of ML-DSA (FIPS 204) of the crate `ml-dsa`. Generic code is built where it is instantiated: the expansion of a key
//! here, for speed; the rest of a verification in the main crate, for size.

use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, VerifyingKey};

/// A public key with its matrix, which takes two thirds of a verification to expand: 20, 36 or 66 KB.
pub enum ExpandedKey {
    /// ML-DSA-44.
    MlDsa44(VerifyingKey<MlDsa44>),
    /// ML-DSA-65.
    MlDsa65(VerifyingKey<MlDsa65>),
    /// ML-DSA-87.
    MlDsa87(VerifyingKey<MlDsa87>),
}

impl ExpandedKey {
    /// The key with this encoding; the length determines the parameters (FIPS 204, table 2). `None` for any other length.
    // Its frame is large: if it were inlined, every verification would touch that much stack.
    #[inline(never)]
    pub fn new(encoded: &[u8]) -> Option<Self> {
        Some(match encoded.len() {
            1312 => Self::MlDsa44(decode(encoded)?),
            1952 => Self::MlDsa65(decode(encoded)?),
            2592 => Self::MlDsa87(decode(encoded)?),
            _ => return None,
        })
    }
}

fn decode<P: MlDsaParams>(encoded: &[u8]) -> Option<VerifyingKey<P>> {
    Some(VerifyingKey::decode(&EncodedVerifyingKey::<P>::try_from(encoded).ok()?))
}
