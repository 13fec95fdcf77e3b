//! Values that may be kept outside of the configuration: `env:NAME`, `file:/path`.

use crate::core::config::capabilities::Capabilities;
use crate::core::config::error::Errors;

/// A value that may be kept outside of the configuration.
pub(super) enum Outside {
    /// The value itself.
    Inline(String),
    /// In this file, read when it is needed.
    File(String),
}

/// Whether a text says where the value is.
pub(super) fn is_elsewhere(text: &str) -> bool {
    ["env:", "file:", "urn:k8s:secret:"].iter().any(|place| text.starts_with(place))
}

/// Whether such a reference is anywhere in a text, in upper or lower case: at the beginning of a word, and followed by a
/// name or a path.
pub(super) fn mentions_elsewhere(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let begins_word = |at: usize| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    let is_place = |(at, place): (usize, &str)| {
        let next = text.get(at.saturating_add(place.len())..).and_then(|rest| rest.chars().next());
        let names = match place {
            "file:" => next == Some('/'),
            _ => next.is_some_and(|c| c.is_ascii_alphabetic() || c == '_'),
        };
        begins_word(at) && names
    };
    ["env:", "file:", "urn:k8s:secret:"].iter().any(|place| text.match_indices(place).any(is_place))
}

/// Follows `env:NAME`; leaves `file:/path` for when the content is needed, because a file may change or be absent
/// for a moment.
pub(super) fn outside(
    path: &str,
    text: &str,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<Outside> {
    if let Some(name) = text.strip_prefix("env:") {
        let name = name.trim_end();
        let value = (capabilities.env)(name).filter(|value| !value.is_empty());
        if value.is_none() {
            // A text that is not a name may be the secret itself.
            let found = if is_name(name) {
                format!("env:{name}, which is not set")
            } else {
                "no name behind env:".to_owned()
            };
            errors.value(path, found, "a variable that settings.envs of the plugin forwards");
        }
        return value.map(Outside::Inline);
    }
    if let Some(file) = text.strip_prefix("file:") {
        let file = file.trim_end();
        if !file.starts_with('/') {
            errors.value(
                path,
                "no absolute path behind file:",
                "file: and an absolute path below settings.mounts",
            );
            return None;
        }
        return Some(Outside::File(file.to_owned()));
    }
    if text.starts_with("urn:k8s:secret:") {
        errors.value(
            path,
            "urn:k8s:secret:, which only Traefik's Kubernetes CRD provider resolves",
            "the value itself, env:NAME or file:/path",
        );
        return None;
    }
    Some(Outside::Inline(text.to_owned()))
}

/// The name of a variable (POSIX.1-2017 8.1) of usual length.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::mentions_elsewhere;

    #[test]
    fn a_place_is_found_anywhere_in_a_text() {
        for text in [
            "file:/x",
            "x file:/y z",
            "token=file:/x",
            "(env:NAME)",
            "a,ENV:_x",
            "\tFile:/x",
            "k=urn:k8s:secret:a:b",
            "é env:NAME",
        ] {
            assert!(mentions_elsewhere(text), "{text}");
        }
        for text in [
            "",
            "Bearer abc",
            "profile:/x",
            "file: none",
            "my-env:name",
            "env: 1",
            "env:",
            "x.file:/y",
            "env:é",
        ] {
            assert!(!mentions_elsewhere(text), "{text}");
        }
    }
}
