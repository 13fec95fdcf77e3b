//! Keys of the cluster that Traefik runs in (`issuer: kubernetes`): a JWK Set of the API server, and whose keys they are. That
//! says the token which the fetch presents there, the service account token of the pod: its issuer is the cluster's. The token
//! is read again for each fetch, so both change together.

use crate::core::token::jws;
use crate::core::url::Url;
use crate::documents::document::Document;
use crate::documents::error::DocumentError;
use crate::documents::fetch::FetchError;
use crate::keys::error::KeyError;

/// The document that instances share: the issuer on a line of its own, then the set.
///
/// # Errors
/// `NoOwnToken`, or the set could not be fetched.
pub fn compose(
    url: &Url,
    sent: &[(String, String)],
    get: &dyn Fn(&Url) -> Result<Document, FetchError>,
) -> Result<Document, KeyError> {
    let issuer = own_issuer(sent).ok_or(KeyError::NoOwnToken)?;
    let document = get(url).map_err(DocumentError::Fetch)?;
    let body = [issuer.as_bytes(), b"\n", &document.body].concat();
    Ok(Document { body, ..document })
}

/// What [`compose`] put together.
///
/// # Errors
/// `NoOwnToken` if there is no issuer.
pub fn parts(document: &[u8]) -> Result<(&str, &[u8]), KeyError> {
    let parts =
        document.iter().position(|byte| *byte == b'\n').and_then(|end| document.split_at_checked(end));
    let (issuer, set) = parts.ok_or(KeyError::NoOwnToken)?;
    let issuer = std::str::from_utf8(issuer).map_err(|_| KeyError::NoOwnToken)?;
    Ok((issuer, set.get(1..).unwrap_or_default()))
}

/// `iss` of the token in the header `Authorization`. Nobody verifies the token here: anyone who can write the file that it is in
/// could have the fetch go as somebody else as well.
fn own_issuer(sent: &[(String, String)]) -> Option<String> {
    let (_, value) = sent.iter().find(|(name, _)| name.eq_ignore_ascii_case("Authorization"))?;
    let (_, token) = value.split_once(' ')?;
    let token = jws::parse(token.as_bytes()).ok()?;
    let issuer = token.claimed.issuer().ok()??;
    (!issuer.is_empty() && !issuer.contains(char::is_control)).then(|| issuer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{compose, parts};
    use crate::core::token::base64url::encode;
    use crate::core::url::Url;
    use crate::documents::document::Document;
    use crate::documents::error::DocumentError;
    use crate::documents::fetch::FetchError;
    use crate::keys::error::KeyError;

    fn composed(header: &str, value: &str) -> Result<Vec<u8>, KeyError> {
        let url = Url::parse("https://kubernetes.default.svc/openid/v1/jwks").unwrap();
        let body = b"{\"keys\":[]}\n".to_vec();
        let get = |asked: &Url| {
            assert_eq!(*asked, url);
            Ok(Document { body: body.clone(), ..Document::default() })
        };
        compose(&url, &[("X".into(), "1".into()), (header.into(), value.into())], &get).map(|made| made.body)
    }

    fn token(claims: &str) -> String {
        format!("{}.{}.AA", encode(br#"{"alg":"RS256"}"#), encode(claims.as_bytes()))
    }

    #[test]
    fn the_issuer_is_that_of_the_token_that_the_fetch_presents() {
        let good = format!("Bearer {}", token(r#"{"iss":"https://cluster.example"}"#));
        for header in ["Authorization", "authorization"] {
            let made = composed(header, &good).unwrap();
            assert_eq!(parts(&made), Ok(("https://cluster.example", &b"{\"keys\":[]}\n"[..])));
        }
        let bearer = |claims: &str| format!("Bearer {}", token(claims));
        for (header, value) in [
            ("X-Token", good.clone()),
            ("Authorization", String::new()),
            ("Authorization", "Bearer".into()),
            ("Authorization", "Bearer opaque".into()),
            ("Authorization", token(r#"{"iss":"https://cluster.example"}"#)),
            ("Authorization", bearer("{}")),
            ("Authorization", bearer(r#"{"iss":7}"#)),
            ("Authorization", bearer(r#"{"iss":""}"#)),
            // It would end the line.
            ("Authorization", bearer(r#"{"iss":"https://a\n{\"keys\":1}"}"#)),
        ] {
            assert_eq!(composed(header, &value), Err(KeyError::NoOwnToken), "{header}: {value}");
        }
    }

    #[test]
    fn without_the_set_there_is_nothing() {
        let sent = [("Authorization".to_owned(), format!("Bearer {}", token(r#"{"iss":"a"}"#)))];
        let url = Url::parse("https://kubernetes.default.svc/").unwrap();
        let error = FetchError::Status(401);
        let failed = compose(&url, &sent, &|_| Err(error.clone()));
        assert_eq!(failed, Err(KeyError::Document(DocumentError::Fetch(error))));
        for bytes in [&b""[..], b"https://a", b"\xff\n{}"] {
            assert_eq!(parts(bytes), Err(KeyError::NoOwnToken));
        }
    }
}
