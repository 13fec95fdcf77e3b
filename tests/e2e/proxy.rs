//! What only a real proxy shows: bodies, streams and upgrades pass through untouched.

use std::io::{BufRead, Read, Write};

use serde_json::json;
use testbed::http::{Request, read_chunk, read_head};
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::{Upstream, body_digest};
use testbed::wait::unix_now;

pub(crate) fn token() -> String {
    let claims = json!({"iss": "https://idp.example/", "sub": "alice", "exp": unix_now() + 600});
    Token::new("EdDSA", claims).mint()
}

/// `{host}` is the host that the router has matched; a row of `tests/cases` has a host that it does not know.
pub(crate) fn host_of_the_request() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let mut config = inline();
    config["claims"] = json!("Equals(`tenant`, `{host}`)");
    routes.protect("acme.example", FETCH, &config);
    routes.protect("other.example", OFFLINE, &config);
    let traefik = Traefik::start(&Setup::default());
    traefik.configure(&routes);
    let claims = json!({
        "iss": "https://idp.example/", "sub": "alice", "exp": unix_now() + 600, "tenant": "acme.example"
    });
    let token = Token::new("EdDSA", claims).mint();
    for (host, status) in [
        ("acme.example", 200),
        ("ACME.example", 200),
        ("acme.example:8080", 200),
        ("acme.example.", 200),
        ("other.example", 403),
    ] {
        let request = Request::get(host, "/").header("X-Forwarded-Host", "acme.example");
        assert_eq!(traefik.send(&request.bearer(&token)).status, status, "{host}");
    }
}

pub(crate) fn inline() -> serde_json::Value {
    json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/", "forwardHeaders": {"X-User-Sub": "sub"}
    })
}

/// Uploads, chunks in both directions at once, and a WebSocket, through both artifacts.
pub(crate) fn untouched() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("fetch", FETCH, &inline());
    routes.protect("offline", OFFLINE, &inline());
    let traefik = Traefik::start(&Setup::default());
    traefik.configure(&routes);
    for host in ["fetch", "offline"] {
        upload(&traefik, host);
        stream(&traefik, host);
        both_ways(&traefik, host);
        web_socket(&traefik, host);
    }
}

fn upload(traefik: &Traefik, host: &str) {
    let body: Vec<u8> = (0_u32..20 << 20).map(|number| number.to_le_bytes()[1]).collect();
    let (length, sum) = body_digest(&body);
    let answer = traefik.send(&Request::new("POST", host, "/upload?x=1").bearer(&token()).body(body));
    assert_eq!(answer.status, 200);
    let seen = answer.json();
    assert_eq!(seen["body"], json!({"length": length, "sum": sum}));
    assert_eq!((&seen["method"], &seen["target"]), (&json!("POST"), &json!("/upload?x=1")));
}

fn stream(traefik: &Traefik, host: &str) {
    let answer = traefik.send(&Request::get(host, "/stream?100").bearer(&token()));
    let expected: String = (0..100).map(|number| format!("data: {number}\n\n")).collect();
    assert_eq!((answer.status, answer.text()), (200, expected));
    assert_eq!(answer.header("Content-Type"), Some("text/event-stream"));
}

/// Each chunk comes back before the next one is sent: nothing is buffered on the way.
fn both_ways(traefik: &Traefik, host: &str) {
    let request =
        Request::new("POST", host, "/stream-step").bearer(&token()).header("Transfer-Encoding", "chunked");
    let mut stream = request.open(traefik.address()).unwrap();
    for number in 0..5 {
        let text = format!("step {number}");
        let framed = format!("{:x}\r\n{text}\r\n", text.len());
        stream.get_mut().write_all(framed.as_bytes()).unwrap();
        if number == 0 {
            assert_eq!(read_head(&mut stream).unwrap().0, 200);
        }
        assert_eq!(read_chunk(&mut stream).unwrap(), Some(text.into_bytes()));
    }
    stream.get_mut().write_all(b"0\r\n\r\n").unwrap();
    assert_eq!(read_chunk(&mut stream).unwrap(), None);
}

pub(crate) fn web_socket(traefik: &Traefik, host: &str) {
    let request = |token: &str| {
        Request::get(host, "/socket")
            .bearer(token)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
            .header("X-User-Sub", "root")
    };
    let mut socket = request(&token()).open(traefik.address()).unwrap();
    assert_eq!(read_head(&mut socket).unwrap().0, 101);
    let mut identity = String::new();
    socket.read_line(&mut identity).unwrap();
    assert_eq!(identity, "[[\"X-User-Sub\",\"alice\"]]\n");
    for text in [&b"\x81\x05hello"[..], b"\x00\xff\x00"] {
        socket.get_mut().write_all(text).unwrap();
        let mut back = vec![0; text.len()];
        socket.read_exact(&mut back).unwrap();
        assert_eq!(back, text);
    }
    let mut refused = request("no.such.token").open(traefik.address()).unwrap();
    assert_eq!(read_head(&mut refused).unwrap().0, 401);
}
