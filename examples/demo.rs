//! `make demo`: an identity provider, an upstream and a real Traefik with the plugin, and what it answers.
//!
//! Stays up until Ctrl-C where it runs in a terminal; ends with an error where an answer is not the expected one.
#![expect(
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a demo prints, and fails by panicking"
)]

use std::io::IsTerminal;
use std::process::ExitCode;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::{Token, tamper};
use testbed::traefik::{FETCH, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;

const ISSUER: &str = "https://idp.example/";
const HOST: &str = "api.localhost";

fn main() -> ExitCode {
    let provider = JwksServer::https(keys::jwk_set(&["ed25519", "rsa"]).to_string());
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let configuration = json!({
        "jwksUrl": provider.url("/.well-known/jwks.json"),
        "issuer": ISSUER,
        // Only because the CA of this demo was made a moment ago.
        "clientConfig": {"tls": {"ca": provider.ca_pem()}},
    });
    let mut routes = Routes::to(&upstream.url());
    routes.protect(HOST, FETCH, &configuration);
    traefik.configure(&routes);

    let valid = mint("EdDSA", json!({}));
    let requests = [
        ("a valid token (EdDSA)", Some(valid.clone()), 200),
        ("a valid token (RS256)", Some(mint("RS256", json!({}))), 200),
        ("no token", None, 401),
        ("a wrong signature", Some(tamper(&valid, "signature")), 401),
        ("a wrong issuer", Some(mint("EdDSA", json!({"iss": "https://evil.example/"}))), 401),
        ("an expired token", Some(mint("EdDSA", json!({"exp": unix_now() - 60}))), 401),
    ];
    let address = traefik.address();
    let mut as_expected = true;
    for (what, token, expected) in &requests {
        let mut request = Request::get(HOST, "/hello");
        if let Some(token) = token {
            request = request.bearer(token);
        }
        let answer = traefik.send(&request);
        println!("\n{what}: {}", answer.status);
        if answer.status == 200 {
            println!("  the upstream saw X-User-Sub: {}", seen_by_upstream(&answer.json(), "X-User-Sub"));
        } else {
            println!("  WWW-Authenticate: {}", answer.header("WWW-Authenticate").unwrap_or("-"));
            println!("  {}", answer.text());
        }
        as_expected &= answer.status == *expected;
    }
    println!("\nThe same with curl:");
    for (what, token, _) in &requests {
        let header =
            token.as_ref().map_or_else(String::new, |token| format!(" -H 'Authorization: Bearer {token}'"));
        println!("\n# {what}\ncurl -i -H 'Host: {HOST}'{header} http://{address}/hello");
    }
    if !as_expected {
        println!("\nAn answer above is not the expected one.");
        return ExitCode::FAILURE;
    }
    if std::io::stdout().is_terminal() {
        println!("\nUp until Ctrl-C.");
        loop {
            std::thread::park();
        }
    }
    ExitCode::SUCCESS
}

fn mint(alg: &str, more: Value) -> String {
    let mut claims = json!({"iss": ISSUER, "sub": "alice", "exp": unix_now() + 3600});
    for (name, value) in more.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    Token::new(alg, claims).mint()
}

fn seen_by_upstream(echo: &Value, name: &str) -> String {
    let lines = echo["headers"].as_array().into_iter().flatten();
    let values: Vec<String> = lines.filter(|line| line[0] == name).map(|line| line[1].to_string()).collect();
    values.join(", ")
}
