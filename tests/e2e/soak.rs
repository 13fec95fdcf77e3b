//! Minutes of everything at once: good and bad tokens through both artifacts, a provider that fails and rotates its
//! keys, files that change, reloads. Every answer is held to what it may be at that moment.

use std::collections::BTreeMap;
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::{Behaviour, JwksServer};
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Plugin, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;

const ISSUER: &str = "https://idp.example/";
const CLIENTS: usize = 6;
/// Of the key sets, in seconds; the deadline of a fetch is as long.
const TTL: i64 = 2;
/// After this time, in seconds, everybody has what the provider has had all along: the age of a set, a fetch that hung,
/// the back-off, the look at what others know, and a busy machine.
const SETTLED: i64 = 12;
/// Routes, their artifacts, and whether they may ever be without keys.
const ROUTES: [(&str, Plugin, bool); 6] = [
    ("url", FETCH, true),
    ("directory", FETCH, false),
    ("fetch-file", FETCH, false),
    ("offline-file", OFFLINE, false),
    ("fetch-inline", FETCH, false),
    ("offline-inline", OFFLINE, false),
];
/// Descriptors that a reload keeps: a mailbox for each route that reads, a mount for each of `plugin.wasm`.
const KEPT_BY_A_RELOAD: usize = 7;

/// How many more descriptors the last third of the time may see than the one before, besides those of reloads: connections
/// that are open when a second ends.
const MORE_DESCRIPTORS: usize = 20;
/// How much more memory, besides a quarter: Go's collector comes when it comes.
const MORE_MIB: u64 = 50;

/// The key that signs besides `ed25519`, and since when; when the provider was last in trouble.
struct Provider {
    key: &'static str,
    since: i64,
    trouble: i64,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Good,
    /// Signed by a key that comes and goes.
    Rotating(&'static str),
    Bad,
}

fn tokens() -> Vec<(Kind, String)> {
    let claims = json!({"iss": ISSUER, "sub": "alice", "exp": unix_now() + 86_400});
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        Token::new("EdDSA", claims).mint()
    };
    let good = Token::new("EdDSA", claims.clone()).mint();
    let mut none = Token::new("EdDSA", claims.clone());
    none.header.insert("alg".into(), json!("none"));
    vec![
        (Kind::Good, good.clone()),
        (Kind::Good, with("sub", json!("bob"))),
        (Kind::Rotating("p256"), Token::new("ES256", claims.clone()).mint()),
        (Kind::Rotating("p384"), Token::new("ES384", claims.clone()).mint()),
        (Kind::Bad, Token::new("EdDSA", claims.clone()).signed_by("ed25519-other").mint()),
        (Kind::Bad, with("exp", json!(unix_now() - 5))),
        (Kind::Bad, with("iss", json!("https://evil.example/"))),
        (Kind::Bad, none.mint()),
        (Kind::Bad, "a.b.c".into()),
        (Kind::Bad, good.split_at(good.len() - 4).0.to_owned()),
        (Kind::Bad, String::new()),
        (Kind::Bad, Token::new("RS256", claims).mint()),
    ]
}

impl Provider {
    /// Whether a token may be answered so. `before` is this state as it was when the request began.
    fn allows(&self, before: &Self, kind: Kind, may_lack_keys: bool, status: u16) -> bool {
        let now = unix_now();
        let in_trouble = now - self.trouble <= SETTLED;
        match (kind, status) {
            (Kind::Good, 200) | (Kind::Bad, 401) => true,
            (_, 503) => may_lack_keys && in_trouble,
            // Both before a new key is everywhere and after an old one has gone, each for a while.
            (Kind::Rotating(key), 200) => {
                [self.key, before.key].contains(&key) || in_trouble || now - self.since <= SETTLED
            }
            (Kind::Rotating(key), 401) => {
                self.key != key || before.key != key || in_trouble || now - self.since <= SETTLED
            }
            (Kind::Good | Kind::Bad, _) | (Kind::Rotating(_), _) => false,
        }
    }
}

/// `SOAK_MINUTES` of it.
pub(crate) fn mixed() {
    let minutes: i64 = std::env::var("SOAK_MINUTES").map_or(1, |text| text.parse().unwrap());
    let mut idp = JwksServer::https(keys::jwk_set(&["ed25519", "p256"]).to_string());
    let directory = temporary_directory("soak");
    let path = directory.to_str().unwrap();
    fs::write(directory.join("set.json"), keys::jwk_set(&["ed25519"]).to_string()).unwrap();
    let upstream = Upstream::start();
    let setup = Setup {
        mounts: vec![format!("{path}:{path}")],
        log_level: "ERROR",
        more: json!({"serversTransport": {"maxIdleConnsPerHost": -1}}),
        ..Setup::default()
    };
    let traefik = Traefik::start(&setup);
    let url = json!({
        "jwksUrl": idp.url("/jwks.json"),
        "clientConfig": {"tls": {"ca": idp.ca_pem()}, "timeoutSeconds": TTL, "maxRetries": 1},
        "jwksCache": {"ttlSeconds": TTL, "cooldownSeconds": 1},
    });
    let mut shared = url.clone();
    shared["jwksCache"]["directory"] = json!(path);
    let file = json!({"jwksFile": directory.join("set.json")});
    let inline = json!({"jwks": keys::jwk_set(&["ed25519"])});
    let sources = [&url, &shared, &file, &file, &inline, &inline];
    let reload = |number: usize| {
        let mut routes = Routes::to(&upstream.url());
        for ((name, plugin, _), source) in ROUTES.iter().zip(sources) {
            let mut configuration = source.clone();
            configuration["issuer"] = json!(ISSUER);
            configuration["maxTokenBytes"] = json!(16_000 + number % 100);
            routes.protect(name, *plugin, &configuration);
        }
        traefik.configure(&routes);
    };
    reload(0);
    let start = unix_now();
    let state = RwLock::new(Provider { key: "p256", since: start, trouble: start });
    let (over, counts, wrong) =
        (AtomicBool::new(false), Mutex::new(BTreeMap::<_, usize>::new()), Mutex::new(Vec::new()));
    let tokens = tokens();
    for (name, ..) in ROUTES {
        assert_eq!(traefik.send(&Request::get(name, "/").bearer(&tokens[0].1)).status, 200, "{name}");
    }
    let next = AtomicUsize::new(0);
    let client = || {
        while !over.load(Ordering::SeqCst) {
            let number = next.fetch_add(1, Ordering::SeqCst);
            let (name, _, may_lack_keys) = ROUTES[number % ROUTES.len()];
            let (kind, token) = &tokens[number / ROUTES.len() % tokens.len()];
            let before = {
                let now = state.read().unwrap();
                Provider { key: now.key, since: now.since, trouble: now.trouble }
            };
            let mut request = Request::get(name, "/");
            if !token.is_empty() {
                request = request.bearer(token);
            }
            let answer = traefik.send(&request);
            *counts.lock().unwrap().entry((*kind, answer.status)).or_default() += 1;
            // The others do not follow the provider.
            let (key, now) = (state.read().unwrap(), unix_now());
            let follows = name == "url" || name == "directory";
            // Of the errors of a server this is the only one, whoever says so.
            let is_ours = answer.status < 500 || answer.text() == r#"{"error": "Keys unavailable"}"#;
            let allowed = is_ours
                && match kind {
                    Kind::Rotating(_) if !follows => answer.status == 401,
                    Kind::Rotating(_) | Kind::Good | Kind::Bad => {
                        key.allows(&before, *kind, may_lack_keys, answer.status)
                    }
                };
            if !allowed {
                wrong.lock().unwrap().push(format!(
                    "{} s: {name} {kind:?}: {} {}; {} for {} s, trouble {} s ago",
                    now - start,
                    answer.status,
                    answer.text(),
                    key.key,
                    now - key.since,
                    now - key.trouble,
                ));
            }
        }
    };
    let (mut reloads, mut figures) = (0, Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(client);
        }
        let troubles = [
            Behaviour::Down,
            Behaviour::Hang,
            Behaviour::Status(500),
            Behaviour::WrongCertificate,
            Behaviour::HalfBody,
            Behaviour::Html,
        ];
        let mut troubles = troubles.iter().cycle();
        for second in 0..minutes * 60 {
            std::thread::sleep(Duration::from_secs(1));
            let now = unix_now();
            match second % 50 {
                // Seconds 10 to 19: in trouble; 35: other keys.
                10 => idp.set(troubles.next().unwrap().clone()),
                11..20 => {}
                20 => idp.set(Behaviour::Late(200)),
                35 => {
                    let mut state = state.write().unwrap();
                    let key = if state.key == "p256" { "p384" } else { "p256" };
                    idp.publish(keys::jwk_set(&["ed25519", key]).to_string());
                    *state = Provider { key, since: now, trouble: state.trouble };
                }
                _ => {}
            }
            if (10..=20).contains(&(second % 50)) {
                state.write().unwrap().trouble = now;
            }
            let set = keys::jwk_set(if second % 2 == 0 { &["ed25519", "rsa-other"] } else { &["ed25519"] });
            fs::write(directory.join("set.part"), set.to_string()).unwrap();
            fs::rename(directory.join("set.part"), directory.join("set.json")).unwrap();
            if second % 7 == 6 {
                reloads += 1;
                reload(reloads);
            }
            let descriptors = traefik.descriptors().saturating_sub(reloads * KEPT_BY_A_RELOAD);
            figures.push((descriptors, traefik.resident_kib() >> 10));
        }
        over.store(true, Ordering::SeqCst);
    });
    let (wrong, counts) = (wrong.into_inner().unwrap(), counts.into_inner().unwrap());
    println!("soak: {counts:?}, {} fetches, {reloads} reloads", idp.requests());
    for (minute, figures) in figures.chunks(60).enumerate() {
        let (descriptors, resident) = most(figures);
        println!("soak, minute {minute}: {descriptors} descriptors besides those of reloads, {resident} MiB");
    }
    assert!(wrong.is_empty(), "{}: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
    // After a reload there are no keys while the provider is in trouble.
    let mut errors = traefik.log();
    errors.retain(|line| !line.contains("no keys to serve with"));
    assert!(errors.is_empty(), "{errors:?}");
    // The first third is for becoming as large as it gets.
    let third = figures.len() / 3;
    let (before, after) = (most(&figures[third..2 * third]), most(&figures[2 * third..]));
    assert!(after.0 <= before.0 + MORE_DESCRIPTORS, "{} to {} descriptors", before.0, after.0);
    assert!(after.1 <= before.1 + before.1 / 4 + MORE_MIB, "{} to {} MiB", before.1, after.1);
    fs::remove_dir_all(directory).unwrap();
}

/// Most descriptors, most memory.
fn most(figures: &[(usize, u64)]) -> (usize, u64) {
    let of = |most: (usize, u64), now: &(usize, u64)| (most.0.max(now.0), most.1.max(now.1));
    figures.iter().fold((0, 0), of)
}
