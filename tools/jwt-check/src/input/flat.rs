//! Labels, and keys of KV stores, as lines of text or as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::input::tree::{Entry, Node};
use crate::input::{Block, Form, Found, Lines};

/// What all labels and keys begin with.
const ROOT: &str = "traefik";

/// The entries of a text that is nothing but labels, or keys of a store with their values; else none.
pub(crate) fn entries(text: &str) -> Vec<Entry> {
    if let Ok(json) = serde_json::from_str::<Value>(text) {
        return store(&json);
    }
    let mut entries = Vec::new();
    let mut lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    while let Some((at, line)) = lines.next() {
        let number = Some(at.saturating_add(1));
        let line = line.trim();
        if line.starts_with('#') || line.starts_with("//") {
            continue;
        }
        let line = line.trim_start_matches('/');
        if line.strip_prefix(ROOT).is_some_and(|rest| rest.starts_with('/')) {
            match line.split_once([' ', '\t', '=']) {
                Some((key, value)) => entries.push(Entry::key(key, unquoted(value), number)),
                // etcdctl writes the value in the next line.
                None => {
                    let value = lines.next().map_or("", |(_, value)| value.trim());
                    entries.push(Entry::key(line, unquoted(value), number));
                }
            }
        } else if let Some((name, value)) = line.split_once('=').filter(|(name, _)| is_label(name)) {
            entries.extend(Entry::label(name.trim(), unquoted(value), number));
        } else {
            return Vec::new();
        }
    }
    entries
}

/// Whether this is the name of a label for Traefik.
pub(crate) fn is_label(name: &str) -> bool {
    let start = name.trim().get(..ROOT.len().saturating_add(1)).unwrap_or_default();
    start.eq_ignore_ascii_case("traefik.")
}

fn unquoted(value: &str) -> &str {
    let value = value.trim();
    let inner = |quote: char| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// `{"traefik/http/…": "value"}`, or what `consul kv export` and `etcdctl -w json` write.
fn store(json: &Value) -> Vec<Entry> {
    let pair = |pair: &Value| {
        let text = |name: &str| pair.get(name)?.as_str();
        let (key, value) = (text("key").or_else(|| text("Key"))?, text("value").or_else(|| text("Value"))?);
        let decoded = |text: &str| STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if is_key(key) {
            let value = decoded(value).unwrap_or_else(|| value.to_owned());
            return Some(Entry::key(key, &value, None));
        }
        let (key, value) = (decoded(key)?, decoded(value)?);
        is_key(&key).then(|| Entry::key(&key, &value, None))
    };
    match json {
        Value::Object(members) if members.keys().any(|key| is_key(key)) => {
            let value = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            members.iter().map(|(key, text)| Entry::key(key, &value(text), None)).collect()
        }
        Value::Object(members) => members.get("kvs").map(store).unwrap_or_default(),
        Value::Array(pairs) => pairs.iter().filter_map(pair).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn is_key(key: &str) -> bool {
    key.trim_start_matches('/').strip_prefix(ROOT).is_some_and(|rest| rest.starts_with('/'))
}

/// The blocks of these labels or keys.
pub(crate) fn blocks(entries: &[Entry], form: &Form, notes: &[String], found: &mut Found) {
    let tree = Node::tree(entries);
    let middlewares = [ROOT, "http", "middlewares"].iter().try_fold(&tree, |node, name| node.child(name));
    for middleware in middlewares.map(Node::children).unwrap_or_default() {
        for plugin in middleware.child("plugin").map(Node::children).unwrap_or_default() {
            let options = plugin.value();
            if !options.is_object() {
                continue;
            }
            found.blocks.push(Block {
                middleware: middleware.name().to_owned(),
                plugin: plugin.name().to_owned(),
                form: form.clone(),
                written: options.clone(),
                options,
                lines: lines(entries, middleware.name(), plugin.name()),
                notes: notes.to_vec(),
            });
        }
    }
}

/// The lines of the options of one plugin.
fn lines(entries: &[Entry], middleware: &str, plugin: &str) -> Lines {
    let block = [ROOT, "http", "middlewares", middleware, "plugin", plugin];
    let mut lines = Lines::default();
    for entry in entries {
        let Some((head, inner)) = entry.parts.split_at_checked(block.len()) else { continue };
        let is_in = head.iter().zip(block).all(|(part, name)| part.eq_ignore_ascii_case(name));
        if let Some(line) = entry.line.filter(|_| is_in) {
            lines.enter("", line);
            lines.enter(inner.join(".").replace(".[", "["), line);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{Form, Found, blocks, entries};
    use serde_json::json;

    #[test]
    fn dumps_of_stores() {
        let wanted = json!({"audience": ["orders"], "issuer": "https://a/"});
        for text in [
            "traefik/http/middlewares/j/plugin/jwt/audience/0 orders\n\
             # comment\n/traefik/http/middlewares/j/plugin/jwt/issuer \"https://a/\"\n",
            "traefik/http/middlewares/j/plugin/jwt/audience/0\norders\n\
             traefik/http/middlewares/j/plugin/jwt/issuer\nhttps://a/\n",
            r#"{"traefik/http/middlewares/j/plugin/jwt/audience/0": "orders",
                "traefik/http/middlewares/j/plugin/jwt/issuer": "https://a/"}"#,
            r#"[{"key": "traefik/http/middlewares/j/plugin/jwt/audience/0", "flags": 0, "value": "b3JkZXJz"},
                {"key": "traefik/http/middlewares/j/plugin/jwt/issuer", "value": "aHR0cHM6Ly9hLw=="}]"#,
            "traefik.http.middlewares.j.plugin.jwt.audience[0]=orders\n\
             traefik.http.middlewares.j.plugin.jwt.issuer=https://a/\n",
        ] {
            let mut found = Found::default();
            blocks(&entries(text), &Form::KeyValue, &[], &mut found);
            let found: Vec<_> =
                found.blocks.iter().map(|block| (block.middleware.as_str(), &block.options)).collect();
            assert_eq!(found, [("j", &wanted)], "{text}");
        }
        for text in ["a: b\n", "{}", "[1]", "traefik.x=1\nother: 2\n"] {
            assert_eq!(entries(text), [], "{text}");
        }
    }
}
