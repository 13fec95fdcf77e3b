//! What decided a refusal, with both values: what the request has, and what the configuration asks for. Found out anew from
//! the request when a line is written, so that no request pays for it whose line is not, and no answer can say it.

mod places;
mod rules;
mod keys;

use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::KeyLookup;
use crate::core::limits::MAX_LOGGED_NAMES;
use crate::core::policy::{Policy, TrustedIssuer};
use crate::core::refusal::{Evidence, Refusal};
use crate::core::refusal_log::{self, Fate};
use crate::core::request::RequestView;
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
    of_token(policy, keys, now, refusal, request, (found, token.as_ref()))
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
    let evidence = of_token(policy, keys, now, refusal, request, (found, token.as_ref()));
    refusal_log::line(&policy.answer.log, token.as_ref(), (refusal, &evidence), fate, left_out, request)
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
            let issuer = token.claimed.issuer().ok().and_then(|iss| policy.issuer(iss));
            issuer.map(|(id, issuer)| of_issuer(token, id, issuer)).unwrap_or_default()
        })
    };
    match refusal {
        Refusal::TokenMissing => places::missing(&policy.token, request),
        Refusal::TokenRepeated => places::repeated(&policy.token, request),
        Refusal::CredentialsMalformed => places::malformed(&policy.token, request),
        Refusal::SchemeUnexpected => places::unexpected_scheme(&policy.token, request),
        Refusal::CookieMalformed => places::cookie(&policy.token, request),
        Refusal::TargetMalformed => {
            Evidence { expected: "a target that begins with a slash".into(), ..Evidence::default() }
        }
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
            with_token(&|token| rules::issuer(policy, issuer.as_deref(), &token.claimed))
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
            // Without a proper `iss` there is no issuer.
            with_token(&|token| rules::invalid(claim, &token.claimed, now))
        }
        Refusal::AudienceNotAccepted => {
            with_issuer(&|token, _, issuer| rules::audience(&token.claimed, &issuer.claims.audience))
        }
        Refusal::TokenTypeNotAccepted { typ } => {
            with_issuer(&|_, _, issuer| rules::token_type(typ.as_deref(), &issuer.claims.token_type))
        }
        Refusal::ProofMissing => with_token(&|token| rules::proof(&token.claimed)),
        Refusal::ScopeInsufficient { .. } => with_issuer(&|token, _, issuer| {
            issuer
                .claims
                .scopes
                .as_ref()
                .map(|scopes| rules::scopes(&token.claimed, scopes))
                .unwrap_or_default()
        }),
        Refusal::ClaimsRejected => with_issuer(&|token, _, issuer| {
            let expression = issuer.claims.expression.as_ref();
            let culprits = expression.map(|expression| expression.culprits(&token.claimed, request, now));
            rules::expression(&culprits.unwrap_or_default())
        }),
    }
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
