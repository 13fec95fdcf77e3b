//! Tokens: with `jwt-simple` where it can mint them, by hand where a header or a claim is unusual.

use jwt_simple::prelude::*;
use serde_json::{Map, Value, json};

use crate::keys::{self, encode};

/// A token to be minted. `Default` is a plain EdDSA one without claims.
#[derive(Clone, Debug)]
pub struct Token {
    /// `alg` of the header, and the algorithm that signs.
    pub alg: String,
    /// Name of the signing key; the algorithm's own where absent.
    pub key: Option<String>,
    /// `kid` of the header; the key's name where absent, none where `Some(None)`.
    pub kid: Option<Option<String>>,
    /// Members that are added to the header, or replace what is there; null removes one.
    pub header: Map<String, Value>,
    /// The claims set.
    pub claims: Value,
}

impl Default for Token {
    fn default() -> Self {
        Self { alg: "EdDSA".into(), key: None, kid: None, header: Map::new(), claims: json!({}) }
    }
}

impl Token {
    /// A token of `alg` with these claims, signed by the algorithm's own key.
    pub fn new(alg: &str, claims: Value) -> Self {
        Self { alg: alg.into(), claims, ..Self::default() }
    }

    /// Signed with another key than the algorithm's own, under the `kid` of that one.
    pub fn signed_by(mut self, key: &str) -> Self {
        self.kid.get_or_insert_with(|| Some(keys::key_of(&self.alg).to_owned()));
        self.key = Some(key.to_owned());
        self
    }

    /// The compact serialization.
    pub fn mint(&self) -> String {
        self.mint_with_jwt_simple().unwrap_or_else(|| self.mint_by_hand())
    }

    fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_else(|| keys::key_of(&self.alg))
    }

    fn kid(&self) -> Option<&str> {
        match &self.kid {
            Some(kid) => kid.as_deref(),
            None => Some(self.key()),
        }
    }

    fn mint_by_hand(&self) -> String {
        let mut header = Map::new();
        header.insert("alg".into(), json!(self.alg));
        if let Some(kid) = self.kid() {
            header.insert("kid".into(), json!(kid));
        }
        for (name, value) in &self.header {
            if value.is_null() {
                header.remove(name);
            } else {
                header.insert(name.clone(), value.clone());
            }
        }
        compact(&self.alg, self.key(), &json!(header).to_string(), &self.claims.to_string())
    }

    /// None where jwt-simple would not say exactly what is asked for.
    fn mint_with_jwt_simple(&self) -> Option<String> {
        if !self.header.is_empty() {
            return None;
        }
        let claims: JWTClaims<Map<String, Value>> = serde_json::from_value(self.claims.clone()).ok()?;
        if serde_json::to_value(&claims).ok()? != self.claims {
            return None;
        }
        macro_rules! mac {
            ($type:ident) => {{
                let key = $type::from_bytes(keys::SECRET.as_bytes());
                match self.kid() {
                    Some(kid) => key.with_key_id(kid).authenticate(claims),
                    None => key.authenticate(claims),
                }
            }};
        }
        macro_rules! pair {
            ($type:ident) => {{
                let key = $type::from_pem(keys::private_pem(self.key())).ok()?;
                match self.kid() {
                    Some(kid) => key.with_key_id(kid).sign(claims),
                    None => key.sign(claims),
                }
            }};
        }
        match self.alg.as_str() {
            "HS256" if self.key() == "secret" => mac!(HS256Key),
            "HS384" if self.key() == "secret" => mac!(HS384Key),
            "HS512" if self.key() == "secret" => mac!(HS512Key),
            "RS256" => pair!(RS256KeyPair),
            "RS384" => pair!(RS384KeyPair),
            "RS512" => pair!(RS512KeyPair),
            "PS256" => pair!(PS256KeyPair),
            "PS384" => pair!(PS384KeyPair),
            "PS512" => pair!(PS512KeyPair),
            "ES256" => pair!(ES256KeyPair),
            "ES384" => pair!(ES384KeyPair),
            "EdDSA" => pair!(Ed25519KeyPair),
            _ => return None,
        }
        .ok()
    }
}

/// A token of these exact texts, signed by `key`: whatever JSON a header or a payload must not be.
pub fn compact(alg: &str, key: &str, header: &str, payload: &str) -> String {
    let input = format!("{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()));
    // An `alg` that nobody signs with, such as `none`, leaves an empty signature.
    let signature = if keys::ALGORITHMS.contains(&alg) || alg == "Ed25519" {
        keys::sign(alg, key, input.as_bytes())
    } else {
        Vec::new()
    };
    format!("{input}.{}", encode(&signature))
}

/// The same token as senders write it that pad all three parts (RFC 4648 3.2), and sign them so.
pub fn padded(alg: &str, key: &str, token: &str) -> String {
    let pad = |part: &str| format!("{part}{}", "=".repeat(part.len().wrapping_neg() % 4));
    let covered: Vec<String> = token.split('.').take(2).map(pad).collect();
    let covered = covered.join(".");
    format!("{covered}.{}", pad(&encode(&keys::sign(alg, key, covered.as_bytes()))))
}

/// Changes to a finished token.
///
/// # Panics
/// On a name that is not one of them.
pub fn tamper(token: &str, how: &str) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    match how {
        // Bits that are in the middle, so that they are never the unused ones at the end.
        "header" => flip(&mut parts[0]),
        "payload" => flip(&mut parts[1]),
        "signature" => flip(&mut parts[2]),
        "no-signature" => parts[2].clear(),
        "two-parts" => drop(parts.pop()),
        "four-parts" => parts.push("AA".into()),
        "padded" => parts[2].push('='),
        "space" => parts[1].push(' '),
        _ => panic!("no way to tamper named '{how}'"),
    }
    parts.join(".")
}

fn flip(part: &mut String) {
    let middle = part.len() / 2;
    let other = if part.as_bytes()[middle] == b'A' { "B" } else { "A" };
    part.replace_range(middle..=middle, other);
}

/// Well-formed tokens that no key has signed, one for each set of claims: their signature is that of another token.
pub fn forged(alg: &str, kid: Option<&str>, claims: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut header = json!({"alg": alg, "typ": "JWT"});
    if let Some(kid) = kid {
        header["kid"] = json!(kid);
    }
    let header = encode(header.to_string().as_bytes());
    let signature = encode(&keys::sign(alg, keys::key_of(alg), b"another token"));
    let token = |claims: Value| format!("{header}.{}.{signature}", encode(claims.to_string().as_bytes()));
    claims.into_iter().map(token).collect()
}
