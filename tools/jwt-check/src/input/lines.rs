//! In which line of a file an option stands. A file is read for its values by a parser that knows of no lines; this finds
//! the lines of what is written in the usual way, and says the nearest one around everything else.

use std::collections::BTreeMap;

/// Lines of paths, as error messages write them: `http.middlewares.jwt.plugin.jwt.trustedIssuers[0].issuer`.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    of: BTreeMap<String, usize>,
    labels: BTreeMap<String, usize>,
}

impl Lines {
    /// Those below `prefix`, without it. Names are compared as they are.
    pub(crate) fn below(&self, prefix: &str) -> Self {
        let inner = |(path, line): (&String, &usize)| {
            let rest = path.strip_prefix(prefix)?;
            let rest = if prefix.is_empty() {
                rest
            } else {
                rest.strip_prefix('.').or(rest.is_empty().then_some(""))?
            };
            Some((rest.to_owned(), *line))
        };
        Self { of: self.of.iter().filter_map(inner).collect(), labels: BTreeMap::new() }
    }

    /// Enters a line, if none is there.
    pub(crate) fn enter(&mut self, path: impl Into<String>, line: usize) {
        self.of.entry(path.into()).or_insert(line);
    }

    /// The line of `path`, or of the nearest one around it; of the block itself for an empty one.
    #[must_use]
    pub fn of(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.of.get(path) {
                return Some(*line);
            }
            path = match path.rfind(['.', '[']) {
                Some(end) => path.get(..end)?,
                None if path.is_empty() => return None,
                None => "",
            };
        }
    }

    /// The line of a label, as a member or as an element of a list.
    pub(crate) fn of_label(&self, name: &str) -> Option<usize> {
        self.labels.get(name).copied()
    }

    /// Lines of a YAML document whose first line is `first` of the file.
    pub(crate) fn of_yaml(text: &str, first: usize) -> Self {
        let mut reader = Yaml::default();
        for (number, line) in text.lines().enumerate() {
            reader.line(line, first.saturating_add(number));
        }
        reader.lines
    }

    /// Lines of a TOML document.
    pub(crate) fn of_toml(text: &str) -> Self {
        let mut lines = Self::default();
        let (mut table, mut counts, mut is_text) = (String::new(), BTreeMap::<String, usize>::new(), false);
        for (at, line) in text.lines().enumerate() {
            let (number, line) = (at.saturating_add(1), line.trim());
            let quotes = line.matches("\"\"\"").count().saturating_add(line.matches("'''").count());
            let was_text = is_text;
            is_text ^= quotes % 2 == 1;
            if was_text || line.starts_with('#') {
                continue;
            }
            if let Some(name) = line.strip_prefix("[[").and_then(|rest| rest.split(']').next()) {
                let name = with_last_index(&plain(name), &counts);
                let count = counts.entry(name.clone()).or_default();
                table = format!("{name}[{count}]");
                *count = count.saturating_add(1);
                lines.enter(table.clone(), number);
            } else if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                table = with_last_index(&plain(name), &counts);
                lines.enter(table.clone(), number);
            } else if let Some((name, _)) = line.split_once('=') {
                lines.enter(join(&table, &plain(name)), number);
            }
        }
        lines
    }
}

/// A name of TOML without quotes and blanks.
fn plain(name: &str) -> String {
    name.split('.').map(|part| part.trim().trim_matches(['"', '\''])).collect::<Vec<_>>().join(".")
}

/// `a.b.c` where `a.b` is a list that has elements: `a.b[n].c`, of its last one.
fn with_last_index(name: &str, counts: &BTreeMap<String, usize>) -> String {
    let inner = counts.iter().rev().find_map(|(list, count)| {
        let rest = name.strip_prefix(list.as_str())?.strip_prefix('.')?;
        Some(format!("{list}[{}].{rest}", count.saturating_sub(1)))
    });
    inner.unwrap_or_else(|| name.to_owned())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Something that has begun: a member or an element, at this indentation.
struct Open {
    indent: usize,
    path: String,
    is_element: bool,
    elements: usize,
}

/// YAML in block style. What is in braces stands in the line in which they open.
#[derive(Default)]
struct Yaml {
    lines: Lines,
    open: Vec<Open>,
    /// The text of a `|` goes on in lines that are indented further than this.
    text: Option<usize>,
}

impl Yaml {
    fn line(&mut self, line: &str, number: usize) {
        let content = line.trim_start_matches(' ');
        let indent = line.len().saturating_sub(content.len());
        if content.trim().is_empty() || self.text.is_some_and(|outer| indent > outer) {
            return;
        }
        self.text = None;
        if !content.starts_with('#') {
            let label = content.trim_start_matches(['-', ' ', '"', '\'']);
            if label.starts_with("traefik.") {
                let name = label.split(['=', ':', '"', '\'']).next().unwrap_or_default();
                self.lines.labels.insert(name.to_owned(), number);
            }
            self.content(content.trim_end(), indent, number);
        }
    }

    fn content(&mut self, content: &str, indent: usize, number: usize) {
        if content == "-" || content.starts_with("- ") {
            self.open.retain(|open| open.indent < indent || (open.indent == indent && !open.is_element));
            let Some(list) = self.open.last_mut() else { return };
            let path = format!("{}[{}]", list.path, list.elements);
            list.elements = list.elements.saturating_add(1);
            self.lines.enter(path.clone(), number);
            self.open.push(Open { indent, path, is_element: true, elements: 0 });
            let rest = content.strip_prefix('-').unwrap_or_default();
            let inner = rest.trim_start();
            let further = rest.len().saturating_sub(inner.len()).saturating_add(1);
            if !inner.is_empty() {
                self.content(inner, indent.saturating_add(further), number);
            }
            return;
        }
        let Some((name, value)) = member(content) else { return };
        self.open.retain(|open| open.indent < indent);
        let path = join(self.open.last().map_or("", |open| &open.path), name);
        self.lines.enter(path.clone(), number);
        self.open.push(Open { indent, path, is_element: false, elements: 0 });
        if value.starts_with(['|', '>']) {
            self.text = Some(indent);
        }
    }
}

/// Name and value of a line `name: value`.
fn member(content: &str) -> Option<(&str, &str)> {
    for quote in ['"', '\''] {
        if let Some((name, rest)) = content.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return Some((name, rest.trim_start().strip_prefix(':')?.trim_start()));
        }
    }
    if content.starts_with(['{', '[']) {
        return None;
    }
    let (name, value) =
        content.split_once(": ").or_else(|| content.strip_suffix(':').map(|name| (name, "")))?;
    Some((name.trim_end(), value.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn of_yaml() {
        let text = "\
http:
  middlewares:
    # a comment: x
    jwt:
      plugin:
        jwt:
          publicKey: |
            -----BEGIN PUBLIC KEY-----
            issuer: no
          issuer: [a, b]
          trustedIssuers:
          - issuer: a
            \"jwksUrl\": b
          -
            issuer: c
            scopes: {required: x}
          claims: >-
            a
";
        let lines = Lines::of_yaml(text, 1).below("http.middlewares.jwt.plugin.jwt");
        for (path, line) in [
            ("", 6),
            ("publicKey", 7),
            ("issuer", 10),
            ("issuer[1]", 10),
            ("trustedIssuers[0].issuer", 12),
            ("trustedIssuers[0].jwksUrl", 13),
            ("trustedIssuers[1].issuer", 15),
            ("trustedIssuers[1].scopes.required", 16),
            ("claims", 17),
            ("absent", 6),
        ] {
            assert_eq!(lines.of(path), Some(line), "{path}");
        }
    }

    #[test]
    fn of_toml() {
        let text = "\
[http.middlewares.jwt.plugin.jwt]
publicKey = \"\"\"
issuer = 1
\"\"\"
issuer = \"a\"
[[http.middlewares.jwt.plugin.jwt.tokenSources]]
header = \"A\"
[[http.middlewares.jwt.plugin.jwt.tokenSources]]
cookie = \"A\"
[http.middlewares.jwt.plugin.jwt.forwardHeaders]
\"X-User\" = \"sub\"
";
        let lines = Lines::of_toml(text).below("http.middlewares.jwt.plugin.jwt");
        for (path, line) in
            [("", 1), ("issuer", 5), ("tokenSources[1].cookie", 9), ("forwardHeaders.X-User", 11)]
        {
            assert_eq!(lines.of(path), Some(line), "{path}");
        }
    }
}
