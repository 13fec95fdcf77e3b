//! Evaluation, in the three-valued logic of Kleene: what cannot be decided stays undecided under `!`, gives way to
//! a false in `&&` and to a true in `||`.

use crate::core::claims::expression::Truth;
use crate::core::claims::expression::decimal::Decimal;
use crate::core::claims::expression::parser::{Node, Term, Test};
use crate::core::claims::expression::request_value::Template;
use crate::core::request::RequestView;
use crate::core::token::claims_set::{ClaimsSet, numeric_date};
use crate::core::token::json::{Kind, Value};
use crate::core::unix_time::UnixTime;

/// What an expression is about.
pub(super) struct Subject<'a> {
    pub(super) claims: &'a ClaimsSet,
    pub(super) request: &'a dyn RequestView,
    pub(super) now: UnixTime,
}

/// The value of `node`; its depth was bounded when it was parsed.
pub(super) fn evaluate(node: &Node, subject: &Subject<'_>) -> Truth {
    match node {
        Node::All(nodes) => !any(nodes.iter().map(|node| !evaluate(node, subject))),
        Node::Any(nodes) => any(nodes.iter().map(|node| evaluate(node, subject))),
        Node::Not(node) => !evaluate(node, subject),
        Node::Term(term) => self::term(term, subject),
    }
}

/// Every function of `node`, in the order of the source.
pub(super) fn terms(node: &Node) -> Vec<&Term> {
    match node {
        Node::All(nodes) | Node::Any(nodes) => nodes.iter().flat_map(terms).collect(),
        Node::Not(node) => terms(node),
        Node::Term(term) => vec![term],
    }
}

/// True if one is; else undecided if one is. Nothing is evaluated after the first true.
fn any(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut result = Truth::False;
    for truth in truths {
        match truth {
            Truth::True => return Truth::True,
            Truth::Undecided => result = Truth::Undecided,
            Truth::False => {}
        }
    }
    result
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Undecided => Self::Undecided,
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// The value of one function. An absent claim, and one of a type that the function is not about, is false.
pub(super) fn term(term: &Term, subject: &Subject<'_>) -> Truth {
    let Some(claim) = subject.claims.at(&term.claim) else {
        return Truth::False;
    };
    let with = |template: &Template, holds: &dyn Fn(&str) -> bool| match template.text(subject.request) {
        Some(text) => holds(&text).into(),
        None => Truth::Undecided,
    };
    let string = |template: &Template, holds: fn(&str, &str) -> bool| match claim.as_str() {
        Some(claim) => with(template, &|text| holds(claim, text)),
        None => Truth::False,
    };
    match &term.test {
        Test::Equals(value) => match scalar(claim) {
            Some(claim) => with(value, &|text| claim == text),
            None => Truth::False,
        },
        Test::Prefix(value) => string(value, |claim, text| claim.starts_with(text)),
        Test::Suffix(value) => string(value, |claim, text| claim.ends_with(text)),
        Test::Contains(value) if claim.kind() == Kind::Array => with(value, &|text| has_element(claim, text)),
        Test::Contains(value) => string(value, |claim, text| claim.contains(text)),
        Test::SplitContains { separator, value } => match claim.as_str() {
            Some(claim) => with(value, &|text| split_contains(claim, separator, text)),
            None => Truth::False,
        },
        Test::OneOf(values) => match (claim.kind(), scalar(claim)) {
            (Kind::Array, _) => any(values.iter().map(|value| with(value, &|text| has_element(claim, text)))),
            (_, Some(claim)) => any(values.iter().map(|value| with(value, &|text| claim == text))),
            (_, None) => Truth::False,
        },
        Test::Exists => (claim.kind() != Kind::Null).into(),
        Test::Matches(pattern) => match claim.as_str() {
            Some(claim) => pattern.matches(claim).map_or(Truth::Undecided, Truth::from),
            None => Truth::False,
        },
        Test::Greater(bound) => number(claim).is_some_and(|claim| claim > bound.borrowed()).into(),
        Test::Less(bound) => number(claim).is_some_and(|claim| claim < bound.borrowed()).into(),
        Test::Before(instant) => {
            numeric_date(claim).is_some_and(|date| date < instant.at(subject.now)).into()
        }
        Test::After(instant) => numeric_date(claim).is_some_and(|date| date > instant.at(subject.now)).into(),
    }
}

/// The text of a string, a boolean or a number; numbers as written in the token.
fn scalar(value: Value<'_>) -> Option<&str> {
    match value.kind() {
        Kind::String => value.as_str(),
        Kind::True | Kind::False | Kind::Number => Some(value.raw()),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}

fn has_element(array: Value<'_>, text: &str) -> bool {
    array.elements().any(|element| scalar(element) == Some(text))
}

/// As in Traefik Hub: white space around each piece does not count.
fn split_contains(claim: &str, separator: &str, text: &str) -> bool {
    claim.split(separator).any(|piece| piece.trim() == text)
}

fn number(value: Value<'_>) -> Option<Decimal<&str>> {
    value.as_number().and_then(Decimal::parse)
}
