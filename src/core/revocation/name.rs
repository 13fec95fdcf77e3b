//! What of a token can be revoked, and under which name.

use crate::core::signature::alg::Hash;
use crate::core::token::base64url;
use crate::core::token::claims_set::ClaimsSet;

/// What a revocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Revocable {
    /// One token (`jti`, RFC 7519 4.1.7).
    Token,
    /// One session (`sid`, OpenID Connect Front-Channel Logout 3).
    Session,
    /// Everything of a user (`sub`).
    Subject,
    /// Everything of a client (`client_id`, RFC 8693 4.3; `azp`, OpenID Connect Core 2).
    Client,
}

impl Revocable {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Token, Self::Session, Self::Subject, Self::Client];

    /// The directory of its markers.
    #[must_use]
    pub const fn directory(self) -> &'static str {
        match self {
            Self::Token => "jti",
            Self::Session => "sid",
            Self::Subject => "sub",
            Self::Client => "client",
        }
    }

    /// Its member in a list.
    #[must_use]
    pub const fn member(self) -> &'static str {
        match self {
            Self::Token => "jti",
            Self::Session => "sid",
            Self::Subject => "sub",
            Self::Client => "client_id",
        }
    }

    /// The claims that name it.
    const fn claims(self) -> &'static [&'static str] {
        match self {
            Self::Token => &["jti"],
            Self::Session => &["sid"],
            Self::Subject => &["sub"],
            Self::Client => &["client_id", "azp"],
        }
    }

    /// The texts by which `claims` name it, each once. A number counts as it is written.
    pub fn of(self, claims: &ClaimsSet) -> impl Iterator<Item = &str> {
        let text =
            |name: &&str| claims.claim(name).and_then(|value| value.as_str().or_else(|| value.as_number()));
        let first = self.claims().first().and_then(text);
        let second = self.claims().get(1).and_then(text).filter(|second| first != Some(*second));
        first.into_iter().chain(second)
    }
}

/// The name of a marker: whatever the text is, this is no path.
#[must_use]
pub fn of_marker(text: &str) -> String {
    base64url::encode(&Hash::Sha256.digest(&[text.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::{Revocable, of_marker};
    use crate::core::token::claims_set::claims;

    #[test]
    fn what_a_token_names() {
        for (json, expected) in [
            (
                r#"{"jti":"j","sid":"s","sub":"u","client_id":"c","azp":"c"}"#,
                [&["j"][..], &["s"], &["u"], &["c"]],
            ),
            (r#"{"jti":12,"sub":1.50,"azp":"a"}"#, [&["12"], &[], &["1.50"], &["a"]]),
            (r#"{"client_id":"c","azp":"a","sid":["s"],"sub":null}"#, [&[], &[], &[], &["c", "a"]]),
            (r#"{"jti":""}"#, [&[""], &[], &[], &[]]),
        ] {
            let claims = claims(json);
            let found = Revocable::ALL.map(|what| what.of(&claims).collect::<Vec<_>>());
            assert_eq!(found, expected.map(<[_]>::to_vec), "{json}");
        }
    }

    #[test]
    fn a_name_is_never_a_path() {
        // printf %s alice | openssl dgst -sha256 -binary | basenc --base64url | tr -d =
        assert_eq!(of_marker("alice"), "K9gGyX8OAK8aH8Myj6djqSaXI8jbj6xPk69x2xhtbpA");
        for text in ["", ".", "..", "/", "../../etc/passwd", "a/b", "a\0b", "é", &"x".repeat(4096)] {
            let name = of_marker(text);
            assert_eq!(name.len(), 43);
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
        }
    }
}
