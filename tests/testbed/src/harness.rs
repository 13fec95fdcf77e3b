//! Running tests that each have a Traefik of their own: a few side by side and some alone, chosen by name.

use std::panic::catch_unwind;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A name and what it runs; a panic is a failure.
pub type Test = (&'static str, fn());

/// A test that cannot run, and why.
pub type Skipped = (&'static str, String);

static FOUND_LACKING: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Notes that a test, or a part of it, has found that it cannot run here, and why: the last lines say so.
///
/// # Panics
/// When a thread panicked while it noted something.
pub fn skip(name: &str, reason: &str) {
    FOUND_LACKING.lock().unwrap().push(format!("{name} ... SKIPPED: {reason}"));
}

/// Most of a test is waiting, for Traefik and for keys to age.
const PARALLEL: usize = 5;

/// Runs the tests whose names contain an argument of the command line, or all of them if there is none: first
/// `side_by_side`, a few at a time, then each of `alone`, whose own load would make the others late. What a run of all skips
/// is in the file that the variable `SKIPPED` names as well.
///
/// # Panics
/// When that file cannot be written; a panic of a test is a failure in the report.
pub fn run(side_by_side: &[Test], alone: &[Test], skipped: &[Skipped]) -> ExitCode {
    let filters: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let chosen = |name: &str| filters.is_empty() || filters.iter().any(|filter| name.contains(filter));
    let chosen_of =
        |tests: &[Test]| -> Vec<Test> { tests.iter().copied().filter(|(name, _)| chosen(name)).collect() };
    let (side_by_side, alone) = (chosen_of(side_by_side), chosen_of(alone));
    let skipped: Vec<&Skipped> = skipped.iter().filter(|(name, _)| chosen(name)).collect();
    let count = side_by_side.len() + alone.len();
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL {
            scope.spawn(|| {
                while let Some(test) = side_by_side.get(next.fetch_add(1, Ordering::SeqCst)) {
                    run_one(test, &failed);
                }
            });
        }
    });
    for test in &alone {
        run_one(test, &failed);
    }
    let failed = failed.into_inner().unwrap();
    let mut lacking: Vec<String> =
        skipped.iter().map(|(name, reason)| format!("{name} ... SKIPPED: {reason}")).collect();
    lacking.append(&mut FOUND_LACKING.lock().unwrap());
    println!();
    for line in &lacking {
        println!("test {line}");
    }
    if let (true, Ok(file)) = (filters.is_empty(), std::env::var("SKIPPED")) {
        let lines: Vec<String> = lacking.iter().map(|line| format!("{line}\n")).collect();
        std::fs::write(file, lines.concat()).unwrap();
    }
    let skips = match lacking.len() {
        0 => String::new(),
        count => format!(", {count} skipped"),
    };
    println!("{} passed, {} failed{skips}", count - failed.len(), failed.len());
    if !failed.is_empty() {
        println!("failed: {}", failed.join(" "));
    }
    // A name that is none's must not look like a success.
    if failed.is_empty() && count + skipped.len() > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[expect(clippy::disallowed_methods, reason = "the clock of a native test is real")]
fn run_one((name, test): &Test, failed: &Mutex<Vec<&'static str>>) {
    let start = std::time::Instant::now();
    let passed = catch_unwind(test).is_ok();
    let outcome = if passed { "ok" } else { "FAILED" };
    println!("test {name} ... {outcome}, {:.1} s", start.elapsed().as_secs_f32());
    if !passed {
        failed.lock().unwrap().push(name);
    }
}
