//! What `scripts/release.py` made: the catalog's rules for its zip, and that every list is about the files beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};
use traefik_jwt_auth::core::about::VERSION;

use crate::guest::Artifact;

const LOCAL: &str = "plugins-local/src/github.com/traefik-jwt-auth";

fn release() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/release")
}

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let read =
        |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap());
    entries.filter(|path| path.is_file()).map(read).collect()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Unpacks an archive with Python's module `zipfile` or `tarfile`.
fn unpacked(archive: &str, module: &str) -> PathBuf {
    let to = std::env::temp_dir().join(format!("release-{module}-{}-{archive}", std::process::id()));
    let status = Command::new("python3")
        .args(["-m", module, "-e"])
        .args([release().join(archive).as_path(), to.as_path()])
        .status();
    assert!(status.unwrap().success(), "{archive}");
    to
}

/// The catalog takes a release with exactly one zip, which has the manifest and the module at its top, and runs the module's
/// `_start` with the manifest's `testData`: without mounts, environment and network, by a clock that stands still.
#[test]
fn the_catalog_takes_the_zip() {
    let zips: Vec<String> = files(&release()).into_keys().filter(|name| name.ends_with(".zip")).collect();
    assert_eq!(zips, [format!("traefik-jwt-auth-v{VERSION}.zip")]);
    let directory = unpacked(&zips[0], "zipfile");
    let inside = files(&directory);
    let manifest: Value = yaml_serde::from_slice(&inside[".traefik.yml"]).unwrap();
    for (name, value) in [("type", "middleware"), ("runtime", "wasm"), ("wasmPath", "plugin.wasm")] {
        assert_eq!(manifest[name], value);
    }
    for name in ["displayName", "summary"] {
        assert!(manifest[name].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    assert!(inside.contains_key(manifest["iconPath"].as_str().unwrap()));
    assert_eq!(inside["plugin.wasm"], fs::read("dist/plugin.wasm").unwrap());
    let guest = Artifact::read("dist/plugin.wasm").start(&manifest["testData"].to_string());
    assert!(guest.host().log.iter().all(|line| !line.contains("error")), "{:?}", guest.host().log);
    fs::remove_dir_all(directory).unwrap();
}

/// Each archive for `localPlugins` is a directory that installs as it is: its manifest names the file beside it.
#[test]
fn directories_are_complete() {
    for (name, directory, module) in
        [("local", "jwt", "plugin.wasm"), ("local-offline", "jwt-offline", "plugin-offline.wasm")]
    {
        let root = unpacked(&format!("traefik-jwt-auth-{name}-v{VERSION}.tar.gz"), "tarfile");
        let inside = files(&root.join(LOCAL).join(directory));
        assert_eq!(inside, files(&release().join(LOCAL).join(directory)), "{name}");
        let manifest: Value = yaml_serde::from_slice(&inside[".traefik.yml"]).unwrap();
        assert_eq!(
            inside[manifest["wasmPath"].as_str().unwrap()],
            fs::read(format!("dist/{module}")).unwrap(),
            "{name}"
        );
        Artifact::read(&format!("dist/{module}")).start(&manifest["testData"].to_string());
        let licences = String::from_utf8(inside["LICENSES-OF-CRATES.txt"].clone()).unwrap();
        assert!(licences.contains("Permission is hereby granted"), "{name}");
        assert_eq!(licences.contains("\nring 0."), module == "plugin.wasm", "{name}");
        fs::remove_dir_all(root).unwrap();
    }
}

#[test]
fn sums_and_materials_are_those_of_the_files() {
    let mut all = files(&release());
    let sums = String::from_utf8(all.remove("SHA256SUMS").unwrap()).unwrap();
    let expected: BTreeSet<String> =
        all.iter().map(|(name, bytes)| format!("{}  {name}", sha256(bytes))).collect();
    assert_eq!(sums.lines().map(str::to_owned).collect::<BTreeSet<_>>(), expected);
    // `make e2e` makes a release of the modules alone; the others are in it if they were built.
    let others = all.keys().filter(|name| name.starts_with("jwt-check-") || *name == "playground.html");
    let others = others.filter(|name| !name.ends_with(".cdx.json")).map(|name| (name.as_str(), false));
    for (name, has_ring) in [("plugin.wasm", true), ("plugin-offline.wasm", false)].into_iter().chain(others)
    {
        let bom: Value = serde_json::from_slice(&all[&format!("{name}.cdx.json")]).unwrap();
        assert_eq!((&bom["bomFormat"], &bom["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
        let module = || fs::read(format!("dist/{name}")).unwrap();
        let digest = all.get(name).map_or_else(|| sha256(&module()), |content| sha256(content));
        assert_eq!(bom["metadata"]["component"]["hashes"][0]["content"], digest);
        assert_eq!(bom["metadata"]["component"]["version"], VERSION);
        let components = bom["components"].as_array().unwrap();
        assert!(components.len() > 15, "{}", components.len());
        assert!(components.iter().all(|component| component["licenses"][0]["expression"].is_string()));
        let has = |crate_name: &str| components.iter().any(|component| component["name"] == crate_name);
        assert_eq!(has("ring"), has_ring, "{name}");
        assert_eq!(has("@bjorn3/browser_wasi_shim"), name == "playground.html");
        // A crate of a registry has the hash of what was built.
        let own = ["arithmetic", "traefik-jwt-auth"];
        let is_known = |component: &Value| {
            component["hashes"][0]["content"].is_string()
                || component["name"].as_str().is_some_and(|name| own.contains(&name))
        };
        assert!(components.iter().all(is_known), "{name}");
    }
}
