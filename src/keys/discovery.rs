//! Finding the JWK Set from the issuer: OpenID Connect Discovery 1.0 section 4, then RFC 8414 section 3.

use std::fmt;

use crate::core::issuer_id::differ_by_trailing_slash;
use crate::core::json::{Document, Kind, Value};
use crate::core::limits::{CLAIMS_JSON, MAX_SHOWN_CHARS};
use crate::core::text::{cut, quoted};
use crate::core::url::Url;

/// Why a metadata document does not give a JWK Set URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiscoveryError {
    /// Not a JSON object.
    NotJson,
    /// Its `issuer` is not the requested one: a mix-up, or the answer of another issuer (RFC 8414 3.3).
    AnotherIssuer {
        /// The accepted issuers, in the order of the configuration.
        expected: Vec<String>,
        /// The issuer in the document, cut; `None` if that is not a string.
        found: Option<String>,
    },
    /// It has no `jwks_uri` that is a string.
    NoJwksUri,
    /// Its `jwks_uri` is not a URL, or leads from https to http.
    JwksUriNotAllowed,
}

impl fmt::Display for DiscoveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson => f.write_str("the metadata is not a JSON object"),
            Self::AnotherIssuer { expected, found } => {
                let found_text = found.as_deref().map_or("none".into(), quoted);
                let texts: Vec<String> = expected.iter().map(|issuer| quoted(issuer)).collect();
                write!(
                    f,
                    "the metadata names another issuer: {found_text}, configured is {}",
                    texts.join(" or ")
                )?;
                let differs =
                    |found: &String| expected.iter().any(|own| differ_by_trailing_slash(own, found));
                if found.as_ref().is_some_and(differs) {
                    f.write_str("; it differs by a trailing slash: tokens have it as the metadata do")?;
                }
                Ok(())
            }
            Self::NoJwksUri => f.write_str("the metadata has no jwks_uri"),
            Self::JwksUriNotAllowed => f.write_str("the jwks_uri of the metadata is no https URL"),
        }
    }
}

/// The possible metadata URLs of `issuer`, in the order to try.
pub fn metadata_urls(issuer: &Url) -> [Url; 2] {
    // Both RFCs drop a terminating slash; one appends to the path, the other inserts before it.
    let path = issuer.path().strip_suffix('/').unwrap_or(issuer.path());
    [
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
    ]
    .map(|target| Url { origin: issuer.origin.clone(), target })
}

/// The `jwks_uri` of the metadata document of `url`, whose `issuer` is exactly one of `issuers`.
///
/// # Errors
/// See [`DiscoveryError`].
pub fn jwks_uri(document: Vec<u8>, issuers: &[String], url: &Url) -> Result<Url, DiscoveryError> {
    let document = Document::parse(document, CLAIMS_JSON).map_err(|_| DiscoveryError::NotJson)?;
    let root = document.root();
    if root.kind() != Kind::Object {
        return Err(DiscoveryError::NotJson);
    }
    let named = root.member("issuer").and_then(Value::as_str);
    if !issuers.iter().any(|issuer| Some(issuer.as_str()) == named) {
        let found = named.map(|issuer| cut(issuer, MAX_SHOWN_CHARS).into_owned());
        return Err(DiscoveryError::AnotherIssuer { expected: issuers.to_vec(), found });
    }
    let jwks_uri = root.member("jwks_uri").and_then(Value::as_str).ok_or(DiscoveryError::NoJwksUri)?;
    Url::parse(jwks_uri).filter(|next| url.may_lead_to(next)).ok_or(DiscoveryError::JwksUriNotAllowed)
}

#[cfg(test)]
mod tests {
    use super::{DiscoveryError, jwks_uri, metadata_urls};
    use crate::core::url::Url;

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
            let urls = metadata_urls(&Url::parse(issuer).unwrap());
            assert_eq!(urls.map(|url| url.to_string()), [oidc, rfc_8414]);
        }
    }

    #[test]
    fn the_issuer_has_to_match_exactly() {
        let issuer = "https://a.example/";
        let another = |found: Option<&str>| {
            Err(DiscoveryError::AnotherIssuer {
                expected: vec![issuer.into()],
                found: found.map(str::to_owned),
            })
        };
        for (json, expected) in [
            (
                r#"{"issuer":"https://a.example/","jwks_uri":"https://a.example/k"}"#,
                Ok("https://a.example/k".to_owned()),
            ),
            (r#"{"issuer":"https://a.example","jwks_uri":"x"}"#, another(Some("https://a.example"))),
            (r#"{"issuer":"https://A.example/","jwks_uri":"x"}"#, another(Some("https://A.example/"))),
            (r#"{"jwks_uri":"x"}"#, another(None)),
            (r#"{"issuer":"https://a.example/"}"#, Err(DiscoveryError::NoJwksUri)),
            (r#"{"issuer":"https://a.example/","jwks_uri":1}"#, Err(DiscoveryError::NoJwksUri)),
            ("[]", Err(DiscoveryError::NotJson)),
            ("<html>", Err(DiscoveryError::NotJson)),
        ] {
            let url = Url::parse(issuer).unwrap();
            let found = jwks_uri(json.into(), &[issuer.into()], &url).map(|url| url.to_string());
            assert_eq!(found, expected, "{json}");
        }
    }

    #[test]
    fn either_of_two_issuers_may_be_named() {
        let issuers = ["https://a.example".to_owned(), "https://a.example/".to_owned()];
        let url = Url::parse("https://a.example/").unwrap();
        let named = |issuer: &str| {
            let json = format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://a.example/k"}}"#);
            jwks_uri(json.into(), &issuers, &url).map_err(|error| error.to_string())
        };
        assert!(named("https://a.example").is_ok() && named("https://a.example/").is_ok());
        let both = r#"configured is "https://a.example" or "https://a.example/""#;
        assert_eq!(
            named("https://b.example"),
            Err(format!(r#"the metadata names another issuer: "https://b.example", {both}"#))
        );
    }

    #[test]
    fn another_issuer_is_told_with_both_values() {
        let error = |issuer: &str, found: Option<&str>| {
            let found = found.map(str::to_owned);
            DiscoveryError::AnotherIssuer { expected: vec![issuer.into()], found }.to_string()
        };
        let slash = "; it differs by a trailing slash: tokens have it as the metadata do";
        assert_eq!(
            error("https://a.example", Some("https://a.example/")),
            format!(
                r#"the metadata names another issuer: "https://a.example/", configured is "https://a.example"{slash}"#
            )
        );
        assert_eq!(
            error("https://a.example", None),
            r#"the metadata names another issuer: none, configured is "https://a.example""#
        );
    }

    #[test]
    fn the_jwks_uri_is_absolute_and_keeps_the_protection() {
        for (issuer, uri, allowed) in [
            ("https://a.example/", "https://b.example:8443/k", true),
            ("https://a.example/", "http://a.example/k", false),
            ("https://a.example/", "HTTP://a.example/k", false),
            ("http://a.example/", "http://b.example/k", true),
            ("http://a.example/", "https://b.example/k", true),
            ("https://a.example/", "/k", false),
            ("https://a.example/", "//a.example/k", false),
            ("https://a.example/", "file:///etc/passwd", false),
            ("https://a.example/", "https://u:p@a.example/k", false),
            ("https://a.example/", "https://0xa9fea9fe/k", false),
        ] {
            let json = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{uri}"}}"#);
            let found = jwks_uri(json.into(), &[issuer.into()], &Url::parse(issuer).unwrap());
            let expected =
                if allowed { Ok(Url::parse(uri).unwrap()) } else { Err(DiscoveryError::JwksUriNotAllowed) };
            assert_eq!(found, expected, "{uri}");
        }
    }
}
