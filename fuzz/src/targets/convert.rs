//! `jwt-check` on files of users: what it makes of the block of another middleware is written as it is meant, and of no option
//! nothing is said.

use jwt_check::check::check;
use jwt_check::convert::convert as converted;
use jwt_check::input::{self, File};
use serde_json::Value;

use crate::cut::{choice, text};
use crate::mark::mark;

/// A file in YAML, JSON, labels or keys of a store, or in TOML.
pub(super) fn convert(input: &[u8]) {
    let (number, rest) = choice(input, 2);
    let text = text(rest);
    let file = File { name: ["old.yml", "old.toml"][number], text: &text };
    let environment = |name: &str| (name == "A").then(|| "value".to_owned());
    let checked = check(file, None, &environment);
    let lines = checked.notes.iter().map(|(line, _)| *line);
    let lines = lines.chain(
        checked
            .middlewares
            .iter()
            .flat_map(|one| one.problems.iter().map(|problem| problem.line).chain([one.line])),
    );
    let count = text.lines().count();
    assert!(lines.flatten().all(|line| (1..=count + 1).contains(&line)), "{checked:?}");
    let Ok(converted) = converted(file, None, None, &environment) else {
        mark("none of another");
        return;
    };
    let (report, yaml) = (converted.json(), converted.text());
    let mut reports: Vec<&Value> = report["middlewares"].as_array().expect("a list").iter().collect();
    reports.sort_by_key(|report| report["name"].to_string());
    // As it is read again.
    let again = input::read(File { name: "new.yml", text: &yaml }, &environment);
    assert!(again.unreadable.is_empty(), "{:?}: {yaml}", again.unreadable);
    let mut blocks: Vec<&input::Block> = again.blocks.iter().collect();
    blocks.sort_by_key(|block| Value::from(block.middleware.as_str()).to_string());
    assert_eq!(blocks.len(), reports.len(), "{yaml}");
    for (block, report) in blocks.iter().zip(&reports) {
        assert_eq!(report["name"], block.middleware.as_str());
        let mut written = block.written.clone();
        let tests = written.as_object_mut().and_then(|options| options.remove("tests"));
        assert_eq!(
            tests.and_then(|tests| Some(tests.as_array()?.len().into())).unwrap_or(Value::from(0)),
            report["tests"],
            "{yaml}"
        );
        assert_eq!(written, report["options"], "{yaml}");
    }
    // Each option became another one, or there is a reason.
    let old = input::read(file, &environment);
    for report in reports {
        let block = old
            .blocks
            .iter()
            .find(|block| report["name"] == block.middleware.as_str())
            .expect("it was there");
        let options = block.written.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
        for (name, _) in options {
            let is_it =
                |fate: &Value| fate["path"].as_str().is_some_and(|path| path.starts_with(name.as_str()));
            let fates = ["mapped", "dropped"].map(|list| report[list].as_array().expect("a list"));
            assert!(fates.iter().any(|fates| fates.iter().any(is_it)), "{name}: {report:#}");
        }
    }
    mark(match report["verdict"].as_str() {
        Some("good") => "good",
        _ => "not yet good",
    });
}
