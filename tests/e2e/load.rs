//! Many clients at once: every answer is right, and nothing goes wrong behind it.

use std::io::{BufReader, Read};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use testbed::http::{Request, read_head};
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

use crate::proxy::inline;

const CLIENTS: usize = 50;
const REQUESTS: usize = 2_000;

/// 50 clients, 2,000 requests, good and bad tokens mixed, over both artifacts and keys from a URL.
pub(crate) fn parallel() {
    parallel_in(&Setup::default());
}

/// The same in this Traefik.
pub(crate) fn parallel_in(setup: &Setup) {
    let idp = JwksServer::https(keys::public_set().to_string());
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let url = json!({
        "jwksUrl": idp.url("/jwks.json"), "issuer": "https://idp.example/",
        "clientConfig": {"tls": {"ca": idp.ca_pem()}}, "forwardHeaders": {"X-User-Sub": "sub"},
    });
    routes.protect("url", FETCH, &url);
    routes.protect("fetch", FETCH, &inline());
    routes.protect("offline", OFFLINE, &inline());
    let traefik = Traefik::start(setup);
    traefik.configure(&routes);
    let claims = json!({"iss": "https://idp.example/", "sub": "alice", "exp": unix_now() + 600});
    let mut expired = claims.clone();
    expired["exp"] = json!(unix_now() - 1);
    let mut kinds = vec![(String::new(), 401)];
    for alg in ["EdDSA", "ES256", "RS256"] {
        kinds.push((Token::new(alg, claims.clone()).mint(), 200));
        kinds.push((Token::new(alg, expired.clone()).mint(), 401));
    }
    kinds.push((Token::new("RS256", claims.clone()).signed_by("rsa-other").mint(), 401));
    kinds.push((Token::new("EdDSA", claims).signed_by("ed25519-other").mint(), 401));
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let accepted = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= REQUESTS {
                        return;
                    }
                    let host = ["url", "fetch", "offline"][number % 3];
                    let (token, status) = &kinds[number / 3 % kinds.len()];
                    let mut request = Request::get(host, "/").header("X-User-Sub", "root");
                    if !token.is_empty() {
                        request = request.bearer(token);
                    }
                    let answer = traefik.send(&request);
                    let passed = answer.header("X-Upstream").is_some();
                    accepted.fetch_add(usize::from(passed), Ordering::SeqCst);
                    let alice = !passed || answer.text().contains("[\"X-User-Sub\",\"alice\"]");
                    if answer.status != *status || passed != (*status == 200) || !alice {
                        wrong.lock().unwrap().push(format!("{host}: {} {}", answer.status, answer.text()));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {REQUESTS} answers, the first: {}", wrong.len(), wrong[0]);
    let errors = traefik.log_with(0, &["\"level\":\"error\""]);
    assert!(errors.is_empty(), "{errors:?}");
    println!("{} requests to the key set for {REQUESTS} requests", idp.requests());
}

const IN_FLIGHT: usize = 1_000;
/// Resident memory for a request in flight, with everything that Traefik and the connections need. Measured: 170 to 340.
const MAX_KIB: u64 = 600;

/// 1,000 requests at the upstream at once, each with an instance and a user of its own.
pub(crate) fn in_flight() {
    for plugin in [OFFLINE, FETCH] {
        let upstream = Upstream::start();
        let mut routes = Routes::to(&upstream.url());
        routes.protect("jwt", plugin, &inline());
        let traefik = Traefik::start(&Setup { plugins: vec![plugin], ..Setup::default() });
        traefik.configure(&routes);
        let (before, served) = (traefik.resident_kib(), upstream.requests());
        let requests: Vec<_> = (0..IN_FLIGHT)
            .map(|number| {
                let subject = format!("user-{number}");
                let claims = json!({"iss": "https://idp.example/", "sub": subject, "exp": unix_now() + 600});
                let token = Token::new("EdDSA", claims).mint();
                (subject, Request::get("jwt", "/slow?8000").bearer(&token))
            })
            .collect();
        let open = |(subject, request): (_, Request)| (subject, request.open(traefik.address()).unwrap());
        let mut streams: Vec<_> = requests.into_iter().map(open).collect();
        let mut refused = 0;
        wait("all of them are at the upstream, or one is refused", 60, || {
            refused = streams.iter().filter(|(_, stream)| is_refused(stream)).count();
            (upstream.requests() - served == IN_FLIGHT || refused != 0).then_some(())
        });
        if let Some((subject, stream)) = streams.iter_mut().find(|(_, stream)| is_refused(stream)) {
            let (status, headers) = read_head(stream).unwrap();
            panic!("{}: {refused} of {IN_FLIGHT} are refused, {subject}: {status} {headers:?}", plugin.name);
        }
        let kib = traefik.resident_kib().saturating_sub(before) / u64::try_from(IN_FLIGHT).unwrap();
        for (subject, stream) in &mut streams {
            let (status, headers) = read_head(stream).unwrap();
            let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
            let mut body = Vec::new();
            stream.take(length.unwrap().1.parse().unwrap()).read_to_end(&mut body).unwrap();
            let body = String::from_utf8(body).unwrap();
            assert_eq!(status, 200, "{subject}: {headers:?} {body}");
            assert!(body.contains(&format!("[\"X-User-Sub\",\"{subject}\"]")), "{subject}: {body}");
        }
        println!("{}: {kib} KiB for a request in flight", plugin.name);
        assert!(kib <= MAX_KIB, "{}: {kib} KiB for a request in flight", plugin.name);
    }
}

/// Whether there is an answer, or an end, that is not the upstream's.
fn is_refused(stream: &BufReader<TcpStream>) -> bool {
    let mut begin = [0; 12];
    stream.get_ref().set_nonblocking(true).unwrap();
    let length = stream.get_ref().peek(&mut begin);
    stream.get_ref().set_nonblocking(false).unwrap();
    length.is_ok_and(|length| length == 0 || !b"HTTP/1.1 200".starts_with(&begin[..length]))
}
