//! Variables that are put into a file before Traefik sees it: by Compose, and by Traefik's own templates.

use crate::input::Environment;

/// What Compose makes of a text: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}`,
/// `${NAME:?message}`, `$$`. A variable that is not set is nothing, and is noted.
pub(super) fn of_compose(text: &str, environment: Environment<'_>, notes: &mut Vec<String>) -> String {
    let Some((before, rest)) = text.split_once('$') else { return text.to_owned() };
    let mut put = |name: &str| match environment(name) {
        Some(value) => value,
        None => {
            let note = format!("the variable {name} is not set here: Compose puts in nothing for it");
            if !notes.contains(&note) {
                notes.push(note);
            }
            String::new()
        }
    };
    let (value, rest) = if let Some(rest) = rest.strip_prefix('$') {
        ("$".to_owned(), rest)
    } else if let Some((inner, rest)) = rest.strip_prefix('{').and_then(braces) {
        let (name, how) = inner.split_at(name_length(inner));
        let value = environment(name);
        let filled = value.clone().filter(|value| !value.is_empty());
        let value = match (how.strip_prefix(':'), how) {
            (Some(how), _) if how.starts_with('-') => {
                filled.unwrap_or_else(|| of_compose(skip(how), environment, notes))
            }
            (_, how) if how.starts_with('-') => {
                value.unwrap_or_else(|| of_compose(skip(how), environment, notes))
            }
            (Some(how), _) if how.starts_with('+') => {
                filled.map(|_| skip(how).to_owned()).unwrap_or_default()
            }
            (_, how) if how.starts_with('+') => value.map(|_| skip(how).to_owned()).unwrap_or_default(),
            _ => put(name),
        };
        (value, rest)
    } else {
        let (name, rest) = rest.split_at(name_length(rest));
        (if name.is_empty() { "$".to_owned() } else { put(name) }, rest)
    };
    format!("{before}{value}{}", of_compose(rest, environment, notes))
}

/// Without its first character.
fn skip(text: &str) -> &str {
    text.get(1..).unwrap_or_default()
}

/// What stands before the brace that closes, and behind it.
fn braces(text: &str) -> Option<(&str, &str)> {
    let mut depth: usize = 1;
    for (at, c) in text.char_indices() {
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
    let Some((before, inner)) = text.split_once("{{") else { return text.to_owned() };
    let trimmed = inner.trim_start_matches('-').trim_start();
    let literal = trimmed.strip_prefix('`').and_then(|rest| {
        let (literal, rest) = rest.split_once('`')?;
        Some((literal.to_owned(), rest.trim_start().trim_start_matches('-').strip_prefix("}}")?))
    });
    let variable = || {
        let (inner, rest) = inner.split_once("}}")?;
        let name = inner.trim().trim_matches('-').trim().strip_prefix("env ")?;
        let name = name.trim().trim_matches(['"', '`']);
        (name_length(name) == name.len()).then(|| (environment(name).unwrap_or_default(), rest))
    };
    let (value, rest) = literal.or_else(variable).unwrap_or_else(|| ("{{".to_owned(), inner));
    format!("{before}{value}{}", of_traefik(rest, environment))
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
            ("{{ range $i := until 3 }}", "{{ range $i := until 3 }}"),
        ] {
            assert_eq!(of_traefik(text, &environment), expected, "{text}");
        }
    }
}
