//! Reads an expression of Traefik Hub, to make samples for it. It is carried over as it stands, so what is not understood
//! here has no samples, and nothing else is lost.

use crate::convert::rule::{Function, Rule, Text};

/// The tree of an expression; `None` if it has anything else than Hub's functions.
pub(super) fn parse(text: &str) -> Option<Rule> {
    let mut reader = Reader { rest: text, depth: 0 };
    let rule = reader.any()?;
    reader.rest.trim().is_empty().then(|| rule.simple())
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn takes(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn any(&mut self) -> Option<Rule> {
        let mut rules = vec![self.all()?];
        while self.takes("||") {
            rules.push(self.all()?);
        }
        Some(Rule::Any(rules))
    }

    fn all(&mut self) -> Option<Rule> {
        let mut rules = vec![self.one()?];
        while self.takes("&&") {
            rules.push(self.one()?);
        }
        Some(Rule::All(rules))
    }

    fn one(&mut self) -> Option<Rule> {
        self.depth = self.depth.checked_add(1).filter(|depth| *depth < 64)?;
        let rule = if self.takes("!") {
            Rule::Not(Box::new(self.one()?))
        } else if self.takes("(") {
            let inner = self.any()?;
            self.takes(")").then_some(inner)?
        } else {
            self.function()?
        };
        self.depth = self.depth.saturating_sub(1);
        Some(rule)
    }

    fn function(&mut self) -> Option<Rule> {
        let (name, _) = self.rest.trim_start().split_once('(')?;
        let function = Function::from_name(name.trim_end())?;
        self.takes(name);
        self.takes("(");
        let path = path(&self.text()?);
        let mut values = Vec::new();
        while self.takes(",") {
            let value = self.text()?;
            // A value of the request is one of this middleware's own.
            values.push(Some(Text::plain(&value)).filter(|_| !value.contains('{'))?);
        }
        let count = if function == Function::SplitContains { 2 } else { 1 };
        let is_right = if function == Function::OneOf { !values.is_empty() } else { values.len() == count };
        (self.takes(")") && is_right).then(|| Rule::claim(function, &path, values))
    }

    fn text(&mut self) -> Option<String> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|quote| matches!(quote, '`' | '"'))?;
        let (text, rest) = rest.get(1..)?.split_once(quote)?;
        self.rest = rest;
        // Escapes of Go are left to the middleware.
        (quote == '`' || !text.contains('\\')).then(|| text.to_owned())
    }
}

/// The names of a path with dots, of which `\.` is one inside of a name.
fn path(text: &str) -> Vec<String> {
    let (mut names, mut name) = (Vec::new(), String::new());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' if matches!(characters.peek(), Some('.' | '\\')) => name.extend(characters.next()),
            '.' => names.push(std::mem::take(&mut name)),
            other => name.push(other),
        }
    }
    names.push(name);
    names
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn expressions() {
        for text in [
            "Equals(`grp`, `admin`)",
            "(Equals(`a`, `b`) || Prefix(`c.d\\.e`, `f`)) && !Contains(`g`, `h`)",
            "!(Equals(`a`, `b`) && OneOf(`c`, `d`, `e`))",
            "SplitContains(`scope`, ` `, `write`)",
        ] {
            assert_eq!(parse(text).map(|rule| rule.expression()).as_deref(), Some(text));
        }
        for text in ["Equals(`a`)", "Exists(`a`)", "Equals(`a`, `{host}`)", "Equals(`a`, `b`) x", "", "("] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
