//! The files in `examples/`, as they stand.

use std::fs;
use std::process::Command;

use jwt_check::convert::convert;
use jwt_check::input::{self, Block, File, Form};
use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik, install, root, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

/// `examples/seed`: a key set over HTTPS, an issuer, and nothing else that is needed.
pub(crate) fn seed() {
    let idp = JwksServer::https_at("127.0.0.1:8443", keys::jwk_set(&["ed25519"]).to_string());
    let _upstream = Upstream::start_at("127.0.0.1:9000");
    let directory = temporary_directory("seed");
    fs::create_dir_all(directory.join("examples/seed")).unwrap();
    for file in ["traefik.yml", "dynamic.yml"] {
        let file = format!("examples/seed/{file}");
        fs::copy(root().join(&file), directory.join(&file)).unwrap();
    }
    install(&directory, "github.com/traefik-jwt-auth/jwt", FETCH.file);
    let setup = Setup { envs: vec![("IDP_CA".into(), idp.ca_pem().into())], ..Setup::default() };
    let address = "127.0.0.1:8010".parse().unwrap();
    let traefik = Traefik::run(&setup, directory, "examples/seed/traefik.yml", address);
    let bare = wait("the route is there", 30, || {
        let answer = Request::get("localhost", "/").try_send(address).ok()?;
        (answer.status != 404).then_some(answer)
    });
    assert_eq!((bare.status, bare.text()), (401, r#"{"error": "No token provided"}"#.into()));
    let issuer = "https://localhost:8443/__zuplo/issuer";
    let claims = json!({"iss": issuer, "sub": "alice", "exp": unix_now() + 60});
    let answer = traefik.send(&Request::get("localhost", "/").bearer(&Token::new("EdDSA", claims).mint()));
    assert_eq!(answer.status, 200);
    assert!(answer.text().contains(r#"["X-User-Sub","alice"]"#), "{}", answer.text());
}

/// `examples/migrate/`, `examples/providers/`, those of clusters and what `jwt-check convert` makes of other middlewares: Traefik's file provider
/// reads them, every middleware loads with its `tests`, and what needs no token passes. Nothing is fetched without one, so the
/// directory that they name need not be there.
pub(crate) fn blocks() {
    let upstream = Upstream::start();
    let secret = String::from("ZVryn2DdQAwlSgpE8cIrfg0XmXm1IGFq");
    let traefik = Traefik::start(&Setup {
        plugins: vec![FETCH],
        envs: vec![("JWT_SECRET".into(), secret.clone()), ("SUPABASE_JWT_SECRET".into(), secret)],
        ..Setup::default()
    });
    let mut routes = Routes::to(&upstream.url());
    let mut hosts = Vec::new();
    for (directory, end) in [
        ("examples/migrate", ".yml"),
        ("examples/providers", ".yml"),
        ("examples/kubernetes-issuer", ".yml"),
        ("examples/spiffe", ".yml"),
        ("tools/jwt-check/tests/old", ".converted.yml"),
    ] {
        for entry in fs::read_dir(root().join(directory)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            let blocks = input::read(File { name, text: &text }, &|_| None).blocks;
            let dynamic = |block: &&Block| name.ends_with(end) && block.form == Form::Dynamic;
            for block in blocks.iter().filter(dynamic) {
                // A second one of the name would replace the first.
                let host = format!("{}-{}", block.middleware, hosts.len());
                routes.protect(&host, FETCH, &block.written);
                hosts.push((host, block.written["mode"] == "optional"));
            }
        }
    }
    assert!(hosts.len() > 30, "{hosts:?}");
    traefik.configure(&routes);
    for (host, passes) in hosts {
        let status = traefik.send(&Request::get(&host, "/orders")).status;
        assert_eq!(status, if passes { 200 } else { 401 }, "{host}: {:?}", traefik.log_with(0, &["refused"]));
    }
}

/// What `jwt-check convert` writes of labels is a file that Traefik reads as it stands: `{{` is no template in a label, and would be
/// one in a file.
pub(crate) fn converted() {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let claim = "{{ env `HOME` }}{{x";
    let label =
        |option: &str, value: &str| format!("traefik.http.middlewares.old.plugin.jwt.{option}={value}\n");
    let labels = [label("Keys[0]", keys::SECRET), label("PayloadFields[0]", claim)].concat();
    let old = File { name: "labels", text: &labels };
    let new = convert(old, None, None, &|_| None).unwrap_or_else(|error| panic!("{error}"));
    fs::write(traefik.directory().join("dynamic/old.yml"), new.text()).unwrap();
    let mut routes = Routes::to(&upstream.url());
    routes.share("labels", "old");
    traefik.configure(&routes);
    let with = |claim: &str| Token::new("HS256", json!({claim: 1, "exp": unix_now() + 60})).mint();
    let ask = |token: &str| traefik.send(&Request::get("labels", "/").bearer(token)).status;
    assert_eq!([claim, "another"].map(|claim| ask(&with(claim))), [200, 401], "{}", new.text());
}

/// The archives of a release, unpacked into one directory: both modules load as they are, side by side.
pub(crate) fn release() {
    let upstream = Upstream::start();
    let directory = temporary_directory("release");
    for archive in fs::read_dir(root().join("dist/release")).unwrap() {
        let archive = archive.unwrap().path();
        if archive.extension().is_some_and(|extension| extension == "gz") {
            let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&directory).status();
            assert!(unpacked.unwrap().success());
        }
    }
    let modules = "github.com/traefik-jwt-auth";
    let file = json!({
        "entryPoints": {"web": {"address": "127.0.0.1:8011"}},
        "providers": {"file": {"directory": "dynamic"}},
        "experimental": {"localPlugins": {
            "jwt": {"moduleName": format!("{modules}/jwt")},
            "jwt-offline": {"moduleName": format!("{modules}/jwt-offline")},
        }},
        "log": {"level": "INFO"},
    });
    fs::write(directory.join("traefik.yml"), file.to_string()).unwrap();
    fs::create_dir_all(directory.join("dynamic")).unwrap();
    let mut routes = Routes::to(&upstream.url());
    for plugin in [FETCH, OFFLINE] {
        routes.protect(plugin.name, plugin, &json!({"jwks": keys::jwk_set(&["ed25519"])}));
    }
    let address = "127.0.0.1:8011".parse().unwrap();
    let traefik = Traefik::run(&Setup::default(), directory, "traefik.yml", address);
    traefik.configure(&routes);
    let token = Token::new("EdDSA", json!({"sub": "alice", "exp": unix_now() + 60})).mint();
    for plugin in [FETCH, OFFLINE] {
        assert_eq!(traefik.send(&Request::get(plugin.name, "/")).status, 401, "{}", plugin.name);
        assert_eq!(
            traefik.send(&Request::get(plugin.name, "/").bearer(&token)).status,
            200,
            "{}",
            plugin.name
        );
    }
}

/// `examples/rules`, `mcp`, `dpop`, `mtls` and `revocation`: Traefik loads them with their `tests`, and what they say to requests
/// without a token.
pub(crate) fn rules() {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    for (file, host) in [
        ("rules", "articles"),
        ("mcp", "tools"),
        ("dpop", "dpop"),
        ("mtls", "jwt"),
        ("revocation", "markers"),
        ("revocation", "list"),
        ("revocation", "fetched-list"),
    ] {
        let text = fs::read_to_string(root().join(format!("examples/{file}/dynamic.yml"))).unwrap();
        let file: Value = yaml_serde::from_str(&text).unwrap();
        let written = &file["http"]["middlewares"][host]["plugin"]["jwt"];
        assert!(written["tests"].as_array().is_some_and(|tests| !tests.is_empty()), "{host}: {written}");
        routes.protect(host, FETCH, written);
    }
    traefik.configure(&routes);
    for (method, host, path, status) in [
        ("GET", "articles", "/articles/1", 200),
        ("HEAD", "articles", "/assets/a.css", 200),
        ("GET", "articles", "/articles/../drafts/alice", 401),
        ("GET", "articles", "/drafts/alice", 401),
        ("POST", "articles", "/articles", 401),
        ("GET", "articles", "/settings", 401),
        ("POST", "tools", "/mcp", 401),
        ("GET", "tools", "/.well-known/oauth-protected-resource/mcp", 200),
        ("GET", "dpop", "/orders", 401),
        ("GET", "dpop", "/.well-known/oauth-protected-resource", 200),
        ("GET", "jwt", "/", 401),
        ("GET", "markers", "/", 401),
        ("GET", "list", "/", 401),
        ("GET", "fetched-list", "/", 401),
    ] {
        let answer = traefik.send(&Request::new(method, host, path));
        assert_eq!(answer.status, status, "{method} {host}{path}: {:?}", traefik.log_with(0, &["refused"]));
    }
}
