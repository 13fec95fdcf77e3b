//! `bulk-memory FROM TO`: writes the module in FROM to TO with its large copies and fills split into pieces.

use std::process::ExitCode;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = files.as_slice() else { return fail("usage: bulk-memory FROM TO") };
    let result = std::fs::read(from)
        .map_err(|error| format!("{from}: {error}"))
        .and_then(|module| bulk_memory::in_pieces(&module).map_err(|error| format!("{from}: {error}")))
        .and_then(|module| std::fs::write(to, module).map_err(|error| format!("{to}: {error}")));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

#[expect(clippy::print_stderr, reason = "where a tool says what is wrong")]
fn fail(error: &str) -> ExitCode {
    eprintln!("bulk-memory: {error}");
    ExitCode::FAILURE
}
