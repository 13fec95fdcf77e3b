//! Certificates and private keys of `clientConfig.tls`: texts for the TLS library, in the one form that it reads.

use crate::core::jwk::certificate;
use crate::core::jwk::pem::{self, Block, PemError};

/// The certificates of `text`, which may be written as in [`pem::parse`], as PEM with lines. Their keys may be of any kind.
///
/// # Errors
/// See [`PemError`].
pub fn certificates(text: &str) -> Result<String, PemError> {
    let mut lines = String::new();
    for (block, der) in pem::blocks(text)? {
        let label = block.label();
        if block != Block::Certificate {
            return Err(PemError::NotACertificate { label });
        }
        if certificate::subject_public_key(&der).is_none() {
            return Err(PemError::NotDer { label });
        }
        pem::write_block(&mut lines, label, &der);
    }
    Ok(lines)
}

/// The private key of `text`, which may be written as in [`pem::parse`], as PEM with lines. Whether it is one shows when it
/// is used: this project reads no private keys.
///
/// # Errors
/// `NoBlock`, `NoEnd`, `NotAPrivateKey` for anything but PKCS#8, PKCS#1 and SEC 1 without encryption, `NotBase64`.
pub fn private_key(text: &str) -> Result<String, PemError> {
    let mut rest = text;
    let mut lines = String::new();
    while let Some((label, content, after)) = pem::next_block(rest)? {
        rest = after;
        let known =
            ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"].into_iter().find(|known| *known == label);
        match known {
            Some(label) => pem::write_block(&mut lines, label, &pem::base64(label, content)?),
            // openssl writes these before the key.
            None if label == "EC PARAMETERS" => {}
            None => return Err(PemError::NotAPrivateKey { label: pem::shown(label) }),
        }
    }
    if lines.is_empty() { Err(PemError::NoBlock) } else { Ok(lines) }
}

#[cfg(test)]
mod tests {
    use super::certificates;
    use crate::core::jwk::PemError;

    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!("../../tests/vectors/pem/", $name, ".pem"))
        };
    }

    #[test]
    fn certificates_come_back_with_lines_and_nothing_else_passes() {
        let text = pem!("p-256-certificate");
        let one_line = text.replace('\n', "\\n");
        assert_eq!(certificates(text).as_deref(), Ok(text));
        assert_eq!(certificates(&[one_line.as_str(), " ", text].concat()), Ok([text, text].concat()));
        for (text, error) in [
            (pem!("p-256").to_owned(), PemError::NotACertificate { label: "PUBLIC KEY" }),
            (
                text.replace("CERTIFICATE", "RSA PRIVATE KEY"),
                PemError::PrivateKey { label: "RSA PRIVATE KEY".into() },
            ),
            (pem!("p-256").replace("PUBLIC KEY", "CERTIFICATE"), PemError::NotDer { label: "CERTIFICATE" }),
            (String::new(), PemError::NoBlock),
            // Base64 without the PEM lines is not a certificate here: a path may look like it.
            (
                text.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\n"),
                PemError::NoBlock,
            ),
        ] {
            assert_eq!(certificates(&text), Err(error));
        }
    }
}
