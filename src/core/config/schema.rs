//! The names of all options, exactly as users write them. An option that is not here is refused.

use crate::core::config::coerce::{Section, by_name, nested};
use crate::core::config::error::{Errors, Problem};
use crate::core::config::names_elsewhere::{self, Hint};
use crate::core::token::json::{Kind, Value};

/// Every option by its full path. `[]` is an element of a list, `*` a name that the user chooses.
pub const OPTIONS: &[&str] = &[
    "jwksUrl",
    "issuer",
    "discovery",
    "jwks",
    "jwksFile",
    "publicKey",
    "signingSecret",
    "signingSecretBase64Encoded",
    "keys.*",
    "trustedIssuers[].issuer",
    "trustedIssuers[].jwksUrl",
    "trustedIssuers[].discovery",
    "trustedIssuers[].jwks",
    "trustedIssuers[].jwksFile",
    "trustedIssuers[].publicKey",
    "trustedIssuers[].signingSecret",
    "trustedIssuers[].signingSecretBase64Encoded",
    "trustedIssuers[].keys.*",
    "trustedIssuers[].algorithms",
    "trustedIssuers[].audience",
    "trustedIssuers[].requiredClaims",
    "trustedIssuers[].clockSkewSeconds",
    "trustedIssuers[].tenants",
    "trustedIssuers[].tenantClaim",
    "trustedIssuers[].tokenType",
    "trustedIssuers[].maxLifetimeSeconds",
    "trustedIssuers[].maxAgeSeconds",
    "trustedIssuers[].maxAgeClaim",
    "trustedIssuers[].scopes.required",
    "trustedIssuers[].scopes.match",
    "trustedIssuers[].scopes.claim",
    "trustedIssuers[].boundTokens",
    "trustedIssuers[].claims",
    "trustedIssuers[].forwardHeaders.*",
    "clientConfig.tls.ca",
    "clientConfig.tls.cert",
    "clientConfig.tls.key",
    "clientConfig.tls.serverName",
    "clientConfig.tls.insecureSkipVerify",
    "clientConfig.timeoutSeconds",
    "clientConfig.maxRetries",
    "clientConfig.headers.*",
    "clientConfig.allowHttp",
    "clientConfig.proxy",
    "clientConfig.noProxy",
    "trustedIssuers[].clientConfig.tls.ca",
    "trustedIssuers[].clientConfig.tls.cert",
    "trustedIssuers[].clientConfig.tls.key",
    "trustedIssuers[].clientConfig.tls.serverName",
    "trustedIssuers[].clientConfig.tls.insecureSkipVerify",
    "trustedIssuers[].clientConfig.timeoutSeconds",
    "trustedIssuers[].clientConfig.maxRetries",
    "trustedIssuers[].clientConfig.headers.*",
    "trustedIssuers[].clientConfig.allowHttp",
    "trustedIssuers[].clientConfig.proxy",
    "trustedIssuers[].clientConfig.noProxy",
    "jwksCache.ttlSeconds",
    "jwksCache.cooldownSeconds",
    "jwksCache.staleSeconds",
    "jwksCache.directory",
    "algorithms",
    "audience",
    "requiredClaims",
    "clockSkewSeconds",
    "tenants",
    "tenantClaim",
    "tokenType",
    "maxLifetimeSeconds",
    "maxAgeSeconds",
    "maxAgeClaim",
    "scopes.required",
    "scopes.match",
    "scopes.claim",
    "boundTokens",
    "claims",
    "tokenSources[].header",
    "tokenSources[].scheme",
    "tokenSources[].padding",
    "tokenSources[].cookie",
    "tokenSources[].query",
    "tokenSources[].webSocketProtocol",
    "tokenSources[].webSocketPrefix",
    "tokenSources[].encoding",
    "tokenKey",
    "tokenQueryKey",
    "maxTokenBytes",
    "forwardHeaders.*",
    "forwardLists",
    "missingClaim",
    "forwardPayloadHeader",
    "forwardPayloadFormat",
    "forwardAuthorization",
    "errors.format",
    "errors.realm",
    "errors.details",
    "errors.body",
    "errors.contentType",
    "errors.codeHeader",
    "errors.redirectUrl",
    "errors.forbiddenRedirectUrl",
    "errors.cors",
    "resourceMetadata.resource",
    "resourceMetadata.authorizationServers",
    "resourceMetadata.scopesSupported",
    "unavailableStatus",
    "status.path",
    "status.sourceRange",
    "status.kids",
    "log.refusals",
    "log.sub",
    "log.perMinute",
    "answerAs",
    "trustedPeers",
    "mode",
    "verdictHeader.request",
    "verdictHeader.response",
    "bypassPreflight",
    "bypassMethods",
    "bypassPaths",
    "tests[].name",
    "tests[].claims",
    "tests[].typ",
    "tests[].now",
    "tests[].request.method",
    "tests[].request.path",
    "tests[].request.headers.*",
    "tests[].expect",
];

/// Options whose value is an object or list of its own, which is not looked into here.
const OPAQUE: &[&str] = &["jwks", "trustedIssuers[].jwks"];

/// Options and sections that may be written and empty: that is as if they were left out, has a meaning of its own, or is
/// refused by their reader in better words. All others are refused then, so that no rule is lost with a variable that
/// is not set. Those of `trustedIssuers` are as those of the top level.
const MAY_BE_EMPTY: &[&str] = &[
    "jwksUrl",
    "jwks",
    "jwksFile",
    "publicKey",
    "signingSecret",
    "keys",
    "clientConfig",
    "clientConfig.tls",
    "clientConfig.tls.ca",
    "clientConfig.tls.cert",
    "clientConfig.tls.key",
    "clientConfig.tls.serverName",
    "clientConfig.headers",
    "clientConfig.proxy",
    "clientConfig.noProxy",
    "jwksCache",
    "jwksCache.directory",
    "tokenSources[].scheme",
    "tokenKey",
    "tokenQueryKey",
    "forwardHeaders",
    "forwardPayloadHeader",
    "errors",
    "errors.realm",
    "errors.body",
    "errors.contentType",
    "errors.codeHeader",
    "errors.redirectUrl",
    "errors.forbiddenRedirectUrl",
    "errors.cors",
    "resourceMetadata",
    "resourceMetadata.resource",
    "resourceMetadata.authorizationServers",
    "resourceMetadata.scopesSupported",
    "status",
    "status.path",
    "status.sourceRange",
    "log",
    "verdictHeader",
    "verdictHeader.request",
    "verdictHeader.response",
    "bypassMethods",
    "bypassPaths",
    "tests",
    "tests[].name",
    "tests[].claims",
    "tests[].typ",
    "tests[].request",
    "tests[].request.method",
    "tests[].request.path",
    "tests[].request.headers",
    "tests[].expect",
];

/// What to do instead of leaving a rule empty.
const INSTEAD: &[(&str, &str)] = &[
    ("issuer", "leave the option out to accept every issuer"),
    ("audience", "leave the option out to accept every audience"),
    ("requiredClaims", "write none to require no claim, not even exp"),
    ("algorithms", "leave the option out to accept those that the keys can serve"),
    ("tenants", "leave the option out to accept every tenant"),
    ("tenantClaim", "leave the option out to compare the tenant with tid"),
    ("tokenType", "leave the option out to accept every type"),
    ("boundTokens", "leave the option out to refuse bound tokens"),
    ("scopes", "leave the option out to require no scope"),
    ("scopes.required", "leave scopes out to require no scope"),
    ("scopes.claim", "leave the option out to look into scope and scp"),
    ("claims", "leave the option out to accept every valid token"),
];

/// Rules of an entry of `trustedIssuers` that do not come from the top level where they are left out.
const NOT_INHERITED: &[&str] = &["issuer", "algorithms", "tenants", "tenantClaim"];

/// The option in which a text says that nothing is asked for.
pub(super) const REQUIRED_CLAIMS: &str = "requiredClaims";

/// Where the options of one issuer stand.
const ENTRY: &str = "trustedIssuers[].";

/// The options that keys come from.
pub(super) const SOURCES: &[&str] =
    &["jwksUrl", "discovery", "jwks", "jwksFile", "publicKey", "signingSecret", "keys", "trustedIssuers"];

/// Reports every option that does not exist, and every one that is written and empty and must not be.
#[inline(never)]
pub fn check(root: &Section, errors: &mut Errors) {
    for (name, value) in root.members() {
        walk(name, name, value, errors);
    }
}

/// `path` is as the user wrote it, `pattern` the same with `[]` for indexes and `*` for chosen names.
fn walk(path: &str, pattern: &str, value: Value<'_>, errors: &mut Errors) {
    refuse_empty(path, pattern, value, errors);
    if OPTIONS.contains(&pattern) || OPAQUE.contains(&pattern) {
        return;
    }
    let mut behind = OPTIONS.iter().filter_map(|option| option.strip_prefix(pattern));
    let Some(inner) = behind.find(|inner| inner.starts_with(['.', '['])) else {
        let (hint, meant) = hint(pattern, value).map(|hint| (hint.text, hint.meant)).unzip();
        errors.push(path, Problem::Unknown { hint, meant: meant.unwrap_or_default() });
        return;
    };
    // Labels and KV stores deliver objects and lists as JSON in a string.
    let nested = nested(value);
    let value = nested.as_ref().map_or(value, |document| document.root());
    if inner.starts_with('[') {
        for (index, element) in value.elements().enumerate() {
            for (name, value) in by_name(element) {
                walk(&format!("{path}[{index}].{name}"), &format!("{pattern}[].{name}"), value, errors);
            }
        }
    } else if inner != ".*" {
        // Names that the user chooses are not looked at; their values are read where they are used.
        for (name, value) in by_name(value) {
            walk(&format!("{path}.{name}"), &format!("{pattern}.{name}"), value, errors);
        }
    }
}

fn refuse_empty(path: &str, pattern: &str, value: Value<'_>, errors: &mut Errors) {
    let (entry, rule) = match pattern.strip_prefix(ENTRY) {
        Some(rule) => (true, rule),
        None => (false, pattern),
    };
    let is_said =
        rule == REQUIRED_CLAIMS && value.as_str().is_some_and(|text| text.trim_start().starts_with('['));
    let is_empty = is_empty(value) || (is_empty_json(value) && !is_said);
    if !is_empty || MAY_BE_EMPTY.contains(&rule) || !paths().any(|known| known == pattern) {
        return;
    }
    let words = INSTEAD.iter().find(|(name, _)| *name == rule).map(|(_, instead)| *instead);
    let instead = match words {
        Some(_) if entry && !NOT_INHERITED.contains(&rule) && rule != REQUIRED_CLAIMS => {
            "leave the option out to have that of the top level"
        }
        Some(words) => words,
        None => "leave the option out, or give it a value",
    };
    errors.push(path, Problem::EmptyOption { instead });
}

/// Nothing, however it is written.
fn is_empty(value: Value<'_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::String => value.as_str().is_some_and(|text| text.trim().is_empty()),
        Kind::Array => value.elements().next().is_none(),
        Kind::Object => value.members().next().is_none(),
        Kind::True | Kind::False | Kind::Number => false,
    }
}

/// An empty list or object as JSON in a text.
fn is_empty_json(value: Value<'_>) -> bool {
    let text = value.as_str().unwrap_or_default().trim();
    [('[', ']'), ('{', '}')].into_iter().any(|(open, close)| {
        let inner = text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
        inner.is_some_and(|inner| inner.trim().is_empty())
    })
}

/// What the error about the option `unknown` says, if anything is known: what a name from elsewhere is here, or the option that is meant most
/// likely.
fn hint(unknown: &str, value: Value<'_>) -> Option<Hint> {
    let in_entry = unknown.strip_prefix(ENTRY);
    let name = in_entry.unwrap_or(unknown);
    let spelled_otherwise = || paths().find(|path| path.eq_ignore_ascii_case(unknown));
    // `Keys` of another plugin is a list, our `keys` is none.
    let is_list = value.kind() == Kind::Array;
    if let Some(option) = spelled_otherwise().filter(|option| *option != "keys" || !is_list) {
        return Some(Hint::option(option));
    }
    if let Some(hint) = names_elsewhere::hint(name, value) {
        let of_entry = |path: &&str| path.strip_prefix(ENTRY).is_some_and(|option| hint.is_option(option));
        return Some(paths().filter(|_| in_entry.is_some()).find(of_entry).map_or(hint, Hint::option));
    }
    nearest(unknown).map(Hint::option).or_else(|| {
        let text = "it holds options of this middleware, which stand directly below its name in plugin";
        holds_options(value, LEVELS).then(|| Hint { text: text.into(), meant: SOURCES.to_vec() })
    })
}

/// How deep a block is looked for: `plugin: {jwt: {...}}`.
const LEVELS: usize = 2;

/// Whether the block, or what is around it, was written inside itself.
fn holds_options(value: Value<'_>, levels: usize) -> bool {
    let Some(levels) = levels.checked_sub(1) else { return false };
    let nested = nested(value);
    let value = nested.as_ref().map_or(value, |document| document.root());
    let own = |name: &str| paths().any(|path| path == name);
    value.kind() == Kind::Object
        && value.members().any(|(name, value)| own(name) || holds_options(value, levels))
}

/// The option that is meant most likely: few letters apart in the same section, else the same name in another one. A
/// name without its unit is the same.
fn nearest(unknown: &str) -> Option<&'static str> {
    let (section, wanted) = split(unknown);
    let without_unit = |path: &str| path.strip_suffix("Seconds").unwrap_or(path).to_ascii_lowercase();
    let close = || {
        let wanted = wanted.to_ascii_lowercase();
        let distance = |path: &&str| {
            let name = split(path).1;
            edit_distance(&name.to_ascii_lowercase(), &wanted)
                .min(edit_distance(&without_unit(name), &wanted))
        };
        let best = paths().filter(|path| split(path).0 == section).min_by_key(distance)?;
        (distance(&best) <= wanted.chars().count().div_ceil(3)).then_some(best)
    };
    let same_name = |path: &&str| {
        let name = split(path).1;
        name.eq_ignore_ascii_case(wanted) || without_unit(name).eq_ignore_ascii_case(wanted)
    };
    let list = unknown.split_inclusive("[].").next().filter(|list| list.ends_with("[]."));
    let in_same_list = || list.and_then(|list| paths().filter(|path| path.starts_with(list)).find(same_name));
    let in_another_section = || in_same_list().or_else(|| paths().find(same_name));
    close().or_else(in_another_section)
}

/// Section and name of a path.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

/// Every option and every section, in the order of the table.
fn paths() -> impl Iterator<Item = &'static str> {
    let ends = |path: &'static str| path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    OPTIONS
        .iter()
        .map(|option| option.trim_end_matches(".*"))
        .flat_map(move |option| ends(option).filter_map(|end| option.get(..end)))
        .map(|path| path.trim_end_matches("[]"))
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
    use super::{OPTIONS, edit_distance, hint, names_elsewhere};
    use crate::core::config::coerce::Section;
    use serde_json::json;

    fn said(unknown: &str, value: &serde_json::Value) -> Option<String> {
        let root = Section::root(json!({ "x": value }).to_string().into_bytes()).unwrap();
        Some(hint(unknown, root.raw("x").unwrap())?.text)
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
            assert!(!OPTIONS.contains(&name), "{name}");
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
