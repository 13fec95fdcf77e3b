//! `make demo`: a key-set server over HTTPS, an upstream, and a Traefik with the plugin between a client and it.
//! Shows one request that is let in and four that are not; fails if one of them is answered otherwise.

use std::io::IsTerminal;
use std::process::ExitCode;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::{keys, wait};

const ISSUER: &str = "https://idp.example/";

fn main() -> ExitCode {
    let idp = JwksServer::https(keys::jwk_set(&["ed25519", "rsa"]).to_string());
    let upstream = Upstream::start();
    let configuration = json!({
        "jwksUrl": idp.url("/.well-known/jwks.json"),
        "issuer": ISSUER,
        // Only because this server's certificate is of a CA that was made a moment ago.
        "clientConfig": {"tls": {"ca": idp.ca_pem()}},
    });
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    routes.protect_all(FETCH, &configuration);
    traefik.configure(&routes);
    println!("key set   {}", idp.url("/.well-known/jwks.json"));
    println!("issuer    {ISSUER}");
    println!("upstream  {}", upstream.url());
    println!("Traefik   http://{}\n", traefik.address());

    let claims = |offset: i64, issuer: &str| {
        let now = wait::unix_now();
        json!({"iss": issuer, "sub": "alice", "iat": now - 60, "exp": now + offset})
    };
    let good = Token::new("EdDSA", claims(3600, ISSUER)).mint();
    let good_rsa = Token::new("RS256", claims(3600, ISSUER)).mint();
    let forged = Token::new("EdDSA", claims(3600, ISSUER)).signed_by("ed25519-other").mint();
    let foreign = Token::new("EdDSA", claims(3600, "https://evil.example/")).mint();
    let expired = Token::new("EdDSA", claims(-1, ISSUER)).mint();
    let invalid = r#"{"error": "Invalid token"}"#;
    let rows: [(&str, Option<&String>, u16, &str); 6] = [
        ("a valid token (EdDSA)", Some(&good), 200, ""),
        ("a valid token (RS256)", Some(&good_rsa), 200, ""),
        ("no token", None, 401, r#"{"error": "No token provided"}"#),
        ("a signature by another key", Some(&forged), 401, invalid),
        ("another issuer", Some(&foreign), 401, r#"{"error": "Invalid issuer"}"#),
        ("an expired token", Some(&expired), 401, invalid),
    ];
    let mut wrong = 0;
    for (name, token, status, body) in rows {
        // The client claims to be somebody else; the upstream must never see that.
        let request = Request::get("localhost", "/hello").header("X-User-Sub", "mallory");
        let request = token.iter().fold(request, |request, token| request.bearer(token));
        let answer = traefik.send(&request);
        let passed = answer.header("X-Upstream").is_some();
        let shown = if passed { identity(&answer.json()) } else { answer.text() };
        let expected = if status == 200 { r#"X-User-Sub: ["alice"]"# } else { body };
        let right = answer.status == status && passed == (status == 200) && shown == expected;
        wrong += usize::from(!right);
        let seen = if passed { "the upstream saw " } else { "" };
        let verdict = if right { "" } else { "   <- NOT AS EXPECTED" };
        println!("{name:<28} {}  {seen}{shown}{verdict}", answer.status);
    }
    println!("\nTry it:\n");
    println!("  curl -i http://{}/hello", traefik.address());
    println!("  curl -i http://{}/hello -H 'Authorization: Bearer {good}'\n", traefik.address());
    if wrong > 0 {
        println!("{wrong} answers are not as expected; Traefik's log:");
        traefik.log().iter().for_each(|line| println!("{line}"));
        return ExitCode::FAILURE;
    }
    if std::io::stdin().is_terminal() {
        println!("Up until Ctrl-C.");
        loop {
            std::thread::park();
        }
    }
    ExitCode::SUCCESS
}

/// Every value under which the upstream could read the user.
fn identity(seen: &Value) -> String {
    let lines = seen["headers"].as_array().into_iter().flatten();
    let values: Vec<&str> = lines
        .filter(|line| line[0].as_str().is_some_and(|name| name.eq_ignore_ascii_case("X-User-Sub")))
        .filter_map(|line| line[1].as_str())
        .collect();
    format!("X-User-Sub: {values:?}")
}
