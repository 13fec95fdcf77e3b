//! oidc-provider, a certified OpenID provider: what its token endpoint issues is accepted, through discovery.

use serde_json::{Value, json};
use testbed::certificate::Issued;
use testbed::http::{Request, Response};
use testbed::keys;
use testbed::port::free_address;
use testbed::traefik::{FETCH, Routes, Setup, Traefik};
use testbed::upstream::Upstream;
use testbed::wait::wait;

use crate::nginx::{Nginx, SERVERS, SOCKET, server_named};
use crate::script::{CertificateFiles, Script};

const API: &str = "https://api.example/";
const OTHER_API: &str = "https://other.example/";

/// An oidc-provider that keeps its address and its keys when it starts anew.
pub(crate) struct Provider {
    ca_pem: String,
    argument: Value,
    script: Option<Script>,
    _files: Option<CertificateFiles>,
}

impl Provider {
    /// `keys` are published, the first one signs; tokens are issued for `resources`.
    pub(crate) fn start(keys: &[&str], resources: &[&str]) -> Self {
        let files = CertificateFiles::new(&Issued::p256("the CA of the provider"));
        let port = free_address().port();
        let argument = json!({
            "issuer": format!("https://localhost:{port}"),
            "port": port,
            "certificate": files.path("certificate"),
            "key": files.path("key"),
            "ca": files.path("ca"),
            "keyDirectory": files.directory(),
            "resources": resources,
        });
        let mut provider = Self { ca_pem: files.ca_pem.clone(), argument, script: None, _files: Some(files) };
        provider.restart(keys);
        provider
    }

    /// The same behind a server of nginx that has the certificate.
    fn behind(nginx: &Nginx, server: usize, keys: &[&str], resources: &[&str]) -> Self {
        let argument = json!({
            "issuer": nginx.url(server),
            "socket": nginx.directory().join(SOCKET),
            "ca": nginx.directory().join("ca.pem"),
            "keyDirectory": nginx.directory(),
            "resources": resources,
        });
        let mut provider = Self { ca_pem: nginx.ca_pem().into(), argument, script: None, _files: None };
        provider.restart(keys);
        provider
    }

    /// Ends it, until it is started anew.
    fn stop(&mut self) {
        self.script = None;
    }

    /// The same provider with other keys.
    pub(crate) fn restart(&mut self, keys: &[&str]) {
        self.stop();
        self.argument["keys"] = json!(keys);
        self.script = Some(Script::start("provider.mjs", &self.argument));
    }

    /// The same provider, which from now on wants nonces of its own in DPoP proofs if `nonces`.
    pub(crate) fn restart_with(&mut self, nonces: bool) {
        self.argument["nonces"] = json!(nonces);
        self.restart(&["a"]);
    }

    pub(crate) fn issuer(&self) -> String {
        self.argument["issuer"].as_str().unwrap().to_owned()
    }

    pub(crate) fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The path of its CA, for scripts.
    pub(crate) fn ca(&self) -> &Value {
        &self.argument["ca"]
    }

    /// An access token for each client, resource and scope.
    fn tokens(&self, requests: &[(&str, &str, &str)]) -> Vec<String> {
        let requests: Vec<Value> = requests
            .iter()
            .map(|(client, resource, scope)| json!({"client": client, "resource": resource, "scope": scope}))
            .collect();
        let argument = json!({"issuer": self.issuer(), "ca": self.ca(), "requests": requests});
        let said = Script::run("tokens.mjs", &argument);
        serde_json::from_value(said["tokens"].clone()).unwrap()
    }

    fn token(&self) -> String {
        self.tokens(&[("ES256", API, "read")]).remove(0)
    }

    pub(crate) fn configuration(&self, audience: &str) -> Value {
        json!({
            "issuer": self.issuer(),
            "discovery": true,
            "audience": audience,
            "tokenType": "access",
            "clientConfig": {"tls": {"ca": self.ca_pem()}},
            "jwksCache": {"cooldownSeconds": 1},
            "errors": {"codeHeader": "X-Code"},
            "forwardHeaders": {"X-Client": "client_id"},
        })
    }
}

/// The code of the refusal, or the client that the upstream was told.
fn outcome(answer: &Response) -> String {
    match answer.header("X-Code") {
        Some(code) => code.to_owned(),
        None => {
            let seen = answer.json();
            let headers = seen["headers"].as_array().unwrap();
            let client =
                headers.iter().find(|header| header[0] == "X-Client").map(|header| header[1].clone());
            let client = client.as_ref().map_or("nobody", |client| client.as_str().unwrap());
            format!("{} for {client}", answer.status)
        }
    }
}

/// Every algorithm that it signs with, by `discovery` and by `trustedIssuers`; and what it issues for others.
pub(crate) fn tokens() {
    let provider = Provider::start(&["a"], &[API, OTHER_API]);
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("discovery", FETCH, &provider.configuration(API));
    let mut trusted = provider.configuration(API);
    for moved in ["issuer", "discovery", "audience", "tokenType"] {
        trusted.as_object_mut().unwrap().remove(moved);
    }
    trusted["trustedIssuers"] = json!([
        {"issuer": "https://idp.example/", "jwks": keys::public_set()},
        {"issuer": provider.issuer(), "discovery": true, "audience": API, "tokenType": "access"},
    ]);
    routes.protect("trusted", FETCH, &trusted);
    let mut writers = provider.configuration(API);
    writers["scopes"] = json!({"required": ["write"]});
    routes.protect("writers", FETCH, &writers);
    let mut stranger = provider.configuration(API);
    stranger["issuer"] = json!(format!("{}/", provider.issuer()));
    routes.protect("stranger", FETCH, &stranger);
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);

    let requests = [
        ("RS256", API, "read"),
        ("PS256", API, "read"),
        ("ES256", API, "read"),
        ("EdDSA", API, "read"),
        ("Ed25519", API, "read write"),
        ("ES256", OTHER_API, "read"),
        ("opaque", API, "read"),
        ("encrypted", API, "read"),
    ];
    let tokens = provider.tokens(&requests);
    for ((client, resource, scope), token) in requests.iter().zip(&tokens) {
        let accepted = format!("200 for {client}");
        let expected = match (*client, *resource) {
            ("opaque", _) => "token_malformed",
            ("encrypted", _) => "token_encrypted",
            (_, OTHER_API) => "audience_not_accepted",
            (_, _) => &accepted,
        };
        for host in ["discovery", "trusted"] {
            let answer = traefik.send(&Request::get(host, "/").bearer(token));
            assert_eq!(outcome(&answer), expected, "{host}: {client} for {resource}");
        }
        let writes = expected != accepted || scope.contains("write");
        let answer = traefik.send(&Request::get("writers", "/").bearer(token));
        assert_eq!(outcome(&answer), if writes { expected } else { "scope_insufficient" }, "{client}");
        // The metadata names the issuer without a slash: another one, whichever is asked.
        let answer = traefik.send(&Request::get("stranger", "/").bearer(token));
        let unread = matches!(*client, "opaque" | "encrypted");
        assert_eq!(outcome(&answer), if unread { expected } else { "issuer_not_trusted" }, "{client}");
    }
    let traps = traefik.log_with(0, &["wasm error"]);
    assert!(traps.is_empty(), "{traps:?}");
}

/// The same key signs the ID token that a client gets when somebody signs in. It is no access token, even for an API that
/// does not name its audience, or takes the client for one.
pub(crate) fn id_token() {
    let provider = Provider::start(&["a"], &[API]);
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("api", FETCH, &provider.configuration(API));
    routes.protect("client", FETCH, &provider.configuration("mcp"));
    let mut any = provider.configuration(API);
    any.as_object_mut().unwrap().remove("audience");
    routes.protect("any", FETCH, &any);
    let mut untyped = any;
    untyped.as_object_mut().unwrap().remove("tokenType");
    routes.protect("untyped", FETCH, &untyped);
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);
    let argument =
        json!({"issuer": provider.issuer(), "ca": provider.ca(), "client": "mcp", "resource": API});
    let said = Script::run("id-token.mjs", &argument);
    for (host, of_id_token, of_access_token) in [
        ("api", "token_type_not_accepted", "200 for mcp"),
        ("client", "token_type_not_accepted", "audience_not_accepted"),
        ("any", "token_type_not_accepted", "200 for mcp"),
        // Without a rule that tells them apart, both are tokens of the issuer.
        ("untyped", "200 for nobody", "200 for mcp"),
    ] {
        for (token, expected) in [("id_token", of_id_token), ("access_token", of_access_token)] {
            let token = said[token].as_str().unwrap();
            let answer = traefik.send(&Request::get(host, "/").bearer(token));
            assert_eq!(outcome(&answer), expected, "{host}");
        }
    }
}

/// A new signing key is found by the first token that needs it; a key that left stops working, also for tokens that
/// were accepted before, whether or not anybody brings a new one.
pub(crate) fn rotation() {
    let mut provider = Provider::start(&["a"], &[API]);
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    routes.protect("on-demand", FETCH, &provider.configuration(API));
    let mut by_time = provider.configuration(API);
    by_time["jwksCache"] = json!({"cooldownSeconds": 1, "ttlSeconds": 2});
    routes.protect("by-time", FETCH, &by_time);
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);
    let outcome = |host: &str, token: &str| outcome(&traefik.send(&Request::get(host, "/").bearer(token)));
    let hosts = ["on-demand", "by-time"];
    let becomes = |host: &str, token: &str, expected: &str| {
        wait(&format!("{host}: {expected}"), 15, || (outcome(host, token) == expected).then_some(()));
    };

    let old = provider.token();
    for host in hosts {
        assert_eq!(outcome(host, &old), "200 for ES256", "{host}");
    }
    // Rotated: the old key is still published.
    provider.restart(&["b", "a"]);
    let new = provider.token();
    for host in hosts {
        becomes(host, &new, "200 for ES256");
        assert_eq!(outcome(host, &old), "200 for ES256", "{host}");
    }
    // Withdrawn: by age alone on one route, on the other by the refresh that a still newer key causes.
    provider.restart(&["c"]);
    becomes("by-time", &old, "key_not_found");
    becomes("by-time", &new, "key_not_found");
    assert_eq!(outcome("on-demand", &old), "200 for ES256");
    let newest = provider.token();
    becomes("on-demand", &newest, "200 for ES256");
    becomes("on-demand", &old, "key_not_found");
    becomes("by-time", &newest, "200 for ES256");
}

/// TLS and address are nginx's, as in most installations. While nginx has only a 502 to say, the keys go on serving.
pub(crate) fn behind_nginx() {
    let nginx = Nginx::start(SERVERS);
    let server = server_named("provider");
    let mut provider = Provider::behind(&nginx, server, &["a"], &[API]);
    let upstream = Upstream::start();
    let mut routes = Routes::to(&upstream.url());
    let mut configuration = provider.configuration(API);
    configuration["jwksCache"] = json!({"cooldownSeconds": 1, "ttlSeconds": 1});
    routes.protect("behind", FETCH, &configuration);
    let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
    traefik.configure(&routes);
    let outcome = |token: &str| outcome(&traefik.send(&Request::get("behind", "/").bearer(token)));

    let old = provider.token();
    assert_eq!(outcome(&old), "200 for ES256");
    provider.stop();
    wait("keys serve while nginx answers 502", 15, || {
        // Also with instances that are born now: the others have the keys.
        std::thread::scope(|scope| {
            let requests: Vec<_> = (0..10).map(|_| scope.spawn(|| outcome(&old))).collect();
            for request in requests {
                assert_eq!(request.join().unwrap(), "200 for ES256");
            }
        });
        nginx.seen(server).iter().any(|line| line.starts_with("502 ")).then_some(())
    });
    provider.restart(&["b"]);
    let new = provider.token();
    wait("the new key is accepted", 15, || (outcome(&new) == "200 for ES256").then_some(()));
    wait("the old key is gone", 15, || (outcome(&old) == "key_not_found").then_some(()));
}

/// Tokens that the provider binds to a client's key, with proofs that jose signs: once without nonces anywhere, once with
/// those of the provider and of the middleware.
pub(crate) fn dpop() {
    for nonces in [false, true] {
        let mut provider = Provider::start(&["a"], &[API]);
        provider.restart_with(nonces);
        let upstream = Upstream::start();
        let mut configuration = provider.configuration(API);
        configuration["proofs"] = match nonces {
            false => json!({"dpop": "required"}),
            true => json!({
                "dpop": "optional", "replay": "nonce", "nonceSecret": "0123456789abcdef0123456789abcdef",
                "forward": "bearer",
            }),
        };
        let mut routes = Routes::to(&upstream.url());
        routes.protect_all(FETCH, &configuration);
        let traefik = Traefik::start(&Setup { plugins: vec![FETCH], ..Setup::default() });
        traefik.configure(&routes);
        for (client, alg) in [("ES256", "ES256"), ("RS256", "EdDSA"), ("EdDSA", "RS256")] {
            let said = Script::run(
                "dpop.mjs",
                &json!({
                    "issuer": provider.issuer(), "ca": provider.ca(), "client": client, "alg": alg, "resource": API,
                    "api": format!("http://{}/orders?x=1", traefik.address()),
                }),
            );
            let expected = if nonces { json!(["use_dpop_nonce", 200, 200]) } else { json!([200, 200]) };
            assert_eq!(said["calls"], expected, "{client} {alg} {nonces}: {said}");
            assert_eq!(said["asBearer"], json!("proof_missing"), "{said}");
            assert_eq!(said["elsewhere"], json!("proof_invalid"), "{said}");
            let headers = said["seen"]["headers"].as_array().unwrap();
            let has =
                |name: &str| headers.iter().any(|line| line[0].as_str().unwrap().eq_ignore_ascii_case(name));
            assert_eq!((has("X-Client"), has("DPoP")), (true, !nonces), "{said}");
        }
    }
}
