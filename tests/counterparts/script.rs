//! A script of this directory, run with Node or Python. It gets one JSON value and says one: when it is ready to serve, or what
//! came of what it did. `ca` in it is the path of a CA to trust.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testbed::certificate::Issued;
use testbed::traefik::{Process, temporary_directory};
use testbed::wait::wait;

use crate::need::{packages, python};

/// A running script, until it is dropped.
pub(crate) struct Script {
    name: &'static str,
    process: Process,
    directory: PathBuf,
    /// What it said.
    pub(crate) said: Value,
}

impl Script {
    /// Starts one and waits for its word.
    pub(crate) fn start(name: &'static str, argument: &Value) -> Self {
        let directory = temporary_directory("counterpart");
        let is_python = Path::new(name).extension().is_some_and(|extension| extension == "py");
        let mut command = if is_python { Command::new(python()) } else { Command::new("node") };
        command.arg(packages().join(name)).arg(argument.to_string()).current_dir(&directory);
        if let Some(ca) = argument["ca"].as_str() {
            command.env("NODE_EXTRA_CA_CERTS", ca);
        }
        let mut script = Self { name, process: Process::start(command), directory, said: Value::Null };
        script.said = wait(name, 60, || {
            let ended = !script.process.is_alive();
            let said = script
                .output("stdout")
                .lines()
                .find_map(|line| serde_json::from_str(line).ok().filter(Value::is_object));
            assert!(said.is_some() || !ended, "{name} ended without a word");
            said
        });
        script
    }

    /// Runs one to its end: what it said.
    pub(crate) fn run(name: &'static str, argument: &Value) -> Value {
        Self::start(name, argument).said.clone()
    }

    fn output(&self, file: &str) -> String {
        fs::read_to_string(self.directory.join(file)).unwrap_or_default()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.process.end();
        if std::thread::panicking() {
            for line in self.output("stdout").lines().chain(self.output("stderr").lines()) {
                eprintln!("{}: {line}", self.name);
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The files of a server's certificate, until it is dropped.
pub(crate) struct CertificateFiles {
    directory: PathBuf,
    /// The CA, for clients of the plugin's kind.
    pub(crate) ca_pem: String,
}

impl CertificateFiles {
    pub(crate) fn new(issued: &Issued) -> Self {
        let directory = temporary_directory("certificate");
        fs::write(directory.join("certificate.pem"), issued.certificate.pem()).unwrap();
        fs::write(directory.join("key.pem"), issued.key.serialize_pem()).unwrap();
        fs::write(directory.join("ca.pem"), &issued.ca_pem).unwrap();
        Self { directory, ca_pem: issued.ca_pem.clone() }
    }

    /// `certificate`, `key` or `ca`.
    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.directory.join(format!("{file}.pem"))
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }
}

impl Drop for CertificateFiles {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
