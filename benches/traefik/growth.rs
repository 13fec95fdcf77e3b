//! How the cost of a request grows with the configuration and the request.

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::keys;
use testbed::traefik::{FETCH, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::usual;

use crate::client::{cpu_per_request, request};
use crate::tokens::{NEW_TOKENS, known, new};
use crate::{median, more};

const ROUNDS: usize = 9;
const REQUESTS: usize = 1_000;

fn with_keys(count: usize) -> Value {
    let mut set = keys::public_set();
    let keys = set["keys"].as_array_mut().unwrap();
    keys.retain(|key| key["kid"] == json!("ed25519"));
    let key = keys[0].clone();
    for number in 1..count {
        let mut other = key.clone();
        other["kid"] = json!(format!("other-{number}"));
        keys.insert(0, other);
    }
    let mut configuration = usual::configuration();
    configuration["jwks"] = json!(set.to_string());
    configuration
}

fn with_issuers(count: usize) -> Value {
    let mut configuration = usual::configuration();
    let members = configuration.as_object_mut().unwrap();
    let (jwks, issuer) = (members.remove("jwks").unwrap(), members.remove("issuer").unwrap());
    let others =
        (1..count).map(|number| json!({"issuer": format!("https://idp-{number}.example/"), "jwks": jwks}));
    let all: Vec<Value> = others.chain([json!({"issuer": issuer, "jwks": jwks})]).collect();
    configuration["trustedIssuers"] = json!(all);
    configuration
}

/// `term` with another number each, then one that holds.
fn with_terms(count: usize, term: &str) -> Value {
    let mut configuration = usual::configuration();
    let terms = (1..count).map(|number| term.replace('#', &number.to_string()));
    let terms: Vec<String> = terms.chain(["Equals(`azp`, `web`)".into()]).collect();
    configuration["claims"] = json!(terms.join(" || "));
    configuration
}

/// Prints the table.
pub(crate) fn measure() {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    routes.open("plain");
    for (name, configuration) in [
        ("keys-1", with_keys(1)),
        ("keys-100", with_keys(100)),
        ("issuers-1", with_issuers(1)),
        ("issuers-50", with_issuers(50)),
        ("terms-1", with_terms(1, "")),
        ("terms-100", with_terms(100, "Equals(`azp`, `other-#`)")),
        ("lookups-100", with_terms(100, "Equals(`azp`, `{host}-#`)")),
        ("headers", usual::configuration()),
    ] {
        routes.protect(name, FETCH, &configuration);
    }
    traefik.configure(&routes);
    let token = known("EdDSA");
    let few = |host: &str| vec![request(host, "/", &token).head()];
    let many = |host: &str| {
        let request = request(host, "/", &token);
        let add = |request: Request, number: usize| request.header(&format!("X-Extra-{number}"), "value");
        vec![(0..70).fold(request, add).head()]
    };
    let tokens = new("EdDSA", NEW_TOKENS);
    let every = |host: &str| tokens.iter().map(|token| request(host, "/", token).head()).collect();
    let pairs = [
        ("keys in the set, 1 → 100", few("keys-1"), few("keys-100")),
        ("issuers, 1 → 50", few("issuers-1"), few("issuers-50")),
        ("terms of the claims expression, 1 → 100", few("terms-1"), few("terms-100")),
        ("the same, each with a value of the request", few("terms-1"), few("lookups-100")),
        ("request headers, 11 → 81, plain route", few("plain"), many("plain")),
        ("request headers, 11 → 81", few("headers"), many("headers")),
        ("keys in the set, 1 → 100, new tokens", every("keys-1"), every("keys-100")),
        ("issuers, 1 → 50, new tokens", every("issuers-1"), every("issuers-50")),
        ("terms, 1 → 100, new tokens", every("terms-1"), every("terms-100")),
    ];
    println!("| what grows | µs | µs | more |\n|---|---|---|---|");
    for (name, small, large) in pairs {
        let cost = |requests: &Vec<Vec<u8>>, round| {
            cpu_per_request(&traefik, requests, round * REQUESTS, REQUESTS, "200")
        };
        cost(&small, 0);
        cost(&large, 0);
        let figures: Vec<(f64, f64)> =
            (1..=ROUNDS).map(|round| (cost(&small, round), cost(&large, round))).collect();
        let (small, large): (Vec<f64>, Vec<f64>) = figures.into_iter().unzip();
        let more = more(&large, &small);
        println!("| {name} | {:.1} | {:.1} | {more:+.1} |", median(small), median(large));
    }
}
