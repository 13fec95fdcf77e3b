//! What cargo-mutants would change: its list is the one of mutants, their names and their exclusions.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What kind of place is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Genre {
    /// A function returns something else at once.
    Body,
    /// Another operator, or none.
    Binary,
    Unary,
    /// An arm that never matches.
    Arm,
    /// A guard that always or never holds.
    Guard,
    /// A field of a struct that is taken from its base.
    Field,
}

/// As cargo-mutants names them.
const GENRES: [(&str, Genre); 6] = [
    ("FnValue", Genre::Body),
    ("BinaryOperator", Genre::Binary),
    ("UnaryOperator", Genre::Unary),
    ("MatchArm", Genre::Arm),
    ("MatchArmGuard", Genre::Guard),
    ("StructField", Genre::Field),
];

impl Genre {
    pub(crate) fn named(name: &str) -> Self {
        let genre = GENRES.iter().find(|(known, _)| *known == name);
        genre.unwrap_or_else(|| panic!("a kind of mutant that is not known: {name}")).1
    }

    pub(crate) fn name(self) -> &'static str {
        GENRES.iter().find(|(_, genre)| *genre == self).unwrap().0
    }
}

/// One change. Lines and columns are those of cargo-mutants, from 1.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) genre: Genre,
    pub(crate) from: (usize, usize),
    pub(crate) to: (usize, usize),
    pub(crate) replacement: String,
    /// What its function returns.
    pub(crate) returns: String,
}

impl Mutant {
    /// The module of a file, which the names of its tests begin with.
    pub(crate) fn module(&self) -> String {
        let path = self.file.trim_start_matches("src/").trim_end_matches(".rs");
        path.trim_end_matches("/mod").replace('/', "::")
    }

    /// The room of a file, which is what figures are given for: `core/claims`, `keys`, `core/walk.rs`.
    pub(crate) fn room(&self) -> String {
        let parts: Vec<&str> = self.file.split('/').skip(1).collect();
        match parts.as_slice() {
            ["core" | "host", room, ..] => format!("{}/{room}", parts[0]),
            [ring, ..] => (*ring).to_owned(),
            [] => String::new(),
        }
    }
}

/// The list for the tree at `root`.
pub(crate) fn mutants(cargo_mutants: &str, root: &Path) -> Vec<Mutant> {
    let mut command = Command::new(cargo_mutants);
    command.args(["mutants", "--list", "--json", "--package", "traefik-jwt-auth"]).current_dir(root);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    list.as_array().unwrap().iter().map(mutant).collect()
}

fn mutant(value: &Value) -> Mutant {
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    let place = |end: &str| {
        let number = |name: &str| usize::try_from(value["span"][end][name].as_u64().unwrap()).unwrap();
        (number("line"), number("column"))
    };
    let genre = Genre::named(value["genre"].as_str().unwrap());
    Mutant {
        name: text("name"),
        file: text("file"),
        genre,
        from: place("start"),
        to: place("end"),
        replacement: text("replacement"),
        returns: value["function"]["return_type"].as_str().unwrap_or_default().to_owned(),
    }
}
