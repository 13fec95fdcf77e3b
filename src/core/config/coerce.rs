//! Typed reading of options. Kubernetes delivers real types. Traefik's other providers turn every scalar into a
//! string ("true", "60"), also those of YAML and TOML files, and an empty list or object into an empty one. Lists in
//! labels and KV stores may arrive as "a,b", objects as JSON in a string.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use crate::core::config::error::Errors;
use crate::core::quoted::Cut;
use crate::core::unix_time::Seconds;

/// Longest value repeated in an error, in characters.
const MAX_SHOWN: usize = 60;

/// An object of the configuration and where it is.
pub struct Section<'v> {
    path: String,
    members: Cow<'v, Map<String, Value>>,
}

/// Whether the value of an option may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It may.
    Plain,
    /// It is a secret, or may lead to one.
    Secret,
}

impl<'v> Section<'v> {
    /// The whole configuration.
    #[must_use]
    pub const fn root(members: &'v Map<String, Value>) -> Self {
        Self { path: String::new(), members: Cow::Borrowed(members) }
    }

    /// Full path of the member `key`, of the section itself where that is empty.
    #[must_use]
    pub fn path(&self, key: &str) -> String {
        if key.is_empty() {
            self.path.clone()
        } else if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Whether `key` is written.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.members.contains_key(key)
    }

    /// Whether anything is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The members as written.
    pub fn members(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.members.iter()
    }

    /// The raw value of `key`.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&Value> {
        self.members.get(key)
    }

    /// The object `key`, empty where it is absent.
    pub fn section(&self, key: &str, errors: &mut Errors) -> Section<'_> {
        let path = self.path(key);
        let members = match self.members.get(key) {
            None => Cow::Owned(Map::new()),
            Some(value) => object(value).unwrap_or_else(|| {
                errors.value(&path, found(value, Shown::Secret), "an object");
                Cow::Owned(Map::new())
            }),
        };
        Section { path, members }
    }

    /// The objects of the list `key`.
    pub fn sections(&self, key: &str, errors: &mut Errors) -> Vec<Section<'_>> {
        let path = self.path(key);
        let list = match self.members.get(key) {
            None => return Vec::new(),
            Some(Value::Array(list)) => Cow::Borrowed(list),
            Some(Value::String(text)) if text.is_empty() => return Vec::new(),
            Some(Value::String(text)) => match serde_json::from_str::<Vec<Value>>(text) {
                Ok(list) => Cow::Owned(list),
                Err(_) => {
                    errors.value(path, "a string that is not JSON", "a list of objects");
                    return Vec::new();
                }
            },
            Some(other) => {
                errors.value(path, found(other, Shown::Plain), "a list of objects");
                return Vec::new();
            }
        };
        let mut sections = Vec::new();
        for (index, value) in list.iter().enumerate() {
            let path = format!("{path}[{index}]");
            match object(value) {
                Some(members) => sections.push(Section { path, members: Cow::Owned(members.into_owned()) }),
                None => errors.value(path, found(value, Shown::Plain), "an object"),
            }
        }
        sections
    }

    /// A text that is not empty. An empty one counts as absent.
    pub fn text(&self, key: &str, shown: Shown, errors: &mut Errors) -> Option<String> {
        match self.members.get(key)? {
            Value::String(text) => (!text.is_empty()).then(|| text.clone()),
            other
            @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                errors.value(self.path(key), found(other, shown), "a string, in quotes");
                None
            }
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &str, default: bool, errors: &mut Errors) -> bool {
        match self.members.get(key) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(Value::String(text)) if text == "true" => true,
            Some(Value::String(text)) if text == "false" => false,
            Some(other) => {
                errors.value(self.path(key), found(other, Shown::Plain), "true or false");
                default
            }
        }
    }

    /// A whole number within `range`.
    pub fn integer(&self, key: &str, default: u64, range: RangeInclusive<u64>, errors: &mut Errors) -> u64 {
        let Some(value) = self.members.get(key) else {
            return default;
        };
        let number = match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        number.filter(|number| range.contains(number)).unwrap_or_else(|| {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            errors.value(self.path(key), found(value, Shown::Plain), expected);
            default
        })
    }

    /// A span of whole seconds within `range`.
    pub fn seconds(
        &self,
        key: &str,
        default: u64,
        range: RangeInclusive<u64>,
        errors: &mut Errors,
    ) -> Seconds {
        Seconds(self.integer(key, default, range, errors))
    }

    /// One of the given words.
    pub fn choice<T: Copy>(&self, key: &str, default: T, words: &[(&str, T)], errors: &mut Errors) -> T {
        let Some(value) = self.members.get(key) else {
            return default;
        };
        let chosen = value.as_str().and_then(|text| words.iter().find(|(word, _)| *word == text));
        chosen.map_or_else(
            || {
                let expected: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
                errors.value(
                    self.path(key),
                    found(value, Shown::Plain),
                    format!("one of {}", expected.join(", ")),
                );
                default
            },
            |(_, chosen)| *chosen,
        )
    }

    /// A list of texts: an array, a JSON array in a string, or one string with commas between the elements. `None`
    /// where it is absent.
    pub fn list(&self, key: &str, errors: &mut Errors) -> Option<Vec<String>> {
        let value = self.members.get(key)?;
        let elements: Cow<'_, [Value]> = match value {
            Value::Array(list) => Cow::Borrowed(list),
            Value::String(text) if text.trim_start().starts_with('[') => {
                let Ok(list) = serde_json::from_str(text) else {
                    errors.value(self.path(key), quoted(text), "a list of strings, which is valid JSON");
                    return Some(Vec::new());
                };
                Cow::Owned(list)
            }
            Value::String(text) if text.is_empty() => Cow::Borrowed(&[]),
            Value::String(text) => {
                Cow::Owned(text.split(',').map(|element| Value::from(element.trim())).collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                errors.value(self.path(key), found(value, Shown::Plain), "a list of strings");
                return Some(Vec::new());
            }
        };
        let mut list = Vec::with_capacity(elements.len());
        for (index, element) in elements.iter().enumerate() {
            match element {
                Value::String(text) if !text.is_empty() => list.push(text.clone()),
                // An element that is nothing would be a rule that is not there; a number is not what it was in YAML.
                Value::String(_)
                | Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Array(_)
                | Value::Object(_) => {
                    let path = format!("{}[{index}]", self.path(key));
                    errors.value(path, found(element, Shown::Plain), "a string that is not empty, in quotes");
                }
            }
        }
        Some(list)
    }

    /// An object whose values are texts. `None` where it is absent.
    pub fn texts(&self, key: &str, shown: Shown, errors: &mut Errors) -> Option<Vec<(String, String)>> {
        let value = self.members.get(key)?;
        let path = self.path(key);
        let Some(members) = object(value) else {
            errors.value(path, found(value, shown), "an object whose values are strings");
            return Some(Vec::new());
        };
        let mut texts = Vec::with_capacity(members.len());
        for (name, value) in members.iter() {
            match value {
                Value::String(text) if !text.is_empty() && !name.is_empty() => {
                    texts.push((name.clone(), text.clone()));
                }
                Value::Object(_) => {
                    // A dot in the key of a label makes a level.
                    let expected = format!("a string; write {key} as JSON where a name has a dot");
                    errors.value(format!("{path}.{name}"), found(value, shown), expected);
                }
                Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                    let expected = "a string that is not empty, in quotes";
                    errors.value(format!("{path}.{name}"), found(value, shown), expected);
                }
            }
        }
        Some(texts)
    }
}

fn object(value: &Value) -> Option<Cow<'_, Map<String, Value>>> {
    match value {
        Value::Object(members) => Some(Cow::Borrowed(members)),
        Value::String(text) if text.is_empty() => Some(Cow::Owned(Map::new())),
        Value::String(text) => match serde_json::from_str(text) {
            Ok(Value::Object(members)) => Some(Cow::Owned(members)),
            Ok(_) | Err(_) => None,
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// What an error says of a value.
#[must_use]
pub fn found(value: &Value, shown: Shown) -> String {
    match (value, shown) {
        (Value::Null, _) => "nothing".into(),
        (Value::Bool(_) | Value::Number(_), Shown::Plain) => value.to_string(),
        (Value::Bool(_), Shown::Secret) => "a boolean".into(),
        (Value::Number(_), Shown::Secret) => "a number".into(),
        (Value::String(text), Shown::Plain) => quoted(text),
        (Value::String(text), Shown::Secret) => format!("a string of {} bytes", text.len()),
        (Value::Array(_), _) => "a list".into(),
        (Value::Object(_), _) => "an object".into(),
    }
}

/// A text as an error shows it: cut, and on one line.
#[must_use]
pub fn quoted(text: &str) -> String {
    Cut { text, max_chars: MAX_SHOWN }.to_string()
}
