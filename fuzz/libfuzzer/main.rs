//! The target that `FUZZ` names, under libFuzzer (`scripts/fuzz.sh`). One program for all of them: building each on its own
//! would take as many times as long.
#![no_main]

use std::sync::OnceLock;

use fuzz::Target;
use libfuzzer_sys::fuzz_target;

static TARGET: OnceLock<&Target> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("FUZZ").expect("FUZZ names a target");
        let target = fuzz::target(&name).expect("FUZZ names a target");
        TARGET.set(target).ok().expect("it begins once");
    },
    |input: &[u8]| {
        if let Some(target) = TARGET.get() {
            (target.run)(input);
        }
    }
);
