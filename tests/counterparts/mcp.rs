//! The official MCP client: from the 401 through RFC 9728 to oidc-provider, and back with a token.

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::traefik::{FETCH, Routes, Setup, Traefik};
use testbed::upstream::Upstream;

use crate::provider::Provider;
use crate::script::Script;

/// One server asks for the scope that its metadata names; the other for one more, which the client learns from the
/// 403 only.
pub(crate) fn walk() {
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let port = traefik.address().port();
    let origin = |host: &str| format!("http://{host}:{port}");
    let url = |host: &str| format!("{}/mcp", origin(host));
    let hosts = ["localhost", "127.0.0.1"];
    let provider = Provider::start(&["a"], &hosts.map(url).each_ref().map(String::as_str));
    let server = Script::start("mcp-server.mjs", &json!({}));
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    for (host, required) in hosts.iter().zip(["read", "write"]) {
        let mut configuration = provider.configuration(&url(host));
        configuration["resourceMetadata"] = json!({"resource": url(host), "scopesSupported": ["read"]});
        configuration["scopes"] = json!({"required": [required]});
        configuration["forwardHeaders"] = json!({"X-User-Sub": "sub"});
        routes.protect(host, FETCH, &configuration);
        routes.lead(host, server.said["url"].as_str().unwrap());
    }
    traefik.configure(&routes);

    // A registration is for the scopes that the client knew then, so the other one is known beforehand.
    let clients = [("localhost", Value::Null), ("127.0.0.1", json!("mcp"))];
    let said = clients.map(|(host, client)| {
        Script::run("mcp-client.mjs", &json!({"url": url(host), "ca": provider.ca(), "client": client}))
    });
    for (host, said) in hosts.iter().zip(&said) {
        assert_eq!(said["tool"], "alice", "{host}: {said:#}");
        let walk: Vec<&str> = said["walk"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        let issuer = provider.issuer();
        let found = [
            format!("POST {} 401", url(host)),
            format!("GET {}/.well-known/oauth-protected-resource/mcp 200", origin(host)),
            format!("GET {issuer}/.well-known/oauth-authorization-server 200"),
            format!("POST {issuer}/reg 201"),
            format!("POST {issuer}/token 200"),
        ];
        let registers = *host == "localhost";
        let mut rest = walk.iter();
        for step in found.iter().filter(|step| registers || !step.contains("/reg ")) {
            assert!(rest.any(|taken| taken == step), "{host}: {step} is not in its turn: {walk:#?}");
        }
        let refused = walk.contains(&format!("POST {} 403", url(host)).as_str());
        assert_eq!(refused, !registers, "{host}: {walk:#?}");
    }
    assert_eq!(said[0]["scopes"], json!(["read"]));
    assert_eq!(said[1]["scopes"].as_array().unwrap().len(), 2, "{}", said[1]);
    assert!(said[1]["scopes"][1].as_str().unwrap().split(' ').any(|scope| scope == "write"), "{}", said[1]);

    // Nothing but the metadata is there without a token.
    let bare = traefik.send(&Request::get("localhost", "/.well-known/oauth-protected-resource"));
    assert_eq!(bare.status, 401);
}
