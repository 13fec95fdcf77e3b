//! Clusters and front doors: keys that are not simply a JWK Set at a URL.

use std::fs;

use serde_json::json;
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

const CLUSTER: &str = "https://kubernetes.default.svc.cluster.local";

/// A service account token, signed by the provider's key for `alg`.
fn account(alg: &str, issuer: &str, number: i64) -> String {
    let claims = json!({
        "iss": issuer, "aud": ["api"], "sub": "system:serviceaccount:orders:worker",
        "exp": unix_now() + 3600, "iat": unix_now(), "jti": number.to_string(),
    });
    Token::new(alg, claims).mint()
}

/// `issuer: kubernetes`: an API server with a CA of its own that answers nobody but the pod, whose token the kubelet replaces;
/// the tokens of its issuer are accepted, and no others that its keys have signed.
pub(crate) fn own_cluster() {
    let api = JwksServer::https(keys::jwk_set(&["ed25519"]).to_string());
    let directory = temporary_directory("cluster");
    let path = directory.to_str().unwrap();
    fs::write(directory.join("ca.crt"), api.ca_pem()).unwrap();
    // As the kubelet does it: what is there at one moment is one file or the other.
    let rotate = |issuer: &str, number: i64| {
        let own = account("RS256", issuer, number);
        fs::write(directory.join("token.new"), format!("{own}\n")).unwrap();
        fs::rename(directory.join("token.new"), directory.join("token")).unwrap();
        own
    };
    let configuration = json!({
        "issuer": "kubernetes", "audience": "api", "jwksUrl": api.url("/openid/v1/jwks"),
        "clientConfig": {
            "tls": {"ca": format!("{path}/ca.crt")}, "maxRetries": 0,
            "headers": {"Authorization": format!("Bearer file:{path}/token")},
        },
        "jwksCache": {"ttlSeconds": 2, "cooldownSeconds": 1},
    });
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("cluster", FETCH, &configuration);
    let mounts = vec![format!("{path}:{path}:ro")];
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], mounts, ..Setup::default() });
    traefik.configure(&routes);
    let status = |token: &str| traefik.send(&Request::get("cluster", "/").bearer(token)).status;
    let asked = |path: &str| api.request_heads().iter().filter(|head| head.contains(path)).count();

    // Without the file nothing is fetched, and nobody gets in; with another's token, the API server refuses.
    assert_eq!((status(&account("EdDSA", CLUSTER, 1)), asked("GET")), (503, 0));
    api.demand("Bearer of-another-pod");
    let first = rotate(CLUSTER, 1);
    wait("the API server refuses", 20, || {
        assert_eq!(status(&account("EdDSA", CLUSTER, 1)), 503);
        (asked("GET") > 0).then_some(())
    });
    assert!(!traefik.log_with(0, &["status 401"]).is_empty());
    // Its own is good, and is what it sends.
    api.demand(&format!("Bearer {first}"));
    wait("keys of the API server", 20, || (status(&account("EdDSA", CLUSTER, 1)) == 200).then_some(()));
    assert!(asked(&format!("Authorization: Bearer {first}")) > 0);
    // The same keys for another issuer, or for none, and tokens that only name the issuer.
    for (alg, issuer) in [("EdDSA", "https://other.example"), ("EdDSA", "kubernetes"), ("ES256", CLUSTER)] {
        assert_eq!(status(&account(alg, issuer, 1)), 401, "{alg} {issuer}");
    }
    let nameless = Token::new("EdDSA", json!({"aud": "api", "exp": unix_now() + 60})).mint();
    assert_eq!(status(&nameless), 401);

    // The kubelet has replaced the token, and the API server takes the new one alone; its keys have changed as well.
    let second = rotate(CLUSTER, 2);
    api.demand(&format!("Bearer {second}"));
    api.publish(keys::jwk_set(&["p256"]).to_string());
    wait("keys with the new token", 30, || (status(&account("ES256", CLUSTER, 2)) == 200).then_some(()));
    assert!(asked(&format!("Authorization: Bearer {second}")) > 0);
    // Known from before, and the key is gone.
    wait("the old key ends", 30, || (status(&account("EdDSA", CLUSTER, 1)) == 401).then_some(()));

    // The cluster issues under another name: with the next fetch its tokens are accepted, and the old ones no longer.
    let renamed = "https://oidc.example/id/1";
    let third = rotate(renamed, 3);
    api.demand(&format!("Bearer {third}"));
    wait("the new issuer", 30, || (status(&account("ES256", renamed, 3)) == 200).then_some(()));
    assert_eq!(status(&account("ES256", CLUSTER, 2)), 401);
    fs::remove_dir_all(directory).unwrap();
}
