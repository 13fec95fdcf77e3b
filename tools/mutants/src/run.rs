//! Which tests come by which mutants, and whether one of them fails for each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::tree::Binary;

/// A test that comes by mutants.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    binary: usize,
    pub(crate) name: String,
    took: Duration,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A test of this binary failed, or did not end.
    Caught(String),
    /// All passed.
    Missed,
    /// No test comes by it.
    NotReached,
}

/// What takes longer is asked last, and only about mutants that all others have missed.
const A_BATCH: Duration = Duration::from_millis(300);

/// All tests of `binaries`, and for each mutant those that come by it.
pub(crate) struct Tests {
    binaries: Vec<Binary>,
    tests: Vec<Test>,
    by_mutant: BTreeMap<usize, Vec<usize>>,
}

impl Tests {
    /// Runs each test by itself once. What it comes by is kept in `folder` while the binaries are the same.
    pub(crate) fn find(binaries: Vec<Binary>, folder: &Path) -> Self {
        let mut found = Self { binaries, tests: Vec::new(), by_mutant: BTreeMap::new() };
        for (at, binary) in found.binaries.iter().enumerate() {
            let stamp = fs::metadata(&binary.path).unwrap().modified().unwrap();
            let stamp = stamp.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
            let kept = folder.join(format!("{}.reached", binary.name));
            let mark = format!("{} {stamp}", binary.path.display());
            let mut text = fs::read_to_string(&kept).unwrap_or_default();
            if text.lines().next() != Some(&mark) {
                let began = Instant::now();
                text = format!("{mark}\n{}", reached(binary, folder));
                fs::write(&kept, &text).unwrap();
                println!("{}: {:.1} s", binary.name, began.elapsed().as_secs_f64());
            }
            for line in text.lines().skip(1) {
                let mut words = line.split(' ');
                let (name, took) = (words.next().unwrap(), words.next().unwrap());
                let took = Duration::from_micros(took.parse().unwrap());
                for number in words {
                    found.by_mutant.entry(number.parse().unwrap()).or_default().push(found.tests.len());
                }
                found.tests.push(Test { binary: at, name: name.to_owned(), took });
            }
        }
        found
    }

    /// Runs what comes by it, quick ones first. `module` is where it is: its tests are the likeliest to see it.
    pub(crate) fn run(&self, number: usize, module: &str, slowest: Duration) -> Outcome {
        let Some(tests) = self.by_mutant.get(&number) else { return Outcome::NotReached };
        let mut tests: Vec<&Test> = tests.iter().map(|&test| &self.tests[test]).collect();
        tests.retain(|test| test.took <= slowest);
        let is_near = |test: &Test| test.took < A_BATCH && test.name.starts_with(module);
        tests.sort_by_key(|test| (!is_near(test), test.took > A_BATCH, test.binary, test.took));
        let mut batches: Vec<Vec<&Test>> = Vec::new();
        for test in tests {
            let joins = batches.last().is_some_and(|batch| {
                let took: Duration = batch.iter().map(|test| test.took).sum();
                let alike = batch[0].binary == test.binary && is_near(batch[0]) == is_near(test);
                alike && took + test.took <= A_BATCH
            });
            match batches.last_mut() {
                Some(batch) if joins => batch.push(test),
                _ => batches.push(vec![test]),
            }
        }
        let catcher = batches.iter().find(|batch| !self.passes(number, batch));
        catcher.map_or(Outcome::Missed, |batch| Outcome::Caught(self.binaries[batch[0].binary].name.clone()))
    }

    fn passes(&self, number: usize, batch: &[&Test]) -> bool {
        let took: Duration = batch.iter().map(|test| test.took).sum();
        let names: Vec<&str> = batch.iter().map(|test| test.name.as_str()).collect();
        let mut command = command(&self.binaries[batch[0].binary], took, &names);
        command.arg("--exact");
        command.env("MUTANT", number.to_string());
        ends_well(command, took)
    }
}

/// One line for each test: its name, how long it takes in microseconds, the mutants.
fn reached(binary: &Binary, folder: &Path) -> String {
    let mut list = Command::new(&binary.path);
    let list = list.args(["--list", "--format", "terse"]).current_dir(&binary.directory).output().unwrap();
    let list = String::from_utf8(list.stdout).unwrap();
    let file = folder.join("reached");
    let mut lines = String::new();
    for name in list.lines().filter_map(|line| line.strip_suffix(": test")) {
        fs::write(&file, "").unwrap();
        let long = Duration::from_secs(300);
        let run = |record: bool| {
            let mut command = command(binary, long, &[name]);
            command.arg("--exact");
            if record {
                command.env("MUTANT_REACHED", &file);
            }
            let began = Instant::now();
            (ends_well(command, long), began.elapsed())
        };
        let (passes, took) = run(true);
        if !passes {
            println!("{} {name}: fails without a mutant, and is left out", binary.name);
            continue;
        }
        let numbers: BTreeSet<String> =
            fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect();
        let numbers: Vec<String> = numbers.into_iter().collect();
        lines.push_str(&format!("{name} {} {}\n", took.as_micros(), numbers.join(" ")));
    }
    lines.replace(" \n", "\n")
}

/// The tests with these names in theirs. An endless loop ends with the time of the processor, an endless list with the memory.
pub(crate) fn command(binary: &Binary, took: Duration, names: &[&str]) -> Command {
    let limits = "ulimit -t \"$1\"; ulimit -v 8000000; shift; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", limits, "sh", &(took.as_secs() * 3 + 2).to_string()]);
    command.arg(&binary.path).args(names).arg("--test-threads=1");
    // Random cases: few, and the same in each run, so that no mutant is caught by luck.
    command.env("PROPTEST_CASES", "100").env("PROPTEST_RNG_SEED", "1");
    command.current_dir(&binary.directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

pub(crate) fn ends_well(mut command: Command, took: Duration) -> bool {
    let mut child = command.spawn().unwrap();
    let end = Instant::now() + took * 20 + Duration::from_secs(60);
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return status.success(),
            None if Instant::now() > end => {
                child.kill().unwrap();
                child.wait().unwrap();
                return false;
            }
            None => sleep(Duration::from_millis(1)),
        }
    }
}
