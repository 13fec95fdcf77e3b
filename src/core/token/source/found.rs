//! A token that was found, and how it is read.

use crate::core::refusal::Refusal;
use crate::core::request::header_name;
use crate::core::token::jws::{self, Padding, UnverifiedToken};
use crate::core::token::source::characters::are_of_token;
use crate::core::token::source::places::{TokenPlace, TokenSources};

/// A token and where it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundToken<'p> {
    /// The bytes of the token, not empty and not checked any further.
    pub token: Vec<u8>,
    /// Every place that holds it, at least one.
    pub places: Vec<&'p TokenPlace>,
    /// Other tokens in other copies of the one cookie that holds this one. A browser sends a cookie of its host and one of
    /// the domain above under one name, in an order that says nothing, and one of them may be old.
    pub others: Vec<Vec<u8>>,
    /// Whether there are copies with something else, which a back end must not find instead of the token.
    pub has_strays: bool,
}

impl FoundToken<'_> {
    /// What it says. Apart from [`find`](super::find()), because the bytes of a known token need not be checked
    /// again.
    ///
    /// # Errors
    /// `token_repeated` if it is a list, `scheme_unexpected` if it contains a scheme, `credentials_malformed` for other
    /// characters that no token has; `token_too_large`; those of [`jws::parse`].
    pub fn parse(&self, sources: &TokenSources) -> Result<UnverifiedToken<'_>, Refusal> {
        self.check(sources)?;
        jws::parse_with(&self.token, self.padding())
    }

    /// Its content, or `None` without a reason: for the log.
    pub fn read(&self, sources: &TokenSources) -> Option<UnverifiedToken<'_>> {
        let is_small = self.token.len() <= sources.max_bytes;
        is_small.then(|| jws::parse_with(&self.token, self.padding()).ok())?
    }

    /// `signer` of its header, in which AWS's load balancers name themselves. The token has been parsed.
    pub fn signer(&self) -> Option<String> {
        let header = jws::written_header(&self.token)?;
        header.root().member("signer")?.as_str().map(str::to_owned)
    }

    /// Whether what an earlier request found out about the same bytes holds here: not if they have padding that another
    /// place accepts and this one does not.
    #[must_use]
    pub fn may_be_known(&self, sources: &TokenSources) -> bool {
        let somewhere = sources.places.iter().any(|place| place.padding() == Padding::Accept);
        !somewhere || self.padding() == Padding::Accept || !self.token.contains(&b'=')
    }

    /// What every place that holds it accepts.
    fn padding(&self) -> Padding {
        let everywhere = self.places.iter().all(|place| place.padding() == Padding::Accept);
        if everywhere && !self.places.is_empty() { Padding::Accept } else { Padding::Refuse }
    }

    /// Checks that it is a b64token (RFC 6750 2.1) and not too long.
    pub(super) fn check(&self, sources: &TokenSources) -> Result<(), Refusal> {
        if !are_of_token(&self.token) {
            // `Bearer a, Bearer b` is what several lines become behind some proxies.
            let several = self.token.iter().any(|byte| matches!(byte, b' ' | b'\t' | b','));
            // `Bearer Bearer a` is one token for all that.
            let blank = self.token.iter().position(|byte| *byte == b' ');
            let word = blank.and_then(|end| self.token.get(..end));
            return Err(if word.is_some_and(is_scheme) {
                Refusal::SchemeUnexpected
            } else if several {
                Refusal::TokenRepeated
            } else {
                Refusal::CredentialsMalformed
            });
        }
        if self.token.len() > sources.max_bytes {
            return Err(Refusal::TokenTooLarge { bytes: self.token.len() });
        }
        Ok(())
    }
}

/// Whether `word`, which a blank follows, is an authentication scheme and no token.
pub(super) fn is_scheme(word: &[u8]) -> bool {
    let dots = word.iter().filter(|byte| **byte == b'.').count();
    dots < 2 && std::str::from_utf8(word).is_ok_and(header_name::is_field_name)
}

#[cfg(test)]
mod tests {
    use super::{FoundToken, Padding, TokenPlace, TokenSources};
    use crate::core::refusal::Refusal;
    use crate::core::token::source::Form;
    use crate::core::token::source::examples::header;

    #[test]
    fn a_token_may_be_as_long_as_configured() {
        let sources = TokenSources { places: vec![], max_bytes: 5 };
        for (token, expected) in [
            ("a.b.c", Ok(())),
            ("a.b.cd", Err(Refusal::TokenTooLarge { bytes: 6 })),
            ("a.b.c a.b.c", Err(Refusal::TokenRepeated)),
            ("Bearer a.b.c", Err(Refusal::SchemeUnexpected)),
            ("a.b.c%", Err(Refusal::CredentialsMalformed)),
        ] {
            let found = FoundToken { token: token.into(), ..FoundToken::default() };
            assert_eq!(found.check(&sources), expected, "{token}");
        }
    }

    #[test]
    fn a_log_reads_what_is_not_too_long() {
        let token = b"eyJhbGciOiJIUzI1NiIsInNpZ25lciI6ImFybiJ9.eyJpc3MiOiJhIn0.AAAA";
        let found = FoundToken { token: token.to_vec(), ..FoundToken::default() };
        for (max_bytes, expected) in [(token.len(), true), (token.len() - 1, false)] {
            let read = found.read(&TokenSources { places: vec![], max_bytes });
            let iss = read.map(|read| read.claimed.payload().to_owned());
            assert_eq!(iss, expected.then(|| r#"{"iss":"a"}"#.to_owned()), "{max_bytes}");
        }
        assert_eq!(found.signer().as_deref(), Some("arn"));
        let unsigned =
            FoundToken { token: b"eyJhbGciOiJIUzI1NiJ9.e30.AAAA".to_vec(), ..FoundToken::default() };
        assert_eq!(unsigned.signer(), None);
    }

    #[test]
    fn padding_is_taken_where_every_place_takes_it() {
        let padded = b"eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJhIn0=.AAA=";
        let strict = header("X-Token", "");
        let form = Form { padding: Padding::Accept, ..Form::default() };
        let lenient = TokenPlace::Header { name: "X-Amzn".into(), form };
        let sources = TokenSources { places: vec![], max_bytes: 99 };
        for (places, expected) in
            [(vec![&lenient], true), (vec![&strict], false), (vec![&lenient, &strict], false)]
        {
            let found = FoundToken { token: padded.to_vec(), places, ..FoundToken::default() };
            assert_eq!(found.parse(&sources).is_ok(), expected);
        }
    }

    /// An earlier request had the bytes at a place that takes padding.
    #[test]
    fn what_another_place_found_out_does_not_count_for_padding_that_this_one_refuses() {
        let strict = || header("X-Token", "");
        let form = Form { padding: Padding::Accept, ..Form::default() };
        let lenient = || TokenPlace::Header { name: "X-Amzn".into(), form: form.clone() };
        let (at_lenient, at_strict) = (lenient(), strict());
        for (places, found_at, token, expected) in [
            (vec![strict()], &at_strict, "a.b.c", true),
            (vec![strict()], &at_strict, "a.b.c=", true),
            (vec![strict(), lenient()], &at_strict, "a.b.c", true),
            (vec![strict(), lenient()], &at_strict, "a.b.c=", false),
            (vec![strict(), lenient()], &at_lenient, "a.b.c=", true),
            (vec![lenient()], &at_lenient, "a.b.c=", true),
        ] {
            let sources = TokenSources { places, max_bytes: 99 };
            let found = FoundToken { token: token.into(), places: vec![found_at], ..FoundToken::default() };
            assert_eq!(found.may_be_known(&sources), expected, "{token} {:?}", sources.places);
        }
    }
}
