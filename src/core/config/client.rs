//! `clientConfig` and `jwksCache`: how keys are fetched, and how long they are kept.

use crate::core::config::capabilities::Capabilities;
use crate::core::config::coerce::{Section, Shown};
use crate::core::config::error::Errors;
use crate::core::config::outside::{Outside, outside};
use crate::core::config::url;
use crate::core::jwk::lookup::{CacheRules, ClientRules, TextSource};
use crate::core::jwk::{PemError, pem};
use crate::core::limits::{
    MAX_FETCH_RETRIES, MAX_FETCH_TIMEOUT_SECONDS, MAX_JWKS_COOLDOWN_SECONDS, MAX_JWKS_STALE_SECONDS,
    MAX_JWKS_TTL_SECONDS,
};
use crate::core::request::header_name::is_field_name;
use crate::core::text::quoted;

const PROXY: &str = "http://[user:password@]host[:port]";

/// What all key sources of a configuration share.
pub(super) struct Shared<'a> {
    pub(super) capabilities: &'a Capabilities<'a>,
    pub(super) client: ClientRules,
    pub(super) cache: CacheRules,
    pub(super) directory: Option<String>,
}

/// `clientConfig` and `jwksCache`.
#[inline(never)]
pub(super) fn shared<'a>(
    root: &Section,
    capabilities: &'a Capabilities<'a>,
    errors: &mut Errors,
) -> Shared<'a> {
    let client = root.section("clientConfig", errors);
    let tls = client.section("tls", errors);
    let cache = root.section("jwksCache", errors);
    Shared {
        capabilities,
        client: ClientRules {
            ca: certificate_authority(&tls, capabilities, errors),
            insecure_skip_verify: tls.boolean("insecureSkipVerify", false, errors),
            timeout: client.seconds("timeoutSeconds", 5, 1..=MAX_FETCH_TIMEOUT_SECONDS, errors),
            max_retries: u32::try_from(client.integer("maxRetries", 3, 0..=MAX_FETCH_RETRIES, errors))
                .unwrap_or(0),
            headers: request_headers(&client, capabilities, errors),
            allow_http: client.boolean("allowHttp", false, errors),
            identity: client_certificate(&tls, capabilities, errors),
            server_name: server_name(&tls, errors),
            proxy: proxy(&client, capabilities, errors),
            no_proxy: no_proxy(&client, capabilities, errors),
        },
        cache: CacheRules {
            ttl: cache.seconds("ttlSeconds", 600, 1..=MAX_JWKS_TTL_SECONDS, errors),
            cooldown: cache.seconds("cooldownSeconds", 30, 1..=MAX_JWKS_COOLDOWN_SECONDS, errors),
            stale: cache.seconds("staleSeconds", 86_400, 0..=MAX_JWKS_STALE_SECONDS, errors),
        },
        directory: directory(&cache, errors),
    }
}

/// `jwksCache.directory`.
fn directory(cache: &Section, errors: &mut Errors) -> Option<String> {
    let text = cache.text("directory", Shown::Plain, errors)?;
    let directory = text.trim_end_matches('/');
    if !directory.starts_with('/') || directory.split('/').any(|part| part == "..") {
        errors.value(cache.path("directory"), quoted(&text), "an absolute path below settings.mounts");
        return None;
    }
    Some(directory.to_owned())
}

/// `tls.cert` and `tls.key`.
fn client_certificate(
    tls: &Section,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<(TextSource, TextSource)> {
    let certificates = pem_text(tls, "cert", "certificates", pem::certificates, capabilities, errors);
    let key = pem_text(tls, "key", "a private key", pem::private_key, capabilities, errors);
    if tls.has("cert") != tls.has("key") {
        let missing = if tls.has("cert") { "key" } else { "cert" };
        errors.conflict(tls.path(missing), "is needed: a client certificate and its key go together");
    }
    certificates.zip(key)
}

/// `tls.serverName`.
fn server_name(tls: &Section, errors: &mut Errors) -> Option<String> {
    let name = tls.text("serverName", Shown::Plain, errors)?;
    if !url::is_server_name(&name) {
        errors.value(tls.path("serverName"), quoted(&name), "the name of a host, or an address");
        return None;
    }
    Some(name)
}

/// `proxy`, or `HTTPS_PROXY` where the plugin's environment has it: that one is checked where something is fetched.
fn proxy(client: &Section, capabilities: &Capabilities<'_>, errors: &mut Errors) -> Option<String> {
    let path = client.path("proxy");
    let Some(text) = client.text("proxy", Shown::Secret, errors) else {
        return of_environment(&["https_proxy", "HTTPS_PROXY"], capabilities);
    };
    match outside(&path, text, capabilities, errors)? {
        Outside::Inline(text) if url::is_proxy(&text) => Some(text),
        Outside::Inline(text) => {
            errors.value(path, format!("a string of {} bytes", text.len()), PROXY);
            None
        }
        Outside::File(_) => {
            errors.value(path, "file:", format!("{PROXY}, or env:NAME"));
            None
        }
    }
}

/// For configurations that fetch: the environment is the same for all others, and may be meant for something else.
pub(super) fn check_proxy(client: &ClientRules, errors: &mut Errors) {
    if let Some(text) = client.proxy.as_ref().filter(|text| !url::is_proxy(text)) {
        let found = format!("a string of {} bytes in HTTPS_PROXY", text.len());
        errors.value("clientConfig.proxy", found, PROXY);
    }
}

/// `noProxy`, or `NO_PROXY` where the plugin's environment has it.
fn no_proxy(client: &Section, capabilities: &Capabilities<'_>, errors: &mut Errors) -> String {
    match client.list("noProxy", errors) {
        Some(hosts) => hosts.join(","),
        None => of_environment(&["no_proxy", "NO_PROXY"], capabilities).unwrap_or_default(),
    }
}

fn of_environment(names: &[&str], capabilities: &Capabilities<'_>) -> Option<String> {
    names.iter().find_map(|name| (capabilities.env)(name).filter(|value| !value.is_empty()))
}

fn certificate_authority(
    tls: &Section,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<TextSource> {
    pem_text(tls, "ca", "certificates", pem::certificates, capabilities, errors)
}

/// PEM, or where it is.
fn pem_text(
    tls: &Section,
    option: &str,
    what: &str,
    read: fn(&str) -> Result<String, PemError>,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<TextSource> {
    let text = tls.text(option, Shown::Secret, errors)?;
    let path = tls.path(option);
    match outside(&path, text, capabilities, errors)? {
        Outside::File(file) => Some(TextSource::File(file)),
        Outside::Inline(text) if text.starts_with('/') => Some(TextSource::File(text)),
        Outside::Inline(text) => match read(&text) {
            Ok(lines) => Some(TextSource::Inline(lines)),
            Err(PemError::NoBlock) => {
                let found = format!("a string of {} bytes", text.len());
                let expected = format!("{what} in PEM, an absolute path, env:NAME or file:/path");
                errors.value(path, found, &expected);
                None
            }
            Err(error) => {
                errors.key(path, error);
                None
            }
        },
    }
}

fn request_headers(
    client: &Section,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Vec<(String, TextSource)> {
    let mut headers = Vec::new();
    for (name, text) in client.texts("headers", Shown::Secret, errors).unwrap_or_default() {
        let path = format!("{}.{name}", client.path("headers"));
        let managed =
            ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "if-none-match"];
        if !is_field_name(&name) || managed.iter().any(|own| name.eq_ignore_ascii_case(own)) {
            errors.value(&path, quoted(&name), "the name of a header that the fetch does not set itself");
        }
        match outside(&path, text, capabilities, errors) {
            Some(Outside::Inline(text)) if text.chars().any(char::is_control) => {
                errors.value(&path, "control characters", "a header value on one line");
            }
            Some(Outside::Inline(text)) => headers.push((name, TextSource::Inline(text))),
            Some(Outside::File(file)) => headers.push((name, TextSource::File(file))),
            None => {}
        }
    }
    headers
}
