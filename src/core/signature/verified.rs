//! A token whose signature a key has verified.

use std::rc::Rc;

use crate::core::jwk::Jwk;
use crate::core::limits::MAX_VERIFICATION_COST;
use crate::core::signature::alg::Alg;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::token::header::Header;
use crate::core::token::jws::UnverifiedToken;

/// A token whose signature holds; its claims are still to be checked. Only this room makes one.
#[derive(Debug)]
pub struct VerifiedToken {
    header: Header,
    claims: ClaimsSet,
}

impl VerifiedToken {
    /// An unverified token, for the tests of other rooms.
    #[cfg(test)]
    pub(crate) const fn unchecked(header: Header, claims: ClaimsSet) -> Self {
        Self { header, claims }
    }

    /// The protected header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The claims, which the issuer signed.
    pub const fn claims(&self) -> &ClaimsSet {
        &self.claims
    }

    /// Bytes held, for callers that bound what they keep.
    pub fn memory(&self) -> usize {
        size_of::<Self>().saturating_add(self.header.alg.capacity()).saturating_add(self.claims.memory())
    }
}

/// No key verifies the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotVerified {
    /// Keys that were not tried: those before them had cost as much as one token may.
    pub untried: usize,
}

/// The token as verified by the first of `keys` that does.
///
/// Keys are tried until `spent`, what the request has cost so far, is [`MAX_VERIFICATION_COST`]: neither a token without
/// `kid` nor copies of a cookie must cost a whole set.
///
/// # Errors
/// If none of the tried keys verifies it.
pub fn verify_with_any(
    token: UnverifiedToken<'_>,
    keys: &[Rc<Jwk>],
    alg: Alg,
    spent: &mut u32,
) -> Result<VerifiedToken, NotVerified> {
    let mut rest = keys.iter();
    while *spent < MAX_VERIFICATION_COST
        && let Some(key) = rest.next()
    {
        if super::verify(key.key(), alg, token.signing_input, &token.signature).is_ok() {
            return Ok(VerifiedToken { header: token.header, claims: token.claimed });
        }
        *spent = spent.saturating_add(key.key().cost(token.signing_input.len()));
    }
    Err(NotVerified { untried: rest.len() })
}

#[cfg(test)]
mod tests {
    use super::{NotVerified, VerifiedToken, verify_with_any};
    use crate::core::jwk::JwkSet;
    use crate::core::jwk::Origin;
    use crate::core::limits::MAX_VERIFICATION_COST;
    use crate::core::signature::alg::Alg;
    use crate::core::token::claims_set::claims;
    use crate::core::token::header::Header;
    use crate::core::token::jws;

    /// What is kept of known tokens is bounded by this sum.
    #[test]
    fn a_token_takes_more_memory_than_its_claims() {
        for json in ["{}", r#"{"sub":"alice"}"#] {
            let header = Header { alg: "HS256".to_owned(), kid: None, typ: None };
            let token = VerifiedToken::unchecked(header, claims(json));
            assert!(token.memory() > token.claims().memory() + "HS256".len(), "{json}");
        }
    }

    #[test]
    fn keys_are_tried_until_the_request_has_cost_as_much_as_it_may() {
        // RFC 7515 A.1, and a secret that is not its own.
        let token = concat!(
            "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.",
            "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
        );
        let own = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
        let other = r#"{"kty":"oct","k":"BBB1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
        let set = format!(r#"{{"keys":[{other},{own}]}}"#);
        let set = JwkSet::parse(set.into_bytes(), Origin::Configured).unwrap();
        let both: Vec<_> = set.select(None, Alg::Hs256).cloned().collect();
        // A key that does not verify it costs 7: 2 and one KiB of SHA-256.
        for (keys, spent, expected) in [
            (&both[..], 0, (Ok(()), 7)),
            (&both[1..], 0, (Ok(()), 0)),
            (&both[..1], 0, (Err(NotVerified { untried: 0 }), 7)),
            (&both[..], MAX_VERIFICATION_COST - 7, (Err(NotVerified { untried: 1 }), MAX_VERIFICATION_COST)),
            (&both[..], MAX_VERIFICATION_COST - 8, (Ok(()), MAX_VERIFICATION_COST - 1)),
            (&both[..], MAX_VERIFICATION_COST, (Err(NotVerified { untried: 2 }), MAX_VERIFICATION_COST)),
            (&[], 0, (Err(NotVerified { untried: 0 }), 0)),
        ] {
            let mut cost = spent;
            let unverified = jws::parse(token.as_bytes()).unwrap();
            let outcome = verify_with_any(unverified, keys, Alg::Hs256, &mut cost).map(|_| ());
            assert_eq!((outcome, cost), expected, "{} keys, {spent}", keys.len());
        }
    }
}
