//! Trailers of a request: another way to send an identity header, which no middleware of Traefik can read before the
//! body has passed.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use testbed::http::{Request, read_head};
use testbed::traefik::{OFFLINE, Routes, Setup, Traefik};

use crate::proxy::{inline, token};

/// A header of ours in the trailers, announced and not: what reaches the upstream, byte for byte.
pub(crate) fn of_requests() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut routes = Routes::to(&format!("http://{}", listener.local_addr().unwrap()));
    routes.protect("trailers", OFFLINE, &inline());
    let (sender, received) = std::sync::mpsc::channel::<String>();
    let _accepting = std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (Ok(mut stream), sender) = (stream, sender.clone()) else { continue };
            let _answering = std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
                let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    bytes.extend_from_slice(&buffer[..count]);
                    // A GET of the test bed's own, or the end of the chunks.
                    if bytes.starts_with(b"GET") || bytes.windows(5).any(|window| window == b"\r\n0\r\n") {
                        break;
                    }
                }
                // Whatever comes behind the last chunk.
                while let Ok(count @ 1..) = stream.read(&mut buffer) {
                    bytes.extend_from_slice(&buffer[..count]);
                    if bytes.ends_with(b"\r\n\r\n") {
                        break;
                    }
                }
                let _ =
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                if !bytes.starts_with(b"GET") {
                    let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
                }
            });
        }
    });
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
        let seen = received.recv_timeout(Duration::from_secs(30)).unwrap();
        println!("{announced}: {seen}");
        assert!(seen.contains("X-User-Sub: alice\r\n"), "{seen}");
        assert!(!seen.contains("root"), "{seen}");
    }
}
