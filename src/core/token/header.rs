//! The protected header (RFC 7515 4.1). Only `alg`, `kid`, `x5t#S256`, `typ`, `cty` and `crit` are read: `jku`, `jwk`, `x5u`
//! and `x5c` are chosen by the maker of the token and never lead to a key (RFC 8725 3.10).

use crate::core::json::{Document, Kind, Value};
use crate::core::limits::HEADER_JSON;
use crate::core::refusal::Refusal;

/// The parameters that decide how a token is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `alg` as written; not yet known to be supported.
    pub alg: String,
    /// The name of the key: `kid`, or `x5t#S256` if there is no `kid` (RFC 7515 4.1.4 and 4.1.8).
    pub kid: Option<String>,
    /// `typ`.
    pub typ: Option<String>,
}

/// Parses the decoded protected header.
///
/// # Errors
/// `token_malformed` if a parameter has the wrong type or a name occurs twice, `crit_not_supported` for any
/// `crit`, `token_encrypted` for a nested token (RFC 7519 5.2) or a JWE header.
pub fn parse(json: Vec<u8>) -> Result<Header, Refusal> {
    read(&document(json)?)
}

/// The decoded protected header as it is written, for proofs (RFC 9449 4.2): they alone bring their key along.
///
/// # Errors
/// `token_malformed`.
pub fn document(json: Vec<u8>) -> Result<Document, Refusal> {
    Document::parse(json, HEADER_JSON).map_err(|_| malformed("the header is not acceptable JSON"))
}

/// The parameters of a header.
///
/// # Errors
/// As [`parse`].
pub fn read(header: &Document) -> Result<Header, Refusal> {
    let root = header.root();
    if root.kind() != Kind::Object {
        return Err(malformed("the header is not an object"));
    }
    // No extension is understood, so an empty, malformed or satisfied `crit` are refused alike.
    if root.member("crit").is_some() {
        return Err(Refusal::CritNotSupported);
    }
    // A JWT must not use an unencoded payload (RFC 7797 7).
    if root.member("b64").is_some_and(|b64| b64.kind() != Kind::True) {
        return Err(malformed("b64 is not true"));
    }
    if root.member("enc").is_some() {
        return Err(Refusal::TokenEncrypted);
    }
    let alg = text(root, "alg")?.ok_or(malformed("the header has no alg"))?;
    if text(root, "cty")?.is_some_and(|cty| is_jwt(&cty)) {
        return Err(malformed("nested tokens are not supported"));
    }
    // Some issuers write an empty name if there is no name.
    let kid = text(root, "kid")?.filter(|kid| !kid.is_empty());
    let x5t_s256 = text(root, "x5t#S256")?;
    Ok(Header { alg, kid: kid.or(x5t_s256), typ: text(root, "typ")? })
}

fn is_jwt(cty: &str) -> bool {
    cty.eq_ignore_ascii_case("JWT") || cty.eq_ignore_ascii_case("application/jwt")
}

fn text(object: Value<'_>, name: &'static str) -> Result<Option<String>, Refusal> {
    match object.member(name) {
        None => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(malformed("a header parameter is not a string")),
        },
    }
}

const fn malformed(problem: &'static str) -> Refusal {
    Refusal::TokenMalformed { problem }
}

#[cfg(test)]
mod tests {
    use super::{Header, malformed, parse};
    use crate::core::refusal::Refusal;

    #[test]
    fn reads_what_verification_needs_and_ignores_the_rest() {
        let json = br#"{"alg":"ES256","kid":"k1","typ":"at+jwt","jku":"https://evil.example","jwk":{"kty":"oct"},"x5c":["a"]}"#;
        assert_eq!(
            parse(json.to_vec()),
            Ok(Header { alg: "ES256".into(), kid: Some("k1".into()), typ: Some("at+jwt".into()) })
        );
    }

    #[test]
    fn the_name_of_the_key_is_its_kid_or_its_certificate() {
        for (json, expected) in [
            (r#"{"alg":"ES256","x5t#S256":"c"}"#, Some("c")),
            (r#"{"alg":"ES256","x5t#S256":"c","kid":"k"}"#, Some("k")),
            (r#"{"alg":"ES256","x5t":"c"}"#, None),
            (r#"{"alg":"ES256","x5t#S256":"c","kid":""}"#, Some("c")),
            (r#"{"alg":"ES256","kid":""}"#, None),
        ] {
            assert_eq!(parse(json.into()).unwrap().kid.as_deref(), expected, "{json}");
        }
        assert!(parse(br#"{"alg":"ES256","x5t#S256":1}"#.to_vec()).is_err());
    }

    #[test]
    fn another_content_is_no_token() {
        for cty in ["JSON", "application/json", "JWT+x", ""] {
            assert!(parse(format!(r#"{{"alg":"HS256","cty":"{cty}"}}"#).into()).is_ok(), "{cty}");
        }
        for cty in ["JWT", "jwt", "application/jwt", "Application/JWT"] {
            let nested = parse(format!(r#"{{"alg":"HS256","cty":"{cty}"}}"#).into());
            assert_eq!(nested, Err(malformed("nested tokens are not supported")), "{cty}");
        }
    }

    #[test]
    fn refusals() {
        for (json, refusal) in [
            ("", malformed("the header is not acceptable JSON")),
            ("[]", malformed("the header is not an object")),
            ("{}", malformed("the header has no alg")),
            (r#"{"alg":1}"#, malformed("a header parameter is not a string")),
            (r#"{"alg":"HS256","alg":"none"}"#, malformed("the header is not acceptable JSON")),
            (r#"{"alg":"HS256","kid":7}"#, malformed("a header parameter is not a string")),
            (r#"{"alg":"HS256","kid":null}"#, malformed("a header parameter is not a string")),
            (r#"{"alg":"HS256","typ":[]}"#, malformed("a header parameter is not a string")),
            (r#"{"alg":"HS256","b64":false}"#, malformed("b64 is not true")),
            (r#"{"alg":"HS256","b64":false,"crit":["b64"]}"#, Refusal::CritNotSupported),
            (r#"{"alg":"HS256","crit":[]}"#, Refusal::CritNotSupported),
            (r#"{"alg":"HS256","crit":["exp"],"exp":1}"#, Refusal::CritNotSupported),
            (r#"{"alg":"HS256","crit":null}"#, Refusal::CritNotSupported),
            (r#"{"alg":"HS256","cty":"JWT"}"#, malformed("nested tokens are not supported")),
            (r#"{"alg":"dir","enc":"A128GCM"}"#, Refusal::TokenEncrypted),
        ] {
            assert_eq!(parse(json.into()), Err(refusal), "{json}");
        }
    }
}
