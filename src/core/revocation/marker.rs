//! Markers: files whose presence revokes (`revocation.directory`). Any script can make one with `touch`.

use crate::core::refusal::Refusal;
use crate::core::revocation::name::{self, Revocable};
use crate::core::token::claims_set::ClaimsSet;
use crate::core::unix_time::UnixTime;

/// `revocation.directory`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkerRules {
    /// The directory, below a mount.
    pub directory: String,
    /// What becomes of requests while it is not there.
    pub missing: Missing,
}

/// `revocation.onMissing`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Missing {
    /// They are refused: it is unknown who has been revoked.
    #[default]
    Refuse,
    /// They go on.
    Accept,
}

/// What is known of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is something, last changed at this time.
    At(UnixTime),
    /// There is nothing.
    Nothing,
    /// Unknown.
    Unknown,
}

/// The mounts, as markers are looked for.
pub trait Markers {
    /// What is at `path`, symbolic links followed.
    fn find(&self, path: &str) -> Found;
}

/// A marker that would revoke a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    what: Revocable,
    path: Box<str>,
}

impl Marker {
    /// All that would revoke a token with these claims, below `directory`.
    #[must_use]
    pub fn all_of(claims: &ClaimsSet, directory: &str) -> Box<[Self]> {
        let path = |what: Revocable, text: &str| {
            [directory, what.directory(), &name::of_marker(text)].join("/").into_boxed_str()
        };
        let of = |what: Revocable| what.of(claims).map(move |text| Self { what, path: path(what, text) });
        Revocable::ALL.into_iter().flat_map(of).collect()
    }

    /// Bytes held.
    #[must_use]
    pub fn memory(&self) -> usize {
        size_of::<Self>().saturating_add(self.path.len())
    }
}

/// Refuses a token that one of `own`, the markers of its claims, revokes.
///
/// # Errors
/// `token_revoked`, `revocation_unavailable`.
pub fn check(
    claims: &ClaimsSet,
    rules: &MarkerRules,
    own: &[Marker],
    markers: &dyn Markers,
) -> Result<(), Refusal> {
    let unavailable = match rules.missing {
        Missing::Refuse => Err(Refusal::RevocationUnavailable),
        Missing::Accept => Ok(()),
    };
    // A directory that is not there has no markers, which is no permission. Nor is one that cannot be read.
    if !matches!(markers.find(&rules.directory), Found::At(_)) {
        return unavailable;
    }
    for Marker { what, path } in own {
        match markers.find(path) {
            Found::Nothing => {}
            Found::Unknown => unavailable.clone()?,
            Found::At(marked) if is_revoked(*what, claims, marked) => return Err(Refusal::TokenRevoked),
            Found::At(_) => {}
        }
    }
    Ok(())
}

/// Tokens and sessions end for good. Users and clients get new tokens: what was issued up to the marker is revoked, and what
/// does not say when it was issued. A token says that in whole seconds, so one of the marker's own second counts as earlier.
fn is_revoked(what: Revocable, claims: &ClaimsSet, marked: UnixTime) -> bool {
    match what {
        Revocable::Token | Revocable::Session => true,
        Revocable::Subject | Revocable::Client => {
            let iat = claims.numeric_date("iat").ok().flatten();
            iat.is_none_or(|iat| iat <= marked)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, Marker, MarkerRules, Markers, Missing, check};
    use crate::core::refusal::Refusal;
    use crate::core::revocation::name::of_marker;
    use crate::core::token::claims_set::claims;
    use crate::core::unix_time::UnixTime;
    use std::collections::BTreeMap;

    struct Files(BTreeMap<String, Found>);

    impl Markers for Files {
        fn find(&self, path: &str) -> Found {
            self.0.get(path).copied().unwrap_or(Found::Nothing)
        }
    }

    #[test]
    fn a_marker_counts_its_path() {
        let own = Marker::all_of(&claims(r#"{"sub": "alice"}"#), "/revoked");
        let [marker] = &*own else { panic!("{own:?}") };
        assert_eq!(marker.memory(), size_of::<Marker>() + "/revoked/sub/".len() + of_marker("alice").len());
    }

    fn at(millis: u64) -> Found {
        Found::At(UnixTime::from_millis(millis))
    }

    fn files(markers: &[(&str, &str, Found)]) -> Files {
        let path = |(folder, text, found): &(&str, &str, Found)| {
            (format!("/revoked/{folder}/{}", of_marker(text)), *found)
        };
        Files(markers.iter().map(path).chain([("/revoked".into(), at(0))]).collect())
    }

    const REFUSE: Missing = Missing::Refuse;

    fn result(json: &str, files: &Files, missing: Missing) -> Result<(), Refusal> {
        let (claims, rules) = (claims(json), MarkerRules { directory: "/revoked".into(), missing });
        check(&claims, &rules, &Marker::all_of(&claims, "/revoked"), files)
    }

    #[test]
    fn each_claim_has_its_markers() {
        let token = r#"{"jti":"j","sid":"s","sub":"u","azp":"c","client_id":"d","iat":100}"#;
        for (folder, text, marked, expected) in [
            ("jti", "j", at(0), Err(Refusal::TokenRevoked)),
            ("sid", "s", at(0), Err(Refusal::TokenRevoked)),
            ("sub", "u", at(99_999), Ok(())),
            ("sub", "u", at(100_000), Err(Refusal::TokenRevoked)),
            ("sub", "u", at(100_500), Err(Refusal::TokenRevoked)),
            ("client", "c", at(100_000), Err(Refusal::TokenRevoked)),
            ("client", "d", at(100_000), Err(Refusal::TokenRevoked)),
            ("client", "c", at(99_000), Ok(())),
            ("jti", "s", at(0), Ok(())),
            ("sid", "j", at(0), Ok(())),
            ("sub", "U", at(200_000), Ok(())),
            ("jti", "j", Found::Unknown, Err(Refusal::RevocationUnavailable)),
        ] {
            let found = result(token, &files(&[(folder, text, marked)]), REFUSE);
            assert_eq!(found, expected, "{folder} {text} {marked:?}");
        }
    }

    #[test]
    fn a_sub_marker_at_t_refuses_iat_t_and_passes_t_plus_1() {
        let files = files(&[("sub", "u", at(1_000_000))]);
        for (iat, expected) in [
            (r#","iat":999"#, Err(Refusal::TokenRevoked)),
            (r#","iat":1000"#, Err(Refusal::TokenRevoked)),
            (r#","iat":1000.5"#, Ok(())),
            (r#","iat":1001"#, Ok(())),
            ("", Err(Refusal::TokenRevoked)),
            (r#","iat":"1001""#, Err(Refusal::TokenRevoked)),
        ] {
            assert_eq!(result(&format!(r#"{{"sub":"u"{iat}}}"#), &files, REFUSE), expected, "{iat}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_refuses() {
        let token = r#"{"jti":"j"}"#;
        for state in [Found::Nothing, Found::Unknown] {
            let gone = Files(BTreeMap::from([("/revoked".into(), state)]));
            assert_eq!(result(token, &gone, REFUSE), Err(Refusal::RevocationUnavailable));
            assert_eq!(result(token, &gone, Missing::Accept), Ok(()));
        }
        let unreadable = files(&[("jti", "j", Found::Unknown)]);
        assert_eq!(result(token, &unreadable, Missing::Accept), Ok(()));
        assert_eq!(result("{}", &files(&[]), REFUSE), Ok(()));
    }
}
