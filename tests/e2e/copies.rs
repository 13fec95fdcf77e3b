//! Large copies, in which the host loses a value of the guest on some processors (docs/troubleshooting.md). `make e2e` runs
//! Traefik with `GODEBUG=cpu.avx=off`, and then it does so on every amd64 machine.

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Plugin, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::usual::{claims, configuration};
use testbed::wait::unix_now;

/// As the compiler made it, without the last step of the build.
const NOT_IN_PIECES: Plugin = Plugin { name: "jwt-not-in-pieces", file: "target/optimised-plugin.wasm" };

/// Whatever is copied for a token: below, at and far above what is safe in one piece, and what is refused unread.
const LENGTHS: [usize; 9] = [1_024, 2_030, 2_048, 2_100, 3_000, 4_096, 8_192, 16_000, 100_000];

/// The test bed shows the fault: the first fetch traps, or ends Traefik, in the module that copies at once, and in no other.
pub(crate) fn bed_shows_the_fault() {
    let idp = JwksServer::http(keys::public_set().to_string());
    let mut keys_from_url = configuration();
    keys_from_url.as_object_mut().unwrap().remove("jwks");
    keys_from_url["jwksUrl"] = json!(idp.url("/jwks.json"));
    keys_from_url["clientConfig"] = json!({"allowHttp": true});
    let token = Token::new("EdDSA", claims(unix_now(), 0)).mint();
    let answer = |plugin: Plugin| {
        let (traefik, _upstream) = start(plugin, &keys_from_url);
        Some(request(&token).try_send(traefik.address()).ok()?.status)
    };
    assert_eq!(answer(FETCH), Some(200));
    let answer = answer(NOT_IN_PIECES);
    assert!(answer.is_none_or(|status| status == 500), "nothing is proved: {answer:?}");
}

/// Tokens of every length are decided as short ones are.
pub(crate) fn tokens() {
    for plugin in [OFFLINE, FETCH] {
        let (traefik, _upstream) = start(plugin, &configuration());
        for length in LENGTHS {
            let letters = request(&"a".repeat(length));
            assert_eq!(traefik.send(&letters).status, 401, "{}: {length} letters", plugin.name);
            let mut claims = claims(unix_now(), 0);
            claims["padding"] = json!("a".repeat(length));
            let token = Token::new("EdDSA", claims).mint();
            let expected = if token.len() > 16_384 { 401 } else { 200 };
            for what in ["new", "known"] {
                let status = traefik.send(&request(&token)).status;
                assert_eq!(status, expected, "{}: a {what} token of {} bytes", plugin.name, token.len());
            }
        }
    }
}

fn start(plugin: Plugin, configuration: &Value) -> (Traefik, Upstream) {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![plugin], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    routes.protect("copies", plugin, configuration);
    traefik.configure(&routes);
    (traefik, upstream)
}

fn request(token: &str) -> Request {
    Request::get("copies", "/").bearer(token)
}
