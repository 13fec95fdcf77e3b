//! The product: one request in, one decision out. Pure: time, keys and request are arguments.

use std::rc::Rc;

use crate::core::answer::forward::Verdict;
use crate::core::answer::{Decision, Forward, NeedKeys, forward, reject};
use crate::core::bypass::{self, Mode};
use crate::core::claims;
use crate::core::jwk::lookup::{KeyLookup, MoreKeys, Recalled};
use crate::core::policy::{IssuerId, Policy};
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::signature::alg::Alg;
use crate::core::signature::{self, VerifiedToken};
use crate::core::token::{jws, source};
use crate::core::unix_time::UnixTime;

/// Decides about `request`. Whatever is not an explicit [`Decision::Forward`] must not reach the upstream.
#[must_use]
pub fn decide(policy: &Policy, keys: &dyn KeyLookup, now: UnixTime, request: &dyn RequestView) -> Decision {
    if let Some(status) = policy.answer.status.as_ref().filter(|status| status.is_asked_for(request)) {
        return Decision::Serve(status.serve(&keys.key_sets(), &policy.issuers, now, request));
    }
    if let Some(served) =
        policy.answer.resource_metadata.as_ref().and_then(|metadata| metadata.serve(request))
    {
        return Decision::Serve(served);
    }
    if bypass::applies(&policy.bypass, request) {
        return Decision::Forward(forward::anonymous(&policy.forward, &policy.token, request));
    }
    match accept(policy, keys, now, request) {
        Ok(Accepted::Forward(forward)) => match policy.bypass.mode {
            Mode::DryRun => Decision::Forward(forward.labelled(&policy.forward, Verdict::Allow)),
            Mode::Required | Mode::Optional | Mode::Permissive => Decision::Forward(forward),
        },
        Ok(Accepted::NeedKeys(need)) => Decision::NeedKeys(need),
        Err(refusal) => refuse(policy, refusal, request),
    }
}

/// What `refusal` means in the mode of the policy.
#[must_use]
pub fn refuse(policy: &Policy, refusal: Refusal, request: &dyn RequestView) -> Decision {
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

enum Accepted {
    Forward(Forward),
    NeedKeys(NeedKeys),
}

fn accept(
    policy: &Policy,
    keys: &dyn KeyLookup,
    now: UnixTime,
    request: &dyn RequestView,
) -> Result<Accepted, Refusal> {
    let found = source::find(&policy.token, request)?;
    let (id, token) = match keys.recall(&found.token) {
        Some(Recalled::Verified { issuer, token }) => (issuer, token),
        Some(Recalled::SignatureInvalid { kid }) => return Err(Refusal::SignatureInvalid { kid }),
        None => match verify(policy, keys, now, &found.token)? {
            Verified::Token(issuer, token) => (issuer, token),
            Verified::NeedKeys(need) => return Ok(Accepted::NeedKeys(need)),
        },
    };
    let issuer = policy.issuers.get(id.0).ok_or(Refusal::IssuerNotTrusted { issuer: None })?;
    let accepted = claims::check(&token, &issuer.claims, now, request)?;
    Ok(Accepted::Forward(forward::with_identity(&policy.forward, id, accepted, &found, request)))
}

enum Verified {
    Token(IssuerId, Rc<VerifiedToken>),
    NeedKeys(NeedKeys),
}

/// Steps 6 to 8 for a token that is not known yet: what refuses it without arithmetic comes first.
fn verify(policy: &Policy, keys: &dyn KeyLookup, now: UnixTime, bytes: &[u8]) -> Result<Verified, Refusal> {
    let token = jws::parse(bytes)?;
    let iss = token.claimed_issuer()?;
    let (id, issuer) =
        policy.issuer(iss).ok_or_else(|| Refusal::IssuerNotTrusted { issuer: iss.map(str::to_owned) })?;
    let alg = Alg::from_name(&token.header.alg)
        .filter(|alg| issuer.algorithms.contains(alg))
        .ok_or_else(|| Refusal::AlgNotAllowed { alg: token.header.alg.clone() })?;
    claims::check_unverified(&token.claimed, &issuer.claims, now)?;
    let kid = token.header.kid.clone();
    let mut candidates = keys.candidates(id, kid.as_deref(), alg);
    candidates.keys.retain(|key| issuer.admits(key, iss));
    if let Some(verified) = signature::verify_with_any(token, &candidates.keys, alg) {
        let verified = Rc::new(verified);
        keys.remember_verified(bytes, id, &verified);
        return Ok(Verified::Token(id, verified));
    }
    match candidates.more {
        MoreKeys::Ask => Ok(Verified::NeedKeys(NeedKeys { issuer: id, kid })),
        MoreKeys::Unavailable { retry_after } => Err(Refusal::KeysUnavailable { retry_after }),
        MoreKeys::None if candidates.keys.is_empty() => Err(Refusal::KeyNotFound { kid }),
        MoreKeys::None => {
            keys.remember_invalid(bytes, id, kid.as_deref());
            Err(Refusal::SignatureInvalid { kid })
        }
    }
}
