//! One rule, as data.

use crate::core::claims::expression::Expression;
use crate::core::claims::scope::ScopeRules;
use crate::core::claims::step_up::StepUp;
use crate::core::request::path::PathPattern;
use crate::core::rules::headers::HeaderCondition;

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

impl Demands {
    /// Whether nothing is asked for but a token.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        let Self { audience, scopes, expression, step_up } = self;
        audience.is_empty() && scopes.is_none() && expression.is_none() && step_up.is_none()
    }
}
