//! Configurations that mean something else than their author may think, mostly because they accept more: the warnings about
//! them at load, and the one that is refused.

use crate::core::bypass::Preflight;
use crate::core::config::error::Errors;
use crate::core::config::options::keys::JWKS_URL;
use crate::core::config::values::Values;
use crate::core::jwk::lookup::{KeyLocation, KeySource};
use crate::core::limits::MAX_LOGGED_NAMES;
use crate::core::policy::{Policy, TrustedIssuer};
use crate::core::request::forwarded::AnswerAs;
use crate::core::text::{Quoted, quoted};
use crate::core::url::{Host, Url};

/// Where Microsoft Entra ID publishes keys, in its clouds and under its older names.
const ENTRA: [&str; 7] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
];
/// What stands there in the place of one tenant.
const EVERY_TENANT: [&str; 3] = ["common", "organizations", "consumers"];

/// The warnings for the log: what `policy` accepts because no rule is written about it, what may be meant in another way,
/// and what its tests show.
pub fn warnings(policy: &Policy) -> Vec<String> {
    let mut warnings = Vec::new();
    let asks = |issuer: &TrustedIssuer, claim| {
        issuer.claims.expression.as_ref().is_some_and(|expression| expression.looks_at(claim))
    };
    let any_issuer = |issuer: &&TrustedIssuer| issuer.accepts_any() && !asks(issuer, "iss");
    if policy.issuers.iter().any(|issuer| any_issuer(&issuer)) {
        warnings.push(
            "no issuer is set: tokens of every issuer are accepted if one of the keys signed them".to_owned(),
        );
    }
    let any_audience = |issuer: &&TrustedIssuer| issuer.claims.audience.is_empty() && !asks(issuer, "aud");
    let open: Vec<&TrustedIssuer> = policy.issuers.iter().filter(any_audience).collect();
    if !open.is_empty() {
        let of = if policy.issuers.len() > 1 { format!(" for {}", names(&open)) } else { String::new() };
        warnings.push(format!(
            "no audience is set{of}: tokens for every audience are accepted, also those for other services"
        ));
    }
    let sources = || policy.issuers.iter().flat_map(|issuer| &issuer.keys);
    for server in sources().filter_map(withheld).take(MAX_LOGGED_NAMES) {
        if !warnings.contains(&server) {
            warnings.push(server);
        }
    }
    if sources().any(|source| matches!(source, KeySource::Configured(set) if set.is_lone)) {
        warnings.push(
            "jwks is one JWK, taken as a set of it; a JWK Set is an object with a list \"keys\"".to_owned(),
        );
    }
    let opens = policy.bypass.preflight == Preflight::Pass || !policy.bypass.methods.is_empty();
    if opens && policy.answer.asking.answer_as == AnswerAs::ForwardAuth {
        warnings.push(
            "bypassPreflight and bypassMethods are for requests without a body, and a proxy that asks does not show whether \
             there is one: requests with a body pass as well"
                .to_owned(),
        );
    }
    warnings.extend(policy.doubts.iter().cloned());
    warnings
}

/// The warning that a server gets nothing of what the top level has for its own server, since its entry says nothing.
fn withheld(source: &KeySource) -> Option<String> {
    let KeySource::Url(remote) = source else { return None };
    remote.client.server.withheld.then(|| {
        format!(
            "the headers and the certificate of clientConfig are for the server of the top level: {} gets none of them; \
             write those that it needs, or headers: {{}}, in the clientConfig of its entry",
            quoted(&remote.location.origin().to_string())
        )
    })
}

fn names(issuers: &[&TrustedIssuer]) -> String {
    let named = |issuer: &&TrustedIssuer| {
        issuer.named().first().map_or("any issuer".into(), |name| Quoted(name).to_string())
    };
    let mut names: Vec<String> = issuers.iter().take(MAX_LOGGED_NAMES).map(named).collect();
    if issuers.len() > MAX_LOGGED_NAMES {
        names.push("...".into());
    }
    names.join(", ")
}

/// Refuses the keys of all tenants of Entra ID if neither `issuer` nor `audience` is set: anybody with a Microsoft account
/// could get in.
pub(super) fn refuse_every_tenant(values: &Values, issuer: &TrustedIssuer, errors: &mut Errors) {
    let is_for_all = |source: &KeySource| match source {
        KeySource::Url(remote) => match &remote.location {
            KeyLocation::Url(url) => is_every_tenant(url),
            KeyLocation::Discovery { .. } | KeyLocation::Cluster(_) | KeyLocation::EachKid(_) => false,
        },
        KeySource::Configured(_) | KeySource::File { .. } => false,
    };
    if issuer.accepts_any() && issuer.claims.audience.is_empty() && issuer.keys.iter().any(is_for_all) {
        errors.conflict(
            values.path(&JWKS_URL),
            "has the keys of every tenant of Entra ID: anybody with a Microsoft account could get in; set issuer \
             (https://login.microsoftonline.com/{tenant}/v2.0, and tenants), or audience",
        );
    }
}

fn is_every_tenant(url: &Url) -> bool {
    let Host::Name(host) = &url.origin.host else { return false };
    let host = host.trim_end_matches('.');
    let tenant = url.path().split('/').find(|segment| !segment.is_empty()).unwrap_or_default();
    ENTRA.iter().any(|entra| host.eq_ignore_ascii_case(entra))
        && EVERY_TENANT.iter().any(|every| tenant.eq_ignore_ascii_case(every))
}

#[cfg(test)]
mod tests {
    use super::{is_every_tenant, warnings};
    use crate::core::config::{Capabilities, compile};
    use crate::core::limits::MAX_LOGGED_NAMES;
    use crate::core::url::Url;
    use serde_json::json;

    #[test]
    fn keys_of_every_tenant_of_entra_id() {
        for (url, expected) in [
            ("https://login.microsoftonline.com/common/discovery/v2.0/keys", true),
            ("https://LOGIN.microsoftonline.com:443/Common/discovery/keys", true),
            ("https://login.microsoftonline.com./organizations/discovery/v2.0/keys", true),
            ("https://login.microsoftonline.us/consumers/discovery/v2.0/keys", true),
            ("https://login.windows.net//common/discovery/keys?appid=1", true),
            ("https://login.microsoftonline.com/contoso.example/discovery/v2.0/keys", false),
            ("https://login.microsoftonline.com/common.example/discovery/v2.0/keys", false),
            ("https://login.microsoftonline.com.example/common/keys", false),
            ("https://idp.example/login.microsoftonline.com/common/keys", false),
            ("https://login.microsoftonline.com", false),
        ] {
            assert_eq!(is_every_tenant(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    fn warnings_of(config: &serde_json::Value) -> Vec<String> {
        let capabilities = Capabilities { fetch: true, env: &|_| None };
        warnings(&compile(config.to_string().as_bytes(), &capabilities).unwrap())
    }

    #[test]
    fn who_gets_nothing_of_the_top_level_is_said() {
        let entry = |url: &str, client: serde_json::Value| {
            let mut entry = json!({"issuer": url, "jwksUrl": url});
            if !client.is_null() {
                entry["clientConfig"] = client;
            }
            entry
        };
        let config = |client: serde_json::Value, entries: Vec<serde_json::Value>| {
            warnings_of(&json!({
                "issuer": "https://a.example/", "jwksUrl": "https://a.example/keys", "audience": "api",
                "clientConfig": client, "trustedIssuers": entries,
            }))
        };
        let headers = || json!({"headers": {"X-Key": "1"}});
        let none = serde_json::Value::Null;
        let said = "the headers and the certificate of clientConfig are for the server of the top level: \
                    \"https://b.example:8443\" gets none of them; write those that it needs, or headers: {}, in the \
                    clientConfig of its entry";
        let other = "https://b.example:8443/keys";
        for (client, entries, expected) in [
            (headers(), vec![entry(other, none.clone())], vec![said]),
            (headers(), vec![entry(other, json!({"timeoutSeconds": 3}))], vec![said]),
            (
                headers(),
                vec![entry(other, none.clone()), entry("https://b.example:8443/", none.clone())],
                vec![said],
            ),
            (json!({"tls": {"cert": "/c", "key": "/k"}}), vec![entry(other, none.clone())], vec![said]),
            // A configuration with one of them is written for that server.
            (headers(), vec![entry(other, json!({"headers": {}}))], vec![]),
            (headers(), vec![entry(other, json!({"headers": {"X-Key": "2"}}))], vec![]),
            // The same server, and nothing that could be withheld.
            (headers(), vec![entry("https://a.example/other", none.clone())], vec![]),
            (json!({"timeoutSeconds": 3}), vec![entry(other, none)], vec![]),
        ] {
            assert_eq!(config(client.clone(), entries.clone()), expected, "{client} {entries:?}");
        }
    }

    #[test]
    fn one_key_where_a_set_belongs_is_said() {
        let key = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
        let of = |jwks| warnings_of(&json!({"issuer": "a", "audience": "api", "jwks": jwks}));
        let said = "jwks is one JWK, taken as a set of it; a JWK Set is an object with a list \"keys\"";
        assert_eq!(of(key.clone()), [said]);
        assert_eq!(of(json!(key.to_string())), [said]);
        assert_eq!(of(json!({"keys": [key]})), [] as [&str; 0]);
    }

    #[test]
    fn who_asks_does_not_show_a_body() {
        let of = |more: serde_json::Value| {
            let mut config = json!({"issuer": "a", "audience": "api", "signingSecret": "0123456789abcdef0123456789abcdef"});
            config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            warnings_of(&config).iter().any(|line| line.contains("are for requests without a body"))
        };
        for (more, expected) in [
            (json!({"bypassPreflight": true, "answerAs": "forwardAuth"}), true),
            (json!({"bypassMethods": ["OPTIONS"], "answerAs": "forwardAuth"}), true),
            (json!({"answerAs": "forwardAuth"}), false),
            (json!({"bypassPreflight": true}), false),
            (json!({"bypassMethods": ["OPTIONS"]}), false),
        ] {
            assert_eq!(of(more.clone()), expected, "{more}");
        }
    }

    #[test]
    fn not_every_issuer_of_many_is_named() {
        for (more, is_cut) in [(0, false), (1, true)] {
            let entry = |n| json!({"issuer": format!("https://{n}.example"), "signingSecret": "0123456789abcdef0123456789abcdef"});
            let entries: Vec<_> = (0..MAX_LOGGED_NAMES + more).map(entry).collect();
            let said = warnings_of(&json!({"trustedIssuers": entries}));
            let [line] = said.as_slice() else { panic!("{said:?}") };
            assert_eq!(line.matches("https://").count(), MAX_LOGGED_NAMES);
            assert_eq!(line.contains(".example\", ...: "), is_cut, "{line}");
        }
    }

    #[test]
    fn what_is_not_written_is_said() {
        let issuer = "no issuer is set: tokens of every issuer are accepted if one of the keys signed them";
        let audience =
            "no audience is set: tokens for every audience are accepted, also those for other services";
        let some = "no audience is set for any issuer, \"https://b.example\": tokens for every audience are accepted, also \
                    those for other services";
        let secret = "0123456789abcdef0123456789abcdef";
        let other = json!([{"issuer": "https://b.example", "signingSecret": secret}]);
        for (rules, expected) in [
            (json!({}), vec![issuer, audience]),
            (json!({"issuer": "https://a.example"}), vec![audience]),
            (json!({"audience": "api"}), vec![issuer]),
            (json!({"issuer": "https://{tenant}.example/", "audience": "api"}), vec![]),
            (json!({"claims": "OneOf(`aud`, `{host}`) && Prefix(`iss`, `https://`)"}), vec![]),
            (json!({"claims": "Equals(`audience`, `a`) && Exists(`x.iss`)"}), vec![issuer, audience]),
            (json!({"trustedIssuers": other}), vec![issuer, some]),
            (json!({"trustedIssuers": other, "audience": "api", "issuer": "https://a.example"}), vec![]),
        ] {
            let mut config = json!({"signingSecret": secret});
            for (name, value) in rules.as_object().unwrap() {
                config[name] = value.clone();
            }
            let capabilities = Capabilities { fetch: true, env: &|_| None };
            let policy = compile(config.to_string().as_bytes(), &capabilities).unwrap();
            assert_eq!(warnings(&policy), expected, "{rules}");
        }
    }
}
