//! Steps 4 to 10: one request in, one decision out. Pure: time, keys and request are arguments, and what was found out is
//! part of the result.

use crate::core::answer::forward::{self, Verdict};
use crate::core::answer::{Decision, Forward, proven, reject};
use crate::core::bypass::Mode;
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::KeyLookup;
use crate::core::known_token::{Learned, Memory};
use crate::core::policy::Policy;
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::request::uri::is_target;
use crate::core::steps::{Step, Steps};
use crate::core::token::source::FoundToken;
use crate::core::unix_time::UnixTime;
use crate::core::walk::{Sender, Walk};

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

/// Decides about `request`. Whatever is not an explicit [`Decision::Forward`] must not reach the upstream.
#[must_use]
pub fn decide<'p, K: KeyLookup + Memory>(
    policy: &'p Policy,
    keys: &K,
    now: UnixTime,
    request: &dyn RequestView,
) -> Decided<'p> {
    decide_telling(policy, keys, now, request, &mut ())
}

/// The same, and tells `steps` of each step.
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

/// A decision that the host can perform: a target that it cannot be told refuses the request in every mode, since the token
/// would stay in it.
fn performable<S: Steps>(
    policy: &Policy,
    decision: Decision,
    request: &dyn RequestView,
    steps: &mut S,
) -> Decision {
    match &decision {
        Decision::Forward(Forward { uri: Some(uri), .. }) if !is_target(uri) => {
            steps.step(Step::Refused(&Refusal::TargetMalformed));
            Decision::Reject(reject::reject(&policy.answer, Refusal::TargetMalformed, request))
        }
        Decision::Forward(_) | Decision::Reject(_) | Decision::Serve(_) | Decision::NeedKeys(_) => decision,
    }
}

fn decision<K: KeyLookup + Memory, S: Steps>(walk: &mut Walk<'_, '_, K, S>) -> Decision {
    let (policy, now, request) = (walk.policy, walk.now, walk.request);
    if let Some(status) = policy.answer.status.as_ref().filter(|status| status.is_asked_for(request)) {
        return Decision::Serve(status.serve(&walk.keys.key_sets(), walk.now, request));
    }
    if let Some(served) =
        policy.answer.resource_metadata.as_ref().and_then(|metadata| metadata.serve(request))
    {
        return Decision::Serve(served);
    }
    if let Some(bypass) = walk.bypass() {
        let anonymous = forward::anonymous(&policy.forward, &policy.token, request);
        return Decision::Forward(Forward { body: bypass.body(), ..anonymous });
    }
    match walk.sender() {
        Ok((Sender::Known(identity), found)) => {
            let forward = forward::with_identity(&policy.forward, identity, found, request);
            let forward = proven::proven(policy, found, now, forward);
            match policy.bypass.mode {
                Mode::DryRun => Decision::Forward(forward.labelled(&policy.forward, Verdict::Allow)),
                Mode::Required | Mode::Optional | Mode::Permissive => Decision::Forward(forward),
            }
        }
        Ok((Sender::NeedKeys(need), _)) => Decision::NeedKeys(need),
        Err(refusal) => {
            walk.steps.step(Step::Refused(&refusal));
            refused(policy, refusal, request)
        }
    }
}

/// What `refusal` means in the mode of the policy.
#[must_use]
pub fn refuse(policy: &Policy, refusal: Refusal, request: &dyn RequestView) -> Decision {
    performable(policy, refused(policy, refusal, request), request, &mut ())
}

fn refused(policy: &Policy, refusal: Refusal, request: &dyn RequestView) -> Decision {
    let anonymous = || forward::anonymous(&policy.forward, &policy.token, request);
    match (policy.bypass.mode, &refusal) {
        // Here a request without a token is one like others, and nothing to log.
        (Mode::Optional | Mode::Permissive, Refusal::TokenMissing) => Decision::Forward(anonymous()),
        (Mode::Permissive, _) => Decision::Forward(Forward { refused: Some(refusal), ..anonymous() }),
        (Mode::DryRun, _) => {
            let labelled = anonymous().labelled(&policy.forward, Verdict::Deny(refusal.code()));
            Decision::Forward(Forward { refused: Some(refusal), ..labelled })
        }
        (Mode::Required | Mode::Optional, _) => {
            Decision::Reject(reject::reject(&policy.answer, refusal, request))
        }
    }
}
