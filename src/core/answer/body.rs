//! Bodies of refusals.

use crate::core::answer::{BodyFormat, Details};
use crate::core::refusal::Refusal;

/// Body and its `Content-Type`; both empty where there is no body.
#[must_use]
pub fn render(
    format: BodyFormat,
    details: Details,
    title: &str,
    refusal: &Refusal,
) -> (&'static str, Vec<u8>) {
    let more = match details {
        Details::Hide => None,
        Details::Show => Some((refusal.code(), refusal.description())),
    };
    match format {
        BodyFormat::Empty => ("", Vec::new()),
        BodyFormat::Text => {
            let text = match more {
                None => format!("{title}\n"),
                Some((code, description)) => format!("{title} ({code}): {description}\n"),
            };
            ("text/plain; charset=utf-8", text.into_bytes())
        }
        BodyFormat::Json => {
            let json = match more {
                None => format!(r#"{{"error": {}}}"#, quoted(title)),
                Some((code, description)) => format!(
                    r#"{{"error": {}, "code": {}, "description": {}}}"#,
                    quoted(title),
                    quoted(code),
                    quoted(&description)
                ),
            };
            ("application/json", json.into_bytes())
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::core::answer::{BodyFormat, Details};
    use crate::core::refusal::Refusal;

    #[test]
    fn formats() {
        let refusal = Refusal::TokenMissing;
        for (format, details, content_type, body) in [
            (BodyFormat::Json, Details::Hide, "application/json", r#"{"error": "No \"token\""}"#),
            (
                BodyFormat::Json,
                Details::Show,
                "application/json",
                r#"{"error": "No \"token\"", "code": "token_missing", "description": "no token was sent"}"#,
            ),
            (BodyFormat::Text, Details::Hide, "text/plain; charset=utf-8", "No \"token\"\n"),
            (
                BodyFormat::Text,
                Details::Show,
                "text/plain; charset=utf-8",
                "No \"token\" (token_missing): no token was sent\n",
            ),
            (BodyFormat::Empty, Details::Show, "", ""),
        ] {
            assert_eq!(
                render(format, details, "No \"token\"", &refusal),
                (content_type, body.as_bytes().to_vec())
            );
        }
    }
}
