//! `revocation`: the sources that say what is revoked.

use std::rc::Rc;

use crate::core::config::client::{Shared, mounted};
use crate::core::config::error::Errors;
use crate::core::config::options::keys::{DISCOVERY, JWKS_URL};
use crate::core::config::options::revocation::*;
use crate::core::config::url;
use crate::core::config::values::Values;
use crate::core::jwk::lookup::KeySource;
use crate::core::policy::TrustedIssuer;
use crate::core::revocation::marker::MarkerRules;
use crate::core::revocation::{ListSource, RemoteList, RevocationRules};
use crate::core::url::Origin;

/// `None` if nothing is revoked.
#[inline(never)]
pub(super) fn revocation(
    root: &Values,
    issuers: &[TrustedIssuer],
    shared: &Shared<'_>,
    errors: &mut Errors,
) -> Option<RevocationRules> {
    let missing = root.word(&REVOCATION_MISSING, &MISSING);
    let markers = mounted(root, &REVOCATION_DIRECTORY).map(|directory| MarkerRules { directory, missing });
    let file = mounted(root, &REVOCATION_FILE).map(ListSource::File);
    let list = match (file, root.text(&REVOCATION_URL)) {
        (Some(_), Some(_)) => {
            errors.conflict(REVOCATION_URL.path, "is another list than revocation.file; keep one of them");
            None
        }
        (file, None) => file,
        (None, Some(_)) if !shared.capabilities.fetch => {
            errors.conflict(
                REVOCATION_URL.path,
                "cannot be fetched by plugin-offline.wasm; use revocation.file",
            );
            None
        }
        (None, Some(text)) => remote(text, home(root, issuers), shared, errors),
    };
    let is_said = [&REVOCATION_DIRECTORY, &REVOCATION_FILE, &REVOCATION_URL].iter().any(|row| root.has(row));
    if root.has(&REVOCATION) && !is_said {
        errors.conflict(REVOCATION.path, "needs directory, file or url");
    }
    is_said.then_some(RevocationRules { markers, list: list.map(Rc::new), missing })
}

/// The server that `clientConfig` of the top level is for, if it has one.
fn home<'i>(root: &Values, issuers: &'i [TrustedIssuer]) -> Option<&'i Origin> {
    let has_own = root.has(&JWKS_URL) || root.has(&DISCOVERY);
    let sources = issuers.first().filter(|_| has_own).into_iter().flat_map(|issuer| &issuer.keys);
    let mut homes = sources.filter_map(|source| match source {
        KeySource::Url(remote) => Some(remote.location.origin()),
        KeySource::Configured(_) | KeySource::File { .. } => None,
    });
    homes.next()
}

fn remote(text: &str, home: Option<&Origin>, shared: &Shared<'_>, errors: &mut Errors) -> Option<ListSource> {
    let url = url::check(text, REVOCATION_URL.path, shared.client.allows_http(), errors)?;
    // Credentials go to the server that they are for.
    let client = match home {
        Some(home) if *home != url.origin => shared.client.for_others(),
        Some(_) | None => shared.client.for_server(&url.origin),
    };
    let (cache, directory) = (shared.cache, shared.directory.clone());
    Some(ListSource::Url(Box::new(RemoteList { url, client, cache, directory })))
}
