//! What went wrong in TLS, in words for the log. rustls says most of it by `{:?}`, which writes nothing in the modules
//! (`core::text`).

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "enums of rustls, which grow: what has no words here has those of rustls, or the last line"
)]

use rustls::{CertificateError, Error};

/// The reason, without secrets.
pub(super) fn describe(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(reason) => certificate(reason),
        Error::AlertReceived(alert) => {
            let name = alert.as_str().unwrap_or("unknown");
            format!("the server ends it with alert {} ({name})", u8::from(*alert))
        }
        Error::PeerIncompatible(_) => {
            "no version (1.2 or 1.3), cipher suite, group or signature algorithm in common".into()
        }
        Error::InvalidMessage(_) => "the server's message is not TLS".into(),
        Error::InappropriateMessage { .. } | Error::InappropriateHandshakeMessage { .. } => {
            "a message out of turn".into()
        }
        Error::PeerMisbehaved(_) => "the server breaks the protocol".into(),
        Error::InconsistentKeys(_) => "certificate and private key do not fit".into(),
        other => other.to_string(),
    }
}

fn certificate(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => {
            "the certificate is signed by no authority that is trusted here (clientConfig.tls.ca)".into()
        }
        CertificateError::NotValidForNameContext { expected, .. } => {
            format!("the certificate is not for {} (clientConfig.tls.serverName)", expected.to_str())
        }
        // These have words of their own.
        CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYetContext { .. }
        | CertificateError::InvalidPurposeContext { .. } => reason.to_string(),
        CertificateError::BadEncoding => "the certificate is malformed".into(),
        CertificateError::BadSignature => {
            "a signature of a certificate or of the handshake is wrong (is it this clientConfig.tls.ca?)"
                .into()
        }
        CertificateError::UnhandledCriticalExtension => {
            "the certificate has a critical extension that is not understood here".into()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "the certificate is signed with an algorithm that is not supported".into()
        }
        _ => "the certificate is not accepted".into(),
    }
}
