//! Every row of the tables of checks, with a token and a request that pass it and one that does not: for a new token, for
//! the same token when it is known, in `explain` and in `tests` of a configuration.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail by panicking")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use jwt_check::command;
use jwt_check::outside::Outside;
use serde_json::{Map, Value, json};
use testbed::keys;
use testbed::proofs::{Proof, public_jwk, thumbprint};
use testbed::tokens::Token;
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::claims::checks::{REQUEST_CHECKS, TIME, TOKEN_CHECKS};
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::decide::decide_telling;
use traefik_jwt_auth::core::lookups::{Lookups, Unknown};
use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::proof::dpop::KeptKeys;
use traefik_jwt_auth::core::proof::nonce::{NonceSecret, NonceSecrets};
use traefik_jwt_auth::core::proof::replay::{ReplayMemory, Use, UsedProof};
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::revocation::Revocations;
use traefik_jwt_auth::core::revocation::list::RevocationList;
use traefik_jwt_auth::core::revocation::marker::{Found, Markers};
use traefik_jwt_auth::core::signature::VerifyingKey;
use traefik_jwt_auth::core::steps::{Step, Steps};
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::keys::keyring::Keyring;

const NOW: u64 = 1_790_000_000;

/// A token and the request that it comes with.
#[derive(Clone)]
struct Sent {
    claims: Value,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
}

/// A check, a configuration that has it, what passes it, and what does not with the code.
struct Row {
    name: &'static str,
    config: Value,
    good: Sent,
    bad: Sent,
    code: &'static str,
}

/// A check that looks at the token: another token fails it.
fn of_token(name: &'static str, config: Value, good: Value, bad: Value, code: &'static str) -> Row {
    let sent = |claims| Sent { claims, path: "/", headers: &[] };
    Row { name, config, good: sent(good), bad: sent(bad), code }
}

/// [`TIME`] and [`TOKEN_CHECKS`].
fn token_rows() -> Vec<Row> {
    let template = json!({"issuer": "https://idp.example/{tenant}/", "tenantClaim": "tid"});
    vec![
        of_token(TIME, json!({}), json!({"nbf": NOW}), json!({"nbf": NOW + 60}), "token_not_yet_valid"),
        of_token(
            "type",
            json!({"tokenType": "access"}),
            json!({"aud": "a", "client_id": "c", "jti": "j"}),
            json!({"client_id": "c", "jti": "j"}),
            "claim_missing",
        ),
        of_token("registered", json!({}), json!({"sub": "a"}), json!({"sub": []}), "claim_invalid"),
        of_token(
            "tenant",
            template,
            json!({"iss": "https://idp.example/a/", "tid": "a"}),
            json!({"iss": "https://idp.example/a/", "tid": "b"}),
            "issuer_not_trusted",
        ),
        of_token(
            "workload",
            json!({
                "format": "spiffe", "issuer": "spiffe://example.org", "audience": "api",
                "jwks": keys::bundle(&["rsa"]),
            }),
            json!({"sub": "spiffe://example.org/worker", "aud": "api"}),
            json!({"sub": "spiffe://example.org/../worker", "aud": "api"}),
            "claim_invalid",
        ),
        of_token("required", json!({"requiredClaims": ["a"]}), json!({"a": 1}), json!({}), "claim_missing"),
        of_token(
            "audience",
            json!({"audience": "api"}),
            json!({"aud": "api"}),
            json!({"aud": "b"}),
            "audience_not_accepted",
        ),
        of_token(
            "client",
            json!({"clients": "web"}),
            json!({"azp": "web"}),
            json!({"client_id": "other"}),
            "client_not_accepted",
        ),
        of_token("binding", json!({}), json!({}), json!({"cnf": {"jkt": "a"}}), "proof_missing"),
        of_token(
            "scopes",
            json!({"scopes": {"required": "read"}}),
            json!({"scope": "read"}),
            json!({"scope": "write"}),
            "scope_insufficient",
        ),
        of_token(
            "expression",
            json!({"claims": "Equals(`role`, `admin`)"}),
            json!({"role": "admin"}),
            json!({"role": "dev"}),
            "claims_rejected",
        ),
    ]
}

/// [`REQUEST_CHECKS`]: the same token, and a request that it does not allow.
fn request_rows() -> Vec<Row> {
    let tenant = Sent { claims: json!({"tenant": "acme"}), path: "/acme/x", headers: &[] };
    let live = Row {
        name: "live expression",
        config: json!({"claims": "Equals(`tenant`, `{path.0}`)"}),
        bad: Sent { path: "/other/x", ..tenant.clone() },
        good: tenant,
        code: "claims_rejected",
    };
    // `/` is under the first rule, and `/admin` under the one that asks for more.
    let of_rule = |name: &'static str, more: Value, code: &'static str| {
        let mut rule = json!({"paths": "/admin"});
        rule.as_object_mut().unwrap().extend(members(&more));
        let claims = json!({"aud": "api", "scope": "read", "role": "dev", "acr": "1"});
        let good = Sent { claims, path: "/", headers: &[] };
        let config = json!({"rules": [{"paths": "/"}, rule]});
        Row { name, config, bad: Sent { path: "/admin", ..good.clone() }, good, code }
    };
    let missing = of_rule("rule", json!({"methods": "POST"}), "rule_missing");
    vec![
        live,
        missing,
        of_rule("rule audience", json!({"audience": "admin"}), "audience_not_accepted"),
        of_rule("rule scopes", json!({"scopes": {"required": "write"}}), "scope_insufficient"),
        of_rule("rule expression", json!({"claims": "Equals(`role`, `admin`)"}), "claims_rejected"),
        of_rule("step-up", json!({"stepUp": {"acr": "2"}}), "step_up_required"),
    ]
}

/// Rows about what only a host, or a sender with a key, can have. A sample of `tests` has neither, so these have tests of
/// their own below.
const OF_THE_OUTSIDE: [&str; 2] = ["revocation", "possession"];

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl Row {
    fn config(&self) -> Value {
        let usual = json!({"jwks": keys::public_set(), "issuer": "https://idp.example/"});
        Value::Object(members(&usual).into_iter().chain(members(&self.config)).collect())
    }

    fn policy(&self) -> Rc<Policy> {
        Rc::new(compiled(&self.config()).unwrap_or_else(|said| panic!("{}: {said}", self.name)))
    }
}

fn compiled(config: &Value) -> Result<Policy, String> {
    let capabilities = Capabilities { fetch: false, env: &|_| None };
    let compiled = compile(config.to_string().as_bytes(), &capabilities);
    compiled.map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
}

impl Sent {
    fn token(&self) -> String {
        let usual = json!({
            "iss": "https://idp.example/", "sub": "alice", "iat": NOW, "exp": NOW + 300,
        });
        let claims = members(&usual).into_iter().chain(members(&self.claims)).collect();
        let (alg, typ) = if self.is_svid() { ("RS256", "JWT") } else { ("EdDSA", "at+jwt") };
        let mut token = Token::new(alg, Value::Object(claims));
        token.header.insert("typ".into(), json!(typ));
        token.mint()
    }

    /// Whether its subject is a workload, whose tokens have other algorithms and another type.
    fn is_svid(&self) -> bool {
        self.claims.get("sub").and_then(Value::as_str).is_some_and(|sub| sub.starts_with("spiffe://"))
    }

    /// An entry of `tests`.
    fn test(&self, expect: &str) -> Value {
        let mut claims = members(&self.claims);
        claims.entry("sub").or_insert(json!("alice"));
        let headers = self.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
        json!({
            "claims": claims, "typ": if self.is_svid() { "JWT" } else { "at+jwt" }, "now": NOW, "expect": expect,
            "request": {"path": self.path, "headers": headers.collect::<Map<_, _>>()},
        })
    }
}

/// The last check that began.
#[derive(Default)]
struct Last(&'static str);

impl Steps for Last {
    fn step(&mut self, step: Step<'_>) {
        if let Step::Check(name, _) = step {
            self.0 = name;
        }
    }
}

/// The code of the refusal and the check that refused.
fn outcome(policy: &Policy, keyring: &Keyring, token: &str, sent: &Sent) -> (&'static str, &'static str) {
    let request = sent
        .headers
        .iter()
        .fold(RecordedRequest::new("GET", sent.path), |request, (name, value)| request.header(name, *value));
    decided(policy, keyring, &request.header("Authorization", format!("Bearer {token}")), &Unknown)
}

fn decided(
    policy: &Policy,
    keyring: &Keyring,
    request: &RecordedRequest,
    lookups: &dyn Lookups,
) -> (&'static str, &'static str) {
    let now = UnixTime::from_seconds(NOW);
    let mut last = Last::default();
    let decided = decide_telling(policy, &keyring.at(now).beside(lookups), now, request, &mut last);
    keyring.remember(decided.learned);
    match decided.decision {
        Decision::Forward(_) => ("allow", ""),
        Decision::Reject(reject) => (reject.refusal.code(), last.0),
        Decision::Accept(_) | Decision::Serve(_) | Decision::NeedKeys(_) => panic!("neither"),
    }
}

#[test]
fn every_row_has_a_row_here() {
    let names = |rows: Vec<Row>| rows.iter().map(|row| row.name).collect::<Vec<_>>();
    let tables: Vec<&str> = [TIME].into_iter().chain(TOKEN_CHECKS.iter().map(|row| row.name)).collect();
    assert_eq!(names(token_rows()), tables);
    let here = REQUEST_CHECKS.iter().map(|row| row.name).filter(|name| !OF_THE_OUTSIDE.contains(name));
    assert_eq!(names(request_rows()), here.collect::<Vec<_>>());
}

#[test]
fn a_token_that_fails_is_refused_by_its_check_new_and_known() {
    for row in token_rows() {
        let policy = row.policy();
        let keyring = Keyring::new(Rc::clone(&policy));
        for _ in 0..2 {
            let good = outcome(&policy, &keyring, &row.good.token(), &row.good);
            assert_eq!(good, ("allow", ""), "{}", row.name);
            let bad = outcome(&policy, &keyring, &row.bad.token(), &row.bad);
            assert_eq!(bad, (row.code, row.name));
        }
    }
}

/// One token, which nothing of this instance remembers, and then is known.
#[test]
fn a_request_that_fails_is_refused_by_its_check_also_with_a_known_token() {
    for row in request_rows() {
        let (policy, token) = (row.policy(), row.good.token());
        let keyring = || Keyring::new(Rc::clone(&policy));
        let refused = (row.code, row.name);
        assert_eq!(outcome(&policy, &keyring(), &token, &row.bad), refused, "new");
        let known = keyring();
        for _ in 0..2 {
            assert_eq!(outcome(&policy, &known, &token, &row.good), ("allow", ""), "{}", row.name);
            assert_eq!(outcome(&policy, &known, &token, &row.bad), refused, "known");
        }
    }
}

#[test]
fn every_check_is_run_by_the_tests_of_a_configuration() {
    for row in token_rows().into_iter().chain(request_rows()) {
        let with = |tests: Value| {
            let mut config = row.config();
            config["tests"] = tests;
            compiled(&config).map(|_| ())
        };
        let both = json!([row.good.test("allow"), row.bad.test(row.code)]);
        assert_eq!(with(both), Ok(()), "{}", row.name);
        let said = with(json!([row.bad.test("allow")])).unwrap_err();
        assert!(said.contains(row.code), "{}: {said}", row.name);
    }
}

/// Nothing but standard input.
struct Input(String);

impl Outside for Input {
    fn read(&self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }

    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn now(&self) -> u64 {
        NOW
    }
}

#[test]
fn every_check_is_shown_by_explain() {
    for row in token_rows().into_iter().chain(request_rows()) {
        let (token, now) = (row.bad.token(), NOW.to_string());
        let words = ["explain", "-", "--token", &token, "--path", row.bad.path, "--now", &now];
        let headers: Vec<String> = row
            .bad
            .headers
            .iter()
            .flat_map(|(name, value)| ["--header".into(), format!("{name}: {value}")])
            .collect();
        let words: Vec<String> = words.into_iter().map(str::to_owned).chain(headers).collect();
        let command::Output { code, out: text, .. } = command::run(&words, &Input(row.config().to_string()));
        assert_eq!(code, 1, "{}: {text}", row.name);
        // It is the last line before the refusal.
        let mut lines = text.lines().take_while(|line| !line.starts_with("fails here"));
        let last = lines.by_ref().last().unwrap_or_default();
        assert!(last.starts_with(&format!("{:<16}", row.name)), "{}: {text}", row.name);
        assert!(text.contains(&format!("\nfails here      {}: ", row.code)), "{}: {text}", row.name);
    }
}

/// A token that has sent a request with its proof is worth no more without one, or with that of another request.
#[test]
fn a_known_token_needs_its_proof_again() {
    let bound = json!({"cnf": {"jkt": thumbprint(&public_jwk("p256"))}});
    let token = Sent { claims: bound, path: "/", headers: &[] }.token();
    let config = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/",
        "proofs": {"dpop": "optional", "origin": "https://api.example"},
    });
    let policy = Rc::new(compiled(&config).unwrap());
    let now = i64::try_from(NOW).unwrap();
    let proof = |method, url| Proof::new(method, url, &token, now).sign();
    let request = |scheme: &str, proof: Option<String>| {
        let request =
            RecordedRequest::new("GET", "/orders").header("Authorization", format!("{scheme} {token}"));
        proof.into_iter().fold(request, |request, proof| request.header("DPoP", proof))
    };
    let good = || request("DPoP", Some(proof("GET", "https://api.example/orders")));
    let known = Keyring::new(Rc::clone(&policy));
    for _ in 0..2 {
        for (keyring, what) in [(&known, "known"), (&Keyring::new(Rc::clone(&policy)), "new")] {
            for (bad, code) in [
                (request("Bearer", None), "proof_missing"),
                (request("DPoP", None), "proof_missing"),
                (request("DPoP", Some(proof("POST", "https://api.example/orders"))), "proof_invalid"),
                (request("DPoP", Some(proof("GET", "https://api.example/other"))), "proof_invalid"),
            ] {
                let found = decided(&policy, keyring, &bad, &Unknown);
                assert_eq!(found, (code, "possession"), "{what}");
            }
        }
        assert_eq!(decided(&policy, &known, &good(), &Unknown), ("allow", ""));
    }
}

/// Markers and the list as a host has them.
#[derive(Default)]
struct Marked(Cell<bool>, RefCell<Option<Rc<RevocationList>>>);

impl Markers for Marked {
    fn find(&self, path: &str) -> Found {
        let is_there = path == "/revoked" || (path.starts_with("/revoked/sub/") && self.0.get());
        if is_there { Found::At(UnixTime::from_seconds(NOW)) } else { Found::Nothing }
    }
}

impl KeptKeys for Marked {
    fn kept(&self, _: &str) -> Option<Rc<VerifyingKey>> {
        None
    }

    fn keep(&self, _: &str, _: &Rc<VerifyingKey>) {}
}

impl ReplayMemory for Marked {
    fn first_use(&self, _: &UsedProof<'_>) -> Use {
        Use::Unknown
    }
}

impl NonceSecrets for Marked {
    fn nonce_secret(&self) -> Option<Rc<NonceSecret>> {
        None
    }
}

impl Revocations for Marked {
    fn list(&self) -> Option<Rc<RevocationList>> {
        self.1.borrow().clone()
    }
}

#[test]
fn a_known_token_is_revoked_at_its_next_request() {
    let token = Sent { claims: json!({}), path: "/", headers: &[] }.token();
    let config = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/", "revocation": {"directory": "/revoked"},
    });
    let policy = Rc::new(compiled(&config).unwrap());
    let keyring = Keyring::new(Rc::clone(&policy));
    let request = RecordedRequest::new("GET", "/").header("Authorization", format!("Bearer {token}"));
    let marked = Marked::default();
    for _ in 0..2 {
        marked.0.set(false);
        assert_eq!(decided(&policy, &keyring, &request, &marked), ("allow", ""));
        marked.0.set(true);
        assert_eq!(decided(&policy, &keyring, &request, &marked), ("token_revoked", "revocation"));
        // If that is unknown, nobody passes.
        let unknown = decided(&policy, &keyring, &request, &Unknown);
        assert_eq!(unknown, ("revocation_unavailable", "revocation"));
    }
}

#[test]
fn a_known_token_is_revoked_as_soon_as_a_list_has_it() {
    let token = Sent { claims: json!({"sub": "alice", "jti": "7"}), path: "/", headers: &[] }.token();
    let request = RecordedRequest::new("GET", "/").header("Authorization", format!("Bearer {token}"));
    for (missing, without) in
        [("refuse", ("revocation_unavailable", "revocation")), ("accept", ("allow", ""))]
    {
        let config = json!({
            "jwks": keys::public_set(), "issuer": "https://idp.example/",
            "revocation": {"file": "/revoked.jsonl", "onMissing": missing},
        });
        let policy = Rc::new(compiled(&config).unwrap());
        let keyring = Keyring::new(Rc::clone(&policy));
        let host = Marked::default();
        for (list, expected) in [
            (None, without),
            (Some(""), ("allow", "")),
            (Some(r#"{"sub":"bob"}"#), ("allow", "")),
            (Some(r#"{"sub":"alice"}"#), ("token_revoked", "revocation")),
            (Some(r#"{"jti":"7"}"#), ("token_revoked", "revocation")),
            (Some(r#"{"jti":"8"}"#), ("allow", "")),
        ] {
            let parsed = list.map(|text| Rc::new(RevocationList::parse(text.as_bytes()).unwrap()));
            *host.1.borrow_mut() = parsed;
            assert_eq!(decided(&policy, &keyring, &request, &host), expected, "{missing} {list:?}");
        }
    }
}
