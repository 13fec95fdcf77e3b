//! A few mutants in half a minute, for `make test`. Unit tests caught all of them when they were chosen, so that one which
//! survives says that a test was lost.
//!
//! Building the library is most of what it costs. So only its unit tests are built, by one call of the compiler, with the
//! dependencies that cargo has built for the ordinary ones.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kept;
use crate::list::{Genre, Mutant};
use crate::run::{command, ends_well};
use crate::tree::{Binary, Dropped, Tree, drop_one};
use crate::{number, target};

/// Rooms that a sample is of. What only rows of `tests/cases` or vectors catch is not kept, since those are not built for it.
const ROOMS: [&str; 9] = [
    "core/answer",
    "core/claims",
    "core/decide.rs",
    "core/jwk",
    "core/proof",
    "core/request",
    "core/signature",
    "core/token",
    "keys",
];

/// Runs the sample that is kept.
pub(crate) fn run(root: &Path, packages: &[String]) -> ExitCode {
    let (mutants, lost) = kept::read(root);
    let (caught, missed) = judged(root, &mutants, packages);
    println!("{} caught, {missed} missed, {lost} have no place any more", caught.len());
    if lost > mutants.len() {
        println!("most have no place any more: scripts/mutants.sh --choose");
        return ExitCode::FAILURE;
    }
    if missed == 0 && !caught.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Keeps others: of a few, those that are caught.
pub(crate) fn choose(root: &Path, mutants: Vec<Mutant>, packages: &[String]) -> ExitCode {
    let mutants = chosen(root, mutants);
    let (caught, missed) = judged(root, &mutants, packages);
    kept::write(root, &caught);
    println!("{} kept, {missed} missed", caught.len());
    ExitCode::SUCCESS
}

/// Builds the library with `mutants`, and runs for each the tests of its module: those that are caught, and how many are not.
fn judged<'m>(root: &Path, mutants: &'m [Mutant], packages: &[String]) -> (Vec<&'m Mutant>, usize) {
    let tree = Tree::new(root, "sample");
    tree.copy();
    let began = Instant::now();
    let compiler = Compiler::find(root, &tree.root, packages);
    let mut dropped = Dropped::default();
    let binary = loop {
        let places = tree.write(mutants, &mut dropped);
        match compiler.run() {
            Ok(path) => break Binary { name: "traefik_jwt_auth".into(), path, directory: tree.root.clone() },
            Err(errors) => {
                let before = dropped.unviable.len();
                errors.iter().for_each(|error| drop_one(error, &places, &mut dropped.unviable));
                assert!(dropped.unviable.len() > before, "{}", errors[0]["rendered"]);
            }
        }
    };
    println!("{} mutants built in {:.0} s", mutants.len(), began.elapsed().as_secs_f64());
    let passes = |mutant: Option<usize>, tests: &str| {
        let long = Duration::from_secs(if tests.is_empty() { 300 } else { 1 });
        let mut command = command(&binary, long, &[tests]);
        command.env("MUTANT", mutant.map_or(String::new(), |number| number.to_string()));
        ends_well(command, long)
    };
    let modules: BTreeSet<String> = mutants.iter().map(Mutant::module).collect();
    for module in &modules {
        assert!(passes(None, module), "{module}: its tests fail without a mutant");
    }
    let (mut caught, mut missed) = (Vec::new(), 0);
    for (number, mutant) in mutants.iter().enumerate() {
        if dropped.unviable.contains(&number) || dropped.left_out.contains(&number) {
            continue;
        }
        // The tests of its own file first: they see most.
        let room = mutant.room().trim_end_matches(".rs").replace('/', "::");
        if [mutant.module().as_str(), &room, ""].iter().all(|tests| passes(Some(number), tests)) {
            println!("missed: {}", mutant.name);
            missed += 1;
        } else {
            caught.push(mutant);
        }
    }
    (caught, missed)
}

/// Those with the lowest hashes: other sources have others. What is likeliest not to compile is left out: it would cost a build.
fn chosen(root: &Path, mutants: Vec<Mutant>) -> Vec<Mutant> {
    let sources =
        Command::new("git").args(["rev-parse", "HEAD:src"]).current_dir(root).output().unwrap().stdout;
    let hash = |mutant: &Mutant| {
        let mut hasher = DefaultHasher::new();
        (&sources, &mutant.name).hash(&mut hasher);
        hasher.finish()
    };
    let known = fs::read_to_string(target().join("mutants/unviable")).unwrap_or_default();
    let known: BTreeSet<&str> = known.lines().collect();
    let simple = ["bool", "usize", "u8", "u32", "u64", ""];
    let compiles = |mutant: &Mutant| {
        let returns = mutant.returns.trim_start_matches("->").trim();
        !known.contains(mutant.name.as_str())
            && mutant.genre != Genre::Field
            && (mutant.genre != Genre::Body || simple.contains(&returns))
    };
    let mut chosen = mutants;
    chosen.retain(|mutant| ROOMS.contains(&mutant.room().as_str()) && compiles(mutant));
    chosen.retain(kept::has_one_line);
    chosen.sort_by_cached_key(hash);
    chosen.truncate(number("MUTANTS_SAMPLE", 40));
    chosen
}

/// How the unit tests of a copy are compiled.
struct Compiler {
    directory: PathBuf,
    arguments: Vec<String>,
    /// What `env!` asks for.
    environment: Vec<(String, String)>,
}

impl Compiler {
    /// As cargo compiles those of the original, which has to be done.
    fn find(original: &Path, copy: &Path, packages: &[String]) -> Self {
        let cargo = |arguments: &[&str], packages: &[String]| {
            let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
            cargo.args(arguments).args(packages).current_dir(original).stderr(std::process::Stdio::inherit());
            String::from_utf8(cargo.output().unwrap().stdout).unwrap()
        };
        let metadata = cargo(&["metadata", "--locked", "--format-version=1"], &[]);
        let metadata: Value = serde_json::from_str(&metadata).unwrap();
        let root = &metadata["resolve"]["root"];
        let find =
            |list: &Value| list.as_array().unwrap().iter().find(|item| item["id"] == *root).unwrap().clone();
        let (node, package) = (find(&metadata["resolve"]["nodes"]), find(&metadata["packages"]));
        let messages =
            cargo(&["test", "--no-run", "--lib", "--locked", "-q", "--message-format=json"], packages);
        let messages: Vec<Value> = messages.lines().map(|line| serde_json::from_str(line).unwrap()).collect();

        let mut arguments: Vec<String> = ["--edition=2024", "--test", "--crate-name=traefik_jwt_auth"]
            .iter()
            .chain(&["-Copt-level=0", "-Cdebug-assertions=on", "--cap-lints=allow", "--error-format=json"])
            .chain(&["src/lib.rs", "-o", "unit-tests"])
            .map(|&argument| argument.to_owned())
            .collect();
        arguments.push(format!("-Ldependency={}", target().join("debug/deps").display()));
        for feature in node["features"].as_array().unwrap() {
            arguments.push(format!("--cfg=feature={feature}"));
        }
        for dependency in node["deps"].as_array().unwrap() {
            let built = messages.iter().rfind(|message| {
                message["package_id"] == dependency["pkg"]
                    && message["reason"] == "compiler-artifact"
                    && message["profile"]["test"] == false
            });
            let files = built.and_then(|message| message["filenames"].as_array()).into_iter().flatten();
            let file = files.filter_map(Value::as_str).find(|name| name.ends_with(".rlib"));
            // What is for WebAssembly only is not built.
            if let (Some(name), Some(file)) = (dependency["name"].as_str(), file) {
                arguments.push(format!("--extern={name}={file}"));
            }
        }
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let environment = vec![
            ("CARGO_MANIFEST_DIR".to_owned(), copy.display().to_string()),
            ("CARGO_PKG_NAME".to_owned(), text(&package["name"])),
            ("CARGO_PKG_VERSION".to_owned(), text(&package["version"])),
            // For the switch in functions that are `const`.
            ("RUSTC_BOOTSTRAP".to_owned(), "1".to_owned()),
        ];
        Self { directory: copy.to_owned(), arguments, environment }
    }

    /// The test binary, or what is wrong.
    fn run(&self) -> Result<PathBuf, Vec<Value>> {
        let mut rustc = Command::new(std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into()));
        rustc.args(&self.arguments).envs(self.environment.clone()).current_dir(&self.directory);
        let output = rustc.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        if output.status.success() {
            return Ok(self.directory.join("unit-tests"));
        }
        let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let errors = messages.filter(|message| message["level"] == "error");
        Err(errors.filter(|error| !error["spans"].as_array().unwrap().is_empty()).collect())
    }
}
