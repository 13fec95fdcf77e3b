//! Tokens whose signature has been verified, or found wrong, before: bounded in entries and bytes.
//!
//! An entry is worth exactly a verification: it is found only by the whole token, belongs to one state of one
//! issuer's keys and dies with it; time, claims and request are checked again at every use.

use std::cell::RefCell;
use std::rc::Rc;

use crate::core::issuer_id::IssuerId;
use crate::core::known_token::KnownToken;

/// Entries; a pool instance serves a handful of clients between two garbage collections of the host.
const SLOTS: usize = 16;
/// Bytes of all entries: they are paid by every instance, so by every request in flight.
const MAX_BYTES: usize = 32 << 10;

/// A fixed number of slots; a token has one place and the newer token wins it.
pub struct VerifiedTokens {
    entries: RefCell<Entries>,
}

struct Entries {
    slots: [Option<Entry>; SLOTS],
    bytes: usize,
}

#[derive(Clone)]
struct Entry {
    token: Box<[u8]>,
    issuer: IssuerId,
    generation: u64,
    outcome: Outcome,
}

/// What was found out about a token's signature.
#[derive(Clone)]
pub enum Outcome {
    /// It holds.
    Verified(Rc<KnownToken>),
    /// No candidate key verifies it.
    Invalid {
        /// The `kid` of the token.
        kid: Option<String>,
    },
}

impl Entry {
    fn bytes(&self) -> usize {
        let kept = match &self.outcome {
            Outcome::Verified(token) => token.memory(),
            Outcome::Invalid { kid } => kid.as_ref().map_or(0, String::capacity),
        };
        self.token.len().saturating_add(kept).saturating_add(size_of::<Self>())
    }
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self { entries: RefCell::new(Entries { slots: std::array::from_fn(|_| None), bytes: 0 }) }
    }
}

impl VerifiedTokens {
    /// What was found out about `token`, compared as a whole; whether that still stands is the caller's to check
    /// against issuer and generation.
    #[must_use]
    pub fn recall(&self, token: &[u8]) -> Option<(IssuerId, u64, Outcome)> {
        let entries = self.entries.borrow();
        let entry = entries.slots.get(slot(token))?.as_ref()?;
        same(&entry.token, token).then(|| (entry.issuer, entry.generation, entry.outcome.clone()))
    }

    /// Keeps what was found out about `token` with the keys of `generation`.
    pub fn keep(&self, token: &[u8], issuer: IssuerId, generation: u64, outcome: Outcome) {
        let entry = Entry { token: token.into(), issuer, generation, outcome };
        let bytes = entry.bytes();
        let mut entries = self.entries.borrow_mut();
        // Somebody who sends forged tokens must not push out the good ones: a failure only takes a free place or
        // that of another failure.
        let index = slot(token);
        let occupied = entries.slots.get(index).and_then(Option::as_ref);
        let pushes_out = matches!(
            (occupied.map(|entry| &entry.outcome), &entry.outcome),
            (Some(Outcome::Verified(_)), Outcome::Invalid { .. })
        );
        if pushes_out || bytes > MAX_BYTES / 2 {
            return;
        }
        let freed = occupied.map_or(0, Entry::bytes);
        if entries.bytes.saturating_sub(freed).saturating_add(bytes) > MAX_BYTES {
            *entries = Entries { slots: std::array::from_fn(|_| None), bytes: 0 };
        } else {
            entries.bytes = entries.bytes.saturating_sub(freed);
        }
        if let Some(place) = entries.slots.get_mut(index) {
            *place = Some(entry);
            entries.bytes = entries.bytes.saturating_add(bytes);
        }
    }
}

/// Whether two tokens are the same, eight bytes at a time: `memcmp` takes them one by one, which for a known token is a
/// tenth of all that the guest does.
fn same(a: &[u8], b: &[u8]) -> bool {
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut words = a_words.iter().zip(b_words);
    a.len() == b.len()
        && words.all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b))
        && a_rest.iter().eq(b_rest)
}

/// The place of a token: a mix of its last bytes, which are signature. Whoever aims at a place only evicts what a
/// verification brings back.
fn slot(token: &[u8]) -> usize {
    let mixed = token
        .iter()
        .rev()
        .take(12)
        .fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(*byte)));
    let spread = mixed.wrapping_mul(0x9e37_79b9) >> 24;
    usize::try_from(spread).unwrap_or(0) % SLOTS
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, Outcome, SLOTS, VerifiedTokens, same, slot};
    use crate::core::issuer_id::IssuerId;

    const ISSUER: IssuerId = IssuerId(0);

    const INVALID: Outcome = Outcome::Invalid { kid: None };

    #[test]
    fn only_the_whole_token_is_recalled() {
        let tokens = VerifiedTokens::default();
        tokens.keep(b"header.payload.signature", ISSUER, 7, INVALID);
        let recalled = tokens.recall(b"header.payload.signature");
        assert!(matches!(recalled, Some((ISSUER, 7, Outcome::Invalid { kid: None }))));
        // Same signature, so the same place, with another payload.
        assert!(tokens.recall(b"header.payloae.signature").is_none());
        assert!(tokens.recall(b"header.payload.signaturf").is_none());
    }

    #[test]
    fn tokens_are_the_same_in_every_byte_or_not_at_all() {
        for length in 0..40_usize {
            let token = vec![b'a'; length];
            assert!(same(&token, &token.clone()));
            assert!(!same(&token, &[token.as_slice(), b"a"].concat()));
            assert!(!same(&[token.as_slice(), b"a"].concat(), &token));
            for at in 0..length {
                let mut other = token.clone();
                other[at] = b'b';
                assert!(!same(&token, &other), "{length} {at}");
            }
        }
    }

    #[test]
    fn memory_is_bounded() {
        let tokens = VerifiedTokens::default();
        for n in 0..10_000_u32 {
            let token = format!("{n}.{}", "x".repeat((n % 9_000) as usize));
            tokens.keep(token.as_bytes(), ISSUER, 1, INVALID);
            let entries = tokens.entries.borrow();
            let bytes: usize = entries.slots.iter().flatten().map(super::Entry::bytes).sum();
            assert_eq!(bytes, entries.bytes);
            assert!(bytes <= MAX_BYTES);
        }
    }

    #[test]
    fn signatures_spread_over_the_slots() {
        let used: std::collections::BTreeSet<_> =
            (0..1000_u32).map(|n| slot(format!("a.b.{:x}zQ", n.wrapping_mul(0x9e37)).as_bytes())).collect();
        assert_eq!(used.len(), SLOTS);
    }
}
