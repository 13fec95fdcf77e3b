//! Which certificates are accepted: those with a chain to a root, and those in `clientConfig.tls.ca` themselves.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use webpki::EndEntityCert;

use crate::core::signature::certificate::{may_certify, signs_no_certificates};
use crate::documents::fetch::FetchError;
use crate::host::fetch::tls_roots;

/// How the server's certificate is checked.
#[derive(Debug)]
pub(super) struct Trust {
    provider: Arc<CryptoProvider>,
    /// Not at all (`clientConfig.tls.insecureSkipVerify`): the server only has to hold the key of its certificate.
    chains: Option<Chains>,
}

#[derive(Debug)]
struct Chains {
    roots: RootCertStore,
    algorithms: WebPkiSupportedAlgorithms,
    /// The certificates of `clientConfig.tls.ca`.
    configured: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Any certificate.
    pub(super) const fn anything(provider: Arc<CryptoProvider>) -> Self {
        Self { provider, chains: None }
    }

    /// The built-in roots and the certificates of `ca_pem`.
    pub(super) fn roots(provider: Arc<CryptoProvider>, ca_pem: &str) -> Result<Self, FetchError> {
        let bad = |what: &str| FetchError::Tls(format!("clientConfig.tls.ca {what}"));
        let mut roots = RootCertStore { roots: tls_roots::roots() };
        let mut configured = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
            let certificate = certificate.map_err(|_| bad("is not PEM"))?;
            // webpki accepts any of these certificates as one that may certify others.
            if may_certify(&certificate) {
                roots.add(certificate.clone()).map_err(|_| bad("has a malformed certificate"))?;
            }
            configured.push(certificate);
        }
        if configured.is_empty() && !ca_pem.is_empty() {
            return Err(bad("holds no certificate"));
        }
        let algorithms = provider.signature_verification_algorithms;
        Ok(Self { provider, chains: Some(Chains { roots, algorithms, configured }) })
    }
}

impl Chains {
    fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(certificate)?;
        // webpki does not look at the key usage of those in between.
        let signing = others.iter().filter(|other| !signs_no_certificates(other));
        let others: Vec<CertificateDer<'_>> =
            signing.map(|other| CertificateDer::from(other.as_ref())).collect();
        // Not rustls' own verifier, which also parses revocation lists: 11 KB, and there are no lists.
        let chain = verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.roots,
            &others,
            now,
            self.algorithms.all,
        )
        .and_then(|()| verify_server_name(&parsed, name));
        let Err(error) = chain else { return Ok(()) };
        // Only these two: webpki reports both after it has checked the dates.
        let no_chain = matches!(&error, Error::InvalidCertificate(CertificateError::UnknownIssuer))
            || webpki_error(&error) == Some(&webpki::Error::CaUsedAsEndEntity);
        let verdict = if no_chain && self.configured.contains(certificate) {
            verify_server_name(&parsed, name)
        } else {
            Err(error)
        };
        verdict.map_err(|error| with_names(error, certificate))
    }
}

/// webpki lists the names of a certificate for `{:?}`, which writes nothing in the modules (`core::text`).
fn with_names(error: Error, certificate: &CertificateDer<'_>) -> Error {
    if let Error::InvalidCertificate(CertificateError::NotValidForNameContext { expected, .. }) = error {
        let presented = names(certificate);
        return CertificateError::NotValidForNameContext { expected, presented }.into();
    }
    error
}

/// The DNS names that a certificate is for.
fn names(certificate: &CertificateDer<'_>) -> Vec<String> {
    EndEntityCert::try_from(certificate)
        .map(|parsed| parsed.valid_dns_names().map(str::to_owned).collect())
        .unwrap_or_default()
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(chains) = &self.chains {
            chains.verify(certificate, others, name, now)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Errors of webpki that rustls has no variant for.
pub(super) fn webpki_error(error: &Error) -> Option<&webpki::Error> {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return None };
    other.0.downcast_ref()
}
