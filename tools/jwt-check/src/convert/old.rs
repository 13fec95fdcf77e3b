//! The old block: every option is taken out of it once, and what nobody took is left over.

use serde_json::{Map, Value};

/// The options of a block, by their names without case: Traefik finds those of plugins in Go so.
pub(super) struct Old(Vec<(String, Value)>);

impl Old {
    pub(super) fn of(block: &Value) -> Self {
        let members = block.as_object().into_iter().flatten();
        Self(members.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// Takes an option, with the name under which it is written.
    pub(super) fn take(&mut self, name: &str) -> Option<(String, Value)> {
        let at = self.0.iter().position(|(written, _)| written.eq_ignore_ascii_case(name))?;
        Some(self.0.remove(at)).filter(|(_, value)| !value.is_null())
    }

    /// What is left.
    pub(super) fn rest(self) -> Vec<String> {
        self.0.into_iter().map(|(name, _)| name).collect()
    }
}

/// A text; numbers and booleans as they are written.
pub(super) fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A list, also as a label has it: JSON, or words with commas.
pub(super) fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(elements) => elements.clone(),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(Value::Array(elements)) => elements,
            _ if text.contains("-----BEGIN") => vec![value.clone()],
            _ => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                words.map(Value::from).collect()
            }
        },
        Value::Null => Vec::new(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => vec![value.clone()],
    }
}

/// An object, also as JSON in a text.
pub(super) fn object(value: &Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members.clone()),
        Value::String(text) => serde_json::from_str::<Value>(text).ok()?.as_object().cloned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

pub(super) fn boolean(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| text(value).eq_ignore_ascii_case("true"))
}

/// What a text among keys is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Url,
    Pem,
    Secret,
}

pub(super) fn kind(text: &str) -> Kind {
    if text.contains("-----BEGIN ") {
        Kind::Pem
    } else if text.contains("://") {
        Kind::Url
    } else {
        Kind::Secret
    }
}
