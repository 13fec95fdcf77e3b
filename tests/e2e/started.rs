//! A Traefik that is started by something else, which changes what it runs in.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use testbed::traefik::{Setup, temporary_directory};

/// The same Traefik, started by the rest of a line of a shell script.
pub(crate) fn started_by(setup: Setup, line: &str) -> Setup {
    let script = temporary_directory("started").join("traefik");
    let text = format!("#!/bin/sh\n{line} '{}' \"$@\"\n", setup.binary.display());
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    Setup { binary: script, ..setup }
}

/// Whether whatever is started by this process may do everything.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}
