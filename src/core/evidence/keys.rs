//! The keys of an issuer beside the key that a token names.

use crate::core::evidence::list;
use crate::core::issuer_id::IssuerId;
use crate::core::jwk::lookup::{KeyLookup, KeySetView};
use crate::core::policy::TrustedIssuer;
use crate::core::refusal::Evidence;
use crate::core::signature::alg::Alg;
use crate::core::text::name;
use crate::core::token::jws::UnverifiedToken;

/// The key sets of one issuer.
fn sets(keys: &dyn KeyLookup, issuer: &TrustedIssuer) -> Vec<KeySetView> {
    let named = issuer.named();
    keys.key_sets().into_iter().filter(|set| set.issuer == named).collect()
}

/// Whether the `kid` is unknown or its key is one of another kind.
pub(super) fn not_found(
    keys: &dyn KeyLookup,
    (id, issuer): (IssuerId, &TrustedIssuer),
    kid: Option<&str>,
    token: &UnverifiedToken<'_>,
) -> Evidence {
    let alg = &token.header.alg;
    let sets = sets(keys, issuer);
    let held = list(sets.iter().flat_map(|set| &set.kids));
    let is_meant =
        |kid: &str, alg| keys.candidates(id, Some(kid), alg).keys.iter().any(|key| key.is_called(kid));
    let algs = |kid: &str| -> Vec<&str> {
        Alg::ALL.into_iter().filter(|alg| is_meant(kid, *alg)).map(Alg::name).collect()
    };
    let hint = match kid {
        None => format!("the token has no kid, and no key is one for {}", name(alg)),
        Some(kid) => match algs(kid).as_slice() {
            [] => "no key has this kid: was it rotated, or is the token of another environment?".into(),
            algs if algs.contains(&alg.as_str()) => "the key is kept for another tenant".into(),
            algs => format!("the key with this kid is one for {}, not for {}", list(algs), name(alg)),
        },
    };
    Evidence {
        found: kid.map_or_else(|| "no kid".into(), |kid| format!("kid {}", name(kid))),
        expected: if held.is_empty() {
            "a key without kid".into()
        } else {
            format!("one of the kids {held}")
        },
        hint,
    }
}

/// How many keys did not verify the signature.
pub(super) fn not_verified(
    keys: &dyn KeyLookup,
    id: IssuerId,
    kid: Option<&str>,
    token: &UnverifiedToken<'_>,
) -> Evidence {
    let candidates = Alg::from_name(&token.header.alg).map(|alg| keys.candidates(id, kid, alg).keys);
    let candidates = candidates.unwrap_or_default();
    let is_named = kid.is_some_and(|kid| candidates.iter().any(|key| key.is_called(kid)));
    let hint = if is_named {
        "the token was altered, or the key was replaced under the same kid"
    } else {
        "the token was altered, or somebody else signed it"
    };
    let of = kid.map_or_else(|| "the token names no kid".into(), |kid| format!("kid {}", name(kid)));
    Evidence {
        found: format!("keys in question: {} ({of})", candidates.len()),
        hint: hint.into(),
        ..Evidence::default()
    }
}

/// Why each set of the issuer is unavailable.
pub(super) fn unavailable(keys: &dyn KeyLookup, issuer: &TrustedIssuer) -> Evidence {
    let failed = sets(keys, issuer);
    let documents = failed.iter().map(|set| &set.document);
    let failed = documents.filter_map(|set| Some(format!("{}: {}", set.place, set.last_error.as_ref()?)));
    Evidence { found: failed.collect::<Vec<_>>().join("; "), ..Evidence::default() }
}
