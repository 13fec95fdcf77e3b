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
        text.push_str(&indented(&member(name, value), indent));
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

/// A member of an object, in as many lines as it needs. YAML takes some characters for the end of a line that its writer leaves as
/// they are (YAML 1.1, 4.2); so with one of them it is JSON, behind a `?`, since a name may be too long for one line (YAML 1.2.2,
/// 7.4).
pub(super) fn member(name: &str, value: &Value) -> String {
    if name.contains(is_foreign) || value.to_string().contains(is_foreign) {
        return format!("? {}\n: {}\n", json(&name.into()), json(value));
    }
    let mut one = serde_json::Map::new();
    one.insert(name.to_owned(), value.clone());
    // Nothing that was read from a file fails to be written.
    yaml_serde::to_string(&one).unwrap_or_default()
}

/// The name of a member and what ends it, behind `indent` blanks.
pub(super) fn key(text: &str, indent: usize) -> String {
    let written = member(text, &Value::Null);
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::convert::yaml::{indented, key, member};

    /// Every text of up to four of the characters that YAML or its writers have rules for, as a value and as a name.
    #[test]
    fn what_is_written_is_read() {
        const CHARACTERS: [&str; 13] = [
            "", "a", " ", "\t", "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{a0}", "#", "'",
        ];
        let read = |text: &str| yaml_serde::from_str::<Value>(text).map_err(|error| error.to_string());
        for at in 0..CHARACTERS.len().pow(4) {
            let place = |place: u32| CHARACTERS[at / CHARACTERS.len().pow(place) % CHARACTERS.len()];
            let text = [0, 1, 2, 3].map(place).concat();
            let value = json!(["x", text, {"n": text}]);
            let written = format!("a:\n{}  b: 1\n", indented(&member("n", &value), 2));
            assert_eq!(read(&written), Ok(json!({"a": {"n": value, "b": 1}})), "{text:?}: {written}");
            let written = format!("a:\n{}    b: 1\n", key(&text, 2));
            assert_eq!(read(&written), Ok(json!({"a": {text.as_str(): {"b": 1}}})), "{text:?}: {written}");
        }
    }
}
