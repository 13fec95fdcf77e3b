//! What a proof of possession and a look for revocations cost over the same request without.

use std::fs;

use serde_json::{Value, json};
use testbed::proofs::{Proof, public_jwk, sha256, thumbprint};
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Plugin, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::usual;
use testbed::wait::unix_now;

use crate::client::request;
use crate::cost::{REQUESTS, ROUNDS, Row, fill};
use crate::tokens::{claims, known, new};
use crate::{median, more};

const URI: &str = "http://api.example/";

fn with(name: &str, value: Value) -> Value {
    let mut configuration = usual::configuration();
    configuration[name] = value;
    configuration
}

fn proofs(more: Value) -> Value {
    let mut proofs = json!({"dpop": "optional", "origin": "http://api.example", "maxAgeSeconds": 300});
    proofs.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    with("proofs", proofs)
}

/// A token that is bound to the key `key`, and requests with it and a proof each.
fn bound(key: &str) -> String {
    let mut claims = claims(0);
    claims["cnf"] = json!({"jkt": thumbprint(&public_jwk(key))});
    Token::new("EdDSA", claims).mint()
}

fn proven(host: &str, alg: &str, key: &str, count: usize) -> Vec<Vec<u8>> {
    let token = bound(key);
    let one = |_| {
        let mut proof = Proof::new("GET", URI, &token, unix_now());
        (proof.alg, proof.key) = (alg.into(), key.into());
        let request = request(host, "/", "").header("Authorization", format!("DPoP {token}"));
        request.header("DPoP", proof.sign()).head()
    };
    (0..count).map(one).collect()
}

/// Prints the table: each row over the one that it names.
pub(crate) fn measure() {
    let upstream = Upstream::start();
    let directory = temporary_directory("bench-proofs");
    let path = |name: &str| directory.join(name);
    for name in ["replay", "revoked/sub", "revoked/jti"] {
        fs::create_dir_all(path(name)).unwrap();
    }
    for number in 0..1_000 {
        fs::write(path("revoked/jti").join(sha256(format!("{number}").as_bytes())), "").unwrap();
    }
    let list =
        |count: usize| (0..count).map(|number| format!("{{\"jti\":\"{number}\"}}\n")).collect::<String>();
    fs::write(path("short"), list(100)).unwrap();
    fs::write(path("long"), list(100_000)).unwrap();
    let mount = format!("{0}:{0}", directory.display());
    let traefik =
        Traefik::start(&Setup { plugins: vec![FETCH, OFFLINE], mounts: vec![mount], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    routes.open("plain");
    let artifacts: [Plugin; 2] = [FETCH, OFFLINE];
    for plugin in artifacts {
        let name = |what: &str| format!("{what}-{}", plugin.name);
        routes.protect(&name("jwt"), plugin, &with("boundTokens", json!("accept")));
        routes.protect(&name("window"), plugin, &proofs(json!({})));
        let directory = json!({"replay": "directory", "directory": path("replay")});
        routes.protect(&name("directory"), plugin, &proofs(directory));
        routes.protect(&name("markers"), plugin, &with("revocation", json!({"directory": path("revoked")})));
        for list in ["short", "long"] {
            routes.protect(&name(list), plugin, &with("revocation", json!({"file": path(list)})));
        }
    }
    traefik.configure(&routes);
    let mut rows = vec![Row::new("plain route", "plain", "200", &[known("EdDSA")])];
    let mut bases = vec![0];
    for plugin in artifacts {
        let name = |what: &str| format!("{what}-{}", plugin.name);
        let first = rows.len();
        let mut add = |base: usize, row: Row| {
            rows.push(row);
            bases.push(base);
        };
        add(0, Row::new(&name("known"), &name("jwt"), "200", &[known("EdDSA")]));
        let same = [bound("p256")];
        add(0, Row::new(&name("known, bound, no proof asked for"), &name("jwt"), "200", &same));
        add(first, Row::new(&name("new ES256"), &name("jwt"), "200", &new("ES256", 2_000)));
        let window = |alg: &str, key: &str| proven(&name("window"), alg, key, 300);
        add(first + 1, Row::of(&name("proof ES256"), "200", window("ES256", "p256")));
        add(first + 1, Row::of(&name("proof EdDSA"), "200", window("EdDSA", "ed25519")));
        let each = proven(&name("directory"), "ES256", "p256", (ROUNDS + 1) * REQUESTS);
        add(first + 1, Row::of(&name("proof ES256, directory"), "200", each));
        for (what, host) in
            [("markers, four claims", "markers"), ("a list of 100", "short"), ("a list of 100,000", "long")]
        {
            add(first, Row::new(&name(what), &name(host), "200", &[known("EdDSA")]));
        }
    }
    fill(&mut rows, &|| traefik.cpu_nanoseconds(), traefik.address());
    println!("| request | µs | over | µs more | times |\n|---|---|---|---|---|");
    for (row, base) in rows.iter().zip(bases) {
        let base = &rows[base];
        let ratio = row.figures.iter().zip(&base.figures).map(|(own, base)| own / base).collect();
        println!(
            "| {} | {:.1} | {} | {:+.1} | {:.2} |",
            row.name,
            median(row.figures.clone()),
            base.name,
            more(&row.figures, &base.figures),
            median(ratio)
        );
    }
    fs::remove_dir_all(directory).unwrap();
}
