//! Scopes (RFC 6749 3.3, RFC 8693 4.2, RFC 6750 3).

use std::rc::Rc;

use crate::core::json::{Kind, Value};
use crate::core::refusal::Refusal;
use crate::core::token::claims_set::{ClaimPath, ClaimsSet};

/// `scopes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeRules {
    /// Scopes that are asked for.
    pub required: Vec<String>,
    /// How many of them a token has to hold.
    pub matching: Match,
    /// The claim that lists a token's scopes; if it is not set, `scope`, or `scp` if there is no `scope`.
    pub claim: Option<ClaimPath>,
    /// Scopes that include others.
    pub hierarchy: Rc<ScopeHierarchy>,
}

/// `scopeImplies`: scopes that include others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeHierarchy(Vec<(String, Included)>);

/// What a scope includes.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Included {
    /// Every other.
    All,
    /// These, and those that they include.
    These(Vec<String>),
}

/// What stands for every scope.
const EVERY_SCOPE: &str = "*";

impl ScopeHierarchy {
    /// The hierarchy in which each scope includes those behind it, and what these include in turn; `*` is every scope.
    #[must_use]
    pub fn new(rows: &[(String, Vec<String>)]) -> Self {
        let included = |(scope, list): &(String, Vec<String>)| {
            let mut found = list.clone();
            let mut at = 0_usize;
            while let Some(next) = found.get(at).cloned() {
                for more in rows.iter().filter(|(name, _)| *name == next).flat_map(|(_, list)| list) {
                    if !found.contains(more) {
                        found.push(more.clone());
                    }
                }
                at = at.saturating_add(1);
            }
            let all = found.iter().any(|scope| scope == EVERY_SCOPE);
            (scope.clone(), if all { Included::All } else { Included::These(found) })
        };
        Self(rows.iter().map(included).collect())
    }

    /// The scopes that include `scope`, but for itself.
    fn including(&self, scope: &str) -> impl Iterator<Item = &str> {
        let includes = move |included: &Included| match included {
            Included::All => true,
            Included::These(list) => list.iter().any(|other| other == scope),
        };
        self.0.iter().filter(move |(_, included)| includes(included)).map(|(name, _)| name.as_str())
    }
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

/// Checks that the token holds the scopes that its issuer's rules and those of the request ask for. They are compared byte
/// for byte, as RFC 6749 3.3 has it.
///
/// # Errors
/// `scope_insufficient`, also if the claim is absent or empty.
pub fn check(
    claims: &ClaimsSet,
    issuer: Option<&ScopeRules>,
    rule: Option<&ScopeRules>,
) -> Result<(), Refusal> {
    let met =
        |rules: Option<&ScopeRules>| rules.is_none_or(|rules| is_met(claims, rules, claim(issuer, rules)));
    if met(issuer) && met(rule) {
        return Ok(());
    }
    Err(Refusal::ScopeInsufficient)
}

/// All scopes that are asked for together, each once, separated by spaces, for a challenge.
#[must_use]
pub fn demanded<'s>(lists: impl IntoIterator<Item = &'s String>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for scope in lists {
        if !all.contains(&scope.as_str()) {
            all.push(scope);
        }
    }
    all.join(" ")
}

/// If a rule does not name the claim that lists the scopes, that of the issuer applies.
fn claim<'r>(issuer: Option<&'r ScopeRules>, rules: &'r ScopeRules) -> Option<&'r ClaimPath> {
    rules.claim.as_ref().or_else(|| issuer?.claim.as_ref())
}

fn is_met(claims: &ClaimsSet, rules: &ScopeRules, claim: Option<&ClaimPath>) -> bool {
    let is_held = |scope: &String| rules.is_held(claims, claim, scope);
    match rules.matching {
        Match::All => rules.required.iter().all(is_held),
        Match::Any => rules.required.iter().any(is_held),
    }
}

impl ScopeRules {
    /// Whether the list in `claim` has `scope`, or one that includes it.
    #[must_use]
    pub fn is_held(&self, claims: &ClaimsSet, claim: Option<&ClaimPath>, scope: &str) -> bool {
        list(claims, claim).is_some_and(|list| {
            lists(list, scope) || self.hierarchy.including(scope).any(|scope| lists(list, scope))
        })
    }
}

fn list<'c>(claims: &'c ClaimsSet, claim: Option<&ClaimPath>) -> Option<Value<'c>> {
    match claim {
        Some(path) => claims.at(path),
        None => claims.claim("scope").or_else(|| claims.claim("scp")),
    }
}

/// The scopes that the token lists in `claim`, as [`check`] sees them.
#[must_use]
pub fn held<'c>(claims: &'c ClaimsSet, claim: Option<&ClaimPath>) -> Vec<&'c str> {
    let Some(list) = list(claims, claim) else {
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

/// Whether a text is a scope (RFC 6749 3.3); the challenge repeats it between quotes.
pub fn is_scope(scope: &str) -> bool {
    !scope.is_empty()
        && scope.bytes().all(|byte| matches!(byte, b'!'..=b'~') && !matches!(byte, b'"' | b'\\'))
}

#[cfg(test)]
mod tests {
    use super::{Match, ScopeHierarchy, ScopeRules, check, demanded, held, is_scope};
    use crate::core::refusal::Refusal;
    use crate::core::token::claims_set::{ClaimPath, claims};

    #[test]
    fn the_log_shows_the_scopes_that_a_token_has() {
        for (json, claim, expected) in [
            (r#"{"scope":" read  write "}"#, None, &["read", "write"][..]),
            (r#"{"scp":["read","a b",1]}"#, None, &["read", "a b"]),
            (r#"{"scope":""}"#, None, &[]),
            (r#"{"scope":{"read":true}}"#, None, &[]),
            (r#"{"permissions":["read"],"scope":"write"}"#, Some("permissions"), &["read"]),
            ("{}", None, &[]),
        ] {
            let claim = claim.map(|path| ClaimPath::parse(path).unwrap());
            assert_eq!(held(&claims(json), claim.as_ref()), expected, "{json}");
        }
    }

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
                ..ScopeRules::default()
            };
            let expected = if expected { Ok(()) } else { Err(Refusal::ScopeInsufficient) };
            assert_eq!(check(&claims(json), Some(&rules), None), expected, "{json} {matching:?}");
        }
    }

    #[test]
    fn characters_of_a_scope_rfc_6749_3_3() {
        for (text, expected) in [
            ("a", true),
            ("!#[]~", true),
            ("https://api.example/read", true),
            ("", false),
            ("a b", false),
            ("a\"", false),
            ("a\\", false),
            ("a\u{7f}", false),
            ("\u{e9}", false),
        ] {
            assert_eq!(is_scope(text), expected, "{text:?}");
        }
    }

    fn asking(required: &str) -> ScopeRules {
        let required = required.split(' ').map(str::to_owned).collect();
        let rows = [
            ("files", "files:read files:write"),
            ("files:write", "files:list"),
            ("admin", "*"),
            ("root", "admin"),
            ("a", "b"),
            ("b", "a"),
        ];
        let row =
            |(scope, list): (&str, &str)| (scope.to_owned(), list.split(' ').map(str::to_owned).collect());
        let hierarchy = ScopeHierarchy::new(&rows.map(row)).into();
        ScopeRules { required, hierarchy, ..ScopeRules::default() }
    }

    #[test]
    fn a_scope_holds_what_it_includes() {
        for (held, required, expected) in [
            ("files", "files:read", true),
            ("files", "files:read files:write", true),
            ("files", "files:list", true),
            ("files:write", "files:list", true),
            ("files:read", "files", false),
            ("files:list", "files:write", false),
            ("files", "other", false),
            ("files admin", "other", true),
            ("root", "anything files", true),
            ("a", "b", true),
            ("b", "a", true),
            ("*", "a", false),
            ("", "a", false),
        ] {
            let found = check(&claims(&format!(r#"{{"scope":"{held}"}}"#)), Some(&asking(required)), None);
            assert_eq!(found.is_ok(), expected, "{held} {required}");
        }
    }

    #[test]
    fn rfc_6750_3_1_all_that_is_asked_for_at_once() {
        let (issuer, rule) = (asking("read write"), asking("write delete"));
        assert_eq!(demanded(issuer.required.iter().chain(&rule.required)), "read write delete");
        assert_eq!(demanded(&rule.required), "write delete");
        for (held, expected) in [("read write delete", true), ("read write", false), ("write delete", false)]
        {
            let expected = if expected { Ok(()) } else { Err(Refusal::ScopeInsufficient) };
            assert_eq!(
                check(&claims(&format!(r#"{{"scope":"{held}"}}"#)), Some(&issuer), Some(&rule)),
                expected
            );
        }
    }

    #[test]
    fn a_rule_looks_where_the_issuer_says() {
        let path = |text| ClaimPath::parse(text);
        let json = r#"{"scope":"x","roles":["read","write"],"own":["delete"]}"#;
        let issuer = ScopeRules { claim: path("roles"), ..asking("read") };
        for (required, claim, expected) in
            [("write", None, true), ("x", None, false), ("delete", Some("own"), true)]
        {
            let rule = ScopeRules { claim: claim.and_then(path), ..asking(required) };
            assert_eq!(check(&claims(json), Some(&issuer), Some(&rule)).is_ok(), expected, "{required}");
        }
    }
}
