//! What decided a refusal, with both values: what the request has, and what the configuration asks for. Computed again from
//! the request when a line is written, so that requests without a line do not pay for it, and no answer can contain it.

mod places;
mod proofs;
mod rules;
mod keys;

use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::KeyLookup;
use crate::core::limits::MAX_LOGGED_NAMES;
use crate::core::policy::{Policy, TrustedIssuer};
use crate::core::refusal::{AskedBy, Evidence, Refusal};
use crate::core::refusal_log::{self, Fate};
use crate::core::request::{RequestView, uri};
use crate::core::text::name;
use crate::core::token::jws::UnverifiedToken;
use crate::core::token::source::FoundToken;
use crate::core::unix_time::UnixTime;

/// What decided `refusal`, which [`decide`](crate::core::decide::decide) gave for `request`, in which it `found` a token.
pub fn of(
    policy: &Policy,
    keys: &dyn KeyLookup,
    now: UnixTime,
    refusal: &Refusal,
    found: Option<&FoundToken<'_>>,
    request: &dyn RequestView,
) -> Evidence {
    let token = found.and_then(|found| found.read(&policy.token));
    about(policy, request, |request| of_token(policy, keys, now, refusal, request, (found, token.as_ref())))
}

/// What `says` returns for the request that `received` is or asks about, or for `received` itself if it may not ask.
fn about<T>(policy: &Policy, received: &dyn RequestView, says: impl FnOnce(&dyn RequestView) -> T) -> T {
    match policy.answer.asking.original(received) {
        Ok(Some(original)) => says(&original),
        Ok(None) | Err(_) => says(received),
    }
}

/// The line of the log about a refusal; the token is read once for all that it says.
pub fn line(
    policy: &Policy,
    keys: &dyn KeyLookup,
    now: UnixTime,
    (refusal, fate): (&Refusal, Fate),
    left_out: u32,
    found: Option<&FoundToken<'_>>,
    request: &dyn RequestView,
) -> String {
    let token = found.and_then(|found| found.read(&policy.token));
    about(policy, request, |request| {
        let evidence = of_token(policy, keys, now, refusal, request, (found, token.as_ref()));
        refusal_log::line(&policy.answer.log, token.as_ref(), (refusal, &evidence), fate, left_out, request)
    })
}

fn of_token(
    policy: &Policy,
    keys: &dyn KeyLookup,
    now: UnixTime,
    refusal: &Refusal,
    request: &dyn RequestView,
    (found, token): (Option<&FoundToken<'_>>, Option<&UnverifiedToken<'_>>),
) -> Evidence {
    let with_token =
        |of_token: &dyn Fn(&UnverifiedToken<'_>) -> Evidence| token.map(of_token).unwrap_or_default();
    let with_issuer = |of_issuer: &dyn Fn(&UnverifiedToken<'_>, IssuerId, &TrustedIssuer) -> Evidence| {
        with_token(&|token| {
            let issuer = token.claimed.issuer().ok().and_then(|iss| policy.entry(&token.claimed, iss));
            issuer.map(|(id, issuer)| of_issuer(token, id, issuer)).unwrap_or_default()
        })
    };
    let demands = policy.rules.ruling(request).demands();
    match refusal {
        Refusal::TokenMissing => places::missing(&policy.token, request),
        Refusal::TokenRepeated => places::repeated(&policy.token, request),
        Refusal::CredentialsMalformed => places::malformed(&policy.token, request),
        Refusal::SchemeUnexpected => places::unexpected_scheme(&policy.token, request),
        Refusal::CookieMalformed => places::cookie(&policy.token, request),
        Refusal::TargetMalformed => {
            Evidence { expected: "a target that begins with a slash".into(), ..Evidence::default() }
        }
        Refusal::PeerNotTrusted => Evidence {
            found: request.source_address().map_or("no address".into(), |address| address.to_string()),
            expected: "an address of trustedPeers".into(),
            ..Evidence::default()
        },
        Refusal::ForwardedRequestInvalid { header, problem } => Evidence {
            found: format!("{header} {problem}"),
            expected: format!("one {header} of the proxy that asks"),
            hint: "Traefik's entry point removes it unless forwardedHeaders.trustedIPs has that proxy".into(),
        },
        Refusal::ChangeNotPossible => places::cookie(&policy.token, request),
        Refusal::TokenTooLarge { bytes } => Evidence {
            found: format!("{bytes} bytes"),
            expected: format!("at most {} bytes (maxTokenBytes)", policy.token.max_bytes),
            ..Evidence::default()
        },
        Refusal::TokenMalformed { .. } | Refusal::TokenEncrypted => {
            found.map(places::shape).unwrap_or_default()
        }
        Refusal::CritNotSupported => Evidence { expected: "no crit".into(), ..Evidence::default() },
        Refusal::IssuerNotTrusted { issuer } => {
            with_token(&|token| rules::issuer(policy, (issuer.as_deref(), found), &token.claimed))
        }
        Refusal::AlgNotAllowed { alg } => with_issuer(&|_, _, issuer| rules::algorithm(alg, issuer)),
        Refusal::KeyNotFound { kid } => {
            with_issuer(&|token, id, issuer| keys::not_found(keys, (id, issuer), kid.as_deref(), token))
        }
        Refusal::SignatureInvalid { kid, .. } => {
            with_issuer(&|token, id, _| keys::not_verified(keys, id, kid.as_deref(), token))
        }
        Refusal::KeysUnavailable { .. } => with_issuer(&|_, _, issuer| keys::unavailable(keys, issuer)),
        Refusal::TokenExpired { exp, now } => {
            with_issuer(&|_, _, issuer| rules::expired(*exp, *now, &issuer.claims.time))
        }
        Refusal::TokenNotYetValid { nbf, now } => {
            with_issuer(&|_, _, issuer| rules::not_yet_valid(*nbf, *now, &issuer.claims.time))
        }
        Refusal::TokenLifetimeTooLong { lifetime } => {
            with_issuer(&|_, _, issuer| rules::lifetime(*lifetime, &issuer.claims.time))
        }
        Refusal::TokenTooOld { age } => with_issuer(&|_, _, issuer| rules::age(*age, &issuer.claims.time)),
        Refusal::ClaimMissing { claim } => {
            with_issuer(&|token, _, issuer| rules::missing(claim, &token.claimed, &issuer.claims))
        }
        Refusal::ClaimInvalid { claim } => {
            // Without a valid `iss` the issuer is unknown.
            with_token(&|token| rules::invalid(claim, &token.claimed, now))
        }
        Refusal::AudienceNotAccepted { asked_by } => with_issuer(&|token, _, issuer| {
            let accepted = match asked_by {
                AskedBy::Issuer => issuer.claims.audience.as_slice(),
                AskedBy::Rule => demands.map(|demands| demands.audience.as_slice()).unwrap_or_default(),
            };
            rules::audience(&token.claimed, accepted)
        }),
        Refusal::ClientNotAccepted => {
            with_issuer(&|token, _, issuer| rules::client(&token.claimed, &issuer.claims.clients))
        }
        Refusal::TokenTypeNotAccepted { typ } => {
            with_issuer(&|_, _, issuer| rules::token_type(typ.as_deref(), &issuer.claims.token_type))
        }
        Refusal::ProofMissing { .. } => with_token(&|token| rules::proof(&token.claimed)),
        Refusal::ProofInvalid { fault } => proofs::fault(fault),
        Refusal::ProofNonce { .. }
        | Refusal::ProofReplayed
        | Refusal::ReplayUnavailable
        | Refusal::TokenRevoked
        | Refusal::RevocationUnavailable => Evidence::default(),
        Refusal::ScopeInsufficient => with_issuer(&|token, _, issuer| {
            let of_rule = demands.and_then(|demands| demands.scopes.as_ref());
            rules::scopes(&token.claimed, issuer.claims.scopes.as_ref(), of_rule)
        }),
        Refusal::ClaimsRejected => with_issuer(&|token, _, issuer| {
            let own = issuer.claims.expression.as_ref();
            let expressions = own.into_iter().chain(demands.and_then(|demands| demands.expression.as_ref()));
            let culprits =
                expressions.flat_map(|expression| expression.culprits(&token.claimed, request, now));
            rules::expression(&culprits.collect::<Vec<_>>())
        }),
        Refusal::StepUpRequired { acr_values, max_age } => {
            with_token(&|token| rules::step_up(&token.claimed, acr_values, *max_age, now))
        }
        Refusal::RuleMissing => Evidence {
            found: format!("{} {}", name(request.method()), path_of(request)),
            expected: format!("a request under one of {} rules", policy.rules.rules().len()),
            hint: policy.rules.unclear(request),
        },
        Refusal::McpHeaderInvalid { header, problem } => Evidence {
            found: format!("{} {problem}", name(header)),
            expected: "the headers of the Model Context Protocol, 2026-07-28 or later".into(),
            ..Evidence::default()
        },
        Refusal::OriginNotAllowed => Evidence {
            found: list(request.header_values("Origin").iter().map(|value| String::from_utf8_lossy(value))),
            expected: list(&policy.origins),
            ..Evidence::default()
        },
    }
}

/// The path without its query, which may hold a token.
fn path_of(request: &dyn RequestView) -> String {
    name(&String::from_utf8_lossy(uri::path(request.uri())))
}

/// Names with a space between them, as many as a line has room for.
fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let mut names = names.into_iter();
    let mut shown: Vec<String> =
        names.by_ref().take(MAX_LOGGED_NAMES).map(|text| name(text.as_ref())).collect();
    if names.next().is_some() {
        shown.push("...".into());
    }
    shown.join(" ")
}

/// What makes one of `found` another text than one of `expected`, if that is easily overlooked.
fn near<A: AsRef<str>, B: AsRef<str>>(found: &[A], expected: &[B]) -> String {
    let pairs = found.iter().flat_map(|found| expected.iter().map(|other| (found.as_ref(), other.as_ref())));
    let difference = |(found, expected): (&str, &str)| {
        let slash = |text: &str| text.strip_suffix('/').unwrap_or(text).to_owned();
        let scheme = |text: &str| text.split_once("://").map(|(_, rest)| rest.to_owned());
        if slash(found) == slash(expected) {
            Some("a trailing slash")
        } else if found.trim() == expected.trim() {
            Some("a blank")
        } else if found.eq_ignore_ascii_case(expected) {
            Some("upper and lower case")
        } else if scheme(found).is_some_and(|rest| Some(rest) == scheme(expected)) {
            Some("http and https")
        } else {
            None
        }
    };
    pairs
        .into_iter()
        .find_map(|(found, expected)| {
            let differ = difference((found, expected))?;
            Some(format!("{} and {} differ by {differ}", name(found), name(expected)))
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn what_is_easily_overlooked() {
        for (found, expected, says) in [
            ("https://a/", "https://a", "https://a/ and https://a differ by a trailing slash"),
            ("API", "api", "API and api differ by upper and lower case"),
            ("api ", "api", r#""api " and api differ by a blank"#),
            ("http://a/", "https://a/", "http://a/ and https://a/ differ by http and https"),
            ("a", "b", ""),
        ] {
            assert_eq!(near(&["x", found], &["y", expected]), says);
        }
    }
}
