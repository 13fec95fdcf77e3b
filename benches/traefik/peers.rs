//! The same routes and tokens through what others offer: two plugins in Go, which Traefik interprets, and `forwardAuth` to
//! a service that verifies each token. None of it is in this repository.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testbed::asked::forward_auth;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::port::free_address;
use testbed::tokens::{Token, tamper};
use testbed::traefik::{FETCH, Interpreted, OFFLINE, Process, Routes, Setup, Traefik, root};
use testbed::upstream::Upstream;
use testbed::usual::{ISSUER, configuration};
use testbed::wait::wait;

use crate::client::request;
use crate::cost::{Row, fill};
use crate::tokens::{NEW_TOKENS, claims, known, new};
use crate::{median, more};

/// The entry point at which forwardAuth asks.
const AUTH: &str = "auth";

/// A plugin of others, and the configuration that demands of a token what ours does.
struct Peer {
    name: &'static str,
    module: &'static str,
    /// How it answers what it does not accept.
    refused: &'static str,
    configuration: fn(&JwksServer) -> Value,
}

const PEERS: [Peer; 2] = [
    Peer {
        name: "agilezebra",
        module: "github.com/agilezebra/jwt-middleware",
        refused: "401",
        configuration: |idp| {
            json!({
                "issuers": [{"issuer": ISSUER, "jwks": idp.url("/jwks.json")}],
                "secrets": {"secret": keys::SECRET},
                "require": {"iss": ISSUER, "aud": "api"},
                "headerMap": {"X-User-Sub": "sub", "X-User-Email": "email"},
                "removeMissingHeaders": true,
            })
        },
    },
    // It has no check of `iss`, and checks of `exp` and `aud` only where they are named.
    Peer {
        name: "traefik-jwt-plugin",
        module: "github.com/traefik-plugins/traefik-jwt-plugin",
        refused: "403",
        configuration: |idp| {
            json!({
                "keys": [idp.url("/jwks.json")],
                "payloadFields": ["exp", "aud"],
                "aud": "api",
                "jwtHeaders": {"X-User-Sub": "sub", "X-User-Email": "email"},
            })
        },
    },
];

/// A way to check a token: its title in the table, its route, and the status of its refusals.
struct Way {
    title: String,
    host: &'static str,
    refused: &'static str,
}

/// All ways, and what a Traefik needs for them.
struct Field {
    ways: Vec<Way>,
    routes: Routes,
    interpreted: Vec<Interpreted>,
}

impl Field {
    fn add(&mut self, title: String, host: &'static str, refused: &'static str, middleware: Value) {
        self.routes.protect_with(host, middleware);
        self.ways.push(Way { title, host, refused });
    }

    fn add_ours(&mut self) {
        let mut configuration = configuration();
        configuration["jwks"] = json!(keys::jwk_set(&["rsa", "p256"]).to_string());
        configuration["signingSecret"] = json!(keys::SECRET);
        for plugin in [FETCH, OFFLINE] {
            let title = format!("`{}`", plugin.file.trim_start_matches("dist/"));
            self.add(title, plugin.name, "401", json!({"plugin": {plugin.name: configuration}}));
        }
    }

    fn add_peer(&mut self, peer: &Peer, idp: &JwksServer) {
        let sources = directory().join(peer.module);
        if !sources.join("go.mod").is_file() {
            let (name, module, place) = (peer.name, peer.module, sources.display());
            eprintln!("{name}: skipped, no sources: git clone https://{module} {place}");
            return;
        }
        let middleware = json!({"plugin": {peer.name: (peer.configuration)(idp)}});
        self.add(format!("{} {}", peer.name, version(&sources)), peer.name, peer.refused, middleware);
        self.interpreted.push(Interpreted { name: peer.name, module: peer.module, sources });
    }

    /// Ours behind a second entry point of the same Traefik, asked by its forwardAuth.
    fn add_asked(&mut self, auth: SocketAddr) {
        let mut configuration = configuration();
        configuration["jwks"] = json!(keys::jwk_set(&["rsa", "p256"]).to_string());
        configuration["signingSecret"] = json!(keys::SECRET);
        configuration["answerAs"] = json!("forwardAuth");
        self.routes.answer("asked", AUTH, FETCH, &configuration);
        let managed = ["X-User-Sub".to_owned(), "X-User-Email".to_owned()];
        let middleware = forward_auth(&format!("http://{auth}/asked"), &managed);
        self.add("forwardAuth, `plugin.wasm`".into(), "ask", "401", middleware);
    }

    fn add_forward_auth(&mut self, service: &Service) {
        let middleware = json!({"forwardAuth": {
            "address": service.url,
            "authRequestHeaders": ["Authorization"],
            "authResponseHeaders": ["X-User-Sub", "X-User-Email"],
        }});
        self.add("forwardAuth, `ring`".into(), "forward-auth", "401", middleware);
    }
}

/// Prints the table.
pub(crate) fn measure() {
    let upstream = Upstream::start();
    let idp = JwksServer::http(keys::jwk_set(&["rsa", "p256", "secret"]).to_string());
    let service = Service::start();
    let mut field = Field { ways: Vec::new(), routes: Routes::to(&upstream.url()), interpreted: Vec::new() };
    field.routes.open("plain");
    field.add_ours();
    PEERS.iter().for_each(|peer| field.add_peer(peer, &idp));
    let auth = free_address();
    field.add_asked(auth);
    field.add_forward_auth(&service);
    let Field { ways, routes, interpreted } = field;

    let own = json!({"address": auth.to_string(), "forwardedHeaders": {"trustedIPs": ["127.0.0.1/32"]}});
    let traefik = Traefik::start(&Setup {
        interpreted,
        entry_point: json!({"asDefault": true}),
        more: json!({"entryPoints": {AUTH: own}}),
        ..Setup::default()
    });
    traefik.configure(&routes);
    ways.iter().for_each(|way| check(&traefik, way));
    let cases = cases();
    let mut rows = vec![Row::new("plain", "plain", "200", &[known("RS256")])];
    for (name, tokens, good) in &cases {
        for way in &ways {
            rows.push(Row::new(name, way.host, if *good { "200" } else { way.refused }, tokens));
        }
    }
    // The service counts where it works, which is for forwardAuth alone.
    let clock = || traefik.cpu_nanoseconds() + service.process.cpu_nanoseconds();
    fill(&mut rows, &clock, traefik.address());

    let plain = &rows[0].figures;
    let titles: Vec<&str> = ways.iter().map(|way| way.title.as_str()).collect();
    println!(
        "µs of CPU over the plain route, which takes {:.0}; of refusals in all.\n",
        median(plain.clone())
    );
    println!("| request | {} |\n|---|{}", titles.join(" | "), "---|".repeat(ways.len()));
    for ((name, _, good), rows) in cases.iter().zip(rows[1..].chunks(ways.len())) {
        let figure = |row: &Row| match good {
            true => format!("{:+.0}", more(&row.figures, plain)),
            false => format!("{:.0}", median(row.figures.clone())),
        };
        println!("| {name} | {} |", rows.iter().map(figure).collect::<Vec<_>>().join(" | "));
    }
}

/// A way that forwards less than another would look faster than it is.
fn check(traefik: &Traefik, way: &Way) {
    let request = request(way.host, "/", &known("RS256"));
    // Plugins of others fetch their keys when they like.
    let answer = wait(&format!("{} lets a good token pass", way.title), 10, || {
        Some(traefik.send(&request)).filter(|answer| answer.status == 200)
    });
    let (echo, claims) = (answer.text(), claims(0));
    for (name, claim) in [("X-User-Sub", "sub"), ("X-User-Email", "email")] {
        let header = json!([name, claims[claim]]).to_string();
        assert!(echo.contains(&header), "{}: {header} is not in {echo}", way.title);
    }
}

/// Name, tokens, and whether they are good.
fn cases() -> Vec<(String, Vec<String>, bool)> {
    const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "HS256"];
    let mut cases = Vec::new();
    for alg in ALGORITHMS {
        cases.push((format!("known {alg}"), vec![known(alg)], true));
    }
    for alg in ALGORITHMS {
        cases.push((format!("new {alg}"), new(alg, NEW_TOKENS), true));
    }
    let mut expired = claims(0);
    expired["exp"] = json!(testbed::wait::unix_now() - 3600);
    let forged = new("RS256", NEW_TOKENS).iter().map(|token| tamper(token, "signature")).collect();
    for (name, tokens) in [
        ("missing", vec![String::new()]),
        ("malformed", vec!["a.b.c".to_owned()]),
        ("expired RS256", vec![Token::new("RS256", expired).mint()]),
        ("forged RS256, another each time", forged),
    ] {
        cases.push((name.to_owned(), tokens, false));
    }
    cases
}

/// Where the user puts the sources of others: `PEERS`, else `peers/`.
fn directory() -> PathBuf {
    root().join(std::env::var_os("PEERS").filter(|path| !path.is_empty()).unwrap_or_else(|| "peers".into()))
}

/// As git says it, where the sources are a clone.
fn version(sources: &Path) -> String {
    let mut command = Command::new("git");
    command.arg("--git-dir").arg(sources.join(".git")).args(["describe", "--tags"]);
    let text = command.output().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok().filter(|text| !text.is_empty()).unwrap_or_else(|| "of unknown version".into())
}

/// `benches/forward-auth`, in a process of its own.
struct Service {
    process: Process,
    url: String,
}

impl Service {
    fn start() -> Self {
        let binary = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().join("forward-auth");
        assert!(binary.is_file(), "{}: make bench-peers builds it", binary.display());
        let address = free_address();
        let mut command = Command::new(binary);
        command.arg(address.to_string()).arg(keys::jwk_set(&["rsa", "p256", "secret"]).to_string());
        command.args([ISSUER, "api"]);
        let process = Process::start(command);
        wait("the service listens", 10, || std::net::TcpStream::connect(address).ok());
        Self { process, url: format!("http://{address}/") }
    }
}
