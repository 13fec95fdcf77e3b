//! Letting a page of another origin read why it was refused (`errors.cors`, Fetch 3.2). Only refusals get these
//! headers: what the upstream's answers allow is the upstream's to say.

use crate::core::request::RequestView;

/// Origins whose pages may read refusals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Serialized origins, `https://app.example`; `*` alone for all, without credentials.
    pub allowed: Vec<String>,
}

impl Origins {
    /// Headers for the answer. `code_header` is that of `errors.codeHeader`, empty if there is none.
    pub fn headers(&self, request: &dyn RequestView, code_header: &str) -> Vec<(&'static str, String)> {
        if self.allowed.is_empty() {
            return Vec::new();
        }
        let mut headers = vec![("Vary", "Origin".to_owned())];
        let origin =
            request.header_values("Origin").into_iter().next().and_then(|o| String::from_utf8(o).ok());
        let Some(origin) = origin else {
            return headers;
        };
        if self.allowed.contains(&origin) {
            headers.push(("Access-Control-Allow-Origin", origin));
            headers.push(("Access-Control-Allow-Credentials", "true".into()));
        } else if self.allowed.iter().any(|allowed| allowed == "*") {
            headers.push(("Access-Control-Allow-Origin", "*".into()));
        } else {
            return headers;
        }
        let mut exposed = "WWW-Authenticate, Retry-After".to_owned();
        if !code_header.is_empty() {
            exposed.push_str(", ");
            exposed.push_str(code_header);
        }
        headers.push(("Access-Control-Expose-Headers", exposed));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::Origins;
    use crate::core::request::RecordedRequest;

    #[test]
    fn named_origins_only() {
        for (allowed, origin, expected) in [
            (&[][..], Some("https://a.example"), None),
            (&["https://a.example"], Some("https://a.example"), Some("https://a.example")),
            (&["https://a.example"], Some("https://a.example.evil"), None),
            (&["https://a.example"], Some("null"), None),
            (&["https://a.example"], None, None),
            (&["*"], Some("https://b.example"), Some("*")),
        ] {
            let origins = Origins { allowed: allowed.iter().map(|o| (*o).to_owned()).collect() };
            let mut request = RecordedRequest::new("GET", "/");
            if let Some(origin) = origin {
                request = request.header("Origin", origin);
            }
            let headers = origins.headers(&request, "");
            let found = headers.iter().find(|(name, _)| *name == "Access-Control-Allow-Origin");
            assert_eq!(found.map(|(_, value)| value.as_str()), expected, "{allowed:?} {origin:?}");
            assert_eq!(headers.is_empty(), allowed.is_empty());
        }
    }

    #[test]
    fn a_page_reads_every_header_that_says_why() {
        let origins = Origins { allowed: vec!["https://a.example".into()] };
        let request = RecordedRequest::new("GET", "/").header("Origin", "https://a.example");
        for (code_header, expected) in
            [("", "WWW-Authenticate, Retry-After"), ("X-Code", "WWW-Authenticate, Retry-After, X-Code")]
        {
            let headers = origins.headers(&request, code_header);
            assert!(headers.contains(&("Access-Control-Expose-Headers", expected.to_owned())), "{headers:?}");
        }
    }
}
