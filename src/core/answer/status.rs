//! The state of key sets and revocations for operators (`status`): without a token, to those who come from the right addresses. No
//! key, no secret, and of the configuration only what the keys are for.

use crate::core::about::VERSION;
use crate::core::answer::Served;
use crate::core::answer::verdict::Label;
use crate::core::fetching::{DocumentState, DocumentView};
use crate::core::jwk::lookup::KeySetView;
use crate::core::request::source_range::SourceRange;
use crate::core::request::{RequestView, uri};
use crate::core::revocation::RevocationView;
use crate::core::text::{self, Quoted};
use crate::core::unix_time::{Seconds, UnixTime};

/// `status`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusRules {
    /// `status.path`, compared with the path as the request has it.
    pub path: String,
    /// `status.sourceRange`: who may read it.
    pub ranges: Vec<SourceRange>,
    /// `status.kids`: whether the names of the keys are in it.
    pub kids: Kids,
}

/// Whether key sets are shown with the `kid`s of their keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kids {
    /// Their number only.
    Hide,
    /// Their names, too.
    Show,
}

impl StatusRules {
    /// Whether `request` is one for the status, from an address that may have it. Headers have no say: anybody can
    /// write them.
    pub fn is_asked_for(&self, request: &dyn RequestView) -> bool {
        uri::path(request.uri()) == self.path.as_bytes()
            && matches!(request.method(), "GET" | "HEAD")
            && request
                .source_address()
                .is_some_and(|from| self.ranges.iter().any(|range| range.contains(from)))
    }

    /// The document.
    pub fn serve(
        &self,
        sets: &[KeySetView],
        revocation: Option<&RevocationView>,
        now: UnixTime,
        request: &dyn RequestView,
    ) -> Served {
        let sets: Vec<String> = sets.iter().map(|set| self.key_set(set, now)).collect();
        let revocation = revocation.map(|view| format!(r#","revocation":{}"#, of_revocation(view, now)));
        let document = format!(
            r#"{{"version":"{VERSION}","keySets":[{}]{}}}"#,
            sets.join(","),
            revocation.unwrap_or_default()
        );
        let body = if request.method() == "HEAD" { Vec::new() } else { document.into_bytes() };
        let headers = vec![("Content-Type", "application/json".into()), ("Cache-Control", "no-store".into())];
        Served { status: 200, headers, body, label: Label::default() }
    }

    fn key_set(&self, set: &KeySetView, now: UnixTime) -> String {
        let kids = match self.kids {
            Kids::Hide => String::new(),
            Kids::Show => format!(r#","kids":{}"#, text::list(&set.kids)),
        };
        let content = format!(r#""keys":{}{kids}"#, set.keys);
        format!(r#"{{"issuer":{},{}}}"#, text::list(&set.issuer), of_document(&set.document, &content, now))
    }
}

fn of_revocation(view: &RevocationView, now: UnixTime) -> String {
    let directory = view.directory.as_ref().map(|(path, is_there)| {
        let state = if *is_there { "present" } else { "absent" };
        format!(r#""directory":{{"source":{},"state":"{state}"}}"#, Quoted(path))
    });
    let list = view.list.as_ref().map(|list| {
        let content = format!(r#""entries":{}"#, list.entries);
        format!(r#""list":{{{}}}"#, of_document(&list.document, &content, now))
    });
    let members: Vec<String> = directory.into_iter().chain(list).collect();
    format!("{{{}}}", members.join(","))
}

/// Members about a document, `content` among them.
fn of_document(document: &DocumentView, content: &str, now: UnixTime) -> String {
    let source = if document.place.is_empty() { "configuration" } else { &document.place };
    let state = match document.state {
        DocumentState::Fresh => "fresh",
        DocumentState::Stale => "stale",
        DocumentState::Absent => "absent",
    };
    let seconds = |span: Option<Seconds>| span.map_or("null".to_owned(), |span| span.0.to_string());
    format!(
        r#""source":{},"state":"{state}",{content},"ageSeconds":{},"nextRefreshSeconds":{},"lastError":{}"#,
        Quoted(source),
        seconds(document.had_at.map(|at| now.seconds_since(at))),
        seconds(document.due_at.map(|at| at.seconds_since(now))),
        document.last_error.as_deref().map_or("null".to_owned(), |error| Quoted(error).to_string()),
    )
}

#[cfg(test)]
mod tests {
    use super::{Kids, StatusRules};
    use crate::core::fetching::{DocumentState, DocumentView};
    use crate::core::jwk::lookup::KeySetView;
    use crate::core::request::RecordedRequest;
    use crate::core::request::source_range::SourceRange;
    use crate::core::revocation::{ListView, RevocationView};
    use crate::core::unix_time::UnixTime;

    fn rules(kids: Kids) -> StatusRules {
        let ranges = ["127.0.0.0/8", "::1"].map(|range| SourceRange::parse(range).unwrap());
        StatusRules { path: "/keys/status".into(), ranges: ranges.into(), kids }
    }

    #[test]
    fn only_for_those_who_may() {
        for (method, uri, from, expected) in [
            ("GET", "/keys/status", Some("127.0.0.1"), true),
            ("HEAD", "/keys/status?x", Some("::1"), true),
            ("GET", "/keys/status", Some("::ffff:127.0.0.1"), true),
            ("GET", "/keys/status", Some("10.0.0.1"), false),
            ("GET", "/keys/status", None, false),
            ("POST", "/keys/status", Some("127.0.0.1"), false),
            ("OPTIONS", "/keys/status", Some("127.0.0.1"), false),
            ("GET", "/keys/status/", Some("127.0.0.1"), false),
            ("GET", "/keys/%73tatus", Some("127.0.0.1"), false),
            ("GET", "//keys/status", Some("127.0.0.1"), false),
            ("GET", "/", Some("127.0.0.1"), false),
        ] {
            let mut request = RecordedRequest::new(method, uri)
                .header("X-Forwarded-For", "127.0.0.1")
                .header("X-Real-Ip", "127.0.0.1")
                .header("Forwarded", "for=127.0.0.1");
            if let Some(from) = from {
                request = request.from_address(from.parse().unwrap());
            }
            assert_eq!(rules(Kids::Hide).is_asked_for(&request), expected, "{method} {uri} {from:?}");
        }
    }

    #[test]
    fn what_is_loaded_and_what_failed() {
        let at = UnixTime::from_seconds;
        let fetched = KeySetView {
            issuer: vec!["https://idp/".into(), "https://{tenant}/".into()],
            document: DocumentView {
                place: "https://idp/jwks".into(),
                state: DocumentState::Stale,
                had_at: Some(at(900)),
                due_at: Some(at(1010)),
                last_error: Some("HTTP \"500\"".into()),
            },
            keys: 2,
            kids: vec!["a".into(), "b\"".into()],
        };
        let inline = DocumentView {
            place: String::new(),
            state: DocumentState::Fresh,
            had_at: None,
            due_at: None,
            last_error: None,
        };
        let configured = KeySetView { document: inline, ..fetched.clone() };
        let body = |kids, method| {
            let request = RecordedRequest::new(method, "/keys/status");
            let sets = [fetched.clone(), configured.clone()];
            let served = rules(kids).serve(&sets, None, at(1000), &request);
            assert!(served.headers.contains(&("Cache-Control", "no-store".into())));
            String::from_utf8(served.body).unwrap()
        };
        assert_eq!(
            body(Kids::Hide, "GET"),
            concat!(
                r#"{"version":""#,
                env!("CARGO_PKG_VERSION"),
                r#"","keySets":[{"issuer":["https://idp/","https://{tenant}/"],"source":"https://idp/jwks","state":"stale","keys":2,"ageSeconds":100,"nextRefreshSeconds":10,"lastError":"HTTP \"500\""},"#,
                r#"{"issuer":["https://idp/","https://{tenant}/"],"source":"configuration","state":"fresh","keys":2,"ageSeconds":null,"nextRefreshSeconds":null,"lastError":null}]}"#
            )
        );
        assert!(body(Kids::Show, "GET").contains(r#""keys":2,"kids":["a","b\""],"ageSeconds""#));
        assert_eq!(body(Kids::Show, "HEAD"), "");
    }

    #[test]
    fn what_of_revocation_is_configured() {
        let list = ListView {
            document: DocumentView {
                place: "/revoked.jsonl".into(),
                state: DocumentState::Absent,
                had_at: None,
                due_at: None,
                last_error: Some("no such file".into()),
            },
            entries: 0,
        };
        let of_list = r#""list":{"source":"/revoked.jsonl","state":"absent","entries":0,"ageSeconds":null,"nextRefreshSeconds":null,"lastError":"no such file"}"#;
        let directory = |is_there| Some(("/revoked".to_owned(), is_there));
        let present = r#""directory":{"source":"/revoked","state":"present"}"#;
        let absent = r#""directory":{"source":"/revoked","state":"absent"}"#;
        for (directory, list, expected) in [
            (directory(true), None, present.to_owned()),
            (None, Some(list.clone()), of_list.to_owned()),
            (directory(false), Some(list), format!("{absent},{of_list}")),
        ] {
            let view = RevocationView { directory, list };
            let request = RecordedRequest::new("GET", "/keys/status");
            let served = rules(Kids::Hide).serve(&[], Some(&view), UnixTime::from_seconds(1000), &request);
            let body = String::from_utf8(served.body).unwrap();
            assert!(body.ends_with(&format!(r#""keySets":[],"revocation":{{{expected}}}}}"#)), "{body}");
        }
    }
}
