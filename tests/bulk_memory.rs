//! How much the instructions of the built modules copy at once (`cargo test --test bulk_memory`, after `make plugin
//! race-plugin`). The host of Traefik up to 3.7.15 loses a value of the guest in copies of 2,048 bytes and more, on some
//! processors only (docs/troubleshooting.md), so none may have that many, in whatever std or a crate does.
#![expect(clippy::unwrap_used, clippy::wildcard_enum_match_arm, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use wasmparser::{KnownCustom, Name, Operator, Parser, Payload, TypeRef, Validator, WasmFeatures};

/// As `tools/bulk-memory` has it.
const LIMIT: i32 = 1024;

/// The functions with an instruction whose length is a variable, one in each, and why that is at most [`LIMIT`].
const VARIABLE: [(&str, &str); 2] = [
    (
        "memory_copy_in_pieces",
        "reached if the length is at most LIMIT, or from loops that end with at most LIMIT left",
    ),
    ("memory_fill_in_pieces", "the same, with one loop"),
];

#[test]
fn no_instruction_copies_much_at_once() {
    // wasm-opt does not see the last one.
    for path in ["dist/plugin.wasm", "dist/plugin-offline.wasm", "target/race-test.wasm"] {
        let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
        let module = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{path}: {error}; `make plugin race-plugin` builds it"));
        // What the oldest host takes that can load it.
        let invalid = Validator::new_with_features(WasmFeatures::WASM2).validate_all(&module).err();
        assert!(invalid.is_none(), "{path}: {invalid:?}");
        let Found { constant, variable } = find(&module);
        println!("{path}: {constant} with a small constant, {variable:?} with a variable");
        assert!(constant > 100, "{path}: {constant} with a small constant");
        let expected: BTreeMap<String, usize> =
            VARIABLE.iter().map(|(name, _)| ((*name).to_owned(), 1)).collect();
        assert_eq!(variable, expected, "{path}");
    }
}

/// Instructions that copy or fill.
#[derive(Default)]
struct Found {
    /// With a constant of at most [`LIMIT`] as their length.
    constant: usize,
    /// All others by the name of the function, or by its number.
    variable: BTreeMap<String, usize>,
}

fn find(module: &[u8]) -> Found {
    let names = names(module);
    let mut found = Found::default();
    let mut function = 0_u32;
    for payload in Parser::new(0).parse_all(module) {
        match payload.unwrap() {
            Payload::ImportSection(section) => {
                let functions = section
                    .into_iter()
                    .filter(|import| matches!(import.as_ref().unwrap().ty, TypeRef::Func(_)));
                function = functions.count().try_into().unwrap();
            }
            Payload::CodeSectionEntry(body) => {
                let mut length = None;
                for operator in body.get_operators_reader().unwrap() {
                    let operator = operator.unwrap();
                    match operator {
                        Operator::MemoryCopy { .. }
                        | Operator::MemoryFill { .. }
                        | Operator::MemoryInit { .. }
                            if length.is_some_and(|length| (0..=LIMIT).contains(&length)) =>
                        {
                            found.constant = found.constant.saturating_add(1);
                        }
                        // Those of tables as well: the host moves 8 bytes an element in the same way.
                        Operator::MemoryCopy { .. }
                        | Operator::MemoryFill { .. }
                        | Operator::MemoryInit { .. }
                        | Operator::TableCopy { .. }
                        | Operator::TableFill { .. }
                        | Operator::TableInit { .. } => {
                            let name = names
                                .get(&function)
                                .cloned()
                                .unwrap_or_else(|| format!("function {function}"));
                            let count = found.variable.entry(name).or_default();
                            *count = count.saturating_add(1);
                        }
                        _ => {}
                    }
                    length = if let Operator::I32Const { value } = operator { Some(value) } else { None };
                }
                function = function.saturating_add(1);
            }
            _ => {}
        }
    }
    found
}

/// Names of functions.
fn names(module: &[u8]) -> BTreeMap<u32, String> {
    let mut found = BTreeMap::new();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::CustomSection(section) = payload.unwrap() else { continue };
        let KnownCustom::Name(names) = section.as_known() else { continue };
        for part in names {
            let Name::Function(functions) = part.unwrap() else { continue };
            found.extend(
                functions
                    .into_iter()
                    .map(|name| name.unwrap())
                    .map(|name| (name.index, name.name.to_owned())),
            );
        }
    }
    found
}
