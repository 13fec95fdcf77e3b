//! What a request and an instance need, counted in an interpreter (`cargo test --test guard`, after `make plugin`): host
//! calls, memory and stack. None of it depends on the machine.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod guest;
mod refusals;
mod release;

use std::collections::BTreeSet;

use guest::Artifact;
use serde_json::{Value, json};
use testbed::keys;
use testbed::proofs::{Proof, public_jwk, thumbprint};
use testbed::tokens::Token;
use testbed::usual::{HEADERS, claims, configuration, large_configuration, rule_tables};
use traefik_jwt_auth::core::about::VERSION;
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::jwk::lookup::KeySource;
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::documents::document::{Document, SharedDocument};
use traefik_jwt_auth::documents::record::{Nanos, Record};
use traefik_jwt_auth::keys::key_set;
use wasmparser::{Operator, Parser, Payload};

const NOW: u64 = 1_790_000_000;
/// `STACK_SIZE` of `scripts/plugin.sh`.
const STACK: usize = 81_920;
const ARTIFACTS: [&str; 2] = ["dist/plugin-offline.wasm", "dist/plugin.wasm"];

fn token(alg: &str, number: usize) -> String {
    Token::new(alg, claims(NOW.cast_signed(), number)).mint()
}

/// Calls of the host by name, of one request.
type Calls<'c> = &'c [(&'c str, usize)];

/// What every refusal costs, with its line in the log.
const REFUSED: Calls<'_> = &[
    ("clock_time_get", 2),
    ("get_header_names", 1),
    ("get_header_values", 1),
    ("get_method", 1),
    ("get_uri", 1),
    ("log", 1),
    ("set_header_value", 4),
    ("set_status_code", 1),
    ("write_body", 1),
];

#[test]
fn host_calls_of_a_request() {
    let forwarded: Calls<'_> = &[
        ("clock_time_get", 1),
        ("get_header_names", 1),
        // Authorization, and Connection where there is one.
        ("get_header_values", 2),
        // One for each forwarded claim.
        ("set_header_value", 2),
    ];
    for path in ARTIFACTS {
        let mut guest = Artifact::read(path).start(&configuration().to_string());
        let good = token("EdDSA", 0);
        for (what, token, status, expected) in [
            ("new", good.as_str(), None, forwarded),
            ("known", &good, None, forwarded),
            ("malformed", "a.b.c", Some(401), REFUSED),
        ] {
            request(&mut guest, token);
            let calls: Vec<(&str, usize)> =
                guest.host().calls.iter().map(|(name, count)| (name.as_str(), *count)).collect();
            assert_eq!((guest.host().status, calls.as_slice()), (status, expected), "{path}, {what}");
        }
    }
}

/// The host copies memory that grows, and keeps what it had.
#[test]
fn memory_does_not_grow_and_the_stack_suffices() {
    for path in ARTIFACTS {
        let artifact = Artifact::read(path);
        let mut every_key = configuration();
        every_key["jwks"] = json!(keys::jwk_set(&["ed25519", "p256", "rsa", "p384", "p521", "ml-dsa-87"]));
        for configuration in [every_key, large_configuration()] {
            let mut guest = artifact.start(&configuration.to_string());
            let before = guest.memory_kib();
            for number in 0..50 {
                for alg in ["EdDSA", "ES256", "RS256"] {
                    request(&mut guest, &token(alg, number));
                }
            }
            for alg in ["ES384", "ES512", "PS512", "RS512"] {
                request(&mut guest, &token(alg, 0));
            }
            request(&mut guest, "a.b.c");
            request(&mut guest, &"a".repeat(16_000));
            let top = guest.top_kib();
            assert_eq!(guest.memory_kib(), before, "{path}");
            // It goes deepest, and beside the tables of all other kinds of keys it may need one more page.
            request(&mut guest, &token("ML-DSA-87", 0));
            assert!(guest.memory_kib() <= before + 64, "{path}: {} KiB", guest.memory_kib());
            let stack = guest.stack_used(STACK);
            println!("{path}: {top} KiB of {before} in use, {stack} bytes of stack");
            assert!(top + 32 <= before, "{path}: {top} KiB of {before}");
            assert!(stack * 10 <= STACK * 9, "{path}: {stack} bytes of stack");
        }
    }
}

/// The modules are built without what derives of `Debug` write: no message may need it.
#[test]
fn a_configuration_is_refused_in_the_same_words() {
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let artifact = Artifact::read("dist/plugin.wasm");
    let rows = include_str!("../configuration/refusals.txt").split("\n\n").skip(1);
    // Those whose keys stand in them.
    let configurations = rows.filter_map(|row| row.lines().next()).filter(|json| !json.contains('$'));
    let mut compared = 0;
    for json in configurations {
        let native = compile(json.as_bytes(), &capabilities).err().unwrap_or_default();
        let mut expected: Vec<String> =
            native.iter().map(|error| format!("traefik-jwt-auth: {error} (version {VERSION})")).collect();
        expected.push("exit 1".into());
        assert_eq!(artifact.refusal(json), expected, "{json}");
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}

/// What every request in flight keeps resident.
#[test]
fn pages_that_an_instance_touches() {
    for (path, most) in ARTIFACTS.into_iter().zip([30, 41]) {
        let mut guest = Artifact::read(path).start(&configuration().to_string());
        request(&mut guest, &token("EdDSA", 0));
        let pages = guest.touched_pages();
        println!("{path}: {pages} pages of 4 KiB, {} KiB of memory", guest.memory_kib());
        assert!(pages <= most, "{path}: {pages} pages");
    }
}

/// The bytes of the roots come with the first fetch over TLS (`host/fetch/tls_roots.rs`).
#[test]
fn roots_are_loaded_on_demand() {
    let mut guest = Artifact::read("dist/plugin.wasm").start(&configuration().to_string());
    let roots = webpki_roots::TLS_SERVER_ROOTS;
    let missing = |guest: &guest::Guest| {
        let has = |key: &[u8]| guest.bytes().windows(key.len()).any(|bytes| bytes == key);
        roots.iter().filter(|root| !has(&root.subject_public_key_info)).count()
    };
    assert_eq!(missing(&guest), roots.len());
    guest.call("load_roots");
    assert_eq!(missing(&guest), 0);
    // The fetch calls it, too.
    assert!(is_called("dist/plugin.wasm", "load_roots"));
}

/// Whether a function of the module calls the one that it exports as `name`.
fn is_called(path: &str, name: &str) -> bool {
    let module = std::fs::read(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let (mut exported, mut called) = (None, BTreeSet::new());
    for payload in Parser::new(0).parse_all(&module) {
        match payload.unwrap() {
            Payload::ExportSection(section) => {
                let exports = section.into_iter().map(Result::unwrap);
                exported = exports.into_iter().find(|export| export.name == name).map(|export| export.index);
            }
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader().unwrap() {
                    if let Operator::Call { function_index } = operator.unwrap() {
                        called.insert(function_index);
                    }
                }
            }
            _ => {}
        }
    }
    exported.is_some_and(|function| called.contains(&function))
}

/// Instructions, as the interpreter counts them: all of a block when it is entered, even if it is left early, so what is
/// rare is cheap only in a function of its own. A first EdDSA token takes two million. Bounds are a fifth above what was
/// counted.
#[test]
fn instructions_of_an_instance_and_a_request() {
    for path in ARTIFACTS {
        let artifact = Artifact::read(path);
        let large = artifact.start(&large_configuration().to_string()).start_cost;
        let mut guest = artifact.start(&configuration().to_string());
        let usual = guest.start_cost;
        let tokens: Vec<String> = (0..20).map(|number| token("EdDSA", number)).collect();
        request(&mut guest, &tokens[0]);
        let known = request(&mut guest, &tokens[0]);
        let malformed = request(&mut guest, "a.b.c");
        // After four tokens their key has its table. Signatures differ in what they take.
        let (first, later) = tokens[1..].split_at(3);
        for token in first {
            request(&mut guest, token);
        }
        let new = later.iter().map(|token| request(&mut guest, token)).sum::<u64>() / later.len() as u64;
        for (what, found, most) in [
            ("an instance with 5 keys", usual, 560_000),
            ("an instance with 10 keys and 6 KB", large, 990_000),
            ("a known token", known, 37_000),
            ("a malformed token and its line in the log", malformed, 145_000),
            ("a new token of a key in use", new, 815_000),
        ] {
            println!("{path}: {what}: {found}");
            assert!(found <= most, "{path}: {what}: {found}");
        }
    }
}

/// What 64 rules add to a known token whose request is under the last of them. Most of it is asking the host for method
/// and target, which one rule does as well.
#[test]
fn instructions_of_rules() {
    for path in ARTIFACTS {
        let (artifact, token) = (Artifact::read(path), token("EdDSA", 0));
        let cost = |rules: Option<&Value>| {
            let mut configuration = configuration();
            if let Some(rules) = rules {
                configuration["rules"] = rules.clone();
            }
            let mut guest = artifact.start(&configuration.to_string());
            request(&mut guest, &token);
            let known = request(&mut guest, &token);
            assert_eq!(guest.host().status, None, "{configuration}");
            known
        };
        let none = cost(None);
        for (what, rules) in rule_tables() {
            let one = json!([rules[63].clone()]);
            let (one, all) = (cost(Some(&one)) - none, cost(Some(&rules)) - none);
            println!("{path}: {what}: one rule {one}, 64 rules {all}, beside {none}");
            assert!(all <= 33_000, "{path}: {what}: {all}");
        }
    }
}

/// What a proof and a revocation cost more than the same request without, in one file.
#[test]
fn instructions_of_proofs_and_revocations() {
    for path in ARTIFACTS {
        let artifact = Artifact::read(path);
        let mut bound = claims(NOW.cast_signed(), 0);
        bound["cnf"] = json!({"jkt": thumbprint(&public_jwk("p256"))});
        let token = Token::new("EdDSA", bound).mint();
        let mut with_proofs = configuration();
        with_proofs["proofs"] = json!({"dpop": "required", "origin": "https://api.example"});
        let mut guest = artifact.start(&with_proofs.to_string());
        let scheme = format!("DPoP {token}");
        let mut ask = || {
            let proof = Proof::new("GET", "https://api.example/orders", &token, NOW.cast_signed()).sign();
            let own = [("Authorization", scheme.as_str()), ("DPoP", &proof)];
            let headers: Vec<(&str, &str)> = HEADERS.into_iter().chain(own).collect();
            guest.request(&headers)
        };
        let first: Vec<u64> = (0..4).map(|_| ask()).collect();
        let later = (0..8).map(|_| ask()).sum::<u64>() / 8;
        let mut with_list = configuration();
        with_list["revocation"] = json!({"file": "/list", "onMissing": "accept"});
        let mut guest = artifact.start(&with_list.to_string());
        let bearer = self::token("EdDSA", 0);
        request(&mut guest, &bearer);
        let listed = request(&mut guest, &bearer);
        let mut named = claims(NOW.cast_signed(), 0);
        (named["sid"], named["client_id"]) = (json!("session"), json!("web"));
        let named = Token::new("EdDSA", named).mint();
        let mut with_markers = configuration();
        with_markers["revocation"] = json!({"directory": guest::DIRECTORY});
        let mut guest = artifact.start(&with_markers.to_string());
        request(&mut guest, &named);
        let marked = request(&mut guest, &named);
        assert_eq!(guest.host().calls["path_filestat_get"], 5, "the directory, jti, sid, sub and client");
        let mut plain = artifact.start(&configuration().to_string());
        let mut known = |token: &str| {
            request(&mut plain, token);
            request(&mut plain, token)
        };
        let (known, marked) = (known(&bearer), marked.saturating_sub(known(&named)));
        println!(
            "{path}: a known token {known}, with proofs {first:?}, {later} each; with a list {listed}; \
             markers of four claims {marked} more"
        );
        assert!(later <= 1_160_000 && listed <= known + 700, "{path}: {later}, {listed}");
        // Four times that if their names are made anew for each request.
        assert!(marked <= 25_000, "{path}: {marked}");
    }
}

/// An instance that is born late takes its keys from the others.
#[test]
fn instructions_of_taking_keys_from_the_mailbox() {
    let artifact = Artifact::read("dist/plugin.wasm");
    let mut from_url = configuration();
    from_url.as_object_mut().unwrap().remove("jwks");
    from_url["jwksUrl"] = json!("https://idp.example/jwks.json");
    let token = token("EdDSA", 0);
    let mut inline = artifact.start(&configuration().to_string());
    let mut late = artifact.start_beside(&from_url.to_string(), record(&from_url));
    let (inline_first, late_first) = (request(&mut inline, &token), request(&mut late, &token));
    let taking = late_first - inline_first;
    let more = (late.start_cost + late_first) - (inline.start_cost + inline_first);
    println!("taking 5 keys: {taking}, with the instance {more} more than keys inline");
    assert!(taking <= 340_000 && more <= 44_000, "{taking}, {more}");
}

/// The record of a router that has fetched the usual keys.
fn record(configuration: &Value) -> Vec<u8> {
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let policy = compile(configuration.to_string().as_bytes(), &capabilities).unwrap();
    let [KeySource::Url(remote)] = policy.issuers[0].keys.as_slice() else { panic!("one URL") };
    let document = Document {
        body: keys::public_set().to_string().into_bytes(),
        cache_control: "max-age=600".into(),
        ..Document::default()
    };
    let document = SharedDocument { document, fetched_at: UnixTime::from_seconds(NOW) };
    let mut record = Record::default();
    record.finish(key_set::document(remote).id(), 1, Nanos(1), Ok(document));
    record.encode()
}

fn request(guest: &mut guest::Guest, token: &str) -> u64 {
    let bearer = format!("Bearer {token}");
    let headers: Vec<(&str, &str)> =
        HEADERS.into_iter().chain([("Authorization", bearer.as_str())]).collect();
    guest.request(&headers)
}
