//! URLs that keys are fetched from. What passes here must not fail when it is fetched: `tests/configuration` compares.

use std::net::Ipv6Addr;

use crate::core::config::error::Errors;
use crate::core::jwk::lookup::ClientRules;
use crate::core::text::quoted;

/// Longest URL, in bytes (RFC 9110 4.1 asks for 8000 at least).
const MAX_URL_BYTES: usize = 8000;

/// A relative `jwksUrl` belongs to the issuer.
pub(super) fn absolute(
    url: &str,
    issuers: &[String],
    path: &str,
    client: &ClientRules,
    errors: &mut Errors,
) -> Option<String> {
    let url = match issuers {
        _ if url.contains("://") => url.to_owned(),
        [issuer] if issuer.contains("://") => resolve(url, issuer),
        _ => {
            errors.value(
                path,
                shown(url),
                "an absolute URL, https://..., or a path together with one issuer that is a URL",
            );
            return None;
        }
    };
    check(&url, path, client, errors)?;
    Some(url)
}

/// `/keys` replaces the issuer's path, `keys` is below it.
fn resolve(reference: &str, issuer: &str) -> String {
    let (scheme, rest) = issuer.split_once("://").unwrap_or(("", issuer));
    if reference.starts_with('/') {
        let host = rest.split('/').next().unwrap_or_default();
        return format!("{scheme}://{host}{reference}");
    }
    format!("{}/{reference}", issuer.strip_suffix('/').unwrap_or(issuer))
}

/// Refuses what could not be fetched, or should not.
pub(super) fn check(url: &str, path: &str, client: &ClientRules, errors: &mut Errors) -> Option<()> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let expected = "an absolute URL, https://host/path, without user and fragment";
    if authority.contains('@') {
        errors.value(path, "a URL with a user or password in it", expected);
        return None;
    }
    match scheme {
        "http" if !client.allow_http => {
            errors.conflict(path, "http is not protected; use https, or set clientConfig.allowHttp");
            return None;
        }
        "http" | "https" if is_target(rest) && is_authority(authority) => {}
        _ => {
            errors.value(path, shown(url), expected);
            return None;
        }
    }
    Some(())
}

/// Whether `text` is `[http://][user:password@]host[:port]`, the proxies that keys can be fetched through.
pub(super) fn is_proxy(text: &str) -> bool {
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (user, authority) = rest.rsplit_once('@').unwrap_or(("", rest));
    let printable = user.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'?' | b'#'));
    scheme.eq_ignore_ascii_case("http") && printable && has_whole_escapes(user) && is_authority(authority)
}

fn has_whole_escapes(text: &str) -> bool {
    let digit = |digit: Option<u8>| digit.is_some_and(|digit| digit.is_ascii_hexdigit());
    text.split('%').skip(1).all(|after| {
        let mut after = after.bytes();
        digit(after.next()) && digit(after.next())
    })
}

/// Whether a certificate can name `text`: the name of a host, or an address.
pub(super) fn is_server_name(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok() || (is_host_name(text) && !text.contains('_'))
}

/// What an error repeats: a query may hold a credential, and so may what stands before `@`.
fn shown(url: &str) -> String {
    let before_query = url.split('?').next().unwrap_or_default();
    quoted(before_query.rsplit('@').next().unwrap_or_default())
}

/// The characters of a URL (RFC 3986 2) without those of a fragment.
fn is_target(rest: &str) -> bool {
    rest.len() <= MAX_URL_BYTES
        && rest.bytes().all(|byte| byte.is_ascii_graphic())
        && !rest.contains(['#', '\\', '"', '<', '>'])
}

/// `host[:port]`: a name, an IPv4 address or an IPv6 address in brackets (RFC 3986 3.2). What passes here must not fail
/// when it is fetched; `tests/configuration` compares.
fn is_authority(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[').map(|rest| rest.split_once(']')) {
        Some(Some((address, port))) => (address.parse::<Ipv6Addr>().is_ok(), port),
        Some(None) => return false,
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            let (name, port) = authority.split_at_checked(end).unwrap_or_default();
            (is_host_name(name), port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(port) => {
            port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|n| n != 0)
        }
        None => port.is_empty(),
    };
    host && port
}

/// Also with underscores, which the names of containers have.
fn is_host_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let labels = name.strip_suffix('.').unwrap_or(name).split('.');
    name.len() <= 253
        && name.bytes().all(allowed)
        && labels.into_iter().all(|label| (1..=63).contains(&label.len()))
}

#[cfg(test)]
mod tests {
    use super::{resolve, shown};

    #[test]
    fn what_may_be_a_credential_is_not_repeated() {
        for (url, expected) in [
            ("ftp://a.example/k", "\"ftp://a.example/k\""),
            ("https//a.example/k?key=hunter2", "\"https//a.example/k\""),
            ("https:/u:hunter2@a.example/k", "\"a.example/k\""),
        ] {
            assert_eq!(shown(url), expected);
        }
    }

    #[test]
    fn relative_urls_resolve_against_the_issuer() {
        for (reference, issuer, expected) in [
            ("/k", "https://a.example/t", "https://a.example/k"),
            ("k", "https://a.example/t", "https://a.example/t/k"),
            ("k", "https://a.example/t/", "https://a.example/t/k"),
            ("k", "https://a.example", "https://a.example/k"),
            ("/k", "https://a.example", "https://a.example/k"),
            ("/k", "https://a.example:8443/t/u", "https://a.example:8443/k"),
        ] {
            assert_eq!(resolve(reference, issuer), expected, "{reference} {issuer}");
        }
    }
}
