//! `clientConfig`: what is fetched, and with what.

use serde_json::{Value, json};
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::jwk::lookup::{KeySource, RemoteKeys};
use traefik_jwt_auth::core::revocation::ListSource;

use crate::{SECRET, compiled, keyed, lines};

/// What is fetched, and with what: for each issuer its server, the headers, whether there is a certificate, the name that the
/// certificate has to have, and what holds for every server.
fn fetched(config: &Value) -> Vec<String> {
    let line = |remote: &RemoteKeys| {
        let client = &remote.client;
        let headers: Vec<&str> = client.server.headers.iter().map(|header| header.name.as_str()).collect();
        format!(
            "{}{} headers={} cert={} name={} ca={} insecure={} timeout={} retries={} http={} proxy={} noProxy={}",
            remote.location.origin(),
            if client.server.withheld { " (withheld)" } else { "" },
            headers.join(","),
            client.server.identity.is_some(),
            client.server.server_name.as_deref().unwrap_or_default(),
            client.ca.is_some(),
            client.insecure_skip_verify,
            client.timeout.0,
            client.max_retries,
            client.allow_http,
            client.proxy.as_ref().map(|proxy| proxy.url.to_string()).unwrap_or_default(),
            client.no_proxy,
        )
    };
    let policy = compiled(config);
    let sources = policy.issuers.iter().flat_map(|issuer| &issuer.keys);
    let remotes = sources.filter_map(|source| match source {
        KeySource::Url(remote) => Some(line(remote)),
        KeySource::Configured(_) | KeySource::File { .. } => None,
    });
    remotes.collect()
}

#[test]
fn what_is_for_one_server_goes_to_no_other() {
    let everything = json!({
        "tls": {"cert": "/client.pem", "key": "/client.key", "serverName": "a.internal", "ca": "/ca.pem"},
        "headers": {"X-Key": "secret"}, "timeoutSeconds": 9, "maxRetries": 0, "proxy": "proxy:1", "noProxy": ["b"],
    });
    let rest = "ca=true insecure=false timeout=9 retries=0 http=false proxy=http://proxy:1/ noProxy=b";
    let of = |top: Value, entry: Value| {
        let mut config = top;
        config["clientConfig"] = everything.clone();
        config["trustedIssuers"] = json!([entry]);
        fetched(&config)
    };
    let top = || json!({"issuer": "https://a.example/", "jwksUrl": "https://keys.a.example:443/keys"});
    let all = format!("https://keys.a.example headers=X-Key cert=true name=a.internal {rest}");
    // The same server, however it is spelt, by URL and by discovery.
    for entry in [
        json!({"issuer": "b", "jwksUrl": "HTTPS://Keys.A.Example/other"}),
        json!({"issuer": "https://keys.a.example/b", "discovery": true}),
        json!({"issuer": "https://keys.a.example:443/b", "jwksUrl": "keys"}),
    ] {
        assert_eq!(of(top(), entry.clone()), [all.clone(), all.clone()], "{entry}");
    }
    // Another one: name, port, scheme, and also the issuer of the top level, which is not where its keys are.
    for (entry, origin) in [
        (json!({"issuer": "b", "jwksUrl": "https://b.example/"}), "https://b.example"),
        (json!({"issuer": "b", "jwksUrl": "https://a.example/"}), "https://a.example"),
        (json!({"issuer": "b", "jwksUrl": "https://keys.a.example:444/"}), "https://keys.a.example:444"),
        (json!({"issuer": "b", "jwksUrl": "https://keys.a.example./"}), "https://keys.a.example."),
        (json!({"issuer": "https://b.example/", "discovery": true}), "https://b.example"),
    ] {
        let without = format!("{origin} (withheld) headers= cert=false name= {rest}");
        assert_eq!(of(top(), entry.clone()), [all.clone(), without], "{entry}");
    }
    // With discovery of its own, the top level's server is the issuer.
    let discovers = json!({"issuer": "https://a.example/", "discovery": true});
    assert_eq!(
        of(discovers, json!({"issuer": "b", "jwksUrl": "https://a.example/b"})),
        [&all, &all].map(|line| line.replace("keys.", "")),
    );
}

/// A list of revocations is one more server.
#[test]
fn a_list_gets_what_is_for_its_server_only() {
    let of = |keys: Value, list: &str| {
        let mut config = keys;
        config["clientConfig"] =
            json!({"headers": {"X-Key": "secret"}, "tls": {"cert": "/c.pem", "key": "/k.pem"}});
        config["revocation"] = json!({"url": list});
        let policy = compiled(&keyed(&config));
        let list = policy.revocation.and_then(|rules| rules.list).unwrap();
        let ListSource::Url(list) = &*list else { panic!("{list:?}") };
        let server = &list.client.server;
        (server.headers.len(), server.identity.is_some(), server.withheld)
    };
    let (all, nothing) = ((1, true, false), (0, false, true));
    let by_url = || json!({"issuer": "a", "jwksUrl": "https://keys.example/keys"});
    let discovered = || json!({"issuer": "https://keys.example/", "discovery": true});
    for keys in [by_url(), discovered()] {
        assert_eq!(of(keys.clone(), "https://keys.example/revoked"), all, "{keys}");
        assert_eq!(of(keys.clone(), "https://keys.example:444/revoked"), nothing, "{keys}");
        assert_eq!(of(keys.clone(), "https://other.example/revoked"), nothing, "{keys}");
    }
    // Where nothing else is fetched, it is what clientConfig is for.
    let secret = || json!({"signingSecret": SECRET});
    assert_eq!(of(secret(), "https://other.example/revoked"), all);
    let mut others = secret();
    others["trustedIssuers"] =
        json!([{"issuer": "b", "jwksUrl": "https://b.example/", "clientConfig": {"headers": {}}}]);
    assert_eq!(of(others, "https://other.example/revoked"), all);
}

#[test]
fn an_issuer_may_have_a_client_of_its_own() {
    let config = |client: Value, jwks_url: &str| {
        json!({
            "issuer": "a", "jwksUrl": "https://a.example/",
            "clientConfig": {
                "tls": {"ca": "/ca.pem", "cert": "/client.pem", "key": "/client.key"}, "headers": {"X-Top": "1"},
                "maxRetries": 7, "proxy": "u:p@proxy:1", "noProxy": "x"
            },
            "trustedIssuers": [{"issuer": "b", "jwksUrl": jwks_url, "clientConfig": client}],
        })
    };
    let elsewhere = "https://b.example/";
    for (client, jwks_url, expected) in [
        (
            json!({"headers": {"X-B": "1"}}),
            elsewhere,
            "headers=X-B cert=false name= ca=true insecure=false timeout=5 retries=7 http=false proxy=http://proxy:1/ noProxy=x",
        ),
        (
            json!({"tls": {"cert": "/b.pem", "key": "/b.key", "serverName": "b", "insecureSkipVerify": true}}),
            elsewhere,
            "headers= cert=true name=b ca=true insecure=true timeout=5 retries=7 http=false proxy=http://proxy:1/ noProxy=x",
        ),
        (
            json!({"timeoutSeconds": 1, "maxRetries": 0, "allowHttp": true, "proxy": "other:2", "noProxy": []}),
            "http://b.example/",
            "(withheld) headers= cert=false name= ca=true insecure=false timeout=1 retries=0 http=true proxy=http://other:2/ noProxy=",
        ),
        (
            json!({"headers": {}}),
            elsewhere,
            "headers= cert=false name= ca=true insecure=false timeout=5 retries=7 http=false proxy=http://proxy:1/ noProxy=x",
        ),
        // At the server of the top level what is left out is as there, and an empty list is written.
        (
            json!({"headers": {}, "tls": {"serverName": "b"}}),
            "https://a.example/b",
            "headers= cert=true name=b ca=true insecure=false timeout=5 retries=7 http=false proxy=http://proxy:1/ noProxy=x",
        ),
    ] {
        let lines = fetched(&config(client.clone(), jwks_url));
        let (_, line) = lines[1].split_once(' ').unwrap();
        assert_eq!(line, expected, "{client}");
        assert!(!lines.concat().contains("u:p"));
    }
}

#[test]
fn an_issuer_with_certificates_of_its_own_is_verified() {
    let config = |tls: Value| {
        json!({
            "clientConfig": {"tls": {"insecureSkipVerify": true}},
            "trustedIssuers": [{"issuer": "b", "jwksUrl": "https://b.example/", "clientConfig": {"tls": tls}}],
        })
    };
    for (tls, expected) in [
        (json!({"ca": "/b.pem"}), "ca=true insecure=false"),
        (json!({"ca": "/b.pem", "insecureSkipVerify": false}), "ca=true insecure=false"),
        (json!({"insecureSkipVerify": false}), "ca=false insecure=false"),
        (json!({"serverName": "b"}), "ca=false insecure=true"),
        (json!({"ca": "", "serverName": "b"}), "ca=false insecure=true"),
    ] {
        let lines = fetched(&config(tls.clone()));
        assert!(lines[0].contains(expected), "{tls}: {lines:?}");
    }
}

#[test]
fn a_proxy_of_the_environment_is_refused_only_where_something_is_fetched() {
    let env = |name: &str| (name == "HTTPS_PROXY").then(|| "socks5://proxy:1080".to_owned());
    let refusals = |config: &Value| {
        let policy = compile(config.to_string().as_bytes(), &Capabilities { fetch: true, env: &env });
        policy.map_or_else(|errors| lines(&errors), |_| Vec::new())
    };
    assert_eq!(refusals(&json!({"signingSecret": SECRET})), [""; 0]);
    let fetched = json!({"jwksUrl": "https://idp.example/"});
    assert_eq!(
        refusals(&fetched),
        ["(option_invalid): clientConfig.proxy: found a string of 19 bytes in HTTPS_PROXY, expected \
          http://[user:password@]host[:port]"]
    );
    let own = json!({"jwksUrl": "https://idp.example/", "clientConfig": {"proxy": "http://proxy"}});
    assert_eq!(refusals(&own), [""; 0]);
    let entry = |client: Value| {
        json!({"trustedIssuers": [
            {"issuer": "a", "jwksUrl": "https://idp.example/", "clientConfig": client}
        ]})
    };
    assert_eq!(refusals(&entry(json!({"proxy": "http://proxy"}))), [""; 0]);
    assert_eq!(refusals(&entry(json!({"noProxy": "*"}))).len(), 1);
}

#[test]
fn an_empty_list_of_hosts_takes_the_place_of_that_of_the_environment() {
    let env = |name: &str| (name == "NO_PROXY").then(|| "idp.example".to_owned());
    for (client, expected) in
        [(json!({}), "idp.example"), (json!({"noProxy": ""}), ""), (json!({"noProxy": "*"}), "*")]
    {
        let config = json!({"jwksUrl": "https://idp.example/", "clientConfig": client});
        let policy = compile(config.to_string().as_bytes(), &Capabilities { fetch: true, env: &env })
            .expect("a configuration");
        let KeySource::Url(keys) = &policy.issuers[0].keys[0] else { panic!("not fetched") };
        assert_eq!(keys.client.no_proxy, expected, "{client}");
    }
}
