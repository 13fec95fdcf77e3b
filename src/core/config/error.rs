//! Why a configuration is refused: every problem names its option, what was found and what is expected.

use std::fmt::{self, Write};

use crate::core::about::CONFIGURATION_PAGE;
use crate::core::claims::expression::ExpressionError;
use crate::core::config::options::Row;
use crate::core::text::{OneLine, Quoted};

/// One problem of a configuration. Values of secrets are never part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Full path of the option, as written: `clientConfig.tls.ca`, `trustedIssuers[0].audience`. Empty for the whole.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// Kinds of [`ConfigError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The configuration is not a JSON object.
    NotAnObject,
    /// The configuration is empty.
    Empty,
    /// No option says where keys come from.
    NoKeys,
    /// No such option.
    Unknown {
        /// What to write instead, if that is known.
        hint: Option<String>,
        /// The options that may be meant. That they are missing is not reported as well.
        meant: Vec<&'static Row>,
    },
    /// A rule that is written and empty.
    EmptyOption {
        /// What to write instead.
        instead: &'static str,
    },
    /// A value of the wrong type, form or range.
    Value {
        /// What was found, without secrets.
        found: String,
        /// What is expected.
        expected: String,
    },
    /// Key material that this project cannot use.
    Key {
        /// Why, without the material, and what is expected.
        reason: String,
    },
    /// A text that is not an expression of the claims language.
    Expression {
        /// What is wrong, and where.
        error: ExpressionError,
    },
    /// A test of the configuration's own with another outcome than it expects.
    TestFailed {
        /// Its name.
        name: String,
        /// What it expects.
        expected: String,
        /// What the rules say: `allow` or a code.
        found: String,
        /// Which rule decided, as text; empty for `allow`.
        why: String,
    },
    /// A value that cannot stand with the rest of the configuration.
    Conflict {
        /// The rule it breaks.
        rule: String,
    },
}

impl ConfigError {
    /// The stable code (`docs/errors.md`).
    pub const fn code(&self) -> &'static str {
        match &self.problem {
            Problem::NotAnObject => "config_not_an_object",
            Problem::Empty => "config_empty",
            Problem::NoKeys => "keys_missing",
            Problem::Unknown { .. } => "option_unknown",
            Problem::EmptyOption { .. } => "option_empty",
            Problem::Value { .. } => "option_invalid",
            Problem::Key { .. } => "key_unusable",
            Problem::Expression { .. } => "expression_invalid",
            Problem::TestFailed { .. } => "test_failed",
            Problem::Conflict { .. } => "option_conflict",
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names and key material of the user are in it, and a line break would start a line of the log.
        let f = &mut OneLine(f);
        let path = &self.path;
        write!(f, "configuration refused ({}): ", self.code())?;
        match &self.problem {
            Problem::NotAnObject => f.write_str("it is not an object"),
            Problem::Empty => f.write_str(
                "nothing is configured; set at least jwksUrl (or discovery, jwks, jwksFile, publicKey, signingSecret, \
                 keys) and issuer",
            ),
            Problem::NoKeys => f.write_str(
                "there are no keys; set one of jwksUrl, discovery, jwks, jwksFile, publicKey, signingSecret, keys, \
                 trustedIssuers",
            ),
            Problem::Unknown { hint: Some(hint), .. } => write!(f, "{path} is not an option; {hint}"),
            Problem::Unknown { hint: None, .. } => {
                write!(f, "{path} is not an option; {CONFIGURATION_PAGE} lists them all")
            }
            Problem::EmptyOption { instead } => write!(f, "{path}: is empty; {instead}"),
            Problem::Value { found, expected } => write!(f, "{path}: found {found}, expected {expected}"),
            Problem::Key { reason } => write!(f, "{path}: {reason}"),
            Problem::Expression { error } => write!(f, "{path}: {error}"),
            Problem::TestFailed { name, expected, found, why } => {
                write!(f, "{path}: the test {} expects {expected} and the rules say {found}", Quoted(name))?;
                if why.is_empty() { Ok(()) } else { write!(f, ": {why}") }
            }
            Problem::Conflict { rule } => write!(f, "{path}: {rule}"),
        }
    }
}

/// Collects every problem, so that a user can fix all of them at once.
#[derive(Debug, Default)]
pub struct Errors(Vec<ConfigError>);

impl Errors {
    /// Adds a problem. An empty option is reported once: its other problems follow from that.
    pub fn push(&mut self, path: impl Into<String>, problem: Problem) {
        let path = path.into();
        let reported =
            |error: &ConfigError| error.path == path && matches!(error.problem, Problem::EmptyOption { .. });
        if !self.0.iter().any(reported) {
            self.0.push(ConfigError { path, problem });
        }
    }

    /// Adds a value that is not what it should be.
    pub fn value(&mut self, path: impl Into<String>, found: impl Into<String>, expected: impl Into<String>) {
        self.push(path, Problem::Value { found: found.into(), expected: expected.into() });
    }

    /// Adds key material that cannot be used.
    pub fn key(&mut self, path: impl Into<String>, reason: impl fmt::Display) {
        self.push(path, Problem::Key { reason: reason.to_string() });
    }

    /// Adds a value that cannot stand with others.
    pub fn conflict(&mut self, path: impl Into<String>, rule: impl Into<String>) {
        self.push(path, Problem::Conflict { rule: rule.into() });
    }

    /// Whether one of `options` has a misspelt name in the section `within`, or deeper. What follows from its absence is not
    /// reported as well.
    pub fn misnamed(&self, within: &str, options: &[&Row]) -> bool {
        self.0.iter().any(|error| {
            let means = |meant: &[&Row]| meant.iter().any(|option| options.contains(option));
            error.path.starts_with(within)
                && matches!(&error.problem, Problem::Unknown { meant, .. } if means(meant))
        })
    }

    /// Whether there is no problem.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<ConfigError> {
        self.0
    }
}
