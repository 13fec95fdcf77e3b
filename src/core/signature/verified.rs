//! A token whose signature a key has verified.

use std::cell::OnceCell;
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
    /// Proofs of possession name the token by its hash: it is computed once.
    hash: OnceCell<Box<str>>,
}

impl VerifiedToken {
    /// An unverified token, for the tests of other rooms.
    #[cfg(test)]
    pub(crate) const fn unchecked(header: Header, claims: ClaimsSet) -> Self {
        Self { header, claims, hash: OnceCell::new() }
    }

    /// The protected header.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The claims, which the issuer signed.
    pub const fn claims(&self) -> &ClaimsSet {
        &self.claims
    }

    /// Where the hash of its bytes is kept, once somebody has asked for it.
    pub const fn hash(&self) -> &OnceCell<Box<str>> {
        &self.hash
    }

    /// Bytes held, for callers that bound what they keep.
    pub fn memory(&self) -> usize {
        let hash = self.hash.get().map_or(0, |hash| hash.len());
        let own = size_of::<Self>().saturating_add(self.header.alg.capacity());
        own.saturating_add(self.claims.memory()).saturating_add(hash)
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
            return Ok(VerifiedToken { header: token.header, claims: token.claimed, hash: OnceCell::new() });
        }
        *spent = spent.saturating_add(key.key().cost(token.signing_input.len()));
    }
    Err(NotVerified { untried: rest.len() })
}
