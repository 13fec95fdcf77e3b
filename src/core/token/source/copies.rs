//! Copies of the one cookie that holds the token: a browser sends a cookie of its host and one of the domain above under
//! one name.

use crate::core::limits::MAX_COOKIE_COPIES;
use crate::core::refusal::Refusal;
use crate::core::request::rewritten::{Rewritten, RewrittenHeader};
use crate::core::request::{RequestView, cookie, header_name};
use crate::core::token::source::characters::are_of_token;
use crate::core::token::source::found::FoundToken;
use crate::core::token::source::places::{Form, TokenPlace};
use crate::core::token::source::search::cookie_lines;
use crate::core::token::source::strip::Stripped;

impl FoundToken<'_> {
    /// Each of the copies as the token of the request, in order.
    #[must_use]
    pub fn copies(&self) -> Vec<Self> {
        (std::iter::once(&self.token).chain(&self.others))
            .map(|token| Self {
                token: token.clone(),
                places: self.places.clone(),
                others: Vec::new(),
                has_strays: true,
            })
            .collect()
    }
}

/// A cookie without a value is what a sign-out leaves; it is not a token.
pub(super) fn in_cookie<'p>(
    request: &dyn RequestView,
    name: &str,
    form: &Form,
    places: usize,
) -> Result<Option<FoundToken<'p>>, Refusal> {
    let lines = cookie_lines(request, places).ok_or(Refusal::CredentialsMalformed)?;
    let values = lines.iter().flat_map(|line| cookie::values(line, name)).filter(|value| !value.is_empty());
    let mut tokens: Vec<&[u8]> = Vec::new();
    let (mut is_malformed, mut has_strays) = (false, false);
    for value in values {
        match in_cookie_value(value, form) {
            Ok(Some(token)) if tokens.contains(&token) => {}
            Ok(Some(_)) if tokens.len() >= MAX_COOKIE_COPIES => return Err(Refusal::TokenRepeated),
            Ok(Some(token)) => tokens.push(token),
            Ok(None) => has_strays = true,
            Err(_) => (is_malformed, has_strays) = (true, true),
        }
    }
    let mut tokens = tokens.into_iter().map(<[u8]>::to_vec);
    let Some(token) = tokens.next() else {
        return if is_malformed { Err(Refusal::CookieMalformed) } else { Ok(None) };
    };
    let others: Vec<_> = tokens.collect();
    has_strays |= !others.is_empty();
    Ok(Some(FoundToken { token, places: Vec::new(), others, has_strays }))
}

/// The token in the value of a cookie. Between the scheme and it is a blank, or what becomes of one in an encoded value.
/// `None` for another scheme.
fn in_cookie_value<'v>(value: &'v [u8], form: &Form) -> Result<Option<&'v [u8]>, Refusal> {
    let mut token = value;
    let without_blank =
        |text: &'v [u8]| [&b" "[..], b"+", b"%20"].into_iter().find_map(|blank| text.strip_prefix(blank));
    match form.behind_scheme(value).filter(|rest| without_blank(rest).is_some()) {
        Some(mut rest) => {
            while let Some(behind) = without_blank(rest) {
                rest = behind;
            }
            token = rest;
        }
        None if form.takes_bare() => {}
        None => return Ok(None),
    }
    if token.is_empty() || !are_of_token(token) {
        return Err(Refusal::CookieMalformed);
    }
    Ok(Some(token))
}

/// The request with no other copy of the cookie than those that hold the token: another one may be what a back end reads.
#[must_use]
pub fn without_strays(found: &FoundToken<'_>, request: &dyn RequestView) -> Stripped {
    let mut stripped = Stripped::default();
    let mut lines = request.header_values("Cookie");
    for place in &found.places {
        if let TokenPlace::Cookie { name, form } = place {
            let is_token = |value: &[u8]| in_cookie_value(value, form) == Ok(Some(&found.token));
            lines = cookie::retain(&lines, name, is_token).into_iter().collect();
        }
    }
    stripped.remove.extend(header_name::spellings(request, "Cookie").map(str::to_owned));
    let left = lines.pop().map(|value| Rewritten { header: RewrittenHeader::Cookie, value });
    stripped.rewritten.extend(left);
    stripped
}

#[cfg(test)]
mod tests {
    use super::without_strays;
    use crate::core::token::source::examples::request;
    use crate::core::token::source::{TokenPlace, TokenSources, find};

    #[test]
    fn only_the_token_is_left_of_several_copies() {
        let sources = TokenSources {
            places: vec![TokenPlace::Cookie { name: "jwt".into(), form: "Bearer?".into() }],
            max_bytes: 8,
        };
        for (lines, expected) in [
            (&["Cookie: a=1; jwt=new; jwt=old; b=2"][..], Some("a=1; jwt=new; b=2")),
            (&["Cookie: jwt=old; JWT[]=x; a=1", "Cookie: jwt=Bearer%20new"], Some("a=1; jwt=Bearer%20new")),
            (&["Cookie: jwt=; jwt=a b; jwt=new"], Some("jwt=new")),
            // If a back end might find another token beside it, no copy is left.
            (&["Cookie: jwt=old; a=1 jwt=new, jwt=old"], None),
        ] {
            let request = request("/", lines);
            let found = find(&sources, &request).unwrap();
            let copies = found.copies();
            let new = copies.iter().find(|copy| copy.token == b"new").unwrap();
            let left = without_strays(new, &request);
            let cookie = left.rewritten.first().map(|left| String::from_utf8(left.value.clone()).unwrap());
            assert_eq!(cookie.as_deref(), expected, "{lines:?}");
            assert_eq!(left.remove, ["Cookie"]);
        }
    }
}
