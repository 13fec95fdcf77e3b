//! Every option as a row that says all about it: where it stands, what its value is, what holds where it is left out,
//! and what happens where it is written and empty. [`read`](crate::core::config::read) follows the rows; the reference
//! (`docs/reference`) is made from them.

mod row;

pub mod accepted;
pub mod answers;
pub mod bypass;
pub mod fetching;
pub mod keys;
pub mod operators;
pub mod places;
pub mod tests;
pub mod upstream;

pub use row::{Empty, Kind, Range, Row, Scope, Words};

/// The rows by subject, in the order of the reference.
pub static TABLES: [&Table; 9] = [
    &keys::TABLE,
    &fetching::TABLE,
    &places::TABLE,
    &accepted::TABLE,
    &upstream::TABLE,
    &answers::TABLE,
    &operators::TABLE,
    &bypass::TABLE,
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

/// The full path of every option: at the top level, and in `trustedIssuers` where it may stand there. Sections are left
/// out. `[]` is an element of a list, `*` a name that the user chooses.
#[must_use]
pub fn paths() -> Vec<String> {
    let options = rows().filter(|row| !matches!(row.kind, Kind::Object | Kind::Objects));
    let path = |row: &Row| {
        let chosen = matches!(row.kind, Kind::Map | Kind::Secrets(_));
        format!("{}{}", row.path, if chosen { ".*" } else { "" })
    };
    let places = |row: &'static Row| {
        let entry = (row.scope != Scope::Top).then(|| format!("{ENTRY}{}", path(row)));
        [Some(path(row)), entry].into_iter().flatten()
    };
    options.flat_map(places).collect()
}

/// Where the options of one issuer stand.
pub const ENTRY: &str = "trustedIssuers[].";
