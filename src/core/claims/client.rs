//! The client that a token was issued to: `azp` (OpenID Connect Core 2), else `client_id` (RFC 9068 2.2).

use crate::core::refusal::Refusal;
use crate::core::token::claims_set::ClaimsSet;

/// The client, as far as the token names it.
#[must_use]
pub fn of(claims: &ClaimsSet) -> Option<&str> {
    claims.claim("azp").or_else(|| claims.claim("client_id"))?.as_str()
}

/// Checks that the client is one of `accepted` if that is not empty (`clients`), compared byte for byte.
///
/// # Errors
/// `client_not_accepted`, also if the token names no client.
pub fn check(claims: &ClaimsSet, accepted: &[String]) -> Result<(), Refusal> {
    let is_accepted = || of(claims).is_some_and(|client| accepted.iter().any(|accepted| accepted == client));
    if accepted.is_empty() || is_accepted() { Ok(()) } else { Err(Refusal::ClientNotAccepted) }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::core::refusal::Refusal;
    use crate::core::token::claims_set::claims;

    #[test]
    fn azp_else_client_id() {
        for (json, expected) in [
            (r#"{"azp":"web"}"#, true),
            (r#"{"client_id":"cli"}"#, true),
            (r#"{"azp":"web","client_id":"evil"}"#, true),
            (r#"{"azp":"evil","client_id":"web"}"#, false),
            (r#"{"azp":null,"client_id":"web"}"#, false),
            (r#"{"azp":["web"]}"#, false),
            (r#"{"azp":"Web"}"#, false),
            (r#"{"azp":""}"#, false),
            ("{}", false),
        ] {
            let accepted = ["web".to_owned(), "cli".to_owned()];
            let expected = if expected { Ok(()) } else { Err(Refusal::ClientNotAccepted) };
            assert_eq!(check(&claims(json), &accepted), expected, "{json}");
            assert_eq!(check(&claims(json), &[]), Ok(()), "{json}");
        }
    }
}
