//! Certificates for servers on this machine, each of a CA of its own.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::CertificateDer;

/// A server's certificate with its key, and the CA that signed it.
pub struct Issued {
    /// For localhost and 127.0.0.1.
    pub certificate: rcgen::Certificate,
    /// The server's key.
    pub key: KeyPair,
    /// The CA's certificate, for those who are to trust it.
    pub ca_pem: String,
    /// The same as DER.
    pub ca_der: CertificateDer<'static>,
    /// A client's certificate of the same CA and its key, as PEM.
    pub client: (String, String),
}

impl Issued {
    /// A certificate for `key`, signed by a new CA of this name.
    ///
    /// # Panics
    /// When the key cannot be used.
    pub fn new(ca_name: &str, key: KeyPair) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, ca_name);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &ca).unwrap();
        let client_key = KeyPair::generate().unwrap();
        let client =
            CertificateParams::new(vec!["client".to_owned()]).unwrap().signed_by(&client_key, &ca).unwrap();
        Self {
            certificate,
            key,
            ca_pem: ca.pem(),
            ca_der: ca.der().clone(),
            client: (client.pem(), client_key.serialize_pem()),
        }
    }

    /// A certificate for a new P-256 key.
    ///
    /// # Panics
    /// Never: such a key can be used.
    pub fn p256(ca_name: &str) -> Self {
        Self::new(ca_name, KeyPair::generate().unwrap())
    }

    /// A certificate for a key of the test bed, such as `rsa`.
    ///
    /// # Panics
    /// When there is no such key.
    pub fn of_key(ca_name: &str, key: &str) -> Self {
        Self::new(ca_name, KeyPair::from_pem(crate::keys::private_pem(key)).unwrap())
    }
}

/// A client's certificate with what it presents.
pub struct ClientCertificate {
    /// Its own certificate and those of the CAs between it and the root, PEM.
    pub chain_pem: String,
    /// Its key, PEM.
    pub key_pem: String,
    /// Its own certificate, DER.
    pub der: Vec<u8>,
    /// The certificate of the CA that issued it, DER.
    pub issuer_der: Vec<u8>,
    /// The root, PEM, for those who are to trust it.
    pub root_pem: String,
}

impl ClientCertificate {
    /// One of a chain of three.
    ///
    /// # Panics
    /// Never: such certificates can be made.
    #[must_use]
    pub fn of_chain() -> Self {
        let ca = |name: &str| {
            let mut params = CertificateParams::default();
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            params.distinguished_name.push(DnType::CommonName, name);
            params
        };
        let root = CertifiedIssuer::self_signed(ca("root"), KeyPair::generate().unwrap()).unwrap();
        let between = CertifiedIssuer::signed_by(ca("between"), KeyPair::generate().unwrap(), &root).unwrap();
        let key = KeyPair::generate().unwrap();
        let own =
            CertificateParams::new(vec!["client".to_owned()]).unwrap().signed_by(&key, &between).unwrap();
        Self {
            chain_pem: format!("{}{}", own.pem(), between.pem()),
            key_pem: key.serialize_pem(),
            der: own.der().to_vec(),
            issuer_der: between.der().to_vec(),
            root_pem: root.pem(),
        }
    }

    /// One that nobody but itself has signed.
    ///
    /// # Panics
    /// Never: such certificates can be made.
    #[must_use]
    pub fn self_signed() -> Self {
        let key = KeyPair::generate().unwrap();
        let own = CertificateParams::new(vec!["client".to_owned()]).unwrap().self_signed(&key).unwrap();
        Self {
            chain_pem: own.pem(),
            key_pem: key.serialize_pem(),
            der: own.der().to_vec(),
            issuer_der: own.der().to_vec(),
            root_pem: own.pem(),
        }
    }
}
