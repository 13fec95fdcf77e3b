//! JWS Compact Serialization (RFC 7515 7.1) whose payload is a claims set (RFC 7519 7.2).

use crate::core::json::scan;
use crate::core::json::{Document, Kind};
use crate::core::limits::CLAIMS_JSON;
use crate::core::refusal::Refusal;
use crate::core::token::base64url;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::token::header::{self, Header};

/// A token that parses. Nothing in it is true yet.
#[derive(Debug)]
pub struct UnverifiedToken<'t> {
    /// The protected header.
    pub header: Header,
    /// What the signature covers: the first two parts and the dot between them.
    pub signing_input: &'t [u8],
    /// The decoded signature.
    pub signature: Vec<u8>,
    /// The payload. Its claims are not verified.
    pub claimed: ClaimsSet,
}

/// Whether the parts of a token may have padding, which RFC 7515 2 leaves out and some senders do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Padding {
    /// No padding.
    #[default]
    Refuse,
    /// No padding, or in every part the padding of RFC 4648 3.2.
    Accept,
}

/// Parses `token`, which has no padding.
///
/// # Errors
/// As [`parse_with`].
pub fn parse(token: &[u8]) -> Result<UnverifiedToken<'_>, Refusal> {
    parse_with(token, Padding::Refuse)
}

/// Parses `token`. What the signature covers is always as it was sent.
///
/// # Errors
/// `token_malformed`, `token_encrypted` for five parts, and the refusals of [`header::parse`].
pub fn parse_with(token: &[u8], padding: Padding) -> Result<UnverifiedToken<'_>, Refusal> {
    parse_whole(token, padding).map(|(token, _)| token)
}

/// Parses a proof (RFC 9449 4.2), which has no padding: with its whole header, in which its key is.
///
/// # Errors
/// As [`parse_with`].
pub fn parse_proof(proof: &[u8]) -> Result<(UnverifiedToken<'_>, Document), Refusal> {
    parse_whole(proof, Padding::Refuse)
}

/// The protected header of a token that has been parsed, as it is written: for what few issuers put there.
pub fn written_header(token: &[u8]) -> Option<Document> {
    let (header, _) = split(token)?;
    // Which of the forms this may have has been decided.
    header::document(base64url::decode_either(header)?).ok()
}

#[inline(never)]
fn parse_whole(token: &[u8], padding: Padding) -> Result<(UnverifiedToken<'_>, Document), Refusal> {
    let (header, behind) = split(token).ok_or(malformed("not three parts"))?;
    let (payload, signature) = split(behind).ok_or(malformed("not three parts"))?;
    if let Some((_, behind)) = split(signature) {
        let more = behind.iter().filter(|byte| **byte == b'.').count();
        return Err(if more == 1 { Refusal::TokenEncrypted } else { malformed("not three parts") });
    }
    let padded = padding == Padding::Accept && token.contains(&b'=');
    let part = |part: &[u8], problem| {
        let decoded = if padded { base64url::decode_url_padded(part) } else { base64url::decode(part) };
        decoded.ok_or(malformed(problem))
    };
    let covered = token.len().saturating_sub(signature.len()).saturating_sub(1);
    let signing_input = token.get(..covered).unwrap_or_default();
    let header = part(header, "the header is not base64url")?;
    let payload = part(payload, "the payload is not base64url")?;
    let signature = part(signature, "the signature is not base64url")?;
    let document = header::document(header)?;
    let header = header::read(&document)?;
    let claimed =
        Document::parse(payload, CLAIMS_JSON).map_err(|_| malformed("the payload is not acceptable JSON"))?;
    if claimed.root().kind() != Kind::Object {
        return Err(malformed("the payload is not an object"));
    }
    let claimed = ClaimsSet::new(claimed);
    Ok((UnverifiedToken { header, signing_input, signature, claimed }, document))
}

/// What is before the first dot and what behind it.
fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(scan::dot(text)?)?;
    Some((before, rest.get(1..)?))
}

const fn malformed(problem: &'static str) -> Refusal {
    Refusal::TokenMalformed { problem }
}

#[cfg(test)]
mod tests {
    use super::{Padding, malformed, parse, parse_with, written_header};
    use crate::core::refusal::Refusal;
    use proptest::prelude::*;

    #[test]
    fn three_parts() {
        let token = parse(b"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0.AAAA").unwrap();
        assert_eq!(token.header.alg, "HS256");
        assert_eq!(token.signing_input, b"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0");
        assert_eq!(token.signature, [0, 0, 0]);
        assert_eq!(token.claimed.issuer(), Ok(Some("a")));
    }

    #[test]
    fn refusals() {
        for (token, refusal) in [
            ("", malformed("not three parts")),
            ("a.b", malformed("not three parts")),
            ("a.b.c.d", malformed("not three parts")),
            ("a.b.c.d.e", Refusal::TokenEncrypted),
            ("a.b.c.d.e.f", malformed("not three parts")),
            ("e30=.e30.AAAA", malformed("the header is not base64url")),
            (" e30.e30.AAAA", malformed("the header is not base64url")),
            ("eyJhbGciOiJIUzI1NiJ9.e31.AAAA", malformed("the payload is not base64url")),
            ("eyJhbGciOiJIUzI1NiJ9.e30.AAAB!", malformed("the signature is not base64url")),
            ("eyJhbGciOiJIUzI1NiJ9.e30.A", malformed("the signature is not base64url")),
            ("eyJhbGciOiJIUzI1NiJ9.W10.AAAA", malformed("the payload is not an object")),
            ("eyJhbGciOiJIUzI1NiJ9..AAAA", malformed("the payload is not acceptable JSON")),
            ("..", malformed("the header is not acceptable JSON")),
            // {"a":1,"a":2}
            ("eyJhbGciOiJIUzI1NiJ9.eyJhIjoxLCJhIjoyfQ.AAAA", malformed("the payload is not acceptable JSON")),
        ] {
            assert_eq!(parse(token.as_bytes()).err(), Some(refusal), "{token}");
        }
        assert_eq!(
            parse(b"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOjF9.AAAA").unwrap().claimed.issuer(),
            Err(Refusal::ClaimInvalid { claim: "iss" })
        );
    }

    #[test]
    fn the_header_as_it_is_written() {
        for (token, expected) in [
            ("eyJhbGciOiJIUzI1NiJ9.e30.AAAA", Some(r#"{"alg":"HS256"}"#)),
            ("eyJhbGciOiJIUzI1NiIsImEiOiIifQ==.e30=.AAA=", Some(r#"{"alg":"HS256","a":""}"#)),
            ("eyJhbGciOiJIUzI1NiJ9", None),
            ("e31.e30.AAAA", None),
        ] {
            let header = written_header(token.as_bytes());
            assert_eq!(header.as_ref().map(|header| header.source()), expected, "{token}");
        }
    }

    #[test]
    fn padding_is_everywhere_or_nowhere() {
        let (header, payload) = ("eyJhbGciOiJIUzI1NiIsImEiOiIifQ", "eyJpc3MiOiJhIn0");
        for (token, expected) in [
            (format!("{header}.{payload}.AAA"), true),
            (format!("{header}==.{payload}=.AAA="), true),
            (format!("{header}==.{payload}=.AAAA"), true),
            (format!("{header}.{payload}=.AAA="), false),
            (format!("{header}==.{payload}.AAA="), false),
            (format!("{header}==.{payload}=.AAA"), false),
            (format!("{header}=.{payload}=.AAA="), false),
            (format!("{header}===.{payload}=.AAA="), false),
            (format!("{header}==.{payload}=.AAB="), false),
            (format!("{header}==.{payload}=.A==="), false),
            (format!("{header}==.{payload}=.===="), false),
            (format!("{header}==.{payload}=.+AA="), false),
            (format!("{header}==.{payload}=.A=A="), false),
        ] {
            let parsed = parse_with(token.as_bytes(), Padding::Accept);
            assert_eq!(parsed.is_ok(), expected, "{token}");
            if let Ok(parsed) = parsed {
                let covered = token.rsplit_once('.').unwrap().0;
                assert_eq!(parsed.signing_input, covered.as_bytes());
            }
            assert_eq!(parse(token.as_bytes()).is_ok(), !token.contains('='), "{token}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn random_bytes_never_panic(token in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&token);
        }

        #[test]
        fn random_parts_never_panic(
            header in "\\PC{0,40}", payload in "[\\[\\]{}\",:0-9a-z\\\\]{0,40}", signature in "\\PC{0,20}"
        ) {
            use crate::core::token::base64url::encode;
            let token = format!(
                "{}.{}.{}", encode(header.as_bytes()), encode(payload.as_bytes()), encode(signature.as_bytes())
            );
            let _ = parse(token.as_bytes());
        }
    }
}
