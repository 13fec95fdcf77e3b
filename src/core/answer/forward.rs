//! What the upstream gets. Every `Forward` is made here, so that managed headers of the client never pass.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::core::answer::field_value::{self, Filling, Lists};
use crate::core::bypass::Body;
use crate::core::claims::AcceptedToken;
use crate::core::issuer_id::IssuerId;
use crate::core::limits::MAX_CONNECTION_BYTES;
use crate::core::refusal::Refusal;
use crate::core::request::RequestView;
use crate::core::request::header_name::{fold, is_alias};
use crate::core::token::source::{self, FoundToken, Stripped, TokenPlace, TokenSources};

/// `forwardHeaders`, `forwardLists`, `missingClaim`, `forwardPayloadHeader`, `forwardAuthorization`, `verdictHeader`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForwardRules {
    /// Header and the claim that fills it.
    pub headers: Vec<ClaimHeader>,
    /// Rows of issuers that have their own, in place of `headers`. All of them are managed, whoever issued a token.
    pub issuers: BTreeMap<IssuerId, Vec<ClaimHeader>>,
    /// How a list becomes one value.
    pub lists: Lists,
    /// What an absent claim leaves.
    pub missing: MissingClaim,
    /// Header with all claims; empty for none.
    pub payload_header: String,
    /// How they are written in it.
    pub payload_format: PayloadFormat,
    /// What becomes of the token.
    pub token: TokenForwarding,
    /// In mode `dryRun`: request header with the verdict, for the upstream; empty for none.
    pub verdict_request_header: String,
    /// In mode `dryRun`: response header with the verdict, for the client; empty for none.
    pub verdict_response_header: String,
    /// All headers that only the middleware sets.
    pub managed: ManagedNames,
}

/// What the rules say of names, in an order to search in: made with the first request that is forwarded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ManagedNames(OnceCell<Names>);

/// Names of headers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Names {
    /// How long they are, one bit for each length: most headers of a request are told by it not to be one.
    lengths: u64,
    /// By their hashes.
    sorted: Vec<(u32, String)>,
}

/// One row of `forwardHeaders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimHeader {
    /// The managed header.
    pub name: String,
    /// Where its value comes from.
    pub filling: Filling,
}

/// `forwardPayloadFormat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadFormat {
    /// The payload of the token as it came, the part between its dots.
    #[default]
    Base64url,
    /// JSON on one line, in ASCII.
    Json,
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
    headers: Vec<(String, Vec<u8>)>,
}

impl Identity {
    /// What the rules make of the claims of `token`, which `bytes` is.
    #[must_use]
    pub fn new(rules: &ForwardRules, issuer: IssuerId, token: AcceptedToken<'_>, bytes: &[u8]) -> Self {
        let mut headers = Vec::new();
        for header in rules.issuers.get(&issuer).unwrap_or(&rules.headers) {
            match header.filling.of(token.claims(), rules.lists) {
                Some(value) => headers.push((header.name.clone(), value.into_bytes())),
                None => match rules.missing {
                    MissingClaim::Remove => {}
                    MissingClaim::Empty => headers.push((header.name.clone(), Vec::new())),
                },
            }
        }
        if !rules.payload_header.is_empty() {
            let payload = match rules.payload_format {
                PayloadFormat::Base64url => {
                    let part = bytes.split(|byte| *byte == b'.').nth(1).unwrap_or_default();
                    part.iter().copied().filter(|byte| *byte != b'=').collect()
                }
                PayloadFormat::Json => field_value::json(token.claims().value()).into_bytes(),
            };
            headers.push((rules.payload_header.clone(), payload));
        }
        Self { headers }
    }

    /// Names and values, to set in place of all that the request has.
    #[must_use]
    pub fn headers(&self) -> &[(String, Vec<u8>)] {
        &self.headers
    }

    /// Bytes held, for callers that bound what they keep.
    #[must_use]
    pub fn memory(&self) -> usize {
        let held = |(name, value): &(String, Vec<u8>)| {
            size_of::<(String, Vec<u8>)>().saturating_add(name.len()).saturating_add(value.len())
        };
        self.headers.iter().map(held).fold(size_of::<Self>(), usize::saturating_add)
    }
}

/// Changes to the request before it goes on. Removals come first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forward {
    /// Headers to remove, all values.
    pub remove: Vec<String>,
    /// Who sends it; shared with what is remembered of the token.
    pub identity: Rc<Identity>,
    /// Other headers to set, replacing all values.
    pub set: Vec<(String, Vec<u8>)>,
    /// The new path and query, where they change.
    pub uri: Option<Vec<u8>>,
    /// What becomes of the body.
    pub body: Body,
    /// Headers to set on the response of the upstream.
    pub response: Vec<(String, String)>,
    /// Why the request would be refused, were it not for the mode: for the log.
    pub refused: Option<Refusal>,
}

/// What would have become of a request in mode `required`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It would have gone on.
    Allow,
    /// It would have been refused with this code.
    Deny(&'static str),
}

impl ForwardRules {
    /// Every row, of every issuer.
    pub fn filled(&self) -> impl Iterator<Item = &ClaimHeader> {
        self.headers.iter().chain(self.issuers.values().flatten())
    }

    fn managed_names(&self) -> impl Iterator<Item = &str> {
        let filled = self.filled().map(|header| header.name.as_str());
        filled.chain([self.payload_header.as_str(), self.verdict_request_header.as_str()])
    }

    /// Whether an upstream takes the header `name` for one that only the middleware sets.
    fn manages(&self, name: &str) -> bool {
        self.managed.0.get_or_init(|| Names::new(self.managed_names())).contains(name)
    }

    /// The client's own copies of managed headers.
    #[must_use]
    pub fn managed(&self, request: &dyn RequestView) -> Vec<String> {
        request.header_names().filter(|name| self.manages(name)).map(str::to_owned).collect()
    }
}

impl Names {
    fn new<'n>(names: impl Iterator<Item = &'n str>) -> Self {
        let mut all = Self::default();
        for name in names.filter(|name| !name.is_empty()) {
            let hash = folded_hash(name);
            all.lengths |= length_bit(name);
            all.sorted.insert(all.first_with(hash), (hash, name.to_owned()));
        }
        all
    }

    /// A request may have as many headers as a client likes, so none of them is compared with each name.
    fn contains(&self, name: &str) -> bool {
        if self.lengths & length_bit(name) == 0 {
            return false;
        }
        let hash = folded_hash(name);
        let alike = self.sorted.iter().skip(self.first_with(hash)).take_while(|(known, _)| *known == hash);
        alike.map(|(_, known)| known).any(|known| is_alias(known, name))
    }

    fn first_with(&self, hash: u32) -> usize {
        self.sorted.partition_point(|(known, _)| *known < hash)
    }
}

/// Names of 63 bytes and more share the last bit.
fn length_bit(name: &str) -> u64 {
    1_u64.checked_shl(u32::try_from(name.len()).unwrap_or(u32::MAX)).unwrap_or(1 << 63)
}

/// FNV-1a of a name as back ends compare it.
fn folded_hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(fold(byte))).wrapping_mul(0x0100_0193))
}

impl Forward {
    /// Every header to set, replacing all values.
    pub fn headers(&self) -> impl Iterator<Item = &(String, Vec<u8>)> {
        self.identity.headers().iter().chain(&self.set)
    }

    /// The same request, labelled with `verdict` where the rules name headers for it.
    #[must_use]
    pub fn labelled(mut self, rules: &ForwardRules, verdict: Verdict) -> Self {
        let text = match verdict {
            Verdict::Allow => "allow".to_owned(),
            Verdict::Deny(code) => format!("deny; code={code}"),
        };
        if !rules.verdict_request_header.is_empty() {
            self.set.push((rules.verdict_request_header.clone(), text.clone().into_bytes()));
        }
        if !rules.verdict_response_header.is_empty() {
            self.response.push((rules.verdict_response_header.clone(), text));
        }
        self
    }

    fn strip(&mut self, places: &[&TokenPlace], request: &dyn RequestView) {
        self.apply(source::strip(places, request));
    }

    fn apply(&mut self, stripped: Stripped) {
        self.remove.extend(stripped.remove);
        self.set.extend(stripped.set);
        self.uri = stripped.uri;
    }
}

/// The request without any identity, and without any token where tokens do not go on: one that nobody has accepted is
/// no safer at the upstream.
#[must_use]
pub fn anonymous(rules: &ForwardRules, sources: &TokenSources, request: &dyn RequestView) -> Forward {
    let mut forward = without_managed_headers(rules, request);
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
    let mut forward = Forward { identity, ..without_managed_headers(rules, request) };
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

/// The request without any header that the upstream takes for ours, in any spelling, and with a `Connection`
/// that does not name one: Traefik would drop our header as hop-by-hop (RFC 9110 7.6.1). One that is too long to be
/// searched goes whole.
fn without_managed_headers(rules: &ForwardRules, request: &dyn RequestView) -> Forward {
    let mut forward = Forward::default();
    let is_managed = |name: &str| rules.manages(name);
    for name in request.header_names() {
        if is_managed(name) {
            forward.remove.push(name.to_owned());
        } else if name.eq_ignore_ascii_case("connection") {
            let values = request.header_values(name);
            if values.iter().map(Vec::len).fold(0, usize::saturating_add) > MAX_CONNECTION_BYTES {
                forward.remove.push(name.to_owned());
                continue;
            }
            let options =
                || values.iter().flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
            let names_managed = |option: &[u8]| std::str::from_utf8(option).is_ok_and(is_managed);
            if !options().any(names_managed) {
                continue;
            }
            let kept: Vec<&[u8]> = options().filter(|option| !names_managed(option)).collect();
            forward.remove.push(name.to_owned());
            if !kept.is_empty() {
                forward.set.push((name.to_owned(), kept.join(&b", "[..])));
            }
        }
    }
    forward
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{
        ClaimHeader, Forward, ForwardRules, Identity, PayloadFormat, TokenForwarding, Verdict, anonymous,
        with_identity, without_managed_headers,
    };
    use crate::core::answer::field_value::Filling;
    use crate::core::claims::AcceptedToken;
    use crate::core::issuer_id::IssuerId;
    use crate::core::limits::MAX_CONNECTION_BYTES;
    use crate::core::request::RecordedRequest;
    use crate::core::signature::VerifiedToken;
    use crate::core::token::claims_set::claims;
    use crate::core::token::header::Header;
    use crate::core::token::source::{FoundToken, TokenPlace, TokenSources};

    fn rules() -> ForwardRules {
        ForwardRules {
            headers: vec![ClaimHeader { name: "X-User-Sub".into(), filling: Filling::parse("sub").unwrap() }],
            ..ForwardRules::default()
        }
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
            without_managed_headers(&rules(), &request),
            Forward {
                remove: ["x-user-sub", "x_user_sub", "x.user_sub", "x~user!sub"].map(str::to_owned).into(),
                ..Forward::default()
            }
        );
    }

    #[test]
    fn a_connection_that_is_too_long_to_be_searched_goes() {
        for (length, remove) in
            [(MAX_CONNECTION_BYTES, vec![]), (MAX_CONNECTION_BYTES + 1, vec!["connection"])]
        {
            let request = RecordedRequest::new("GET", "/").header("Connection", "c".repeat(length));
            let forward = without_managed_headers(&rules(), &request);
            assert_eq!(
                (forward.remove, forward.set),
                (remove.into_iter().map(str::to_owned).collect(), vec![])
            );
        }
    }

    #[test]
    fn every_one_of_many_managed_headers_goes() {
        let row = |number: usize| ClaimHeader {
            name: format!("X-Managed-{number}"),
            filling: Filling::parse("sub").unwrap(),
        };
        let rules = ForwardRules { headers: (0..300).map(row).collect(), ..ForwardRules::default() };
        let names: Vec<String> = (0..400).map(|number| format!("x_managed.{number}")).collect();
        let request = names.iter().fold(RecordedRequest::new("GET", "/"), |r, name| r.header(name, "v"));
        assert_eq!(without_managed_headers(&rules, &request).remove, names[..300]);
    }

    #[test]
    fn a_managed_header_goes_however_long_its_name_is() {
        for length in (1..130).chain([1000, 65_536]) {
            let name = "x".repeat(length);
            let headers = vec![ClaimHeader { name: name.clone(), filling: Filling::parse("sub").unwrap() }];
            let rules = ForwardRules { headers, ..ForwardRules::default() };
            let longer = format!("{name}x");
            let request = RecordedRequest::new("GET", "/").header(&name, "a").header(&longer, "kept");
            assert_eq!(without_managed_headers(&rules, &request).remove, [name], "{length}");
        }
    }

    #[test]
    fn headers_of_every_issuer_are_managed_and_filled_by_its_own_tokens() {
        let row = |name: &str, claim: &str| ClaimHeader {
            name: name.into(),
            filling: Filling::parse(claim).unwrap(),
        };
        let rules = ForwardRules { issuers: [(IssuerId(1), vec![row("X-Tenant", "tid")])].into(), ..rules() };
        let request = RecordedRequest::new("GET", "/").header("X-User-Sub", "a").header("X_Tenant", "b");
        let places = [TokenPlace::Query { name: "token".into() }];
        let found = FoundToken { token: vec![], places: places.iter().collect(), ..FoundToken::default() };
        let set = claims(r#"{"sub":"s","tid":"t"}"#);
        let header = Header { alg: String::new(), kid: None, typ: None };
        let token = VerifiedToken::unchecked(header, set);
        for (issuer, expected) in [(IssuerId(0), ("X-User-Sub", "s")), (IssuerId(1), ("X-Tenant", "t"))] {
            let accepted = AcceptedToken::unchecked(&token);
            let identity = Rc::new(Identity::new(&rules, issuer, accepted, &found.token));
            let forward = with_identity(&rules, identity, &found, &request);
            assert_eq!(forward.remove, ["x-user-sub", "x_tenant"]);
            let expected = [(expected.0.to_owned(), expected.1.as_bytes().to_vec())];
            assert_eq!(forward.identity.headers(), expected);
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
            verdict_request_header: "X-Verdict".into(),
            verdict_response_header: "X-Seen".into(),
            ..rules()
        };
        let request = RecordedRequest::new("GET", "/").header("x_verdict", "allow");
        let forward =
            without_managed_headers(&rules, &request).labelled(&rules, Verdict::Deny("token_expired"));
        assert_eq!(forward.remove, ["x_verdict"]);
        assert_eq!(forward.set, [("X-Verdict".to_owned(), b"deny; code=token_expired".to_vec())]);
        assert_eq!(forward.response, [("X-Seen".to_owned(), "deny; code=token_expired".to_owned())]);
    }

    #[test]
    fn connection_cannot_take_a_managed_header_away() {
        for (values, remove, set) in [
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
            let forward = without_managed_headers(&rules(), &request);
            assert_eq!(forward.remove, remove, "{values:?}");
            let expected: Vec<_> =
                set.iter().map(|v| ("connection".to_owned(), v.as_bytes().to_vec())).collect();
            assert_eq!(forward.set, expected, "{values:?}");
        }
    }

    #[test]
    fn the_payload_is_a_managed_header_in_either_form() {
        let places = [TokenPlace::Query { name: "token".into() }];
        let payload = r#"{ "sub": "Zo\u00eb", "n": 9007199254740993 }"#;
        let bytes = format!("e30.{}.AAAA", crate::core::token::base64url::encode(payload.as_bytes()));
        let found = FoundToken {
            token: bytes.clone().into_bytes(),
            places: places.iter().collect(),
            ..FoundToken::default()
        };
        let header = Header { alg: String::new(), kid: None, typ: None };
        let token = VerifiedToken::unchecked(header, claims(payload));
        let request = RecordedRequest::new("GET", "/").header("x_payload", "e30");
        for (format, expected) in [
            (PayloadFormat::Base64url, bytes.split('.').nth(1).unwrap()),
            (PayloadFormat::Json, r#"{"sub":"Zo\u00eb","n":9007199254740993}"#),
        ] {
            let rules = ForwardRules {
                payload_header: "X-Payload".into(),
                payload_format: format,
                ..ForwardRules::default()
            };
            let accepted = AcceptedToken::unchecked(&token);
            let identity = Rc::new(Identity::new(&rules, IssuerId(0), accepted, &found.token));
            let forward = with_identity(&rules, identity, &found, &request);
            assert_eq!(forward.remove, ["x_payload"]);
            let expected = [("X-Payload".to_owned(), expected.as_bytes().to_vec())];
            assert_eq!(forward.identity.headers(), expected);
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
        let kept = anonymous(&rules(), &sources, &request);
        assert_eq!((kept.remove, kept.uri), (vec!["x-user-sub".to_owned()], None));
        let rules = ForwardRules { token: TokenForwarding::Strip, ..rules() };
        let forward = anonymous(&rules, &sources, &request);
        assert_eq!(forward.remove, ["x-user-sub", "Authorization"]);
        assert_eq!(forward.uri.as_deref(), Some(&b"/a?b"[..]));
        let basic = RecordedRequest::new("GET", "/a?b").header("Authorization", "Basic YTpi");
        assert_eq!(anonymous(&rules, &sources, &basic), Forward::default());
    }
}
