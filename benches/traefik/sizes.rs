//! Bytes of the artifacts.

use testbed::traefik::{FETCH, OFFLINE, root};

/// Prints the table.
pub(crate) fn measure() {
    println!("| artifact | bytes |\n|---|---|");
    for plugin in [FETCH, OFFLINE] {
        println!("| {} | {} |", plugin.file, std::fs::metadata(root().join(plugin.file)).unwrap().len());
    }
}
