//! Whose keys, tokens and headers something is about.

/// Position of a trusted issuer in the [`Policy`](crate::core::policy::Policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssuerId(pub usize);
