//! Prometheus reads the label `jwt` of a Traefik as `examples/observability` configures it: the alert rules and the queries
//! of the dashboard.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::port::free_address;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Process, Setup, Traefik, root, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

use crate::need;

/// The alert rules say what `alerts-test.yml` expects of them.
pub(crate) fn alert_rules() {
    let folder = root().join("examples/observability");
    for arguments in [&["check", "rules", "alerts.yml"][..], &["test", "rules", "alerts-test.yml"]] {
        let outcome = Command::new(need::promtool().unwrap()).args(arguments).current_dir(&folder).output();
        let outcome = outcome.unwrap();
        let text = [outcome.stdout, outcome.stderr].concat();
        assert!(outcome.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&text));
    }
    // Each rule has a test in which it fires.
    let tests = fs::read_to_string(folder.join("alerts-test.yml")).unwrap();
    let rules: Value = yaml_serde::from_str(&fs::read_to_string(folder.join("alerts.yml")).unwrap()).unwrap();
    let rules = rules["groups"][0]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), 6);
    for rule in rules {
        let name = rule["alert"].as_str().unwrap();
        assert!(tests.contains(&format!("alertname: {name}\n    exp_alerts:")), "{name}");
    }
}

/// A Prometheus that scrapes the example has an answer for each panel of the dashboard, and the alerts that refusals make.
pub(crate) fn scrapes() {
    let idp = JwksServer::https_at("127.0.0.1:8444", keys::jwk_set(&["ed25519"]).to_string());
    let _upstream = Upstream::start_at("127.0.0.1:9001");
    let setup = Setup { envs: vec![("IDP_CA".into(), idp.ca_pem().into())], ..Setup::default() };
    let traefik = Traefik::run_example(&setup, FETCH, "observability", "127.0.0.1:8020".parse().unwrap());
    wait("the route is there", 30, || {
        (Request::get("localhost", "/health").try_send(traefik.address()).ok()?.status == 200).then_some(())
    });
    let directory = temporary_directory("prometheus");
    let address = free_address();
    // As they stand, but that nobody waits for minutes.
    let rules = fs::read_to_string(root().join("examples/observability/alerts.yml")).unwrap();
    fs::write(
        directory.join("alerts.yml"),
        rules.replace("for: 5m", "for: 0s").replace("for: 1m", "for: 0s"),
    )
    .unwrap();
    let configuration = json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [{"job_name": "traefik", "static_configs": [{"targets": ["127.0.0.1:8021"]}]}],
    });
    fs::write(directory.join("prometheus.yml"), configuration.to_string()).unwrap();
    let mut command = Command::new(need::prometheus().unwrap());
    command
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
        .arg(format!("--web.listen-address={address}"))
        .current_dir(&directory);
    let prometheus = Process::start(command);
    let ask = |path: &str| -> Option<Value> {
        assert!(prometheus.is_alive(), "prometheus ended");
        let answer = Request::get("prometheus", path).try_send(address).ok()?;
        let body: Value = serde_json::from_slice(&answer.body).ok()?;
        assert_eq!(body["status"], "success", "{path}: {body}");
        Some(body["data"].clone())
    };
    let token = |exp: i64, scope: &str| {
        let claims = json!({
            "iss": "https://idp.example/", "aud": "api", "sub": "alice", "exp": exp, "scope": scope
        });
        Token::new("EdDSA", claims).mint()
    };
    let get = || Request::get("localhost", "/orders");
    let requests = [
        (get().bearer(&token(unix_now() + 600, "read")), 200),
        (get().bearer(&token(unix_now() - 10, "read")), 401),
        (get().bearer(&token(unix_now() + 600, "write")), 403),
        (get(), 401),
    ];
    let send =
        || requests.iter().for_each(|(request, status)| assert_eq!(traefik.send(request).status, *status));
    wait("Prometheus counts every outcome", 60, || {
        send();
        let query = encoded(r#"sum by (jwt) (traefik_router_requests_total{router="api@file"})"#);
        let counted = ask(&format!("/api/v1/query?query={query}"))?;
        let codes: Vec<String> = counted["result"]
            .as_array()?
            .iter()
            .map(|series| series["metric"]["jwt"].as_str().unwrap().to_owned())
            .collect();
        ["allow", "anonymous", "token_expired", "scope_insufficient", "token_missing"]
            .iter()
            .all(|code| codes.iter().any(|known| known == code))
            .then_some(())
    });
    let dashboard = fs::read_to_string(root().join("examples/observability/dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    for panel in panels {
        let title = panel["title"].as_str().unwrap();
        let expression = panel["targets"][0]["expr"].as_str().unwrap();
        let query = expression.replace("$router", ".*").replace("$__rate_interval", "1m");
        // Nothing of these has happened.
        let is_empty = ["No keys", "Signatures and keys", "5xx"].contains(&title);
        wait(title, 30, || {
            send();
            let data = ask(&format!("/api/v1/query?query={}", encoded(&query)))?;
            let is_there = !data["result"].as_array()?.is_empty();
            (is_there || is_empty).then_some(())
        });
    }
    wait("an alert is made of the refusals", 90, || {
        send();
        let alerts = ask("/api/v1/alerts")?;
        let fires = |name: &str, code: &str| {
            alerts["alerts"].as_array().unwrap().iter().any(|alert| {
                let labels = &alert["labels"];
                labels["alertname"] == name && labels["router"] == "api@file" && labels["jwt"] == code
            })
        };
        let name = "JwtManyRefusalsOfOneCode";
        (fires(name, "token_expired") && fires(name, "scope_insufficient")).then_some(())
    });
    let _ = fs::remove_dir_all(directory);
}

/// Percent-encoded, for a query.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
