//! What messages say of the project itself.

/// The version of this module.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The page about all options, for messages that refer to it.
pub const CONFIGURATION_PAGE: &str =
    "https://github.com/traefik-jwt-auth/jwt/blob/main/docs/configuration.md";
