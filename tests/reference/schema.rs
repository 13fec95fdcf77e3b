//! The JSON Schema of a file with blocks of the plugin (draft 2020-12), with the texts that labels and files deliver.

use serde_json::{Map, Value, json};
use traefik_jwt_auth::core::config::options::{Empty, Kind, Row, Scope, rows};

use crate::page::{default_value, sentence};

/// The whole: what editors know of a file is what stands in it, so it begins at the root of a dynamic configuration or of
/// a `Middleware` of Kubernetes. `$defs/options` is a block alone.
pub(crate) fn schema() -> Value {
    let not_blank = json!({"type": "string", "pattern": "\\S"});
    let middleware = json!({"properties": {"plugin": {"properties": {"jwt": {"$ref": "#/$defs/options"}}}}});
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "traefik-jwt-auth",
        "description": "A dynamic configuration of Traefik, or a Middleware of Kubernetes: the options of the plugin, below its name jwt",
        "properties": {
            "http": {"properties": {"middlewares": {"additionalProperties": middleware}}},
            "spec": middleware,
        },
        "$defs": {
            "options": object(None, None),
            "flag": {"enum": [true, false, "true", "false"]},
            "text": not_blank,
            "textOrEmpty": {"type": "string"},
            "list": {"anyOf": [{"type": "array", "items": not_blank, "minItems": 1}, not_blank]},
            "listOrEmpty": {"anyOf": [{"type": "array", "items": not_blank}, {"type": "string"}]},
            "lists": {"anyOf": [
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/list"}, "minProperties": 1},
                {"$ref": "#/$defs/text"}
            ]},
            "texts": {"anyOf": [{"type": "object", "additionalProperties": {"type": "string", "minLength": 1}}, {"type": "string"}]},
        },
    })
}

/// The options directly in `section`, of an element of `list`.
fn object(section: Option<&Row>, list: Option<&Row>) -> Value {
    let step = |section: &Row| if section.is_list_of_sections() { "[]." } else { "." };
    let mut properties = Map::new();
    for row in rows().filter(|row| list.is_none_or(|list| list.may_hold(row))) {
        let own = section.map_or(Some(row.path), |section| {
            row.path.strip_prefix(section.path)?.strip_prefix(step(section))
        });
        let shared = Some(row.path).filter(|_| list.is_some() && section == list);
        let is_name = |name: &&str| !name.contains(['.', '[']);
        if let Some(name) = own.filter(is_name).or(shared.filter(is_name)) {
            properties.insert(name.to_owned(), property(row, list));
        }
    }
    json!({"type": "object", "additionalProperties": false, "properties": properties})
}

fn property(row: &'static Row, list: Option<&Row>) -> Value {
    let may_be_empty = row.empty == Empty::Allowed;
    let reference =
        |name: &str| json!({"$ref": format!("#/$defs/{name}{}", if may_be_empty { "OrEmpty" } else { "" })});
    let text = if may_be_empty { json!({"type": "string"}) } else { json!({"$ref": "#/$defs/text"}) };
    let mut property = match row.kind {
        Kind::Text | Kind::Secret => reference("text"),
        Kind::Flag(_) => json!({"$ref": "#/$defs/flag"}),
        Kind::Whole(range) => json!({"anyOf": [
            {"type": "integer", "minimum": range.least, "maximum": range.most},
            {"type": "string", "pattern": "^[0-9]+$"},
        ]}),
        // YAML 1.1 makes false of off.
        Kind::Word(words, _) if words.contains(&"off") => {
            json!({"enum": words.iter().map(|word| json!(word)).chain([json!(false)]).collect::<Vec<_>>()})
        }
        Kind::Word(words, _) => json!({"enum": words}),
        Kind::List | Kind::ListOrNone | Kind::Issuers => reference("list"),
        Kind::Map | Kind::Secrets(_) => json!({"$ref": "#/$defs/texts"}),
        Kind::Lists => json!({"$ref": "#/$defs/lists"}),
        Kind::Object => {
            let mut section = object(Some(row), list);
            if !may_be_empty {
                section["minProperties"] = json!(1);
            }
            json!({"anyOf": [section, text]})
        }
        Kind::Objects(_) => {
            let item = object(Some(row), Some(row));
            let mut list = json!({"type": "array", "items": {"anyOf": [item, {"type": "string"}]}});
            if !may_be_empty {
                list["minItems"] = json!(1);
            }
            json!({"anyOf": [list, text]})
        }
        Kind::KeySet | Kind::Json => json!({"anyOf": [{"type": "object"}, {"type": "string"}]}),
        Kind::Time => json!({"anyOf": [{"type": "integer", "minimum": 0}, {"$ref": "#/$defs/text"}]}),
    };
    property["description"] = Value::from(sentence(row));
    if let Some(default) = default_value(row)
        .filter(|_| list.is_none_or(|list| list.may_hold(row) && row.scope != Scope::Inherited))
    {
        property["default"] = default;
    }
    property
}
