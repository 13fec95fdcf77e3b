//! What a configuration may count on.

/// What the artifact and its host can do. A configuration must compile to the same in every instance, so nothing
/// here may change while Traefik runs.
pub struct Capabilities<'a> {
    /// Whether URLs can be fetched (`plugin.wasm`).
    pub fetch: bool,
    /// The environment as forwarded by `settings.envs`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}
