//! `jwt-check` on files of users: what it makes of the block of another middleware is written as it is meant, and of no option
//! nothing is said.

use std::collections::BTreeSet;

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
    // What ends a line for YAML.
    let count = text.matches(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
    assert!(lines.flatten().all(|line| (1..=count + 2).contains(&line)), "{checked:?}");
    let Ok(converted) = converted(file, None, None, &environment) else {
        mark("none of another");
        return;
    };
    let (report, yaml) = (converted.json(), converted.text());
    let reports = report["middlewares"].as_array().expect("a list");
    // As it is read again.
    let again = input::read(File { name: "new.yml", text: &yaml }, &environment);
    assert!(again.unreadable.is_empty(), "{:?}: {yaml}", again.unreadable);
    let written = again.blocks.iter().map(|block| {
        let mut options = block.written.clone();
        let tests = options.as_object_mut().and_then(|options| options.remove("tests"));
        (
            block.middleware.clone(),
            options.to_string(),
            tests.map_or(0, |tests| tests.as_array().map_or(0, Vec::len)),
        )
    });
    let meant = reports.iter().map(|report| {
        let mut options = report["options"].clone();
        let tests = options.as_object_mut().and_then(|options| options.remove("tests"));
        let more = usize::try_from(report["tests"].as_u64().expect("a number")).expect("it is small");
        let count = tests.map_or(more, |tests| tests.as_array().map_or(0, Vec::len));
        (report["name"].as_str().expect("a name").to_owned(), options.to_string(), count)
    });
    assert_eq!(written.collect::<BTreeSet<_>>(), meant.collect::<BTreeSet<_>>(), "{yaml}");
    assert_eq!(again.blocks.len(), reports.len(), "{yaml}");
    // Each option became another one, or there is a reason.
    let old = input::read(file, &environment);
    for report in reports {
        let of_name = old.blocks.iter().filter(|block| report["name"] == block.middleware.as_str());
        let fates = ["mapped", "dropped"].map(|list| report[list].as_array().expect("a list"));
        let has_fate = |(name, value): (&String, &Value)| {
            let is_it =
                |fate: &Value| fate["path"].as_str().is_some_and(|path| path.starts_with(name.as_str()));
            value.is_null() || fates.iter().any(|fates| fates.iter().any(is_it))
        };
        let has_all = |block: &input::Block| block.written.as_object().into_iter().flatten().all(has_fate);
        assert!(of_name.into_iter().any(has_all), "{report:#}");
    }
    mark(match report["verdict"].as_str() {
        Some("good") => "good",
        _ => "not yet good",
    });
}
