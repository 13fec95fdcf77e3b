//! A copy of the project in which the sources of the library hold their mutants, and its compilation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::list::Mutant;
use crate::weave::weave;

/// The copy. Dependencies are compiled once for both: it has the same target directory.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    target: PathBuf,
    original: PathBuf,
}

/// The tests beside those of the library. All others know sources or documents, or run what is built for WebAssembly.
pub(crate) const TESTS: [&str; 5] = ["cases", "checks", "configuration", "known_tokens", "vectors"];

/// A test binary, and where it is to be run.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) directory: PathBuf,
}

/// By file: which mutant is written where.
pub(crate) type Places = BTreeMap<String, Vec<(usize, Range<usize>)>>;

/// Mutants that nothing can be said of.
#[derive(Default)]
pub(crate) struct Dropped {
    /// They do not compile.
    pub(crate) unviable: BTreeSet<usize>,
    /// They are in constants, which ask no switch.
    pub(crate) left_out: BTreeSet<usize>,
}

impl Tree {
    /// The copy of this name.
    pub(crate) fn new(original: &Path, name: &str) -> Self {
        let target = crate::target();
        Self { root: target.join("mutants").join(name), target, original: original.to_owned() }
    }

    /// What git knows of, and what is new and not ignored.
    pub(crate) fn copy(&self) {
        let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let output = Command::new("git").args(list).current_dir(&self.original).output().unwrap();
        let mut names = BTreeSet::new();
        for name in String::from_utf8(output.stdout).unwrap().split_terminator('\0') {
            if self.original.join(name).is_file() && !name.starts_with("src/") {
                self.put(name, &fs::read(self.original.join(name)).unwrap());
            }
            names.insert(name.to_owned());
        }
        for link in [".cache", "dist"] {
            let to = self.root.join(link);
            if self.original.join(link).exists() && !to.exists() {
                std::os::unix::fs::symlink(self.original.join(link), to).unwrap();
            }
        }
    }

    /// Written only if it changes, so that cargo compiles nothing anew for it.
    fn put(&self, name: &str, content: &[u8]) {
        let to = self.root.join(name);
        if fs::read(&to).is_ok_and(|there| there == content) {
            return;
        }
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::write(&to, content).unwrap();
    }

    /// Compiles all mutants that can be compiled. What cannot is found by the compiler's errors, and left out.
    pub(crate) fn build(&self, mutants: &[Mutant], packages: &[String]) -> (Vec<Binary>, Dropped) {
        self.copy();
        let wrapper = self.target.join("mutants/rustc");
        // For the switch in functions that are `const`; dependencies are compiled without.
        fs::write(&wrapper, "#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec \"$@\"\n").unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o755)).unwrap();
        let known_names = fs::read_to_string(self.known()).unwrap_or_default();
        let known_names: BTreeSet<&str> = known_names.lines().collect();
        let is_known = |mutant: &Mutant| known_names.contains(mutant.name.as_str());
        let mut dropped = Dropped::default();
        dropped.unviable.extend((0..mutants.len()).filter(|&number| is_known(&mutants[number])));
        // Checked first, which takes seconds.
        let check = ["check", "--lib", "-p", "traefik-jwt-auth"].map(str::to_owned).to_vec();
        let mut test = vec!["test".to_owned(), "--no-run".to_owned(), "--lib".to_owned()];
        test.extend(TESTS.map(|name| format!("--test={name}")));
        test.extend_from_slice(packages);
        for (step, arguments) in [check, test].iter().enumerate() {
            loop {
                let places = self.write(mutants, &mut dropped);
                let messages = self.cargo(arguments, &wrapper);
                let errors = errors(&messages);
                if step == 1 && errors.is_empty() {
                    return (binaries(&messages), dropped);
                }
                if errors.is_empty() {
                    break;
                }
                let before = dropped.unviable.len();
                for error in &errors {
                    drop_one(error, &places, &mut dropped.unviable);
                }
                self.remember(mutants, &dropped);
                assert!(dropped.unviable.len() > before, "{}", errors[0]["rendered"]);
            }
        }
        panic!("the last step returns");
    }

    /// The names of what does not compile, for the next time.
    fn known(&self) -> PathBuf {
        self.target.join("mutants/unviable")
    }

    fn remember(&self, mutants: &[Mutant], dropped: &Dropped) {
        let names: Vec<&str> = dropped.unviable.iter().map(|&number| mutants[number].name.as_str()).collect();
        fs::write(self.known(), names.join("\n")).unwrap();
    }

    /// The sources with their mutants: where each of them is.
    pub(crate) fn write(&self, mutants: &[Mutant], dropped: &mut Dropped) -> Places {
        let mut places = BTreeMap::new();
        for path in sources(&self.original.join("src")) {
            let name = path.strip_prefix(&self.original).unwrap().to_str().unwrap().to_owned();
            let mut text = fs::read_to_string(&path).unwrap();
            let of_file = (0..)
                .zip(mutants)
                .filter(|(number, mutant)| mutant.file == name && !dropped.unviable.contains(number));
            let of_file: Vec<(usize, &Mutant)> = of_file.collect();
            if !of_file.is_empty() {
                let woven = weave(&text, &of_file);
                dropped.left_out.extend(woven.left_out);
                text = woven.text;
                places.insert(name.clone(), woven.places);
            }
            if name == "src/lib.rs" {
                let head = "#![allow(warnings)]#![feature(core_intrinsics, const_eval_select)]\n";
                text.insert_str(text.find("#![").unwrap(), head);
                text.push_str("#[doc(hidden)] pub mod mutant;\n");
            }
            text = text.replace("ProptestConfig::with_cases(", "crate::mutant::few_cases(");
            self.put(&name, text.as_bytes());
        }
        let switch = include_str!("switch.rs").replace("0 /* how many */", &mutants.len().to_string());
        self.put("src/mutant.rs", switch.as_bytes());
        places
    }

    /// The messages of a call of cargo.
    fn cargo(&self, arguments: &[String], wrapper: &Path) -> Vec<Value> {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(arguments).args(["--locked", "--message-format=json", "-q"]);
        // It is compiled more often than it is waited for.
        for option in ["opt-level=0", "debug=false"] {
            command.arg("--config").arg(format!("profile.dev.package.traefik-jwt-auth.{option}"));
        }
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command.env("RUSTC_WORKSPACE_WRAPPER", wrapper).env("RUSTC_WRAPPER", "");
        command.stderr(std::process::Stdio::inherit());
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let messages: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(output.status.success() || !errors(&messages).is_empty(), "cargo {arguments:?}");
        messages
    }
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn errors(messages: &[Value]) -> Vec<Value> {
    let of_compiler = messages.iter().filter(|message| message["reason"] == "compiler-message");
    let errors = of_compiler.map(|message| &message["message"]).filter(|message| message["level"] == "error");
    // The last one only counts the others.
    errors.filter(|error| !error["spans"].as_array().unwrap().is_empty()).cloned().collect()
}

/// Whose text the compiler points at: at first if that is the error's own place, else in what it says besides.
pub(crate) fn drop_one(error: &Value, places: &Places, unviable: &mut BTreeSet<usize>) {
    let mut spans: Vec<&Value> = error["spans"].as_array().unwrap().iter().collect();
    let children = error["children"].as_array().unwrap();
    spans.extend(children.iter().flat_map(|child| child["spans"].as_array().unwrap()));
    // What a macro of another crate wrote is where it is called.
    let outside = |span: &mut &Value| {
        while !span["expansion"].is_null() {
            *span = &span["expansion"]["span"];
        }
    };
    spans.iter_mut().for_each(outside);
    spans.sort_by_key(|span| span["is_primary"] != true);
    let mut nearest: Option<(usize, usize)> = None;
    for span in spans {
        let byte = |name: &str| usize::try_from(span[name].as_u64().unwrap()).unwrap();
        let (from, to) = (byte("byte_start"), byte("byte_end"));
        let Some(of_file) = span["file_name"].as_str().and_then(|name| places.get(name)) else { continue };
        let touched = of_file.iter().filter(|(_, place)| place.start < to && from < place.end);
        let touched: Vec<usize> =
            touched.map(|(number, _)| *number).filter(|n| !unviable.contains(n)).collect();
        if !touched.is_empty() && touched.len() < 8 {
            unviable.extend(touched);
            return;
        }
        // The other branch of a choice: the mutant that stands before it.
        for (number, place) in
            of_file.iter().filter(|(number, place)| place.end <= from && !unviable.contains(number))
        {
            let distance = from - place.end;
            if nearest.is_none_or(|(least, _)| distance < least) {
                nearest = Some((distance, *number));
            }
        }
    }
    if let Some((distance, number)) = nearest
        && distance < 200
    {
        unviable.insert(number);
    }
}

fn binaries(messages: &[Value]) -> Vec<Binary> {
    let tests = messages.iter().filter(|message| message["profile"]["test"] == true);
    let binary = |message: &Value| {
        let directory = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
        let (name, path) = (message["target"]["name"].as_str()?, message["executable"].as_str()?);
        Some(Binary { name: name.to_owned(), path: path.into(), directory })
    };
    tests.filter_map(binary).collect()
}
