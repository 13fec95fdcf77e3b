//! CPU time of a refusal that somebody causes on purpose, beside that of garbage: what one client can burn.

use serde_json::{Value, json};
use testbed::keys::{self, ALGORITHMS, key_of};
use testbed::tokens::{Token, forged};
use testbed::traefik::{OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::usual;

use crate::client::{cpu_per_request, request};
use crate::median;
use crate::tokens::claims;

const ROUNDS: usize = 3;
const REQUESTS: usize = 60;
/// More than the caches of all instances hold.
const TOKENS: usize = 600;

struct Row {
    name: String,
    host: String,
    requests: Vec<Vec<u8>>,
    figures: Vec<f64>,
}

impl Row {
    fn new(name: &str, host: &str, tokens: &[String]) -> Self {
        let requests = tokens.iter().map(|token| request(host, "/", token).head()).collect();
        Self { name: name.into(), host: host.into(), requests, figures: Vec::new() }
    }
}

fn with(members: &[(&str, Value)]) -> Value {
    let mut configuration = usual::configuration();
    for (name, value) in members {
        configuration[*name] = value.clone();
    }
    configuration
}

/// Expressions that take the most for a token of 10 KB whose claims do not meet them.
fn expressions() -> Vec<(&'static str, Value, Value)> {
    let terms = |count: usize, term: &str| {
        let terms: Vec<String> = (0..count).map(|number| term.replace('#', &number.to_string())).collect();
        json!(terms.join(" || "))
    };
    let text = json!("x,".repeat(5_000));
    let list: Vec<String> = (0..1_200).map(|number| format!("{number}")).collect();
    let many: Vec<String> = (0..1_500).map(|number| format!("`x{number}`")).collect();
    vec![
        ("Contains", terms(250, "Contains(`c`, `y#`)"), text.clone()),
        ("SplitContains", terms(250, "SplitContains(`c`, `,`, `y#`)"), text.clone()),
        ("Equals", terms(250, "Equals(`c`, `y#`)"), text.clone()),
        ("OneOf of a list", json!(format!("OneOf(`c`, {})", many.join(", "))), json!(list)),
        ("Matches", terms(60, "Matches(`c`, `(x|,){1,60}y#`)"), json!("x,".repeat(500))),
        ("a value of the request", terms(250, "Equals(`c`, `{path}-#`)"), text),
    ]
}

/// Prints the table.
pub(crate) fn measure() {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    let numbered = || (0..TOKENS).map(claims);
    let mut rows = vec![];
    let every =
        ["ed25519", "rsa", "p256", "p384", "p521", "secp256k1", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"];
    routes.protect(
        "every",
        OFFLINE,
        &with(&[("jwks", json!(keys::jwk_set(&every).to_string())), ("signingSecret", json!(keys::SECRET))]),
    );
    rows.push(Row::new("garbage", "every", &["a.b.c".to_owned()]));
    for alg in ALGORITHMS {
        let kid = (!alg.starts_with("HS")).then(|| key_of(alg));
        rows.push(Row::new(&format!("forged {alg}"), "every", &forged(alg, kid, numbered())));
    }
    for (kind, alg, count) in [
        ("ed25519", "EdDSA", 100),
        ("p256", "ES256", 100),
        ("rsa-2048", "RS256", 16),
        ("rsa-8192", "RS256", 16),
        ("p521", "ES512", 16),
        ("ml-dsa-87", "ML-DSA-87", 16),
    ] {
        routes.protect(kind, OFFLINE, &with(&[("jwks", json!(keys::strangers(kind, count).to_string()))]));
        let mut tokens = forged(alg, None, numbered());
        if kind == "rsa-8192" {
            let signature = keys::encode(&[0x5a; 1024]);
            for token in &mut tokens {
                let end = token.rfind('.').unwrap();
                token.replace_range(end + 1.., &signature);
            }
        }
        rows.push(Row::new(&format!("no `kid`, {count} keys, {kind}"), kind, &tokens));
    }
    for (number, (name, expression, value)) in expressions().into_iter().enumerate() {
        let host = format!("expression-{number}");
        routes.protect(&host, OFFLINE, &with(&[("claims", expression)]));
        let token = |number| {
            let mut claims = claims(number);
            claims["c"] = value.clone();
            Token::new("EdDSA", claims).mint()
        };
        let tokens: Vec<String> = (0..20).map(token).collect();
        rows.push(Row::new(&format!("expression, {name}"), &host, &tokens));
    }
    traefik.configure(&routes);
    for round in 0..=ROUNDS {
        for row in &mut rows {
            // Claims that do not meet the rules are 403.
            let status = if row.host.starts_with("expression") { "403" } else { "401" };
            let cost = cpu_per_request(&traefik, &row.requests, round * REQUESTS, REQUESTS, status);
            if round > 0 {
                row.figures.push(cost);
            }
        }
    }
    let garbage = rows[0].figures.clone();
    println!("| refusal | µs | times garbage |\n|---|---|---|");
    for row in &rows {
        let ratio = median(row.figures.iter().zip(&garbage).map(|(own, garbage)| own / garbage).collect());
        println!("| {} | {:.0} | {ratio:.1} |", row.name, median(row.figures.clone()));
    }
}
