//! The project's structure and documentation as tests: rings, names, codes and options.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "helpers of tests fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use traefik_jwt_auth::core::config::options;

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// Texts in backquotes, in the first column of tables.
fn documented(text: &str) -> BTreeSet<String> {
    let cells = text.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

#[test]
fn dependencies_point_inward_only() {
    for (folder, forbidden) in [
        ("src/core", &["crate::documents", "crate::keys", "crate::host"][..]),
        // A document is no key set: it may as well be a list of revoked tokens.
        (
            "src/documents",
            &["crate::keys", "crate::host", "core::jwk", "core::token", "core::signature", "Jwk"],
        ),
        ("src/keys", &["crate::host"]),
        // Rooms of the outermost ring: what instances share, then fetches, then requests.
        ("src/host/sockets", &["host::fetch", "host::wasm"]),
        ("src/host/fetch", &["host::wasm"]),
    ] {
        for (path, text) in sources(folder) {
            for outer in forbidden {
                assert!(!text.contains(outer), "{}: {outer}", path.display());
            }
        }
    }
}

#[test]
fn every_bound_stands_in_the_limits_of_its_ring() {
    let mut found = 0;
    for (path, text) in sources("src") {
        let product = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let bounds = product.lines().filter(|line| {
            let name = line.trim().split("const ").nth(1).unwrap_or_default();
            (name.starts_with("MAX_") || name.starts_with("MIN_")) && !line.trim().starts_with("//")
        });
        let bounds: Vec<&str> = bounds.collect();
        found += bounds.len();
        assert!(bounds.is_empty() || path.ends_with("limits.rs"), "{}: {bounds:?}", path.display());
    }
    assert!(found > 60, "{found}");
}

/// The file of each module of the crate in `folder`, by its path: `core::jwk::pem`.
fn modules(folder: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let module = |(path, text): (PathBuf, String)| {
        let path = path.strip_prefix(&root).unwrap().with_extension("");
        let names: Vec<_> =
            path.iter().map(|name| name.to_str().unwrap()).filter(|name| *name != "mod").collect();
        // Tests stand at the foot of a file, and may look at whatever they like.
        (names.join("::"), text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned())
    };
    sources(folder).into_iter().map(module).collect()
}

/// The `use` declarations of a file: how each begins, and its tree.
fn uses(text: &str) -> Vec<(&'static str, String)> {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declaration = |at: usize| {
        let begins = ["use ", "pub use ", "pub(crate) use ", "pub(super) use "];
        let kind = begins.into_iter().find(|kind| lines[at].starts_with(kind))?;
        let whole = lines[at..].join(" ");
        Some((kind, whole[kind.len()..].split(';').next().unwrap().to_owned()))
    };
    (0..lines.len()).filter_map(declaration).collect()
}

/// The paths of a `use`, each whole: `a::{b, c::{self, d}}` are three.
fn whole_paths(tree: &str) -> Vec<String> {
    let Some((root, branches)) = tree.split_once('{') else {
        return vec![tree.split(" as ").next().unwrap().trim().trim_end_matches("::self").to_owned()];
    };
    let mut depth: usize = 0;
    let branches = branches.trim_end().strip_suffix('}').unwrap().split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0 && c == ','
    });
    let branches = branches.map(str::trim).filter(|branch| !branch.is_empty());
    branches.flat_map(|branch| whole_paths(&format!("{}{branch}", root.trim()))).collect()
}

/// `path` in the module `at`, from the root of the crate; `None` where it leads out of it.
fn absolute(path: &str, at: &str, modules: &BTreeMap<String, String>) -> Option<String> {
    let outer = at.rsplit_once("::").map_or("", |(outer, _)| outer);
    let child = format!("{at}::{}", path.split("::").next().unwrap());
    match path.split_once("::") {
        Some(("crate", rest)) => Some(rest.to_owned()),
        Some(("super", rest)) => Some(format!("{outer}::{rest}")),
        Some(_) | None => modules.contains_key(&child).then(|| format!("{at}::{path}")),
    }
}

/// What each file takes from which others by `use`. What a folder hands on (`pub use`) is taken from the file that
/// defines it.
fn imports(modules: &BTreeMap<String, String>) -> BTreeMap<String, BTreeSet<String>> {
    let (mut taken, mut handed_on) = (Vec::new(), BTreeMap::new());
    for (module, text) in modules {
        for (kind, tree) in uses(text) {
            for path in whole_paths(&tree) {
                let Some(path) = absolute(&path, module, modules) else { continue };
                if kind == "use " {
                    taken.push((module.clone(), path));
                } else {
                    handed_on.insert(format!("{module}::{}", path.rsplit("::").next().unwrap()), path);
                }
            }
        }
    }
    let mut imports = BTreeMap::<_, BTreeSet<_>>::new();
    for (module, mut path) in taken {
        while let Some(behind) = handed_on.get(&path).filter(|behind| **behind != path) {
            path.clone_from(behind);
        }
        let ends = path.match_indices("::").map(|(at, _)| at).chain([path.len()]).collect::<Vec<_>>();
        let file = ends.iter().rev().map(|end| &path[..*end]).find(|path| modules.contains_key(*path));
        if let Some(file) = file.filter(|file| **file != module) {
            imports.entry(module).or_default().insert(file.to_owned());
        }
    }
    imports
}

#[test]
fn files_import_each_other_in_no_circle() {
    let product = imports(&modules("src"));
    assert!(product["core::decide"].contains("core::answer::forward") && product.len() > 80, "{product:?}");
    let others = [
        "crates/arithmetic/src",
        "fuzz/src",
        "tools/bulk-memory/src",
        "tools/jwt-check/src",
        "tests/testbed/src",
    ];
    for imports in [product].into_iter().chain(others.map(|folder| imports(&modules(folder)))) {
        assert_no_circle(imports);
    }
}

fn assert_no_circle(mut imports: BTreeMap<String, BTreeSet<String>>) {
    // A file that imports nothing that is left is in no circle.
    loop {
        let free: Vec<String> = (imports.iter())
            .filter(|(_, files)| files.iter().all(|file| !imports.contains_key(file)))
            .map(|(module, _)| module.clone())
            .collect();
        if free.is_empty() {
            break;
        }
        imports.retain(|module, _| !free.contains(module));
    }
    // What only leads to a circle, or from it, is not shown.
    let left: BTreeSet<String> = imports.keys().cloned().collect();
    imports.values_mut().for_each(|files| files.retain(|file| left.contains(file)));
    while let Some(outer) =
        imports.keys().find(|file| !imports.values().any(|of| of.contains(*file))).cloned()
    {
        imports.remove(&outer);
    }
    assert!(imports.is_empty(), "a circle: {imports:#?}");
}

#[test]
fn features_are_told_apart_in_one_room() {
    for (path, text) in sources("src") {
        let own =
            path.ends_with("host/mod.rs") || path.ends_with("main.rs") || path.ends_with("host/wasm/boot.rs");
        assert!(own || !text.contains("feature = \"fetch\""), "{}", path.display());
    }
}

#[test]
fn every_option_is_documented_and_every_documented_option_exists() {
    // Elements of lists may have options of the top level, which are described once.
    let all = options::paths();
    let is_shared = |path: &String| {
        path.strip_prefix("rules[].").is_some_and(|path| all.iter().any(|other| other == path))
    };
    let is_of_top = |path: &&String| !path.starts_with(options::ENTRY) && !is_shared(path);
    let options: BTreeSet<String> = all.iter().filter(is_of_top).cloned().collect();
    assert_eq!(documented(&document("configuration.md")), options);
}

#[test]
fn every_code_is_documented_and_every_documented_code_exists() {
    let refusals = fs::read_to_string("src/core/refusal.rs").unwrap();
    let errors = fs::read_to_string("src/core/config/error.rs").unwrap();
    let codes: BTreeSet<String> = [refusals, errors]
        .iter()
        .flat_map(|text| {
            let body =
                text.split("fn code(&self)").nth(1).and_then(|rest| rest.split("\n    }\n").next()).unwrap();
            body.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(documented(&document("errors.md")), codes);
}
