//! Scopes (RFC 6749 3.3, RFC 8693 4.2, RFC 6750 3).

use crate::core::json::{Kind, Value};
use crate::core::refusal::Refusal;
use crate::core::token::claims_set::{ClaimPath, ClaimsSet};

/// `scopes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRules {
    /// Scopes that are asked for; not empty.
    pub required: Vec<String>,
    /// How many of them a token has to hold.
    pub matching: Match,
    /// The claim that lists a token's scopes; without one, `scope`, or `scp` where there is no `scope`.
    pub claim: Option<ClaimPath>,
}

/// `scopes.match`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Match {
    /// Every one.
    #[default]
    All,
    /// At least one.
    Any,
}

/// Checks that the token holds the scopes. They are compared byte for byte, as RFC 6749 3.3 has it.
///
/// # Errors
/// `scope_insufficient`, also where the claim is absent or lists nothing.
pub fn check(claims: &ClaimsSet, rules: &ScopeRules) -> Result<(), Refusal> {
    let list = list(claims, rules);
    let is_held = |scope: &String| list.is_some_and(|list| lists(list, scope));
    let met = match rules.matching {
        Match::All => rules.required.iter().all(is_held),
        Match::Any => rules.required.iter().any(is_held),
    };
    if met { Ok(()) } else { Err(Refusal::ScopeInsufficient { required: rules.required.join(" ") }) }
}

fn list<'c>(claims: &'c ClaimsSet, rules: &ScopeRules) -> Option<Value<'c>> {
    match &rules.claim {
        Some(path) => claims.at(path),
        None => claims.claim("scope").or_else(|| claims.claim("scp")),
    }
}

/// The scopes that the token holds, as [`check`] sees them.
pub fn held<'c>(claims: &'c ClaimsSet, rules: &ScopeRules) -> Vec<&'c str> {
    let Some(list) = list(claims, rules) else {
        return Vec::new();
    };
    match list.as_str() {
        Some(text) => text.split(' ').filter(|scope| !scope.is_empty()).collect(),
        None => list.elements().filter_map(Value::as_str).collect(),
    }
}

/// A string separates scopes by spaces (RFC 8693 4.2); an array has one in each element (Okta, Auth0's `permissions`).
fn lists(list: Value<'_>, scope: &str) -> bool {
    match list.kind() {
        Kind::String => list.as_str().is_some_and(|text| text.split(' ').any(|held| held == scope)),
        Kind::Array => list.elements().any(|element| element.as_str() == Some(scope)),
        Kind::Null | Kind::True | Kind::False | Kind::Number | Kind::Object => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Match, ScopeRules, check};
    use crate::core::refusal::Refusal;
    use crate::core::token::claims_set::{ClaimPath, claims};

    #[test]
    fn strings_and_arrays() {
        use Match::{All, Any};
        for (json, claim, matching, expected) in [
            (r#"{"scope":"read write"}"#, None, All, true),
            (r#"{"scope":"write other read"}"#, None, All, true),
            (r#"{"scope":"read"}"#, None, All, false),
            (r#"{"scope":"read"}"#, None, Any, true),
            (r#"{"scope":"readwrite"}"#, None, Any, false),
            (r#"{"scope":"READ WRITE"}"#, None, Any, false),
            (r#"{"scope":"read,write"}"#, None, Any, false),
            (r#"{"scope":["read","write"]}"#, None, All, true),
            (r#"{"scope":["read write"]}"#, None, Any, false),
            (r#"{"scope":["read",1,["write"]]}"#, None, All, false),
            (r#"{"scp":"read write"}"#, None, All, true),
            (r#"{"scp":["read","write"]}"#, None, All, true),
            (r#"{"scope":"read","scp":"write"}"#, None, All, false),
            (r#"{"scope":"","scp":"read"}"#, None, Any, false),
            (r#"{"scope":{"read":true}}"#, None, Any, false),
            (r#"{"scope":null}"#, None, Any, false),
            ("{}", None, Any, false),
            (r#"{"a":{"permissions":["read","write"]}}"#, Some("a.permissions"), All, true),
            (r#"{"scope":"read write"}"#, Some("a.permissions"), Any, false),
        ] {
            let rules = ScopeRules {
                required: vec!["read".into(), "write".into()],
                matching,
                claim: claim.map(|path| ClaimPath::parse(path).unwrap()),
            };
            let refusal = Refusal::ScopeInsufficient { required: "read write".into() };
            let expected = if expected { Ok(()) } else { Err(refusal) };
            assert_eq!(check(&claims(json), &rules), expected, "{json} {matching:?}");
        }
    }
}
