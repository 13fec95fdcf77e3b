//! Keys over the network are fetched once: for all instances of a router and, with a directory, for all routers,
//! reloads and restarts. Every count is that of the provider.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{Request, Response};
use testbed::jwks_server::{Behaviour, JwksServer};
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, Routes, Setup, Traefik, temporary_directory};
use testbed::upstream::Upstream;
use testbed::wait::{unix_now, wait};

use crate::proxy::token;

const ISSUER: &str = "https://idp.example/";

fn configuration(idp: &JwksServer) -> Value {
    json!({
        "jwksUrl": idp.url("/jwks.json"), "issuer": ISSUER,
        "clientConfig": {"tls": {"ca": idp.ca_pem()}, "timeoutSeconds": 3, "maxRetries": 1},
        "forwardHeaders": {"X-User-Sub": "sub"},
    })
}

fn setup() -> Setup {
    Setup { plugins: vec![FETCH], ..Setup::default() }
}

/// A Traefik with one route, through the middleware with this configuration.
fn serve(host: &str, configuration: &Value) -> (Upstream, Traefik) {
    serve_in(&setup(), host, configuration)
}

fn serve_in(setup: &Setup, host: &str, configuration: &Value) -> (Upstream, Traefik) {
    let upstream = Upstream::start();
    let traefik = Traefik::start(setup);
    let mut routes = Routes::to(&upstream.url());
    routes.protect(host, FETCH, configuration);
    traefik.configure(&routes);
    (upstream, traefik)
}

fn claims() -> Value {
    json!({"iss": ISSUER, "sub": "alice", "exp": unix_now() + 600})
}

/// `count` requests at the same time; their statuses, sorted.
pub(crate) fn at_once(traefik: &Traefik, count: usize, request: &Request) -> Vec<u16> {
    let mut statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(|| traefik.send(request).status)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    statuses.sort_unstable();
    statuses
}

/// One fetches, 64 wait, and where a busy machine makes that take long, the others are told to retry later.
fn served_or_crowded(statuses: &[u16]) {
    let served = statuses.iter().filter(|status| **status == 200).count();
    assert!(served >= 64, "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
    println!("{served} of {} at once were served", statuses.len());
}

#[expect(clippy::disallowed_methods, reason = "the clock of a native test is real")]
fn timed<R>(work: impl FnOnce() -> R) -> (R, Duration) {
    let start = std::time::Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// 200 first requests at once, each with an instance of its own, are one request at the provider; so are they after a
/// reload, and instances born later ask nobody. On a busy machine more of them may come during the fetch than may wait.
pub(crate) fn burst() {
    let mut set = keys::public_set();
    let mut strange = keys::jwk("ed25519-other");
    strange["kid"] = json!("evil\u{202e}KID\u{2028}next");
    set["keys"].as_array_mut().unwrap().push(strange);
    let idp = JwksServer::https(set.to_string());
    let upstream = Upstream::start();
    let traefik = Traefik::start(&setup());
    let slow = Request::get("burst", "/slow?1500").bearer(&token());
    for reload in 0..3 {
        let mut routes = Routes::to(&upstream.url());
        let mut configuration = configuration(&idp);
        configuration["clockSkewSeconds"] = json!(reload);
        routes.protect("burst", FETCH, &configuration);
        traefik.configure(&routes);
        let before = idp.requests();
        served_or_crowded(&at_once(&traefik, 200, &slow));
        assert_eq!(idp.requests() - before, 1, "reload {reload}");
        // More than there are instances by now.
        assert_eq!(at_once(&traefik, 300, &slow), [200; 300], "reload {reload}");
        assert_eq!(idp.requests() - before, 1, "reload {reload}");
    }
    let changes = traefik.log_with(0, &["keys, added ["]);
    assert_eq!(changes.len(), 3, "one line for each set that was loaded: {changes:?}");
    for line in &changes {
        let told = ["/jwks.json: 6 keys", "added [ed25519 ", "removed []", "age 0 s, next refresh in "];
        assert!(told.iter().all(|part| line.contains(part)), "{line}");
        assert!(
            line.is_ascii() && line.contains("u202eKID"),
            "a kid that steers a terminal is escaped: {line}"
        );
    }
}

/// A thousand requests without keys while the provider hangs: 64 wait, each of which holds a thread, the others are
/// refused at once, and everything is back when the provider is.
pub(crate) fn crowd() {
    crowd_in(&setup());
}

/// The same in this Traefik.
pub(crate) fn crowd_in(setup: &Setup) {
    let mut idp = JwksServer::https(keys::public_set().to_string());
    let (upstream, traefik) = serve_in(setup, "crowd", &configuration(&idp));
    idp.set(Behaviour::Hang);
    let request = Request::get("crowd", "/").bearer(&token());
    let done = AtomicUsize::new(0);
    let (statuses, waiting) = std::thread::scope(|scope| {
        let clients = scope.spawn(|| {
            let statuses = at_once(&traefik, 1_000, &request);
            done.store(1, Ordering::SeqCst);
            statuses
        });
        let mut most = 0;
        while done.load(Ordering::SeqCst) == 0 {
            most = most.max(traefik.receiving_threads());
            std::thread::sleep(Duration::from_millis(20));
        }
        (clients.join().unwrap(), most)
    });
    assert_eq!(statuses, [503; 1_000]);
    // One that comes now is told when to retry: within the back-off, which doubles from a second.
    let retry_after =
        traefik.send(&request).header("Retry-After").and_then(|value| value.parse::<u64>().ok());
    assert!(matches!(retry_after, Some(1..=5)), "{retry_after:?}");
    println!("crowd: {waiting} waited at most, {} requests at the provider", idp.requests());
    // One fetches, 64 wait, and a few read the record at that moment.
    assert!((32..100).contains(&waiting), "{waiting} waited");
    // The deadline, then the back-off: a second attempt may have begun before the last client came.
    assert!(idp.requests() <= 2, "{} requests at the provider", idp.requests());
    assert_eq!(upstream.requests(), 1, "only the request that tells that the configuration is in force");
    idp.set(Behaviour::Up);
    wait("the keys are back", 10, || (traefik.send(&request).status == 200).then_some(()));
    assert!(traefik.log_with(0, &["wasm error"]).is_empty());
}

/// Ahead of its end a set is refreshed by one request, conditional, and nobody waits for it but the one that asks.
pub(crate) fn ahead() {
    let idp = JwksServer::https(keys::public_set().to_string());
    idp.set_etag(true);
    let mut configuration = configuration(&idp);
    configuration["jwksCache"] = json!({"ttlSeconds": 5, "cooldownSeconds": 1});
    let (_upstream, traefik) = serve("ahead", &configuration);
    let mut idp = idp;
    let request = Request::get("ahead", "/slow?20").bearer(&token());
    assert_eq!(traefik.send(&request).status, 200);
    idp.set(Behaviour::Late(300));
    let slow = AtomicUsize::new(0);
    let (_, took) = timed(|| {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..150 {
                        let (answer, took) = timed(|| traefik.send(&request));
                        assert_eq!(answer.status, 200);
                        slow.fetch_add(usize::from(took > Duration::from_millis(300)), Ordering::SeqCst);
                        std::thread::sleep(Duration::from_millis(40));
                    }
                });
            }
        });
    });
    // Due after four to four and a half of five seconds.
    let seconds = usize::try_from(took.as_secs()).unwrap();
    let expected = seconds / 5..=seconds / 4 + 1;
    let refreshes = idp.requests() - 1;
    println!(
        "ahead: {refreshes} refreshes in {took:?}, {} of 1200 requests waited",
        slow.load(Ordering::SeqCst)
    );
    assert!(expected.contains(&refreshes), "{refreshes} refreshes in {took:?}");
    assert!(slow.load(Ordering::SeqCst) <= refreshes + 12, "more than those who asked waited");
    let conditional = idp.request_heads().iter().filter(|head| head.contains("If-None-Match")).count();
    assert_eq!(conditional, refreshes, "each refresh names the ETag");
}

/// Unknown kids cost one refresh a cooldown, whatever clients send; a key that left the set stops working everywhere,
/// also for tokens that were verified before.
pub(crate) fn rotation() {
    let idp = JwksServer::https(keys::jwk_set(&["rsa", "ed25519"]).to_string());
    let mut configuration = configuration(&idp);
    configuration["jwksCache"] = json!({"cooldownSeconds": 2});
    let (_upstream, traefik) = serve("rotating", &configuration);
    let old = Request::get("rotating", "/slow?200").bearer(&Token::new("EdDSA", claims()).mint());
    let new = Request::get("rotating", "/slow?200").bearer(&Token::new("ES256", claims()).mint());
    assert_eq!(at_once(&traefik, 40, &old), [200; 40]);
    let (_, took) = timed(|| {
        std::thread::scope(|scope| {
            for client in 0..10 {
                let traefik = &traefik;
                scope.spawn(move || {
                    for number in 0..120 {
                        let mut token = Token::new("EdDSA", claims());
                        token.kid = Some(Some(format!("unknown-{client}-{number}")));
                        let answer = traefik.send(&Request::get("rotating", "/").bearer(&token.mint()));
                        assert_eq!(answer.status, 401, "{}", answer.text());
                        std::thread::sleep(Duration::from_millis(20));
                    }
                });
            }
        });
    });
    println!("rotation: {} requests at the provider for 1200 unknown kids in {took:?}", idp.requests());
    let most = 2 + usize::try_from(took.as_secs()).unwrap() / 2;
    assert!(idp.requests() <= most, "{} in {took:?}", idp.requests());
    idp.publish(keys::jwk_set(&["rsa", "p256"]).to_string());
    std::thread::sleep(Duration::from_millis(2_100));
    // The first token of the new key brings the set, and a second later at most every instance has it.
    assert_eq!(traefik.send(&new).status, 200);
    assert_eq!(at_once(&traefik, 40, &new), [200; 40]);
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(at_once(&traefik, 60, &old), [401; 60]);
    assert_eq!(at_once(&traefik, 60, &new), [200; 60]);
}

/// A provider that replaces a key under its name: the first token of the new one brings the set, and tokens under a known
/// kid that nobody signed cause no more requests than unknown kids do, both together.
pub(crate) fn replaced_key() {
    let idp = JwksServer::https(keys::jwk_set(&["rsa", "ed25519"]).to_string());
    let mut configuration = configuration(&idp);
    configuration["jwksCache"] = json!({"cooldownSeconds": 2});
    let (_upstream, traefik) = serve("replaced", &configuration);
    let slow = |token: Token| Request::get("replaced", "/slow?200").bearer(&token.mint());
    let old = slow(Token::new("EdDSA", claims()));
    let new = slow(Token::new("EdDSA", claims()).signed_by("ed25519-other"));
    assert_eq!(at_once(&traefik, 40, &old), [200; 40]);
    let (_, took) = timed(|| {
        std::thread::scope(|scope| {
            for client in 0..10 {
                let traefik = &traefik;
                scope.spawn(move || {
                    for number in 0..120 {
                        let mut claims = claims();
                        claims["jti"] = json!(format!("{client}-{number}"));
                        let mut token = Token::new("EdDSA", claims).signed_by("ed25519-other");
                        if number % 3 == 0 {
                            token.kid = Some(Some(format!("unknown-{client}-{number}")));
                        }
                        let answer = traefik.send(&Request::get("replaced", "/").bearer(&token.mint()));
                        assert_eq!(answer.status, 401, "{}", answer.text());
                        std::thread::sleep(Duration::from_millis(20));
                    }
                });
            }
        });
    });
    println!("replaced: {} requests at the provider for 1200 forged tokens in {took:?}", idp.requests());
    let most = 2 + usize::try_from(took.as_secs()).unwrap() / 2;
    assert!((2..=most).contains(&idp.requests()), "{} in {took:?}", idp.requests());
    let mut replaced = keys::jwk("ed25519-other");
    replaced["kid"] = json!("ed25519");
    idp.publish(json!({"keys": [keys::jwk("rsa"), replaced]}).to_string());
    std::thread::sleep(Duration::from_millis(2_100));
    assert_eq!(traefik.send(&new).status, 200);
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(at_once(&traefik, 60, &old), [401; 60]);
    assert_eq!(at_once(&traefik, 60, &new), [200; 60]);
}

/// Up, then down: every instance serves with the keys from before, also those that are born now, with one warning.
pub(crate) fn stale() {
    let mut idp = JwksServer::https(keys::public_set().to_string());
    let mut configuration = configuration(&idp);
    configuration["jwksCache"] = json!({"ttlSeconds": 2, "cooldownSeconds": 1});
    let (_upstream, traefik) = serve("stale", &configuration);
    let good = Request::get("stale", "/slow?300").bearer(&token());
    let forged = Token::new("EdDSA", claims()).signed_by("ed25519-other").mint();
    assert_eq!(traefik.send(&good).status, 200);
    idp.set(Behaviour::Down);
    for _ in 0..12 {
        assert_eq!(at_once(&traefik, 30, &good), [200; 30]);
        assert_eq!(traefik.send(&Request::get("stale", "/").bearer(&forged)).status, 401);
        std::thread::sleep(Duration::from_millis(200));
    }
    let warnings = traefik.log_with(0, &["\"level\":\"warn\"", "serving the keys from before"]);
    assert_eq!(warnings.len(), 1, "one for all of 360 requests: {warnings:?}");
    idp.set(Behaviour::Up);
    wait("the recovery is told", 10, || {
        assert_eq!(traefik.send(&good).status, 200);
        (!traefik.log_with(0, &["available again"]).is_empty()).then_some(())
    });
}

/// A reload while the provider is away: what is kept in a directory is there at once, and without one the router waits for
/// the provider.
pub(crate) fn provider_away_at_reload() {
    let mut idp = JwksServer::https(keys::public_set().to_string());
    let upstream = Upstream::start();
    let shelf = temporary_directory("away");
    let path = shelf.to_str().unwrap();
    let traefik = Traefik::start(&Setup { mounts: vec![format!("{path}:{path}")], ..setup() });
    let common = configuration(&idp);
    let reload = |number: usize| {
        let mut routes = Routes::to(&upstream.url());
        for (host, cache) in [("kept", json!({"directory": path})), ("bare", json!({}))] {
            let mut configuration = common.clone();
            configuration["clockSkewSeconds"] = json!(number);
            configuration["jwksCache"] = cache;
            configuration["jwksCache"]["cooldownSeconds"] = json!(1);
            routes.protect(host, FETCH, &configuration);
        }
        traefik.configure(&routes);
    };
    let status = |host: &str| traefik.send(&Request::get(host, "/").bearer(&token())).status;
    reload(0);
    assert_eq!((status("kept"), status("bare")), (200, 200));
    idp.set(Behaviour::Down);
    // Not before: both go on with what they have.
    assert_eq!((status("kept"), status("bare")), (200, 200));
    reload(1);
    assert_eq!((status("kept"), status("bare")), (200, 503));
    idp.set(Behaviour::Up);
    wait("the router without a directory is back", 15, || (status("bare") == 200).then_some(()));
    drop(traefik);
    let _ = std::fs::remove_dir_all(shelf);
}

/// 20 routers and 10 reloads are one request at the provider, and a restart while it is down serves at once. A file
/// that is damaged is no file.
pub(crate) fn directory() {
    let mut idp = JwksServer::https(keys::public_set().to_string());
    let upstream = Upstream::start();
    let shelf = temporary_directory("shelf");
    let path = shelf.to_str().unwrap();
    let setup = Setup { mounts: vec![format!("{path}:{path}")], ..setup() };
    let mut configuration = configuration(&idp);
    configuration["jwksCache"] = json!({"directory": path});
    let routes = |reload: usize| {
        let mut routes = Routes::to(&upstream.url());
        for number in 0..20 {
            let mut own = configuration.clone();
            own["clockSkewSeconds"] = json!(reload);
            routes.protect(&format!("router-{number}"), FETCH, &own);
        }
        routes
    };
    let all = |traefik: &Traefik| -> Vec<u16> {
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..20)
                .map(|number| {
                    let request = Request::get(&format!("router-{number}"), "/").bearer(&token());
                    scope.spawn(move || traefik.send(&request).status)
                })
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect()
        })
    };
    {
        let traefik = Traefik::start(&setup);
        for reload in 0..10 {
            traefik.configure(&routes(reload));
            assert_eq!(all(&traefik), [200; 20], "reload {reload}");
            assert_eq!(idp.requests(), 1, "reload {reload}");
        }
    }
    idp.set(Behaviour::Down);
    {
        let traefik = Traefik::start(&setup);
        traefik.configure(&routes(0));
        assert_eq!(all(&traefik), [200; 20], "after a restart with the provider down");
    }
    // Damaged, cut and empty files are ignored and replaced.
    let files: Vec<_> = std::fs::read_dir(&shelf).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = files.as_slice() else {
        panic!("one file is left: {files:?}");
    };
    let content = std::fs::read(file).unwrap();
    let mut changed = content.clone();
    changed[100] ^= 1;
    for (name, damaged) in [("changed", changed), ("cut", content[..200].to_vec()), ("empty", Vec::new())] {
        std::fs::write(file, &damaged).unwrap();
        let traefik = Traefik::start(&setup);
        traefik.configure(&routes(0));
        idp.set(Behaviour::Down);
        assert_eq!(all(&traefik), [503; 20], "{name}");
        idp.set(Behaviour::Up);
        wait("the file is replaced", 10, || (all(&traefik) == [200; 20]).then_some(()));
        assert_eq!(std::fs::read(file).unwrap().len(), content.len(), "{name}");
    }
    std::fs::remove_dir_all(shelf).unwrap();
}

/// One issuer hangs; requests for the other are never held up by it, neither at first nor when both are due.
pub(crate) fn issuers() {
    let mut down = JwksServer::https(keys::public_set().to_string());
    let up = JwksServer::http(keys::public_set().to_string());
    let configuration = json!({
        "trustedIssuers": [
            {"issuer": "https://down.example/", "jwksUrl": down.url("/jwks.json")},
            {"issuer": ISSUER, "jwksUrl": up.url("/jwks.json")},
        ],
        "clientConfig": {"tls": {"ca": down.ca_pem()}, "allowHttp": true, "timeoutSeconds": 4},
        "jwksCache": {"ttlSeconds": 2, "cooldownSeconds": 1},
    });
    let (_upstream, traefik) = serve("issuers", &configuration);
    let mut of_down = claims();
    of_down["iss"] = json!("https://down.example/");
    let of_down = Request::get("issuers", "/").bearer(&Token::new("EdDSA", of_down).mint());
    assert_eq!(traefik.send(&of_down).status, 200);
    down.set(Behaviour::Hang);
    std::thread::scope(|scope| {
        let others = scope.spawn(|| {
            for _ in 0..20 {
                assert_eq!(traefik.send(&of_down).status, 200, "its keys still serve");
            }
        });
        for _ in 0..40 {
            let (answer, took) = timed(|| traefik.send(&Request::get("issuers", "/").bearer(&token())));
            assert_eq!(answer.status, 200);
            // The other's fetch takes all of its four seconds.
            assert!(took < Duration::from_secs(3), "{took:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
        others.join().unwrap();
    });
}

/// The provider is behind the same Traefik, once on a route of its own and once behind the middleware itself.
pub(crate) fn same_traefik() {
    let idp = JwksServer::http(keys::public_set().to_string());
    let traefik = Traefik::start(&setup());
    let upstream = Upstream::start();
    let port = traefik.address().port();
    for (jwks_host_is_protected, status) in [(false, 200), (true, 503)] {
        let configuration = json!({
            "jwksUrl": format!("http://localhost:{port}/jwks.json"), "issuer": ISSUER,
            "clientConfig": {"allowHttp": true, "timeoutSeconds": 3, "maxRetries": 0},
        });
        let mut routes = Routes::to(&upstream.url());
        routes.protect("protected", FETCH, &configuration);
        if jwks_host_is_protected {
            routes.share("localhost", "protected");
        } else {
            routes.open_to("localhost", idp.url("").trim_end_matches('/'));
        }
        traefik.configure(&routes);
        let request = Request::get("protected", "/").bearer(&token());
        let (statuses, took) = timed(|| at_once(&traefik, 100, &request));
        if status == 200 {
            served_or_crowded(&statuses);
        }
        assert_eq!(at_once(&traefik, 100, &request), [status; 100]);
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}

/// Through a proxy with a password, and past it.
pub(crate) fn through_a_proxy() {
    let idp = JwksServer::https(keys::public_set().to_string());
    let proxy = testbed::proxy::ConnectProxy::start(idp.address());
    let upstream = Upstream::start();
    let traefik = Traefik::start(&setup());
    let mut routes = Routes::to(&upstream.url());
    let mut configuration = configuration(&idp);
    // A name that only the proxy can make something of.
    let url = format!("https://idp.invalid:{}/jwks.json", idp.address().port());
    configuration["jwksUrl"] = json!(url);
    configuration["clientConfig"]["tls"]["serverName"] = json!("localhost");
    routes.protect("without", FETCH, &configuration);
    configuration["clientConfig"]["proxy"] = json!(format!("http://user:pass%20word@{}", proxy.address()));
    routes.protect("with", FETCH, &configuration);
    configuration["clientConfig"]["noProxy"] = json!(["idp.invalid"]);
    routes.protect("past", FETCH, &configuration);
    traefik.configure(&routes);
    let status = |host: &str| -> Response { traefik.send(&Request::get(host, "/").bearer(&token())) };
    assert_eq!(status("without").status, 503);
    assert_eq!(status("with").status, 200);
    assert_eq!(status("past").status, 503);
    let heads = proxy.heads();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].starts_with(&format!("CONNECT idp.invalid:{} HTTP/1.1\r\n", idp.address().port())));
    assert!(heads[0].contains("Proxy-Authorization: Basic dXNlcjpwYXNzIHdvcmQ="), "{heads:?}");
}

/// A provider that asks for a certificate gets one, and one that gets none gives no keys.
pub(crate) fn client_certificate() {
    let idp = JwksServer::https_for_clients(keys::public_set().to_string());
    let upstream = Upstream::start();
    let traefik = Traefik::start(&setup());
    let mut routes = Routes::to(&upstream.url());
    let mut configuration = configuration(&idp);
    routes.protect("without", FETCH, &configuration);
    let (certificate, key) = idp.client_identity();
    configuration["clientConfig"]["tls"]["cert"] = json!(certificate);
    configuration["clientConfig"]["tls"]["key"] = json!(key);
    routes.protect("with", FETCH, &configuration);
    traefik.configure(&routes);
    for (host, status) in [("without", 503), ("with", 200)] {
        assert_eq!(traefik.send(&Request::get(host, "/").bearer(&token())).status, status, "{host}");
    }
}
