//! Writes the result: YAML with comments.

use serde_json::Value;

use crate::convert::samples::Sample;
use crate::convert::target::Target;

/// Columns of a comment.
const WIDTH: usize = 110;

/// The options, each behind `indent` blanks, with their comments, the remarks before them and the samples behind.
pub(super) fn block(target: &Target, samples: &[Sample], indent: usize) -> String {
    let mut text = String::new();
    for (title, remarks) in [
        ("Dropped", dropped(target)),
        ("Accepts MORE than before", target.wider.clone()),
        ("Stricter than before", target.stricter.clone()),
        ("To be done by hand", target.by_hand.clone()),
    ] {
        if !remarks.is_empty() {
            text.push_str(&comment(&format!("{title}:"), indent, ""));
            remarks.iter().for_each(|remark| text.push_str(&comment(remark, indent, "- ")));
        }
    }
    for (name, value) in target.ordered() {
        for line in target.comments.get(name).into_iter().flatten() {
            text.push_str(&comment(line, indent, ""));
        }
        text.push_str(&indented(&option(name, value), indent));
    }
    if !samples.is_empty() {
        text.push_str(&indented("tests:", indent));
        samples.iter().for_each(|test| text.push_str(&indented(&sample(test), indent)));
    }
    text
}

fn dropped(target: &Target) -> Vec<String> {
    let dropped = target.fates.iter().filter(|fate| !fate.why.is_empty());
    let remarks = dropped.map(|fate| format!("{}: {}", fate.path, fate.why));
    remarks.filter(|remark| !target.by_hand.contains(remark)).collect()
}

fn option(name: &str, value: &Value) -> String {
    let mut one = serde_json::Map::new();
    one.insert(name.to_owned(), value.clone());
    // Nothing that was read from a file fails to be written.
    yaml_serde::to_string(&one).unwrap_or_default()
}

/// The name of a member and what ends it, behind `indent` blanks: more than a line where the text has several, or is too long for
/// one (YAML 1.2.2, 7.4).
pub(super) fn key(text: &str, indent: usize) -> String {
    let mut one = serde_json::Map::new();
    one.insert(text.to_owned(), Value::Null);
    let written = yaml_serde::to_string(&one).unwrap_or_default();
    indented(written.trim_end().trim_end_matches("null").trim_end(), indent)
}

/// Whether JSON allows a character that YAML does not (YAML 1.2.2, 5.1), or takes for the end of a line.
const fn is_foreign(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// As JSON that is YAML, too.
fn json(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        if is_foreign(c) {
            text.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            text.push(c);
        }
    }
    text
}

fn sample(sample: &Sample) -> String {
    let mut text = format!("- {{name: {}", json(&Value::from(sample.name.as_str())));
    if let Some(claims) = &sample.claims {
        let json = json(&Value::Object(claims.clone()));
        // Files lose null; JSON in a text keeps it.
        let json = if claims.values().any(Value::is_null) {
            format!("'{}'", json.replace('\'', "''"))
        } else {
            json
        };
        text.push_str(&format!(", claims: {json}"));
    }
    if let Some(request) = &sample.request {
        text.push_str(&format!(", request: {}", json(request)));
    }
    text.push_str(&format!(", expect: {}}}", sample.expect));
    text
}

fn indented(text: &str, indent: usize) -> String {
    let line = |line: &str| if line.is_empty() { "\n".to_owned() } else { format!("{:indent$}{line}\n", "") };
    text.lines().map(line).collect()
}

/// Comment lines of a bounded width, without what ends a comment or is not allowed in one.
pub(super) fn comment(text: &str, indent: usize, bullet: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control() || is_foreign(c))
        .filter(|word| !word.is_empty())
    {
        let is_full = lines.last().is_some_and(|line: &String| {
            !line.is_empty() && line.len().saturating_add(word.len()).saturating_add(indent) > WIDTH
        });
        if is_full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
    }
    let mark = |at: usize| if at == 0 { bullet.to_owned() } else { " ".repeat(bullet.len()) };
    lines.iter().enumerate().map(|(at, line)| format!("{:indent$}# {}{line}\n", "", mark(at))).collect()
}
