//! The configuration as the rows of the options say: one walk refuses what is not an option, what is of another kind or out
//! of range, and what is empty and must not be, all at once. What is left is read without errors.
//!
//! Kubernetes delivers real types. Traefik's other providers turn every scalar into a string ("true", "60"), also those
//! of YAML and TOML files, and an empty list or object into an empty one. Lists in labels and KV stores may arrive as
//! "a,b", objects as JSON in a string.

use std::rc::Rc;

use crate::core::config::error::{Errors, Problem};
use crate::core::config::hint::hint;
use crate::core::config::options::{self, Empty, Kind, Row, Scope, Shared, Syntax};
use crate::core::config::values::{Typed, Values, join};
use crate::core::config::written::{by_name, found, instant, is_empty, is_empty_json, nested, whole};
use crate::core::json::{Document, Kind as Json, Value};
use crate::core::limits::CONFIG_JSON;
use crate::core::text::quoted;

/// An object of a document, and the options that it may have.
struct Object<'d> {
    document: &'d Rc<Document>,
    value: Option<Value<'d>>,
    /// The section that it is, or the list of sections whose element; none for the top level.
    section: Option<&'static Row>,
    /// The list of sections that it is in.
    list: Option<&'static Row>,
    /// Where it is.
    path: String,
}

/// The values of the whole configuration; `None` if it is not a JSON object. An empty text is an empty configuration.
#[inline(never)]
pub fn read(json: Vec<u8>, errors: &mut Errors) -> Option<Values> {
    if json.trim_ascii().is_empty() {
        return Some(Values::default());
    }
    let document = Rc::new(Document::parse(json, CONFIG_JSON).ok()?);
    let root = document.root();
    match root.kind() {
        Json::Object => {
            let root = Object {
                document: &document,
                value: Some(root),
                section: None,
                list: None,
                path: String::new(),
            };
            Some(element(root, errors))
        }
        Json::Null => Some(Values::default()),
        Json::True | Json::False | Json::Number | Json::String | Json::Array => None,
    }
}

fn element(object: Object<'_>, errors: &mut Errors) -> Values {
    let mut values = Values { place: object.path.clone(), written: Vec::new() };
    walk(&object, &mut values.written, errors);
    values
}

/// Reads the options of an object, and those of the sections in it.
#[inline(never)]
fn walk(object: &Object<'_>, into: &mut Vec<(&'static Row, Typed)>, errors: &mut Errors) {
    for (name, value) in object.value.map(by_name).unwrap_or_default() {
        match object.option(name) {
            Some(row) => {
                let written = written(row, object, name, value, into, errors);
                into.push((row, written));
            }
            None => {
                let (hint, meant) =
                    hint(&object.pattern(name), value).map(|hint| (hint.text, hint.meant)).unzip();
                errors.push(object.place(name), Problem::Unknown { hint, meant: meant.unwrap_or_default() });
            }
        }
    }
}

impl Object<'_> {
    fn place(&self, name: &str) -> String {
        join(&self.path, name)
    }

    /// The path of a member as rows have it, also if there is no such row.
    fn pattern(&self, name: &str) -> String {
        let Some(section) = self.section else { return name.to_owned() };
        let list = self.list.filter(|list| *list != section && !list.owns(section));
        let outer = list.map(|list| format!("{}[].", list.path)).unwrap_or_default();
        format!("{outer}{}{}{name}", section.path, step(section))
    }

    /// The row of the member `name`.
    fn option(&self, name: &str) -> Option<&'static Row> {
        let own = self.section.map_or_else(|| find("", "", name), |row| find(row.path, step(row), name));
        let Some(list) = self.list else { return own };
        let shared = || find("", "", name).filter(|_| self.section == Some(list));
        own.or_else(shared).filter(|row| list.may_hold(row))
    }
}

/// What stands between a section and the names in it.
const fn step(section: &Row) -> &'static str {
    if section.is_list_of_sections() { "[]." } else { "." }
}

/// The row of `name` in a section.
#[inline(never)]
fn find(section: &str, step: &str, name: &str) -> Option<&'static Row> {
    // It would be the path of an option in a section.
    if name.contains('.') {
        return None;
    }
    // Most rows differ in their length.
    let length = section.len().saturating_add(step.len()).saturating_add(name.len());
    let inner = |row: &Row| row.path.strip_prefix(section).and_then(|inner| inner.strip_prefix(step));
    let is_it = |row: &Row| row.path.len() == length && inner(row) == Some(name);
    options::TABLES.iter().find_map(|table| table.rows.iter().find(|row| is_it(row)).copied())
}

/// The value of one option.
#[inline(never)]
fn written(
    row: &'static Row,
    object: &Object<'_>,
    name: &str,
    value: Value<'_>,
    into: &mut Vec<(&'static Row, Typed)>,
    errors: &mut Errors,
) -> Typed {
    if let Some(instead) = must_not_be_empty(row, object.list, value) {
        errors.push(object.place(name), Problem::EmptyOption { instead });
        return Typed::Refused;
    }
    let text = value.as_str();
    let expected = match (row.kind, text) {
        (Kind::Text | Kind::Secret | Kind::KeySet, Some("")) => return Typed::Nothing,
        (Kind::Text | Kind::Secret | Kind::KeySet, Some(text)) => match unlike(row, text) {
            None => return Typed::Text(text.to_owned()),
            Some(syntax) => syntax.expected.to_owned(),
        },
        (Kind::Text | Kind::Secret, None) => "a string, in quotes".to_owned(),
        (Kind::Flag(_), _) => match (value.as_bool(), text) {
            (Some(flag), _) => return Typed::Flag(flag),
            (None, Some("true")) => return Typed::Flag(true),
            (None, Some("false")) => return Typed::Flag(false),
            (None, _) => "true or false".to_owned(),
        },
        (Kind::Whole(range), _) => match whole(value, range) {
            Some(number) => return Typed::Whole(number),
            None => format!("a whole number from {} to {}", range.least, range.most),
        },
        // YAML 1.1, which Kubernetes reads, makes false of off.
        (Kind::Word(words, _), _) => match words
            .iter()
            .position(|word| text == Some(word) || (*word == "off" && value.as_bool() == Some(false)))
        {
            Some(number) => return Typed::Word(number),
            None => format!("one of {}", words.join(", ")),
        },
        (Kind::Time, _) => match instant(value) {
            Some(time) => return Typed::Time(time),
            None => "a time, such as 2026-01-01T00:00:00Z, or seconds since 1970".to_owned(),
        },
        (Kind::List | Kind::ListOrNone | Kind::Issuers, _) => {
            return list(row, object.place(name), value, errors);
        }
        (Kind::Map | Kind::Lists | Kind::Secrets(_), _) => {
            return map(row, object.place(name), value, errors);
        }
        (Kind::Objects(_), _) => return sections(row, object, name, value, errors),
        (Kind::Object | Kind::Json | Kind::KeySet, _) => {
            let nested = nested(value);
            let (document, value) = effective(object.document, value, nested.as_ref());
            if value.kind() == Json::Object {
                if !matches!(row.kind, Kind::Object) {
                    return Typed::Json(Rc::clone(document), value.index());
                }
                let path = object.place(name);
                let section = Object { document, value: Some(value), section: Some(row), path, ..*object };
                walk(&section, into, errors);
                return Typed::Section;
            }
            if text == Some("") {
                return Typed::Nothing;
            }
            let set = matches!(row.kind, Kind::KeySet);
            if set { "a JWK Set: an object with a list \"keys\"" } else { "an object" }.to_owned()
        }
    };
    errors.value(object.place(name), found(value, row.is_secret()), expected);
    Typed::Refused
}

/// The syntax that `text` does not follow.
fn unlike(row: &Row, text: &str) -> Option<&'static Syntax> {
    row.syntax.filter(|syntax| !(syntax.is)(text))
}

/// The JSON that a string is, or the value itself.
fn effective<'d>(
    document: &'d Rc<Document>,
    value: Value<'d>,
    nested: Option<&'d Rc<Document>>,
) -> (&'d Rc<Document>, Value<'d>) {
    nested.map_or((document, value), |nested| (nested, nested.root()))
}

/// What to do instead, if `value` is empty and `row` must not be.
fn must_not_be_empty(row: &Row, list: Option<&Row>, value: Value<'_>) -> Option<&'static str> {
    let Empty::Refused(instead) = row.empty else { return None };
    let may_be_none = matches!(row.kind, Kind::ListOrNone);
    // An empty list as JSON in a text is written on purpose.
    let is_none = || may_be_none && value.as_str().is_some_and(|text| text.trim_start().starts_with('['));
    if !is_empty(value) && (!is_empty_json(value) || is_none()) {
        return None;
    }
    Some(match row.scope {
        _ if instead.is_empty() => VALUE,
        _ if list
            .is_some_and(|list| !list.owns(row) && matches!(list.kind, Kind::Objects(Shared::OfRules))) =>
        {
            VALUE
        }
        Scope::Inherited if list.is_some() && !may_be_none => {
            "leave the option out to have that of the top level"
        }
        Scope::Top | Scope::Own | Scope::Inherited => instead,
    })
}

/// What to do instead of leaving an option empty, unless its row says more.
const VALUE: &str = "leave the option out, or give it a value";

const AN_ELEMENT: &str = "a string that is not empty, in quotes";

/// A list of texts: an array, a JSON array in a string, or one string with commas between the elements.
#[inline(never)]
fn list(row: &Row, path: String, value: Value<'_>, errors: &mut Errors) -> Typed {
    let issuers = matches!(row.kind, Kind::Issuers);
    let before = errors.len();
    let mut list = Vec::new();
    match (value.kind(), value.as_str().unwrap_or_default()) {
        (Json::Array, _) => texts_of(&path, value, &mut list, errors),
        (Json::String, text) if text.trim_start().starts_with('[') => match nested(value) {
            Some(nested) => texts_of(&path, nested.root(), &mut list, errors),
            None => errors.value(&path, quoted(text), "a list of strings, which is valid JSON"),
        },
        (Json::String, text) if issuers => list = issuers_of(&path, text, errors),
        (Json::String, text) if text.trim().is_empty() => {}
        (Json::String, text) => {
            for (index, element) in text.split(',').map(str::trim).enumerate() {
                if element.is_empty() {
                    errors.value(format!("{path}[{index}]"), quoted(element), AN_ELEMENT);
                }
                list.push(element.to_owned());
            }
        }
        (Json::Null | Json::True | Json::False | Json::Number | Json::Object, _) => {
            let expected =
                if issuers { "a string in quotes, or a list of strings" } else { "a list of strings" };
            errors.value(&path, found(value, false), expected);
        }
    }
    let none = matches!(row.kind, Kind::ListOrNone).then(|| list.iter().position(|text| text == "none"));
    match none.flatten() {
        Some(_) if list.len() == 1 => list.clear(),
        Some(at) => errors
            .conflict(format!("{path}[{at}]"), "none stands alone; beside it are claims that are required"),
        None => {}
    }
    if errors.len() != before {
        return Typed::Refused;
    }
    list.retain(|text| {
        let syntax = unlike(row, text);
        syntax.inspect(|syntax| errors.value(&path, quoted(text), syntax.expected)).is_none()
    });
    if errors.len() == before { Typed::List(list) } else { Typed::Part(list) }
}

/// The elements of the array `value`. An empty element would be a missing rule, and a number may have been another text in
/// YAML.
fn texts_of(path: &str, value: Value<'_>, list: &mut Vec<String>, errors: &mut Errors) {
    for (index, element) in value.elements().enumerate() {
        match element.as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => list.push(text.to_owned()),
            None => errors.value(format!("{path}[{index}]"), found(element, false), AN_ELEMENT),
        }
    }
}

/// A StringOrURI may hold a comma, so a text is one issuer, unless a URL follows every comma: that is what Traefik's
/// KV providers make of a list. Nothing else is trimmed: names are compared byte for byte.
fn issuers_of(path: &str, text: &str, errors: &mut Errors) -> Vec<String> {
    let parts = || text.split(',').map(str::trim);
    if parts().all(|part| part.contains("://")) {
        return parts().map(str::to_owned).collect();
    }
    if text.contains(',') && text.contains("://") {
        let expected = "URLs alone between commas, or a list as JSON, such as [\"https://a.example/x,y\"]";
        errors.value(path, quoted(text), expected);
    }
    vec![text.to_owned()]
}

/// An object whose values are texts.
#[inline(never)]
fn map(row: &Row, path: String, value: Value<'_>, errors: &mut Errors) -> Typed {
    let before = errors.len();
    let nested = nested(value);
    let object = nested.as_ref().map_or(value, |document| document.root());
    let expected =
        if let Kind::Secrets(expected) = row.kind { expected } else { "an object whose values are strings" };
    if object.kind() != Json::Object && value.as_str() != Some("") {
        errors.value(path, found(object, row.is_secret()), expected);
        return Typed::Refused;
    }
    let (mut texts, mut lists) = (Vec::new(), Vec::new());
    for (name, value) in by_name(object) {
        let path = || format!("{path}.{name}");
        match value.as_str() {
            _ if matches!(row.kind, Kind::Lists) => {
                if let Typed::List(list) = list(row, path(), value, errors) {
                    lists.push((name.to_owned(), list));
                }
            }
            Some(text) if !text.is_empty() && !name.is_empty() => {
                texts.push((name.to_owned(), text.to_owned()));
            }
            None if value.kind() == Json::Object => {
                // A dot in the key of a label makes a level.
                let key = row.path.rsplit('.').next().unwrap_or_default();
                let expected = format!("a string; write {key} as JSON if a name has a dot");
                errors.value(path(), found(value, row.is_secret()), expected);
            }
            Some(_) | None => errors.value(path(), found(value, row.is_secret()), AN_ELEMENT),
        }
    }
    if errors.len() != before {
        return Typed::Refused;
    }
    if matches!(row.kind, Kind::Lists) { Typed::Lists(lists) } else { Typed::Map(texts) }
}

/// A list of sections.
fn sections(
    row: &'static Row,
    object: &Object<'_>,
    name: &str,
    value: Value<'_>,
    errors: &mut Errors,
) -> Typed {
    let nested = nested(value);
    let (document, list) = effective(object.document, value, nested.as_ref());
    let path = object.place(name);
    if list.kind() != Json::Array {
        return match value.as_str() {
            Some("") => Typed::Sections(Vec::new()),
            Some(_) => {
                errors.value(path, "a string that is not JSON", "a list of objects");
                Typed::Refused
            }
            None => {
                errors.value(path, found(value, false), "a list of objects");
                Typed::Refused
            }
        };
    }
    let mut sections = Vec::new();
    for (index, value) in list.elements().enumerate() {
        let path = format!("{path}[{index}]");
        let nested = self::nested(value);
        let (document, inner) = effective(document, value, nested.as_ref());
        let is_object = inner.kind() == Json::Object;
        if is_object || value.as_str() == Some("") {
            let value = is_object.then_some(inner);
            sections
                .push(element(Object { document, value, section: Some(row), list: Some(row), path }, errors));
        } else {
            errors.value(path, found(value, false), "an object");
        }
    }
    Typed::Sections(sections)
}
