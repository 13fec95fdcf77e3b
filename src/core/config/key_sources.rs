//! Options that say where keys come from, at the top level and in `trustedIssuers`.

use crate::core::config::accepted::IssuerNames;
use crate::core::config::client::{Client, Shared};
use crate::core::config::error::Errors;
use crate::core::config::options::Row;
use crate::core::config::options::fetching::{CLIENT_HEADERS, TLS_CA, TLS_INSECURE};
use crate::core::config::options::keys::*;
use crate::core::config::options::revocation::REVOCATION_URL;
use crate::core::config::outside::{Outside, outside};
use crate::core::config::url;
use crate::core::config::values::Values;
use crate::core::fetching::{ClientRules, RequestHeader, TextSource};
use crate::core::issuer_id::differ_by_trailing_slash;
use crate::core::jwk::lookup::{KeyFormat, KeyLocation, KeySource, RemoteKeys, around_kid};
use crate::core::jwk::{Jwk, JwkSet, JwkSetError, Origin as JwkOrigin, pem, secret};
use crate::core::policy::IssuerKind;
use crate::core::signature::alg::Alg;
use crate::core::text::quoted;
use crate::core::url::{Origin as Server, Url};

/// Key sources of one issuer.
pub(super) struct KeySources {
    sources: Vec<KeySource>,
    /// They are bundles, whose keys have few algorithms.
    are_bundles: bool,
    /// Whether one of them has been refused: its own error is the one to correct.
    refused: bool,
}

/// Sources of `section`, in the order jwksUrl, discovery, jwks, jwksFile, publicKey, signingSecret, keys. `issuers` are
/// the accepted values of `iss`.
#[inline(never)]
pub(super) fn compile(
    values: &Values,
    issuers: &IssuerNames,
    client: &Client,
    shared: &Shared<'_>,
    errors: &mut Errors,
) -> KeySources {
    let before = errors.len();
    let are_bundles = values.word(&FORMAT, &FORMATS) == JwkOrigin::Bundle;
    let may_be: &[&Row] = match (issuers.kind, are_bundles) {
        (IssuerKind::Cluster, _) => &[&JWKS_URL, &TRUSTED_ISSUERS],
        (IssuerKind::Named, true) => &[&JWKS_URL, &JWKS, &JWKS_FILE, &TRUSTED_ISSUERS],
        (IssuerKind::Named, false) => &SOURCES,
    };
    refuse_others(values, may_be, errors);
    let sources = [
        remote(values, issuers, client, shared, errors),
        inline_set(values, shared, errors),
        set_file(values, shared, errors),
        public_key(values, shared, errors),
        signing_secret(values, shared, errors),
    ];
    let mut sources: Vec<KeySource> = sources.into_iter().flatten().collect();
    sources.extend(named_keys(values, shared, errors));
    let sources = KeySources {
        sources,
        are_bundles,
        refused: errors.len() != before || is_any_refused(values, &SOURCES),
    };
    let misnamed = errors.misnamed(values.place(), &[&JWKS_URL, &DISCOVERY]);
    if sources.home().is_none() && !sources.refused && !misnamed && !values.has(&REVOCATION_URL) {
        client.refuse_unused(errors);
    }
    sources
}

/// Refuses sources beside a cluster or a trust domain that have keys of another kind.
fn refuse_others(values: &Values, may_be: &[&Row], errors: &mut Errors) {
    let other = SOURCES.into_iter().find(|row| values.has(row) && !may_be.contains(row));
    if let Some(row) = other {
        errors.conflict(
            values.path(row),
            "is beside issuer: kubernetes or format: spiffe, which have other keys; leave it out",
        );
    }
}

fn is_any_refused(values: &Values, rows: &[&Row]) -> bool {
    rows.iter().any(|row| values.is_refused(row))
}

/// Whether a source has a misspelt name, or a source needs the issuer and that has a misspelt name.
pub(super) fn are_misnamed(values: &Values, errors: &Errors) -> bool {
    let needs_issuer = values.has(&DISCOVERY) || values.has(&JWKS_URL);
    errors.misnamed(values.place(), &SOURCES) || (needs_issuer && errors.misnamed(values.place(), &[&ISSUER]))
}

/// What the API server knows a pod by, and the pod the API server: files in every pod.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
const POD_CA: &str = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt";
/// The key set of the API server, by the name that it has in every cluster.
const POD_KEYS: &str = "https://kubernetes.default.svc/openid/v1/jwks";

/// How the API server is asked: as the pod, unless the section says otherwise. Since it has a CA of its own, what the top
/// level says of others' certificates does not hold for it.
fn as_pod(values: &Values, mut client: ClientRules, errors: &mut Errors) -> ClientRules {
    if !values.has(&TLS_CA) {
        client.ca = Some(TextSource::File(POD_CA.into()));
        client.insecure_skip_verify = values.flag(&TLS_INSECURE);
    }
    if !values.has(&CLIENT_HEADERS) {
        let (name, scheme) = ("Authorization".into(), "Bearer".into());
        let value = TextSource::File(POD_TOKEN.into());
        client.server.headers = vec![RequestHeader { name, scheme, value }];
        client.server.withheld = false;
    } else if !client.server.headers.iter().any(RequestHeader::is_authorization) {
        errors.conflict(
            values.path(&CLIENT_HEADERS),
            "has no Authorization, and issuer: kubernetes is the issuer of the token in it",
        );
    }
    client
}

/// `jwksUrl` or `discovery`.
#[inline(never)]
fn remote(
    values: &Values,
    issuers: &IssuerNames,
    client: &Client,
    shared: &Shared<'_>,
    errors: &mut Errors,
) -> Option<KeySource> {
    let is_cluster = issuers.kind == IssuerKind::Cluster;
    let discovers = values.flag(&DISCOVERY) && !is_cluster;
    let written = values.text(&JWKS_URL);
    let option: &Row = if written.is_some() { &JWKS_URL } else { &DISCOVERY };
    let url = written.or(is_cluster.then_some(POD_KEYS));
    let has_issuer = !issuers.exact.is_empty()
        || !(values.is_refused(&ISSUER) || errors.misnamed(values.place(), &[&ISSUER]));
    let is_relative = url.is_some_and(|url| !url.contains("://"));
    if !issuers.templates.is_empty() && (discovers || is_relative) {
        errors.conflict(
            values.path(&ISSUER),
            "has {tenant} in it, and a token must not choose where keys come from; set jwksUrl to one absolute URL",
        );
        return None;
    }
    let location = match (url, discovers) {
        (None, false) => return None,
        // The name of the issuer is the mistake to fix.
        (None, true) if !has_issuer => return None,
        (Some(_), false) if is_relative && !has_issuer => return None,
        (Some(_), true) => {
            errors.conflict(
                values.path(&DISCOVERY),
                "finds the URL that jwksUrl already gives; keep one of them",
            );
            return None;
        }
        (Some(url), false) => {
            let path = values.path(option);
            let url = url::absolute(url, &issuers.exact, &path, client.allows_http(), errors)?;
            match around_kid(&url.target) {
                _ if is_cluster => KeyLocation::Cluster(url),
                None => KeyLocation::Url(url),
                Some((_, after)) => {
                    check_kid(&url, after, values, errors)?;
                    KeyLocation::EachKid(url)
                }
            }
        }
        (None, true) => {
            let issuer = match issuers.exact.as_slice() {
                [issuer] => issuer,
                [issuer, other] if differ_by_trailing_slash(issuer, other) => issuer,
                _ => {
                    errors.conflict(
                        values.path(option),
                        "needs exactly one issuer, whose metadata is fetched, or one with and without a trailing slash; \
                         write others as trustedIssuers",
                    );
                    return None;
                }
            };
            let path = values.path(&ISSUER);
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
            values.path(option),
            "plugin-offline.wasm has no sockets and fetches nothing; use plugin.wasm, or keys from jwks, jwksFile, \
             publicKey, signingSecret or keys",
        );
        return None;
    }
    let client = client.for_server(location.origin());
    Some(KeySource::Url(Box::new(RemoteKeys {
        client: if is_cluster { as_pod(values, client, errors) } else { client },
        location,
        origin: values.word(&FORMAT, &FORMATS),
        cache: shared.cache,
        directory: shared.directory.clone(),
    })))
}

/// A URL with `{kid}` in it leads to keys of AWS, which signs for the load balancers of all of its customers with them.
fn check_kid(url: &Url, after: &str, values: &Values, errors: &mut Errors) -> Option<()> {
    let path = values.path(&JWKS_URL);
    if after.contains('{') || url.target != url.path() || values.word(&FORMAT, &FORMATS) == JwkOrigin::Bundle
    {
        errors.value(
            path,
            quoted(&url.target),
            "{kid} once, in the path, without a query and format: spiffe",
        );
        return None;
    }
    if !values.has(&SIGNER) && !errors.misnamed(values.place(), &[&SIGNER]) {
        errors.conflict(
            path,
            "has {kid} in it, so its keys sign for everybody who has a load balancer there: set signer to the ARN of yours",
        );
        return None;
    }
    Some(())
}

/// Where the keys of a set in the configuration are.
fn set_origin(values: &Values) -> JwkOrigin {
    match values.word(&FORMAT, &FORMATS) {
        JwkOrigin::Bundle => JwkOrigin::Bundle,
        JwkOrigin::Fetched | JwkOrigin::Configured => JwkOrigin::Configured,
    }
}

/// What a file with a set holds.
fn set_format(values: &Values) -> KeyFormat {
    match values.word(&FORMAT, &FORMATS) {
        JwkOrigin::Bundle => KeyFormat::Bundle,
        JwkOrigin::Fetched | JwkOrigin::Configured => KeyFormat::JwkSet,
    }
}

/// `jwks`: an object, or JSON in a string.
fn inline_set(values: &Values, shared: &Shared<'_>, errors: &mut Errors) -> Option<KeySource> {
    let path = values.path(&JWKS);
    if let Some(set) = values.json(&JWKS) {
        return configured_set(path, JwkSet::from_value(set, set_origin(values)), errors);
    }
    match outside(&path, values.text(&JWKS)?, shared.capabilities, errors)? {
        Outside::File(file) => Some(KeySource::File { path: file, format: set_format(values) }),
        Outside::Inline(text) => configured_text(path, text, set_origin(values), errors),
    }
}

/// `jwksFile`: a path, or the set itself (as in Traefik Hub).
fn set_file(values: &Values, shared: &Shared<'_>, errors: &mut Errors) -> Option<KeySource> {
    let path = values.path(&JWKS_FILE);
    match outside(&path, values.text(&JWKS_FILE)?, shared.capabilities, errors)? {
        Outside::File(file) => Some(KeySource::File { path: file, format: set_format(values) }),
        Outside::Inline(text) if text.trim_start().starts_with('{') => {
            configured_text(path, text, set_origin(values), errors)
        }
        Outside::Inline(text) if text.starts_with('/') => {
            Some(KeySource::File { path: text, format: set_format(values) })
        }
        Outside::Inline(text) => {
            let found = format!("a string of {} bytes", text.len());
            errors.value(path, found, "an absolute path below settings.mounts, or a JWK Set");
            None
        }
    }
}

fn configured_text(path: String, text: String, origin: JwkOrigin, errors: &mut Errors) -> Option<KeySource> {
    configured_set(path, JwkSet::parse(text.into_bytes(), origin), errors)
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
fn public_key(values: &Values, shared: &Shared<'_>, errors: &mut Errors) -> Option<KeySource> {
    let path = values.path(&PUBLIC_KEY);
    match outside(&path, values.text(&PUBLIC_KEY)?, shared.capabilities, errors)? {
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
fn signing_secret(values: &Values, shared: &Shared<'_>, errors: &mut Errors) -> Option<KeySource> {
    let base64 = values.flag(&SIGNING_SECRET_BASE64);
    let path = values.path(&SIGNING_SECRET);
    match outside(&path, values.text(&SIGNING_SECRET)?, shared.capabilities, errors)? {
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
fn named_keys(values: &Values, shared: &Shared<'_>, errors: &mut Errors) -> Vec<KeySource> {
    let mut sources = Vec::new();
    for (kid, text) in values.map(&KEYS).unwrap_or_default() {
        let path = format!("{}.{kid}", values.path(&KEYS));
        let kid = kid.clone();
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

impl KeySources {
    pub(super) const fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Whether no source is written.
    pub(super) const fn are_missing(&self) -> bool {
        self.sources.is_empty() && !self.refused
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
        // JWT-SVID 2.1: what RFC 7518 3.3 to 3.5 have.
        let is_of_svids =
            ["RS", "PS", "ES"].iter().any(|family| alg.name().starts_with(family)) && alg != Alg::Es256k;
        if self.are_bundles && !is_of_svids {
            return false;
        }
        self.sources.iter().any(|source| match source {
            KeySource::Configured(set) => set.keys().iter().any(|key| key.fits(alg)),
            // A secret that anyone can fetch is not secret.
            KeySource::Url(_) => !alg.is_hmac(),
            KeySource::File { format, .. } => match format {
                KeyFormat::JwkSet | KeyFormat::PemOrSecret { .. } => true,
                KeyFormat::Pem { .. } | KeyFormat::Bundle => !alg.is_hmac(),
                KeyFormat::Secret { .. } => alg.is_hmac(),
            },
        })
    }

    /// Whether `alg` is accepted if `algorithms` is not set. A JWK Set in a file is often a copy of a public one:
    /// a secret in it is used only if HS* is listed.
    pub(super) fn serves_unasked(&self, alg: Alg) -> bool {
        !alg.is_hmac()
            || self.sources.iter().any(|source| match source {
                KeySource::Configured(set) => set.keys().iter().any(|key| key.fits(alg)),
                KeySource::Url(_) => false,
                KeySource::File { format, .. } => match format {
                    KeyFormat::JwkSet | KeyFormat::Bundle | KeyFormat::Pem { .. } => false,
                    KeyFormat::Secret { .. } | KeyFormat::PemOrSecret { .. } => true,
                },
            })
    }

    pub(super) fn into_vec(self) -> Vec<KeySource> {
        self.sources
    }
}
