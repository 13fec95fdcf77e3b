//! The plugin as the service that other routers ask (`answerAs: forwardAuth`): what a row of `tests/cases` does not show.

use std::net::SocketAddr;

use serde_json::{Value, json};
use testbed::asked::forward_auth;
use testbed::http::Request;
use testbed::jwks_server::JwksServer;
use testbed::keys;
use testbed::tokens::Token;
use testbed::traefik::{FETCH, OFFLINE, Routes, Setup, Traefik};
use testbed::upstream::{Upstream, body_digest};
use testbed::wait::{unix_now, wait};

use crate::proxy::{inline, token};
use crate::rows::{AUTH, bed_with_auth};

const MANAGED: &str = "X-User-Sub";

fn asking(more: Value) -> Value {
    let mut config = inline();
    config["answerAs"] = json!("forwardAuth");
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

/// A router `host` that asks `name`.
fn ask(routes: &mut Routes, host: &str, auth: SocketAddr, name: &str) {
    routes.protect_with(host, forward_auth(&format!("http://{auth}/{name}"), &[MANAGED.into()]));
}

/// A question about a request that its sender likes.
fn chosen(name: &str) -> Request {
    Request::get("auth", &format!("/{name}"))
        .header("X-Forwarded-Method", "GET")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "api.example")
        .header("X-Forwarded-Uri", "/health")
}

/// Who may ask, and what a client has to say about it.
pub(crate) fn trust() {
    let upstream = Upstream::start();
    let (mut setup, auth) = bed_with_auth(vec![OFFLINE]);
    // As careless as can be: whatever anybody says comes to the plugin.
    setup.more["entryPoints"][AUTH]["forwardedHeaders"] = json!({"insecure": true});
    let mut routes = Routes::to(&upstream.url());
    for (name, more) in [
        ("loopback", json!({})),
        ("elsewhere", json!({"trustedPeers": ["192.0.2.1", "127.0.0.2", "10.0.0.0/8"]})),
        ("elsewhere-optional", json!({"trustedPeers": "192.0.2.1", "mode": "optional"})),
        ("elsewhere-permissive", json!({"trustedPeers": "192.0.2.1", "mode": "permissive"})),
        ("elsewhere-dry", json!({"trustedPeers": "192.0.2.1", "mode": "dryRun"})),
    ] {
        let mut config = asking(more);
        config["bypassPaths"] = json!(["/health"]);
        routes.answer(name, AUTH, OFFLINE, &config);
        ask(&mut routes, &format!("ask-{name}"), auth, name);
    }
    // By mistake where clients come in.
    routes.answer("public", "web", OFFLINE, &asking(json!({"bypassPaths": ["/health"]})));
    let traefik = Traefik::start(&setup);
    traefik.configure(&routes);
    let says = |request: &Request| {
        let answer = request.send(auth);
        (answer.status, answer.header(MANAGED).map(str::to_owned))
    };
    // This machine asks.
    assert_eq!(says(&chosen("loopback")), (200, None));
    let orders = || Request::get("auth", "/loopback").header("X-Forwarded-Method", "GET");
    let orders = || {
        orders()
            .header("X-Forwarded-Proto", "http")
            .header("X-Forwarded-Host", "api.example")
            .header("X-Forwarded-Uri", "/orders")
    };
    assert_eq!(says(&orders()), (401, None));
    assert_eq!(
        says(&orders().bearer(&token()).header(MANAGED, "root").header("X_User_Sub", "root")),
        (200, Some("alice".into()))
    );
    assert_eq!(says(&orders().header("X-Forwarded-Uri", "/health")), (400, None));
    assert_eq!(says(&orders().header("x_forwarded_uri", "/health")), (400, None));
    assert_eq!(says(&Request::get("auth", "/loopback").bearer(&token())), (400, None));
    // Nobody else does.
    for name in ["elsewhere", "elsewhere-optional", "elsewhere-permissive", "elsewhere-dry"] {
        for request in [
            chosen(name),
            chosen(name).bearer(&token()),
            chosen(name).header("X-Forwarded-For", "192.0.2.1").header("X-Real-Ip", "192.0.2.1"),
            Request::get("auth", &format!("/{name}")).bearer(&token()),
        ] {
            assert_eq!(says(&request), (403, None), "{name}");
        }
        let through = Request::get(&format!("ask-{name}"), "/health").bearer(&token());
        assert_eq!(traefik.send(&through).status, 403, "{name}");
    }
    assert_eq!(traefik.send(&chosen("public")).status, 400);
    assert_eq!(traefik.send(&chosen("public").bearer(&token())).status, 400);
    // A client of a router that asks chooses nothing.
    let get = |path: &str| {
        Request::get("ask-loopback", path)
            .header("X-Forwarded-Uri", "/health")
            .header("X-Forwarded-Method", "HEAD")
            .header("X-Forwarded-Host", "evil.example")
    };
    assert_eq!(traefik.send(&get("/orders")).status, 401);
    assert_eq!(traefik.send(&get("/health").header("X-User-Sub", "root")).status, 200);
    let seen = traefik.send(&get("/orders").bearer(&token()).header("X-User-Sub", "root")).text();
    assert!(seen.contains(r#"["X-User-Sub","alice"]"#) && !seen.contains("root"), "{seen}");
    let anonymous = traefik.send(&get("/health").header("X-User-Sub", "root").header("X_User_Sub", "root"));
    assert!(!anonymous.text().contains("root"), "{}", anonymous.text());
}

/// Bodies, upgrades and hop-by-hop headers of a router that asks.
pub(crate) fn untouched() {
    let upstream = Upstream::start();
    let (setup, auth) = bed_with_auth(vec![FETCH]);
    let mut routes = Routes::to(&upstream.url());
    let config = asking(json!({"errors": {"redirectUrl": "https://login.example/?next={url}"}}));
    routes.answer("jwt", AUTH, FETCH, &config);
    ask(&mut routes, "api", auth, "jwt");
    let traefik = Traefik::start(&setup);
    traefik.configure(&routes);
    let request = |path: &str| Request::new("POST", "api", path).bearer(&token());
    let body = vec![b'x'; 300_000];
    let seen = traefik.send(&request("/orders?a=%20&b").body(body.clone())).json();
    let (length, sum) = body_digest(&body);
    assert_eq!(seen["body"], json!({"length": length, "sum": sum}));
    assert_eq!((&seen["method"], &seen["target"]), (&json!("POST"), &json!("/orders?a=%20&b")));
    let chunked = request("/orders").header("Transfer-Encoding", "chunked").body("5\r\nhello\r\n0\r\n\r\n");
    assert_eq!(traefik.send(&chunked).json()["body"]["length"], 5);
    // A client cannot have the identity taken away as one of the connection's own headers.
    for named in ["X-User-Sub", "close, x-user-sub"] {
        let seen = traefik.send(&request("/").header("Connection", named)).text();
        assert!(seen.contains(r#"["X-User-Sub","alice"]"#), "Connection: {named}: {seen}");
    }
    let navigation = Request::get("api", "/a?b=c").header("Sec-Fetch-Mode", "navigate");
    let answer = traefik.send(&navigation);
    let expected = "https://login.example/?next=http%3A%2F%2Fapi%2Fa%3Fb%3Dc";
    assert_eq!((answer.status, answer.header("Location")), (302, Some(expected)));
    crate::proxy::web_socket(&traefik, "api");
}

/// Keys from a URL are renewed ahead of their end, though no upstream's answer comes by.
pub(crate) fn keys_are_renewed() {
    let idp = JwksServer::https(keys::public_set().to_string());
    let upstream = Upstream::start();
    let (setup, auth) = bed_with_auth(vec![FETCH]);
    let mut routes = Routes::to(&upstream.url());
    let config = json!({
        "jwksUrl": idp.url("/jwks.json"), "issuer": "https://idp.example/", "answerAs": "forwardAuth",
        "clientConfig": {"tls": {"ca": idp.ca_pem()}}, "jwksCache": {"ttlSeconds": 3, "cooldownSeconds": 1},
    });
    routes.answer("jwt", AUTH, FETCH, &config);
    ask(&mut routes, "api", auth, "jwt");
    let traefik = Traefik::start(&setup);
    traefik.configure(&routes);
    let request = Request::get("api", "/").bearer(&token());
    wait("the keys are renewed twice", 15, || {
        assert_eq!(traefik.send(&request).status, 200);
        (idp.requests() >= 3).then_some(())
    });
}

/// Routers that ask, and reloads.
const ROUTERS: usize = 60;
const RELOADS: usize = 10;
/// The same in `make soak`, for `docs/guides/many-routers.md`.
const MANY: usize = 30;
/// Those of the other way, which are slow.
const FEW: usize = 2;
/// Reloads ahead of those that count: what Traefik needs once.
const FIRST: usize = 2;

/// However many routers ask: what a reload leaves behind is of one runtime.
pub(crate) fn many_routers() {
    reloads_of_many_routers(RELOADS);
}

/// The same three times as long.
pub(crate) fn many_routers_soak() {
    reloads_of_many_routers(MANY);
}

fn reloads_of_many_routers(reloads: usize) {
    let idp = JwksServer::http(keys::public_set().to_string());
    let config = json!({
        "jwksUrl": idp.url("/jwks.json"), "issuer": "https://idp.example/", "clientConfig": {"allowHttp": true},
    });
    let (descriptors, kib) = growth(&config, Way::Ask, reloads);
    // One mailbox a reload, and what a runtime holds until Go's collector comes.
    assert!(descriptors <= reloads + 40, "{descriptors} descriptors");
    assert!(kib <= reloads * 1500, "{kib} KiB");
    let (each_descriptors, each_kib) = growth(&config, Way::Each, FEW);
    assert!(each_descriptors >= FEW * ROUTERS * 9 / 10, "{each_descriptors} descriptors");
    assert!(each_kib / FEW > 4 * kib / reloads, "{each_kib} KiB over {FEW}, {kib} over {reloads}");
}

/// What the routers do.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// All ask the one that has the plugin.
    Ask,
    /// Each has it.
    Each,
}

/// What reloads leave behind: descriptors and KiB of resident memory.
fn growth(config: &Value, way: Way, reloads: usize) -> (usize, usize) {
    let upstream = Upstream::start();
    let (mut setup, auth) = bed_with_auth(vec![FETCH]);
    setup.more["serversTransport"] = json!({"maxIdleConnsPerHost": -1});
    let traefik = Traefik::start(&setup);
    let reload = |number: usize| {
        let mut routes = Routes::to(&upstream.url());
        let mut config = config.clone();
        config["clockSkewSeconds"] = json!(number);
        match way {
            Way::Ask => {
                config["answerAs"] = json!("forwardAuth");
                routes.answer("jwt", AUTH, FETCH, &config);
                ask(&mut routes, "router-0", auth, "jwt");
            }
            Way::Each => routes.protect("router-0", FETCH, &config),
        }
        for router in 1..ROUTERS {
            routes.share(&format!("router-{router}"), "router-0");
        }
        traefik.configure(&routes);
        for router in 0..ROUTERS {
            let answer = traefik.send(&Request::get(&format!("router-{router}"), "/").bearer(&token()));
            assert_eq!(answer.status, 200);
        }
    };
    (0..FIRST).for_each(reload);
    let (descriptors, kib) = (traefik.descriptors(), traefik.resident_kib());
    (FIRST..reloads + FIRST).for_each(reload);
    let kib = usize::try_from(traefik.resident_kib().saturating_sub(kib)).unwrap();
    let descriptors = traefik.descriptors().saturating_sub(descriptors);
    println!(
        "{ROUTERS} routers, {way:?}, {reloads} reloads: {descriptors} descriptors more, {} KiB a reload",
        kib / reloads
    );
    (descriptors, kib)
}

/// `examples/forward-auth`, as it stands.
pub(crate) fn example() {
    let idp = JwksServer::https_at("127.0.0.1:8445", keys::jwk_set(&["ed25519"]).to_string());
    let _upstream = Upstream::start_at("127.0.0.1:9002");
    let setup = Setup { envs: vec![("IDP_CA".into(), idp.ca_pem().into())], ..Setup::default() };
    let address = "127.0.0.1:8030".parse().unwrap();
    let traefik = Traefik::run_example(&setup, FETCH, "forward-auth", address);
    wait("the route is there", 30, || {
        (Request::get("localhost", "/orders/health").try_send(address).ok()?.status == 200).then_some(())
    });
    let claims = json!({
        "iss": "https://idp.example/", "aud": "api", "sub": "alice", "email": "a@example.com", "exp": unix_now() + 60
    });
    let bearer = Token::new("EdDSA", claims).mint();
    let get = |path: &str| {
        Request::get("localhost", path)
            .header("X-User-Sub", "root")
            .header("X-User-Email", "root")
            .header("X_User_Sub", "root")
            .header("X-Forwarded-Uri", "/orders/health")
    };
    for (path, target) in [("/orders/1", "/orders/1"), ("/billing/2?x", "/2?x")] {
        let refused = traefik.send(&get(path));
        let metadata = "https://api.example.com/.well-known/oauth-protected-resource";
        let challenge = format!("Bearer resource_metadata=\"{metadata}\"");
        assert_eq!((refused.status, refused.header("WWW-Authenticate")), (401, Some(&*challenge)));
        let seen = traefik.send(&get(path).bearer(&bearer)).text();
        assert!(seen.contains(r#"["X-User-Sub","alice"]"#), "{seen}");
        assert!(seen.contains(r#"["X-User-Email","a@example.com"]"#) && !seen.contains("root"), "{seen}");
        assert!(seen.contains(&format!(r#""target":"{target}""#)), "{seen}");
    }
    let anonymous = traefik.send(&get("/orders/health"));
    assert!(anonymous.status == 200 && !anonymous.text().contains("root"), "{}", anonymous.text());
    let document = traefik.send(&Request::get("localhost", "/.well-known/oauth-protected-resource"));
    assert_eq!((document.status, &document.json()["resource"]), (200, &json!("https://api.example.com/")));
}
