//! The command line: words in, exit code and text out.

use traefik_jwt_auth::core::about::VERSION;
use traefik_jwt_auth::core::unix_time::UnixTime;

use crate::check::check;
use crate::convert::{convert, source::Source};
use crate::explain::{Request, explain};
use crate::input::File;
use crate::outside::Outside;
use crate::verdict::Verdict;

const HELP: &str = "\
jwt-check [OPTIONS] FILE...             checks the configuration of every middleware in FILE
jwt-check explain [OPTIONS] FILE        says step by step what becomes of a request with a token
jwt-check convert [OPTIONS] FILE        writes the configuration for that of another middleware

FILE is a dynamic configuration of Traefik (YAML, JSON, TOML), resources of Kubernetes, a Compose file or its labels, values
of Helm (extraObjects), a dump of a KV store, or a block alone; - is standard input. `jwt-check COMMAND --help` says more.
";

const CHECK_HELP: &str = "\
jwt-check [check] [--middleware NAME] [--allow-none] [--format text|json] FILE...

--middleware  only this one
--allow-none  a file without a middleware of this plugin is good (for hooks that get many files)
--format      json: for programs

Variables (env:NAME, ${NAME}, {{ env \"NAME\" }}) are those of this shell. A secret that is not here has a stand-in, which a
note says. Nothing is fetched, and no file that the configuration names is read.

Exit code: 0 all are good, 1 one is refused, 2 cannot tell.
";

const EXPLAIN_HELP: &str = "\
jwt-check explain [--token TOKEN] [--middleware NAME] [--method GET] [--path /] [--header 'Name: value' ...]
                  [--jwks FILE] [--now TIME] [--format text|json] FILE

--token       the token, with or without `Bearer ` before it; it goes to the first place where the configuration looks for
              one. - reads it from standard input. A token may stand in a --header or the --path, too
--middleware  which one, if there are several
--jwks        stands for every key set at a URL, discovery included, and in a file that is not here: nothing is fetched
--now         the time of the request: 2026-01-01T00:00:00Z, or seconds since 1970
--format      json: for programs

The signature of a token is never printed.

Exit code: 0 allow, 1 deny, 2 cannot tell, or the configuration is refused.
";

const CONVERT_HELP: &str = "\
jwt-check convert [--from hub|agilezebra|traefik-jwt-plugin] [--middleware NAME] [--format text|json] FILE

--from        which middleware the block is of, if its options do not say so
--middleware  only this one
--format      json: for programs

Standard output is YAML with comments. What accepts more than before, and what is left to do by hand, is on standard error,
too. No secret is made up. The result is checked as `jwt-check` does, with tests of its own.

Exit code: 0 the result is good, 1 something is left to do by hand, 2 cannot tell.
";

/// What the command leaves.
#[derive(Debug, Default)]
pub struct Output {
    /// The exit code.
    pub code: u8,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Task {
    Check,
    Explain,
    Convert,
}

/// What the words say.
struct Arguments {
    task: Task,
    files: Vec<String>,
    middleware: Option<String>,
    allow_none: bool,
    json: bool,
    from: Option<Source>,
    token: Option<String>,
    jwks: Option<String>,
    now: Option<UnixTime>,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
}

/// Carries out the words of a command line, without the name of the command.
#[must_use]
pub fn run(words: &[String], outside: &dyn Outside) -> Output {
    let task = match words.first().map(String::as_str) {
        Some("explain") => Some(Task::Explain),
        Some("convert") => Some(Task::Convert),
        Some("check") => Some(Task::Check),
        Some(_) | None => None,
    };
    let rest = words.get(usize::from(task.is_some())..).unwrap_or_default();
    if rest.iter().any(|word| word == "--help" || word == "-h") || words.is_empty() {
        let help = match task {
            None => format!("{HELP}\n{CHECK_HELP}"),
            Some(Task::Check) => CHECK_HELP.into(),
            Some(Task::Explain) => EXPLAIN_HELP.into(),
            Some(Task::Convert) => CONVERT_HELP.into(),
        };
        return Output { code: if words.is_empty() { 2 } else { 0 }, out: help, err: String::new() };
    }
    if rest.iter().any(|word| word == "--version") {
        return Output { out: format!("jwt-check {VERSION}\n"), ..Output::default() };
    }
    let mut secret: Vec<String> = words.to_vec();
    let output = arguments(rest, task.unwrap_or(Task::Check)).and_then(|mut arguments| {
        if arguments.token.as_deref() == Some("-") {
            let text = String::from_utf8(outside.read("-")?).map_err(|error| error.to_string())?;
            secret.push(text.clone());
            arguments.token = Some(text);
        }
        carry_out(&arguments, outside)
    });
    let Output { code, out, err } = output.unwrap_or_else(|problem| Output {
        code: Verdict::CannotTell.code(),
        out: String::new(),
        err: format!("jwt-check: {problem}\n"),
    });
    let shown = |text: String| printable(&without_signatures(text, &secret));
    Output { code, out: shown(out), err: shown(err) }
}

fn arguments(words: &[String], task: Task) -> Result<Arguments, String> {
    let mut arguments = Arguments {
        task,
        files: Vec::new(),
        middleware: None,
        allow_none: false,
        json: false,
        from: None,
        token: None,
        jwks: None,
        now: None,
        method: "GET".into(),
        path: "/".into(),
        headers: Vec::new(),
    };
    let mut words = words.iter().cloned();
    while let Some(word) = words.next() {
        if word == "-" || !word.starts_with('-') {
            arguments.files.push(word);
            continue;
        }
        if word == "--allow-none" && task == Task::Check {
            arguments.allow_none = true;
            continue;
        }
        let explains = task == Task::Explain;
        let is_known = match word.as_str() {
            "--middleware" | "--format" => true,
            "--from" => task == Task::Convert,
            "--token" | "--jwks" | "--now" | "--method" | "--path" | "--header" => explains,
            _ => false,
        };
        if !is_known {
            return Err(format!("there is not an option {word} here; --help lists them"));
        }
        let value = words.next().ok_or_else(|| format!("{word} needs a value"))?;
        match word.as_str() {
            "--middleware" => arguments.middleware = Some(value),
            "--format" => {
                arguments.json = match value.as_str() {
                    "json" => true,
                    "text" => false,
                    _ => return Err("--format takes text or json".into()),
                };
            }
            "--from" => {
                let source = Source::from_name(&value);
                arguments.from = Some(source.ok_or("--from takes hub, agilezebra or traefik-jwt-plugin")?);
            }
            "--token" => arguments.token = Some(value),
            "--jwks" => arguments.jwks = Some(value),
            "--method" => arguments.method = value,
            "--path" => arguments.path = value,
            "--now" => {
                let seconds = || value.parse().ok().map(UnixTime::from_seconds);
                let now = UnixTime::from_rfc3339(&value).or_else(seconds);
                arguments.now = Some(now.ok_or("--now takes 2026-01-01T00:00:00Z or seconds since 1970")?);
            }
            _ => {
                let (name, value) = value.split_once(':').ok_or("--header takes 'Name: value'")?;
                arguments.headers.push((name.trim().into(), value.trim().into()));
            }
        }
    }
    match (arguments.files.len(), task) {
        (0, _) => Err("no FILE is given; --help says how it is called".into()),
        (2.., Task::Explain | Task::Convert) => Err("one FILE at a time".into()),
        (_, _) => Ok(arguments),
    }
}

fn carry_out(arguments: &Arguments, outside: &dyn Outside) -> Result<Output, String> {
    let environment = |name: &str| outside.variable(name);
    let wanted = arguments.middleware.as_deref();
    let mut output = Output::default();
    let mut reports = Vec::new();
    for name in &arguments.files {
        let content = outside.read(name).map_err(|error| format!("{name}: {error}"))?;
        let text = String::from_utf8(content).map_err(|_| format!("{name}: is no text in UTF-8"))?;
        let file = File { name, text: &text };
        let (verdict, report) = match arguments.task {
            Task::Check => {
                let checked = check(file, wanted, &environment);
                // A chart's template cannot be read, but is none of a plugin without the word.
                let is_template = checked.middlewares.is_empty() && !text.contains("plugin");
                let has_none = checked.has_none || is_template;
                if arguments.allow_none && wanted.is_none() && has_none {
                    continue;
                }
                output.out.push_str(&checked.text());
                (checked.verdict, checked.json())
            }
            Task::Explain => {
                let read = |name: &str| outside.read(name).map_err(|error| format!("--jwks: {error}"));
                let request = Request {
                    token: arguments.token.clone(),
                    method: arguments.method.clone(),
                    path: arguments.path.clone(),
                    headers: arguments.headers.clone(),
                    jwks: arguments.jwks.as_deref().map(read).transpose()?,
                    now: arguments.now.unwrap_or_else(|| UnixTime::from_seconds(outside.now())),
                };
                let explained = explain(file, wanted, &request, outside)?;
                output.out.push_str(&explained.text());
                (explained.verdict(), explained.json())
            }
            Task::Convert => {
                let converted = convert(file, wanted, arguments.from, &environment)?;
                output.out.push_str(&converted.text());
                output.err.push_str(&converted.remarks());
                (converted.verdict(), converted.json())
            }
        };
        output.code = output.code.max(verdict.code());
        reports.push(report);
    }
    if arguments.json {
        let report = match (arguments.task, reports.pop()) {
            (Task::Explain | Task::Convert, Some(report)) => report,
            (_, last) => {
                reports.extend(last);
                serde_json::Value::Array(reports)
            }
        };
        output.out = format!("{report:#}\n");
    }
    Ok(output)
}

/// The text without the signatures of all tokens that are in `words`, wherever they came in.
fn without_signatures(text: String, words: &[String]) -> String {
    words
        .iter()
        .flat_map(|word| signatures(word))
        .fold(text, |text, signature| text.replace(&signature, "[signature]"))
}

/// Names in a file may hold what steers a terminal.
fn printable(text: &str) -> String {
    let is_shown = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().map(|c| if is_shown(c) { c } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// What stands behind the last dot of anything that looks like a token; the shortest signature has 43 characters.
fn signatures(word: &str) -> Vec<String> {
    let word = word.replace("%2E", ".").replace("%2e", ".");
    let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let parts = word.split(|c| !is_token(c)).filter_map(|text| text.rsplit_once('.'));
    let signed = parts.filter(|(rest, signature)| rest.contains('.') && signature.len() >= 16);
    signed.map(|(_, signature)| signature.to_owned()).collect()
}
