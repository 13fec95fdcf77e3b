//! Certificates (RFC 5280 4.1). Only the key is read. Issuer and validity are not checked, because the person who configures
//! a key vouches for it.

use super::der::{BIT_STRING, CONTEXT_0, INTEGER, Reader, SEQUENCE};
use super::jwk::Jwk;
use super::spki::{Spki, SpkiError};
use super::thumbprint;

/// The key of a certificate, which is all of `der`.
pub(super) fn parse(der: &[u8]) -> Result<Jwk, SpkiError> {
    let key = subject_public_key(der).ok_or(SpkiError::NotDer)?.key()?;
    Ok(Jwk { x5t_s256: Some(thumbprint::of_certificate(der)), ..key })
}

/// The same, for every kind of key: the fields before and after it are skipped.
pub(in crate::core) fn subject_public_key(der: &[u8]) -> Option<Spki<'_>> {
    let mut reader = Reader::new(der);
    let mut certificate = reader.inside(SEQUENCE)?;
    let mut tbs = certificate.inside(SEQUENCE)?;
    certificate.element(SEQUENCE)?;
    certificate.element(BIT_STRING)?;
    tbs.skip_optional(CONTEXT_0)?;
    tbs.element(INTEGER)?;
    // Signature algorithm, issuer, validity, subject.
    for _ in 0..4 {
        tbs.element(SEQUENCE)?;
    }
    let key = Spki::read(&mut tbs)?;
    (certificate.is_empty() && reader.is_empty()).then_some(key)
}
