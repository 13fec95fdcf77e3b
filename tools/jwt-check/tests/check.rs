//! `jwt-check FILE`: every form in which users have their configuration, exit codes, lines and names.
mod common;

use common::{Files, has_names, run};
use serde_json::Value;

/// The words of `check` on one file.
fn check(name: &str, text: &str, arguments: &[&str]) -> (u8, String) {
    run(&[&[name], arguments].concat(), &Files::of(name, text))
}

const YAML: &str = "\
http:
  routers: {}
  middlewares:
    other:
      headers: {frameDeny: true}
    another:
      plugin:
        fail2ban: {rules: {bantime: 3h}}
    good:
      plugin:
        jwt:
          jwksUrl: https://idp.example/keys
          issuer: https://idp.example/
          audience: api
          clockSkewSeconds: 30
    bad:
      plugin:
        jwt:
          jwksURL: https://idp.example/keys
          trustedIssuers:
          - issuer: https://b.example/
            discovery: true
            scopes: {required: []}
          # Traefik makes a text of it.
          clockSkewSeconds: soon
";

#[test]
fn all_problems_with_their_lines() {
    let (code, text) = check("dynamic.yml", YAML, &[]);
    assert_eq!(code, 1, "{text}");
    for line in [
        "dynamic.yml:8: another: left out, the plugin fail2ban is another one\n",
        "dynamic.yml:11: good: good\n",
        "dynamic.yml:19: option_unknown: bad: jwksURL is not an option; did you mean jwksUrl?\n",
        "dynamic.yml:23: option_empty: bad: trustedIssuers[0].scopes.required: is empty; ",
        "dynamic.yml:25: option_invalid: bad: clockSkewSeconds: found \"soon\", expected ",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(text.lines().filter(|line| line.contains(": bad: ")).count(), 3, "{text}");
    for form in ["Some(", "None", "\u{1b}"] {
        assert!(!text.contains(form), "{form}: {text}");
    }
    assert_eq!(check("dynamic.yml", YAML, &["--middleware", "good"]).0, 0);
    assert_eq!(check("dynamic.yml", YAML, &["--middleware", "bad"]).0, 1);
    assert_eq!(check("dynamic.yml", YAML, &["--middleware", "nobody"]).0, 2);
}

/// What programs read.
#[test]
fn for_programs() {
    let (code, text) = check("dynamic.yml", YAML, &["--format", "json"]);
    let report: Value = serde_json::from_str(&text).unwrap();
    let file = &report[0];
    assert_eq!((code, &file["verdict"], &file["file"]), (1, &"refused".into(), &"dynamic.yml".into()));
    has_names(file, "{file, verdict, middlewares, notes}");
    has_names(&file["notes"][0], "{line, message}");
    let bad = file["middlewares"].as_array().unwrap().iter().find(|one| one["name"] == "bad").unwrap();
    has_names(bad, "{name, plugin, line, verdict, problems, warnings, notes, summary, secrets, samples}");
    has_names(&bad["problems"][0], "{code, path, line, message}");
    assert_eq!(bad["problems"][0]["path"], "jwksURL");
    assert_eq!(bad["problems"][0]["line"], 19);
}

const OPTIONS: &str = "issuer: https://idp.example/";

/// In each form: the name of the file, its text, the exit code and what is said.
#[test]
fn every_form() {
    let resource = |indent: &str, kind: &str| {
        format!(
            "{indent}apiVersion: traefik.io/v1alpha1\n{indent}kind: Middleware\n{indent}metadata: {{name: j}}\n{indent}spec:\n\
             {indent}  plugin:\n{indent}    jwt:\n{indent}      {OPTIONS}\n{indent}      {kind}\n"
        )
    };
    let secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: jwt}\ndata: {key: MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXYK}\n";
    let of_secret = resource("", "signingSecret: urn:k8s:secret:jwt:key");
    let short = secret.replace("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXYK", "c2hvcnQ=");
    let rows: Vec<(&str, String, u8, &str)> = vec![
        ("a.toml", "[http.middlewares.j.plugin.jwt]\njwksUrl = \"https://a/k\"\nissuer = \"https://a/\"\nmode = 1\n".into(), 1, "a.toml:4: option_invalid: j: mode"),
        ("-", "[http.middlewares.j.plugin.jwt]\njwksUrl = \"https://a/k\"\nissuer = \"https://a/\"\n".into(), 0, "j: good"),
        ("a.json", r#"{"http": {"middlewares": {"j": {"plugin": {"jwt": {"jwksUrl": "https://a/k", "issuer": ""}}}}}}"#.into(), 1, "issuer: is empty"),
        // Kubernetes: several documents, secrets of the file, secrets that are elsewhere.
        ("k.yml", format!("---\n{secret}---\n# comment\n---\n{of_secret}"), 0, "j: good"),
        ("k.yml", format!("{short}---\n{of_secret}"), 1, "k.yml:13: key_unusable: j: signingSecret"),
        ("k.yml", of_secret.clone(), 0, "signingSecret: a stand-in was checked in the place of the secret"),
        ("k.yml", format!("kind: List\nitems:\n- {}", resource("  ", "discovery: true").trim_start()), 0, "j: good"),
        ("k.yml", resource("", "audience: []"), 1, "option_empty: j: audience"),
        // Helm.
        ("values.yaml", format!("extraObjects:\n- {}", resource("  ", "discovery: yes").trim_start()), 1, "values.yaml:9: option_invalid: j: discovery"),
        ("values.yaml", format!("extraObjects:\n  jwt:\n{}", resource("    ", "discovery: true")), 0, "j: good"),
        ("values.yaml", format!("extraObjects:\n- |\n{}", resource("  ", "discovery: true")), 0, "j: good"),
        ("values.yaml", "providers:\n  file:\n    content: |\n      http:\n        middlewares:\n          j: {plugin: {jwt: {jwksUrl: 'https://a/k'}}}\n".into(), 0, "no issuer is set"),
        (
            "map.yml",
            "kind: ConfigMap\ndata:\n  dynamic.yml: |\n    http: {middlewares: {j: {plugin: {jwt: {jwksUrl: 'https://a/k', mode: x}}}}}\n".into(),
            1,
            "option_invalid: j: mode",
        ),
        // Compose: as a list, by name, variables.
        ("compose.yaml", compose("- traefik.http.middlewares.j.plugin.jwt.jwksUrl=https://a/k\n    - traefik.http.middlewares.j.plugin.jwt.audience[0]=${AUDIENCE:-api}\n    - traefik.http.middlewares.j.plugin.jwt.tokenSources[0].cookie=c"), 0, "j: good"),
        ("compose.yaml", compose("- traefik.http.middlewares.j.plugin.jwt.jwksUrl=https://a/k\n    - traefik.http.middlewares.j.plugin.jwt.audience=${AUDIENCE}"), 1, "compose.yaml:5: option_empty: j: audience"),
        ("compose.yaml", compose("- traefik.http.middlewares.j.plugin.jwt.jwksUrl=https://a/k\n    - traefik.http.middlewares.j.plugin.jwt.audience=${AUDIENCE}"), 1, "the variable AUDIENCE is not set here"),
        ("compose.yaml", compose("traefik.enable: true\n      traefik.http.middlewares.j.plugin.jwt.jwksUrl: https://a/k\n      traefik.http.middlewares.j.plugin.jwt.modus: required"), 1, "compose.yaml:6: option_unknown: j: modus"),
        ("labels.txt", "traefik.http.middlewares.j.plugin.jwt.jwksUrl=https://a/k\ntraefik.http.middlewares.j.plugin.jwt.tokenSources[0].cooky=c\n".into(), 1, "labels.txt:2: option_unknown: j: tokenSources[0].cooky"),
        // KV.
        ("dump", "traefik/http/middlewares/j/plugin/jwt/jwksUrl https://a/k\ntraefik/http/middlewares/j/plugin/jwt/audience/0 api\n".into(), 0, "dump:1: j: good"),
        // Alone.
        ("block.yml", "jwksUrl: https://a/k\nisuer: x\n".into(), 1, "block.yml:2: option_unknown: the whole file: isuer is not an option; did you mean issuer?"),
        // Of another middleware.
        ("az.yml", "http: {middlewares: {j: {plugin: {jwt: {require: {aud: a}, secret: x}}}}}".into(), 1, "write aud as audience"),
        // Variables.
        ("env.yml", bare("signingSecret: env:SET"), 0, "j: good"),
        ("env.yml", bare("signingSecret: env:NOT_SET"), 0, "env:NOT_SET is not set here, a stand-in was checked"),
        ("env.yml", bare("publicKey: env:NOT_SET"), 0, "env:NOT_SET is not set here, a stand-in was checked"),
        ("env.yml", bare("jwksUrl: https://a/k, proofs: {dpop: required, origin: 'https://a', replay: nonce, nonceSecret: env:NOT_SET}"), 0, "proofs.nonceSecret: env:NOT_SET is not set here, a stand-in was checked"),
        ("env.yml", bare("jwksUrl: https://a/k, clientConfig: {tls: {ca: env:NOT_SET}}"), 0, "env:NOT_SET is not set here, so its value was not checked"),
        ("env.yml", bare("signingSecret: env:NOT_SET, mode: x"), 1, "option_invalid: j: mode"),
        ("env.yml", bare("signingSecret: '{{ env \"SET\" }}'"), 0, "j: good"),
        // Nothing here, or nothing that can be read.
        ("static.yml", "entryPoints: {web: {address: ':80'}}\n".into(), 2, "there is no middleware of this plugin"),
        ("chart.yml", "{{- range .Values.x }}\na: b\n{{ end }}\n".into(), 2, "chart.yml:1: is no YAML: a template"),
        ("steers.yml", "http: {middlewares: {\"\\e[31mj\": {plugin: {jwt: {jwksUrl: 'https://a/k'}}}}}".into(), 0, "\u{fffd}[31mj: good"),
        ("broken.yml", "a: [\nb: c\n".into(), 2, "is no YAML"),
        ("deep.toml", format!("a = {}", "[".repeat(5_000)), 2, "is no TOML: values in more than 128 others"),
        ("deep.toml", format!("[{}a]\n", "a.".repeat(5_000)), 2, "is no TOML: values in more than 128 others"),
        ("deep.toml", format!("a = {}", "{a=".repeat(5_000)), 2, "is no TOML: values in more than 128 others"),
        (
            "texts.toml",
            format!("# {0}\na = \"\\\"{0}\"\nb = '\\'\nc = '''\n'{0}'''\n[http.middlewares.j.plugin.jwt]\njwksUrl = \"https://a/k\"\n", "[.".repeat(500)),
            0,
            "texts.toml:6: j: good",
        ),
        ("twice.yml", "http: {middlewares: {j: {plugin: {jwt: {issuer: a, issuer: b}}}}}".into(), 2, "is no YAML: "),
    ];
    for (name, text, code, says) in rows {
        let (found, said) = check(name, &text, &[]);
        assert_eq!((found, said.contains(says)), (code, true), "{says}: {said}\n{text}");
    }
}

fn compose(labels: &str) -> String {
    format!(
        "services:\n  api:\n    labels:\n    {}{labels}\n",
        if labels.starts_with('-') { "" } else { "  " }
    )
}

fn bare(options: &str) -> String {
    format!(
        "http:\n  middlewares:\n    j:\n      plugin:\n        jwt: {{issuer: 'https://a/', audience: a, {options}}}\n"
    )
}

/// Everything that is an example, in whatever form.
#[test]
fn every_example_is_good() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let (mut folders, mut count) = (vec![root], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap().to_owned();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let is_read = [".yml", ".yaml", ".json", ".toml"].iter().any(|end| name.ends_with(end));
            if is_read
                && text.contains("plugin:") | text.contains("plugin.") | text.contains("\"plugin\"")
                && !text.contains("localPlugins:")
            {
                let (code, said) = check(&name, &text, &[]);
                assert_eq!(code, 0, "{said}");
                count += 1;
            }
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn many_files_and_help() {
    let good = bare("jwksUrl: https://a/k");
    let files = Files(vec![
        ("good.yml", &good),
        ("none.yml", "name: x\nversion: 1\n"),
        ("log.yml", "log: x\nkeys: [1]\n"),
        ("bad.yml", YAML),
    ]);
    for (words, code, says) in [
        (&["good.yml", "bad.yml"][..], 1, "bad.yml:19: "),
        (&["good.yml", "none.yml"], 2, "none.yml: there is no middleware"),
        (&["--allow-none", "good.yml", "none.yml"], 0, "good.yml:5: j: good"),
        (&["--allow-none", "none.yml", "log.yml"], 0, ""),
        (&["log.yml"], 1, "log.yml:1: "),
        (&["absent.yml"], 2, "absent.yml: no such file"),
        (&[], 2, "jwt-check explain"),
        (&["--help"], 0, "--allow-none"),
        (&["check", "--help"], 0, "--allow-none"),
        (&["convert", "--help"], 0, "--from"),
        (&["--version"], 0, "jwt-check "),
        (&["--token", "x", "good.yml"], 2, "there is not an option --token here"),
        (&["good.yml", "--format", "xml"], 2, "--format takes text or json"),
    ] {
        let (found, text) = run(words, &files);
        assert_eq!((found, text.contains(says)), (code, true), "{words:?}: {text}");
    }
}

/// The hook for pre-commit is called as it is written.
#[test]
fn hook() {
    let text = include_str!("../../../.pre-commit-hooks.yaml");
    let hooks: Value = yaml_serde::from_str(text).unwrap();
    let entry = hooks[0]["entry"].as_str().unwrap().strip_prefix("jwt-check ").unwrap();
    let (good, chart) = (bare("jwksUrl: https://a/k"), "{{ if .Values.x }}\na: b\n{{ end }}\n");
    let files = Files(vec![("good.yml", &good), ("chart.yml", chart), ("bad.yml", YAML)]);
    let with =
        |names: &[&'static str]| run(&[&entry.split(' ').collect::<Vec<_>>()[..], names].concat(), &files);
    assert_eq!(with(&["good.yml", "chart.yml"]).0, 0);
    assert_eq!(with(&["good.yml", "bad.yml"]).0, 1);
}
