//! `examples/rules` and `examples/mcp`: they load, and their tests show what they are for.

use serde_json::Value;

use crate::compiled;

const EXAMPLES: [(&str, &str); 2] = [
    ("rules", include_str!("../../examples/rules/dynamic.yml")),
    ("mcp", include_str!("../../examples/mcp/dynamic.yml")),
];

#[test]
fn examples_load_and_prove_themselves() {
    for (name, file) in EXAMPLES {
        let file: Value = yaml_serde::from_str(file).unwrap();
        for (middleware, config) in file["http"]["middlewares"].as_object().unwrap() {
            let config = &config["plugin"]["jwt"];
            let policy = compiled(config);
            assert!(!policy.rules.is_empty(), "{name} {middleware}");
            let expected: Vec<&str> = config["tests"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(|test| test["expect"].as_str())
                .collect();
            for expect in ["allow", "scope_insufficient", "rule_missing"] {
                assert!(expected.contains(&expect), "{name} {middleware}: {expect}");
            }
        }
    }
}
