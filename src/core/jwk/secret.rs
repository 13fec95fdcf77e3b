//! Secrets for HMAC (RFC 7518 3.2) as people write them.

use super::pem;
use super::secret_bytes::{SecretError, of_bytes, refuse_recognised};
use crate::core::signature::VerifyingKey;
use crate::core::token::base64url;

/// Makes a key of a secret: of `text` itself, or of the bytes that it encodes in base64. Files, variables and Kubernetes
/// secrets usually end in a line break that is not a part of the secret: one is removed.
///
/// # Errors
/// See [`SecretError`].
pub fn parse(text: &[u8], base64: bool) -> Result<VerifyingKey, SecretError> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    if is_public_key(text) {
        return Err(SecretError::PublicKey);
    }
    if !base64 {
        return of_bytes(text);
    }
    refuse_recognised(text)?;
    of_bytes(&base64url::decode_lenient(text).ok_or(SecretError::NotBase64)?)
}

/// A PEM without its first line, the base64 inside it, DER, a JWK or an SSH key: public keys in the place of a secret.
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

#[cfg(test)]
mod tests {
    use super::{SecretError, parse};
    use crate::core::jwk::no_secret::NoSecret;
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
        let random = b"0123456789abcdef0123456789abcdef";
        let sample = Err(SecretError::NoSecret(NoSecret::Sample));
        for (text, base64, expected) in [
            (&random[..], false, Ok(())),
            (b"0123456789abcdef0123456789abcdef\n".as_slice(), false, Ok(())),
            (b"0123456789abcdef0123456789abcdef\r\n", false, Ok(())),
            (
                b"0000000000000000000000000000000000000000000000000000",
                false,
                Err(SecretError::Monotonous { different: 1 }),
            ),
            (b"12345671234567123456712345671234567", false, Err(SecretError::Monotonous { different: 7 })),
            (b"12345678123456781234567812345678", false, Ok(())),
            (b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", true, Ok(())),
            (b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\n", true, Ok(())),
            (b"MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY", true, Ok(())),
            (
                b"eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=",
                true,
                Err(SecretError::Monotonous { different: 1 }),
            ),
            (b"change-me-to-a-secret-of-32-bytes!", false, sample),
            (b"Y2hhbmdlLW1lLXRvLWEtc2VjcmV0LW9mLTMyLWJ5dGVzIQ==", true, sample),
            (b"/run/secrets/jwt", true, Err(SecretError::NoSecret(NoSecret::Path))),
            (b"/wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4=", true, Ok(())),
            (b"0123456789abcdef0123456789abcde\n\n", false, Ok(())),
            (b"0123456789abcdef0123456789abcde\n", false, short(31)),
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
