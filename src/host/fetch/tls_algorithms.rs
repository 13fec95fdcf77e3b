//! The algorithms of certificates and handshakes: those of ring but ECDSA, which is our own, since ring has no P-521 and no
//! SHA-512 on the other curves.

use rustls::SignatureScheme;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id};
use webpki::ring::{
    ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS, RSA_PKCS1_2048_8192_SHA512,
    RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS, RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
    RSA_PSS_2048_8192_SHA384_LEGACY_KEY, RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
};

use crate::core::signature::alg::{Crv, Hash};
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
            // Of no other curve is there one here.
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
        if certificate::ecdsa(self.crv, self.hash, key, message, signature) {
            Ok(())
        } else {
            Err(InvalidSignature)
        }
    }
}

type Algorithm = &'static dyn SignatureVerificationAlgorithm;

const P256_SHA256: Algorithm = &Ecdsa { crv: Crv::P256, hash: Hash::Sha256 };
const P256_SHA384: Algorithm = &Ecdsa { crv: Crv::P256, hash: Hash::Sha384 };
const P256_SHA512: Algorithm = &Ecdsa { crv: Crv::P256, hash: Hash::Sha512 };
const P384_SHA256: Algorithm = &Ecdsa { crv: Crv::P384, hash: Hash::Sha256 };
const P384_SHA384: Algorithm = &Ecdsa { crv: Crv::P384, hash: Hash::Sha384 };
const P384_SHA512: Algorithm = &Ecdsa { crv: Crv::P384, hash: Hash::Sha512 };
const P521_SHA256: Algorithm = &Ecdsa { crv: Crv::P521, hash: Hash::Sha256 };
const P521_SHA384: Algorithm = &Ecdsa { crv: Crv::P521, hash: Hash::Sha384 };
const P521_SHA512: Algorithm = &Ecdsa { crv: Crv::P521, hash: Hash::Sha512 };

/// What certificates and servers may sign with. In TLS 1.3 the first of a scheme is its one curve; in TLS 1.2 a scheme is a
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
        RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        RSA_PSS_2048_8192_SHA384_LEGACY_KEY,
        RSA_PSS_2048_8192_SHA512_LEGACY_KEY,
        RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512,
        RSA_PKCS1_2048_8192_SHA256_ABSENT_PARAMS,
        RSA_PKCS1_2048_8192_SHA384_ABSENT_PARAMS,
        RSA_PKCS1_2048_8192_SHA512_ABSENT_PARAMS,
    ],
    mapping: &[
        (SignatureScheme::ECDSA_NISTP256_SHA256, &[P256_SHA256, P384_SHA256, P521_SHA256]),
        (SignatureScheme::ECDSA_NISTP384_SHA384, &[P384_SHA384, P256_SHA384, P521_SHA384]),
        (SignatureScheme::ECDSA_NISTP521_SHA512, &[P521_SHA512, P256_SHA512, P384_SHA512]),
        (SignatureScheme::ED25519, &[ED25519]),
        (SignatureScheme::RSA_PSS_SHA256, &[RSA_PSS_2048_8192_SHA256_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA384, &[RSA_PSS_2048_8192_SHA384_LEGACY_KEY]),
        (SignatureScheme::RSA_PSS_SHA512, &[RSA_PSS_2048_8192_SHA512_LEGACY_KEY]),
        (SignatureScheme::RSA_PKCS1_SHA256, &[RSA_PKCS1_2048_8192_SHA256]),
        (SignatureScheme::RSA_PKCS1_SHA384, &[RSA_PKCS1_2048_8192_SHA384]),
        (SignatureScheme::RSA_PKCS1_SHA512, &[RSA_PKCS1_2048_8192_SHA512]),
    ],
};
