//! The sample that lies beside the sources, so that `make test` needs no cargo-mutants: each mutant is known by the text of its
//! line, which may move.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::list::{Genre, Mutant};

fn path(root: &Path) -> PathBuf {
    root.join("tools/mutants/sample.jsonl")
}

/// Lines of the files below `root`, read once.
#[derive(Default)]
struct Sources(BTreeMap<String, Vec<String>>);

impl Sources {
    fn lines(&mut self, root: &Path, file: &str) -> &[String] {
        self.0.entry(file.to_owned()).or_insert_with(|| {
            let text = fs::read_to_string(root.join(file)).unwrap_or_default();
            text.lines().map(str::to_owned).collect()
        })
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Those that are kept, and how many of them have no place in the sources any more.
pub(crate) fn read(root: &Path) -> (Vec<Mutant>, usize) {
    let (mut sources, mut mutants, mut lost) = (Sources::default(), Vec::new(), 0);
    for line in fs::read_to_string(path(root)).unwrap().lines() {
        let kept: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| kept[name].as_str().unwrap().to_owned();
        let number = |name: &str| usize::try_from(kept[name].as_u64().unwrap()).unwrap();
        let lines = sources.lines(root, &text("file"));
        let same = (0..lines.len()).filter(|&at| lines[at].trim() == text("line"));
        let Some(at) = same.clone().nth(number("nth")).filter(|_| same.count() == number("of")) else {
            lost += 1;
            continue;
        };
        let place = |name: &str| (at + 1, indentation(&lines[at]) + number(name));
        mutants.push(Mutant {
            name: format!("{}:{}: {}", text("file"), at + 1, text("change")),
            file: text("file"),
            genre: Genre::named(&text("genre")),
            from: place("from"),
            to: place("to"),
            replacement: text("replacement"),
            returns: text("returns"),
        });
    }
    (mutants, lost)
}

/// Whether a mutant can be kept: it is known by one line.
pub(crate) fn has_one_line(mutant: &Mutant) -> bool {
    mutant.from.0 == mutant.to.0 || mutant.genre == Genre::Body
}

/// Keeps these instead.
pub(crate) fn write(root: &Path, mutants: &[&Mutant]) {
    let (mut sources, mut kept) = (Sources::default(), String::new());
    for mutant in mutants {
        let lines = sources.lines(root, &mutant.file);
        let at = mutant.from.0 - 1;
        let line = lines[at].trim();
        let same = |until: usize| lines[..until].iter().filter(|other| other.trim() == line).count();
        let column = |place: usize| place - indentation(&lines[at]);
        // A body is replaced where it begins.
        let to = if mutant.genre == Genre::Body { mutant.from.1 } else { mutant.to.1 };
        let row = json!({
            "file": mutant.file, "line": line, "nth": same(at), "of": same(lines.len()),
            "from": column(mutant.from.1), "to": column(to), "genre": mutant.genre.name(),
            "replacement": mutant.replacement, "returns": mutant.returns,
            "change": mutant.name.splitn(4, ':').last().unwrap_or_default().trim(),
        });
        kept += &format!("{row}\n");
    }
    fs::write(path(root), kept).unwrap();
}
