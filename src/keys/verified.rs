//! Tokens whose signature was verified, or found invalid, before: bounded in entries and bytes.
//!
//! An entry replaces a verification and nothing else: it is found only by the whole token, and it is valid only for one
//! state of one issuer's keys. Time, claims and request are checked again at every use.

use std::cell::RefCell;
use std::rc::Rc;

use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::KeyState;
use crate::core::known_token::{Finding, KnownToken};
use crate::core::limits::{MAX_FAILED_TOKENS_BYTES, MAX_KNOWN_TOKENS_BYTES};

/// Entries of a room. An instance of the pool serves a few clients between two garbage collections of the host.
const SLOTS: usize = 16;

/// Verified tokens and failures, in separate rooms: forged tokens never evict a verified one.
pub struct VerifiedTokens {
    verified: RefCell<Room<Rc<KnownToken>>>,
    failed: RefCell<Room<Failure>>,
}

/// A fixed number of slots. A token has one slot, and the newer token wins it.
struct Room<T> {
    slots: [Option<Entry<T>>; SLOTS],
    bytes: usize,
    max_bytes: usize,
}

#[derive(Clone)]
struct Entry<T> {
    token: Box<[u8]>,
    issuer: IssuerId,
    keys: KeyState,
    outcome: T,
}

/// No candidate key verifies the token: [`Finding::Invalid`].
#[derive(Clone)]
struct Failure {
    kid: Option<String>,
    untried: usize,
}

/// What an outcome holds beside the token.
trait Kept {
    fn bytes(&self) -> usize;
}

impl Kept for Rc<KnownToken> {
    fn bytes(&self) -> usize {
        self.memory()
    }
}

impl Kept for Failure {
    fn bytes(&self) -> usize {
        self.kid.as_ref().map_or(0, String::capacity)
    }
}

impl<T: Kept> Entry<T> {
    fn bytes(&self) -> usize {
        self.token.len().saturating_add(self.outcome.bytes()).saturating_add(size_of::<Self>())
    }
}

impl<T: Kept + Clone> Room<T> {
    fn new(max_bytes: usize) -> Self {
        Self { slots: std::array::from_fn(|_| None), bytes: 0, max_bytes }
    }

    fn recall(&self, token: &[u8]) -> Option<(IssuerId, KeyState, T)> {
        let entry = self.slots.get(slot(token))?.as_ref()?;
        same(&entry.token, token).then(|| (entry.issuer, entry.keys, entry.outcome.clone()))
    }

    /// An entry that takes more than half of the room is not kept. One that does not fit the space left empties the room.
    fn keep(&mut self, entry: Entry<T>) {
        let (index, bytes) = (slot(&entry.token), entry.bytes());
        if bytes > self.max_bytes / 2 {
            return;
        }
        let freed = self.slots.get(index).and_then(Option::as_ref).map_or(0, Entry::bytes);
        let others = self.bytes.saturating_sub(freed);
        if others.saturating_add(bytes) > self.max_bytes {
            *self = Self::new(self.max_bytes);
        } else {
            self.bytes = others;
        }
        if let Some(place) = self.slots.get_mut(index) {
            *place = Some(entry);
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self {
            verified: RefCell::new(Room::new(MAX_KNOWN_TOKENS_BYTES)),
            failed: RefCell::new(Room::new(MAX_FAILED_TOKENS_BYTES)),
        }
    }
}

impl VerifiedTokens {
    /// What was found out about `token`, compared as a whole, and with which keys. The caller checks whether those are still
    /// the current ones.
    pub fn recall(&self, token: &[u8]) -> Option<(IssuerId, KeyState, Finding)> {
        if let Some((issuer, keys, known)) = self.verified.borrow().recall(token) {
            return Some((issuer, keys, Finding::Verified(known)));
        }
        let (issuer, keys, Failure { kid, untried }) = self.failed.borrow().recall(token)?;
        Some((issuer, keys, Finding::Invalid { kid, untried }))
    }

    /// Keeps what was found out about `token` with `keys`.
    pub fn keep(&self, token: Box<[u8]>, issuer: IssuerId, keys: KeyState, finding: Finding) {
        match finding {
            Finding::Verified(outcome) => {
                self.verified.borrow_mut().keep(Entry { token, issuer, keys, outcome });
            }
            Finding::Invalid { kid, untried } => {
                let outcome = Failure { kid, untried };
                self.failed.borrow_mut().keep(Entry { token, issuer, keys, outcome });
            }
        }
    }
}

/// Whether two tokens are the same, eight bytes at a time: `memcmp` compares single bytes, which takes a tenth of the time
/// that the guest spends on a known token.
fn same(a: &[u8], b: &[u8]) -> bool {
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let mut words = a_words.iter().zip(b_words);
    a.len() == b.len()
        && words.all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b))
        && a_rest.iter().eq(b_rest)
}

/// The slot of a token: a mix of its last bytes, which are the signature. An attacker who aims at a slot only evicts an
/// entry that the next verification restores.
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
    use std::rc::Rc;

    use super::{Room, SLOTS, VerifiedTokens, same, slot};
    use crate::core::issuer_id::IssuerId;
    use crate::core::jwk::lookup::KeyState;
    use crate::core::known_token::{Finding, KnownToken};
    use crate::core::limits::{MAX_FAILED_TOKENS_BYTES, MAX_KNOWN_TOKENS_BYTES, MAX_TOKEN_BYTES};
    use crate::core::signature::VerifiedToken;
    use crate::core::token::claims_set::claims;
    use crate::core::token::header;

    const ISSUER: IssuerId = IssuerId(0);

    const KEYS: KeyState = KeyState(1);

    fn invalid() -> Finding {
        Finding::Invalid { kid: None, untried: 0 }
    }

    fn verified() -> Finding {
        let header = header::parse(br#"{"alg":"EdDSA"}"#.to_vec()).unwrap();
        let token = VerifiedToken::unchecked(header, claims(r#"{"sub":"alice"}"#));
        Finding::Verified(Rc::new(KnownToken::unchecked(token)))
    }

    #[test]
    fn only_the_whole_token_is_recalled() {
        let tokens = VerifiedTokens::default();
        tokens.keep((*b"header.payload.signature").into(), ISSUER, KeyState(7), invalid());
        let recalled = tokens.recall(b"header.payload.signature");
        assert!(matches!(recalled, Some((ISSUER, KeyState(7), Finding::Invalid { kid: None, untried: 0 }))));
        // The same signature, so the same slot, with another payload.
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
    fn forged_tokens_of_any_size_and_place_push_no_verified_one_out() {
        let tokens = VerifiedTokens::default();
        let known: Vec<String> = (0..SLOTS).map(|n| format!("known.{n}.{n:x}")).collect();
        for token in &known {
            tokens.keep(token.as_bytes().into(), ISSUER, KEYS, verified());
        }
        let kept =
            |token: &str| matches!(tokens.recall(token.as_bytes()), Some((_, KEYS, Finding::Verified(_))));
        // If two of them share a slot, the newer one has it.
        let before: Vec<&String> = known.iter().filter(|token| kept(token)).collect();
        assert!(before.len() > SLOTS / 3, "{}", before.len());
        let largest = usize::try_from(MAX_TOKEN_BYTES).unwrap();
        for n in 0..4_000_usize {
            let forged = format!("{}.{n}.{n:x}", "x".repeat(n.wrapping_mul(7_919) % largest));
            tokens.keep(forged.as_bytes().into(), ISSUER, KEYS, invalid());
        }
        for size in [12 << 10, largest] {
            for n in 0..3 {
                tokens.keep(format!("{n}{}", "x".repeat(size)).as_bytes().into(), ISSUER, KEYS, invalid());
            }
        }
        assert_eq!(known.iter().filter(|token| kept(token)).collect::<Vec<_>>(), before);
    }

    #[test]
    fn what_is_larger_than_half_of_a_room_is_not_kept() {
        let tokens = VerifiedTokens::default();
        tokens.keep((*b"a small one").into(), ISSUER, KEYS, invalid());
        for (room, outcome) in [(MAX_FAILED_TOKENS_BYTES, invalid()), (MAX_KNOWN_TOKENS_BYTES, verified())] {
            let large = vec![b'x'; room / 2];
            tokens.keep(large.as_slice().into(), ISSUER, KEYS, outcome.clone());
            assert!(tokens.recall(&large).is_none());
            let fits = vec![b'y'; room / 4];
            tokens.keep(fits.as_slice().into(), ISSUER, KEYS, outcome);
            assert!(tokens.recall(&fits).is_some());
        }
        assert!(tokens.recall(b"a small one").is_some());
    }

    #[test]
    fn memory_is_bounded() {
        let tokens = VerifiedTokens::default();
        for n in 0..10_000_usize {
            let token = format!("{n}.{}", "x".repeat(n % 9_000));
            tokens.keep(token.as_bytes().into(), ISSUER, KEYS, invalid());
            assert_bounded(&tokens.failed.borrow(), MAX_FAILED_TOKENS_BYTES);
        }
        let mut known = Room::new(MAX_KNOWN_TOKENS_BYTES);
        for n in 0..10_000_usize {
            let Finding::Verified(outcome) = verified() else { continue };
            let token = format!("{n}.{}", "x".repeat(n % 9_000)).into_bytes().into();
            known.keep(super::Entry { token, issuer: ISSUER, keys: KEYS, outcome });
            assert_bounded(&known, MAX_KNOWN_TOKENS_BYTES);
        }
    }

    #[test]
    fn what_is_kept_counts_in_whole_and_may_fill_the_room() {
        let entry = |token: &[u8], kid: Option<&str>| super::Entry {
            token: token.into(),
            issuer: ISSUER,
            keys: KEYS,
            outcome: super::Failure { kid: kid.map(str::to_owned), untried: 0 },
        };
        let (one, two) = (b"a.b.c".as_slice(), b"a.b.d".as_slice());
        assert_ne!(slot(one), slot(two));
        let bytes = entry(one, None).bytes();
        assert_eq!(bytes, one.len() + size_of::<super::Entry<super::Failure>>());
        assert_eq!(entry(one, Some("a kid")).bytes(), bytes + 5);
        let kept = |max: usize| {
            let mut room = Room::new(max);
            for token in [one, two] {
                room.keep(entry(token, None));
            }
            assert_bounded(&room, max);
            [one, two].map(|token| room.recall(token).is_some())
        };
        assert_eq!(kept(2 * bytes - 1), [false, false]);
        assert_eq!(kept(2 * bytes), [true, true]);
        let mut room = Room::new(2 * bytes);
        for token in [one, two, b"a.b.e"] {
            room.keep(entry(token, None));
        }
        assert_bounded(&room, 2 * bytes);
        assert_eq!([one, two, b"a.b.e"].map(|token| room.recall(token).is_some()), [false, false, true]);
        // What a verified token holds besides its text.
        let Finding::Verified(known) = verified() else { panic!() };
        let claims = known.memory();
        assert!(claims >= r#"{"sub":"alice"}"#.len() + size_of::<usize>(), "{claims}");
        let entry = super::Entry { token: (*b"a.b.c").into(), issuer: ISSUER, keys: KEYS, outcome: known };
        assert_eq!(entry.bytes(), 5 + claims + size_of_val(&entry));
    }

    fn assert_bounded<T: super::Kept>(room: &Room<T>, max: usize) {
        let bytes: usize = room.slots.iter().flatten().map(super::Entry::bytes).sum();
        assert!(bytes == room.bytes && bytes <= max, "{bytes} of {max}, counted {}", room.bytes);
    }

    #[test]
    fn signatures_spread_over_the_slots() {
        let used: std::collections::BTreeSet<_> =
            (0..1000_u32).map(|n| slot(format!("a.b.{:x}zQ", n.wrapping_mul(0x9e37)).as_bytes())).collect();
        assert_eq!(used.len(), SLOTS);
    }
}
