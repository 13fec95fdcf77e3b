//! Values that are kept outside of the configuration: `settings.mounts` and `settings.envs`, in both artifacts.

use std::fs;
use std::path::Path;

use serde_json::json;
use testbed::http::Request;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

const ISSUER: &str = "https://idp.example/";

fn token(alg: &str) -> String {
    Token::new(alg, json!({"iss": ISSUER, "sub": "alice", "exp": unix_now() + 600})).mint()
}

/// As Kubernetes and most tools replace a file: readers see the old content or the new.
fn replace(path: &Path, content: &str) {
    let part = path.with_extension("part");
    fs::write(&part, content).unwrap();
    fs::rename(part, path).unwrap();
}

/// Key sets, PEM and secrets in files and variables; a file that changes is noticed; one that is missing is no key.
pub(crate) fn files_and_variables() {
    let directory = temporary_directory("keys");
    let path = directory.to_str().unwrap();
    let file = |name: &str| directory.join(name);
    fs::write(file("set.json"), keys::jwk_set(&["ed25519"]).to_string()).unwrap();
    fs::write(file("rsa.pem"), keys::public_pem("rsa")).unwrap();
    fs::write(file("secret"), format!("{}\n", keys::SECRET)).unwrap();
    fs::write(file("sample"), "your-256-bit-secret-your-256-bit-secret\n").unwrap();
    let setup = Setup {
        mounts: vec![format!("{path}:{path}:ro")],
        envs: vec![
            ("JWT_TEST_PEM".into(), keys::public_pem("p256").replace('\n', " ")),
            ("JWT_TEST_SECRET".into(), keys::SECRET.into()),
            ("JWT_TEST_LINE".into(), format!("{}\n", keys::SECRET)),
            ("JWT_TEST_UNRESOLVED".into(), "${JWT_SIGNING_SECRET_OF_PRODUCTION}".into()),
        ],
        ..Setup::default()
    };
    let upstream = Upstream::start();
    let traefik = Traefik::start(&setup);
    let mut routes = Routes::to(&upstream.url());
    let name = |plugin: &str, source: &str| format!("{source}-{plugin}");
    let sources = [
        ("set", "EdDSA", json!({"jwksFile": file("set.json")})),
        ("pem", "RS256", json!({"publicKey": format!("file:{}", file("rsa.pem").display())})),
        ("named", "RS256", json!({"keys": {"rsa": format!("file:{}", file("rsa.pem").display())}})),
        ("secret", "HS256", json!({"signingSecret": format!("file:{}", file("secret").display())})),
        ("env-pem", "ES256", json!({"publicKey": "env:JWT_TEST_PEM"})),
        ("env-secret", "HS256", json!({"signingSecret": "env:JWT_TEST_SECRET"})),
        ("env-line", "HS256", json!({"signingSecret": "env:JWT_TEST_LINE"})),
        ("inline-line", "HS256", json!({"signingSecret": format!("{}\n", keys::SECRET)})),
    ];
    for plugin in [FETCH, OFFLINE] {
        for (source, _, configuration) in &sources {
            let mut configuration = configuration.clone();
            configuration["issuer"] = json!(ISSUER);
            routes.protect(&name(plugin.name, source), plugin, &configuration);
        }
        let missing = json!({"issuer": ISSUER, "jwksFile": file("missing.json")});
        routes.protect(&name(plugin.name, "missing"), plugin, &missing);
        let unset = json!({"issuer": ISSUER, "publicKey": "env:JWT_TEST_UNSET"});
        routes.protect(&name(plugin.name, "unset"), plugin, &unset);
        let unresolved = json!({"issuer": ISSUER, "signingSecret": "env:JWT_TEST_UNRESOLVED"});
        routes.protect(&name(plugin.name, "unresolved"), plugin, &unresolved);
        let sample = json!({"issuer": ISSUER, "signingSecret": format!("file:{}", file("sample").display())});
        routes.protect(&name(plugin.name, "sample"), plugin, &sample);
    }
    traefik.configure(&routes);
    let status = |host: &str, alg: &str| traefik.send(&Request::get(host, "/").bearer(&token(alg))).status;
    for plugin in [FETCH, OFFLINE] {
        for (source, alg, _) in &sources {
            assert_eq!(status(&name(plugin.name, source), alg), 200, "{} {source}", plugin.name);
        }
        assert_eq!(status(&name(plugin.name, "missing"), "EdDSA"), 503, "{}", plugin.name);
        assert_eq!(status(&name(plugin.name, "unset"), "ES256"), 404, "{}", plugin.name);
        assert_eq!(status(&name(plugin.name, "unresolved"), "HS256"), 404, "{}", plugin.name);
        assert_eq!(status(&name(plugin.name, "sample"), "HS256"), 503, "{}", plugin.name);
    }
    replace(&file("set.json"), &keys::jwk_set(&["rsa"]).to_string());
    replace(&file("missing.json"), &keys::jwk_set(&["ed25519"]).to_string());
    for plugin in [FETCH, OFFLINE] {
        let host = name(plugin.name, "set");
        wait("the changed file is noticed", 10, || (status(&host, "RS256") == 200).then_some(()));
        wait("the key that left it is gone", 10, || (status(&host, "EdDSA") == 401).then_some(()));
        let host = name(plugin.name, "missing");
        wait("the file that came is noticed", 10, || (status(&host, "EdDSA") == 200).then_some(()));
    }
    fs::remove_dir_all(directory).unwrap();
}
