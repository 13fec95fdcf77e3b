//! `clientConfig` and `jwksCache`: how keys are fetched, and how long they are kept.

use crate::core::config::capabilities::Capabilities;
use crate::core::config::error::Errors;
use crate::core::config::options::Row;
use crate::core::config::options::fetching::*;
use crate::core::config::outside::{Outside, is_elsewhere, mentions_elsewhere, outside};
use crate::core::config::values::Values;
use crate::core::fetching::{
    CacheRules, ClientRules, RequestHeader, ServerRules, TextSource, is_header_of_the_fetch,
};
use crate::core::jwk::PemError;
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
    /// What holds for every server. An entry has that of the top level if it says nothing.
    rules: ClientRules,
    /// What is meant for the server of this section alone.
    own: Written,
    /// The same of the top level and the server that it is meant for: an entry may have the same server.
    above: Option<(Written, Origin)>,
    /// Of an entry, if it is written; `None` if it is not.
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
    root: &Values,
    capabilities: &'a Capabilities<'a>,
    errors: &mut Errors,
) -> Shared<'a> {
    let of_proxy = of_environment(&["https_proxy", "HTTPS_PROXY"], capabilities);
    let proxy = of_proxy.as_deref().and_then(Proxy::parse);
    let proxy_fault = of_proxy.filter(|_| proxy.is_none());
    let no_proxy = of_environment(&["no_proxy", "NO_PROXY"], capabilities);
    let mut client = client(root, None, capabilities, errors);
    client.rules.proxy = client.rules.proxy.or(proxy);
    client.rules.no_proxy =
        if root.is_written(&CLIENT_NO_PROXY) { client.rules.no_proxy } else { no_proxy.unwrap_or_default() };
    Shared {
        capabilities,
        client,
        cache: CacheRules {
            ttl: root.seconds(&CACHE_TTL),
            cooldown: root.seconds(&CACHE_COOLDOWN),
            stale: root.seconds(&CACHE_STALE),
        },
        directory: mounted(root, &CACHE_DIRECTORY),
        proxy_fault: proxy_fault.map(|text| format!("a string of {} bytes in HTTPS_PROXY", text.len())),
    }
}

/// `clientConfig` of the top level, or of an entry.
#[inline(never)]
fn client(
    values: &Values,
    above: Option<&Client>,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Client {
    let rules = above.map(|client| &client.rules);
    let retries = values.int_or(&CLIENT_RETRIES, rules.map(|rules| rules.max_retries.into()));
    let no_proxy = values.list(&CLIENT_NO_PROXY).map(|hosts| hosts.join(","));
    let ca = pem_text(values, &TLS_CA, "certificates", tls_material::certificates, capabilities, errors);
    // Who names the certificates of a server has it verified.
    let above = rules.filter(|_| !values.has(&TLS_CA)).map(|rules| rules.insecure_skip_verify);
    let insecure_skip_verify = values.flag_or(&TLS_INSECURE, above);
    if insecure_skip_verify && values.has(&TLS_CA) {
        errors.conflict(
            values.path(&TLS_CA),
            "has no effect beside insecureSkipVerify: true, which takes any certificate; leave out one of them",
        );
    }
    let rules = ClientRules {
        ca: ca.or_else(|| rules.and_then(|rules| rules.ca.clone())),
        insecure_skip_verify,
        timeout: Seconds(values.int_or(&CLIENT_TIMEOUT, rules.map(|rules| rules.timeout.0))),
        max_retries: u32::try_from(retries).unwrap_or(0),
        allow_http: values.flag_or(&CLIENT_ALLOW_HTTP, rules.map(|rules| rules.allow_http)),
        proxy: proxy(values, capabilities, errors).or_else(|| rules.and_then(|rules| rules.proxy.clone())),
        no_proxy: no_proxy.or_else(|| rules.map(|rules| rules.no_proxy.clone())).unwrap_or_default(),
        server: ServerRules::default(),
    };
    let own = Written {
        headers: request_headers(values, capabilities, errors),
        identity: client_certificate(values, capabilities, errors),
        server_name: values.text(&TLS_SERVER_NAME).map(str::to_owned),
    };
    Client { rules, own, above: None, entry: None }
}

impl Shared<'_> {
    /// The `clientConfig` of an entry of `trustedIssuers`. `home` is the server of the top level's own source.
    pub(super) fn client_of(&self, entry: &Values, home: Option<&Origin>, errors: &mut Errors) -> Client {
        Client {
            above: home.map(|home| (self.client.own.clone(), home.clone())),
            entry: entry.has(&CLIENT).then(|| entry.path(&CLIENT)),
            ..client(entry, Some(&self.client), self.capabilities, errors)
        }
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
            errors.value(CLIENT_PROXY.path, found, PROXY);
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
            // A configuration with one of these here is about this server.
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

    /// What a source at another server is fetched with: what is meant for the own one stays away.
    pub(super) fn for_others(&self) -> ClientRules {
        let withheld = self.own.has_credentials();
        ClientRules { server: ServerRules { withheld, ..ServerRules::default() }, ..self.rules.clone() }
    }

    /// Refuses what is written here if nothing is fetched for the section. What the top level has for all servers may be
    /// for those of `trustedIssuers`.
    pub(super) fn refuse_unused(&self, errors: &mut Errors) {
        if let Some(path) = &self.entry {
            errors
                .conflict(path, "says how keys are fetched, and there is no jwksUrl or discovery beside it");
            return;
        }
        let written = [
            (&CLIENT_HEADERS, self.own.has_headers()),
            (&TLS_CERT, self.own.identity.is_some()),
            (&TLS_SERVER_NAME, self.own.server_name.is_some()),
        ];
        for (row, _) in written.into_iter().filter(|(_, written)| *written) {
            errors.conflict(
                row.path,
                "is for the server of jwksUrl or discovery of the top level alone, and there is none; the entries of \
                 trustedIssuers have a clientConfig of their own",
            );
        }
    }
}

/// A path below the mounts, without slashes at its end.
pub(super) fn mounted(root: &Values, row: &Row) -> Option<String> {
    root.text(row).map(|text| text.trim_end_matches('/').to_owned())
}

/// `tls.cert` and `tls.key`.
fn client_certificate(
    values: &Values,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<(TextSource, TextSource)> {
    let certificates =
        pem_text(values, &TLS_CERT, "certificates", tls_material::certificates, capabilities, errors);
    let key = pem_text(values, &TLS_KEY, "a private key", tls_material::private_key, capabilities, errors);
    if values.has(&TLS_CERT) != values.has(&TLS_KEY) {
        let missing = if values.has(&TLS_CERT) { &TLS_KEY } else { &TLS_CERT };
        errors.conflict(values.path(missing), "is needed: a client certificate and its key go together");
    }
    certificates.zip(key)
}

/// `proxy`.
fn proxy(values: &Values, capabilities: &Capabilities<'_>, errors: &mut Errors) -> Option<Proxy> {
    let path = values.path(&CLIENT_PROXY);
    match outside(&path, values.text(&CLIENT_PROXY)?, capabilities, errors)? {
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

fn of_environment(names: &[&str], capabilities: &Capabilities<'_>) -> Option<String> {
    names.iter().find_map(|name| (capabilities.env)(name).filter(|value| !value.is_empty()))
}

/// PEM, or where it is.
fn pem_text(
    values: &Values,
    row: &Row,
    what: &str,
    read: fn(&str) -> Result<String, PemError>,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<TextSource> {
    let text = values.text(row)?;
    let path = values.path(row);
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
    values: &Values,
    capabilities: &Capabilities<'_>,
    errors: &mut Errors,
) -> Option<Vec<RequestHeader>> {
    let mut headers = Vec::new();
    for (name, text) in values.map(&CLIENT_HEADERS)? {
        let path = format!("{}.{name}", values.path(&CLIENT_HEADERS));
        if !is_field_name(name) || is_header_of_the_fetch(name) {
            errors.value(&path, quoted(name), "the name of a header that the fetch does not set itself");
            continue;
        }
        let Some((scheme, text)) = scheme_and_value(text) else {
            let expected = "a text, env:NAME, file:/path, or one of these after a scheme: Bearer file:/path";
            errors.value(&path, "env: or file: inside of a text", expected);
            continue;
        };
        let value = match outside(&path, text, capabilities, errors) {
            Some(Outside::Inline(text)) if text.chars().any(char::is_control) => {
                errors.value(&path, "control characters", "a header value on one line");
                continue;
            }
            Some(Outside::Inline(text)) => TextSource::Inline(text),
            Some(Outside::File(file)) => TextSource::File(file),
            None => continue,
        };
        headers.push(RequestHeader { name: name.clone(), scheme: scheme.to_owned(), value });
    }
    Some(headers)
}

/// Credentials are a scheme and what follows it (RFC 9110 11.4), and only the latter may be kept elsewhere: `Bearer
/// file:/path`. The scheme is empty if all is one text. `None` if a reference stands anywhere else: what is not
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
