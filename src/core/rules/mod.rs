//! Rules by method, path and header (`rules`): the first that a request is under says what its token has to hold beside
//! what the issuer's rules ask for.
//!
//! A rule opens something, and those behind it may ask for less. So a request that a back end could take for one under
//! another rule is under none.

mod headers;
mod mcp;
mod reach;

use crate::core::claims::expression::Expression;
use crate::core::claims::scope::ScopeRules;
use crate::core::claims::step_up::StepUp;
use crate::core::refusal::Refusal;
use crate::core::request::path::PathPattern;
use crate::core::request::{RequestView, method, path};

pub use headers::{HeaderCondition, ValuePattern};
pub use reach::shadowed;

/// `rules`, in their order; a policy without any has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleTable {
    rules: Vec<Rule>,
    looks_at: LooksAt,
}

/// What some rule looks at: a request has to be clear about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct LooksAt {
    methods: bool,
    paths: bool,
    mcp: bool,
}

/// One of `rules`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Methods, any of, compared exactly; empty for all.
    pub methods: Vec<String>,
    /// Paths, any of; empty for all.
    pub paths: Vec<PathPattern>,
    /// Headers, each of which has to have one of its values.
    pub headers: Vec<HeaderCondition>,
    /// What a request under the rule needs.
    pub needs: Needs,
}

/// What a request under a rule needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// `token: none`. A token is not looked at, and there is no identity.
    Nothing,
    /// A token that its issuer's rules accept, and that holds these.
    Token(Box<Demands>),
}

impl Default for Needs {
    fn default() -> Self {
        Self::Token(Box::default())
    }
}

/// What a token has to hold beside what the rules of its issuer ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demands {
    /// Accepted audiences, any of; empty asks for none.
    pub audience: Vec<String>,
    /// Scopes.
    pub scopes: Option<ScopeRules>,
    /// What else has to hold.
    pub expression: Option<Expression>,
    /// How, and how long ago, the user signed in.
    pub step_up: Option<StepUp>,
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

/// Why a request is under no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<'p> {
    /// None matches, or another one could for a back end.
    Missing,
    /// A header that repeats a part of a message cannot be used.
    McpHeader {
        /// The header.
        header: &'p str,
        /// What is wrong with it, the end of a sentence.
        problem: &'static str,
    },
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
        let any = |looks: fn(&Rule) -> bool| rules.iter().any(looks);
        let looks_at = LooksAt {
            methods: any(|rule| !rule.methods.is_empty()),
            paths: any(|rule| !rule.paths.is_empty()),
            mcp: any(|rule| rule.headers.iter().any(HeaderCondition::is_mcp)),
        };
        Self { rules, looks_at }
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
        let mut names: Vec<String> = Vec::new();
        for condition in self.rules.iter().flat_map(|rule| &rule.headers) {
            if !names.contains(&condition.name) {
                names.push(condition.name.clone());
            }
        }
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
        let mut headers = headers::Reader::new(request);
        for (at, rule) in self.rules.iter().enumerate() {
            let is_meant = (rule.methods.is_empty() || rule.methods.iter().any(|known| known == method))
                && (rule.paths.is_empty() || rule.paths.iter().any(|pattern| pattern.matches(&path)));
            if !is_meant {
                continue;
            }
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
        let mut headers = headers::Reader::new(request);
        let mut conditions = self.rules.iter().flat_map(|rule| &rule.headers);
        let unclear = conditions.find(|condition| headers.is_unclear(&condition.name));
        unclear
            .map_or_else(String::new, |condition| format!("{} is there twice, or is no text", condition.name))
    }
}

impl Demands {
    /// Whether nothing is asked for but a token.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { audience, scopes, expression, step_up } = self;
        audience.is_empty() && scopes.is_none() && expression.is_none() && step_up.is_none()
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
    use super::{HeaderCondition, Rule, RuleTable, Ruling, ValuePattern};
    use crate::core::request::RecordedRequest;
    use crate::core::request::path::PathPattern;

    /// A rule of `methods`, `paths` and headers, each `name: value value`.
    pub(super) fn rule(methods: &[&str], paths: &[&str], headers: &[&str]) -> Rule {
        let condition = |text: &&str| {
            let (name, values) = text.split_once(": ").unwrap();
            let values = values.split(' ').map(|value| ValuePattern::parse(value).unwrap()).collect();
            HeaderCondition { name: name.into(), values }
        };
        Rule {
            methods: methods.iter().map(|method| (*method).to_owned()).collect(),
            paths: paths.iter().map(|path| PathPattern::parse(path).unwrap()).collect(),
            headers: headers.iter().map(condition).collect(),
            ..Rule::default()
        }
    }

    /// The position of the rule, or the code of the refusal.
    pub(super) fn found(table: &RuleTable, request: &RecordedRequest) -> String {
        match table.ruling(request) {
            Ruling::Under(at, _) => at.to_string(),
            other => other.check().map_or_else(|refusal| refusal.code().to_owned(), |()| "free".to_owned()),
        }
    }

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
