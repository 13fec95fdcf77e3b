//! What `forwardAuth` is measured with: HTTP/1.1 with connections that stay open, and every token verified with `ring`.
//! Not for use: it does what the comparison needs.
//!
//! `forward-auth ADDRESS JWKS ISSUER AUDIENCE`

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature};
use serde_json::Value;

/// More than the bench has connections. They never end: what a thread that has ended used is no longer counted.
const THREADS: usize = 16;

/// A key in the form that `ring` verifies with.
enum Key {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(signature::UnparsedPublicKey<Vec<u8>>),
    Secret(hmac::Key),
}

/// What is accepted.
struct Rules {
    keys: Vec<(String, Key)>,
    issuer: String,
    audience: String,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, jwks, issuer, audience] = arguments.as_slice() else {
        panic!("forward-auth ADDRESS JWKS ISSUER AUDIENCE");
    };
    let set: Value = serde_json::from_str(jwks).unwrap();
    let keys = set["keys"].as_array().unwrap().iter().map(key).collect();
    let rules = &Rules { keys, issuer: issuer.clone(), audience: audience.clone() };
    let listener = TcpListener::bind(address).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for stream in listener.incoming().flatten() {
                    serve(stream, rules);
                }
            });
        }
    });
}

fn key(jwk: &Value) -> (String, Key) {
    let member = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let key = match jwk["kty"].as_str().unwrap() {
        "RSA" => Key::Rsa { n: member("n"), e: member("e") },
        "EC" => {
            let point = [vec![4], member("x"), member("y")].concat();
            Key::P256(signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, point))
        }
        "oct" => Key::Secret(hmac::Key::new(hmac::HMAC_SHA256, &member("k"))),
        other => panic!("no key of type {other}"),
    };
    (jwk["kid"].as_str().unwrap().to_owned(), key)
}

/// Answers until the connection ends, also where that is in the middle of a request.
fn serve(stream: TcpStream, rules: &Rules) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    loop {
        let mut token = None;
        // The request line is a line like others: the answer is the same for all.
        loop {
            line.clear();
            if stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if let Some((name, value)) = text.split_once(':')
                && name.eq_ignore_ascii_case("authorization")
            {
                token = value.trim().strip_prefix("Bearer ").map(str::to_owned);
            }
        }
        let identity = token.and_then(|token| verify(&token, rules));
        let answer = match identity {
            Some((sub, email)) => {
                format!(
                    "HTTP/1.1 200 OK\r\nX-User-Sub: {sub}\r\nX-User-Email: {email}\r\nContent-Length: 0\r\n\r\n"
                )
            }
            None => {
                "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n".into()
            }
        };
        stream.get_mut().write_all(answer.as_bytes()).ok()?;
    }
}

/// `sub` and `email` of a good token.
#[expect(clippy::disallowed_methods, reason = "a native service has no other clock")]
fn verify(token: &str, rules: &Rules) -> Option<(String, String)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
    let header: Value = serde_json::from_slice(&decode(header)?).ok()?;
    let kid = header["kid"].as_str()?;
    let (_, key) = rules.keys.iter().find(|(name, _)| name == kid)?;
    let (signed, signature) = (signed.as_bytes(), decode(signature)?);
    match (header["alg"].as_str()?, key) {
        ("RS256", Key::Rsa { n, e }) => signature::RsaPublicKeyComponents { n, e }
            .verify(&signature::RSA_PKCS1_2048_8192_SHA256, signed, &signature)
            .ok()?,
        ("ES256", Key::P256(key)) => key.verify(signed, &signature).ok()?,
        ("HS256", Key::Secret(key)) => hmac::verify(key, signed, &signature).ok()?,
        _ => return None,
    }
    let claims: Value = serde_json::from_slice(&decode(payload)?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let is_good = claims["iss"] == *rules.issuer
        && claims["aud"] == *rules.audience
        && claims["exp"].as_u64()? > now
        && claims["nbf"].as_u64().is_none_or(|from| from <= now);
    let text = |name: &str| claims[name].as_str().map(str::to_owned);
    if is_good { Some((text("sub")?, text("email")?)) } else { None }
}
