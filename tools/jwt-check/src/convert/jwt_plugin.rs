//! traefik-plugins/traefik-jwt-plugin.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::convert::old::{Kind, Old, boolean, kind, list, object, text};
use crate::convert::rule::dotted;
use crate::convert::target::{Target, is_elsewhere, refusal};

pub(super) fn convert(block: &Value, resolved: &Value) -> Target {
    let mut old = Old::of(block);
    let mut target = Target::default();
    keys(&mut old, resolved, &mut target);
    for (option, to) in [("Alg", "algorithms"), ("Iss", "issuer"), ("Aud", "audience")] {
        match old.take(option) {
            Some((name, value)) if text(&value).is_empty() => target.dropped(&name, "it is empty"),
            Some((name, value)) => {
                target.became(&name, to);
                target.set(to, value);
            }
            None => {}
        }
    }
    if target.options.contains_key("jwksUrl") && !target.options.contains_key("algorithms") {
        target.wider.push("algorithms: also EdDSA, ES256K and ML-DSA, if the key set has such keys".into());
    }
    payload_fields(&mut old, &mut target);
    if let Some((name, value)) = old.take("Required") {
        target.became(&name, "mode");
        if !boolean(&value) {
            target.set("mode", "optional");
            target
                .stricter
                .push("mode: a token that cannot be read is refused; there, only its absence counted".into());
        }
    }
    places(&mut old, &mut target);
    if let Some((name, value)) = old.take("JwtHeaders") {
        let mut headers = Map::new();
        for (header, claim) in object(&value).unwrap_or_default() {
            let (path, claim) = (format!("{name}.{header}"), text(&claim));
            if claim.contains(['{', '}']) {
                target.left(&path, "a claim with braces in its name cannot be forwarded");
                continue;
            }
            target.became(&path, "forwardHeaders");
            headers.insert(header, dotted(&[claim]).replace('|', "\\|").into());
        }
        target.became(&name, "forwardHeaders");
        target.set("forwardHeaders", headers);
        target.stricter.push(
            "forwardHeaders: the client's own copies never pass; there, they stay in front of the claim"
                .into(),
        );
    }
    let fetches = target.options.contains_key("jwksUrl");
    for (option, inner) in [("JwksHeaders", "headers"), ("JwksFetchTimeoutSecs", "timeoutSeconds")] {
        match old.take(option) {
            Some((name, value)) if fetches => {
                target.became(&name, "clientConfig");
                target.set_in("clientConfig", inner, value);
            }
            Some((name, _)) => target.dropped(&name, "nothing is fetched"),
            None => {}
        }
    }
    if let Some((name, _)) = old.take("ForceRefreshKeys") {
        target.dropped(
            &name,
            "always so: an unknown kid has the set fetched again, once in jwksCache.cooldownSeconds",
        );
    }
    policies(&mut old, &mut target);
    for name in old.rest() {
        target.left(&name, "traefik-jwt-plugin has no such option");
    }
    target
}

fn keys(old: &mut Old, resolved: &Value, target: &mut Target) {
    let Some((name, value)) = old.take("Keys") else {
        target
            .by_hand
            .push("there are no keys: there, no signature is checked without Keys; here it always is".into());
        return;
    };
    let known = resolved.get(&name).map(list).unwrap_or_default();
    let mut pem = Vec::new();
    let mut further_secrets = Vec::new();
    for (at, item) in list(&value).iter().map(text).enumerate() {
        let path = format!("{name}[{at}]");
        let plain = known.get(at).map_or_else(|| item.clone(), text);
        match kind(&plain) {
            Kind::Pem => {
                target.became(&path, "publicKey");
                pem.push(plain.trim().to_owned());
            }
            Kind::Url if !target.options.contains_key("jwksUrl") => {
                target.became(&path, "jwksUrl");
                if item.starts_with("http://") {
                    target.set_in("clientConfig", "allowHttp", true);
                    target.comment("clientConfig", "http://: the network chooses the keys, as before.");
                }
                target.set("jwksUrl", item);
            }
            Kind::Secret if !target.options.contains_key("signingSecret") => {
                target.became(&path, "signingSecret");
                let secret = target.secret(&path, &item, false);
                target.set("signingSecret", secret);
            }
            Kind::Url => target.left(
                &path,
                &format!("a further URL ({item}) needs an entry of trustedIssuers with its issuer"),
            ),
            // A key without `kid` is tried for every token, as there.
            Kind::Secret if !is_elsewhere(&item) => {
                let key = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(&item)});
                match refusal(&json!({"jwks": {"keys": [key]}})) {
                    None => {
                        target.became(&path, "jwks");
                        further_secrets.push(key);
                    }
                    Some(why) => target.left(&path, &format!("the old secret is refused here ({why})")),
                }
            }
            Kind::Secret => target.left(
                &path,
                "a further secret that is kept elsewhere needs a kid in keys, or an entry of trustedIssuers with its issuer",
            ),
        }
    }
    target.became(&name, "jwksUrl, publicKey, signingSecret");
    if !further_secrets.is_empty() {
        target.set("jwks", json!({"keys": further_secrets}));
    }
    if !pem.is_empty() {
        target.set("publicKey", format!("{}\n", pem.join("\n")));
    }
}

fn payload_fields(old: &mut Old, target: &mut Target) {
    let fields: Vec<String> = match old.take("PayloadFields") {
        Some((name, value)) => {
            target.became(&name, "requiredClaims");
            list(&value).iter().map(text).collect()
        }
        None => Vec::new(),
    };
    if target.options.contains_key("audience") && !fields.iter().any(|field| field == "aud") {
        target.stricter.push("audience: there, it counts only if PayloadFields has aud".into());
    }
    if !fields.iter().any(|field| field == "exp") {
        target.comment(
            "requiredClaims",
            "There, exp counts only if PayloadFields has it. This accepts tokens that never expire.",
        );
        target.stricter.push("exp: a token that has expired is refused even if exp is not required".into());
    }
    if fields.is_empty() {
        target.set("requiredClaims", "none");
    } else {
        target.set("requiredClaims", fields);
    }
}

fn places(old: &mut Old, target: &mut Target) {
    let (cookie, query) = (old.take("JwtCookieKey"), old.take("JwtQueryKey"));
    let listed = old.take("JwtSources");
    let mut sources = Vec::new();
    let entries = listed.as_ref().map(|(_, value)| list(value)).unwrap_or_default();
    for (at, entry) in entries.iter().enumerate() {
        let member = |name: &str| entry.get(name).map(text).unwrap_or_default();
        let (kind, key) = (member("type"), member("key"));
        let path = listed.as_ref().map(|(name, _)| format!("{name}[{at}]")).unwrap_or_default();
        let source = match kind.as_str() {
            _ if key.is_empty() => None,
            "bearer" => Some(json!({"header": key})),
            "header" => Some(json!({"header": key, "scheme": ""})),
            "cookie" => Some(json!({"cookie": key})),
            "query" => Some(json!({"query": key})),
            _ => None,
        };
        match source {
            Some(source) => {
                target.became(&path, "tokenSources");
                sources.push(source);
            }
            None => target.dropped(&path, "it has no type or key that is known, and was skipped there"),
        }
    }
    if let Some((name, _)) = &listed {
        target.became(name, "tokenSources");
    }
    let has_list = !sources.is_empty();
    for (taken, kind) in [(cookie, "cookie"), (query, "query")] {
        let Some((name, value)) = taken else { continue };
        if has_list || text(&value).is_empty() {
            target.dropped(&name, "it counts only without JwtSources");
            continue;
        }
        if sources.is_empty() {
            sources.push(json!({"header": "Authorization"}));
        }
        target.became(&name, "tokenSources");
        sources.push(json!({ kind: value }));
    }
    if sources.len() > 1 {
        target.comment(
            "tokenSources",
            "Different tokens in one request are a 400; there, the first one counts.",
        );
    }
    if !sources.is_empty() {
        target.set("tokenSources", sources);
    }
}

/// Policies of Open Policy Agent.
fn policies(old: &mut Old, target: &mut Target) {
    if let Some((name, value)) = old.take("OpaUrl") {
        if text(&value).is_empty() {
            target.dropped(&name, "it is empty");
        } else {
            target.left(
                &name,
                "policies are not asked here; write the rule in claims, or put a forwardAuth middleware for the policy \
                 behind this one",
            );
            target.wider.push(format!(
                "every valid token is accepted, whatever the policy at {} says, until that is done",
                text(&value)
            ));
        }
    }
    for option in
        ["OpaAllowField", "OpaBody", "OpaDebugMode", "OpaHeaders", "OpaResponseHeaders", "OpaHttpStatusField"]
    {
        if let Some((name, _)) = old.take(option) {
            target.dropped(&name, "policies are not asked here");
        }
    }
}
