//! A JWK (RFC 7517 4, RFC 7518 6, RFC 8037 2). Private members are not looked at; neither are `x5c`, `x5u` and
//! `jku`: a key is what its own members say.

use crate::core::signature::alg::{Alg, Crv, Kty};
use crate::core::signature::{KeyError, VerifyingKey};
use crate::core::token::base64url;
use crate::core::token::json::{Kind, Value};
use std::fmt;

/// A key with what its owner says about it.
pub struct Jwk {
    /// Name of the key. A key without one is a candidate for every token of a fitting type.
    pub kid: Option<String>,
    /// The one algorithm of this key, where it names one.
    pub alg: Option<Alg>,
    key: VerifyingKey,
}

/// Where a JWK was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the configuration or a file that it names.
    Configured,
    /// At a URL. What everyone can read is no secret, so it never yields HMAC keys.
    Fetched,
}

/// Why a JWK is not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwkError {
    /// Not a JSON object.
    NotAnObject,
    /// A member that this type of key needs is not there.
    Missing {
        /// Its name.
        member: &'static str,
    },
    /// A member of the wrong JSON type.
    WrongType {
        /// Its name.
        member: &'static str,
        /// The type it must have.
        expected: &'static str,
    },
    /// A member that is not canonical base64url.
    NotBase64Url {
        /// Its name.
        member: &'static str,
    },
    /// A type of key that is not used here.
    UnknownKty {
        /// The value found.
        found: String,
    },
    /// A curve that is not used here, or not with this `kty`.
    UnknownCrv {
        /// The value found.
        found: String,
    },
    /// An algorithm that is not used here.
    UnknownAlg {
        /// The value found.
        found: String,
    },
    /// The key cannot serve the one algorithm it names.
    AlgDoesNotFit {
        /// That algorithm.
        alg: Alg,
    },
    /// The key is not for signatures (RFC 7517 4.2).
    Use {
        /// The value found.
        found: String,
    },
    /// The key is not for verifying (RFC 7517 4.3).
    KeyOps,
    /// A secret in a set that was fetched.
    SecretFetched,
    /// The material is refused.
    Key(KeyError),
    /// Behind the last key that is kept of a set.
    TooManyKeys {
        /// How many are kept.
        max: usize,
    },
}

/// Makes a key of a JWK.
///
/// # Errors
/// See [`JwkError`].
pub fn parse(value: Value<'_>, origin: Origin) -> Result<Jwk, JwkError> {
    if value.kind() != Kind::Object {
        return Err(JwkError::NotAnObject);
    }
    let kid = text(value, "kid")?.map(str::to_owned);
    check_use(value)?;
    check_key_ops(value)?;
    let alg = match text(value, "alg")? {
        Some(name) => Some(Alg::from_name(name).ok_or_else(|| JwkError::UnknownAlg { found: quoted(name) })?),
        None => None,
    };
    let key = material(value, origin)?;
    match alg {
        Some(alg) if !key.supports(alg) => Err(JwkError::AlgDoesNotFit { alg }),
        Some(_) | None => Ok(Jwk { kid, alg, key }),
    }
}

/// `use` is "sig" or absent (RFC 7517 4.2).
fn check_use(value: Value<'_>) -> Result<(), JwkError> {
    match text(value, "use")? {
        None | Some("sig") => Ok(()),
        Some(other) => Err(JwkError::Use { found: quoted(other) }),
    }
}

/// `key_ops` names "verify" or is absent (RFC 7517 4.3).
fn check_key_ops(value: Value<'_>) -> Result<(), JwkError> {
    match present(value, "key_ops") {
        None => Ok(()),
        Some(list) if list.kind() != Kind::Array => {
            Err(JwkError::WrongType { member: "key_ops", expected: "an array of strings" })
        }
        Some(list) if list.elements().any(|operation| operation.as_str() == Some("verify")) => Ok(()),
        Some(_) => Err(JwkError::KeyOps),
    }
}

fn material(value: Value<'_>, origin: Origin) -> Result<VerifyingKey, JwkError> {
    let kty = text(value, "kty")?.ok_or(JwkError::Missing { member: "kty" })?;
    let known = [Kty::Oct, Kty::Rsa, Kty::Ec, Kty::Okp].into_iter().find(|known| known.name() == kty);
    match known {
        Some(Kty::Rsa) => VerifyingKey::rsa(&bytes(value, "n")?, &bytes(value, "e")?).map_err(JwkError::Key),
        Some(Kty::Ec) => {
            let crv = crv(value, Kty::Ec)?;
            VerifyingKey::ec(crv, &bytes(value, "x")?, &bytes(value, "y")?).map_err(JwkError::Key)
        }
        Some(Kty::Okp) => {
            crv(value, Kty::Okp)?;
            VerifyingKey::ed25519(&bytes(value, "x")?).map_err(JwkError::Key)
        }
        Some(Kty::Oct) => match origin {
            Origin::Configured => VerifyingKey::hmac(&bytes(value, "k")?).map_err(JwkError::Key),
            Origin::Fetched => Err(JwkError::SecretFetched),
        },
        None => Err(JwkError::UnknownKty { found: quoted(kty) }),
    }
}

fn crv(value: Value<'_>, kty: Kty) -> Result<Crv, JwkError> {
    let name = text(value, "crv")?.ok_or(JwkError::Missing { member: "crv" })?;
    Crv::from_name(kty, name).ok_or_else(|| JwkError::UnknownCrv { found: quoted(name) })
}

fn bytes(value: Value<'_>, member: &'static str) -> Result<Vec<u8>, JwkError> {
    let text = text(value, member)?.ok_or(JwkError::Missing { member })?;
    base64url::decode(text.as_bytes()).ok_or(JwkError::NotBase64Url { member })
}

fn text<'d>(value: Value<'d>, member: &'static str) -> Result<Option<&'d str>, JwkError> {
    match present(value, member) {
        None => Ok(None),
        Some(found) => found.as_str().map(Some).ok_or(JwkError::WrongType { member, expected: "a string" }),
    }
}

/// As much of a name as a log line needs: the text is the server's.
fn quoted(found: &str) -> String {
    found.chars().take(32).collect()
}

/// Serializers that write every field of a class write absent ones as null.
fn present<'d>(value: Value<'d>, member: &str) -> Option<Value<'d>> {
    value.member(member).filter(|found| found.kind() != Kind::Null)
}

impl Jwk {
    /// A key that says nothing about itself, as from PEM or a secret.
    #[must_use]
    pub const fn from_key(key: VerifyingKey) -> Self {
        Self { kid: None, alg: None, key }
    }

    /// The key proper.
    #[must_use]
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether a token with `alg` may be verified with this key: it can serve it, and names no other (RFC 8725
    /// 3.1: one key, one algorithm). `EdDSA` and `Ed25519` are two names, and a key that carries one serves it
    /// alone.
    #[must_use]
    pub fn fits(&self, alg: Alg) -> bool {
        self.key.supports(alg) && self.alg.is_none_or(|own| own == alg)
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jwk(kid {:?}, alg {:?}, {:?})", self.kid, self.alg, self.key)
    }
}

impl fmt::Display for JwkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => f.write_str("the key is not a JSON object"),
            Self::Missing { member } => write!(f, "member {member} is missing"),
            Self::WrongType { member, expected } => write!(f, "member {member} is not {expected}"),
            Self::NotBase64Url { member } => {
                write!(f, "member {member} is not base64url without padding")
            }
            Self::UnknownKty { found } => write!(f, "kty is {found:?}, expected RSA, EC, OKP or oct"),
            Self::UnknownCrv { found } => {
                write!(f, "crv is {found:?}, expected P-256, P-384 or P-521 for EC, Ed25519 for OKP")
            }
            Self::UnknownAlg { found } => {
                write!(f, "alg is {found:?}, which is no signature algorithm known here")
            }
            Self::AlgDoesNotFit { alg } => write!(f, "alg is {alg}, which this key cannot serve"),
            Self::Use { found } => write!(f, "use is {found:?}, expected \"sig\""),
            Self::KeyOps => f.write_str("key_ops does not contain \"verify\""),
            Self::SecretFetched => f.write_str("kty is oct: a secret is never taken from a URL"),
            Self::Key(error) => error.fmt(f),
            Self::TooManyKeys { max } => write!(f, "only the first {max} keys of a set are used"),
        }
    }
}
