//! Requests in frames of HTTP/2, as bytes: header lists that HTTP/1.1 has no way to write, or that mean something else there.
//! What reaches the upstream is held to the same rules as in `smuggling`.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;
use testbed::traefik::{OFFLINE, Routes, Setup, Traefik};

use crate::proxy::{inline, token};
use crate::recorder::Recorder;
use crate::smuggling::{Cut, Expected, Whole, check, target};

type Fields<'a> = &'a [(&'a str, &'a str)];

/// How a header list goes out.
#[derive(Clone, Copy)]
enum Way {
    /// In one frame that ends the request.
    One,
    /// A frame for the list, which is cut into this many, and this body.
    Parts(usize, &'static str),
    /// As the last, and then another list.
    Trailers(&'static str, Fields<'static>),
}
use Way::{One, Parts, Trailers};

/// What a probe does with the usual list: `:method`, `:scheme`, `:path`, `:authority`, `authorization`.
struct Probe {
    name: &'static str,
    /// Names of the usual list that are left out.
    without: &'static [&'static str],
    /// What stands in front of the rest of it.
    front: Fields<'static>,
    behind: Fields<'static>,
    way: Way,
    /// How many reach the upstream.
    expected: Expected,
}

const USUAL: Probe =
    Probe { name: "a request", without: &[], front: &[], behind: &[], way: One, expected: Whole(1) };

const fn behind(name: &'static str, fields: Fields<'static>, expected: Expected) -> Probe {
    Probe { name, behind: fields, expected, ..USUAL }
}

const fn instead(
    name: &'static str,
    field: &'static [&'static str],
    fields: Fields<'static>,
    expected: Expected,
) -> Probe {
    Probe { name, without: field, front: fields, expected, ..USUAL }
}

const PROBES: &[Probe] = &[
    USUAL,
    Probe { name: "a body", way: Parts(1, "body"), ..USUAL },
    Probe { name: "a list in many frames", way: Parts(20, ""), ..USUAL },
    // Names.
    behind(
        "ours",
        &[("x-user-sub", "mallory"), ("x_user_sub", "mallory"), ("x.user.sub", "mallory")],
        Whole(1),
    ),
    behind("ours in capitals", &[("X-User-Sub", "mallory")], Whole(0)),
    behind("one capital", &[("x-a", "b"), ("x-User-sub", "mallory")], Whole(0)),
    behind("an empty name", &[("", "mallory")], Whole(0)),
    behind("a blank in a name", &[("x-user-sub ", "mallory")], Whole(0)),
    behind("a colon in a name", &[("x-user-sub:", "mallory")], Whole(0)),
    behind("a line in a name", &[("x-a: b\r\nx-user-sub", "mallory")], Whole(0)),
    behind("a NUL in a name", &[("x-user-sub\0", "mallory")], Whole(0)),
    // Values.
    behind("a line in a value", &[("x-a", "b\r\nX-User-Sub: mallory")], Whole(0)),
    behind("a line feed in a value", &[("x-a", "b\nX-User-Sub: mallory")], Whole(0)),
    behind("a carriage return in a value", &[("x-a", "b\rX-User-Sub: mallory")], Whole(0)),
    behind(
        "a request in a value",
        &[("x-a", "b\r\n\r\nGET /hidden HTTP/1.1\r\nHost: probe\r\n\r\n")],
        Whole(0),
    ),
    behind("a NUL in a value", &[("x-a", "b\0X-User-Sub: mallory")], Whole(0)),
    // Fields of a connection, which HTTP/2 does not have.
    behind("connection", &[("connection", "x-user-sub")], Whole(0)),
    behind("connection: close", &[("connection", "close")], Whole(0)),
    behind("proxy-connection", &[("proxy-connection", "keep-alive")], Whole(0)),
    behind("keep-alive", &[("keep-alive", "5")], Whole(0)),
    behind("upgrade", &[("upgrade", "h2c")], Whole(0)),
    behind("te", &[("te", "chunked")], Whole(0)),
    behind("te: trailers", &[("te", "trailers")], Whole(1)),
    Probe {
        way: Parts(1, "0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"),
        ..behind("chunks", &[("transfer-encoding", "chunked")], Whole(0))
    },
    Probe {
        way: Parts(1, "0\r\n\r\nGET /hidden HTTP/1.1\r\n\r\n"),
        ..behind("chunks in another spelling", &[("transfer_encoding", "chunked")], Whole(1))
    },
    Probe {
        way: Parts(1, "GET /hidden HTTP/1.1\r\n\r\n"),
        ..behind("a length of nothing", &[("content-length", "0")], Cut)
    },
    Probe { way: Parts(1, "x"), ..behind("a length of more", &[("content-length", "70")], Cut) },
    Probe {
        way: Parts(1, "x"),
        ..behind("two lengths", &[("content-length", "1"), ("content-length", "0")], Whole(1))
    },
    behind("a length and no body", &[("content-length", "70")], Whole(1)),
    // Pseudo-headers.
    behind("a second path", &[(":path", "/hidden")], Whole(0)),
    instead("two paths", &[], &[(":path", "/hidden")], Whole(0)),
    instead("two methods", &[], &[(":method", "POST")], Whole(0)),
    instead("two authorities", &[], &[(":authority", "open")], Whole(0)),
    instead("two schemes", &[], &[(":scheme", "https")], Whole(0)),
    instead("an unknown one", &[], &[(":user", "mallory")], Whole(0)),
    instead("a token as one", &["authorization"], &[(":authorization", "Bearer TOKEN")], Whole(0)),
    instead("one of a response", &[], &[(":status", "200")], Whole(0)),
    instead(
        "one of WebSockets",
        &[":method"],
        &[(":method", "CONNECT"), (":protocol", "websocket")],
        Whole(0),
    ),
    instead("behind a field", &[], &[("x-a", "b")], Whole(0)),
    instead("no path", &[":path"], &[], Whole(0)),
    instead("no method", &[":method"], &[], Whole(0)),
    instead("no scheme", &[":scheme"], &[], Whole(0)),
    instead("an empty path", &[":path"], &[(":path", "")], Whole(0)),
    instead("a path without a slash", &[":path"], &[(":path", "hidden")], Whole(0)),
    instead("a path with a host", &[":path"], &[(":path", "http://open/elsewhere")], Whole(1)),
    instead(
        "a path with a line",
        &[":path"],
        &[(":path", "/ HTTP/1.1\r\nX-User-Sub: mallory\r\n\r\nGET /hidden")],
        Whole(0),
    ),
    instead("a path with a blank", &[":path"], &[(":path", "/ HTTP/1.1")], Whole(1)),
    instead(
        "a method with a line",
        &[":method"],
        &[(":method", "GET /hidden HTTP/1.1\r\nX-User-Sub: mallory\r\n\r\nGET")],
        Whole(0),
    ),
    instead("a method with a blank", &[":method"], &[(":method", "GET /hidden")], Whole(0)),
    instead(
        "an authority with a line",
        &[":authority"],
        &[(":authority", "probe\r\nX-User-Sub: mallory")],
        Whole(0),
    ),
    instead("an authority with credentials", &[":authority"], &[(":authority", "mallory@probe")], Whole(0)),
    instead(
        "a scheme with a line",
        &[":scheme"],
        &[(":scheme", "http://probe/hidden HTTP/1.1\r\nX-User-Sub: mallory\r\n\r\n")],
        Whole(0),
    ),
    instead("host for the authority", &[":authority"], &[], Whole(0)),
    behind("host besides the authority", &[("host", "open")], Whole(1)),
    // Tokens.
    behind("the token twice", &[("authorization", "Bearer TOKEN")], Whole(0)),
    behind("two tokens", &[("authorization", "Bearer x")], Whole(0)),
    behind("a token in a spelling with a capital", &[("Authorization", "Bearer x")], Whole(0)),
    // Trailers.
    Probe { name: "trailers of ours", way: Trailers("body", &[("x-user-sub", "mallory")]), ..USUAL },
    Probe {
        name: "announced trailers of ours",
        behind: &[("trailer", "x-user-sub"), ("te", "trailers")],
        way: Trailers("body", &[("x-user-sub", "mallory")]),
        ..USUAL
    },
    Probe {
        name: "a path in trailers",
        way: Trailers("body", &[(":path", "/hidden")]),
        expected: Cut,
        ..USUAL
    },
    Probe {
        name: "a token in trailers",
        without: &["authorization"],
        way: Trailers("body", &[("authorization", "Bearer TOKEN")]),
        expected: Whole(0),
        ..USUAL
    },
];

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A list as HPACK has it that remembers nothing (RFC 7541 6.2.2).
fn block(fields: &[(String, String)]) -> Vec<u8> {
    let text = |text: &str| -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text.len();
        if rest < 127 {
            out.push(u8::try_from(rest).unwrap());
        } else {
            out.push(127);
            rest -= 127;
            while rest >= 128 {
                out.push(u8::try_from(rest % 128 + 128).unwrap());
                rest /= 128;
            }
            out.push(u8::try_from(rest).unwrap());
        }
        out.extend_from_slice(text.as_bytes());
        out
    };
    fields.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// The frames of a list.
fn list(fields: &[(String, String)], parts: usize, flags: u8) -> Vec<u8> {
    let block = block(fields);
    let pieces: Vec<&[u8]> = block.chunks(block.len().div_ceil(parts).max(1)).collect();
    let mut frames = Vec::new();
    for (number, piece) in pieces.iter().enumerate() {
        let kind = if number == 0 { 1 } else { 9 };
        let own = if number == 0 { flags } else { 0 };
        let end = if number + 1 == pieces.len() { END_HEADERS } else { 0 };
        frames.extend(frame(kind, own | end, 1, piece));
    }
    frames
}

/// Sends one request and waits for its end. Whether there was an answer, and not an error.
fn send(address: SocketAddr, fields: &[(String, String)], way: Way, token: &str) -> bool {
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[]));
    match way {
        One => bytes.extend(list(fields, 1, END_STREAM)),
        Parts(parts, "") => bytes.extend(list(fields, parts, END_STREAM)),
        Parts(parts, body) => {
            bytes.extend(list(fields, parts, 0));
            bytes.extend(frame(0, END_STREAM, 1, body.as_bytes()));
        }
        Trailers(body, trailers) => {
            bytes.extend(list(fields, 1, 0));
            bytes.extend(frame(0, 0, 1, body.as_bytes()));
            bytes.extend(list(&filled(trailers, token), 1, END_STREAM));
        }
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(&bytes).unwrap();
    loop {
        let mut head = [0; 9];
        if stream.read_exact(&mut head).is_err() {
            return false;
        }
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        if stream.read_exact(&mut payload).is_err() {
            return false;
        }
        let is_end = head[4] & END_STREAM != 0;
        match head[3] {
            // DATA and HEADERS end it.
            0 | 1 if is_end => return true,
            // RST_STREAM and GOAWAY.
            3 | 7 => return false,
            // SETTINGS are acknowledged.
            4 if !is_end => stream.write_all(&frame(4, 1, 0, &[])).unwrap(),
            _ => {}
        }
    }
}

fn filled(fields: Fields<'_>, token: &str) -> Vec<(String, String)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), value.replace("TOKEN", token))).collect()
}

fn usual(host: &str, number: usize) -> Vec<(String, String)> {
    let path = target(number);
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path.as_str()),
        (":authority", host),
        ("authorization", "Bearer TOKEN"),
    ];
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
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
    // Without the plugin, copies arrive.
    let mut open = usual("open", 0);
    open.push(("x_user_sub".to_owned(), "mallory".to_owned()));
    let answered = send(traefik.address(), &open, One, &token);
    let seen = recorder.take();
    if !answered || seen.len() != 1 || !seen[0].contains("mallory") {
        wrong.push(format!("without the plugin: {answered}, {seen:?}"));
    }
    for (number, Probe { name, without, front, behind, way, expected }) in PROBES.iter().enumerate() {
        let mut fields = filled(front, &token);
        let usual = usual("probe", number).into_iter().filter(|(name, _)| !without.contains(&name.as_str()));
        fields.extend(usual.map(|(name, value)| (name, value.replace("TOKEN", &token))));
        fields.extend(filled(behind, &token));
        let answered = send(traefik.address(), &fields, *way, &token);
        check(
            &traefik,
            &recorder,
            &token,
            (&format!("{name}, answered {answered}"), number, *expected),
            &mut wrong,
        );
        if !answered && matches!(expected, Whole(1)) {
            wrong.push(format!("{name}: no answer"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A cookie comes in as many fields as a client likes (RFC 9113 8.2.3), also in the middle of those of others.
pub(crate) fn crumbs() {
    let recorder = Recorder::start();
    let mut routes = Routes::to(&recorder.url());
    let mut configuration = inline();
    configuration["tokenSources"] = json!([{"cookie": "jwt"}]);
    configuration["forwardAuthorization"] = json!(false);
    routes.protect("probe", OFFLINE, &configuration);
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let token = token();
    for (crumbs, expected) in [
        (&["jwt=TOKEN"][..], Some("")),
        (&["a=1", "jwt=TOKEN", "b=2"], Some("a=1; b=2")),
        (&["a=1; jwt=TOKEN", "b=2"], Some("a=1; b=2")),
        (&["jwt=TOKEN", "jwt=TOKEN"], Some("")),
        // A copy that is no token does not count, and does not go on.
        (&["jwt=mallory", "jwt=TOKEN"], Some("")),
        (&["jwt=TOKEN", "a=1", "JWT=mallory"], Some("a=1")),
        // What one crumb begins, the next does not end.
        (&["jwt=", "TOKEN"], None),
        (&["jw", "t=TOKEN"], None),
        (&["a=\"1", "jwt=TOKEN", "b=2\""], Some("a=\"1; b=2\"")),
        (&["a=1, jwt=mallory", "jwt=TOKEN"], Some("")),
    ] {
        let mut fields = usual("probe", 0);
        fields.retain(|(name, _)| name != "authorization");
        fields.extend(crumbs.iter().map(|crumb| ("cookie".to_owned(), crumb.replace("TOKEN", &token))));
        assert!(send(traefik.address(), &fields, One, &token), "{crumbs:?}");
        let seen = recorder.take();
        let found = seen.first().map(|head| {
            assert!(head.contains("X-User-Sub: alice"), "{head}");
            let cookies: Vec<&str> = head.lines().filter_map(|line| line.strip_prefix("Cookie: ")).collect();
            cookies.join("; ")
        });
        assert_eq!(found.as_deref(), expected, "{crumbs:?}");
    }
}
