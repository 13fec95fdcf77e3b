//! Requests that two servers may read differently, as bytes: of whatever a client sends, the upstream sees whole requests
//! with a valid token, no more than the client has sent of these, and no identity header but the plugin's.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use testbed::http::{Request, read_head};
use testbed::traefik::{OFFLINE, Routes, Setup, Traefik};

use crate::proxy::{inline, token};
use crate::recorder::Recorder;

/// What is behind the end of a request, for a server that finds it elsewhere.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: HOST\r\nX-User-Sub: mallory\r\n\r\n";

/// How many requests reach the upstream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Expected {
    /// So many.
    Whole(usize),
    /// One at most, of which the body does not come to an end: it is wrong, or too short.
    Cut,
}
pub(crate) use Expected::{Cut, Whole};

/// Bytes of a client, and how many requests of them reach the upstream. `GET` and `POST` stand for a request line with
/// `Host` and the token, `HIDDEN` for a request without one.
const PROBES: &[(&str, &str, Expected)] = &[
    ("a request", "GET\r\n", Whole(1)),
    ("two", "GET\r\nGET\r\n", Whole(2)),
    ("one with a token, one without", "GET\r\nHIDDEN", Whole(1)),
    ("one without a token, one with", "HIDDENGET\r\n", Whole(1)),
    (
        "the body of a refused one",
        "POST /hidden HTTP/1.1\r\nHost: HOST\r\nContent-Length: 4\r\n\r\nGET\r\n",
        Whole(0),
    ),
    // Two lengths.
    (
        "length and chunks",
        "POSTContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHIDDEN",
        Whole(1),
    ),
    (
        "chunks and length",
        "POSTTransfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\nHIDDEN",
        Whole(1),
    ),
    ("two lengths", "POSTContent-Length: 0\r\nContent-Length: 70\r\n\r\nHIDDEN", Whole(0)),
    ("the same length twice", "POSTContent-Length: 0\r\nContent-Length: 0\r\n\r\nHIDDEN", Whole(1)),
    ("a list of lengths", "POSTContent-Length: 0, 0\r\n\r\nHIDDEN", Whole(0)),
    ("a length with a sign", "POSTContent-Length: +0\r\n\r\nHIDDEN", Whole(0)),
    ("a negative length", "POSTContent-Length: -1\r\n\r\nHIDDEN", Whole(0)),
    ("a length in hexadecimal", "POSTContent-Length: 0x0\r\n\r\nHIDDEN", Whole(0)),
    ("an empty length", "POSTContent-Length:\r\n\r\nHIDDEN", Whole(0)),
    ("a length that is too long", "POSTContent-Length: 18446744073709551616\r\n\r\nHIDDEN", Whole(0)),
    ("a length in another spelling", "POSTContent_Length: 70\r\n\r\nHIDDEN", Whole(1)),
    ("a body of a GET", "GETContent-Length: 2\r\n\r\nxxHIDDEN", Whole(1)),
    // Chunks that only some see.
    ("chunks, in capitals", "POSTTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\nHIDDEN", Whole(1)),
    (
        "chunks twice",
        "POSTTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHIDDEN",
        Whole(0),
    ),
    ("chunks and something", "POSTTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\nHIDDEN", Whole(0)),
    ("something and chunks", "POSTTransfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\nHIDDEN", Whole(0)),
    ("something else", "POSTTransfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\nHIDDEN", Whole(0)),
    ("quoted chunks", "POSTTransfer-Encoding: \"chunked\"\r\nContent-Length: 0\r\n\r\nHIDDEN", Whole(0)),
    ("chunks behind a tabulator", "POSTTransfer-Encoding:\tchunked\r\n\r\n0\r\n\r\nHIDDEN", Whole(1)),
    (
        "chunks behind another blank",
        "POSTTransfer-Encoding: \u{b}chunked\r\nContent-Length: 0\r\n\r\nHIDDEN",
        Whole(0),
    ),
    (
        "a blank before the colon",
        "POSTTransfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\nHIDDEN",
        Whole(0),
    ),
    (
        "chunks in another spelling",
        "POSTTransfer_Encoding: chunked\r\nContent-Length: 0\r\n\r\nHIDDEN",
        Whole(1),
    ),
    (
        "chunks in a folded line",
        "POSTTransfer-Encoding:\r\n chunked\r\nContent-Length: 0\r\n\r\nHIDDEN",
        Whole(1),
    ),
    (
        "chunks of HTTP/1.0",
        "POST / HTTP/1.0\r\nHost: HOST\r\nAUTHTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHIDDEN",
        Whole(1),
    ),
    // The chunks themselves.
    ("a size with a prefix", "POSTTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\nHIDDEN", Cut),
    ("a size with a sign", "POSTTransfer-Encoding: chunked\r\n\r\n+0\r\n\r\nHIDDEN", Cut),
    ("a size that is too long", "POSTTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\nHIDDEN", Cut),
    ("a line feed ends an extension", "POSTTransfer-Encoding: chunked\r\n\r\n0;a\n\r\n\r\nHIDDEN", Cut),
    (
        "a trailer of ours",
        "POSTTransfer-Encoding: chunked\r\n\r\n0\r\nX-User-Sub: mallory\r\n\r\nHIDDEN",
        Whole(1),
    ),
    (
        "a trailer of framing",
        "POSTTransfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\nContent-Length: 9\r\n\r\n",
        Cut,
    ),
    // Lines.
    ("a folded header", "GETX-A: b\r\n X-User-Sub: folded\r\n\r\n", Whole(1)),
    ("a folded token", "GET / HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer\r\n TOKEN\r\n\r\n", Whole(1)),
    ("a folded first header", "GET / HTTP/1.1\r\n X-User-Sub: mallory\r\nHost: HOST\r\nAUTH\r\n", Whole(0)),
    (
        "line feeds alone",
        "GET / HTTP/1.1\nHost: HOST\nAUTHX-User-Sub: mallory\nX_User_Sub: mallory\n\n",
        Whole(1),
    ),
    ("a line feed in a line", "GETX-A: b\nX-User-Sub: mallory\r\n\r\n", Whole(1)),
    ("a carriage return in a line", "GETX-A: b\rX-User-Sub: mallory\r\n\r\n", Whole(0)),
    ("a carriage return alone ends the head", "GETX-A: b\r\rHIDDEN", Whole(0)),
    ("a NUL in a value", "GETX-A: b\0X-User-Sub: mallory\r\n\r\n", Whole(0)),
    ("a NUL in a name", "GETX-User\0-Sub: mallory\r\n\r\n", Whole(0)),
    ("a NUL behind a name", "GETX-User-Sub\0: mallory\r\n\r\n", Whole(0)),
    ("a blank behind a name", "GETX-User-Sub : mallory\r\n\r\n", Whole(0)),
    ("a tabulator behind a name", "GETX-User-Sub\t: mallory\r\n\r\n", Whole(0)),
    ("a blank in a name", "GETX User Sub: mallory\r\n\r\n", Whole(0)),
    ("a name that is none", "GET: mallory\r\n\r\n", Whole(0)),
    ("a line without a colon", "GETX-User-Sub\r\n\r\n", Whole(0)),
    ("letters that are no ASCII in a name", "GETX-U\u{17f}er-Sub: mallory\r\n\r\n", Whole(0)),
    ("letters that are no ASCII in a value", "GETX-A: \u{e9}\r\n\r\n", Whole(1)),
    ("empty lines in front", "\r\n\r\nGET\r\n", Whole(0)),
    // Tokens.
    ("two tokens that are the same", "GETAUTH\r\n", Whole(0)),
    ("a token and none", "GETAuthorization: Bearer x\r\n\r\n", Whole(0)),
    ("the token named in Connection", "GETConnection: Authorization\r\n\r\n", Whole(0)),
    ("ours named in Connection", "GETConnection: X-User-Sub\r\nX-User-Sub: mallory\r\n\r\n", Whole(1)),
    // Targets and hosts.
    ("two hosts", "GETHost: other\r\n\r\n", Whole(0)),
    ("no host", "GET / HTTP/1.1\r\nAUTH\r\n", Whole(0)),
    ("a target with a host", "GET http://HOST/ HTTP/1.1\r\nHost: other\r\nAUTH\r\n", Whole(1)),
    ("a target with credentials", "GET http://mallory@HOST/ HTTP/1.1\r\nHost: other\r\nAUTH\r\n", Whole(1)),
    ("a target of two words", "GET / /hidden HTTP/1.1\r\nHost: HOST\r\nAUTH\r\n", Whole(0)),
    ("a target with a tabulator", "GET\t/\tHTTP/1.1\r\nHost: HOST\r\nAUTH\r\n", Whole(0)),
    ("HTTP/0.9", "GET /hidden\r\n", Whole(0)),
    ("another version", "GET / HTTP/1.2\r\nHost: HOST\r\nAUTH\r\n", Whole(1)),
    ("a version with a tail", "GET / HTTP/1.1x\r\nHost: HOST\r\nAUTH\r\n", Whole(0)),
    ("CONNECT", "CONNECT HOST:80 HTTP/1.1\r\nHost: HOST\r\nAUTH\r\nHIDDEN", Whole(0)),
    ("a preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nHIDDEN", Whole(0)),
    // What a body may wait for.
    ("a body that is announced and not sent", "POSTExpect: 100-continue\r\nContent-Length: 70\r\n\r\n", Cut),
    ("another expectation", "POSTExpect: mallory\r\nContent-Length: 0\r\n\r\nHIDDEN", Whole(0)),
];

/// A request as bytes. The token is that of `alice`, the target that of the probe of this number.
fn bytes(probe: &str, number: usize, host: &str, token: &str) -> Vec<u8> {
    let authorization = format!("Authorization: Bearer {token}\r\n");
    let mut text = probe.replace("HIDDEN", HIDDEN);
    for method in ["GET", "POST"] {
        // A method that a target follows stands for itself.
        let short = format!("{method} {} HTTP/1.1\r\nHost: HOST\r\nAUTH", target(number));
        let parts: Vec<&str> = text.split(method).collect();
        let mut whole = String::new();
        for (number, part) in parts.iter().enumerate() {
            if number > 0 {
                whole.push_str(if part.starts_with([' ', '\t']) { method } else { &short });
            }
            whole.push_str(part);
        }
        text = whole;
    }
    text.replace("AUTH", &authorization).replace("TOKEN", token).replace("HOST", host).into_bytes()
}

/// Where the requests of a probe go. Of one that is cut, the head may arrive when the next has begun.
pub(crate) fn target(number: usize) -> String {
    format!("/probe-{number}")
}

fn is_of_another(head: &str, number: usize) -> bool {
    let path = head.split(' ').nth(1).unwrap_or_default();
    path.starts_with("/probe-") && path != target(number)
}

/// What comes back until nothing does.
fn exchange(traefik: &Traefik, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(traefik.address()).unwrap();
    // A head that is long takes its time.
    let patience = if bytes.len() > 50_000 { 20_000 } else { 300 };
    stream.set_read_timeout(Some(Duration::from_millis(patience))).unwrap();
    // It may have been closed after the first bytes.
    let _ = stream.write_all(bytes);
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..count]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn requests() {
    let recorder = Recorder::start();
    let mut routes = Routes::to(&recorder.url());
    routes.protect("probe", OFFLINE, &inline());
    routes.open("open");
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let token = token();
    let mut wrong = Vec::new();
    // Without the plugin, what is hidden arrives.
    let _ = exchange(&traefik, &bytes("GET\r\nHIDDEN", 0, "open", ""));
    let seen = recorder.take();
    if seen.len() != 2 || !seen[1].contains("/hidden") || !seen[1].contains("mallory") {
        wrong.push(format!("without the plugin: {seen:?}"));
    }
    for (number, (name, probe, expected)) in PROBES.iter().enumerate() {
        let answer = exchange(&traefik, &bytes(probe, number, "probe", &token));
        let what = format!("{name}: answered {answer:?}");
        check(&traefik, &recorder, &token, (&what, number, *expected), &mut wrong);
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// What has come of a probe, and that nothing of it stays where the next request comes through.
pub(crate) fn check(
    traefik: &Traefik,
    recorder: &Recorder,
    token: &str,
    (what, number, expected): (&str, usize, Expected),
    wrong: &mut Vec<String>,
) {
    let least = match expected {
        Whole(count) => count,
        Cut => 0,
    };
    recorder.wait_for(least);
    let next = traefik.send(&Request::get("probe", "/next").bearer(token));
    recorder.wait_for(least + 1);
    let seen = recorder.take();
    let (nexts, own): (Vec<_>, Vec<_>) = seen
        .iter()
        .filter(|head| !is_of_another(head, number))
        .partition(|head| head.starts_with("GET /next "));
    let is_expected = match expected {
        Whole(count) => own.len() == count,
        Cut => own.len() <= 1,
    };
    let are_whole = seen.iter().all(|head| is_whole(head, token));
    if !is_expected || !are_whole || nexts.len() != 1 || next.text() != "/next" {
        wrong.push(format!("{what}: {expected:?} expected, {seen:?}, the next one: {}", next.text()));
    }
}

/// Whether the head of a request is that of the one who has the token, and says of no other.
pub(crate) fn is_whole(head: &str, token: &str) -> bool {
    let values = |wanted: &str| -> Vec<&str> {
        let lines = head.lines().filter_map(|line| line.split_once(':'));
        let named = lines.filter(|(name, _)| {
            name.replace(|c: char| !c.is_alphanumeric(), "-").eq_ignore_ascii_case(wanted)
        });
        named.map(|(_, value)| value.trim()).collect()
    };
    let tokens = values("Authorization");
    let has_token = !tokens.is_empty() && tokens.iter().all(|value| *value == format!("Bearer {token}"));
    let says_alice = values("X-User-Sub") == ["alice"];
    has_token
        && says_alice
        && !head.contains("/hidden")
        && !head.contains("mallory")
        && !head.contains("unreadable")
}

/// A head as long as Traefik takes one, and a longer one; as many copies as fit.
pub(crate) fn long_heads() {
    let recorder = Recorder::start();
    let mut routes = Routes::to(&recorder.url());
    routes.protect("probe", OFFLINE, &inline());
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let token = token();
    let many = |count: usize| -> String {
        (0..count)
            .map(|number| format!("X{}User{0}Sub: mallory\r\n", ["_", ".", "-", "~"][number % 4]))
            .collect()
    };
    let long = |count: usize| format!("X-Long: {}\r\nX_User_Sub: mallory\r\n", "a".repeat(count));
    for (name, lines, status) in [
        ("10,000 copies", many(10_000), "200"),
        ("a value of 900,000 bytes", long(900_000), "200"),
        ("a value of 1,100,000 bytes", long(1_100_000), "431"),
        ("a name of 70,000 bytes", format!("{}: mallory\r\n", "X-User-Sub".repeat(7_000)), "200"),
    ] {
        let head = format!("GET{lines}Connection: close\r\n\r\n");
        let answer = exchange(&traefik, &bytes(&head, 0, "probe", &token));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{name}: {answer:.100}");
        let seen = recorder.take();
        assert_eq!(seen.len(), usize::from(status == "200"), "{name}");
        for head in seen {
            let rest: String = head
                .lines()
                .filter(|line| !line.to_ascii_lowercase().starts_with("x-user-subx"))
                .collect::<Vec<_>>()
                .join("\n");
            assert!(is_whole(&rest, &token), "{name}: {rest:.300}");
        }
    }
    assert_eq!(json!(traefik.log_with(0, &["panic"])), json!([]));
}

/// A change of the protocol: behind one to another version of HTTP, requests would pass of which nobody sees a token.
pub(crate) fn upgrades() {
    let recorder = Recorder::start();
    let mut routes = Routes::to(&recorder.url());
    routes.protect("probe", OFFLINE, &inline());
    routes.open("open");
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let token = token();
    let changed = |host: &str, protocol: &str| {
        let request = Request::get(host, "/").bearer(&token).header("Connection", "Upgrade, HTTP2-Settings");
        let request = request.header("Upgrade", protocol).header("HTTP2-Settings", "AAMAAABkAAQCAAAA");
        let mut stream = request.open(traefik.address()).unwrap();
        let status = read_head(&mut stream).unwrap().0;
        let _ = stream.get_mut().write_all(HIDDEN.as_bytes());
        recorder.wait_for(2);
        let seen = recorder.take();
        (status, seen)
    };
    let (status, seen) = changed("open", "tcp");
    assert!(status == 101 && seen.len() == 2, "without the plugin: {status}, {seen:?}");
    let mut wrong = Vec::new();
    for protocol in [
        "h2c",
        "H2C",
        "h2",
        "HTTP/2.0",
        "HTTP/1.1",
        "TLS/1.0",
        "websocket, h2c",
        "h2c, websocket",
        "h2c,websocket",
        "HTTP/2.0;q=1",
    ] {
        let (status, seen) = changed("probe", protocol);
        if status != 200 || seen.len() != 1 || !is_whole(&seen[0], &token) {
            wrong.push(format!("{protocol}: {status}, {seen:?}"));
        }
    }
    // What is behind a change to WebSocket belongs to its request.
    for protocol in ["websocket", "WebSocket", "SPDY/3.1", "tcp"] {
        let (status, seen) = changed("probe", protocol);
        if status != 101 || seen.is_empty() || !is_whole(&seen[0], &token) {
            wrong.push(format!("{protocol}: {status}, {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
