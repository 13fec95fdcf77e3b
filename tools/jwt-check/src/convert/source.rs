//! Which middleware a block is of.

use serde_json::Value;

/// A middleware that is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Traefik Hub's JWT middleware.
    Hub,
    /// agilezebra/jwt-middleware.
    Agilezebra,
    /// traefik-plugins/traefik-jwt-plugin.
    JwtPlugin,
}

/// Options of Traefik Hub that are none here.
const HUB_ALONE: &[&str] = &["usernameClaim", "stripAuthorizationHeader"];

/// Options of Traefik Hub.
const HUB: &[&str] = &[
    "jwksUrl",
    "jwksFile",
    "publicKey",
    "signingSecret",
    "signingSecretBase64Encoded",
    "claims",
    "forwardHeaders",
    "forwardAuthorization",
    "tokenQueryKey",
    "tokenKey",
    "clientConfig",
    "trustedIssuers",
];

const AGILEZEBRA: &[&str] = &[
    "issuers",
    "secret",
    "secrets",
    "secretBase64Encoded",
    "skipPrefetch",
    "delayPrefetch",
    "refreshKeysInterval",
    "require",
    "headerMap",
    "removeMissingHeaders",
    "cookieName",
    "headerName",
    "parameterName",
    "redirectUnauthorized",
    "redirectForbidden",
    "freshness",
    "forwardToken",
    "optional",
    "unauthenticatedMethods",
    "insecureSkipVerify",
    "rootCAs",
    "validMethods",
    "logUnauthorized",
];

const JWT_PLUGIN: &[&str] = &[
    "Keys",
    "Alg",
    "Iss",
    "Aud",
    "PayloadFields",
    "Required",
    "JwtHeaders",
    "JwtCookieKey",
    "JwtQueryKey",
    "JwtSources",
    "JwksHeaders",
    "JwksFetchTimeoutSecs",
    "ForceRefreshKeys",
    "OpaUrl",
    "OpaAllowField",
    "OpaBody",
    "OpaDebugMode",
    "OpaHeaders",
    "OpaResponseHeaders",
    "OpaHttpStatusField",
];

impl Source {
    /// By the name that `--from` takes.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "hub" | "traefik-hub" => Some(Self::Hub),
            "agilezebra" | "jwt-middleware" => Some(Self::Agilezebra),
            "traefik-jwt-plugin" | "jwt-plugin" => Some(Self::JwtPlugin),
            _ => None,
        }
    }

    /// What it is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hub => "Traefik Hub",
            Self::Agilezebra => "agilezebra/jwt-middleware",
            Self::JwtPlugin => "traefik-jwt-plugin",
        }
    }
}

/// The middleware that has most of these options, if it has one that no other and this one do not have.
#[must_use]
pub fn of(options: &Value) -> Option<Source> {
    let count = |names: &[&str], same: fn(&str, &str) -> bool| {
        let members = options.as_object().into_iter().flatten();
        members.filter(|(name, _)| names.iter().any(|known| same(known, name))).count()
    };
    // Traefik finds the options of plugins in Go without case; `keys` is an option here.
    let others: Vec<&str> = JWT_PLUGIN.iter().copied().filter(|name| *name != "Keys").collect();
    let jwt_plugin = count(&others, str::eq_ignore_ascii_case)
        .saturating_add(count(&["Keys"], |known, name| known == name));
    let best = [
        (count(AGILEZEBRA, str::eq_ignore_ascii_case), Source::Agilezebra),
        (jwt_plugin, Source::JwtPlugin),
        (count(HUB_ALONE, |known, name| known == name), Source::Hub),
    ];
    best.into_iter().filter(|(count, _)| *count > 0).max_by_key(|(count, _)| *count).map(|(_, source)| source)
}

/// Whether Traefik Hub has all of these options.
pub(super) fn is_hub(options: &Value) -> bool {
    let known = |name: &String| HUB.iter().chain(HUB_ALONE).any(|known| known == name);
    options.as_object().is_some_and(|members| !members.is_empty() && members.keys().all(known))
}

#[cfg(test)]
mod tests {
    use super::{Source, is_hub, of};
    use serde_json::json;

    #[test]
    fn by_the_names() {
        for (options, expected) in [
            (json!({"issuers": ["https://a"], "require": {}}), Some(Source::Agilezebra)),
            (json!({"Keys": ["https://a"]}), Some(Source::JwtPlugin)),
            (json!({"payloadfields": ["exp"], "keys": "a"}), Some(Source::JwtPlugin)),
            (json!({"jwksUrl": "https://a", "usernameClaim": "sub"}), Some(Source::Hub)),
            (json!({"jwksUrl": "https://a", "keys": {"a": "b"}}), None),
        ] {
            assert_eq!(of(&options), expected, "{options}");
        }
        assert!(is_hub(&json!({"jwksUrl": "https://a", "claims": "x"})));
        assert!(!is_hub(&json!({"jwksUrl": "https://a", "issuer": "x"})) && !is_hub(&json!({})));
    }
}
