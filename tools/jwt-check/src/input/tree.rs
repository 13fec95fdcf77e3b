//! Labels and keys of KV stores become one tree of texts, and YAML and TOML files other values than are written: what
//! Traefik hands on to a plugin (its library `paerser`), because that is what has to be checked.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A label or key, in parts; an index of a list is a part of its own, `[0]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) parts: Vec<String>,
    pub(crate) value: String,
    pub(crate) line: Option<usize>,
}

impl Entry {
    /// A label with its value; `None` where Traefik refuses its name.
    pub(crate) fn label(name: &str, value: &str, line: Option<usize>) -> Option<Self> {
        let mut parts = Vec::new();
        for part in name.split('.') {
            if part.is_empty() || part.starts_with('[') {
                return None;
            }
            match part.find('[').filter(|_| part.ends_with(']')) {
                Some(at) => parts.extend([part.get(..at)?.to_owned(), part.get(at..)?.to_owned()]),
                None => parts.push(part.to_owned()),
            }
        }
        Some(Self { parts, value: value.to_owned(), line })
    }

    /// A key of a KV store with its value.
    pub(crate) fn key(key: &str, value: &str, line: Option<usize>) -> Self {
        let part = |part: &str| {
            let is_index = part.bytes().all(|byte| byte.is_ascii_digit());
            if is_index { format!("[{part}]") } else { part.to_owned() }
        };
        let parts = key.split('/').filter(|part| !part.is_empty()).map(part).collect();
        Self { parts, value: value.to_owned(), line }
    }
}

/// A part of the tree.
#[derive(Default)]
pub(crate) struct Node {
    name: String,
    value: String,
    children: Vec<Node>,
}

impl Node {
    /// The tree of entries. They are taken in the order of their names, as Traefik does: `[10]` comes before `[2]`.
    pub(crate) fn tree(entries: &[Entry]) -> Self {
        let sorted: BTreeMap<String, &Entry> =
            entries.iter().map(|entry| (entry.parts.join(".").replace(".[", "["), entry)).collect();
        let mut root = Self::default();
        for entry in sorted.values() {
            root.insert(&entry.parts, &entry.value);
        }
        root
    }

    fn insert(&mut self, parts: &[String], value: &str) {
        let Some((first, rest)) = parts.split_first() else {
            value.clone_into(&mut self.value);
            return;
        };
        // Names that differ in case are one, by the first of them.
        let at = self.children.iter().position(|child| child.name.eq_ignore_ascii_case(first));
        let child = match at {
            Some(at) => self.children.get_mut(at),
            None => {
                self.children.push(Self { name: first.clone(), ..Self::default() });
                self.children.last_mut()
            }
        };
        if let Some(child) = child {
            child.insert(rest, value);
        }
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What is inside.
    pub(crate) fn children(&self) -> &[Self] {
        &self.children
    }

    /// The child of this name, in whatever case.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name.eq_ignore_ascii_case(name))
    }

    /// What the plugin gets.
    pub(crate) fn value(&self) -> Value {
        match self.children.first() {
            None => Value::String(self.value.clone()),
            Some(first) if first.name.starts_with('[') => {
                Value::Array(self.children.iter().map(Self::value).collect())
            }
            Some(_) => {
                let member = |child: &Self| (child.name.clone(), child.value());
                Value::Object(self.children.iter().map(member).collect())
            }
        }
    }
}

/// What the plugin gets of a value in a YAML, TOML or JSON file.
pub(crate) fn from_file(value: &Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value.clone(),
        Value::Bool(_) | Value::Number(_) => Value::String(text(value)),
        Value::Object(members) if members.values().all(Value::is_null) => Value::String(String::new()),
        Value::Object(members) => {
            let there = members.iter().filter(|(_, value)| !value.is_null());
            Value::Object(there.map(|(name, value)| (name.clone(), from_file(value))).collect())
        }
        Value::Array(elements) if elements.is_empty() => Value::String(String::new()),
        Value::Array(elements) if elements.iter().any(Value::is_object) => {
            Value::Array(elements.iter().filter(|element| element.is_object()).map(from_file).collect())
        }
        // Numbers stay numbers where there is no text among them.
        Value::Array(elements) if elements.iter().any(Value::is_string) => {
            let one =
                |element: &Value| if element.is_null() { Value::Null } else { Value::String(text(element)) };
            Value::Array(elements.iter().map(one).collect())
        }
        Value::Array(_) => value.clone(),
    }
}

/// A scalar as Go writes it; of a float, six places.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let text = format!("{:.6}", number.as_f64().unwrap_or_default());
            text.strip_suffix(".000000").map_or(text.clone(), str::to_owned)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

/// Replaces every text in `value` by what `with` gives for it.
pub(crate) fn map_texts(value: &Value, path: &str, with: &mut dyn FnMut(&str, &str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(with(path, text)),
        Value::Array(elements) => {
            let each = |(at, element)| map_texts(element, &format!("{path}[{at}]"), with);
            Value::Array(elements.iter().enumerate().map(each).collect())
        }
        Value::Object(members) => {
            let mut mapped = Map::new();
            for (name, member) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                mapped.insert(name.clone(), map_texts(member, &path, with));
            }
            Value::Object(mapped)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Node, from_file};
    use serde_json::json;

    #[test]
    fn labels_as_traefik_takes_them() {
        let labels = [
            ("a.audience[0]", "x"),
            ("a.audience[1]", "y"),
            ("a.tokenSources[10].cookie", "later"),
            ("a.tokenSources[2].header", "X"),
            ("a.TokenSources[3].header", "Y"),
            ("a.mode", "optional"),
            ("a.scopes", "lost"),
            ("a.scopes.required", "r"),
        ];
        let entries: Vec<Entry> =
            labels.iter().filter_map(|(name, value)| Entry::label(name, value, None)).collect();
        assert_eq!(entries.len(), labels.len());
        assert_eq!(
            Node::tree(&entries).value()["a"],
            json!({
                "audience": ["x", "y"], "mode": "optional", "scopes": {"required": "r"},
                // `TokenSources` sorts before `tokenSources`.
                "TokenSources": [{"header": "Y"}, {"cookie": "later"}, {"header": "X"}],
            })
        );
        assert_eq!(Entry::label("a..b", "x", None), None);
        assert_eq!(Entry::label("a.[0]", "x", None), None);
    }

    #[test]
    fn keys_of_stores_have_indexes_as_names() {
        let keys = [("a/audience/0", "x"), ("a/forwardHeaders/X-User", "sub")];
        let entries: Vec<Entry> = keys.iter().map(|(key, value)| Entry::key(key, value, None)).collect();
        assert_eq!(
            Node::tree(&entries).value()["a"],
            json!({"audience": ["x"], "forwardHeaders": {"X-User": "sub"}})
        );
    }

    #[test]
    fn files_as_traefik_hands_them_on() {
        for (written, handed_on) in [
            (
                json!({"a": 60, "b": true, "c": 1.5, "d": 2.0}),
                json!({"a": "60", "b": "true", "c": "1.500000", "d": "2"}),
            ),
            (json!({"a": null, "b": [], "c": {}}), json!({"b": "", "c": ""})),
            (
                json!({"a": ["x", 1], "b": [1, 2], "c": [{"d": 1}]}),
                json!({"a": ["x", "1"], "b": [1, 2], "c": [{"d": "1"}]}),
            ),
        ] {
            assert_eq!(from_file(&written), handed_on);
        }
    }
}
