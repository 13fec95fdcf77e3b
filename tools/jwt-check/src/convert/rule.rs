//! What other middlewares require of claims: a tree with an expression of this one, and a meaning of its own, by which
//! sample tokens are made. The meaning is that of the other middleware; the tests of the result compare both.

use serde_json::{Map, Value};

/// What has to be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// All of them.
    All(Vec<Rule>),
    /// One of them.
    Any(Vec<Rule>),
    /// It is not.
    Not(Box<Rule>),
    /// A function of one claim is true.
    Claim { function: Function, path: Vec<String>, values: Vec<Text> },
    /// Nothing is accepted: it could not be carried over.
    Never,
}

/// Functions of Traefik Hub's language, which are also here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Equals,
    Prefix,
    Contains,
    SplitContains,
    OneOf,
}

impl Function {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Equals, "Equals"),
        (Self::Prefix, "Prefix"),
        (Self::Contains, "Contains"),
        (Self::SplitContains, "SplitContains"),
        (Self::OneOf, "OneOf"),
    ];

    pub(super) fn name(self) -> &'static str {
        Self::ALL.iter().find(|(function, _)| *function == self).map_or("", |(_, name)| name)
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(function, _)| *function)
    }
}

/// A value: text, and values of the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text(pub(super) Vec<Piece>);

/// A piece of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it stands.
    Plain(String),
    /// The host of the request.
    Host,
    /// The method of the request.
    Method,
}

/// The request of the samples.
pub(super) const HOST: &str = "app.example.com";

impl Text {
    pub(super) fn plain(text: &str) -> Self {
        Self(vec![Piece::Plain(text.to_owned())])
    }

    /// Whether it depends on the request.
    pub(super) fn is_of_request(&self) -> bool {
        self.0.iter().any(|piece| !matches!(piece, Piece::Plain(_)))
    }

    /// What it is for a request to this host.
    fn sample(&self, host: &str) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Plain(text) => text.clone(),
            Piece::Host => host.to_owned(),
            Piece::Method => "GET".into(),
        };
        self.0.iter().map(piece).collect()
    }

    fn expression(&self) -> String {
        let special = |text: &str| text.contains(['`', '{']);
        let escaped = self.0.iter().any(|piece| matches!(piece, Piece::Plain(text) if special(text)));
        let piece = |piece: &Piece| match piece {
            Piece::Host => "{host}".to_owned(),
            Piece::Method => "{method}".to_owned(),
            Piece::Plain(text) if escaped => quoted(text).replace('{', "\\{"),
            Piece::Plain(text) => text.clone(),
        };
        let text: String = self.0.iter().map(piece).collect();
        if escaped { format!("\"{text}\"") } else { format!("`{text}`") }
    }
}

/// A text between double quotes, without these.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A path of a claim as options write it: a dot in a name is `\.`.
pub(super) fn dotted(path: &[String]) -> String {
    path.iter().map(|name| name.replace('\\', "\\\\").replace('.', "\\.")).collect::<Vec<_>>().join(".")
}

impl Rule {
    pub(super) fn claim(function: Function, path: &[String], values: Vec<Text>) -> Self {
        Self::Claim { function, path: path.to_vec(), values }
    }

    /// Whether something of it could not be carried over.
    pub(super) fn is_closed(&self) -> bool {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().any(Self::is_closed),
            Self::Not(rule) => rule.is_closed(),
            Self::Claim { .. } => false,
            Self::Never => true,
        }
    }

    /// The expression. `Never` is a claim that no token has.
    pub(super) fn expression(&self) -> String {
        match self {
            Self::All(rules) => {
                let part = |rule: &Self| match rule {
                    Self::Any(inner) if inner.len() > 1 => format!("({})", rule.expression()),
                    Self::Any(_) | Self::All(_) | Self::Not(_) | Self::Claim { .. } | Self::Never => {
                        rule.expression()
                    }
                };
                rules.iter().map(part).collect::<Vec<_>>().join(" && ")
            }
            Self::Any(rules) => rules.iter().map(Self::expression).collect::<Vec<_>>().join(" || "),
            Self::Not(rule) => match **rule {
                Self::All(_) | Self::Any(_) => format!("!({})", rule.expression()),
                Self::Not(_) | Self::Claim { .. } | Self::Never => format!("!{}", rule.expression()),
            },
            Self::Never => "Exists(`to be written by hand`)".to_owned(),
            Self::Claim { function, path, values } => {
                let claim = Text::plain(&dotted(path)).expression();
                let values = values.iter().map(|value| format!(", {}", value.expression()));
                format!("{}({claim}{})", function.name(), values.collect::<String>())
            }
        }
    }

    /// Lists of one are their element, lists in lists of the same kind are one, values of one claim stand in one function.
    pub(super) fn simple(self) -> Self {
        let flat = |rules: Vec<Self>, is_all: bool| {
            let mut flat: Vec<Self> = Vec::new();
            for rule in rules.into_iter().map(Self::simple) {
                match rule {
                    Self::All(inner) if is_all => flat.extend(inner),
                    Self::Any(inner) if !is_all => flat.extend(inner),
                    Self::All(_) | Self::Any(_) | Self::Not(_) | Self::Claim { .. } | Self::Never => {
                        flat.push(rule)
                    }
                }
            }
            flat
        };
        match self {
            Self::All(rules) => one(flat(rules, true), Self::All),
            Self::Any(rules) => {
                let mut merged: Vec<Self> = Vec::new();
                for rule in flat(rules, false) {
                    match (merged.last_mut(), rule) {
                        (
                            Some(Self::Claim { function: Function::OneOf, path, values }),
                            Self::Claim { function: Function::OneOf, path: other, values: more },
                        ) if *path == other => values.extend(more),
                        (_, rule) => merged.push(rule),
                    }
                }
                one(merged, Self::Any)
            }
            Self::Not(rule) => Self::Not(Box::new(rule.simple())),
            Self::Claim { .. } | Self::Never => self,
        }
    }

    /// Whether it is true of these claims in a request to this host.
    pub(super) fn holds(&self, claims: &Map<String, Value>, host: &str) -> bool {
        match self {
            Self::All(rules) => rules.iter().all(|rule| rule.holds(claims, host)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(claims, host)),
            Self::Not(rule) => !rule.holds(claims, host),
            Self::Never => false,
            Self::Claim { function, path, values } => {
                let Some((first, rest)) = path.split_first() else { return false };
                let value = rest.iter().try_fold(claims.get(first), |value, name| Some(value?.get(name)));
                let wanted: Vec<String> = values.iter().map(|value| value.sample(host)).collect();
                value.flatten().is_some_and(|value| is_true(*function, value, &wanted))
            }
        }
    }

    /// Claims for which it may be true, each in another way: paths with values. At most eight.
    pub(super) fn ways(&self) -> Vec<Vec<(Vec<String>, String)>> {
        let mut ways = match self {
            Self::All(rules) => rules.iter().fold(vec![Vec::new()], |ways, rule| {
                let more = rule.ways();
                let mut all = Vec::new();
                // First ways first, so that each way of each rule is among the few.
                for way in &more {
                    all.extend(ways.iter().map(|before: &Vec<_>| [before.clone(), way.clone()].concat()));
                }
                all.truncate(8);
                all
            }),
            Self::Any(rules) => rules.iter().flat_map(Self::ways).collect(),
            Self::Not(_) => vec![Vec::new()],
            Self::Never => Vec::new(),
            Self::Claim { function: Function::OneOf, path, values } => {
                values.iter().map(|value| vec![(path.clone(), value.sample(HOST))]).collect()
            }
            Self::Claim { path, values, .. } => {
                values.last().map(|value| vec![(path.clone(), value.sample(HOST))]).into_iter().collect()
            }
        };
        ways.truncate(8);
        ways
    }

    /// Whether it depends on the request.
    pub(super) fn is_of_request(&self) -> bool {
        match self {
            Self::All(rules) | Self::Any(rules) => rules.iter().any(Self::is_of_request),
            Self::Not(rule) => rule.is_of_request(),
            Self::Claim { values, .. } => values.iter().any(Text::is_of_request),
            Self::Never => false,
        }
    }

    /// The rules that have to hold together.
    pub(super) fn parts(&self) -> Vec<Self> {
        match self {
            Self::All(rules) => rules.clone(),
            Self::Any(_) | Self::Not(_) | Self::Claim { .. } | Self::Never => vec![self.clone()],
        }
    }
}

fn one(mut rules: Vec<Rule>, many: fn(Vec<Rule>) -> Rule) -> Rule {
    match (rules.pop(), rules.is_empty()) {
        (Some(rule), true) => rule,
        (Some(rule), false) => {
            rules.push(rule);
            many(rules)
        }
        // One of none is never true; all of none is not written by anybody who means a rule.
        (None, _) => Rule::Never,
    }
}

fn is_true(function: Function, value: &Value, wanted: &[String]) -> bool {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    let equals = |value: &Value| scalar(value).is_some_and(|text| wanted.contains(&text));
    let last = wanted.last().map(String::as_str).unwrap_or_default();
    match (function, value) {
        (Function::OneOf | Function::Contains, Value::Array(elements)) => elements.iter().any(equals),
        (Function::OneOf | Function::Equals, value) => equals(value),
        (Function::Prefix, Value::String(text)) => text.starts_with(last),
        (Function::Contains, Value::String(text)) => text.contains(last),
        (Function::SplitContains, Value::String(text)) => {
            let separator = wanted.first().map(String::as_str).unwrap_or_default();
            text.split(separator).any(|piece| piece.trim() == last)
        }
        _ => false,
    }
}

/// Adds a claim. Several values of one claim are a list.
pub(super) fn put(object: &mut Map<String, Value>, path: &[String], value: &str) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        let before = object.remove(first);
        let now = match before {
            Some(Value::Array(mut list)) => {
                list.push(value.into());
                Value::Array(list)
            }
            Some(Value::String(text)) if text != value => Value::Array(vec![text.into(), value.into()]),
            _ => Value::String(value.to_owned()),
        };
        object.insert(first.clone(), now);
        return;
    }
    let inner = object.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Some(inner) = inner.as_object_mut() {
        put(inner, rest, value);
    }
}
