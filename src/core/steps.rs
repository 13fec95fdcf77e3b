//! Reports the steps of a walk. The product ignores them at no cost; `explain` shows them.

use crate::core::bypass::Bypass;
use crate::core::policy::TrustedIssuer;
use crate::core::presented::Presented;
use crate::core::refusal::Refusal;
use crate::core::token::jws::UnverifiedToken;
use crate::core::token::source::FoundToken;

/// A step of a walk, reported when it is passed; a check is reported when it begins.
#[derive(Clone, Copy)]
pub enum Step<'s> {
    /// The request needs no token.
    Bypassed(Bypass),
    /// The request has this token. Reported again for each copy of a cookie.
    Found(&'s FoundToken<'s>),
    /// This is what the token says.
    Read(&'s UnverifiedToken<'s>),
    /// The issuer that the token names, and the entry that is about it.
    Issuer(Option<&'s str>, &'s TrustedIssuer),
    /// The entry accepts the algorithm of the token.
    Algorithm(&'s str, &'s TrustedIssuer),
    /// So many keys may verify the signature.
    Keys(usize),
    /// One of them does.
    Verified,
    /// The check of this name in the tables of [`checks`](crate::core::claims::checks) begins.
    Check(&'static str, &'s Presented<'s>),
    /// The walk ends here.
    Refused(&'s Refusal),
}

/// A listener for the steps of a walk.
pub trait Steps {
    /// Takes note of a step.
    fn step(&mut self, step: Step<'_>);
}

/// Ignores all steps.
impl Steps for () {
    fn step(&mut self, _: Step<'_>) {}
}
