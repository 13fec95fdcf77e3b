//! Steps 3, 7 and 12: the keys of every trusted issuer, as of an instant. A key never serves another issuer.

use std::cell::RefCell;
use std::rc::Rc;

use crate::core::answer::NeedKeys;
use crate::core::fetching::DocumentState;
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::{Candidates, KeyLookup, KeySetView, KeySource, KeyState, MoreKeys};
use crate::core::known_token::{Finding, Learned, Memory, Recalled};
use crate::core::lookups::{Lookups, Unknown};
use crate::core::policy::Policy;
use crate::core::signature::alg::Alg;
use crate::core::unix_time::UnixTime;
use crate::documents::io::Io;
use crate::documents::lease::Waiting;
use crate::keys::source::{self, KeyEvent, Loaded};
use crate::keys::verified::VerifiedTokens;

/// Key sets by issuer and source, in the order of the policy.
pub struct Keyring {
    policy: Rc<Policy>,
    issuers: Vec<Vec<Slot>>,
    verified: VerifiedTokens,
}

/// A snapshot that is replaced whole; the borrow never lasts beyond one statement.
struct Slot(RefCell<Rc<Loaded>>);

impl Slot {
    fn get(&self) -> Rc<Loaded> {
        Rc::clone(&self.0.borrow())
    }

    fn replace(&self, loaded: Loaded) {
        *self.0.borrow_mut() = Rc::new(loaded);
    }

    fn refresh_due(&self, source: &KeySource, now: UnixTime, io: &Io<'_>) -> Option<KeyEvent> {
        if matches!(source, KeySource::Configured(_)) || !self.0.borrow().is_due(now) {
            return None;
        }
        let (loaded, event) = source::refreshed((source, None), &self.get(), Waiting::NotAtAll, now, io);
        self.replace(loaded);
        event
    }
}

impl Keyring {
    /// A keyring that has not fetched anything yet.
    pub fn new(policy: Rc<Policy>) -> Self {
        let slots = |source: &KeySource| Slot(RefCell::new(Rc::new(source::unloaded(source))));
        let issuers = policy.issuers.iter().map(|issuer| issuer.keys.iter().map(slots).collect()).collect();
        Self { policy, issuers, verified: VerifiedTokens::default() }
    }

    /// The keyring as a decision at `now` sees it.
    pub const fn at(&self, now: UnixTime) -> KeyringAt<'_> {
        KeyringAt { keyring: self, lookups: &Unknown, now }
    }

    /// Keeps what a decision found out about tokens, as long as the keys that it used are the current ones.
    pub fn remember(&self, learned: Vec<Learned>) {
        for Learned { token, issuer, keys, finding } in learned {
            self.verified.keep(token, issuer, keys, finding);
        }
    }

    /// Fetches every source of the issuer that could have the key and may be fetched: those that have a key of this name,
    /// since another key may have replaced it, otherwise all. Returns what to log.
    pub fn refresh(&self, need: &NeedKeys, now: UnixTime, io: &Io<'_>) -> Vec<KeyEvent> {
        let mut events = Vec::new();
        let kid = need.kid.as_deref();
        for (source, slot) in self.worth_asking(need.issuer, kid, now) {
            let (loaded, event) =
                source::refreshed((source, kid), &slot.get(), Waiting::ForDocument, now, io);
            slot.replace(loaded);
            events.extend(event);
        }
        events
    }

    /// Takes over what other instances have learnt, and reads files that have changed, for every request. Asks no server.
    /// Returns what to log.
    pub fn catch_up(&self, now: UnixTime, io: &Io<'_>) -> Vec<KeyEvent> {
        let mut events = Vec::new();
        for (issuer, slots) in self.policy.issuers.iter().zip(&self.issuers) {
            for (source, slot) in issuer.keys.iter().zip(slots) {
                match source {
                    KeySource::Configured(_) => {}
                    KeySource::File { .. } => events.extend(slot.refresh_due(source, now, io)),
                    KeySource::Url(_) => {
                        let caught_up = source::caught_up(source, &slot.0.borrow(), now, io);
                        if let Some(loaded) = caught_up {
                            slot.replace(loaded);
                        }
                    }
                }
            }
        }
        events
    }

    /// Refreshes the due sources of an issuer that a decision at `now` asked about. Its keys are still usable, so this comes
    /// after the decision, and no issuer waits for another. Returns what to log.
    pub fn refresh_ahead(&self, issuer: IssuerId, now: UnixTime, io: &Io<'_>) -> Vec<KeyEvent> {
        self.sources(issuer).filter_map(|(source, slot)| slot.refresh_due(source, now, io)).collect()
    }

    /// The sources of `issuer` that may be fetched now and could have the key that a token names: none of the current keys
    /// has this name, or another key may have taken it. All tokens share one cooldown, whichever key they name.
    fn worth_asking(&self, issuer: IssuerId, kid: Option<&str>, now: UnixTime) -> Vec<(&KeySource, &Slot)> {
        let has_kid = |(source, slot): &(&KeySource, &Slot)| has_kid(source, &slot.0.borrow(), kid, now);
        let is_known = self.sources(issuer).any(|source| has_kid(&source));
        let may_ask = |(source, slot): &(&KeySource, &Slot)| {
            !matches!(source, KeySource::Configured(_))
                && slot.0.borrow().freshness.may_ask(now)
                && source::may_have(source, kid)
        };
        self.sources(issuer).filter(|source| may_ask(source) && has_kid(source) == is_known).collect()
    }

    fn sources(&self, issuer: IssuerId) -> impl Iterator<Item = (&KeySource, &Slot)> {
        let sources = self.policy.trusted(issuer).map(|issuer| issuer.keys.as_slice()).unwrap_or_default();
        sources.iter().zip(self.issuers.get(issuer.0).map(Vec::as_slice).unwrap_or_default())
    }
}

/// Whether the keys of `source` that are usable at `now` include one with the name `kid`.
fn has_kid(source: &KeySource, loaded: &Loaded, kid: Option<&str>, now: UnixTime) -> bool {
    let set = match source {
        KeySource::Configured(set) => Some(set),
        KeySource::File { .. } | KeySource::Url(_) => {
            loaded.content.as_deref().filter(|_| loaded.freshness.state(now) != DocumentState::Absent)
        }
    };
    kid.zip(set).is_some_and(|(kid, set)| set.has_kid(kid))
}

/// [`Keyring`] at an instant.
#[derive(Clone, Copy)]
pub struct KeyringAt<'k> {
    keyring: &'k Keyring,
    lookups: &'k dyn Lookups,
    now: UnixTime,
}

impl<'k> KeyringAt<'k> {
    /// The same, beside what else can be looked up.
    #[must_use]
    pub const fn beside(self, lookups: &'k dyn Lookups) -> Self {
        Self { lookups, ..self }
    }
}

impl KeyLookup for KeyringAt<'_> {
    fn key_sets(&self) -> Vec<KeySetView> {
        let issuers = self.keyring.policy.issuers.iter().zip(&self.keyring.issuers);
        let sets = issuers.flat_map(|(trusted, slots)| {
            let view = move |(source, slot): (&KeySource, &Slot)| {
                source::view(source, &slot.get(), trusted.named(), self.now)
            };
            trusted.keys.iter().zip(slots).map(view)
        });
        sets.collect()
    }

    fn candidates(&self, issuer: IssuerId, kid: Option<&str>, alg: Alg) -> Candidates {
        let mut keys = Vec::new();
        // Among the sources that have a key of this name, and among all.
        let (mut of_the_named, mut of_all) = (None, MoreKeys::None);
        for (source, slot) in self.keyring.sources(issuer) {
            let loaded = slot.get();
            let (set, more) = match source {
                KeySource::Configured(set) => (Some(set), MoreKeys::None),
                KeySource::File { .. } | KeySource::Url(_) => {
                    let (serves, more) = self.outlook(&loaded);
                    let more = if source::may_have(source, kid) { more } else { MoreKeys::None };
                    (loaded.content.as_deref().filter(|_| serves), more)
                }
            };
            of_all = of_all.max(more);
            if let Some(set) = set {
                if kid.is_some_and(|kid| set.has_kid(kid)) {
                    of_the_named = of_the_named.max(Some(more));
                }
                keys.extend(set.select(kid, alg).cloned());
            }
        }
        // If the key that the token names is known, other sources do not matter.
        Candidates { keys, more: of_the_named.unwrap_or(of_all), state: self.state(issuer) }
    }
}

impl Memory for KeyringAt<'_> {
    fn recall(&self, token: &[u8]) -> Option<Recalled> {
        let (issuer, state, finding) = self.keyring.verified.recall(token)?;
        if self.state(issuer) != Some(state) {
            return None;
        }
        match &finding {
            // A refresh could bring the key that verifies it.
            Finding::Invalid { kid, .. }
                if !self.keyring.worth_asking(issuer, kid.as_deref(), self.now).is_empty() =>
            {
                None
            }
            Finding::Verified(_) | Finding::Invalid { .. } => Some(Recalled { issuer, finding }),
        }
    }

    fn lookups(&self) -> &dyn Lookups {
        self.lookups
    }
}

impl KeyringAt<'_> {
    /// Names the state of all key sets of the issuer. `None` if one of them is missing or too old: then no remembered
    /// token counts.
    fn state(&self, issuer: IssuerId) -> Option<KeyState> {
        let mut sum = 0_u64;
        for (source, slot) in self.keyring.sources(issuer) {
            match source {
                KeySource::Configured(_) => {}
                KeySource::File { .. } | KeySource::Url(_) => {
                    let loaded = slot.0.borrow();
                    if loaded.freshness.state(self.now) == DocumentState::Absent {
                        return None;
                    }
                    // Each only increases, so no two states of one issuer have the same sum.
                    sum = sum.wrapping_add(loaded.generation);
                }
            }
        }
        Some(KeyState(sum))
    }

    /// Whether the current set is usable, and what a fetch could bring for a token that it does not verify: a key that is
    /// not in the set, or another key under a name that is.
    fn outlook(&self, loaded: &Loaded) -> (bool, MoreKeys) {
        let may_ask = loaded.freshness.may_ask(self.now);
        match loaded.freshness.state(self.now) {
            DocumentState::Fresh | DocumentState::Stale if may_ask => (true, MoreKeys::Ask),
            DocumentState::Fresh | DocumentState::Stale => (true, MoreKeys::None),
            DocumentState::Absent if may_ask => (false, MoreKeys::Ask),
            DocumentState::Absent => {
                (false, MoreKeys::Unavailable { retry_after: loaded.freshness.retry_after(self.now) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::Keyring;
    use crate::core::answer::NeedKeys;
    use crate::core::claims::ClaimRules;
    use crate::core::fetching::DocumentState;
    use crate::core::issuer_id::IssuerId;
    use crate::core::jwk::Origin;
    use crate::core::jwk::lookup::{
        Candidates, KeyFormat, KeyLocation, KeyLookup, KeySource, MoreKeys, RemoteKeys,
    };
    use crate::core::known_token::{Finding, Memory};
    use crate::core::policy::{IssuerKind, Policy, TrustedIssuer};
    use crate::core::signature::alg::Alg;
    use crate::core::unix_time::Seconds;
    use crate::core::url::Url;
    use crate::documents::document::{Document, SharedDocument};
    use crate::documents::fetch::{FetchError, Fetched};
    use crate::documents::outside::Outside;
    use crate::keys::key_set::tests::remote;
    use crate::keys::source::{KeyEvent, KeyEventKind};

    const ISSUER: IssuerId = IssuerId(0);

    /// A set of Ed25519 keys with the same point and different `kid`s (RFC 8037 A.2).
    fn set(kids: &[&str]) -> String {
        let key = |kid: &&str| {
            let kid = if kid.is_empty() { String::new() } else { format!(r#","kid":"{kid}""#) };
            format!(
                r#"{{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"{kid}}}"#
            )
        };
        format!(r#"{{"keys":[{}]}}"#, kids.iter().map(key).collect::<Vec<_>>().join(","))
    }

    fn document(kids: &[&str], cache_control: &str) -> Result<Fetched, FetchError> {
        Ok(Fetched::Document(Document {
            body: set(kids).into_bytes(),
            cache_control: cache_control.into(),
            age: Seconds(0),
            etag: Some("\"1\"".into()),
        }))
    }

    fn url() -> KeySource {
        KeySource::Url(Box::new(remote()))
    }

    fn keyring(sources: Vec<Vec<KeySource>>) -> Keyring {
        let issuer = |keys| TrustedIssuer {
            names: vec![],
            kind: IssuerKind::Named,
            keys,
            algorithms: vec![Alg::EdDsa],
            signers: vec![],
            claims: ClaimRules::default(),
        };
        Keyring::new(Rc::new(Policy::of(sources.into_iter().map(issuer).collect())))
    }

    fn ask(keyring: &Keyring, outside: &Outside, kid: Option<&str>) -> (usize, MoreKeys) {
        let Candidates { keys, more, .. } = keyring.at(outside.now()).candidates(ISSUER, kid, Alg::EdDsa);
        (keys.len(), more)
    }

    /// What a request does if any candidate verifies its token: look, refresh if there is no candidate, look again, refresh
    /// ahead after the answer. Whether there could be more keys matters only without a candidate.
    fn request(
        keyring: &Keyring,
        outside: &Outside,
        kid: Option<&str>,
    ) -> ((usize, MoreKeys), Vec<KeyEvent>) {
        let mut events = keyring.catch_up(outside.now(), &outside.io());
        if ask(keyring, outside, kid) == (0, MoreKeys::Ask) {
            let need = NeedKeys { issuer: ISSUER, kid: kid.map(str::to_owned) };
            events.extend(keyring.refresh(&need, outside.now(), &outside.io()));
        }
        let found = match ask(keyring, outside, kid) {
            (0, more) => (0, more),
            (keys, _) => (keys, MoreKeys::None),
        };
        events.extend(keyring.refresh_ahead(ISSUER, outside.now(), &outside.io()));
        (found, events)
    }

    #[test]
    fn the_first_request_fetches_and_the_next_do_not() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        assert_eq!(ask(&keyring, &outside, Some("a")), (0, MoreKeys::Ask));
        outside.next(document(&["a", "b"], ""));
        let (found, events) = request(&keyring, &outside, Some("a"));
        assert_eq!(found, (1, MoreKeys::None));
        let [KeyEvent { place, kind: KeyEventKind::Changed { added, removed, keys: 2, .. } }] =
            events.as_slice()
        else {
            panic!("{events:?}");
        };
        assert_eq!((place.as_str(), added.len(), removed.len()), ("https://idp.example/jwks.json", 2, 0));
        for kid in ["a", "b"] {
            assert_eq!(request(&keyring, &outside, Some(kid)).0, (1, MoreKeys::None));
        }
        assert_eq!(outside.asked.get(), 1);
    }

    #[test]
    fn an_unknown_kid_asks_once_per_cooldown_whatever_clients_send() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        outside.next(document(&["a"], ""));
        request(&keyring, &outside, Some("a"));
        for n in 0..300 {
            assert_eq!(request(&keyring, &outside, Some(&format!("x{n}"))).0, (0, MoreKeys::None));
        }
        assert_eq!(outside.asked.get(), 1);
        outside.wait(30);
        outside.next(document(&["b"], ""));
        assert_eq!(request(&keyring, &outside, Some("b")).0, (1, MoreKeys::None));
        // The key that left the set is gone.
        assert_eq!(request(&keyring, &outside, Some("a")).0, (0, MoreKeys::None));
        assert_eq!(outside.asked.get(), 2);
    }

    #[test]
    fn a_provider_that_is_down_leaves_the_old_keys_for_a_while() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        outside.next(document(&["a"], "max-age=100"));
        request(&keyring, &outside, Some("a"));
        outside.wait(100);
        let (found, events) = request(&keyring, &outside, Some("a"));
        assert_eq!(found, (1, MoreKeys::None));
        assert!(matches!(
            events.as_slice(),
            [KeyEvent { kind: KeyEventKind::Failed { error: _, serving_stale: true, .. }, .. }]
        ));
        // The same failure is not logged again, and there is a retry only after the back-off.
        assert_eq!(request(&keyring, &outside, Some("a")).1, []);
        assert_eq!(outside.asked.get(), 2);
        outside.wait(2);
        assert_eq!(request(&keyring, &outside, Some("a")).1, []);
        assert_eq!(outside.asked.get(), 3);
        outside.wait(3);
        outside.next(Ok(Fetched::NotModified { cache_control: String::new() }));
        let (found, events) = request(&keyring, &outside, Some("a"));
        assert_eq!(found, (1, MoreKeys::None));
        assert!(matches!(events.as_slice(), [KeyEvent { kind: KeyEventKind::Recovered, .. }]));
        outside.wait(600 + 1000);
        assert_eq!(request(&keyring, &outside, Some("a")).0.0, 0);
    }

    #[test]
    fn without_keys_the_answer_is_unavailable_until_the_back_off_is_over() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        let unavailable = |seconds| MoreKeys::Unavailable { retry_after: Seconds(seconds) };
        assert_eq!(request(&keyring, &outside, Some("a")).0, (0, unavailable(2)));
        assert_eq!(request(&keyring, &outside, Some("a")).0, (0, unavailable(2)));
        assert_eq!(outside.asked.get(), 1);
        outside.wait(2);
        outside.next(document(&["a"], ""));
        assert_eq!(request(&keyring, &outside, Some("a")).0, (1, MoreKeys::None));
    }

    #[test]
    fn an_answer_without_usable_keys_does_not_replace_a_set() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        outside.next(document(&["a"], "max-age=60"));
        request(&keyring, &outside, Some("a"));
        for body in ["{\"keys\":[]}", "<html>", "{}", ""] {
            outside.wait(60);
            outside.next(Ok(Fetched::Document(Document { body: body.into(), ..Document::default() })));
            assert_eq!(request(&keyring, &outside, Some("a")).0, (1, MoreKeys::None), "{body}");
        }
        assert_eq!(outside.asked.get(), 5);
    }

    #[test]
    fn keys_without_a_kid_serve_every_kid_and_a_named_key_settles_it() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        outside.next(document(&["a", ""], ""));
        assert_eq!(request(&keyring, &outside, Some("a")).0, (2, MoreKeys::None));
        assert_eq!(ask(&keyring, &outside, Some("z")), (1, MoreKeys::None));
        outside.wait(30);
        // If none of them verifies the token, another key may have replaced the named one.
        assert_eq!(ask(&keyring, &outside, Some("a")), (2, MoreKeys::Ask));
        assert_eq!(ask(&keyring, &outside, Some("z")), (1, MoreKeys::Ask));
        assert_eq!(ask(&keyring, &outside, None), (2, MoreKeys::Ask));
    }

    /// A set with one key of another point under the name "a".
    fn replaced() -> Result<Fetched, FetchError> {
        let (one, other) =
            ("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "r0pR6sjArJSM_98AA2XeDRpVnsUiPM6xEGf3zEPTNUw");
        Ok(Fetched::Document(Document {
            body: set(&["a"]).replace(one, other).into_bytes(),
            ..Document::default()
        }))
    }

    /// What a request does if no candidate verifies its token.
    fn unverified(keyring: &Keyring, outside: &Outside, kid: &str) -> MoreKeys {
        if ask(keyring, outside, Some(kid)).1 == MoreKeys::Ask {
            let need = NeedKeys { issuer: ISSUER, kid: Some(kid.to_owned()) };
            keyring.refresh(&need, outside.now(), &outside.io());
        }
        ask(keyring, outside, Some(kid)).1
    }

    #[test]
    fn a_key_that_another_replaced_under_its_name_is_asked_for_once_a_cooldown() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        outside.next(document(&["a"], ""));
        request(&keyring, &outside, Some("a"));
        let before = keyring.at(outside.now()).candidates(ISSUER, Some("a"), Alg::EdDsa).keys;
        // Forged tokens together cause one request per cooldown, whichever key they name.
        for cooldown in 1..4 {
            for n in 0..100 {
                assert_eq!(unverified(&keyring, &outside, "a"), MoreKeys::None, "{n}");
                assert_eq!(unverified(&keyring, &outside, &format!("x{n}")), MoreKeys::None, "{n}");
            }
            assert_eq!(outside.asked.get(), cooldown);
            outside.wait(30);
            outside.next(Ok(Fetched::NotModified { cache_control: String::new() }));
        }
        outside.next(replaced());
        outside.next(replaced());
        assert_eq!(unverified(&keyring, &outside, "a"), MoreKeys::None);
        outside.wait(30);
        assert_eq!(unverified(&keyring, &outside, "a"), MoreKeys::None);
        let after = keyring.at(outside.now()).candidates(ISSUER, Some("a"), Alg::EdDsa).keys;
        assert_eq!((before.len(), after.len()), (1, 1));
        assert!(!Rc::ptr_eq(&before[0], &after[0]));
    }

    #[test]
    fn a_token_that_failed_is_tried_again_when_its_key_may_have_come() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        outside.next(document(&["a"], ""));
        request(&keyring, &outside, Some("a"));
        let state = keyring.at(outside.now()).state(ISSUER).unwrap();
        let finding = Finding::Invalid { kid: Some("new".to_owned()), untried: 0 };
        keyring.verified.keep((*b"a.b.c").into(), ISSUER, state, finding);
        let is_known = || keyring.at(outside.now()).recall(b"a.b.c").is_some();
        for (wait, expected) in [(0, true), (29, true), (1, false)] {
            outside.wait(wait);
            assert_eq!(is_known(), expected, "{wait}");
        }
        // Asked in vain, which counts for a cooldown.
        outside.next(document(&["a"], ""));
        request(&keyring, &outside, Some("new"));
        assert!(is_known());
    }

    #[test]
    fn only_sources_with_a_key_of_the_name_are_asked_for_one_in_its_place() {
        let other = || {
            KeySource::Url(Box::new(RemoteKeys {
                location: KeyLocation::Url(Url::parse("https://other.example/").unwrap()),
                ..remote()
            }))
        };
        let (keyring, outside) = (keyring(vec![vec![url(), other()]]), Outside::new());
        outside.next(document(&["a"], ""));
        outside.next(document(&["b"], ""));
        request(&keyring, &outside, Some("a"));
        outside.wait(30);
        outside.next(document(&["a"], ""));
        unverified(&keyring, &outside, "a");
        assert_eq!(outside.asked.get(), 3);
        assert!(outside.urls.borrow()[2].starts_with("https://idp.example/"), "{:?}", outside.urls.borrow());
        // A key that no set has is looked for in every source that may have it.
        outside.wait(30);
        unverified(&keyring, &outside, "c");
        assert_eq!(outside.asked.get(), 5);
    }

    fn discovery() -> KeySource {
        let issuer = "https://idp.example";
        let location =
            KeyLocation::Discovery { issuers: vec![issuer.into()], url: Url::parse(issuer).unwrap() };
        KeySource::Url(Box::new(RemoteKeys { location, ..remote() }))
    }

    fn metadata(issuer: &str) -> Result<Fetched, FetchError> {
        Ok(Fetched::Document(Document {
            body: format!(r#"{{"issuer":"{issuer}","jwks_uri":"https://idp.example/k"}}"#).into_bytes(),
            ..Document::default()
        }))
    }

    #[test]
    fn discovery_asks_openid_then_rfc_8414_and_never_believes_another_issuer() {
        let (keyring, outside) = (keyring(vec![vec![discovery()]]), Outside::new());
        outside.next(Err(FetchError::Status(404)));
        outside.next(metadata("https://idp.example"));
        outside.next(document(&["a"], ""));
        assert_eq!(request(&keyring, &outside, Some("a")).0, (1, MoreKeys::None));
        assert_eq!(outside.asked.get(), 3);

        let (keyring, outside) = (self::keyring(vec![vec![discovery()]]), Outside::new());
        outside.next(metadata("https://evil.example"));
        outside.next(document(&["a"], ""));
        assert_eq!(request(&keyring, &outside, Some("a")).0.0, 0);
        assert_eq!(outside.asked.get(), 1);
    }

    /// An answer of its own that there is no such document. A fault may pass, and the next request begins anew.
    #[test]
    fn discovery_asks_for_the_next_document_if_the_server_has_not_the_first() {
        for (status, asked) in [(400, 3), (404, 3), (499, 3), (500, 1), (503, 1)] {
            let (keyring, outside) = (keyring(vec![vec![discovery()]]), Outside::new());
            outside.next(Err(FetchError::Status(status)));
            outside.next(metadata("https://idp.example"));
            outside.next(document(&["a"], ""));
            request(&keyring, &outside, Some("a"));
            assert_eq!(outside.asked.get(), asked, "{status}");
        }
    }

    #[test]
    fn all_documents_of_a_source_share_one_deadline() {
        let (keyring, outside) = (keyring(vec![vec![discovery()]]), Outside::new());
        outside.slow.set(3);
        outside.next(Err(FetchError::Status(404)));
        outside.next(metadata("https://idp.example"));
        outside.next(document(&["a"], ""));
        assert_eq!(request(&keyring, &outside, Some("a")).0.0, 0);
        assert_eq!(outside.asked.get(), 2);
    }

    #[test]
    fn a_key_never_serves_another_issuer() {
        let (keyring, outside) = (keyring(vec![vec![url()], vec![url()]]), Outside::new());
        outside.next(document(&["a"], ""));
        request(&keyring, &outside, Some("a"));
        let other = keyring.at(outside.now()).candidates(IssuerId(1), Some("a"), Alg::EdDsa);
        assert_eq!((other.keys.len(), other.more), (0, MoreKeys::Ask));
        let nobody = keyring.at(outside.now()).candidates(IssuerId(2), Some("a"), Alg::EdDsa);
        assert_eq!((nobody.keys.len(), nobody.more), (0, MoreKeys::None));
    }

    #[test]
    fn what_one_instance_fetches_serves_all() {
        let outside = Outside::new();
        let instances: Vec<Keyring> = (0..50).map(|_| keyring(vec![vec![url()]])).collect();
        outside.next(document(&["a"], ""));
        for (number, instance) in instances.iter().enumerate() {
            let (found, events) = request(instance, &outside, Some("a"));
            assert_eq!((found, events.len()), ((1, MoreKeys::None), usize::from(number == 0)), "{number}");
        }
        assert_eq!(outside.asked.get(), 1);
        // An unknown kid causes one fetch per cooldown, whichever instance gets it.
        outside.wait(30);
        outside.next(document(&["b"], ""));
        for (number, instance) in instances.iter().enumerate() {
            assert_eq!(request(instance, &outside, Some("x")).0, (0, MoreKeys::None), "{number}");
        }
        assert_eq!(outside.asked.get(), 2);
        // The key that left the set is gone everywhere, and this is logged once.
        for instance in &instances {
            assert_eq!(request(instance, &outside, Some("a")), ((0, MoreKeys::None), vec![]));
            assert_eq!(request(instance, &outside, Some("b")), ((1, MoreKeys::None), vec![]));
        }
        assert_eq!(outside.asked.get(), 2);
    }

    #[test]
    fn what_others_have_learnt_is_looked_for_once_a_second() {
        let (outside, instance) = (Outside::new(), keyring(vec![vec![url()]]));
        outside.next(document(&["a"], "max-age=100"));
        assert_eq!(request(&instance, &outside, Some("a")).0.0, 1);
        outside.wait(1);
        outside.looks.set(0);
        for seconds in 1..4 {
            for _ in 0..3 {
                assert_eq!(instance.catch_up(outside.now(), &outside.io()), []);
                assert_eq!(outside.looks.get(), seconds);
            }
            outside.wait(1);
        }
    }

    #[test]
    fn a_refresh_ahead_is_one_request_and_nobody_waits_for_it() {
        let outside = Outside::new();
        let instances: Vec<Keyring> = (0..20).map(|_| keyring(vec![vec![url()]])).collect();
        outside.next(document(&["a"], "max-age=100"));
        instances.iter().for_each(|instance| assert_eq!(request(instance, &outside, Some("a")).0.0, 1));
        outside.wait(95);
        // The decision comes first and asks nobody.
        for instance in &instances {
            assert_eq!(instance.catch_up(outside.now(), &outside.io()), []);
            assert_eq!(ask(instance, &outside, Some("a")).0, 1);
        }
        assert_eq!(outside.asked.get(), 1);
        // While one fetches, the others continue and do not retry right away.
        outside.busy.set(true);
        instances.iter().for_each(|instance| {
            assert_eq!(instance.refresh_ahead(ISSUER, outside.now(), &outside.io()), [])
        });
        let tries = outside.turns.get();
        instances.iter().for_each(|instance| assert_eq!(request(instance, &outside, Some("a")).0.0, 1));
        assert_eq!((outside.asked.get(), outside.turns.get()), (1, tries));
        outside.busy.set(false);
        outside.wait(2);
        outside.next(Ok(Fetched::NotModified { cache_control: "max-age=100".into() }));
        instances.iter().for_each(|instance| {
            assert_eq!(request(instance, &outside, Some("a")), ((1, MoreKeys::None), vec![]))
        });
        assert_eq!(outside.asked.get(), 2);
        assert_eq!(outside.etag.borrow().as_deref(), Some("\"1\""));
    }

    #[test]
    fn a_failure_is_asked_for_and_told_by_one_instance() {
        let outside = Outside::new();
        let instances: Vec<Keyring> = (0..20).map(|_| keyring(vec![vec![url()]])).collect();
        let mut told = 0;
        for instance in &instances {
            let (found, events) = request(instance, &outside, Some("a"));
            assert!(matches!(found, (0, MoreKeys::Unavailable { .. })), "{found:?}");
            told += events.len();
        }
        assert_eq!((outside.asked.get(), told), (1, 1));
        // Each attempt of the back-off is one request of all instances together, and the same failure is logged once.
        outside.wait(2);
        let tell = |instance| request(instance, &outside, Some("a")).1.len();
        assert_eq!(instances.iter().map(tell).sum::<usize>(), 0);
        assert_eq!(outside.asked.get(), 2);
        outside.wait(3);
        outside.next(document(&["a"], ""));
        for instance in &instances {
            assert_eq!(request(instance, &outside, Some("a")).0, (1, MoreKeys::None));
        }
        assert_eq!(outside.asked.get(), 3);
    }

    #[test]
    fn an_issuer_that_is_down_does_not_hold_up_another() {
        let other = KeySource::Url(Box::new(RemoteKeys {
            location: KeyLocation::Url(Url::parse("https://other.example/").unwrap()),
            ..remote()
        }));
        let (keyring, outside) = (keyring(vec![vec![url()], vec![other]]), Outside::new());
        outside.next(document(&["a"], "max-age=100"));
        request(&keyring, &outside, Some("a"));
        let need = NeedKeys { issuer: IssuerId(1), kid: None };
        outside.next(document(&["a"], "max-age=100"));
        keyring.refresh(&need, outside.now(), &outside.io());
        // Both are due, and a token of the first issuer refreshes its own source only.
        outside.wait(95);
        outside.next(document(&["a"], "max-age=1000"));
        request(&keyring, &outside, Some("a"));
        assert_eq!(
            outside.urls.borrow().last().map(String::as_str),
            Some("https://idp.example/jwks.json?secret=1")
        );
        assert_eq!(outside.asked.get(), 3);
    }

    #[test]
    fn a_directory_saves_the_fetch_after_a_restart() {
        let shelved = || KeySource::Url(Box::new(RemoteKeys { directory: Some("/keys".into()), ..remote() }));
        let outside = Outside::new();
        outside.next(document(&["a"], ""));
        assert_eq!(request(&keyring(vec![vec![shelved()]]), &outside, Some("a")).0, (1, MoreKeys::None));
        // Another router, or a restart: only the directory is shared.
        for _ in 0..20 {
            outside.forget_shared();
            assert_eq!(request(&keyring(vec![vec![shelved()]]), &outside, Some("a")).0, (1, MoreKeys::None));
        }
        assert_eq!(outside.asked.get(), 1);
        // If the provider is down, stale keys are used at once, and refreshed after that.
        outside.wait(700);
        outside.forget_shared();
        let (found, events) = request(&keyring(vec![vec![shelved()]]), &outside, Some("a"));
        assert_eq!(found, (1, MoreKeys::None));
        assert!(
            matches!(events.as_slice(), [_, KeyEvent { kind: KeyEventKind::Failed { .. }, .. }]),
            "{events:?}"
        );
        assert_eq!(outside.asked.get(), 2);
        // Too old is as bad as absent.
        outside.wait(1000);
        outside.forget_shared();
        assert_eq!(request(&keyring(vec![vec![shelved()]]), &outside, Some("a")).0.0, 0);
    }

    #[test]
    fn an_older_document_of_a_newer_record_brings_no_key_back() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        let old = SharedDocument {
            document: Document { body: set(&["withdrawn"]).into_bytes(), ..Document::default() },
            fetched_at: outside.now(),
        };
        outside.wait(10);
        outside.next(document(&["a"], ""));
        assert_eq!(request(&keyring, &outside, Some("a")).0, (1, MoreKeys::None));
        outside.wait(10);
        outside.begin_record_anew(&old);
        assert_eq!(request(&keyring, &outside, Some("withdrawn")).0, (0, MoreKeys::None));
        assert_eq!(request(&keyring, &outside, Some("a")).0, (1, MoreKeys::None));
    }

    #[test]
    fn a_clock_that_is_ahead_keeps_no_set_fresh_for_longer() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        outside.next(document(&["a"], ""));
        request(&keyring, &outside, Some("a"));
        let ahead = SharedDocument {
            document: Document { body: set(&["b"]).into_bytes(), ..Document::default() },
            fetched_at: outside.now().saturating_add(Seconds(5000)),
        };
        outside.wait(10);
        outside.begin_record_anew(&ahead);
        assert_eq!(request(&keyring, &outside, Some("b")).0, (1, MoreKeys::None));
        assert_eq!(outside.asked.get(), 2, "how old it is nobody knows");
        outside.wait(600);
        request(&keyring, &outside, Some("b"));
        assert_eq!(outside.asked.get(), 3);
    }

    #[test]
    fn alone_without_a_mailbox() {
        let outside = Outside::new();
        outside.alone.set(true);
        let keyring = keyring(vec![vec![url()]]);
        outside.next(document(&["a"], "max-age=100"));
        assert_eq!(request(&keyring, &outside, Some("a")).0, (1, MoreKeys::None));
        outside.wait(100);
        // Failures are counted all the same: the back-off doubles.
        for (seconds, asked) in [(0, 2), (2, 3), (2, 3), (1, 4), (3, 4), (3, 5)] {
            outside.wait(seconds);
            assert_eq!(request(&keyring, &outside, Some("a")).0, (1, MoreKeys::None));
            assert_eq!(outside.asked.get(), asked);
        }
    }

    #[test]
    fn an_operator_sees_the_state_of_every_set() {
        let (keyring, outside) = (keyring(vec![vec![url()]]), Outside::new());
        let view = || keyring.at(outside.now()).key_sets().remove(0);
        assert_eq!(
            (view().document.state, view().keys, view().document.had_at),
            (DocumentState::Absent, 0, None)
        );
        outside.next(document(&["a", "b"], "max-age=600"));
        request(&keyring, &outside, Some("a"));
        let had = outside.now();
        outside.wait(100);
        assert_eq!(
            (view().document.state, view().kids, view().document.had_at),
            (DocumentState::Fresh, vec!["a".into(), "b".into()], Some(had))
        );
        assert!(
            view().document.due_at.is_some_and(|due| due > outside.now())
                && view().document.last_error.is_none()
        );
        outside.wait(600);
        request(&keyring, &outside, Some("a"));
        assert_eq!(
            (view().document.state, view().keys, view().document.had_at),
            (DocumentState::Stale, 2, Some(had))
        );
        assert!(view().document.last_error.is_some());
    }

    #[test]
    fn a_bundle_says_itself_how_fresh_it_is() {
        for (hint, fresh_for) in [("120", 120), ("1", 60), ("9999999", 86_400), ("null", 1000)] {
            let bundle = RemoteKeys { origin: Origin::Bundle, ..remote() };
            let (keyring, outside) = (keyring(vec![vec![KeySource::Url(Box::new(bundle))]]), Outside::new());
            let named = set(&["a"]).replace(r#""kid""#, r#""use":"jwt-svid","kid""#);
            let body = format!(r#"{{"spiffe_refresh_hint":{hint},{}"#, named.trim_start_matches('{'));
            let (cache_control, etag) = ("max-age=1000".into(), None);
            let (age, body) = (Seconds(0), body.into_bytes());
            outside.next(Ok(Fetched::Document(Document { body, cache_control, age, etag })));
            assert_eq!(request(&keyring, &outside, Some("a")).0, (1, MoreKeys::None));
            let state = || keyring.at(outside.now()).key_sets().remove(0).document.state;
            outside.wait(fresh_for - 1);
            assert_eq!(state(), DocumentState::Fresh, "{hint}");
            outside.wait(1);
            assert_eq!(state(), DocumentState::Stale, "{hint}");
        }
    }

    /// The `kid` of a token that nobody verified decides what is asked for, and not how often.
    #[test]
    fn keys_by_kid_are_asked_for_once_in_a_cooldown() {
        const PEM: &str = include_str!("../../tests/vectors/pem/ed25519.pem");
        let kid = |number: usize| format!("{number:08x}-0000-4000-8000-00000000000a");
        let location = KeyLocation::EachKid(Url::parse("https://keys.example/{kid}").unwrap());
        let source = KeySource::Url(Box::new(RemoteKeys { location, ..remote() }));
        let outside = Outside::new().with_provider(move |url| match url.target.as_str() {
            "/00000001-0000-4000-8000-00000000000a" | "/00000002-0000-4000-8000-00000000000a" => {
                Ok(Fetched::Document(Document { body: PEM.into(), ..Document::default() }))
            }
            _ => Err(FetchError::Status(404)),
        });
        let keyring = keyring(vec![vec![source]]);
        // What is no UUID is not asked for, and nothing is unavailable because of it.
        for kid in [None, Some("../x"), Some("")] {
            assert_eq!(request(&keyring, &outside, kid).0, (0, MoreKeys::None), "{kid:?}");
        }
        assert_eq!(outside.asked.get(), 0);
        assert_eq!(request(&keyring, &outside, Some(&kid(1))).0, (1, MoreKeys::None));
        // The other one exists as well, and has to wait for the end of the cooldown.
        for number in (2..40).rev() {
            assert_eq!(request(&keyring, &outside, Some(&kid(number))).0, (0, MoreKeys::None));
        }
        assert_eq!(outside.asked.get(), 1);
        outside.wait(30);
        assert_eq!(request(&keyring, &outside, Some(&kid(9))).0, (0, MoreKeys::None));
        assert_eq!((outside.asked.get(), request(&keyring, &outside, Some(&kid(1))).0.0), (3, 1));
        outside.wait(30);
        assert_eq!(request(&keyring, &outside, Some(&kid(2))).0, (1, MoreKeys::None));
        assert_eq!((outside.asked.get(), request(&keyring, &outside, Some(&kid(1))).0.0), (5, 1));
        // Nobody asks for them any longer: the known ones are confirmed by the clock.
        outside.wait(590);
        request(&keyring, &outside, Some(&kid(1)));
        assert_eq!(outside.asked.get(), 7);
        // Another instance has what this one has learnt.
        let other = Keyring::new(Rc::clone(&keyring.policy));
        assert_eq!(request(&other, &outside, Some(&kid(2))).0, (1, MoreKeys::None));
        assert_eq!(outside.asked.get(), 7);
    }

    #[test]
    fn a_file_is_read_again_when_it_changes() {
        let file = KeySource::File { path: "/keys/jwks.json".into(), format: KeyFormat::JwkSet };
        let (keyring, outside) = (keyring(vec![vec![file]]), Outside::new());
        assert!(matches!(request(&keyring, &outside, Some("a")).0, (0, MoreKeys::Unavailable { .. })));
        outside.wait(2);
        *outside.file.borrow_mut() = Some((1, set(&["a"])));
        assert_eq!(request(&keyring, &outside, Some("a")).0, (1, MoreKeys::None));
        outside.wait(1);
        *outside.file.borrow_mut() = Some((2, set(&["b"])));
        assert_eq!(request(&keyring, &outside, Some("b")).0, (1, MoreKeys::None));
        assert_eq!(request(&keyring, &outside, Some("a")).0, (0, MoreKeys::None));
        // Half of a file is not a set: the last good one stays.
        outside.wait(1);
        *outside.file.borrow_mut() = Some((3, "{\"keys\":[".into()));
        assert_eq!(request(&keyring, &outside, Some("b")).0, (1, MoreKeys::None));
    }
}
