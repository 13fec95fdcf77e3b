//! The public key that the sender of a proof brings along in its header (RFC 9449 4.2). It is worth nothing before its
//! thumbprint is the one that a token is bound to.

use super::jwk::{Material, check_key_ops, check_use, material, own_alg};
use super::public_key::PublicKey;
use super::thumbprint;
use super::{JwkError, Origin};
use crate::core::json::{Kind, Value};
use crate::core::signature::VerifyingKey;
use crate::core::signature::alg::Alg;

/// Members that only a private key or a secret has (RFC 7518 6.2.2, 6.3.2 and 6.4, RFC 8037 2, RFC 9964 4).
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A public key with its thumbprint.
pub struct PresentedKey {
    key: PublicKey,
    alg: Option<Alg>,
    /// Its thumbprint (RFC 7638).
    pub thumbprint: String,
}

impl PresentedKey {
    /// Reads a JWK. Whether its numbers are a key that is strong enough is still open.
    ///
    /// # Errors
    /// Those of [`parse`](super::jwk::parse) but for [`JwkError::Key`]; [`JwkError::Private`].
    pub fn parse(value: Value<'_>) -> Result<Self, JwkError> {
        if value.kind() != Kind::Object {
            return Err(JwkError::NotAnObject);
        }
        if PRIVATE.iter().any(|member| value.member(member).is_some()) {
            return Err(JwkError::Private);
        }
        check_use(value)?;
        check_key_ops(value)?;
        let alg = own_alg(value)?;
        match material(value, Origin::Fetched)? {
            Material::Public(key) => Ok(Self { thumbprint: thumbprint::of(&key), key, alg }),
            Material::Secret(_) => Err(JwkError::SecretFetched),
        }
    }

    /// The key proper.
    ///
    /// # Errors
    /// [`JwkError::Key`] for a weak one, or numbers that are none.
    pub fn key(&self) -> Result<VerifyingKey, JwkError> {
        self.key.verifying().map_err(JwkError::Key)
    }

    /// Whether the key names no other algorithm than `alg` (RFC 7517 4.4).
    #[must_use]
    pub fn admits(&self, alg: Alg) -> bool {
        self.alg.is_none_or(|own| own == alg)
    }
}

#[cfg(test)]
mod tests {
    use super::PresentedKey;
    use crate::core::json::{Document, JsonLimits};
    use crate::core::jwk::JwkError;
    use crate::core::signature::KeyError;
    use crate::core::signature::alg::{Alg, Crv};

    fn presented(json: &str) -> Result<PresentedKey, JwkError> {
        let limits = JsonLimits { max_depth: 8, max_nodes: 64 };
        PresentedKey::parse(Document::parse(json.into(), limits).unwrap().root())
    }

    /// The key of RFC 9449 4.1, with more members.
    fn p256(members: &str) -> String {
        let (x, y) =
            ("l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs", "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA");
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"{members}}}"#)
    }

    #[test]
    fn the_thumbprint_of_rfc_9449_6_1() {
        for members in ["", r#","use":"sig","alg":"ES256","key_ops":["verify"],"ext":true,"kid":"k""#] {
            let key = presented(&p256(members)).unwrap();
            assert_eq!(key.thumbprint, "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
            assert!(key.key().unwrap().supports(Alg::Es256));
        }
    }

    #[test]
    fn a_key_with_an_alg_is_for_no_other() {
        let key = presented(&p256(r#","alg":"ES384""#)).unwrap();
        assert_eq!([Alg::Es256, Alg::Es384].map(|alg| key.admits(alg)), [false, true]);
        assert!(presented(&p256("")).unwrap().admits(Alg::Es256));
    }

    #[test]
    fn neither_private_nor_secret_nor_for_something_else() {
        for (json, expected) in [
            ("[]".to_owned(), JwkError::NotAnObject),
            ("{}".to_owned(), JwkError::Missing { member: "kty" }),
            (p256(r#","d":"AA""#), JwkError::Private),
            (p256(r#","d":null"#), JwkError::Private),
            (p256(r#","priv":"""#), JwkError::Private),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","qi":"AQ"}"#.to_owned(), JwkError::Private),
            (
                r#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#.to_owned(),
                JwkError::Private,
            ),
            (r#"{"kty":"oct"}"#.to_owned(), JwkError::SecretFetched),
            (p256(r#","use":"enc""#), JwkError::Use { found: "enc".into() }),
            (p256(r#","key_ops":["sign"]"#), JwkError::KeyOps),
        ] {
            assert_eq!(presented(&json).err(), Some(expected), "{json}");
        }
    }

    #[test]
    fn weak_keys_are_none() {
        let rsa = format!(r#"{{"kty":"RSA","n":"w{}Q","e":"AQAB"}}"#, "x".repeat(169));
        let off = p256("").replace("9VE4", "8VE4");
        for (json, expected) in [
            (rsa, KeyError::RsaModulusSize { bits: 1024 }),
            (off, KeyError::NotOnCurve { crv: Crv::P256 }),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.into(), KeyError::Ed25519Length { bytes: 1 }),
        ] {
            assert_eq!(presented(&json).unwrap().key().err(), Some(JwkError::Key(expected)), "{json}");
        }
    }
}
