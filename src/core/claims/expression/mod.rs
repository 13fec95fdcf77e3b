//! The `claims` language: what a token has to claim, as one expression (`docs/expressions.md`).
//!
//! The grammar and the functions of Traefik Hub with Hub's results, and more of them. Parsed once, at load.

mod lexer;
mod request_value;
mod decimal;
mod pattern;
mod instant;
mod parser;
mod eval;
#[cfg(test)]
mod reference;

use std::fmt;
use std::rc::Rc;

use crate::core::refusal::Refusal;
use crate::core::request::{RecordedRequest, RequestView};
use crate::core::token::claims_set::{ClaimPath, ClaimsSet};
use crate::core::unix_time::UnixTime;

/// A parsed expression. Issuers share one that they all have.
#[derive(Clone)]
pub struct Expression(Rc<Parsed>);

struct Parsed {
    source: String,
    root: parser::Node,
    /// Whether neither the request nor the clock has a say in the value.
    looks_at_claims_only: bool,
}

/// An expression whose value follows from the claims alone.
#[derive(Clone, Copy)]
pub struct OfClaims<'e>(&'e Expression);

/// An expression whose value changes with the request or the clock.
#[derive(Clone, Copy)]
pub struct OfRequest<'e>(&'e Expression);

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// The value of an expression or of a part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It asks the request for a value that is absent or ambiguous, or it would take too much work. `!` leaves it so:
    /// no rule is met by a request that cannot be read.
    Undecided,
}

impl Truth {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::True => "true",
            Self::False => "false",
            Self::Undecided => "undecided",
        }
    }
}

impl Expression {
    /// Parses `source`.
    ///
    /// # Errors
    /// The first thing that is wrong, with its column.
    pub fn parse(source: impl Into<String>) -> Result<Self, ExpressionError> {
        let source = source.into();
        let root = parser::parse(&source)?;
        let looks_at_claims_only = root.looks_at_claims_only();
        Ok(Self(Rc::new(Parsed { source, root, looks_at_claims_only })))
    }

    /// The expression as written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// Evaluates the expression. `now` is for `Before` and `After`.
    #[must_use]
    pub fn evaluate(&self, claims: &ClaimsSet, request: &dyn RequestView, now: UnixTime) -> Truth {
        let work = eval::Work::for_evaluation();
        eval::evaluate(&self.0.root, &eval::Subject::new(claims, request, now, &work))
    }

    /// The expression if its value follows from the claims; else [`Self::of_request`] has it.
    pub fn of_claims(&self) -> Option<OfClaims<'_>> {
        self.0.looks_at_claims_only.then_some(OfClaims(self))
    }

    /// The expression if its value changes with the request or the clock; else [`Self::of_claims`] has it.
    pub fn of_request(&self) -> Option<OfRequest<'_>> {
        (!self.0.looks_at_claims_only).then_some(OfRequest(self))
    }

    /// Whether a function is about `claim`, or something in it.
    pub fn looks_at(&self, claim: &str) -> bool {
        let is_it = |path: &ClaimPath| path.first() == claim;
        self.0.root.terms().into_iter().any(|term| term.claim().is_some_and(is_it))
    }

    /// The functions `Contains` that look for a part of a text in `claims`, as written: of an array, they compare whole
    /// elements.
    pub fn parts_of_texts(&self, claims: &ClaimsSet) -> Vec<&str> {
        let is_part = |term: &&parser::Term| {
            let claim = || term.claim().and_then(|path| claims.at(path));
            matches!(term.test, parser::Test::Contains(_))
                && claim().is_some_and(|claim| claim.as_str().is_some())
        };
        let terms = self.0.root.terms().into_iter().filter(is_part);
        terms.map(|term| self.0.source.get(term.span.clone()).unwrap_or("")).collect()
    }

    /// Every function as written, with its value: for showing why the whole is what it is.
    pub fn explain(
        &self,
        claims: &ClaimsSet,
        request: &dyn RequestView,
        now: UnixTime,
    ) -> Vec<(&str, Truth)> {
        let value =
            |term| eval::term(term, &eval::Subject::new(claims, request, now, &eval::Work::for_evaluation()));
        let terms = self.0.root.terms().into_iter();
        terms.map(|term| (self.0.source.get(term.span.clone()).unwrap_or(""), value(term))).collect()
    }

    /// The functions because of which the expression does not hold, as written, each with its value: one that is true
    /// stands behind a `!`. None if it holds, and if saying so takes too much work.
    pub fn culprits(
        &self,
        claims: &ClaimsSet,
        request: &dyn RequestView,
        now: UnixTime,
    ) -> Vec<(&str, Truth)> {
        let work = eval::Work::for_explanation();
        let culprits =
            eval::culprits(&self.0.root, Truth::True, &eval::Subject::new(claims, request, now, &work)).1;
        if work.is_exhausted() {
            return Vec::new();
        }
        culprits
            .into_iter()
            .map(|(term, truth)| (self.0.source.get(term.span.clone()).unwrap_or(""), truth))
            .collect()
    }
}

impl OfClaims<'_> {
    /// Checks that the expression holds.
    ///
    /// # Errors
    /// `claims_rejected`.
    pub fn check(self, claims: &ClaimsSet) -> Result<(), Refusal> {
        // It reads nothing of either.
        holds(self.0.evaluate(claims, &RecordedRequest::default(), UnixTime::from_seconds(0)))
    }
}

impl OfRequest<'_> {
    /// Checks that the expression holds for this request at this instant.
    ///
    /// # Errors
    /// `claims_rejected`.
    pub fn check(self, claims: &ClaimsSet, request: &dyn RequestView, now: UnixTime) -> Result<(), Refusal> {
        holds(self.0.evaluate(claims, request, now))
    }
}

impl Expression {
    /// Checks that the expression holds for this request at this instant.
    ///
    /// # Errors
    /// `claims_rejected`.
    pub fn check(&self, claims: &ClaimsSet, request: &dyn RequestView, now: UnixTime) -> Result<(), Refusal> {
        holds(self.evaluate(claims, request, now))
    }
}

const fn holds(truth: Truth) -> Result<(), Refusal> {
    match truth {
        Truth::True => Ok(()),
        Truth::False | Truth::Undecided => Err(Refusal::ClaimsRejected),
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.source == other.0.source
    }
}

impl Eq for Expression {}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expression({:?})", self.0.source)
    }
}

impl fmt::Display for ExpressionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {}: {}", self.column, self.problem)
    }
}

#[cfg(test)]
mod tests {
    use super::{Expression, Truth};
    use crate::core::limits::MAX_EXPRESSION_BYTES;
    use crate::core::refusal::Refusal;
    use crate::core::request::RecordedRequest;
    use crate::core::token::claims_set::claims;
    use crate::core::unix_time::UnixTime;

    const PAGE: &str = include_str!("../../../../docs/expressions.md");

    /// Blocks of the page that are fenced with this info string.
    fn blocks(info: &str) -> impl Iterator<Item = &'static str> {
        PAGE.split("```").skip(1).step_by(2).filter_map(move |block| {
            let (found, text) = block.split_once('\n')?;
            (found == info).then_some(text)
        })
    }

    fn request() -> RecordedRequest {
        let text = blocks("http").next().unwrap();
        let mut lines = text.lines();
        let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
        let uri = rest.split_once(' ').unwrap().0;
        lines.fold(RecordedRequest::new(method, uri), |request, line| {
            let (name, value) = line.split_once(": ").unwrap();
            request.header(name, value)
        })
    }

    /// Rows `| ` `` `expression` `` ` | value | … |` of the page; a `|` inside a cell is written `\|`.
    fn rows() -> Vec<(String, String)> {
        let cells = |line: &str| -> Vec<String> {
            line.replace("\\|", "\u{0}").split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect()
        };
        let code = |cell: &str| Some(cell.strip_prefix("`` ")?.strip_suffix(" ``")?.to_owned());
        PAGE.lines()
            .filter_map(|line| Some((code(cells(line).get(1)?)?, cells(line).get(2)?.clone())))
            .collect()
    }

    #[test]
    fn the_page_is_true() {
        let set = claims(blocks("json").next().unwrap());
        let now = UnixTime::from_rfc3339("2026-01-01T00:00:00Z").unwrap();
        let rows = rows();
        assert!(rows.len() > 60, "{} rows", rows.len());
        for (source, expected) in rows {
            let found = match Expression::parse(&source) {
                Ok(expression) => match expression.evaluate(&set, &request(), now) {
                    Truth::True => "true".to_owned(),
                    Truth::False => "false".to_owned(),
                    Truth::Undecided => "undecided".to_owned(),
                },
                Err(error) => format!("refused, column {}", error.column),
            };
            assert_eq!(found, expected, "{source}");
        }
    }

    #[test]
    fn one_expression_is_another_if_it_is_written_alike() {
        let [one, same, other] =
            ["Exists(`a`)", "Exists(`a`)", "Exists(`b`)"].map(|source| Expression::parse(source).unwrap());
        assert!(one == same && one != other);
        assert_eq!(
            (one.source(), format!("{one:?}")),
            ("Exists(`a`)", "Expression(\"Exists(`a`)\")".to_owned())
        );
    }

    #[test]
    fn names_the_functions_that_decide() {
        let set = claims(r#"{"a":1,"c":"x"}"#);
        let request = RecordedRequest::new("GET", "/");
        for (source, expected) in [
            ("Equals(`a`, `1`)", ""),
            ("Equals(`a`, `2`)", "Equals(`a`, `2`) is false"),
            ("Exists(`a`) && (Exists(`b`) || Exists(`d`))", "Exists(`b`) is false; Exists(`d`) is false"),
            ("Exists(`a`) || Exists(`b`)", ""),
            ("!(Exists(`a`) && Exists(`c`))", "Exists(`a`) is true; Exists(`c`) is true"),
            ("!(Exists(`a`) || Exists(`b`))", "Exists(`a`) is true"),
            ("Exists(`b`) && !Exists(`a`)", "Exists(`b`) is false; Exists(`a`) is true"),
            ("!!Exists(`b`)", "Exists(`b`) is false"),
            ("!Prefix(`c`, `{path.3}`)", "Prefix(`c`, `{path.3}`) is undecided"),
        ] {
            let expression = Expression::parse(source).unwrap();
            let now = UnixTime::from_seconds(0);
            let found: Vec<String> = (expression.culprits(&set, &request, now).into_iter())
                .map(|(function, truth)| format!("{function} is {}", truth.name()))
                .collect();
            assert_eq!(found.join("; "), expected, "{source}");
            assert_eq!(found.is_empty(), expression.evaluate(&set, &request, now) == Truth::True);
        }
    }

    #[test]
    fn what_looks_at_claims_only_is_settled_for_as_long_as_the_token_is_known() {
        for (source, settled) in [
            ("Exists(`a`)", true),
            ("Equals(`a`, `b`) && !Prefix(`a`, `b`)", true),
            ("OneOf(`a`, `b`, `c`)", true),
            ("Greater(`a`, `1`)", true),
            ("Equals(`a`, `{path}`)", false),
            ("Exists(`a`) || Prefix(`a`, `{host}`)", false),
            ("OneOf(`a`, `b`, `{method}`)", false),
        ] {
            let expression = Expression::parse(source).unwrap();
            assert_eq!(expression.of_claims().is_some(), settled, "{source}");
            assert_eq!(expression.of_request().is_some(), !settled, "{source}");
        }
    }

    #[test]
    fn an_expression_may_be_as_long_as_the_limit() {
        let padded = |bytes: usize| format!("{:bytes$}", "Exists(`a`)");
        assert!(Expression::parse(padded(MAX_EXPRESSION_BYTES)).is_ok());
        assert!(Expression::parse(padded(MAX_EXPRESSION_BYTES + 1)).is_err());
    }

    #[test]
    fn an_expression_looks_at_a_claim_and_what_is_in_it() {
        let expression = Expression::parse("Exists(`a.b`) && !Equals(`c`, `d`)").unwrap();
        for (claim, expected) in [("a", true), ("c", true), ("b", false), ("d", false), ("", false)] {
            assert_eq!(expression.looks_at(claim), expected, "{claim}");
        }
    }

    #[test]
    fn contains_looks_for_a_part_of_a_text_and_for_an_element_of_an_array() {
        let source =
            "Contains(`text`, `x`) && Contains(`list`, `x`) && Contains(`none`, `x`) && Prefix(`text`, `x`)";
        let expression = Expression::parse(source).unwrap();
        let set = claims(r#"{"text":"xy","list":["x"]}"#);
        assert_eq!(expression.parts_of_texts(&set), ["Contains(`text`, `x`)"]);
    }

    #[test]
    fn explains_each_function() {
        let source = "Equals(`a`, `1`) && !(Exists(`b`) || Prefix(`c`, `{path.3}`))";
        let expression = Expression::parse(source).unwrap();
        let set = claims(r#"{"a":1,"c":"x"}"#);
        let request = RecordedRequest::new("GET", "/");
        assert_eq!(
            expression.explain(&set, &request, UnixTime::from_seconds(0)),
            [
                ("Equals(`a`, `1`)", Truth::True),
                ("Exists(`b`)", Truth::False),
                ("Prefix(`c`, `{path.3}`)", Truth::Undecided)
            ]
        );
        assert_eq!(
            expression.of_request().unwrap().check(&set, &request, UnixTime::from_seconds(0)),
            Err(Refusal::ClaimsRejected)
        );
    }
}
