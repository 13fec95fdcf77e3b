//! What an option is called in other JWT middlewares for Traefik, or was called by mistake, and what to write here.
//!
//! Their names are compared without case, as Traefik does for plugins in Go.

use crate::core::config::options::Row;
use crate::core::config::options::accepted::*;
use crate::core::config::options::answers::ERRORS_REDIRECT;
use crate::core::config::options::bypass::MODE;
use crate::core::config::options::fetching::*;
use crate::core::config::options::keys::*;
use crate::core::config::options::places::TOKEN_SOURCES;
use crate::core::config::options::upstream::{FORWARD_AUTHORIZATION, FORWARD_HEADERS, MISSING_CLAIM};
use crate::core::config::written::{by_name, nested};
use crate::core::json::{Kind, Value};

/// What the error about an unknown option says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hint {
    /// Behind "is not an option;".
    pub(super) text: String,
    /// The options that may be meant.
    pub(super) meant: Vec<&'static Row>,
}

/// What is done with a name from elsewhere.
enum Here {
    /// An option under another name.
    Option(&'static Row),
    /// A sentence, and the options that it is about.
    Sentence(&'static str, &'static [&'static Row]),
    /// It depends on the value.
    Of(fn(Value<'_>) -> Hint),
}

use Here::{Of, Option as Is, Sentence};

const NO_PREFETCH: Here = Sentence("leave it out: keys are fetched when the first request needs them", &[]);
const OPEN_POLICY_AGENT: Here = Sentence(
    "policies are not asked here; write the rule in claims, or put a forwardAuth middleware for the policy behind this \
     one",
    &[],
);

/// The two plugins in Go, older names of Traefik Hub, and misspellings of our own names.
static NAMES: &[(&str, Here)] = &[
    // agilezebra/jwt-middleware.
    ("issuers", Of(issuers)),
    ("secret", Of(secret)),
    ("secrets", Is(&KEYS)),
    ("secretBase64Encoded", Is(&SIGNING_SECRET_BASE64)),
    ("skipPrefetch", NO_PREFETCH),
    ("delayPrefetch", NO_PREFETCH),
    (
        "refreshKeysInterval",
        Sentence(
            "leave it out: keys are refreshed ahead of their end, which is what the server says, or jwksCache.ttlSeconds",
            &[],
        ),
    ),
    ("require", Of(require)),
    ("headerMap", Is(&FORWARD_HEADERS)),
    (
        "removeMissingHeaders",
        Sentence(
            "leave it out: the client's own copies never pass, and missingClaim says what becomes of the header",
            &[&MISSING_CLAIM],
        ),
    ),
    (
        "cookieName",
        Sentence(
            "did you mean tokenSources[].cookie? tokenSources lists all places, Authorization as well",
            &[&TOKEN_SOURCES],
        ),
    ),
    (
        "headerName",
        Sentence(
            "did you mean tokenSources[].header? tokenSources lists all places; scheme is what stands before the token",
            &[&TOKEN_SOURCES],
        ),
    ),
    (
        "parameterName",
        Sentence(
            "did you mean tokenSources[].query? tokenSources lists all places, Authorization as well",
            &[&TOKEN_SOURCES],
        ),
    ),
    ("redirectUnauthorized", Is(&ERRORS_REDIRECT)),
    ("redirectForbidden", Sentence("did you mean errors.forbiddenRedirectUrl?", &[])),
    (
        "freshness",
        Sentence(
            "did you mean maxAgeSeconds? It refuses every older token with 401, not only one that gets a 403",
            &[&MAX_AGE],
        ),
    ),
    ("forwardToken", Is(&FORWARD_AUTHORIZATION)),
    ("optional", Sentence("write mode: optional", &[&MODE])),
    ("unauthenticatedMethods", Sentence("did you mean bypassMethods?", &[])),
    (
        "insecureSkipVerify",
        Sentence(
            "did you mean clientConfig.tls.insecureSkipVerify? In an entry of trustedIssuers it is for one server",
            &[&TLS_INSECURE],
        ),
    ),
    ("rootCAs", Is(&TLS_CA)),
    ("validMethods", Is(&ALGORITHMS)),
    // traefik-plugins/traefik-jwt-plugin.
    ("OpaUrl", OPEN_POLICY_AGENT),
    ("OpaAllowField", OPEN_POLICY_AGENT),
    ("OpaBody", OPEN_POLICY_AGENT),
    ("OpaDebugMode", OPEN_POLICY_AGENT),
    ("OpaHeaders", OPEN_POLICY_AGENT),
    ("OpaResponseHeaders", OPEN_POLICY_AGENT),
    ("OpaHttpStatusField", OPEN_POLICY_AGENT),
    ("PayloadFields", Is(&REQUIRED_CLAIMS)),
    ("Required", Of(required)),
    ("Keys", Of(keys)),
    (
        "ForceRefreshKeys",
        Sentence(
            "leave it out: an unknown kid has the keys fetched again, once in jwksCache.cooldownSeconds",
            &[],
        ),
    ),
    ("Alg", Is(&ALGORITHMS)),
    ("Iss", Is(&ISSUER)),
    ("Aud", Is(&AUDIENCE)),
    ("JwtHeaders", Is(&FORWARD_HEADERS)),
    ("JwksHeaders", Is(&CLIENT_HEADERS)),
    (
        "JwtCookieKey",
        Sentence(
            "did you mean tokenSources[].cookie? tokenSources lists all places, Authorization as well",
            &[&TOKEN_SOURCES],
        ),
    ),
    (
        "JwtQueryKey",
        Sentence(
            "did you mean tokenSources[].query? tokenSources lists all places, Authorization as well",
            &[&TOKEN_SOURCES],
        ),
    ),
    (
        "JwtSources",
        Sentence(
            "did you mean tokenSources? An entry is {header: NAME}, {cookie: NAME} or {query: NAME}",
            &[&TOKEN_SOURCES],
        ),
    ),
    ("JwksFetchTimeoutSecs", Is(&CLIENT_TIMEOUT)),
    // Traefik Hub.
    ("usernameClaim", Is(&FORWARD_HEADERS)),
    ("stripAuthorizationHeader", Is(&FORWARD_AUTHORIZATION)),
    // Our own.
    ("dryRun", Sentence("write mode: dryRun", &[&MODE])),
    ("permissive", Sentence("write mode: permissive", &[&MODE])),
    ("leeway", Is(&CLOCK_SKEW)),
];

/// All of them.
#[cfg(test)]
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

/// The hint for the top-level option `name`, or that of an entry of `trustedIssuers`, which is `value`.
pub(super) fn hint(name: &str, value: Value<'_>) -> Option<Hint> {
    let (_, here) = NAMES.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(name))?;
    Some(match here {
        Is(option) => Hint::option(option),
        Sentence(text, meant) => Hint { text: (*text).to_owned(), meant: meant.to_vec() },
        Of(hint) => hint(value),
    })
}

impl Hint {
    /// One option.
    fn option(option: &'static Row) -> Self {
        Self { text: format!("did you mean {}?", option.path), meant: vec![option] }
    }

    /// Whether it is `option` under another name, and nothing more.
    pub(super) fn is_option(&self, option: &str) -> bool {
        self.text == format!("did you mean {option}?")
    }
}

/// Where a key comes from.
fn source(text: &str) -> &'static Row {
    if text.contains("-----BEGIN ") {
        &PUBLIC_KEY
    } else if text.contains("://") {
        &JWKS_URL
    } else {
        &SIGNING_SECRET
    }
}

/// A list, as JSON delivers it, or as labels do.
fn elements(value: Value<'_>, each: &mut dyn FnMut(Value<'_>, &str)) {
    match nested(value) {
        Some(list) if list.root().kind() == Kind::Array => {
            list.root().elements().for_each(|element| each(element, element.as_str().unwrap_or_default()));
        }
        Some(_) | None if value.kind() == Kind::Array => {
            value.elements().for_each(|element| each(element, element.as_str().unwrap_or_default()));
        }
        Some(_) | None => {
            value.as_str().unwrap_or_default().split(',').for_each(|text| each(value, text.trim()));
        }
    }
}

fn secret(value: Value<'_>) -> Hint {
    Hint::option(source(value.as_str().unwrap_or_default()))
}

/// A list of URLs, PEM and secrets.
fn keys(value: Value<'_>) -> Hint {
    let mut found: [(&Row, &str, usize); 3] = [
        (&JWKS_URL, "the URL as jwksUrl", 0),
        (&PUBLIC_KEY, "the keys in PEM as publicKey", 0),
        (&SIGNING_SECRET, "the secret as signingSecret", 0),
    ];
    elements(value, &mut |_, text| {
        for (_, _, count) in found.iter_mut().filter(|(option, ..)| *option == source(text)) {
            *count = count.saturating_add(1);
        }
    });
    let written = || found.iter().filter(|(.., count)| *count > 0);
    let meant: Vec<&'static Row> = written().map(|(option, ..)| *option).collect();
    // Any number of keys in PEM is one publicKey.
    let text = if written().any(|(option, _, count)| *count > 1 && **option != PUBLIC_KEY) {
        "write an entry of trustedIssuers for each URL (jwksUrl) and each secret (signingSecret); keys in PEM may all stand \
         in one publicKey"
            .to_owned()
    } else if let [one] = meant.as_slice() {
        return Hint::option(one);
    } else {
        format!("write {}", written().map(|(_, words, _)| *words).collect::<Vec<_>>().join(", "))
    };
    Hint { text, meant }
}

/// A list of URLs, or of objects with `issuer` and `jwks`.
fn issuers(value: Value<'_>) -> Hint {
    let (mut count, mut has_objects, mut has_wildcards) = (0_usize, false, false);
    elements(value, &mut |element, text| {
        count = count.saturating_add(1);
        has_objects |= element.kind() == Kind::Object;
        has_wildcards |= text.contains('*');
    });
    let text = if has_wildcards {
        "did you mean issuer? {tenant} stands for a tenant, and the keys need a jwksUrl"
    } else if has_objects || count > 1 {
        "write an entry of trustedIssuers for each: issuer, with discovery: true or jwksUrl or jwks"
    } else {
        "did you mean issuer? discovery: true finds its keys"
    };
    Hint { text: text.to_owned(), meant: vec![&ISSUER, &DISCOVERY, &TRUSTED_ISSUERS] }
}

/// Claims and what they have to be.
fn require(value: Value<'_>) -> Hint {
    let nested = nested(value);
    let value = nested.as_ref().map_or(value, |document| document.root());
    let (mut words, mut meant) = (Vec::new(), Vec::<&'static Row>::new());
    let mut others = value.kind() != Kind::Object;
    for (name, _) in by_name(value) {
        let (word, option) = match name {
            "aud" => ("aud as audience", &AUDIENCE),
            "iss" => ("iss as issuer", &ISSUER),
            "scope" | "scp" => ("its scopes as scopes.required", &SCOPES),
            _ => {
                others = true;
                continue;
            }
        };
        words.push(word);
        meant.push(option);
    }
    if others {
        let more = if words.is_empty() { "it" } else { "the rest" };
        return Hint {
            text: format!(
                "write {}{more} as an expression in claims, such as OneOf(`role`, `admin`)",
                words.iter().map(|word| format!("{word}, ")).collect::<String>()
            ),
            meant: [meant, vec![&CLAIMS]].concat(),
        };
    }
    Hint { text: format!("write {}", words.join(", ")), meant }
}

fn required(value: Value<'_>) -> Hint {
    let is_off = value.as_bool() == Some(false) || value.as_str() == Some("false");
    let text = if is_off { "write mode: optional" } else { "leave it out: a token is required by default" };
    Hint { text: text.to_owned(), meant: vec![&MODE] }
}

#[cfg(test)]
mod tests {
    use super::{NAMES, hint};
    use crate::core::json::{Document, JsonLimits};
    use serde_json::{Value, json};

    fn said(name: &str, value: &Value) -> String {
        let limits = JsonLimits { max_depth: 8, max_nodes: 64 };
        let document = Document::parse(value.to_string().into_bytes(), limits).unwrap();
        hint(name, document.root()).unwrap().text
    }

    const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMA==\n-----END PUBLIC KEY-----";
    const OPA: &str = "policies are not asked here; write the rule in claims, or put a forwardAuth middleware for the \
                       policy behind this one";
    const PREFETCH: &str = "leave it out: keys are fetched when the first request needs them";
    const COOKIE: &str =
        "did you mean tokenSources[].cookie? tokenSources lists all places, Authorization as well";
    const QUERY: &str =
        "did you mean tokenSources[].query? tokenSources lists all places, Authorization as well";

    #[test]
    fn every_option_of_agilezebra_jwt_middleware() {
        let rows = [
            ("issuers", json!(["https://a"]), "did you mean issuer? discovery: true finds its keys"),
            ("secret", json!("abc"), "did you mean signingSecret?"),
            ("secrets", json!({"a": "b"}), "did you mean keys?"),
            ("secretBase64Encoded", json!(true), "did you mean signingSecretBase64Encoded?"),
            ("skipPrefetch", json!(true), PREFETCH),
            ("delayPrefetch", json!("5s"), PREFETCH),
            (
                "refreshKeysInterval",
                json!("1h"),
                "leave it out: keys are refreshed ahead of their end, which is what the server says, or \
                 jwksCache.ttlSeconds",
            ),
            ("require", json!({"aud": "a"}), "write aud as audience"),
            ("headerMap", json!({"X-A": "a"}), "did you mean forwardHeaders?"),
            (
                "removeMissingHeaders",
                json!(true),
                "leave it out: the client's own copies never pass, and missingClaim says what becomes of the header",
            ),
            ("cookieName", json!("a"), COOKIE),
            (
                "headerName",
                json!("a"),
                "did you mean tokenSources[].header? tokenSources lists all places; scheme is what stands before the token",
            ),
            ("parameterName", json!("a"), QUERY),
            ("redirectUnauthorized", json!("https://a/"), "did you mean errors.redirectUrl?"),
            ("redirectForbidden", json!("https://a/"), "did you mean errors.forbiddenRedirectUrl?"),
            (
                "freshness",
                json!(3600),
                "did you mean maxAgeSeconds? It refuses every older token with 401, not only one that gets a 403",
            ),
            ("forwardToken", json!(false), "did you mean forwardAuthorization?"),
            ("optional", json!(true), "write mode: optional"),
            ("unauthenticatedMethods", json!(["OPTIONS"]), "did you mean bypassMethods?"),
            (
                "insecureSkipVerify",
                json!(["a.example"]),
                "did you mean clientConfig.tls.insecureSkipVerify? In an entry of trustedIssuers it is for one server",
            ),
            ("rootCAs", json!("/ca.pem"), "did you mean clientConfig.tls.ca?"),
            ("validMethods", json!(["RS256"]), "did you mean algorithms?"),
        ];
        assert_eq!(rows.len(), 22);
        for (name, value, expected) in rows {
            assert_eq!(said(name, &value), expected, "{name}");
        }
    }

    #[test]
    fn every_option_of_traefik_jwt_plugin() {
        let rows = [
            ("OpaUrl", json!("http://opa:8181/v1/data/example"), OPA),
            ("OpaAllowField", json!("allow"), OPA),
            ("OpaBody", json!(true), OPA),
            ("OpaDebugMode", json!(true), OPA),
            ("OpaHeaders", json!({"Allowed": "allow"}), OPA),
            ("OpaResponseHeaders", json!({"Allowed": "allow"}), OPA),
            ("OpaHttpStatusField", json!("status"), OPA),
            ("PayloadFields", json!(["exp"]), "did you mean requiredClaims?"),
            ("Required", json!("false"), "write mode: optional"),
            ("Keys", json!(["https://a/jwks.json"]), "did you mean jwksUrl?"),
            (
                "ForceRefreshKeys",
                json!(true),
                "leave it out: an unknown kid has the keys fetched again, once in jwksCache.cooldownSeconds",
            ),
            ("Alg", json!("RS256"), "did you mean algorithms?"),
            ("Iss", json!("a"), "did you mean issuer?"),
            ("Aud", json!("a"), "did you mean audience?"),
            ("JwtHeaders", json!({"Subject": "sub"}), "did you mean forwardHeaders?"),
            ("JwksHeaders", json!({"A": "b"}), "did you mean clientConfig.headers?"),
            ("JwtCookieKey", json!("a"), COOKIE),
            ("JwtQueryKey", json!("a"), QUERY),
            (
                "JwtSources",
                json!([{"type": "bearer", "key": "Authorization"}]),
                "did you mean tokenSources? An entry is {header: NAME}, {cookie: NAME} or {query: NAME}",
            ),
            ("JwksFetchTimeoutSecs", json!(5), "did you mean clientConfig.timeoutSeconds?"),
        ];
        assert_eq!(rows.len(), 20);
        for (name, value, expected) in rows {
            assert_eq!(said(name, &value), expected, "{name}");
            // Traefik finds the options of plugins in Go without case.
            assert_eq!(said(&name.to_ascii_lowercase(), &value), expected, "{name}");
        }
    }

    #[test]
    fn what_is_written_decides() {
        for (name, value, expected) in [
            ("secret", json!(PEM), "did you mean publicKey?"),
            ("Keys", json!([PEM]), "did you mean publicKey?"),
            ("Keys", json!([PEM, PEM]), "did you mean publicKey?"),
            // As labels have it; a comma in an element is not one between two.
            ("Keys", json!(json!(["-----BEGIN PUBLIC KEY-----, a"]).to_string()), "did you mean publicKey?"),
            ("Keys", json!("{\"a\": \"b\"}"), "did you mean signingSecret?"),
            ("Keys", json!("your_actual_jwt_secret_here"), "did you mean signingSecret?"),
            ("Keys", json!(["https://a", PEM]), "write the URL as jwksUrl, the keys in PEM as publicKey"),
            (
                "Keys",
                json!("[\"https://a\", \"s\"]"),
                "write the URL as jwksUrl, the secret as signingSecret",
            ),
            (
                "Keys",
                json!("https://a,https://b"),
                "write an entry of trustedIssuers for each URL (jwksUrl) and each secret (signingSecret); keys in PEM may \
                 all stand in one publicKey",
            ),
            ("issuers", json!("https://a"), "did you mean issuer? discovery: true finds its keys"),
            (
                "issuers",
                json!([{"issuer": "https://a", "jwks": "https://a/keys"}]),
                "write an entry of trustedIssuers for each: issuer, with discovery: true or jwksUrl or jwks",
            ),
            (
                "issuers",
                json!("https://a,https://b"),
                "write an entry of trustedIssuers for each: issuer, with discovery: true or jwksUrl or jwks",
            ),
            (
                "issuers",
                json!(["https://*.example.com"]),
                "did you mean issuer? {tenant} stands for a tenant, and the keys need a jwksUrl",
            ),
            (
                "require",
                json!({"aud": "a", "iss": "b", "scope": "c"}),
                "write aud as audience, iss as issuer, its scopes as scopes.required",
            ),
            (
                "require",
                json!({"aud": "a", "role": {"$or": ["a", "b"]}}),
                "write aud as audience, the rest as an expression in claims, such as OneOf(`role`, `admin`)",
            ),
            (
                "require",
                json!("{\"role\": \"admin\"}"),
                "write it as an expression in claims, such as OneOf(`role`, `admin`)",
            ),
            ("Required", json!(true), "leave it out: a token is required by default"),
        ] {
            assert_eq!(said(name, &value), expected, "{name} {value}");
        }
    }

    #[test]
    fn no_name_stands_twice() {
        let mut seen: Vec<String> = Vec::new();
        for (name, _) in NAMES {
            let name = name.to_ascii_lowercase();
            assert!(!seen.contains(&name), "{name}");
            seen.push(name);
        }
    }
}
