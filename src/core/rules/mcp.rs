//! What the Model Context Protocol repeats of a message in headers (revision 2026-07-28, Streamable HTTP, "Request
//! Metadata"), so that who may call a tool can be decided without the body.
//!
//! The server has to compare header and body, and servers of that revision do. One of an earlier revision, and a client of
//! one, knows nothing of these headers, so the revision of the request is checked first.

use std::borrow::Cow;

use crate::core::request::header_name::{Single, fold, is_alias};
use crate::core::rules::fault::Fault;
use crate::core::token::base64url::decode_padded;

/// The header with the revision.
pub(super) const VERSION: &str = "MCP-Protocol-Version";
/// The header with the method of the message.
pub(super) const METHOD: &str = "Mcp-Method";
/// The header with the tool, the resource or the prompt.
const NAME: &str = "Mcp-Name";
/// Parameters of tools, which a client sends where the call has them.
const PARAMETER: &str = "Mcp-Param-";
/// The session of earlier revisions.
const SESSION: &str = "Mcp-Session-Id";

/// The methods of a message for which [`NAME`] is required.
const NAMING: [&str; 3] = ["tools/call", "resources/read", "prompts/get"];

/// The first revision whose servers compare headers and body. Revisions are dates.
const FIRST: &str = "2026-07-28";

/// What is around an encoded value.
const ENCODED: (&str, &str) = ("=?base64?", "?=");

/// Whether the header `name` repeats something of the message.
pub(super) fn is_mirrored(name: &str) -> bool {
    begins(name, "Mcp-") && !is_alias(name, VERSION) && !is_alias(name, SESSION)
}

fn begins(name: &str, start: &str) -> bool {
    name.len() > start.len() && name.bytes().zip(start.bytes()).all(|(a, b)| fold(a) == fold(b))
}

/// Checks that the request is of a revision in which headers can be believed.
///
/// # Errors
/// [`Fault::McpHeader`].
pub(super) fn check_version(single: &Single) -> Result<(), Fault<'static>> {
    let invalid = |problem| Err(Fault::McpHeader { header: VERSION, problem });
    match single {
        Single::Absent => invalid(MISSING),
        Single::Unclear => invalid(UNCLEAR),
        Single::Text(version) if is_date(version) && version.as_str() >= FIRST => Ok(()),
        Single::Text(_) => invalid("names an earlier revision than 2026-07-28, or none"),
    }
}

const MISSING: &str = "is missing";
const UNCLEAR: &str = "is there twice, or is no text";

fn is_date(text: &str) -> bool {
    text.len() == FIRST.len()
        && text
            .bytes()
            .zip(FIRST.bytes())
            .all(|(byte, like)| if like == b'-' { byte == b'-' } else { byte.is_ascii_digit() })
}

/// The value of the header `name`; `None` where the message has no such value. `method` reads [`METHOD`].
///
/// # Errors
/// [`Fault::McpHeader`] where the header has to be there and is not, or has not one value that can be read.
pub(super) fn value<'r, 'v>(
    name: &'r str,
    single: &'v Single,
    method: impl FnOnce() -> Single,
) -> Result<Option<Cow<'v, str>>, Fault<'r>> {
    let invalid = |problem| Err(Fault::McpHeader { header: name, problem });
    match single {
        Single::Text(text) => match decoded(text) {
            Some(value) => Ok(Some(value)),
            None => invalid("cannot be decoded"),
        },
        Single::Unclear => invalid(UNCLEAR),
        Single::Absent if begins(name, PARAMETER) => Ok(None),
        Single::Absent if is_alias(name, NAME) => match method() {
            Single::Text(method) if !NAMING.contains(&method.as_str()) => Ok(None),
            Single::Text(_) | Single::Absent | Single::Unclear => invalid(MISSING),
        },
        Single::Absent => invalid(MISSING),
    }
}

/// The text that a value stands for. What resembles an encoded value and is none is nothing: a server may read it as one.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    let (start, end) = ENCODED;
    let resembles = text.get(..start.len()).is_some_and(|found| found.eq_ignore_ascii_case(start));
    if !resembles {
        return text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\t')).then_some(Cow::Borrowed(text));
    }
    let encoded = text.strip_prefix(start)?.strip_suffix(end)?;
    String::from_utf8(decode_padded(encoded.as_bytes())?).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::{decoded, is_mirrored};
    use crate::core::request::RecordedRequest;
    use crate::core::rules::RuleTable;
    use crate::core::rules::examples::{found, rule};

    #[test]
    fn headers_that_repeat_the_message() {
        for (name, expected) in [
            ("Mcp-Method", true),
            ("mcp_name", true),
            ("Mcp-Param-Region", true),
            ("MCP-Protocol-Version", false),
            ("Mcp-Session-Id", false),
            ("Mcp-", false),
            ("X-Mcp-Name", false),
        ] {
            assert_eq!(is_mirrored(name), expected, "{name}");
        }
    }

    #[test]
    fn encoded_values() {
        for (text, expected) in [
            ("us-west1", Some("us-west1")),
            ("=?base64?SGVsbG8sIOS4lueVjA==?=", Some("Hello, \u{4e16}\u{754c}")),
            ("=?base64?IHBhZGRlZCA=?=", Some(" padded ")),
            ("=?base64?bGluZTEKbGluZTI=?=", Some("line1\nline2")),
            ("=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=", Some("=?base64?literal?=")),
            ("=?base64??=", Some("")),
            ("=?utf-8?q?a?=", Some("=?utf-8?q?a?=")),
            ("=?base64?SGVsbG8?=", None),
            ("=?base64?SGVsbG9=?=", None),
            ("=?base64?SGVs bG8=?=", None),
            ("=?base64?_-8=?=", None),
            ("=?base64?/w==?=", None),
            ("=?base64?YQ==", None),
            ("=?base64?=", None),
            ("=?BASE64?YQ==?=", None),
            ("\u{e9}", None),
            ("a\u{7f}", None),
        ] {
            assert_eq!(decoded(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_tool_is_called_under_its_own_rule() {
        let table = RuleTable::new(vec![
            rule(&["POST"], &["/mcp"], &["Mcp-Method: tools/call", "Mcp-Name: delete_*"]),
            rule(&["POST"], &["/mcp"], &["Mcp-Method: tools/call", "Mcp-Name: move", "Mcp-Param-Zone: eu"]),
            rule(&["POST"], &["/mcp"], &["mcp-name: file:///secret/*"]),
            rule(&["POST"], &["/mcp"], &["Mcp-Method: *"]),
            rule(&[], &["/other"], &[]),
        ]);
        let request = |headers: &[(&str, &str)]| {
            let request = RecordedRequest::new("POST", "/mcp");
            headers.iter().fold(request, |request, (name, value)| request.header(name, *value))
        };
        let revision = ("MCP-Protocol-Version", "2026-07-28");
        let call = ("Mcp-Method", "tools/call");
        let invalid = "mcp_header_invalid";
        for (headers, expected) in [
            (&[revision, call, ("Mcp-Name", "delete_all")][..], "0"),
            (&[revision, call, ("Mcp-Name", "=?base64?ZGVsZXRlX2FsbA==?=")], "0"),
            (&[revision, call, ("Mcp-Name", "search")], "3"),
            (&[revision, call, ("Mcp-Name", "Delete_all")], "3"),
            (&[revision, call, ("Mcp-Name", "move"), ("Mcp-Param-Zone", "eu")], "1"),
            (&[revision, call, ("Mcp-Name", "move")], "3"),
            (&[revision, ("Mcp-Method", "resources/read"), ("Mcp-Name", "file:///secret/x")], "2"),
            (&[revision, ("Mcp-Method", "tools/list")], "3"),
            (&[("MCP-Protocol-Version", "2027-01-01"), ("Mcp-Method", "tools/list")], "3"),
            (&[revision], invalid),
            (&[revision, call], invalid),
            (&[revision, ("Mcp-Method", "prompts/get")], invalid),
            (&[revision, call, ("Mcp-Name", "a"), ("Mcp-Name", "delete_all")], invalid),
            (&[revision, call, ("Mcp-Name", "a"), ("Mcp_Name", "a")], invalid),
            (&[revision, call, call, ("Mcp-Name", "a")], invalid),
            (&[revision, call, ("Mcp-Name", "=?base64?ZGVsZXRlX2FsbA?=")], invalid),
            (&[revision, call, ("Mcp-Name", "\u{e9}")], invalid),
            (&[call, ("Mcp-Name", "search")], invalid),
            (&[("MCP-Protocol-Version", "2025-11-25"), call, ("Mcp-Name", "search")], invalid),
            (&[("MCP-Protocol-Version", "DRAFT-2026"), call, ("Mcp-Name", "search")], invalid),
            (&[("MCP-Protocol-Version", "2026-7-28"), call, ("Mcp-Name", "search")], invalid),
            (&[revision, revision, call, ("Mcp-Name", "search")], invalid),
        ] {
            assert_eq!(found(&table, &request(headers)), expected, "{headers:?}");
        }
        // Rules for other paths ask for none of it.
        assert_eq!(found(&table, &RecordedRequest::new("GET", "/other")), "4");
    }
}
