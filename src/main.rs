//! Wiring only: configuration in, guest registered, or exit 1.

fn main() {}
