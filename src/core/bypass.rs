//! Step 4: requests that need no token, and what a refusal means in each mode.

use crate::core::request::RequestView;
use crate::core::request::path::{self, PathPattern};

/// `mode`, `bypassPreflight`, `bypassPaths`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BypassRules {
    /// What becomes of a request that would be refused.
    pub mode: Mode,
    /// Whether CORS preflights pass without a token.
    pub preflight: Preflight,
    /// Paths that need no token.
    pub paths: Vec<PathPattern>,
}

/// `mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is refused.
    Required,
    /// It goes on without identity if it has no token at all; else it is refused.
    Optional,
    /// It goes on without identity.
    Permissive,
    /// It goes on without identity, labelled with the verdict.
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

/// Whether the request goes on without being asked for a token.
#[must_use]
pub fn applies(rules: &BypassRules, request: &dyn RequestView) -> bool {
    (rules.preflight == Preflight::Pass && is_preflight(request)) || is_bypassed_path(&rules.paths, request)
}

/// A CORS preflight (Fetch 4.8): not every OPTIONS, which may be a real request to the upstream.
fn is_preflight(request: &dyn RequestView) -> bool {
    let has = |name: &str| request.header_names().any(|known| known.eq_ignore_ascii_case(name));
    request.method() == "OPTIONS" && has("origin") && has("access-control-request-method")
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
    use super::{BypassRules, Mode, Preflight, applies};
    use crate::core::request::RecordedRequest;
    use crate::core::request::path::PathPattern;

    #[test]
    fn only_real_preflights() {
        let rules = BypassRules { mode: Mode::Required, preflight: Preflight::Pass, paths: vec![] };
        let preflight = |method| RecordedRequest::new(method, "/").header("Origin", "https://a.example");
        let asking = |method| preflight(method).header("Access-Control-Request-Method", "POST");
        assert!(applies(&rules, &asking("OPTIONS")));
        assert!(!applies(&rules, &preflight("OPTIONS")));
        assert!(!applies(&rules, &asking("GET")));
        assert!(!applies(&rules, &RecordedRequest::new("OPTIONS", "/")));
        let rules = BypassRules { preflight: Preflight::Check, ..rules };
        assert!(!applies(&rules, &asking("OPTIONS")));
    }

    #[test]
    fn no_spelling_of_a_path_opens_a_hole() {
        let paths = ["/health", "/public/*"].map(|pattern| PathPattern::parse(pattern).unwrap());
        let rules = BypassRules { mode: Mode::Required, preflight: Preflight::Check, paths: paths.into() };
        for (uri, expected) in [
            ("/health", true),
            ("/health?x=/../", true),
            ("/he%61lth", true),
            ("/public/", true),
            ("/public/a/b.css", true),
            ("/public/caf%C3%A9", true),
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
            assert_eq!(applies(&rules, &RecordedRequest::new("GET", uri)), expected, "{uri}");
        }
    }
}
