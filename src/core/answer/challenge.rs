//! The `WWW-Authenticate` challenge (RFC 6750 3, RFC 9110 11.6.1).

/// `scheme` with the given parameters, in order; those that are empty are left out.
pub fn challenge(scheme: &str, parameters: &[(&str, &str)]) -> String {
    let mut challenge = scheme.to_owned();
    let mut separator = " ";
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        challenge.push_str(separator);
        separator = ", ";
        challenge.push_str(name);
        challenge.push_str("=\"");
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                challenge.push('\\');
            }
            challenge.push(c);
        }
        challenge.push('"');
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
        ] {
            assert_eq!(challenge("Bearer", parameters), expected);
        }
        assert_eq!(challenge("Token", &[("error", "e")]), r#"Token error="e""#);
    }
}
