//! Values that may be kept outside of the configuration: `env:NAME`, `file:/path`.

use crate::core::config::capabilities::Capabilities;
use crate::core::config::error::Errors;

/// A value that may be kept outside of the configuration.
pub(super) enum Outside {
    /// Here after all.
    Inline(String),
    /// In this file, read when it is needed.
    File(String),
}

/// Whether a text says where the value is.
pub(super) fn is_elsewhere(text: &str) -> bool {
    ["env:", "file:", "urn:k8s:secret:"].iter().any(|place| text.starts_with(place))
}

/// Follows `env:NAME`; leaves `file:/path` for when the content is needed, because a file may change or be absent
/// for a moment.
pub(super) fn outside(
    path: &str,
    text: String,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<Outside> {
    if let Some(name) = text.strip_prefix("env:") {
        let name = name.trim_end();
        let value = (capabilities.env)(name).filter(|value| !value.is_empty());
        if value.is_none() {
            // What is no name may be the secret itself.
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
    Some(Outside::Inline(text))
}

/// The name of a variable (POSIX.1-2017 8.1), and no longer than people make them.
fn is_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
