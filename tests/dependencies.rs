//! What is linked into the modules: its licences are those that `deny.toml` allows, all of it comes from crates.io, in one
//! version each, and none in any version that comes. `make deny` looks at more, with a tool that takes minutes to build;
//! where it is installed, `make lint` runs the part of it that needs no network.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

fn cargo(arguments: &[&str]) -> String {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let root = env!("CARGO_MANIFEST_DIR");
    let output = Command::new(cargo).args(arguments).current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Name and version of every crate in the default module, of which the offline one has a part, or in `jwt-check`.
fn linked(what: &[&str]) -> BTreeSet<(String, String)> {
    let tree =
        cargo(&[&["tree", "--locked", "-e", "normal,no-proc-macro", "--prefix", "none"], what].concat());
    let crates = tree.lines().filter_map(|line| {
        let mut words = line.split(' ');
        Some((words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned()))
    });
    crates.collect()
}

#[test]
fn licences_and_sources_are_allowed_ones() {
    let deny: Value = basic_toml::from_str(include_str!("../deny.toml")).unwrap();
    let allowed: Vec<&str> =
        deny["licenses"]["allow"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--locked", "--format-version", "1"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let (module, command) = (linked(&["--target", "wasm32-wasip1"]), linked(&["-p", "jwt-check"]));
    assert!(module.len() > 20 && command.len() > 10, "{module:?} {command:?}");
    let linked = &module | &command;
    let mut versions = BTreeMap::new();
    for (name, version) in &linked {
        let package = packages.iter().find(|p| p["name"] == *name && p["version"] == *version).unwrap();
        let license = package["license"].as_str().unwrap_or("none");
        // One of an `OR` is enough, all of an `AND` are needed. No crate here has both.
        assert!(!(license.contains(" OR ") && license.contains(" AND ")), "{name}: {license}");
        let is_allowed = |term: &str| allowed.contains(&term.trim_matches(['(', ')', ' ']));
        let passes = match license.contains(" AND ") {
            true => license.split(" AND ").all(is_allowed),
            false => license.split(" OR ").flat_map(|term| term.split('/')).any(is_allowed),
        };
        assert!(passes, "{name}: {license}");
        match package["source"].as_str() {
            None => {
                assert!(package["manifest_path"].as_str().unwrap().contains(env!("CARGO_MANIFEST_DIR")));
                for dependency in package["dependencies"].as_array().unwrap() {
                    let any = dependency["req"] == "*" && dependency["path"].is_null();
                    assert!(!any, "{name}: any version of {}", dependency["name"]);
                }
            }
            Some(source) => {
                assert_eq!(source, "registry+https://github.com/rust-lang/crates.io-index", "{name}");
            }
        }
        assert_eq!(versions.insert(name, version), None, "{name} is linked in two versions");
    }
}
