//! Prints a token for trying things out: `cargo run --example mint -- [ALG] [CLAIMS-JSON]`.
//!
//! Signed with the keys of the test bed (tests/testbed/keys), which are public: never trust them anywhere else.
#![expect(
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "the token is the output; on JSON values, indexing inserts"
)]

use std::process::ExitCode;

use serde_json::{Value, json};
use testbed::tokens::Token;
use testbed::wait::unix_now;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let alg = arguments.next().unwrap_or_else(|| "EdDSA".into());
    if !testbed::keys::ALGORITHMS.contains(&alg.as_str()) {
        println!("algorithms: {}", testbed::keys::ALGORITHMS.join(" "));
        return ExitCode::FAILURE;
    }
    let mut claims = json!({"iss": "https://idp.example/", "sub": "alice", "exp": unix_now() + 3600});
    if let Some(text) = arguments.next() {
        match serde_json::from_str::<Value>(&text) {
            Ok(Value::Object(members)) => members.into_iter().for_each(|(name, value)| claims[name] = value),
            Ok(_) | Err(_) => {
                println!("the claims are no JSON object");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{}", Token::new(&alg, claims).mint());
    ExitCode::SUCCESS
}
