//! Bodies of refusals.

use crate::core::answer::{BodyFormat, Details};
use crate::core::refusal::Refusal;
use crate::core::text::Quoted;

/// Body and its `Content-Type`; both empty if there is no body.
pub fn render(
    format: &BodyFormat,
    details: Details,
    status: u16,
    title: &str,
    refusal: &Refusal,
) -> (String, Vec<u8>) {
    let more = match details {
        Details::Hide => None,
        Details::Show => Some((refusal.code(), refusal.description())),
    };
    let (content_type, body) = match format {
        BodyFormat::Empty => ("", String::new()),
        BodyFormat::Text => match more {
            None => ("text/plain; charset=utf-8", format!("{title}\n")),
            Some((code, description)) => {
                ("text/plain; charset=utf-8", format!("{title} ({code}): {description}\n"))
            }
        },
        BodyFormat::Json => {
            let more = more.map(|(code, description)| {
                format!(r#", "code": {}, "description": {}"#, Quoted(code), Quoted(&description))
            });
            ("application/json", format!(r#"{{"error": {}{}}}"#, Quoted(title), more.unwrap_or_default()))
        }
        BodyFormat::Problem => {
            let more = more.map(|(code, description)| {
                format!(r#", "detail": {}, "code": {}"#, Quoted(&description), Quoted(code))
            });
            (
                "application/problem+json",
                format!(
                    r#"{{"type": "about:blank", "title": {}, "status": {status}{}}}"#,
                    Quoted(title),
                    more.unwrap_or_default()
                ),
            )
        }
        BodyFormat::Custom { content_type, template } => {
            let (code, description) = more.unwrap_or(("", title.to_owned()));
            // None of the values has a quote, a backslash, a bracket or a brace: they fit JSON and HTML as they are.
            let body = template
                .replace("{status}", &status.to_string())
                .replace("{title}", title)
                .replace("{code}", code)
                .replace("{description}", &description.replace(['<', '>', '&', '{', '}'], "?"));
            (content_type.as_str(), body)
        }
    };
    (content_type.to_owned(), body.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::core::answer::{BodyFormat, Details};
    use crate::core::refusal::Refusal;

    #[test]
    fn formats() {
        let custom = BodyFormat::Custom {
            content_type: "text/html".into(),
            template: "<h1>{status} {title}</h1>{code}: {description} {other}".into(),
        };
        let missing = Refusal::ClaimMissing { claim: "<b>{code}".into() };
        for (format, details, content_type, body) in [
            (&BodyFormat::Json, Details::Hide, "application/json", r#"{"error": "No \"token\""}"#),
            (
                &BodyFormat::Json,
                Details::Show,
                "application/json",
                r#"{"error": "No \"token\"", "code": "claim_missing", "description": "the claim <b>{code} is missing"}"#,
            ),
            (
                &BodyFormat::Problem,
                Details::Hide,
                "application/problem+json",
                r#"{"type": "about:blank", "title": "No \"token\"", "status": 401}"#,
            ),
            (
                &BodyFormat::Problem,
                Details::Show,
                "application/problem+json",
                r#"{"type": "about:blank", "title": "No \"token\"", "status": 401, "detail": "the claim <b>{code} is missing", "code": "claim_missing"}"#,
            ),
            (&BodyFormat::Text, Details::Hide, "text/plain; charset=utf-8", "No \"token\"\n"),
            (
                &BodyFormat::Text,
                Details::Show,
                "text/plain; charset=utf-8",
                "No \"token\" (claim_missing): the claim <b>{code} is missing\n",
            ),
            (&BodyFormat::Empty, Details::Show, "", ""),
            (&custom, Details::Hide, "text/html", "<h1>401 No \"token\"</h1>: No \"token\" {other}"),
            (
                &custom,
                Details::Show,
                "text/html",
                "<h1>401 No \"token\"</h1>claim_missing: the claim ?b??code? is missing {other}",
            ),
        ] {
            let (found_type, found) = render(format, details, 401, "No \"token\"", &missing);
            assert_eq!(
                (found_type.as_str(), String::from_utf8(found).unwrap().as_str()),
                (content_type, body)
            );
        }
    }
}
