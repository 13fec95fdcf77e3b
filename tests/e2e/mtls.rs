//! Tokens that are bound to a client certificate, over a real TLS entry point with the chain of the documentation: remove the
//! header, passTLSClientCert, jwt. The client is curl.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testbed::certificate::{ClientCertificate, Issued};
use testbed::http::Request;
use testbed::keys;
use testbed::proofs::{base64, sha256, sha256_hex};
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Setup, Traefik, root};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

const HEADER: &str = "X-Forwarded-Tls-Client-Cert";

fn bound(thumbprint: &str) -> String {
    let cnf = json!({"x5t#S256": thumbprint});
    Token::new("EdDSA", json!({"sub": "alice", "exp": unix_now() + 600, "cnf": cnf})).mint()
}

/// What curl gets at `host` with this certificate, token and header: the status, and the body.
fn curl(traefik: &Traefik, host: &str, client: Option<&str>, token: &str, header: &str) -> (u16, String) {
    let port = traefik.address().port();
    let mut command = Command::new("curl");
    command.current_dir(traefik.directory()).args(["-sS", "-k", "-w", "\n%{http_code}"]);
    command.args([
        "--resolve",
        &format!("{host}:{port}:127.0.0.1"),
        "-H",
        &format!("Authorization: Bearer {token}"),
    ]);
    if let Some(client) = client {
        command.args(["--cert", &format!("{client}.pem"), "--key", &format!("{client}.key")]);
    }
    if !header.is_empty() {
        command.args([
            "-H",
            &format!("{HEADER}: {header}"),
            "-H",
            &format!("X_Forwarded_Tls_Client_Cert: {header}"),
        ]);
    }
    let output = command.arg(format!("https://{host}:{port}/")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap_or_default();
    (status.parse().unwrap_or(0), body.to_owned())
}

fn write(directory: &Path, name: &str, certificate: &ClientCertificate) {
    fs::write(directory.join(format!("{name}.pem")), &certificate.chain_pem).unwrap();
    fs::write(directory.join(format!("{name}.key")), &certificate.key_pem).unwrap();
}

pub(crate) fn certificates() {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup {
        // What a careless operator writes: anybody's X-Forwarded headers are believed.
        entry_point: json!({"forwardedHeaders": {"insecure": true}}),
        ..Setup::default()
    });
    let directory = traefik.directory().to_owned();
    let server = Issued::p256("server");
    let (own, other, alone) =
        (ClientCertificate::of_chain(), ClientCertificate::of_chain(), ClientCertificate::self_signed());
    fs::write(directory.join("server.pem"), server.certificate.pem()).unwrap();
    fs::write(directory.join("server.key"), server.key.serialize_pem()).unwrap();
    for (name, certificate) in [("own", &own), ("other", &other), ("alone", &alone)] {
        write(&directory, name, certificate);
    }
    fs::write(directory.join("clients.pem"), format!("{}{}", own.root_pem, other.root_pem)).unwrap();
    fs::write(directory.join("dynamic/mtls.yml"), dynamic(&directory, &upstream.url()).to_string()).unwrap();
    wait("the routes are there", 60, || (curl(&traefik, "localhost", None, "x", "").0 == 401).then_some(()));
    let (x5t, header) = (sha256(&own.der), base64(&own.der));
    let good = bound(&x5t);
    // The rules of TLS are chosen by the name that the client asks for.
    for host in ["localhost", "offline.localhost"] {
        let ask = |client, token: &str, header: &str| curl(&traefik, host, client, token, header).0;
        for _ in 0..2 {
            let (status, body) = curl(&traefik, host, Some("own"), &good, "");
            assert_eq!(status, 200, "{host}: {body} {:?}", traefik.log_with(0, &["refused"]));
            assert!(!body.to_ascii_lowercase().contains("client-cert"), "{body}");
            // A forged header is not the certificate, from any client.
            assert_eq!(ask(Some("own"), &good, &base64(&other.der)), 200, "{host}");
            assert_eq!(ask(None, &good, &header), 401, "{host}: forged");
            assert_eq!(ask(Some("other"), &good, &header), 401, "{host}: forged beside another");
            assert_eq!(ask(None, &good, ""), 401, "{host}: no certificate");
            assert_eq!(ask(Some("other"), &good, ""), 401, "{host}: another's certificate");
        }
        for wrong in [sha256(&own.issuer_der), format!("{x5t}="), sha256_hex(&own.der)] {
            assert_eq!(ask(Some("own"), &bound(&wrong), ""), 401, "{host}: {wrong}");
        }
        let unbound = Token::new("EdDSA", json!({"sub": "alice", "exp": unix_now() + 600})).mint();
        assert_eq!(ask(Some("own"), &unbound, ""), 401, "{host}: unbound");
        // Nobody has to have signed a certificate that a token is bound to (RFC 8705 2.2), if TLS lets it in.
        let expected = if host == "localhost" { [0, 0] } else { [200, 401] };
        let own_token = bound(&sha256(&alone.der));
        assert_eq!(
            [own_token.as_str(), &good].map(|token| ask(Some("alone"), token, "")),
            expected,
            "{host}"
        );
    }
    // Without TLS there is no certificate, and a forged header is removed all the same.
    let plain = Request::get("plain", "/").bearer(&good).header(HEADER, &header);
    assert_eq!(traefik.send(&plain).status, 401);
    assert_eq!(traefik.send(&plain.clone().header("X-Forwarded-Proto", "https")).status, 401);
}

/// The example, in front of both artifacts, with certificates, a upstream and two ways to ask for the client's.
fn dynamic(directory: &Path, upstream: &str) -> Value {
    let text = fs::read_to_string(root().join("examples/mtls/dynamic.yml")).unwrap();
    let mut file: Value = yaml_serde::from_str(&text).unwrap();
    let http = &mut file["http"];
    for (plugin, name) in [(FETCH, "jwt"), (OFFLINE, "jwt-offline")] {
        let mut jwt = http["middlewares"]["jwt"]["plugin"]["jwt"].clone();
        if name == "jwt" {
            jwt = json!({"jwks": keys::public_set(), "proofs": jwt["proofs"]});
        }
        http["middlewares"][name] = json!({"plugin": {plugin.name: jwt}});
    }
    let mut offline = http["middlewares"]["protected"].clone();
    offline["chain"]["middlewares"][2] = json!("jwt-offline");
    http["middlewares"]["protected-offline"] = offline;
    http["services"]["api"]["loadBalancer"]["servers"][0]["url"] = json!(upstream);
    let mut router = |name: &str, host: &str, chain: &str, tls: Value| {
        let mut router = http["routers"]["api"].clone();
        router["rule"] = json!(format!("Host(`{host}`)"));
        router["middlewares"] = json!([chain]);
        router["tls"] = tls;
        router.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        http["routers"][name] = router;
    };
    router("plain", "plain", "protected", Value::Null);
    router("offline", "offline.localhost", "protected-offline", json!({"options": "clients"}));
    router("api", "localhost", "protected", json!({"options": "known"}));
    let file_of = |name: &str| directory.join(name).display().to_string();
    file["tls"]["options"]["known"] = json!({"clientAuth": {
        "clientAuthType": "VerifyClientCertIfGiven", "caFiles": [file_of("clients.pem")],
    }});
    file["tls"]["certificates"] =
        json!([{"certFile": file_of("server.pem"), "keyFile": file_of("server.key")}]);
    file
}
