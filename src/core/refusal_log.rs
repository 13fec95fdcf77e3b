//! The log line of a refusal: who was refused and why, once for people and for `jq`, `logfmt` and the like. What the
//! client chose is quoted, cut and in printable ASCII; token bytes are never in it, and of claims only `iss`, what the
//! refusing rule is about (`evidence`) and, if that is allowed, `sub`.

use std::borrow::Cow;
use std::fmt::Write;

use crate::core::limits::{MAX_LOGGED_EVIDENCE_CHARS, MAX_LOGGED_PATH_CHARS, MAX_SHOWN_CHARS};
use crate::core::refusal::{Evidence, Refusal};
use crate::core::request::{RequestView, uri};
use crate::core::text::{Quoted, cut};
use crate::core::token::jws::UnverifiedToken;
use crate::core::unix_time::UnixTime;

/// `log`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRules {
    /// `log.refusals`.
    pub level: LogLevel,
    /// `log.sub`.
    pub sub: LoggedSub,
    /// `log.perMinute`: lines that one instance writes at most.
    pub per_minute: u32,
}

/// Level of the line in Traefik's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// No line.
    Off,
    /// Debug.
    Debug,
    /// Info.
    Info,
    /// Warning.
    Warn,
    /// Error: the only level that Traefik shows by default.
    Error,
}

/// Whether the line names the subject, which is personal data in most places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoggedSub {
    /// It does not.
    Hide,
    /// It does.
    Show,
}

impl Default for LogRules {
    fn default() -> Self {
        Self { level: LogLevel::Info, sub: LoggedSub::Hide, per_minute: 60 }
    }
}

/// What became of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was answered with this status.
    Refused(u16),
    /// It was forwarded without identity, because the mode lets everything pass.
    Passed,
}

/// Lines of the current minute. A sender of forged tokens must not fill the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineBudget {
    minute: u64,
    written: u32,
    left_out: u32,
}

impl LineBudget {
    /// The budget after a refusal at `now`, and how many were left out before it; `None` if this one is, too.
    pub const fn spend(mut self, per_minute: u32, now: UnixTime) -> (Self, Option<u32>) {
        let minute = now.as_seconds() / 60;
        if minute != self.minute {
            self.minute = minute;
            self.written = 0;
        }
        if self.written >= per_minute {
            self.left_out = self.left_out.saturating_add(1);
            return (self, None);
        }
        let left_out = self.left_out;
        (Self { minute, written: self.written.saturating_add(1), left_out: 0 }, Some(left_out))
    }
}

/// The line: a fixed beginning, then `key=value` in fixed order. `alg`, `kid`, `iss` and `sub` are what the token says,
/// true or not; a token that cannot be parsed has none of them.
pub fn line(
    rules: &LogRules,
    token: Option<&UnverifiedToken<'_>>,
    (refusal, evidence): (&Refusal, &Evidence),
    fate: Fate,
    left_out: u32,
    request: &dyn RequestView,
) -> String {
    let mut line = String::from(match fate {
        Fate::Refused(_) => "refused",
        Fate::Passed => "passed",
    });
    // Writing to a String cannot fail.
    let _ = write!(line, " code={}", refusal.code());
    if let Fate::Refused(status) = fate {
        let _ = write!(line, " status={status}");
    }
    push(&mut line, "method", request.method(), MAX_SHOWN_CHARS);
    push(&mut line, "path", &shown_path(request.uri()), MAX_LOGGED_PATH_CHARS);
    if let Some(token) = token {
        let mut claimed = |name: &str| {
            if let Some(value) = token.claimed.claim(name).and_then(|value| {
                // A subject may be a number.
                value.as_str().or_else(|| value.as_number().filter(|_| name == "sub"))
            }) {
                push(&mut line, name, value, MAX_SHOWN_CHARS);
            }
        };
        claimed("iss");
        match rules.sub {
            LoggedSub::Show => claimed("sub"),
            LoggedSub::Hide => {}
        }
        push(&mut line, "alg", &token.header.alg, MAX_SHOWN_CHARS);
        if let Some(kid) = &token.header.kid {
            push(&mut line, "kid", kid, MAX_SHOWN_CHARS);
        }
    }
    push(&mut line, "reason", &refusal.description(), MAX_SHOWN_CHARS);
    for (name, value) in
        [("found", &evidence.found), ("expected", &evidence.expected), ("hint", &evidence.hint)]
    {
        if !value.is_empty() {
            push(&mut line, name, value, MAX_LOGGED_EVIDENCE_CHARS);
        }
    }
    if let Refusal::SignatureInvalid { untried: untried @ 1.., .. } = refusal {
        let _ = write!(line, " untried_keys={untried}");
    }
    if left_out > 0 {
        let _ = write!(line, " left_out={left_out}");
    }
    line
}

/// ` name="value"`.
/// The path, as far as it is shown: a character has at most four bytes, and one more says that there are more.
fn shown_path(uri: &[u8]) -> Cow<'_, str> {
    let path = uri::path(uri);
    let most = MAX_LOGGED_PATH_CHARS.saturating_add(1).saturating_mul(4);
    String::from_utf8_lossy(path.get(..most).unwrap_or(path))
}

fn push(line: &mut String, name: &str, value: &str, max_chars: usize) {
    let _ = write!(line, " {name}={}", Quoted(&cut(value, max_chars)));
}

#[cfg(test)]
mod tests {
    use super::{Fate, LineBudget, LogRules, LoggedSub, line, shown_path};
    use crate::core::limits::MAX_LOGGED_PATH_CHARS;
    use crate::core::refusal::{Evidence, Refusal};
    use crate::core::request::RecordedRequest;
    use crate::core::text::cut;
    use crate::core::token::base64url::encode;
    use crate::core::token::jws;
    use crate::core::token::source::{self, TokenPlace, TokenSources};
    use crate::core::unix_time::UnixTime;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_cut_as_if_it_were_read_whole() {
        for part in ["a", "\u{fc}", "\u{20ac}", "\u{1f600}", "a\u{1f600}"] {
            for count in [1, 127, 128, 129, 255, 256, 257, 258, 2_000] {
                let path = part.repeat(count);
                let shown = shown_path(path.as_bytes());
                assert_eq!(cut(&shown, MAX_LOGGED_PATH_CHARS), cut(&path, MAX_LOGGED_PATH_CHARS));
            }
        }
    }

    fn sources() -> TokenSources {
        let places = vec![
            TokenPlace::Header { name: "Authorization".into(), form: "Bearer".into() },
            TokenPlace::Query { name: "token".into() },
        ];
        TokenSources { places, max_bytes: 1 << 20 }
    }

    fn token(header: &str, payload: &str) -> String {
        format!("{}.{}.c2VjcmV0", encode(header.as_bytes()), encode(payload.as_bytes()))
    }

    fn of(rules: &LogRules, refusal: &Refusal, fate: Fate, request: &RecordedRequest) -> String {
        let found = source::find(&sources(), request).ok().map(|found| found.token);
        let token = found.as_deref().and_then(|token| jws::parse(token).ok());
        line(rules, token.as_ref(), (refusal, &Evidence::default()), fate, 0, request)
    }

    #[test]
    fn who_is_refused_and_why() {
        let token =
            token(r#"{"alg":"RS256","kid":"k 1"}"#, r#"{"iss":"https://idp/","sub":"alice","exp":1}"#);
        let request = RecordedRequest::new("GET", &format!("/a?token={token}"));
        let (rules, refusal) = (
            LogRules::default(),
            Refusal::AudienceNotAccepted { asked_by: crate::core::refusal::AskedBy::Issuer },
        );
        assert_eq!(
            of(&rules, &refusal, Fate::Refused(401), &request),
            r#"refused code=audience_not_accepted status=401 method="GET" path="/a" iss="https://idp/" alg="RS256" kid="k 1" reason="the token is meant for another audience""#
        );
        let rules = LogRules { sub: LoggedSub::Show, ..rules };
        assert_eq!(
            of(&rules, &refusal, Fate::Passed, &request),
            r#"passed code=audience_not_accepted method="GET" path="/a" iss="https://idp/" sub="alice" alg="RS256" kid="k 1" reason="the token is meant for another audience""#
        );
        let bare = RecordedRequest::new("GET", "/a?b=c");
        let evidence = Evidence { found: "a\n\"".into(), hint: "x".repeat(300), ..Evidence::default() };
        assert_eq!(
            line(&rules, None, (&Refusal::TokenMissing, &evidence), Fate::Refused(401), 7, &bare),
            format!(
                r#"refused code=token_missing status=401 method="GET" path="/a" reason="no token was sent" found="a\u000a\"" hint="{}..." left_out=7"#,
                "x".repeat(256)
            )
        );
        for (untried, end) in [(0, ""), (3, " untried_keys=3")] {
            let refusal = Refusal::SignatureInvalid { kid: None, untried };
            let line = of(&rules, &refusal, Fate::Refused(401), &bare);
            assert!(
                line.ends_with(&format!(r#" reason="the signature of the token is not valid"{end}"#)),
                "{line}"
            );
        }
    }

    #[test]
    fn what_the_client_chose_is_escaped_and_cut() {
        let header = r#"{"alg":"a\"b\\c","kid":"\n level=info \u202e\ud83d\ude00"}"#;
        let request = RecordedRequest::new("GET", &format!("/{}", "x".repeat(10_000)))
            .header("Authorization", format!("Bearer {}", token(header, r#"{"iss":7,"sub":"s"}"#)));
        let line = of(&LogRules::default(), &Refusal::CritNotSupported, Fate::Refused(401), &request);
        assert!(line.contains(r#" alg="a\"b\\c" kid="\u000a level=info \u202e\ud83d\ude00" "#), "{line}");
        assert!(line.contains(&format!(" path=\"/{}...\" ", "x".repeat(255))), "{line}");
        assert!(!line.contains("iss=") && !line.contains("sub="), "{line}");
    }

    #[test]
    fn a_minute_has_so_many_lines_and_the_next_one_says_how_many_are_missing() {
        let mut budget = LineBudget::default();
        for (second, expected) in [
            (6000, Some(0)),
            (6001, Some(0)),
            (6002, None),
            (6059, None),
            (6060, Some(2)),
            (6061, Some(0)),
            (6061, None),
            (6300, Some(1)),
            // A clock that is set back does not silence anything.
            (60, Some(0)),
        ] {
            let (next, left_out) = budget.spend(2, UnixTime::from_seconds(second));
            assert_eq!(left_out, expected, "{second}");
            budget = next;
        }
    }

    proptest! {
        #[test]
        fn always_one_bounded_line_without_the_token(uri in "\\PC{0,600}", kid in "\\PC{0,300}", iss in any::<String>()) {
            let header = format!("{{\"alg\":\"x\",\"kid\":{}}}", serde_json::Value::from(kid));
            let payload = format!("{{\"iss\":{}}}", serde_json::Value::from(iss));
            let token = token(&header, &payload);
            let request = RecordedRequest::new("GET", &uri).header("Authorization", format!("Bearer {token}"));
            let line = of(&LogRules::default(), &Refusal::ClaimsRejected, Fate::Passed, &request);
            prop_assert!(line.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            prop_assert!(line.len() < 8192);
            prop_assert!(!line.contains("c2VjcmV0") || uri.contains("c2VjcmV0"));
        }
    }
}
