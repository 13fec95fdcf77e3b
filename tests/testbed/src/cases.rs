//! The rows of `tests/cases/*.yaml`: configuration, token, request, and what must come of them.
//!
//! A file is `{defaults: ROW, cases: [ROW, …]}`. A row's `config`, `token` and `request` are laid over those of
//! the defaults, member by member; null takes a member away. `{{name}}` stands for a value of the test bed
//! (`fill`), and claims such as `exp: "+300"` are relative to now.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::http::Request;
use crate::keys;
use crate::proofs::{Proof, public_jwk, sha256, thumbprint};
use crate::tokens::{Token, compact, padded, tamper};

/// Certificates of clients.
const CERTIFICATES: [(&str, &str); 2] = [
    ("own", include_str!("../../vectors/pem/p-256-certificate.pem")),
    ("other", include_str!("../../vectors/pem/p-384-certificate.pem")),
];

/// One row.
#[derive(Clone, Debug)]
pub struct Case {
    /// File and name.
    pub name: String,
    /// The plugin's configuration as a user writes it.
    pub config: Value,
    /// The request, its token filled in.
    pub request: CaseRequest,
    /// What must come of it.
    pub expect: Expect,
}

/// A request of a row.
#[derive(Clone, Debug)]
pub struct CaseRequest {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header lines in order.
    pub headers: Vec<(String, String)>,
}

/// What must come of a row.
#[derive(Clone, Debug)]
pub struct Expect {
    /// The status.
    pub status: u16,
    /// The refusal's code; only the native run sees it.
    pub code: Option<String>,
    /// The body of a refusal, exactly.
    pub body: Option<String>,
    /// Headers of the answer: a value, or absent.
    pub headers: Vec<(String, Option<String>)>,
    /// Path and query at the upstream.
    pub uri: Option<String>,
    /// Headers at the upstream: the only value, or absent in every spelling.
    pub upstream: Vec<(String, Option<String>)>,
    /// Headers of a request that is answered here, as Traefik's metrics find them afterwards: the only value, or absent
    /// in every spelling. Only the native run sees them.
    pub answered: Vec<(String, Option<String>)>,
    /// Whether the middleware answers with a document of its own.
    pub served: bool,
    /// The code of the refusal where a proxy asks ([`crate::asked`]), if that makes a difference.
    pub asked: Option<String>,
    /// Parts of the log when the configuration is refused.
    pub refused: Vec<String>,
    /// Parts of the one line of the log about the request, which is refused or passes nevertheless.
    pub log: Vec<String>,
}

/// The values that only a run knows.
#[derive(Clone, Debug)]
pub struct Bed {
    /// Seconds since 1970.
    pub now: i64,
    /// URL of the key set.
    pub jwks_url: String,
    /// CA of that URL, PEM.
    pub ca_pem: String,
}

/// All rows of the folder `tests/cases`, their tokens minted at `bed.now`.
///
/// # Panics
/// On a file that is not made as said above.
pub fn load(bed: &Bed) -> Vec<Case> {
    let rows = Rows::read(bed);
    (0..rows.count()).map(|row| rows.case(row, bed.now)).collect()
}

/// All rows of the folder `tests/cases`, to be minted one by one.
#[derive(Debug)]
pub struct Rows {
    /// What stands for `{{name}}`. Some keys are slow to make.
    values: Vec<(String, Value)>,
    rows: Vec<Row>,
}

/// A row as it is written.
#[derive(Debug)]
struct Row {
    name: String,
    defaults: Rc<Value>,
    written: Value,
}

impl Rows {
    /// Reads them. `bed.now` does not count.
    ///
    /// # Panics
    /// On a file that is not made as said above.
    pub fn read(bed: &Bed) -> Self {
        let mut rows: Vec<Row> = files().iter().flat_map(|path| read_file(path)).collect();
        if let Ok(wanted) = std::env::var("CASE") {
            rows.retain(|row| row.name.contains(&wanted));
            assert!(!rows.is_empty(), "no row has {wanted:?} in its name");
        }
        Self { values: bed_values(bed), rows }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The row at this place, its tokens minted at `now`, in seconds since 1970.
    ///
    /// # Panics
    /// On a row that is not made as said above, and where there is none.
    pub fn case(&self, at: usize, now: i64) -> Case {
        case(&self.rows[at], &self.values, now)
    }
}

fn files() -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(crate::traefik::root().join("tests/cases"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    paths
}

fn read_file(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).unwrap();
    let file: Value =
        yaml_serde::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    known(&path.display().to_string(), &file, &["defaults", "cases"]);
    let stem = path.file_stem().unwrap().to_string_lossy();
    let rows = file["cases"].as_array().unwrap_or_else(|| panic!("{}: no cases", path.display()));
    let defaults = Rc::new(file["defaults"].clone());
    let row = |row: &Value| Row {
        name: format!("{stem}: {}", row["name"].as_str().expect("a row has a name")),
        defaults: Rc::clone(&defaults),
        written: row.clone(),
    };
    rows.iter().map(row).collect()
}

fn case(row: &Row, known_values: &[(String, Value)], now: i64) -> Case {
    let Row { name, defaults, written: row } = row;
    let name = name.clone();
    known(&name, row, &["name", "config", "token", "tokens", "proof", "proofs", "request", "expect"]);
    let part = |key: &str| overlay(&defaults[key], &row[key]);
    let token = fill(&part("token"), known_values);
    let mut values: Vec<(String, Value)> = Vec::new();
    let mut value = |name: String, token: String| {
        values.push((format!("{name}.base64url"), json!(keys::encode(token.as_bytes()))));
        values.push((name, json!(token)));
    };
    value("token".into(), mint(&name, &token, now));
    for (other, changes) in row["tokens"].as_object().into_iter().flatten() {
        let minted = mint(&name, &overlay(&token, &fill(changes, known_values)), now);
        value(format!("token.{other}"), minted);
    }
    let request = part("request");
    let proof = part("proof");
    if !proof.is_null() {
        let method = request["method"].as_str().unwrap_or("GET");
        let proofs = row["proofs"].as_object().into_iter().flatten();
        let proofs = proofs.map(|(other, changes)| (format!("proof.{other}"), overlay(&proof, changes)));
        for (place, proof) in [("proof".into(), proof.clone())].into_iter().chain(proofs) {
            let proof = prove(&name, &fill(&proof, known_values), method, &values, now);
            values.push((place, json!(proof)));
        }
    }
    values.extend(known_values.iter().filter(|(name, _)| name.starts_with("certificate.")).cloned());
    let config = fill(&part("config"), known_values);
    known(&name, &request, &["method", "path", "headers"]);
    let lines = match &request["headers"] {
        Value::Null => json!([["Authorization", "Bearer {{token}}"]]),
        lines => lines.clone(),
    };
    let lines = fill(&lines, &values);
    let text =
        |value: &Value| value.as_str().unwrap_or_else(|| panic!("{name}: no text: {value}")).to_owned();
    let request = CaseRequest {
        method: request["method"].as_str().unwrap_or("GET").into(),
        path: text(&fill(&request["path"].as_str().unwrap_or("/").into(), &values)),
        headers: lines.as_array().unwrap().iter().map(|line| (text(&line[0]), text(&line[1]))).collect(),
    };
    Case { expect: expect(&name, &fill(&row["expect"], &values)), name, config, request }
}

fn expect(name: &str, expect: &Value) -> Expect {
    known(
        name,
        expect,
        &[
            "status", "code", "body", "headers", "uri", "upstream", "answered", "served", "asked", "refused",
            "log",
        ],
    );
    let headers = |key: &str| {
        let members = expect[key].as_object().into_iter().flatten();
        members.map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned))).collect()
    };
    let words = |key: &str| -> Vec<String> {
        expect[key].as_array().into_iter().flatten().map(|word| word.as_str().unwrap().into()).collect()
    };
    let refused = words("refused");
    // Traefik answers 404 for a router whose middleware refused its configuration.
    let status = if refused.is_empty() { &expect["status"] } else { &json!(404) };
    Expect {
        status: u16::try_from(status.as_u64().unwrap_or_else(|| panic!("{name}: no status"))).unwrap(),
        code: expect["code"].as_str().map(str::to_owned),
        body: expect["body"].as_str().map(str::to_owned),
        headers: headers("headers"),
        uri: expect["uri"].as_str().map(str::to_owned),
        upstream: headers("upstream"),
        answered: headers("answered"),
        served: expect["served"].as_bool().unwrap_or_default(),
        asked: expect["asked"].as_str().map(str::to_owned),
        refused,
        log: words("log"),
    }
}

fn mint(name: &str, row: &Value, now: i64) -> String {
    known(
        name,
        row,
        &[
            "alg",
            "key",
            "kid",
            "header",
            "claims",
            "tamper",
            "raw",
            "letters",
            "rawHeader",
            "rawPayload",
            "padded",
        ],
    );
    if let Some(raw) = row["raw"].as_str() {
        return raw.into();
    }
    if let Some(letters) = row["letters"].as_u64() {
        return "a".repeat(letters.try_into().unwrap());
    }
    let alg = row["alg"].as_str().unwrap_or("EdDSA");
    let mut claims = row["claims"].as_object().cloned().unwrap_or_default();
    for key in ["exp", "nbf", "iat", "auth_time"] {
        if let Some(offset) = claims.get(key).and_then(Value::as_str).and_then(relative) {
            claims.insert(key.into(), json!(now + offset));
        }
    }
    let token = Token {
        alg: alg.into(),
        key: row["key"].as_str().map(str::to_owned),
        kid: row.get("kid").map(|kid| kid.as_str().map(str::to_owned)),
        header: row["header"].as_object().cloned().unwrap_or_default(),
        claims: Value::Object(claims),
    };
    let minted = match (row["rawHeader"].as_str(), row["rawPayload"].as_str()) {
        (None, None) => token.mint(),
        (header, payload) => {
            let key = row["key"].as_str().unwrap_or_else(|| keys::key_of(alg));
            let plain = json!({"alg": alg, "kid": key}).to_string();
            compact(alg, key, header.unwrap_or(&plain), payload.unwrap_or(&token.claims.to_string()))
        }
    };
    let minted = if row["padded"].as_bool().unwrap_or_default() {
        padded(alg, row["key"].as_str().unwrap_or_else(|| keys::key_of(alg)), &minted)
    } else {
        minted
    };
    row["tamper"].as_str().map_or_else(|| minted.clone(), |how| tamper(&minted, how))
}

/// A proof of a row: for `htu` and one of the row's tokens.
fn prove(name: &str, row: &Value, method: &str, tokens: &[(String, Value)], now: i64) -> String {
    known(name, row, &["alg", "key", "htu", "token", "header", "claims", "tamper", "raw"]);
    if let Some(raw) = row["raw"].as_str() {
        return raw.into();
    }
    let token = row["token"].as_str().unwrap_or("token");
    let token = tokens.iter().find(|(known, _)| known == token).and_then(|(_, token)| token.as_str());
    let htu = row["htu"].as_str().unwrap_or_else(|| panic!("{name}: a proof has an htu"));
    let mut proof = Proof::new(method, htu, token.unwrap_or_else(|| panic!("{name}: no such token")), now);
    proof.alg = row["alg"].as_str().unwrap_or("ES256").into();
    proof.key = row["key"].as_str().unwrap_or_else(|| keys::key_of(&proof.alg)).into();
    proof.header = row["header"].as_object().cloned().unwrap_or_default();
    for (claim, value) in row["claims"].as_object().into_iter().flatten() {
        let value = match value.as_str().filter(|_| claim == "iat").and_then(relative) {
            Some(offset) => json!(now + offset),
            None => value.clone(),
        };
        proof.claims.insert(claim.clone(), value);
    }
    let proof = proof.sign();
    row["tamper"].as_str().map_or_else(|| proof.clone(), |how| tamper(&proof, how))
}

/// Seconds of "+300" or "-1"; none for what is meant as it stands.
fn relative(text: &str) -> Option<i64> {
    text.starts_with(['+', '-']).then(|| text.parse().ok())?
}

fn bed_values(bed: &Bed) -> Vec<(String, Value)> {
    let mut values = vec![
        ("jwks".into(), keys::public_set()),
        ("jwks.unnamed".into(), keys::unnamed_set()),
        ("jwksText".into(), json!(keys::public_set().to_string())),
        ("jwksUrl".into(), json!(bed.jwks_url)),
        ("ca".into(), json!(bed.ca_pem)),
        ("secret".into(), json!(keys::SECRET)),
    ];
    for key in ["rsa", "p256", "p384", "p521", "ed25519", "rsa-other", "ed25519-other"] {
        values.push((format!("pem.{key}"), json!(keys::public_pem(key))));
        values.push((format!("jwk.{key}"), keys::jwk(key)));
        values.push((format!("jkt.{key}"), json!(thumbprint(&public_jwk(key)))));
        values.push((format!("jwk.bare.{key}"), public_jwk(key)));
    }
    for key in ["rsa", "rsa-other"] {
        values.push((format!("bundle.{key}"), keys::bundle(&[key])));
    }
    for (name, certificate) in CERTIFICATES {
        let base64: String = certificate.lines().filter(|line| !line.starts_with('-')).collect();
        values.push((format!("x5t.{name}"), json!(sha256(&STANDARD.decode(&base64).unwrap()))));
        values.push((format!("certificate.{name}"), json!(base64)));
    }
    for key in ["secret", "secp256k1", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"] {
        values.push((format!("jwk.{key}"), keys::jwk(key)));
    }
    values
}

/// Replaces `{{name}}`: by the value itself where it is the whole text, else within the text.
fn fill(template: &Value, values: &[(String, Value)]) -> Value {
    match template {
        Value::String(text) => {
            let mut text = text.clone();
            for (name, value) in values {
                let place = format!("{{{{{name}}}}}");
                if text == place {
                    return value.clone();
                }
                if let Some(value) = value.as_str() {
                    text = text.replace(&place, value);
                }
            }
            assert!(!text.contains("{{"), "nothing is known as '{text}'");
            Value::String(text)
        }
        Value::Array(items) => items.iter().map(|item| fill(item, values)).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), fill(value, values))).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
    }
}

/// `over` laid upon `base`; `claims` and the like one level deeper, since they are objects, too.
fn overlay(base: &Value, over: &Value) -> Value {
    let (Some(base), Some(over)) = (base.as_object(), over.as_object()) else {
        return if over.is_null() { base.clone() } else { over.clone() };
    };
    let mut merged: Map<String, Value> = base.clone();
    for (name, value) in over {
        match (merged.get(name), value) {
            // A row's `kid: null` says that the token has none.
            (_, Value::Null) if name == "kid" => drop(merged.insert(name.clone(), Value::Null)),
            (_, Value::Null) => drop(merged.remove(name)),
            (Some(Value::Object(_)), Value::Object(_))
                if matches!(name.as_str(), "claims" | "clientConfig" | "proofs") =>
            {
                let deeper = overlay(&merged[name], value);
                merged.insert(name.clone(), deeper);
            }
            _ => drop(merged.insert(name.clone(), value.clone())),
        }
    }
    Value::Object(merged)
}

/// A misspelled member would make a row say less than it seems to.
fn known(name: &str, value: &Value, members: &[&str]) {
    for member in value.as_object().into_iter().flatten().map(|(member, _)| member) {
        assert!(members.contains(&member.as_str()), "{name}: '{member}' is none of {members:?}");
    }
}

/// A request as it reached the upstream.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Path and query.
    pub uri: String,
    /// Header lines in order.
    pub headers: Vec<(String, String)>,
}

impl CaseRequest {
    /// For Traefik.
    pub fn to(&self, host: &str) -> Request {
        let request = Request::new(&self.method, host, &self.path);
        self.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }
}

impl Expect {
    /// Whether `line` of the log is the one about the request.
    pub fn is_logged_in(&self, line: &str) -> bool {
        self.log.iter().all(|word| line.contains(word.as_str()))
    }

    /// Compares an answer; the text says everything that differs.
    ///
    /// # Errors
    /// The differences.
    pub fn compare(
        &self,
        status: u16,
        headers: &[(String, String)],
        body: &str,
        upstream: Option<&Seen>,
    ) -> Result<(), String> {
        let mut wrong = Vec::new();
        if status != self.status {
            wrong.push(format!("status {status}, expected {}", self.status));
        }
        if self.body.as_deref().is_some_and(|expected| expected != body) {
            wrong.push(format!("body {body:?}, expected {:?}", self.body));
        }
        for (name, expected) in &self.headers {
            let got: Vec<&str> = values(headers, |known| known.eq_ignore_ascii_case(name));
            if got != expected.as_deref().into_iter().collect::<Vec<_>>() {
                wrong.push(format!("header {name} {got:?}, expected {expected:?}"));
            }
        }
        if upstream.is_some() != (self.status == 200 && !self.served) {
            wrong.push(format!("reached the upstream: {}", upstream.is_some()));
        }
        let Some(upstream) = upstream else {
            return if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) };
        };
        if self.uri.as_ref().is_some_and(|expected| *expected != upstream.uri) {
            wrong.push(format!("upstream's target {:?}, expected {:?}", upstream.uri, self.uri));
        }
        wrong.extend(differences("upstream's", &self.upstream, &upstream.headers));
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// Compares the headers that a request has after it was answered.
    ///
    /// # Errors
    /// The differences.
    pub fn compare_request(&self, headers: &[(String, String)]) -> Result<(), String> {
        let wrong = differences("answered request's", &self.answered, headers);
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}

fn differences(
    whose: &str,
    expected: &[(String, Option<String>)],
    headers: &[(String, String)],
) -> Vec<String> {
    let mut wrong = Vec::new();
    for (name, expected) in expected {
        // Every alias counts: some upstreams read them all as one header.
        let got: Vec<&str> = values(headers, |known| fold(known) == fold(name));
        if got != expected.as_deref().into_iter().collect::<Vec<_>>() {
            wrong.push(format!("{whose} {name} {got:?}, expected {expected:?}"));
        }
    }
    wrong
}

fn values(headers: &[(String, String)], matches: impl Fn(&str) -> bool) -> Vec<&str> {
    headers.iter().filter(|(name, _)| matches(name)).map(|(_, value)| value.as_str()).collect()
}

/// A header's name as the most careless upstream reads it.
fn fold(name: &str) -> String {
    name.to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
}
