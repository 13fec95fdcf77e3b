//! A JWK (RFC 7517 4, RFC 7518 6, RFC 8037 2). Private members are ignored, and so are `x5c`, `x5u` and `jku`: only the
//! key's own members define it.
//!
//! The permitted uses of a key are read strictly, its numbers are not: providers write them in either alphabet of base64,
//! with padding, and with leading zeros added or left out. The key is the same in every form.

use std::fmt;

use super::public_key::PublicKey;
use super::secret_bytes::{self, SecretError};
use super::thumbprint;
use crate::core::about::CONFIGURATION_PAGE;
use crate::core::json::{Kind, Value};
use crate::core::limits::MAX_SHOWN_CHARS;
use crate::core::signature::alg::{Alg, Crv, Kty};
use crate::core::signature::{KeyError, VerifyingKey};
use crate::core::text::{Quoted, cut};
use crate::core::token::base64url;

/// A key with what its owner says about it.
pub struct Jwk {
    /// Name of the key. A key without one is a candidate for every token of a fitting type.
    pub kid: Option<String>,
    /// The only algorithm of this key, if it names one.
    pub alg: Option<Alg>,
    /// The thumbprint of its certificate, `x5t#S256` (RFC 7517 4.9).
    pub x5t_s256: Option<String>,
    /// Its own thumbprint (RFC 7638), if it has no `kid`: issuers put it into tokens instead.
    pub thumbprint: Option<String>,
    /// The issuer that it is for, if the provider says so: Entra ID's `issuer`, with `{tenantid}` for any tenant.
    pub issuer: Option<String>,
    pub(super) key: VerifyingKey,
}

/// Where a JWK was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the configuration or a file that it names.
    Configured,
    /// At a URL. Everyone can read it, so a secret in it is never used.
    Fetched,
    /// In the bundle of a trust domain (SPIFFE Trust Domain and Bundle 4), of which only the keys of JWT-SVIDs are used.
    Bundle,
}

/// Why a JWK is not usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JwkError {
    /// Not a JSON object.
    NotAnObject,
    /// A member that this type of key needs is missing.
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
    /// A member that is not canonical base64, in either alphabet, with padding or without.
    NotBase64 {
        /// Its name.
        member: &'static str,
    },
    /// A type of key that is not supported.
    UnknownKty {
        /// The value found.
        found: String,
    },
    /// A curve that is not supported, or not for this `kty`.
    UnknownCrv {
        /// The value found.
        found: String,
    },
    /// An algorithm that is not supported.
    UnknownAlg {
        /// The value found.
        found: String,
    },
    /// The key cannot be used with the algorithm it names.
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
    /// A private key where a public one belongs.
    Private,
    /// The material is refused.
    Key(KeyError),
    /// Bytes that are not an acceptable secret.
    Secret(SecretError),
    /// After the last key that is kept of a set.
    TooManyKeys {
        /// How many are kept.
        max: usize,
    },
    /// Earlier keys that match the same tokens use up the cost limit of a token.
    OutOfReach,
}

/// Makes a key of a JWK.
///
/// # Errors
/// See [`JwkError`].
#[inline(never)]
pub fn parse(value: Value<'_>, origin: Origin) -> Result<Jwk, JwkError> {
    if value.kind() != Kind::Object {
        return Err(JwkError::NotAnObject);
    }
    let kid = name(text(value, "kid")?);
    match origin {
        Origin::Configured | Origin::Fetched => check_use(value)?,
        Origin::Bundle => check_svid(value, kid.as_ref())?,
    }
    check_key_ops(value)?;
    let alg = own_alg(value)?;
    let material = material(value, origin)?;
    let key = material.key()?;
    match alg {
        Some(alg) if !key.supports(alg) => Err(JwkError::AlgDoesNotFit { alg }),
        Some(_) | None => {
            let x5t_s256 = text(value, "x5t#S256")?.map(str::to_owned);
            let thumbprint = if kid.is_none() { material.thumbprint() } else { None };
            // Not a registered member, so a wrong type is ignored.
            let issuer = value.member("issuer").and_then(Value::as_str).map(str::to_owned);
            Ok(Jwk { kid, alg, x5t_s256, thumbprint, issuer, key })
        }
    }
}

/// A text that names a key. Some providers write an empty text if there is no name.
pub(super) fn name(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The one algorithm of the key (RFC 7517 4.4).
pub(super) fn own_alg(value: Value<'_>) -> Result<Option<Alg>, JwkError> {
    match text(value, "alg")? {
        Some(name) => match Alg::from_name(name) {
            Some(alg) => Ok(Some(alg)),
            None => Err(JwkError::UnknownAlg { found: shown(name) }),
        },
        None => Ok(None),
    }
}

/// `use` is "sig", in any case, or absent (RFC 7517 4.2).
pub(super) fn check_use(value: Value<'_>) -> Result<(), JwkError> {
    match text(value, "use")? {
        None => Ok(()),
        Some(sig) if sig.eq_ignore_ascii_case("sig") => Ok(()),
        Some(other) => Err(JwkError::Use { found: shown(other) }),
    }
}

/// `use` of the keys of JWT-SVIDs (SPIFFE Trust Domain and Bundle 4.2.2).
const SVID: &str = "jwt-svid";

/// `use` says that it is a key of JWT-SVIDs, which has to have a name (JWT-SVID 4.1).
fn check_svid(value: Value<'_>, kid: Option<&String>) -> Result<(), JwkError> {
    match text(value, "use")?.ok_or(JwkError::Missing { member: "use" })? {
        SVID if kid.is_none() => Err(JwkError::Missing { member: "kid" }),
        SVID => Ok(()),
        other => Err(JwkError::Use { found: shown(other) }),
    }
}

/// `key_ops` names "verify" or is absent (RFC 7517 4.3).
pub(super) fn check_key_ops(value: Value<'_>) -> Result<(), JwkError> {
    match present(value, "key_ops") {
        None => Ok(()),
        Some(list) if list.kind() != Kind::Array => {
            Err(JwkError::WrongType { member: "key_ops", expected: "an array of strings" })
        }
        Some(list) if list.elements().any(|operation| operation.as_str() == Some("verify")) => Ok(()),
        Some(_) => Err(JwkError::KeyOps),
    }
}

/// What a key is made of.
pub(super) enum Material {
    /// What a thumbprint is of.
    Public(PublicKey),
    /// Bytes as they stand (RFC 7518 6.4).
    Secret(Vec<u8>),
}

impl Material {
    fn key(&self) -> Result<VerifyingKey, JwkError> {
        match self {
            Self::Public(key) => key.verifying().map_err(JwkError::Key),
            Self::Secret(secret) => secret_bytes::of_bytes(secret).map_err(JwkError::Secret),
        }
    }

    /// A secret has none: its hash would help to guess it (RFC 7638 7).
    fn thumbprint(&self) -> Option<String> {
        match self {
            Self::Public(key) => Some(thumbprint::of(key)),
            Self::Secret(_) => None,
        }
    }
}

#[inline(never)]
pub(super) fn material(value: Value<'_>, origin: Origin) -> Result<Material, JwkError> {
    let kty = text(value, "kty")?.ok_or(JwkError::Missing { member: "kty" })?;
    let known =
        [Kty::Oct, Kty::Rsa, Kty::Ec, Kty::Okp, Kty::Akp].into_iter().find(|known| known.name() == kty);
    match known {
        Some(Kty::Rsa) => {
            Ok(Material::Public(PublicKey::Rsa { n: number(value, "n")?, e: number(value, "e")? }))
        }
        Some(Kty::Ec) => {
            let crv = crv(value, Kty::Ec)?;
            let (x, y) = (coordinate(value, "x", crv)?, coordinate(value, "y", crv)?);
            Ok(Material::Public(PublicKey::Ec { crv, x, y }))
        }
        Some(Kty::Okp) => {
            let crv = crv(value, Kty::Okp)?;
            Ok(Material::Public(PublicKey::Okp { crv, x: bytes(value, "x")? }))
        }
        // The name of the parameters stands in `alg`, which these keys must have (RFC 9964 4).
        Some(Kty::Akp) => {
            let name = text(value, "alg")?.ok_or(JwkError::Missing { member: "alg" })?;
            let alg = Alg::from_name(name).ok_or_else(|| JwkError::UnknownAlg { found: shown(name) })?;
            Ok(Material::Public(PublicKey::Akp { alg, public: bytes(value, "pub")? }))
        }
        Some(Kty::Oct) => match origin {
            Origin::Configured => Ok(Material::Secret(bytes(value, "k")?)),
            Origin::Fetched | Origin::Bundle => Err(JwkError::SecretFetched),
        },
        None => Err(JwkError::UnknownKty { found: shown(kty) }),
    }
}

/// A member that is a number: big-endian, without the leading zeros that may be written.
fn number(value: Value<'_>, member: &'static str) -> Result<Vec<u8>, JwkError> {
    let written = bytes(value, member)?;
    Ok(written.into_iter().skip_while(|byte| *byte == 0).collect())
}

/// A member that is a number of the field of `crv`, in the length that its points have.
fn coordinate(value: Value<'_>, member: &'static str, crv: Crv) -> Result<Vec<u8>, JwkError> {
    let number = number(value, member)?;
    let too_long = JwkError::Key(KeyError::CoordinateLength { crv, member, bytes: number.len() });
    let zeros = crv.coordinate_bytes().checked_sub(number.len()).ok_or(too_long)?;
    Ok([vec![0; zeros], number].concat())
}

fn crv(value: Value<'_>, kty: Kty) -> Result<Crv, JwkError> {
    let name = text(value, "crv")?.ok_or(JwkError::Missing { member: "crv" })?;
    Crv::from_name(kty, name).ok_or_else(|| JwkError::UnknownCrv { found: shown(name) })
}

fn bytes(value: Value<'_>, member: &'static str) -> Result<Vec<u8>, JwkError> {
    let text = text(value, member)?.ok_or(JwkError::Missing { member })?;
    base64url::decode_either(text.as_bytes()).ok_or(JwkError::NotBase64 { member })
}

fn text<'d>(value: Value<'d>, member: &'static str) -> Result<Option<&'d str>, JwkError> {
    match present(value, member) {
        None => Ok(None),
        Some(found) => found.as_str().map(Some).ok_or(JwkError::WrongType { member, expected: "a string" }),
    }
}

/// The part of a name that a log line shows: the server chose the text.
fn shown(found: &str) -> String {
    cut(found, MAX_SHOWN_CHARS).into_owned()
}

/// Serializers that write every field of a class write absent ones as null.
fn present<'d>(value: Value<'d>, member: &str) -> Option<Value<'d>> {
    value.member(member).filter(|found| found.kind() != Kind::Null)
}

impl Jwk {
    /// A key without metadata, as from PEM or a secret.
    pub const fn from_key(key: VerifyingKey) -> Self {
        Self { kid: None, alg: None, x5t_s256: None, thumbprint: None, issuer: None, key }
    }

    /// Whether a token that names `name` means this key: by its `kid`, its certificate or its thumbprint.
    pub fn is_called(&self, name: &str) -> bool {
        [&self.kid, &self.x5t_s256, &self.thumbprint].into_iter().any(|own| own.as_deref() == Some(name))
    }

    /// The key proper.
    pub const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// The key without its metadata.
    pub fn into_key(self) -> VerifyingKey {
        self.key
    }

    /// Whether a token with `alg` may be verified with this key: the key supports it, and names no other (RFC 8725 3.1: one
    /// key, one algorithm). `EdDSA` and `Ed25519` are two names, and a key that names one is used only with that.
    pub fn fits(&self, alg: Alg) -> bool {
        self.key.supports(alg) && self.alg.is_none_or(|own| own == alg)
    }

    /// Whether both keys may be candidates for one token, if their names do not differ.
    pub(super) fn shares_an_alg_with(&self, other: &Self) -> bool {
        Alg::ALL.into_iter().any(|alg| self.fits(alg) && other.fits(alg))
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
            Self::Missing { member: "crv" } => {
                f.write_str("member crv is missing, and a curve is not guessed from the length of a key")
            }
            Self::Missing { member } => write!(f, "member {member} is missing"),
            Self::WrongType { member, expected } => write!(f, "member {member} is not {expected}"),
            Self::NotBase64 { member } => write!(f, "member {member} is not base64url"),
            Self::UnknownKty { found } => {
                write!(f, "kty is {}, expected RSA, EC, OKP, AKP or oct", Quoted(found))
            }
            Self::UnknownCrv { found } if found == "Ed448" => {
                write!(f, "crv is Ed448, which is left out; {CONFIGURATION_PAGE} says why")
            }
            Self::UnknownCrv { found } => {
                write!(
                    f,
                    "crv is {}, expected P-256, P-384, P-521 or secp256k1 for EC, Ed25519 for OKP",
                    Quoted(found)
                )
            }
            Self::UnknownAlg { found } => {
                write!(f, "alg is {}, which is no signature algorithm known here", Quoted(found))
            }
            Self::AlgDoesNotFit { alg } => write!(f, "alg is {alg}, which this key cannot serve"),
            Self::Use { found } => write!(f, "use is {}, expected \"sig\", in a SPIFFE bundle \"jwt-svid\"", Quoted(found)),
            Self::KeyOps => f.write_str("key_ops does not contain \"verify\""),
            Self::SecretFetched => f.write_str("kty is oct: a secret is never taken from a URL"),
            Self::Private => f.write_str("it is a private key, or has a member of one"),
            Self::Secret(error) => error.fmt(f),
            Self::Key(error) => error.fmt(f),
            Self::TooManyKeys { max } => write!(f, "only the first {max} keys of a set are used"),
            Self::OutOfReach => f.write_str(
                "the keys before it that serve the same tokens cost as much as one token may; give it a kid of its \
                 own",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Jwk, JwkError, Origin, SecretError, parse};
    use crate::core::json::{Document, JsonLimits};
    use crate::core::limits::MAX_SHOWN_CHARS;
    use crate::core::signature::KeyError;
    use crate::core::signature::alg::{Alg, Crv};
    use crate::core::signature::verify;
    use crate::core::token::base64url;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    fn jwk(json: &str, origin: Origin) -> Result<Jwk, JwkError> {
        let limits = JsonLimits { max_depth: 8, max_nodes: 64 };
        parse(Document::parse(json.as_bytes().to_vec(), limits).unwrap().root(), origin)
    }

    /// The object `{members}` after the members that make it a usable key of a type.
    fn ed25519(members: &str) -> String {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"{members}}}"#)
    }

    fn p256(members: &str) -> String {
        let (x, y) =
            ("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"{members}}}"#)
    }

    fn rsa(members: &str) -> String {
        format!(r#"{{"kty":"RSA","n":"w{}Q","e":"AQAB"{members}}}"#, "x".repeat(340))
    }

    fn secret(bytes: usize, members: &str) -> String {
        let k = crate::core::token::base64url::encode(
            &(0..bytes).map(|at| u8::try_from(at).unwrap()).collect::<Vec<_>>(),
        );
        format!(r#"{{"kty":"oct","k":"{k}"{members}}}"#)
    }

    #[test]
    fn usable_keys_rfc_7517_4_and_rfc_7518_6_and_rfc_8037_2() {
        for (json, expected) in [
            (ed25519(""), "Jwk(kid None, alg None, OKP on Ed25519)"),
            (p256(""), "Jwk(kid None, alg None, EC on P-256)"),
            (rsa(""), "Jwk(kid None, alg None, RSA of 2048 bits)"),
            (secret(40, ""), "Jwk(kid None, alg None, oct of 40 bytes)"),
            (
                ed25519(r#","kid":"a","alg":"EdDSA""#),
                r#"Jwk(kid Some("a"), alg Some(EdDSA), OKP on Ed25519)"#,
            ),
            (ed25519(r#","kid":"","alg":"Ed25519""#), "Jwk(kid None, alg Some(Ed25519), OKP on Ed25519)"),
            (rsa(r#","alg":"PS384""#), "Jwk(kid None, alg Some(PS384), RSA of 2048 bits)"),
            (secret(48, r#","alg":"HS384""#), "Jwk(kid None, alg Some(HS384), oct of 48 bytes)"),
            // Members that do not forbid verifying.
            (ed25519(r#","use":"sig","key_ops":["verify"]"#), "Jwk(kid None, alg None, OKP on Ed25519)"),
            (ed25519(r#","use":"SIG""#), "Jwk(kid None, alg None, OKP on Ed25519)"),
            (ed25519(r#","key_ops":["sign","verify"]"#), "Jwk(kid None, alg None, OKP on Ed25519)"),
            // Members that are unknown or ignored (RFC 7517 4): a private one, foreign keys.
            (
                ed25519(r#","d":"AA","x5c":1,"x5u":"http://x","other":{}"#),
                "Jwk(kid None, alg None, OKP on Ed25519)",
            ),
            (
                ed25519(r#","kid":null,"alg":null,"use":null,"key_ops":null"#),
                "Jwk(kid None, alg None, OKP on Ed25519)",
            ),
        ] {
            assert_eq!(jwk(&json, Origin::Configured).map(|jwk| format!("{jwk:?}")).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn unusable_keys_have_a_reason_rfc_7517_5() {
        let missing = |member| JwkError::Missing { member };
        let not_text = |member| JwkError::WrongType { member, expected: "a string" };
        let found = str::to_owned;
        for (json, error) in [
            ("[]".to_owned(), JwkError::NotAnObject),
            (r#""text""#.to_owned(), JwkError::NotAnObject),
            ("{}".to_owned(), missing("kty")),
            (r#"{"kty":1}"#.to_owned(), not_text("kty")),
            (r#"{"kty":null}"#.to_owned(), missing("kty")),
            (r#"{"kty":"akp"}"#.to_owned(), JwkError::UnknownKty { found: found("akp") }),
            (r#"{"kty":"AKP"}"#.to_owned(), missing("alg")),
            (r#"{"kty":"AKP","alg":"ML-DSA-44"}"#.to_owned(), missing("pub")),
            (r#"{"kty":"AKP","alg":"ES256","pub":"AQ"}"#.to_owned(), JwkError::Key(KeyError::NotAnMlDsaAlg)),
            (
                r#"{"kty":"AKP","alg":"ML-DSA-65","pub":"AQ"}"#.to_owned(),
                JwkError::Key(KeyError::MlDsaLength { expected: 1952, bytes: 1 }),
            ),
            (r#"{"kty":"rsa"}"#.to_owned(), JwkError::UnknownKty { found: found("rsa") }),
            (r#"{"kty":"RSA"}"#.to_owned(), missing("n")),
            (r#"{"kty":"RSA","n":"AQ"}"#.to_owned(), missing("e")),
            (r#"{"kty":"RSA","n":7,"e":"AQAB"}"#.to_owned(), not_text("n")),
            (r#"{"kty":"RSA","n":"AQ=","e":"AQAB"}"#.to_owned(), JwkError::NotBase64 { member: "n" }),
            (r#"{"kty":"RSA","n":"AQ","e":"A B"}"#.to_owned(), JwkError::NotBase64 { member: "e" }),
            (
                r#"{"kty":"RSA","n":"AAAA","e":"AQAB"}"#.to_owned(),
                JwkError::Key(KeyError::RsaModulusSize { bits: 0 }),
            ),
            (
                r#"{"kty":"RSA","n":"gQ","e":"AQAB"}"#.to_owned(),
                JwkError::Key(KeyError::RsaModulusSize { bits: 8 }),
            ),
            (r#"{"kty":"EC"}"#.to_owned(), missing("crv")),
            (r#"{"kty":"EC","crv":"P-256"}"#.to_owned(), missing("x")),
            (r#"{"kty":"EC","crv":"P-256","x":"AQ"}"#.to_owned(), missing("y")),
            (
                r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}"#.to_owned(),
                JwkError::Key(KeyError::NotOnCurve { crv: Crv::P256 }),
            ),
            (
                p256("").replace("\"f83OJ3D2", "\"AQAAf83OJ3D2"),
                JwkError::Key(KeyError::CoordinateLength { crv: Crv::P256, member: "x", bytes: 35 }),
            ),
            // Of these the length is part of the key.
            (
                ed25519("").replace("\"11qYAYKx", "\"AAAA11qYAYKx"),
                JwkError::Key(KeyError::Ed25519Length { bytes: 35 }),
            ),
            // RFC 8812 3: another curve of 32 bytes.
            (
                p256("").replace("P-256", "secp256k1"),
                JwkError::Key(KeyError::NotOnCurve { crv: Crv::Secp256k1 }),
            ),
            (p256("").replace("P-256", "secp256r1"), JwkError::UnknownCrv { found: found("secp256r1") }),
            (p256("").replace("P-256", "Ed25519"), JwkError::UnknownCrv { found: found("Ed25519") }),
            (p256("").replace("5a0", "5a1"), JwkError::NotBase64 { member: "y" }),
            (p256("").replace("WI5a0", "WI5b0"), JwkError::Key(KeyError::NotOnCurve { crv: Crv::P256 })),
            // RFC 8037 3.1: the curves of key agreement and Ed448 are not supported for signatures.
            (ed25519("").replace("Ed25519", "X25519"), JwkError::UnknownCrv { found: found("X25519") }),
            (ed25519("").replace("Ed25519", "Ed448"), JwkError::UnknownCrv { found: found("Ed448") }),
            (ed25519("").replace("Ed25519", "P-256"), JwkError::UnknownCrv { found: found("P-256") }),
            (r#"{"kty":"oct"}"#.to_owned(), missing("k")),
            (secret(31, ""), JwkError::Secret(SecretError::Key(KeyError::SecretTooShort { bytes: 31 }))),
            // RFC 7518 3.2: long enough for HS256 only.
            (secret(40, r#","alg":"HS512""#), JwkError::AlgDoesNotFit { alg: Alg::Hs512 }),
            (ed25519(r#","kid":7"#), not_text("kid")),
            // RFC 7517 4.2 and 4.3.
            (ed25519(r#","use":"enc""#), JwkError::Use { found: found("enc") }),
            (ed25519(r#","use":["sig"]"#), not_text("use")),
            (ed25519(r#","key_ops":[]"#), JwkError::KeyOps),
            (ed25519(r#","key_ops":["sign"]"#), JwkError::KeyOps),
            (ed25519(r#","key_ops":[7]"#), JwkError::KeyOps),
            (
                ed25519(r#","key_ops":"verify""#),
                JwkError::WrongType { member: "key_ops", expected: "an array of strings" },
            ),
            (ed25519(r#","use":"sig","key_ops":["encrypt"]"#), JwkError::KeyOps),
            // RFC 7517 4.4, RFC 8725 3.1 and 3.2.
            (ed25519(r#","alg":"RS256""#), JwkError::AlgDoesNotFit { alg: Alg::Rs256 }),
            (p256(r#","alg":"ES384""#), JwkError::AlgDoesNotFit { alg: Alg::Es384 }),
            (rsa(r#","alg":"HS256""#), JwkError::AlgDoesNotFit { alg: Alg::Hs256 }),
            (rsa(r#","alg":"RSA-OAEP""#), JwkError::UnknownAlg { found: found("RSA-OAEP") }),
            (rsa(r#","alg":"none""#), JwkError::UnknownAlg { found: found("none") }),
            (rsa(r#","alg":256"#), not_text("alg")),
            (
                rsa(&format!(r#","alg":"{}""#, "é".repeat(MAX_SHOWN_CHARS + 1))),
                JwkError::UnknownAlg { found: "é".repeat(MAX_SHOWN_CHARS) + "..." },
            ),
        ] {
            assert_eq!(jwk(&json, Origin::Configured).map(|jwk| format!("{jwk:?}")), Err(error), "{json}");
        }
    }

    #[test]
    fn a_url_never_yields_a_secret_rfc_8725_2_1() {
        assert_eq!(jwk(&secret(64, ""), Origin::Fetched).err(), Some(JwkError::SecretFetched));
        for json in [rsa(""), p256(""), ed25519("")] {
            assert!(jwk(&json, Origin::Fetched).is_ok());
        }
    }

    #[test]
    fn one_key_one_algorithm_rfc_8725_3_1_and_rfc_9864() {
        let fits = |json: &str| -> Vec<Alg> {
            let jwk = jwk(json, Origin::Configured).unwrap();
            Alg::ALL.into_iter().filter(|alg| jwk.fits(*alg)).collect()
        };
        assert_eq!(fits(&ed25519("")), [Alg::EdDsa, Alg::Ed25519]);
        assert_eq!(fits(&ed25519(r#","alg":"EdDSA""#)), [Alg::EdDsa]);
        assert_eq!(fits(&ed25519(r#","alg":"Ed25519""#)), [Alg::Ed25519]);
        assert_eq!(fits(&rsa(r#","alg":"PS256""#)), [Alg::Ps256]);
        assert_eq!(fits(&secret(64, "")), [Alg::Hs256, Alg::Hs384, Alg::Hs512]);
        assert_eq!(fits(&secret(64, r#","alg":"HS512""#)), [Alg::Hs512]);
    }

    #[test]
    fn reasons_name_the_member_and_no_material() {
        for (error, sentence) in [
            (JwkError::Missing { member: "e" }, "member e is missing"),
            (
                JwkError::UnknownKty { found: "A\nB".to_owned() },
                r#"kty is "A\u000aB", expected RSA, EC, OKP, AKP or oct"#,
            ),
            (
                JwkError::UnknownCrv { found: "X25519".to_owned() },
                "crv is \"X25519\", expected P-256, P-384, P-521 or secp256k1 for EC, Ed25519 for OKP",
            ),
            (
                JwkError::UnknownCrv { found: "Ed448".to_owned() },
                "crv is Ed448, which is left out; https://github.com/traefik-jwt-auth/jwt/blob/main/docs/configuration.md says why",
            ),
            (
                JwkError::Secret(SecretError::Key(KeyError::SecretTooShort { bytes: 7 })),
                "the secret has 7 bytes, HS256 needs 32, HS384 48, HS512 64; make one with openssl rand -base64 48",
            ),
            (
                JwkError::Key(KeyError::RsaModulusSize { bits: 1024 }),
                "the RSA modulus n has 1024 bits, expected 2048 to 8192",
            ),
            (
                JwkError::Key(KeyError::CoordinateLength { crv: Crv::P521, member: "y", bytes: 65 }),
                "coordinate y has 65 bytes, P-521 needs 66",
            ),
        ] {
            assert_eq!(error.to_string(), sentence);
        }
    }

    /// What every form of a key must have in common with the form in the RFCs: thumbprint and signatures.
    fn is_the_same_key(row: &serde_json::Value, written: &serde_json::Value) -> bool {
        let read = |jwk: &serde_json::Value| {
            let mut jwk = jwk.clone();
            ["kid", "use", "alg"]
                .into_iter()
                .for_each(|member| drop(jwk.as_object_mut().unwrap().remove(member)));
            self::jwk(&jwk.to_string(), Origin::Configured)
        };
        let (Ok(key), Ok(printed)) = (read(written), read(&row["jwk"])) else { return false };
        let alg = Alg::from_name(row["alg"].as_str().unwrap()).unwrap();
        let (input, signature) = row["token"].as_str().unwrap().rsplit_once('.').unwrap();
        let signature = base64url::decode(signature.as_bytes()).unwrap();
        key.thumbprint == printed.thumbprint && verify(key.key(), alg, input.as_bytes(), &signature).is_ok()
    }

    #[test]
    fn a_short_coordinate_is_one_of_a_number() {
        // The point of P-256 with the smallest x is (0, sqrt(b)); providers that write numbers leave its zeros out.
        let y = "ZkhceA4vg9ckM71dhKBrtlQcKvMdrocXKL-FahdPk_Q";
        let zeros = "A".repeat(43);
        let key =
            |x: &str| jwk(&format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#), Origin::Fetched);
        let thumbprint = |x| key(x).map(|key| key.thumbprint);
        assert_eq!(thumbprint(""), thumbprint(&zeros));
        assert_eq!(thumbprint("AA"), thumbprint(&zeros));
    }

    fn any_member() -> impl Strategy<Value = String> {
        let name =
            prop::sample::select(vec!["kty", "crv", "n", "e", "x", "y", "k", "alg", "use", "key_ops", "kid"]);
        let value = prop_oneof![
            4 => prop::sample::select(vec!["RSA", "EC", "OKP", "oct", "P-256", "P-521", "Ed25519", "AQAB", "sig", "HS256"])
                .prop_map(|text| format!("{text:?}")),
            2 => "[A-Za-z0-9_-]{0,90}".prop_map(|text| format!("{text:?}")),
            1 => Just("[\"verify\"]".to_owned()),
            1 => Just("17".to_owned()),
        ];
        (name, value).prop_map(|(name, value)| format!("\"{name}\":{value}"))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// RFC 7515 A.1 to A.4, RFC 7520 4.2 and 4.3, RFC 8037 A.4: leading zeros for numbers only.
        #[test]
        fn in_every_writing_it_is_the_same_key(
            row in 0..7_usize,
            zeros in prop::collection::vec(0..4_usize, 3),
            standard in any::<bool>(),
            padded in any::<bool>(),
        ) {
            let rows: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors/rfc.json")).unwrap();
            let rows: Vec<_> = rows.as_array().unwrap().iter().filter(|row| row["jwk"].is_object() && row["token"].is_string()).collect();
            let row = rows[row % rows.len()];
            let is_number = matches!(row["jwk"]["kty"].as_str(), Some("RSA" | "EC"));
            let engine = match (standard, padded) {
                (false, false) => URL_SAFE_NO_PAD,
                (false, true) => URL_SAFE,
                (true, false) => STANDARD_NO_PAD,
                (true, true) => STANDARD,
            };
            let mut written = row["jwk"].clone();
            for (member, zeros) in ["n", "e", "x", "y", "k"].into_iter().zip(zeros.iter().cycle()) {
                if let Some(text) = row["jwk"][member].as_str() {
                    let number = base64url::decode(text.as_bytes()).unwrap();
                    let zeros = vec![0; if is_number { *zeros } else { 0 }];
                    let number: Vec<u8> = match zeros.len() {
                        3 => number.into_iter().skip_while(|byte| is_number && *byte == 0).collect(),
                        _ => [zeros, number].concat(),
                    };
                    written[member] = engine.encode(number).into();
                }
            }
            prop_assert!(is_the_same_key(row, &written), "{}", written);
        }

        #[test]
        fn any_object_is_a_key_or_a_reason(members in prop::collection::vec(any_member(), 0..7)) {
            let limits = JsonLimits { max_depth: 8, max_nodes: 64 };
            let json = format!("{{{}}}", members.join(","));
            if let Ok(document) = Document::parse(json.into_bytes(), limits) {
                for origin in [Origin::Configured, Origin::Fetched] {
                    if let Err(reason) = parse(document.root(), origin) {
                        prop_assert!(!reason.to_string().is_empty());
                    }
                }
            }
        }
    }
}
