//! Clusters and front doors: what the configuration makes of their presets and formats.

use serde_json::{Value, json};
use traefik_jwt_auth::core::fetching::TextSource;
use traefik_jwt_auth::core::jwk::Origin;
use traefik_jwt_auth::core::jwk::lookup::{KeyFormat, KeyLocation, KeySource, RemoteKeys};
use traefik_jwt_auth::core::policy::{IssuerKind, Policy};
use traefik_jwt_auth::core::url::Url;

use crate::compiled;

fn remote(policy: &Policy) -> &RemoteKeys {
    match policy.issuers[0].keys.as_slice() {
        [KeySource::Url(remote)] => remote,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_own_cluster_is_asked_as_the_pod() {
    let policy = compiled(&json!({"issuer": "kubernetes", "audience": "api"}));
    let keys = remote(&policy);
    assert!(matches!(&keys.location, KeyLocation::Cluster(url)
        if url.to_string() == "https://kubernetes.default.svc/openid/v1/jwks"));
    let file = |name: &str| TextSource::File(format!("/var/run/secrets/kubernetes.io/serviceaccount/{name}"));
    assert_eq!(keys.client.ca, Some(file("ca.crt")));
    let [header] = keys.client.server.headers.as_slice() else { panic!("{keys:?}") };
    assert_eq!((header.name.as_str(), header.scheme.as_str()), ("Authorization", "Bearer"));
    assert_eq!(header.value, file("token"));
    let issuer = &policy.issuers[0];
    assert_eq!(
        (issuer.kind, issuer.named(), issuer.accepts_any()),
        (IssuerKind::Cluster, vec!["kubernetes".into()], false)
    );
}

#[test]
fn what_is_written_counts_for_the_own_cluster() {
    let policy = compiled(&json!({
        "clientConfig": {"tls": {"ca": "/for/all.pem"}},
        "trustedIssuers": [{
            "issuer": "kubernetes", "audience": "api", "jwksUrl": "https://10.0.0.1:6443/openid/v1/jwks",
            "clientConfig": {"headers": {"authorization": "Bearer file:/own/token"}},
        }],
    }));
    let keys = remote(&policy);
    assert!(matches!(&keys.location, KeyLocation::Cluster(url)
        if url.to_string() == "https://10.0.0.1:6443/openid/v1/jwks"));
    // The CA of the top level is that of others.
    let ca = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
    assert_eq!(keys.client.ca, Some(TextSource::File(ca.into())));
    let [header] = keys.client.server.headers.as_slice() else { panic!("{keys:?}") };
    assert_eq!(header.value, TextSource::File("/own/token".into()));
}

/// The token of the pod goes to nobody but its API server: what the top level allows for other servers does not count.
#[test]
fn the_own_cluster_is_verified_unless_its_section_says_otherwise() {
    let trusts_anyone = json!({"tls": {"insecureSkipVerify": true}});
    let entry =
        |tls: &Value| json!({"issuer": "kubernetes", "audience": "api", "clientConfig": {"tls": tls}});
    let beside = |entry: &Value| json!({"clientConfig": trusts_anyone, "trustedIssuers": [entry]});
    for (configuration, verified) in [
        (beside(&entry(&json!({}))), true),
        (beside(&entry(&json!({"ca": "/other.pem"}))), true),
        (beside(&entry(&json!({"serverName": "api.internal"}))), true),
        (beside(&entry(&json!({"insecureSkipVerify": false}))), true),
        (beside(&entry(&json!({"insecureSkipVerify": true}))), false),
        (entry(&json!({"insecureSkipVerify": true})), false),
    ] {
        assert_eq!(
            !remote(&compiled(&configuration)).client.insecure_skip_verify,
            verified,
            "{configuration}"
        );
    }
}

/// The examples of clusters load, and their samples show what is let in and what is not.
#[test]
fn examples_load_and_prove_themselves() {
    for text in [
        include_str!("../../examples/kubernetes-issuer/dynamic.yml"),
        include_str!("../../examples/spiffe/dynamic.yml"),
    ] {
        let file: Value = yaml_serde::from_str(text).unwrap();
        for (middleware, config) in file["http"]["middlewares"].as_object().unwrap() {
            let config = &config["plugin"]["jwt"];
            compiled(config);
            let tests = config["tests"].as_array().unwrap();
            let has = |allow: bool| tests.iter().any(|test| (test["expect"] == "allow") == allow);
            assert!(has(true) && has(false), "{middleware}");
        }
    }
}

#[test]
fn keys_by_kid_are_one_source() {
    let policy = compiled(&json!({
        "issuer": "https://cognito.example/pool", "signer": "arn:aws:a, arn:aws:b",
        "jwksUrl": "https://public-keys.auth.elb.eu-central-1.amazonaws.com/{kid}",
    }));
    assert!(matches!(&remote(&policy).location, KeyLocation::EachKid(url)
        if url.to_string() == "https://public-keys.auth.elb.eu-central-1.amazonaws.com/{kid}"));
    assert_eq!(policy.issuers[0].signers, ["arn:aws:a", "arn:aws:b"]);
}

#[test]
fn a_bundle_is_of_its_trust_domain() {
    let policy = compiled(&json!({
        "audience": "api", "requiredClaims": "none",
        "trustedIssuers": [
            {"format": "spiffe", "issuer": "spiffe://a.example", "jwksUrl": "https://spire.example/bundle"},
            {"format": "spiffe", "issuer": "spiffe://b.example", "jwksFile": "/run/bundle"},
        ],
    }));
    let keys = remote(&policy);
    assert_eq!(
        (keys.origin, &keys.location),
        (Origin::Bundle, &KeyLocation::Url(Url::parse("https://spire.example/bundle").unwrap()))
    );
    assert!(matches!(policy.issuers[1].keys.as_slice(), [KeySource::File { format: KeyFormat::Bundle, .. }]));
    for issuer in &policy.issuers {
        let algorithms: Vec<&str> = issuer.algorithms.iter().map(|alg| alg.name()).collect();
        assert_eq!(algorithms.join(" "), "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512");
        assert_eq!(issuer.claims.required, ["exp"]);
        assert!(!issuer.is_asked_last() && issuer.names.is_empty());
    }
    assert_eq!(policy.issuers[1].named(), ["spiffe://b.example"]);
}
