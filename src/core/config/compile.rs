//! The whole configuration.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::core::answer::forward::ClaimHeader;
use crate::core::bypass::{BypassRules, Mode, Preflight};
use crate::core::claims::ClaimRules;
use crate::core::config::accepted::{self, IssuerNames};
use crate::core::config::coerce::Section;
use crate::core::config::error::{ConfigError, Errors, Problem};
use crate::core::config::key_sources::{KeySources, Shared};
use crate::core::config::{answers, key_sources, schema, self_test, token_places, upstream};
use crate::core::policy::{IssuerId, Policy, TrustedIssuer};
use crate::core::request::path::PathPattern;
use crate::core::signature::alg::Alg;

/// What the artifact and its host can do. A configuration must compile to the same in every instance, so nothing
/// here may change while Traefik runs.
pub struct Capabilities<'a> {
    /// Whether URLs can be fetched (`plugin.wasm`).
    pub fetch: bool,
    /// The environment as forwarded by `settings.envs`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

/// Compiles a configuration.
///
/// # Errors
/// Every problem of it.
pub fn compile(json: &[u8], capabilities: &Capabilities<'_>) -> Result<Policy, Vec<ConfigError>> {
    let mut errors = Errors::default();
    match members(json) {
        Ok(members) if members.is_empty() => errors.push("", Problem::Empty),
        Ok(members) => {
            let root = Section::root(&members);
            schema::refuse_unknown(&root, &mut errors);
            let policy = policy(&root, capabilities, &mut errors);
            let tests = self_test::parse(&root, &policy, &mut errors);
            // The tests of rules that are not there say nothing.
            if errors.is_empty() {
                self_test::run(&tests, &policy, &mut errors);
            }
            if errors.is_empty() {
                return Ok(policy);
            }
        }
        Err(problem) => errors.push("", problem),
    }
    Err(errors.into_vec())
}

fn members(json: &[u8]) -> Result<Map<String, Value>, Problem> {
    if json.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(json) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) | Err(_) => Err(Problem::NotAnObject),
    }
}

fn policy(root: &Section<'_>, capabilities: &Capabilities<'_>, errors: &mut Errors) -> Policy {
    let shared = key_sources::shared(root, capabilities, errors);
    let (issuers, headers) = issuers(root, &shared, errors);
    let trusted: Vec<String> = issuers.iter().flat_map(|issuer| issuer.names.iter().cloned()).collect();
    let token = token_places::token_sources(root, errors);
    let forward = upstream::forward_rules(root, headers, &token, errors);
    Policy {
        bypass: bypass(root, errors),
        token,
        issuers,
        forward,
        answer: answers::answer_rules(root, &trusted, errors),
    }
}

/// Headers of issuers that have their own.
type OwnHeaders = BTreeMap<IssuerId, Vec<ClaimHeader>>;

/// The issuer of the top level, where it has keys, and those of `trustedIssuers`.
fn issuers(root: &Section<'_>, shared: &Shared<'_>, errors: &mut Errors) -> (Vec<TrustedIssuer>, OwnHeaders) {
    let mut issuers = Vec::new();
    let mut headers = OwnHeaders::new();
    let entries = root.sections("trustedIssuers", errors);
    let defaults = ClaimRules { required: vec!["exp".into()], ..ClaimRules::default() };
    let defaults = accepted::claim_rules(root, &defaults, errors);
    let sources = key_sources::compile(root, shared, errors);
    if !sources.is_empty() || entries.is_empty() {
        if sources.is_empty() && errors.is_empty() {
            errors.conflict(
                "jwksUrl",
                "there are no keys; set one of jwksUrl, discovery, jwks, jwksFile, publicKey, signingSecret, keys, \
                 trustedIssuers",
            );
        }
        let names = accepted::issuer_names(root, sources.discovers, errors);
        issuers.push(issuer(root, names, sources, defaults.clone(), errors));
    } else if root.has("issuer") {
        errors.conflict("issuer", "has no keys; set jwksUrl or another source of keys beside it");
    }
    for entry in &entries {
        let sources = key_sources::compile(entry, shared, errors);
        if sources.is_empty() {
            errors
                .conflict(entry.path(""), "has no keys; set jwksUrl or another source of keys in the entry");
        }
        let claims = accepted::claim_rules(entry, &defaults, errors);
        let names = accepted::issuer_names(entry, sources.discovers, errors);
        if let Some(own) = upstream::claim_headers(entry, errors) {
            headers.insert(IssuerId(issuers.len()), own);
        }
        issuers.push(issuer(entry, names, sources, claims, errors));
    }
    refuse_repeated(&issuers, errors);
    (issuers, headers)
}

fn issuer(
    section: &Section<'_>,
    names: IssuerNames,
    sources: KeySources,
    mut claims: ClaimRules,
    errors: &mut Errors,
) -> TrustedIssuer {
    let algorithms = algorithms(section, &sources, errors);
    claims.templates = names.templates;
    TrustedIssuer { names: names.exact, keys: sources.into_vec(), algorithms, claims }
}

fn refuse_repeated(issuers: &[TrustedIssuer], errors: &mut Errors) {
    let mut seen: Vec<&str> = Vec::new();
    for name in issuers.iter().flat_map(|issuer| &issuer.names) {
        if seen.contains(&name.as_str()) {
            errors.conflict("trustedIssuers", format!("the issuer {name:?} is named twice"));
        }
        seen.push(name);
    }
    if issuers.iter().filter(|issuer| issuer.accepts_any()).count() > 1 {
        errors.conflict("trustedIssuers", "only one entry may go without issuer");
    }
}

/// The allow-list (RFC 8725 3.1): by default what the keys can do, and HMAC only where there is a secret.
fn algorithms(section: &Section<'_>, sources: &KeySources, errors: &mut Errors) -> Vec<Alg> {
    let able: Vec<Alg> = Alg::ALL.into_iter().filter(|alg| sources.can_serve(*alg)).collect();
    let Some(names) = section.list("algorithms", errors) else {
        return able;
    };
    let path = section.path("algorithms");
    let mut allowed = Vec::new();
    for name in names {
        match Alg::from_name(&name) {
            None => {
                let known: Vec<&str> = Alg::ALL.iter().map(|alg| alg.name()).collect();
                errors.value(&path, format!("{name:?}"), format!("algorithms out of {}", known.join(", ")));
            }
            Some(alg) if alg.is_hmac() && !able.contains(&alg) && !sources.is_empty() => {
                errors.conflict(&path, format!("{name} needs a secret that is long enough for it"));
            }
            Some(alg) => allowed.push(alg),
        }
    }
    if allowed.is_empty() {
        return able;
    }
    if !sources.is_empty() && !allowed.iter().any(|alg| able.contains(alg)) {
        errors.conflict(&path, "no configured key can be used with any of them");
    }
    allowed
}

fn bypass(root: &Section<'_>, errors: &mut Errors) -> BypassRules {
    let modes = [
        ("required", Mode::Required),
        ("optional", Mode::Optional),
        ("permissive", Mode::Permissive),
        ("dryRun", Mode::DryRun),
    ];
    let mut paths = Vec::new();
    for text in root.list("bypassPaths", errors).unwrap_or_default() {
        match PathPattern::parse(&text) {
            Some(pattern) => paths.push(pattern),
            None => errors.value(
                "bypassPaths",
                format!("{text:?}"),
                "a path such as /health, or /public/* for all below",
            ),
        }
    }
    BypassRules {
        mode: root.choice("mode", Mode::Required, &modes, errors),
        preflight: if root.boolean("bypassPreflight", false, errors) {
            Preflight::Pass
        } else {
            Preflight::Check
        },
        paths,
    }
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, compile};
    use crate::core::claims::ClaimRules;
    use crate::core::claims::registered::TokenType;
    use crate::core::policy::{IssuerId, Policy};
    use crate::core::token::source::TokenPlace;
    use crate::core::unix_time::Seconds;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn environment(name: &str) -> Option<String> {
        match name {
            "SECRET" => Some(SECRET.into()),
            "SHORT" => Some("short".into()),
            _ => None,
        }
    }

    fn with(json: &[u8], fetch: bool) -> Result<Policy, Vec<String>> {
        compile(json, &Capabilities { fetch, env: &environment })
            .map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    fn refusals(config: &Value) -> Vec<String> {
        let prefix = |line: String| line.replacen("configuration refused ", "", 1);
        with(config.to_string().as_bytes(), true).err().unwrap_or_default().into_iter().map(prefix).collect()
    }

    fn merged(more: &Value) -> Value {
        let mut config = json!({"signingSecret": SECRET});
        for (name, value) in more.as_object().unwrap() {
            config[name] = value.clone();
        }
        config
    }

    #[test]
    fn nothing_configured_says_what_to_set() {
        for json in ["", " ", "null", "{}"] {
            let errors = with(json.as_bytes(), true).unwrap_err();
            assert!(errors.len() == 1 && errors[0].contains("set at least jwksUrl"), "{json}: {errors:?}");
        }
        for json in ["[]", "1", "{", "\u{0}"] {
            assert_eq!(with(json.as_bytes(), true).unwrap_err().len(), 1, "{json}");
        }
    }

    #[test]
    fn the_first_configuration_of_a_user() {
        let config = json!({"jwksUrl": "https://idp.example/jwks.json", "issuer": "https://idp.example/"});
        assert_eq!(refusals(&config), [""; 0]);
        let [error] = &with(config.to_string().as_bytes(), false).unwrap_err()[..] else { panic!() };
        assert!(error.contains("plugin-offline.wasm has no sockets"), "{error}");
    }

    #[test]
    fn every_refusal_names_option_found_and_expected() {
        for (config, expected) in [
            (json!({"jwksURL": "x"}), "(option_unknown): jwksURL is no option; did you mean jwksUrl?"),
            (
                json!({"errors": {"Format": "json"}}),
                "(option_unknown): errors.Format is no option; did you mean errors.format?",
            ),
            (
                json!({"ttlSeconds": 5}),
                "(option_unknown): ttlSeconds is no option; did you mean jwksCache.ttlSeconds?",
            ),
            (
                json!({"clientConfig": "{\"tls\": {\"cert\": 1}}"}),
                "(option_unknown): clientConfig.tls.cert is no option",
            ),
            (
                json!({"clockSkewSeconds": "abc"}),
                "(option_invalid): clockSkewSeconds: found \"abc\", expected a whole number from 0 to 86400",
            ),
            (json!({"clockSkewSeconds": -1}), "found -1"),
            (json!({"clockSkewSeconds": 1.5}), "found 1.5"),
            (json!({"clockSkewSeconds": null}), "found nothing"),
            (
                json!({"jwksCache": {"ttlSeconds": 0}}),
                "jwksCache.ttlSeconds: found 0, expected a whole number from 1",
            ),
            (json!({"forwardAuthorization": "yes"}), "found \"yes\", expected true or false"),
            (json!({"missingClaim": "drop"}), "found \"drop\", expected one of remove, empty"),
            (
                json!({"errors": {"format": "xml"}}),
                "errors.format: found \"xml\", expected one of json, problem",
            ),
            (json!({"errors": 7}), "errors: found 7, expected an object"),
            (json!({"errors": {"realm": "a\nb"}}), "errors.realm"),
            (json!({"unavailableStatus": 200}), "unavailableStatus: found 200"),
            (json!({"audience": [1]}), "audience: found a list, expected a list of strings"),
            (json!({"audience": null}), "audience: found nothing"),
            (json!({"audience": "a,,b"}), "audience"),
            (json!({"issuer": ""}), "issuer: found nothing"),
            (json!({"issuer": []}), "issuer: found nothing"),
            (json!({"issuer": null}), "issuer: found nothing"),
            (json!({"issuer": 7}), "issuer: found 7"),
            (json!({"algorithms": ["none"]}), "algorithms: found \"none\", expected algorithms out of HS256"),
            (json!({"algorithms": ["hs256"]}), "algorithms: found \"hs256\""),
            (json!({"algorithms": ["HS512"]}), "HS512 needs a secret that is long enough for it"),
            (json!({"algorithms": ["RS256"]}), "algorithms: no configured key can be used"),
            (json!({"forwardHeaders": {"X User": "sub"}}), "forwardHeaders.X User"),
            (json!({"forwardHeaders": {"X-User": ""}}), "forwardHeaders.X-User"),
            (json!({"forwardHeaders": {"X-User": "a..b"}}), "forwardHeaders.X-User"),
            (json!({"forwardHeaders": {"X-User": "a", "x_user": "b"}}), "is the same header as"),
            (json!({"forwardHeaders": {"Transfer_Encoding": "a"}}), "belongs to the connection"),
            (json!({"forwardHeaders": {"authorization": "a"}}), "carries the token"),
            (json!({"jwksUrl": "http://idp.example/"}), "set clientConfig.allowHttp"),
            (json!({"jwksUrl": "ftp://idp.example/"}), "jwksUrl: found \"ftp://idp.example/\""),
            (json!({"jwksUrl": "https://u:p@idp.example/"}), "jwksUrl"),
            (json!({"jwksUrl": "/keys"}), "together with one issuer"),
            (json!({"jwks": {"keys": []}}), "without a usable key"),
            (json!({"jwks": "{"}), "jwks: found"),
            (json!({"jwks": 1}), "jwks: found a number"),
            (json!({"publicKey": "x"}), "publicKey: found"),
            (json!({"keys": {"a": "short"}}), "keys.a: found the secret has 5 bytes"),
            (json!({"signingSecret": "env:SHORT"}), "signingSecret: found the secret has 5 bytes"),
            (json!({"signingSecret": "env:NONE"}), "signingSecret: found env:NONE, which is not set"),
            (json!({"signingSecret": "file:relative"}), "file: and an absolute path"),
            (
                json!({"signingSecret": "urn:k8s:secret:a:b"}),
                "only Traefik's Kubernetes CRD provider resolves",
            ),
            (json!({"signingSecret": SECRET, "signingSecretBase64Encoded": true}), "the secret has 24 bytes"),
            (
                json!({"signingSecretBase64Encoded": true, "signingSecret": "!"}),
                "a string that is not base64",
            ),
            (json!({"discovery": true}), "needs exactly one issuer"),
            (json!({"bypassPaths": ["health"]}), "bypassPaths: found \"health\""),
            (json!({"errors": {"redirectUrl": "/login"}}), "errors.redirectUrl"),
            (json!({"errors": {"redirectUrl": "https://{url}/"}}), "errors.redirectUrl"),
            (json!({"errors": {"redirectUrl": "https://a.example/{url}"}}), "errors.redirectUrl"),
            (json!({"errors": {"cors": ["app.example"]}}), "errors.cors"),
            (json!({"resourceMetadata": {"resource": "api"}}), "resourceMetadata.resource"),
            (json!({"trustedIssuers": [{"issuer": "https://a.example"}]}), "has no keys"),
            (
                json!({"claims": "Equals(`a`)"}),
                "(expression_invalid): claims: column 1: the value is missing",
            ),
            (json!({"claims": 7}), "claims: found 7, expected a string"),
            (
                json!({"trustedIssuers": [{"issuer": "b", "signingSecret": SECRET, "claims": "x"}]}),
                "trustedIssuers[0].claims: column 2: expected ( after the name of a function, found the end",
            ),
            (json!({"tokenType": "a b"}), "tokenType: found \"a b\", expected access, or a typ"),
            (json!({"maxLifetimeSeconds": -1}), "maxLifetimeSeconds: found -1"),
            (json!({"maxAgeSeconds": "1h"}), "maxAgeSeconds: found \"1h\""),
            (
                json!({"maxAgeClaim": "exp", "maxAgeSeconds": 1}),
                "maxAgeClaim: found \"exp\", expected one of iat, auth_time",
            ),
            (json!({"maxAgeClaim": "iat"}), "maxAgeClaim: needs maxAgeSeconds"),
            (json!({"scopes": {}}), "scopes.required: found \"\", expected at least one scope"),
            (json!({"scopes": {"required": "a\"b"}}), "scopes.required"),
            (json!({"scopes": {"required": "a", "match": "some"}}), "scopes.match: found \"some\""),
            (json!({"scopes": {"required": "a", "claim": "x..y"}}), "scopes.claim: found \"x..y\""),
            (json!({"scopes": ["a"]}), "scopes: found a list, expected an object"),
            (json!({"tokenSources": []}), "tokenSources: found nothing"),
            (json!({"tokenSources": [{}]}), "tokenSources[0]: needs exactly one of header"),
            (
                json!({"tokenSources": [{"header": "A", "cookie": "b"}]}),
                "tokenSources[0]: needs exactly one of",
            ),
            (
                json!({"tokenSources": [{"cookie": "b", "scheme": "x"}]}),
                "tokenSources[0].scheme: goes with header",
            ),
            (json!({"tokenSources": [{"cookie": "a b"}]}), "tokenSources[0].cookie: found \"a b\""),
            (json!({"tokenSources": [{"header": "cookie"}]}), "tokenSources[0].header: found \"cookie\""),
            (
                json!({"tokenSources": [{"cookie": "a"}, {"cookie": "a"}]}),
                "tokenSources[1]: is the same place",
            ),
            (json!({"tokenSources": [{"cooky": "a"}]}), "tokenSources[0].cooky is no option"),
            (json!({"tokenKey": "a", "tokenQueryKey": "b"}), "tokenQueryKey: is another name of tokenKey"),
            (
                json!({"tokenSources": [{"header": "X-Token"}], "forwardHeaders": {"x_token": "sub"}}),
                "forwardHeaders.x_token: carries the token",
            ),
            (
                json!({"tokenSources": [{"cookie": "a"}], "forwardHeaders": {"Cookie": "sub"}}),
                "carries the token",
            ),
            (json!({"tenants": ["a"]}), "tenants: needs an issuer with {tenant} in it"),
            (
                json!({"issuer": "https://a/", "tenantClaim": "tid"}),
                "tenantClaim: needs an issuer with {tenant}",
            ),
            (json!({"issuer": "https://a/{tenant}/{x}"}), "issuer: found \"https://a/{tenant}/{x}\""),
            (json!({"issuer": "https://a/{tenants}/"}), "issuer: found \"https://a/{tenants}/\""),
            (
                json!({"issuer": "https://a/{tenant}/", "discovery": true}),
                "a token must not choose where keys come from",
            ),
            (
                json!({"issuer": "https://a/{tenant}/", "jwksUrl": "keys"}),
                "a token must not choose where keys come from",
            ),
            (
                json!({"trustedIssuers": [
                    {"signingSecret": SECRET, "issuer": "b", "forwardHeaders": {"Host": "sub"}}
                ]}),
                "trustedIssuers[0].forwardHeaders.Host: belongs to the connection",
            ),
            (json!({"trustedIssuers": [{"signingSecret": SECRET}]}), "only one entry may go without issuer"),
            (
                json!({"trustedIssuers": [{"isuer": "a"}]}),
                "trustedIssuers[0].isuer is no option; did you mean trustedIssuers[].issuer?",
            ),
        ] {
            let found = refusals(&merged(&config));
            let fine = expected.is_empty();
            assert!(
                found.is_empty() == fine && (fine || found.iter().any(|line| line.contains(expected))),
                "{config}: {found:?}"
            );
            assert!(!found.iter().any(|line| line.contains(SECRET)), "{config}");
        }
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let config = json!({"mode": "x", "jwksURL": "y", "maxTokenBytes": "z", "signingSecret": "short"});
        assert_eq!(refusals(&config).len(), 4, "{:?}", refusals(&config));
    }

    /// Every option as YAML has it.
    fn full() -> Value {
        let mut full = json!({
            "jwksUrl": "https://idp.example/jwks.json",
            "issuer": ["https://idp.example/", "https://idp2.example/"],
            "signingSecret": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "signingSecretBase64Encoded": true,
            "keys": {"k": SECRET},
            "trustedIssuers": [
                {"issuer": "https://b.example", "signingSecret": SECRET, "audience": ["b"]},
                {
                    "issuer": "https://c.example/{tenant}/", "tenants": ["x", "y"], "tenantClaim": "tid",
                    "signingSecret": SECRET, "tokenType": "at+jwt", "maxLifetimeSeconds": 60, "maxAgeSeconds": 0,
                    "scopes": {"required": ["c"]}, "claims": "Exists(`c`)", "forwardHeaders": {"X-C": "sub"}
                }
            ],
            "clientConfig": {
                "tls": {"ca": "/ca.pem", "insecureSkipVerify": false},
                "timeoutSeconds": 3, "maxRetries": 1, "headers": {"X-Key": "v"}, "allowHttp": true
            },
            "jwksCache": {"ttlSeconds": 60, "cooldownSeconds": 5, "staleSeconds": 0},
            "algorithms": ["RS256", "HS256"],
            "audience": ["a", "b"],
            "requiredClaims": ["exp", "sub"],
            "clockSkewSeconds": 30,
            "tokenType": "access",
            "maxLifetimeSeconds": 3600,
            "maxAgeSeconds": 600,
            "maxAgeClaim": "auth_time",
            "scopes": {"required": ["read", "write"], "match": "any", "claim": "realm.scopes"},
            "claims": "Equals(`a`, `b`) || OneOf(`c`, `d`, `e`)",
            "tokenSources": [
                {"header": "Authorization", "scheme": "Bearer"}, {"header": "X-Token", "scheme": ""},
                {"cookie": "jwt"}, {"webSocketProtocol": "bearer"}
            ],
            "tokenKey": "access_token",
            "maxTokenBytes": 8192,
            "forwardHeaders": {"X-User": "sub", "X-Roles": "realm.roles"},
            "missingClaim": "empty",
            "forwardAuthorization": false,
            "errors": {
                "format": "problem", "realm": "api", "details": true, "codeHeader": "X-Code",
                "redirectUrl": "https://login.example/?next={url}", "cors": ["https://app.example"]
            },
            "resourceMetadata": {"resource": "https://api.example/", "scopesSupported": ["a"]},
            "unavailableStatus": 401,
            "mode": "optional",
            "verdictHeader": {"request": "X-Verdict", "response": "X-Verdict"},
            "bypassPreflight": true,
            "bypassPaths": ["/health", "/public/*"]
        });
        // The macro has a limit.
        full["tests"] = json!([{
            "name": "nobody", "claims": {"sub": "a"}, "typ": "at+jwt", "now": 1_767_225_600,
            "request": {"method": "GET", "path": "/", "headers": {"X-A": "b"}}, "expect": "deny"
        }]);
        full
    }

    #[test]
    fn an_issuer_says_otherwise_or_inherits() {
        let policy = with(full().to_string().as_bytes(), true).unwrap();
        let [top, b, c] = policy.issuers.as_slice() else { panic!() };
        assert_eq!(b.claims, ClaimRules { audience: vec!["b".into()], ..top.claims.clone() });
        assert_eq!(c.claims.audience, top.claims.audience);
        assert_eq!(c.claims.token_type, TokenType::Typ("at+jwt".into()));
        assert_eq!(c.claims.max_lifetime, Some(Seconds(60)));
        assert_eq!(c.claims.max_age, None);
        assert_eq!(c.claims.scopes.as_ref().unwrap().required, ["c"]);
        assert_eq!(c.claims.expression.as_ref().unwrap().source(), "Exists(`c`)");
        assert!(c.names.is_empty() && !c.accepts_any());
        assert_eq!(policy.issuer(Some("https://c.example/x/")).map(|(id, _)| id), Some(IssuerId(2)));
        assert_eq!(policy.issuer(Some("https://c.example/z/")).map(|(id, _)| id), None);
        let own: Vec<_> =
            policy.forward.issuers.iter().map(|(id, rows)| (id.0, rows[0].name.as_str())).collect();
        assert_eq!(own, [(2, "X-C")]);
    }

    #[test]
    fn token_places() {
        let header =
            |name: &str, scheme: &str| TokenPlace::Header { name: name.into(), scheme: scheme.into() };
        let query = |name: &str| TokenPlace::Query { name: name.into() };
        let cookie = |name: &str| TokenPlace::Cookie { name: name.into() };
        let bearer = header("Authorization", "Bearer");
        for (config, expected) in [
            (json!({}), vec![bearer.clone()]),
            (json!({"tokenKey": "t"}), vec![bearer.clone(), query("t")]),
            (json!({"tokenQueryKey": "t"}), vec![bearer.clone(), query("t")]),
            (json!({"tokenKey": ""}), vec![bearer]),
            (json!({"tokenSources": [{"cookie": "c"}], "tokenKey": "t"}), vec![cookie("c"), query("t")]),
            (json!({"tokenSources": [{"query": "t"}], "tokenKey": "t"}), vec![query("t")]),
            (
                json!({"tokenSources": [{"header": "authorization", "scheme": ""}]}),
                vec![header("authorization", "")],
            ),
            (
                json!({"tokenSources": "[{\"header\": \"X-T\", \"scheme\": \"Token\"}]"}),
                vec![header("X-T", "Token")],
            ),
        ] {
            let policy = with(merged(&config).to_string().as_bytes(), true).unwrap();
            assert_eq!(policy.token.places, expected, "{config}");
        }
    }

    /// Every option as a label has it: scalars as text, lists with commas, objects as JSON.
    fn as_labels(value: &Value) -> Value {
        match value {
            Value::Bool(_) | Value::Number(_) => Value::from(value.to_string()),
            Value::Array(list) if list.iter().all(Value::is_string) => {
                Value::from(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","))
            }
            Value::Array(_) => Value::from(value.to_string()),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(k, v)| (k.clone(), as_labels(v))).collect())
            }
            Value::String(_) | Value::Null => value.clone(),
        }
    }

    #[test]
    fn labels_mean_the_same_as_yaml() {
        let native = with(full().to_string().as_bytes(), true).unwrap();
        let mut labels = as_labels(&full());
        // A single text is one issuer, commas and all: several are JSON.
        labels["issuer"] = Value::from(full()["issuer"].to_string());
        let labelled = with(labels.to_string().as_bytes(), true).unwrap();
        assert_eq!(format!("{native:?}"), format!("{labelled:?}"));
        let mut strings = full();
        for (_, value) in strings.as_object_mut().unwrap() {
            if value.is_object() || value.is_array() {
                *value = Value::from(value.to_string());
            }
        }
        let stringly = with(strings.to_string().as_bytes(), true).unwrap();
        assert_eq!(format!("{native:?}"), format!("{stringly:?}"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]
        #[test]
        fn random_configurations_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = with(&bytes, true);
        }

        #[test]
        fn mutated_configurations_never_panic(at in 0_usize..1000, with_text in "[\\PC]{0,6}") {
            let text = full().to_string();
            let at = text.char_indices().map(|(i, _)| i).nth(at % text.len()).unwrap_or(0);
            let (before, after) = text.split_at(at);
            let mutated = format!("{before}{with_text}{after}");
            let _ = with(mutated.as_bytes(), true);
        }
    }
}
