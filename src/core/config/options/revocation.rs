//! Revocation.

use crate::core::config::options::row::{rows, top, words};
use crate::core::config::options::syntax::MOUNTED;
use crate::core::config::options::{Kind, Row, Table, Words};
use crate::core::revocation::marker::Missing;

words! {
    /// `revocation.onMissing`.
    MISSING: Missing = { "refuse" => Missing::Refuse, "accept" => Missing::Accept };
}

rows! {
    "Revocation";

    /// The sources that say which tokens, sessions, users and clients are revoked.
    REVOCATION = top("revocation", Kind::Object).instead("leave the option out to revoke nothing");

    /// Directory of markers below `settings.mounts`: `jti/NAME`, `sid/NAME`, `sub/NAME`, `client/NAME`.
    REVOCATION_DIRECTORY = top("revocation.directory", Kind::Text).like(&MOUNTED);

    /// List below `settings.mounts`: a JSON object a line.
    REVOCATION_FILE = top("revocation.file", Kind::Text).like(&MOUNTED);

    /// The same list to fetch (`plugin.wasm` only), as `jwksUrl` is.
    REVOCATION_URL = top("revocation.url", Kind::Text);

    /// What becomes of requests if directory or list cannot be had.
    REVOCATION_MISSING = top("revocation.onMissing", Kind::Word(MISSING.names, 0));
}
