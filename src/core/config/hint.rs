//! The hint in the error about an unknown option: the option here for a name from elsewhere, or the most likely option.

use crate::core::config::names_elsewhere::{self, Hint};
use crate::core::config::options::keys::{KEYS, SOURCES};
use crate::core::config::options::{self, ENTRY, Row};
use crate::core::config::written::nested;
use crate::core::json::{Kind, Value};

/// The full path of an option or a section: at the top level, or in an entry of `trustedIssuers`.
type Known = (String, &'static Row);

/// The hint about the option `unknown`, a path as rows have it, which is `value`.
pub(super) fn hint(unknown: &str, value: Value<'_>) -> Option<Hint> {
    let known = known();
    let in_entry = unknown.strip_prefix(ENTRY);
    let name = in_entry.unwrap_or(unknown);
    let meant = |(path, row): &Known| Hint { text: format!("did you mean {path}?"), meant: vec![*row] };
    // `Keys` of another plugin is a list, our `keys` is not.
    let is_list = value.kind() == Kind::Array;
    let spelled = known.iter().find(|(path, _)| path.eq_ignore_ascii_case(unknown));
    match spelled {
        Some((path, row)) if path == unknown => {
            let (section, name) = split(path);
            let section = section.trim_end_matches("[]");
            let text = format!("a dot in a name makes no level; write {name} inside of {section}");
            return Some(Hint { text, meant: vec![*row] });
        }
        Some(option) if option.0 != KEYS.path || !is_list => return Some(meant(option)),
        Some(_) | None => {}
    }
    if let Some(hint) = names_elsewhere::hint(name, value) {
        let of_entry =
            |(path, _): &&Known| path.strip_prefix(ENTRY).is_some_and(|option| hint.is_option(option));
        return Some(known.iter().filter(|_| in_entry.is_some()).find(of_entry).map_or(hint, meant));
    }
    nearest(unknown, &known).map(meant).or_else(|| {
        let text = "it holds options of this middleware, which stand directly below its name in plugin";
        holds_options(value, &known, LEVELS).then(|| Hint { text: text.into(), meant: SOURCES.to_vec() })
    })
}

/// Every option and every section, those of the top level first.
fn known() -> Vec<Known> {
    let mut known: Vec<Known> =
        options::rows().flat_map(|row| options::places(row).map(move |place| (place, row))).collect();
    known.sort_by_key(|(path, row)| path != row.path);
    known
}

/// How deep a block is looked for: `plugin: {jwt: {...}}`.
const LEVELS: usize = 2;

/// Whether the block, or the section around it, was written inside itself.
fn holds_options(value: Value<'_>, known: &[Known], levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return false };
    let nested = nested(value);
    let value = nested.as_ref().map_or(value, |document| document.root());
    let own = |name: &str| known.iter().any(|(path, _)| path == name);
    value.kind() == Kind::Object
        && value.members().any(|(name, value)| own(name) || holds_options(value, known, levels))
}

/// The option that is meant most likely: few letters apart in the same section, else the same name in another one. A
/// name without its unit is the same.
fn nearest<'k>(unknown: &str, known: &'k [Known]) -> Option<&'k Known> {
    let (section, wanted) = split(unknown);
    let wanted = wanted.to_ascii_lowercase();
    let name = |(path, _): &Known| split(path).1.to_ascii_lowercase();
    let without_unit = |name: &str| name.strip_suffix("seconds").unwrap_or(name).to_owned();
    let distance = |option: &&Known| {
        let name = name(option);
        edit_distance(&name, &wanted).min(edit_distance(&without_unit(&name), &wanted))
    };
    let same_name = |option: &&Known| {
        let name = name(option);
        name == wanted || without_unit(&name) == wanted
    };
    let close = known.iter().filter(|(path, _)| split(path).0 == section).min_by_key(distance);
    let close = close.filter(|best| distance(best) <= wanted.chars().count().div_ceil(3));
    let list = unknown.split_inclusive("[].").next().filter(|list| list.ends_with("[]."));
    let in_same_list =
        || known.iter().filter(|(path, _)| list.is_some_and(|list| path.starts_with(list))).find(same_name);
    close.or_else(in_same_list).or_else(|| known.iter().find(same_name))
}

/// Section and name of a path.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

/// Levenshtein's distance. Names are short; longer ones are cut.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i.saturating_add(1);
        let mut next = vec![left];
        for (above, cb) in row.iter().skip(1).zip(&b) {
            let substituted = diagonal.saturating_add(usize::from(ca != *cb));
            left = substituted.min(left.saturating_add(1)).min(above.saturating_add(1));
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::{edit_distance, hint, names_elsewhere};
    use crate::core::config::options;
    use crate::core::json::{Document, JsonLimits};
    use serde_json::json;

    fn said(unknown: &str, value: &serde_json::Value) -> Option<String> {
        let limits = JsonLimits { max_depth: 8, max_nodes: 64 };
        let document = Document::parse(value.to_string().into_bytes(), limits).unwrap();
        Some(hint(unknown, document.root())?.text)
    }

    #[test]
    fn a_block_inside_itself() {
        let inside = "it holds options of this middleware, which stand directly below its name in plugin";
        for (name, value) in [
            ("jwt", json!({"jwksUrl": "https://a"})),
            ("jwt", json!("{\"jwksUrl\": \"https://a\"}")),
            ("plugin", json!({"jwt": {"issuer": "a"}})),
        ] {
            assert_eq!(said(name, &value).as_deref(), Some(inside), "{value}");
        }
        for value in [json!({}), json!({"x": 1}), json!({"a": {"b": {"issuer": "a"}}}), json!(1)] {
            assert_eq!(said("jwt", &value), None, "{value}");
        }
    }

    #[test]
    fn no_name_from_elsewhere_is_an_option() {
        for name in names_elsewhere::names() {
            assert!(options::rows().all(|row| row.path != name), "{name}");
        }
    }

    #[test]
    fn the_nearest_option() {
        for (unknown, expected) in [
            ("jwksURL", Some("jwksUrl")),
            ("jwkUrl", Some("jwksUrl")),
            ("Iss", Some("issuer")),
            ("Keys", Some("keys")),
            ("secret", Some("signingSecret")),
            ("headerMap", Some("forwardHeaders")),
            ("trustedIssuers[].secret", Some("trustedIssuers[].signingSecret")),
            ("trustedIssuers[].jwksHeaders", Some("trustedIssuers[].clientConfig.headers")),
            ("clientConfig.timeout", Some("clientConfig.timeoutSeconds")),
            ("timeout", Some("clientConfig.timeoutSeconds")),
            ("maxAge", Some("maxAgeSeconds")),
            ("trustedIssuers[].maxAge", Some("trustedIssuers[].maxAgeSeconds")),
            ("clockSkew", Some("clockSkewSeconds")),
            ("ttl", Some("jwksCache.ttlSeconds")),
            ("ttlSeconds", Some("jwksCache.ttlSeconds")),
            ("clientConfig.ca", Some("clientConfig.tls.ca")),
            ("clientConfig.tls.CA", Some("clientConfig.tls.ca")),
            ("clientConfg", Some("clientConfig")),
            ("clientConfig.tlss", Some("clientConfig.tls")),
            ("clientConfig.tls.cort", Some("clientConfig.tls.cert")),
            ("trustedIssuer", Some("trustedIssuers")),
            ("tls", Some("clientConfig.tls")),
            ("forwardHeader", Some("forwardHeaders")),
            ("errors.formats", Some("errors.format")),
            ("trustedIssuers[].audiences", Some("trustedIssuers[].audience")),
            ("trustedIssuers[].tls", Some("trustedIssuers[].clientConfig.tls")),
            ("trustedIssuers[].clientConfig.tls.cort", Some("trustedIssuers[].clientConfig.tls.cert")),
            ("trustedIssuers[].jwksCache", Some("jwksCache")),
            ("xyzzy", None),
        ] {
            let expected = expected.map(|option| format!("did you mean {option}?"));
            assert_eq!(said(unknown, &json!("x")), expected, "{unknown}");
        }
    }

    #[test]
    fn distances() {
        for (a, b, distance) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("flaw", "lawn", 2)] {
            assert_eq!(edit_distance(a, b), distance);
        }
    }
}
