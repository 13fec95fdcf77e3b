//! From the block of another middleware to one of this: what it becomes, what is dropped and why, and where the result
//! accepts more than before.

pub mod source;
mod old;
mod target;
mod rule;
mod require;
mod agilezebra;
mod jwt_plugin;
mod hub_claims;
mod hub;
mod samples;
mod yaml;

use serde_json::{Value, json};
use traefik_jwt_auth::core::about::VERSION;

use crate::check::{Check, check};
use crate::convert::samples::Sample;
use crate::convert::source::Source;
use crate::convert::target::{Fate, Target};
use crate::input::{self, Block, Environment, File, Form};
use crate::verdict::Verdict;

/// What the blocks of a file become.
pub struct Converted {
    blocks: Vec<One>,
    yaml: String,
    check: Check,
}

/// What one block becomes.
struct One {
    name: String,
    source: Source,
    target: Target,
    samples: Vec<Sample>,
}

/// Converts the middlewares of a file, or the one that is `wanted`, that are of another plugin: of which, their options
/// say, or `from`.
///
/// # Errors
/// There is no such block.
pub fn convert(
    file: File<'_>,
    wanted: Option<&str>,
    from: Option<Source>,
    environment: Environment<'_>,
) -> Result<Converted, String> {
    let found = input::read(file, environment);
    let mut blocks: Vec<One> = Vec::new();
    let mut origins: Vec<&Block> = Vec::new();
    let (mut dynamic, mut resources) = (String::new(), Vec::new());
    for block in &found.blocks {
        let is_wanted = wanted.is_none_or(|wanted| wanted == block.middleware);
        let known = source::of(&block.options).or(source::is_hub(&block.options).then_some(Source::Hub));
        let Some(source) = from.or(known).filter(|_| is_wanted) else { continue };
        // Labels of replicas are the same block again. Resources of several namespaces may have one name.
        let is_it = |other: &&Block| other.middleware == block.middleware && other.form == block.form;
        if let Some(at) = origins.iter().position(is_it) {
            let is_same = origins.get(at).is_some_and(|first| first.written == block.written);
            if let Some(first) = blocks.get_mut(at).filter(|_| !is_same) {
                first.target.by_hand.push("another block has the same name, and is not converted".into());
            }
            continue;
        }
        let mut target = match source {
            Source::Hub => hub::convert(&block.written, &block.form),
            Source::Agilezebra => agilezebra::convert(&block.written, &block.options),
            Source::JwtPlugin => jwt_plugin::convert(&block.written, &block.options),
        };
        if let Some(rule) = target.rule.as_ref().filter(|_| source != Source::Hub) {
            let expression = rule.expression();
            target.set("claims", expression);
        }
        let has_tests = target.options.contains_key("tests");
        let samples = if has_tests { Vec::new() } else { samples::of(&target) };
        if !has_tests && samples.iter().all(|sample| sample.claims.is_none() || sample.expect != "allow") {
            target.by_hand.push(
                "tests: no sample token is accepted by these rules, or could be made; write one".into(),
            );
        }
        write(block, source, &target, &samples, &mut dynamic, &mut resources);
        origins.push(block);
        blocks.push(One { name: block.middleware.clone(), source, target, samples });
    }
    if blocks.is_empty() {
        let unreadable = found.unreadable.iter().map(|(line, why)| {
            let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            format!("; {line}{why}")
        });
        return Err(format!(
            "there is no block of another middleware here, or its options do not say of which: --from does{}",
            unreadable.collect::<String>()
        ));
    }
    if !dynamic.is_empty() {
        resources.insert(0, format!("http:\n  middlewares:\n{dynamic}"));
    }
    let yaml = resources.join("---\n");
    let check = check(File { name: "the result", text: &yaml }, None, environment);
    Ok(Converted { blocks, yaml, check })
}

fn write(
    block: &Block,
    source: Source,
    target: &Target,
    samples: &[Sample],
    dynamic: &mut String,
    resources: &mut Vec<String>,
) {
    let from = format!("From {}, by jwt-check {VERSION}.", source.name());
    if let Form::Kubernetes(metadata) = &block.form {
        let metadata = yaml::member("metadata", metadata);
        resources.push(format!(
            "apiVersion: traefik.io/v1alpha1\nkind: Middleware\n{metadata}spec:\n  plugin:\n{}{}{}",
            yaml::key(&block.plugin, 4),
            yaml::comment(&from, 6, ""),
            yaml::block(target, samples, 6)
        ));
    } else {
        let block = format!(
            "{}      plugin:\n{}{}{}",
            yaml::key(&block.middleware, 4),
            yaml::key(&block.plugin, 8),
            yaml::comment(&from, 10, ""),
            yaml::block(target, samples, 10)
        );
        // Traefik takes the file for a template, comments included. A text in backquotes stands for itself there.
        dynamic.push_str(&block.replace("{{", "{{`{{`}}"));
    }
}

impl Converted {
    /// How it ends.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let is_left = self.blocks.iter().any(|one| !one.target.by_hand.is_empty());
        if is_left { self.check.verdict.max(Verdict::Refused) } else { self.check.verdict }
    }

    /// YAML.
    #[must_use]
    pub fn text(&self) -> String {
        self.yaml.clone()
    }

    /// What has to be looked at, and the check of the result.
    #[must_use]
    pub fn remarks(&self) -> String {
        let mut text = String::new();
        for One { name, target, .. } in &self.blocks {
            for remark in &target.wider {
                text.push_str(&format!("{name}: accepts MORE than before: {remark}\n"));
            }
            for remark in &target.by_hand {
                text.push_str(&format!("{name}: to be done by hand: {remark}\n"));
            }
        }
        text + &self.check.text()
    }

    /// The same for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let dropped = |fate: &Fate| json!({"path": fate.path, "why": fate.why});
        let mapped = |fate: &Fate| json!({"path": fate.path, "to": fate.to});
        let one = |One { name, source, target, samples }: &One| {
            let (lost, kept): (Vec<&Fate>, Vec<&Fate>) =
                target.fates.iter().partition(|fate| !fate.why.is_empty());
            json!({
                "name": name, "from": source.name(), "options": target.options, "tests": samples.len(),
                "mapped": kept.into_iter().map(mapped).collect::<Vec<_>>(),
                "dropped": lost.into_iter().map(dropped).collect::<Vec<_>>(),
                "acceptsMore": target.wider, "stricter": target.stricter, "byHand": target.by_hand,
            })
        };
        json!({
            "verdict": self.verdict().name(), "middlewares": self.blocks.iter().map(one).collect::<Vec<_>>(),
            "check": self.check.json(), "yaml": self.yaml,
        })
    }
}
