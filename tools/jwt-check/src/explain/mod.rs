//! Step by step, what the middleware makes of a request, with the same rules and the same `decide`.

mod told;
mod words;
mod request;
mod world;
mod advice;

use std::rc::Rc;

use serde_json::{Value, json};
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::bypass::Body;
use traefik_jwt_auth::core::config::{Capabilities, compile, summary, warnings};
use traefik_jwt_auth::core::decide::{Decided, decide_telling};
use traefik_jwt_auth::core::evidence;
use traefik_jwt_auth::core::refusal::{Evidence, Refusal};
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::documents::directory::NoDirectory;
use traefik_jwt_auth::documents::io::Io;
use traefik_jwt_auth::documents::lease::Unshared;
use traefik_jwt_auth::keys::key_log;
use traefik_jwt_auth::keys::keyring::Keyring;

use crate::check::{Middleware, check};
use crate::explain::told::{Line, Told};
use crate::explain::world::World;
use crate::input::{self, Block, File, Form};
use crate::outside::Outside;
use crate::verdict::Verdict;

/// A request, and what is known of its surroundings.
pub struct Request {
    /// The token, for the first place where the configuration looks for one.
    pub token: Option<String>,
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The key set in place of all URLs, and of files that are not here.
    pub jwks: Option<Vec<u8>>,
    /// When it is sent.
    pub now: UnixTime,
}

/// What becomes of a request.
pub struct Explained {
    middleware: String,
    warnings: Vec<String>,
    summary: String,
    steps: Vec<Line>,
    failure: Option<Failure>,
    outcome: Outcome,
}

/// Where the walk ends, and why.
struct Failure {
    code: String,
    description: String,
    evidence: Evidence,
    advice: String,
}

/// How the walk ends.
enum Outcome {
    /// The configuration does not load.
    Unusable(Box<Middleware>),
    /// It goes to the upstream, changed like this.
    Allow(Changes),
    /// The proxy that asks may pass it on, with these headers.
    Accept(Vec<(String, String)>),
    /// The middleware answers itself.
    Served { status: u16, headers: Vec<(String, String)>, body: String },
    /// It is refused with this answer.
    Deny { code: String, status: u16, headers: Vec<(String, String)>, body: String },
    /// Why that is unknown here.
    CannotTell(String),
}

#[derive(Default)]
struct Changes {
    removed: Vec<String>,
    headers: Vec<(String, String)>,
    uri: Option<String>,
    drops_body: bool,
    response: Vec<(String, String)>,
}

/// Walks a request through the middleware of a file, or through the one that is `wanted`.
///
/// # Errors
/// There is no such middleware, or there are several.
pub fn explain(
    file: File<'_>,
    wanted: Option<&str>,
    request: &Request,
    outside: &dyn Outside,
) -> Result<Explained, String> {
    let environment = |name: &str| outside.variable(name);
    let found = input::read(file, &environment);
    let is_it = |block: &&Block| match wanted {
        Some(wanted) => block.middleware == wanted,
        None => block.form == Form::Bare || input::is_ours(&block.options),
    };
    let mut blocks = found.blocks.iter().filter(is_it);
    let block = match (blocks.next(), blocks.next()) {
        (Some(block), None) => block,
        (Some(_), Some(_)) => return Err("there are several middlewares; name one with --middleware".into()),
        (None, _) => {
            let why = found.unreadable.iter().map(|(line, why)| {
                let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
                format!("; {line}{why}")
            });
            return Err(format!("there is no such middleware with a plugin{}", why.collect::<String>()));
        }
    };
    let mut explained = Explained {
        middleware: block.middleware.clone(),
        warnings: Vec::new(),
        summary: String::new(),
        steps: Vec::new(),
        failure: None,
        outcome: Outcome::CannotTell(String::new()),
    };
    let capabilities = Capabilities { fetch: true, env: &environment };
    let policy = match compile(block.options.to_string().as_bytes(), &capabilities) {
        Ok(policy) => Rc::new(policy),
        Err(errors) => {
            let mut checked = check(file, Some(&block.middleware), &environment);
            let middleware = checked.middlewares.pop();
            explained.outcome = match middleware.filter(|middleware| !middleware.problems.is_empty()) {
                Some(middleware) => Outcome::Unusable(Box::new(middleware)),
                None => {
                    let why: Vec<String> = errors.iter().map(ToString::to_string).collect();
                    Outcome::CannotTell(format!("the values of these are needed: {}", why.join("; ")))
                }
            };
            return Ok(explained);
        }
    };
    explained.warnings = warnings(&policy);
    explained.summary = summary(&policy);
    let sent = request::of(request, &policy);
    let keyring = Keyring::new(Rc::clone(&policy));
    let now = request.now;
    let world = World { outside, policy: &policy, jwks: request.jwks.as_deref() };
    let io = Io { now: &|| now, files: &world, fetch: &world, share: &Unshared, directory: &NoDirectory };
    let mut told = Told::default();
    let keys = |keyring| Keyring::at(keyring, now).beside(&world);
    let mut decided = decide_telling(&policy, &keys(&keyring), now, &sent, &mut told);
    if let Decision::NeedKeys(need) = &decided.decision {
        for event in keyring.refresh(need, now, &io) {
            let lines = key_log::lines(&event).into_iter();
            explained.steps.extend(lines.map(|(_, line)| Line::new("key set", line, "")));
        }
        told = Told::default();
        decided = decide_telling(&policy, &keys(&keyring), now, &sent, &mut told);
    }
    explained.steps.append(&mut told.steps);
    let Decided { decision, found, .. } = decided;
    explained.failure = told.refusal.map(|refusal| Failure {
        code: refusal.code().to_owned(),
        description: refusal.description(),
        evidence: evidence::of(&policy, &keyring.at(now), now, &refusal, found.as_ref(), &sent),
        advice: advice::about(refusal.code()),
    });
    explained.outcome = conclude(&decision);
    Ok(explained)
}

fn conclude(decision: &Decision) -> Outcome {
    let no_keys = || {
        Outcome::CannotTell("the keys cannot be had here; give those of a URL with --jwks FILE".to_owned())
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match decision {
        Decision::Forward(forward) => Outcome::Allow(Changes {
            removed: forward.removed().map(|name| name.to_string()).collect(),
            headers: forward.headers().map(|(name, value)| (name.to_string(), text(value))).collect(),
            uri: forward.uri.as_ref().map(|uri| text(uri)),
            drops_body: forward.body == Body::Drop,
            response: forward.response().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        }),
        Decision::Accept(accept) => {
            let headers = accept.headers();
            Outcome::Accept(headers.map(|header| (header.name().to_owned(), text(header.value()))).collect())
        }
        Decision::Reject(reject) if matches!(reject.refusal, Refusal::KeysUnavailable { .. }) => no_keys(),
        Decision::Reject(reject) => {
            let headers = reject.label.response.iter().chain(&reject.headers);
            Outcome::Deny {
                code: reject.refusal.code().to_owned(),
                status: reject.status,
                headers: headers.map(|(name, value)| (name.to_string(), value.to_string())).collect(),
                body: text(&reject.body),
            }
        }
        Decision::Serve(served) => {
            let own = served.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            let label =
                served.label.response.iter().map(|(name, value)| (name.to_string(), value.to_string()));
            Outcome::Served {
                status: served.status,
                headers: own.chain(label).collect(),
                body: text(&served.body),
            }
        }
        Decision::NeedKeys(_) => no_keys(),
    }
}

impl Explained {
    /// How it ends.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self.outcome {
            Outcome::Allow(_) | Outcome::Accept(_) | Outcome::Served { .. } => Verdict::Good,
            Outcome::Deny { .. } => Verdict::Refused,
            Outcome::Unusable(_) | Outcome::CannotTell(_) => Verdict::CannotTell,
        }
    }

    /// Lines for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![row("middleware", &self.middleware)];
        lines.extend(self.warnings.iter().map(|warning| row("warning", warning)));
        if !self.summary.is_empty() {
            lines.push(row("configuration", &self.summary));
        }
        lines.extend(self.steps.iter().map(|line| row(&line.step, &line.text())));
        if let Some(failure) = &self.failure {
            let Evidence { found, expected, hint } = &failure.evidence;
            lines.push(row("fails here", &format!("{}: {}", failure.code, failure.description)));
            for (what, text) in [
                ("  found", found),
                ("  expected", expected),
                ("  hint", hint),
                ("  what to do", &failure.advice),
            ] {
                if !text.is_empty() {
                    lines.push(row(what, text));
                }
            }
        }
        lines.extend(self.end());
        lines.push(String::new());
        lines.join("\n")
    }

    fn end(&self) -> Vec<String> {
        match &self.outcome {
            Outcome::Unusable(middleware) => {
                let problem = |problem: &crate::check::Problem| {
                    let line = problem.line.map(|line| format!("line {line}: ")).unwrap_or_default();
                    format!("  {line}{}: {}", problem.code, problem.message)
                };
                let problems = middleware.problems.iter().map(problem);
                std::iter::once("\ncannot tell: the configuration is refused".to_owned())
                    .chain(problems)
                    .collect()
            }
            Outcome::Allow(changes) => {
                let mut lines = vec!["\nallow".to_owned()];
                lines.extend(
                    changes
                        .removed
                        .iter()
                        .map(|name| format!("  the upstream does not get {name} of the client")),
                );
                lines.extend(
                    changes
                        .headers
                        .iter()
                        .map(|(name, value)| format!("  the upstream gets {name}: {value}")),
                );
                lines.extend(
                    changes.uri.iter().map(|uri| format!("  the upstream gets the path and query {uri}")),
                );
                if changes.drops_body {
                    lines.push("  the upstream gets no body".to_owned());
                }
                lines.extend(
                    changes.response.iter().map(|(name, value)| format!("  the client gets {name}: {value}")),
                );
                lines
            }
            Outcome::Accept(headers) => {
                let gets = |(name, value): &(String, String)| {
                    format!("  the upstream gets {name}: {value}, if the proxy copies it")
                };
                std::iter::once("\nallow: the proxy that asks may pass the request on".to_owned())
                    .chain(headers.iter().map(gets))
                    .collect()
            }
            Outcome::Served { status, .. } => {
                vec![format!("\nallow: the middleware answers itself, status {status}")]
            }
            Outcome::Deny { code, status, headers, body } => {
                let mut lines = vec![format!("\ndeny: {code} with status {status}")];
                lines.extend(headers.iter().map(|(name, value)| format!("  {name}: {value}")));
                lines.push(format!("  {body}"));
                lines
            }
            Outcome::CannotTell(why) => vec![format!("\ncannot tell: {why}")],
        }
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let step = |line: &Line| json!({"step": line.step, "found": line.found, "expected": line.expected, "fails": line.fails});
        let failure = self.failure.as_ref().map(|failure| {
            let Evidence { found, expected, hint } = &failure.evidence;
            json!({
                "code": failure.code, "description": failure.description, "found": found, "expected": expected,
                "hint": hint, "whatToDo": failure.advice,
            })
        });
        let mut report = json!({
            "middleware": self.middleware, "warnings": self.warnings, "configuration": self.summary,
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(), "failure": failure,
        });
        let (verdict, name, end) = match &self.outcome {
            Outcome::Unusable(middleware) => {
                let problems: Vec<Value> =
                    middleware.problems.iter().map(crate::check::Problem::json).collect();
                ("cannot tell", "problems", json!(problems))
            }
            Outcome::Allow(changes) => (
                "allow",
                "upstream",
                json!({
                    "removed": changes.removed, "headers": pairs(&changes.headers), "uri": changes.uri,
                    "dropsBody": changes.drops_body, "response": pairs(&changes.response),
                }),
            ),
            Outcome::Accept(headers) => {
                ("allow", "answer", json!({"status": 200, "headers": pairs(headers), "body": ""}))
            }
            Outcome::Served { status, headers, body } => {
                ("allow", "answer", json!({"status": status, "headers": pairs(headers), "body": body}))
            }
            Outcome::Deny { code, status, headers, body } => (
                "deny",
                "answer",
                json!({"code": code, "status": status, "headers": pairs(headers), "body": body}),
            ),
            Outcome::CannotTell(why) => ("cannot tell", "why", json!(why)),
        };
        if let Some(members) = report.as_object_mut() {
            members.insert("verdict".into(), verdict.into());
            members.insert(name.into(), end);
        }
        report
    }
}

fn pairs(headers: &[(String, String)]) -> Vec<Value> {
    headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

fn row(what: &str, text: &str) -> String {
    format!("{what:<16}{text}")
}
