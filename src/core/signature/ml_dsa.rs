//! ML-DSA-44, ML-DSA-65 and ML-DSA-87 (FIPS 204, RFC 9964): the whole signing input, an empty context.

use ml_dsa::{EncodedVerifyingKey, MlDsa44, MlDsa65, MlDsa87, MlDsaParams, Signature, VerifyingKey};

use super::alg::Alg;
use super::{KeyError, SignatureError};

/// An encoded public key. It is expanded for every signature: the matrix of ML-DSA-87 has 57 KB, too much to keep for
/// every instance, and a known token is not verified again. The crate's `alloc` keeps it off the stack: a verification
/// takes up to 88 KB of the guest's 128 there, and more than 256 without.
pub(super) struct MlDsaKey {
    parameters: Parameters,
    encoded: Box<[u8]>,
}

#[derive(Clone, Copy)]
enum Parameters {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl Parameters {
    const ALL: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

    const fn alg(self) -> Alg {
        match self {
            Self::MlDsa44 => Alg::MlDsa44,
            Self::MlDsa65 => Alg::MlDsa65,
            Self::MlDsa87 => Alg::MlDsa87,
        }
    }

    /// Bytes of a public key (FIPS 204, table 2).
    const fn key_bytes(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }
}

impl MlDsaKey {
    /// Every text of the right length is a key (FIPS 204, algorithm 23).
    pub(super) fn new(alg: Alg, encoded: &[u8]) -> Result<Self, KeyError> {
        let mut all = Parameters::ALL.into_iter();
        let parameters = all.find(|parameters| parameters.alg() == alg).ok_or(KeyError::NotAnMlDsaAlg)?;
        let expected = parameters.key_bytes();
        if encoded.len() != expected {
            return Err(KeyError::MlDsaLength { expected, bytes: encoded.len() });
        }
        Ok(Self { parameters, encoded: encoded.into() })
    }

    /// The one algorithm of this key.
    pub(super) const fn alg(&self) -> Alg {
        self.parameters.alg()
    }

    // Its frame is 50 KB: inlined, every verification would touch that much stack.
    #[inline(never)]
    pub(super) fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let expected = self.alg().signature_bytes().unwrap_or(0);
        if signature.len() != expected {
            return Err(SignatureError::Length { expected, found: signature.len() });
        }
        let holds = match self.parameters {
            Parameters::MlDsa44 => verify::<MlDsa44>(&self.encoded, signing_input, signature),
            Parameters::MlDsa65 => verify::<MlDsa65>(&self.encoded, signing_input, signature),
            Parameters::MlDsa87 => verify::<MlDsa87>(&self.encoded, signing_input, signature),
        };
        if holds { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

fn verify<P: MlDsaParams>(encoded: &[u8], signing_input: &[u8], signature: &[u8]) -> bool {
    let Ok(encoded) = EncodedVerifyingKey::<P>::try_from(encoded) else {
        return false;
    };
    Signature::<P>::try_from(signature).is_ok_and(|signature| {
        VerifyingKey::<P>::decode(&encoded).verify_with_context(signing_input, &[], &signature)
    })
}
