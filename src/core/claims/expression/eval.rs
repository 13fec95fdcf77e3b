//! Evaluation, in the three-valued logic of Kleene: what cannot be decided stays undecided under `!`, gives way to
//! a false in `&&` and to a true in `||`.

use std::borrow::Cow;
use std::cell::Cell;

use crate::core::claims::expression::Truth;
use crate::core::claims::expression::decimal::Decimal;
use crate::core::claims::expression::parser::{Looked, Node, Term, Test};
use crate::core::claims::expression::request_value::Template;
use crate::core::json::{Kind, Value};
use crate::core::limits::{MAX_EXPLANATION_WORK, MAX_EXPRESSION_WORK};
use crate::core::request::RequestView;
use crate::core::token::claims_set::{ClaimsSet, find, numeric_date};
use crate::core::unix_time::UnixTime;

/// What an expression is about, and how much more it may cost.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The claims; inside `Any`, an element of one.
    root: Value<'a>,
    request: &'a dyn RequestView,
    now: UnixTime,
    work: &'a Work,
}

/// Work of one function whatever it does, in units of [`MAX_EXPRESSION_WORK`].
const TERM: usize = 20;
/// Of taking an element out of an array.
const ELEMENT: usize = 5;
/// Of a digit of a number that is read.
const DIGIT: usize = 5;
/// Values for each of which the elements of an array are taken out anew, which needs no memory.
const FEW_VALUES: usize = 4;

/// How much more it takes to search for all of the pieces of a text than for one.
const PIECES: usize = 3;

/// How much more an evaluation may cost: work that was done is not given back.
pub(super) struct Work(Cell<usize>);

impl Work {
    /// For one evaluation.
    pub(super) const fn for_evaluation() -> Self {
        Self(Cell::new(MAX_EXPRESSION_WORK))
    }

    /// For saying why an evaluation came out as it did.
    pub(super) const fn for_explanation() -> Self {
        Self(Cell::new(MAX_EXPLANATION_WORK))
    }

    /// Whether the budget is used up.
    pub(super) const fn is_exhausted(&self) -> bool {
        self.0.get() == 0
    }

    /// Takes `units`. `None` if there are not so many left; then there are none for whatever follows, either.
    fn spend(&self, units: usize) -> Option<()> {
        let left = self.0.get().checked_sub(units);
        self.0.set(left.unwrap_or(0));
        left.map(|_| ())
    }
}

impl<'a> Subject<'a> {
    pub(super) const fn new(
        claims: &'a ClaimsSet,
        request: &'a dyn RequestView,
        now: UnixTime,
        work: &'a Work,
    ) -> Self {
        Self { root: claims.value(), request, now, work }
    }
}

/// The value of `node`, and the functions of it that are not what they should be for it to be `wanted`.
pub(super) fn culprits<'n>(
    node: &'n Node,
    wanted: Truth,
    subject: &Subject<'_>,
) -> (Truth, Vec<(&'n Term, Truth)>) {
    let mut found = Vec::new();
    let mut value = |node: &'n Node, wanted| {
        let (truth, more) = culprits(node, wanted, subject);
        found.extend(more);
        truth
    };
    let truth = match node {
        // Each is looked at: all of them may be behind it.
        Node::All(nodes) => {
            let truths: Vec<Truth> = nodes.iter().map(|node| !value(node, wanted)).collect();
            !any(truths.into_iter())
        }
        Node::Any(nodes) => {
            let truths: Vec<Truth> = nodes.iter().map(|node| value(node, wanted)).collect();
            any(truths.into_iter())
        }
        Node::Not(node) => !value(node, !wanted),
        Node::Term(term) => {
            let truth = self::term(term, subject);
            found.push((term, truth));
            truth
        }
    };
    if truth == wanted {
        found.clear();
    }
    (truth, found)
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

/// The value of one function. An absent claim, and one of a type that the function is not about, is false; undecided
/// without enough work left.
pub(super) fn term(term: &Term, subject: &Subject<'_>) -> Truth {
    measured(term, subject).unwrap_or(Truth::Undecided)
}

/// What a function compares.
enum Operand<'a> {
    /// A value of the token.
    Claim(Value<'a>),
    /// A value of the request.
    Text(Cow<'a, str>),
}

impl<'a> Operand<'a> {
    /// The text that it is.
    fn text(&self) -> Option<&str> {
        match self {
            Self::Claim(claim) => claim.as_str(),
            Self::Text(text) => Some(text),
        }
    }

    /// The text of a string, a boolean or a number; numbers as written in the token.
    fn scalar(&self) -> Option<&str> {
        match self {
            Self::Claim(claim) => scalar(*claim),
            Self::Text(text) => Some(text),
        }
    }

    fn claim(&self) -> Option<Value<'a>> {
        match self {
            Self::Claim(claim) => Some(*claim),
            Self::Text(_) => None,
        }
    }

    fn array(&self) -> Option<Value<'a>> {
        self.claim().filter(|claim| claim.kind() == Kind::Array)
    }
}

/// `None` if no work is left.
fn measured(term: &Term, subject: &Subject<'_>) -> Option<Truth> {
    let work = subject.work;
    let operand = match &term.subject {
        Looked::At(path) => {
            let (claim, looked_at) = find(subject.root, path);
            work.spend(looked_at.saturating_add(TERM))?;
            let Some(claim) = claim else {
                return Some(Truth::False);
            };
            Operand::Claim(claim)
        }
        Looked::AtRequest(value) => {
            work.spend(TERM)?;
            let Some(text) = text(value, subject)? else {
                return Some(Truth::Undecided);
            };
            Operand::Text(text)
        }
    };
    let string = |value: &Template, cost: fn(&str, &str) -> usize, holds: fn(&str, &str) -> bool| {
        let Some(own) = operand.text() else {
            return Some(Truth::False);
        };
        let Some(text) = text(value, subject)? else {
            return Some(Truth::Undecided);
        };
        work.spend(cost(own, &text))?;
        Some(holds(own, &text).into())
    };
    let number = || operand.claim().map_or(Some(None), |claim| number(claim, work));
    let date = || operand.claim().map_or(Some(None), |claim| date(claim, work));
    Some(match &term.test {
        Test::Equals(value) => match operand.scalar() {
            Some(own) => equals(own, value, subject)?,
            None => Truth::False,
        },
        Test::Prefix(value) => string(value, comparison, |own, text| own.starts_with(text))?,
        Test::Suffix(value) => string(value, comparison, |own, text| own.ends_with(text))?,
        Test::Contains(value) => match operand.array() {
            Some(array) => contains(array, value, subject)?,
            None => string(value, search, |own, text| own.contains(text))?,
        },
        Test::SplitContains { separator, value } => match operand.text() {
            Some(own) => {
                let Some(text) = text(value, subject)? else {
                    return Some(Truth::Undecided);
                };
                work.spend(search(own, separator).saturating_mul(PIECES))?;
                split_contains(own, separator, &text).into()
            }
            None => Truth::False,
        },
        Test::OneOf(values) => match (operand.array(), operand.scalar()) {
            (Some(array), _) if values.len() <= FEW_VALUES => {
                any_of(values, |value| contains(array, value, subject))?
            }
            (Some(array), _) => {
                let elements = elements(array, work)?;
                any_of(values, |value| has_element(&elements, array, value, subject))?
            }
            (None, Some(own)) => any_of(values, |value| equals(own, value, subject))?,
            (None, None) => Truth::False,
        },
        Test::Exists => operand.claim().is_some_and(|claim| claim.kind() != Kind::Null).into(),
        Test::Matches(pattern) => match operand.text() {
            Some(own) => {
                work.spend(pattern.cost(own))?;
                pattern.matches(own).map_or(Truth::Undecided, Truth::from)
            }
            None => Truth::False,
        },
        Test::Greater(bound) => number()?.is_some_and(|own| own > bound.borrowed()).into(),
        Test::Less(bound) => number()?.is_some_and(|own| own < bound.borrowed()).into(),
        Test::Before(instant) => date()?.is_some_and(|date| date < instant.at(subject.now)).into(),
        Test::After(instant) => date()?.is_some_and(|date| date > instant.at(subject.now)).into(),
        Test::Any(node) => match operand.array() {
            Some(array) => any_element(node, array, subject)?,
            None => Truth::False,
        },
    })
}

/// [`any`] over the elements of an array.
fn any_element(node: &Node, array: Value<'_>, subject: &Subject<'_>) -> Option<Truth> {
    let mut result = Truth::False;
    for element in array.elements() {
        subject.work.spend(ELEMENT)?;
        match evaluate(node, &Subject { root: element, ..*subject }) {
            Truth::True => return Some(Truth::True),
            Truth::Undecided => result = Truth::Undecided,
            Truth::False => {}
        }
    }
    Some(result)
}

/// [`any`] of what may run out of work.
fn any_of(values: &[Template], mut truth: impl FnMut(&Template) -> Option<Truth>) -> Option<Truth> {
    let mut result = Truth::False;
    for value in values {
        match truth(value)? {
            Truth::True => return Some(Truth::True),
            Truth::Undecided => result = Truth::Undecided,
            Truth::False => {}
        }
    }
    Some(result)
}

/// The text of `template` for the request; the inner `None` means that the request has no such value.
fn text<'a>(template: &'a Template, subject: &'a Subject<'_>) -> Option<Option<Cow<'a, str>>> {
    subject.work.spend(template.cost(subject.request))?;
    let text = template.text(subject.request);
    subject.work.spend(text.as_ref().map_or(0, |text| text.len() / 8))?;
    Some(text)
}

fn equals(claim: &str, value: &Template, subject: &Subject<'_>) -> Option<Truth> {
    let Some(text) = text(value, subject)? else {
        return Some(Truth::Undecided);
    };
    subject.work.spend(comparison(claim, &text))?;
    Some((claim == text).into())
}

/// The text of a string, a boolean or a number; numbers as written in the token.
fn scalar(value: Value<'_>) -> Option<&str> {
    match value.kind() {
        Kind::String => value.as_str(),
        Kind::True | Kind::False | Kind::Number => Some(value.raw()),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}

fn contains(array: Value<'_>, value: &Template, subject: &Subject<'_>) -> Option<Truth> {
    let Some(text) = text(value, subject)? else {
        return Some(Truth::Undecided);
    };
    for element in array.elements() {
        subject.work.spend(ELEMENT)?;
        let Some(element) = scalar(element) else { continue };
        subject.work.spend(comparison(element, &text))?;
        if element == text {
            return Some(Truth::True);
        }
    }
    Some(Truth::False)
}

/// The scalars of an array: what is compared with many values is taken out once.
fn elements<'d>(array: Value<'d>, work: &Work) -> Option<Vec<&'d str>> {
    let mut found = Vec::new();
    for element in array.elements() {
        work.spend(ELEMENT)?;
        found.extend(scalar(element));
    }
    Some(found)
}

fn has_element(
    elements: &[&str],
    array: Value<'_>,
    value: &Template,
    subject: &Subject<'_>,
) -> Option<Truth> {
    let Some(text) = text(value, subject)? else {
        return Some(Truth::Undecided);
    };
    subject.work.spend(elements.len().saturating_add(array.raw().len() / 8))?;
    Some(elements.contains(&&*text).into())
}

/// As in Traefik Hub: white space around each piece does not count.
fn split_contains(claim: &str, separator: &str, text: &str) -> bool {
    claim.split(separator).any(|piece| piece.trim() == text)
}

fn number<'d>(value: Value<'d>, work: &Work) -> Option<Option<Decimal<&'d str>>> {
    work.spend(value.raw().len().saturating_mul(DIGIT))?;
    Some(value.as_number().and_then(Decimal::parse))
}

fn date(value: Value<'_>, work: &Work) -> Option<Option<UnixTime>> {
    work.spend(value.raw().len().saturating_mul(DIGIT))?;
    Some(numeric_date(value))
}

fn comparison(claim: &str, text: &str) -> usize {
    claim.len().min(text.len()) / 8
}

/// A search may look at a byte several times.
fn search(claim: &str, text: &str) -> usize {
    claim.len().saturating_add(text.len()).saturating_mul(2)
}

#[cfg(test)]
mod tests {
    use super::{Subject, Truth, Work, evaluate};
    use crate::core::claims::expression::parser::parse;
    use crate::core::limits::MAX_EXPRESSION_WORK;
    use crate::core::request::RecordedRequest;
    use crate::core::token::claims_set::claims;
    use crate::core::unix_time::UnixTime;
    use std::cell::Cell;

    /// What comes out with so much work, and what is left of it.
    fn evaluated(source: &str, json: &str, work: usize) -> (Truth, usize) {
        let (set, request, work) = (claims(json), RecordedRequest::new("GET", "/a/b"), Work(Cell::new(work)));
        let subject = Subject::new(&set, &request, UnixTime::from_seconds(1_000), &work);
        let truth = evaluate(&parse(source).unwrap(), &subject);
        assert_eq!(work.is_exhausted(), work.0.get() == 0);
        (truth, work.0.get())
    }

    /// In units of `MAX_EXPRESSION_WORK`, beyond what it costs to find the claim.
    #[test]
    fn what_each_function_costs() {
        let long = "x".repeat(80);
        let json = &format!(r#"{{"s":"{long}","l":["{long}","{long}"],"n":1234567890}}"#);
        let spent = |source: &str| MAX_EXPRESSION_WORK - evaluated(source, json, MAX_EXPRESSION_WORK).1;
        for (claim, source, expected) in [
            ("s", "Equals(`s`, `@`)", 30),
            ("s", "Equals(`s`, `x`)", 0),
            ("l", "Equals(`l`, `x`)", 0),
            ("s", "Prefix(`s`, `@`)", 30),
            ("s", "Prefix(`s`, `x`)", 0),
            ("s", "Suffix(`s`, `@`)", 30),
            ("s", "Contains(`s`, `xx`)", 164),
            ("l", "Contains(`l`, `@`)", 35),
            ("l", "Contains(`l`, `y`)", 10),
            ("s", "SplitContains(`s`, `,`, `x`)", 486),
            ("s", "OneOf(`s`, `@`, `x`)", 30),
            ("l", "OneOf(`l`, `a`, `b`)", 20),
            ("l", "OneOf(`l`, `a`, `b`, `c`, `d`)", 40),
            ("l", "OneOf(`l`, `a`, `b`, `c`, `d`, `e`)", 120),
            ("l", "OneOf(`l`, `a`, `b`, `c`, `d`, `@`)", 140),
            ("n", "Greater(`n`, `1`)", 50),
            ("n", "Less(`n`, `1`)", 50),
            ("n", "Before(`n`, `now`)", 50),
            ("s", "Equals(`s`, `{path}`)", 12),
        ] {
            let source = source.replace('@', &long);
            let all = spent(&source);
            assert_eq!(all - spent(&format!("Exists(`{claim}`)")), expected, "{source}");
            // Exactly that is enough, and one less is not.
            assert_ne!(evaluated(&source, json, all).0, Truth::Undecided, "{source}");
            assert_eq!(evaluated(&source, json, all - 1), (Truth::Undecided, 0), "{source}");
        }
    }

    #[test]
    fn among_many_values_as_among_few() {
        for (json, values, expected) in [
            (r#"{"l":["a",1,true,null,["x"]]}"#, "`q`, `r`, `s`, `t`, `a`", Truth::True),
            (r#"{"l":["a",1,true,null,["x"]]}"#, "`q`, `r`, `s`, `t`, `1`", Truth::True),
            (r#"{"l":["a",1,true,null,["x"]]}"#, "`q`, `r`, `s`, `t`, `true`", Truth::True),
            (r#"{"l":["a",1,true,null,["x"]]}"#, "`q`, `r`, `s`, `t`, `null`", Truth::False),
            (r#"{"l":["a",1,true,null,["x"]]}"#, "`q`, `r`, `s`, `t`, `x`", Truth::False),
            (r#"{"l":["a"]}"#, "`q`, `r`, `s`, `t`, `{path.7}`", Truth::Undecided),
            (r#"{"l":["a"]}"#, "`q`, `r`, `s`, `{path.7}`, `a`", Truth::True),
        ] {
            let source = format!("OneOf(`l`, {values})");
            assert_eq!(evaluated(&source, json, MAX_EXPRESSION_WORK).0, expected, "{source} {json}");
        }
    }

    #[test]
    fn bounds_are_outside() {
        for (source, expected) in [
            ("Greater(`n`, `7`)", Truth::False),
            ("Greater(`n`, `6.9`)", Truth::True),
            ("Less(`n`, `7`)", Truth::False),
            ("Less(`n`, `7.1`)", Truth::True),
            ("Before(`n`, `7`)", Truth::False),
            ("Before(`n`, `8`)", Truth::True),
            ("After(`n`, `7`)", Truth::False),
            ("After(`n`, `6`)", Truth::True),
        ] {
            assert_eq!(evaluated(source, r#"{"n":7}"#, MAX_EXPRESSION_WORK).0, expected, "{source}");
        }
    }
}
