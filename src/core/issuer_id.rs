//! Whose keys, tokens and headers something is about.

/// Position of a trusted issuer in the [`Policy`](crate::core::policy::Policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IssuerId(pub usize);

/// Whether two issuers are the same but for a slash at the end of one: to a comparison byte for byte (RFC 8725 3.8) as
/// different as any two, and the mistake that is made most.
pub fn differ_by_trailing_slash(one: &str, other: &str) -> bool {
    one.strip_suffix('/') == Some(other) || other.strip_suffix('/') == Some(one)
}

#[cfg(test)]
mod tests {
    use super::differ_by_trailing_slash;

    #[test]
    fn one_slash_at_one_end() {
        for (one, other, expected) in [
            ("https://a.example", "https://a.example/", true),
            ("https://a.example/", "https://a.example", true),
            ("https://a.example/", "https://a.example/", false),
            ("https://a.example", "https://a.example//", false),
            ("https://a.example", "https://b.example/", false),
        ] {
            assert_eq!(differ_by_trailing_slash(one, other), expected, "{one} {other}");
        }
    }
}
