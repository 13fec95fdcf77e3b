//! What remembers proofs that were used, so that each counts once (RFC 9449 11.1).

use crate::core::signature::alg::Hash;
use crate::core::token::base64url;
use crate::core::unix_time::UnixTime;

/// What the memory says of a proof that is used now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Nobody has used it before; from now on somebody has.
    First,
    /// It was used before.
    Again,
    /// Unknown: the memory is full, or not there.
    Unknown,
}

/// Remembers proofs. Of any number of simultaneous uses, in whatever instance, router or process, one is the first.
pub trait ReplayMemory {
    /// Uses a proof.
    fn first_use(&self, proof: &UsedProof<'_>) -> Use;
}

/// A proof that is used.
#[derive(Clone, Copy, Debug)]
pub struct UsedProof<'a> {
    /// Where proofs are remembered (`proofs.directory`).
    pub directory: &'a str,
    /// The number of the span that it was made in.
    pub span: u64,
    /// The number of the span that is now: in the second one after its own, a proof counts no more.
    pub current_span: u64,
    /// The instant of the use.
    pub now: UnixTime,
    /// Its own name, of 43 characters of base64url.
    pub name: &'a str,
}

/// The name of a proof: nothing but its key, its target and its `jti` tell it from others (RFC 9449 11.1).
#[must_use]
pub fn name(thumbprint: &str, htu: &str, jti: &str) -> String {
    // Each with its length, so that no two triples are one text.
    let lengths =
        [thumbprint, htu, jti].map(|part| u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    let [first, second, third] = &lengths;
    let parts = [first, thumbprint.as_bytes(), second, htu.as_bytes(), third, jti.as_bytes()];
    base64url::encode(&Hash::Sha256.digest(&parts))
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn each_part_counts() {
        let names = [
            name("a", "b", "c"),
            name("ab", "", "c"),
            name("", "ab", "c"),
            name("a", "bc", ""),
            name("a", "b", "C"),
        ];
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert!(names.iter().all(|name| name.len() == 43));
    }
}
