//! TLS failures as texts for the log, which name the option to look at. rustls formats most of them by `{:?}`, which writes
//! nothing in the modules (`core::text`). A line has room for 120 characters of it.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "enums of rustls, which grow: what has no words here has those of rustls, or the last line"
)]

use crate::host::limits::MAX_CERTIFICATE_NAMES;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error};

use crate::core::text::name;
use crate::core::unix_time::UnixTime;

/// The question if a server answers without TLS.
pub(super) const SPEAKS_TLS: &str = "does the server speak TLS on this port?";
/// For a server that requests a certificate and then ends the connection.
pub(super) const WANTS_CERTIFICATE: &str = "the server asks for a client certificate (clientConfig.tls.cert)";

/// The reason, without secrets.
pub(super) fn describe(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(reason) => certificate(reason),
        Error::AlertReceived(AlertDescription::CertificateRequired) => WANTS_CERTIFICATE.into(),
        Error::AlertReceived(alert) => {
            let name = alert.as_str().unwrap_or("unknown");
            let hint = match alert {
                AlertDescription::UnrecognisedName => {
                    ": it does not know the name (clientConfig.tls.serverName)"
                }
                AlertDescription::ProtocolVersion => ": it wants another version than TLS 1.2 and 1.3",
                AlertDescription::BadCertificate
                | AlertDescription::UnsupportedCertificate
                | AlertDescription::CertificateExpired
                | AlertDescription::CertificateUnknown
                | AlertDescription::UnknownCA => {
                    ": it does not take the client certificate (clientConfig.tls.cert)"
                }
                AlertDescription::HandshakeFailure => ": no cipher suite, group or algorithm in common",
                _ => "",
            };
            format!("the server ends it with alert {} ({name}){hint}", u8::from(*alert))
        }
        Error::PeerIncompatible(_) => {
            "no version (1.2 or 1.3), cipher suite, group or signature algorithm in common".into()
        }
        Error::InvalidMessage(_) => format!("the server's message is not TLS; {SPEAKS_TLS}"),
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
        CertificateError::NotValidForNameContext { expected, presented } => not_for(expected, presented),
        CertificateError::ExpiredContext { not_after, .. } => {
            let date = UnixTime::from_seconds(not_after.as_secs());
            format!("the certificate or one above it has expired, on {}", date.to_rfc3339())
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            let date = UnixTime::from_seconds(not_before.as_secs());
            format!("the certificate or one above it is not valid before {}", date.to_rfc3339())
        }
        CertificateError::Expired => "the certificate or one above it ends before it begins".into(),
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "the certificate is not for servers (its extended key usage)".into()
        }
        CertificateError::BadEncoding => "the certificate is malformed".into(),
        CertificateError::BadSignature => {
            "a signature is wrong: is it this clientConfig.tls.ca, or an RSA key of fewer than 2048 bits?"
                .into()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { signature_algorithm_id: id, .. } => {
            format!("a certificate is signed with {}, which is not supported", algorithm(id))
        }
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
            public_key_algorithm_id: key,
            ..
        } => format!("a certificate is signed by a key of {}, which is not supported", algorithm(key)),
        CertificateError::Other(other) => {
            other.0.downcast_ref().map_or("the certificate is not accepted", by_webpki).into()
        }
        _ => "the certificate is not accepted".into(),
    }
}

/// Failures that rustls has no variant for.
fn by_webpki(reason: &webpki::Error) -> &'static str {
    match reason {
        webpki::Error::CaUsedAsEndEntity => {
            "the server's certificate is self-signed or an authority's (CA:TRUE), and not itself in clientConfig.tls.ca"
        }
        webpki::Error::UnsupportedCriticalExtension => {
            "a certificate has a critical extension that is not understood"
        }
        webpki::Error::EndEntityUsedAsCa => {
            "a certificate above the server's is that of no authority (CA:FALSE)"
        }
        webpki::Error::NameConstraintViolation => {
            "its authority may not certify this name (name constraints)"
        }
        webpki::Error::PathLenConstraintViolated => {
            "there are more authorities than one of them allows (path length)"
        }
        webpki::Error::UnsupportedCertVersion => "the certificate is not X.509 version 3",
        webpki::Error::SignatureAlgorithmMismatch => "the certificate names two algorithms for one signature",
        webpki::Error::MaximumPathBuildCallsExceeded
        | webpki::Error::MaximumPathDepthExceeded
        | webpki::Error::MaximumSignatureChecksExceeded
        | webpki::Error::MaximumNameConstraintComparisonsExceeded => {
            "too many certificates are between it and a root"
        }
        _ => "the certificate or one above it is malformed",
    }
}

fn not_for(expected: &ServerName<'_>, presented: &[String]) -> String {
    let mut names: Vec<String> =
        presented.iter().take(MAX_CERTIFICATE_NAMES).map(|presented| name(presented)).collect();
    let more = presented.len().saturating_sub(names.len());
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let names = match names.as_slice() {
        [] => "and has no DNS names (subjectAltName)".to_owned(),
        names => format!("but for {}", names.join(", ")),
    };
    format!("the certificate is not for {} (clientConfig.tls.serverName) {names}", expected.to_str())
}

/// The name of an algorithm, or its number, from the content of an AlgorithmIdentifier (RFC 5280 4.1.1.2).
fn algorithm(identifier: &[u8]) -> String {
    let oid = match identifier {
        [6, length, rest @ ..] => rest.get(..usize::from(*length)).unwrap_or_default(),
        _ => &[],
    };
    let known = [
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01][..], "RSA"),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x04], "MD5 and RSA"),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05], "SHA-1 and RSA"),
        (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a], "RSASSA-PSS with these parameters"),
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01], "a curve other than P-256, P-384 and P-521"),
        (&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01], "SHA-1 and ECDSA"),
        (&[0x2b, 0x65, 0x71], "Ed448"),
    ];
    match known.into_iter().find(|(id, _)| *id == oid) {
        Some((_, name)) => name.to_owned(),
        None => format!("algorithm {}", dotted(oid)),
    }
}

/// `2.16.840.1.101.3.4.3.18`, as X.690 8.19 writes an object identifier.
fn dotted(oid: &[u8]) -> String {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc: u64 = 0;
    for byte in oid {
        arc = arc.saturating_mul(128).saturating_add(u64::from(byte & 0x7f));
        if *byte < 0x80 {
            if arcs.is_empty() {
                let first = (arc / 40).min(2);
                arcs.push(first);
                arc = arc.saturating_sub(first.saturating_mul(40));
            }
            arcs.push(arc);
            arc = 0;
        }
    }
    arcs.iter().map(u64::to_string).collect::<Vec<_>>().join(".")
}
