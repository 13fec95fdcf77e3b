//! The page of all options.

use std::fmt::Write;

use serde_json::Value;
use traefik_jwt_auth::core::config::options::{Empty, Kind, Row, Scope, TABLES};

/// Longest example that is shown, in characters.
const LONGEST_EXAMPLE: usize = 100;

/// The page, with the values of `example`.
pub(crate) fn page(example: &Value) -> String {
    let mut page = "<!-- Made from the rows in src/core/config/options by `make reference`. -->\n\
         # Options\n\n\
         Every option by its full path; `[]` is an element of a list. How values are written, and what the options are for,\n\
         is in [Configuration](../configuration.md). [options.schema.json](options.schema.json) is the same as a JSON Schema\n\
         ([in an editor](../configuration.md#in-an-editor)). A value may be a text of the same meaning, as labels deliver it.\n"
        .to_owned();
    for table in TABLES {
        write!(page, "\n## {}\n", table.title).unwrap();
        for row in table.rows {
            option(row, example, &mut page);
        }
    }
    page
}

fn option(row: &'static Row, example: &Value, page: &mut String) {
    write!(page, "\n### `{}`\n{}\n\n- Type: {}\n", row.path, sentence(row), kind(row)).unwrap();
    if let Some(default) = default(row) {
        writeln!(page, "- Default: {default}").unwrap();
    }
    let mut place = match row.scope {
        Scope::Top => "the top level",
        Scope::Own => "the top level and `trustedIssuers[]`, each for itself",
        Scope::Inherited => {
            "the top level and `trustedIssuers[]`, where that of the top level is the default"
        }
    }
    .to_owned();
    if row.in_rules {
        place.push_str(", and `rules[]`");
    }
    let empty = match row.empty {
        Empty::Allowed => "as if it was left out, or none",
        Empty::Refused(_) => "refused",
    };
    writeln!(page, "- Place: {place}\n- Empty: {empty}").unwrap();
    if let Some(example) = shown(row, example) {
        writeln!(page, "- Example: `{example}`").unwrap();
    }
}

/// The sentence of a row, on one line.
pub(crate) fn sentence(row: &Row) -> String {
    row.about.trim().to_owned()
}

/// The anchor that a heading gets.
pub(crate) fn anchor(row: &Row) -> String {
    row.path.to_ascii_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
}

fn kind(row: &Row) -> String {
    match row.kind {
        Kind::Text => "text".to_owned(),
        Kind::Secret => "text, which may be secret: `env:NAME` or `file:/path` as well".to_owned(),
        Kind::Flag(_) => "`true` or `false`".to_owned(),
        Kind::Whole(range) => format!("whole number from {} to {} ({})", range.least, range.most, range.unit),
        Kind::Word(words, _) => {
            format!("one of {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
        }
        Kind::List => "list of texts".to_owned(),
        Kind::ListOrNone => "list of texts, or `none`".to_owned(),
        Kind::Issuers => "text or list of texts".to_owned(),
        Kind::Map => "object of texts".to_owned(),
        Kind::Lists => "object of lists of texts".to_owned(),
        Kind::Secrets(_) => {
            "object of texts, which may be secret: `env:NAME` or `file:/path` as well".to_owned()
        }
        Kind::Object => "section".to_owned(),
        Kind::Objects(_) => "list of sections".to_owned(),
        Kind::KeySet => "JWK Set: object or JSON in a text; `env:NAME` or `file:/path` as well".to_owned(),
        Kind::Json => "object".to_owned(),
        Kind::Time => "time".to_owned(),
    }
}

fn default(row: &Row) -> Option<String> {
    if !row.otherwise.is_empty() {
        return Some(row.otherwise.to_owned());
    }
    default_value(row).map(|value| format!("`{}`", value.as_str().map_or(value.to_string(), str::to_owned)))
}

/// The default, where it can be written as a value.
pub(crate) fn default_value(row: &Row) -> Option<Value> {
    let code = || row.otherwise.strip_prefix('`')?.strip_suffix('`').filter(|code| !code.contains('`'));
    match row.kind {
        _ if !row.otherwise.is_empty() => {
            let value: Value = yaml_serde::from_str(code()?).unwrap();
            let list = matches!(row.kind, Kind::List | Kind::ListOrNone);
            Some(if list { Value::from(vec![value]) } else { value })
        }
        Kind::Flag(default) => Some(Value::from(default)),
        Kind::Whole(range) => Some(Value::from(range.default)),
        Kind::Word(words, default) => Some(Value::from(words[default])),
        Kind::Text
        | Kind::Secret
        | Kind::List
        | Kind::ListOrNone
        | Kind::Issuers
        | Kind::Map
        | Kind::Lists
        | Kind::Secrets(_)
        | Kind::Object
        | Kind::Objects(_)
        | Kind::KeySet
        | Kind::Json
        | Kind::Time => None,
    }
}

/// The option as `example` has it, on one line.
fn shown(row: &Row, example: &Value) -> Option<String> {
    if matches!(row.kind, Kind::Object | Kind::Objects(_)) {
        return None;
    }
    let mut found = vec![example];
    let mut name = "";
    for part in row.path.split('.') {
        name = part.trim_end_matches("[]");
        found = found.into_iter().filter_map(|value| value.get(name)).collect();
        if part.ends_with("[]") {
            found = found.into_iter().filter_map(Value::as_array).flatten().collect();
        }
    }
    let value = found.first()?;
    let plain = value.as_str().filter(|text| {
        yaml_serde::from_str::<Value>(text).is_ok_and(|read| read.as_str() == Some(text))
            && !text.contains('`')
    });
    let written = plain.map_or_else(|| value.to_string(), str::to_owned);
    (written.chars().count() <= LONGEST_EXAMPLE && !written.contains('`'))
        .then(|| format!("{name}: {written}"))
}
