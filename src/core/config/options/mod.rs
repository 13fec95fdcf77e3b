//! Every option as a row that says all about it: where it stands, what its value is, its default, and what happens if it
//! is written and empty. [`read`](crate::core::config::read) follows the rows; the reference
//! (`docs/reference`) is made from them.

mod row;
mod syntax;

pub mod accepted;
pub mod answers;
pub mod bypass;
pub mod forward_auth;
pub mod fetching;
pub mod keys;
pub mod operators;
pub mod places;
pub mod proofs;
pub mod revocation;
pub mod rules;
pub mod tests;
pub mod upstream;

pub use row::{Empty, Kind, Range, Row, Scope, Shared, Words};
pub use syntax::{Syntax, is_of_answers};

/// The rows by subject, in the order of the reference.
pub static TABLES: [&Table; 13] = [
    &keys::TABLE,
    &fetching::TABLE,
    &places::TABLE,
    &accepted::TABLE,
    &rules::TABLE,
    &proofs::TABLE,
    &revocation::TABLE,
    &upstream::TABLE,
    &answers::TABLE,
    &operators::TABLE,
    &bypass::TABLE,
    &forward_auth::TABLE,
    &tests::TABLE,
];

/// The options of one subject.
pub struct Table {
    /// What they are about.
    pub title: &'static str,
    /// In the order of the reference.
    pub rows: &'static [&'static Row],
}

/// Every option and every section.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    TABLES.iter().flat_map(|table| table.rows).copied()
}

/// Where an option may stand, as full paths: at the top level, and in the elements of lists.
pub fn places(row: &'static Row) -> impl Iterator<Item = String> {
    let lists = rows().filter(move |list| !list.owns(row) && list.may_hold(row));
    [row.path.to_owned()].into_iter().chain(lists.map(|list| format!("{}[].{}", list.path, row.path)))
}

/// The full path of every option, wherever it may stand. Sections are left out. `[]` is an element of a list, `*` a name
/// that the user chooses.
pub fn paths() -> Vec<String> {
    let options = rows().filter(|row| !matches!(row.kind, Kind::Object | Kind::Objects(_)));
    let chosen = |row: &Row| matches!(row.kind, Kind::Map | Kind::Lists | Kind::Secrets(_));
    let path = |row, path: String| if chosen(row) { format!("{path}.*") } else { path };
    options.flat_map(|row| places(row).map(move |place| path(row, place))).collect()
}

/// Where the options of one issuer stand.
pub const ENTRY: &str = "trustedIssuers[].";
