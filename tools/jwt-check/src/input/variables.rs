//! Variables that are put into a file before Traefik sees it: by Compose, and by Traefik's own templates.

use crate::input::Environment;

/// What Compose makes of a text: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}`,
/// `${NAME:?message}`, `$$`. A variable that is not set is nothing, and is noted.
pub(super) fn of_compose(text: &str, environment: Environment<'_>, notes: &mut Vec<String>) -> String {
    put_in(text, environment, notes, DEPTH)
}

/// Characters of a variable with its default that are looked at.
const LONGEST: usize = 4096;

/// How deep defaults may stand in defaults. What is deeper stays as it is written.
const DEPTH: usize = 8;

fn put_in(text: &str, environment: Environment<'_>, notes: &mut Vec<String>, depth: usize) -> String {
    let (mut done, mut rest) = (String::new(), text);
    while let Some((before, behind)) = rest.split_once('$') {
        done.push_str(before);
        let (name, inner) = behind.split_at(name_length(behind));
        rest = if let Some(behind) = behind.strip_prefix('$') {
            done.push('$');
            behind
        } else if let Some((inner, behind)) = behind.strip_prefix('{').and_then(braces) {
            match depth.checked_sub(1) {
                Some(depth) => done.push_str(&in_braces(inner, environment, notes, depth)),
                None => done.push_str(inner),
            }
            behind
        } else if name.is_empty() {
            done.push('$');
            behind
        } else {
            done.push_str(&value_of(name, environment, notes));
            inner
        };
    }
    done.push_str(rest);
    done
}

fn in_braces(inner: &str, environment: Environment<'_>, notes: &mut Vec<String>, depth: usize) -> String {
    let (name, how) = inner.split_at(name_length(inner));
    let (how, empty_counts) = how.strip_prefix(':').map_or((how, true), |how| (how, false));
    let value = environment(name).filter(|value| empty_counts || !value.is_empty());
    match (how.strip_prefix('-'), how.strip_prefix('+')) {
        (Some(default), _) => value.unwrap_or_else(|| put_in(default, environment, notes, depth)),
        (None, Some(other)) if value.is_some() => put_in(other, environment, notes, depth),
        (None, Some(_)) => String::new(),
        (None, None) => value_of(name, environment, notes),
    }
}

fn value_of(name: &str, environment: Environment<'_>, notes: &mut Vec<String>) -> String {
    environment(name).unwrap_or_else(|| {
        let note = format!("the variable {name} is not set here: Compose puts in nothing for it");
        if !notes.contains(&note) {
            notes.push(note);
        }
        String::new()
    })
}

/// What stands before the brace that closes, and behind it.
fn braces(text: &str) -> Option<(&str, &str)> {
    let mut depth: usize = 1;
    for (at, c) in text.char_indices().take(LONGEST) {
        match c {
            '{' => depth = depth.saturating_add(1),
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(..at)?, text.get(at.saturating_add(1)..)?));
        }
    }
    None
}

fn name_length(text: &str) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count()
}

/// What Traefik's file provider makes of `{{ env "NAME" }}`, and of a text in backquotes, which stands for itself: so
/// templates of a plugin get through. Other templates are left as they are.
pub(super) fn of_traefik(text: &str, environment: Environment<'_>) -> String {
    let (mut done, mut rest) = (String::new(), text);
    while let Some((before, inner)) = rest.split_once("{{") {
        done.push_str(before);
        let (value, behind) = template(inner, environment).unwrap_or_else(|| ("{{".to_owned(), inner));
        done.push_str(&value);
        rest = behind;
    }
    done.push_str(rest);
    done
}

/// The value of a template, and what stands behind it.
fn template<'t>(inner: &'t str, environment: Environment<'_>) -> Option<(String, &'t str)> {
    let trimmed = inner.trim_start_matches('-').trim_start();
    if let Some((literal, rest)) = trimmed.strip_prefix('`').and_then(|rest| rest.split_once('`')) {
        return Some((literal.to_owned(), rest.trim_start().trim_start_matches('-').strip_prefix("}}")?));
    }
    let (inner, rest) = inner.split_at_checked(inner.find(['{', '}', '\n'])?)?;
    let rest = rest.strip_prefix("}}")?;
    let name = inner.trim().trim_matches('-').trim().strip_prefix("env ")?;
    let name = name.trim().trim_matches(['"', '`']);
    (name_length(name) == name.len()).then(|| (environment(name).unwrap_or_default(), rest))
}

#[cfg(test)]
mod tests {
    use super::{of_compose, of_traefik};

    fn environment(name: &str) -> Option<String> {
        match name {
            "A" => Some("a".into()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn compose() {
        for (text, expected, noted) in [
            ("x", "x", 0),
            ("$A/${A}/$$A", "a/a/$A", 0),
            ("${B:-b}", "b", 0),
            ("${EMPTY:-b}${EMPTY-b}", "b", 0),
            ("${B:-${A}}", "a", 0),
            ("${A:+x}${B:+y}", "x", 0),
            ("${B}", "", 1),
            ("${B:?must be set}", "", 1),
            ("5$", "5$", 0),
            ("{${A}}", "{a}", 0),
            (&"$".repeat(200_001), &"$".repeat(100_001), 0),
            (&"${B:-".repeat(2_000), &"${B:-".repeat(2_000), 0),
        ] {
            let mut notes = Vec::new();
            assert_eq!(
                (of_compose(text, &environment, &mut notes).as_str(), notes.len()),
                (expected, noted),
                "{text}"
            );
        }
    }

    #[test]
    fn traefik() {
        for (text, expected) in [
            (r#"a: {{ env "A" }}"#, "a: a"),
            ("a: {{ env `A` }}{{- env \"B\" -}}", "a: a"),
            ("aud: \"{{`{{.Host}}`}}/{{.Host}}\"", "aud: \"{{.Host}}/{{.Host}}\""),
            (&"{{".repeat(100_000), &"{{".repeat(100_000)),
            ("{{ range $i := until 3 }}", "{{ range $i := until 3 }}"),
        ] {
            assert_eq!(of_traefik(text, &environment), expected, "{text}");
        }
    }
}
