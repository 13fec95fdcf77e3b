//! How it ends, as a word and as an exit code.

/// The end of a check, an explanation or a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The configuration is good, or the request is allowed.
    Good,
    /// A middleware is refused, or the request is denied.
    Refused,
    /// Unknown.
    CannotTell,
}

impl Verdict {
    /// Its word in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Refused => "refused",
            Self::CannotTell => "cannot tell",
        }
    }

    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Refused => 1,
            Self::CannotTell => 2,
        }
    }
}
