//! Times of the core, natively: `make bench-native`, or `make bench-native BENCH=verify` for some. With the settings of the
//! released modules but another compiler behind them, so good for comparing two versions of the code, and no measure of
//! what a request costs in Traefik (`benches/traefik`).
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking"
)]

use std::rc::Rc;

use divan::{Bencher, black_box};
use serde_json::{Value, json};
use testbed::keys;
use testbed::tokens::{Token, tamper};
use testbed::usual::{HEADERS, claims, configuration, large_configuration, rule_tables};
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::claims::expression::Expression;
use traefik_jwt_auth::core::config::{Capabilities, compile as compile_json};
use traefik_jwt_auth::core::decide::decide as decide_once;
use traefik_jwt_auth::core::jwk::{JwkSet, Origin};
use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::signature;
use traefik_jwt_auth::core::signature::alg::Alg;
use traefik_jwt_auth::core::token::jws;
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::keys::keyring::Keyring;

const NOW: u64 = 1_790_000_000;
const IN_USE: [&str; 4] = ["EdDSA", "ES256", "RS256", "HS256"];

fn main() {
    divan::main();
}

fn policy(configuration: &Value) -> Rc<Policy> {
    let capabilities = Capabilities { fetch: false, env: &|_| None };
    Rc::new(compile_json(configuration.to_string().as_bytes(), &capabilities).unwrap())
}

fn usual_policy() -> Rc<Policy> {
    let mut configuration = configuration();
    configuration["signingSecret"] = json!(keys::SECRET);
    policy(&configuration)
}

fn good_claims() -> Value {
    claims(NOW.cast_signed(), 0)
}

fn good(alg: &str) -> String {
    Token::new(alg, good_claims()).mint()
}

fn request(token: &str) -> RecordedRequest {
    let request =
        HEADERS.into_iter().fold(RecordedRequest::new("GET", "/orders?id=1"), |request, (name, value)| {
            request.header(name, value)
        });
    if token.is_empty() { request } else { request.header("Authorization", format!("Bearer {token}")) }
}

/// Decides with what `keyring` knows; a decision that is not the one meant would be a wrong figure.
fn decide_as(policy: &Policy, keyring: &Keyring, request: &RecordedRequest, forwards: bool) -> Decision {
    let now = UnixTime::from_seconds(NOW);
    let decided = decide_once(policy, &keyring.at(now), now, black_box(request));
    keyring.remember(decided.learned);
    let decision = decided.decision;
    assert_eq!(matches!(decision, Decision::Forward(_)), forwards, "{decision:?}");
    decision
}

#[divan::bench_group]
mod decide {
    use super::{
        Bencher, IN_USE, Keyring, Rc, Token, configuration, decide_as, good, good_claims, json, policy,
        request, rule_tables, tamper, usual_policy,
    };

    #[divan::bench(args = IN_USE)]
    fn known(bencher: Bencher<'_, '_>, alg: &str) {
        let (policy, request) = (usual_policy(), request(&good(alg)));
        let keyring = Keyring::new(Rc::clone(&policy));
        decide_as(&policy, &keyring, &request, true);
        bencher.bench_local(|| decide_as(&policy, &keyring, &request, true));
    }

    /// The same under 64 rules, or one.
    #[divan::bench(args = ["none", "one", "paths", "other methods", "open segments", "a header"])]
    fn rules(bencher: Bencher<'_, '_>, what: &str) {
        let mut configuration = configuration();
        let table = rule_tables().into_iter().find(|(name, _)| *name == what).map(|(_, rules)| rules);
        if what != "none" {
            configuration["rules"] = table.unwrap_or_else(|| json!([{"methods": "GET", "paths": "/orders"}]));
        }
        let (policy, request) = (policy(&configuration), request(&good("EdDSA")));
        let keyring = Keyring::new(Rc::clone(&policy));
        decide_as(&policy, &keyring, &request, true);
        bencher.bench_local(|| decide_as(&policy, &keyring, &request, true));
    }

    /// The key is in use: its table is made.
    #[divan::bench(args = IN_USE)]
    fn new(bencher: Bencher<'_, '_>, alg: &str) {
        let (policy, request) = (usual_policy(), request(&good(alg)));
        // What tokens are known belongs to the keyring, the tables of keys to the policy.
        let keyring = || Keyring::new(Rc::clone(&policy));
        for _ in 0..3 {
            decide_as(&policy, &keyring(), &request, true);
        }
        bencher.with_inputs(keyring).bench_local_refs(|keyring| decide_as(&policy, keyring, &request, true));
    }

    #[divan::bench(args = ["missing", "malformed", "expired", "wrong issuer", "forged"])]
    fn refused(bencher: Bencher<'_, '_>, what: &str) {
        let with = |member: &str, value| {
            let mut claims = good_claims();
            claims[member] = value;
            Token::new("EdDSA", claims).mint()
        };
        let token = match what {
            "missing" => String::new(),
            "malformed" => "a.b.c".to_owned(),
            "expired" => with("exp", json!(1)),
            "wrong issuer" => with("iss", json!("https://evil.example/")),
            "forged" => tamper(&good("EdDSA"), "signature"),
            _ => panic!("no refusal named '{what}'"),
        };
        let (policy, request) = (usual_policy(), request(&token));
        let keyring = || Keyring::new(Rc::clone(&policy));
        bencher.with_inputs(keyring).bench_local_refs(|keyring| decide_as(&policy, keyring, &request, false));
    }
}

#[divan::bench]
fn parse(bencher: Bencher<'_, '_>) {
    let token = good("EdDSA");
    bencher.bench_local(|| jws::parse(black_box(token.as_bytes())).unwrap());
}

/// With a key that is in use.
#[divan::bench(args = ["HS256", "RS256", "PS256", "ES256", "ES384", "ES512", "ES256K", "EdDSA", "ML-DSA-65"])]
fn verify(bencher: Bencher<'_, '_>, name: &str) {
    let (alg, token) = (Alg::from_name(name).unwrap(), good(name));
    let token = jws::parse(token.as_bytes()).unwrap();
    let set = keys::jwk_set(&[keys::key_of(name)]).to_string();
    let set = JwkSet::parse(set.into_bytes(), Origin::Configured).unwrap();
    let key = set.keys().first().unwrap().key();
    let verify = || signature::verify(key, alg, black_box(token.signing_input), &token.signature).unwrap();
    for _ in 0..3 {
        verify();
    }
    bencher.bench_local(verify);
}

#[divan::bench_group]
mod expression {
    use super::{Bencher, Expression, NOW, UnixTime, black_box, good, jws, request};

    const SOURCES: [&str; 4] = [
        "Equals(`azp`, `web`)",
        "SplitContains(`scope`, ` `, `orders:write`)",
        "Matches(`email`, `[a-z]+@example[.]com`)",
        "Equals(`sub`, `{header:X-Request-Id}`) || Before(`auth_time`, `now`)",
    ];

    #[divan::bench(args = SOURCES)]
    fn parse(source: &str) -> Expression {
        Expression::parse(black_box(source)).unwrap()
    }

    #[divan::bench(args = SOURCES)]
    fn evaluate(bencher: Bencher<'_, '_>, source: &str) {
        let (expression, token, request) = (Expression::parse(source).unwrap(), good("EdDSA"), request(""));
        let claims = jws::parse(token.as_bytes()).unwrap().claimed;
        let now = UnixTime::from_seconds(NOW);
        bencher.bench_local(|| expression.evaluate(black_box(&claims), &request, now));
    }
}

/// What every instance does first.
#[divan::bench(args = ["5 keys, 1.3 KB", "10 keys, 6 KB"])]
fn compile(bencher: Bencher<'_, '_>, which: &str) {
    let configuration = if which.starts_with('5') { configuration() } else { large_configuration() };
    let (json, capabilities) = (configuration.to_string(), Capabilities { fetch: false, env: &|_| None });
    bencher.bench_local(|| compile_json(black_box(json.as_bytes()), &capabilities).unwrap());
}
