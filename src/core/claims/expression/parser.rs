//! Tokens → tree. The grammar stands above each function; precedence is Go's: `!`, `&&`, `||`.

use std::ops::Range;

use crate::core::claims::expression::ExpressionError;
use crate::core::claims::expression::decimal::Decimal;
use crate::core::claims::expression::instant::Instant;
use crate::core::claims::expression::lexer::{Lexer, Text, Token, TokenKind};
use crate::core::claims::expression::pattern::Pattern;
use crate::core::claims::expression::request_value::Template;
use crate::core::limits::{MAX_EXPRESSION_BYTES, MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_TERMS};
use crate::core::token::claims_set::ClaimPath;

/// An expression or a part of it.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Every one holds.
    All(Vec<Node>),
    /// At least one holds.
    Any(Vec<Node>),
    /// It does not hold.
    Not(Box<Node>),
    /// A function.
    Term(Term),
}

/// One function with its arguments.
#[derive(Clone, Debug)]
pub(super) struct Term {
    /// What it looks at.
    pub(super) subject: Looked,
    /// What it demands.
    pub(super) test: Test,
    /// Where it stands in the source.
    pub(super) span: Range<usize>,
}

impl Term {
    /// The claim that it looks at, if it is one.
    pub(super) const fn claim(&self) -> Option<&ClaimPath> {
        match &self.subject {
            Looked::At(path) => Some(path),
            Looked::AtRequest(_) => None,
        }
    }
}

/// What a function looks at.
#[derive(Clone, Debug)]
pub(super) enum Looked {
    /// A claim; inside `Any`, a member of an element.
    At(ClaimPath),
    /// A value of the request.
    AtRequest(Template),
}

#[derive(Clone, Debug)]
pub(super) enum Test {
    Equals(Template),
    Prefix(Template),
    Suffix(Template),
    Contains(Template),
    SplitContains {
        separator: String,
        value: Template,
    },
    OneOf(Vec<Template>),
    Exists,
    Matches(Pattern),
    Greater(Decimal<String>),
    Less(Decimal<String>),
    Before(Instant),
    After(Instant),
    /// An element of an array for which the expression holds.
    Any(Box<Node>),
}

impl Test {
    /// Whether neither the request nor the clock has a say in it.
    pub(super) fn looks_at_claims_only(&self) -> bool {
        match self {
            Self::Equals(value)
            | Self::Prefix(value)
            | Self::Suffix(value)
            | Self::Contains(value)
            | Self::SplitContains { value, .. } => value.is_text(),
            Self::OneOf(values) => values.iter().all(Template::is_text),
            Self::Exists | Self::Matches(_) | Self::Greater(_) | Self::Less(_) => true,
            Self::Before(_) | Self::After(_) => false,
            Self::Any(node) => node.looks_at_claims_only(),
        }
    }

    /// Whether it is about a text, which a value of the request is.
    const fn is_about_text(&self) -> bool {
        match self {
            Self::Equals(_)
            | Self::Prefix(_)
            | Self::Suffix(_)
            | Self::Contains(_)
            | Self::SplitContains { .. }
            | Self::OneOf(_)
            | Self::Matches(_) => true,
            Self::Exists
            | Self::Greater(_)
            | Self::Less(_)
            | Self::Before(_)
            | Self::After(_)
            | Self::Any(_) => false,
        }
    }
}

impl Node {
    /// Every function, in the order of the source; of `Any`, itself and none in it.
    pub(super) fn terms(&self) -> Vec<&Term> {
        match self {
            Self::All(nodes) | Self::Any(nodes) => nodes.iter().flat_map(Self::terms).collect(),
            Self::Not(node) => node.terms(),
            Self::Term(term) => vec![term],
        }
    }

    /// Whether neither the request nor the clock has a say in the value.
    pub(super) fn looks_at_claims_only(&self) -> bool {
        self.terms()
            .into_iter()
            .all(|term| matches!(term.subject, Looked::At(_)) && term.test.looks_at_claims_only())
    }
}

/// Parses the whole of `source`.
pub(super) fn parse(source: &str) -> Result<Node, ExpressionError> {
    let mut lexer = Lexer::new(source);
    if source.len() > MAX_EXPRESSION_BYTES {
        return Err(lexer.error(0, format!("the expression is longer than {MAX_EXPRESSION_BYTES} bytes")));
    }
    let next = lexer.next()?;
    let mut parser = Parser { lexer, next, terms_left: MAX_EXPRESSION_TERMS };
    let node = parser.any(MAX_EXPRESSION_DEPTH)?;
    match parser.next.kind {
        TokenKind::End => Ok(node),
        TokenKind::Name(_)
        | TokenKind::Text(_)
        | TokenKind::Open
        | TokenKind::Close
        | TokenKind::Comma
        | TokenKind::And
        | TokenKind::Or
        | TokenKind::Not => Err(parser.unexpected("&&, || or the end")),
    }
}

/// The function that has an expression inside.
const ANY: &str = "Any";

struct Parser<'s> {
    lexer: Lexer<'s>,
    next: Token<'s>,
    terms_left: usize,
}

/// Arguments of a function that are not yet taken.
struct Arguments<'s> {
    at: usize,
    texts: std::vec::IntoIter<(usize, Text<'s>)>,
}

impl<'s> Parser<'s> {
    /// `any = all { "||" all }`
    fn any(&mut self, depth_left: usize) -> Result<Node, ExpressionError> {
        let first = self.all(depth_left)?;
        let mut nodes = vec![first];
        while self.eat(&TokenKind::Or)? {
            nodes.push(self.all(depth_left)?);
        }
        Ok(single(nodes).unwrap_or_else(Node::Any))
    }

    /// `all = unary { "&&" unary }`
    fn all(&mut self, depth_left: usize) -> Result<Node, ExpressionError> {
        let first = self.unary(depth_left)?;
        let mut nodes = vec![first];
        while self.eat(&TokenKind::And)? {
            nodes.push(self.unary(depth_left)?);
        }
        Ok(single(nodes).unwrap_or_else(Node::All))
    }

    /// `unary = "!" unary | "(" any ")" | call`
    fn unary(&mut self, depth_left: usize) -> Result<Node, ExpressionError> {
        let at = self.next.at;
        let deeper = || depth_left.checked_sub(1);
        let too_deep = |parser: &Self| {
            parser.lexer.error(at, format!("nested deeper than {MAX_EXPRESSION_DEPTH} parentheses and !"))
        };
        if self.eat(&TokenKind::Not)? {
            let depth_left = deeper().ok_or_else(|| too_deep(self))?;
            return Ok(Node::Not(Box::new(self.unary(depth_left)?)));
        }
        if self.eat(&TokenKind::Open)? {
            let depth_left = deeper().ok_or_else(|| too_deep(self))?;
            let node = self.any(depth_left)?;
            self.expect(&TokenKind::Close, "&&, || or )")?;
            return Ok(node);
        }
        self.call(depth_left)
    }

    /// `call = name "(" text { "," text } [ "," ] ")" | "Any" "(" text "," any [ "," ] ")"`
    fn call(&mut self, depth_left: usize) -> Result<Node, ExpressionError> {
        let start = self.next.at;
        let TokenKind::Name(name) = self.next.kind else {
            return Err(self.unexpected("a function, ! or ("));
        };
        self.terms_left = self
            .terms_left
            .checked_sub(1)
            .ok_or_else(|| self.lexer.error(start, format!("more than {MAX_EXPRESSION_TERMS} functions")))?;
        self.advance()?;
        self.expect(&TokenKind::Open, "( after the name of a function")?;
        let (subject, test) =
            if name == ANY { self.any_element(start, depth_left)? } else { self.arguments(start, name)? };
        let end = self.next.at.saturating_add(1);
        self.advance()?;
        Ok(Node::Term(Term { subject, test, span: start..end }))
    }

    /// The arguments of `Any` up to the parenthesis behind them.
    fn any_element(&mut self, start: usize, depth_left: usize) -> Result<(Looked, Test), ExpressionError> {
        let too_deep = || format!("nested deeper than {MAX_EXPRESSION_DEPTH} parentheses and !");
        let depth_left = depth_left.checked_sub(1).ok_or_else(|| self.lexer.error(start, too_deep()))?;
        let at = self.next.at;
        let TokenKind::Text(text) = std::mem::replace(&mut self.next.kind, TokenKind::End) else {
            return Err(self
                .lexer
                .error(at, "expected the claim with the array between backticks or double quotes"));
        };
        self.advance()?;
        let subject = self.subject(&mut Arguments { at: start, texts: vec![(at, text)].into_iter() })?;
        if let Looked::AtRequest(_) = subject {
            return Err(self.lexer.error(at, "no value of the request is an array"));
        }
        self.expect(&TokenKind::Comma, ", and what has to hold for an element")?;
        let node = self.any(depth_left)?;
        self.eat(&TokenKind::Comma)?;
        if self.next.kind != TokenKind::Close {
            return Err(self.unexpected("&&, || or )"));
        }
        Ok((subject, Test::Any(Box::new(node))))
    }

    /// The arguments of another function, up to the parenthesis behind them.
    fn arguments(&mut self, start: usize, name: &str) -> Result<(Looked, Test), ExpressionError> {
        let mut texts = Vec::new();
        while self.next.kind != TokenKind::Close {
            let at = self.next.at;
            let TokenKind::Text(text) = std::mem::replace(&mut self.next.kind, TokenKind::End) else {
                return Err(self.lexer.error(at, "expected an argument between backticks or double quotes"));
            };
            texts.push((at, text));
            self.advance()?;
            if !self.eat(&TokenKind::Comma)? && self.next.kind != TokenKind::Close {
                return Err(self.unexpected(", or )"));
            }
        }
        self.function(name, Arguments { at: start, texts: texts.into_iter() })
    }

    fn function(&self, name: &str, mut args: Arguments<'s>) -> Result<(Looked, Test), ExpressionError> {
        let make: fn(&Self, &mut Arguments<'s>) -> Result<Test, ExpressionError> = match name {
            // The one function to which an empty text says something.
            "Equals" => |p, args| Ok(Test::Equals(p.template(args)?.1)),
            "Prefix" => |p, args| Ok(Test::Prefix(p.value(args)?)),
            "Suffix" => |p, args| Ok(Test::Suffix(p.value(args)?)),
            "Contains" => |p, args| Ok(Test::Contains(p.value(args)?)),
            "SplitContains" => |p, args| {
                let (at, separator) = p.argument(args, "the separator")?;
                if separator.value.is_empty() {
                    return Err(p.lexer.error(at, "the separator is empty"));
                }
                Ok(Test::SplitContains { separator: separator.value.into_owned(), value: p.piece(args)? })
            },
            "OneOf" => |p, args| {
                let mut values = vec![p.value(args)?];
                while args.texts.len() > 0 {
                    values.push(p.value(args)?);
                }
                Ok(Test::OneOf(values))
            },
            "Exists" => |_, _| Ok(Test::Exists),
            "Matches" => |p, args| {
                let (at, pattern) = p.argument(args, "the pattern")?;
                Pattern::compile(&pattern.value)
                    .map(Test::Matches)
                    .map_err(|problem| p.lexer.error(at, problem))
            },
            "Greater" => |p, args| Ok(Test::Greater(p.decimal(args)?)),
            "Less" => |p, args| Ok(Test::Less(p.decimal(args)?)),
            "Before" => |p, args| Ok(Test::Before(p.instant(args)?)),
            "After" => |p, args| Ok(Test::After(p.instant(args)?)),
            _ => {
                let problem = format!(
                    "there is no function {name}; there are Equals, Prefix, Suffix, Contains, SplitContains, \
                     OneOf, Exists, Matches, Greater, Less, Before, After and Any"
                );
                return Err(self.lexer.error(args.at, problem));
            }
        };
        let first = args.texts.as_slice().first().map_or(args.at, |(at, _)| *at);
        let subject = self.subject(&mut args)?;
        let test = make(self, &mut args)?;
        if let Some((at, _)) = args.texts.next() {
            return Err(self.lexer.error(at, format!("{name} takes fewer arguments")));
        }
        if matches!(subject, Looked::AtRequest(_)) {
            if !test.is_about_text() {
                let problem = format!("{name} is about a claim; a value of the request is a text");
                return Err(self.lexer.error(first, problem));
            }
            if matches!(&test, Test::Equals(value) if value.fixed() == Some("")) {
                return Err(self.lexer.error(first, "a value of the request that is empty counts as absent"));
            }
        }
        Ok((subject, test))
    }

    /// What a function looks at. A claim without a name is in no token, so that a negation would hold for all of them; so is
    /// one that has a value of the request in its name.
    fn subject(&self, args: &mut Arguments<'s>) -> Result<Looked, ExpressionError> {
        let (at, text) = self.argument(args, "the claim")?;
        let named = Template::parse(&text).map_err(|problem| self.lexer.error(at, problem))?;
        if named.is_one_value() {
            return Ok(Looked::AtRequest(named));
        }
        if !named.is_text() {
            let problem =
                "a value of the request stands alone where a claim is named: Equals(`{path.0}`, `a`)";
            return Err(self.lexer.error(at, problem));
        }
        let path = ClaimPath::parse(&text.value).ok_or_else(|| {
            let problem =
                if text.value.is_empty() { "the claim is empty" } else { "the claim has an empty part" };
            self.lexer.error(at, problem)
        })?;
        match path.with_whole_host() {
            Some(whole) => {
                let problem = format!(
                    "the dots of the host would be steps into objects; write `{whole}` between backticks"
                );
                Err(self.lexer.error(at, problem))
            }
            None => Ok(Looked::At(path)),
        }
    }

    fn argument(&self, args: &mut Arguments<'s>, what: &str) -> Result<(usize, Text<'s>), ExpressionError> {
        args.texts.next().ok_or_else(|| self.lexer.error(args.at, format!("{what} is missing")))
    }

    fn template(&self, args: &mut Arguments<'s>) -> Result<(usize, Template), ExpressionError> {
        let (at, text) = self.argument(args, "the value")?;
        let template = Template::parse(&text).map_err(|problem| self.lexer.error(at, problem))?;
        Ok((at, template))
    }

    /// A value that says something: every text begins with, ends in and contains the empty one.
    fn value(&self, args: &mut Arguments<'s>) -> Result<Template, ExpressionError> {
        let (at, value) = self.template(args)?;
        if value.fixed() == Some("") {
            return Err(self
                .lexer
                .error(at, "the value is empty; Equals(`claim`, ``) is about an empty claim"));
        }
        Ok(value)
    }

    /// A value that a piece without white space around it can equal.
    fn piece(&self, args: &mut Arguments<'s>) -> Result<Template, ExpressionError> {
        let at = args.texts.as_slice().first().map_or(args.at, |(at, _)| *at);
        let value = self.value(args)?;
        if value.fixed().is_some_and(|text| text.trim().len() != text.len()) {
            return Err(self.lexer.error(at, "no piece has white space around it; the value must have none"));
        }
        Ok(value)
    }

    fn decimal(&self, args: &mut Arguments<'s>) -> Result<Decimal<String>, ExpressionError> {
        let (at, text) = self.argument(args, "the number")?;
        Decimal::parse(&text.value)
            .map(Decimal::into_owned)
            .ok_or_else(|| self.lexer.error(at, "expected a number, such as `18` or `-0.5`"))
    }

    fn instant(&self, args: &mut Arguments<'s>) -> Result<Instant, ExpressionError> {
        let (at, text) = self.argument(args, "the time")?;
        Instant::parse(&text.value).ok_or_else(|| {
            self.lexer.error(
                at,
                "expected a time, such as `2030-01-31T12:00:00Z`, `1893456000`, `now`, `now+60` or `now-3600`",
            )
        })
    }

    fn advance(&mut self) -> Result<(), ExpressionError> {
        self.next = self.lexer.next()?;
        Ok(())
    }

    fn eat(&mut self, kind: &TokenKind<'s>) -> Result<bool, ExpressionError> {
        let found = self.next.kind == *kind;
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, kind: &TokenKind<'s>, expected: &str) -> Result<(), ExpressionError> {
        if self.eat(kind)? { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&self, expected: &str) -> ExpressionError {
        let found = match &self.next.kind {
            TokenKind::Name(name) => name,
            TokenKind::Text(_) => "an argument",
            TokenKind::Open => "(",
            TokenKind::Close => ")",
            TokenKind::Comma => ",",
            TokenKind::And => "&&",
            TokenKind::Or => "||",
            TokenKind::Not => "!",
            TokenKind::End => "the end",
        };
        self.lexer.error(self.next.at, format!("expected {expected}, found {found}"))
    }
}

/// The only node of `nodes`, or `nodes`.
fn single(mut nodes: Vec<Node>) -> Result<Node, Vec<Node>> {
    if nodes.len() == 1 { nodes.pop().ok_or(nodes) } else { Err(nodes) }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use proptest::prelude::*;

    #[test]
    fn errors_point_at_the_column() {
        let deep = format!("{}Exists(`a`)", "!".repeat(33));
        let long = " ".repeat(16 << 10) + "Exists(`a`)";
        let many = format!("Exists(`a`){}", " || Exists(`a`)".repeat(256));
        for (source, column, problem) in [
            ("", 1, "expected a function, ! or (, found the end"),
            ("   ", 4, "expected a function, ! or (, found the end"),
            ("Equals", 7, "expected ( after the name of a function, found the end"),
            ("Equals(`a`", 11, "expected , or ), found the end"),
            ("Equals(`a` `b`)", 12, "expected , or ), found an argument"),
            ("Equals(`a`)", 1, "the value is missing"),
            ("Equals()", 1, "the claim is missing"),
            ("Equals(`a`,`b`,`c`)", 16, "Equals takes fewer arguments"),
            ("Equals(a, `b`)", 8, "expected an argument between backticks or double quotes"),
            ("Equals(`a`, 5)", 13, "a character that starts nothing"),
            ("Equals(,`a`)", 8, "expected an argument between backticks or double quotes"),
            ("Equals(`a`,`b`", 15, "expected , or ), found the end"),
            ("Equals(`a`,`b)", 12, "the closing backtick is missing"),
            ("Equals(`\u{e9}`,\"b)", 12, "the closing double quote is missing"),
            ("Equals('a','b')", 8, "text stands between backticks or double quotes"),
            ("Exists(`a`) & Exists(`b`)", 13, "a single & or |; the operators are && and ||"),
            ("Exists(`a`) && ", 16, "expected a function, ! or (, found the end"),
            ("Exists(`a`) Exists(`b`)", 13, "expected &&, || or the end, found Exists"),
            ("Exists(`a`))", 12, "expected &&, || or the end, found )"),
            ("(Exists(`a`)", 13, "expected &&, || or ), found the end"),
            ("()", 2, "expected a function, ! or (, found )"),
            ("&& Exists(`a`)", 1, "expected a function, ! or (, found &&"),
            ("OneOf(`a`)", 1, "the value is missing"),
            ("SplitContains(`a`,` `)", 1, "the value is missing"),
            ("SplitContains(`a`)", 1, "the separator is missing"),
            ("Exists(`a`,`b`)", 12, "Exists takes fewer arguments"),
            ("Greater(`a`,`1.`)", 13, "expected a number, such as `18` or `-0.5`"),
            (
                "Before(`a`,`tomorrow`)",
                12,
                "expected a time, such as `2030-01-31T12:00:00Z`, `1893456000`, `now`, `now+60` or `now-3600`",
            ),
            (
                "equals(`a`,`b`)",
                1,
                "there is no function equals; there are Equals, Prefix, Suffix, Contains, SplitContains, OneOf, \
                 Exists, Matches, Greater, Less, Before, After and Any",
            ),
            (
                "Equals(`a`, `{user}`)",
                13,
                "{user} is not a value of the request; there are {method}, {host}, {host.0}, {path}, {path.0} and \
                 {header:Name}. Text is written with \\{ between double quotes",
            ),
            ("Exists(``)", 8, "the claim is empty"),
            ("!Equals(``, `x`)", 9, "the claim is empty"),
            ("Exists(`a.`)", 8, "the claim has an empty part"),
            ("Exists(`.a`)", 8, "the claim has an empty part"),
            (
                "Exists(`a.{method}`)",
                8,
                "a value of the request stands alone where a claim is named: Equals(`{path.0}`, `a`)",
            ),
            (
                "Equals(`{path.0}{path.1}`, `a`)",
                8,
                "a value of the request stands alone where a claim is named: Equals(`{path.0}`, `a`)",
            ),
            ("Exists(`{method}`)", 8, "Exists is about a claim; a value of the request is a text"),
            ("Greater(`{path.0}`, `1`)", 9, "Greater is about a claim; a value of the request is a text"),
            ("Before(`{path.0}`, `now`)", 8, "Before is about a claim; a value of the request is a text"),
            ("!Equals(`{path.0}`, ``)", 9, "a value of the request that is empty counts as absent"),
            ("Any(`{path.0}`, Exists(`a`))", 5, "no value of the request is an array"),
            ("Any(`a`)", 8, "expected , and what has to hold for an element, found )"),
            ("Any(`a`, `b`)", 10, "expected a function, ! or (, found an argument"),
            ("Any(`a`, Exists(`b`)", 21, "expected &&, || or ), found the end"),
            ("Any(`a`, Exists(`b`), `c`)", 23, "expected &&, || or ), found an argument"),
            ("Any(Exists(`a`))", 5, "expected the claim with the array between backticks or double quotes"),
            ("Any(``, Exists(`a`))", 5, "the claim is empty"),
            ("Prefix(`a`, ``)", 13, "the value is empty; Equals(`claim`, ``) is about an empty claim"),
            ("Suffix(`a`, \"\")", 13, "the value is empty; Equals(`claim`, ``) is about an empty claim"),
            ("Contains(`a`, ``)", 15, "the value is empty; Equals(`claim`, ``) is about an empty claim"),
            ("OneOf(`a`, ``)", 12, "the value is empty; Equals(`claim`, ``) is about an empty claim"),
            ("OneOf(`a`, `b`, ``)", 17, "the value is empty; Equals(`claim`, ``) is about an empty claim"),
            ("SplitContains(`a`, ``, `b`)", 20, "the separator is empty"),
            (
                "SplitContains(`a`, ` `, ``)",
                25,
                "the value is empty; Equals(`claim`, ``) is about an empty claim",
            ),
            (
                "SplitContains(`a`, `,`, ` b`)",
                25,
                "no piece has white space around it; the value must have none",
            ),
            ("Matches(`a`, ``)", 14, "the pattern is empty; Equals(`claim`, ``) is about an empty claim"),
            (
                "Matches(`a`, `.*`)",
                14,
                "the pattern matches every text; Exists(`claim`) asks for a claim alone",
            ),
            ("Greater(`a`, ``)", 14, "expected a number, such as `18` or `-0.5`"),
            (&deep, 33, "nested deeper than 32 parentheses and !"),
            (&long, 1, "the expression is longer than 16384 bytes"),
            (&many, 3841, "more than 256 functions"),
        ] {
            let error = parse(source).unwrap_err();
            assert_eq!((error.column, error.problem.as_str()), (column, problem), "{source}");
        }
        let error = parse("Exists(`a`) && Matches(`b`, `(`)").unwrap_err();
        assert_eq!(error.column, 29);
        assert!(error.problem.starts_with("the pattern is not accepted: "), "{}", error.problem);
    }

    #[test]
    fn the_grammar_accepts() {
        for source in [
            "Exists(`a`)",
            "\n Exists\t( `a` , ) ",
            "((Exists(`a`)))",
            "!!Exists(`a`)",
            "!(Exists(`a`)&&Exists(\"b\"))||Exists(`c`)",
            "Equals(`a`,``)",
            r#"Equals("a", "\{user}")"#,
            r#"Equals(`a`, `{"b": {}}`)"#,
            r#"Equals("\{path.0}", `a`)"#,
            "Equals(`{}`, ``)",
            "!OneOf(`{method}`, `GET`, `HEAD`)",
            "Equals(`{path.0}`, `{host.0}`)",
            "Any(`a`, Exists(`b`) && !Any(`c`, Equals(`d`, `{path.0}`)) || Exists(`e`), )",
        ] {
            assert!(parse(source).is_ok(), "{source}");
        }
        let deep = format!("{}Exists(`a`){}", "(".repeat(32), ")".repeat(32));
        assert!(parse(&deep).is_ok());
        let deep = |levels| format!("{}Exists(`a`){}", "Any(`a`,".repeat(levels), ")".repeat(levels));
        assert!(parse(&deep(32)).is_ok());
        assert!(parse(&deep(33)).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn random_text_never_panics(source in "\\PC{0,80}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&source);
            let _ = parse(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn random_pieces_never_panic(pieces in prop::collection::vec(
            prop::sample::select(vec![
                "Equals", "OneOf", "Matches", "Before", "Greater", "SplitContains", "Exists", "Any", "(", ")", ",", "`", "\"",
                "`a`", "\"b\"", "`{path.0}`", "\\", "\\u", "\\x4", "{", "}", "now", "1", "&&", "||", "!", " ", "\u{e9}",
            ]), 0..24
        )) {
            let _ = parse(&pieces.concat());
        }
    }
}
