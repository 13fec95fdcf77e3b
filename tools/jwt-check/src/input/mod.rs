//! Finds the blocks of the middleware in whatever users have: dynamic configurations, resources of Kubernetes, labels of
//! Compose, values of Helm, dumps of KV stores, a block alone.

pub mod lines;
pub(crate) mod tree;
mod documents;
mod flat;
mod variables;

use serde_json::Value;
use traefik_jwt_auth::core::config::options;

pub use lines::Lines;

/// A file, by its name and text. Nothing is read from elsewhere.
#[derive(Clone, Copy)]
pub struct File<'a> {
    /// What it is called; `.toml` says what it is.
    pub name: &'a str,
    /// What is in it.
    pub text: &'a str,
}

/// How a block is written, and so how Traefik hands it on.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// In a dynamic configuration, YAML, TOML or JSON.
    Dynamic,
    /// In a `Middleware` of Kubernetes, with its `metadata`.
    Kubernetes(Value),
    /// In labels.
    Labels,
    /// In keys of a KV store.
    KeyValue,
    /// Alone.
    Bare,
}

/// A block of options of one middleware.
#[derive(Clone, Debug)]
pub struct Block {
    /// Name of the middleware.
    pub middleware: String,
    /// The name below `plugin`.
    pub plugin: String,
    /// How it is written.
    pub form: Form,
    /// The options as they are written.
    pub written: Value,
    /// The options as the plugin gets them.
    pub options: Value,
    /// Where they stand.
    pub lines: Lines,
    /// What was assumed when it was read.
    pub notes: Vec<String>,
}

/// What is in a file.
#[derive(Default, Debug)]
pub struct Found {
    /// The blocks of plugins, in the order of the file.
    pub blocks: Vec<Block>,
    /// What of the file cannot be read, with its line.
    pub unreadable: Vec<(Option<usize>, String)>,
}

/// Variables of the environment: for Compose, and for `env:NAME`.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Finds the blocks of `file`.
#[must_use]
pub fn read(file: File<'_>, environment: Environment<'_>) -> Found {
    let mut found = Found::default();
    let entries = flat::entries(file.text);
    if entries.is_empty() {
        documents::read(file, environment, &mut found);
    } else {
        flat::blocks(&entries, &Form::KeyValue, &[], &mut found);
    }
    found
}

/// Top-level names of options, without what is inside of them.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    options::rows().filter_map(|row| row.path.split(['.', '[']).next())
}

/// Options that other plugins have as well: alone they make no block one of this middleware.
const COMMON: &[&str] = &["rules"];

/// Whether a block has an option of this middleware, or one that is spelled so.
#[must_use]
pub fn is_ours(options: &Value) -> bool {
    let own = || names().filter(|known| !COMMON.contains(known));
    let has = |name: &String| own().any(|known| known.eq_ignore_ascii_case(name));
    options.as_object().is_some_and(|members| members.keys().any(has))
}
