//! Whether the blocks of a file load, with every problem.

use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Value, json};
use traefik_jwt_auth::core::config::{Capabilities, ConfigError, compile, summary, warnings};
use traefik_jwt_auth::core::policy::Policy;

use crate::convert::source;
use crate::input::tree::map_texts;
use crate::input::{self, Block, Environment, File, Form};
use crate::sample;
use crate::verdict::Verdict;

/// Stands for secrets that are not here. Nobody knows a key of it, and nothing is verified with it.
pub(crate) const SECRET: &str =
    "GiCX7BNncAg9EoywH7KgYXdnpkhBTJXe9vQbIhqNQHw6m8svRsw27x0z3gjmvZpUKFkr5krbd+I+4Qr1U/299w==";
/// Stands for public keys.
const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEy3FSbSf22PAnkryyXQSmJv9qUGuGC9YZ/OpCcCzXb57M\
                   ZzLsx0giOYzXyLd1gVO+daTC3I1nIXqUrinqAco49A==\n-----END PUBLIC KEY-----\n";
/// Stands for key sets.
const SET: &str = r#"{"keys":[{"kty":"EC","crv":"P-256","x":"y3FSbSf22PAnkryyXQSmJv9qUGuGC9YZ_OpCcCzXb54","y":"zGcy7MdIIjmM18i3dYFTvnWkwtyNZyF6lK4p6gHKOPQ"}]}"#;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code (docs/errors.md).
    pub code: String,
    /// Full path of the option.
    pub path: String,
    /// The line of the file, where it is known.
    pub line: Option<usize>,
    /// One sentence, with the path.
    pub message: String,
}

impl Problem {
    fn of(error: &ConfigError, block: &Block) -> Self {
        let code = error.code().to_owned();
        let text = error.to_string();
        let message =
            text.strip_prefix(&format!("configuration refused ({code}): ")).unwrap_or(&text).to_owned();
        Self { code, line: block.lines.of(&error.path), path: error.path.clone(), message }
    }

    pub(crate) fn json(&self) -> Value {
        json!({"code": self.code, "path": self.path, "line": self.line, "message": self.message})
    }
}

/// One middleware of a file.
#[derive(Clone, Debug)]
pub struct Middleware {
    /// Its name.
    pub name: String,
    /// The name below `plugin`.
    pub plugin: String,
    /// The line of the block.
    pub line: Option<usize>,
    /// Everything that refuses it; empty if it loads.
    pub problems: Vec<Problem>,
    /// What the log says of it when it is loaded.
    pub warnings: Vec<String>,
    /// What could not be checked here, and what stood for it.
    pub notes: Vec<String>,
    /// One line about what is in force.
    pub summary: String,
    /// Options whose values are secrets, kept in the file itself.
    pub secrets: Vec<String>,
    /// Tokens to try it with, as JSON.
    pub samples: Vec<Value>,
}

/// What is said of a file.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub file: String,
    /// The worst of all.
    pub verdict: Verdict,
    /// Those of this plugin.
    pub middlewares: Vec<Middleware>,
    /// What was left out or cannot be read, with its line.
    pub notes: Vec<(Option<usize>, String)>,
    /// Whether all of the file could be read, and it has no middleware of this plugin; a block alone is none for Traefik.
    pub has_none: bool,
}

/// Checks the middlewares of a file, or the one that is `wanted`.
#[must_use]
pub fn check(file: File<'_>, wanted: Option<&str>, environment: Environment<'_>) -> Check {
    let found = input::read(file, environment);
    let mut notes = found.unreadable;
    let is_read = notes.is_empty();
    let mut verdict = if is_read { Verdict::Good } else { Verdict::CannotTell };
    let (mut middlewares, mut has_any) = (Vec::new(), false);
    for block in &found.blocks {
        if wanted.is_some_and(|wanted| wanted != block.middleware) {
            continue;
        }
        let is_other = !input::is_ours(&block.options) && source::of(&block.options).is_none();
        if is_other && wanted.is_none() {
            let note = format!("{}: left out, the plugin {} is another one", block.middleware, block.plugin);
            if block.form != Form::Bare {
                notes.push((block.lines.of(""), note));
            }
            continue;
        }
        has_any |= block.form != Form::Bare;
        let middleware = middleware(block, environment);
        if !middleware.problems.is_empty() {
            verdict = Verdict::Refused;
        }
        middlewares.push(middleware);
    }
    if middlewares.is_empty() && verdict == Verdict::Good {
        verdict = Verdict::CannotTell;
        let note = match wanted {
            Some(name) => format!("there is no middleware {name} with a plugin"),
            None => {
                "there is no middleware of this plugin: http.middlewares.NAME.plugin.NAME, a Middleware of Kubernetes, labels"
                    .to_owned()
            }
        };
        notes.push((None, note));
    }
    Check { file: file.name.to_owned(), verdict, middlewares, notes, has_none: is_read && !has_any }
}

fn middleware(block: &Block, environment: Environment<'_>) -> Middleware {
    let mut notes = block.notes.clone();
    let outcome = compiled(block, environment, &mut notes);
    let mut samples = Vec::new();
    let (problems, warnings, summary) = match outcome {
        Ok(Some(policy)) => {
            samples = sample::samples(&block.options, &policy);
            (Vec::new(), warnings(&policy), summary(&policy))
        }
        Ok(None) => (Vec::new(), Vec::new(), String::new()),
        Err(errors) => {
            let mut problems: Vec<Problem> = errors.iter().map(|error| Problem::of(error, block)).collect();
            problems.sort_by_key(|problem| problem.line);
            (problems, Vec::new(), String::new())
        }
    };
    Middleware {
        name: block.middleware.clone(),
        plugin: block.plugin.clone(),
        line: block.lines.of(""),
        problems,
        warnings,
        notes,
        summary,
        secrets: secrets(&block.options),
        samples,
    }
}

/// Options whose values are secrets and no reference to where one is kept.
fn secrets(options: &Value) -> Vec<String> {
    let mut found = Vec::new();
    map_texts(options, "", &mut |path, text| {
        let is_reference = ["env:", "file:", "urn:k8s:secret:"].iter().any(|start| text.starts_with(start));
        let is_public = text.contains("-----BEGIN") && !text.contains("PRIVATE KEY");
        let is_secret_key = path.contains("jwks") && (path.ends_with(".k") || path.ends_with(".d"))
            || text.contains("\"k\"")
            || text.contains("\"d\"");
        let is_kept_here = stand_in(path) == Some(SECRET) && !is_reference && !is_public;
        if is_kept_here || is_secret_key || text.contains("PRIVATE KEY") {
            found.push(path.to_owned());
        }
        String::new()
    });
    found
}

/// Compiles the block. What is kept elsewhere and is not here has a stand-in, which is noted; `None` if nothing but that
/// is missing.
fn compiled(
    block: &Block,
    environment: Environment<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<Policy>, Vec<ConfigError>> {
    let is_resource = matches!(block.form, Form::Kubernetes(_));
    let options = map_texts(&block.options, "", &mut |path, text| {
        let is_secret = is_resource && text.starts_with("urn:k8s:secret:");
        let value = stand_in(path).filter(|_| is_secret);
        if value.is_some() {
            notes.push(format!("{path}: a stand-in was checked in the place of the secret"));
        }
        value.map_or_else(|| text.to_owned(), str::to_owned)
    });
    let options = options.to_string();
    let missing = RefCell::new(BTreeMap::<String, &str>::new());
    let variables = |name: &str| {
        let value = environment(name).filter(|value| !value.is_empty());
        value.or_else(|| missing.borrow().get(name).map(|value| (*value).to_owned()))
    };
    let capabilities = Capabilities { fetch: true, env: &variables };
    let errors = match compile(options.as_bytes(), &capabilities) {
        Ok(policy) => return Ok(Some(policy)),
        Err(errors) => errors,
    };
    let mut unknown = Vec::new();
    for error in &errors {
        let text = error.to_string();
        let Some((_, rest)) = text.split_once("found env:") else { continue };
        let Some((name, _)) = rest.split_once(", which is not set") else { continue };
        match stand_in(&error.path) {
            Some(value) => {
                missing.borrow_mut().entry(name.to_owned()).or_insert(value);
                notes.push(format!(
                    "{}: env:{name} is not set here, a stand-in was checked in its place",
                    error.path
                ));
            }
            None => {
                notes.push(format!(
                    "{}: env:{name} is not set here, so its value was not checked",
                    error.path
                ));
                unknown.push(error.path.clone());
            }
        }
    }
    if missing.borrow().is_empty() && unknown.is_empty() {
        return Err(errors);
    }
    match compile(options.as_bytes(), &capabilities) {
        Ok(policy) => Ok(Some(policy)),
        Err(mut errors) => {
            errors.retain(|error| !unknown.contains(&error.path));
            if errors.is_empty() { Ok(None) } else { Err(errors) }
        }
    }
}

/// What stands for the value of an option that is not here.
fn stand_in(path: &str) -> Option<&'static str> {
    let inner = path.rsplit_once("].").map_or(path, |(_, inner)| inner);
    match inner {
        "signingSecret" | "proofs.nonceSecret" => Some(SECRET),
        "publicKey" => Some(PEM),
        "jwks" | "jwksFile" => Some(SET),
        "clientConfig.proxy" => Some("http://127.0.0.1:3128"),
        _ if inner.starts_with("keys.") || inner.starts_with("clientConfig.headers.") => Some(SECRET),
        _ => None,
    }
}

impl Check {
    /// Lines for people and editors: `FILE:LINE: CODE: MESSAGE`.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut say = |line: Option<usize>, what: &str| {
            let line = line.map(|line| format!("{line}:")).unwrap_or_default();
            text.push_str(&format!("{}:{line} {what}\n", self.file));
        };
        for (line, note) in &self.notes {
            say(*line, note);
        }
        for middleware in &self.middlewares {
            let name = &middleware.name;
            for problem in &middleware.problems {
                say(
                    problem.line.or(middleware.line),
                    &format!("{}: {}: {}", problem.code, name, problem.message),
                );
            }
            for note in &middleware.notes {
                say(middleware.line, &format!("note: {name}: {note}"));
            }
            for warning in &middleware.warnings {
                say(middleware.line, &format!("warning: {name}: {warning}"));
            }
            if middleware.problems.is_empty() {
                say(middleware.line, &format!("{name}: good"));
            }
        }
        text
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let middleware = |middleware: &Middleware| {
            json!({
                "name": middleware.name, "plugin": middleware.plugin, "line": middleware.line,
                "verdict": if middleware.problems.is_empty() { "good" } else { "refused" },
                "problems": middleware.problems.iter().map(Problem::json).collect::<Vec<_>>(),
                "warnings": middleware.warnings, "notes": middleware.notes, "summary": middleware.summary,
                "secrets": middleware.secrets, "samples": middleware.samples,
            })
        };
        let note = |(line, text): &(Option<usize>, String)| json!({"line": line, "message": text});
        json!({
            "file": self.file, "verdict": self.verdict.name(),
            "middlewares": self.middlewares.iter().map(middleware).collect::<Vec<_>>(),
            "notes": self.notes.iter().map(note).collect::<Vec<_>>(),
        })
    }
}
