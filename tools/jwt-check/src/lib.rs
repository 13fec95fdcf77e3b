//! `jwt-check`: checks configurations of the middleware, explains why a request is refused, and converts configurations of
//! other middlewares. Text in, report out: no process, no file system and no clock, which `main.rs` has.

pub mod outside;
pub mod input;
mod sample;
pub mod check;
pub mod explain;
pub mod convert;
pub mod command;
pub mod verdict;
