//! Public keys in DER: SubjectPublicKeyInfo (RFC 5280 4.1) and RSAPublicKey (RFC 8017 A.1.1).

use super::der::{OBJECT_IDENTIFIER, Reader, SEQUENCE};
use super::jwk::Jwk;
use super::public_key::PublicKey;
use super::thumbprint;
use crate::core::signature::alg::{Alg, Crv};
use crate::core::signature::{KeyError, VerifyingKey};

/// Why a structure is not a usable public key.
pub(super) enum SpkiError {
    /// The structure is not valid.
    NotDer,
    /// A kind of key that is not supported.
    UnknownKey,
    /// The key material is rejected.
    Key(KeyError),
}

/// The key of a SubjectPublicKeyInfo or RSAPublicKey.
pub(super) fn parse(der: &[u8]) -> Result<Jwk, SpkiError> {
    match rsa_public_key(der) {
        Some(key) => named(&key),
        None => Spki::of(der).ok_or(SpkiError::NotDer)?.key(),
    }
}

/// An RSAPublicKey, which is all of `der`.
pub(in crate::core) fn rsa_public_key(der: &[u8]) -> Option<PublicKey> {
    let mut reader = Reader::new(der);
    let mut inside = reader.inside(SEQUENCE)?;
    let (n, e) = (inside.positive_integer()?, inside.positive_integer()?);
    (inside.is_empty() && reader.is_empty()).then(|| PublicKey::Rsa { n: n.to_vec(), e: e.to_vec() })
}

/// A key named by its thumbprint only.
fn named(key: &PublicKey) -> Result<Jwk, SpkiError> {
    let thumbprint = Some(thumbprint::of(key));
    Ok(Jwk { thumbprint, ..Jwk::from_key(key.verifying().map_err(SpkiError::Key)?) })
}

/// A SubjectPublicKeyInfo.
pub(in crate::core) struct Spki<'d> {
    algorithm: &'d [u8],
    parameters: Reader<'d>,
    key: &'d [u8],
}

const RSA_ENCRYPTION: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const EC_PUBLIC_KEY: &[u8] = b"\x2a\x86\x48\xce\x3d\x02\x01";
const ED25519: &[u8] = b"\x2b\x65\x70";
const ML_DSA: [(&[u8], Alg); 3] = [
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x11", Alg::MlDsa44),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x12", Alg::MlDsa65),
    (b"\x60\x86\x48\x01\x65\x03\x04\x03\x13", Alg::MlDsa87),
];
const CURVES: [(&[u8], Crv); 4] = [
    (b"\x2a\x86\x48\xce\x3d\x03\x01\x07", Crv::P256),
    (b"\x2b\x81\x04\x00\x22", Crv::P384),
    (b"\x2b\x81\x04\x00\x23", Crv::P521),
    (b"\x2b\x81\x04\x00\x0a", Crv::Secp256k1),
];
/// NULL, the parameters of rsaEncryption (RFC 3279 2.3.1).
const NULL: u8 = 0x05;

impl<'d> Spki<'d> {
    /// The next element.
    pub(super) fn read(reader: &mut Reader<'d>) -> Option<Self> {
        let mut inside = reader.inside(SEQUENCE)?;
        let mut identifier = inside.inside(SEQUENCE)?;
        let algorithm = identifier.element(OBJECT_IDENTIFIER)?;
        let spki = Self { algorithm, parameters: identifier, key: inside.bit_string()? };
        inside.is_empty().then_some(spki)
    }

    /// All of `der`.
    pub(super) fn of(der: &'d [u8]) -> Option<Self> {
        let mut reader = Reader::new(der);
        Self::read(&mut reader).filter(|_| reader.is_empty())
    }

    /// RFC 3279 2.3.1 (RSA), RFC 5480 2.1 (EC, named curves only), RFC 8410 3 and 4 (Ed25519), RFC 9881 3 (ML-DSA).
    pub(super) fn key(mut self) -> Result<Jwk, SpkiError> {
        if self.algorithm == RSA_ENCRYPTION {
            // Some libraries omit NULL.
            self.parameters.skip_optional(NULL).ok_or(SpkiError::NotDer)?;
            self.no_more_parameters()?;
            return named(&rsa_public_key(self.key).ok_or(SpkiError::NotDer)?);
        }
        if self.algorithm == EC_PUBLIC_KEY {
            let curve = self.parameters.element(OBJECT_IDENTIFIER);
            let crv = CURVES.iter().find(|(identifier, _)| curve == Some(*identifier));
            let (_, crv) = crv.ok_or(SpkiError::UnknownKey)?;
            self.no_more_parameters()?;
            return point(*crv, self.key);
        }
        if self.algorithm == ED25519 {
            self.no_more_parameters()?;
            return named(&PublicKey::Okp { crv: Crv::Ed25519, x: self.key.to_vec() });
        }
        let alg = ML_DSA.iter().find(|(identifier, _)| self.algorithm == *identifier);
        let (_, alg) = alg.ok_or(SpkiError::UnknownKey)?;
        self.no_more_parameters()?;
        named(&PublicKey::Akp { alg: *alg, public: self.key.to_vec() })
    }

    const fn no_more_parameters(&self) -> Result<(), SpkiError> {
        if self.parameters.is_empty() { Ok(()) } else { Err(SpkiError::NotDer) }
    }
}

/// A point (SEC 1 2.3.3). A compressed one has no thumbprint here, because that would need its y.
fn point(crv: Crv, sec1: &[u8]) -> Result<Jwk, SpkiError> {
    let coordinates = match sec1.split_first() {
        Some((4, xy)) => xy.split_at_checked(crv.coordinate_bytes()).filter(|(x, y)| x.len() == y.len()),
        Some(_) | None => None,
    };
    match coordinates {
        Some((x, y)) => named(&PublicKey::Ec { crv, x: x.to_vec(), y: y.to_vec() }),
        None => Ok(Jwk::from_key(VerifyingKey::ec_sec1(crv, sec1).map_err(SpkiError::Key)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::certificate::subject_public_key;
    use super::{SpkiError, parse, rsa_public_key};
    use base64::Engine;

    fn der(pem: &str) -> Vec<u8> {
        let lines: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
        base64::engine::general_purpose::STANDARD.decode(lines).unwrap()
    }

    /// The outermost element, of 256 bytes or more, with `more` at the end of its content.
    fn with(der: &[u8], more: &[u8]) -> Vec<u8> {
        let (head, content) = der.split_at(4);
        assert_eq!(head[..2], [0x30, 0x82]);
        let length = u16::try_from(content.len() + more.len()).unwrap();
        [&head[..2], &length.to_be_bytes(), content, more].concat()
    }

    #[test]
    fn nothing_is_behind_a_key() {
        let key = der(include_str!("../../../tests/vectors/pem/rsa-2048-pkcs1.pem"));
        let certificate = der(include_str!("../../../tests/vectors/pem/rsa-2048-certificate.pem"));
        for (der, expected) in [
            (key.clone(), true),
            (with(&key, &[]), true),
            (with(&key, &[5, 0]), false),
            ([&key[..], &[5, 0]].concat(), false),
        ] {
            assert_eq!(rsa_public_key(&der).is_some(), expected, "{der:x?}");
        }
        for (der, expected) in [
            (certificate.clone(), true),
            (with(&certificate, &[]), true),
            (with(&certificate, &[5, 0]), false),
            ([&certificate[..], &[5, 0]].concat(), false),
        ] {
            assert_eq!(subject_public_key(&der).is_some(), expected, "{der:x?}");
        }
    }

    #[test]
    fn ed25519_has_no_parameters_rfc_8410_3() {
        let spki = |identifier: &[u8]| {
            let identifier = [&[0x30, u8::try_from(identifier.len()).unwrap()], identifier].concat();
            let content = [&identifier[..], &[3, 33, 0], &[7; 32]].concat();
            parse(&[&[0x30, u8::try_from(content.len()).unwrap()], &content[..]].concat())
        };
        let identifier = [6, 3, 0x2b, 0x65, 0x70];
        assert!(spki(&identifier).is_ok());
        for parameters in [[5, 0], [0x30, 0]] {
            let found = spki(&[&identifier[..], &parameters].concat()).map(|_| ());
            assert!(matches!(found, Err(SpkiError::NotDer)), "{parameters:x?}");
        }
    }
}
