//! Options that say what the upstream gets.

use std::collections::BTreeMap;

use crate::core::answer::field_value::{Filling, Lists};
use crate::core::answer::forward::{
    ClaimHeader, ForwardRules, ManagedNames, MissingClaim, PayloadFormat, TokenForwarding,
};
use crate::core::config::coerce::{Section, Shown};
use crate::core::config::error::Errors;
use crate::core::config::{accepted, token_places};
use crate::core::issuer_id::IssuerId;
use crate::core::request::header_name::{is_alias, is_field_name};
use crate::core::text::quoted;
use crate::core::token::claims_set::ClaimPath;
use crate::core::token::source::TokenSources;

/// Headers that belong to the connection, to HTTP framing or to routing: a claim must not steer them. `Proxy-*` besides.
const NOT_FOR_CLAIMS: &[&str] = &[
    "Connection",
    "Content-Length",
    "Expect",
    "Host",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
];

/// Claims that nobody names a header after: with a header behind one, the two are the wrong way round.
const USUAL_CLAIMS: &[&str] = &[
    "aud",
    "azp",
    "client_id",
    "email",
    "exp",
    "family_name",
    "given_name",
    "groups",
    "iat",
    "iss",
    "jti",
    "name",
    "nbf",
    "oid",
    "preferred_username",
    "roles",
    "scope",
    "sid",
    "sub",
    "tid",
    "upn",
];

fn is_not_for_claims(name: &str) -> bool {
    let proxy = name.get(..6).is_some_and(|start| is_alias(start, "Proxy-"));
    proxy || NOT_FOR_CLAIMS.iter().any(|own| is_alias(own, name))
}

/// `forwardHeaders`, `forwardLists`, `missingClaim`, `forwardPayloadHeader`, `forwardPayloadFormat`,
/// `forwardAuthorization`, `verdictHeader`; `issuers` has the headers of those that
/// have their own.
#[inline(never)]
pub(super) fn forward_rules(
    root: &Section,
    issuers: BTreeMap<IssuerId, Vec<ClaimHeader>>,
    token: &TokenSources,
    errors: &mut Errors,
) -> ForwardRules {
    let missing = [("remove", MissingClaim::Remove), ("empty", MissingClaim::Empty)];
    let lists = [("json", Lists::Json), ("comma", Lists::Comma)];
    let formats = [("base64url", PayloadFormat::Base64url), ("json", PayloadFormat::Json)];
    let verdict = root.section("verdictHeader", errors);
    let rules = ForwardRules {
        headers: claim_headers(root, errors).unwrap_or_else(user_header),
        issuers,
        lists: root.choice("forwardLists", Lists::Json, &lists, errors),
        missing: root.choice("missingClaim", MissingClaim::Remove, &missing, errors),
        payload_header: header_name(root, "forwardPayloadHeader", errors),
        payload_format: root.choice("forwardPayloadFormat", PayloadFormat::Base64url, &formats, errors),
        token: if root.boolean("forwardAuthorization", true, errors) {
            TokenForwarding::Keep
        } else {
            TokenForwarding::Strip
        },
        verdict_request_header: header_name(&verdict, "request", errors),
        verdict_response_header: header_name(&verdict, "response", errors),
        looked_at: Vec::new(),
        managed: ManagedNames::default(),
    };
    let is_filled = |name: &str| rules.filled().any(|header| is_alias(&header.name, name));
    if is_filled(&rules.payload_header) {
        errors.conflict("forwardPayloadHeader", "is a header of forwardHeaders, too");
    }
    if rules.payload_header.is_empty() && root.has("forwardPayloadFormat") {
        errors.conflict("forwardPayloadFormat", "belongs to forwardPayloadHeader, which is not set");
    }
    if is_filled(&rules.verdict_request_header) {
        errors.conflict("verdictHeader.request", "is a header of forwardHeaders, too");
    } else if !rules.payload_header.is_empty()
        && is_alias(&rules.payload_header, &rules.verdict_request_header)
    {
        errors.conflict("verdictHeader.request", "is forwardPayloadHeader, too");
    }
    let own = [
        ("forwardPayloadHeader".to_owned(), rules.payload_header.as_str()),
        ("verdictHeader.request".to_owned(), rules.verdict_request_header.as_str()),
    ];
    let filled: Vec<_> = rules
        .filled()
        .map(|header| (format!("forwardHeaders.{}", header.name), header.name.as_str()))
        .chain(own)
        .collect();
    token_places::refuse_filled(&filled, token, errors);
    rules
}

/// What the upstream gets where nothing is said.
fn user_header() -> Vec<ClaimHeader> {
    Filling::parse("sub")
        .map(|filling| ClaimHeader { name: "X-User-Sub".into(), filling })
        .into_iter()
        .collect()
}

/// `forwardHeaders`; `None` where it is absent.
#[inline(never)]
pub(super) fn claim_headers(section: &Section, errors: &mut Errors) -> Option<Vec<ClaimHeader>> {
    let rows = section.texts("forwardHeaders", Shown::Plain, errors)?;
    let mut headers: Vec<ClaimHeader> = Vec::with_capacity(rows.len());
    for (name, claim) in rows {
        let path = || format!("{}.{name}", section.path("forwardHeaders"));
        if !is_field_name(&name) {
            errors.value(path(), quoted(&name), "the name of a header");
        } else if name.eq_ignore_ascii_case("Authorization") {
            errors.conflict(path(), "carries the token; forwardAuthorization says whether it goes on");
        } else if is_not_for_claims(&name) {
            errors.conflict(path(), "belongs to the connection or to routing, so a claim cannot fill it");
        } else if let Some(other) = headers.iter().find(|header| is_alias(&header.name, &name)) {
            errors.conflict(path(), format!("is the same header as {} for many back ends", other.name));
        }
        if USUAL_CLAIMS.contains(&name.as_str()) && claim.contains('-') && is_field_name(&claim) {
            let expected = format!("a claim; the header stands first: {claim}: {name}");
            errors.value(path(), quoted(&claim), expected);
            continue;
        }
        match Filling::parse(&claim) {
            Some(filling) => {
                if let Some(whole) = filling.claims().find_map(ClaimPath::with_whole_host) {
                    errors.value(path(), quoted(&claim), accepted::escaped(&whole));
                }
                headers.push(ClaimHeader { name, filling });
            }
            None => errors.value(
                path(),
                quoted(&claim),
                "a claim, a path such as realm_access.roles, the first of several such as email|sub, or a text such as user:{sub}",
            ),
        }
    }
    Some(headers)
}

/// An optional header that the middleware sets.
pub(super) fn header_name(section: &Section, key: &str, errors: &mut Errors) -> String {
    let name = section.text(key, Shown::Plain, errors).unwrap_or_default();
    let own = is_not_for_claims(&name);
    if !name.is_empty() && (!is_field_name(&name) || own || name.eq_ignore_ascii_case("Authorization")) {
        errors.value(section.path(key), quoted(&name), "the name of a header of its own");
    }
    name
}
