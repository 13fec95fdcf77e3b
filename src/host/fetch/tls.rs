//! TLS 1.2 and 1.3 over a [`Connection`] (rustls with ring): roots, `clientConfig.tls`, and the pumping of records.

use std::io::{ErrorKind, Read};
use std::net::IpAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConnection, Resumption};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use webpki_roots::TLS_SERVER_ROOTS;

use super::connect::{Connection, Fault, Integrity, Received};
use super::deadline::{Deadline, Pauses};
use super::tls_error::describe;
use crate::core::url::Host;
use crate::keys::io::{ClientIdentity, FetchError, FetchRequest};

/// A protected connection.
#[derive(Debug)]
pub(crate) struct TlsStream {
    connection: Connection,
    session: ClientConnection,
    incoming: Vec<u8>,
    /// The server has said that nothing follows.
    ended: bool,
}

impl TlsStream {
    /// Completes a handshake with the server called `name`, which gets the certificate `identity` if it asks for one.
    pub(crate) fn handshake(
        connection: Connection,
        name: ServerName<'static>,
        identity: Option<ClientIdentity<'_>>,
        request: &FetchRequest<'_>,
        deadline: Deadline,
    ) -> Result<Self, Fault> {
        let session = ClientConnection::new(Arc::new(config(identity, request)?), name).map_err(tls)?;
        let mut stream = Self { connection, session, incoming: Vec::new(), ended: false };
        let mut pauses = Pauses::new();
        stream.flush(deadline)?;
        while stream.session.is_handshaking() {
            // A server speaks after the request; what it says before that is left out.
            match stream.receive(&mut Vec::new(), deadline)? {
                Received::Bytes => pauses = Pauses::new(),
                Received::NothingYet => pauses.pause(deadline)?,
                Received::End => return Err(FetchError::Tls("closed during the handshake".to_owned()).into()),
            }
        }
        Ok(stream)
    }

    /// Sends all of `bytes`.
    pub(crate) fn send(&mut self, bytes: &[u8], deadline: Deadline) -> Result<(), FetchError> {
        std::io::Write::write_all(&mut self.session.writer(), bytes)
            .map_err(|_| FetchError::Host("request larger than TLS buffers"))?;
        self.flush(deadline)
    }

    /// Takes what has arrived and appends its plaintext, which may be none, to `out`. [`Received::End`] comes only
    /// where the server said so under protection, since a cut connection must not pass for the end of a body without
    /// a length (RFC 8446 6.1).
    pub(crate) fn receive(&mut self, out: &mut Vec<u8>, deadline: Deadline) -> Result<Received, Fault> {
        if self.ended {
            return Ok(Received::End);
        }
        self.incoming.clear();
        let received = self.connection.receive(&mut self.incoming, Integrity::Elsewhere)?;
        if received == Received::NothingYet {
            return Ok(received);
        }
        let mut unread = self.incoming.as_slice();
        loop {
            // With nothing left to read, rustls takes it for the end of the stream, which is then true.
            if self.session.read_tls(&mut unread).is_err() {
                return Err(FetchError::Tls("records out of step".to_owned()).into());
            }
            if let Err(error) = self.session.process_new_packets() {
                // The server should learn why, but our error is the one that counts.
                let _ = self.flush(deadline);
                return Err(records(error));
            }
            match self.session.reader().read_to_end(out) {
                Ok(_) => self.ended = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // Also how a server ends that was sent foreign bytes.
                Err(_) => {
                    let error = FetchError::Tls("cut off without close_notify".to_owned());
                    return Err(Fault { error, mixed_up: true });
                }
            }
            if self.ended || unread.is_empty() {
                break;
            }
        }
        self.flush(deadline)?;
        // The end is told by the next call, after the caller has taken the bytes before it.
        Ok(Received::Bytes)
    }

    fn flush(&mut self, deadline: Deadline) -> Result<(), FetchError> {
        let mut records = Vec::new();
        while self.session.wants_write() {
            if self.session.write_tls(&mut records).is_err() {
                return Err(FetchError::Tls("records cannot be written".to_owned()));
            }
        }
        self.connection.send(&records, deadline)
    }
}

/// What foreign bytes in either direction look like is told apart from what a server really answers, since only the
/// former is worth another attempt.
fn records(error: rustls::Error) -> Fault {
    use rustls::{AlertDescription, Error};
    let mixed_up = matches!(
        &error,
        Error::InvalidMessage(_)
            | Error::DecryptError
            | Error::PeerSentOversizedRecord
            | Error::InappropriateMessage { .. }
            | Error::InappropriateHandshakeMessage { .. }
            | Error::PeerMisbehaved(_)
            | Error::AlertReceived(
                AlertDescription::BadRecordMac
                    | AlertDescription::DecodeError
                    | AlertDescription::DecryptError
                    | AlertDescription::IllegalParameter
                    | AlertDescription::RecordOverflow
                    | AlertDescription::UnexpectedMessage
            )
    );
    Fault { error: tls(error), mixed_up }
}

fn tls(error: rustls::Error) -> FetchError {
    FetchError::Tls(describe(&error))
}

/// The name to ask for and to expect: the configured one, else that of the host.
pub(crate) fn server_name(host: &Host, configured: Option<&str>) -> Result<ServerName<'static>, FetchError> {
    if let Some(name) = configured {
        return ServerName::try_from(name.to_owned()).map_err(|_| FetchError::Url);
    }
    match host {
        // The trailing dot of an absolute name is for the resolver; certificates do not have it.
        Host::Name(name) => {
            ServerName::try_from(name.trim_end_matches('.').to_owned()).map_err(|_| FetchError::Url)
        }
        Host::Address(IpAddr::V4(address)) => Ok(ServerName::IpAddress(IpAddr::V4(*address).into())),
        Host::Address(IpAddr::V6(address)) => Ok(ServerName::IpAddress(IpAddr::V6(*address).into())),
    }
}

fn config(
    identity: Option<ClientIdentity<'_>>,
    request: &FetchRequest<'_>,
) -> Result<ClientConfig, FetchError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(tls)?;
    let builder = if request.insecure_skip_verify {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
    } else {
        builder.with_root_certificates(roots(request.ca_pem)?)
    };
    let mut config = match identity {
        Some(identity) => {
            let bad = |what: &str| FetchError::Tls(format!("clientConfig.tls.{what}"));
            let certificates: Result<Vec<_>, _> =
                CertificateDer::pem_slice_iter(identity.certificates_pem.as_bytes()).collect();
            let certificates = certificates.map_err(|_| bad("cert is not PEM"))?;
            let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())
                .map_err(|_| bad("key holds no private key"))?;
            builder.with_client_auth_cert(certificates, key).map_err(|_| bad("cert and key do not fit"))?
        }
        None => builder.with_no_client_auth(),
    };
    // One request a connection, and instances live shortly: tickets would never be used.
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn roots(ca_pem: &str) -> Result<RootCertStore, FetchError> {
    let mut roots = RootCertStore { roots: TLS_SERVER_ROOTS.to_vec() };
    if ca_pem.is_empty() {
        return Ok(roots);
    }
    let mut added: usize = 0;
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        let certificate =
            certificate.map_err(|_| FetchError::Tls("clientConfig.tls.ca is not PEM".to_owned()))?;
        roots.add(certificate).map_err(tls)?;
        added = added.saturating_add(1);
    }
    if added == 0 {
        return Err(FetchError::Tls("clientConfig.tls.ca holds no certificate".to_owned()));
    }
    Ok(roots)
}

/// `clientConfig.tls.insecureSkipVerify`: whoever holds the key of whatever certificate.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
