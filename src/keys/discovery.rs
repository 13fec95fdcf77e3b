//! Finding the JWK Set from the issuer: OpenID Connect Discovery 1.0 section 4, then RFC 8414 section 3.

use std::fmt;

use crate::core::limits::MAX_JSON_DEPTH;
use crate::core::token::json::{Document, JsonLimits, Kind, Value};

/// Metadata documents are flat, with a few lists.
const LIMITS: JsonLimits = JsonLimits { max_depth: MAX_JSON_DEPTH, max_nodes: 4096 };

/// Why a metadata document leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscoveryError {
    /// Not a JSON object.
    NotJson,
    /// Its `issuer` is not the one that was asked for: a mix-up, or an answer of somebody else (RFC 8414 3.3).
    IssuerMismatch,
    /// No `jwks_uri` that is a string.
    NoJwksUri,
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "the metadata is not a JSON object",
            Self::IssuerMismatch => "the metadata names another issuer",
            Self::NoJwksUri => "the metadata has no jwks_uri",
        })
    }
}

/// Where the metadata of `issuer` may be, in the order to try. Empty where the issuer is no URL with a host.
#[must_use]
pub fn metadata_urls(issuer: &str) -> Vec<String> {
    let Some((scheme, rest)) = issuer.split_once("://") else {
        return Vec::new();
    };
    if rest.is_empty() || rest.starts_with('/') || issuer.contains(['?', '#']) {
        return Vec::new();
    }
    let (host, path) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    // Both documents drop a terminating slash; one appends to the path, the other inserts before it.
    let path = path.strip_suffix('/').unwrap_or(path);
    vec![
        format!("{scheme}://{host}{path}/.well-known/openid-configuration"),
        format!("{scheme}://{host}/.well-known/oauth-authorization-server{path}"),
    ]
}

/// The `jwks_uri` of a metadata document whose `issuer` is exactly `issuer`.
///
/// # Errors
/// See [`DiscoveryError`].
pub fn jwks_uri(document: Vec<u8>, issuer: &str) -> Result<String, DiscoveryError> {
    let document = Document::parse(document, LIMITS).map_err(|_| DiscoveryError::NotJson)?;
    let root = document.root();
    if root.kind() != Kind::Object {
        return Err(DiscoveryError::NotJson);
    }
    if root.member("issuer").and_then(Value::as_str) != Some(issuer) {
        return Err(DiscoveryError::IssuerMismatch);
    }
    root.member("jwks_uri").and_then(Value::as_str).map(str::to_owned).ok_or(DiscoveryError::NoJwksUri)
}

#[cfg(test)]
mod tests {
    use super::{DiscoveryError, jwks_uri, metadata_urls};

    #[test]
    fn oidc_appends_and_rfc_8414_inserts() {
        for (issuer, oidc, rfc_8414) in [
            (
                "https://a.example",
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example/",
                "https://a.example/.well-known/openid-configuration",
                "https://a.example/.well-known/oauth-authorization-server",
            ),
            (
                "https://a.example:8443/t/1/",
                "https://a.example:8443/t/1/.well-known/openid-configuration",
                "https://a.example:8443/.well-known/oauth-authorization-server/t/1",
            ),
        ] {
            assert_eq!(metadata_urls(issuer), [oidc, rfc_8414]);
        }
        for issuer in
            ["accounts.example", "https://", "https:///a", "https://a.example/?b", "https://a.example/#b"]
        {
            assert!(metadata_urls(issuer).is_empty(), "{issuer}");
        }
    }

    #[test]
    fn the_issuer_has_to_match_exactly() {
        let issuer = "https://a.example/";
        for (json, expected) in [
            (
                r#"{"issuer":"https://a.example/","jwks_uri":"https://a.example/k"}"#,
                Ok("https://a.example/k".to_owned()),
            ),
            (r#"{"issuer":"https://a.example","jwks_uri":"x"}"#, Err(DiscoveryError::IssuerMismatch)),
            (r#"{"issuer":"https://A.example/","jwks_uri":"x"}"#, Err(DiscoveryError::IssuerMismatch)),
            (r#"{"jwks_uri":"x"}"#, Err(DiscoveryError::IssuerMismatch)),
            (r#"{"issuer":"https://a.example/"}"#, Err(DiscoveryError::NoJwksUri)),
            (r#"{"issuer":"https://a.example/","jwks_uri":1}"#, Err(DiscoveryError::NoJwksUri)),
            ("[]", Err(DiscoveryError::NotJson)),
            ("<html>", Err(DiscoveryError::NotJson)),
        ] {
            assert_eq!(jwks_uri(json.into(), issuer), expected, "{json}");
        }
    }
}
