//! A token with the request that presents it: everything that a check may read.

use crate::core::derived::Derived;
use crate::core::issuer_id::IssuerId;
use crate::core::lookups::Lookups;
use crate::core::policy::{Policy, TrustedIssuer};
use crate::core::request::RequestView;
use crate::core::rules::Ruling;
use crate::core::signature::VerifiedToken;
use crate::core::token::claims_set::ClaimsSet;
use crate::core::token::header::Header;
use crate::core::token::source::TokenPlace;
use crate::core::unix_time::UnixTime;

/// What was sent, and the rules that apply to it.
#[derive(Clone, Copy)]
pub struct Sent<'r> {
    /// The configuration.
    pub policy: &'r Policy,
    /// The entry of the issuer that the token names.
    pub issuer_id: IssuerId,
    /// The same entry.
    pub issuer: &'r TrustedIssuer,
    /// The token as it was found; `None` for a sample of `tests`, which is not signed.
    pub token: Option<&'r [u8]>,
    /// What `rules` say of the request.
    pub ruling: Ruling<'r>,
    /// Where it was found.
    pub places: &'r [&'r TokenPlace],
    /// What checks look up outside.
    pub lookups: &'r dyn Lookups,
    /// The request.
    pub request: &'r dyn RequestView,
    /// The instant of the decision.
    pub now: UnixTime,
}

/// The same with the content of the token, which may not be verified yet.
#[derive(Clone, Copy)]
pub struct Presented<'r> {
    /// What was sent.
    pub sent: Sent<'r>,
    /// The protected header.
    pub header: &'r Header,
    /// The claims.
    pub claims: &'r ClaimsSet,
    /// What is kept of a token that comes again.
    pub derived: Option<&'r Derived>,
}

impl<'r> Sent<'r> {
    /// The request with a token that says this.
    pub const fn saying(self, header: &'r Header, claims: &'r ClaimsSet) -> Presented<'r> {
        Presented { sent: self, header, claims, derived: None }
    }

    /// The request with `token`, which a key has verified.
    pub const fn with(self, token: &'r VerifiedToken) -> Presented<'r> {
        self.saying(token.header(), token.claims())
    }
}
