//! agilezebra/jwt-middleware.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use crate::check::SECRET;
use crate::convert::old::{Kind, Old, boolean, kind, list, object, text};
use crate::convert::require;
use crate::convert::rule::dotted;
use crate::convert::target::{Target, few, is_elsewhere, refusal};

const NO_PREFETCH: &str = "keys are fetched when the first request needs them";

pub(super) fn convert(block: &Value, resolved: &Value) -> Target {
    let mut old = Old::of(block);
    let mut target = Target::default();
    let encoded = old.take("secretBase64Encoded").map(|(name, value)| {
        target.became(&name, "signingSecretBase64Encoded");
        boolean(&value)
    });
    let has_secrets = secrets(&mut old, encoded == Some(true), resolved, &mut target);
    let skips = old.take("skipPrefetch").map(|(name, value)| {
        target.dropped(&name, NO_PREFETCH);
        boolean(&value)
    });
    let issuers = issuers(&mut old, has_secrets, skips == Some(true), &mut target);
    require::of(&mut old, &issuers, &mut target);
    keys_and_algorithms(&mut old, &mut target);
    places(&mut old, &mut target);
    answers(&mut old, &mut target);
    if let Some((name, value)) = old.take("headerMap") {
        headers(&name, &value, &mut target);
    }
    if let Some((name, _)) = old.take("removeMissingHeaders") {
        target.dropped(&name, "always so: the client's own copies never pass");
    }
    if let Some((name, value)) = old.take("forwardToken") {
        target.became(&name, "forwardAuthorization");
        if !boolean(&value) {
            target.set("forwardAuthorization", false);
        }
    }
    if let Some((name, value)) = old.take("optional") {
        target.became(&name, "mode");
        if boolean(&value) {
            target.set("mode", "optional");
        }
    }
    if let Some((name, value)) = old.take("unauthenticatedMethods") {
        target.became(&name, "bypassMethods");
        let methods: Vec<String> =
            list(&value).iter().map(|method| text(method).to_ascii_uppercase()).collect();
        if !methods.is_empty() {
            target.set("bypassMethods", few(&methods));
            target.stricter.push(
                "bypassMethods: not with a body, and not with a header that names another method".into(),
            );
        }
    }
    for (option, why) in [
        ("delayPrefetch", NO_PREFETCH),
        (
            "refreshKeysInterval",
            "a set is refreshed ahead of its end, which the server says, or jwksCache.ttlSeconds",
        ),
        (
            "freshness",
            "there, it made a 401 of the 403 for an old token; maxAgeSeconds is something else, it refuses every old token",
        ),
        ("logUnauthorized", "every refusal has a line in the log: log.refusals is its level"),
    ] {
        if let Some((name, _)) = old.take(option) {
            target.dropped(&name, why);
        }
    }
    target.set("requiredClaims", "none");
    target.comment(
        "requiredClaims",
        "There, exp was not asked for. Leave this out to refuse tokens that never expire.",
    );
    target.wider.push("nbf: a token may come 10 seconds early; clockSkewSeconds: 0 is as there".into());
    for name in old.rest() {
        target.left(&name, "agilezebra/jwt-middleware has no such option");
    }
    target
}

fn secrets(old: &mut Old, base64: bool, resolved: &Value, target: &mut Target) -> bool {
    let mut found = false;
    if let Some((name, value)) = old.take("secret") {
        let secret = text(&value);
        let known = resolved.get(&name).and_then(Value::as_str).unwrap_or(&secret);
        let plain =
            if base64 { decoded(known).unwrap_or_else(|| known.to_owned()) } else { known.to_owned() };
        found = !secret.is_empty();
        if !found {
            target.dropped(&name, "it is empty");
        } else if kind(&plain) == Kind::Pem {
            target.became(&name, "publicKey");
            target.set("publicKey", if is_elsewhere(&secret) { secret } else { plain });
        } else {
            target.became(&name, "signingSecret");
            let used = target.secret(&name, &secret, base64);
            if is_elsewhere(&used) && secret == used {
                target.comment("signingSecret", "If it is a public key, write publicKey instead.");
            }
            if base64 && secret == used {
                target.set("signingSecretBase64Encoded", true);
            }
            target.set("signingSecret", used);
        }
    }
    if let Some((name, value)) = old.take("secrets") {
        let mut keys = Map::new();
        for (kid, value) in object(&value).unwrap_or_default() {
            let path = format!("{name}.{kid}");
            let secret = text(&value);
            let plain = if base64 { decoded(&secret) } else { Some(secret) };
            let Some(plain) = plain else {
                target.left(
                    &path,
                    "its base64 is no text, and keys takes texts: put the key into a JWK Set (jwks)",
                );
                continue;
            };
            let is_pem = kind(&plain) == Kind::Pem;
            keys.insert(kid, if is_pem { plain } else { target.secret(&path, &plain, false) }.into());
            target.became(&path, "keys");
        }
        target.became(&name, "keys");
        if !keys.is_empty() {
            found = true;
            target.set("keys", keys);
        }
    }
    found
}

fn decoded(text: &str) -> Option<String> {
    let text: String = text.split_whitespace().collect();
    let bytes = [&STANDARD, &URL_SAFE, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD]
        .into_iter()
        .find_map(|alphabet| alphabet.decode(&text).ok());
    String::from_utf8(bytes?).ok()
}

/// With a slash at the end and without: there, it does not count.
fn both_forms(issuer: &str) -> Vec<String> {
    let other = match issuer.strip_suffix('/') {
        Some(without) => without.to_owned(),
        None => format!("{issuer}/"),
    };
    vec![issuer.to_owned(), other]
}

/// All names that are accepted.
fn issuers(old: &mut Old, has_secrets: bool, skips: bool, target: &mut Target) -> Vec<String> {
    let Some((name, value)) = old.take("issuers") else { return Vec::new() };
    let mut entries = Vec::new();
    let written = list(&value);
    for (at, entry) in written.iter().enumerate() {
        let path = format!("{name}[{at}]");
        let issuer = entry.get("issuer").map_or_else(|| text(entry), text);
        for (member, _) in entry.as_object().into_iter().flatten() {
            if member == "issuer" || member == "jwks" {
                target.became(&format!("{path}.{member}"), "issuer");
            } else {
                target.left(&format!("{path}.{member}"), "an issuer has no such member");
            }
        }
        if issuer.contains(['*', '?', '[']) {
            match template(&issuer).filter(|_| entry.get("jwks").is_some()) {
                Some(template) => entries.push((path, vec![template], entry.get("jwks").cloned())),
                None => target.left(
                    &path,
                    &format!(
                        "{issuer}: a token never chooses where keys come from; write {{tenant}} for the part, tenants or \
                         tenantClaim, and one absolute jwksUrl"
                    ),
                ),
            }
        } else {
            entries.push((path, both_forms(&issuer), entry.get("jwks").cloned()));
        }
    }
    target.became(&name, "issuer");
    let names: Vec<String> = entries.iter().flat_map(|(_, names, _)| names.clone()).collect();
    let alone = entries.len() == 1;
    if names.iter().any(|name| name.starts_with("http://"))
        || entries
            .iter()
            .any(|(_, _, jwks)| jwks.as_ref().is_some_and(|url| text(url).starts_with("http://")))
    {
        target.set_in("clientConfig", "allowHttp", true);
        target.comment("clientConfig", "http://: the network chooses the keys, as before.");
    }
    let mut trusted = Vec::new();
    for (path, names, jwks) in entries {
        target.became(&path, if alone { "issuer" } else { "trustedIssuers" });
        let mut options = Map::new();
        options.insert("issuer".into(), few(&names));
        match jwks.filter(|jwks| !text(jwks).is_empty()) {
            Some(url) => options.insert("jwksUrl".into(), url),
            None if skips && has_secrets && alone => {
                target.comment("issuer", "Keys of the issuer are not fetched. If tokens are signed with them, set discovery: true.");
                target.stricter.push("issuer: only the configured secrets verify tokens; discovery: true adds the keys of the issuer".into());
                None
            }
            None => options.insert("discovery".into(), true.into()),
        };
        if alone {
            target.options.extend(options);
        } else {
            trusted.push(Value::Object(options));
        }
    }
    if alone {
        target.comment("issuer", "Compared byte for byte; there, a slash at the end does not count.");
        if target.options.contains_key("discovery") {
            target.comment(
                "discovery",
                "If the issuer has no metadata: jwksUrl: .well-known/jwks.json instead.",
            );
        }
        if has_secrets {
            target.stricter.push(
                "issuer: tokens of a configured secret need this iss as well; there, it was not looked at"
                    .into(),
            );
        }
    } else if !trusted.is_empty() {
        target.set("trustedIssuers", trusted);
        target.comment(
            "trustedIssuers",
            "A key serves its own issuer alone. A slash at the end counts here, so both forms are listed.",
        );
        if has_secrets {
            target.stricter.push("trustedIssuers: tokens with one of these iss need a key of that issuer; the configured secrets serve all others".into());
        }
    }
    names
}

/// `https://*.example.com` is `https://{tenant}.example.com`.
fn template(issuer: &str) -> Option<String> {
    let (before, after) = issuer.split_once('*')?;
    (!after.contains(['*', '?', '[']) && !before.contains(['?', '[']))
        .then(|| format!("{before}{{tenant}}{after}"))
}

fn keys_and_algorithms(old: &mut Old, target: &mut Target) {
    let has_secret = ["signingSecret", "keys"].iter().any(|option| target.options.contains_key(*option));
    if let Some((name, value)) = old.take("validMethods") {
        let mut algorithms = Vec::new();
        for (at, method) in list(&value).iter().map(text).enumerate() {
            if method.starts_with("HS") && !has_secret {
                target.dropped(
                    &format!("{name}[{at}]"),
                    &format!("{method} needs a secret, and there is none"),
                );
            } else {
                algorithms.push(method);
            }
        }
        target.became(&name, "algorithms");
        limit(&algorithms, target);
    } else if ["discovery", "jwksUrl", "trustedIssuers"]
        .iter()
        .any(|option| target.options.contains_key(*option))
    {
        target.wider.push(
            "algorithms: whatever the keys can do, so also PS256, EdDSA and the like if the issuer has such keys".into(),
        );
    }
    if let Some((name, value)) = old.take("rootCAs") {
        let authorities: Vec<String> = list(&value).iter().map(text).collect();
        let (inline, paths): (Vec<String>, Vec<String>) =
            authorities.into_iter().partition(|text| kind(text) == Kind::Pem);
        match (inline.is_empty(), paths.as_slice()) {
            (true, []) => target.dropped(&name, "it is empty"),
            (false, []) => {
                target.became(&name, "clientConfig");
                target.set_in("clientConfig", "tls", json!({"ca": inline.join("\n")}));
            }
            (true, [path]) => {
                target.became(&name, "clientConfig");
                target.set_in("clientConfig", "tls", json!({"ca": path}));
                target.comment("clientConfig", "The file has to be below settings.mounts of the plugin.");
            }
            _ => target.left(
                &name,
                "several: put all certificates into one file, or into one text, for clientConfig.tls.ca",
            ),
        }
    }
    if let Some((name, _)) = old.take("insecureSkipVerify") {
        target.dropped(
            &name,
            "certificates are verified; write the server's CA as clientConfig.tls.ca, or insecureSkipVerify in the \
             clientConfig of the entry of trustedIssuers",
        );
        target.stricter.push(
            "insecureSkipVerify: keys are not fetched from servers whose certificate is not trusted".into(),
        );
    }
}

/// Algorithms are a rule of each entry: those of the top level are of its own keys alone.
fn limit(algorithms: &[String], target: &mut Target) {
    let public: Vec<String> = algorithms.iter().filter(|name| !name.starts_with("HS")).cloned().collect();
    let entries = target.options.get_mut("trustedIssuers").and_then(Value::as_array_mut);
    for entry in entries.into_iter().flatten().filter_map(Value::as_object_mut) {
        if public.is_empty() {
            target.by_hand.push(
                "algorithms: only those of secrets are left for trustedIssuers, whose keys are public".into(),
            );
            break;
        }
        entry.insert("algorithms".into(), few(&public));
    }
    let has_keys = SOURCES.iter().any(|option| target.options.contains_key(*option));
    if has_keys && !algorithms.is_empty() {
        target.set("algorithms", few(algorithms));
    }
}

/// Where keys of the top level come from.
const SOURCES: &[&str] = &["jwksUrl", "discovery", "publicKey", "signingSecret", "keys"];

fn places(old: &mut Old, target: &mut Target) {
    let mut sources = Vec::new();
    for (option, kind, default) in [
        ("cookieName", "cookie", "Authorization"),
        ("headerName", "header", "Authorization"),
        ("parameterName", "query", ""),
    ] {
        let taken = old.take(option);
        if let Some((name, _)) = &taken {
            target.became(name, "tokenSources");
        }
        let place = taken.map_or_else(|| default.to_owned(), |(_, value)| text(&value));
        if place.is_empty() {
            continue;
        }
        sources.push(match kind {
            "header" => json!({"header": place, "scheme": "Bearer?"}),
            kind => json!({ kind: place }),
        });
    }
    if sources.is_empty() {
        target
            .by_hand
            .push("tokenSources: all places are switched off there, so no token was ever found".into());
    } else {
        target.comment(
            "tokenSources",
            "Different tokens in one request are a 400; there, the first one counts.",
        );
        target.set("tokenSources", sources);
    }
}

fn answers(old: &mut Old, target: &mut Target) {
    let unauthorized = old.take("redirectUnauthorized");
    let redirects = unauthorized.is_some();
    if let Some((name, value)) = unauthorized {
        redirect(&name, &text(&value), "redirectUrl", target);
    }
    match old.take("redirectForbidden") {
        Some((name, value)) if redirects => redirect(&name, &text(&value), "forbiddenRedirectUrl", target),
        Some((name, _)) => target.dropped(&name, "there, it has no effect without redirectUnauthorized"),
        None if redirects => {
            target.comment(
                "errors",
                "There, a 403 redirects as well. Here it stays one, unless forbiddenRedirectUrl is set.",
            );
        }
        None => {}
    }
}

fn redirect(name: &str, url: &str, option: &str, target: &mut Target) {
    let mut converted = url.to_owned();
    for variable in ["{{URLQueryEscape .URL}}", "{{ URLQueryEscape .URL }}", "{{.URL}}", "{{ .URL }}"] {
        converted = converted.replace(variable, "{url}");
    }
    if converted.contains("{{") {
        target.left(name, "{url} is the only variable here, the URL of the request in a query");
        return;
    }
    match refusal(&json!({"signingSecret": SECRET, "errors": {option: converted}})) {
        _ if converted.is_empty() => target.dropped(name, "it is empty"),
        Some(why) => target.left(name, &why),
        None => {
            target.became(name, &format!("errors.{option}"));
            target.set_in("errors", option, converted);
        }
    }
}

fn headers(name: &str, value: &Value, target: &mut Target) {
    let mut headers = Map::new();
    target.became(name, "forwardHeaders");
    for (header, claim) in object(value).unwrap_or_default() {
        let path = format!("{name}.{header}");
        let claim = text(&claim);
        if claim.contains(['{', '}']) {
            target.left(&path, "a claim with braces in its name cannot be forwarded");
            continue;
        }
        target.became(&path, "forwardHeaders");
        headers.insert(header, dotted(&[claim]).replace('|', "\\|").into());
    }
    target.set("forwardHeaders", headers);
    target.stricter.push("forwardHeaders: the client's own copies never pass, in any spelling".into());
}
