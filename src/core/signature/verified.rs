//! A token whose signature a key has verified.

use std::rc::Rc;

use crate::core::jwk::Jwk;
use crate::core::limits::MAX_VERIFICATIONS_PER_TOKEN;
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
    /// The protected header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The claims, now the issuer's word.
    #[must_use]
    pub const fn claims(&self) -> &ClaimsSet {
        &self.claims
    }

    /// Bytes held, for callers that bound what they keep.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>().saturating_add(self.header.alg.capacity()).saturating_add(self.claims.memory())
    }
}

/// The token as verified by the first of `keys` that does; `None` where none does.
///
/// At most [`MAX_VERIFICATIONS_PER_TOKEN`] keys are tried: a token without `kid` must not cost a whole set.
#[must_use]
pub fn verify_with_any(token: UnverifiedToken<'_>, keys: &[Rc<Jwk>], alg: Alg) -> Option<VerifiedToken> {
    let verifies =
        |key: &Rc<Jwk>| super::verify(key.key(), alg, token.signing_input, &token.signature).is_ok();
    keys.iter()
        .take(MAX_VERIFICATIONS_PER_TOKEN)
        .any(verifies)
        .then_some(VerifiedToken { header: token.header, claims: token.claimed })
}
