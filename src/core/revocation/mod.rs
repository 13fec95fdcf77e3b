//! Tokens that were taken back before their time.

pub mod name;
pub mod marker;
pub mod list;
