//! The client certificate that a proxy hands on in a header (RFC 8705 3, RFC 9440), as `x5t#S256`.

use crate::core::signature::alg::Hash;
use crate::core::token::base64url;

/// How the header has the certificate (`proofs.certificateFormat`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CertificateFormat {
    /// Traefik's `passTLSClientCert` with `pem: true`: base64 of the DER without armour, the client's own first, separated
    /// by commas.
    #[default]
    Traefik,
    /// PEM, percent-encoded: nginx's `$ssl_client_escaped_cert`, AWS ALB's `X-Amzn-Mtls-Clientcert`.
    PemEscaped,
    /// Envoy's `X-Forwarded-Client-Cert` with one element: `Cert`, else `Hash`.
    Xfcc,
    /// `Client-Cert` (RFC 9440 2.2).
    Rfc9440,
}

impl CertificateFormat {
    /// Every format with its name in the configuration.
    pub const ALL: [(&'static str, Self); 4] = [
        ("traefik", Self::Traefik),
        ("pem-escaped", Self::PemEscaped),
        ("xfcc", Self::Xfcc),
        ("rfc9440", Self::Rfc9440),
    ];

    /// `x5t#S256` of the certificate in the value of the header: of the first, which is the client's own. `None` if the
    /// value is not in this form.
    #[must_use]
    pub fn thumbprint(self, value: &[u8]) -> Option<String> {
        match self {
            Self::Traefik => {
                let first = value.split(|byte| *byte == b',').next()?;
                of_der(&base64url::decode_padded(first.trim_ascii())?)
            }
            Self::PemEscaped => of_escaped_pem(value),
            Self::Xfcc => of_xfcc(value),
            Self::Rfc9440 => {
                // An item of structured fields (RFC 8941 3.3.5): nothing follows it here.
                let base64 = value.trim_ascii().strip_prefix(b":")?.strip_suffix(b":")?;
                of_der(&base64url::decode_padded(base64)?)
            }
        }
    }
}

/// A certificate is a SEQUENCE, which no other text in such a header begins like.
fn of_der(der: &[u8]) -> Option<String> {
    der.starts_with(&[0x30]).then(|| base64url::encode(&Hash::Sha256.digest(&[der])))
}

fn of_escaped_pem(value: &[u8]) -> Option<String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let pem = String::from_utf8(unescaped(value)?).ok()?;
    let (base64, _) = pem.trim_start().strip_prefix(BEGIN)?.split_once(END)?;
    let base64: Vec<u8> = base64.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    of_der(&base64url::decode_padded(&base64)?)
}

/// Percent-decoding (RFC 3986 2.1); a `+` is itself, as base64 has it.
fn unescaped(value: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::with_capacity(value.len());
    let mut rest = value.iter();
    while let Some(byte) = rest.next() {
        decoded.push(if *byte == b'%' {
            (digit(*rest.next()?)? << 4) | digit(*rest.next()?)?
        } else {
            *byte
        });
    }
    Some(decoded)
}

/// `KEY=VALUE;…` where a value may stand in quotes. A comma outside of them begins the element of another proxy, and which
/// of the two saw the client is unknown.
fn of_xfcc(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let (mut certificate, mut hash) = (None, None);
    let mut rest = text;
    while !rest.is_empty() {
        let (key, behind) = rest.split_once('=')?;
        // Something without a value is in front of it, which would hide what it says.
        if key.contains([';', ',']) {
            return None;
        }
        let (value, behind) = match behind.strip_prefix('"') {
            // A quote inside is escaped; what is looked for here has none.
            Some(quoted) => {
                let end = quoted_end(quoted)?;
                (quoted.get(..end)?, quoted.get(end.checked_add(1)?..)?)
            }
            None => behind.split_at_checked(behind.find([';', ',']).unwrap_or(behind.len()))?,
        };
        let place = match key.trim() {
            key if key.eq_ignore_ascii_case("Cert") => Some(&mut certificate),
            key if key.eq_ignore_ascii_case("Hash") => Some(&mut hash),
            _ => None,
        };
        if let Some(place) = place
            && place.replace(value).is_some()
        {
            return None;
        }
        rest = match behind.strip_prefix(';') {
            Some(more) => more,
            None if behind.is_empty() => behind,
            None => return None,
        };
    }
    match (certificate, hash) {
        (Some(certificate), _) => of_escaped_pem(certificate.as_bytes()),
        (None, Some(hash)) => of_hex(hash),
        (None, None) => None,
    }
}

/// Where the quote is that ends a value.
fn quoted_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// SHA-256 in hexadecimal.
fn of_hex(hash: &str) -> Option<String> {
    let (pairs, rest) = hash.as_bytes().as_chunks::<2>();
    let mut bytes = Vec::new();
    for [high, low] in pairs {
        bytes.push((digit(*high)? << 4) | digit(*low)?);
    }
    (bytes.len() == 32 && rest.is_empty()).then(|| base64url::encode(&bytes))
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    u8::try_from(char::from(byte).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::CertificateFormat;
    use crate::core::token::base64url;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    const PEM: &str = include_str!("../../../tests/vectors/pem/p-256-certificate.pem");
    const OTHER: &str = include_str!("../../../tests/vectors/pem/p-384-certificate.pem");

    fn base64(pem: &str) -> String {
        pem.lines().filter(|line| !line.starts_with('-')).collect()
    }

    fn escaped(pem: &str, plain: &str) -> String {
        let keep = |c: char| c.is_ascii_alphanumeric() || plain.contains(c);
        pem.chars().map(|c| if keep(c) { c.to_string() } else { format!("%{:02X}", c as u32) }).collect()
    }

    #[test]
    fn the_first_certificate_in_each_format() {
        let (first, second) = (base64(PEM), base64(OTHER));
        let hash = Sha256::digest(STANDARD.decode(&first).unwrap());
        let expected = base64url::encode(&hash);
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let chain = format!("{PEM}{OTHER}");
        use CertificateFormat::{PemEscaped, Rfc9440, Traefik, Xfcc};
        for (format, value) in [
            (Traefik, first.clone()),
            (Traefik, format!("{first},{second}")),
            (PemEscaped, escaped(PEM, "")),
            (PemEscaped, escaped(PEM, "+=/ -")),
            (PemEscaped, escaped(&chain, "")),
            (Xfcc, format!("Hash={hex}")),
            (
                Xfcc,
                format!(
                    "By=spiffe://a/b;Hash={};Subject=\"CN=a,O=\\\"b\\\";c\";URI=spiffe://x",
                    hex.to_uppercase()
                ),
            ),
            (Xfcc, format!("By=a;Cert=\"{}\"", escaped(PEM, ""))),
            (Xfcc, format!("Hash={hex};Cert=\"{}\";Chain=\"{}\"", escaped(PEM, ""), escaped(&chain, ""))),
            (Rfc9440, format!(":{first}:")),
        ] {
            assert_eq!(format.thumbprint(value.as_bytes()), Some(expected.clone()), "{format:?} {value}");
        }
    }

    /// What follows a quoted value is the next element, or nothing.
    #[test]
    fn nothing_stands_beside_a_quoted_value() {
        let hex = "ab".repeat(32);
        for (value, expected) in [
            (format!("URI=\"a\";Hash={hex}"), true),
            (format!("Hash=\"{hex}\""), true),
            (format!("URI=\"a\"b;Hash={hex}"), false),
            (format!("URI=\"a\"Hash={hex}"), false),
            (format!("Hash=\"{hex}\"b=c"), false),
        ] {
            let found = CertificateFormat::Xfcc.thumbprint(value.as_bytes());
            assert_eq!(found.is_some(), expected, "{value}");
        }
    }

    #[test]
    fn no_other_form() {
        let (first, escaped) = (base64(PEM), escaped(PEM, ""));
        let hex = "ab".repeat(32);
        use CertificateFormat::{PemEscaped, Rfc9440, Traefik, Xfcc};
        for (format, value) in [
            (Traefik, String::new()),
            (Traefik, format!(",{first}")),
            (Traefik, first.replace('=', "") + "!"),
            (Traefik, escaped.clone()),
            (Traefik, "AAAA".into()),
            (PemEscaped, String::new()),
            (PemEscaped, first.clone()),
            (PemEscaped, escaped.replace("CERTIFICATE", "PUBLIC%20KEY")),
            (PemEscaped, format!("{escaped}%")),
            (PemEscaped, escaped.replace("END", "FIN")),
            (Xfcc, String::new()),
            (Xfcc, format!("Hash={hex},Hash={hex}")),
            (Xfcc, format!("By=a;Hash={hex},By=b;Hash={hex}")),
            (Xfcc, format!("Hash={hex};hash={hex}")),
            (Xfcc, format!("Hash={hex};a;hash={hex}")),
            (Xfcc, format!("a,Hash={hex};Hash={hex}")),
            (Xfcc, format!("a;Hash={hex};Hash={hex}")),
            (Xfcc, format!("Hash={hex}0")),
            (Xfcc, "Hash=".into()),
            (Xfcc, format!("URI=\"Hash={hex}")),
            (Xfcc, format!("URI=\";Hash={hex}\"")),
            (Xfcc, "Cert=\"x\"".into()),
            (Rfc9440, first.clone()),
            (Rfc9440, format!(":{first}:, :{first}:")),
            (Rfc9440, format!(":{first}")),
        ] {
            assert_eq!(format.thumbprint(value.as_bytes()), None, "{format:?} {value}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn no_value_panics(value in prop_oneof![
            "([A-Za-z0-9+/=:,;\"%\\\\]|Hash=|Cert=|%[0-9A-F]{2}){0,40}",
            "-----BEGIN CERTIFICATE-----[A-Za-z0-9%\n]{0,20}-----END CERTIFICATE-----",
        ]) {
            for (_, format) in CertificateFormat::ALL {
                let _ = format.thumbprint(value.as_bytes());
            }
        }
    }
}
