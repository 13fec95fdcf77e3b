//! The project's structure and documentation as tests: rings, names, codes and options.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use traefik_jwt_auth::core::config::schema::OPTIONS;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// Texts in backquotes, in the first column of tables.
fn documented(text: &str) -> BTreeSet<String> {
    let cells = text.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn dependencies_point_inward_only() {
    for (folder, forbidden) in
        [("src/core", &["crate::keys", "crate::host"][..]), ("src/keys", &["crate::host"])]
    {
        for (path, text) in sources(folder) {
            for outer in forbidden {
                assert!(!text.contains(outer), "{}: {outer}", path.display());
            }
        }
    }
}

#[test]
fn features_are_told_apart_in_one_room() {
    for (path, text) in sources("src") {
        let own =
            path.ends_with("host/mod.rs") || path.ends_with("main.rs") || path.ends_with("host/boot.rs");
        assert!(own || !text.contains("feature = \"fetch\""), "{}", path.display());
    }
}

#[test]
fn every_option_is_documented_and_every_documented_option_exists() {
    let options: BTreeSet<String> = OPTIONS.iter().map(|option| (*option).to_owned()).collect();
    assert_eq!(documented(&document("configuration.md")), options);
}

#[test]
fn every_code_is_documented_and_every_documented_code_exists() {
    let refusals = fs::read_to_string("src/core/refusal.rs").unwrap();
    let errors = fs::read_to_string("src/core/config/error.rs").unwrap();
    let codes: BTreeSet<String> = [refusals, errors]
        .iter()
        .flat_map(|text| {
            let body =
                text.split("fn code(&self)").nth(1).and_then(|rest| rest.split("\n    }\n").next()).unwrap();
            body.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(documented(&document("errors.md")), codes);
}
