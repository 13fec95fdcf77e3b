//! Tokens that are bound to a client certificate (RFC 8705 3): a proxy in front, or Traefik itself, has had the client prove
//! that it has the key, and hands the certificate on in a header.

use crate::core::proof::certificate::CertificateFormat;
use crate::core::proof::fault::{MissingProof, ProofFault};
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;

/// Where the certificate is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MtlsRules {
    /// The header (`proofs.certificateHeader`), in this one spelling: what is in front removes the client's own copy of it,
    /// and leaves those that only back ends take for it.
    pub header: String,
    /// How it has the certificate (`proofs.certificateFormat`).
    pub format: CertificateFormat,
    /// Whether the upstream gets it (`proofs.forwardCertificate`).
    pub forwarding: CertificateForwarding,
}

/// `proofs.forwardCertificate`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateForwarding {
    /// The header ends here.
    #[default]
    Remove,
    /// It goes on.
    Keep,
}

/// Checks that the client has the certificate whose thumbprint (`cnf.x5t#S256`, RFC 8705 3.1) is `bound_to`.
///
/// # Errors
/// `proof_missing` without a certificate, `proof_invalid`.
pub fn check(rules: &MtlsRules, bound_to: &str, request: &dyn RequestView) -> Result<(), Refusal> {
    let invalid = |fault| Err(Refusal::ProofInvalid { fault });
    match request.header_values(&rules.header).as_slice() {
        [] => Err(Refusal::ProofMissing { missing: MissingProof::Certificate }),
        // It is unknown which of them the proxy has made.
        [_, _, ..] => invalid(ProofFault::CertificateRepeated),
        [value] => match rules.format.thumbprint(value) {
            None => invalid(ProofFault::CertificateForm),
            Some(found) if found != bound_to => invalid(ProofFault::Certificate),
            Some(_) => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{CertificateForwarding, MtlsRules, check};
    use crate::core::proof::certificate::CertificateFormat;
    use crate::core::proof::fault::{MissingProof, ProofFault};
    use crate::core::refusal::Refusal;
    use crate::core::request::RecordedRequest;
    use crate::core::token::base64url::encode;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};
    use sha2::{Digest, Sha256};

    const PEM: &str = include_str!("../../../tests/vectors/pem/p-256-certificate.pem");
    const ISSUER: &str = include_str!("../../../tests/vectors/pem/p-384-certificate.pem");

    fn base64(pem: &str) -> String {
        pem.lines().filter(|line| !line.starts_with('-')).collect()
    }

    #[test]
    fn the_first_certificate_is_the_one_that_the_token_is_bound_to() {
        let rules = MtlsRules {
            header: "X-Forwarded-Tls-Client-Cert".into(),
            format: CertificateFormat::Traefik,
            forwarding: CertificateForwarding::Remove,
        };
        let hash = |pem: &str| Sha256::digest(STANDARD.decode(base64(pem)).unwrap());
        let (own, issuer) = (encode(&hash(PEM)), encode(&hash(ISSUER)));
        let hex: String = hash(PEM).iter().map(|byte| format!("{byte:02x}")).collect();
        let chain = format!("{},{}", base64(PEM), base64(ISSUER));
        let request = || RecordedRequest::new("GET", "/");
        let with = |value: &str| request().header("X-Forwarded-Tls-Client-Cert", value);
        let invalid = |fault| Err(Refusal::ProofInvalid { fault });
        for (bound_to, request, expected) in [
            (own.as_str(), with(&chain), Ok(())),
            (&own, with(&base64(PEM)), Ok(())),
            (&own, with(&chain).header("X_Forwarded_Tls_Client_Cert", "x"), Ok(())),
            (&issuer, with(&chain), invalid(ProofFault::Certificate)),
            (&own, with(&base64(ISSUER)), invalid(ProofFault::Certificate)),
            (&hex, with(&chain), invalid(ProofFault::Certificate)),
            (&URL_SAFE.encode(hash(PEM)), with(&chain), invalid(ProofFault::Certificate)),
            (&STANDARD.encode(hash(PEM)), with(&chain), invalid(ProofFault::Certificate)),
            ("", with(&chain), invalid(ProofFault::Certificate)),
            // x5t, of SHA-1, is not looked at, and has another length.
            ("uB1VbEpI0sUyZg9zQVhpYk5zUzQ", with(&chain), invalid(ProofFault::Certificate)),
            (&own, request(), Err(Refusal::ProofMissing { missing: MissingProof::Certificate })),
            // Forged: the header in front of us is another one.
            (
                &own,
                request().header("x_forwarded.tls~client-cert", chain.as_str()),
                Err(Refusal::ProofMissing { missing: MissingProof::Certificate }),
            ),
            (&own, with(""), invalid(ProofFault::CertificateForm)),
            (&own, with(&own), invalid(ProofFault::CertificateForm)),
            (
                &own,
                with(&chain).header("X-Forwarded-Tls-Client-Cert", chain.as_str()),
                invalid(ProofFault::CertificateRepeated),
            ),
        ] {
            assert_eq!(check(&rules, bound_to, &request), expected, "{bound_to} {request:?}");
        }
    }
}
