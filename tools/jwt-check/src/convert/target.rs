//! The block that comes of a conversion, and what became of each option of the old one.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use traefik_jwt_auth::core::config::{Capabilities, compile};

use crate::convert::rule::Rule;
use crate::input::names;

/// What became of an option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fate {
    /// Its path in the old block.
    pub(super) path: String,
    /// The options that it became, or empty.
    pub(super) to: String,
    /// Why it was dropped, or empty.
    pub(super) why: String,
}

/// The new block while it is made.
#[derive(Default)]
pub(super) struct Target {
    /// Its options.
    pub(super) options: Map<String, Value>,
    /// What stands above an option, in comments.
    pub(super) comments: BTreeMap<String, Vec<String>>,
    /// One for each option of the old block.
    pub(super) fates: Vec<Fate>,
    /// What it accepts and the old one did not.
    pub(super) wider: Vec<String>,
    /// What it refuses and the old one did not.
    pub(super) stricter: Vec<String>,
    /// What is left to do.
    pub(super) by_hand: Vec<String>,
    /// What `claims` says.
    pub(super) rule: Option<Rule>,
    secrets: usize,
}

impl Target {
    /// The option `path` of the old block became `to`.
    pub(super) fn became(&mut self, path: &str, to: &str) {
        self.fates.push(Fate { path: path.into(), to: to.into(), why: String::new() });
    }

    /// The option `path` of the old block has no equivalent.
    pub(super) fn dropped(&mut self, path: &str, why: &str) {
        self.fates.push(Fate { path: path.into(), to: String::new(), why: why.into() });
    }

    /// The same, and somebody has to look at it.
    pub(super) fn left(&mut self, path: &str, why: &str) {
        self.dropped(path, why);
        self.by_hand.push(format!("{path}: {why}"));
    }

    pub(super) fn set(&mut self, option: &str, value: impl Into<Value>) {
        self.options.insert(option.to_owned(), value.into());
    }

    /// An option inside of a section.
    pub(super) fn set_in(&mut self, section: &str, option: &str, value: impl Into<Value>) {
        let section = self.options.entry(section.to_owned()).or_insert_with(|| json!({}));
        if let Some(members) = section.as_object_mut() {
            members.insert(option.to_owned(), value.into());
        }
    }

    pub(super) fn comment(&mut self, option: &str, text: impl Into<String>) {
        self.comments.entry(option.to_owned()).or_default().push(text.into());
    }

    /// A secret that may serve on, or a variable for a new one: none is ever made up.
    pub(super) fn secret(&mut self, path: &str, text: &str, base64: bool) -> String {
        let block = json!({"signingSecret": text, "signingSecretBase64Encoded": base64});
        let why = if is_elsewhere(text) { None } else { refusal(&block) };
        let Some(why) = why else { return text.to_owned() };
        self.secrets = self.secrets.saturating_add(1);
        let name =
            if self.secrets == 1 { "JWT_SECRET".to_owned() } else { format!("JWT_SECRET_{}", self.secrets) };
        self.by_hand.push(format!(
            "{path}: the old secret is refused here ({why}). `openssl rand -base64 48` makes a new one; put it into the \
             variable {name}, and give it to the party that signs the tokens"
        ));
        format!("env:{name}")
    }

    /// A rule of `claims`.
    pub(super) fn require(&mut self, rule: Rule) {
        let before = self.rule.take();
        let rules = before.into_iter().chain([rule]).collect();
        self.rule = Some(Rule::All(rules).simple());
    }

    /// The options, in the order of the reference.
    pub(super) fn ordered(&self) -> Vec<(&str, &Value)> {
        let mut order: Vec<&str> = Vec::new();
        for name in names() {
            if !order.contains(&name) {
                order.push(name);
            }
        }
        let mut members: Vec<(&str, &Value)> =
            self.options.iter().map(|(name, value)| (name.as_str(), value)).collect();
        members.sort_by_key(|(name, _)| order.iter().position(|known| known == name));
        members
    }
}

/// A list of one is its element.
pub(super) fn few(values: &[String]) -> Value {
    match values {
        [one] => one.as_str().into(),
        values => json!(values),
    }
}

/// Whether the value is kept elsewhere.
pub(super) fn is_elsewhere(text: &str) -> bool {
    ["env:", "file:", "urn:k8s:secret:"].iter().any(|place| text.starts_with(place))
}

/// Why a block is refused, in one sentence.
pub(super) fn refusal(block: &Value) -> Option<String> {
    let capabilities = Capabilities { fetch: true, env: &|_| None };
    let errors = compile(block.to_string().as_bytes(), &capabilities).err()?;
    let text = errors.first().map(ToString::to_string).unwrap_or_default();
    let text = text.split_once("): ").map_or(text.as_str(), |(_, text)| text);
    Some(text.split_once(": ").map_or(text, |(_, text)| text).to_owned())
}
