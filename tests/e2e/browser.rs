//! Browsers that are sent to sign in (`errors.redirectUrl`).

use serde_json::json;
use testbed::http::Request;
use testbed::keys;
use testbed::tokens::{Token, tamper};
use testbed::traefik::{OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;

/// The login page gets the original URL, and never a token that was in it.
pub(crate) fn redirect() {
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let configuration = json!({
        "jwks": keys::public_set(),
        "issuer": "https://idp.example/",
        "tokenKey": "access_token",
        "errors": {"redirectUrl": "https://login.example/?next={url}"},
    });
    routes.protect("app.example", OFFLINE, &configuration);
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let claims = |exp: i64| json!({"iss": "https://idp.example/", "sub": "alice", "exp": exp});
    let valid = Token::new("EdDSA", claims(unix_now() + 300)).mint();
    let get = |query: &str| {
        Request::get("app.example", &format!("/a?x=1{query}&y=2")).header("Sec-Fetch-Mode", "navigate")
    };
    let before = upstream.requests();
    for token in [Token::new("EdDSA", claims(unix_now() - 10)).mint(), tamper(&valid, "signature")] {
        for query in
            [format!("&access_token={token}"), format!("&access%5Ftoken={token}&access_token={token}x")]
        {
            // Two different tokens are the request's fault, which signing in does not fix.
            let answer = traefik.send(&get(&query));
            let location = answer.header("Location");
            if query.contains("%5F") {
                assert_eq!((answer.status, location), (400, None), "{query}");
            } else {
                let expected = "https://login.example/?next=http%3A%2F%2Fapp.example%2Fa%3Fx%3D1%26y%3D2";
                assert_eq!((answer.status, location), (302, Some(expected)), "{query}");
            }
            assert!(!format!("{:?}", answer.headers).contains(&token), "{query}");
        }
    }
    assert_eq!(upstream.requests(), before);
    assert_eq!(traefik.send(&get("").bearer(&valid)).status, 200);
    // A script needs the refusal itself.
    let script = Request::get("app.example", "/a").header("Sec-Fetch-Mode", "cors");
    assert_eq!(traefik.send(&script).status, 401);
}
