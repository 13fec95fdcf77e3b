//! A Traefik with a hosts file of its own, which takes a mount namespace.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use testbed::traefik::{Setup, temporary_directory};

/// A binary that runs Traefik with `hosts` as its `/etc/hosts`. `None` where there are no mount namespaces.
pub(crate) fn traefik_with(hosts: &str) -> Option<PathBuf> {
    let directory = temporary_directory("hosts");
    let (file, binary) = (directory.join("hosts"), directory.join("traefik"));
    fs::write(&file, hosts).unwrap();
    let wrapper = format!(
        "#!/bin/sh\nexec unshare -rm sh -c 'mount --bind \"$0\" /etc/hosts && exec \"$@\"' {} \"${{RUN:-{}}}\" \"$@\"\n",
        file.display(),
        Setup::default().binary.display(),
    );
    fs::write(&binary, wrapper).unwrap();
    fs::set_permissions(&binary, PermissionsExt::from_mode(0o755)).unwrap();
    let tried = Command::new("sh").arg(&binary).env("RUN", "true").status();
    tried.is_ok_and(|status| status.success()).then_some(binary)
}
