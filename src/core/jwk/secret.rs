//! Secrets for HMAC (RFC 7518 3.2) as people write them.

use std::fmt;

use super::pem;
use crate::core::signature::{KeyError, VerifyingKey};
use crate::core::token::base64url;

/// Why a text is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretError {
    /// Not base64, though it was said to be.
    NotBase64,
    /// A public key: whoever knows it, and that is everyone, could sign tokens with it (RFC 8725 2.1).
    PublicKey,
    /// Too short.
    Key(KeyError),
}

/// Makes a key of a secret: of `text` itself, or of what it is the base64 of.
///
/// # Errors
/// See [`SecretError`].
pub fn parse(text: &[u8], base64: bool) -> Result<VerifyingKey, SecretError> {
    if is_public_key(text) {
        return Err(SecretError::PublicKey);
    }
    let key = if base64 {
        VerifyingKey::hmac(&base64url::decode_lenient(text).ok_or(SecretError::NotBase64)?)
    } else {
        VerifyingKey::hmac(text)
    };
    key.map_err(SecretError::Key)
}

/// A PEM that lost its first line, the base64 inside it, DER, a JWK or a key of SSH: public keys in a place for secrets.
fn is_public_key(text: &[u8]) -> bool {
    let words: [&[u8]; 4] = [b"PUBLIC KEY", b"CERTIFICATE", b"-----BEGIN", b"\"kty\""];
    let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
    let starts = |prefix: &[u8]| text.trim_ascii_start().starts_with(prefix);
    let unfolded = || text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>();
    words.into_iter().any(has)
        || starts(b"ssh-")
        || starts(b"ecdsa-sha2-")
        || pem::is_public_key(text)
        || base64url::decode_lenient(&unfolded()).is_some_and(|der| pem::is_public_key(&der))
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64 => f.write_str("the secret is not base64"),
            Self::PublicKey => {
                f.write_str("a public key stands where a secret belongs: everyone could sign with it")
            }
            Self::Key(error) => error.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SecretError, parse};
    use crate::core::signature::KeyError;
    use crate::core::token::base64url;

    #[test]
    fn secrets_are_secret_and_long_enough_rfc_7518_3_2_rfc_8725_2_1() {
        let pem = include_str!("../../../tests/vectors/pem/rsa-2048.pem");
        let ed25519 = include_str!("../../../tests/vectors/pem/ed25519.pem");
        let inside =
            |pem: &str| pem.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().join("\n");
        let der = base64url::decode_lenient(inside(ed25519).as_bytes()).unwrap();
        let public = Err(SecretError::PublicKey);
        let short = |bytes| Err(SecretError::Key(KeyError::SecretTooShort { bytes }));
        let random = [b'x'; 32];
        for (text, base64, expected) in [
            (&random[..], false, Ok(())),
            (b"0000000000000000000000000000000000000000000000000000".as_slice(), false, Ok(())),
            (b"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=", true, Ok(())),
            (b"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg", true, Ok(())),
            (b"short", false, short(5)),
            (b"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eA==", true, short(25)),
            (b"not base64!", true, Err(SecretError::NotBase64)),
            (pem.as_bytes(), false, public),
            (inside(pem).as_bytes(), false, public),
            (inside(pem).as_bytes(), true, public),
            (inside(ed25519).as_bytes(), false, public),
            (pem.trim_start_matches('-').as_bytes(), false, public),
            (&der, false, public),
            (br#"{"kty":"RSA","n":"...................."}"#, false, public),
            (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA", false, public),
        ] {
            let found = parse(text, base64).map(|_| ());
            assert_eq!(found, expected, "{:?} {base64}", String::from_utf8_lossy(text));
        }
    }
}
