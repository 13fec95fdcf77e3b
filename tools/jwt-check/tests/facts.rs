//! What the tests of the two plugins in Go say of them (`facts/*.yml`), told again: a configuration of theirs, converted, and
//! a request has the verdict that it had there, or another one that the conversion or its page says.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of tests fail by panicking"
)]

mod common;

use std::collections::BTreeSet;
use std::rc::Rc;

use common::{Files, has_names, run};
use serde_json::{Value, json};
use testbed::keys;
use testbed::tokens::{Token, compact};
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::decide::decide;
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::documents::document::Document;
use traefik_jwt_auth::documents::fetch::{FetchError, Fetched};
use traefik_jwt_auth::documents::outside::Outside;
use traefik_jwt_auth::keys::keyring::Keyring;

const AGILEZEBRA: &str = include_str!("facts/agilezebra.yml");
const JWT_PLUGIN: &str = include_str!("facts/traefik-jwt-plugin.yml");
const PAGES: [&str; 2] = [
    include_str!("../../../docs/migrate/agilezebra.md"),
    include_str!("../../../docs/migrate/traefik-jwt-plugin.md"),
];

/// What stands in rows for what is long.
fn filled(value: &Value) -> Value {
    match value {
        Value::String(text) => match text.split_once(':') {
            Some(("PEM", key)) => json!(keys::public_pem(key)),
            _ if text == "SECRET" => json!(keys::SECRET),
            _ => value.clone(),
        },
        Value::Array(list) => list.iter().map(filled).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), filled(value))).collect())
        }
        other => other.clone(),
    }
}

/// The provider: metadata, and keys with the changes of the row; null takes a member away.
fn outside(now: UnixTime, changes: &Value) -> Outside {
    let mut set = keys::public_set();
    for key in set["keys"].as_array_mut().unwrap() {
        for (name, value) in changes.as_object().into_iter().flatten() {
            if value.is_null() {
                key.as_object_mut().unwrap().remove(name);
            } else if key.get(name).is_some() {
                key[name] = value.clone();
            }
        }
    }
    let is_away = changes == "away";
    Outside::new().at(now).with_provider(move |url| {
        let body = match url.to_string().as_str() {
            _ if is_away => return Err(FetchError::Connect),
            "https://idp.example/.well-known/openid-configuration" => {
                json!({"issuer": "https://idp.example", "jwks_uri": "https://idp.example/keys"})
            }
            "https://idp.example/keys" => set.clone(),
            _ => return Err(FetchError::Connect),
        };
        Ok(Fetched::Document(Document { body: body.to_string().into_bytes(), ..Document::default() }))
    })
}

/// The token of a row.
fn minted(row: &Value, now: i64) -> String {
    let mut claims = row["claims"].clone();
    for name in ["exp", "nbf", "iat"] {
        if let Some(offset) = claims[name].as_str().and_then(|text| text.parse::<i64>().ok()) {
            claims[name] = json!(now + offset);
        }
    }
    let alg = row["alg"].as_str().unwrap_or("HS256");
    if let Some(key) = row["confused"].as_str() {
        // Signed as `alg`, with the public key for a secret.
        return compact(alg, "secret", &json!({"alg": alg, "kid": key}).to_string(), &claims.to_string());
    }
    let kid = match row.get("kid") {
        Some(kid) => Some(kid.as_str().map(str::to_owned)),
        None => alg.starts_with("HS").then_some(None),
    };
    let header = row["header"].as_object().cloned().unwrap_or_default();
    Token { kid, header, ..Token::new(alg, claims) }.mint()
}

fn request(row: &Value, token: &str) -> RecordedRequest {
    let place = row["in"].as_str().unwrap_or("plain");
    let path = row["path"].as_str().unwrap_or("/home?id=1&other=2").to_owned();
    let (kind, name) = place.split_once(' ').unwrap_or((place, "Authorization"));
    let path = if kind == "query" { format!("{path}&{name}={token}") } else { path };
    let request = RecordedRequest::new(row["method"].as_str().unwrap_or("GET"), &path);
    let headers = row["headers"].as_object().into_iter().flatten();
    let request = headers.fold(
        request.header("Host", "app.example.com").header("X-Forwarded-Proto", "https"),
        |request, (name, value)| request.header(name, value.as_str().unwrap()),
    );
    match kind {
        "plain" => request.header(name, token),
        "bearer" => request.header(name, format!("Bearer {token}")),
        "BEARER" => request.header(name, format!("BEARER {token}")),
        "cookie" => request.header("Cookie", format!("Test=test; {name}={token}; Other=other")),
        "query" | "nowhere" => request,
        other => panic!("{other} is no place"),
    }
}

/// What became of the request: `allow` or a code; the status; and what goes on.
fn verdict(options: &Value, row: &Value) -> (String, u16, Vec<(String, String)>) {
    let capabilities =
        Capabilities { fetch: true, env: &|_| Some("a-secret-that-is-not-that-of-the-row".into()) };
    let policy = match compile(options.to_string().as_bytes(), &capabilities) {
        Ok(policy) => Rc::new(policy),
        Err(_) => return ("does not load".into(), 404, Vec::new()),
    };
    let seconds = testbed::wait::unix_now();
    let now = UnixTime::from_seconds(u64::try_from(seconds).unwrap());
    let request = request(row, &minted(row, seconds));
    let (keyring, outside) = (Keyring::new(Rc::clone(&policy)), outside(now, &row["keys"]));
    let mut decision = decide(&policy, &keyring.at(now), now, &request).decision;
    if let Decision::NeedKeys(need) = &decision {
        keyring.refresh(need, now, &outside.io());
        decision = decide(&policy, &keyring.at(now), now, &request).decision;
    }
    match decision {
        Decision::Forward(forward) => {
            let set = forward
                .headers()
                .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into()));
            let gone = forward.removed().map(|name| (name.to_owned(), "gone".to_owned()));
            let uri = forward.uri.iter().map(|uri| ("uri".to_owned(), String::from_utf8_lossy(uri).into()));
            ("allow".into(), 200, gone.chain(set).chain(uri).collect())
        }
        Decision::Reject(reject) => {
            let grpc = reject.headers.iter().find(|(name, _)| name == "Grpc-Status");
            let status = grpc.map_or(reject.status, |(_, value)| value.parse().unwrap());
            let headers = reject.headers.iter().map(|(name, value)| (name.to_string(), value.to_string()));
            (reject.refusal.code().into(), status, headers.collect())
        }
        Decision::NeedKeys(_) => ("keys_unavailable".into(), 503, Vec::new()),
        other => panic!("{other:?}"),
    }
}

/// What differs in a row from what it says.
fn check(row: &Value, page: &str) -> Result<(), String> {
    let block = filled(&row["old"]);
    let file = json!({"http": {"middlewares": {"j": {"plugin": {"jwt": block}}}}}).to_string();
    let from = row["from"].as_str().unwrap();
    let (_, output) =
        run(&["convert", "--from", from, "old.yml", "--format", "json"], &Files::of("old.yml", &file));
    let report = output.split_once("\n}\n").map_or(output.clone(), |(report, _)| format!("{report}}}"));
    let report: Value = serde_json::from_str(&report).map_err(|error| format!("{error}: {output}"))?;
    let one = &report["middlewares"][0];
    has_names(one, "{name, from, options, tests, mapped, dropped, acceptsMore, stricter, byHand}");
    let (code, status, seen) = verdict(&one["options"], row);
    let (there, here) = (row["there"].as_u64().unwrap(), row["here"].as_str().unwrap());
    if code != here {
        return Err(format!("{code} {status}, {one:#}"));
    }
    for (name, value) in row["headers after"].as_object().into_iter().flatten() {
        let found = seen
            .iter()
            .rev()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str());
        if found.unwrap_or("as it was") != value.as_str().unwrap() {
            return Err(format!("{name}: {found:?}, expected {value}"));
        }
    }
    // Allowed here and not there, or the other way, is said, and so is another status.
    let said = row["said"].as_str();
    let is_same = (there == 200) == (code == "allow") && (code == "allow" || u64::from(status) == there);
    if is_same != said.is_none() {
        return Err(format!("{there} there, {status} here ({code}), and said is {said:?}"));
    }
    let told = [one.to_string(), page.to_owned()].join("\n").split_whitespace().collect::<Vec<_>>().join(" ");
    match said {
        Some(words) if !told.contains(words) => Err(format!("nobody says {words:?}: {one:#}")),
        _ => Ok(()),
    }
}

#[test]
fn verdicts_are_those_of_before_or_said_to_be_others() {
    let mut wrong = Vec::new();
    for (text, page, from, count) in
        [(AGILEZEBRA, PAGES[0], "agilezebra", 85), (JWT_PLUGIN, PAGES[1], "traefik-jwt-plugin", 1)]
    {
        let rows: Vec<Value> = yaml_serde::from_str(text).unwrap();
        let mut facts = BTreeSet::new();
        for mut row in rows {
            row["from"] = json!(from);
            let fact = row["fact"].as_str().unwrap().to_owned();
            if let Err(difference) = check(&row, page) {
                wrong.push(format!("{from}: {fact}: {difference}"));
            }
            assert!(facts.insert(fact.clone()), "{fact} stands twice");
        }
        assert!(facts.len() >= count, "{from}: {}", facts.len());
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
