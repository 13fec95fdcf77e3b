//! URLs that keys are fetched from, as the configuration has them.

use crate::core::config::error::Errors;
use crate::core::issuer_id::differ_by_trailing_slash;
use crate::core::text::quoted;
use crate::core::url::{Scheme, Url};

/// A relative `jwksUrl` belongs to the issuer.
pub(super) fn absolute(
    url: &str,
    issuers: &[String],
    path: &str,
    allow_http: bool,
    errors: &mut Errors,
) -> Option<Url> {
    if url.contains("://") {
        return check(url, path, allow_http, errors);
    }
    if begins_with_a_host(url) {
        errors.value(
            path,
            shown(url),
            "https:// before the name of a host, or / before a path of the issuer",
        );
        return None;
    }
    let resolved = match issuers {
        [issuer] => Url::parse(issuer).map(|issuer| resolve(url, &issuer)),
        // Both lead to the same place.
        [issuer, other] if differ_by_trailing_slash(issuer, other) => {
            Url::parse(issuer).map(|issuer| resolve(url, &issuer))
        }
        _ => None,
    };
    let Some(resolved) = resolved else {
        errors.value(
            path,
            shown(url),
            "an absolute URL, https://..., or a path together with one issuer that is a URL",
        );
        return None;
    };
    check(&resolved, path, allow_http, errors)
}

/// Whether a scheme was forgotten: `idp.example/keys`, `idp:8443/keys`. `.well-known/keys`, `v2.0/keys` and `keys.json` are
/// paths.
fn begins_with_a_host(reference: &str) -> bool {
    let Some((first, _)) = reference.split_once('/') else {
        return reference.contains(':');
    };
    let last_label = first.rsplit_once('.').map(|(before, last)| (!before.is_empty(), last));
    let is_domain = last_label.is_some_and(|(has_more, last)| {
        has_more && last.len() > 1 && last.bytes().all(|byte| byte.is_ascii_alphabetic())
    });
    first.contains(':') || is_domain
}

/// `/keys` replaces the issuer's path, `keys` is below it.
fn resolve(reference: &str, issuer: &Url) -> String {
    let origin = &issuer.origin;
    if reference.starts_with('/') {
        return format!("{origin}{reference}");
    }
    format!("{origin}{}/{reference}", issuer.path().trim_end_matches('/'))
}

/// Refuses what could not be fetched, or should not.
pub(super) fn check(text: &str, path: &str, allow_http: bool, errors: &mut Errors) -> Option<Url> {
    let expected = "an absolute URL, https://host/path, without user and fragment";
    let (_, rest) = text.split_once("://").unwrap_or(("", text));
    if rest.split(['/', '?']).next().unwrap_or_default().contains('@') {
        errors.value(path, "a URL with a user or password in it", expected);
        return None;
    }
    let Some(url) = Url::parse(text).filter(|_| !text.contains('#')) else {
        errors.value(path, shown(text), expected);
        return None;
    };
    if url.origin.scheme == Scheme::Http && !allow_http {
        errors.conflict(path, "http is not protected; use https, or set clientConfig.allowHttp");
        return None;
    }
    Some(url)
}

/// What an error repeats: a query may hold a credential, and so may what stands before `@`.
fn shown(url: &str) -> String {
    let before_query = url.split('?').next().unwrap_or_default();
    quoted(before_query.rsplit('@').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{begins_with_a_host, resolve, shown};
    use crate::core::url::Url;

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
            ("//b.example/k", "https://a.example", "https://a.example//b.example/k"),
            ("/k", "https://a.example:8443/t/u", "https://a.example:8443/k"),
        ] {
            assert_eq!(resolve(reference, &Url::parse(issuer).unwrap()), expected, "{reference} {issuer}");
        }
    }

    #[test]
    fn a_scheme_that_was_forgotten_is_noticed() {
        for reference in
            ["idp.example.com/jwks.json", "a.io/", "idp:8443/keys", "idp:8443", "https:/idp/keys"]
        {
            assert!(begins_with_a_host(reference), "{reference}");
        }
        for reference in [
            "keys.json",
            "/idp.example/keys",
            ".well-known/jwks.json",
            "v2.0/keys",
            "oauth/v1.x/keys",
            "a/b:c",
        ] {
            assert!(!begins_with_a_host(reference), "{reference}");
        }
    }
}
