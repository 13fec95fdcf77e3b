//! What became of each request in Traefik's metrics, access log and traces (`verdictHeader`), and that a client has no
//! say in it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testbed::http::{Request, read_chunk};
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::port;
use testbed::random::Random;
use testbed::tokens::{Token, tamper};
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik, install, root, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

/// Requests of each kind.
const TIMES: u64 = 100;
/// Requests with what a client likes in the header.
const RANDOM: u64 = 1000;
const HEADER: &str = "X-Auth-Code";

/// The counts of a metric by router (or service) and by the label `jwt`.
fn counts(metrics: SocketAddr, metric: &str, by: &str) -> BTreeMap<(String, String), u64> {
    let text = Request::get("metrics", "/metrics").send(metrics).text();
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let Some((labels, count)) = line.strip_prefix(metric).and_then(|rest| rest.rsplit_once(' ')) else {
            continue;
        };
        let label = |name: &str| {
            let value =
                labels.split(&format!("{name}=\"")).nth(1).unwrap_or_else(|| panic!("{name}: {line}"));
            value.split('"').next().unwrap().to_owned()
        };
        *counts.entry((label(by), label("jwt"))).or_default() += count.parse::<u64>().unwrap();
    }
    counts
}

fn expected(rows: &[(&str, &str, u64)]) -> BTreeMap<(String, String), u64> {
    rows.iter().map(|(by, code, count)| (((*by).to_owned(), (*code).to_owned()), *count)).collect()
}

/// A request of each kind with its verdict. All are for `/orders` but one.
fn requests(host: &str) -> Vec<(&'static str, Request)> {
    let claims = |changes: Value| {
        let now = unix_now();
        let mut claims = json!({"iss": "https://idp.example/", "aud": "api", "sub": "alice", "exp": now + 600, "scope": "read"});
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        Token::new("EdDSA", claims).mint()
    };
    let get = || Request::get(host, "/orders");
    let with = |changes: Value| get().bearer(&claims(changes));
    let good = claims(json!({}));
    vec![
        ("allow", get().bearer(&good)),
        ("anonymous", Request::get(host, "/health")),
        ("token_missing", get()),
        ("token_repeated", get().bearer(&good).bearer(&good)),
        ("token_malformed", get().bearer("a.b.c")),
        ("token_expired", with(json!({"exp": unix_now() - 10}))),
        ("signature_invalid", get().bearer(&tamper(&good, "signature"))),
        ("issuer_not_trusted", with(json!({"iss": "https://other.example/"}))),
        ("audience_not_accepted", with(json!({"aud": "other"}))),
        ("scope_insufficient", with(json!({"scope": "write"}))),
    ]
}

/// `examples/observability` and `docs/guides/metrics.md`.
pub(crate) fn example() {
    let idp = JwksServer::https_at("127.0.0.1:8444", keys::jwk_set(&["ed25519"]).to_string());
    let _upstream = Upstream::start_at("127.0.0.1:9001");
    let directory = temporary_directory("observability");
    fs::create_dir_all(directory.join("examples/observability")).unwrap();
    for file in ["traefik.yml", "dynamic.yml"] {
        let file = format!("examples/observability/{file}");
        fs::copy(root().join(&file), directory.join(&file)).unwrap();
    }
    install(&directory, "github.com/traefik-jwt-auth/jwt", FETCH.file);
    let setup = Setup { envs: vec![("IDP_CA".into(), idp.ca_pem().into())], ..Setup::default() };
    let (address, metrics) = ("127.0.0.1:8020".parse().unwrap(), "127.0.0.1:8021".parse().unwrap());
    let traefik = Traefik::run(&setup, directory, "examples/observability/traefik.yml", address);
    wait("the route is there", 30, || {
        (Request::get("localhost", "/health").try_send(address).ok()?.status == 200).then_some(())
    });
    // A count follows the answer that it is of.
    let counted = |total: u64| {
        wait("all requests are counted", 10, || {
            let routers = counts(metrics, "traefik_router_requests_total", "router");
            (routers.values().sum::<u64>() >= total).then_some(routers)
        })
    };
    let before = counted(1)[&("api@file".to_owned(), "anonymous".to_owned())];
    let kinds = requests("localhost");
    let mut all: Vec<(&str, &str, u64)> = kinds.iter().map(|(code, _)| ("api@file", *code, TIMES)).collect();
    for (code, request) in &kinds {
        for _ in 0..TIMES {
            let answer = traefik.send(request);
            let passes = matches!(*code, "allow" | "anonymous");
            assert_eq!((answer.header(HEADER), answer.status == 200), (Some(*code), passes));
        }
    }
    // The API in mode dryRun lets all of them pass.
    let older = Request::get("localhost", "/older/orders");
    for (code, request) in [("token_missing", older.clone()), ("token_malformed", older.bearer("a.b.c"))] {
        for _ in 0..TIMES {
            assert_eq!((traefik.send(&request).status, all.len()), (200, all.len()));
        }
        all.push(("older@file", code, TIMES));
    }
    let mut all = expected(&all);
    *all.get_mut(&("api@file".to_owned(), "anonymous".to_owned())).unwrap() += before;
    let total = all.values().sum::<u64>();
    assert_eq!(counted(total), all);
    // What a client says is no label.
    let mut random = Random(7);
    for _ in 0..RANDOM {
        let (_, request) = random.of(&kinds);
        let _ = traefik.send(&request.clone().header(HEADER, random.below(1 << 30).to_string()));
    }
    let after = counted(total + RANDOM);
    assert_eq!(after.keys().collect::<Vec<_>>(), all.keys().collect::<Vec<_>>());
    assert_eq!(after.values().sum::<u64>(), total + RANDOM);
    let services = counts(metrics, "traefik_service_requests_total", "service");
    let codes: BTreeSet<&str> = services.keys().map(|(_, code)| code.as_str()).collect();
    assert_eq!(codes, BTreeSet::from(["allow", "anonymous", "token_missing", "token_malformed"]));

    let log = fs::read_to_string(traefik.directory().join("access.log")).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (code, _) in &kinds {
        let user = if *code == "allow" { json!("alice") } else { Value::Null };
        let is_one = |line: &&Value| {
            line["request_X-Auth-Code"] == *code
                && line["downstream_X-Auth-Code"] == *code
                && line["request_X-User-Sub"] == user
        };
        let count = u64::try_from(lines.iter().filter(is_one).count()).unwrap();
        assert!(count >= TIMES, "{code}");
    }
}

/// Without anything before the plugin that removes the header: what a client sends under its name is no label in any
/// mode, neither where the plugin answers itself nor where the request passes.
pub(crate) fn clients_have_no_say() {
    let upstream = Upstream::start();
    let traces = Traces::start();
    let mut routes = Routes::to(&upstream.url());
    for mode in ["required", "optional", "permissive", "dryRun"] {
        let configuration = json!({
            "jwks": keys::public_set(), "issuer": "https://idp.example/", "audience": "api", "mode": mode,
            "scopes": {"required": "read"}, "bypassPaths": ["/health"],
            "verdictHeader": {"request": HEADER, "response": HEADER},
        });
        routes.protect(mode, OFFLINE, &configuration);
    }
    let directory = temporary_directory("metrics");
    let access_log = directory.join("access.log");
    let metrics = port::free_address();
    let more = json!({
        "entryPoints": {"metrics": {"address": metrics.to_string()}},
        "metrics": {"prometheus": {
            "entryPoint": "metrics", "addEntryPointsLabels": true, "addRoutersLabels": true,
            "headerLabels": {"jwt": HEADER},
        }},
        "accessLog": {"filePath": access_log, "format": "json", "fields": {"headers": {"names": {HEADER: "keep"}}}},
        "tracing": {
            "capturedResponseHeaders": [HEADER],
            "otlp": {"http": {"endpoint": format!("http://{}/v1/traces", traces.address)}},
        },
    });
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], more, ..Setup::default() });
    traefik.configure(&routes);
    let kinds = ["required", "optional", "permissive", "dryRun"].map(requests);
    let mut random = Random(11);
    let spellings = [HEADER, "x-auth-code", "X_Auth_Code", "X~Auth~Code"];
    for _ in 0..RANDOM {
        let kinds = random.of(&kinds);
        let (_, request) = random.of(kinds);
        let value = format!("evil-{}", random.below(1 << 30));
        let request = request.clone().header(spellings[random.below(4)], &value).header("Connection", HEADER);
        let answer = traefik.send(&request.header(spellings[random.below(4)], &value));
        assert!(!answer.text().contains("evil-"), "{}", answer.text());
    }
    let modes: BTreeSet<&str> = ["required", "optional", "permissive", "dryRun"].into();
    let routers = wait("all requests are counted", 10, || {
        let mut routers = counts(metrics, "traefik_router_requests_total", "router");
        routers.retain(|(router, _), _| modes.contains(router.trim_end_matches("@file")));
        (routers.values().sum::<u64>() >= RANDOM).then_some(routers)
    });
    assert_eq!(routers.values().sum::<u64>(), RANDOM);
    let codes: BTreeSet<&str> = kinds[0].iter().map(|(code, _)| *code).collect();
    assert!(routers.keys().all(|(_, code)| codes.contains(code.as_str())), "{routers:?}");
    assert!(routers.len() > 30, "{routers:?}");
    assert_eq!(routers.get(&("optional@file".to_owned(), "token_missing".to_owned())), None);
    assert!(
        !counts(metrics, "traefik_entrypoint_requests_total", "entrypoint")
            .keys()
            .any(|(_, code)| code.contains("evil"))
    );
    assert!(!fs::read_to_string(&access_log).unwrap().contains("evil-"));
    wait("a span says what became of its request", 20, || traces.have("token_expired").then_some(()));
    assert!(!traces.have("evil-"));

    // What the guide warns of: a request that no router takes has the label that its client likes.
    let _ = traefik.send(&Request::get("nowhere", "/").header(HEADER, "evil-404"));
    wait("the entry point counts it", 10, || {
        let all = counts(metrics, "traefik_entrypoint_requests_total", "entrypoint");
        all.keys().any(|(_, code)| code == "evil-404").then_some(())
    });
    let _ = fs::remove_dir_all(directory);
}

/// What Traefik has zipped.
fn unzipped(body: &[u8]) -> Vec<u8> {
    let mut gzip =
        Command::new("gzip").arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    gzip.stdin.take().unwrap().write_all(body).unwrap();
    gzip.wait_with_output().unwrap().stdout
}

/// A collector of traces that keeps what it gets (OTLP over HTTP, where texts stand as they are).
struct Traces {
    address: SocketAddr,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Traces {
    fn start() -> Self {
        let listener = port::listen_at("127.0.0.1:0");
        let (address, received) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let kept = Arc::clone(&received);
        let _accepting = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                while stream.read_line(&mut line).is_ok_and(|count| count > 2) {
                    line.clear();
                }
                // Traefik sends them in chunks.
                let mut body = Vec::new();
                while let Ok(Some(chunk)) = read_chunk(&mut stream) {
                    body.extend(chunk);
                }
                kept.lock().unwrap().extend(unzipped(&body));
                let _ = stream
                    .get_mut()
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        });
        Self { address, received }
    }

    fn have(&self, text: &str) -> bool {
        self.received.lock().unwrap().windows(text.len()).any(|window| window == text.as_bytes())
    }
}
