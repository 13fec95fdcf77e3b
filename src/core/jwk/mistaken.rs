//! Documents that people and servers provide instead of a JWK Set, and how to fix each.

use std::fmt;

use crate::core::json::{Kind, Value};
use crate::core::limits::MAX_SHOWN_CHARS;
use crate::core::text::{cut, quoted};

/// A known document that is not a JWK Set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mistaken {
    /// An empty text.
    Empty,
    /// An HTML page, often of a sign-in or of a proxy.
    Html,
    /// Other XML, such as the metadata of SAML.
    Xml,
    /// Keys or certificates in PEM.
    Pem,
    /// A key or a certificate in DER.
    Der,
    /// A token.
    Token,
    /// Metadata of an issuer (OpenID Connect Discovery 1.0 4.2, RFC 8414 3.2).
    Metadata {
        /// Its `jwks_uri`, cut.
        jwks_uri: Option<String>,
    },
    /// `kid` to certificate, as at the older URLs of Google.
    Certificates,
    /// An array of keys without the object around it (RFC 7517 5).
    List,
    /// An error answer (RFC 6749 5.2 and similar ones).
    Error {
        /// Its message, cut; empty if that is not a string.
        says: String,
    },
}

impl Mistaken {
    /// Recognises a text that is not JSON.
    pub fn of_text(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii_start();
        let starts =
            |word: &[u8]| text.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
        let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
        match text.first() {
            None => Some(Self::Empty),
            Some(b'{' | b'[') => None,
            // A SEQUENCE of more than 127 bytes (X.690 8.1.3), as every certificate and RSA key is.
            Some(0x30) if matches!(text.get(1), Some(0x81..=0x83)) => Some(Self::Der),
            Some(b'<') if starts(b"<?xml") && !has(b"<html") => Some(Self::Xml),
            Some(b'<') => Some(Self::Html),
            Some(_) if starts(b"eyJ") => Some(Self::Token),
            Some(_) if has(b"-----BEGIN ") => Some(Self::Pem),
            Some(_) => None,
        }
    }

    /// Recognises JSON that is not a JWK Set.
    pub fn of_value(value: Value<'_>) -> Option<Self> {
        if value.kind() == Kind::Array {
            return Some(Self::List).filter(|_| value.elements().any(|key| key.member("kty").is_some()));
        }
        let text = |name| value.member(name).and_then(Value::as_str);
        let jwks_uri = text("jwks_uri").map(shown);
        if jwks_uri.is_some()
            || (text("issuer").is_some() && value.member("response_types_supported").is_some())
        {
            return Some(Self::Metadata { jwks_uri });
        }
        let is_certificate = |value: Value<'_>| {
            value
                .as_str()
                .is_some_and(|text| text.trim_ascii_start().starts_with("-----BEGIN CERTIFICATE-----"))
        };
        let mut members = value.members().peekable();
        if members.peek().is_some() && members.all(|(_, value)| is_certificate(value)) {
            return Some(Self::Certificates);
        }
        let error = ["error", "errors", "message"].into_iter().find_map(|name| value.member(name))?;
        let within = error.member("message").and_then(Value::as_str);
        let says = error.as_str().or(within).or_else(|| text("error_description")).map(shown);
        Some(Self::Error { says: says.unwrap_or_default() })
    }
}

fn shown(text: &str) -> String {
    cut(text, MAX_SHOWN_CHARS).into_owned()
}

impl fmt::Display for Mistaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "there is nothing in it",
            Self::Html => {
                "this is an HTML page: is it the URL of the key set, and does the server want a sign-in?"
            }
            Self::Xml => "this is XML, as the metadata of SAML are: look for the JWK Set of the provider",
            Self::Pem => "this is PEM: use publicKey",
            Self::Der => "this is DER: use publicKey with the same in PEM",
            Self::Token => "this is a token, and not the key that verifies it",
            Self::Metadata { jwks_uri: None } => {
                "this is a discovery document: use discovery: true and issuer"
            }
            Self::Metadata { jwks_uri: Some(url) } => {
                return write!(
                    f,
                    "this is a discovery document: use discovery: true and issuer, or jwksUrl: {}",
                    quoted(url)
                );
            }
            Self::Certificates => {
                "this is a map of certificates: Google has its JWK Set at \
                 https://www.googleapis.com/oauth2/v3/certs, and Firebase at \
                 https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
            }
            Self::List => "this is a list of keys: write {\"keys\": [...]} around it",
            Self::Error { says } if says.is_empty() => "this is an answer that tells of an error",
            Self::Error { says } => {
                return write!(f, "this is an answer that tells of an error: {}", quoted(says));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Mistaken;
    use crate::core::json::{Document, JsonLimits};
    use crate::core::limits::MAX_SHOWN_CHARS;
    use proptest::prelude::*;

    fn of_json(text: &str) -> Option<Mistaken> {
        let limits = JsonLimits { max_depth: 8, max_nodes: 64 };
        Mistaken::of_value(Document::parse(text.as_bytes().to_vec(), limits).unwrap().root())
    }

    #[test]
    fn texts() {
        for (text, expected) in [
            (&b""[..], Some(Mistaken::Empty)),
            (b" \n", Some(Mistaken::Empty)),
            (b"\n<!DOCTYPE html><title>Sign in", Some(Mistaken::Html)),
            (b"<HTML>", Some(Mistaken::Html)),
            (b"<?xml version=\"1.0\"?><html xmlns=\"x\">", Some(Mistaken::Html)),
            (b"<?xml version=\"1.0\"?><EntityDescriptor/>", Some(Mistaken::Xml)),
            (b"-----BEGIN CERTIFICATE-----\nMIIB", Some(Mistaken::Pem)),
            (b"subject=CN = x\n-----BEGIN PUBLIC KEY-----\n", Some(Mistaken::Pem)),
            (b"\x30\x82\x01\x22\x30", Some(Mistaken::Der)),
            (b"eyJhbGciOiJFUzI1NiJ9.e30.AA", Some(Mistaken::Token)),
            (b"0", None),
            (b"not found", None),
            (b"{\"keys\":[", None),
        ] {
            assert_eq!(Mistaken::of_text(text), expected, "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn documents() {
        let says = |text: &str| Some(Mistaken::Error { says: text.into() });
        let uri = "https://a.example/k";
        for (json, expected) in [
            (
                r#"{"issuer":"https://a.example","jwks_uri":"https://a.example/k"}"#,
                Some(Mistaken::Metadata { jwks_uri: Some(uri.into()) }),
            ),
            (
                r#"{"issuer":"https://a.example","response_types_supported":["code"]}"#,
                Some(Mistaken::Metadata { jwks_uri: None }),
            ),
            (
                r#"{"a":"-----BEGIN CERTIFICATE-----\nMIIB","b":"-----BEGIN CERTIFICATE-----\n"}"#,
                Some(Mistaken::Certificates),
            ),
            (r#"{"a":"-----BEGIN CERTIFICATE-----\nMIIB","b":1}"#, None),
            (r#"[{"kty":"RSA"}]"#, Some(Mistaken::List)),
            ("[1]", None),
            ("[]", None),
            ("{}", None),
            ("1", None),
            (r#"{"error":"invalid_client"}"#, says("invalid_client")),
            (r#"{"error":{"code":404,"message":"Not found"}}"#, says("Not found")),
            (r#"{"error":7,"error_description":"gone"}"#, says("gone")),
            (
                r#"{"message":"no Route matched with those values"}"#,
                says("no Route matched with those values"),
            ),
            (r#"{"errors":[{"code":1}]}"#, says("")),
            (r#"{"sub":"alice"}"#, None),
            (r#"{"issuer":"https://a.example"}"#, None),
            (r#"{"response_types_supported":["code"]}"#, None),
        ] {
            assert_eq!(of_json(json), expected, "{json}");
        }
    }

    #[test]
    fn each_says_what_to_do() {
        let url = "https://a.example/k\n".to_owned() + &"k".repeat(MAX_SHOWN_CHARS);
        for (mistaken, expected) in [
            (Mistaken::Pem, "this is PEM: use publicKey"),
            (Mistaken::Error { says: String::new() }, "this is an answer that tells of an error"),
            (Mistaken::Error { says: "a\"b".into() }, r#"this is an answer that tells of an error: "a\"b""#),
            (
                Mistaken::Metadata { jwks_uri: Some("https://a.example/k".into()) },
                "this is a discovery document: use discovery: true and issuer, or jwksUrl: \"https://a.example/k\"",
            ),
        ] {
            assert_eq!(mistaken.to_string(), expected);
        }
        let Some(long) = of_json(&serde_json::json!({"jwks_uri": url}).to_string()) else {
            panic!("metadata")
        };
        assert!(long.to_string().len() < 300 && !long.to_string().contains('\n'), "{long}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_one_or_none(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            if let Some(mistaken) = Mistaken::of_text(&bytes) {
                prop_assert!(!mistaken.to_string().is_empty());
            }
        }
    }
}
