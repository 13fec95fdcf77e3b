//! What a test needs on this machine, and how it is found.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that is not the project's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Node with the packages of package.json.
    Node,
    /// Python with the packages of requirements.txt.
    Python,
    /// nginx.
    Nginx,
    /// Caddy.
    Caddy,
    /// HAProxy with Lua.
    Haproxy,
    /// Prometheus, and the tool that tests its rules.
    Prometheus,
    /// lighttpd, and PHP for CGI.
    Lighttpd,
    /// Apache with its modules where Debian has them, and PHP for CGI.
    Apache,
    /// PHP-FPM.
    PhpFpm,
    /// A Chromium, whatever its name.
    Chromium,
    /// The page that `make playground` builds.
    Page,
}

/// The oldest Node that every package runs on.
const NODE: u32 = 20;

impl Need {
    /// Why this cannot be had; none where it is there.
    pub(crate) fn missing(&self) -> Option<String> {
        match self {
            Self::Node => {
                let Some(version) = version("node") else { return Some("there is no node".into()) };
                let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok());
                if major.is_none_or(|major: u32| major < NODE) {
                    return Some(format!("node is {version}, {NODE} or later is needed"));
                }
                let installed = packages().join("node_modules/.package-lock.json").exists();
                (!installed).then(|| "there are no npm packages: run make counterparts".into())
            }
            Self::Python => {
                (!python().is_file()).then(|| "there are no Python packages: run make counterparts".into())
            }
            Self::Nginx => nginx().is_none().then(|| "there is no nginx".into()),
            Self::Haproxy => haproxy().is_none().then(|| "there is no haproxy".into()),
            Self::Caddy => caddy().is_none().then(|| "there is no caddy".into()),
            Self::Prometheus => {
                let is_there = prometheus().is_some() && promtool().is_some();
                (!is_there).then(|| "there is no prometheus or no promtool".into())
            }
            Self::Lighttpd => {
                let is_there = lighttpd().is_some() && php().is_some();
                (!is_there).then(|| "there is no lighttpd or no php-cgi".into())
            }
            Self::Apache => {
                let is_there = apache().is_some() && Path::new(APACHE_MODULES).is_dir() && php().is_some();
                (!is_there).then(|| "there is no apache2 or no php-cgi".into())
            }
            Self::PhpFpm => php_fpm().is_none().then(|| "there is no php-fpm".into()),
            Self::Page => page().is_none().then(|| "there is no page: run make playground".into()),
            Self::Chromium => chromium().is_none().then(|| "there is no chromium".into()),
        }
    }
}

/// The directory with the npm packages and the scripts.
pub(crate) fn packages() -> PathBuf {
    std::env::var_os("COUNTERPARTS").unwrap_or_default().into()
}

/// Python with its packages.
pub(crate) fn python() -> PathBuf {
    packages().join("python/bin/python")
}

/// The nginx program.
pub(crate) fn nginx() -> Option<PathBuf> {
    find(&["nginx"])
}

/// The HAProxy program.
pub(crate) fn haproxy() -> Option<PathBuf> {
    find(&["haproxy"])
}

/// The Caddy program.
pub(crate) fn caddy() -> Option<PathBuf> {
    find(&["caddy"])
}

/// The Prometheus server.
pub(crate) fn prometheus() -> Option<PathBuf> {
    find(&["prometheus"])
}

/// Prometheus' tool for rules.
pub(crate) fn promtool() -> Option<PathBuf> {
    find(&["promtool"])
}

/// The lighttpd program.
pub(crate) fn lighttpd() -> Option<PathBuf> {
    find(&["lighttpd"])
}

/// PHP for CGI.
pub(crate) fn php() -> Option<PathBuf> {
    find(&["php-cgi"])
}

/// PHP-FPM, which Debian and Ubuntu name with its version.
pub(crate) fn php_fpm() -> Option<PathBuf> {
    find(&["php-fpm", "php-fpm8.2", "php-fpm8.3", "php-fpm8.4", "php-fpm8.5"])
}

/// The Apache program.
pub(crate) fn apache() -> Option<PathBuf> {
    find(&["apache2"])
}

/// Where its modules are.
pub(crate) const APACHE_MODULES: &str = "/usr/lib/apache2/modules";

/// The Chromium program.
pub(crate) fn chromium() -> Option<PathBuf> {
    find(&["chromium", "chromium-browser", "google-chrome"])
}

/// The page of `make playground`.
pub(crate) fn page() -> Option<PathBuf> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("dist/playground/index.html");
    page.is_file().then_some(page)
}

/// The first of these that is in PATH, or where Debian keeps servers.
fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let programs = names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    programs.into_iter().find(|program| Path::is_file(program))
}

fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
