//! Ring 1: pure. No clock, no I/O, no globals, no `cfg`.

pub mod limits;
pub mod unix_time;
pub mod arithmetic;
