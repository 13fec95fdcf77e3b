//! Step 4: requests that need no token, and what a refusal means in each mode.

use crate::core::request::RequestView;
use crate::core::request::method;
use crate::core::request::path::{self, PathPattern};

/// `mode`, `bypassPreflight`, `bypassMethods`, `bypassPaths`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BypassRules {
    /// What happens to a request that would be refused.
    pub mode: Mode,
    /// Whether CORS preflights pass without a token.
    pub preflight: Preflight,
    /// Methods that need no token.
    pub methods: Vec<String>,
    /// Paths that need no token.
    pub paths: Vec<PathPattern>,
}

/// `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is refused.
    Required,
    /// It is forwarded without identity if it has no token at all; otherwise it is refused.
    Optional,
    /// It is forwarded without identity.
    Permissive,
    /// It is forwarded without identity, and the log says why it would be refused, a missing token included.
    DryRun,
}

/// `bypassPreflight`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preflight {
    /// Preflights are requests like others.
    Check,
    /// Preflights pass.
    Pass,
}

/// What happens to the body of a request that is forwarded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// It is forwarded unchanged.
    #[default]
    Keep,
    /// It is replaced by an empty one.
    Drop,
}

/// Why a request needs no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bypass {
    /// Its path.
    Path,
    /// It is a preflight. These have no body, so none goes on: the host does not show the guest one without a length.
    Preflight,
    /// The rule that it is under (`token: none`).
    Rule,
    /// Its method, and it has no body; none goes on, as with a preflight.
    Method,
}

impl Bypass {
    /// Why the request is forwarded without a token; `None` if it needs one.
    pub fn of(rules: &BypassRules, request: &dyn RequestView) -> Option<Self> {
        if is_bypassed_path(&rules.paths, request) {
            return Some(Self::Path);
        }
        if rules.preflight == Preflight::Pass && is_preflight(request) {
            return Some(Self::Preflight);
        }
        is_bypassed_method(&rules.methods, request).then_some(Self::Method)
    }

    /// What happens to the request's body.
    pub const fn body(self) -> Body {
        match self {
            Self::Path | Self::Rule => Body::Keep,
            Self::Preflight | Self::Method => Body::Drop,
        }
    }
}

/// A CORS preflight (Fetch 4.8): not every OPTIONS, which may be a real request to the upstream, such as one with a body.
/// Names are compared exactly, since a match lets the request pass.
fn is_preflight(request: &dyn RequestView) -> bool {
    request.method() == "OPTIONS"
        && has(request, "origin")
        && has(request, "access-control-request-method")
        && has_no_body(request)
}

fn has(request: &dyn RequestView, name: &str) -> bool {
    request.header_names().any(|known| known.eq_ignore_ascii_case(name))
}

fn has_no_body(request: &dyn RequestView) -> bool {
    !has(request, "transfer-encoding")
        && request.header_values("content-length").iter().all(|length| length == b"0")
}

/// A method that is listed, compared exactly, as methods are (RFC 9110 9.1); not if a back end may take it for another
/// one, and not with a body.
fn is_bypassed_method(methods: &[String], request: &dyn RequestView) -> bool {
    methods.iter().any(|method| method == request.method())
        && has_no_body(request)
        && method::unambiguous(request).is_some()
}

/// A path that a back end could read in two ways matches no pattern: it needs a token like all others.
fn is_bypassed_path(patterns: &[PathPattern], request: &dyn RequestView) -> bool {
    if patterns.is_empty() {
        return false;
    }
    path::unambiguous(request.uri()).is_some_and(|path| patterns.iter().any(|pattern| pattern.matches(&path)))
}

#[cfg(test)]
mod tests {
    use super::{Body, Bypass, BypassRules, Mode, Preflight};
    use crate::core::request::RecordedRequest;
    use crate::core::request::path::PathPattern;

    #[test]
    fn only_real_preflights() {
        let rules = rules(Preflight::Pass, vec![], vec![]);
        let preflight = |method| RecordedRequest::new(method, "/").header("Origin", "https://a.example");
        let asking = |method| preflight(method).header("Access-Control-Request-Method", "POST");
        let with = |name, value: &str| asking("OPTIONS").header(name, value);
        for (request, expected) in [
            (asking("OPTIONS"), true),
            (with("Content-Length", "0"), true),
            (preflight("OPTIONS"), false),
            (preflight("OPTIONS").header("Access_Control_Request_Method", "POST"), false),
            (asking("GET"), false),
            (RecordedRequest::new("OPTIONS", "/"), false),
            (with("Content-Length", "1"), false),
            (with("content-length", "00"), false),
            (with("Content-Length", "0").header("Content-Length", "7"), false),
            (with("Transfer-Encoding", "chunked"), false),
        ] {
            assert_eq!(Bypass::of(&rules, &request), expected.then_some(Bypass::Preflight), "{request:?}");
        }
        let rules = BypassRules { preflight: Preflight::Check, ..rules };
        assert_eq!(Bypass::of(&rules, &asking("OPTIONS")), None);
        assert_eq!((Bypass::Preflight.body(), Bypass::Path.body()), (Body::Drop, Body::Keep));
    }

    #[test]
    fn listed_methods_without_a_body() {
        let methods = ["OPTIONS", "HEAD"].map(str::to_owned);
        let rules = rules(Preflight::Check, methods.into(), vec![]);
        let head = || RecordedRequest::new("HEAD", "/");
        for (request, expected) in [
            (head(), true),
            (RecordedRequest::new("OPTIONS", "*"), true),
            (head().header("Content-Length", "0"), true),
            (RecordedRequest::new("GET", "/"), false),
            (RecordedRequest::new("head", "/"), false),
            (RecordedRequest::new("HEAD ", "/"), false),
            (head().header("Content-Length", "1"), false),
            (head().header("Transfer-Encoding", "chunked"), false),
            (head().header("X-HTTP-Method-Override", "DELETE"), false),
            (head().header("x_http_method", "DELETE"), false),
            (head().header("X~Method~Override", "HEAD"), false),
        ] {
            assert_eq!(Bypass::of(&rules, &request), expected.then_some(Bypass::Method), "{request:?}");
        }
        assert_eq!(Bypass::Method.body(), Body::Drop);
    }

    fn rules(preflight: Preflight, methods: Vec<String>, paths: Vec<PathPattern>) -> BypassRules {
        BypassRules { mode: Mode::Required, preflight, methods, paths }
    }

    #[test]
    fn no_spelling_of_a_path_opens_a_hole() {
        let paths = ["/health", "/public/*"].map(|pattern| PathPattern::parse(pattern).unwrap());
        let rules = rules(Preflight::Check, vec![], paths.into());
        for (uri, expected) in [
            ("/health", true),
            ("/health?x=/../", true),
            ("/he%61lth", true),
            ("/public/", true),
            ("/public/a/b.css", true),
            ("/public/caf%C3%A9", true),
            ("/public/a:b", true),
            ("/public/A~1", true),
            ("/health.", false),
            ("/health%20", false),
            ("/public/... /admin", false),
            ("/public/..%20/admin", false),
            ("/public/..:a/admin", false),
            ("/public/.%C2%AD./admin", false),
            ("/public/..%E2%88%95admin", false),
            ("/public/%E3%80%82%E3%80%82/admin", false),
            ("/health/", false),
            ("/healthz", false),
            ("/Health", false),
            ("/public", false),
            ("/public/../admin", false),
            ("/public/./a", false),
            ("/public/%2e%2e/admin", false),
            ("/public/..;/admin", false),
            ("/public/%2e%2e%2fadmin", false),
            ("/public/..%2fadmin", false),
            ("/public/%252e%252e/admin", false),
            ("/public//../admin", false),
            ("//public/a", false),
            ("/public/..%5cadmin", false),
            ("/public/..\\admin", false),
            ("/public/a;b", false),
            ("/public/a%00", false),
            ("/public/a%0a", false),
            ("/public/%c0%ae%c0%ae/admin", false),
            ("/public/%ff", false),
            ("/public/%", false),
            ("/public/%2", false),
            ("/public/%zz", false),
            ("/admin/../public/a", false),
            ("http://evil/public/a", false),
            ("*", false),
            ("", false),
        ] {
            let bypass = Bypass::of(&rules, &RecordedRequest::new("GET", uri));
            assert_eq!(bypass, expected.then_some(Bypass::Path), "{uri}");
        }
    }
}
