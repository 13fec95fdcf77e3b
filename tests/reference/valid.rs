//! The part of JSON Schema (draft 2020-12) that the schema of the options uses. Another keyword panics, so that none is
//! ignored.

use regex_lite::Regex;
use serde_json::Value;

/// Whether `value` is as `schema` says, whose references are found in `root`.
pub(crate) fn is_valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let Some(schema) = schema.as_object() else { return schema.as_bool().unwrap() };
    let valid = |schema: &Value, value: &Value| is_valid(root, schema, value);
    let at_least = |length: usize, rule: &Value| u64::try_from(length).unwrap() >= rule.as_u64().unwrap();
    schema.iter().all(|(keyword, rule)| match keyword.as_str() {
        "$schema" | "$id" | "$defs" | "title" | "description" | "default" => true,
        "$ref" => valid(root.pointer(rule.as_str().unwrap().trim_start_matches('#')).unwrap(), value),
        "anyOf" => rule.as_array().unwrap().iter().any(|schema| valid(schema, value)),
        "enum" => rule.as_array().unwrap().contains(value),
        "type" => match rule.as_str().unwrap() {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_u64() || value.is_i64(),
            other => panic!("{other}"),
        },
        "pattern" => {
            value.as_str().is_none_or(|text| Regex::new(rule.as_str().unwrap()).unwrap().is_match(text))
        }
        "minLength" => value.as_str().is_none_or(|text| at_least(text.len(), rule)),
        "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
        "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
        "minItems" => value.as_array().is_none_or(|list| at_least(list.len(), rule)),
        "minProperties" => value.as_object().is_none_or(|members| at_least(members.len(), rule)),
        "items" => value.as_array().is_none_or(|list| list.iter().all(|element| valid(rule, element))),
        "properties" => value.as_object().is_none_or(|members| {
            members.iter().all(|(name, value)| rule.get(name).is_none_or(|schema| valid(schema, value)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|members| {
            let known = schema.get("properties");
            let other = |name: &str| known.is_none_or(|known| known.get(name).is_none());
            members.iter().all(|(name, value)| !other(name) || valid(rule, value))
        }),
        other => panic!("{other}"),
    })
}
