//! `mutants CARGO-MUTANTS [NAME…]`: runs the mutants of the library that cargo-mutants lists, those with one of these in their
//! names. `mutants --sample` runs the few that are kept, `mutants CARGO-MUTANTS --choose` chooses others of the rooms that let
//! none through.
//!
//! cargo-mutants compiles each of them by itself, which takes half a minute, and there are thousands. Here all are
//! compiled at once, each behind a switch, and only tests that come by one are run for it.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    reason = "a tool of the tests, which fails by panicking"
)]

mod kept;
mod list;
mod weave;
mod tree;
mod run;
mod sample;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::list::Mutant;
use crate::run::{Outcome, Tests};
use crate::tree::Tree;

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Where cargo builds, which `scripts/mutants.sh` says.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").unwrap().into()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let folder = target().join("mutants");
    fs::create_dir_all(folder.join("tree")).unwrap();
    let packages = std::env::var("TESTED_PACKAGES").unwrap();
    let packages: Vec<String> = packages.split(' ').map(str::to_owned).collect();
    if arguments == ["--sample"] {
        return sample::run(&root, &packages);
    }
    let (cargo_mutants, names) = arguments.split_first().unwrap();
    let mutants = list::mutants(cargo_mutants, &root);
    if names == ["--choose"] {
        return sample::choose(&root, mutants, &packages);
    }
    let (mut binaries, dropped) = Tree::new(&root, "tree").build(&mutants, &packages);
    // The others know none of what is changed.
    let knows = |name: &str| name == "traefik_jwt_auth" || tree::TESTS.contains(&name);
    binaries.retain(|binary| knows(&binary.name));
    println!("{} mutants, {} do not compile", mutants.len(), dropped.unviable.len());
    let tests = Tests::find(binaries, &folder);

    // Those that the last run left, of all that were asked for then.
    let missed = folder.join("missed");
    let before = fs::read_to_string(&missed).unwrap_or_default();
    let before: Vec<&str> = before.lines().collect();
    let again = std::env::var("MUTANTS_AGAIN").is_ok();
    let asked = |mutant: &Mutant| {
        let named = names.is_empty() || names.iter().any(|name| mutant.name.contains(name));
        named && (!again || before.contains(&mutant.name.as_str()))
    };
    let numbers: Vec<usize> = (0..mutants.len()).filter(|&number| asked(&mutants[number])).collect();
    let slowest = Duration::from_secs(u64::try_from(number("MUTANTS_SLOWEST", 3600)).unwrap());
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(BTreeMap::new());
    let log = Mutex::new(fs::File::create(folder.join("outcomes")).unwrap());
    std::thread::scope(|scope| {
        for _ in 0..number("MUTANTS_JOBS", 2) {
            scope.spawn(|| {
                while let Some(&number) = numbers.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if dropped.unviable.contains(&number) || dropped.left_out.contains(&number) {
                        continue;
                    }
                    let mutant = &mutants[number];
                    let outcome = tests.run(number, &mutant.module(), slowest);
                    writeln!(log.lock().unwrap(), "{outcome:?} {number} {}", mutant.name).unwrap();
                    outcomes.lock().unwrap().insert(number, outcome);
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().unwrap();

    let mut rooms: BTreeMap<String, [usize; 5]> = BTreeMap::new();
    for &number in &numbers {
        let column = match outcomes.get(&number) {
            Some(Outcome::Caught(_)) => 0,
            Some(Outcome::Missed) => 1,
            Some(Outcome::NotReached) => 2,
            None if dropped.unviable.contains(&number) => 3,
            None => 4,
        };
        rooms.entry(mutants[number].room()).or_default()[column] += 1;
        match outcomes.get(&number) {
            Some(Outcome::Missed) => println!("missed: {}", mutants[number].name),
            Some(Outcome::NotReached) => println!("not reached: {}", mutants[number].name),
            Some(Outcome::Caught(_)) | None => {}
        }
    }
    println!(
        "{:24}{:>8}{:>8}{:>12}{:>10}{:>10}",
        "room", "caught", "missed", "not reached", "unviable", "constant"
    );
    let is_left =
        |number: &&usize| outcomes.get(number).is_some_and(|outcome| !matches!(outcome, Outcome::Caught(_)));
    let left_over: Vec<&str> = numbers.iter().filter(is_left).map(|&n| mutants[n].name.as_str()).collect();
    fs::write(&missed, left_over.join("\n")).unwrap();
    let mut left = 0;
    for (room, [caught, missed, not_reached, unviable, constant]) in rooms {
        let share = 100.0 * f64::from(u32::try_from(caught).unwrap())
            / f64::from(u32::try_from((caught + missed + not_reached).max(1)).unwrap());
        println!("{room:24}{caught:8}{missed:8}{not_reached:12}{unviable:10}{constant:10}{share:8.1} %");
        left += missed + not_reached;
    }
    if left == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
