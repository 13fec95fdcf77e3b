//! Tricks with paths against `bypassPaths`, and what Traefik really forwards of them.

use serde_json::json;
use testbed::http::Request;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;

const OPEN: [&str; 2] = ["/health", "/public/*"];

/// Sent without a token: the target that reaches the upstream, or the status of the answer; with and without
/// Traefik's own sanitizing (`http.sanitizePath` of the entry point, on by default).
const TABLE: &[(&str, &str, &str)] = &[
    ("/health", "/health", "/health"),
    ("/health?x=/../", "/health?x=/../", "/health?x=/../"),
    ("/he%61lth", "/health", "/health"),
    ("/health/", "401", "401"),
    ("/Health", "401", "401"),
    ("/HEALTH", "401", "401"),
    ("/health.", "401", "401"),
    ("/health%2e", "401", "401"),
    ("/health/.", "/health", "401"),
    ("/health/..", "401", "401"),
    ("/health;a=b", "401", "401"),
    ("/health%3b", "401", "401"),
    ("/health%00", "401", "401"),
    ("/health%20", "401", "401"),
    ("/health%09", "401", "401"),
    ("/health%0a", "401", "401"),
    ("/health%23", "401", "401"),
    ("/health#a", "400", "400"),
    ("/health%3fx", "401", "401"),
    ("/health//", "401", "401"),
    ("//health", "/health", "401"),
    ("/./health", "/health", "401"),
    ("/%2e/health", "/health", "401"),
    ("/a/../health", "/health", "401"),
    ("/public/a", "/public/a", "/public/a"),
    ("/public/a.css", "/public/a.css", "/public/a.css"),
    ("/public/", "/public/", "/public/"),
    ("/public", "401", "401"),
    ("/Public/a", "401", "401"),
    ("/public/%61", "/public/a", "/public/a"),
    ("/public/%C3%A9", "/public/%C3%A9", "/public/%C3%A9"),
    ("/public//a", "/public/a", "401"),
    ("/public/./a", "/public/a", "401"),
    ("/public/%2e/a", "/public/a", "401"),
    ("/public/../admin", "401", "401"),
    ("/public/%2e%2e/admin", "401", "401"),
    ("/public/%2E%2E/admin", "401", "401"),
    ("/public/.%2e/admin", "401", "401"),
    ("/public/..%2fadmin", "401", "401"),
    ("/public/..%2Fadmin", "401", "401"),
    ("/public/%2e%2e%2fadmin", "401", "401"),
    ("/public/a%2fb", "401", "401"),
    ("/public/%252e%252e/admin", "401", "401"),
    ("/public/%252e%252e%252fadmin", "401", "401"),
    ("/public/..;/admin", "401", "401"),
    ("/public/..%3b/admin", "401", "401"),
    ("/public/;/../admin", "/public/admin", "401"),
    ("/public/..\\admin", "401", "401"),
    ("/public/..%5cadmin", "401", "401"),
    ("/public/%5c..%5cadmin", "401", "401"),
    ("/public/....//admin", "401", "401"),
    ("/public/...", "401", "401"),
    ("/public/.../admin", "401", "401"),
    ("/public/a./b", "401", "401"),
    ("/public/a%20/b", "401", "401"),
    ("/public/a%20b", "/public/a%20b", "/public/a%20b"),
    ("/public/..%20/admin", "401", "401"),
    ("/public/..a/admin", "401", "401"),
    ("/public/.%C2%AD./admin", "401", "401"),
    ("/public/.%E2%80%8B./admin", "401", "401"),
    ("/public/..%E2%88%95admin", "401", "401"),
    ("/public/..%E2%81%84admin", "401", "401"),
    ("/public/..%C2%A5admin", "401", "401"),
    ("/public/%E3%80%82%E3%80%82/admin", "401", "401"),
    ("/public/%EF%BD%A1%EF%BD%A1/admin", "401", "401"),
    ("/public/a:b", "/public/a:b", "/public/a:b"),
    ("/public/A~1", "/public/A~1", "/public/A~1"),
    ("/public/..", "401", "401"),
    ("/public/.", "401", "401"),
    ("/public/%2e%2e", "401", "401"),
    ("/public/%c0%ae%c0%ae/admin", "401", "401"),
    ("/public/%ff", "401", "401"),
    ("/public/%uff0e/admin", "400", "400"),
    ("/public/%", "400", "400"),
    ("/public/%2", "400", "400"),
    ("/public/%zz", "400", "400"),
    ("/public/a%0d%0aX-A:b", "401", "401"),
    ("/admin/../public/a", "/public/a", "401"),
    ("/admin/%2e%2e/public/a", "/public/a", "401"),
    ("/admin/..%2fpublic/a", "401", "401"),
    ("/admin;/../public/a", "/public/a", "401"),
    ("//public/a", "/public/a", "401"),
    ("///public/a", "/public/a", "401"),
    ("/\\public/a", "401", "401"),
    ("/public/a?b=../admin", "/public/a?b=../admin", "/public/a?b=../admin"),
    ("http://evil.example/public/a", "404", "404"),
    ("http://paths/public/a", "/public/a", "/public/a"),
    ("http://paths/public/../admin", "401", "401"),
    ("/public/a\u{e9}", "/public/a%C3%A9", "/public/a%C3%A9"),
    ("*", "401", "401"),
    ("/public/\u{2025}/admin", "401", "401"),
];

/// No spelling of a path gets past the token to a place that is not open.
pub(crate) fn tricks() {
    let mut wrong = Vec::new();
    for sanitize in [true, false] {
        let upstream = Upstream::start();
        let mut routes = Routes::to(&upstream.url());
        let configuration =
            json!({"jwks": keys::public_set(), "issuer": "https://idp.example/", "bypassPaths": OPEN});
        routes.protect("paths", OFFLINE, &configuration);
        let entry_point = json!({"http": {"sanitizePath": sanitize}});
        let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], entry_point, ..Setup::default() });
        traefik.configure(&routes);
        for (target, sanitized, as_it_is) in TABLE {
            let answer = traefik.send(&Request::get("paths", target));
            let reached = answer.header("X-Upstream").is_some();
            let found = if reached {
                answer.json()["target"].as_str().unwrap().to_owned()
            } else {
                answer.status.to_string()
            };
            if found != *(if sanitize { sanitized } else { as_it_is }) {
                wrong.push(format!("sanitizePath {sanitize}: {target}: {found}"));
            }
            // Whatever the upstream makes of it, it is one of the open places.
            if reached {
                for reading in readings(&found) {
                    let open = reading == "/health" || reading.starts_with("/public/");
                    if !open {
                        wrong.push(format!(
                            "sanitizePath {sanitize}: {target}: {found} may be read as {reading}"
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A middleware in front may make a target without a slash at its beginning, which the host cannot be given again without
/// the token: the request is refused, and nothing ends in a panic.
pub(crate) fn rewritten() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let configuration = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/", "forwardAuthorization": false,
        "tokenSources": [{"query": "access_token"}], "errors": {"codeHeader": "X-Code"},
    });
    routes.protect("token", OFFLINE, &configuration);
    for (host, path) in [("bare", "foo"), ("slash", "/foo")] {
        let (rewrite, both) = (format!("{host}-rewrite"), format!("{host}-both"));
        routes.protect_with(&rewrite, json!({"replacePath": {"path": path}}));
        routes.protect_with(&both, json!({"chain": {"middlewares": [rewrite, "token"]}}));
    }
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let claims = json!({"iss": "https://idp.example/", "sub": "alice", "exp": unix_now() + 600});
    let target = format!("/a?x=1&access_token={}", Token::new("EdDSA", claims).mint());
    let good = traefik.send(&Request::get("slash-both", &target));
    assert_eq!((good.status, good.json()["target"].as_str()), (200, Some("/foo?x=1")));
    let refused = traefik.send(&Request::get("bare-both", &target));
    assert_eq!((refused.status, refused.header("X-Code")), (400, Some("target_malformed")));
    let panics = traefik.log().into_iter().filter(|line| line.contains("panic")).collect::<Vec<_>>();
    assert_eq!(panics, [""; 0]);
}

/// The path as it stands, and as careless back ends read it: decoded once or more, backslashes as slashes, parameters
/// dropped, empty and dot segments resolved, characters for what they look like, blanks and dots at ends dropped.
fn readings(target: &str) -> Vec<String> {
    let mut path = target.split('?').next().unwrap().to_owned();
    let mut readings = Vec::new();
    for _ in 0..4 {
        readings.push(path.clone());
        readings.push(resolved(&path));
        readings.push(resolved(&path.replace('\\', "/")));
        let plain: Vec<&str> = path.split('/').map(|part| part.split(';').next().unwrap()).collect();
        readings.push(resolved(&plain.join("/")));
        readings.push(resolved(&similar(&path)));
        let ends: Vec<String> = similar(&path).split('/').map(without_end).collect();
        readings.push(resolved(&ends.join("/")));
        path = decoded(&path);
    }
    readings
}

fn similar(path: &str) -> String {
    let seen = |c: char| match c {
        '\u{ad}' | '\u{200b}'..='\u{200f}' => None,
        '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}' | '\u{a5}' | '\u{fe68}' => Some('/'),
        '\u{3002}' | '\u{ff61}' | '\u{ff0e}' | '\u{2024}' => Some('.'),
        c => Some(c),
    };
    path.chars().filter_map(seen).collect()
}

/// A segment as Windows reads it: `...` was the directory above the parent once.
fn without_end(segment: &str) -> String {
    let segment = segment.trim_end();
    match segment.trim_end_matches(['.', ' ']) {
        "" if segment.len() > 1 => "..".into(),
        "" => segment.into(),
        kept => kept.into(),
    }
}

fn resolved(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    for (at, part) in parts.iter().enumerate() {
        match *part {
            ".." => drop(kept.pop()),
            "." => {}
            "" if at + 1 < parts.len() => {}
            part => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

fn decoded(path: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), path.as_bytes());
    while let Some((byte, behind)) = rest.split_first() {
        let hex = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(|_| *byte == b'%') {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &behind[2..];
            }
            None => {
                bytes.push(*byte);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
