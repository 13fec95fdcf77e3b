//! The `WWW-Authenticate` challenge (RFC 6750 3, RFC 9110 11.6.1).

/// `Bearer` with the given parameters; those that are empty are left out.
#[must_use]
pub fn bearer(realm: &str, error: &str, description: &str) -> String {
    let mut challenge = String::from("Bearer");
    let mut separator = ' ';
    for (name, value) in [("realm", realm), ("error", error), ("error_description", description)] {
        if value.is_empty() {
            continue;
        }
        challenge.push(separator);
        if separator == ',' {
            challenge.push(' ');
        }
        separator = ',';
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
    use super::bearer;

    #[test]
    fn rfc_6750_3() {
        for (realm, error, description, expected) in [
            ("", "", "", "Bearer"),
            ("a \"b\"", "", "", r#"Bearer realm="a \"b\"""#),
            ("", "invalid_token", "", r#"Bearer error="invalid_token""#),
            ("r", "e", "d", r#"Bearer realm="r", error="e", error_description="d""#),
        ] {
            assert_eq!(bearer(realm, error, description), expected);
        }
    }
}
