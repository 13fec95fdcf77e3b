//! Steps 4 to 9: from a request to who sends it. One walk for the product, `explain` and the configuration's own tests.

use std::rc::Rc;

use crate::core::answer::NeedKeys;
use crate::core::answer::forward::Identity;
use crate::core::bypass::Bypass;
use crate::core::claims::checks;
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::{Candidates, KeyLookup, KeyState, MoreKeys};
use crate::core::known_token::{Finding, KnownToken, Learned, Memory, Recalled};
use crate::core::lookups::Unknown;
use crate::core::policy::{Policy, TrustedIssuer};
use crate::core::presented::Sent;
use crate::core::refusal::Refusal;
use crate::core::request::{RequestView, origin};
use crate::core::rules::{Fault, Ruling};
use crate::core::signature::{self, NotVerified};
use crate::core::steps::{Step, Steps};
use crate::core::token::claims_set::ClaimsSet;
use crate::core::token::header::Header;
use crate::core::token::source::{self, FoundToken};
use crate::core::unix_time::UnixTime;

/// A walk, with what it finds on its way.
pub(super) struct Walk<'p, 'w, K, S> {
    pub(super) policy: &'p Policy,
    pub(super) keys: &'w K,
    pub(super) now: UnixTime,
    pub(super) request: &'w dyn RequestView,
    pub(super) steps: &'w mut S,
    /// What `rules` say of the request: nothing good until it is known.
    ruling: Ruling<'p>,
    /// What verifying has cost so far.
    spent: u32,
    /// The token of the request.
    pub(super) found: Option<FoundToken<'p>>,
    /// Whose keys it asked about last.
    pub(super) asked: Option<IssuerId>,
    /// What it found out about tokens.
    pub(super) learned: Vec<Learned>,
}

/// What a request needs.
pub(super) enum Entry<'p> {
    /// No token, for this reason.
    Open(Bypass),
    /// A token, and what `rules` say.
    Ruled(Ruling<'p>),
}

/// Where a walk ends that meets no refusal.
pub(super) enum Sender {
    /// At who sends the request.
    Known(Rc<Identity>),
    /// At keys that are to be had first.
    NeedKeys(NeedKeys),
}

impl<'p, 'w, K: KeyLookup + Memory, S: Steps> Walk<'p, 'w, K, S> {
    pub(super) const fn new(
        policy: &'p Policy,
        keys: &'w K,
        now: UnixTime,
        request: &'w dyn RequestView,
        steps: &'w mut S,
    ) -> Self {
        let ruling = Ruling::Fault(Fault::Missing);
        Self {
            policy,
            keys,
            now,
            request,
            steps,
            ruling,
            spent: 0,
            found: None,
            asked: None,
            learned: Vec::new(),
        }
    }

    /// Whether the request needs a token, and what `rules` say of it then.
    pub(super) fn entry(&mut self) -> Result<Entry<'p>, Refusal> {
        entry(self.policy, self.request, self.steps)
    }

    /// Who sends the request, and the token that says so. `ruling` is that of the request.
    pub(super) fn sender(&mut self, ruling: Ruling<'p>) -> Result<(Sender, &FoundToken<'p>), Refusal> {
        self.ruling = ruling;
        let mut found = source::find(&self.policy.token, self.request)?;
        let sender =
            if found.others.is_empty() { self.sender_of(&found) } else { self.sender_of_copies(&mut found) };
        let found = &*self.found.insert(found);
        sender.map(|sender| (sender, found))
    }

    fn sender_of(&mut self, found: &FoundToken<'_>) -> Result<Sender, Refusal> {
        self.steps.step(Step::Found(found));
        match self.recall(found) {
            Some((issuer, Recalled { issuer: id, finding: Finding::Verified(known) })) => {
                let sent = self.sent((id, issuer), found);
                known.identity(&sent, self.steps).map(Sender::Known)
            }
            Some((_, Recalled { finding: Finding::Invalid { kid, untried }, .. })) => {
                Err(Refusal::SignatureInvalid { kid, untried })
            }
            None => self.sender_of_new(found),
        }
    }

    /// The same if copies of one cookie hold several tokens: those that are no good (stale, or of nobody who is trusted) do
    /// not count, and the one that is left is the token of the request. Two good ones are a refusal, whatever they may do
    /// here: who the sender is must not depend on the path. If all are no good, the first says why.
    fn sender_of_copies(&mut self, found: &mut FoundToken<'p>) -> Result<Sender, Refusal> {
        let mut good = None;
        let mut first_refusal = None;
        for copy in found.copies() {
            let sender = self.sender_of(&copy);
            match sender {
                // It is unknown yet whether it is good.
                Ok(Sender::NeedKeys(_)) | Err(Refusal::KeysUnavailable { .. }) => return sender,
                Err(refusal) if !refusal.is_of_a_good_token() => {
                    first_refusal.get_or_insert(refusal);
                }
                Ok(Sender::Known(_)) | Err(_) => {
                    if good.is_some() {
                        return Err(Refusal::TokenRepeated);
                    }
                    good = Some((copy, sender));
                }
            }
        }
        match good {
            Some((copy, sender)) => {
                *found = copy;
                sender
            }
            None => Err(first_refusal.unwrap_or(Refusal::TokenMissing)),
        }
    }

    /// What an earlier walk found out about the token, and the entry of its issuer.
    fn recall(&mut self, found: &FoundToken<'_>) -> Option<(&'p TrustedIssuer, Recalled)> {
        if !found.may_be_known(&self.policy.token) {
            return None;
        }
        let recalled = self.keys.recall(&found.token)?;
        self.asked = Some(recalled.issuer);
        Some((self.policy.trusted(recalled.issuer)?, recalled))
    }

    /// A token that is not known yet: what refuses it without arithmetic comes first.
    fn sender_of_new(&mut self, found: &FoundToken<'_>) -> Result<Sender, Refusal> {
        let token = found.parse(&self.policy.token)?;
        self.steps.step(Step::Read(&token));
        let (id, issuer) = issuer(self.policy, &token.claimed, self.steps)?;
        if !issuer.accepts_signer_of(found) {
            let iss = token.claimed.issuer()?.map(str::to_owned);
            return Err(Refusal::IssuerNotTrusted { issuer: iss });
        }
        let alg = (issuer.algorithms.iter().copied())
            .find(|alg| alg.name() == token.header.alg)
            .ok_or_else(|| Refusal::AlgNotAllowed { alg: token.header.alg.clone() })?;
        self.steps.step(Step::Algorithm(&token.header.alg, issuer));
        let sent = self.sent((id, issuer), found);
        let time = checks::time(&sent.saying(&token.header, &token.claimed), self.steps)?;
        let kid = token.header.kid.clone();
        self.asked = Some(id);
        let Candidates { mut keys, more, state } = self.keys.candidates(id, kid.as_deref(), alg);
        let iss = token.claimed.issuer()?;
        keys.retain(|key| issuer.admits(key, iss));
        self.steps.step(Step::Keys(keys.len()));
        let spent_before = self.spent;
        let untried = match signature::verify_with_any(token, &keys, alg, &mut self.spent) {
            Ok(verified) => {
                self.steps.step(Step::Verified);
                let (known, identity) = KnownToken::new(verified, time, &sent, self.steps);
                self.learn(found, id, state, Finding::Verified(Rc::new(known)));
                return identity.map(Sender::Known);
            }
            Err(NotVerified { untried }) => untried,
        };
        match more {
            MoreKeys::Ask => Ok(Sender::NeedKeys(NeedKeys { issuer: id, kid })),
            MoreKeys::Unavailable { retry_after } => Err(Refusal::KeysUnavailable { retry_after }),
            MoreKeys::None if keys.is_empty() => Err(Refusal::KeyNotFound { kid }),
            MoreKeys::None => {
                // What another copy left no room for may be good the next time.
                if untried == 0 || spent_before == 0 {
                    self.learn(found, id, state, Finding::Invalid { kid: kid.clone(), untried });
                }
                Err(Refusal::SignatureInvalid { kid, untried })
            }
        }
    }

    fn learn(&mut self, found: &FoundToken<'_>, issuer: IssuerId, keys: Option<KeyState>, finding: Finding) {
        if let Some(keys) = keys {
            self.learned.push(Learned { token: found.token.as_slice().into(), issuer, keys, finding });
        }
    }

    fn sent<'r>(&self, (id, issuer): (IssuerId, &'p TrustedIssuer), found: &'r FoundToken<'_>) -> Sent<'r>
    where
        'p: 'r,
        'w: 'r,
    {
        Sent {
            policy: self.policy,
            issuer_id: id,
            issuer,
            token: Some(&found.token),
            ruling: self.ruling,
            places: &found.places,
            lookups: self.keys.lookups(),
            request: self.request,
            now: self.now,
        }
    }
}

/// What the rules say of a request with a token of this header and these claims, had a key verified it; `None` for a request
/// without token. The walk without what only a signed token has: its bytes, its algorithm, its key.
///
/// # Errors
/// The refusal, whatever the mode makes of it.
pub fn sample<S: Steps>(
    policy: &Policy,
    token: Option<(&Header, &ClaimsSet)>,
    now: UnixTime,
    request: &dyn RequestView,
    steps: &mut S,
) -> Result<(), Refusal> {
    let ruling = match entry(policy, request, steps)? {
        Entry::Open(_) => return Ok(()),
        Entry::Ruled(ruling) => ruling,
    };
    let (header, claims) = token.ok_or(Refusal::TokenMissing)?;
    let (issuer_id, issuer) = issuer(policy, claims, steps)?;
    let (places, lookups) = (&[], &Unknown);
    let sent = Sent { policy, issuer_id, issuer, token: None, places, lookups, ruling, request, now };
    let presented = sent.saying(header, claims);
    checks::time(&presented, steps)?;
    checks::token(&presented, steps)?;
    checks::request(&presented, steps)
}

fn entry<'p, S: Steps>(
    policy: &'p Policy,
    request: &dyn RequestView,
    steps: &mut S,
) -> Result<Entry<'p>, Refusal> {
    origin::check(&policy.origins, request)?;
    let ruling = policy.rules.ruling(request);
    let bypass = Bypass::of(&policy.bypass, request).or_else(|| ruling.is_open().then_some(Bypass::Rule));
    if let Some(bypass) = bypass {
        steps.step(Step::Bypassed(bypass));
        return Ok(Entry::Open(bypass));
    }
    Ok(Entry::Ruled(ruling))
}

/// The entry for the issuer or the trust domain that the token names: it alone says which keys and which rules are asked.
fn issuer<'p, S: Steps>(
    policy: &'p Policy,
    claims: &ClaimsSet,
    steps: &mut S,
) -> Result<(IssuerId, &'p TrustedIssuer), Refusal> {
    let iss = claims.issuer()?;
    let (id, issuer) = policy
        .entry(claims, iss)
        .ok_or_else(|| Refusal::IssuerNotTrusted { issuer: iss.map(str::to_owned) })?;
    steps.step(Step::Issuer(iss, issuer));
    Ok((id, issuer))
}
