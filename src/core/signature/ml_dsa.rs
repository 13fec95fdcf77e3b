//! ML-DSA-44, ML-DSA-65 and ML-DSA-87 (FIPS 204, RFC 9964): the whole signing input, an empty context.

use std::cell::RefCell;
use std::rc::Rc;

use arithmetic::ml_dsa::ExpandedKey;
use ml_dsa::{MlDsaParams, Signature, VerifyingKey};

use super::alg::Alg;
use super::{KeyError, SignatureError};

/// An encoded public key.
pub(super) struct MlDsaKey {
    parameters: Parameters,
    encoded: Rc<[u8]>,
}

thread_local! {
    /// The last key that was used, expanded, so that forged signatures do not pay for it each time. One for all: the
    /// matrix of ML-DSA-87 has 57 KB, for which the memory has grown at its first use anyway.
    static LAST: RefCell<Option<(Rc<[u8]>, ExpandedKey)>> = const { RefCell::new(None) };
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

    /// What a signature costs (`cost.rs`), the expansion of the key included.
    pub(super) const fn cost(&self) -> u32 {
        match self.parameters {
            Parameters::MlDsa44 => 600,
            Parameters::MlDsa65 => 900,
            Parameters::MlDsa87 => 1_400,
        }
    }

    /// The one algorithm of this key.
    pub(super) const fn alg(&self) -> Alg {
        self.parameters.alg()
    }

    pub(super) fn verify(&self, signing_input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let expected = self.alg().signature_bytes().unwrap_or(0);
        if signature.len() != expected {
            return Err(SignatureError::Length { expected, found: signature.len() });
        }
        let holds = LAST.with_borrow_mut(|last| {
            let is_last = last.as_ref().is_some_and(|(encoded, _)| *encoded == self.encoded);
            if !is_last {
                // Two of them have no room.
                *last = None;
                *last = ExpandedKey::new(&self.encoded).map(|key| (Rc::clone(&self.encoded), key));
            }
            last.as_ref().is_some_and(|(_, key)| verify(key, signing_input, signature))
        });
        if holds { Ok(()) } else { Err(SignatureError::Mismatch) }
    }
}

/// Whether `signature` is that of `message` with an empty context (RFC 9964 4).
// Its frame is large: inlined, every verification would touch that much stack.
#[inline(never)]
fn verify(key: &ExpandedKey, message: &[u8], signature: &[u8]) -> bool {
    match key {
        ExpandedKey::MlDsa44(key) => verify_with(key, message, signature),
        ExpandedKey::MlDsa65(key) => verify_with(key, message, signature),
        ExpandedKey::MlDsa87(key) => verify_with(key, message, signature),
    }
}

fn verify_with<P: MlDsaParams>(key: &VerifyingKey<P>, message: &[u8], signature: &[u8]) -> bool {
    Signature::<P>::try_from(signature)
        .is_ok_and(|signature| key.verify_with_context(message, &[], &signature))
}
