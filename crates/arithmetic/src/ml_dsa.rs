//! ML-DSA (FIPS 204) of the crate `ml-dsa`. Generic code is compiled in the crate that instantiates it, so that is this
//! crate, which is compiled for speed.

use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, Signature, VerifyingKey};

/// A public key with its matrix, which takes two thirds of a verification to expand: 20, 36 or 66 KB.
pub struct ExpandedKey(Parameters);

enum Parameters {
    MlDsa44(VerifyingKey<MlDsa44>),
    MlDsa65(VerifyingKey<MlDsa65>),
    MlDsa87(VerifyingKey<MlDsa87>),
}

impl ExpandedKey {
    /// The key with this encoding; the length determines the parameters (FIPS 204, table 2). `None` for any other length.
    // Its frame is large: if it were inlined, every verification would touch that much stack.
    #[inline(never)]
    pub fn new(encoded: &[u8]) -> Option<Self> {
        let parameters = match encoded.len() {
            1312 => Parameters::MlDsa44(decode(encoded)?),
            1952 => Parameters::MlDsa65(decode(encoded)?),
            2592 => Parameters::MlDsa87(decode(encoded)?),
            _ => return None,
        };
        Some(Self(parameters))
    }

    /// Whether `signature` is a signature of `message` with an empty context (RFC 9964 4).
    #[inline(never)]
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Parameters::MlDsa44(key) => verify(key, message, signature),
            Parameters::MlDsa65(key) => verify(key, message, signature),
            Parameters::MlDsa87(key) => verify(key, message, signature),
        }
    }
}

fn decode<P: MlDsaParams>(encoded: &[u8]) -> Option<VerifyingKey<P>> {
    Some(VerifyingKey::decode(&EncodedVerifyingKey::<P>::try_from(encoded).ok()?))
}

fn verify<P: MlDsaParams>(key: &VerifyingKey<P>, message: &[u8], signature: &[u8]) -> bool {
    Signature::<P>::try_from(signature)
        .is_ok_and(|signature| key.verify_with_context(message, &[], &signature))
}
