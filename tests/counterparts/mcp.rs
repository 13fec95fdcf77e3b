//! The official MCP clients: from the 401 through RFC 9728 to oidc-provider, and back with a token. And the official
//! suite for servers, which must not notice the plugin.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik, root, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::unix_now;

use crate::need::packages;
use crate::provider::Provider;
use crate::script::Script;

/// Two servers ask for different scopes, which a client learns from the 401.
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
        configuration["resourceMetadata"] = json!({"resource": url(host)});
        configuration["scopes"] = json!({"required": [required]});
        configuration["forwardHeaders"] = json!({"X-User-Sub": "sub"});
        routes.protect(host, FETCH, &configuration);
        routes.lead(host, server.said["url"].as_str().unwrap());
    }
    traefik.configure(&routes);

    // One client registers, the other is known beforehand.
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
        assert!(!refused, "{host}: {walk:#?}");
    }
    assert_eq!(said[0]["scopes"], json!(["read"]));
    assert_eq!(said[1]["scopes"], json!(["write"]));

    // Nothing but the metadata is there without a token.
    let bare = traefik.send(&Request::get("localhost", "/.well-known/oauth-protected-resource"));
    assert_eq!(bare.status, 401);
}

/// `examples/mcp`, walked through by the clients that speak revision 2026-07-28: TypeScript.
pub(crate) fn tools() {
    let (said, host) = walk_tools("mcp-tools-client.mjs", &Value::Null);
    check_tools(&said, &host);
}

/// The same with the client for Python.
pub(crate) fn tools_python() {
    let (said, host) = walk_tools("mcp-tools-client.py", &Value::Null);
    check_tools(&said, &host);
}

/// The same in a DPoP session of the client for TypeScript, whose provider and plugin both demand nonces.
pub(crate) fn tools_dpop() {
    let proofs = json!({
        "dpop": "required", "replay": "nonce", "nonceSecret": "0123456789abcdef0123456789abcdef", "forward": "bearer",
    });
    let (said, host) = walk_tools("mcp-tools-client.mjs", &proofs);
    check_tools(&said, &host);
    assert_eq!(said["schemes"], json!(["DPoP"]), "{said:#}");
}

/// With these `proofs` in the configuration, if there are some.
fn walk_tools(client: &'static str, proofs: &Value) -> (Value, String) {
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let host = format!("http://localhost:{}", traefik.address().port());
    let url = format!("{host}/mcp");
    let mut provider = Provider::start(&["a"], &[&url]);
    if !proofs.is_null() {
        provider.restart_with(true);
    }
    let server = Script::start("mcp-tools-server.mjs", &json!({}));
    let example = fs::read_to_string(root().join("examples/mcp/dynamic.yml")).unwrap();
    let example: Value = yaml_serde::from_str(&example).unwrap();
    let mut configuration = example["http"]["middlewares"]["tools"]["plugin"]["jwt"].clone();
    configuration["issuer"] = json!(provider.issuer());
    configuration["audience"] = json!(url);
    configuration["resourceMetadata"]["resource"] = json!(url);
    configuration["clientConfig"] = json!({"tls": {"ca": provider.ca_pem()}});
    configuration.as_object_mut().unwrap().remove("tests");
    if !proofs.is_null() {
        configuration["proofs"] = proofs.clone();
    }
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("localhost", FETCH, &configuration);
    routes.lead("localhost", server.said["url"].as_str().unwrap());
    traefik.configure(&routes);
    let tools = ["search", "write_file", "delete_all"];
    // Both clients would register for the scopes of the first 401 alone, and this provider then gives them no others.
    let argument =
        json!({"url": url, "ca": provider.ca(), "tools": tools, "client": "mcp", "dpop": !proofs.is_null()});
    let said = Script::run(client, &argument);
    (said, host)
}

/// Each tool once, refused first where its scopes have not been asked for.
fn check_tools(said: &Value, host: &str) {
    assert_eq!(said["listed"], json!(["search", "write_file", "delete_all"]), "{said:#}");
    let answers = ["search for alice", "write_file for alice", "delete_all for alice"];
    assert_eq!(said["said"], json!(answers), "{said:#}");
    let walk: Vec<&str> = said["walk"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut rest = walk.iter();
    for step in [
        format!("GET {host}/.well-known/oauth-protected-resource/mcp 200"),
        format!("POST {host}/mcp tools/list 200"),
        format!("POST {host}/mcp tools/call search 200"),
        format!("POST {host}/mcp tools/call write_file 403"),
        format!("POST {host}/mcp tools/call write_file 200"),
        format!("POST {host}/mcp tools/call delete_all 403"),
        format!("POST {host}/mcp tools/call delete_all 200"),
    ] {
        assert!(rest.any(|taken| *taken == step), "{step} is not in its turn: {walk:#?}");
    }
    let first = walk.iter().find(|step| step.starts_with(&format!("POST {host}"))).unwrap();
    assert!(first.ends_with(" 401"), "{walk:#?}");
    let asked: Vec<&str> = said["scopes"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let is_asked = |at: usize, scope: &str| asked[at].split(' ').any(|asked| asked == scope);
    assert!(is_asked(0, "files:read"), "{asked:?}");
    assert!(is_asked(1, "files:write"), "{asked:?}");
    assert!(is_asked(2, "files:admin"), "{asked:?}");
}

/// Checks of the server suite that can succeed. Two more are warnings, since the suite asks for streams of a revision
/// that does not have them.
const CHECKS: usize = 44;

/// The server suite of the official conformance package says the same of a server as it is, and through the plugin.
pub(crate) fn conformance() {
    let bare = Script::start("mcp-everything-server.mjs", &json!({}));
    let protected = Script::start("mcp-everything-server.mjs", &json!({"user": "alice"}));
    let url = |server: &Script| server.said["url"].as_str().unwrap().to_owned();
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    // The suite sends no header of its own: it has the token in its URL.
    let configuration = json!({
        "jwks": keys::public_set(), "issuer": "https://idp.example/", "tokenSources": [{"query": "token"}],
        "forwardAuthorization": false, "forwardHeaders": {"X-User-Sub": "sub"},
    });
    // With names of other hosts, too, as the server has to refuse them.
    routes.protect_all(OFFLINE, &configuration);
    routes.lead("all", &url(&protected));
    let traefik = Traefik::start(&Setup { plugins: vec![OFFLINE], ..Setup::default() });
    traefik.configure(&routes);
    let address = traefik.address();
    assert_eq!(traefik.send(&Request::new("POST", "localhost", "/mcp")).status, 401);
    let claims = json!({"iss": "https://idp.example/", "sub": "alice", "exp": unix_now() + 600});
    let through = format!("http://{address}/mcp?token={}", Token::new("EdDSA", claims).mint());

    let (direct, through) = std::thread::scope(|scope| {
        let through = scope.spawn(|| checks(&through));
        (checks(&format!("{}/mcp", url(&bare))), through.join().unwrap())
    });
    assert_eq!(through, direct);
    let all: Vec<&str> = through.values().flatten().map(String::as_str).collect();
    let count = |status: &str| all.iter().filter(|check| check.ends_with(status)).count();
    assert_eq!((count(" SUCCESS"), count(" WARNING"), count(" FAILURE")), (CHECKS, 2, 0), "{through:#?}");
}

/// What the suite says of the server at `url`: its checks by scenario.
fn checks(url: &str) -> BTreeMap<String, Vec<String>> {
    let directory = temporary_directory("conformance");
    let suite = packages().join("node_modules/@modelcontextprotocol/conformance/dist/index.js");
    let mut command = Command::new("node");
    command.arg(suite).args(["server", "--suite", "all", "--url", url, "--output-dir"]).arg(&directory);
    let output = command.output().unwrap();
    let said = || String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", said());
    let scenario = |folder: &Path| {
        let name = folder.file_name().unwrap().to_str().unwrap();
        // Behind it stands when it ran.
        let (name, _) = name.split_once("-20").unwrap_or_else(|| panic!("{name}: {}", said()));
        let found = fs::read(folder.join("checks.json")).unwrap();
        let found: Vec<Value> = serde_json::from_slice(&found).unwrap();
        let judged = found.iter().filter(|check| check["status"] != "INFO");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let lines = judged.map(|check| format!("{} {}", text(&check["id"]), text(&check["status"])));
        (name.to_owned(), lines.collect())
    };
    let scenarios = fs::read_dir(&directory).unwrap().map(|entry| scenario(&entry.unwrap().path())).collect();
    let _ = fs::remove_dir_all(directory);
    scenarios
}
