//! The algorithms of certificates and handshakes. The code that verifies tokens verifies these as well, so the module has no
//! second RSA and Ed25519. ring has no P-521, and no SHA-512 on the other curves.

use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};

use crate::core::signature::alg::{Alg, Crv, Hash};
use crate::core::signature::certificate;

#[derive(Debug)]
struct Ecdsa {
    crv: Crv,
    hash: Hash,
}

impl SignatureVerificationAlgorithm for Ecdsa {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match self.crv {
            Crv::P384 => alg_id::ECDSA_P384,
            Crv::P521 => alg_id::ECDSA_P521,
            // Other curves are not supported.
            Crv::P256 | Crv::Secp256k1 | Crv::Ed25519 => alg_id::ECDSA_P256,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        match self.hash {
            Hash::Sha256 => alg_id::ECDSA_SHA256,
            Hash::Sha384 => alg_id::ECDSA_SHA384,
            Hash::Sha512 => alg_id::ECDSA_SHA512,
        }
    }

    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        verdict(certificate::ecdsa(self.crv, self.hash, key, message, signature))
    }
}

/// An algorithm that tokens use in the same way.
#[derive(Debug)]
struct AsInTokens {
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
    alg: Alg,
}

impl SignatureVerificationAlgorithm for AsInTokens {
    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }

    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        verdict(certificate::as_in_tokens(self.alg, key, message, signature))
    }
}

fn verdict(holds: bool) -> Result<(), InvalidSignature> {
    if holds { Ok(()) } else { Err(InvalidSignature) }
}

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

const fn ecdsa(crv: Crv, hash: Hash) -> Ecdsa {
    Ecdsa { crv, hash }
}

const fn rsa(signature: AlgorithmIdentifier, alg: Alg) -> AsInTokens {
    AsInTokens { key: alg_id::RSA_ENCRYPTION, signature, alg }
}

const P256_SHA256: Algorithm = &ecdsa(Crv::P256, Hash::Sha256);
const P256_SHA384: Algorithm = &ecdsa(Crv::P256, Hash::Sha384);
const P256_SHA512: Algorithm = &ecdsa(Crv::P256, Hash::Sha512);
const P384_SHA256: Algorithm = &ecdsa(Crv::P384, Hash::Sha256);
const P384_SHA384: Algorithm = &ecdsa(Crv::P384, Hash::Sha384);
const P384_SHA512: Algorithm = &ecdsa(Crv::P384, Hash::Sha512);
const P521_SHA256: Algorithm = &ecdsa(Crv::P521, Hash::Sha256);
const P521_SHA384: Algorithm = &ecdsa(Crv::P521, Hash::Sha384);
const P521_SHA512: Algorithm = &ecdsa(Crv::P521, Hash::Sha512);
const ED25519: Algorithm =
    &AsInTokens { key: alg_id::ED25519, signature: alg_id::ED25519, alg: Alg::Ed25519 };
const PSS_SHA256: Algorithm = &rsa(alg_id::RSA_PSS_SHA256, Alg::Ps256);
const PSS_SHA384: Algorithm = &rsa(alg_id::RSA_PSS_SHA384, Alg::Ps384);
const PSS_SHA512: Algorithm = &rsa(alg_id::RSA_PSS_SHA512, Alg::Ps512);
const PKCS1_SHA256: Algorithm = &rsa(alg_id::RSA_PKCS1_SHA256, Alg::Rs256);
const PKCS1_SHA384: Algorithm = &rsa(alg_id::RSA_PKCS1_SHA384, Alg::Rs384);
const PKCS1_SHA512: Algorithm = &rsa(alg_id::RSA_PKCS1_SHA512, Alg::Rs512);

/// `sha256WithRSAEncryption` and similar ones without NULL, which some authorities omit (RFC 4055 5 requires it).
const fn absent(arc: &'static [u8]) -> AlgorithmIdentifier {
    AlgorithmIdentifier::from_slice(arc)
}
const PKCS1_SHA256_ABSENT: Algorithm =
    &rsa(absent(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"), Alg::Rs256);
const PKCS1_SHA384_ABSENT: Algorithm =
    &rsa(absent(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"), Alg::Rs384);
const PKCS1_SHA512_ABSENT: Algorithm =
    &rsa(absent(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"), Alg::Rs512);

/// The algorithms of certificates and servers. In TLS 1.3 the first of a scheme is its only curve; in TLS 1.2 a scheme is a
/// hash with any curve (RFC 8446 4.2.3).
pub(super) static ALGORITHMS: WebPkiSupportedAlgorithms = WebPkiSupportedAlgorithms {
    all: &[
        P256_SHA256,
        P256_SHA384,
        P256_SHA512,
        P384_SHA256,
        P384_SHA384,
        P384_SHA512,
        P521_SHA256,
        P521_SHA384,
        P521_SHA512,
        ED25519,
        PSS_SHA256,
        PSS_SHA384,
        PSS_SHA512,
        PKCS1_SHA256,
        PKCS1_SHA384,
        PKCS1_SHA512,
        PKCS1_SHA256_ABSENT,
        PKCS1_SHA384_ABSENT,
        PKCS1_SHA512_ABSENT,
    ],
    mapping: &[
        (SignatureScheme::ECDSA_NISTP256_SHA256, &[P256_SHA256, P384_SHA256, P521_SHA256]),
        (SignatureScheme::ECDSA_NISTP384_SHA384, &[P384_SHA384, P256_SHA384, P521_SHA384]),
        (SignatureScheme::ECDSA_NISTP521_SHA512, &[P521_SHA512, P256_SHA512, P384_SHA512]),
        (SignatureScheme::ED25519, &[ED25519]),
        (SignatureScheme::RSA_PSS_SHA256, &[PSS_SHA256]),
        (SignatureScheme::RSA_PSS_SHA384, &[PSS_SHA384]),
        (SignatureScheme::RSA_PSS_SHA512, &[PSS_SHA512]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[PKCS1_SHA256]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[PKCS1_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[PKCS1_SHA512]),
    ],
};
