//! PHP behind lighttpd, as CGI: a back end that makes variables of headers, and lists of parameters.

use std::fs;
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::keys;
use testbed::port::free_address;
use testbed::tokens::Token;
use testbed::traefik::{OFFLINE, Process, Routes, Setup, Traefik, temporary_directory};
use testbed::wait::{unix_now, wait};

use crate::need;

/// All that a name may have besides letters and digits (RFC 9110 5.6.2).
const SPECIAL: &str = "!#$%&'*+-.^_`|~";

/// What PHP has of the request.
const SCRIPT: &str = r#"<?php
$headers = array_filter($_SERVER, fn($name) => str_starts_with($name, "HTTP_"), ARRAY_FILTER_USE_KEY);
header("Content-Type: application/json");
echo json_encode(["headers" => $headers, "query" => $_GET, "cookies" => $_COOKIE]);
"#;

/// A running lighttpd, until it is dropped.
struct Lighttpd {
    process: Process,
    directory: PathBuf,
    url: String,
}

impl Lighttpd {
    fn start() -> Self {
        let directory = temporary_directory("lighttpd");
        let address = free_address();
        fs::write(directory.join("index.php"), SCRIPT).unwrap();
        let configuration = format!(
            r#"
            server.document-root = "{directory}"
            server.bind = "{host}"
            server.port = {port}
            server.modules = ("mod_cgi")
            server.errorlog = "{directory}/error.log"
            # For names with a NUL, which other servers let through.
            server.http-parseopts = ("url-ctrls-reject" => "disable")
            index-file.names = ("index.php")
            cgi.assign = (".php" => "{php}")
            "#,
            directory = directory.display(),
            host = address.ip(),
            port = address.port(),
            php = need::php().unwrap().display(),
        );
        fs::write(directory.join("lighttpd.conf"), configuration).unwrap();
        let mut command = Command::new(need::lighttpd().unwrap());
        command.args(["-D", "-f", "lighttpd.conf"]).current_dir(&directory);
        let lighttpd = Self { process: Process::start(command), directory, url: format!("http://{address}") };
        wait("lighttpd listens", 10, || {
            assert!(lighttpd.process.is_alive(), "lighttpd ended");
            TcpStream::connect(address).ok()
        });
        lighttpd
    }
}

impl Drop for Lighttpd {
    fn drop(&mut self) {
        self.process.end();
        if std::thread::panicking() {
            for file in ["stdout", "stderr", "error.log"] {
                let text = fs::read_to_string(self.directory.join(file)).unwrap_or_default();
                eprintln!("lighttpd {file}:\n{text}");
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A token of `sub` that the plugin accepts.
fn token(sub: &str) -> String {
    Token::new("EdDSA", json!({"iss": "https://idp.example/", "sub": sub, "exp": unix_now() + 600})).mint()
}

fn configuration(more: Value) -> Value {
    let mut configuration = json!({"jwks": keys::public_set(), "issuer": "https://idp.example/"});
    for (name, value) in more.as_object().unwrap() {
        configuration[name] = value.clone();
    }
    configuration
}

/// The spellings of a name with words between which a character stands.
fn spellings(words: &'static [&'static str]) -> impl Iterator<Item = String> {
    SPECIAL.chars().map(|c| words.join(&c.to_string()))
}

/// No spelling of a header tells PHP another user than that of the token, or hands it another token.
pub(crate) fn headers() {
    let lighttpd = Lighttpd::start();
    let mut routes = Routes::to(&lighttpd.url);
    routes.open("open");
    routes.protect("required", OFFLINE, &configuration(json!({})));
    routes.protect("optional", OFFLINE, &configuration(json!({"mode": "optional"})));
    let own =
        json!({"tokenSources": [{"header": "X-Token"}], "mode": "permissive", "forwardAuthorization": false});
    routes.protect("permissive", OFFLINE, &configuration(own.clone()));
    let mut kept = own;
    kept["mode"] = json!("required");
    kept["forwardAuthorization"] = json!(true);
    routes.protect("token", OFFLINE, &configuration(kept));
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let alice = token("alice");
    let sees = |request: Request, variable: &str| traefik.send(&request).json()["headers"][variable].clone();
    for name in spellings(&["X", "User", "Sub"]) {
        let get = |host: &str| Request::get(host, "/").header(&name, "admin");
        assert_eq!(sees(get("open"), "HTTP_X_USER_SUB"), "admin", "PHP reads {name}");
        assert_eq!(sees(get("required").bearer(&alice), "HTTP_X_USER_SUB"), "alice", "{name}");
        assert_eq!(sees(get("optional").bearer(&alice), "HTTP_X_USER_SUB"), "alice", "{name}");
        assert_eq!(sees(get("optional"), "HTTP_X_USER_SUB"), Value::Null, "{name}");
        let named = get("required").bearer(&alice).header("Connection", format!("close, {name}"));
        assert_eq!(sees(named, "HTTP_X_USER_SUB"), "alice", "Connection: {name}");
    }
    for name in spellings(&["X", "Token"]) {
        let get = |host: &str| Request::get(host, "/").header(&name, "forged");
        assert_eq!(sees(get("open"), "HTTP_X_TOKEN"), "forged", "PHP reads {name}");
        assert_eq!(sees(get("permissive").header("X-Token", &alice), "HTTP_X_TOKEN"), Value::Null, "{name}");
        assert_eq!(traefik.send(&get("token").header("X-Token", &alice)).status, 400, "{name}");
        let one = Request::get("token", "/").header(&name, &alice);
        assert_eq!(sees(one, "HTTP_X_TOKEN"), alice.as_str(), "{name}");
    }
}

/// Queries and cookies beside `a_token=GOOD`, and whether PHP takes `forged` for `a_token`.
const QUERIES: &[(&str, bool)] = &[
    ("a_token=forged", true),
    ("+a_token=forged", true),
    ("%20a_token=forged", true),
    ("%61_token=forged", true),
    ("a_token[]=forged", true),
    ("a_token%5B0%5D=forged", true),
    ("a_token[x][y]=forged", true),
    ("a_token%00=forged", true),
    ("a_token%00x=forged", true),
    ("a.token=forged", true),
    ("a+token=forged", true),
    ("a[token=forged", true),
    // Traefik makes `&` of it.
    (";a_token=forged", true),
    // Other back ends do.
    ("A_TOKEN=forged", false),
    ("a_token+=forged", false),
    ("[a_token]=forged", false),
    ("%u0061_token=forged", false),
];
const COOKIES: &[(&str, bool)] = &[
    ("a_token=forged", true),
    ("a.token=forged", true),
    ("a token=forged", true),
    ("a_token[]=forged", true),
    ("a_token[x]=forged", true),
    ("a[token=forged", true),
    // Other back ends do.
    ("A_TOKEN=forged", false),
    ("%61_token=forged", false),
    ("x=1, a_token=forged", false),
];

/// No spelling of a parameter or a cookie hands PHP a token that nobody has verified.
pub(crate) fn parameters() {
    let lighttpd = Lighttpd::start();
    let mut routes = Routes::to(&lighttpd.url);
    routes.open("open");
    let sources = json!([{"query": "a_token"}, {"cookie": "a_token"}]);
    routes.protect("required", OFFLINE, &configuration(json!({"tokenSources": sources})));
    let strip = json!({"tokenSources": sources, "mode": "permissive", "forwardAuthorization": false});
    routes.protect("strip", OFFLINE, &configuration(strip));
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let alice = token("alice");
    for (query, is_read) in QUERIES {
        let get = |host: &str, token: &str| Request::get(host, &format!("/?a_token={token}&{query}"));
        let seen = traefik.send(&get("open", "good")).json()["query"]["a_token"].to_string();
        assert_eq!(seen.contains("forged"), *is_read, "{query}: {seen}");
        assert_eq!(traefik.send(&get("required", &alice)).status, 400, "{query}");
        let left = traefik.send(&get("strip", &alice)).json()["query"].to_string();
        assert!(!left.contains("forged"), "{query}: {left}");
    }
    for (cookie, is_read) in COOKIES {
        let get = |host: &str, token: &str| {
            // PHP keeps the first of two.
            Request::get(host, "/").header("Cookie", format!("{cookie}; a_token={token}"))
        };
        let seen = traefik.send(&get("open", "good")).json()["cookies"]["a_token"].to_string();
        assert_eq!(seen.contains("forged"), *is_read, "{cookie}: {seen}");
        // The copy that is no token does not count, and does not go on.
        let kept = traefik.send(&get("required", &alice)).json()["cookies"].clone();
        assert_eq!(kept["a_token"], alice.as_str(), "{cookie}: {kept}");
        assert!(!kept.to_string().contains("forged"), "{cookie}: {kept}");
        let left = traefik.send(&get("strip", &alice)).json()["cookies"].to_string();
        assert!(!left.contains("forged"), "{cookie}: {left}");
    }
}

/// The option of Traefik that SECURITY.md names does what it says there: no such header comes to any router.
pub(crate) fn alias_strategy() {
    let lighttpd = Lighttpd::start();
    let mut routes = Routes::to(&lighttpd.url);
    routes.open("open");
    let entry_point = json!({"http": {"aliasHeadersStrategy": "delete"}});
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], entry_point, ..Setup::default() });
    traefik.configure(&routes);
    for name in spellings(&["X", "User", "Sub"]) {
        let seen = traefik.send(&Request::get("open", "/").header(&name, "admin")).json();
        let expected = if name == "X-User-Sub" { json!("admin") } else { Value::Null };
        assert_eq!(seen["headers"]["HTTP_X_USER_SUB"], expected, "{name}");
    }
}
