//! A second evaluator, slow and written apart from the first: random expressions, claims and requests have to agree.
#![expect(clippy::arithmetic_side_effects, reason = "the numbers of the pools are small")]

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::core::claims::expression::{Expression, Truth};
use crate::core::request::RecordedRequest;
use crate::core::token::claims_set::claims;
use crate::core::unix_time::UnixTime;

const NOW: i64 = 1_700_000_000;

#[derive(Clone, Debug)]
enum Tree {
    And(Box<Tree>, Box<Tree>),
    Or(Box<Tree>, Box<Tree>),
    Not(Box<Tree>),
    Call(&'static str, Left, Vec<String>),
    Any(Vec<&'static str>, Box<Tree>),
}

/// What a function is about.
#[derive(Clone, Debug)]
enum Left {
    Claim(Vec<&'static str>),
    Request(String),
}

fn write_path(path: &[&str]) -> String {
    let steps: Vec<_> = path.iter().map(|s| s.replace('\\', "\\\\").replace('.', "\\.")).collect();
    steps.join(".")
}

/// Writes a tree as text; `style` chooses quotes, spaces and superfluous parentheses.
fn write(tree: &Tree, style: &mut u64) -> String {
    let mut choose = |of: u64| {
        *style = style.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*style >> 33) % of
    };
    let (open, close) = if choose(4) == 0 { ("((", " ) )") } else { ("(", ")") };
    match tree {
        Tree::And(a, b) => format!("{open}{}&& {}{close}", write(a, style), write(b, style)),
        Tree::Or(a, b) => format!("{open}{} ||\t{}{close}", write(a, style), write(b, style)),
        Tree::Not(a) => format!("! {}", write(a, style)),
        Tree::Call(name, path, args) => {
            let left = match path {
                Left::Claim(path) => write_path(path),
                Left::Request(value) => value.clone(),
            };
            let texts: Vec<String> = std::iter::once(left)
                .chain(args.iter().cloned())
                .map(|text| if choose(2) == 0 { format!("`{text}`") } else { format!("{text:?}") })
                .collect();
            format!("{name}({})", texts.join(if choose(2) == 0 { "," } else { " , " }))
        }
        Tree::Any(path, tree) => {
            let end = if choose(2) == 0 { ")" } else { " , )" };
            format!("Any(`{}`, {}{end}", write_path(path), write(tree, style))
        }
    }
}

/// Which outcomes are possible, given that an undecided value could be anything.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Possible {
    yes: bool,
    no: bool,
}

fn slow(tree: &Tree, claims: &Value, request: usize) -> Possible {
    match tree {
        Tree::Not(a) => {
            let a = slow(a, claims, request);
            Possible { yes: a.no, no: a.yes }
        }
        Tree::And(a, b) => {
            let (a, b) = (slow(a, claims, request), slow(b, claims, request));
            Possible { yes: a.yes && b.yes, no: a.no || b.no }
        }
        Tree::Or(a, b) => {
            let (a, b) = (slow(a, claims, request), slow(b, claims, request));
            Possible { yes: a.yes || b.yes, no: a.no && b.no }
        }
        Tree::Call(name, Left::Claim(path), args) => match slow_find(path, claims) {
            Some(at) => slow_call(name, at, args, request),
            None => Possible { yes: false, no: true },
        },
        Tree::Call(name, Left::Request(value), args) => match substitute(value, request) {
            Some(text) => slow_call(name, &Value::String(text), args, request),
            None => Possible { yes: true, no: true },
        },
        Tree::Any(path, tree) => {
            let elements = slow_find(path, claims).and_then(Value::as_array);
            let each: Vec<_> =
                elements.into_iter().flatten().map(|element| slow(tree, element, request)).collect();
            Possible { yes: each.iter().any(|one| one.yes), no: each.iter().all(|one| one.no) }
        }
    }
}

fn slow_find<'v>(path: &[&str], claims: &'v Value) -> Option<&'v Value> {
    let mut at = claims;
    for step in path {
        let found = match at {
            Value::Object(members) => members.get(*step),
            Value::Array(elements) => {
                elements.iter().enumerate().find(|(n, _)| n.to_string() == *step).map(|f| f.1)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        at = found?;
    }
    Some(at)
}

fn slow_call(name: &str, at: &Value, args: &[String], request: usize) -> Possible {
    let sure = |holds: bool| Possible { yes: holds, no: !holds };
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let is_array = at.is_array();
    let holds = |arg: &str| -> Option<bool> {
        let arg = substitute(arg, request)?;
        let own = at.as_str();
        Some(match name {
            "Equals" => text(at) == Some(arg),
            "Prefix" => own.is_some_and(|own| own.strip_prefix(&arg).is_some()),
            "Suffix" => own.is_some_and(|own| own.strip_suffix(&arg).is_some()),
            "Contains" if !is_array => own.is_some_and(|own| own.split(&arg).count() > 1),
            "SplitContains" => {
                own.is_some_and(|own| own.split(args[0].as_str()).any(|piece| piece.trim() == arg))
            }
            "OneOf" if !is_array => text(at) == Some(arg),
            "Contains" | "OneOf" => {
                at.as_array().unwrap().iter().filter_map(text).any(|element| element == arg)
            }
            other => panic!("{other}"),
        })
    };
    match name {
        "Exists" => sure(!at.is_null()),
        // A pattern of the pool is a plain word with `.*` behind it.
        "Matches" => sure(at.as_str().is_some_and(|own| own.starts_with(args[0].trim_end_matches(".*")))),
        "Greater" => sure(thousandths(at).is_some_and(|n| n > thousandths_of(&args[0]))),
        "Less" => sure(thousandths(at).is_some_and(|n| n < thousandths_of(&args[0]))),
        "Before" => sure(date(at).is_some_and(|n| n < instant(&args[0]))),
        "After" => sure(date(at).is_some_and(|n| n > instant(&args[0]))),
        _ => {
            let values = if name == "SplitContains" { &args[1..] } else { args };
            let outcomes: Vec<_> = values.iter().map(|arg| holds(arg)).collect();
            // A claim that the function is not about is false whatever the request says.
            let about = match name {
                "Equals" => text(at).is_some(),
                "OneOf" => text(at).is_some() || is_array,
                "Contains" => at.is_string() || is_array,
                _ => at.is_string(),
            };
            if !about {
                return sure(false);
            }
            Possible {
                yes: outcomes.iter().any(|outcome| *outcome != Some(false)),
                no: outcomes.iter().all(|outcome| *outcome != Some(true)),
            }
        }
    }
}

fn thousandths(value: &Value) -> Option<i64> {
    value.is_number().then(|| thousandths_of(&value.to_string()))
}

/// The pool has at most three decimals.
fn thousandths_of(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = format!("{}{:0<3}", whole.trim_start_matches('-'), fraction);
    digits.parse::<i64>().unwrap() * if text.starts_with('-') { -1 } else { 1 }
}

fn date(value: &Value) -> Option<i64> {
    thousandths(value).filter(|millis| *millis >= 0)
}

fn instant(text: &str) -> i64 {
    match text {
        "now" => NOW * 1000,
        "now-3600" => (NOW - 3600) * 1000,
        "2023-11-14T22:13:20Z" => NOW * 1000,
        seconds => seconds.parse::<i64>().unwrap() * 1000,
    }
}

/// The requests, and what each placeholder of the pool is in each.
fn requests() -> Vec<RecordedRequest> {
    vec![
        RecordedRequest::new("GET", "/a/b?x=1").header("Host", "A.b:80").header("X-A", "a"),
        RecordedRequest::new("a", "/").header("Host", "b").header("X-A", "a").header("X-A", "a"),
        RecordedRequest::new("a b", "/a%2fb").header("X-A", " b "),
        RecordedRequest::new("GET", "/%61%20b/"),
    ]
}

fn substitute(arg: &str, request: usize) -> Option<String> {
    let value = match arg {
        "{method}" => ["GET", "a", "a b", "GET"].map(Some),
        "{host}" => [Some("a.b"), Some("b"), None, None],
        "{path}" => [Some("/a/b"), Some("/"), None, Some("/a b/")],
        "{path.0}" => [Some("a"), None, None, Some("a b")],
        "{path.1}" => [Some("b"), None, None, None],
        "{header:x-a}" => [Some("a"), None, Some("b"), None],
        "a {path.0}" => [Some("a a"), None, None, Some("a a b")],
        plain => [Some(plain); 4],
    };
    value[request].map(String::from)
}

fn arbitrary_claims() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        3 => prop::sample::select(vec![
            "", "a", "b", "a b", " a", "a, b ,a b", " b ", "ab", "GET", "a a", "\u{e9}", "true", "1"
        ])
        .prop_map(Value::from),
        3 => prop::sample::select(vec![
            json!(0),
            json!(1),
            json!(-1),
            json!(1.5),
            json!(-0.125),
            json!(NOW),
            json!(NOW - 3600),
            json!(NOW - 1),
            json!(1_699_999_999.75),
        ]),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let value = leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ]
    });
    prop::collection::btree_map(name(), value, 4..8)
        .prop_map(|map| Value::Object(map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()))
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c.d", "e\\f", "0", "1"])
}

fn arbitrary_tree() -> impl Strategy<Value = Tree> {
    let value = || {
        prop::sample::select(vec![
            "a",
            "b",
            "a b",
            "ab",
            "GET",
            "true",
            "1",
            "1.5",
            "null",
            "\u{e9}",
            "{",
            "{}",
            "{method}",
            "{host}",
            "{path}",
            "{path.0}",
            "{path.1}",
            "{header:x-a}",
            "a {path.0}",
        ])
        .prop_map(String::from)
    };
    let from =
        |pool: &[&'static str]| prop::sample::select(pool.to_vec()).prop_map(|text| vec![text.to_owned()]);
    let arguments = prop_oneof![
        1 => Just(("Equals", vec![String::new()])),
        4 => (prop::sample::select(vec!["Equals", "Prefix", "Suffix", "Contains"]), value())
            .prop_map(|(name, value)| (name, vec![value])),
        3 => (prop::sample::select(vec![" ", ",", "a", ", "]), value())
            .prop_map(|(separator, value)| ("SplitContains", vec![separator.to_owned(), value])),
        1 => prop::collection::vec(value(), 1..4).prop_map(|values| ("OneOf", values)),
        1 => Just(("Exists", vec![])),
        1 => from(&["a.*", "b.*", "ab.*", "a b.*"]).prop_map(|args| ("Matches", args)),
        4 => (prop::sample::select(vec!["Greater", "Less"]), from(&["0", "-1", "1.5", "-0.125", "1", "0.001"])),
        2 => (
            prop::sample::select(vec!["Before", "After"]),
            from(&["now", "now-3600", "2023-11-14T22:13:20Z", "0", "1700000000"])
        ),
    ];
    // Most paths lead somewhere.
    let path =
        prop_oneof![4 => prop::collection::vec(name(), 1..2), 1 => prop::collection::vec(name(), 2..4)];
    let call =
        (path, arguments.clone()).prop_map(|(path, (name, args))| Tree::Call(name, Left::Claim(path), args));
    // Of a value of the request only what is about a text, and not whether it is empty.
    let request =
        prop::sample::select(vec!["{method}", "{host}", "{path}", "{path.0}", "{path.1}", "{header:x-a}"]);
    let about_text = arguments.prop_filter("about a text", |(name, args)| {
        !matches!(*name, "Exists" | "Greater" | "Less" | "Before" | "After") && !args[0].is_empty()
    });
    let of_request = (request, about_text)
        .prop_map(|(value, (name, args))| Tree::Call(name, Left::Request(value.into()), args));
    prop_oneof![4 => call, 1 => of_request].prop_recursive(4, 16, 2, |inner| {
        let any = (prop::collection::vec(name(), 1..3), inner.clone());
        prop_oneof![
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| Tree::And(a.into(), b.into())),
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| Tree::Or(a.into(), b.into())),
            2 => inner.prop_map(|a| Tree::Not(a.into())),
            1 => any.prop_map(|(path, tree)| Tree::Any(path, tree.into())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]
    #[test]
    fn agrees_with_the_reference(
        set in arbitrary_claims(), tree in arbitrary_tree(), request in 0_usize..4, style in any::<u64>()
    ) {
        let mut style = style;
        let source = write(&tree, &mut style);
        let expected = match slow(&tree, &set, request) {
            Possible { yes: true, no: false } => Truth::True,
            Possible { yes: false, no: true } => Truth::False,
            Possible { .. } => Truth::Undecided,
        };
        let expression = Expression::parse(&source).unwrap();
        let now = UnixTime::from_seconds(NOW.try_into().unwrap());
        let found = expression.evaluate(&claims(&set.to_string()), &requests()[request], now);
        prop_assert_eq!(found, expected, "{}", source);
    }
}
