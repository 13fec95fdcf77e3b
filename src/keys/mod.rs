//! Ring 2: where keys come from and when they are asked for. No I/O of its own.

pub mod io;
