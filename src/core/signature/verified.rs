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
