//! Algorithms.

/// An algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alg {
    /// HS256
    Hs256,
}

impl Alg {
    /// By name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        (name == "HS256").then_some(Self::Hs256)
    }
}
