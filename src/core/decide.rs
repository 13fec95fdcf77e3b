//! Steps 4 to 10: one request in, one decision out. Time, keys and request are arguments, and what was found out is part of
//! the result; only the memory of proofs that were used (`lookups.rs`) is written on the way.

use crate::core::answer::verdict::Verdict;
use crate::core::answer::{Accept, Decision, Forward, Reject, Served, forward, proven, reject};
use crate::core::bypass::Mode;
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::KeyLookup;
use crate::core::known_token::{Learned, Memory};
use crate::core::policy::Policy;
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::request::forwarded::{AnswerAs, is_question};
use crate::core::request::uri::is_target;
use crate::core::revocation::revoked;
use crate::core::rules::Ruling;
use crate::core::steps::{Step, Steps};
use crate::core::token::source::FoundToken;
use crate::core::unix_time::UnixTime;
use crate::core::walk::{Entry, Sender, Walk};

/// A decision, and what was found out on the way to it.
#[derive(Debug)]
pub struct Decided<'p> {
    /// What to do with the request.
    pub decision: Decision,
    /// The token of the request, if it was looked for and found.
    pub found: Option<FoundToken<'p>>,
    /// Whose keys were asked about: those may be due for a refresh.
    pub asked: Option<IssuerId>,
    /// What later decisions may remember.
    pub learned: Vec<Learned>,
}

/// Decides about what was `received`: a request, or a question about one (`answerAs: forwardAuth`). Whatever is not an
/// explicit [`Decision::Forward`] must not reach the upstream.
#[must_use]
pub fn decide<'p, K: KeyLookup + Memory>(
    policy: &'p Policy,
    keys: &K,
    now: UnixTime,
    received: &dyn RequestView,
) -> Decided<'p> {
    let question = match policy.answer.asking.original(received) {
        Ok(None) => return decide_telling(policy, keys, now, received, &mut ()),
        Ok(Some(original)) => return decide_telling(policy, keys, now, &original, &mut ()),
        Err(refusal) => refusal,
    };
    // Somebody asks for a document of our own. As the answer to a question it would let a request pass.
    let document = if is_question(received) { None } else { document(policy, keys, now, received) };
    let decision = document.unwrap_or_else(|| rejected(policy, question, "", received));
    Decided { decision, found: None, asked: None, learned: Vec::new() }
}

/// Decides about `request` as its client sent it, and tells `steps` of each step.
#[must_use]
pub fn decide_telling<'p, K: KeyLookup + Memory, S: Steps>(
    policy: &'p Policy,
    keys: &K,
    now: UnixTime,
    request: &dyn RequestView,
    steps: &mut S,
) -> Decided<'p> {
    let mut walk = Walk::new(policy, keys, now, request, steps);
    let decision = decision(&mut walk);
    let decision = performable(policy, decision, request, walk.steps);
    let Walk { found, asked, learned, .. } = walk;
    Decided { decision, found, asked, learned }
}

/// A decision that the host can perform. A target that the host cannot be given refuses the request in every mode, since the token
/// would stay in it; so does a change that a proxy which asks does not make.
fn performable<S: Steps>(
    policy: &Policy,
    decision: Decision,
    request: &dyn RequestView,
    steps: &mut S,
) -> Decision {
    let Decision::Forward(forward) = decision else { return decision };
    let performed = match policy.answer.asking.answer_as {
        AnswerAs::Middleware if forward.uri.as_ref().is_some_and(|uri| !is_target(uri)) => {
            Err(Refusal::TargetMalformed)
        }
        AnswerAs::Middleware => Ok(Decision::Forward(forward)),
        AnswerAs::ForwardAuth => Accept::new(forward).map(Decision::Accept),
    };
    performed.unwrap_or_else(|refusal| {
        steps.step(Step::Refused(&refusal));
        rejected(policy, refusal, "", request)
    })
}

fn decision<K: KeyLookup + Memory, S: Steps>(walk: &mut Walk<'_, '_, K, S>) -> Decision {
    let (policy, keys, now, request) = (walk.policy, walk.keys, walk.now, walk.request);
    match policy.answer.asking.answer_as {
        AnswerAs::Middleware => {
            if let Some(document) = document(policy, keys, now, request) {
                return document;
            }
        }
        AnswerAs::ForwardAuth => {}
    }
    let ruling = match walk.entry() {
        Ok(Entry::Open(bypass)) => {
            let anonymous = anonymous(policy, Verdict::Anonymous, request);
            return Decision::Forward(Forward { body: bypass.body(), ..anonymous });
        }
        Ok(Entry::Ruled(ruling)) => ruling,
        Err(refusal) => {
            walk.steps.step(Step::Refused(&refusal));
            return refused(policy, refusal, request, None, Ruling::Free);
        }
    };
    match walk.sender(ruling) {
        Ok((Sender::Known(identity), found)) => {
            let forward = forward::with_identity(&policy.forward, identity, found, request);
            Decision::Forward(match &policy.proofs {
                Some(rules) => {
                    proven::proven((rules, policy.forward.token), found, (now, keys.lookups()), forward)
                }
                None => forward,
            })
        }
        Ok((Sender::NeedKeys(need), _)) => Decision::NeedKeys(need),
        Err(refusal) => {
            walk.steps.step(Step::Refused(&refusal));
            refused(policy, refusal, request, walk.asked, ruling)
        }
    }
}

/// A document of our own, if there are any and `request` is for one.
fn document<K: KeyLookup + Memory>(
    policy: &Policy,
    keys: &K,
    now: UnixTime,
    request: &dyn RequestView,
) -> Option<Decision> {
    match (&policy.answer.status, &policy.answer.resource_metadata) {
        (None, None) => None,
        (Some(_), _) | (_, Some(_)) => document_for(policy, keys, now, request),
    }
}

#[inline(never)]
fn document_for<K: KeyLookup + Memory>(
    policy: &Policy,
    keys: &K,
    now: UnixTime,
    request: &dyn RequestView,
) -> Option<Decision> {
    let status = policy.answer.status.as_ref().filter(|status| status.is_asked_for(request));
    let document = match status {
        Some(status) => {
            let revocation = policy.revocation.as_ref().map(|rules| revoked::view(rules, keys.lookups()));
            status.serve(&keys.key_sets(), revocation.as_ref(), now, request)
        }
        None => policy.answer.resource_metadata.as_ref()?.serve(request)?,
    };
    Some(Decision::Serve(Served { label: policy.forward.label(Verdict::Anonymous, request), ..document }))
}

/// What `refusal` of the request that was `received`, or is asked about, means in the mode of the policy.
#[must_use]
pub fn refuse(policy: &Policy, refusal: Refusal, received: &dyn RequestView) -> Decision {
    let about = |request| {
        performable(policy, refused(policy, refusal, request, None, Ruling::Free), request, &mut ())
    };
    match policy.answer.asking.original(received) {
        Ok(None) => about(received),
        Ok(Some(original)) => about(&original),
        Err(refusal) => rejected(policy, refusal, "", received),
    }
}

/// `issuer` is that of the token, where it is known, and `ruling` what `rules` say of the request.
fn refused(
    policy: &Policy,
    refusal: Refusal,
    request: &dyn RequestView,
    issuer: Option<IssuerId>,
    ruling: Ruling<'_>,
) -> Decision {
    let passed = |verdict| anonymous(policy, verdict, request);
    let verdict = Verdict::Refused(refusal.code());
    match (policy.bypass.mode, &refusal) {
        // In these two modes a request without a token is one like others, and nothing to log. But a rule that demands
        // something demands it of every request.
        (Mode::Optional, Refusal::TokenMissing) if ruling.asks_for_nothing_more() => {
            Decision::Forward(passed(Verdict::Anonymous))
        }
        (Mode::Permissive, Refusal::TokenMissing) => Decision::Forward(passed(verdict)),
        (Mode::Permissive | Mode::DryRun, _) => {
            Decision::Forward(Forward { refused: Some(refusal), ..passed(verdict) })
        }
        (Mode::Required | Mode::Optional, _) => {
            rejected(policy, refusal, &policy.scopes(issuer, ruling), request)
        }
    }
}

fn anonymous(policy: &Policy, verdict: Verdict, request: &dyn RequestView) -> Forward {
    forward::anonymous(&policy.forward, &policy.token, verdict, request)
}

fn rejected(policy: &Policy, refusal: Refusal, scopes: &str, request: &dyn RequestView) -> Decision {
    let label = policy.forward.label(Verdict::Refused(refusal.code()), request);
    Decision::Reject(Reject { label, ..reject::reject(&policy.answer, refusal, scopes, request) })
}
