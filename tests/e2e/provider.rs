//! The provider in every state: never a hang beyond the deadline, never a trap, never a request let through.

use std::fs;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::harness;
use testbed::http::{Request, Response};
use testbed::jwks_server::{Behaviour, JwksServer};
use testbed::keys;
use testbed::port;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

use crate::hosts;
use crate::proxy::token;

fn configuration(idp: &JwksServer) -> Value {
    json!({
        "jwksUrl": idp.url("/jwks.json"),
        "issuer": "https://idp.example/",
        "clientConfig": {"tls": {"ca": idp.ca_pem()}, "timeoutSeconds": 2, "maxRetries": 1},
        "jwksCache": {"cooldownSeconds": 1},
        "forwardHeaders": {"X-User-Sub": "sub"},
    })
}

/// One Traefik, a route of its own (and so no keys yet) for each failure.
pub(crate) fn failures() {
    let huge = Behaviour::Huge;
    let failures = [
        ("down", Behaviour::Down),
        ("hang", Behaviour::Hang),
        ("drip", Behaviour::Drip(50)),
        ("status-500", Behaviour::Status(500)),
        ("status-404", Behaviour::Status(404)),
        ("html", Behaviour::Html),
        ("half", Behaviour::HalfBody),
        ("huge", huge),
        ("certificate", Behaviour::WrongCertificate),
        ("loop", Behaviour::Redirect(302, "/jwks.json".into())),
        ("downgrade", Behaviour::Redirect(302, "http://localhost/jwks.json".into())),
        ("nonsense", Behaviour::Raw(b"\x00\xff not HTTP\r\n\r\n".to_vec())),
        ("silence", Behaviour::Raw(Vec::new())),
    ];
    let mut idp = JwksServer::https(keys::public_set().to_string());
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    for (name, _) in &failures {
        routes.protect(name, FETCH, &configuration(&idp));
    }
    traefik.configure(&routes);
    for (name, behaviour) in failures {
        idp.set(behaviour);
        let reached = upstream.requests();
        let answer = timed(&traefik, name, &token());
        assert_eq!(
            (answer.status, answer.text()),
            (503, r#"{"error": "Keys unavailable"}"#.into()),
            "{name}"
        );
        // The cooldown, which the back-off does not exceed, and the second begun.
        let retry_after = answer.header("Retry-After").and_then(|value| value.parse::<u64>().ok());
        assert!(matches!(retry_after, Some(1..=2)), "{name}: {retry_after:?}");
        assert_eq!(upstream.requests(), reached, "{name}: it reached the upstream");
        // Back again: the same route recovers by itself.
        idp.set(Behaviour::Up);
        wait(&format!("{name} recovers"), 15, || {
            (timed(&traefik, name, &token()).status == 200).then_some(())
        });
    }
    let traps = traefik.log_with(0, &["wasm error"]);
    assert!(traps.is_empty(), "{traps:?}");
}

/// Every form of a good answer.
pub(crate) fn forms() {
    let mut idp = JwksServer::https(keys::public_set().to_string());
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    let elsewhere = JwksServer::https(keys::public_set().to_string());
    let forms = [
        ("length", Behaviour::Up),
        ("chunked", Behaviour::Chunked),
        ("close", Behaviour::UntilClose),
        ("late", Behaviour::Late(500)),
    ];
    for (name, _) in &forms {
        routes.protect(name, FETCH, &configuration(&idp));
    }
    let plain = JwksServer::http(keys::public_set().to_string());
    let mut over_http = configuration(&plain);
    over_http["clientConfig"] = json!({"allowHttp": true});
    routes.protect("http", FETCH, &over_http);
    drop(elsewhere);
    traefik.configure(&routes);
    for (name, behaviour) in forms {
        idp.set(behaviour);
        assert_eq!(timed(&traefik, name, &token()).status, 200, "{name}");
    }
    assert_eq!(timed(&traefik, "http", &token()).status, 200, "http");
}

/// Addresses of IPv6, and a name with two addresses of which only one answers, whichever comes first. Says what this
/// machine has no addresses for.
pub(crate) fn addresses() {
    let document = keys::public_set().to_string();
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let mut servers = Vec::new();
    for (family, address) in [("IPv4", "127.0.0.1"), ("IPv6", "[::1]")] {
        let any_port = format!("{address}:0");
        if TcpListener::bind(&any_port).is_err() {
            println!("no {family} here");
            continue;
        }
        let server = JwksServer::http_at(&any_port, document.as_str());
        servers.push((format!("{family}-address"), format!("http://{}", server.address()), server));
        let server = JwksServer::http_at(&any_port, document.as_str());
        let port = server.address().port();
        let known: Vec<SocketAddr> = ("localhost", port).to_socket_addrs().unwrap().collect();
        if known.contains(&server.address()) {
            println!("localhost is {known:?}");
            servers.push((format!("{family}-name"), format!("http://localhost:{port}"), server));
        } else {
            println!("localhost has no address of {family} here");
        }
    }
    for (name, url, _) in &servers {
        let configuration = json!({
            "jwksUrl": format!("{url}/jwks.json"), "issuer": "https://idp.example/",
            "clientConfig": {"allowHttp": true, "timeoutSeconds": 4, "maxRetries": 0},
        });
        routes.protect(name, FETCH, &configuration);
    }
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);
    for (name, url, server) in servers {
        assert_eq!(timed(&traefik, &name, &token()).status, 200, "{url}");
        assert_eq!(server.requests(), 1, "{url}");
    }
}

/// A name with two addresses, at one of which nobody listens, or nobody answers: the other one is asked within the same
/// deadline, whichever comes first. Traefik runs with a hosts file of its own, which takes a mount namespace.
pub(crate) fn dead_address() {
    let names = [("refused", "127.0.0.2"), ("silent", "127.0.0.3")];
    let lines = names.map(|(name, dead)| {
        format!("{dead} {name}-first\n127.0.0.1 {name}-first\n127.0.0.1 {name}-last\n{dead} {name}-last\n")
    });
    let Some(binary) = hosts::traefik_with(&lines.concat()) else {
        harness::skip("provider_dead_address", "no mount namespaces here (unshare -rm)");
        return;
    };
    let directory = binary.parent().unwrap().to_owned();
    let server = JwksServer::http_at("127.0.0.1:0", keys::public_set().to_string());
    let port = server.address().port();
    // Nobody accepts, and the queue is full: any further connection is not answered.
    let silent = TcpListener::bind(("127.0.0.3", port)).unwrap();
    let address = silent.local_addr().unwrap();
    let patience = Duration::from_millis(300);
    let queue: Vec<_> =
        (0..10_000).map_while(|_| TcpStream::connect_timeout(&address, patience).ok()).collect();
    println!("{} connections fill the queue", queue.len());
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let names = names.map(|(name, _)| [format!("{name}-first"), format!("{name}-last")]).concat();
    for name in &names {
        let configuration = json!({
            "jwksUrl": format!("http://{name}:{port}/jwks.json"), "issuer": "https://idp.example/",
            "clientConfig": {"allowHttp": true, "timeoutSeconds": 4, "maxRetries": 0},
        });
        routes.protect(name, FETCH, &configuration);
    }
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], binary, ..Setup::default() });
    traefik.configure(&routes);
    for (number, name) in names.iter().enumerate() {
        assert_eq!(timed(&traefik, name, &token()).status, 200, "{name}");
        assert_eq!(server.requests(), number + 1, "{name}");
    }
    fs::remove_dir_all(directory).unwrap();
}

/// A provider, or who answers in its place, that never ends: each part of an answer has a bound, and all of them the deadline.
pub(crate) fn endless() {
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const LAST_CHUNK: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let (head, body, line) = ("HTTP: head too large", "the answer is too large", "HTTP: chunk line too long");
    let answers = [
        ("bytes", "", "\u{7}", head),
        ("empty-lines", "", "\r\n", "HTTP: not an HTTP/1.1 answer"),
        ("interim-answers", "", "HTTP/1.1 103 Early Hints\r\n\r\n", head),
        ("interim-headers", "HTTP/1.1 100 Continue\r\n", "X: y\r\n", head),
        ("reason", "HTTP/1.1 200 ", "OK ", head),
        ("headers", OK, "X: y\r\n", head),
        ("value", "HTTP/1.1 200 OK\r\nX: ", "y", head),
        ("folded", "HTTP/1.1 200 OK\r\nX: y", "\r\n y", "HTTP: malformed header"),
        ("lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5", ", 5", head),
        ("body", "HTTP/1.1 200 OK\r\n\r\n", " ", body),
        ("length", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n", " ", body),
        ("chunk-size", CHUNKED, "0", line),
        ("chunk-extension", CHUNKED, "1;x=", line),
        ("chunks", CHUNKED, "1\r\n \r\n", body),
        ("trailers", LAST_CHUNK, "X: y\r\n", head),
        ("error", "HTTP/1.1 500 Internal Server Error\r\n\r\n", " ", "status 500"),
        ("location", "HTTP/1.1 302 Found\r\nLocation: /", "x/", head),
        ("gzip", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", "\u{1f}", body),
    ];
    let mut servers = [JwksServer::https, JwksServer::http]
        .map(|start: fn(String) -> JwksServer| start(keys::public_set().to_string()));
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    let host = |name: &str, idp: &JwksServer| format!("{name}-{}", idp.address().port());
    for (name, ..) in answers {
        for idp in &servers {
            let mut configuration = configuration(idp);
            configuration["clientConfig"]["allowHttp"] = json!(true);
            routes.protect(&host(name, idp), FETCH, &configuration);
        }
    }
    traefik.configure(&routes);
    for (name, start, again, told) in answers {
        for idp in &mut servers {
            idp.set(Behaviour::Endless(start, again));
            let host = host(name, idp);
            let from = traefik.log().len();
            assert_eq!(timed(&traefik, &host, &token()).status, 503, "{host}");
            let lines = traefik.log_with(from, &["; no keys to serve with"]);
            // A slow machine may come to the deadline before it comes to the bound.
            let is_told = |line: &String| line.contains(told) || line.contains(": timed out; ");
            assert!(lines.iter().any(is_told), "{host}: {told}: {lines:?}");
        }
    }
    for idp in &mut servers {
        idp.set(Behaviour::Up);
        for (name, ..) in answers {
            let host = host(name, idp);
            wait(&format!("{host} recovers"), 15, || {
                (timed(&traefik, &host, &token()).status == 200).then_some(())
            });
        }
    }
    assert!(traefik.log_with(0, &["wasm error"]).is_empty());
}

/// What providers publish besides a set: read where it is one, else told with what to do about it. A server that gives its
/// documents only to clients that accept any type gives it.
pub(crate) fn documents() {
    let key = keys::jwk("ed25519");
    let no_curve =
        json!({"keys": [{"kty": "EC", "kid": "a", "x": "AQ", "y": "AQ"}, {"kty": "oct", "k": "AQ"}]});
    let cases = [
        ("mark", format!("\u{feff}{}", keys::public_set()), 200, vec!["/mark: 5 keys"]),
        ("lone", key.to_string(), 200, vec!["/lone: 1 key, ", "/lone: the document is one JWK"]),
        (
            "metadata",
            json!({"issuer": "https://idp.example", "jwks_uri": "https://idp.example/keys"}).to_string(),
            503,
            vec![
                "/metadata: not a JWK Set: this is a discovery document: use discovery: true and issuer, or jwksUrl: ",
            ],
        ),
        (
            "google",
            json!({"0f1e": "-----BEGIN CERTIFICATE-----\nMIIB"}).to_string(),
            503,
            vec![
                "/google: not a JWK Set: this is a map of certificates: Google has its JWK Set at https://www.",
            ],
        ),
        (
            "pem",
            keys::public_pem("rsa").to_owned(),
            503,
            vec!["/pem: not a JWK Set: this is PEM: use publicKey"],
        ),
        (
            "error",
            json!({"error": "invalid_request"}).to_string(),
            503,
            vec!["/error: not a JWK Set: this is an answer that tells of an error: "],
        ),
        (
            "unusable",
            no_curve.to_string(),
            503,
            vec![
                "/unusable: no usable key in the set",
                "member crv is missing",
                "kty is oct: a secret is never",
            ],
        ),
    ];
    let idp = JwksServer::http("");
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    let client = || json!({"allowHttp": true, "timeoutSeconds": 2, "maxRetries": 0});
    for (host, ..) in &cases {
        let configuration = json!({
            "jwksUrl": idp.url(&format!("/{host}")), "issuer": "https://idp.example/", "clientConfig": client(),
        });
        routes.protect(host, FETCH, &configuration);
    }
    // One issuer with and without a slash at its end, and another one that the metadata name.
    let (discovered, published) = (JwksServer::http(""), JwksServer::http(keys::public_set().to_string()));
    let issuer = discovered.url("");
    let metadata = |issuer: &str| json!({"issuer": issuer, "jwks_uri": published.url("/")}).to_string();
    discovered.publish(metadata(&format!("{issuer}/")));
    let both = json!([issuer, format!("{issuer}/")]);
    for (host, issuer) in [("both", both), ("without", json!(issuer))] {
        let configuration = json!({"discovery": true, "issuer": issuer, "clientConfig": client()});
        routes.protect(host, FETCH, &configuration);
    }
    traefik.configure(&routes);
    for (host, document, status, told) in cases {
        idp.publish(document);
        assert_eq!(timed(&traefik, host, &token()).status, status, "{host}");
        for words in told {
            assert!(!traefik.log_with(0, &[words]).is_empty(), "{host}: {words}: {:?}", traefik.log());
        }
    }
    let accepts = |head: &String| {
        head.contains("\r\nAccept: application/jwk-set+json, application/json, */*;q=0.1\r\n")
    };
    assert!(idp.request_heads().iter().all(accepts), "{:?}", idp.request_heads());
    let of = |issuer: String| {
        Token::new("EdDSA", json!({"iss": issuer, "sub": "alice", "exp": unix_now() + 600})).mint()
    };
    for issuer in [issuer.clone(), format!("{issuer}/")] {
        assert_eq!(timed(&traefik, "both", &of(issuer.clone())).status, 200, "{issuer}");
    }
    assert_eq!(published.requests(), 1, "one set for both");
    assert_eq!(timed(&traefik, "without", &of(issuer)).status, 503);
    let told = traefik
        .log_with(0, &["the metadata names another issuer: ", "it differs by a trailing slash", "; no keys"]);
    assert_eq!(told.len(), 1, "{:?}", traefik.log());
}

/// The log says what is wrong with a server's certificate, in words that name the option to look at.
pub(crate) fn tls_reasons() {
    let document = keys::public_set().to_string();
    let idp = JwksServer::https(document.clone());
    let for_clients = JwksServer::https_for_clients(document);
    let trusting = |ca: &str| json!({"ca": ca, "serverName": "localhost"});
    // As servers answer who begins with TLS on their port of plain HTTP.
    let plain = port::listen_at("127.0.0.1:0");
    let no_tls = format!("https://{}/", plain.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in plain.incoming().flatten() {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
        }
    });
    let cases = [
        (
            "authority",
            idp.url("/"),
            json!({"serverName": "localhost"}),
            "the certificate is signed by no authority that is trusted here (clientConfig.tls.ca)",
        ),
        (
            "name",
            idp.url("/"),
            json!({"ca": idp.ca_pem(), "serverName": "other.example"}),
            "the certificate is not for other.example (clientConfig.tls.serverName) but for localhost",
        ),
        (
            "namesake",
            idp.url("/"),
            trusting(for_clients.ca_pem()),
            "a signature is wrong: is it this clientConfig.tls.ca, or an RSA key of fewer than 2048 bits?",
        ),
        (
            "plain",
            no_tls,
            trusting(idp.ca_pem()),
            "the server's message is not TLS; does the server speak TLS on this port?",
        ),
        (
            "client",
            for_clients.url("/"),
            trusting(for_clients.ca_pem()),
            "the server asks for a client certificate (clientConfig.tls.cert)",
        ),
    ];
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    for (host, url, tls, _) in &cases {
        let configuration = json!({
            "jwksUrl": url, "issuer": "https://idp.example/",
            "clientConfig": {"tls": tls, "timeoutSeconds": 2, "maxRetries": 0},
        });
        routes.protect(host, FETCH, &configuration);
    }
    traefik.configure(&routes);
    for (host, _, _, reason) in cases {
        let start = traefik.log().len();
        assert_eq!(timed(&traefik, host, &token()).status, 503, "{host}");
        let lines = traefik.log_with(start, &["TLS: "]);
        let told = lines.iter().any(|line| line.contains(&format!("TLS: {reason}; ")));
        assert!(told, "{host}: {lines:?}");
    }
}

/// An answer, within the deadline of two attempts and their pause.
fn timed(traefik: &Traefik, host: &str, token: &str) -> Response {
    #[expect(clippy::disallowed_methods, reason = "the clock of a native test is real")]
    let start = std::time::Instant::now();
    let answer = traefik.send(&Request::get(host, "/").bearer(token));
    let took = start.elapsed();
    assert!(took < Duration::from_secs(9), "{host}: {took:?}");
    answer
}
