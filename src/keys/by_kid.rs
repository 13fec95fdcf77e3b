//! Keys that a server has one by one, each as PEM at a URL with its `kid` (AWS's load balancers). To its users it is one set, of
//! those that were asked for: with the cooldown, the back-off and the freshness of a set.
//!
//! The `kid` is that of a token which nobody has verified. So it has to be a UUID, nothing is asked for within the cooldown, and
//! an unknown name leaves nothing behind: it drives no known key out.

use crate::core::jwk::lookup::around_kid;
use crate::core::jwk::{Jwk, JwkSet, pem};
use crate::core::limits::MAX_KEYS_BY_KID;
use crate::core::url::Url;
use crate::documents::document::Document;
use crate::documents::error::DocumentError;
use crate::documents::fetch::FetchError;
use crate::keys::error::KeyError;

/// Bytes of a name.
const NAME_BYTES: usize = 36;
/// There is none where one should be.
const NO_KEY: KeyError = KeyError::NoUsableKey { skipped: Vec::new() };

/// Whether a key may have this name: a UUID in lower case (RFC 9562 4), of which no two spellings are the same, and none leads
/// to another path.
pub fn is_name(kid: &str) -> bool {
    let is_part = |at: usize, byte: u8| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    kid.len() == NAME_BYTES && kid.bytes().enumerate().all(|(at, byte)| is_part(at, byte))
}

/// The document that instances share: the key that is `wanted`, if there is one, then those that are `known` and still there, as
/// many as are kept.
///
/// # Errors
/// One of them could not be fetched, or is no key.
pub fn compose<'k>(
    url: &Url,
    wanted: Option<&'k str>,
    known: impl Iterator<Item = &'k str>,
    get: &dyn Fn(&Url) -> Result<Document, FetchError>,
) -> Result<Document, KeyError> {
    let (before, after) = around_kid(&url.target).unwrap_or_default();
    let known = known.filter(|kid| wanted != Some(*kid));
    let (mut body, mut count) = (Vec::new(), 0_usize);
    for kid in wanted.into_iter().filter(|kid| is_name(kid)).chain(known) {
        if count == MAX_KEYS_BY_KID {
            break;
        }
        let at = Url { origin: url.origin.clone(), target: [before, kid, after].concat() };
        match get(&at) {
            Ok(document) => {
                key(kid.as_bytes(), &document.body)?;
                let length = u32::try_from(document.body.len()).unwrap_or(0).to_le_bytes();
                body.extend([kid.as_bytes(), &length, &document.body].concat());
                count = count.saturating_add(1);
            }
            // No key has this name, or none any longer.
            Err(FetchError::Status(403 | 404 | 410)) => {}
            Err(error) => return Err(DocumentError::Fetch(error).into()),
        }
    }
    Ok(Document { body, ..Document::default() })
}

/// The keys of what [`compose`] put together: a name, the length of the key, the key. None is no error, since then none of those
/// that were asked for exists.
///
/// # Errors
/// One of them is no key.
pub fn parts(document: &[u8]) -> Result<JwkSet, KeyError> {
    let (mut keys, mut rest) = (Vec::new(), document);
    while let Some((kid, behind)) = rest.split_at_checked(NAME_BYTES) {
        let (length, behind) = behind.split_first_chunk().ok_or(NO_KEY)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (text, behind) = behind.split_at_checked(length).ok_or(NO_KEY)?;
        keys.push(key(kid, text)?);
        rest = behind;
    }
    Ok(JwkSet::from_keys(keys))
}

fn key(kid: &[u8], pem: &[u8]) -> Result<Jwk, KeyError> {
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| DocumentError::NotUtf8);
    let mut keys = pem::parse(text(pem)?).map_err(KeyError::Pem)?;
    let mut key = keys.pop().ok_or(NO_KEY)?;
    key.kid = Some(text(kid)?.to_owned());
    Ok(key)
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{compose, is_name, parts};
    use crate::core::limits::MAX_KEYS_BY_KID;
    use crate::core::url::Url;
    use crate::documents::document::Document;
    use crate::documents::fetch::FetchError;

    const PEM: &str = include_str!("../../tests/vectors/pem/p-256.pem");

    fn kid(number: usize) -> String {
        format!("{number:08x}-0000-4000-8000-00000000000a")
    }

    #[test]
    fn names_are_uuids() {
        for (name, expected) in [
            ("c2f5f9a1-72a4-4b1c-9d3e-0a1b2c3d4e5f", true),
            ("C2F5F9A1-72a4-4b1c-9d3e-0a1b2c3d4e5f", false),
            ("c2f5f9a1-72a4-4b1c-9d3e-0a1b2c3d4e5", false),
            ("c2f5f9a1-72a4-4b1c-9d3e-0a1b2c3d4e5f0", false),
            ("c2f5f9a172a4-4b1c-9d3e--0a1b2c3d4e5f", false),
            ("../../../../../../../../../../../etc", false),
            ("c2f5f9a1-72a4-4b1c-9d3e-0a1b2c3d4e5?", false),
            ("c2f5f9a1/72a4-4b1c-9d3e-0a1b2c3d4e5f", false),
            ("", false),
        ] {
            assert_eq!(is_name(name), expected, "{name}");
        }
    }

    /// What is asked for, and the names in the set, with a server that has `there`.
    fn asked(wanted: Option<&str>, known: &[String], there: &[String]) -> (Vec<String>, Vec<String>) {
        let url = Url::parse("https://keys.example/a/{kid}").unwrap();
        let paths = RefCell::new(Vec::new());
        let get = |url: &Url| {
            paths.borrow_mut().push(url.to_string());
            let is_there = there.iter().any(|kid| url.target == format!("/a/{kid}"));
            let body = PEM.as_bytes().to_vec();
            if is_there { Ok(Document { body, ..Document::default() }) } else { Err(FetchError::Status(403)) }
        };
        let made = compose(&url, wanted, known.iter().map(String::as_str), &get).unwrap();
        let kids = parts(&made.body).unwrap().kids().map(str::to_owned).collect();
        (paths.into_inner(), kids)
    }

    fn urls(kids: &[String]) -> Vec<String> {
        kids.iter().map(|kid| format!("https://keys.example/a/{kid}")).collect()
    }

    #[test]
    fn one_name_more_is_one_question_more() {
        let all: Vec<String> = (0..9).map(kid).collect();
        assert_eq!(asked(Some(&all[0]), &[], &all), (urls(&all[..1]), all[..1].to_vec()));
        assert_eq!(asked(Some(&all[1]), &all[..1], &all).1, [all[1].clone(), all[0].clone()]);
        // Known ones are asked for again, once.
        assert_eq!(asked(Some(&all[0]), &all[..1], &all).0.len(), 1);
        assert_eq!(asked(None, &all[..2], &all).1, all[..2]);
        // One that is gone is gone.
        assert_eq!(asked(None, &all[..2], &all[1..]).1, all[1..2]);
    }

    #[test]
    fn names_that_nobody_has_leave_nothing_behind() {
        let (all, full) = ((0..9).map(kid).collect::<Vec<_>>(), MAX_KEYS_BY_KID);
        let strange = kid(99);
        let in_turn = [std::slice::from_ref(&strange), &all[..full]].concat();
        assert_eq!(asked(Some(&strange), &all[..full], &all), (urls(&in_turn), all[..full].to_vec()));
        // One that exists takes the place of the oldest.
        assert_eq!(asked(Some(&all[8]), &all[..full], &all).1, [&all[8..9], &all[..full - 1]].concat());
        assert_eq!(asked(Some("../b"), &[], &all), (vec![], vec![]));
        assert_eq!(asked(Some(&strange), &[], &all).1, <[String; 0]>::default());
    }

    #[test]
    fn a_fault_of_one_is_a_fault_of_all() {
        let url = Url::parse("https://keys.example/{kid}").unwrap();
        let all = [kid(0), kid(1)];
        for fault in [
            Err(FetchError::Status(500)),
            Err(FetchError::Status(429)),
            Err(FetchError::Timeout),
            Ok(Document { body: b"<html>".to_vec(), ..Document::default() }),
            Ok(Document { body: b"\xff".to_vec(), ..Document::default() }),
        ] {
            let get = |at: &Url| match at.target.ends_with(&all[1]) {
                true => fault.clone(),
                false => Ok(Document { body: PEM.as_bytes().to_vec(), ..Document::default() }),
            };
            let known = all[1..].iter().map(String::as_str);
            assert!(compose(&url, Some(&all[0]), known, &get).is_err(), "{fault:?}");
        }
        let known = [all[0].as_str()];
        let whole = |_: &Url| Ok(Document { body: PEM.as_bytes().to_vec(), ..Document::default() });
        let made = compose(&url, None, known.into_iter(), &whole).unwrap().body;
        assert_eq!(parts(&made).unwrap().kids().collect::<Vec<_>>(), known);
        for end in (36..made.len()).step_by(7) {
            assert!(parts(&made[..end]).is_err(), "{end}");
        }
    }
}
