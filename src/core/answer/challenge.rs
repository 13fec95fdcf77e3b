//! The `WWW-Authenticate` challenge (RFC 6750 3, RFC 9110 11.6.1).

/// A number, which has no quotes around it (RFC 9470 3).
const UNQUOTED: &str = "max_age";

/// `scheme` with the given parameters, in order; those that are empty are left out.
pub fn challenge(scheme: &str, parameters: &[(&str, &str)]) -> String {
    let mut challenge = scheme.to_owned();
    let mut separator = " ";
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        let quote = if *name == UNQUOTED { "" } else { "\"" };
        challenge.push_str(separator);
        separator = ", ";
        challenge.push_str(name);
        challenge.push('=');
        challenge.push_str(quote);
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                challenge.push('\\');
            }
            challenge.push(c);
        }
        challenge.push_str(quote);
    }
    challenge
}

#[cfg(test)]
mod tests {
    use super::challenge;

    #[test]
    fn rfc_6750_3() {
        for (parameters, expected) in [
            (&[][..], "Bearer"),
            (&[("realm", ""), ("error", "")], "Bearer"),
            (&[("realm", "a \"b\"")], r#"Bearer realm="a \"b\"""#),
            (&[("realm", ""), ("error", "invalid_token")], r#"Bearer error="invalid_token""#),
            (
                &[("realm", "r"), ("error", "e"), ("scope", "s t")],
                r#"Bearer realm="r", error="e", scope="s t""#,
            ),
            (&[("acr_values", "a b"), ("max_age", "300")], r#"Bearer acr_values="a b", max_age=300"#),
        ] {
            assert_eq!(challenge("Bearer", parameters), expected);
        }
        assert_eq!(challenge("Token", &[("error", "e")]), r#"Token error="e""#);
    }
}
