//! Prints a token of the demo's keys: `cargo run -q -p testbed --example mint -- ALG CLAIMS`.
//!
//! `ALG` is EdDSA unless given; `CLAIMS` is a JSON object that is laid over
//! `{"iss": "https://idp.example/", "sub": "alice", "iat": now, "exp": in an hour}`.

use std::process::ExitCode;

use serde_json::{Map, Value, json};
use testbed::tokens::Token;
use testbed::{keys, wait};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let alg = arguments.next().unwrap_or_else(|| "EdDSA".into());
    if !keys::ALGORITHMS.contains(&alg.as_str()) {
        eprintln!("no algorithm '{alg}'; there are {}", keys::ALGORITHMS.join(" "));
        return ExitCode::FAILURE;
    }
    let over: Map<String, Value> =
        match serde_json::from_str(&arguments.next().unwrap_or_else(|| "{}".into())) {
            Ok(over) => over,
            Err(error) => {
                eprintln!("the claims are no JSON object: {error}");
                return ExitCode::FAILURE;
            }
        };
    let now = wait::unix_now();
    let mut claims = json!({"iss": "https://idp.example/", "sub": "alice", "iat": now, "exp": now + 3600});
    for (name, value) in over {
        claims[name] = value;
    }
    println!("{}", Token::new(&alg, claims).mint());
    ExitCode::SUCCESS
}
