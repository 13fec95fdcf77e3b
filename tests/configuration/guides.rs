//! The example of README.md, and the blocks of `docs/guides` and `docs/migrate` that begin with the line `# guide`: each is
//! the whole configuration of a middleware, loads, and passes its own sample tokens, of which one is refused.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::compiled;

/// The blocks of YAML on a page, without what encloses them.
fn blocks(page: &str) -> Vec<&str> {
    let blocks = page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.collect()
}

#[test]
fn blocks_load_and_prove_themselves() {
    let (mut pages, mut guides) = (0, 0);
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let folders = ["guides", "migrate"].map(|folder| fs::read_dir(docs.join(folder)).unwrap());
    for entry in folders.into_iter().flatten() {
        let path = entry.unwrap().path();
        let page = fs::read_to_string(&path).unwrap();
        pages += 1;
        for block in blocks(&page) {
            let parsed = |text: &str| -> Value {
                yaml_serde::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
            };
            if !block.starts_with("# guide\n") {
                block.split("\n---\n").for_each(|document| drop(parsed(document)));
                continue;
            }
            let value = parsed(block);
            guides += 1;
            compiled(&value);
            let tests = value["tests"].as_array().unwrap();
            let has = |allow: bool| tests.iter().any(|test| (test["expect"] == "allow") == allow);
            assert!(has(true), "{}: {block}", path.display());
            assert!(has(false) || tests.len() > 1, "{}: {block}", path.display());
        }
    }
    assert!(pages > 7 && guides > 10, "{pages} {guides}");
}

/// What the tables for users of Envoy and Istio offer in place of their rules.
#[test]
fn rules_for_users_of_envoy_and_istio_load() {
    const OPTIONS: [&str; 4] = ["methods: ", "paths: ", "headers: ", "claims: "];
    let page = include_str!("../../docs/guides/roles-and-scopes.md");
    let (_, tables) = page.split_once("\n## Coming from Envoy or Istio\n").unwrap();
    let mut rules = 0;
    for line in tables.lines().filter(|line| line.starts_with("| ")) {
        let here = line.trim_end_matches(" |").rsplit_once(" | ").unwrap().1;
        let double = here.split("``").skip(1).step_by(2);
        // Single ones are in the parts between double ones.
        let single = here.split("``").step_by(2).flat_map(|part| part.split('`').skip(1).step_by(2));
        for code in double.chain(single) {
            let is_rule = code.starts_with('{') && code.contains(": ");
            if !is_rule && !OPTIONS.iter().any(|option| code.starts_with(option)) {
                continue;
            }
            let rule: Value = yaml_serde::from_str(&code.replace(", …", ""))
                .unwrap_or_else(|error| panic!("{code}: {error}"));
            compiled(&json!({
                "signingSecret": crate::SECRET, "issuer": "https://a.example/", "rules": [rule],
            }));
            rules += 1;
        }
    }
    assert!(rules > 13, "{rules}");
}

#[test]
fn the_example_of_the_readme_loads_and_proves_itself() {
    let readme = include_str!("../../README.md");
    let block = blocks(readme).into_iter().find(|block| block.contains("tests:")).unwrap();
    let file: Value = yaml_serde::from_str(block).unwrap();
    let config = &file["http"]["middlewares"]["jwt"]["plugin"]["jwt"];
    compiled(config);
    assert!(config["tests"].as_array().unwrap().len() > 2);
}
