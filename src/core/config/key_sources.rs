//! Options that say where keys come from, at the top level and in `trustedIssuers`.

use crate::core::config::accepted::IssuerNames;
use crate::core::config::client::{Client, Shared};
use crate::core::config::coerce::{Section, Shown, found, nested};
use crate::core::config::error::Errors;
use crate::core::config::outside::{Outside, outside};
use crate::core::config::{schema, url};
use crate::core::issuer_id::differ_by_trailing_slash;
use crate::core::json::{Kind, Value};
use crate::core::jwk::lookup::{KeyFormat, KeyLocation, KeySource, RemoteKeys};
use crate::core::jwk::{Jwk, JwkSet, JwkSetError, Origin, pem, secret};
use crate::core::signature::alg::Alg;
use crate::core::text::quoted;
use crate::core::url::Origin as Server;

/// Key sources of one issuer.
pub(super) struct KeySources {
    sources: Vec<KeySource>,
}

/// Sources of `section`, in the order jwksUrl, discovery, jwks, jwksFile, publicKey, signingSecret, keys. `issuers` are
/// the accepted values of `iss`.
#[inline(never)]
pub(super) fn compile(
    section: &Section,
    issuers: &IssuerNames,
    client: &Client,
    shared: &Shared<'_>,
    errors: &mut Errors,
) -> KeySources {
    let told = errors.len();
    let sources = [
        remote(section, issuers, client, shared, errors),
        inline_set(section, shared, errors),
        set_file(section, shared, errors),
        public_key(section, shared, errors),
        signing_secret(section, shared, errors),
    ];
    let mut sources: Vec<KeySource> = sources.into_iter().flatten().collect();
    sources.extend(named_keys(section, shared, errors));
    let sources = KeySources { sources };
    // Where a source was refused, its own error is the one to mend.
    let misnamed = errors.misnamed(&section.path(""), &["jwksUrl", "discovery"]);
    if sources.home().is_none() && errors.len() == told && !misnamed {
        client.refuse_unused(errors);
    }
    sources
}

/// Whether a source is there under a name that is none, or one that needs the issuer while that has such a name.
pub(super) fn are_misnamed(section: &Section, errors: &Errors) -> bool {
    let path = section.path("");
    let needs_issuer = section.has("discovery") || section.has("jwksUrl");
    errors.misnamed(&path, schema::SOURCES) || (needs_issuer && errors.misnamed(&path, &["issuer"]))
}

/// `jwksUrl` or `discovery`.
#[inline(never)]
fn remote(
    section: &Section,
    issuers: &IssuerNames,
    client: &Client,
    shared: &Shared<'_>,
    errors: &mut Errors,
) -> Option<KeySource> {
    let discovers = section.boolean("discovery", false, errors);
    let url = section.text("jwksUrl", Shown::Plain, errors);
    let option = if url.is_some() { "jwksUrl" } else { "discovery" };
    let has_issuer = !issuers.exact.is_empty() || !errors.misnamed(&section.path(""), &["issuer"]);
    let is_relative = url.as_ref().is_some_and(|url| !url.contains("://"));
    if !issuers.templates.is_empty() && (discovers || is_relative) {
        errors.conflict(
            section.path("issuer"),
            "has {tenant} in it, and a token must not choose where keys come from; set jwksUrl to one absolute URL",
        );
        return None;
    }
    let location = match (url, discovers) {
        (None, false) => return None,
        // The name of the issuer is what to mend.
        (None, true) if !has_issuer => return None,
        (Some(_), false) if is_relative && !has_issuer => return None,
        (Some(_), true) => {
            errors.conflict(
                section.path("discovery"),
                "finds the URL that jwksUrl already gives; keep one of them",
            );
            return None;
        }
        (Some(url), false) => KeyLocation::Url(url::absolute(
            &url,
            &issuers.exact,
            &section.path(option),
            client.allows_http(),
            errors,
        )?),
        (None, true) => {
            let issuer = match issuers.exact.as_slice() {
                [issuer] => issuer,
                [issuer, other] if differ_by_trailing_slash(issuer, other) => issuer,
                _ => {
                    errors.conflict(
                        section.path(option),
                        "needs exactly one issuer, whose metadata is fetched, or one with and without a trailing slash; \
                         write others as trustedIssuers",
                    );
                    return None;
                }
            };
            let path = section.path("issuer");
            let url = url::check(issuer, &path, client.allows_http(), errors)?;
            if url.target != url.path() {
                errors.value(path, quoted(issuer), "a URL without a query, for discovery");
                return None;
            }
            KeyLocation::Discovery { issuers: issuers.exact.clone(), url }
        }
    };
    if !shared.capabilities.fetch {
        errors.conflict(
            section.path(option),
            "plugin-offline.wasm has no sockets and fetches nothing; use plugin.wasm, or keys from jwks, jwksFile, \
             publicKey, signingSecret or keys",
        );
        return None;
    }
    Some(KeySource::Url(Box::new(RemoteKeys {
        client: client.for_server(location.origin()),
        location,
        cache: shared.cache,
        directory: shared.directory.clone(),
    })))
}

/// `jwks`: an object, or JSON in a string.
fn inline_set(section: &Section, shared: &Shared<'_>, errors: &mut Errors) -> Option<KeySource> {
    let value = section.raw("jwks")?;
    let path = section.path("jwks");
    if value.kind() == Kind::Object {
        return configured_set(path, JwkSet::from_value(value, Origin::Configured), errors);
    }
    let Some(text) = value.as_str() else {
        errors.value(path, found(value, Shown::Secret), "a JWK Set: an object with a list \"keys\"");
        return None;
    };
    if text.is_empty() {
        return None;
    }
    match outside(&path, text.to_owned(), shared.capabilities, errors)? {
        Outside::File(file) => Some(KeySource::File { path: file, format: KeyFormat::JwkSet }),
        Outside::Inline(text) => configured_text(path, text, errors),
    }
}

/// `jwksFile`: a path, or the set itself (as in Traefik Hub).
fn set_file(section: &Section, shared: &Shared<'_>, errors: &mut Errors) -> Option<KeySource> {
    let text = section.text("jwksFile", Shown::Secret, errors)?;
    let path = section.path("jwksFile");
    match outside(&path, text, shared.capabilities, errors)? {
        Outside::File(file) => Some(KeySource::File { path: file, format: KeyFormat::JwkSet }),
        Outside::Inline(text) if text.trim_start().starts_with('{') => configured_text(path, text, errors),
        Outside::Inline(text) if text.starts_with('/') => {
            Some(KeySource::File { path: text, format: KeyFormat::JwkSet })
        }
        Outside::Inline(text) => {
            let found = format!("a string of {} bytes", text.len());
            errors.value(path, found, "an absolute path below settings.mounts, or a JWK Set");
            None
        }
    }
}

fn configured_text(path: String, text: String, errors: &mut Errors) -> Option<KeySource> {
    configured_set(path, JwkSet::parse(text.into_bytes(), Origin::Configured), errors)
}

#[inline(never)]
fn configured_set(path: String, set: Result<JwkSet, JwkSetError>, errors: &mut Errors) -> Option<KeySource> {
    match set {
        Ok(set) if set.keys().is_empty() => {
            let reasons: Vec<String> = set.skipped.iter().take(8).map(ToString::to_string).collect();
            let reasons = if reasons.is_empty() { "it is empty".into() } else { reasons.join("; ") };
            let reason = format!("the JWK Set has no usable key ({reasons})");
            errors.key(path, reason);
            None
        }
        Ok(set) => within_reach(&path, set, errors),
        Err(error) => {
            errors.key(path, error);
            None
        }
    }
}

/// A key that is written and can never be used is a mistake.
fn within_reach(path: &str, set: JwkSet, errors: &mut Errors) -> Option<KeySource> {
    if let Some(key) = set.out_of_reach() {
        errors.key(path, key);
        return None;
    }
    Some(KeySource::Configured(set))
}

/// `publicKey`: PEM.
fn public_key(section: &Section, shared: &Shared<'_>, errors: &mut Errors) -> Option<KeySource> {
    let text = section.text("publicKey", Shown::Secret, errors)?;
    let path = section.path("publicKey");
    match outside(&path, text, shared.capabilities, errors)? {
        Outside::File(file) => Some(KeySource::File { path: file, format: KeyFormat::Pem { kid: None } }),
        Outside::Inline(text) => configured_pem(&path, &text, None, errors),
    }
}

fn configured_pem(path: &str, text: &str, kid: Option<String>, errors: &mut Errors) -> Option<KeySource> {
    match pem::parse(text) {
        Ok(mut keys) => {
            for key in &mut keys {
                key.kid.clone_from(&kid);
            }
            within_reach(path, JwkSet::from_keys(keys), errors)
        }
        Err(error) => {
            errors.key(path, error);
            None
        }
    }
}

/// `signingSecret`, `signingSecretBase64Encoded`.
fn signing_secret(section: &Section, shared: &Shared<'_>, errors: &mut Errors) -> Option<KeySource> {
    let base64 = section.boolean("signingSecretBase64Encoded", false, errors);
    let text = section.text("signingSecret", Shown::Secret, errors)?;
    let path = section.path("signingSecret");
    match outside(&path, text, shared.capabilities, errors)? {
        Outside::File(file) => {
            Some(KeySource::File { path: file, format: KeyFormat::Secret { kid: None, base64 } })
        }
        Outside::Inline(text) => configured_secret(&path, &text, base64, None, errors),
    }
}

fn configured_secret(
    path: &str,
    text: &str,
    base64: bool,
    kid: Option<String>,
    errors: &mut Errors,
) -> Option<KeySource> {
    match secret::parse(text.as_bytes(), base64) {
        Ok(key) => {
            let mut key = Jwk::from_key(key);
            key.kid = kid;
            Some(KeySource::Configured(JwkSet::from_keys(vec![key])))
        }
        Err(error) => {
            errors.key(path, error);
            None
        }
    }
}

/// `keys`: `kid` → PEM or secret.
fn named_keys(section: &Section, shared: &Shared<'_>, errors: &mut Errors) -> Vec<KeySource> {
    let mut sources = Vec::new();
    if section.raw("keys").is_some_and(is_list) {
        let expected = "an object of kids, each with PEM or a secret; a URL is jwksUrl, PEM without kid publicKey, a secret signingSecret";
        errors.value(section.path("keys"), "a list", expected);
        return sources;
    }
    for (kid, text) in section.texts("keys", Shown::Secret, errors).unwrap_or_default() {
        let path = format!("{}.{kid}", section.path("keys"));
        let source = match outside(&path, text, shared.capabilities, errors) {
            Some(Outside::File(file)) => {
                Some(KeySource::File { path: file, format: KeyFormat::PemOrSecret { kid: Some(kid) } })
            }
            Some(Outside::Inline(text)) if text.contains("-----BEGIN ") => {
                configured_pem(&path, &text, Some(kid), errors)
            }
            Some(Outside::Inline(text)) => configured_secret(&path, &text, false, Some(kid), errors),
            None => None,
        };
        sources.extend(source);
    }
    sources
}

/// Another plugin has a list of that name.
fn is_list(value: Value<'_>) -> bool {
    let is_list = |value: Value<'_>| value.kind() == Kind::Array;
    is_list(value) || nested(value).is_some_and(|document| is_list(document.root()))
}

impl KeySources {
    pub(super) const fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The server that they are fetched from, if they are.
    pub(super) fn home(&self) -> Option<&Server> {
        self.sources.iter().find_map(|source| match source {
            KeySource::Url(remote) => Some(remote.location.origin()),
            KeySource::Configured(_) | KeySource::File { .. } => None,
        })
    }

    /// Whether a key of these sources may serve `alg`.
    pub(super) fn can_serve(&self, alg: Alg) -> bool {
        self.sources.iter().any(|source| match source {
            KeySource::Configured(set) => set.keys().iter().any(|key| key.fits(alg)),
            // A secret that anybody can fetch is none.
            KeySource::Url(_) => !alg.is_hmac(),
            KeySource::File { format, .. } => match format {
                KeyFormat::JwkSet | KeyFormat::PemOrSecret { .. } => true,
                KeyFormat::Pem { .. } => !alg.is_hmac(),
                KeyFormat::Secret { .. } => alg.is_hmac(),
            },
        })
    }

    /// Whether `alg` is accepted where `algorithms` says nothing. A JWK Set in a file is often a copy of a public one:
    /// a secret in it counts only where HS* is asked for.
    pub(super) fn serves_unasked(&self, alg: Alg) -> bool {
        !alg.is_hmac()
            || self.sources.iter().any(|source| match source {
                KeySource::Configured(set) => set.keys().iter().any(|key| key.fits(alg)),
                KeySource::Url(_) => false,
                KeySource::File { format, .. } => match format {
                    KeyFormat::JwkSet | KeyFormat::Pem { .. } => false,
                    KeyFormat::Secret { .. } | KeyFormat::PemOrSecret { .. } => true,
                },
            })
    }

    pub(super) fn into_vec(self) -> Vec<KeySource> {
        self.sources
    }
}
