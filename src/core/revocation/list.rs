//! A list of what is revoked (`revocation.file`, `revocation.url`): one JSON object a line.

use std::collections::BinaryHeap;
use std::fmt;

use crate::core::json::{Document, JsonLimits};
use crate::core::limits::MAX_REVOCATIONS;
use crate::core::refusal::Refusal;
use crate::core::revocation::name::Revocable;
use crate::core::signature::alg::Hash;
use crate::core::token::claims_set::{ClaimsSet, numeric_date};
use crate::core::unix_time::UnixTime;

/// A line is one flat object.
const LIMITS: JsonLimits = JsonLimits { max_depth: 2, max_nodes: 8 };

/// Entries by the hashes of what they name, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevocationList {
    /// No instance has room for the names themselves. Of their hashes 8 bytes are enough: others that have the same would be
    /// revoked, too, never the other way round, and of 100,000 entries and a billion names that is one in 100,000 lists.
    entries: Vec<(ListKey, Until)>,
}

/// Stands for a name of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListKey(u64);

impl ListKey {
    fn of(what: Revocable, text: &str) -> Self {
        let digest = Hash::Sha256.digest(&[what.member().as_bytes(), &[0], text.as_bytes()]);
        Self(digest.first_chunk::<8>().map_or(0, |first| u64::from_be_bytes(*first)))
    }

    /// Those of all by which a token with these claims can be revoked.
    #[must_use]
    pub fn all_of(claims: &ClaimsSet) -> Box<[Self]> {
        let of = |what: Revocable| what.of(claims).map(move |text| Self::of(what, text));
        Revocable::ALL.into_iter().flat_map(of).collect()
    }
}

/// What was issued up to then is revoked. Ordered: the later, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Until {
    Instant(UnixTime),
    Forever,
}

/// Why a text is no list. The last good one stays, so nothing of it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListError {
    /// This line, from 1, is not one JSON object with one of the names and perhaps `before`.
    Line(usize),
    /// It has more entries than are kept.
    TooMany,
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(
                f,
                "line {line} is not one JSON object with jti, sid, sub or client_id, and perhaps before in seconds"
            ),
            Self::TooMany => write!(f, "more than {MAX_REVOCATIONS} entries"),
        }
    }
}

impl RevocationList {
    /// Parses a list. Empty lines say nothing.
    ///
    /// # Errors
    /// See [`ListError`].
    pub fn parse(text: &[u8]) -> Result<Self, ListError> {
        let mut entries = BinaryHeap::new();
        for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            if entries.len() >= MAX_REVOCATIONS {
                return Err(ListError::TooMany);
            }
            entries.push(entry(line).ok_or(ListError::Line(at.saturating_add(1)))?);
        }
        // A heap sorts with a tenth of the code of a slice.
        let mut entries = entries.into_sorted_vec();
        // Of several entries for one name, the one that revokes most counts, which is the last.
        entries.dedup_by(|next: &mut (ListKey, Until), kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 = next.1;
            }
            is_same
        });
        entries.shrink_to_fit();
        Ok(Self { entries })
    }

    /// How many names it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it revokes nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Refuses a token that the list revokes; `own` are the keys of its claims.
    ///
    /// # Errors
    /// `token_revoked`.
    pub fn check(&self, claims: &ClaimsSet, own: &[ListKey]) -> Result<(), Refusal> {
        let is_revoked = own.iter().any(|key| match self.until(*key) {
            None => false,
            Some(Until::Forever) => true,
            Some(Until::Instant(until)) => {
                let iat = claims.numeric_date("iat").ok().flatten();
                iat.is_none_or(|iat| iat <= until)
            }
        });
        if is_revoked { Err(Refusal::TokenRevoked) } else { Ok(()) }
    }

    fn until(&self, key: ListKey) -> Option<Until> {
        let at = self.entries.binary_search_by_key(&key, |entry| entry.0).ok()?;
        self.entries.get(at).map(|entry| entry.1)
    }
}

fn entry(line: &[u8]) -> Option<(ListKey, Until)> {
    let document = Document::parse(line.to_vec(), LIMITS).ok()?;
    let (mut name, mut until) = (None, Until::Forever);
    for (member, value) in document.root().members() {
        if member == "before" {
            until = Until::Instant(numeric_date(value)?);
            continue;
        }
        let what = Revocable::ALL.into_iter().find(|what| what.member() == member)?;
        let text = value.as_str().or_else(|| value.as_number())?;
        if name.replace(ListKey::of(what, text)).is_some() {
            return None;
        }
    }
    Some((name?, until))
}

#[cfg(test)]
mod tests {
    use super::{ListError, ListKey, RevocationList};
    use crate::core::limits::MAX_REVOCATIONS;
    use crate::core::refusal::Refusal;
    use crate::core::token::claims_set::claims;
    use proptest::prelude::*;

    fn list(text: &str) -> Result<RevocationList, ListError> {
        RevocationList::parse(text.as_bytes())
    }

    fn revokes(list: &RevocationList, json: &str) -> bool {
        let claims = claims(json);
        match list.check(&claims, &ListKey::all_of(&claims)) {
            Ok(()) => false,
            Err(refusal) => {
                assert_eq!(refusal, Refusal::TokenRevoked);
                true
            }
        }
    }

    #[test]
    fn entries() {
        let list = list(concat!(
            "{\"jti\":\"j\"}\r\n",
            "\n",
            "{\"sid\":\"s\",\"before\":100}\n",
            " {\"before\":200.5,\"sub\":7}\n",
            "{\"sub\":\"u\"}\n",
            "{\"client_id\":\"c\",\"before\":300}\n",
            "{\"client_id\":\"c\",\"before\":200}",
        ))
        .unwrap();
        assert_eq!(list.len(), 5);
        for (json, expected) in [
            (r#"{"jti":"j","iat":999}"#, true),
            (r#"{"jti":"k"}"#, false),
            (r#"{"sid":"j","sub":"j","azp":"j"}"#, false),
            (r#"{"sid":"s","iat":100}"#, true),
            (r#"{"sid":"s","iat":101}"#, false),
            (r#"{"sid":"s"}"#, true),
            (r#"{"sub":7,"iat":200.5}"#, true),
            (r#"{"sub":"7","iat":201}"#, false),
            (r#"{"sub":"u","iat":99999}"#, true),
            (r#"{"azp":"c","iat":300}"#, true),
            (r#"{"client_id":"d","azp":"c","iat":300}"#, true),
            (r#"{"client_id":"c","iat":301}"#, false),
            ("{}", false),
        ] {
            assert_eq!(revokes(&list, json), expected, "{json}");
        }
    }

    #[test]
    fn one_bad_line_rejects_the_list_whole() {
        let good = "{\"jti\":\"a\"}\n";
        for bad in [
            "x",
            "[]",
            "{}",
            "\"jti\"",
            r#"{"jti":"a","sub":"b"}"#,
            r#"{"before":1}"#,
            r#"{"jti":"a","before":"1"}"#,
            r#"{"jti":"a","before":-1}"#,
            r#"{"jti":"a","before":null}"#,
            r#"{"jti":null}"#,
            r#"{"jti":["a"]}"#,
            r#"{"jti":"a","x":1}"#,
            r#"{"client":"a"}"#,
            r#"{"JTI":"a"}"#,
            r#"{"jti":"a","jti":"a"}"#,
            r#"{"jti":"a"} {"jti":"b"}"#,
            r#"{"jti":"a"},"#,
            r#"{"jti":"a"#,
        ] {
            assert_eq!(list(&format!("{good}{bad}\n{good}")), Err(ListError::Line(2)), "{bad}");
        }
        assert_eq!(RevocationList::parse(b"{\"jti\":\"\xff\"}"), Err(ListError::Line(1)));
        assert!(list("").unwrap().is_empty() && list("\n \n").unwrap().is_empty());
    }

    #[test]
    fn no_more_than_there_is_room_for() {
        let lines = |count: usize| (0..count).map(|n| format!("{{\"jti\":{n}}}\n")).collect::<String>();
        let whole = list(&lines(MAX_REVOCATIONS)).unwrap();
        assert_eq!(whole.len(), MAX_REVOCATIONS);
        assert!(revokes(&whole, r#"{"jti":0}"#) && revokes(&whole, r#"{"jti":"99999"}"#));
        assert!(!revokes(&whole, r#"{"jti":100000}"#));
        assert_eq!(list(&lines(MAX_REVOCATIONS + 1)), Err(ListError::TooMany));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        /// As a list of pairs that is searched from one end to the other.
        #[test]
        fn as_a_slow_list(
            entries in prop::collection::vec((0_u8..4, "[a-c]", prop::option::of(0_u64..4)), 0..12),
            claim in 0_usize..4, value in "[a-d]", iat in prop::option::of(0_u64..5),
        ) {
            let names = ["jti", "sid", "sub", "client_id"];
            let line = |(name, text, before): &(u8, String, Option<u64>)| {
                let before = before.map_or(String::new(), |before| format!(",\"before\":{before}"));
                format!("{{\"{}\":\"{text}\"{before}}}\n", names[usize::from(*name)])
            };
            let list = list(&entries.iter().map(line).collect::<String>()).unwrap();
            let time = iat.map_or(String::new(), |iat| format!(",\"iat\":{iat}"));
            let expected = entries.iter().any(|(name, text, before)| {
                usize::from(*name) == claim && *text == value
                    && before.is_none_or(|before| iat.is_none_or(|iat| iat <= before))
            });
            prop_assert_eq!(revokes(&list, &format!("{{\"{}\":\"{value}\"{time}}}", names[claim])), expected);
        }

        #[test]
        fn no_text_panics(text in "([\\[\\]{}\",:0-9a-z\n]|\"jti\"|\"before\"){0,40}") {
            let _ = list(&text);
        }
    }
}
