//! A value as it is written, which depends on the provider of the configuration: as JSON or as a text.

use std::rc::Rc;

use crate::core::config::options::Range;
use crate::core::json::{Document, Kind, Value};
use crate::core::limits::CONFIG_JSON;
use crate::core::text::quoted;
use crate::core::unix_time::UnixTime;

/// The JSON that a string is.
pub(super) fn nested(value: Value<'_>) -> Option<Rc<Document>> {
    Document::parse(value.as_str()?.as_bytes().to_vec(), CONFIG_JSON).ok().map(Rc::new)
}

/// The members of an object in the order of their names, which is that of Traefik and of our errors.
pub(super) fn by_name(object: Value<'_>) -> Vec<(&str, Value<'_>)> {
    let mut members: Vec<_> = object.members().collect();
    members.sort_unstable_by_key(|(name, _)| *name);
    members
}

/// What an error says of a value.
pub(super) fn found(value: Value<'_>, is_secret: bool) -> String {
    match (value.kind(), is_secret) {
        (Kind::Null, _) => "nothing".into(),
        (Kind::True | Kind::False | Kind::Number, false) => value.raw().to_owned(),
        (Kind::True | Kind::False, true) => "a boolean".into(),
        (Kind::Number, true) => "a number".into(),
        (Kind::String, false) => quoted(value.as_str().unwrap_or_default()),
        (Kind::String, true) => format!("a string of {} bytes", value.as_str().unwrap_or_default().len()),
        (Kind::Array, _) => "a list".into(),
        (Kind::Object, _) => "an object".into(),
    }
}

/// A whole number within `range`.
pub(super) fn whole(value: Value<'_>, range: &Range) -> Option<u64> {
    let digits = value.as_number().or(value.as_str())?;
    let number = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    (range.least..=range.most).contains(&number).then_some(number)
}

/// RFC 3339, or seconds since 1970.
pub(super) fn instant(value: Value<'_>) -> Option<UnixTime> {
    let text = value.as_number().or(value.as_str())?;
    UnixTime::from_rfc3339(text).or_else(|| text.parse().ok().map(UnixTime::from_seconds))
}

/// Nothing, however it is written.
pub(super) fn is_empty(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::String => value.as_str().is_some_and(|text| text.trim().is_empty()),
        Kind::Array => value.elements().next().is_none(),
        Kind::Object => value.members().next().is_none(),
        Kind::True | Kind::False | Kind::Number => false,
    }
}

/// An empty list or object as JSON in a text.
pub(super) fn is_empty_json(value: Value<'_>) -> bool {
    let text = value.as_str().unwrap_or_default().trim();
    [('[', ']'), ('{', '}')].into_iter().any(|(open, close)| {
        let inner = text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
        inner.is_some_and(|inner| inner.trim().is_empty())
    })
}
