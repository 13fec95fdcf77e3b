//! JWT authentication for Traefik as one WebAssembly file.
//!
//! Three rings, dependencies pointing inward only: [`host`] knows http-wasm, WASI and sockets; [`keys`] knows where
//! keys come from and when they are asked for, with [`documents`] that are fetched, kept and shared; [`core`] is pure and
//! decides. A request walks through [`core`] in the
//! order of its modules: [`core::request`], [`core::bypass`], [`core::token`], [`core::jwk`], [`core::signature`],
//! [`core::claims`], [`core::answer`]; [`core::decide`] is the table of contents.
#![cfg_attr(
    test,
    expect(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        reason = "a test that overflows fails, as it should"
    )
)]

pub mod host;
pub mod keys;
pub mod documents;
pub mod core;
