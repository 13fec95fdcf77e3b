//! What is meant for one key server reaches no other: neither another issuer's, nor one that an answer names.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::certificate::Issued;
use testbed::http::Request;
use testbed::jwks_server::{Behaviour, JwksServer};
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

use crate::hosts;

/// All that a server can see of who asks: the headers that the configuration adds, and whether there was a certificate.
type Seen = (Vec<String>, bool);

fn seen(server: &JwksServer) -> Vec<Seen> {
    let own = ["Host", "Accept", "User-Agent", "X-Padding", "Accept-Encoding", "Connection"];
    let added = |head: &String| {
        let lines = head.lines().skip(1).filter(|line| !line.is_empty());
        let added = lines.filter(|line| !own.iter().any(|own| line.starts_with(&format!("{own}: "))));
        added.map(str::to_owned).collect::<Vec<_>>()
    };
    server.request_heads().iter().map(added).zip(server.certified()).collect()
}

fn nothing() -> Seen {
    (Vec::new(), false)
}

fn everything() -> Seen {
    (vec!["Authorization: Bearer for-the-first".into(), "X-Key: 1".into()], true)
}

fn token_of(issuer: &str) -> String {
    Token::new("EdDSA", json!({"iss": issuer, "sub": "alice", "exp": unix_now() + 600})).mint()
}

/// `clientConfig` with headers and a certificate.
fn client_config(issued: &Issued) -> Value {
    let (certificate, key) = &issued.client;
    json!({
        "tls": {"ca": issued.ca_pem, "cert": certificate, "key": key},
        "headers": {"Authorization": "Bearer for-the-first", "X-Key": "1"},
        "timeoutSeconds": 4, "maxRetries": 0,
    })
}

/// A redirect to another server, and metadata that name another one, take no credentials along; and if that one asks for
/// some, the log says why it did not get them.
pub(crate) fn stay_with_their_server() {
    let issued = Issued::p256("the CA of all servers");
    let server = || JwksServer::https_asking(&issued, keys::public_set().to_string());
    let (mut redirecting, redirected, metadata, mut discovered) = (server(), server(), server(), server());
    redirecting.set(Behaviour::Redirect(302, redirected.url("/jwks.json")));
    let issuer = metadata.url("");
    metadata.publish(json!({"issuer": issuer, "jwks_uri": discovered.url("/jwks.json")}).to_string());
    let mut circling = server();
    circling.set(Behaviour::Redirect(307, "/elsewhere".into()));
    let (mut leaving, mut returning) = (server(), server());
    leaving.set(Behaviour::Redirect(308, returning.url("/")));
    returning.set(Behaviour::Redirect(308, leaving.url("/chosen-by-another")));
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    for (name, source, value) in [
        ("redirect", "jwksUrl", json!(redirecting.url("/"))),
        ("circle", "jwksUrl", json!(circling.url("/"))),
        ("return", "jwksUrl", json!(leaving.url("/"))),
        ("discovery", "discovery", json!(true)),
    ] {
        let configuration = json!({
            source: value, "issuer": issuer, "clientConfig": client_config(&issued),
            "jwksCache": {"ttlSeconds": 1, "cooldownSeconds": 1},
        });
        routes.protect(name, FETCH, &configuration);
    }
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);
    let status = |host: &str| traefik.send(&Request::get(host, "/").bearer(&token_of(&issuer))).status;
    assert_eq!(status("redirect"), 200);
    assert_eq!((seen(&redirecting), seen(&redirected)), (vec![everything()], vec![nothing()]));
    assert_eq!(status("discovery"), 200);
    assert_eq!((seen(&metadata), seen(&discovered)), (vec![everything()], vec![nothing()]));
    // Within the server they go along.
    assert_eq!(status("circle"), 503);
    assert_eq!(seen(&circling), vec![everything(); 4]);
    // Who was led away asks nothing with credentials that another server has chosen.
    assert_eq!(status("return"), 503);
    assert_eq!(seen(&leaving), [everything(), nothing()]);
    assert_eq!(seen(&returning), [nothing(), nothing()]);

    discovered.set(Behaviour::Status(401));
    let reason = "status 401 of a server that gets no headers and certificate of clientConfig";
    wait("the reason in the log", 20, || {
        let _ = status("discovery");
        (!traefik.log_with(0, &[reason]).is_empty()).then_some(())
    });
    assert!(seen(&discovered).iter().all(|seen| *seen == nothing()));
}

/// Several issuers: what the top level has goes to its own server, also for another issuer there; an entry has its own.
pub(crate) fn of_each_issuer() {
    let issued = Issued::p256("the CA of all servers");
    let server = || JwksServer::https_asking(&issued, keys::public_set().to_string());
    let (first, second, mut third, mut strict) = (server(), server(), server(), server());
    strict.set(Behaviour::Status(403));
    let directory = temporary_directory("credentials");
    let path = directory.to_str().unwrap();
    fs::write(directory.join("token"), "of-a-file\n").unwrap();
    let entry = |issuer: &str, server: &JwksServer, client: Value| json!({"issuer": issuer, "jwksUrl": server.url("/jwks.json"), "clientConfig": client});
    let configuration = json!({
        "issuer": "https://first/", "jwksUrl": first.url("/jwks.json"), "clientConfig": client_config(&issued),
        "trustedIssuers": [
            entry("https://second/", &second, json!({})),
            entry(
                "https://third/",
                &third,
                json!({"headers": {"Authorization": format!("Bearer file:{path}/token")}, "maxRetries": 0}),
            ),
            // The same server by another spelling, once as it is there and once with headers of its own.
            {"issuer": "https://fourth/", "jwksUrl": first.url("/fourth").replace("https://l", "HTTPS://L")},
            entry("https://fifth/", &first, json!({"headers": {"X-Key": "Key env:FIFTH_KEY"}})),
            entry("https://strict/", &strict, json!({"tls": {"serverName": "localhost"}})),
            // By another name it is another server.
            {"issuer": "https://sixth/", "jwksUrl": format!("https://{}/sixth", first.address())},
        ],
    });
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("issuers", FETCH, &configuration);
    let mounts = vec![format!("{path}:{path}:ro")];
    let envs = vec![("FIFTH_KEY".to_owned(), "5".to_owned())];
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], mounts, envs, ..Setup::default() });
    traefik.configure(&routes);
    // A file is read again for each fetch.
    third.set(Behaviour::Status(500));
    fs::write(directory.join("token"), "of-before\n").unwrap();
    let ask_third = || traefik.send(&Request::get("issuers", "/").bearer(&token_of("https://third/"))).status;
    assert_eq!(ask_third(), 503);
    fs::write(directory.join("token"), "of-a-file\n").unwrap();
    third.set(Behaviour::Up);
    wait("another attempt", 20, || (ask_third() == 200).then_some(()));
    for issuer in ["first", "second", "third", "fourth", "fifth", "sixth"] {
        let token = token_of(&format!("https://{issuer}/"));
        assert_eq!(traefik.send(&Request::get("issuers", "/").bearer(&token)).status, 200, "{issuer}");
    }
    // At load: who gets nothing of the top level, and does not say that this is meant.
    let told = traefik.log_with(0, &["\"level\":\"warn\"", "gets none of them; write those that it needs"]);
    let named = |server: &str| told.iter().filter(|line| line.contains(server)).count();
    let port = |server: &JwksServer| format!("localhost:{}", server.address().port());
    let sixth = first.address().to_string();
    assert_eq!([port(&second), port(&strict), sixth].map(|server| named(&server)), [1; 3], "{told:?}");
    assert_eq!(told.len(), 3, "{told:?}");
    let strict_token = token_of("https://strict/");
    assert_eq!(traefik.send(&Request::get("issuers", "/").bearer(&strict_token)).status, 503);
    assert_eq!(seen(&strict), [nothing()]);
    let told = traefik.log_with(
        0,
        &["status 403 of a server that gets no headers and certificate of clientConfig; no keys"],
    );
    assert_eq!(told.len(), 1, "{:?}", traefik.log());
    let bearer = |token: &str| (vec![format!("Authorization: Bearer {token}")], false);
    let fifth = (vec!["X-Key: Key 5".to_owned()], true);
    assert_eq!(seen(&first), [everything(), everything(), fifth, nothing()]);
    assert_eq!(seen(&second), [nothing()]);
    assert_eq!(seen(&third), [bearer("of-before"), bearer("of-a-file")]);
    fs::remove_dir_all(directory).unwrap();
}

/// A redirect and a `jwks_uri` lead neither to this machine by an unspecified address nor to a link-local one: as they stand,
/// in other spellings, and as what a name resolves to. Traefik runs with a hosts file of its own, which takes a mount
/// namespace.
pub(crate) fn addresses_that_answers_name() {
    let Some(binary) = hosts::traefik_with(
        "127.0.0.1 localhost\n0.0.0.0 here\n169.254.169.254 metadata\n0.0.0.0 both\n127.0.0.1 both\n",
    ) else {
        println!("SKIPPED addresses_that_answers_name: no mount namespaces here (unshare -rm)");
        return;
    };
    let directory = binary.parent().unwrap().to_owned();
    let target = JwksServer::http_at("0.0.0.0:0", keys::public_set().to_string());
    let port = target.address().port();
    let hosts = [
        ("0.0.0.0", Some("an address that none may lead to")),
        ("0", None),
        ("0x0", None),
        ("00.0.0", None),
        ("here", Some("an address that none may lead to")),
        ("HERE", Some("an address that none may lead to")),
        ("[::]", Some("an address that none may lead to")),
        ("[::ffff:0.0.0.0]", Some("an address that none may lead to")),
        ("[64:ff9b::]", Some("an address that none may lead to")),
        ("169.254.169.254", Some("an address that none may lead to")),
        ("[::ffff:a9fe:a9fe]", Some("an address that none may lead to")),
        ("[64:ff9b::a9fe:a9fe]", Some("an address that none may lead to")),
        ("[2002:a9fe:a9fe::]", Some("an address that none may lead to")),
        ("[fe80::1]", Some("an address that none may lead to")),
        ("2852039166", None),
        ("metadata", Some("an address that none may lead to")),
    ];
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let client_config = json!({"allowHttp": true, "timeoutSeconds": 4, "maxRetries": 0});
    let url = |host: &str| format!("http://{host}:{port}/jwks.json");
    let mut servers = Vec::new();
    for (index, (host, reason)) in hosts.into_iter().enumerate() {
        let mut redirecting = JwksServer::http("");
        redirecting.set(Behaviour::Redirect(302, url(host)));
        let metadata = JwksServer::http("");
        let issuer = metadata.url("");
        metadata.publish(json!({"issuer": issuer, "jwks_uri": url(host)}).to_string());
        let redirect =
            json!({"jwksUrl": redirecting.url("/"), "issuer": issuer, "clientConfig": client_config});
        let discovery = json!({"discovery": true, "issuer": issuer, "clientConfig": client_config});
        for (way, configuration, server, no_url) in [
            ("redirect", redirect, redirecting, "to no URL that may be fetched"),
            ("discovery", discovery, metadata, "the jwks_uri of the metadata is no https URL"),
        ] {
            let name = format!("{way}-{index}");
            routes.protect(&name, FETCH, &configuration);
            servers.push((
                name,
                format!("{way} to {host}"),
                issuer.clone(),
                server,
                reason.unwrap_or(no_url),
            ));
        }
    }
    // A name that has another address as well.
    let mut redirecting = JwksServer::http("");
    redirecting.set(Behaviour::Redirect(302, url("both")));
    let to_both = json!({"jwksUrl": redirecting.url("/"), "issuer": "x", "clientConfig": client_config});
    routes.protect("both", FETCH, &to_both);
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], binary, ..Setup::default() });
    traefik.configure(&routes);
    for (name, what, issuer, server, reason) in &servers {
        let start = traefik.log().len();
        assert_eq!(traefik.send(&Request::get(name, "/").bearer(&token_of(issuer))).status, 503, "{what}");
        assert_eq!(server.requests(), 1, "{what}");
        let told = traefik.log_with(start, &[reason]);
        assert!(!told.is_empty(), "{what}: {:?}", traefik.log_with(start, &[]));
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(target.requests(), 0);
    assert_eq!(traefik.send(&Request::get("both", "/").bearer(&token_of("x"))).status, 200);
    assert_eq!(target.requests(), 1);
    fs::remove_dir_all(directory).unwrap();
}
