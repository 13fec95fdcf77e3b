//! Step 5: where the token is (RFC 6750 2). Finding changes nothing; stripping is decided in `answer`.

use crate::core::refusal::Refusal;
use crate::core::request::RequestView;

/// Where tokens are looked for, and how long they may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenSources {
    /// Places in order.
    pub places: Vec<TokenPlace>,
    /// Longest accepted token, in bytes (`maxTokenBytes`).
    pub max_bytes: usize,
}

/// One place of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// A header.
    Header {
        /// Name of the header.
        name: String,
        /// Authentication scheme before the token, compared without case; empty where the value is the token.
        scheme: String,
    },
}

/// A token and where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundToken<'p> {
    /// The bytes of the token, not empty.
    pub token: Vec<u8>,
    /// Its place.
    pub place: &'p TokenPlace,
}

/// Finds the one token of the request.
///
/// # Errors
/// `token_missing`; `token_repeated` for a second value of a place or a different token elsewhere;
/// `credentials_malformed` for a scheme without exactly one token; `token_too_large`.
pub fn find<'p>(sources: &'p TokenSources, request: &dyn RequestView) -> Result<FoundToken<'p>, Refusal> {
    let mut found: Option<FoundToken<'p>> = None;
    for place in &sources.places {
        let token = match place {
            TokenPlace::Header { name, scheme } => in_header(request, name, scheme)?,
        };
        let Some(token) = token else { continue };
        match &found {
            Some(first) if first.token != token => return Err(Refusal::TokenRepeated),
            Some(_) => {}
            None => found = Some(FoundToken { token, place }),
        }
    }
    let found = found.ok_or(Refusal::TokenMissing)?;
    if found.token.len() > sources.max_bytes {
        return Err(Refusal::TokenTooLarge { bytes: found.token.len() });
    }
    Ok(found)
}

fn in_header(request: &dyn RequestView, name: &str, scheme: &str) -> Result<Option<Vec<u8>>, Refusal> {
    let mut values = request.header_values(name);
    let Some(value) = values.pop() else {
        return Ok(None);
    };
    // Which of several values a back end reads is anyone's guess, so none is taken (RFC 6750 2).
    if !values.is_empty() {
        return Err(Refusal::TokenRepeated);
    }
    credentials(value, scheme)
}

/// `scheme 1*SP b64token` (RFC 6750 2.1, RFC 9110 11.4). Another scheme is no token at all.
fn credentials(value: Vec<u8>, scheme: &str) -> Result<Option<Vec<u8>>, Refusal> {
    let value = value.trim_ascii();
    let token = if scheme.is_empty() {
        if value.is_empty() {
            return Ok(None);
        }
        value
    } else {
        let end = value.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(value.len());
        let (found, rest) = value.split_at(end);
        if !found.eq_ignore_ascii_case(scheme.as_bytes()) {
            return Ok(None);
        }
        rest.trim_ascii()
    };
    if token.iter().any(|byte| matches!(byte, b' ' | b'\t' | b',')) {
        // `Bearer a, Bearer b` is what several lines become behind some proxies.
        return Err(Refusal::TokenRepeated);
    }
    if token.is_empty() || !token.iter().copied().all(is_token68) {
        return Err(Refusal::CredentialsMalformed);
    }
    Ok(Some(token.to_vec()))
}

/// The characters of a b64token (RFC 6750 2.1).
const fn is_token68(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use super::{TokenPlace, TokenSources, find};
    use crate::core::refusal::Refusal;
    use crate::core::request::RecordedRequest;

    fn bearer() -> TokenSources {
        TokenSources {
            places: vec![TokenPlace::Header { name: "Authorization".into(), scheme: "Bearer".into() }],
            max_bytes: 8,
        }
    }

    fn outcome(values: &[&str]) -> Result<Vec<u8>, Refusal> {
        let mut request = RecordedRequest::new("GET", "/");
        for value in values {
            request = request.header("authorization", *value);
        }
        find(&bearer(), &request).map(|found| found.token)
    }

    #[test]
    fn authorization_header() {
        for (values, expected) in [
            (&["Bearer a.b.c"][..], Ok(b"a.b.c".to_vec())),
            (&["bearer a.b.c"], Ok(b"a.b.c".to_vec())),
            (&["BEARER   a.b.c "], Ok(b"a.b.c".to_vec())),
            (&[], Err(Refusal::TokenMissing)),
            (&[""], Err(Refusal::TokenMissing)),
            (&["Basic YTpi"], Err(Refusal::TokenMissing)),
            (&["Bearera.b.c"], Err(Refusal::TokenMissing)),
            (&["a.b.c"], Err(Refusal::TokenMissing)),
            (&["Bearer"], Err(Refusal::CredentialsMalformed)),
            (&["Bearer "], Err(Refusal::CredentialsMalformed)),
            (&["Bearer a;b"], Err(Refusal::CredentialsMalformed)),
            (&["Bearer \u{e9}"], Err(Refusal::CredentialsMalformed)),
            (&["Bearer a.b.c d.e.f"], Err(Refusal::TokenRepeated)),
            (&["Bearer a.b.c, Bearer d.e.f"], Err(Refusal::TokenRepeated)),
            (&["Bearer a.b.c", "Bearer a.b.c"], Err(Refusal::TokenRepeated)),
            (&["Bearer a.b.c", "Basic YTpi"], Err(Refusal::TokenRepeated)),
            (&["Bearer 123456789"], Err(Refusal::TokenTooLarge { bytes: 9 })),
        ] {
            assert_eq!(outcome(values), expected, "{values:?}");
        }
    }
}
