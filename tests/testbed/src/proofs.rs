//! DPoP proofs (RFC 9449 4.2), and what tokens are bound to.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};

use crate::keys::{self, encode};
use crate::tokens::compact;

/// Proofs that were made.
static MADE: AtomicU64 = AtomicU64::new(0);

/// base64url of SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    encode(digest(&SHA256, bytes).as_ref())
}

/// The same in hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// base64 with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The public key of the test bed called `key`, without a name.
///
/// # Panics
/// When there is no such key.
#[must_use]
pub fn public_jwk(key: &str) -> Value {
    let mut jwk = keys::jwk(key);
    jwk.as_object_mut().unwrap().remove("kid");
    jwk
}

/// The thumbprint of a key (RFC 7638 3): of its required members in lexicographic order.
///
/// # Panics
/// On a type of key that the test bed does not have.
#[must_use]
pub fn thumbprint(jwk: &Value) -> String {
    let names: &[&str] = match jwk["kty"].as_str() {
        Some("EC") => &["crv", "kty", "x", "y"],
        Some("OKP") => &["crv", "kty", "x"],
        Some("RSA") => &["e", "kty", "n"],
        Some("AKP") => &["alg", "kty", "pub"],
        _ => panic!("no thumbprint of {jwk}"),
    };
    let members: Vec<String> = names.iter().map(|name| format!("\"{name}\":{}", jwk[*name])).collect();
    sha256(format!("{{{}}}", members.join(",")).as_bytes())
}

/// A proof to be made.
#[derive(Clone, Debug)]
pub struct Proof {
    /// `alg`, and the algorithm that signs.
    pub alg: String,
    /// Name of the key that signs.
    pub key: String,
    /// Members that are added to the header, or replace what is there; null removes one.
    pub header: Map<String, Value>,
    /// The same for the claims.
    pub claims: Map<String, Value>,
}

impl Proof {
    /// A proof by ES256 for a request with `token`, with a `jti` of its own.
    #[must_use]
    pub fn new(method: &str, htu: &str, token: &str, iat: i64) -> Self {
        let claims = json!({
            "jti": format!("{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed)), "htm": method, "htu": htu, "iat": iat, "ath": sha256(token.as_bytes()),
        });
        Self {
            alg: "ES256".into(),
            key: "p256".into(),
            header: Map::new(),
            claims: claims.as_object().cloned().unwrap_or_default(),
        }
    }

    /// With another `jti`, nonce or whatever.
    #[must_use]
    pub fn claim(mut self, name: &str, value: Value) -> Self {
        self.claims.insert(name.into(), value);
        self
    }

    /// The compact serialization.
    #[must_use]
    pub fn sign(&self) -> String {
        let mut header = Map::new();
        header.insert("typ".into(), json!("dpop+jwt"));
        header.insert("alg".into(), json!(self.alg));
        header.insert("jwk".into(), public_jwk(&self.key));
        let whole = |mut members: Map<String, Value>, changes: &Map<String, Value>| {
            members.extend(changes.clone());
            members.retain(|_, value| !value.is_null());
            json!(members).to_string()
        };
        compact(&self.alg, &self.key, &whole(header, &self.header), &whole(Map::new(), &self.claims))
    }
}
