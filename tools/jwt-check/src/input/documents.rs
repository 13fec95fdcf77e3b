//! YAML, TOML and JSON: which document is what, and where in it the blocks are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::input::tree::{Entry, from_file, map_texts};
use crate::input::{Block, Environment, File, Form, Found, Lines, flat, variables};

/// What Traefik replaces by the value of a secret.
const SECRET: &str = "urn:k8s:secret:";

/// Members of files that are no block of options.
const OTHERS: &[&str] = &[
    "http",
    "tcp",
    "udp",
    "apiVersion",
    "kind",
    "services",
    "entryPoints",
    "providers",
    "certificatesResolvers",
    "experimental",
    "repos",
];

/// A document, and where it stands in the file.
struct Document {
    value: Value,
    lines: Lines,
}

pub(super) fn read(file: File<'_>, environment: Environment<'_>, found: &mut Found) {
    let documents = if is_toml(file) { toml(file.text, found) } else { yaml(file.text, environment, found) };
    let secrets: Vec<Secret> = documents.iter().flat_map(|document| secrets(&document.value)).collect();
    for document in &documents {
        look_into(&document.value, &document.lines, "", &secrets, environment, found);
    }
    if found.blocks.is_empty() && found.unreadable.is_empty() {
        let alone = |value: &&Document| {
            let members = value.value.as_object();
            members.is_some_and(|members| !members.keys().any(|name| OTHERS.contains(&name.as_str())))
        };
        for document in documents.iter().filter(alone).filter(|document| !is_labels(&document.value)) {
            found.blocks.push(Block {
                middleware: "the whole file".into(),
                plugin: "jwt".into(),
                form: Form::Bare,
                written: document.value.clone(),
                options: document.value.clone(),
                lines: document.lines.below(""),
                notes: Vec::new(),
            });
        }
    }
}

/// By its name; standard input by its first line, which is the name of a table.
fn is_toml(file: File<'_>) -> bool {
    let mut lines =
        file.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let is_table = |line: &str| {
        let name = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        name.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.contains('.'))
    };
    let is_named = file.name.to_ascii_lowercase().ends_with(".toml");
    is_named || (file.name == "-" && lines.next().is_some_and(is_table))
}

/// How deep values and tables may stand in one another in TOML, as YAML and JSON have it: their readers have a bound, this one has
/// none, and its stack has an end.
const DEPTH: usize = 128;

/// Whether more than [`DEPTH`] brackets are open, or names stand between dots, outside of texts and comments.
fn is_deep(text: &str) -> bool {
    let (mut open, mut dots, mut rest) = (0_usize, 0_usize, text);
    while let Some(c) = rest.chars().next() {
        let long = rest.strip_prefix("\"\"\"").map(|inner| (inner, "\"\"\""));
        let quoted = long.or_else(|| rest.strip_prefix("'''").map(|inner| (inner, "'''")));
        rest = match quoted {
            Some((inner, quote)) => behind(inner, quote),
            None => rest.get(c.len_utf8()..).unwrap_or_default(),
        };
        match c {
            '"' | '\'' if quoted.is_none() => rest = behind(rest, if c == '"' { "\"" } else { "'" }),
            '#' => rest = rest.split_once('\n').map_or("", |(_, rest)| rest),
            '[' | '{' => (open, dots) = (open.saturating_add(1), 0),
            ']' | '}' => open = open.saturating_sub(1),
            '.' => dots = dots.saturating_add(1),
            '\n' | '=' | ',' => dots = 0,
            _ => {}
        }
        if open.saturating_add(dots) > DEPTH {
            return true;
        }
    }
    false
}

/// What stands behind a text that ends with `quote`. In double quotes, a backslash takes away what the next character means.
fn behind<'t>(text: &'t str, quote: &str) -> &'t str {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        let rest = text.get(at..).and_then(|rest| rest.strip_prefix(quote));
        match rest {
            Some(rest) if !escaped => return rest,
            _ => escaped = c == '\\' && !escaped && quote.starts_with('"'),
        }
    }
    ""
}

fn toml(text: &str, found: &mut Found) -> Vec<Document> {
    if is_deep(text) {
        found.unreadable.push((None, format!("is no TOML: values in more than {DEPTH} others")));
        return Vec::new();
    }
    match basic_toml::from_str(text) {
        Ok(value) => vec![Document { value, lines: Lines::of_toml(text) }],
        Err(error) => {
            found.unreadable.push((None, format!("is no TOML: {error}")));
            Vec::new()
        }
    }
}

fn yaml(text: &str, environment: Environment<'_>, found: &mut Found) -> Vec<Document> {
    let mut documents = Vec::new();
    for (first, text) in split(text) {
        let is_empty = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
        if text.lines().all(is_empty) {
            continue;
        }
        let filled = variables::of_traefik(&text, environment);
        match yaml_serde::from_str::<yaml_serde::Value>(&filled).and_then(|mut value| {
            value.apply_merge()?;
            Ok(value)
        }) {
            Ok(value) => documents.push(Document { value: json(value), lines: Lines::of_yaml(&text, first) }),
            Err(error) => {
                let line = error.location().map(|at| first.saturating_add(at.line()).saturating_sub(1));
                let why = if filled.contains("{{") {
                    "a template, which only Helm or Traefik can fill; give the file that comes of it"
                        .to_owned()
                } else {
                    error.to_string()
                };
                found.unreadable.push((line, format!("is no YAML: {why}")));
            }
        }
    }
    documents
}

/// The documents of a YAML file, each with its first line.
fn split(text: &str) -> Vec<(usize, String)> {
    let mut documents = vec![(1, String::new())];
    for (at, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let marker =
            line.strip_prefix("---").filter(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']));
        if let Some(rest) = marker {
            documents.push((at.saturating_add(1), format!("   {rest}\n")));
        } else if let Some((_, document)) = documents.last_mut() {
            document.push_str(if line.starts_with("...") { "" } else { line });
            document.push('\n');
        }
    }
    documents
}

/// Names may be of any type in YAML.
fn json(value: yaml_serde::Value) -> Value {
    use yaml_serde::Value as Yaml;
    match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(value) => Value::Bool(value),
        Yaml::Number(number) => serde_json::to_value(number).unwrap_or_default(),
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(elements) => Value::Array(elements.into_iter().map(json).collect()),
        Yaml::Mapping(members) => {
            let mut object = Map::new();
            for (name, value) in members {
                let name = json(name);
                let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
                object.insert(name, json(value));
            }
            Value::Object(object)
        }
        Yaml::Tagged(tagged) => json(tagged.value),
    }
}

/// Blocks of whatever this is, and what is inside of it.
fn look_into(
    value: &Value,
    lines: &Lines,
    path: &str,
    secrets: &[Secret],
    environment: Environment<'_>,
    found: &mut Found,
) {
    let at = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if let Some(middlewares) = value.pointer("/http/middlewares").and_then(Value::as_object) {
        for (name, middleware) in middlewares {
            let place = at(&format!("http.middlewares.{name}.plugin"));
            for (plugin, written) in members(middleware.get("plugin")) {
                found.blocks.push(Block {
                    middleware: name.clone(),
                    plugin: plugin.clone(),
                    form: Form::Dynamic,
                    written: written.clone(),
                    options: from_file(written),
                    lines: lines.below(&format!("{place}.{plugin}")),
                    notes: Vec::new(),
                });
            }
        }
    }
    if value.get("kind").and_then(Value::as_str) == Some("Middleware") {
        let name = value.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("without a name");
        for (plugin, written) in members(value.pointer("/spec/plugin")) {
            let mut notes = Vec::new();
            let options = resolve(written, value, secrets, &mut notes);
            found.blocks.push(Block {
                middleware: name.to_owned(),
                plugin: plugin.clone(),
                form: Form::Kubernetes(value.get("metadata").cloned().unwrap_or_default()),
                written: written.clone(),
                options,
                lines: lines.below(&at(&format!("spec.plugin.{plugin}"))),
                notes,
            });
        }
    }
    if let Some(services) = value.get("services").and_then(Value::as_object) {
        for service in services.values() {
            for labels in [service.get("labels"), service.pointer("/deploy/labels")].into_iter().flatten() {
                of_labels(labels, lines, Some(environment), found);
            }
        }
    }
    if is_labels(value) {
        of_labels(value, lines, None, found);
    } else if let Some(labels) = value.get("labels").filter(|labels| is_labels(labels)) {
        of_labels(labels, lines, Some(environment), found);
    }
    // Values of Helm charts, and lists of resources.
    for name in ["extraObjects", "extraDeploy", "items"] {
        let objects: Vec<(String, &Value)> = match value.get(name) {
            Some(Value::Array(list)) => {
                list.iter().enumerate().map(|(at, object)| (format!("{name}[{at}]"), object)).collect()
            }
            Some(Value::Object(named)) => {
                named.iter().map(|(key, object)| (format!("{name}.{key}"), object)).collect()
            }
            Some(_) | None => Vec::new(),
        };
        for (inner, object) in objects {
            let text = object.as_str();
            look_into(object, lines, &at(&inner), secrets, environment, found);
            text.into_iter().for_each(|text| inner_text(text, environment, found));
        }
    }
    // Files inside: of the chart, of a ConfigMap, of Compose, of k3s.
    let texts = [value.pointer("/providers/file/content"), value.pointer("/spec/valuesContent")];
    let of_map = value.get("data").filter(|_| value.get("kind").and_then(Value::as_str) == Some("ConfigMap"));
    let of_compose = members(value.get("configs")).filter_map(|(_, config)| config.get("content"));
    let data = members(of_map).map(|(_, text)| text);
    for text in texts.into_iter().flatten().chain(data).chain(of_compose).filter_map(Value::as_str) {
        if text.contains("plugin") {
            inner_text(text, environment, found);
        }
    }
}

/// A file inside of a text, whose lines are unknown.
fn inner_text(text: &str, environment: Environment<'_>, found: &mut Found) {
    let mut inner = Found::default();
    read(File { name: "", text }, environment, &mut inner);
    for block in inner.blocks.into_iter().filter(|block| block.form != Form::Bare) {
        found.blocks.push(Block { lines: Lines::default(), ..block });
    }
    found.unreadable.extend(inner.unreadable.into_iter().map(|(_, why)| (None, why)));
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// Whether these are labels of a container, as a list or by name.
fn is_labels(value: &Value) -> bool {
    match value {
        Value::Array(list) => list.iter().any(|label| label.as_str().is_some_and(flat::is_label)),
        Value::Object(labels) => labels.keys().any(|name| flat::is_label(name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn of_labels(labels: &Value, lines: &Lines, environment: Option<Environment<'_>>, found: &mut Found) {
    let mut notes = Vec::new();
    let mut filled = |text: &str| match environment {
        Some(environment) => variables::of_compose(text, environment, &mut notes),
        None => text.to_owned(),
    };
    let mut entries = Vec::new();
    let mut enter = |name: &str, value: &str| {
        if flat::is_label(name) {
            entries.extend(Entry::label(name.trim(), value, lines.of_label(name)));
        }
    };
    match labels {
        Value::Array(list) => {
            for label in list.iter().filter_map(Value::as_str) {
                let label = filled(label);
                let (name, value) = label.split_once('=').unwrap_or((&label, ""));
                enter(name, value);
            }
        }
        Value::Object(named) => {
            for (name, value) in named {
                let value = match value {
                    Value::String(text) => filled(text),
                    Value::Null => String::new(),
                    Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                        value.to_string()
                    }
                };
                enter(name, &value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    flat::blocks(&entries, &Form::Labels, &notes, found);
}

/// A member of a `Secret` of Kubernetes.
struct Secret {
    namespace: Option<String>,
    name: String,
    key: String,
    value: String,
}

/// The secrets of a document, or of a list of resources in it.
fn secrets(value: &Value) -> Vec<Secret> {
    let mut found = Vec::new();
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    if let (Some("Secret"), Some(name)) = (value.get("kind").and_then(Value::as_str), text("/metadata/name"))
    {
        let mut add = |key: &str, value: String| {
            let namespace = text("/metadata/namespace");
            found.push(Secret { namespace, name: name.clone(), key: key.to_owned(), value });
        };
        for (key, value) in members(value.get("stringData")) {
            add(key, value.as_str().unwrap_or_default().to_owned());
        }
        for (key, value) in members(value.get("data")) {
            let encoded: String = value.as_str().unwrap_or_default().split_whitespace().collect();
            if let Some(value) = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok())
            {
                add(key, value);
            }
        }
    }
    for name in ["items", "extraObjects", "extraDeploy"] {
        match value.get(name) {
            Some(Value::Array(list)) => found.extend(list.iter().flat_map(secrets)),
            Some(Value::Object(named)) => found.extend(named.values().flat_map(secrets)),
            Some(_) | None => {}
        }
    }
    found
}

/// The options with the secrets of the same file in them. References to others stay.
fn resolve(written: &Value, resource: &Value, secrets: &[Secret], notes: &mut Vec<String>) -> Value {
    let namespace = resource.pointer("/metadata/namespace").and_then(Value::as_str);
    map_texts(written, "", &mut |_, text| {
        let Some((name, key)) = text.strip_prefix(SECRET).and_then(|rest| rest.split_once(':')) else {
            return text.to_owned();
        };
        let is_it = |secret: &&Secret| {
            let same =
                secret.namespace.is_none() || namespace.is_none() || secret.namespace.as_deref() == namespace;
            secret.name == name && secret.key == key && same
        };
        match secrets.iter().find(is_it) {
            Some(secret) => secret.value.clone(),
            None => {
                notes.push(format!("the secret {name} with the key {key} is not in this file"));
                text.to_owned()
            }
        }
    })
}
