//! Typed reading of options. Kubernetes delivers real types. Traefik's other providers turn every scalar into a
//! string ("true", "60"), also those of YAML and TOML files, and an empty list or object into an empty one. Lists in
//! labels and KV stores may arrive as "a,b", objects as JSON in a string.

use std::ops::RangeInclusive;
use std::rc::Rc;

use crate::core::config::error::Errors;
use crate::core::json::{Document, Kind, Value};
use crate::core::limits::CONFIG_JSON;
use crate::core::text::quoted;
use crate::core::unix_time::Seconds;

/// An object of the configuration and where it is.
pub struct Section {
    path: String,
    members: Members,
}

/// The whole configuration, or JSON in a string of it.
type Json = Rc<Document>;

/// An object inside a document.
enum Members {
    None,
    Of { document: Json, at: usize },
}

impl Members {
    fn object(&self) -> Option<Value<'_>> {
        match self {
            Self::None => None,
            Self::Of { document, at } => Some(document.at(*at)),
        }
    }

    /// The object that `value` of `document` is, or that its text is as JSON.
    fn of(document: &Json, value: Value<'_>) -> Option<Self> {
        match value.kind() {
            Kind::Object => Some(Self::Of { document: Rc::clone(document), at: value.index() }),
            Kind::String if value.as_str() == Some("") => Some(Self::None),
            Kind::String => {
                let document = nested(value).filter(|document| document.root().kind() == Kind::Object)?;
                Some(Self::Of { document, at: 0 })
            }
            Kind::Null | Kind::True | Kind::False | Kind::Number | Kind::Array => None,
        }
    }
}

/// The JSON that a string is.
#[must_use]
pub fn nested(value: Value<'_>) -> Option<Json> {
    Document::parse(value.as_str()?.as_bytes().to_vec(), CONFIG_JSON).ok().map(Rc::new)
}

/// Whether the value of an option may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// It may.
    Plain,
    /// It is a secret, or may lead to one.
    Secret,
}

impl Section {
    /// The whole configuration, which may be left out; `None` where it is no JSON object.
    #[must_use]
    pub fn root(json: Vec<u8>) -> Option<Self> {
        let path = String::new();
        if json.trim_ascii().is_empty() {
            return Some(Self { path, members: Members::None });
        }
        let document = Rc::new(Document::parse(json, CONFIG_JSON).ok()?);
        let members = match document.root().kind() {
            Kind::Object => Members::Of { document, at: 0 },
            Kind::Null => Members::None,
            Kind::True | Kind::False | Kind::Number | Kind::String | Kind::Array => return None,
        };
        Some(Self { path, members })
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
        self.raw(key).is_some()
    }

    /// Whether anything is written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.object().is_none_or(|object| object.members().next().is_none())
    }

    /// The members as written, by name.
    #[must_use]
    pub fn members(&self) -> Vec<(&str, Value<'_>)> {
        self.members.object().map(by_name).unwrap_or_default()
    }

    /// The raw value of `key`.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<Value<'_>> {
        self.members.object()?.member(key)
    }

    /// The object `key`, empty where it is absent.
    pub fn section(&self, key: &str, errors: &mut Errors) -> Self {
        let members = match (&self.members, self.raw(key)) {
            (Members::Of { document, .. }, Some(value)) => {
                Members::of(document, value).unwrap_or_else(|| {
                    errors.value(self.path(key), found(value, Shown::Secret), "an object");
                    Members::None
                })
            }
            (Members::None | Members::Of { .. }, _) => Members::None,
        };
        Self { path: self.path(key), members }
    }

    /// The objects of the list `key`.
    pub fn sections(&self, key: &str, errors: &mut Errors) -> Vec<Self> {
        let (Members::Of { document, .. }, Some(value)) = (&self.members, self.raw(key)) else {
            return Vec::new();
        };
        let path = self.path(key);
        let nested = match value.kind() {
            Kind::Array => None,
            Kind::String if value.as_str() == Some("") => return Vec::new(),
            Kind::String => match nested(value).filter(|list| list.root().kind() == Kind::Array) {
                Some(list) => Some(list),
                None => {
                    errors.value(path, "a string that is not JSON", "a list of objects");
                    return Vec::new();
                }
            },
            Kind::Null | Kind::True | Kind::False | Kind::Number | Kind::Object => {
                errors.value(path, found(value, Shown::Plain), "a list of objects");
                return Vec::new();
            }
        };
        let (document, list) = match &nested {
            Some(list) => (list, list.root()),
            None => (document, value),
        };
        let mut sections = Vec::new();
        for (index, value) in list.elements().enumerate() {
            let path = format!("{path}[{index}]");
            match Members::of(document, value) {
                Some(members) => sections.push(Self { path, members }),
                None => errors.value(path, found(value, Shown::Plain), "an object"),
            }
        }
        sections
    }

    /// A text that is not empty. An empty one counts as absent.
    pub fn text(&self, key: &str, shown: Shown, errors: &mut Errors) -> Option<String> {
        let value = self.raw(key)?;
        let Some(text) = value.as_str() else {
            errors.value(self.path(key), found(value, shown), "a string, in quotes");
            return None;
        };
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &str, default: bool, errors: &mut Errors) -> bool {
        let Some(value) = self.raw(key) else {
            return default;
        };
        match (value.as_bool(), value.as_str()) {
            (Some(value), _) => value,
            (None, Some("true")) => true,
            (None, Some("false")) => false,
            (None, _) => {
                errors.value(self.path(key), found(value, Shown::Plain), "true or false");
                default
            }
        }
    }

    /// A whole number within `range`.
    pub fn integer(&self, key: &str, default: u64, range: RangeInclusive<u64>, errors: &mut Errors) -> u64 {
        let Some(value) = self.raw(key) else {
            return default;
        };
        let digits = value.as_number().or(value.as_str());
        let digits = digits.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
        let number: Option<u64> = digits.and_then(|text| text.parse().ok());
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
        let Some(value) = self.raw(key) else {
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
        let value = self.raw(key)?;
        let text = match value.kind() {
            Kind::Array => return Some(self.texts_of(key, value, errors)),
            Kind::String => value.as_str().unwrap_or_default(),
            Kind::Null | Kind::True | Kind::False | Kind::Number | Kind::Object => {
                errors.value(self.path(key), found(value, Shown::Plain), "a list of strings");
                return Some(Vec::new());
            }
        };
        if text.trim_start().starts_with('[') {
            let Some(list) = nested(value) else {
                errors.value(self.path(key), quoted(text), "a list of strings, which is valid JSON");
                return Some(Vec::new());
            };
            return Some(self.texts_of(key, list.root(), errors));
        }
        if text.trim().is_empty() {
            return Some(Vec::new());
        }
        let mut list = Vec::new();
        for (index, element) in text.split(',').map(str::trim).enumerate() {
            if element.is_empty() {
                errors.value(format!("{}[{index}]", self.path(key)), quoted(element), AN_ELEMENT);
            } else {
                list.push(element.to_owned());
            }
        }
        Some(list)
    }

    /// The elements of the array `list`. One that is nothing would be a rule that is not there; a number is not what it
    /// was in YAML.
    fn texts_of(&self, key: &str, list: Value<'_>, errors: &mut Errors) -> Vec<String> {
        let mut texts = Vec::new();
        for (index, element) in list.elements().enumerate() {
            match element.as_str() {
                Some(text) if !text.trim().is_empty() => texts.push(text.to_owned()),
                Some(_) | None => {
                    let path = format!("{}[{index}]", self.path(key));
                    errors.value(path, found(element, Shown::Plain), AN_ELEMENT);
                }
            }
        }
        texts
    }

    /// An object whose values are texts. `None` where it is absent.
    pub fn texts(&self, key: &str, shown: Shown, errors: &mut Errors) -> Option<Vec<(String, String)>> {
        let value = self.raw(key)?;
        let path = self.path(key);
        let nested = nested(value);
        let object = nested.as_ref().map_or(value, |document| document.root());
        if object.kind() != Kind::Object && value.as_str() != Some("") {
            errors.value(path, found(value, shown), "an object whose values are strings");
            return Some(Vec::new());
        }
        let mut texts = Vec::new();
        for (name, value) in by_name(object) {
            match value.as_str() {
                Some(text) if !text.is_empty() && !name.is_empty() => {
                    texts.push((name.to_owned(), text.to_owned()));
                }
                None if value.kind() == Kind::Object => {
                    // A dot in the key of a label makes a level.
                    let expected = format!("a string; write {key} as JSON where a name has a dot");
                    errors.value(format!("{path}.{name}"), found(value, shown), expected);
                }
                Some(_) | None => {
                    errors.value(format!("{path}.{name}"), found(value, shown), AN_ELEMENT);
                }
            }
        }
        Some(texts)
    }
}

const AN_ELEMENT: &str = "a string that is not empty, in quotes";

/// The members of an object in the order of their names, which is that of Traefik and of our errors.
#[must_use]
pub fn by_name(object: Value<'_>) -> Vec<(&str, Value<'_>)> {
    let mut members: Vec<_> = object.members().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

/// What an error says of a value.
#[must_use]
pub fn found(value: Value<'_>, shown: Shown) -> String {
    match (value.kind(), shown) {
        (Kind::Null, _) => "nothing".into(),
        (Kind::True | Kind::False | Kind::Number, Shown::Plain) => value.raw().to_owned(),
        (Kind::True | Kind::False, Shown::Secret) => "a boolean".into(),
        (Kind::Number, Shown::Secret) => "a number".into(),
        (Kind::String, Shown::Plain) => quoted(value.as_str().unwrap_or_default()),
        (Kind::String, Shown::Secret) => {
            format!("a string of {} bytes", value.as_str().unwrap_or_default().len())
        }
        (Kind::Array, _) => "a list".into(),
        (Kind::Object, _) => "an object".into(),
    }
}
