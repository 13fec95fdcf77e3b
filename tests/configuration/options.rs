//! Every option of `examples/options.yml`: somebody reads it, and it means the same as a text.

use serde_json::{Value, json};
use traefik_jwt_auth::core::config::ConfigError;
use traefik_jwt_auth::core::config::options::paths;

use crate::{compiled, with};

/// The configurations of `examples/options.yml` by the name of their middleware, as YAML has them.
fn examples() -> Vec<(String, Value)> {
    let file: Value = yaml_serde::from_str(include_str!("../../examples/options.yml")).unwrap();
    let middlewares = file["http"]["middlewares"].as_object().unwrap();
    middlewares.iter().map(|(name, middleware)| (name.clone(), middleware["plugin"]["jwt"].clone())).collect()
}

pub(crate) fn example(name: &str) -> Value {
    examples().into_iter().find(|(known, _)| known == name).unwrap().1
}

/// The pattern of every leaf of `value`, as [`paths`] writes it, with a pointer to it.
fn leaves(value: &Value, pattern: &str, pointer: &str, found: &mut Vec<(String, String)>) {
    let options = paths();
    let is_option = |pattern: &str| options.iter().any(|option| option == pattern);
    let inner = |name: &str| if pattern.is_empty() { name.to_owned() } else { format!("{pattern}.{name}") };
    match value {
        _ if is_option(pattern) => found.push((pattern.to_owned(), pointer.to_owned())),
        Value::Object(members) => {
            for (name, value) in members {
                let any = inner("*");
                let pattern = if is_option(&any) { any } else { inner(name) };
                leaves(value, &pattern, &format!("{pointer}/{name}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, value) in elements.iter().enumerate() {
                leaves(value, &format!("{pattern}[]"), &format!("{pointer}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("{pattern} is not an option")
        }
    }
}

#[test]
fn every_option_is_read() {
    let mut seen = Vec::new();
    for (_, config) in examples() {
        compiled(&config);
        let mut found = Vec::new();
        leaves(&config, "", "", &mut found);
        for (pattern, pointer) in found {
            // A value that fits no option: an option that nobody reads would not notice.
            let mut wrong = config.clone();
            *wrong.pointer_mut(&pointer).unwrap() = json!([{"no": "such"}, 7]);
            let path = pointer.trim_start_matches('/').replace('/', ".");
            let path =
                (0..9).fold(path, |path, digit| path.replace(&format!(".{digit}"), &format!("[{digit}]")));
            let errors = with(wrong.to_string().as_bytes(), true).expect_err(&pattern);
            let told = |error: &ConfigError| error.path.starts_with(&path);
            assert!(errors.iter().any(told), "{path}: {errors:?}");
            seen.push(pattern);
        }
    }
    let unread: Vec<_> = paths().into_iter().filter(|option| !seen.contains(option)).collect();
    assert!(unread.is_empty(), "not in the example: {unread:?}");
}

/// `value` as labels have it: scalars as text, lists with commas, objects as JSON.
fn as_label(value: &Value) -> Value {
    match value {
        Value::Array(list)
            if list.iter().all(|element| element.as_str().is_some_and(|text| !text.contains(','))) =>
        {
            Value::from(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Value::from(value.to_string())
        }
        Value::String(_) | Value::Null => value.clone(),
    }
}

#[test]
fn every_value_may_be_a_text() {
    for (_, config) in examples() {
        let native = format!("{:?}", compiled(&config));
        let mut found = Vec::new();
        leaves(&config, "", "", &mut found);
        let sections = [
            "/trustedIssuers",
            "/tokenSources",
            "/clientConfig",
            "/clientConfig/tls",
            "/clientConfig/headers",
            "/keys",
            "/jwksCache",
            "/scopes",
            "/forwardHeaders",
            "/verdictHeader",
            "/errors",
            "/resourceMetadata",
            "/tests",
        ];
        let pointers = found.iter().map(|(_, pointer)| pointer.as_str()).chain(sections);
        let mut all = config.clone();
        for pointer in pointers {
            let mut one = config.clone();
            let Some(value) = one.pointer_mut(pointer) else { continue };
            *value = as_label(value);
            assert_eq!(native, format!("{:?}", compiled(&one)), "{pointer}");
            if let Some(value) = all.pointer_mut(pointer) {
                *value = as_label(value);
            }
        }
        assert_eq!(native, format!("{:?}", compiled(&all)));
    }
}
