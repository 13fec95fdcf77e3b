//! What the tests and the demo stand on: an identity provider, an upstream, a client and a real Traefik.
//!
//! Everything ends when it is dropped, also in a panic. Nothing sleeps for a guess: waiting is polling with a
//! deadline ([`wait`]).

pub mod keys;
pub mod tokens;
pub mod proofs;
pub mod usual;
pub mod random;
pub mod certificate;
pub mod port;
pub mod jwks_server;
pub mod upstream;
pub mod proxy;
pub mod stand_in;
pub mod http;
pub mod traefik;
pub mod set_clock;
pub mod cut;
pub mod asked;
pub mod cases;
pub mod harness;
pub mod wait;
