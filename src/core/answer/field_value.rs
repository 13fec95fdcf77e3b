//! Claims as field values (RFC 9110 5.5): what a claim says stays inside its header, unchanged, or is not sent at all.

use crate::core::json::{Kind, Value};
use crate::core::text::one_line;
use crate::core::token::claims_set::{ClaimPath, ClaimsSet};

/// What fills a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filling {
    /// The claim alone.
    Claim(FirstOf),
    /// Text with claims in it.
    Template(Vec<Part>),
}

/// A part of a [`Filling::Template`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text of the configuration, printable ASCII.
    Text(String),
    /// A claim, between braces.
    Claim(FirstOf),
}

/// The first of several claims that a token has; most often there is one to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstOf(Vec<ClaimPath>);

impl FirstOf {
    /// Parses `email`, `email|preferred_username|sub`; `\|` is a bar inside a name. `None` for an empty or repeated path.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = vec![String::new()];
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match (c, chars.peek().copied()) {
                ('|', _) => parts.push(String::new()),
                ('\\', Some('|')) => push(&mut parts, chars.next()?),
                // Whatever is behind a backslash belongs to it.
                ('\\', Some(next)) => {
                    push(&mut parts, c);
                    push(&mut parts, next);
                    chars.next();
                }
                (c, _) => push(&mut parts, c),
            }
        }
        let several = parts.len() > 1;
        let mut paths = Vec::with_capacity(parts.len());
        for part in &parts {
            let path = ClaimPath::parse(if several { part.trim() } else { part })?;
            if paths.contains(&path) {
                return None;
            }
            paths.push(path);
        }
        Some(Self(paths))
    }

    /// The value. Of several, a claim that is null or an empty text is one that the token does not have; one that cannot
    /// be carried is no reason to take the next, which may be another identity.
    fn of(&self, claims: &ClaimsSet, lists: Lists) -> Option<String> {
        let is_there = |value: &Value<'_>| value.kind() != Kind::Null && value.as_str() != Some("");
        let value = match self.0.as_slice() {
            [path] => claims.at(path),
            paths => paths.iter().find_map(|path| claims.at(path).filter(is_there)),
        };
        field_value(value?, lists)
    }
}

fn push(parts: &mut [String], c: char) {
    if let Some(last) = parts.last_mut() {
        last.push(c);
    }
}

/// `forwardLists`: how a list becomes one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lists {
    /// As JSON.
    #[default]
    Json,
    /// The elements with commas between them.
    Comma,
}

impl Filling {
    /// Parses `sub`, `realm_access.roles`, `email|sub`, `user:{sub}@{tenant}`. `None` if it is neither a claim nor a
    /// template: an empty path, a brace that has no partner, or text that a header cannot carry.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.contains(['{', '}']) {
            return FirstOf::parse(text).map(Self::Claim);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let (path, behind) = behind.split_once('}')?;
            if path.contains('{') {
                return None;
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Claim(FirstOf::parse(path)?));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        let printable = |text: &str| text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'}');
        let carried = parts.iter().all(|part| match part {
            Part::Text(text) => printable(text),
            Part::Claim(_) => true,
        });
        (carried && !text.starts_with(' ') && !text.ends_with(' ')).then_some(Self::Template(parts))
    }

    /// The claims in it.
    pub fn claims(&self) -> impl Iterator<Item = &ClaimPath> {
        let (one, parts) = match self {
            Self::Claim(first) => (Some(first), [].as_slice()),
            Self::Template(parts) => (None, parts.as_slice()),
        };
        let of_parts = parts.iter().filter_map(|part| match part {
            Part::Claim(first) => Some(first),
            Part::Text(_) => None,
        });
        one.into_iter().chain(of_parts).flat_map(|first| &first.0)
    }

    /// The field value for `claims`; `None` if a claim is missing, or cannot be carried unchanged. A template whose
    /// claim is missing or empty is missing as a whole: half an identity is somebody else's.
    pub fn of(&self, claims: &ClaimsSet, lists: Lists) -> Option<String> {
        match self {
            Self::Claim(first) => first.of(claims, lists),
            Self::Template(parts) => {
                let part = |part: &Part| match part {
                    Part::Text(text) => Some(text.clone()),
                    Part::Claim(first) => first.of(claims, lists).filter(|value| !value.is_empty()),
                };
                parts.iter().map(part).collect()
            }
        }
    }
}

/// `value` as text. `None` if it is null, or text that a field value cannot carry unchanged: a recipient would drop
/// outer white space, and control characters end a header.
fn field_value(value: Value<'_>, lists: Lists) -> Option<String> {
    match (value.kind(), lists) {
        (Kind::Null, _) => None,
        (Kind::True | Kind::False | Kind::Number, _) => Some(value.raw().to_owned()),
        (Kind::String, _) => value.as_str().filter(|text| is_carried(text)).map(str::to_owned),
        (Kind::Array, Lists::Comma) => joined(value),
        (Kind::Array, Lists::Json) | (Kind::Object, _) => Some(json(value)),
    }
}

/// The elements with commas between them. `None` for an empty list, and if a comma cannot end an element: an element
/// that contains a comma would become two.
fn joined(list: Value<'_>) -> Option<String> {
    let element = |value: Value<'_>| match value.kind() {
        Kind::True | Kind::False | Kind::Number => Some(value.raw().to_owned()),
        Kind::String => {
            let whole = |text: &&str| !text.is_empty() && is_carried(text) && !text.contains(',');
            value.as_str().filter(whole).map(str::to_owned)
        }
        Kind::Null | Kind::Array | Kind::Object => None,
    };
    let elements: Vec<String> = list.elements().map(element).collect::<Option<_>>()?;
    (!elements.is_empty()).then(|| elements.join(","))
}

fn is_carried(text: &str) -> bool {
    let outer = text.starts_with([' ', '\t']) || text.ends_with([' ', '\t']);
    !outer && !text.chars().any(char::is_control)
}

/// JSON on one line and in printable ASCII; other characters occur only inside strings, and are escaped there.
pub fn json(value: Value<'_>) -> String {
    one_line(value.compact())
}

#[cfg(test)]
mod tests {
    use super::{Filling, Lists, json};
    use crate::core::token::claims_set::claims;
    use proptest::prelude::*;

    fn of(filling: &str, payload: &str, lists: Lists) -> Option<String> {
        Filling::parse(filling).unwrap().of(&claims(payload), lists)
    }

    #[test]
    fn claims_as_field_values() {
        for (json, expected) in [
            (r#""alice""#, Some("alice")),
            (r#""Zo\u00eb""#, Some("Zo\u{eb}")),
            ("9007199254740993", Some("9007199254740993")),
            ("12345678901234567890.10e-400", Some("12345678901234567890.10e-400")),
            ("true", Some("true")),
            ("null", None),
            (r#"[ "a" , {"b": "c\nd"} ]"#, Some(r#"["a",{"b":"c\nd"}]"#)),
            (r#""a\r\nX-Admin: 1""#, None),
            (r#""a\u0000""#, None),
            (r#""a\u0085""#, None),
            (r#"" alice""#, None),
            (r#""alice\t""#, None),
            ("[\"a\u{85}\", \"Zo\u{eb}\u{1f600}\"]", Some(r#"["a\u0085","Zo\u00eb\ud83d\ude00"]"#)),
            (r#"{"a": [1, 2]}"#, Some(r#"{"a":[1,2]}"#)),
            ("[]", Some("[]")),
            (r#""""#, Some("")),
        ] {
            assert_eq!(of("c", &format!("{{\"c\":{json}}}"), Lists::Json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn lists_with_commas() {
        for (json, expected) in [
            (r#"["a","b c", 12345678901234567890, true]"#, Some("a,b c,12345678901234567890,true")),
            (r#"["a"]"#, Some("a")),
            (r#"["a","b,admin"]"#, None),
            (r#"["a",""]"#, None),
            (r#"["a"," b"]"#, None),
            (r#"["a\nb"]"#, None),
            (r#"["a",null]"#, None),
            (r#"["a",["b"]]"#, None),
            ("[]", None),
            (r#""a,b""#, Some("a,b")),
            (r#"{"a":["b","c"]}"#, Some(r#"{"a":["b","c"]}"#)),
        ] {
            assert_eq!(of("c", &format!("{{\"c\":{json}}}"), Lists::Comma).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn templates() {
        let payload = r#"{"sub":"alice","tenant":"acme","n":9007199254740993,"a":{"b.c":"d"},"e":"","x":"a\nb","r":["p","q"]}"#;
        for (filling, expected) in [
            ("user:{sub}@{tenant}", Some("user:alice@acme")),
            ("{sub}", Some("alice")),
            ("{sub}{n}", Some("alice9007199254740993")),
            (r"{a.b\.c} of {tenant}", Some("d of acme")),
            ("[{r}]", Some("[p,q]")),
            ("user:{nobody}", None),
            ("{sub}@{e}", None),
            ("{sub}@{x}", None),
            ("{sub}@{a.x}", None),
        ] {
            assert_eq!(of(filling, payload, Lists::Comma).as_deref(), expected, "{filling}");
        }
        for text in [
            "",
            "{}",
            "{",
            "}",
            "a{b",
            "a}b",
            "{a}}",
            "{{a}}",
            "{a..b}",
            "\u{e9}{a}",
            "a\n{b}",
            " {a}",
            "{a} ",
        ] {
            assert_eq!(Filling::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_first_of_several_claims() {
        let choice = "email|name | sub";
        for (payload, expected) in [
            (r#"{"email":"a@b","name":"n","sub":"s"}"#, Some("a@b")),
            (r#"{"name":"n","sub":"s"}"#, Some("n")),
            (r#"{"email":null,"name":"","sub":"s"}"#, Some("s")),
            (r#"{"email":false,"sub":"s"}"#, Some("false")),
            (r#"{"email":0,"sub":"s"}"#, Some("0")),
            // What cannot be carried does not make way for another identity.
            (r#"{"email":"a\nb","sub":"s"}"#, None),
            (r#"{"email":" a","sub":"s"}"#, None),
            ("{}", None),
        ] {
            assert_eq!(of(choice, payload, Lists::Json).as_deref(), expected, "{payload}");
        }
        assert_eq!(of("{a|b.c}@{d}", r#"{"b":{"c":"x"},"d":"y"}"#, Lists::Json).as_deref(), Some("x@y"));
        assert_eq!(of(r"a\|b", r#"{"a|b":"x","a":"y"}"#, Lists::Json).as_deref(), Some("x"));
        assert_eq!(of(r"a\\|b", r#"{"a\\":"x","b":"y"}"#, Lists::Json).as_deref(), Some("x"));
        // Blanks around a name alone are part of it.
        assert_eq!(of(" a ", r#"{" a ":"x","a":"y"}"#, Lists::Json).as_deref(), Some("x"));
        assert_eq!(of("e", r#"{"e":""}"#, Lists::Json).as_deref(), Some(""));
        for text in ["a||b", "|a", "a|", "|", "a|a", "a | a", "a|b.", "{a|}", "{a|a}"] {
            assert_eq!(Filling::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_leaves_its_header(text in any::<String>(), element in any::<String>()) {
            let payload = serde_json::json!({"c": text, "l": [element], "o": {"k": element}}).to_string();
            for filling in ["c", "l", "o", "a {c} {l} {o}"] {
                for lists in [Lists::Json, Lists::Comma] {
                    let value = of(filling, &payload, lists).unwrap_or_default();
                    prop_assert!(!value.chars().any(char::is_control));
                    prop_assert_eq!(value.trim_matches([' ', '\t']), &value);
                }
            }
        }

        #[test]
        fn json_says_the_same_in_ascii(text in any::<String>()) {
            let payload = serde_json::json!({"c": [text, {"a": 1}]});
            let set = claims(&payload.to_string());
            let ascii = json(set.value());
            prop_assert!(ascii.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&ascii).unwrap(), payload);
        }
    }
}
