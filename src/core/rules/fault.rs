//! Why a request is under no rule.

/// Why a request is under no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<'p> {
    /// None matches, or another one could for a back end.
    Missing,
    /// A header that repeats a part of a message cannot be used.
    McpHeader {
        /// The header.
        header: &'p str,
        /// What is wrong with it, the end of a sentence.
        problem: &'static str,
    },
}
