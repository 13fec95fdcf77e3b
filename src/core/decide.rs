//! The product: one request in, one decision out. Pure: time, keys and request are arguments.

use std::rc::Rc;

use crate::core::answer::forward::{Identity, Verdict};
use crate::core::answer::{Decision, Forward, NeedKeys, forward, reject};
use crate::core::bypass::{Bypass, Mode};
use crate::core::claims;
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::{KeyLookup, MoreKeys};
use crate::core::known_token::{KnownToken, Memory, Recalled, Standing};
use crate::core::policy::Policy;
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
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
    if let Some(status) = policy.answer.status.as_ref().filter(|status| status.is_asked_for(request)) {
        return Decision::Serve(status.serve(&keys.key_sets(), now, request));
    }
    if let Some(served) =
        policy.answer.resource_metadata.as_ref().and_then(|metadata| metadata.serve(request))
    {
        return Decision::Serve(served);
    }
    if let Some(bypass) = Bypass::of(&policy.bypass, request) {
        let anonymous = forward::anonymous(&policy.forward, &policy.token, request);
        return Decision::Forward(Forward { body: bypass.body(), ..anonymous });
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

fn accept<K: KeyLookup + Memory>(
    policy: &Policy,
    keys: &K,
    now: UnixTime,
    request: &dyn RequestView,
) -> Result<Accepted, Refusal> {
    let found = source::find(&policy.token, request)?;
    let identity = match keys.recall(&found.token) {
        Some(Recalled::Verified { issuer, token }) => {
            match token.standing.as_ref().and_then(|standing| standing.at(now)) {
                Some(identity) => identity,
                None => identify(policy, issuer, &token.token, &found.token, now, request)?,
            }
        }
        Some(Recalled::SignatureInvalid { kid, untried }) => {
            return Err(Refusal::SignatureInvalid { kid, untried });
        }
        None => match verify(policy, keys, now, &found)? {
            Verified::Token(id, token) => {
                let identity = identify(policy, id, &token, &found.token, now, request);
                let rules = policy.issuers.get(id.0).map(|issuer| &issuer.claims);
                let standing = rules
                    .zip(identity.as_ref().ok())
                    .and_then(|(rules, identity)| Standing::new(&token, rules, now, identity));
                keys.remember_verified(&found.token, id, &Rc::new(KnownToken { token, standing }));
                identity?
            }
            Verified::NeedKeys(need) => return Ok(Accepted::NeedKeys(need)),
        },
    };
    Ok(Accepted::Forward(forward::with_identity(&policy.forward, identity, &found, request)))
}

/// Steps 9 and 10: who sends the request, where the claims of a verified token hold.
fn identify(
    policy: &Policy,
    id: IssuerId,
    token: &VerifiedToken,
    bytes: &[u8],
    now: UnixTime,
    request: &dyn RequestView,
) -> Result<Rc<Identity>, Refusal> {
    let issuer = policy.issuers.get(id.0).ok_or(Refusal::IssuerNotTrusted { issuer: None })?;
    let accepted = claims::check(token, &issuer.claims, now, request)?;
    Ok(Rc::new(Identity::new(&policy.forward, id, accepted, bytes)))
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
    let untried = match signature::verify_with_any(token, &candidates.keys, alg) {
        Ok(verified) => return Ok(Verified::Token(id, verified)),
        Err(NotVerified { untried }) => untried,
    };
    match candidates.more {
        MoreKeys::Ask => Ok(Verified::NeedKeys(NeedKeys { issuer: id, kid })),
        MoreKeys::Unavailable { retry_after } => Err(Refusal::KeysUnavailable { retry_after }),
        MoreKeys::None if candidates.keys.is_empty() => Err(Refusal::KeyNotFound { kid }),
        MoreKeys::None => {
            keys.remember_invalid(&found.token, id, kid.as_deref(), untried);
            Err(Refusal::SignatureInvalid { kid, untried })
        }
    }
}
