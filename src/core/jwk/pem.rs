//! PEM (RFC 7468): the blocks of a text, and the public keys in them: SubjectPublicKeyInfo, PKCS#1 and certificates.
//!
//! A public key is what stands in the block, whichever label of public keys is around it, and one without any is read as
//! well: providers show it so.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::certificate;
use super::jwk::Jwk;
use super::spki::{self, Spki, SpkiError};
use crate::core::limits::MAX_SHOWN_CHARS;
use crate::core::signature::KeyError;
use crate::core::text::{Quoted, cut};
use crate::core::token::base64url;

/// Why a text does not contain usable public keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PemError {
    /// No line `-----BEGIN …-----`.
    NoBlock,
    /// A block without the END of the same label.
    NoEnd {
        /// The label of its BEGIN.
        label: String,
    },
    /// A private key instead of a public one.
    PrivateKey {
        /// The label found.
        label: String,
    },
    /// Some other kind of block.
    UnknownLabel {
        /// The label found.
        label: String,
    },
    /// Something else than the expected private key.
    NotAPrivateKey {
        /// The label found.
        label: String,
    },
    /// A public key instead of a certificate.
    NotACertificate {
        /// The label found.
        label: &'static str,
    },
    /// The content of a block is not base64 with padding.
    NotBase64 {
        /// The label of the block.
        label: &'static str,
    },
    /// The content of a block does not match its label.
    NotDer {
        /// The label of the block.
        label: &'static str,
    },
    /// A kind of key that is not supported.
    UnknownKey {
        /// The label of the block.
        label: &'static str,
    },
    /// The key material is rejected.
    Key(KeyError),
}

/// The blocks that are read as public keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Block {
    /// RFC 7468 13
    PublicKey,
    /// RFC 8017 A.1.1
    RsaPublicKey,
    /// No registered label, and what some tools write.
    EcPublicKey,
    /// RFC 7468 5
    Certificate,
}

impl Block {
    const ALL: [Self; 4] = [Self::PublicKey, Self::RsaPublicKey, Self::EcPublicKey, Self::Certificate];

    pub(in crate::core) const fn label(self) -> &'static str {
        match self {
            Self::PublicKey => "PUBLIC KEY",
            Self::RsaPublicKey => "RSA PUBLIC KEY",
            Self::EcPublicKey => "EC PUBLIC KEY",
            Self::Certificate => "CERTIFICATE",
        }
    }
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// The public keys of all blocks of `text`, in their order, without `kid`. Text between blocks is allowed (RFC
/// 7468 2). Labels of containers and environment variables deliver a PEM in one line, with spaces or the two
/// characters `\n` in place of line ends: white space inside a block does not matter. The base64 of one key or certificate
/// alone is read as well, without the lines around it: what Keycloak shows of a realm, or an `x5c` holds.
///
/// # Errors
/// See [`PemError`]. One bad block makes the whole text invalid: it is configuration, and an intended key would be missing.
pub fn parse(text: &str) -> Result<Vec<Jwk>, PemError> {
    match blocks(text) {
        Err(PemError::NoBlock) => Ok(vec![bare(text)?]),
        blocks => blocks?.iter().map(|(block, der)| key(*block, der)).collect(),
    }
}

/// Whether `der` is a public key, as in a block of PEM.
pub(super) fn is_public_key(der: &[u8]) -> bool {
    spki::rsa_public_key(der).is_some()
        || Spki::of(der).is_some()
        || certificate::subject_public_key(der).is_some()
}

/// The key of a text without any block.
fn bare(text: &str) -> Result<Jwk, PemError> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let der = base64url::decode_either(&digits).filter(|der| is_public_key(der)).ok_or(PemError::NoBlock)?;
    let is_certificate = certificate::subject_public_key(&der).is_some();
    key(if is_certificate { Block::Certificate } else { Block::PublicKey }, &der)
}

fn key(block: Block, der: &[u8]) -> Result<Jwk, PemError> {
    let label = block.label();
    let key = match block {
        Block::PublicKey | Block::RsaPublicKey | Block::EcPublicKey => spki::parse(der),
        Block::Certificate => certificate::parse(der),
    };
    key.map_err(|error| match error {
        SpkiError::NotDer => PemError::NotDer { label },
        SpkiError::UnknownKey => PemError::UnknownKey { label },
        SpkiError::Key(error) => PemError::Key(error),
    })
}

/// All blocks of `text` with their content; at least one.
///
/// # Errors
/// `NoBlock`, `NoEnd`, `PrivateKey`, `UnknownLabel`, `NotBase64`.
pub(in crate::core) fn blocks(text: &str) -> Result<Vec<(Block, Vec<u8>)>, PemError> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((label, content, after)) = next_block(rest)? {
        rest = after;
        let block = match Block::ALL.into_iter().find(|block| block.label() == label) {
            Some(block) => block,
            None if label.ends_with("PRIVATE KEY") => {
                return Err(PemError::PrivateKey { label: shown(label) });
            }
            None => return Err(PemError::UnknownLabel { label: shown(label) }),
        };
        blocks.push((block, base64(block.label(), content)?));
    }
    if blocks.is_empty() { Err(PemError::NoBlock) } else { Ok(blocks) }
}

/// Label and content of the first block of `text`, and what follows it.
///
/// # Errors
/// `NoBlock`, `NoEnd`.
pub(in crate::core) fn next_block(text: &str) -> Result<Option<(&str, &str, &str)>, PemError> {
    let Some((_, after)) = text.split_once(BEGIN) else {
        return Ok(None);
    };
    let (label, after) = after.split_once(DASHES).ok_or(PemError::NoBlock)?;
    let no_end = || PemError::NoEnd { label: shown(label) };
    let (content, after) = after.split_once(END).ok_or_else(no_end)?;
    let rest = after.strip_prefix(label).and_then(|after| after.strip_prefix(DASHES)).ok_or_else(no_end)?;
    Ok(Some((label, content, rest)))
}

/// The part of a label that a log line shows.
pub(in crate::core) fn shown(label: &str) -> String {
    cut(label, MAX_SHOWN_CHARS).into_owned()
}

/// The content of a block.
///
/// # Errors
/// `NotBase64`.
pub(in crate::core) fn base64(label: &'static str, content: &str) -> Result<Vec<u8>, PemError> {
    let lines = content.replace("\\r", "").replace("\\n", "");
    let digits: Vec<u8> = lines.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    base64url::decode_padded(&digits).ok_or(PemError::NotBase64 { label })
}

/// Appends a block with `der` to `lines`.
pub(in crate::core) fn write_block(lines: &mut String, label: &str, der: &[u8]) {
    lines.push_str(&format!("{BEGIN}{label}{DASHES}\n"));
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        lines.push_str(&String::from_utf8_lossy(line));
        lines.push('\n');
    }
    lines.push_str(&format!("{END}{label}{DASHES}\n"));
}

impl fmt::Display for PemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBlock => f.write_str(
                "no PEM block, expected -----BEGIN PUBLIC KEY-----, or the base64 inside it alone",
            ),
            Self::NoEnd { label } => {
                write!(f, "the PEM block {} has no -----END {label}-----", Quoted(label))
            }
            Self::PrivateKey { label } => {
                write!(
                    f,
                    "the PEM block {} is a private key, expected the public key that belongs to it",
                    Quoted(label)
                )
            }
            Self::UnknownLabel { label } => {
                write!(
                    f,
                    "the PEM block is {}, expected PUBLIC KEY, RSA PUBLIC KEY or CERTIFICATE",
                    Quoted(label)
                )
            }
            Self::NotAPrivateKey { label } => write!(
                f,
                "the PEM block is {}, expected PRIVATE KEY, RSA PRIVATE KEY or EC PRIVATE KEY",
                Quoted(label)
            ),
            Self::NotACertificate { label } => {
                write!(f, "the PEM block is {}, expected CERTIFICATE", Quoted(label))
            }
            Self::NotBase64 { label } => write!(f, "the PEM block {} is not base64", Quoted(label)),
            Self::NotDer { label } => {
                write!(f, "the PEM block {} does not contain what its label says", Quoted(label))
            }
            Self::UnknownKey { label } => {
                write!(
                    f,
                    "the PEM block {} has a key other than RSA, P-256, P-384, P-521, secp256k1, Ed25519 or ML-DSA",
                    Quoted(label)
                )
            }
            Self::Key(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PemError, parse};
    use crate::core::signature::KeyError;
    use crate::core::signature::alg::Crv;
    use proptest::prelude::*;

    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!("../../../tests/vectors/pem/", $name, ".pem"))
        };
    }

    /// The keys of a text, as `Debug` prints them.
    fn keys(text: &str) -> Result<Vec<String>, PemError> {
        parse(text).map(|keys| keys.iter().map(|jwk| format!("{:?}", jwk.key())).collect())
    }

    #[test]
    fn spki_pkcs1_and_certificates_rfc_7468() {
        for (text, key) in [
            (pem!("rsa-2048"), "RSA of 2048 bits"),
            (pem!("rsa-2049"), "RSA of 2049 bits"),
            (pem!("rsa-2052"), "RSA of 2052 bits"),
            (pem!("rsa-2048-pkcs1"), "RSA of 2048 bits"),
            (pem!("rsa-2048-certificate"), "RSA of 2048 bits"),
            (pem!("p-256"), "EC on P-256"),
            (pem!("p-256-compressed"), "EC on P-256"),
            (pem!("p-256-certificate"), "EC on P-256"),
            (pem!("p-384"), "EC on P-384"),
            (pem!("p-384-certificate"), "EC on P-384"),
            (pem!("p-521"), "EC on P-521"),
            (pem!("p-521-certificate"), "EC on P-521"),
            (pem!("secp256k1"), "EC on secp256k1"),
            (pem!("ed25519"), "OKP on Ed25519"),
            (pem!("ed25519-certificate"), "OKP on Ed25519"),
        ] {
            assert_eq!(keys(text), Ok(vec![key.to_owned()]), "{text}");
            assert!(parse(text).unwrap().iter().all(|jwk| jwk.kid.is_none() && jwk.alg.is_none()));
        }
    }

    #[test]
    fn keys_of_pem_have_the_names_that_they_have_by_themselves() {
        for (plain, certificate) in [
            (pem!("p-256"), pem!("p-256-certificate")),
            (pem!("p-384"), pem!("p-384-certificate")),
            (pem!("p-521"), pem!("p-521-certificate")),
            (pem!("ed25519"), pem!("ed25519-certificate")),
            (pem!("rsa-2048"), pem!("rsa-2048-certificate")),
        ] {
            let (plain, certificate) = (parse(plain).unwrap(), parse(certificate).unwrap());
            assert_eq!((&plain[0].x5t_s256, plain[0].thumbprint.as_ref().unwrap().len()), (&None, 43));
            assert_eq!(certificate[0].x5t_s256.as_ref().unwrap().len(), 43);
            assert_eq!(certificate[0].thumbprint.as_ref().unwrap().len(), 43);
        }
        let thumbprint = |text| parse(text).unwrap().remove(0).thumbprint;
        assert_eq!(thumbprint(pem!("rsa-2048")), thumbprint(pem!("rsa-2048-pkcs1")));
        assert_eq!(thumbprint(pem!("p-256-compressed")), None);
    }

    #[test]
    fn several_blocks_with_text_between_them_rfc_7468_2() {
        let text =
            ["first\n", pem!("ed25519"), "\nand\n", pem!("p-384-certificate"), pem!("rsa-2048-pkcs1"), "end"];
        let expected = ["OKP on Ed25519", "EC on P-384", "RSA of 2048 bits"];
        assert_eq!(keys(&text.concat()), Ok(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn one_line_as_labels_and_variables_deliver_it() {
        for newline in ["\n", "\r\n", "\\n", "\\r\\n", " ", "", "\n    ", "\t"] {
            for text in [pem!("rsa-2048-certificate"), pem!("ed25519")] {
                assert!(keys(&text.replace('\n', newline)).is_ok(), "{newline:?} {text}");
            }
        }
    }

    /// The base64 of a block, in one line.
    fn inside(text: &str) -> String {
        text.lines().filter(|line| !line.starts_with('-')).collect()
    }

    #[test]
    fn a_key_without_the_lines_around_it_is_the_same_key() {
        for text in [
            pem!("rsa-2048"),
            pem!("rsa-2048-pkcs1"),
            pem!("p-256"),
            pem!("ed25519"),
            pem!("rsa-2048-certificate"),
            pem!("p-256-certificate"),
        ] {
            let names = |text: &str| {
                let key = parse(text).unwrap().remove(0);
                (key.thumbprint, key.x5t_s256, format!("{:?}", key.key))
            };
            let bare = inside(text);
            for bare in [
                bare.clone(),
                format!(" {bare}\n"),
                text.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\n"),
            ] {
                assert_eq!(names(&bare), names(text), "{bare}");
            }
        }
    }

    #[test]
    fn a_public_key_is_what_stands_in_the_block() {
        for text in [pem!("rsa-2048"), pem!("rsa-2048-pkcs1"), pem!("p-256"), pem!("ed25519")] {
            let plain = text.replace("RSA PUBLIC KEY", "PUBLIC KEY");
            for label in ["PUBLIC KEY", "RSA PUBLIC KEY", "EC PUBLIC KEY"] {
                assert_eq!(keys(&plain.replace("PUBLIC KEY", label)), keys(text), "{label}");
            }
        }
    }

    #[test]
    fn what_is_no_usable_public_key_is_refused_with_its_reason() {
        let spki = "PUBLIC KEY";
        let block = |label: &str, content: &str| {
            format!("-----BEGIN {label}-----\n{content}\n-----END {label}-----\n")
        };
        let other_tag_length = pem!("ed25519").replace("AyEA", "AyEB");
        let other_y = pem!("p-256").replace("zXb57MZz", "zZM75bXz");
        let trailing_byte = pem!("ed25519").replace('=', "A");
        for (text, error) in [
            (String::new(), PemError::NoBlock),
            ("MCowBQYDK2VwAyEA".to_owned(), PemError::NoBlock),
            ("x".repeat(400), PemError::NoBlock),
            (inside(pem!("rsa-2048")).replacen('M', "N", 1), PemError::NoBlock),
            (inside(pem!("rsa-2048")) + "AAAA", PemError::NoBlock),
            (inside(pem!("rsa-1024")), PemError::Key(KeyError::RsaModulusSize { bits: 1024 })),
            (inside(pem!("ed448")), PemError::UnknownKey { label: spki }),
            ("-----BEGIN PUBLIC KEY".to_owned(), PemError::NoBlock),
            ("-----BEGIN PUBLIC KEY-----\nAAAA\n".to_owned(), PemError::NoEnd { label: spki.to_owned() }),
            (
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END CERTIFICATE-----".to_owned(),
                PemError::NoEnd { label: spki.to_owned() },
            ),
            (block("PRIVATE KEY", "AAAA"), PemError::PrivateKey { label: "PRIVATE KEY".to_owned() }),
            (block("RSA PRIVATE KEY", "AAAA"), PemError::PrivateKey { label: "RSA PRIVATE KEY".to_owned() }),
            (block("EC PRIVATE KEY", "AAAA"), PemError::PrivateKey { label: "EC PRIVATE KEY".to_owned() }),
            (
                block("ENCRYPTED PRIVATE KEY", "AAAA"),
                PemError::PrivateKey { label: "ENCRYPTED PRIVATE KEY".to_owned() },
            ),
            (
                block("OPENSSH PRIVATE KEY", "AAAA"),
                PemError::PrivateKey { label: "OPENSSH PRIVATE KEY".to_owned() },
            ),
            (
                block("CERTIFICATE REQUEST", "AAAA"),
                PemError::UnknownLabel { label: "CERTIFICATE REQUEST".to_owned() },
            ),
            (block("public key", "AAAA"), PemError::UnknownLabel { label: "public key".to_owned() }),
            (block(spki, "AAA"), PemError::NotBase64 { label: spki }),
            (block(spki, "AA-_"), PemError::NotBase64 { label: spki }),
            (block(spki, "AB=="), PemError::NotBase64 { label: spki }),
            (block(spki, ""), PemError::NotDer { label: spki }),
            (block(spki, "AAAA"), PemError::NotDer { label: spki }),
            (other_tag_length, PemError::NotDer { label: spki }),
            (trailing_byte, PemError::NotDer { label: spki }),
            (pem!("p-256").replace("PUBLIC KEY", "CERTIFICATE"), PemError::NotDer { label: "CERTIFICATE" }),
            (
                pem!("p-256-certificate").replace("CERTIFICATE", "EC PUBLIC KEY"),
                PemError::NotDer { label: "EC PUBLIC KEY" },
            ),
            (pem!("rsa-1024").to_owned(), PemError::Key(KeyError::RsaModulusSize { bits: 1024 })),
            (pem!("rsa-pss").to_owned(), PemError::UnknownKey { label: spki }),
            (pem!("p-256-explicit").to_owned(), PemError::UnknownKey { label: spki }),
            (pem!("ed448").to_owned(), PemError::UnknownKey { label: spki }),
            (pem!("x25519").to_owned(), PemError::UnknownKey { label: spki }),
            (other_y, PemError::Key(KeyError::NotOnCurve { crv: Crv::P256 })),
            // One bad block invalidates the good one before it.
            (
                [pem!("ed25519"), pem!("rsa-1024")].concat(),
                PemError::Key(KeyError::RsaModulusSize { bits: 1024 }),
            ),
        ] {
            assert_eq!(keys(&text), Err(error), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,64}") {
            let _ = parse(&text);
            let _ = parse(&format!("-----BEGIN PUBLIC KEY-----{text}-----END PUBLIC KEY-----"));
        }

        #[test]
        fn any_der_is_read_without_a_panic(der in prop::collection::vec(any::<u8>(), 0..200), block in 0..4_usize) {
            let _ = super::key(super::Block::ALL[block], &der);
        }

        #[test]
        fn a_changed_key_is_a_key_or_an_error(at in any::<prop::sample::Index>(), byte in any::<u8>(), which in 0..4_usize) {
            let text = [pem!("rsa-2048"), pem!("p-256-certificate"), pem!("ed25519"), pem!("rsa-2048-certificate")][which];
            let mut bytes = text.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }
    }
}
