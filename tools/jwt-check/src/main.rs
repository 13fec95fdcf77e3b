//! The command: files, the environment, the clock and the terminal. `jwt-check --help` says how it is called.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a command")]

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_check::command::{Output, run};
use jwt_check::outside::Outside;

struct Machine;

impl Outside for Machine {
    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        if name == "-" {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin(), &mut text)
                .map_err(|error| error.to_string())?;
            return Ok(text);
        }
        std::fs::read(name).map_err(|error| error.to_string())
    }

    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a command is outside of the rings and has a clock of its own"
    )]
    fn now(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
    }
}

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let Output { code, out, err } = run(&words, &Machine);
    print!("{out}");
    eprint!("{err}");
    ExitCode::from(code)
}
