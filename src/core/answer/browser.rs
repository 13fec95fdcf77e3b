//! Sending a browser to a page instead of showing it an error (`errors.redirectUrl`, `errors.forbiddenRedirectUrl`).

use std::fmt::Write;

use crate::core::request::RequestView;
use crate::core::request::uri::without_tokens;

/// Where a browser goes: fixed by the configuration, with the original URL as one encoded parameter. Nothing that a
/// client sends chooses scheme, host or path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect {
    /// Absolute URL in which `{url}` stands for the original URL, percent-encoded.
    pub template: String,
    /// Query parameters that may hold a token, valid or not: the page does not get them, nor others that look like a token.
    pub token_parameters: Vec<String>,
}

impl Redirect {
    /// The `Location` for a navigation; `None` for every other request, which gets the refusal itself.
    pub fn location(&self, request: &dyn RequestView) -> Option<String> {
        is_navigation(request)
            .then(|| self.template.replace("{url}", &percent_encoded(&self.original_url(request))))
    }

    /// The URL as the browser has it, less what may be a token: Traefik sets the `X-Forwarded-` headers before
    /// middlewares run.
    fn original_url(&self, request: &dyn RequestView) -> Vec<u8> {
        let header = |name: &str| {
            let value = request.header_values(name).into_iter().next().unwrap_or_default();
            String::from_utf8(value).unwrap_or_default()
        };
        let uri = without_tokens(request.uri(), &self.token_parameters);
        let host = [header("X-Forwarded-Host"), header("Host")].into_iter().find(|host| !host.is_empty());
        match host {
            Some(host) => {
                let scheme = if header("X-Forwarded-Proto") == "https" { "https" } else { "http" };
                [format!("{scheme}://{host}").into_bytes(), uri].concat()
            }
            None => uri,
        }
    }
}

/// A browser that loads a page. Fetch Metadata decides if the browser sends it; scripts and API clients need the status.
fn is_navigation(request: &dyn RequestView) -> bool {
    if !matches!(request.method(), "GET" | "HEAD") {
        return false;
    }
    let first = |name: &str| request.header_values(name).into_iter().next();
    match first("Sec-Fetch-Mode") {
        Some(mode) => mode == b"navigate",
        None => first("Accept").is_some_and(|accept| accepts_html(&accept)),
    }
}

fn accepts_html(accept: &[u8]) -> bool {
    accept.split(|byte| *byte == b',').any(|range| {
        let media = range.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        media.eq_ignore_ascii_case(b"text/html") || media.eq_ignore_ascii_case(b"application/xhtml+xml")
    })
}

/// Everything but unreserved characters (RFC 3986 2.3) is encoded: the value cannot leave its parameter.
fn percent_encoded(text: &[u8]) -> String {
    text.iter().copied().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::Redirect;
    use crate::core::request::RecordedRequest;

    fn redirect(template: &str, token_parameters: &[&str]) -> Redirect {
        let token_parameters = token_parameters.iter().map(|name| (*name).to_owned()).collect();
        Redirect { template: template.to_owned(), token_parameters }
    }

    #[test]
    fn the_sign_in_page_is_not_told_a_token() {
        let redirect = redirect("https://login.example/?next={url}", &["access_token", "jwt"]);
        for (uri, expected) in [
            ("/a?x=1&access_token=a.b.c&y=2", "%2Fa%3Fx%3D1%26y%3D2"),
            ("/a?jwt=a.b.c", "%2Fa"),
            ("/a?access%5Ftoken=a&access_token=b&JWT=c&jwts=d", "%2Fa%3Fjwts%3Dd"),
            ("/a?+jwt=a;access.token[]=b;x", "%2Fa%3Fx"),
            ("/a?id_token=a&x&t=eyJhIjoxfQ.eyJiIjoyfQ.c", "%2Fa%3Fx"),
        ] {
            let request = RecordedRequest::new("GET", uri).header("Sec-Fetch-Mode", "navigate");
            let expected = format!("https://login.example/?next={expected}");
            assert_eq!(redirect.location(&request), Some(expected), "{uri}");
        }
    }

    #[test]
    fn only_navigations_are_sent_away() {
        let redirect = redirect("https://login.example/?next={url}", &[]);
        for (method, headers, expected) in [
            ("GET", &[("Sec-Fetch-Mode", "navigate")][..], true),
            ("HEAD", &[("Accept", "text/html,*/*;q=0.1")], true),
            ("GET", &[("Accept", "application/xhtml+xml;q=0.9")], true),
            ("GET", &[("Sec-Fetch-Mode", "cors"), ("Accept", "text/html")], false),
            ("GET", &[("Accept", "application/json")], false),
            ("GET", &[("Accept", "*/*")], false),
            ("GET", &[], false),
            ("POST", &[("Sec-Fetch-Mode", "navigate")], false),
        ] {
            let mut request = RecordedRequest::new(method, "/");
            for (name, value) in headers {
                request = request.header(name, *value);
            }
            assert_eq!(redirect.location(&request).is_some(), expected, "{method} {headers:?}");
        }
    }

    #[test]
    fn the_original_url_stays_in_its_parameter() {
        let redirect = redirect("https://login.example/?next={url}&x=1", &[]);
        let request = RecordedRequest::new("GET", "/a?b=c&d=//evil.example#e")
            .header("Sec-Fetch-Mode", "navigate")
            .header("X-Forwarded-Host", "api.example:8443")
            .header("X-Forwarded-Proto", "https");
        assert_eq!(
            redirect.location(&request).as_deref(),
            Some(
                "https://login.example/?next=https%3A%2F%2Fapi.example%3A8443%2Fa%3Fb%3Dc%26d%3D%2F%2Fevil.example%23e&x=1"
            )
        );
    }
}
