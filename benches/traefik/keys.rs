//! What keys from a URL cost: a fetch, an instance that takes them from the others, requests while they are refreshed.

use std::io::Write;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::{Behaviour, JwksServer};
use testbed::keys;
use testbed::traefik::{FETCH, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::usual;

use crate::client::{answer, open, request};
use crate::instances::{Burst, cpu_of_new_instances};
use crate::median;
use crate::tokens::known;

const ROUTERS: usize = 30;
const ROUNDS: usize = 7;
/// Rounds of requests that need a new instance, whose cost varies more than what is asked about.
const BIRTH_ROUNDS: usize = 24;
const CLIENTS: usize = 4;
/// As many as wait for one fetch, and milliseconds that the provider takes for it.
const WAITING: usize = 60;
const LATE: u64 = 200;
const SECONDS: u64 = 30;

/// The usual configuration with its keys from this server.
fn from_url(idp: &JwksServer) -> Value {
    let mut configuration = usual::configuration();
    configuration.as_object_mut().unwrap().remove("jwks");
    configuration["jwksUrl"] = json!(idp.url("/jwks.json"));
    configuration["clientConfig"] = json!({"allowHttp": true, "tls": {"ca": idp.ca_pem()}});
    configuration
}

#[expect(clippy::disallowed_methods, reason = "the clock of a benchmark is real")]
fn now() -> Instant {
    Instant::now()
}

/// Prints the tables.
pub(crate) fn measure() {
    let (http, https) =
        (JwksServer::http(keys::public_set().to_string()), JwksServer::https(keys::public_set().to_string()));
    let mut over_https = from_url(&https);
    over_https["clientConfig"]["allowHttp"] = json!(false);
    let sources = [("inline", usual::configuration()), ("http", from_url(&http)), ("https", over_https)];
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    for (source, configuration) in &sources {
        for number in 0..ROUTERS {
            routes.protect(&format!("{source}-{number}"), FETCH, configuration);
        }
    }
    traefik.configure(&routes);
    first_requests(&traefik, &sources);
    new_instances(&traefik, &routes, &upstream);
    drop(traefik);
    refreshes(&upstream);
}

/// The first request of a router against its second: a fetch, or none with keys inline.
fn first_requests(traefik: &Traefik, sources: &[(&str, Value)]) {
    println!("| keys | ms of CPU more for the first request of a router | ms of time more |\n|---|---|---|");
    for (source, _) in sources {
        let (mut cpu, mut time) = (Vec::new(), Vec::new());
        for number in 0..ROUTERS {
            let request = Request::get(&format!("{source}-{number}"), "/").bearer(&known("EdDSA"));
            let measured = || {
                let (cpu, start) = (traefik.cpu_nanoseconds(), now());
                assert_eq!(traefik.send(&request).status, 200, "{source}");
                let took = start.elapsed();
                // What the host does after the answer belongs to it.
                std::thread::sleep(Duration::from_millis(5));
                ((traefik.cpu_nanoseconds() - cpu) as f64 / 1e6, took.as_secs_f64() * 1e3)
            };
            let (first, second) = (measured(), measured());
            cpu.push(first.0 - second.0);
            time.push(first.1 - second.1);
        }
        println!("| {source} | {:.2} | {:.1} |", median(cpu), median(time));
    }
    println!();
}

/// First requests that come together: one fetches, and the others wait for it.
pub(crate) fn bursts() {
    let upstream = Upstream::start();
    let mut idp = JwksServer::https(keys::public_set().to_string());
    idp.set(Behaviour::Late(LATE));
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let (mut fetched, mut waited, mut longest, mut cpu) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let mut configuration = from_url(&idp);
        configuration["clockSkewSeconds"] = json!(round);
        let mut routes = Routes::to(&upstream.url());
        routes.protect("burst", FETCH, &configuration);
        traefik.configure(&routes);
        let request = Request::get("burst", "/").bearer(&known("EdDSA"));
        let before = traefik.cpu_nanoseconds();
        let mut times: Vec<f64> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..WAITING)
                .map(|_| {
                    scope.spawn(|| {
                        let start = now();
                        assert_eq!(traefik.send(&request).status, 200);
                        start.elapsed().as_secs_f64() * 1e3
                    })
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        });
        cpu.push((traefik.cpu_nanoseconds() - before) as f64 / 1e6);
        times.sort_by(f64::total_cmp);
        fetched.push(times[0]);
        longest.push(times[WAITING - 1]);
        waited.push(median(times));
    }
    println!(
        "| {WAITING} first requests, provider takes {LATE} ms | first | median | longest | ms of CPU |\n|---|---|---|---|---|"
    );
    println!(
        "| | {:.0} | {:.0} | {:.0} | {:.0} |\n",
        median(fetched),
        median(waited),
        median(longest),
        median(cpu)
    );
}

/// Each new instance has its keys to get.
fn new_instances(traefik: &Traefik, routes: &Routes, upstream: &Upstream) {
    let hosts = ["inline-0", "inline-1", "http-0", "https-0"];
    let bursts = hosts.map(|host| Burst::new(host, &[known("EdDSA")]));
    let figures = cpu_of_new_instances(traefik, upstream, routes, &bursts, BIRTH_ROUNDS);
    println!(
        "| keys | µs of CPU for a request that needs a new instance | more than inline: median, quartiles |\n|---|---|---|"
    );
    for (host, own) in hosts.iter().zip(&figures) {
        let mut more: Vec<f64> = own.iter().zip(&figures[0]).map(|(own, inline)| own - inline).collect();
        more.sort_by(f64::total_cmp);
        let at = |share: usize| more[(more.len() - 1) * share / 4];
        println!("| {host} | {:.0} | {:+.0}, {:+.0} to {:+.0} |", median(own.clone()), at(2), at(1), at(3));
    }
    println!();
}

/// Latencies with keys that are refreshed every four seconds from a provider that takes 300 ms, and with keys inline.
fn refreshes(upstream: &Upstream) {
    let mut idp = JwksServer::https(keys::public_set().to_string());
    let mut configuration = from_url(&idp);
    configuration["jwksCache"] = json!({"ttlSeconds": 5, "cooldownSeconds": 1});
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    routes.protect("inline", FETCH, &usual::configuration());
    routes.protect("refreshed", FETCH, &configuration);
    traefik.configure(&routes);
    for host in ["inline", "refreshed"] {
        assert_eq!(traefik.send(&Request::get(host, "/").bearer(&known("EdDSA"))).status, 200);
    }
    idp.set(Behaviour::Late(300));
    println!(
        "| keys | requests | ms: median | 99 % | 99.9 % | longest | refreshes |\n|---|---|---|---|---|---|---|"
    );
    for host in ["inline", "refreshed"] {
        let before = idp.requests();
        let mut times = load(&traefik, host);
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
        println!(
            "| {host} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {} |",
            times.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0),
            idp.requests() - before
        );
    }
}

fn load(traefik: &Traefik, host: &str) -> Vec<f64> {
    let request = request(host, "/", &known("EdDSA")).head();
    let end = now() + Duration::from_secs(SECONDS);
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                scope.spawn(|| {
                    let (mut times, mut stream) = (Vec::new(), open(traefik.address()));
                    while now() < end {
                        let start = now();
                        stream.get_mut().write_all(&request).unwrap();
                        assert_eq!(answer(&mut stream), "200");
                        times.push(start.elapsed().as_secs_f64() * 1e3);
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    times
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    })
}
