//! Clusters and front doors: keys that are not simply a JWK Set at a URL.

use std::fs;

use serde_json::json;
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::{Token, padded};
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
/// the tokens of its issuer are accepted, and no others that its keys have signed. One that another CA has certified gets no
/// token, also where the top level takes any certificate.
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
    // Mounts have one path on both sides, so the files cannot be where a pod has them.
    let as_pod = json!({
        "tls": {"ca": format!("{path}/ca.crt")}, "maxRetries": 0,
        "headers": {"Authorization": format!("Bearer file:{path}/token")},
    });
    let configuration = json!({
        "issuer": "kubernetes", "audience": "api", "jwksUrl": api.url("/openid/v1/jwks"),
        "clientConfig": as_pod, "jwksCache": {"ttlSeconds": 2, "cooldownSeconds": 1},
    });
    let impostor = JwksServer::https(keys::jwk_set(&["ed25519"]).to_string());
    let beside_others = json!({
        "clientConfig": {"tls": {"insecureSkipVerify": true}},
        "trustedIssuers": [{
            "issuer": "kubernetes", "audience": "api", "jwksUrl": impostor.url("/openid/v1/jwks"), "clientConfig": as_pod,
        }],
    });
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("cluster", FETCH, &configuration);
    routes.protect("impostor", FETCH, &beside_others);
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
    // The token is there now.
    wait("the impostor is refused", 20, || {
        let token = account("EdDSA", CLUSTER, 1);
        assert_eq!(traefik.send(&Request::get("impostor", "/").bearer(&token)).status, 503);
        (!traefik.log_with(0, &[&impostor.url("/openid/v1/jwks"), "TLS: a signature is wrong"]).is_empty())
            .then_some(())
    });
    assert!(impostor.request_heads().is_empty());
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
    // Each instance looks for news within a second.
    wait("the old issuer ends", 30, || (status(&account("ES256", CLUSTER, 2)) == 401).then_some(()));
    fs::remove_dir_all(directory).unwrap();
}

/// AWS's load balancer: a key in PEM for each `kid`. A client that chooses the `kid` leads nowhere else, and cannot make the plugin ask
/// more than once in a cooldown.
pub(crate) fn load_balancer() {
    const KIDS: [&str; 2] = ["c2f5f9a1-72a4-4b1c-9d3e-0a1b2c3d4e5f", "0d3b9e1c-8a2f-4c6d-8e7f-5f4e3d2c1b0a"];
    const SIGNER: &str =
        "arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/web/50dc6c495c0c9188";
    let aws = JwksServer::https("");
    let path = |kid: &str| format!("/keys/{kid}");
    let (first, second) = (path(KIDS[0]), path(KIDS[1]));
    aws.publish_at(&[(first.as_str(), keys::public_pem("p256"))]);
    let issuer = "https://cognito.example/pool";
    let configuration = |cooldown: u64| {
        json!({
            "issuer": issuer, "jwksUrl": aws.url("/keys/{kid}"), "signer": SIGNER, "algorithms": "ES256",
            "tokenSources": [{"header": "X-Amzn-Oidc-Data", "padding": true}],
            "clientConfig": {"tls": {"ca": aws.ca_pem()}, "maxRetries": 0},
            "jwksCache": {"cooldownSeconds": cooldown},
        })
    };
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    // The one is never over in this test.
    routes.protect("patient", FETCH, &configuration(3600));
    routes.protect("quick", FETCH, &configuration(1));
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);
    let token = |kid: &str, signer: &str, key: &str| {
        let claims = json!({"iss": issuer, "sub": "alice", "exp": unix_now() + 600});
        let mut token = Token::new("ES256", claims).signed_by(key);
        token.kid = Some(Some(kid.into()));
        token.header.insert("signer".into(), json!(signer));
        padded("ES256", key, &token.mint())
    };
    let status = |host: &str, token: &str| {
        traefik.send(&Request::get(host, "/").header("X-Amzn-Oidc-Data", token)).status
    };
    // Neither another's load balancer nor a kid that is no UUID makes it ask.
    let strange =
        "arn:aws:elasticloadbalancing:eu-central-1:999999999999:loadbalancer/app/web/50dc6c495c0c9188";
    assert_eq!(status("patient", &token(KIDS[0], strange, "p256")), 401);
    for kid in
        ["../../secrets", "C2F5F9A1-72A4-4B1C-9D3E-0A1B2C3D4E5F", "c2f5f9a1-72a4-4b1c-9d3e-0a1b2c3d4e5?"]
    {
        assert_eq!(status("patient", &token(kid, SIGNER, "p256")), 401, "{kid}");
    }
    assert_eq!(aws.requests(), 0);
    assert_eq!(status("patient", &token(KIDS[0], SIGNER, "p256")), 200);
    assert_eq!(aws.requests(), 1);
    // Forty unknown names, within the cooldown.
    for number in 0..40 {
        let kid = format!("{number:08x}-0000-4000-8000-00000000000a");
        assert_eq!(status("patient", &token(&kid, SIGNER, "p256")), 401);
    }
    assert_eq!((aws.requests(), status("patient", &token(KIDS[0], SIGNER, "p256"))), (1, 200));

    // Unknown names drive no key out, also if each of them is asked for.
    assert_eq!(status("quick", &token(KIDS[0], SIGNER, "p256")), 200);
    wait("unknown names are asked for", 60, || {
        let kid = format!("{:08x}-0000-4000-8000-00000000000b", aws.requests());
        assert_eq!(status("quick", &token(&kid, SIGNER, "p256")), 401);
        let of_nobody = aws.request_heads().iter().filter(|head| head.contains("00000000000b")).count();
        (of_nobody > 4).then_some(())
    });
    assert_eq!(status("quick", &token(KIDS[0], SIGNER, "p256")), 200);
    // AWS has another key: it is fetched, and the old one goes on, until it is gone.
    aws.publish_at(&[
        (first.as_str(), keys::public_pem("p256")),
        (second.as_str(), keys::public_pem("p256")),
    ]);
    wait("the next key", 30, || (status("quick", &token(KIDS[1], SIGNER, "p256")) == 200).then_some(()));
    assert_eq!(status("quick", &token(KIDS[0], SIGNER, "p256")), 200);
    aws.publish_at(&[(second.as_str(), keys::public_pem("p256"))]);
    wait("the old key is gone", 30, || {
        let kid = format!("{:08x}-0000-4000-8000-00000000000c", aws.requests());
        let _ = status("quick", &token(&kid, SIGNER, "p256"));
        (status("quick", &token(KIDS[0], SIGNER, "p256")) == 401).then_some(())
    });
    assert_eq!(status("quick", &token(KIDS[1], SIGNER, "p256")), 200);
    // Whatever was asked for, it was a key of this path.
    let heads = aws.request_heads();
    assert!(
        heads.iter().all(|head| head.starts_with("GET /keys/") && head.lines().next().unwrap().len() == 55),
        "{heads:?}"
    );
}
