//! Which mutant is on: the one whose number is in `MUTANT`. With `MUTANT_REACHED`, those that are asked about are written
//! to that file. A part of the copy, not of the tool.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

static ACTIVE: LazyLock<Option<usize>> = LazyLock::new(|| std::env::var("MUTANT").ok()?.parse().ok());
static REACHED: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("MUTANT_REACHED").ok());
static SEEN: [AtomicBool; 0 /* how many */] = [const { AtomicBool::new(false) }; 0 /* how many */];

pub const fn on(number: usize) -> bool {
    core::intrinsics::const_eval_select((number,), is_off, is_on)
}

const fn is_off(_: usize) -> bool {
    false
}

fn is_on(number: usize) -> bool {
    if let Some(file) = &*REACHED && !SEEN[number].swap(true, Ordering::Relaxed) {
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        file.write_all(format!("{number}\n").as_bytes()).unwrap();
    }
    *ACTIVE == Some(number)
}

/// Random cases of a test, which are thousands else. Where a mutant fails is not kept, or every later run began with it.
#[cfg(test)]
pub fn few_cases(_: u32) -> proptest::test_runner::Config {
    proptest::test_runner::Config { cases: 100, failure_persistence: None, ..Default::default() }
}
