//! What instances and routers share of documents, and where a document says that the next one is.

use std::cell::RefCell;

use traefik_jwt_auth::core::fetching::DocumentState;
use traefik_jwt_auth::core::unix_time::{Seconds, UnixTime};
use traefik_jwt_auth::core::url::Url;
use traefik_jwt_auth::documents::cache_control;
use traefik_jwt_auth::documents::digest::digest;
use traefik_jwt_auth::documents::directory::{Claim, Directory, DirectoryCache, Found};
use traefik_jwt_auth::documents::document::{Document, SharedDocument};
use traefik_jwt_auth::documents::lease::{Failure, Version, Waiting};
use traefik_jwt_auth::documents::record::{HEADER_BYTES, Nanos, Record};
use traefik_jwt_auth::documents::source_id::SourceId;
use traefik_jwt_auth::keys::discovery;

use crate::NOW;
use crate::cut::{choice, parts, text};
use crate::mark::mark;

const MAX_BODY: usize = 3_000;

/// A record is read as it was written, with whatever sequence of turns; one that was changed is none, or, if its sum was
/// made to fit, has a meaning that it keeps.
pub(super) fn record(input: &[u8]) {
    let (way, rest) = choice(input, 3);
    let now = Nanos(u64::MAX);
    let mut record = Record::default();
    if way > 0 {
        for (turn, step) in rest.chunks_exact(3).take(64).enumerate() {
            operate(&mut record, step, Nanos(turn as u64 + 1));
        }
        let bytes = record.encode();
        assert_eq!(Record::verify(&bytes, now), Record::version(&bytes));
        assert_eq!(Record::decode(&bytes, now), Some(record));
        // A byte that was changed on the way.
        let at = usize::from(rest.first().copied().unwrap_or_default()) * 7 % bytes.len();
        let mut changed = bytes.clone();
        changed[at] ^= rest.last().copied().unwrap_or(1).max(1);
        assert_eq!(Record::decode(&changed, now), None, "a changed record was taken for whole");
        return;
    }
    let mut bytes = rest.to_vec();
    if let Some((header, entries)) = bytes.split_first_chunk_mut::<HEADER_BYTES>() {
        header[20..24].copy_from_slice(&u32::try_from(entries.len()).expect("short").to_le_bytes());
        header[24..32].fill(0);
        let sum = digest(&[header, entries]);
        header[24..32].copy_from_slice(&sum.to_le_bytes());
    }
    match Record::decode(&bytes, now) {
        Some(record) => {
            mark("a record");
            assert_eq!(Record::decode(&record.encode(), now), Some(record));
        }
        None => mark("refused"),
    }
}

fn operate(record: &mut Record, step: &[u8], now: Nanos) {
    let [what, who, size] = *step else { return };
    let (source, owner) = (SourceId([who & 3; 16]), u32::from(who >> 2 & 3));
    let document =
        || shared(&vec![size; usize::from(size) * 11], "max-age=60", u64::from(who), who & 16 != 0);
    match what & 3 {
        0 => {
            let waiting = if what & 4 == 0 { Waiting::ForDocument } else { Waiting::NotAtAll };
            record.turn(source, Version(u64::from(what >> 3)), waiting, owner, now, Seconds(1));
        }
        1 => {
            let failure = Failure { at: UnixTime::from_seconds(NOW), reason: format!("status {size}") };
            let attempt = if what & 4 == 0 { Ok(document()) } else { Err(failure) };
            record.finish(source, owner, now, attempt);
        }
        2 => {
            let mut other = Record::default();
            other.finish(source, owner, Nanos(now.0 + u64::from(what)), Ok(document()));
            let mut third = record.clone();
            record.merge(other.clone());
            // Whoever merges.
            other.merge(third.clone());
            third.merge(record.clone());
            assert_eq!(third, *record);
        }
        _ => {
            record.leave();
            let _ = record.watch(source, Version(u64::from(what)), now);
        }
    }
}

fn shared(body: &[u8], cache_control: &str, age: u64, has_etag: bool) -> SharedDocument {
    let document = Document {
        body: body.to_vec(),
        cache_control: cache_control.to_owned(),
        age: Seconds(age),
        etag: has_etag.then(|| "\"x\"".to_owned()),
    };
    SharedDocument { document, fetched_at: UnixTime::from_seconds(NOW - age) }
}

/// One file, which others write.
#[derive(Default)]
struct OneFile(RefCell<Vec<u8>>);

impl Directory for OneFile {
    fn load(&self, _: &str, _: &str, max_bytes: usize) -> Option<Vec<u8>> {
        Some(self.0.borrow().clone()).filter(|file| !file.is_empty() && file.len() <= max_bytes)
    }

    fn store(&self, _: &str, _: &str, content: &[u8]) {
        *self.0.borrow_mut() = content.to_vec();
    }

    fn claim(&self, _: &str, _: &str, _: Seconds) -> Claim {
        Claim::Ours
    }

    fn release(&self, _: &str, _: &str) {}

    fn pause(&self) {}
}

/// A file is taken as it was stored, or not at all; one that another made has a meaning that it keeps.
pub(super) fn directory(input: &[u8]) {
    let (way, rest) = choice(input, 2);
    let files = OneFile::default();
    let now = || UnixTime::from_seconds(NOW);
    let found = |source: u8, fetched: Option<&SharedDocument>| {
        let source = SourceId([source; 16]);
        let (lease, max_body_bytes) = (Seconds(1), MAX_BODY);
        let cache = DirectoryCache { files: &files, directory: "/d", source, lease, max_body_bytes };
        match cache.begin(None, &|_| Some(((), DocumentState::Fresh)), &now) {
            Found::Document(document, ()) => Some(document),
            Found::Fetch(claim) => {
                cache.finish(claim, fetched);
                None
            }
        }
    };
    if way == 1 {
        // The file of another, with a sum that fits.
        let content = [b"DOCFILE\x02", &[1; 16][..], rest].concat();
        *files.0.borrow_mut() = [&content[..], &digest(&[&content]).to_le_bytes()].concat();
        let Some(document) = found(1, None) else {
            mark("refused");
            return;
        };
        assert!(
            document.document.body.len() <= MAX_BODY && document.fetched_at.as_millis() <= (NOW + 60) * 1_000
        );
        files.0.borrow_mut().clear();
        assert_eq!(found(1, Some(&document)), None);
        assert_eq!(found(1, None), Some(document));
        return;
    }
    let [cache_control, change, body] = parts(rest);
    let body = body.get(..MAX_BODY).unwrap_or(body);
    let stored = shared(body, &text(cache_control), body.len() as u64, change.len() > 1);
    assert_eq!(found(1, Some(&stored)), None);
    mark("as stored");
    assert_eq!(found(1, None).as_ref(), Some(&stored), "from the file");
    assert_eq!(found(2, None), None, "of another source");
    let whole = files.0.borrow().clone();
    let mut changed = whole.clone();
    for byte in change.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([byte[0], byte[1]])) % changed.len();
        changed[at] ^= byte[2];
    }
    *files.0.borrow_mut() = changed.clone();
    assert_eq!(found(1, None), (changed == whole).then_some(stored));
}

/// Metadata of an issuer, and how long an answer holds.
pub(super) fn discovery(input: &[u8]) {
    let [issuer, document, header] = parts(input);
    let (issuer, header) = (text(issuer), text(header));
    if let Some(issuer) = Url::parse(&issuer) {
        for url in discovery::metadata_urls(&issuer) {
            assert_eq!(url.origin, issuer.origin);
            match discovery::jwks_uri(document.to_vec(), &["https://idp.example/".into()], &url) {
                Ok(set) => {
                    mark("a URL");
                    assert!(url.may_lead_to(&set));
                    let tree: serde_json::Value = serde_json::from_slice(document).expect("both read it");
                    assert_eq!(tree["issuer"], "https://idp.example/");
                    assert_eq!(tree["jwks_uri"].as_str().and_then(Url::parse), Some(set));
                }
                Err(error) => {
                    mark("refused");
                    assert!(!error.to_string().contains(['\n', '\0']));
                }
            }
        }
    }
    if let Some(lifetime) = cache_control::lifetime(&header, Seconds(5)) {
        mark("a lifetime");
        assert!((60..=86_400).contains(&lifetime.0), "{lifetime:?}");
    }
}
