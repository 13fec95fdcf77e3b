//! What reaches the upstream in headers and trailers, byte for byte.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::json;
use testbed::http::{Request, read_head};
use testbed::port;
use testbed::tokens::Token;
use testbed::traefik::{OFFLINE, Routes, Setup, Traefik};
use testbed::wait::unix_now;

use crate::proxy::{inline, token};

/// An upstream that keeps the bytes of every request. Its answers have the `Cache-Control` that `X-Want` of the request has.
struct Upstream {
    url: String,
    received: mpsc::Receiver<Vec<u8>>,
}

impl Upstream {
    fn start() -> Self {
        let listener = port::listen_at("127.0.0.1:0");
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, received) = mpsc::channel();
        let _accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), sender) = (stream, sender.clone()) else { continue };
                let _answering = std::thread::spawn(move || answer(stream, &sender));
            }
        });
        Self { url, received }
    }

    /// The next request that is not the test bed's own.
    fn next(&self) -> Vec<u8> {
        self.received.recv_timeout(Duration::from_secs(30)).unwrap()
    }
}

/// Reads until nothing more comes, passes on what was read, and answers.
fn answer(mut stream: TcpStream, sender: &mpsc::Sender<Vec<u8>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
        if bytes.starts_with(b"GET") && bytes.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    if text.contains("Expect: 100-continue") {
        let _ = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
    }
    let wanted = text.lines().find_map(|line| line.strip_prefix("X-Want: ")).unwrap_or_default();
    let cache = if wanted.is_empty() { String::new() } else { format!("Cache-Control: {wanted}\r\n") };
    let head = format!("HTTP/1.1 200 OK\r\n{cache}Content-Length: 0\r\nConnection: close\r\n\r\n");
    // Before the answer: who has that finds what was read.
    if !bytes.starts_with(b"GET / HTTP/1.1\r\nHost: reload-") {
        let _ = sender.send(bytes);
    }
    let _ = stream.write_all(head.as_bytes());
}

/// Texts go as UTF-8, JSON as ASCII; what would break a header is not sent, and nothing appears beside it.
pub(crate) fn bytes() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url);
    let mut configuration = inline();
    configuration["forwardHeaders"] = json!({
        "X-Name": "name", "X-Names": "names", "X-User": "name is {name}", "X-Broken": "broken", "X-Also": "a {broken}",
    });
    routes.protect("bytes", OFFLINE, &configuration);
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let claims = json!({
        "iss": "https://idp.example/", "exp": unix_now() + 600, "name": "Zo\u{eb} \u{1f600}",
        "names": ["Zo\u{eb}\u{1f600}", "a\r\nX-Admin: 1"], "broken": "a\r\nX-Admin: 1",
    });
    let token = Token::new("EdDSA", claims).mint();
    let request =
        Request::get("bytes", "/").bearer(&token).header("X-Broken", "root").header("X-Also", "root");
    assert_eq!(traefik.send(&request).status, 200);
    let seen = String::from_utf8(upstream.next()).unwrap();
    for line in [
        "X-Name: Zo\u{eb} \u{1f600}\r\n",
        "X-Names: [\"Zo\\u00eb\\ud83d\\ude00\",\"a\\r\\nX-Admin: 1\"]\r\n",
        "X-User: name is Zo\u{eb} \u{1f600}\r\n",
    ] {
        assert!(seen.contains(line), "{seen}");
    }
    for name in ["\nX-Admin", "X-Broken", "X-Also", "root"] {
        assert!(!seen.contains(name), "{seen}");
    }
}

/// A header of ours in the trailers, which no middleware of Traefik can read before the body has passed: announced or
/// not, its value does not reach the upstream.
pub(crate) fn trailers() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url);
    routes.protect("trailers", OFFLINE, &inline());
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    for announced in ["X-User-Sub, X-Sum", "X-Sum"] {
        let request = Request::new("POST", "trailers", "/")
            .bearer(&token())
            .header("Transfer-Encoding", "chunked")
            .header("Trailer", announced);
        let mut stream = request.open(traefik.address()).unwrap();
        let body = b"5\r\nhello\r\n0\r\nX-User-Sub: root\r\nX-Sum: 7\r\n\r\n";
        stream.get_mut().write_all(body).unwrap();
        assert_eq!(read_head(&mut stream).unwrap().0, 200, "{announced}");
        let seen = String::from_utf8(upstream.next()).unwrap();
        assert!(seen.contains("X-User-Sub: alice\r\n") && seen.ends_with("\r\n0\r\n\r\n"), "{seen}");
        assert!(!seen.contains("root"), "{seen}");
    }
}

/// What a token opened is private, except for one in `Authorization`, which caches know (RFC 9111 3.5). The upstream's own
/// line stays behind it: the host gives no way to take it back without holding back the body. The stricter of both counts.
pub(crate) fn caches() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url);
    let mut configuration = inline();
    configuration["tokenSources"] = json!([
        {"header": "Authorization"}, {"header": "X-Token"}, {"cookie": "jwt"}, {"query": "t"},
        {"webSocketProtocol": "bearer"},
    ]);
    routes.protect("caches", OFFLINE, &configuration);
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let token = token();
    let get = |target: &str| Request::get("caches", target);
    for (request, is_private) in [
        (get("/").bearer(&token), false),
        (get("/").header("X-Token", &token), true),
        (get("/").header("Cookie", format!("jwt={token}")), true),
        (get(&format!("/?t={token}")), true),
        (get("/").header("Sec-WebSocket-Protocol", format!("bearer, {token}")), true),
    ] {
        for wanted in ["", "public, max-age=600", "no-store"] {
            let response = traefik.send(&request.clone().header("X-Want", wanted));
            assert_eq!(response.status, 200);
            let lines = response.headers.iter().filter(|(name, _)| name == "Cache-Control");
            let found: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
            let expected = [("private", is_private), (wanted, !wanted.is_empty())];
            let expected: Vec<&str> =
                expected.iter().filter(|(_, is_there)| *is_there).map(|(line, _)| *line).collect();
            assert_eq!(found, expected, "{request:?}");
        }
    }
    // A 100 of the upstream would take our line with it.
    let expecting = Request::new("POST", "caches", "/").header("Cookie", format!("jwt={token}"));
    let expecting = expecting.header("Expect", "100-continue").header("X-Want", "public").body("x");
    while upstream.received.try_recv().is_ok() {}
    let mut stream = expecting.open(traefik.address()).unwrap();
    stream.get_mut().write_all(b"x").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Cache-Control: private\r\nCache-Control: public\r\n"), "{answer}");
    let seen = String::from_utf8(upstream.next()).unwrap();
    assert!(seen.ends_with("\r\n\r\nx") && !seen.contains("Expect"), "{seen}");
}

/// What stays of a query does so byte for byte, also what is no UTF-8 and no valid escape; Traefik itself writes `&` for `;`.
pub(crate) fn query_bytes() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url);
    let mut configuration = inline();
    configuration["tokenSources"] = json!([{"query": "t"}]);
    configuration["forwardAuthorization"] = json!(false);
    routes.protect("query", OFFLINE, &configuration);
    routes.open("open");
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let send = |host: &str, query: &[u8]| {
        let request = [b"GET /a%2Fb?", query, b" HTTP/1.1\r\nHost: ", host.as_bytes(), b"\r\n\r\n"].concat();
        let mut stream = TcpStream::connect(traefik.address()).unwrap();
        stream.write_all(&request).unwrap();
        let seen = upstream.next();
        seen.split(|byte| *byte == b'\r').next().unwrap().to_vec()
    };
    let token = token();
    for odd in [
        &b"a;b=%zz&&+"[..],
        b"x=\xff\xfe&\xc3=%ff&y=\xe2\x82",
        b"%&%2&=&==&c=%c3%28&?&/../&\\|\"<>^`{}&#",
        b"&",
    ] {
        let as_it_is = send("open", odd);
        for query in [
            [b"t=", token.as_bytes(), b"&", odd].concat(),
            [odd, b"&t=", token.as_bytes()].concat(),
            [odd, b";+T=", token.as_bytes()].concat(),
        ] {
            let left = send("query", &query);
            assert_eq!(left, as_it_is, "{} became {}", query.escape_ascii(), left.escape_ascii());
        }
    }
}

/// Nothing goes on as the body of a preflight, whether its length is said or not.
pub(crate) fn preflight_body() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url);
    let mut configuration = inline();
    configuration["bypassPreflight"] = json!(true);
    routes.protect("preflight", OFFLINE, &configuration);
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let preflight = Request::new("OPTIONS", "preflight", "/")
        .header("Origin", "https://app.example")
        .header("Access-Control-Request-Method", "POST");
    let chunked = || preflight.clone().header("Transfer-Encoding", "chunked");
    for (request, expected) in [
        (preflight.clone(), 200),
        (preflight.clone().header("Content-Length", "0"), 200),
        (chunked().body("0\r\n\r\n"), 200),
        (chunked().body("6\r\nsecret\r\n0\r\n\r\n"), 200),
        (preflight.clone().body("secret"), 401),
        (chunked().bearer(&token()).body("6\r\nsecret\r\n0\r\n\r\n"), 200),
    ] {
        assert_eq!(traefik.send(&request).status, expected, "{request:?}");
        if expected == 200 {
            let seen = String::from_utf8(upstream.next()).unwrap();
            assert!(!seen.contains("secret"), "{request:?}: {seen}");
        }
    }
}
