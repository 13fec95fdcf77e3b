//! The product: one request in, one decision out. Pure: time, keys and request are arguments.

use crate::core::answer::{Decision, NeedKeys, forward, reject};
use crate::core::claims;
use crate::core::jwk::lookup::{Candidates, KeyLookup, MoreKeys};
use crate::core::policy::Policy;
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::signature;
use crate::core::signature::alg::Alg;
use crate::core::token::{jws, source};
use crate::core::unix_time::UnixTime;

/// Decides about `request`. Whatever is not an explicit [`Decision::Forward`] must not reach the upstream.
#[must_use]
pub fn decide(policy: &Policy, keys: &dyn KeyLookup, now: UnixTime, request: &dyn RequestView) -> Decision {
    match accept(policy, keys, now, request) {
        Ok(decision) => decision,
        Err(refusal) => Decision::Reject(reject::reject(&policy.answer, refusal, request)),
    }
}

fn accept(
    policy: &Policy,
    keys: &dyn KeyLookup,
    now: UnixTime,
    request: &dyn RequestView,
) -> Result<Decision, Refusal> {
    let found = source::find(&policy.token, request)?;
    let token = jws::parse(&found.token)?;
    let iss = token.claimed_issuer()?;
    let (id, issuer) =
        policy.issuer(iss).ok_or_else(|| Refusal::IssuerNotTrusted { issuer: iss.map(str::to_owned) })?;
    let alg = Alg::from_name(&token.header.alg)
        .filter(|alg| issuer.algorithms.contains(alg))
        .ok_or_else(|| Refusal::AlgNotAllowed { alg: token.header.alg.clone() })?;
    claims::check_unverified(&token.claimed, &issuer.claims, now)?;
    let kid = token.header.kid.clone();
    let candidates = keys.candidates(id, kid.as_deref(), alg);
    let Some(verified) = signature::verify_with_any(token, &candidates.keys, alg) else {
        return not_verified(&candidates, NeedKeys { issuer: id, kid });
    };
    let accepted = claims::check(verified, &issuer.claims, now, request)?;
    Ok(Decision::Forward(forward::with_identity(&policy.forward, &accepted, found.place, request)))
}

/// No candidate verified the token: keys that could be had by asking may.
fn not_verified(candidates: &Candidates, need: NeedKeys) -> Result<Decision, Refusal> {
    match candidates.more {
        MoreKeys::Ask => Ok(Decision::NeedKeys(need)),
        MoreKeys::Unavailable { retry_after } => Err(Refusal::KeysUnavailable { retry_after }),
        MoreKeys::None if candidates.keys.is_empty() => Err(Refusal::KeyNotFound { kid: need.kid }),
        MoreKeys::None => Err(Refusal::SignatureInvalid { kid: need.kid }),
    }
}
