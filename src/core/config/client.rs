//! `clientConfig` and `jwksCache`: how keys are fetched, and how long they are kept.

use crate::core::config::capabilities::Capabilities;
use crate::core::config::coerce::{Section, Shown};
use crate::core::config::error::Errors;
use crate::core::config::outside::{Outside, is_elsewhere, mentions_elsewhere, outside};
use crate::core::config::url;
use crate::core::fetching::{
    CacheRules, ClientRules, RequestHeader, ServerRules, TextSource, is_header_of_the_fetch,
};
use crate::core::jwk::PemError;
use crate::core::limits::{
    MAX_FETCH_RETRIES, MAX_FETCH_TIMEOUT_SECONDS, MAX_JWKS_COOLDOWN_SECONDS, MAX_JWKS_STALE_SECONDS,
    MAX_JWKS_TTL_SECONDS,
};
use crate::core::request::header_name::is_field_name;
use crate::core::text::quoted;
use crate::core::tls_material;
use crate::core::unix_time::Seconds;
use crate::core::url::Origin;
use crate::core::url::proxy::Proxy;

const PROXY: &str = "http://[user:password@]host[:port]";

/// What all key sources of a configuration share.
pub(super) struct Shared<'a> {
    pub(super) capabilities: &'a Capabilities<'a>,
    pub(super) client: Client,
    pub(super) cache: CacheRules,
    pub(super) directory: Option<String>,
    /// What is wrong with the proxy of the environment, which counts if something is fetched through it.
    proxy_fault: Option<String>,
}

/// `clientConfig` of the top level or of an entry of `trustedIssuers`.
pub(super) struct Client {
    /// What holds for every server. An entry has that of the top level where it says nothing.
    rules: ClientRules,
    /// What is meant for the server of this section alone.
    own: Written,
    /// The same of the top level and the server that it is meant for: an entry may have the same server.
    above: Option<(Written, Origin)>,
    /// Of an entry, where it is written; `None` where it is not.
    entry: Option<String>,
}

/// [`ServerRules`] as they are written, or not.
#[derive(Clone, Default)]
struct Written {
    headers: Option<Vec<RequestHeader>>,
    identity: Option<(TextSource, TextSource)>,
    server_name: Option<String>,
}

/// `clientConfig` and `jwksCache`.
#[inline(never)]
pub(super) fn shared<'a>(
    root: &Section,
    capabilities: &'a Capabilities<'a>,
    errors: &mut Errors,
) -> Shared<'a> {
    let cache = root.section("jwksCache", errors);
    let (proxy, proxy_fault) = match of_environment(&["https_proxy", "HTTPS_PROXY"], capabilities) {
        None => (None, None),
        Some(text) => match Proxy::parse(&text) {
            Some(proxy) => (Some(proxy), None),
            None => (None, Some(format!("a string of {} bytes in HTTPS_PROXY", text.len()))),
        },
    };
    let defaults = ClientRules {
        ca: None,
        insecure_skip_verify: false,
        timeout: Seconds(5),
        max_retries: 3,
        allow_http: false,
        proxy,
        no_proxy: of_environment(&["no_proxy", "NO_PROXY"], capabilities).unwrap_or_default(),
        server: ServerRules::default(),
    };
    Shared {
        capabilities,
        client: client(root, &defaults, None, capabilities, errors),
        cache: CacheRules {
            ttl: cache.seconds("ttlSeconds", 600, 1..=MAX_JWKS_TTL_SECONDS, errors),
            cooldown: cache.seconds("cooldownSeconds", 30, 1..=MAX_JWKS_COOLDOWN_SECONDS, errors),
            stale: cache.seconds("staleSeconds", 86_400, 0..=MAX_JWKS_STALE_SECONDS, errors),
        },
        directory: directory(&cache, errors),
        proxy_fault,
    }
}

/// `clientConfig` of `section`.
#[inline(never)]
fn client(
    section: &Section,
    defaults: &ClientRules,
    above: Option<(Written, Origin)>,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Client {
    let client = section.section("clientConfig", errors);
    let tls = client.section("tls", errors);
    let timeout = defaults.timeout.0;
    let retries = u64::from(defaults.max_retries);
    let rules = ClientRules {
        ca: certificate_authority(&tls, capabilities, errors).or_else(|| defaults.ca.clone()),
        insecure_skip_verify: tls.boolean("insecureSkipVerify", defaults.insecure_skip_verify, errors),
        timeout: client.seconds("timeoutSeconds", timeout, 1..=MAX_FETCH_TIMEOUT_SECONDS, errors),
        max_retries: u32::try_from(client.integer("maxRetries", retries, 0..=MAX_FETCH_RETRIES, errors))
            .unwrap_or(0),
        allow_http: client.boolean("allowHttp", defaults.allow_http, errors),
        proxy: proxy(&client, capabilities, errors).or_else(|| defaults.proxy.clone()),
        no_proxy: no_proxy(&client, errors).unwrap_or_else(|| defaults.no_proxy.clone()),
        server: ServerRules::default(),
    };
    let own = Written {
        headers: request_headers(&client, capabilities, errors),
        identity: client_certificate(&tls, capabilities, errors),
        server_name: server_name(&tls, errors),
    };
    Client { rules, own, above, entry: None }
}

impl Shared<'_> {
    /// The `clientConfig` of an entry of `trustedIssuers`. `home` is the server of the top level's own source.
    pub(super) fn client_of(&self, entry: &Section, home: Option<&Origin>, errors: &mut Errors) -> Client {
        let above = home.map(|home| (self.client.own.clone(), home.clone()));
        let client = client(entry, &self.client.rules, above, self.capabilities, errors);
        Client { entry: entry.has("clientConfig").then(|| entry.path("clientConfig")), ..client }
    }

    /// For configurations that fetch: the environment is the same for all others, and may be meant for something else.
    pub(super) fn check_proxy<'s>(
        &self,
        mut fetched: impl Iterator<Item = &'s ClientRules>,
        errors: &mut Errors,
    ) {
        if let Some(found) = &self.proxy_fault
            && fetched.any(|client| client.proxy.is_none())
        {
            errors.value("clientConfig.proxy", found, PROXY);
        }
    }
}

impl Written {
    fn has_headers(&self) -> bool {
        self.headers.as_ref().is_some_and(|headers| !headers.is_empty())
    }

    fn has_credentials(&self) -> bool {
        self.has_headers() || self.identity.is_some()
    }

    const fn says_nothing(&self) -> bool {
        self.headers.is_none() && self.identity.is_none()
    }
}

impl Client {
    /// Whether `http` URLs may be fetched.
    pub(super) const fn allows_http(&self) -> bool {
        self.rules.allow_http
    }

    /// What a source of this section's, at the server `home`, is fetched with.
    pub(super) fn for_server(&self, home: &Origin) -> ClientRules {
        let own = self.own.clone();
        let (above, withheld) = match &self.above {
            Some((above, server)) if server == home => (above.clone(), false),
            // Whoever writes one of them here has thought of the server.
            Some((above, _)) => (Written::default(), above.has_credentials() && own.says_nothing()),
            None => (Written::default(), false),
        };
        let server = ServerRules {
            headers: own.headers.or(above.headers).unwrap_or_default(),
            identity: own.identity.or(above.identity),
            server_name: own.server_name.or(above.server_name),
            withheld,
        };
        ClientRules { server, ..self.rules.clone() }
    }

    /// Refuses what is written here where nothing is fetched for the section. What the top level has for all servers may be
    /// for those of `trustedIssuers`.
    pub(super) fn refuse_unused(&self, errors: &mut Errors) {
        if let Some(path) = &self.entry {
            errors
                .conflict(path, "says how keys are fetched, and there is no jwksUrl or discovery beside it");
            return;
        }
        let written = [
            ("clientConfig.headers", self.own.has_headers()),
            ("clientConfig.tls.cert", self.own.identity.is_some()),
            ("clientConfig.tls.serverName", self.own.server_name.is_some()),
        ];
        for (path, _) in written.into_iter().filter(|(_, written)| *written) {
            errors.conflict(
                path,
                "is for the server of jwksUrl or discovery of the top level alone, and there is none; the entries of \
                 trustedIssuers have a clientConfig of their own",
            );
        }
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
    let certificates =
        pem_text(tls, "cert", "certificates", tls_material::certificates, capabilities, errors);
    let key = pem_text(tls, "key", "a private key", tls_material::private_key, capabilities, errors);
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

/// `proxy`.
fn proxy(client: &Section, capabilities: &Capabilities<'_>, errors: &mut Errors) -> Option<Proxy> {
    let path = client.path("proxy");
    let text = client.text("proxy", Shown::Secret, errors)?;
    match outside(&path, text, capabilities, errors)? {
        Outside::Inline(text) => {
            let proxy = Proxy::parse(&text);
            if proxy.is_none() {
                errors.value(path, format!("a string of {} bytes", text.len()), PROXY);
            }
            proxy
        }
        Outside::File(_) => {
            errors.value(path, "file:", format!("{PROXY}, or env:NAME"));
            None
        }
    }
}

/// `noProxy`.
fn no_proxy(client: &Section, errors: &mut Errors) -> Option<String> {
    client.list("noProxy", errors).map(|hosts| hosts.join(","))
}

fn of_environment(names: &[&str], capabilities: &Capabilities<'_>) -> Option<String> {
    names.iter().find_map(|name| (capabilities.env)(name).filter(|value| !value.is_empty()))
}

fn certificate_authority(
    tls: &Section,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<TextSource> {
    pem_text(tls, "ca", "certificates", tls_material::certificates, capabilities, errors)
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

/// `headers`.
fn request_headers(
    client: &Section,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<Vec<RequestHeader>> {
    let mut headers = Vec::new();
    for (name, text) in client.texts("headers", Shown::Secret, errors)? {
        let path = format!("{}.{name}", client.path("headers"));
        if !is_field_name(&name) || is_header_of_the_fetch(&name) {
            errors.value(&path, quoted(&name), "the name of a header that the fetch does not set itself");
            continue;
        }
        let Some((scheme, text)) = scheme_and_value(&text) else {
            let expected = "a text, env:NAME, file:/path, or one of these after a scheme: Bearer file:/path";
            errors.value(&path, "env: or file: inside of a text", expected);
            continue;
        };
        let value = match outside(&path, text.to_owned(), capabilities, errors) {
            Some(Outside::Inline(text)) if text.chars().any(char::is_control) => {
                errors.value(&path, "control characters", "a header value on one line");
                continue;
            }
            Some(Outside::Inline(text)) => TextSource::Inline(text),
            Some(Outside::File(file)) => TextSource::File(file),
            None => continue,
        };
        headers.push(RequestHeader { name, scheme: scheme.to_owned(), value });
    }
    Some(headers)
}

/// Credentials are a scheme and what follows it (RFC 9110 11.4), and only the latter may be kept elsewhere: `Bearer
/// file:/path`. The scheme is empty where all is one text. `None` where a reference stands anywhere else: what is not
/// followed would be sent.
fn scheme_and_value(text: &str) -> Option<(&str, &str)> {
    if is_elsewhere(text) {
        return Some(("", text));
    }
    match text.split_once(' ') {
        Some((scheme, value)) if is_elsewhere(value) => {
            let is_one_word = !value.trim_end().contains(char::is_whitespace);
            (is_field_name(scheme) && is_one_word).then_some((scheme, value))
        }
        Some(_) | None => (!mentions_elsewhere(text)).then_some(("", text)),
    }
}
