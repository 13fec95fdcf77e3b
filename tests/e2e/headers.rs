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

/// An upstream that keeps the bytes of every request.
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

/// Reads until nothing more comes, answers, and passes on what was read.
fn answer(mut stream: TcpStream, sender: &mpsc::Sender<Vec<u8>>) {
    let _ = stream.set_read_timeout(Some(Duration::from_millis(300)));
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..count]);
        if bytes.starts_with(b"GET") && bytes.ends_with(b"\r\n\r\n") {
            break;
        }
    }
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    if !bytes.starts_with(b"GET / HTTP/1.1\r\nHost: reload-") {
        let _ = sender.send(bytes);
    }
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
