//! Other proxies ask the plugin (`answerAs: forwardAuth`), with the files of `examples/forward-auth` as they stand.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use serde_json::json;
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::{Token, tamper};
use testbed::traefik::{FETCH, Process, Setup, Traefik, root, temporary_directory};
use testbed::upstream::{Upstream, body_digest};
use testbed::wait::{unix_now, wait};

use crate::need;

/// The ports of the example are for one at a time.
static PORTS: Mutex<()> = Mutex::new(());

/// nginx with `auth_request`.
pub(crate) fn nginx() {
    let directory = temporary_directory("nginx-auth");
    let example = root().join("examples/forward-auth/nginx.conf");
    let file = format!(
        "daemon off; master_process off; pid pid; error_log stderr info; events {{}}
        http {{
            access_log off;
            client_body_temp_path temporary; proxy_temp_path temporary; fastcgi_temp_path temporary;
            uwsgi_temp_path temporary; scgi_temp_path temporary;
            include \"{}\";
        }}",
        example.display()
    );
    fs::write(directory.join("nginx.conf"), file).unwrap();
    let mut command = Command::new(need::nginx().unwrap());
    command.args(["-e", "stderr", "-c", "nginx.conf", "-p"]).arg(&directory).current_dir(&directory);
    // nginx knows of 401 and 403 only.
    walk(command, "127.0.0.1:8032".parse().unwrap(), 500);
    let _ = fs::remove_dir_all(directory);
}

/// Caddy with `forward_auth`.
pub(crate) fn caddy() {
    let directory = temporary_directory("caddy");
    let mut command = Command::new(need::caddy().unwrap());
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(root().join("examples/forward-auth/Caddyfile"))
        .env("XDG_CONFIG_HOME", &directory)
        .env("XDG_DATA_HOME", &directory)
        .current_dir(&directory);
    walk(command, "127.0.0.1:8033".parse().unwrap(), 400);
    let _ = fs::remove_dir_all(directory);
}

/// HAProxy with a script in Lua.
pub(crate) fn haproxy() {
    let directory = temporary_directory("haproxy");
    let mut command = Command::new(need::haproxy().unwrap());
    command.args(["-db", "-f"]).arg(root().join("examples/forward-auth/haproxy.cfg")).current_dir(&directory);
    walk(command, "127.0.0.1:8034".parse().unwrap(), 400);
    let _ = fs::remove_dir_all(directory);
}

/// Good and bad requests through the proxy at `address`, which answers a 400 with `invalid`.
fn walk(proxy: Command, address: SocketAddr, invalid: u16) {
    let _ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    // A server that was dropped gives its port up a moment later.
    for port in [8445, 9002, 8030, 8031] {
        wait("the ports are free", 10, || TcpListener::bind(("127.0.0.1", port)).ok());
    }
    let idp = JwksServer::https_at("127.0.0.1:8445", keys::jwk_set(&["ed25519"]).to_string());
    let _upstream = Upstream::start_at("127.0.0.1:9002");
    let setup = Setup { envs: vec![("IDP_CA".into(), idp.ca_pem().into())], ..Setup::default() };
    let _traefik = Traefik::run_example(&setup, FETCH, "forward-auth", "127.0.0.1:8030".parse().unwrap());
    let process = Process::start(proxy);
    wait("the proxy listens", 10, || {
        assert!(process.is_alive(), "the proxy ended");
        TcpStream::connect(address).ok()
    });
    let token = |changes: &[(&str, serde_json::Value)]| {
        let mut claims = json!({
            "iss": "https://idp.example/", "aud": "api", "sub": "alice", "email": "a@example.com", "exp": unix_now() + 60
        });
        for (name, value) in changes {
            claims[name] = value.clone();
        }
        Token::new("EdDSA", claims).mint()
    };
    let forged = [
        ("X-User-Sub", "root"),
        ("x-user-email", "root"),
        ("X_User_Sub", "root"),
        ("X-Forwarded-Uri", "/orders/health"),
        ("X-Forwarded-Method", "OPTIONS"),
        ("X-Forwarded-Host", "root.example"),
        ("X-Forwarded-Proto", "root"),
    ];
    let send = |method: &str, path: &str, token: Option<&str>| {
        let request = Request::new(method, "api.example", path);
        let request = forged.iter().fold(request, |request, (name, value)| request.header(name, *value));
        let request = if method == "POST" { request.body(vec![b'x'; 100_000]) } else { request };
        token.into_iter().fold(request, Request::bearer).send(address)
    };
    wait("the keys are there", 20, || {
        (send("GET", "/orders", Some(&token(&[]))).status == 200).then_some(())
    });
    for (method, path) in [("GET", "/orders/1?a=%2F"), ("POST", "/orders/%7Ex")] {
        let answer = send(method, path, Some(&token(&[])));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let seen = answer.json();
        let headers = seen["headers"].to_string();
        for header in [json!(["X-User-Sub", "alice"]), json!(["X-User-Email", "a@example.com"])] {
            let header = header.to_string().to_ascii_lowercase();
            assert!(headers.to_ascii_lowercase().contains(&header), "{header}: {headers}");
        }
        let names_of_root = |name: &str| {
            let lines = seen["headers"].as_array().unwrap().iter();
            lines
                .filter(|line| {
                    line[1] == "root"
                        && line[0].as_str().unwrap().replace('_', "-").eq_ignore_ascii_case(name)
                })
                .count()
        };
        assert_eq!((names_of_root("X-User-Sub"), names_of_root("X-User-Email")), (0, 0), "{headers}");
        assert_eq!((&seen["method"], &seen["target"]), (&json!(method), &json!(path)));
        if method == "POST" {
            let (length, sum) = body_digest(&[b'x'; 100_000]);
            assert_eq!(seen["body"], json!({"length": length, "sum": sum}));
        }
    }
    // A token without the claim: nothing of the client's stands in for it.
    let seen = send("GET", "/orders", Some(&token(&[("email", json!(null))]))).text();
    assert!(!seen.to_ascii_lowercase().contains(r#"["x-user-email","root"]"#), "{seen}");
    let anonymous = send("GET", "/orders/health", None);
    assert_eq!(anonymous.status, 200);
    assert!(
        !anonymous.text().to_ascii_lowercase().contains(r#"["x-user-sub","root"]"#),
        "{}",
        anonymous.text()
    );

    let metadata = "https://api.example.com/.well-known/oauth-protected-resource";
    let error = format!("Bearer error=\"invalid_token\", resource_metadata=\"{metadata}\"");
    let plain = format!("Bearer resource_metadata=\"{metadata}\"");
    for (token, challenge) in [
        (None, &plain),
        (Some(tamper(&token(&[]), "signature")), &error),
        (Some(token(&[("exp", json!(unix_now() - 10))])), &error),
        (Some(token(&[("aud", json!("other"))])), &error),
    ] {
        let refused = send("GET", "/orders/1", token.as_deref());
        assert_eq!((refused.status, refused.header("WWW-Authenticate")), (401, Some(&**challenge)));
    }
    // A path that only looks like the one that is open.
    assert_eq!(send("GET", "/orders/health/../1", None).status, 401);
    let two =
        Request::get("api.example", "/orders").bearer(&token(&[])).bearer(&token(&[("sub", json!("bob"))]));
    let answer = two.send(address).status;
    assert!([invalid, 400].contains(&answer), "{answer}");
}
