//! One line about the configuration in force, to identify it, and for bug reports.

use crate::core::about::VERSION;
use crate::core::bypass::Mode;
use crate::core::claims::binding::Checked;
use crate::core::claims::registered::TokenType;
use crate::core::jwk::lookup::{KeyLocation, KeySource};
use crate::core::limits::{MAX_LOGGED_NAMES, MAX_LOGGED_SUMMARY_CHARS};
use crate::core::policy::{Policy, TrustedIssuer};
use crate::core::proof::dpop::Replay;
use crate::core::request::forwarded::AnswerAs;
use crate::core::revocation::ListSource;
use crate::core::text::{cut, name};

/// The line. It is bounded, and has no value that may be a secret.
pub fn summary(policy: &Policy) -> String {
    let mode = match policy.bypass.mode {
        Mode::Required => "required",
        Mode::Optional => "optional",
        Mode::Permissive => "permissive",
        Mode::DryRun => "dryRun",
    };
    let entries: Vec<String> = policy.issuers.iter().take(MAX_LOGGED_NAMES).map(entry).collect();
    let answers = match policy.answer.asking.answer_as {
        AnswerAs::Middleware => "",
        AnswerAs::ForwardAuth => ", answers as forwardAuth",
    };
    let line = format!(
        "version {VERSION}, mode {mode}{answers}, token from {}{}{}; {}",
        policy.token.places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        proofs(policy),
        revocation(policy),
        entries.join("; "),
    );
    cut(&line, MAX_LOGGED_SUMMARY_CHARS).into_owned()
}

/// Which proofs are checked. Whether they are required is a rule of the claims, the same for every issuer.
fn proofs(policy: &Policy) -> String {
    let Some(rules) = &policy.proofs else { return String::new() };
    let binding = policy.issuers.first().map(|issuer| issuer.claims.binding).unwrap_or_default();
    let checked = |checked| if checked == Checked::Required { "required" } else { "optional" };
    let dpop = rules.dpop.as_ref().map(|dpop| {
        let replay = match dpop.replay {
            Replay::Window => "window",
            Replay::Nonce(_) => "nonce",
            Replay::Directory(_) => "directory",
        };
        format!(" dpop {} (replay {replay})", checked(binding.dpop))
    });
    let mtls = rules.mtls.as_ref().map(|_| format!(" mtls {}", checked(binding.mtls)));
    [Some("; proofs".to_owned()), dpop, mtls].into_iter().flatten().collect()
}

/// Where it is said what is revoked.
fn revocation(policy: &Policy) -> String {
    let Some(rules) = &policy.revocation else { return String::new() };
    let markers = rules.markers.as_ref().map(|markers| format!(" markers in {}", name(&markers.directory)));
    let list = rules.list.as_deref().map(|list| match list {
        ListSource::File(path) => format!(" list in {}", name(path)),
        ListSource::Url(list) => {
            format!(" list at {}", name(&format!("{}{}", list.url.origin, list.url.path())))
        }
    });
    [Some("; revocation".to_owned()), markers, list].into_iter().flatten().collect()
}

fn entry(issuer: &TrustedIssuer) -> String {
    let rules = &issuer.claims;
    let rules = [
        (!rules.required.is_empty(), "requiredClaims"),
        (rules.token_type != TokenType::Any, "tokenType"),
        (rules.time.max_lifetime.is_some(), "maxLifetimeSeconds"),
        (rules.time.max_age.is_some(), "maxAgeSeconds"),
        (rules.scopes.is_some(), "scopes"),
        (rules.expression.is_some(), "claims"),
    ];
    let rules: Vec<&str> = rules.into_iter().filter(|(is_set, _)| *is_set).map(|(_, rule)| rule).collect();
    format!(
        "issuer {}, audience {}, keys from {}, rules {}",
        named(&issuer.named(), "any"),
        named(&issuer.claims.audience, "any"),
        issuer.keys.iter().map(place).collect::<Vec<_>>().join(" "),
        named(&rules, "none"),
    )
}

fn place(source: &KeySource) -> String {
    match source {
        KeySource::Configured(_) => "the configuration".into(),
        KeySource::File { path, .. } => name(path),
        KeySource::Url(remote) => match &remote.location {
            KeyLocation::Url(url) | KeyLocation::Cluster(url) | KeyLocation::EachKid(url) => {
                name(&format!("{}{}", url.origin, url.path()))
            }
            KeyLocation::Discovery { url, .. } => {
                format!("discovery of {}", name(&format!("{}{}", url.origin, url.path())))
            }
        },
    }
}

/// Names, or a word for none.
fn named<T: AsRef<str>>(names: &[T], none: &str) -> String {
    if names.is_empty() {
        return none.to_owned();
    }
    names.iter().take(MAX_LOGGED_NAMES).map(|text| name(text.as_ref())).collect::<Vec<_>>().join(" ")
}

/// The line about keys from a URL without a directory: what follows from that shows only when the provider is down.
pub fn without_directory(policy: &Policy) -> Option<&'static str> {
    let forgets = |source: &KeySource| match source {
        KeySource::Url(remote) => remote.directory.is_none(),
        KeySource::Configured(_) | KeySource::File { .. } => false,
    };
    policy.issuers.iter().flat_map(|issuer| &issuer.keys).any(forgets).then_some(
        "jwksCache.directory is not set: after a reload while the provider is down this router has no keys",
    )
}

#[cfg(test)]
mod tests {
    use super::{summary, without_directory};
    use crate::core::about::VERSION;
    use crate::core::config::{Capabilities, compile};
    use crate::core::limits::MAX_LOGGED_SUMMARY_CHARS;
    use serde_json::{Value, json};

    fn said(config: &Value) -> (String, bool) {
        let capabilities = Capabilities { fetch: true, env: &|_| None };
        let policy = compile(config.to_string().as_bytes(), &capabilities).unwrap();
        (summary(&policy), without_directory(&policy).is_some())
    }

    #[test]
    fn which_configuration_is_it() {
        let remote = json!({
            "jwksUrl": "https://idp.example/keys?secret=x", "issuer": "https://idp.example/", "audience": ["a", "b c"],
            "scopes": {"required": "read"}, "claims": "Exists(`sub`)", "tokenType": "access", "mode": "dryRun",
            "tokenSources": [{"header": "X-Token"}, {"cookie": "jwt"}]
        });
        let expected = format!(
            "version {VERSION}, mode dryRun, token from header X-Token, cookie jwt; issuer https://idp.example/, \
             audience a \"b c\", keys from https://idp.example/keys, rules requiredClaims tokenType scopes claims"
        );
        assert_eq!(said(&remote), (expected, true));
        let mut kept = remote;
        kept["jwksCache"] = json!({"directory": "/keys"});
        assert!(!said(&kept).1);
        let secret = "0123456789abcdef0123456789abcdef";
        let (line, forgets) = said(&json!({"signingSecret": secret, "requiredClaims": "none"}));
        assert!(
            line.ends_with("issuer any, audience any, keys from the configuration, rules none"),
            "{line}"
        );
        assert!(!line.contains(secret) && !forgets, "{line}");
    }

    #[test]
    fn proofs_and_revocation() {
        let secret = "0123456789abcdef0123456789abcdef";
        for (options, expected) in [
            (json!({}), "token from header Authorization with the scheme Bearer; issuer "),
            (json!({"proofs": {"dpop": "required"}}), "; proofs dpop required (replay window); issuer "),
            (
                json!({"proofs": {"dpop": "optional", "mtls": "required", "replay": "nonce", "nonceSecret": secret}}),
                "; proofs dpop optional (replay nonce) mtls required; issuer ",
            ),
            (json!({"revocation": {"directory": "/revoked"}}), "; revocation markers in /revoked; issuer "),
            (
                json!({
                    "proofs": {"mtls": "optional"},
                    "revocation": {"directory": "/r", "url": "https://idp.example/revoked?key=x"},
                }),
                "; proofs mtls optional; revocation markers in /r list at https://idp.example/revoked; issuer ",
            ),
            (json!({"revocation": {"file": "/list"}}), "; revocation list in /list; issuer "),
        ] {
            let mut config = json!({"signingSecret": "0123456789abcdefghijklmnopqrstuv"});
            config.as_object_mut().unwrap().extend(options.as_object().unwrap().clone());
            let (line, _) = said(&config);
            assert!(line.contains(expected) && !line.contains(secret), "{line}");
        }
    }

    #[test]
    fn always_bounded() {
        let names = |what: &str| -> Vec<String> {
            (0..1000).map(|n| format!("{what}{n}{}", "x".repeat(300))).collect()
        };
        let entries: Vec<Value> = names("https://idp.example/")
            .into_iter()
            .map(|issuer| json!({"issuer": issuer, "jwksUrl": format!("{issuer}/keys"), "audience": names("a")}))
            .take(40)
            .collect();
        let (line, _) = said(&json!({"trustedIssuers": entries}));
        assert_eq!(line.chars().count(), MAX_LOGGED_SUMMARY_CHARS + 3);
    }
}
