//! The user's own tests (`tests`): sample claims and requests, run through the same rules when the configuration is
//! loaded. One that fails refuses the configuration, so a rule that does not mean what its author thinks is never used.
//!
//! No keys and no clock are needed: a test without `now` has a fixed one.

use crate::core::claims::expression::Expression;
use crate::core::config::error::{Errors, Problem};
use crate::core::config::options::tests::*;
use crate::core::config::values::Values;
use crate::core::config::written::by_name;
use crate::core::json::{Document, Kind, Value};
use crate::core::limits::{CLAIMS_JSON, MAX_SELF_TESTS};
use crate::core::policy::Policy;
use crate::core::refusal::Refusal;
use crate::core::request::RecordedRequest;
use crate::core::request::header_name::is_field_name;
use crate::core::text::{Quoted, quoted};
use crate::core::token::claims_set::ClaimsSet;
use crate::core::token::header::Header;
use crate::core::unix_time::UnixTime;
use crate::core::walk;

/// 2026-01-01T00:00:00Z: any instant would do.
const NOW: u64 = 1_767_225_600;

/// One test.
pub(super) struct SelfTest {
    path: String,
    name: String,
    request: RecordedRequest,
    /// `None` is a request without token.
    claims: Option<ClaimsSet>,
    header: Header,
    now: UnixTime,
    expect: String,
}

/// Reads `tests`.
#[inline(never)]
pub(super) fn parse(root: &Values, policy: &Policy, errors: &mut Errors) -> Vec<SelfTest> {
    let entries = root.sections(&TESTS);
    if entries.len() > MAX_SELF_TESTS {
        errors.conflict(
            TESTS.path,
            format!("has more than {MAX_SELF_TESTS} entries, and every instance runs them all"),
        );
        return Vec::new();
    }
    entries.iter().filter_map(|entry| test(entry, policy, errors)).collect()
}

fn test(entry: &Values, policy: &Policy, errors: &mut Errors) -> Option<SelfTest> {
    let now = entry.time(&TEST_NOW).unwrap_or(UnixTime::from_seconds(NOW));
    let expect = entry.text(&TEST_EXPECT).unwrap_or_default();
    let misnamed = expect.is_empty()
        && (errors.misnamed(entry.place(), &[&TEST_EXPECT]) || entry.is_refused(&TEST_EXPECT));
    if expect.is_empty() && !misnamed {
        let expected = TEST_EXPECT.syntax.map_or("", |syntax| syntax.expected);
        errors.value(entry.path(&TEST_EXPECT), quoted(expect), expected);
    }
    Some(SelfTest {
        path: entry.place().to_owned(),
        name: entry.text(&TEST_NAME).unwrap_or_default().to_owned(),
        request: request(entry, errors),
        // An empty object, which Traefik hands on as an empty text, is a token.
        claims: if entry.is_written(&TEST_CLAIMS) {
            Some(claims_set(entry, policy, now, errors)?)
        } else {
            None
        },
        header: Header { alg: String::new(), kid: None, typ: entry.text(&TEST_TYP).map(str::to_owned) },
        now,
        expect: expect.to_owned(),
    })
}

fn request(entry: &Values, errors: &mut Errors) -> RecordedRequest {
    let method = entry.text(&TEST_METHOD).unwrap_or("GET");
    let path = entry.text(&TEST_PATH).unwrap_or("/");
    let headers = entry.map(&TEST_HEADERS).unwrap_or_default();
    headers.iter().fold(RecordedRequest::new(method, path), |request, (name, value)| {
        if !is_field_name(name) {
            errors.value(entry.path(&TEST_HEADERS), quoted(name), "the name of a header");
        }
        request.header(name, value.as_bytes())
    })
}

/// The claims as written, with what every token has: the first issuer, `iat` now and `exp` a minute later. Null takes
/// one of these away.
fn claims_set(entry: &Values, policy: &Policy, now: UnixTime, errors: &mut Errors) -> Option<ClaimsSet> {
    let seconds = now.as_seconds();
    let mut given = vec![("iat", seconds.to_string()), ("exp", seconds.saturating_add(60).to_string())];
    if let Some(name) = policy.issuers.iter().find_map(|issuer| issuer.names.first()) {
        given.push(("iss", Quoted(name).to_string()));
    }
    let written: Vec<_> = entry.json(&TEST_CLAIMS).map(by_name).unwrap_or_default();
    let is_given = |name: &str| ["iss", "iat", "exp"].contains(&name);
    let mut members: Vec<String> = Vec::new();
    for (name, value) in &given {
        if !written.iter().any(|(other, _)| other == name) {
            members.push(format!("{}:{value}", Quoted(name)));
        }
    }
    for (name, value) in &written {
        if !(is_given(name) && value.kind() == Kind::Null) {
            let date = date(name, *value);
            members.push(format!("{}:{}", Quoted(name), date.as_deref().unwrap_or(value.raw())));
        }
    }
    let document = Document::parse(format!("{{{}}}", members.join(",")).into_bytes(), CLAIMS_JSON);
    if document.is_err() {
        errors.value(
            entry.path(&TEST_CLAIMS),
            "an object that is too deep or too large",
            "the claims of a token",
        );
    }
    document.ok().map(ClaimsSet::new)
}

/// A date is a number (RFC 7519 2), but Traefik makes texts of the numbers in files.
fn date(name: &str, value: Value<'_>) -> Option<String> {
    let is_date = ["exp", "nbf", "iat", "auth_time"].contains(&name);
    let date: u64 = value.as_str().filter(|_| is_date)?.parse().ok()?;
    Some(date.to_string())
}

/// Runs the tests.
#[inline(never)]
pub(super) fn run(tests: &[SelfTest], policy: &Policy, errors: &mut Errors) {
    for test in tests {
        // A mode that lets refused requests pass does not count: the test is about the rules.
        let token = test.claims.as_ref().map(|claims| (&test.header, claims));
        let outcome = walk::sample(policy, token, test.now, &test.request, &mut ());
        let found = outcome.as_ref().err().map_or("allow", |refusal| refusal.code());
        let met = match test.expect.as_str() {
            "deny" => outcome.is_err(),
            expected => expected == found,
        };
        if !met {
            let why = outcome.err().map(|refusal| reason(test, policy, &refusal)).unwrap_or_default();
            errors.push(
                &test.path,
                Problem::TestFailed {
                    name: test.name.clone(),
                    expected: test.expect.clone(),
                    found: found.to_owned(),
                    why,
                },
            );
        }
    }
}

/// What the samples show of expressions that accept more than their authors may mean, once for each function.
#[inline(never)]
pub(super) fn doubts(tests: &[SelfTest], policy: &Policy) -> Vec<String> {
    let mut seen: Vec<&str> = Vec::new();
    let mut doubts = Vec::new();
    for test in tests {
        let Some(set) = &test.claims else { continue };
        for function in expressions(set, test, policy).flat_map(|expression| expression.parts_of_texts(set)) {
            if !seen.contains(&function) {
                seen.push(function);
                doubts.push(format!(
                    "claims: {function} is true for every text with that in it, and the claim is a text in the test {}; \
                     OneOf compares the whole, of a text and of the elements of a list",
                    quoted(&test.name)
                ));
            }
        }
    }
    doubts
}

/// The expressions that the test is about: that of the issuer, and that of the rule.
fn expressions<'p>(
    claims: &ClaimsSet,
    test: &SelfTest,
    policy: &'p Policy,
) -> impl Iterator<Item = &'p Expression> {
    let iss = claims.claim("iss").and_then(|iss| iss.as_str());
    let of_issuer = policy.entry(claims, iss).and_then(|(_, issuer)| issuer.claims.expression.as_ref());
    let demands = policy.rules.ruling(&test.request).demands();
    of_issuer.into_iter().chain(demands.and_then(|demands| demands.expression.as_ref()))
}

/// One sentence, and for an expression what each of its functions is.
fn reason(test: &SelfTest, policy: &Policy, refusal: &Refusal) -> String {
    let mut why = refusal.description();
    let Some(set) = test.claims.as_ref().filter(|_| *refusal == Refusal::ClaimsRejected) else {
        return why;
    };
    let functions = expressions(set, test, policy)
        .flat_map(|expression| expression.explain(set, &test.request, test.now));
    for (function, truth) in functions {
        why.push_str("; ");
        why.push_str(function);
        why.push_str(" is ");
        why.push_str(truth.name());
    }
    why
}

#[cfg(test)]
mod tests {
    use crate::core::config::{Capabilities, compile};
    use serde_json::{Value, json};

    fn refusals(config: &Value, tests: &Value) -> Vec<String> {
        let mut config = config.clone();
        config["signingSecret"] = json!("0123456789abcdef0123456789abcdef");
        config["tests"] = tests.clone();
        let capabilities = Capabilities { fetch: false, env: &|_| None };
        let errors = compile(config.to_string().as_bytes(), &capabilities).err().unwrap_or_default();
        errors.iter().map(|error| error.to_string().replacen("configuration refused ", "", 1)).collect()
    }

    fn full() -> Value {
        json!({
            "issuer": "https://idp.example/",
            "audience": ["api"],
            "scopes": {"required": ["read"]},
            "claims": "Equals(`tenant`, `{path.0}`) || Equals(`role`, `admin`)",
            "tokenType": "at+jwt",
            "maxAgeSeconds": 60,
            "bypassPaths": ["/health"],
            "trustedIssuers": [
                {"issuer": "https://b.example/", "signingSecret": "0123456789abcdef0123456789abcdef", "claims": "Exists(`b`)"}
            ]
        })
    }

    #[test]
    fn claims_without_a_member_are_those_of_a_token() {
        for claims in [json!({}), json!("{}"), json!("")] {
            let test = |expect: &str| json!([{"claims": claims, "expect": expect}]);
            assert_eq!(refusals(&json!({}), &test("allow")), [""; 0], "{claims}");
            assert_eq!(
                refusals(&json!({"requiredClaims": "sub"}), &test("claim_missing")),
                [""; 0],
                "{claims}"
            );
        }
        assert_eq!(refusals(&json!({}), &json!([{"expect": "token_missing"}])), [""; 0]);
    }

    #[test]
    fn every_rule_can_be_tested() {
        let row = |claims: Value, more: Value, expect: &str| {
            let mut test = json!({
                "name": "row", "typ": "at+jwt", "expect": expect, "request": {"path": "/acme/x"},
                "claims": {"aud": "api", "scope": "read", "tenant": "acme"}
            });
            for (name, value) in claims.as_object().unwrap() {
                test["claims"][name] = value.clone();
            }
            for (name, value) in more.as_object().unwrap() {
                test[name] = value.clone();
            }
            test
        };
        let rows = [
            row(json!({}), json!({}), "allow"),
            row(json!({"tenant": "other"}), json!({}), "claims_rejected"),
            row(json!({"tenant": "other"}), json!({}), "deny"),
            row(json!({"tenant": "other", "role": "admin"}), json!({}), "allow"),
            row(json!({}), json!({"request": {"path": "/acme%2Fx"}}), "claims_rejected"),
            row(json!({"scope": "write"}), json!({}), "scope_insufficient"),
            row(json!({"aud": "other"}), json!({}), "audience_not_accepted"),
            row(json!({}), json!({"typ": "JWT"}), "token_type_not_accepted"),
            row(json!({"exp": null}), json!({}), "claim_missing"),
            row(json!({"iss": null}), json!({}), "issuer_not_trusted"),
            row(json!({"iss": 5}), json!({}), "claim_invalid"),
            row(json!({"iss": "https://evil.example/"}), json!({}), "issuer_not_trusted"),
            row(json!({"iss": "https://b.example/"}), json!({}), "claims_rejected"),
            row(json!({"iss": "https://b.example/", "b": 1}), json!({}), "allow"),
            row(json!({"iat": 100}), json!({"now": 160}), "allow"),
            // As Traefik hands on the numbers of a file.
            row(json!({"iat": "100", "exp": "161"}), json!({"now": "160"}), "allow"),
            row(json!({"iat": "soon"}), json!({}), "claim_invalid"),
            row(json!({"iat": 100}), json!({"now": 161}), "token_too_old"),
            row(json!({"exp": 1_767_225_600}), json!({"now": "2026-01-01T00:00:00Z"}), "token_expired"),
            json!({"expect": "token_missing"}),
            json!({"expect": "allow", "request": {"path": "/health", "method": "GET"}}),
        ];
        assert_eq!(refusals(&full(), &json!(rows)), [""; 0]);
        // As a label delivers it.
        assert_eq!(refusals(&full(), &json!(json!(rows).to_string())), [""; 0]);
    }

    #[test]
    fn a_failing_test_says_which_rule_decided() {
        let claims = json!({"aud": "api", "scope": "read", "tenant": "acme"});
        let test = json!({"name": "acme", "typ": "at+jwt", "claims": claims, "expect": "allow"});
        assert_eq!(
            refusals(&full(), &json!([test])),
            [
                "(test_failed): tests[0]: the test \"acme\" expects allow and the rules say claims_rejected: the claims of \
              the token do not allow this request; Equals(`tenant`, `{path.0}`) is undecided; Equals(`role`, `admin`) \
              is false"
            ]
        );
        let test = json!({"claims": {"aud": "b"}, "typ": "at+jwt", "expect": "claims_rejected"});
        assert_eq!(
            refusals(&full(), &json!([{"expect": "deny"}, test])),
            [
                "(test_failed): tests[1]: the test \"\" expects claims_rejected and the rules say audience_not_accepted: \
              the token is meant for another audience"
            ]
        );
        let test = json!({"name": "all", "request": {"path": "/health"}, "expect": "deny"});
        assert_eq!(
            refusals(&full(), &json!([test])),
            ["(test_failed): tests[0]: the test \"all\" expects deny and the rules say allow"]
        );
    }

    #[test]
    fn a_part_of_a_text_is_reported() {
        let warned = |claims: &str, tests: Value| {
            let config = json!({"signingSecret": "0123456789abcdef0123456789abcdef", "claims": claims, "tests": tests});
            let capabilities = Capabilities { fetch: false, env: &|_| None };
            compile(config.to_string().as_bytes(), &capabilities).unwrap().doubts
        };
        let doubt = "claims: Contains(`role`, `admin`) is true for every text with that in it, and the claim is a text in \
                     the test \"a\"; OneOf compares the whole, of a text and of the elements of a list";
        let row =
            |role: Value, expect: &str| json!({"name": "a", "claims": {"role": role}, "expect": expect});
        let claims = "Exists(`x`) || Contains(`role`, `admin`)";
        for (claims, tests, expected) in [
            (claims, json!([row(json!("admin"), "allow"), row(json!("no-admin"), "allow")]), vec![doubt]),
            (claims, json!([row(json!("user"), "deny")]), vec![doubt]),
            (claims, json!([row(json!(["admin"]), "allow")]), vec![]),
            (claims, json!([{"expect": "deny"}]), vec![]),
            ("OneOf(`role`, `admin`)", json!([row(json!("admin"), "allow")]), vec![]),
        ] {
            assert_eq!(warned(claims, tests.clone()), expected, "{tests}");
        }
    }

    #[test]
    fn tests_are_checked_like_all_options() {
        for (tests, expected) in [
            (json!([{"name": "x"}]), "tests[0].expect: found \"\", expected allow, deny"),
            (json!([{"expect": "Allow"}]), "tests[0].expect: found \"Allow\""),
            (json!([{"expect": "deny", "claim": {}}]), "tests[0].claim is not an option"),
            (json!([{"expect": "deny", "claims": 1}]), "tests[0].claims: found a number, expected an object"),
            (json!([{"expect": "deny", "now": "soon"}]), "tests[0].now"),
            (json!([{"expect": "deny", "request": {"uri": "/"}}]), "tests[0].request.uri is not an option"),
            (json!([{"expect": "deny", "request": {"headers": {"a b": "c"}}}]), "tests[0].request.headers"),
            (json!("x"), "tests: found"),
            (json!(vec![json!({"expect": "deny"}); 65]), "tests: has more than 64 entries"),
        ] {
            let found = refusals(&full(), &tests);
            assert!(found.iter().any(|line| line.contains(expected)), "{tests}: {found:?}");
        }
    }
}
