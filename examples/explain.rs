//! Says step by step what the middleware makes of a token, with the same rules and the same `decide`:
//!
//! `cargo run --example explain -- --help` says how it is called.
#![expect(clippy::print_stdout, reason = "it is a command")]

use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use traefik_jwt_auth::core::answer::Decision;
use traefik_jwt_auth::core::answer::field_value::json;
use traefik_jwt_auth::core::bypass::{Body, Bypass};
use traefik_jwt_auth::core::claims::binding::BoundTokens;
use traefik_jwt_auth::core::claims::checks;
use traefik_jwt_auth::core::claims::expression::Expression;
use traefik_jwt_auth::core::claims::scope::{self, Match, ScopeRules};
use traefik_jwt_auth::core::claims::step_up::StepUp;
use traefik_jwt_auth::core::claims::tenant::IssuerTemplate;
use traefik_jwt_auth::core::claims::validity::TimeRules;
use traefik_jwt_auth::core::config::{Capabilities, compile, summary, warnings};
use traefik_jwt_auth::core::decide::{Decided, decide_telling};
use traefik_jwt_auth::core::evidence;
use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::presented::Presented;
use traefik_jwt_auth::core::refusal::{Evidence, Refusal};
use traefik_jwt_auth::core::request::RecordedRequest;
use traefik_jwt_auth::core::rules::Ruling;
use traefik_jwt_auth::core::steps::{Step, Steps};
use traefik_jwt_auth::core::text::name;
use traefik_jwt_auth::core::token::base64url;
use traefik_jwt_auth::core::token::claims_set::{ClaimsSet, numeric_date};
use traefik_jwt_auth::core::token::source::{Encoding, TokenPlace};
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::documents::directory::NoDirectory;
use traefik_jwt_auth::documents::document::Document;
use traefik_jwt_auth::documents::fetch::{Fetch, FetchError, FetchRequest, Fetched};
use traefik_jwt_auth::documents::io::Io;
use traefik_jwt_auth::documents::lease::Unshared;
use traefik_jwt_auth::host::MountedFiles;
use traefik_jwt_auth::keys::key_log;
use traefik_jwt_auth::keys::keyring::Keyring;

const HELP: &str = "\
explain --config FILE [--token TOKEN] [--middleware NAME] [--method GET] [--path /] [--header 'Name: value' ...]
        [--jwks FILE] [--now TIME]

--config      a dynamic configuration of Traefik (TOML if the name ends so, else YAML or JSON), a Middleware of
              Kubernetes, or the plugin's block alone
--token       the token, with or without `Bearer ` before it; it goes to the first place where the configuration looks for
              one. - reads it from standard input. A token may stand in a --header or the --path, too
--middleware  which one, if there are several plugins
--jwks        stands for every key set at a URL: nothing is fetched
--now         the time of the request: 2026-01-01T00:00:00Z, or seconds since 1970

Without --token and without anything else of a request only the configuration is checked. The signature is never printed.

Exit code: 0 allow, or the configuration is good; 1 deny; 2 cannot tell, or the configuration is refused.
";

macro_rules! say {
    ($report:expr, $($text:tt)*) => {{
        $report.0.push_str(&format!($($text)*));
        $report.0.push('\n');
    }};
}

/// What the command line says.
#[derive(Default)]
struct Arguments {
    config: String,
    token: Option<String>,
    middleware: Option<String>,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    jwks: Option<String>,
    now: Option<UnixTime>,
}

impl Arguments {
    /// Whether nothing is said of a request.
    fn is_about_the_configuration(&self) -> bool {
        self.token.is_none() && self.headers.is_empty() && self.path == "/" && self.method == "GET"
    }
}

fn main() -> ExitCode {
    let (code, text) = run(std::env::args().skip(1));
    print!("{text}");
    ExitCode::from(code)
}

/// The exit code and all that is printed for the words of a command line.
pub(crate) fn run(words: impl Iterator<Item = String>) -> (u8, String) {
    let mut report = Report::default();
    let mut words: Vec<String> = words.collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        return (0, HELP.into());
    }
    let outcome = arguments(words.iter().cloned()).and_then(|arguments| {
        // It may come from standard input.
        words.extend(arguments.token.clone());
        explain(&arguments, &mut report)
    });
    let code = match outcome {
        Ok(Verdict::Allow) => 0,
        Ok(Verdict::Deny) => 1,
        Ok(Verdict::CannotTell) => 2,
        Err(problem) => {
            say!(report, "explain: {problem}");
            2
        }
    };
    (code, report.without_signatures(&words))
}

/// Everything that is printed. Signatures are cut out of it at the end, wherever they came in.
#[derive(Default)]
struct Report(String);

impl Report {
    fn without_signatures(self, words: &[String]) -> String {
        words
            .iter()
            .flat_map(|word| signatures(word))
            .fold(self.0, |text, signature| text.replace(&signature, "[signature]"))
    }
}

/// What stands behind the last dot of anything that looks like a token; the shortest signature has 43 characters.
fn signatures(word: &str) -> Vec<String> {
    let word = word.replace("%2E", ".").replace("%2e", ".");
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let parts = word.split(|c| !is_token(c)).filter_map(|text| text.rsplit_once('.'));
    let signed = parts.filter(|(rest, signature)| rest.contains('.') && signature.len() >= 16);
    signed.map(|(_, signature)| signature.to_owned()).collect()
}

enum Verdict {
    Allow,
    Deny,
    CannotTell,
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut arguments = Arguments { method: "GET".into(), path: "/".into(), ..Arguments::default() };
    while let Some(option) = words.next() {
        let value = words.next().ok_or_else(|| format!("{option} needs a value"))?;
        match option.as_str() {
            "--config" => arguments.config = value,
            "--token" if value == "-" => {
                arguments.token = Some(std::io::read_to_string(std::io::stdin()).map_err(|e| e.to_string())?);
            }
            "--token" => arguments.token = Some(value),
            "--middleware" => arguments.middleware = Some(value),
            "--method" => arguments.method = value,
            "--path" => arguments.path = value,
            "--jwks" => arguments.jwks = Some(value),
            "--now" => {
                let seconds = || value.parse().ok().map(UnixTime::from_seconds);
                let now = UnixTime::from_rfc3339(&value).or_else(seconds);
                arguments.now = Some(now.ok_or("--now takes 2026-01-01T00:00:00Z or seconds since 1970")?);
            }
            "--header" => {
                let (name, value) = value.split_once(':').ok_or("--header takes 'Name: value'")?;
                arguments.headers.push((name.trim().into(), value.trim().into()));
            }
            _ => return Err(format!("there is no option {option}")),
        }
    }
    if arguments.config.is_empty() { Err("--config FILE is missing".into()) } else { Ok(arguments) }
}

fn explain(arguments: &Arguments, report: &mut Report) -> Result<Verdict, String> {
    let text = std::fs::read_to_string(&arguments.config)
        .map_err(|error| format!("{}: {error}", arguments.config))?;
    let is_toml = Path::new(&arguments.config).extension().is_some_and(|extension| extension == "toml");
    let file: Value = if is_toml {
        basic_toml::from_str(&text).map_err(|error| format!("{}: {error}", arguments.config))?
    } else {
        yaml_serde::from_str(&text).map_err(|error| format!("{}: {error}", arguments.config))?
    };
    let (name, block) = block(&file, arguments.middleware.as_deref())?;
    say!(report, "middleware      {name}");
    let capabilities = Capabilities { fetch: true, env: &|name| std::env::var(name).ok() };
    let policy = match compile(block.to_string().as_bytes(), &capabilities) {
        Ok(policy) => Rc::new(policy),
        Err(errors) => {
            return Err(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n         "));
        }
    };
    for warning in warnings(&policy) {
        say!(report, "warning         {warning}");
    }
    let now = arguments.now.map_or_else(clock, Ok)?;
    let jwks = arguments.jwks.as_ref().map(std::fs::read).transpose();
    let provider = KeySets(jwks.map_err(|error| format!("--jwks: {error}"))?);
    let io = Io {
        now: &|| now,
        files: &MountedFiles,
        fetch: &provider,
        share: &Unshared,
        directory: &NoDirectory,
    };
    say!(report, "configuration   {}", summary(&policy));
    if arguments.is_about_the_configuration() {
        say!(report, "\nthe configuration is good; give a --token to see what becomes of it");
        return Ok(Verdict::Allow);
    }
    let request = request(arguments, &policy);
    let keyring = Keyring::new(Rc::clone(&policy));
    let mut told = Told::default();
    let mut decided = decide_telling(&policy, &keyring.at(now), now, &request, &mut told);
    if let Decision::NeedKeys(need) = &decided.decision {
        for event in keyring.refresh(need, now, &io) {
            for (_, line) in key_log::lines(&event) {
                say!(report, "keys            {line}");
            }
        }
        told = Told::default();
        decided = decide_telling(&policy, &keyring.at(now), now, &request, &mut told);
    }
    for line in told.lines {
        say!(report, "{line}");
    }
    let Decided { decision, found, .. } = decided;
    if let Some(refusal) = told.refusal {
        say!(report, "fails here      {}: {}", refusal.code(), refusal.description());
        let keys = keyring.at(now);
        let Evidence { found, expected, hint } =
            evidence::of(&policy, &keys, now, &refusal, found.as_ref(), &request);
        for (what, text) in [("  found", found), ("  expected", expected), ("  hint", hint)] {
            if !text.is_empty() {
                say!(report, "{what:<16}{text}");
            }
        }
    }
    Ok(conclude(&decision, report))
}

fn conclude(decision: &Decision, report: &mut Report) -> Verdict {
    match decision {
        Decision::Forward(forward) => {
            say!(report, "\nallow");
            for name in forward.removed() {
                say!(report, "  the upstream does not get {name} of the client");
            }
            for (name, value) in forward.headers() {
                say!(report, "  the upstream gets {name}: {}", String::from_utf8_lossy(value));
            }
            if let Some(uri) = &forward.uri {
                say!(report, "  the upstream gets the path and query {}", String::from_utf8_lossy(uri));
            }
            if forward.body == Body::Drop {
                say!(report, "  the upstream gets no body");
            }
            for (name, value) in forward.response() {
                say!(report, "  the client gets {name}: {value}");
            }
            Verdict::Allow
        }
        Decision::Accept(accept) => {
            say!(report, "\nallow: the proxy that asks may pass the request on");
            for header in accept.headers() {
                let value = String::from_utf8_lossy(header.value());
                say!(report, "  the upstream gets {}: {value}, if the proxy copies it", header.name());
            }
            Verdict::Allow
        }
        Decision::Reject(reject) if matches!(reject.refusal, Refusal::KeysUnavailable { .. }) => {
            say!(report, "\ncannot tell: the keys cannot be had here; give those of a URL with --jwks FILE");
            Verdict::CannotTell
        }
        Decision::Reject(reject) => {
            say!(report, "\ndeny: {} with status {}", reject.refusal.code(), reject.status);
            for (name, value) in reject.label.response.iter().chain(&reject.headers) {
                say!(report, "  {name}: {value}");
            }
            say!(report, "  {}", String::from_utf8_lossy(&reject.body));
            Verdict::Deny
        }
        Decision::Serve(served) => {
            say!(report, "\nallow: the middleware answers itself, status {}", served.status);
            Verdict::Allow
        }
        Decision::NeedKeys(_) => {
            say!(report, "\ncannot tell: the keys cannot be had here; give those of a URL with --jwks FILE");
            Verdict::CannotTell
        }
    }
}

/// The plugin's block of a middleware.
fn block(file: &Value, wanted: Option<&str>) -> Result<(String, Value), String> {
    if let Some(plugins) = file.pointer("/spec/plugin").and_then(Value::as_object) {
        let name = file.pointer("/metadata/name").and_then(Value::as_str).unwrap_or("without a name");
        let block = plugins.values().next().ok_or("spec.plugin is empty")?;
        return Ok((name.to_owned(), block.clone()));
    }
    let Some(middlewares) = file.pointer("/http/middlewares").and_then(Value::as_object) else {
        return Ok(("the whole file".into(), file.clone()));
    };
    let mut found: Vec<(&String, &Value)> = middlewares
        .iter()
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name))
        .filter_map(|(name, middleware)| {
            Some((name, middleware.get("plugin")?.as_object()?.values().next()?))
        })
        .collect();
    match (found.pop(), found.is_empty()) {
        (Some((name, block)), true) => Ok((name.clone(), block.clone())),
        (Some(_), false) => Err("there are several plugins; name one with --middleware".into()),
        (None, _) => Err("there is no such middleware with a plugin".into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "a command is outside of the rings and has a clock of its own")]
fn clock() -> Result<UnixTime, String> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?;
    Ok(UnixTime::from_seconds(since.as_secs()))
}

/// The request of the command line, with the token at the first place.
fn request(arguments: &Arguments, policy: &Policy) -> RecordedRequest {
    let mut path = arguments.path.clone();
    let mut headers = arguments.headers.clone();
    let token = arguments.token.as_deref().map(without_scheme);
    if let (Some(token), Some(place)) = (token, policy.token.places.first()) {
        match place {
            TokenPlace::Header { name, form } => {
                headers.push((name.clone(), format!("{} {token}", form.scheme).trim().to_owned()));
            }
            TokenPlace::Cookie { name, form } if !form.scheme.is_empty() => {
                headers.push(("Cookie".into(), format!("{name}={}%20{token}", form.scheme)));
            }
            TokenPlace::Cookie { name, .. } => headers.push(("Cookie".into(), format!("{name}={token}"))),
            TokenPlace::WebSocketProtocol { marker } => {
                headers.push(("Sec-WebSocket-Protocol".into(), format!("{marker}, {token}")));
            }
            TokenPlace::WebSocketPrefix { prefix, encoding } => {
                let token = match encoding {
                    Encoding::Plain => token.to_owned(),
                    Encoding::Base64url => base64url::encode(token.as_bytes()),
                };
                headers.push(("Sec-WebSocket-Protocol".into(), format!("{prefix}{token}")));
            }
            TokenPlace::Query { name } => {
                path.push(if path.contains('?') { '&' } else { '?' });
                path.push_str(&format!("{name}={token}"));
            }
        }
    }
    let request = RecordedRequest::new(&arguments.method, &path);
    headers.iter().fold(request, |request, (name, value)| request.header(name, value.as_bytes()))
}

/// A token that was copied out of a header has the scheme before it.
fn without_scheme(token: &str) -> &str {
    let token = token.trim();
    match token.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("Bearer") => rest.trim(),
        Some(_) | None => token,
    }
}

/// The steps of `decide`, each with what the request has and what the configuration asks for, and the refusal.
#[derive(Default)]
struct Told {
    lines: Vec<String>,
    refusal: Option<Refusal>,
}

impl Told {
    fn line(&mut self, what: &str, text: impl AsRef<str>) {
        self.lines.push(format!("{what:<16}{}", text.as_ref()));
    }
}

impl Steps for Told {
    fn step(&mut self, step: Step<'_>) {
        match step {
            Step::Bypassed(bypass) => self.line(
                "bypass",
                match bypass {
                    Bypass::Rule => "no token is needed under the rule of this request",
                    Bypass::Path => "no token is needed for this path",
                    Bypass::Preflight => "no token is needed for a preflight",
                    Bypass::Method => "no token is needed for this method",
                },
            ),
            Step::Found(found) => {
                for place in &found.places {
                    self.line("token", format!("{} bytes in {place}", found.token.len()));
                }
                if found.has_strays {
                    self.line("copies", "the cookie has other copies; this is what this one gives");
                }
            }
            Step::Read(token) => {
                let header = &token.header;
                let kid = header.kid.as_deref().map_or("none".into(), name);
                let typ = typ_of(header.typ.as_deref());
                self.line("header", format!("alg {}, kid {kid}, typ {typ}", name(&header.alg)));
                self.line("claims", json(token.claimed.value()));
            }
            Step::Issuer(iss, issuer) => {
                let accepted = accepted(&issuer.named());
                self.line("issuer", format!("iss {}; {accepted}", iss.map_or("none".into(), name)));
            }
            Step::Algorithm(alg, issuer) => {
                let algs: Vec<&str> = issuer.algorithms.iter().map(|alg| alg.name()).collect();
                self.line("algorithm", format!("{}; {}", name(alg), accepted(&algs)));
            }
            Step::Keys(count) => self.line("keys", format!("{count} of this issuer come into question")),
            Step::Verified => self.line("signature", "holds"),
            Step::Check(check, presented) => {
                for text in checked(check, presented) {
                    self.line(check, text);
                }
            }
            Step::Refused(refusal) => self.refusal = Some(refusal.clone()),
        }
    }
}

/// What the check of this name compares. One that has no words here is at least named.
fn checked(check: &str, presented: &Presented<'_>) -> Vec<String> {
    let (sent, claims) = (&presented.sent, presented.claims);
    let rules = &sent.issuer.claims;
    let of = |claim: &str| claims.claim(claim).map_or("none".into(), json);
    let demands = sent.ruling.demands();
    match check {
        checks::TIME => vec![times(claims, &rules.time, sent.now)],
        "type" => {
            let wanted: Vec<&str> = rules.token_type.typ().into_iter().collect();
            vec![format!("typ {}; {}", typ_of(presented.header.typ.as_deref()), accepted(&wanted))]
        }
        "registered" => vec![format!("sub {}, jti {}", of("sub"), of("jti"))],
        "tenant" => rules
            .templates
            .iter()
            .filter_map(IssuerTemplate::claim)
            .map(|path| {
                format!("{path} {}; has to repeat the tenant", claims.at(path).map_or("none".into(), json))
            })
            .collect(),
        "required" => {
            vec![if rules.required.is_empty() { "none".into() } else { list(&rules.required) }]
        }
        "audience" => vec![format!("aud {}; {}", of("aud"), accepted(&rules.audience))],
        "client" => {
            vec![format!("azp {}, client_id {}; {}", of("azp"), of("client_id"), accepted(&rules.clients))]
        }
        "binding" => {
            let bound = match rules.binding.bound_tokens {
                BoundTokens::Refuse => "none is accepted",
                BoundTokens::Accept => "any is accepted",
            };
            vec![format!("cnf {}; {bound}", of("cnf"))]
        }
        "scopes" => rules.scopes.iter().map(|scopes| scopes_of(claims, scopes, None)).collect(),
        "rule" => match sent.ruling {
            Ruling::Free => vec![],
            Ruling::Under(at, _) => vec![format!("rules[{at}] is the first that matches")],
            Ruling::Fault(_) => vec!["none matches".into()],
        },
        "rule audience" => demands
            .iter()
            .filter(|demands| !demands.audience.is_empty())
            .map(|demands| format!("aud {}; {}", of("aud"), accepted(&demands.audience)))
            .collect(),
        "rule scopes" => demands
            .and_then(|demands| demands.scopes.as_ref())
            .iter()
            .map(|scopes| scopes_of(claims, scopes, rules.scopes.as_ref()))
            .collect(),
        "rule expression" => functions(demands.and_then(|demands| demands.expression.as_ref()), presented),
        "step-up" => {
            let asked = rules.step_up.iter().chain(demands.and_then(|demands| demands.step_up.as_ref()));
            let words = |asked: &StepUp| {
                let age = asked.max_age.map_or("any".into(), |age| format!("at most {} s ago", age.0));
                format!("acr {}, auth_time {}; {}, {age}", of("acr"), of("auth_time"), accepted(&asked.acr))
            };
            asked.map(words).collect()
        }
        "expression" => {
            let expression = rules.expression.as_ref().filter(|expression| expression.of_claims().is_some());
            functions(expression, presented)
        }
        "live expression" => {
            let expression = rules.expression.as_ref().filter(|expression| expression.of_request().is_some());
            functions(expression, presented)
        }
        _ => vec!["is checked".into()],
    }
}

/// Each function of the expression, with its value.
fn functions(expression: Option<&Expression>, presented: &Presented<'_>) -> Vec<String> {
    let (claims, sent) = (presented.claims, &presented.sent);
    let values = expression.iter().flat_map(|expression| expression.explain(claims, sent.request, sent.now));
    values.map(|(function, truth)| format!("{function} is {}", truth.name())).collect()
}

fn scopes_of(claims: &ClaimsSet, scopes: &ScopeRules, issuer: Option<&ScopeRules>) -> String {
    let how = match scopes.matching {
        Match::All => "all",
        Match::Any => "any",
    };
    let claim = scopes.claim.as_ref().or_else(|| issuer?.claim.as_ref());
    format!("{}; required: {how} of {}", list(&scope::held(claims, claim)), list(&scopes.required))
}

/// What is accepted, where an empty list asks for nothing.
fn accepted<T: AsRef<str>>(names: &[T]) -> String {
    if names.is_empty() { "any is accepted".into() } else { format!("accepted: {}", list(names)) }
}

fn typ_of(typ: Option<&str>) -> String {
    typ.map_or("none".into(), name)
}

fn list<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|text| name(text.as_ref())).collect::<Vec<_>>().join(" ")
}

/// Each date of the token beside now, and the rules about dates.
fn times(claims: &ClaimsSet, rules: &TimeRules, now: UnixTime) -> String {
    let mut said = vec![format!("now {}", now.as_seconds())];
    for claim in ["exp", "nbf", "iat", "auth_time"] {
        if let Some(date) = claims.claim(claim).and_then(numeric_date) {
            let (ahead, ago) = (date.seconds_since(now).0, now.seconds_since(date).0);
            said.push(if date > now {
                format!("{claim} in {ahead} s")
            } else {
                format!("{claim} {ago} s ago")
            });
        }
    }
    said.push(format!("clockSkewSeconds {}", rules.clock_skew.0));
    said.extend(rules.max_lifetime.map(|most| format!("maxLifetimeSeconds {}", most.0)));
    said.extend(rules.max_age.map(|most| format!("maxAgeSeconds {} of {}", most.span.0, most.since.claim())));
    said.join(", ")
}

/// One key set in place of all URLs.
struct KeySets(Option<Vec<u8>>);

impl Fetch for KeySets {
    fn get(&self, _: &FetchRequest<'_>) -> Result<Fetched, FetchError> {
        let body = self.0.clone().ok_or(FetchError::NotSupported)?;
        Ok(Fetched::Document(Document { body, ..Document::default() }))
    }
}
