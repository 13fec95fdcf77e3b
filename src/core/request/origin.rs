//! `Origin`: the page that a browser sends a request for (RFC 6454 7).

use crate::core::refusal::Refusal;
use crate::core::request::RequestView;

/// Checks that the page may send requests. A request without the header does not come from a page, or is of a kind whose
/// answer the page cannot read. An empty `allowed` allows every page.
///
/// # Errors
/// `origin_not_allowed`, also if the request has several.
pub fn check(allowed: &[String], request: &dyn RequestView) -> Result<(), Refusal> {
    if allowed.is_empty() {
        return Ok(());
    }
    let is_allowed = |origin: &Vec<u8>| allowed.iter().any(|allowed| allowed.as_bytes() == origin.as_slice());
    let origins = request.header_values("Origin");
    if origins.iter().all(is_allowed) && origins.len() <= 1 { Ok(()) } else { Err(Refusal::OriginNotAllowed) }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::core::request::RecordedRequest;

    #[test]
    fn pages_that_are_named_only() {
        let named = ["https://app.example".to_owned()];
        for (origins, expected) in [
            (&[][..], true),
            (&["https://app.example"], true),
            (&["https://app.example.evil"], false),
            (&["http://app.example"], false),
            (&["HTTPS://APP.EXAMPLE"], false),
            (&["null"], false),
            (&[""], false),
            (&["https://app.example", "https://app.example"], false),
        ] {
            let request = RecordedRequest::new("POST", "/");
            let request = origins.iter().fold(request, |request, origin| request.header("Origin", *origin));
            assert_eq!(check(&named, &request).is_ok(), expected, "{origins:?}");
            assert!(check(&[], &request).is_ok(), "{origins:?}");
        }
    }
}
