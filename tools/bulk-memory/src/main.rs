//! `bulk-memory FROM TO`: writes the module in FROM to TO with its large copies and fills split into pieces, and with the
//! roots of TLS loaded by the instances that need them.

use std::process::ExitCode;

use webpki_roots::TLS_SERVER_ROOTS;

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = files.as_slice() else { return fail("usage: bulk-memory FROM TO") };
    let result = std::fs::read(from)
        .map_err(|error| format!("{from}: {error}"))
        .and_then(|module| last_steps(&module).map_err(|error| format!("{from}: {error}")))
        .and_then(|module| std::fs::write(to, module).map_err(|error| format!("{to}: {error}")));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn last_steps(module: &[u8]) -> Result<Vec<u8>, String> {
    let module = bulk_memory::in_pieces(module)?;
    let roots = TLS_SERVER_ROOTS.iter().flat_map(|root| {
        let constraints = root.name_constraints.as_ref();
        [Some(&root.subject), Some(&root.subject_public_key_info), constraints].into_iter().flatten()
    });
    let roots: Vec<&[u8]> = roots.map(AsRef::as_ref).collect();
    Ok(bulk_memory::on_demand(&module, &roots)?.unwrap_or(module))
}

#[expect(clippy::print_stderr, reason = "where a tool says what is wrong")]
fn fail(error: &str) -> ExitCode {
    eprintln!("bulk-memory: {error}");
    ExitCode::FAILURE
}
