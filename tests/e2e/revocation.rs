//! Revocation in a real Traefik: markers that come and go, for known tokens, at every router; lists in files and at a URL.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::proofs::sha256;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

use crate::sharing::at_once;

fn token(claims: &Value) -> String {
    let mut all = json!({"sub": "alice", "iat": unix_now() - 60, "exp": unix_now() + 600});
    all.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
    Token::new("EdDSA", all).mint()
}

fn configuration(revocation: Value) -> Value {
    json!({"jwks": keys::public_set(), "revocation": revocation})
}

/// A shell script, as the documentation has its lines.
fn shell(directory: &Path, script: &str) {
    let status = Command::new("sh").args(["-ec", script]).current_dir(directory).status().unwrap();
    assert!(status.success(), "{script}");
}

const GUIDE: &str = include_str!("../../docs/guides/logout.md");

/// The line of the guide that begins like this, for another directory than `/revoked`.
fn line(start: &str, directory: &Path) -> String {
    let line = GUIDE.lines().find(|line| line.starts_with(start)).unwrap();
    line.replace("/revoked", directory.to_str().unwrap())
}

/// What the guide says to do, in the row of its table that begins like this.
fn row(start: &str, directory: &Path) -> String {
    let row = line(&format!("| {start} | "), directory);
    row.split('`').nth(1).unwrap().to_owned()
}

/// The first block of the guide in this language.
fn block(language: &str) -> &'static str {
    GUIDE.split(&format!("```{language}\n")).nth(1).unwrap().split("```").next().unwrap()
}

/// A marker is made: the next request at every router and instance is refused, also with a token that they know. It is removed:
/// the token is good again. Both artifacts, with a mount that the plugin cannot write, and with the links of a ConfigMap.
pub(crate) fn markers() {
    let upstream = Upstream::start();
    let root = temporary_directory("revoked");
    let directory = root.join("revoked");
    fs::create_dir_all(&directory).unwrap();
    let traefik =
        Traefik::start(&Setup { mounts: vec![format!("{0}:{0}:ro", root.display())], ..Setup::default() });
    let mut routes = Routes::to(&upstream.url());
    let mut hosts = Vec::new();
    for plugin in [FETCH, OFFLINE] {
        routes.protect(plugin.name, plugin, &configuration(json!({"directory": directory})));
        let more = ["two", "three"].map(|name| format!("{}-{name}", plugin.name));
        more.iter().for_each(|host| routes.share(host, plugin.name));
        hosts.push(plugin.name.to_owned());
        hosts.extend(more);
    }
    traefik.configure(&routes);
    let name = line("name() {", &directory);
    let (long, strange) = ("x".repeat(4096), "../../etc/pass\0wd");
    let tokens = [
        ("jti", "j/1", json!({"jti": "j/1"})),
        ("jti", strange, json!({"jti": strange})),
        ("sid", ".", json!({"sid": "."})),
        ("sub", long.as_str(), json!({"sub": long})),
        ("client", "web", json!({"azp": "web", "sub": "bob"})),
    ];
    for (kind, value, claims) in tokens {
        let token = token(&claims);
        let all = |expected: u16, when: &str| {
            for host in &hosts {
                // Several at once, so that several instances are asked.
                std::thread::scope(|scope| {
                    for _ in 0..6 {
                        scope.spawn(|| {
                            let answer = traefik.send(&Request::get(host, "/").bearer(&token));
                            assert_eq!(answer.status, expected, "{host} {kind} {when}");
                        });
                    }
                });
            }
        };
        all(200, "before");
        all(200, "known");
        let marker = directory.join(kind).join(sha256(value.as_bytes()));
        if value.contains('\0') {
            fs::create_dir_all(marker.parent().unwrap()).unwrap();
            fs::write(&marker, "").unwrap();
        } else {
            shell(&directory, &format!("{name}; mkdir -p {kind}; touch {kind}/$(name '{value}')"));
        }
        assert!(marker.is_file(), "{kind}");
        all(401, "marked");
        fs::remove_file(&marker).unwrap();
        all(200, "removed");
    }
    // A user's tokens that are issued later are good.
    let marked = unix_now() - 100;
    shell(&directory, &format!("{name}; touch -d @{marked} sub/$(name dave)"));
    let ask = |token: &str| traefik.send(&Request::get("jwt", "/").bearer(token)).status;
    for (iat, expected) in [(marked - 1, 401), (marked, 401), (marked + 1, 200)] {
        assert_eq!(ask(&token(&json!({"sub": "dave", "iat": iat}))), expected, "{iat}");
    }
    guide(&traefik, &directory);
    config_map(&traefik, &directory);
    let known = token(&json!({"jti": "known", "sub": "carol"}));
    assert_eq!(ask(&known), 200);
    fs::remove_dir_all(&directory).unwrap();
    let answer = traefik.send(&Request::get("jwt", "/").bearer(&known));
    assert_eq!((answer.status, answer.text().contains("Revocation")), (503, true), "{}", answer.text());
    let _ = fs::remove_dir_all(root);
}

/// The lines of the guide, as they stand.
fn guide(traefik: &Traefik, directory: &Path) {
    let prepared = block("sh").replace("/revoked", directory.to_str().unwrap());
    let ask = |token: &str| traefik.send(&Request::get("jwt", "/").bearer(token)).status;
    let tokens = [
        ("log somebody out everywhere", json!({"sub": "alice"})),
        ("end one session", json!({"sid": "0d6f3f1c", "sub": "bob"})),
        ("take back one token", json!({"jti": "7c9e6679", "sub": "bob"})),
        ("end all tokens of a client", json!({"client_id": "web-app", "sub": "bob"})),
    ];
    for (what, claims) in tokens {
        let token = token(&claims);
        assert_eq!(ask(&token), 200, "{what}");
        let line = row(what, directory);
        shell(directory, &format!("{prepared}\nSID=0d6f3f1c; JTI=7c9e6679; {line}"));
        assert_eq!(ask(&token), 401, "{what}");
    }
    shell(directory, &format!("{prepared}\n{}", row("undo it", directory)));
    assert_eq!(ask(&token(&json!({"sub": "alice"}))), 200);
    // Markers of long ago go, the others stay.
    let old = sha256(b"old");
    shell(directory, &format!("touch -d '3 days ago' jti/{old}\n{}", line("find ", directory)));
    assert!(!directory.join("jti").join(old).exists());
    assert!(directory.join("jti").join(sha256(b"7c9e6679")).exists());
}

/// Kubernetes puts the files of a ConfigMap behind two links and changes one of them.
fn config_map(traefik: &Traefik, directory: &Path) {
    let name = sha256(b"mapped");
    shell(
        directory,
        &format!("rm -rf sid; mkdir -p sid/..v1 sid/..v2; touch sid/..v2/{name}; cd sid; ln -s ..v1 ..data"),
    );
    let token = token(&json!({"sid": "mapped", "sub": "carol"}));
    let ask = || traefik.send(&Request::get("jwt-offline", "/").bearer(&token)).status;
    assert_eq!(ask(), 200);
    shell(directory, &format!("cd sid; ln -s ..data/{name} {name}"));
    assert_eq!(ask(), 200, "a link to nothing is nothing");
    shell(directory, "cd sid; ln -s ..v2 ..next; mv -T ..next ..data");
    assert_eq!(ask(), 401);
    shell(directory, "cd sid; ln -s ..v1 ..next; mv -T ..next ..data");
    assert_eq!(ask(), 200);
}

/// A list in a file and at a URL: what it revokes is refused, a malformed one is not taken, and the last good one stays.
pub(crate) fn lists() {
    let upstream = Upstream::start();
    let (directory, shared) = (temporary_directory("list"), temporary_directory("list-shared"));
    let file = directory.join("list.jsonl");
    let good =
        format!("{}{{\"jti\":\"j1\"}}\n{{\"sub\":\"mallory\",\"before\":4102444800}}\n", block("json"));
    let replaced = line("curl -fsS https", &directory)
        .replace(&format!("https://idp.example{}", directory.display()), "file://$PWD/fetched");
    fs::write(directory.join("fetched"), &good).unwrap();
    shell(&directory, &replaced);
    let server = JwksServer::https(good);
    let traefik = Traefik::start(&Setup {
        mounts: vec![format!("{0}:{0}:ro", directory.display()), format!("{0}:{0}", shared.display())],
        ..Setup::default()
    });
    let mut routes = Routes::to(&upstream.url());
    let by_url = |more: Value| {
        let mut config = configuration(json!({"url": server.url("/revoked")}));
        config["clientConfig"] = json!({"tls": {"ca": server.ca_pem()}});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    routes.protect("file", FETCH, &configuration(json!({"file": file})));
    routes.protect("offline", OFFLINE, &configuration(json!({"file": file})));
    routes.protect("kept", FETCH, &by_url(json!({"jwksCache": {"directory": shared}})));
    routes.protect("url", FETCH, &by_url(json!({"jwksCache": {"ttlSeconds": 2, "cooldownSeconds": 1}})));
    for more in ["two", "three"] {
        routes.share(&format!("kept-{more}"), "kept");
        routes.share(&format!("url-{more}"), "url");
    }
    traefik.configure(&routes);
    let bad_token = token(&json!({"jti": "j1"}));
    let (good_token, mallory) = (token(&json!({"jti": "j2"})), token(&json!({"sub": "mallory"})));
    let ask = |host: &str, token: &str| traefik.send(&Request::get(host, "/").bearer(token)).status;
    let in_guide = token(&json!({"jti": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}));
    let hosts = ["file", "offline", "url", "url-two", "url-three"];
    for host in ["kept", "kept-two", "kept-three"].into_iter().chain(hosts) {
        for _ in 0..2 {
            assert_eq!([(); 3].map(|()| ask(host, &bad_token)), [401; 3], "{host}");
            assert_eq!(
                [&good_token, &mallory, &in_guide].map(|token| ask(host, token)),
                [200, 401, 401],
                "{host}"
            );
        }
        // One router fetches for all that share a directory.
        assert!(!host.starts_with("kept") || server.requests() == 1, "{host}: {}", server.requests());
    }
    // Replaced as whole files are.
    let replace = |text: &str| {
        fs::write(directory.join("part"), text).unwrap();
        fs::rename(directory.join("part"), &file).unwrap();
        server.publish(text);
    };
    replace("{\"jti\":\"j2\"}\n");
    for host in hosts {
        // An instance looks for what others have fetched once a second.
        wait("the new list counts at every instance", 30, || {
            let asked = [(); 8].map(|()| [ask(host, &good_token), ask(host, &bad_token)]);
            (asked == [[401, 200]; 8]).then_some(())
        });
    }
    replace("{\"jti\":\"j1\"}\n{\"jti\":}\n");
    let files = ["file", "offline"];
    // An instance looks at its file once a second.
    for _ in 0..30 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        for host in hosts {
            let asked = [ask(host, &good_token), ask(host, &bad_token)];
            // One that Traefik starts now finds the malformed file and has nothing from before.
            let taken = |status, expected| status == expected || files.contains(&host) && status == 503;
            assert!(taken(asked[0], 401) && taken(asked[1], 200), "{host}: {asked:?}");
        }
    }
    for host in files {
        let told = traefik.log_with(0, &[&format!("\"{host}@file\""), "line 2 is not one JSON object"]);
        assert!(!told.is_empty(), "{host}");
    }
    for directory in [directory, shared] {
        let _ = fs::remove_dir_all(directory);
    }
}

/// A list of 2 MB in a file, which many instances read at the same time while others wait for the lock: none of them takes what
/// the host mixes up for the list.
pub(crate) fn long_list() {
    let upstream = Upstream::start();
    let directory = temporary_directory("long-list");
    let file = directory.join("list.jsonl");
    // As long as one of 100,000 short names, and read in a fifth of the time.
    let list: String = (0..20_000).map(|number| format!("{{\"jti\":\"{number:090}\"}}\n")).collect();
    fs::write(&file, list).unwrap();
    let mounts = vec![format!("{0}:{0}:ro", directory.display())];
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], mounts, ..Setup::default() });
    let of = |jti: &str| Request::get("long", "/slow?500").bearer(&token(&json!({"jti": jti})));
    let (good, bad) = (of("other"), of(&format!("{:090}", 19_999)));
    for reload in 0..6 {
        let mut routes = Routes::to(&upstream.url());
        let mut config = configuration(json!({"file": file}));
        config["clockSkewSeconds"] = json!(reload);
        routes.protect("long", FETCH, &config);
        traefik.configure(&routes);
        assert_eq!(at_once(&traefik, 24, &good), [200; 24], "reload {reload}");
        assert_eq!(at_once(&traefik, 8, &bad), [401; 8], "reload {reload}");
    }
    let mixed_up = traefik.log_with(0, &["is not one JSON object"]);
    assert!(mixed_up.is_empty(), "{mixed_up:?}");
    let _ = fs::remove_dir_all(directory);
}
