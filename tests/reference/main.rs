//! `docs/reference`: the page and the JSON Schema of all options, made from their rows. `make reference` writes them
//! (`REFERENCE=write`); these tests fail if they are not what the rows say.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail by panicking"
)]

mod page;
mod schema;
mod valid;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{env, fs};

use jwt_check::input::{self, File, Form};
use serde_json::{Value, json};
use testbed::cases::{Bed, load};
use traefik_jwt_auth::core::config::options::{Kind, Row, Scope, rows};
use traefik_jwt_auth::core::config::{Capabilities, compile};
use valid::is_valid;

/// The configurations in a file of `examples`, by the name of their middleware.
fn examples(file: &str) -> Vec<(String, Value)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(file);
    let file: Value = yaml_serde::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let middlewares = file["http"]["middlewares"].as_object().unwrap();
    let plugin = |(name, middleware): (&String, &Value)| (name.clone(), middleware["plugin"]["jwt"].clone());
    middlewares.iter().map(plugin).collect()
}

/// Whether `schema` takes the block.
fn is_block(schema: &Value, block: &Value) -> bool {
    is_valid(schema, &schema["$defs"]["options"], block)
}

fn everything() -> Value {
    examples("options.yml").into_iter().find(|(name, _)| name == "everything").unwrap().1
}

#[test]
fn files_are_what_the_rows_say() {
    let schema = format!("{}\n", serde_json::to_string_pretty(&schema::schema()).unwrap());
    for (name, text) in [("options.md", page::page(&everything())), ("options.schema.json", schema)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference").join(name);
        if env::var("REFERENCE").is_ok_and(|value| value == "write") {
            fs::write(&path, &text).unwrap();
        }
        let file = fs::read_to_string(&path).unwrap_or_default();
        assert!(file == text, "docs/reference/{name} is not what the rows say: make reference");
    }
}

/// Every row has a sentence, and an anchor of its own.
#[test]
fn rows_say_all() {
    let anchors: BTreeSet<String> = rows().map(page::anchor).collect();
    assert_eq!(anchors.len(), rows().count());
    for row in rows() {
        let about = row.about.trim();
        assert!(about.ends_with('.') && about.len() > 5, "{}: {about}", row.path);
        let section = row.path.rsplit_once('.').map(|(section, _)| section.trim_end_matches("[]"));
        let is_section = |row: &Row| matches!(row.kind, Kind::Object | Kind::Objects(_));
        assert!(
            section.is_none_or(|section| rows().any(|row| row.path == section && is_section(row))),
            "{}",
            row.path
        );
    }
}

#[test]
fn examples_and_accepted_rows_are_valid() {
    let schema = schema::schema();
    let files = [
        "options.yml",
        "migrate/agilezebra.yml",
        "migrate/traefik-hub.yml",
        "migrate/traefik-jwt-plugin.yml",
    ];
    let examples = files.iter().flat_map(|file| examples(file));
    let cases = load(&Bed { now: 1_790_000_000, jwks_url: "https://localhost/".into(), ca_pem: "x".into() });
    let cases = cases.into_iter().filter(|case| case.expect.refused.is_empty());
    let (mut count, mut wrong) = (0, Vec::new());
    for (name, config) in examples.chain(cases.map(|case| (case.name, case.config))) {
        count += 1;
        if !is_block(&schema, &config) {
            wrong.push(format!("{name}: {config}"));
        }
    }
    assert!(wrong.is_empty() && count > 200, "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The documents of an example, each as text.
fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n---\n")
}

/// What an editor says about an example: it finds the schema by a comment in the document, takes what stands there, and
/// underlines a mistake in a block.
#[test]
fn editors_know_the_options_in_examples() {
    const URL: &str =
        "https://raw.githubusercontent.com/traefik-jwt-auth/jwt/main/docs/reference/options.schema.json";
    let schema = schema::schema();
    let (mut count, mut wrong) = (0, Vec::new());
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")) {
        let name = path.to_str().unwrap();
        let comment = match path.extension().and_then(OsStr::to_str) {
            Some("yml" | "yaml") => format!("# yaml-language-server: $schema={URL}"),
            Some("toml") => format!("#:schema {URL}"),
            _ => continue,
        };
        let text = fs::read_to_string(&path).unwrap();
        for document in documents(&text) {
            let blocks = input::read(File { name, text: document }, &|_| None).blocks;
            if !blocks.iter().any(|block| matches!(block.form, Form::Dynamic | Form::Kubernetes(_))) {
                continue;
            }
            count += 1;
            let value: Value = match name.ends_with(".toml") {
                true => basic_toml::from_str(document).unwrap(),
                false => {
                    let mut value: yaml_serde::Value = yaml_serde::from_str(document).unwrap();
                    value.apply_merge().unwrap();
                    serde_json::to_value(value).unwrap()
                }
            };
            let mistaken =
                yaml_serde::from_str(&value.to_string().replace("\"jwt\":{", "\"jwt\":{\"jwksURL\":1,"));
            for (is_right, what) in [
                (document.lines().any(|line| line == comment), "the comment is missing"),
                (is_valid(&schema, &schema, &value), "the schema refuses it"),
                (!is_valid(&schema, &schema, &mistaken.unwrap()), "a mistake goes unnoticed"),
            ] {
                if !is_right {
                    wrong.push(format!("{name}: {what}"));
                }
            }
        }
    }
    assert!(wrong.is_empty() && count > 30, "{count}\n{}", wrong.join("\n"));
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Values as labels deliver them: scalars, lists and sections as texts.
#[test]
fn texts_are_valid() {
    let schema = schema::schema();
    let everything = everything();
    let texts = everything.as_object().unwrap().iter().map(|(name, value)| {
        let list = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Array(texts) if list => {
                texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                value.to_string()
            }
        };
        (name.clone(), Value::from(text))
    });
    let texts = Value::Object(texts.collect());
    assert!(is_block(&schema, &texts), "{texts}");
}

/// What the walk refuses for its name or because it is empty, the schema refuses as well, unless it stands in a text.
#[test]
fn what_is_unknown_or_empty_is_not_valid() {
    let schema = schema::schema();
    let file = include_str!("../configuration/refusals.txt");
    let (mut count, mut wrong) = (0, Vec::new());
    for row in file.split("\n\n").skip(1) {
        let (config, lines) = row.split_once('\n').unwrap();
        if config.contains("\"{\\\"")
            || !lines.contains("(option_unknown)") && !lines.contains("(option_empty)")
        {
            continue;
        }
        let config: Value = serde_json::from_str(config).unwrap();
        count += 1;
        // An empty list or object as JSON in a text is one of the forms that a schema cannot tell.
        let is_text = ["audience", "rules"].iter().any(|list| config == json!({*list: "[]"}));
        if is_block(&schema, &config) && !is_text {
            wrong.push(config.to_string());
        }
    }
    assert!(wrong.is_empty() && count > 50, "{count}: {}", wrong.join("\n"));
}

/// What a row gives as its default is what holds where the option is left out.
#[test]
fn defaults_are_what_holds() {
    let compiled = |config: &Value| {
        let capabilities = Capabilities { fetch: true, env: &|_| None };
        let policy = compile(config.to_string(), &capabilities);
        format!("{:?}", policy.unwrap_or_else(|errors| panic!("{config}: {errors:?}")))
    };
    let beside = |path: &str| match path {
        "signingSecretBase64Encoded" => json!({"signingSecret": "0123456789abcdef0123456789abcdef"}),
        "maxAgeClaim" => json!({"maxAgeSeconds": 60}),
        "forwardPayloadFormat" => json!({"forwardPayloadHeader": "X-Payload"}),
        "errors.contentType" => json!({"errors": {"body": "x"}}),
        "resourceMetadata.authorizationServers" => {
            json!({"resourceMetadata": {"resource": "https://a.example/"}})
        }
        "tokenSources[].encoding" => json!({"tokenSources": [{"webSocketPrefix": "a."}]}),
        "tokenSources[].padding" => json!({"tokenSources": [{"header": "X-Token"}]}),
        "proofs.dpop" | "proofs.mtls" => json!({}),
        _ if path.starts_with("proofs.") => json!({"proofs": {"dpop": "required", "mtls": "required"}}),
        _ if path.starts_with("revocation.") => json!({"revocation": {"directory": "/revoked"}}),
        _ if path.starts_with("scopes.") => json!({"scopes": {"required": ["a"]}}),
        _ if path.starts_with("status.") => json!({"status": {"path": "/s", "sourceRange": ["::1"]}}),
        _ if path.starts_with("tests[]") => json!({"tests": [{"expect": "token_missing"}]}),
        _ => json!({}),
    };
    let mut count = 0;
    for row in rows() {
        let Some(default) = page::default_value(row) else { continue };
        let mut config = json!({"jwksUrl": "https://idp.example/keys", "issuer": "https://idp.example/"});
        config.as_object_mut().unwrap().extend(beside(row.path).as_object().unwrap().clone());
        let mut written = config.clone();
        let mut at = &mut written;
        for part in row.path.split('.') {
            let (name, list) = (part.trim_end_matches("[]"), part.ends_with("[]"));
            if at.get(name).is_none() {
                at[name] = json!({});
            }
            at = if list { &mut at[name][0] } else { &mut at[name] };
        }
        *at = default;
        assert_eq!(compiled(&written), compiled(&config), "{}", row.path);
        count += 1;
    }
    assert!(count > 30, "{count}");
}

/// The schema refuses in an entry of `trustedIssuers` what the walk refuses there.
#[test]
fn options_of_an_entry() {
    let schema = schema::schema();
    let mut example = everything();
    example["tenants"] = json!(["a"]);
    example["tenantClaim"] = json!("tid");
    example["signer"] = json!("arn:aws:a");
    example["format"] = json!("jwks");
    for row in rows().filter(|row| !row.path.contains(['.', '['])) {
        let config = json!({"trustedIssuers": [{ row.path: example[row.path] }]});
        let errors = compile(config.to_string(), &Capabilities { fetch: true, env: &|_| None });
        let errors = errors.err().unwrap_or_default();
        let path = format!("trustedIssuers[0].{}", row.path);
        let unknown = errors.iter().any(|error| error.path == path && error.code() == "option_unknown");
        assert_eq!(unknown, row.scope == Scope::Top, "{}", row.path);
        assert_eq!(is_block(&schema, &config), !unknown, "{}", row.path);
    }
}
