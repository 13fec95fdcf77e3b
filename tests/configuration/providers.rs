//! The files in `examples/providers/` and the page `docs/providers.md`: each loads, passes its own sample tokens, and has a
//! section that links it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::compiled;

const PAGE: &str = include_str!("../../docs/providers.md");

#[test]
fn examples_load_and_prove_themselves() {
    let mut sections = BTreeSet::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/providers")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(PAGE.contains(&format!("(../examples/providers/{name}.yml)")), "{name} is not on the page");
        let anchor = text.split_once("docs/providers.md#").map(|(_, rest)| rest).unwrap();
        let anchor: String = anchor
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')
            .collect();
        let headings = PAGE.lines().filter_map(|line| line.strip_prefix("## "));
        let anchors: Vec<String> =
            headings.map(|heading| heading.to_ascii_lowercase().replace(' ', "-")).collect();
        assert!(anchors.contains(&anchor), "{name}: #{anchor}");
        assert!(PAGE.contains(&format!("](#{anchor})")), "{anchor} is not in the table");
        sections.insert(anchor);
        let file: Value = yaml_serde::from_str(&text).unwrap();
        for (middleware, config) in file["http"]["middlewares"].as_object().unwrap() {
            let config = &config["plugin"]["jwt"];
            compiled(config);
            assert!(!config["audience"].is_null() || !config["claims"].is_null(), "{middleware}");
            let tests = config["tests"].as_array().unwrap();
            assert!(tests.iter().any(|test| test["expect"] == "allow"), "{middleware}");
            assert!(tests.iter().any(|test| test["expect"] != "allow"), "{middleware}");
        }
    }
    let all = PAGE.lines().filter(|line| line.starts_with("## ")).count();
    assert_eq!(sections.len(), all, "a section without a file");
}
