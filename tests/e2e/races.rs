//! The host serves all instances of a router from state that is not made for it. With `target/race-test.wasm`, whose
//! instances all fetch, read files and change the mailbox at the same time, nothing of that may ever be seen.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{Plugin, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;

const RACE: Plugin = Plugin { name: "race", file: "target/race-test.wasm" };
const CLIENTS: usize = 50;
/// `RACE_OPERATIONS` where it is set.
const OPERATIONS: usize = 1_500;
const SECRET: &str = "a secret that every server is shown";

/// An issuer, and what it signs with. All have the same `kid`.
struct Issuer {
    name: &'static str,
    alg: &'static str,
    key: &'static str,
}

const ISSUERS: [Issuer; 5] = [
    Issuer { name: "https://one.example/", alg: "EdDSA", key: "ed25519" },
    Issuer { name: "https://two.example/", alg: "RS256", key: "rsa" },
    Issuer { name: "https://three.example/", alg: "ES256", key: "p256" },
    Issuer { name: "https://four.example/", alg: "EdDSA", key: "ed25519-other" },
    Issuer { name: "https://file.example/", alg: "ES384", key: "p384" },
];

/// The key of an issuer under the common name, in a set that is `padding` bytes longer than it needs to be.
fn set(issuer: &Issuer, padding: usize) -> String {
    let mut key = keys::jwk(issuer.key);
    key["kid"] = json!("k");
    json!({"keys": [key], "padding": "x".repeat(padding)}).to_string()
}

fn token(claimed: &Issuer, signer: &Issuer) -> String {
    let claims = json!({"iss": claimed.name, "sub": signer.name, "exp": unix_now() + 3_600});
    let mut token = Token::new(signer.alg, claims);
    token.key = Some(signer.key.into());
    token.kid = Some(Some("k".into()));
    token.mint()
}

fn replace(path: &Path, content: &str) {
    let part = path.with_extension("part");
    fs::write(&part, content).unwrap();
    fs::rename(part, path).unwrap();
}

/// In one router: two servers with TLS, each with a CA of its own that is trusted for both, two without, and a file that
/// is being replaced; a directory for all of them, and a secret and the CAs read from files for each fetch.
fn configuration(directory: &Path, servers: &[JwksServer]) -> Value {
    let file = |name: &str| format!("file:{}", directory.join(name).display());
    let mut trusted: Vec<Value> = ISSUERS
        .iter()
        .zip(servers)
        .map(|(issuer, server)| {
            json!({
                "issuer": issuer.name, "jwksUrl": server.url("/jwks.json"),
                "clientConfig": {"headers": {"X-Secret": file("secret")}},
            })
        })
        .collect();
    trusted.push(json!({"issuer": ISSUERS[4].name, "jwksFile": directory.join("set.json")}));
    json!({
        "trustedIssuers": trusted,
        "clientConfig": {
            "tls": {"ca": file("ca.pem")}, "allowHttp": true, "timeoutSeconds": 20,
        },
        "jwksCache": {"directory": directory},
    })
}

/// Statuses by whether the token was signed by whom it names.
type Counts = BTreeMap<(bool, u16), usize>;

fn fire(traefik: &Traefik, operations: usize) -> Counts {
    let all = || ISSUERS.iter().flat_map(|claimed| ISSUERS.iter().map(move |signer| (claimed, signer)));
    let tokens: Vec<(bool, String)> =
        all().map(|(claimed, signer)| (claimed.key == signer.key, token(claimed, signer))).collect();
    let (next, counts) = (AtomicUsize::new(0), Mutex::new(Counts::new()));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= operations {
                        return;
                    }
                    // A stride without a common divisor: neighbours ask for different issuers.
                    let (genuine, token) = &tokens[number * 7 % tokens.len()];
                    let request = Request::get("race", "/").bearer(token);
                    // None within a minute: 0.
                    let status = request.try_send(traefik.address()).map_or(0, |answer| answer.status);
                    if status == 0 {
                        println!("no answer to request {number}");
                    }
                    *counts.lock().unwrap().entry((*genuine, status)).or_default() += 1;
                }
            });
        }
    });
    counts.into_inner().unwrap()
}

/// 50 instances at once: never the key of another server, no trap, no lost descriptor, no write beside the buffer.
pub(crate) fn keys_stay_apart() {
    let operations = std::env::var("RACE_OPERATIONS").map_or(OPERATIONS, |count| count.parse().unwrap());
    let directory = temporary_directory("race");
    let path = directory.to_str().unwrap();
    let servers = [
        JwksServer::https(set(&ISSUERS[0], 0)),
        JwksServer::https(set(&ISSUERS[1], 20_000)),
        JwksServer::http(set(&ISSUERS[2], 9_000)),
        JwksServer::http(set(&ISSUERS[3], 100)),
    ];
    fs::write(directory.join("ca.pem"), servers.each_ref().map(JwksServer::ca_pem).concat()).unwrap();
    fs::write(directory.join("secret"), SECRET).unwrap();
    replace(&directory.join("set.json"), &set(&ISSUERS[4], 0));
    let upstream = Upstream::start();
    let setup = Setup {
        plugins: vec![RACE],
        mounts: vec![format!("{path}:{path}")],
        log_level: "ERROR",
        // No idle connections: whatever stays open is lost.
        more: json!({"serversTransport": {"maxIdleConnsPerHost": -1}}),
        ..Setup::default()
    };
    let traefik = Traefik::start(&setup);
    let mut routes = Routes::to(&upstream.url());
    routes.protect("race", RACE, &configuration(&directory, &servers));
    traefik.configure(&routes);
    let over = AtomicBool::new(false);
    let (counts, before) = std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 0.. {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                replace(&directory.join("set.json"), &set(&ISSUERS[4], [0, 70_000, 3_000][number % 3]));
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        fire(&traefik, CLIENTS * 2);
        let before = settled(&traefik, 0);
        let counts = fire(&traefik, operations);
        over.store(true, Ordering::SeqCst);
        (counts, before)
    });
    let after = settled(&traefik, before.len());
    let fetches: Vec<usize> = servers.iter().map(JwksServer::requests).collect();
    println!(
        "races: {operations} requests, {fetches:?} fetches; descriptors {} and {}; by (genuine, status): {counts:?}",
        before.len(),
        after.len()
    );
    let count = |genuine: bool, status: u16| counts.get(&(genuine, status)).copied().unwrap_or(0);
    let right = count(true, 200) + count(false, 401);
    let unavailable = count(true, 503) + count(false, 503);
    assert_eq!(right + unavailable, operations, "every other answer is a wrong key or a trap");
    assert!(unavailable * 50 <= operations, "{unavailable} of {operations} found no keys");
    assert!(fetches.iter().sum::<usize>() * 4 > operations, "most requests should fetch: {fetches:?}");
    let errors = traefik.log();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(after.len() <= before.len(), "{:?}\n{:?}", by_name(&before), by_name(&after));
    for server in &servers {
        let host = format!("localhost:{}", server.address().port());
        for head in server.request_heads() {
            let value = |name: &str| {
                let line = head.lines().find(|line| line.starts_with(name)).unwrap_or(&head);
                line.split_once(": ").map_or(line, |(_, value)| value).to_owned()
            };
            assert_eq!((value("X-Secret"), value("Host")), (SECRET.to_owned(), host.clone()));
        }
    }
    fs::remove_dir_all(directory).unwrap();
}

fn by_name(descriptors: &[String]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for name in descriptors {
        *counts.entry(name.split(":[").next().unwrap_or(name)).or_default() += 1;
    }
    counts
}

/// The descriptors of Traefik when no more of them close.
fn settled(traefik: &Traefik, expected: usize) -> Vec<String> {
    let mut names = traefik.descriptor_names();
    for _ in 0..30 {
        std::thread::sleep(Duration::from_millis(100));
        names = traefik.descriptor_names();
        if names.len() <= expected {
            break;
        }
    }
    names
}
