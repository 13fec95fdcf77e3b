//! What the upstream gets. Every `Forward` is made here, so that managed headers of the client never pass.

use std::rc::Rc;

use crate::core::answer::field_value::{self, Lists};
use crate::core::answer::managed::{ManagedHeaders, PayloadFormat, SetHeader, Source};
use crate::core::answer::verdict::{Label, Verdict};
use crate::core::bypass::Body;
use crate::core::claims::AcceptedToken;
use crate::core::issuer_id::IssuerId;
use crate::core::limits::MAX_CONNECTION_BYTES;
use crate::core::refusal::Refusal;
use crate::core::request::rewritten::{Rewritten, RewrittenHeader};
use crate::core::request::{RequestView, header_name, upgrade};
use crate::core::token::base64url;
use crate::core::token::source::{self, FoundToken, Stripped, TokenPlace, TokenSources};

/// `forwardHeaders`, `forwardLists`, `missingClaim`, `forwardPayloadHeader`, `forwardAuthorization`, `verdictHeader`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForwardRules {
    /// All headers that only the middleware sets.
    pub managed: ManagedHeaders,
    /// How a list becomes one value.
    pub lists: Lists,
    /// What an absent claim leaves.
    pub missing: MissingClaim,
    /// What becomes of the token.
    pub token: TokenForwarding,
    /// Response header with the verdict; empty for none.
    pub verdict_response_header: String,
    /// Headers that `rules` look at: the upstream has to see what they saw.
    pub looked_at: Vec<String>,
}

/// `missingClaim`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingClaim {
    /// No header.
    #[default]
    Remove,
    /// The header without a value, as in Traefik Hub.
    Empty,
}

/// `forwardAuthorization`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenForwarding {
    /// The token goes on as it came.
    #[default]
    Keep,
    /// It is stripped from where it was found.
    Strip,
}

/// The headers that say who sends the request, made from nothing but an accepted token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    headers: Vec<SetHeader>,
}

impl Identity {
    /// What the rules make of the claims of `token`.
    pub fn new(rules: &ForwardRules, issuer: IssuerId, token: AcceptedToken<'_>) -> Self {
        let claims = token.claims();
        let mut headers = Vec::new();
        for row in rules.managed.rows().iter().filter(|row| row.is_filled_by(issuer)) {
            let value = match row.source() {
                Source::Claim(filling) => match (filling.of(claims, rules.lists), rules.missing) {
                    (Some(value), _) => value.into_bytes(),
                    (None, MissingClaim::Remove) => continue,
                    (None, MissingClaim::Empty) => Vec::new(),
                },
                // A text has one form in base64url, so this is the part of the token, without its padding.
                Source::Payload(PayloadFormat::Base64url) => {
                    base64url::encode(claims.payload().as_bytes()).into_bytes()
                }
                Source::Payload(PayloadFormat::Json) => field_value::json(claims.value()).into_bytes(),
                Source::Verdict | Source::Certificate => continue,
            };
            headers.push(row.with(value));
        }
        Self { headers }
    }

    /// Headers to set in place of all that the request has.
    pub fn headers(&self) -> &[SetHeader] {
        &self.headers
    }

    /// Bytes held, for callers that bound what they keep.
    pub fn memory(&self) -> usize {
        self.headers.iter().map(SetHeader::memory).fold(size_of::<Self>(), usize::saturating_add)
    }
}

/// Changes to the request before it goes on. Removals come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forward {
    /// What became of it, and the client's copies of managed headers.
    pub label: Label,
    /// Other headers to remove, all values.
    pub remove: Vec<String>,
    /// Who sends it; shared with what is remembered of the token.
    pub identity: Rc<Identity>,
    /// Headers of the client that go on in part.
    pub rewritten: Vec<Rewritten>,
    /// The new path and query, if they change.
    pub uri: Option<Vec<u8>>,
    /// What becomes of the body.
    pub body: Body,
    /// Headers to set on the response of the upstream.
    pub response: Vec<(String, String)>,
    /// Why the request would be refused, were it not for the mode: for the log.
    pub refused: Option<Refusal>,
}

impl ForwardRules {
    /// The label of a request that is answered here.
    pub fn label(&self, verdict: Verdict, request: &dyn RequestView) -> Label {
        Label { remove: self.managed.copies(request), ..self.verdict(verdict) }
    }

    fn verdict(&self, verdict: Verdict) -> Label {
        let name = &self.verdict_response_header;
        Label {
            remove: Vec::new(),
            request: self.managed.verdict(verdict.text()),
            response: (!name.is_empty()).then(|| (name.clone(), verdict.text().to_owned())),
        }
    }
}

impl Forward {
    /// Every header to remove, before any is set.
    pub fn removed(&self) -> impl Iterator<Item = &str> {
        self.label.remove.iter().chain(&self.remove).map(String::as_str)
    }

    /// Every header to set, replacing all values.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let managed = self.identity.headers().iter().chain(&self.label.request);
        let rewritten = self.rewritten.iter().map(|left| (left.header.name(), left.value.as_slice()));
        managed.map(|header| (header.name(), header.value())).chain(rewritten)
    }

    /// Every header to set on the response of the upstream.
    pub fn response(&self) -> impl Iterator<Item = &(String, String)> {
        self.label.response.iter().chain(&self.response)
    }

    fn strip(&mut self, places: &[&TokenPlace], request: &dyn RequestView) {
        self.apply(source::strip(places, request));
    }

    fn apply(&mut self, stripped: Stripped) {
        self.remove.extend(stripped.remove);
        self.rewritten.extend(stripped.rewritten);
        self.uri = stripped.uri;
    }
}

/// The request without any identity, and without any token if tokens are not forwarded: a token that was not accepted is
/// no safer at the upstream.
#[must_use]
pub fn anonymous(
    rules: &ForwardRules,
    sources: &TokenSources,
    verdict: Verdict,
    request: &dyn RequestView,
) -> Forward {
    let mut forward = without_managed_headers(rules, verdict, Rc::default(), request);
    match rules.token {
        TokenForwarding::Keep => {}
        TokenForwarding::Strip => forward.strip(&source::presented(sources, request), request),
    }
    forward
}

/// The request with `identity`, that of the token that was found in it.
#[must_use]
pub fn with_identity(
    rules: &ForwardRules,
    identity: Rc<Identity>,
    found: &FoundToken<'_>,
    request: &dyn RequestView,
) -> Forward {
    let mut forward = without_managed_headers(rules, Verdict::Allow, identity, request);
    match rules.token {
        TokenForwarding::Keep if found.has_strays => forward.apply(source::without_strays(found, request)),
        TokenForwarding::Keep => {}
        TokenForwarding::Strip => forward.strip(&found.places, request),
    }
    // A shared cache must not keep what a token opened (RFC 6750 2.3): of itself it only refrains if the token is in
    // Authorization. The host adds the upstream's own lines behind this one; the most restrictive directive counts
    // (RFC 9111 4.2.1), so a `no-store` there stays what it is, and a `public` gives nothing away.
    if !found.places.iter().all(|place| place.is_kept_from_caches()) {
        forward.response.push(("Cache-Control".to_owned(), "private".to_owned()));
        // The host forgets it when the upstream answers with a 100 first, so no client may ask for one. Go's server has
        // seen to the client's own expectation (RFC 9110 10.1.1).
        let expects = request.header_names().filter(|name| name.eq_ignore_ascii_case("expect"));
        forward.remove.extend(expects.map(str::to_owned));
    }
    forward
}

/// The request with `identity` and without any header of the client that the upstream takes for ours, in any spelling.
fn without_managed_headers(
    rules: &ForwardRules,
    verdict: Verdict,
    identity: Rc<Identity>,
    request: &dyn RequestView,
) -> Forward {
    let label = rules.verdict(verdict);
    let mut forward = Forward {
        label,
        identity,
        remove: Vec::new(),
        rewritten: Vec::new(),
        uri: None,
        body: Body::default(),
        response: Vec::new(),
        refused: None,
    };
    for name in request.header_names() {
        if rules.managed.contains(name) {
            forward.label.remove.push(name.to_owned());
        } else if name.eq_ignore_ascii_case("connection") {
            clean_connection(rules, name, request, &mut forward);
        } else if name.eq_ignore_ascii_case("upgrade")
            && upgrade::leads_to_requests(&request.header_values(name))
        {
            // Traefik would connect the client with an upstream that agrees (before 3.7.15 also for h2c).
            forward.remove.push(name.to_owned());
        }
    }
    forward
}

/// A `Connection` that names neither a managed header nor one of the rules: Traefik would drop it as hop-by-hop (RFC 9110
/// 7.6.1). One that is too long to be searched goes whole.
#[inline(never)]
fn clean_connection(rules: &ForwardRules, name: &str, request: &dyn RequestView, forward: &mut Forward) {
    let values = request.header_values(name);
    if values.iter().map(Vec::len).fold(0, usize::saturating_add) > MAX_CONNECTION_BYTES {
        forward.remove.push(name.to_owned());
        return;
    }
    let options =
        || values.iter().flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    let is_looked_at = |name: &str| rules.looked_at.iter().any(|other| header_name::is_alias(other, name));
    let is_needed = |option: &[u8]| {
        std::str::from_utf8(option).is_ok_and(|name| rules.managed.contains(name) || is_looked_at(name))
    };
    if !options().any(is_needed) {
        return;
    }
    let kept: Vec<&[u8]> = options().filter(|option| !is_needed(option)).collect();
    forward.remove.push(name.to_owned());
    if !kept.is_empty() {
        let header = RewrittenHeader::Connection;
        forward.rewritten.push(Rewritten { header, value: kept.join(&b", "[..]) });
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{
        Forward, ForwardRules, Identity, TokenForwarding, anonymous, with_identity, without_managed_headers,
    };
    use crate::core::answer::field_value::Filling;
    use crate::core::answer::managed::{ManagedHeaders, PayloadFormat, Source, Tokens};
    use crate::core::answer::verdict::{Label, Verdict};
    use crate::core::claims::AcceptedToken;
    use crate::core::issuer_id::IssuerId;
    use crate::core::limits::MAX_CONNECTION_BYTES;
    use crate::core::request::RecordedRequest;
    use crate::core::signature::VerifiedToken;
    use crate::core::token::claims_set::claims;
    use crate::core::token::header::Header;
    use crate::core::token::source::{FoundToken, TokenPlace, TokenSources};

    fn with_rows(rows: impl IntoIterator<Item = (&'static str, Source, Tokens)>) -> ForwardRules {
        let mut managed = ManagedHeaders::default();
        for (name, from, tokens) in rows {
            managed.add(name, from, tokens).unwrap();
        }
        ForwardRules { managed, ..ForwardRules::default() }
    }

    fn claim(path: &str) -> Source {
        Source::Claim(Filling::parse(path).unwrap())
    }

    fn rules() -> ForwardRules {
        with_rows([("X-User-Sub", claim("sub"), Tokens::All)])
    }

    fn identity(rules: &ForwardRules, issuer: usize, token: &VerifiedToken) -> Rc<Identity> {
        Rc::new(Identity::new(rules, IssuerId(issuer), AcceptedToken::unchecked(token)))
    }

    /// What is set on the request, as text.
    fn set(forward: &Forward) -> Vec<(&str, &str)> {
        forward.headers().map(|(name, value)| (name, std::str::from_utf8(value).unwrap())).collect()
    }

    #[test]
    fn every_spelling_of_a_managed_header_goes() {
        let request = RecordedRequest::new("GET", "/")
            .header("X-User-Sub", "a")
            .header("x_user_sub", "b")
            .header("X.User_SUB", "c")
            .header("X-User-Sub", "d")
            .header("X~User!Sub", "e")
            .header("X-User-Subject", "kept");
        assert_eq!(
            without_managed_headers(&rules(), Verdict::Allow, Rc::default(), &request),
            Forward {
                label: Label {
                    remove: ["x-user-sub", "x_user_sub", "x.user_sub", "x~user!sub"]
                        .map(str::to_owned)
                        .into(),
                    ..Label::default()
                },
                ..Forward::default()
            }
        );
    }

    /// What is kept of known tokens is bounded by this sum.
    #[test]
    fn an_identity_takes_as_much_memory_as_its_values() {
        let memory = |sub: &str| {
            let claims = claims(&format!(r#"{{"sub":"{sub}"}}"#));
            identity(
                &rules(),
                0,
                &VerifiedToken::unchecked(Header { alg: String::new(), kid: None, typ: None }, claims),
            )
            .memory()
        };
        let (none, short, long) = (Identity::default().memory(), memory("alice"), memory(&"x".repeat(1000)));
        assert!(none < short && short + 900 < long, "{none} {short} {long}");
    }

    #[test]
    fn no_upgrade_leads_to_requests_that_nobody_sees() {
        for (protocol, remove) in [("HTTP/2.0", vec!["upgrade".to_owned()]), ("websocket", vec![])] {
            let request =
                RecordedRequest::new("GET", "/").header("Connection", "Upgrade").header("Upgrade", protocol);
            let forward = without_managed_headers(&rules(), Verdict::Anonymous, Rc::default(), &request);
            assert_eq!(forward.remove, remove, "{protocol}");
        }
    }

    #[test]
    fn a_connection_that_is_too_long_to_be_searched_goes() {
        for (length, remove) in
            [(MAX_CONNECTION_BYTES, vec![]), (MAX_CONNECTION_BYTES + 1, vec!["connection"])]
        {
            let request = RecordedRequest::new("GET", "/").header("Connection", "c".repeat(length));
            let forward = without_managed_headers(&rules(), Verdict::Allow, Rc::default(), &request);
            assert_eq!(
                (forward.remove, forward.rewritten),
                (remove.into_iter().map(str::to_owned).collect(), vec![])
            );
        }
    }

    #[test]
    fn headers_of_every_issuer_are_managed_and_filled_by_its_own_tokens() {
        let others = Tokens::Except([IssuerId(1), IssuerId(2)].into());
        let rules = with_rows([
            ("X-User-Sub", claim("sub"), others),
            ("X-Tenant", claim("tid"), Tokens::Of(IssuerId(1))),
        ]);
        let request = RecordedRequest::new("GET", "/").header("X-User-Sub", "a").header("X_Tenant", "b");
        let places = [TokenPlace::Query { name: "token".into() }];
        let found = FoundToken { token: vec![], places: places.iter().collect(), ..FoundToken::default() };
        let header = Header { alg: String::new(), kid: None, typ: None };
        let token = VerifiedToken::unchecked(header, claims(r#"{"sub":"s","tid":"t"}"#));
        for (issuer, expected) in [
            (0, &[("X-User-Sub", "s")][..]),
            (1, &[("X-Tenant", "t")]),
            // One whose own list is empty.
            (2, &[]),
        ] {
            let forward = with_identity(&rules, identity(&rules, issuer, &token), &found, &request);
            assert_eq!(forward.label.remove, ["x-user-sub", "x_tenant"]);
            assert_eq!(set(&forward), expected);
            // RFC 6750 2.3
            assert_eq!(forward.response, [("Cache-Control".to_owned(), "private".to_owned())]);
        }
    }

    /// RFC 9111 3.5
    #[test]
    fn shared_caches_keep_nothing_that_a_token_outside_of_authorization_opened() {
        let header = |name: &str| TokenPlace::Header { name: name.into(), form: "".into() };
        let cookie = || TokenPlace::Cookie { name: "jwt".into(), form: "".into() };
        for (places, expected) in [
            (vec![header("authorization")], false),
            (vec![header("X-Token")], true),
            (vec![cookie()], true),
            (vec![TokenPlace::Query { name: "t".into() }], true),
            (vec![TokenPlace::WebSocketProtocol { marker: "bearer".into() }], true),
            (vec![header("Authorization"), cookie()], true),
        ] {
            let found =
                FoundToken { token: vec![], places: places.iter().collect(), ..FoundToken::default() };
            let request = RecordedRequest::new("GET", "/").header("Expect", "100-continue");
            let forward = with_identity(&rules(), Rc::default(), &found, &request);
            let private = [("Cache-Control".to_owned(), "private".to_owned())];
            assert_eq!(forward.response == private, expected, "{places:?}");
            assert_eq!(forward.remove == ["expect"], expected, "{places:?}");
        }
    }

    #[test]
    fn verdicts_go_where_the_rules_say_and_cannot_be_sent_by_a_client() {
        let rules = ForwardRules {
            verdict_response_header: "X-Seen".into(),
            ..with_rows([("X-Verdict", Source::Verdict, Tokens::All)])
        };
        let request =
            RecordedRequest::new("GET", "/").header("x_verdict", "allow").header("Connection", "X-Verdict");
        for (verdict, text) in [
            (Verdict::Allow, "allow"),
            (Verdict::Anonymous, "anonymous"),
            (Verdict::Refused("token_expired"), "token_expired"),
        ] {
            let forward = without_managed_headers(&rules, verdict, Rc::default(), &request);
            assert_eq!(
                (set(&forward), forward.remove.as_slice()),
                (vec![("X-Verdict", text)], &["connection".to_owned()][..])
            );
            // The same on a request that is answered here.
            assert_eq!(forward.label, rules.label(verdict, &request));
            assert_eq!(forward.label.remove, ["x_verdict"]);
            assert_eq!(forward.label.response, Some(("X-Seen".to_owned(), text.to_owned())));
        }
    }

    #[test]
    fn connection_cannot_take_a_managed_header_away() {
        for (values, remove, left) in [
            (&["keep-alive"][..], &[][..], None),
            (&["x-user-sub"], &["connection"], None),
            (&["Upgrade, X_User_Sub , close"], &["connection"], Some("Upgrade, close")),
            (&["close", "x.user.sub"], &["connection"], Some("close")),
            (&["close, X|User|Sub"], &["connection"], Some("close")),
        ] {
            let mut request = RecordedRequest::new("GET", "/");
            for value in values {
                request = request.header("Connection", *value);
            }
            let forward = without_managed_headers(&rules(), Verdict::Allow, Rc::default(), &request);
            assert_eq!(forward.remove, remove, "{values:?}");
            let expected: Vec<_> = left.iter().map(|value| ("Connection", *value)).collect();
            assert_eq!(set(&forward), expected, "{values:?}");
        }
    }

    /// Base64url of 0 to 2 letters of padding, with what JSON may be written with.
    /// Traefik itself has dropped what a client names before a middleware runs; versions before that did not.
    #[test]
    fn nor_a_header_that_rules_have_looked_at() {
        let rules = ForwardRules { looked_at: vec!["Mcp-Name".into()], ..ForwardRules::default() };
        let request = RecordedRequest::new("GET", "/").header("Connection", "close, mcp_name");
        let forward = without_managed_headers(&rules, Verdict::Anonymous, Rc::default(), &request);
        assert_eq!(forward.remove, ["connection"]);
        assert_eq!(forward.rewritten.len(), 1);
        assert_eq!(forward.rewritten[0].value, b"close");
    }

    #[test]
    fn the_payload_is_a_managed_header_in_either_form() {
        for payload in [
            r#"{ "sub": "Zo\u00eb", "n": 9007199254740993 }"#,
            "\t{ \"sub\": \"Zo\\u00eb\", \"n\":9007199254740993}\n",
            " { \"sub\":\"Zo\u{eb}\",\"n\":9007199254740993 } \r\n ",
            "{\"sub\":\"Zo\\u00eb\",\"n\":9007199254740993}",
        ] {
            let part = crate::core::token::base64url::encode(payload.as_bytes());
            let places = [TokenPlace::Query { name: "token".into() }];
            let found = FoundToken { places: places.iter().collect(), ..FoundToken::default() };
            let token = VerifiedToken::unchecked(
                Header { alg: String::new(), kid: None, typ: None },
                claims(payload),
            );
            let request = RecordedRequest::new("GET", "/").header("x_payload", "e30");
            for (format, expected) in [
                (PayloadFormat::Base64url, part.as_str()),
                (PayloadFormat::Json, r#"{"sub":"Zo\u00eb","n":9007199254740993}"#),
            ] {
                let rules = with_rows([("X-Payload", Source::Payload(format), Tokens::All)]);
                let forward = with_identity(&rules, identity(&rules, 0, &token), &found, &request);
                assert_eq!(forward.label.remove, ["x_payload"]);
                assert_eq!(set(&forward), [("X-Payload", expected)]);
            }
        }
    }

    #[test]
    fn no_token_goes_on_that_nobody_accepted_where_tokens_do_not_go_on() {
        let places = vec![
            TokenPlace::Header { name: "Authorization".into(), form: "Bearer".into() },
            TokenPlace::Query { name: "token".into() },
        ];
        let sources = TokenSources { places, max_bytes: 1 };
        let request = RecordedRequest::new("GET", "/a?token=x&b")
            .header("Authorization", "Bearer one two")
            .header("X-User-Sub", "root");
        let kept = anonymous(&rules(), &sources, Verdict::Anonymous, &request);
        assert_eq!((kept.label.remove, kept.remove, kept.uri), (vec!["x-user-sub".to_owned()], vec![], None));
        let rules = ForwardRules { token: TokenForwarding::Strip, ..rules() };
        let forward = anonymous(&rules, &sources, Verdict::Anonymous, &request);
        assert_eq!(forward.removed().collect::<Vec<_>>(), ["x-user-sub", "Authorization"]);
        assert_eq!(forward.uri.as_deref(), Some(&b"/a?b"[..]));
        let basic = RecordedRequest::new("GET", "/a?b").header("Authorization", "Basic YTpi");
        assert_eq!(anonymous(&rules, &sources, Verdict::Anonymous, &basic), Forward::default());
    }
}
