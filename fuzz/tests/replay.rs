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
