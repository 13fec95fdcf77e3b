//! Another request than the one that was received: a proxy asks about it (`forwardAuth` of Traefik, `auth_request` of nginx,
//! `forward_auth` of Caddy), and says in `X-Forwarded-Method`, `-Proto`, `-Host` and `-Uri` what its client asked for.
//!
//! These four headers are trusted only if the configuration names the peer that sends them: they select the rules that
//! apply.

use std::net::IpAddr;

use crate::core::refusal::Refusal;
use crate::core::request::header_name::{self, is_field_name};
use crate::core::request::source_range::SourceRange;
use crate::core::request::uri::is_target;
use crate::core::request::{HeaderNames, RequestView};

const METHOD: &str = "X-Forwarded-Method";
const PROTO: &str = "X-Forwarded-Proto";
const HOST: &str = "X-Forwarded-Host";
const URI: &str = "X-Forwarded-Uri";

/// `answerAs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AnswerAs {
    /// As a middleware: what is accepted goes on to the upstream.
    #[default]
    Middleware,
    /// As the service that other proxies ask: what is accepted is answered with 200 and the identity.
    ForwardAuth,
}

/// `answerAs`, `trustedPeers`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asking {
    /// To whom the middleware answers.
    pub answer_as: AnswerAs,
    /// Who may ask about the requests of others.
    pub peers: Vec<SourceRange>,
}

/// The request that is asked about, as the client sent it to the proxy that asks. Whether it has a body is not known: no
/// proxy sends a body unless it is configured to.
pub struct Forwarded<'r> {
    asked: &'r dyn RequestView,
    method: String,
    host: Vec<u8>,
    uri: Vec<u8>,
}

impl Asking {
    /// The request that `received` asks about; `None` if it asks about itself.
    ///
    /// # Errors
    /// `peer_not_trusted`; `forwarded_request_invalid` if one of the four headers is missing, repeated or malformed.
    pub fn original<'r>(&self, received: &'r dyn RequestView) -> Result<Option<Forwarded<'r>>, Refusal> {
        match self.answer_as {
            AnswerAs::Middleware => Ok(None),
            AnswerAs::ForwardAuth => self.asked_about(received).map(Some),
        }
    }

    #[inline(never)]
    fn asked_about<'r>(&self, received: &'r dyn RequestView) -> Result<Forwarded<'r>, Refusal> {
        let is_trusted = |peer: IpAddr| self.peers.iter().any(|range| range.contains(peer));
        if !received.source_address().is_some_and(is_trusted) {
            return Err(Refusal::PeerNotTrusted);
        }
        Forwarded::of(received)
    }
}

/// Whether `received` asks about another request. A proxy sets the other two headers on every request that it passes on.
#[must_use]
pub fn is_question(received: &dyn RequestView) -> bool {
    [METHOD, URI].iter().any(|name| header_name::spellings(received, name).next().is_some())
}

impl<'r> Forwarded<'r> {
    fn of(asked: &'r dyn RequestView) -> Result<Self, Refusal> {
        let method = single(asked, METHOD, |method| std::str::from_utf8(method).is_ok_and(is_field_name))?;
        let _scheme =
            single(asked, PROTO, |scheme| [&b"https"[..], b"http", b"wss", b"ws"].contains(&scheme))?;
        let host = single(asked, HOST, |host| host.iter().all(|byte| is_host_byte(*byte)))?;
        let uri = single(asked, URI, is_target)?;
        Ok(Self { asked, method: String::from_utf8_lossy(&method).into_owned(), host, uri })
    }
}

/// The one value of the header `name`. A second one, in any spelling, is somebody else's.
fn single(
    asked: &dyn RequestView,
    name: &'static str,
    is_valid: impl Fn(&[u8]) -> bool,
) -> Result<Vec<u8>, Refusal> {
    let invalid = |problem| Refusal::ForwardedRequestInvalid { header: name, problem };
    let mut values = header_name::values(asked, name);
    let value = values.pop().ok_or(invalid("is missing"))?;
    if !values.is_empty() {
        return Err(invalid("is repeated"));
    }
    if value.is_empty() || !is_valid(&value) { Err(invalid("is malformed")) } else { Ok(value) }
}

/// Of a name, an address and a port (RFC 3986 3.2.2), without escapes.
const fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':' | b'[' | b']')
}

impl RequestView for Forwarded<'_> {
    fn method(&self) -> &str {
        &self.method
    }

    fn uri(&self) -> &[u8] {
        &self.uri
    }

    fn header_names(&self) -> HeaderNames<'_> {
        self.asked.header_names()
    }

    fn header_values(&self, name: &str) -> Vec<Vec<u8>> {
        if name.eq_ignore_ascii_case("host") {
            vec![self.host.clone()]
        } else {
            self.asked.header_values(name)
        }
    }

    /// Nobody's: the connection is that of the proxy.
    fn source_address(&self) -> Option<IpAddr> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{AnswerAs, Asking, is_question};
    use crate::core::refusal::Refusal;
    use crate::core::request::source_range::SourceRange;
    use crate::core::request::{RecordedRequest, RequestView};

    const ALL: [(&str, &str); 4] = [
        ("X-Forwarded-Method", "DELETE"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "api.example:8443"),
        ("X-Forwarded-Uri", "/orders?id=1,2"),
    ];

    fn asking_rules() -> Asking {
        let peers = ["127.0.0.0/8", "10.1.0.0/16"].iter().filter_map(|text| SourceRange::parse(text));
        Asking { answer_as: AnswerAs::ForwardAuth, peers: peers.collect() }
    }

    fn asking(from: &str, headers: &[(&str, &str)]) -> RecordedRequest {
        let request = RecordedRequest::new("GET", "/auth").header("Host", "auth.internal");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
        if from.is_empty() { request } else { request.from_address(from.parse().unwrap()) }
    }

    #[test]
    fn the_request_of_the_client_is_seen() {
        let request = asking("10.1.2.3", &ALL).header("Authorization", "Bearer x");
        let rules = asking_rules();
        let original = rules.original(&request).unwrap().unwrap();
        assert_eq!((original.method(), original.uri()), ("DELETE", &b"/orders?id=1,2"[..]));
        assert_eq!(original.header_values("HOST"), [b"api.example:8443"]);
        assert_eq!(original.header_values("authorization"), [b"Bearer x"]);
        assert_eq!(original.source_address(), None);
        assert!(original.header_names().eq(request.header_names()));
        assert!(Asking::default().original(&request).unwrap().is_none());
    }

    #[test]
    fn only_peers_that_are_named_may_ask() {
        for (from, expected) in [
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("10.1.255.255", true),
            ("10.2.0.1", false),
            ("192.0.2.1", false),
            ("::1", false),
            ("", false),
        ] {
            let request = asking(from, &ALL).header("X-Forwarded-For", "127.0.0.1");
            let outcome = asking_rules().original(&request).map(|original| original.is_some());
            assert_eq!(outcome, if expected { Ok(true) } else { Err(Refusal::PeerNotTrusted) }, "{from}");
        }
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        let invalid = |header, problem| Refusal::ForwardedRequestInvalid { header, problem };
        for (at, (header, _)) in ALL.into_iter().enumerate() {
            let mut others = ALL.to_vec();
            others.remove(at);
            for (more, problem) in [
                (&[][..], "is missing"),
                (&[(header, "")], "is malformed"),
                (&[ALL[at], ALL[at]], "is repeated"),
                (&[ALL[at], (&*header.replace('-', "_"), "x")], "is repeated"),
            ] {
                let request = asking("127.0.0.1", &[&others, more].concat());
                assert_eq!(
                    asking_rules().original(&request).map(|_| ()),
                    Err(invalid(header, problem)),
                    "{header} {more:?}"
                );
            }
        }
        for (header, values) in [
            ("X-Forwarded-Method", &["GE T", "GET,POST", "GET\u{e9}"][..]),
            ("X-Forwarded-Proto", &["HTTPS", "https,http", "file", "h2"]),
            ("X-Forwarded-Host", &["a b", "a,b", "a/b", "u@a", "a\\b", "\u{e9}.example", "a%2eb"]),
            ("X-Forwarded-Uri", &["orders", "https://api.example/", "?x", "/a\u{1}"]),
        ] {
            for value in values {
                let mut headers = ALL.to_vec();
                headers.retain(|(name, _)| *name != header);
                headers.push((header, value));
                let request = asking("127.0.0.1", &headers);
                assert_eq!(
                    asking_rules().original(&request).map(|_| ()),
                    Err(invalid(header, "is malformed")),
                    "{header} {value}"
                );
            }
        }
    }

    #[test]
    fn a_question_has_a_method_or_a_target() {
        for (headers, expected) in [
            (&[][..], false),
            (&ALL[1..3], false),
            (&ALL[..1], true),
            (&ALL[3..], true),
            (&[("x_forwarded_uri", "/")], true),
        ] {
            assert_eq!(is_question(&asking("127.0.0.1", headers)), expected, "{headers:?}");
        }
    }
}
