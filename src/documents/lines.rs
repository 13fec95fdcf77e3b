//! A document that has nothing to do with keys, for tests: any document is fetched, shared and kept alike.

use std::cell::Cell;

use crate::core::fetching::{CacheRules, ClientRules};
use crate::core::unix_time::Seconds;
use crate::core::url::Url;
use crate::documents::ask::{Meaning, Place, Remote};
use crate::documents::document::Document;
use crate::documents::error::DocumentError;
use crate::documents::fetch::{FetchError, Fetched};
use crate::documents::kept::Kept;
use crate::documents::outside::client;

/// Lines that must not be empty. Counts how often it is parsed.
#[derive(Default)]
pub(super) struct Lines(pub(super) Cell<usize>);

fn url() -> Url {
    Url::parse("https://idp.example/revoked.jsonl").unwrap()
}

impl Meaning for Lines {
    type Content = Vec<String>;
    type Error = DocumentError;

    fn locate(
        &self,
        _: &[(String, String)],
        _: &dyn Fn(&Url) -> Result<Document, FetchError>,
    ) -> Result<Place, DocumentError> {
        Ok(Place::Configured(url()))
    }

    fn read(&self, body: &[u8]) -> Result<Vec<String>, DocumentError> {
        self.0.set(self.0.get().saturating_add(1));
        let text = String::from_utf8(body.to_vec()).map_err(|_| DocumentError::NotUtf8)?;
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.iter().any(String::is_empty) { Err(DocumentError::NotUtf8) } else { Ok(lines) }
    }
}

pub(super) fn with_remote<R>(directory: Option<&str>, test: impl FnOnce(&Remote<'_>) -> R) -> R {
    with_client(&client(), directory, test)
}

pub(super) fn with_client<R>(
    client: &ClientRules,
    directory: Option<&str>,
    test: impl FnOnce(&Remote<'_>) -> R,
) -> R {
    let url = url();
    test(&Remote {
        kind: "lines",
        location: url.to_string(),
        home: &url.origin,
        client,
        cache: CacheRules { ttl: Seconds(600), cooldown: Seconds(30), stale: Seconds(1000) },
        directory,
        accept: "application/jsonl",
        max_body_bytes: 16 << 20,
    })
}

pub(super) fn lines(kept: &Kept<Vec<String>>) -> Vec<&str> {
    kept.content.as_deref().into_iter().flatten().map(String::as_str).collect()
}

pub(super) fn document(body: &str) -> Result<Fetched, FetchError> {
    Ok(Fetched::Document(Document { body: body.into(), ..Document::default() }))
}
