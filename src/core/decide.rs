//! The product: one request in, one decision out. Pure: time, keys and request are arguments.

use std::rc::Rc;

use crate::core::answer::forward::Identity;
use crate::core::answer::verdict::Verdict;
use crate::core::answer::{Decision, Forward, NeedKeys, Reject, Served, forward, reject};
use crate::core::bypass::{Bypass, Mode};
use crate::core::claims;
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::{KeyLookup, MoreKeys};
use crate::core::known_token::{KnownToken, Memory, Recalled, Standing};
use crate::core::policy::Policy;
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::request::uri::is_target;
use crate::core::signature::{self, NotVerified, VerifiedToken};
use crate::core::token::source::{self, FoundToken};
use crate::core::unix_time::UnixTime;

/// Decides about `request`. Whatever is not an explicit [`Decision::Forward`] must not reach the upstream.
#[must_use]
pub fn decide<K: KeyLookup + Memory>(
    policy: &Policy,
    keys: &K,
    now: UnixTime,
    request: &dyn RequestView,
) -> Decision {
    performable(policy, decision(policy, keys, now, request), request)
}

/// A decision that the host can perform: a target that it cannot be told refuses the request in every mode, since the token
/// would stay in it.
fn performable(policy: &Policy, decision: Decision, request: &dyn RequestView) -> Decision {
    match &decision {
        Decision::Forward(Forward { uri: Some(uri), .. }) if !is_target(uri) => {
            rejected(policy, Refusal::TargetMalformed, request)
        }
        Decision::Forward(_) | Decision::Reject(_) | Decision::Serve(_) | Decision::NeedKeys(_) => decision,
    }
}

fn decision<K: KeyLookup + Memory>(
    policy: &Policy,
    keys: &K,
    now: UnixTime,
    request: &dyn RequestView,
) -> Decision {
    if let Some(status) = policy.answer.status.as_ref().filter(|status| status.is_asked_for(request)) {
        return served(policy, status.serve(&keys.key_sets(), now, request), request);
    }
    let metadata = policy.answer.resource_metadata.as_ref();
    if let Some(document) = metadata.and_then(|metadata| metadata.serve(request)) {
        return served(policy, document, request);
    }
    if let Some(bypass) = Bypass::of(&policy.bypass, request) {
        let anonymous = anonymous(policy, Verdict::Anonymous, request);
        return Decision::Forward(Forward { body: bypass.body(), ..anonymous });
    }
    accept(policy, keys, now, request).unwrap_or_else(|refusal| refused(policy, refusal, request))
}

/// What `refusal` means in the mode of the policy.
#[must_use]
pub fn refuse(policy: &Policy, refusal: Refusal, request: &dyn RequestView) -> Decision {
    performable(policy, refused(policy, refusal, request), request)
}

fn refused(policy: &Policy, refusal: Refusal, request: &dyn RequestView) -> Decision {
    let passed = |verdict| anonymous(policy, verdict, request);
    let verdict = Verdict::Refused(refusal.code());
    match (policy.bypass.mode, &refusal) {
        // In these two modes a request without a token is one like others, and nothing to log.
        (Mode::Optional, Refusal::TokenMissing) => Decision::Forward(passed(Verdict::Anonymous)),
        (Mode::Permissive, Refusal::TokenMissing) => Decision::Forward(passed(verdict)),
        (Mode::Permissive | Mode::DryRun, _) => {
            Decision::Forward(Forward { refused: Some(refusal), ..passed(verdict) })
        }
        (Mode::Required | Mode::Optional, _) => rejected(policy, refusal, request),
    }
}

fn anonymous(policy: &Policy, verdict: Verdict, request: &dyn RequestView) -> Forward {
    forward::anonymous(&policy.forward, &policy.token, verdict, request)
}

fn rejected(policy: &Policy, refusal: Refusal, request: &dyn RequestView) -> Decision {
    let label = policy.forward.label(Verdict::Refused(refusal.code()), request);
    Decision::Reject(Reject { label, ..reject::reject(&policy.answer, refusal, request) })
}

fn served(policy: &Policy, document: Served, request: &dyn RequestView) -> Decision {
    Decision::Serve(Served { label: policy.forward.label(Verdict::Anonymous, request), ..document })
}

fn accept<K: KeyLookup + Memory>(
    policy: &Policy,
    keys: &K,
    now: UnixTime,
    request: &dyn RequestView,
) -> Result<Decision, Refusal> {
    let mut found = source::find(&policy.token, request)?;
    let mut spent = 0;
    let sender = if found.others.is_empty() {
        sender(policy, keys, now, &found, &mut spent, request)?
    } else {
        sender_of_copies(policy, keys, now, &mut found, &mut spent, request)?
    };
    Ok(match sender {
        Sender::Known(identity) => {
            Decision::Forward(forward::with_identity(&policy.forward, identity, &found, request))
        }
        Sender::NeedKeys(need) => Decision::NeedKeys(need),
    })
}

enum Sender {
    Known(Rc<Identity>),
    NeedKeys(NeedKeys),
}

/// Steps 6 to 10 for the token that was found.
fn sender<K: KeyLookup + Memory>(
    policy: &Policy,
    keys: &K,
    now: UnixTime,
    found: &FoundToken<'_>,
    spent: &mut u32,
    request: &dyn RequestView,
) -> Result<Sender, Refusal> {
    let recalled = if found.may_be_known(&policy.token) { keys.recall(&found.token) } else { None };
    let identity = match recalled {
        Some(Recalled::Verified { issuer, token }) => {
            match token.standing.as_ref().and_then(|standing| standing.at(now)) {
                Some(identity) => identity,
                None => identify(policy, issuer, &token.token, now, request)?,
            }
        }
        Some(Recalled::SignatureInvalid { kid, untried }) => {
            return Err(Refusal::SignatureInvalid { kid, untried });
        }
        None => match verify(policy, keys, now, found, spent)? {
            Verified::Token(id, token) => {
                let identity = identify(policy, id, &token, now, request);
                let rules = policy.issuers.get(id.0).map(|issuer| &issuer.claims);
                let standing = rules
                    .zip(identity.as_ref().ok())
                    .and_then(|(rules, identity)| Standing::new(&token, rules, now, identity));
                keys.remember_verified(&found.token, id, &Rc::new(KnownToken { token, standing }));
                identity?
            }
            Verified::NeedKeys(need) => return Ok(Sender::NeedKeys(need)),
        },
    };
    Ok(Sender::Known(identity))
}

/// The same where copies of one cookie hold several tokens: those that are no good (stale, or of nobody who is trusted) do
/// not count, and the one that is left is the token of the request. Two good ones are a refusal, whatever they may do
/// here: who the sender is must not depend on the path. If all are no good, the first says why.
fn sender_of_copies<K: KeyLookup + Memory>(
    policy: &Policy,
    keys: &K,
    now: UnixTime,
    found: &mut FoundToken<'_>,
    spent: &mut u32,
    request: &dyn RequestView,
) -> Result<Sender, Refusal> {
    let mut good = None;
    let mut first_refusal = None;
    for copy in found.copies() {
        let sender = sender(policy, keys, now, &copy, spent, request);
        match sender {
            // Whether it is good cannot be told yet.
            Ok(Sender::NeedKeys(_)) | Err(Refusal::KeysUnavailable { .. }) => return sender,
            Ok(Sender::Known(_)) | Err(Refusal::ScopeInsufficient { .. } | Refusal::ClaimsRejected) => {
                if good.is_some() {
                    return Err(Refusal::TokenRepeated);
                }
                good = Some((copy, sender));
            }
            Err(refusal) => {
                first_refusal.get_or_insert(refusal);
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

/// Steps 9 and 10: who sends the request, where the claims of a verified token hold.
fn identify(
    policy: &Policy,
    id: IssuerId,
    token: &VerifiedToken,
    now: UnixTime,
    request: &dyn RequestView,
) -> Result<Rc<Identity>, Refusal> {
    let issuer = policy.issuers.get(id.0).ok_or(Refusal::IssuerNotTrusted { issuer: None })?;
    let accepted = claims::check(token, &issuer.claims, now, request)?;
    Ok(Rc::new(Identity::new(&policy.forward, id, accepted)))
}

enum Verified {
    Token(IssuerId, VerifiedToken),
    NeedKeys(NeedKeys),
}

/// Steps 6 to 8 for a token that is not known yet: what refuses it without arithmetic comes first.
fn verify<K: KeyLookup + Memory>(
    policy: &Policy,
    keys: &K,
    now: UnixTime,
    found: &FoundToken<'_>,
    spent: &mut u32,
) -> Result<Verified, Refusal> {
    let token = found.parse(&policy.token)?;
    let iss = token.claimed_issuer()?;
    let (id, issuer) =
        policy.issuer(iss).ok_or_else(|| Refusal::IssuerNotTrusted { issuer: iss.map(str::to_owned) })?;
    let alg = (issuer.algorithms.iter().copied())
        .find(|alg| alg.name() == token.header.alg)
        .ok_or_else(|| Refusal::AlgNotAllowed { alg: token.header.alg.clone() })?;
    claims::check_unverified(&token.claimed, &issuer.claims, now)?;
    let kid = token.header.kid.clone();
    let mut candidates = keys.candidates(id, kid.as_deref(), alg);
    candidates.keys.retain(|key| issuer.admits(key, iss));
    let spent_before = *spent;
    let untried = match signature::verify_with_any(token, &candidates.keys, alg, spent) {
        Ok(verified) => return Ok(Verified::Token(id, verified)),
        Err(NotVerified { untried }) => untried,
    };
    match candidates.more {
        MoreKeys::Ask => Ok(Verified::NeedKeys(NeedKeys { issuer: id, kid })),
        MoreKeys::Unavailable { retry_after } => Err(Refusal::KeysUnavailable { retry_after }),
        MoreKeys::None if candidates.keys.is_empty() => Err(Refusal::KeyNotFound { kid }),
        MoreKeys::None => {
            // What another copy left no room for may be good the next time.
            if untried == 0 || spent_before == 0 {
                keys.remember_invalid(&found.token, id, kid.as_deref(), untried);
            }
            Err(Refusal::SignatureInvalid { kid, untried })
        }
    }
}
