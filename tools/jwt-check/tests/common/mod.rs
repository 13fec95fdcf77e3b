//! A machine with these files, these variables and this clock.

use jwt_check::command;
use jwt_check::outside::Outside;
use serde_json::Value;

/// Files by their names; `-` is standard input.
pub(crate) struct Files<'a>(pub(crate) Vec<(&'a str, &'a str)>);

impl<'a> Files<'a> {
    /// One file.
    pub(crate) fn of(name: &'a str, text: &'a str) -> Self {
        Self(vec![(name, text)])
    }
}

impl Outside for Files<'_> {
    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        let file = self.0.iter().find(|(known, _)| *known == name);
        file.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "no such file".to_owned())
    }

    fn variable(&self, name: &str) -> Option<String> {
        (name == "SET").then(|| "value-of-a-variable-that-is-set-here".to_owned())
    }

    fn now(&self) -> u64 {
        u64::try_from(testbed::wait::unix_now()).unwrap_or_default()
    }
}

/// Exit code, and standard output with standard error behind it.
pub(crate) fn run(words: &[&str], files: &Files<'_>) -> (u8, String) {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let output = command::run(&words, files);
    (output.code, output.out + &output.err)
}

/// That an object has the names that docs/jwt-check.md promises, written there as `names`: `{file, verdict}`.
pub(crate) fn has_names(value: &Value, names: &str) {
    assert!(include_str!("../../../../docs/jwt-check.md").contains(&format!("`{names}`")), "{names}");
    let mut promised: Vec<&str> = names.trim_matches(['{', '}']).split(", ").collect();
    promised.sort_unstable();
    let found: Vec<&String> = value.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    assert_eq!(found, promised, "{value}");
}
