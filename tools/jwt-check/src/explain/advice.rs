//! What to do about a refusal: the sentence that docs/errors.md has.

const PAGE: &str = include_str!("../../../../docs/errors.md");

/// The last cell of the row of `code`, without its links.
pub(super) fn about(code: &str) -> String {
    let start = format!("| `{code}` | ");
    let row = PAGE.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
    let cell = row.trim_end_matches(['|', ' ']).rsplit(" | ").next().unwrap_or_default();
    without_links(cell)
}

/// `[text](target)` is `text`.
fn without_links(text: &str) -> String {
    let link = text.split_once('[').and_then(|(before, rest)| {
        let (name, rest) = rest.split_once("](")?;
        let (_, rest) = rest.split_once(')')?;
        Some(format!("{before}{name}{}", without_links(rest)))
    });
    link.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::about;

    #[test]
    fn rows() {
        assert_eq!(about("token_too_old"), "Sign in again.");
        assert!(!about("keys_unavailable").contains("]("), "{}", about("keys_unavailable"));
        assert_eq!(about("unheard_of"), "");
    }
}
