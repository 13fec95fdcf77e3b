//! Rules by method, path and header (`rules`): the first that a request is under says what its token has to hold beside
//! what the issuer's rules ask for.
//!
//! A rule opens something, and those behind it may ask for less. So a request that a back end could take for one under
//! another rule is under none.

mod fault;
mod mcp;
mod headers;
mod rule;
mod index;
mod reach;
#[cfg(test)]
mod examples;

use crate::core::claims::scope::ScopeRules;
use crate::core::refusal::Refusal;
use crate::core::request::header_name::{self, Single};
use crate::core::request::{RequestView, method, path};

pub use fault::Fault;
pub use headers::{HeaderCondition, ValuePattern};
pub use reach::shadowed;
pub use rule::{Demands, Needs, Rule};

/// `rules`, in their order; a policy without any has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleTable {
    rules: Vec<Rule>,
    index: index::Index,
    /// The headers that rules look at.
    headers: Vec<String>,
    looks_at: LooksAt,
}

/// What some rule looks at: a request has to be clear about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LooksAt {
    methods: bool,
    paths: bool,
    mcp: bool,
}

/// What the table says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling<'p> {
    /// There is no table: what the rules of the issuers ask for is all.
    Free,
    /// The request is under this rule, by its position from 0.
    Under(usize, &'p Rule),
    /// It is under none.
    Fault(Fault<'p>),
}

impl RuleTable {
    /// The table of `rules`.
    #[must_use]
    pub fn new(mut rules: Vec<Rule>) -> Self {
        // What only makes a rule not match comes before what can refuse the request.
        for rule in &mut rules {
            let (mirrored, mut headers): (Vec<_>, Vec<_>) =
                std::mem::take(&mut rule.headers).into_iter().partition(HeaderCondition::is_mcp);
            headers.extend(mirrored);
            rule.headers = headers;
        }
        let mut headers: Vec<String> = Vec::new();
        for condition in rules.iter_mut().flat_map(|rule| &mut rule.headers) {
            condition.number(&mut headers);
        }
        let any = |looks: fn(&Rule) -> bool| rules.iter().any(looks);
        let looks_at = LooksAt {
            methods: any(|rule| !rule.methods.is_empty()),
            paths: any(|rule| !rule.paths.is_empty()),
            mcp: any(|rule| rule.headers.iter().any(HeaderCondition::is_mcp)),
        };
        Self { index: index::Index::new(&rules), rules, headers, looks_at }
    }

    /// Whether there is no rule, so that the rules of the issuers are all.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What the rules ask for of scopes.
    pub fn scopes_mut(&mut self) -> impl Iterator<Item = &mut ScopeRules> {
        self.rules.iter_mut().filter_map(|rule| match &mut rule.needs {
            Needs::Token(demands) => demands.scopes.as_mut(),
            Needs::Nothing => None,
        })
    }

    /// The headers that the rules look at.
    #[must_use]
    pub fn headers(&self) -> Vec<String> {
        let mut names = self.headers.clone();
        if self.looks_at.mcp {
            names.extend([mcp::VERSION, mcp::METHOD].map(str::to_owned));
        }
        names
    }

    /// Whether a rule is about what the Model Context Protocol says in headers.
    #[must_use]
    pub const fn is_about_mcp(&self) -> bool {
        self.looks_at.mcp
    }

    /// What the table says of `request`.
    #[must_use]
    pub fn ruling(&self, request: &dyn RequestView) -> Ruling<'_> {
        if self.rules.is_empty() {
            return Ruling::Free;
        }
        let method = if self.looks_at.methods { method::unambiguous(request) } else { Some("") };
        let path = if self.looks_at.paths { path::unambiguous(request.uri()) } else { Some("".into()) };
        let (Some(method), Some(path)) = (method, path) else {
            return Ruling::Fault(Fault::Missing);
        };
        let mut headers = headers::Reader::new(request, self.headers.len());
        for at in self.index.candidates(&self.rules, method, &path).iter() {
            let Some(rule) = self.rules.get(at) else { continue };
            match headers.meet(&rule.headers) {
                Ok(true) => return Ruling::Under(at, rule),
                Ok(false) => {}
                Err(fault) => return Ruling::Fault(fault),
            }
        }
        Ruling::Fault(Fault::Missing)
    }

    /// What makes the request unclear, so that it is under no rule, in words; empty where it is clear.
    #[must_use]
    pub fn unclear(&self, request: &dyn RequestView) -> String {
        if self.looks_at.methods && method::unambiguous(request).is_none() {
            return "a header names another method".into();
        }
        if self.looks_at.paths && path::unambiguous(request.uri()).is_none() {
            return "the path can be read in two ways".into();
        }
        let is_unclear = |name: &&String| header_name::single(request, name) == Single::Unclear;
        let unclear = self.headers.iter().find(is_unclear);
        unclear.map_or_else(String::new, |name| format!("{name} is there twice, or is no text"))
    }
}

impl<'p> Ruling<'p> {
    /// What the rule demands of a token, where the request is under one that demands anything.
    #[must_use]
    pub const fn demands(self) -> Option<&'p Demands> {
        match self {
            Self::Under(_, Rule { needs: Needs::Token(demands), .. }) => Some(demands),
            Self::Under(_, Rule { needs: Needs::Nothing, .. }) | Self::Free | Self::Fault(_) => None,
        }
    }

    /// Whether the request is under a rule that asks for no token.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Under(_, Rule { needs: Needs::Nothing, .. }))
    }

    /// Whether nothing is asked for beside what the rules of the issuers do.
    #[must_use]
    pub fn asks_for_nothing_more(self) -> bool {
        match self {
            Self::Free => true,
            Self::Under(_, _) => self.demands().is_none_or(Demands::is_empty),
            Self::Fault(_) => false,
        }
    }

    /// Checks that there is a rule for the request.
    ///
    /// # Errors
    /// `rule_missing` where none matches, or another one could for a back end; `mcp_header_invalid`.
    pub fn check(self) -> Result<(), Refusal> {
        match self {
            Self::Free | Self::Under(_, _) => Ok(()),
            Self::Fault(Fault::Missing) => Err(Refusal::RuleMissing),
            Self::Fault(Fault::McpHeader { header, problem }) => {
                Err(Refusal::McpHeaderInvalid { header: header.to_owned(), problem })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RuleTable;
    use crate::core::request::RecordedRequest;
    use crate::core::rules::examples::{found, rule};

    #[test]
    fn the_first_rule_decides() {
        let table = RuleTable::new(vec![
            rule(&["GET", "HEAD"], &["/orders", "/orders/*"], &[]),
            rule(&["POST"], &["/orders/{tenant}/*"], &[]),
            rule(&["DELETE"], &["/orders/*"], &["X-Step: last go*"]),
            rule(&[], &["/public/*"], &[]),
            rule(&["OPTIONS"], &[], &[]),
        ]);
        let missing = "rule_missing";
        for (method, uri, expected) in [
            ("GET", "/orders", "0"),
            ("GET", "/orders?x=/../", "0"),
            ("GET", "/%6frders/7", "0"),
            ("HEAD", "/orders/7", "0"),
            ("GET", "/public/orders", "3"),
            ("POST", "/orders/acme/7", "1"),
            ("OPTIONS", "/anything", "4"),
            ("POST", "/orders", missing),
            ("POST", "/orders/acme", missing),
            ("get", "/orders", missing),
            ("PUT", "/orders/7", missing),
            ("GET", "/order", missing),
            ("DELETE", "/orders/7", missing),
            // Nobody knows what a back end makes of these, not even under the rule for all paths.
            ("GET", "/public/../orders", missing),
            ("GET", "/orders/%2e%2e/x", missing),
            ("OPTIONS", "//anything", missing),
            ("OPTIONS", "*", missing),
        ] {
            assert_eq!(found(&table, &RecordedRequest::new(method, uri)), expected, "{method} {uri}");
        }
        let overridden = RecordedRequest::new("GET", "/orders").header("X-HTTP-Method-Override", "DELETE");
        assert_eq!(
            (found(&table, &overridden), table.unclear(&overridden)),
            (missing.into(), "a header names another method".into())
        );
        let unclear = RecordedRequest::new("GET", "/a/../b");
        assert_eq!(table.unclear(&unclear), "the path can be read in two ways");
        assert_eq!(table.unclear(&RecordedRequest::new("PUT", "/")), "");
    }

    #[test]
    fn headers_that_a_rule_looks_at_are_known() {
        let table = |headers: &[&str]| RuleTable::new(vec![rule(&[], &[], headers), rule(&[], &[], headers)]);
        assert!(RuleTable::default().is_empty() && !table(&[]).is_empty());
        assert_eq!(table(&[]).headers(), [""; 0]);
        let other = table(&["X-Action: delete", "X-Zone: *"]);
        assert_eq!(
            (other.headers(), other.is_about_mcp()),
            (vec!["X-Action".into(), "X-Zone".into()], false)
        );
        let mcp = table(&["Mcp-Name: tool"]);
        let expected = ["Mcp-Name", "MCP-Protocol-Version", "Mcp-Method"];
        assert_eq!((mcp.headers(), mcp.is_about_mcp()), (expected.map(str::to_owned).to_vec(), true));
        assert_eq!(mcp.rules()[0].headers[0].name(), "Mcp-Name");
        assert!(mcp.rules()[0].headers[0].is_mcp() && !other.rules()[0].headers[0].is_mcp());
    }

    #[test]
    fn headers_have_one_clear_value() {
        let table = RuleTable::new(vec![
            rule(&[], &[], &["X-Action: delete drop_*", "X-Zone: *"]),
            rule(&[], &[], &[]),
        ]);
        let zone = || RecordedRequest::new("GET", "/a/../b").header("X-Zone", "eu");
        for (request, expected) in [
            (zone().header("X-Action", "delete"), "0"),
            (zone().header("x_action", " drop_table "), "0"),
            (zone().header("X-Action", "deleted"), "1"),
            (zone().header("X-Action", "Delete"), "1"),
            (zone().header("X-Action", "drop"), "1"),
            (zone(), "1"),
            (RecordedRequest::new("GET", "/").header("X-Action", "delete"), "1"),
            // Whatever the upstream takes of these, it may be what the first rule is about.
            (zone().header("X-Action", "read").header("X-Action", "delete"), "rule_missing"),
            (zone().header("X-Action", "delete").header("X-Action", "delete"), "rule_missing"),
            (zone().header("X-Action", "read").header("X.Action", "delete"), "rule_missing"),
            (zone().header("X-Action", vec![0xe9]), "rule_missing"),
        ] {
            assert_eq!(found(&table, &request), expected, "{request:?}");
        }
        let twice = zone().header("X-Action", "a").header("X-Action", "b");
        assert_eq!(table.unclear(&twice), "X-Action is there twice, or is no text");
    }
}
