//! DPoP in a real Traefik: what only several instances, routers, processes and middlewares show.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testbed::http::{Request, Response};
use testbed::keys;
use testbed::proofs::{Proof, public_jwk, thumbprint};
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Plugin, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

/// `proofs` with these members, for tokens of the test bed.
fn configuration(proofs: Value) -> Value {
    json!({"jwks": keys::public_set(), "proofs": proofs})
}

/// A token that is bound to the key `p256`.
fn bound() -> String {
    let cnf = json!({"jkt": thumbprint(&public_jwk("p256"))});
    Token::new("EdDSA", json!({"sub": "alice", "exp": unix_now() + 600, "cnf": cnf})).mint()
}

fn request(host: &str, path: &str, token: &str, proof: &str) -> Request {
    Request::get(host, path).header("Authorization", format!("DPoP {token}")).header("DPoP", proof)
}

fn proof(host: &str, path: &str, token: &str) -> Proof {
    Proof::new("GET", &format!("http://{host}{path}"), token, unix_now())
}

fn challenge(answer: &Response) -> &str {
    answer.header("WWW-Authenticate").unwrap_or_default()
}

fn error(answer: &Response, error: &str) {
    let challenge = challenge(answer);
    assert!(answer.status == 401 && challenge.contains(&format!("error=\"{error}\"")), "{answer:?}");
    assert!(answer.header("X-Upstream").is_none());
}

/// A directory for proofs, and a Traefik that mounts it.
fn with_directory() -> (std::path::PathBuf, Traefik) {
    // As it should be: on tmpfs, where 33,000 directories are made in a moment.
    let directory = Path::new("/dev/shm").join(format!("jwt-replay-{}", std::process::id()));
    let directory = if Path::new("/dev/shm").is_dir() { directory } else { temporary_directory("replay") };
    fs::create_dir_all(&directory).unwrap();
    let traefik =
        Traefik::start(&Setup { mounts: vec![format!("{0}:{0}", directory.display())], ..Setup::default() });
    (directory, traefik)
}

/// 200 copies of one proof at once, over three routers with 20 instances each: one of them is the first, in both artifacts.
pub(crate) fn replay() {
    let upstream = Upstream::start();
    let (directory, traefik) = with_directory();
    let token = bound();
    for (plugin, name) in [(FETCH, "fetch"), (OFFLINE, "offline")] {
        let directory = directory.join(name);
        fs::create_dir(&directory).unwrap();
        let mut routes = Routes::to(&upstream.url());
        let origin = "http://api.example";
        let config = configuration(json!({
            "dpop": "required", "replay": "directory", "directory": directory, "origin": origin,
        }));
        routes.protect("one", plugin, &config);
        routes.share("two", "one");
        routes.share("three", "one");
        traefik.configure(&routes);
        instances(&traefik, &upstream, &token);
        for round in 0..5 {
            let proof = proof("api.example", "/slow", &token).sign();
            let requests: Vec<Request> =
                ["one", "two", "three"].map(|host| request(host, "/slow?200", &token, &proof)).into();
            let before = upstream.requests();
            let answers = at_once(&traefik, &requests, 200);
            let accepted = answers.iter().filter(|answer| answer.status == 200).count();
            assert_eq!(accepted, 1, "{} round {round}", plugin.name);
            answers.iter().filter(|answer| answer.status != 200).for_each(|answer| {
                error(answer, "invalid_dpop_proof");
            });
            assert_eq!(upstream.requests() - before, 1);
        }
        // Another proof of the same client is one of its own.
        let proof = proof("api.example", "/", &token).sign();
        assert_eq!(traefik.send(&request("two", "/", &token, &proof)).status, 200);
        assert_eq!(traefik.send(&request("three", "/", &token, &proof)).status, 401);
        sweeping(&traefik, &token, &directory, plugin);
        full(&traefik, &token, &directory, plugin);
    }
    let _ = fs::remove_dir_all(directory);
}

/// Each router gets 20 instances: so many requests are at the upstream at once, each with a proof of its own.
fn instances(traefik: &Traefik, upstream: &Upstream, token: &str) {
    let before = upstream.requests();
    std::thread::scope(|scope| {
        for number in 0..60 {
            let proof = proof("api.example", "/slow", token).sign();
            let request = request(["one", "two", "three"][number % 3], "/slow?3000", token, &proof);
            scope.spawn(move || assert_eq!(traefik.send(&request).status, 200));
        }
        wait("all of them are at the upstream", 60, || (upstream.requests() - before == 60).then_some(()));
    });
}

/// What counts no more is removed by the requests that come later; what others keep there stays.
fn sweeping(traefik: &Traefik, token: &str, directory: &Path, plugin: Plugin) {
    for number in 0..600 {
        fs::create_dir_all(directory.join(format!("1-a/{number:043}"))).unwrap();
    }
    fs::create_dir_all(directory.join("mine/keep")).unwrap();
    wait("old proofs are removed", 60, || {
        for _ in 0..80 {
            let proof = proof("api.example", "/", token).sign();
            assert_eq!(traefik.send(&request("one", "/", token, &proof)).status, 200);
        }
        (!directory.join("1-a").exists()).then_some(())
    });
    assert!(directory.join("mine/keep").exists(), "{}", plugin.name);
}

/// Beyond what is remembered of a span, and without the directory, nothing passes.
fn full(traefik: &Traefik, token: &str, directory: &Path, plugin: Plugin) {
    let ask = || {
        let proof = proof("api.example", "/", token).sign();
        traefik.send(&request("one", "/", token, &proof)).status
    };
    // One of 16 shards, in this span and the next.
    for span in [unix_now() / 60, unix_now() / 60 + 1] {
        let shard = directory.join(format!("{span}-a"));
        fs::create_dir_all(&shard).unwrap();
        (0..33_000).for_each(|number| fs::create_dir(shard.join(format!("{number}"))).unwrap());
    }
    let statuses: Vec<u16> = (0..150).map(|_| ask()).collect();
    let count = |status| statuses.iter().filter(|found| **found == status).count();
    assert!(
        count(503) > 0 && count(503) < 40 && count(200) + count(503) == 150,
        "{}: {statuses:?}",
        plugin.name
    );
    for entry in fs::read_dir(directory).unwrap() {
        fs::remove_dir_all(entry.unwrap().path()).unwrap();
    }
    fs::remove_dir(directory).unwrap();
    assert_eq!(ask(), 503, "{}", plugin.name);
    fs::create_dir(directory).unwrap();
    // Each runtime has the directory that was mounted when it began, or the new one.
    assert!([200, 503].contains(&ask()), "{}", plugin.name);
}

fn at_once(traefik: &Traefik, requests: &[Request], count: usize) -> Vec<Response> {
    std::thread::scope(|scope| {
        let send = |number: usize| traefik.send(&requests[number % requests.len()]);
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || send(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// `htu` has the path that Traefik received: the middleware stands before those that change it.
pub(crate) fn before_strip_prefix() {
    let upstream = Upstream::start();
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    let router = |host: &str, order: [&str; 2]| json!({"rule": format!("Host(`{host}`)"), "service": "upstream", "middlewares": order});
    let dynamic = json!({"http": {
        "routers": {"before": router("before", ["jwt", "strip"]), "behind": router("behind", ["strip", "jwt"])},
        "middlewares": {
            "jwt": {"plugin": {"jwt": configuration(json!({"dpop": "optional"}))}},
            "strip": {"stripPrefix": {"prefixes": ["/api"]}},
        },
        "services": {"upstream": {"loadBalancer": {"servers": [{"url": upstream.url()}]}}},
    }});
    fs::write(traefik.directory().join("dynamic/order.yml"), dynamic.to_string()).unwrap();
    let token = bound();
    wait("the routes are there", 60, || {
        (traefik.send(&Request::get("before", "/api/x")).status == 401).then_some(())
    });
    let ask = |host: &str, path: &str| {
        traefik.send(&request(host, "/api/orders", &token, &proof(host, path, &token).sign()))
    };
    let answer = ask("before", "/api/orders");
    assert_eq!((answer.status, answer.json()["target"].as_str()), (200, Some("/orders")));
    error(&ask("before", "/orders"), "invalid_dpop_proof");
    error(&ask("behind", "/api/orders"), "invalid_dpop_proof");
    // The host of the request, and its scheme, are those of Traefik.
    let other = proof("other", "/api/orders", &token).sign();
    error(&traefik.send(&request("before", "/api/orders", &token, &other)), "invalid_dpop_proof");
    let forged = request("before", "/api/orders", &token, &proof("before", "/api/orders", &token).sign());
    let https = Proof::new("GET", "https://before/api/orders", &token, unix_now()).sign();
    let insecure = request("before", "/api/orders", &token, &https).header("X-Forwarded-Proto", "https");
    assert_eq!(traefik.send(&forged.header("X-Forwarded-Host", "evil")).status, 200);
    error(&traefik.send(&insecure), "invalid_dpop_proof");
    // A WebSocket upgrade, whose scheme Traefik calls ws.
    for (scheme, expected) in [("http", 101), ("ws", 101), ("wss", 401)] {
        let proof = Proof::new("GET", &format!("{scheme}://before/api/chat"), &token, unix_now()).sign();
        let upgrade = request("before", "/api/chat", &token, &proof)
            .header("Connection", "Upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        let mut stream = upgrade.open(traefik.address()).unwrap();
        assert_eq!(testbed::http::read_head(&mut stream).unwrap().0, expected, "{scheme}");
    }
}

/// Two Traefiks with one secret, in a variable or in a file, take each other's nonces; a client that follows the challenge needs two requests for its first
/// answer and one for each other, and every answer has the nonce for the next proof.
pub(crate) fn nonce_of_two() {
    let upstream = Upstream::start();
    let directory = temporary_directory("nonces");
    let file = directory.join("secret");
    fs::write(&file, "0123456789abcdef0123456789abcdef\n").unwrap();
    let mut hosts = Vec::new();
    let mut start = || {
        let traefik = Traefik::start(&Setup {
            envs: vec![("NONCES".into(), "0123456789abcdef0123456789abcdef".into())],
            mounts: vec![format!("{0}:{0}:ro", directory.display())],
            ..Setup::default()
        });
        let mut routes = Routes::to(&upstream.url());
        hosts.clear();
        for plugin in [FETCH, OFFLINE] {
            for (place, secret) in
                [("env", "env:NONCES".to_owned()), ("file", format!("file:{}", file.display()))]
            {
                let proofs = json!({"dpop": "optional", "replay": "nonce", "nonceSecret": secret});
                let host = format!("{}-{place}", plugin.name);
                routes.protect(&host, plugin, &configuration(proofs));
                hosts.push(host);
            }
        }
        traefik.configure(&routes);
        traefik
    };
    let (one, other) = (start(), start());
    let token = bound();
    let ask_at = |host: &str, traefik: &Traefik, nonce: Option<&str>| {
        let proof = proof(host, "/", &token);
        let proof = nonce.map_or(proof.clone(), |nonce| proof.claim("nonce", json!(nonce)));
        traefik.send(&request(host, "/", &token, &proof.sign()))
    };
    for (first, then) in [(&one, &other), (&other, &one)] {
        for host in &hosts {
            let ask = |traefik: &Traefik, nonce: Option<&str>| ask_at(host, traefik, nonce);
            let refused = ask(first, None);
            error(&refused, "use_dpop_nonce");
            assert!(challenge(&refused).starts_with("Bearer, DPoP error="), "{}", challenge(&refused));
            let nonce = refused.header("DPoP-Nonce").unwrap().to_owned();
            let accepted = ask(then, Some(&nonce));
            assert_eq!(accepted.status, 200, "{:?}", challenge(&accepted));
            let next = accepted.header("DPoP-Nonce").unwrap().to_owned();
            assert_eq!(ask(first, Some(&next)).status, 200);
            error(&ask(first, Some("AAAA")), "use_dpop_nonce");
        }
    }
    // Another secret is in the file: from then on it counts, in both.
    let nonce =
        |traefik: &Traefik, host: &str| ask_at(host, traefik, None).header("DPoP-Nonce").unwrap().to_owned();
    let before = nonce(&one, &hosts[1]);
    fs::write(directory.join("part"), "another secret of more than 32 bytes").unwrap();
    fs::rename(directory.join("part"), &file).unwrap();
    for host in hosts.iter().filter(|host| host.ends_with("-file")) {
        wait("the new secret counts", 60, || {
            let refused = [&one, &other].map(|traefik| ask_at(host, traefik, Some(&before)).status);
            let accepted = ask_at(host, &other, Some(&nonce(&one, host))).status;
            (refused == [401, 401] && accepted == 200).then_some(())
        });
    }
    fs::remove_dir_all(directory).unwrap();
}

/// Proofs and replays of them for minutes, under load: no wrong answer.
pub(crate) fn soak() {
    let minutes: i64 = std::env::var("SOAK_MINUTES").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let upstream = Upstream::start();
    let (directory, traefik) = with_directory();
    let mut routes = Routes::to(&upstream.url());
    let revoked = directory.join("revoked");
    fs::create_dir_all(revoked.join("jti")).unwrap();
    let mut config = configuration(json!({
        "dpop": "required", "replay": "directory", "directory": directory.join("proofs"),
        "origin": "http://api.example",
    }));
    fs::create_dir_all(directory.join("proofs")).unwrap();
    config["revocation"] = json!({"directory": revoked});
    routes.protect("one", FETCH, &config);
    routes.share("two", "one");
    traefik.configure(&routes);
    let end = unix_now() + minutes * 60;
    let count = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let (traefik, revoked, count) = (&traefik, &revoked, &count);
            scope.spawn(move || {
                let cnf = json!({"jkt": thumbprint(&public_jwk("p256"))});
                let jti = format!("soak-{worker}");
                let claims = json!({"sub": "alice", "jti": jti, "exp": end + 600, "cnf": cnf});
                let token = Token::new("EdDSA", claims).mint();
                let marker = revoked.join("jti").join(testbed::proofs::sha256(jti.as_bytes()));
                for number in 0.. {
                    if unix_now() >= end {
                        break;
                    }
                    let proof = proof("api.example", "/", &token).sign();
                    let ask = |host| traefik.send(&request(host, "/", &token, &proof)).status;
                    let is_revoked = number % 10 == 9;
                    if is_revoked {
                        fs::write(&marker, "").unwrap();
                        assert_eq!([ask("one"), ask("two")], [401, 401]);
                        fs::remove_file(&marker).unwrap();
                    }
                    assert_eq!([ask("one"), ask("two"), ask("one")], [200, 401, 401]);
                    count.fetch_add(3, std::sync::atomic::Ordering::Relaxed);
                }
            });
        }
    });
    println!("{} answers, none of them wrong", count.into_inner());
    let _ = fs::remove_dir_all(directory);
}
