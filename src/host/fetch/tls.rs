//! TLS 1.2 and 1.3 over a [`Connection`] (rustls with ring): `clientConfig.tls`, and the pumping of records.

use std::io::{ErrorKind, Read};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::{ClientConnection, ResolvesClientCert, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};

use super::tls_algorithms::ALGORITHMS;
use super::tls_error::{SPEAKS_TLS, WANTS_CERTIFICATE, describe};
use super::tls_trust::Trust;
use crate::core::url::Host;
use crate::documents::fetch::{Client, ClientIdentity, FetchError};
use crate::host::sockets::connect::{Connection, Fault, Integrity, Received};
use crate::host::sockets::deadline::{Deadline, Pauses};

/// A TLS connection.
#[derive(Debug)]
pub(crate) struct TlsStream {
    connection: Connection,
    session: ClientConnection,
    incoming: Vec<u8>,
    /// The server has sent close_notify.
    ended: bool,
    /// Whether the server requested a certificate and got none.
    certificate: Arc<NoCertificate>,
}

impl TlsStream {
    /// Completes a handshake with the server called `name`, which gets the certificate `identity` if it asks for one.
    pub(crate) fn handshake(
        connection: Connection,
        name: ServerName<'static>,
        identity: Option<&ClientIdentity>,
        client: &Client<'_>,
        deadline: Deadline,
    ) -> Result<Self, Fault> {
        let certificate = Arc::default();
        let config = config(identity, client, &certificate)?;
        let session = ClientConnection::new(Arc::new(config), name).map_err(tls)?;
        let mut stream = Self { connection, session, incoming: Vec::new(), ended: false, certificate };
        let mut pauses = Pauses::new();
        stream.flush(deadline)?;
        while stream.session.is_handshaking() {
            // A server answers after the request; what it sends before that is ignored.
            match stream.receive(&mut Vec::new(), deadline)? {
                Received::Bytes => pauses = Pauses::new(),
                Received::NothingYet => pauses.pause(deadline)?,
                Received::End => return Err(stream.cut_off().into()),
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

    /// Takes what has arrived and appends its plaintext, if any, to `out`. [`Received::End`] comes only after the server's
    /// close_notify, since a cut connection must not pass for the end of a body without a length (RFC 8446 6.1).
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
            // With nothing left to read, rustls reports the end of the stream, which is then true.
            if self.session.read_tls(&mut unread).is_err() {
                return Err(FetchError::Tls("records out of step".to_owned()).into());
            }
            if let Err(error) = self.session.process_new_packets() {
                // The server should get the alert, but our error is the one that counts.
                let _ = self.flush(deadline);
                return Err(self.fault(error));
            }
            match self.session.reader().read_to_end(out) {
                Ok(_) => self.ended = true,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // A server that got foreign bytes ends like this, too.
                Err(_) => {
                    return Err(Fault { error: self.cut_off(), mixed_up: true });
                }
            }
            if self.ended || unread.is_empty() {
                break;
            }
        }
        self.flush(deadline)?;
        // The next call reports the end, after the caller has taken the bytes before it.
        Ok(Received::Bytes)
    }

    /// The end of a connection without close_notify.
    fn cut_off(&self) -> FetchError {
        FetchError::Tls(match (self.certificate.was_wanted(), self.session.is_handshaking()) {
            (true, _) => WANTS_CERTIFICATE.to_owned(),
            (false, true) => format!("closed during the handshake; {SPEAKS_TLS}"),
            (false, false) => "cut off without close_notify".to_owned(),
        })
    }

    fn fault(&self, error: rustls::Error) -> Fault {
        use rustls::{AlertDescription, Error};
        // Servers that require one end like this: only TLS 1.3 has an alert for it (RFC 8446 6.2).
        let wants_one = self.certificate.was_wanted()
            && matches!(
                &error,
                Error::AlertReceived(
                    AlertDescription::BadCertificate
                        | AlertDescription::HandshakeFailure
                        | AlertDescription::CertificateUnknown
                        | AlertDescription::AccessDenied
                )
            );
        if wants_one { FetchError::Tls(WANTS_CERTIFICATE.to_owned()).into() } else { records(error) }
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

/// Errors that foreign bytes in either direction can cause are separated from what a server really answers, since only the
/// former are worth a retry.
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

/// The name to request and to expect: the configured one, otherwise that of the host.
pub(crate) fn server_name(host: &Host, configured: Option<&str>) -> Result<ServerName<'static>, FetchError> {
    // The trailing dot of an absolute name is for the resolver; names in certificates do not have it.
    let relative = |name: &str| {
        ServerName::try_from(name.strip_suffix('.').unwrap_or(name).to_owned()).map_err(|_| FetchError::Url)
    };
    if let Some(name) = configured {
        return relative(name);
    }
    match host {
        Host::Name(name) => relative(name),
        Host::Address(IpAddr::V4(address)) => Ok(ServerName::IpAddress(IpAddr::V4(*address).into())),
        Host::Address(IpAddr::V6(address)) => Ok(ServerName::IpAddress(IpAddr::V6(*address).into())),
    }
}

fn config(
    identity: Option<&ClientIdentity>,
    client: &Client<'_>,
    without: &Arc<NoCertificate>,
) -> Result<ClientConfig, FetchError> {
    let provider = Arc::new(CryptoProvider {
        signature_verification_algorithms: ALGORITHMS,
        ..rustls::crypto::ring::default_provider()
    });
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(tls)?;
    let trust = match client.rules.insecure_skip_verify {
        true => Trust::anything(provider),
        false => Trust::roots(provider, &client.ca_pem)?,
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(trust));
    let mut config = match identity {
        Some(identity) => {
            let bad = |what: &str| FetchError::Tls(format!("clientConfig.tls.{what}"));
            let certificates: Result<Vec<_>, _> =
                CertificateDer::pem_slice_iter(identity.certificates_pem.as_bytes()).collect();
            let certificates = certificates.map_err(|_| bad("cert is not PEM"))?;
            let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes())
                .map_err(|_| bad("key holds no private key"))?;
            builder.with_client_auth_cert(certificates, key).map_err(|_| {
                bad("cert and key do not fit, or it is no key of RSA, P-256, P-384 or Ed25519")
            })?
        }
        None => builder.with_client_cert_resolver(without.clone()),
    };
    // One request per connection, and instances are short-lived: tickets would never be used.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Sends no client certificate, and notes whether the server requested one.
#[derive(Debug, Default)]
struct NoCertificate {
    asked: AtomicBool,
}

impl NoCertificate {
    fn was_wanted(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for NoCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
