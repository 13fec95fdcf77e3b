//! What is kept of earlier runs, through every target. It comes wherever a target says that its inputs come, so a corpus
//! that is missing, empty or out of date fails.

use std::collections::BTreeSet;
use std::fs;

use fuzz::{TARGETS, corpus, reached, target};

#[test]
fn every_target_takes_what_is_kept_for_it() {
    let (mut missed, mut broken) = (Vec::new(), Vec::new());
    for target in TARGETS {
        let inputs = corpus::kept(target.name).unwrap();
        let _ = reached();
        for input in &inputs {
            let run = std::panic::catch_unwind(|| (target.run)(input));
            broken.extend(run.is_err().then(|| format!("{}: {}", target.name, input.escape_ascii())));
        }
        let reached = reached();
        missed.extend(
            target
                .reaches
                .iter()
                .filter(|place| !reached.contains(*place))
                .map(|place| (target.name, *place)),
        );
        missed.extend((inputs.len() < 3).then_some((target.name, "three inputs")));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(missed.is_empty(), "no input comes there: {missed:?}");
}

#[test]
fn every_corpus_is_small_and_has_a_target() {
    let (mut all, mut names) = (0, BTreeSet::new());
    for entry in fs::read_dir(corpus::file("x").parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(target(&name).is_some(), "{name} is no target");
        all += fs::metadata(&path).unwrap().len();
        names.insert(name);
    }
    assert_eq!(names, TARGETS.iter().map(|target| target.name.to_owned()).collect());
    assert!(all < 1_500_000, "{all} bytes");
}

/// `fuzz/libfuzzer` is a workspace of its own, so nothing else says that its lock file is out of date.
#[test]
fn libfuzzer_has_locked_what_is_asked_for() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = fs::read_to_string(folder.join("libfuzzer/Cargo.lock")).unwrap();
    for package in ["fuzz", "../tests/testbed", "../tools/jwt-check", "../crates/arithmetic"] {
        let manifest = match package {
            "fuzz" => folder.join("Cargo.toml"),
            other => folder.join(other).join("Cargo.toml"),
        };
        let manifest = fs::read_to_string(manifest).unwrap();
        let (_, asked) = manifest.split_once("\n[dependencies]\n").unwrap();
        let asked = asked.split("\n[").next().unwrap().lines().filter_map(|line| line.split_once(" = "));
        let name = package.rsplit('/').next().unwrap();
        let (_, locked) = lock.split_once(&format!("name = \"{name}\"\n")).unwrap();
        let locked = locked.split("\n\n").next().unwrap();
        for (dependency, _) in asked.filter(|(dependency, _)| !dependency.starts_with('#')) {
            let is_there = ["\"", " "].iter().any(|end| locked.contains(&format!(" \"{dependency}{end}")));
            assert!(is_there, "{dependency} of {name}: cargo metadata in fuzz/libfuzzer locks it");
        }
    }
}
