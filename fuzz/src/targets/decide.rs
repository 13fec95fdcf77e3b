//! Whole requests. What passes with an identity carries a good token, no header of the client's that an upstream could take
//! for one of ours, and, where tokens are not forwarded, none in a place that is looked at.
//!
//! An input is the number of a policy, then lines: method and target, then headers. `\x01` and a digit stand for a good token,
//! `\x02…\x03` for base64url of what is between them.

use std::rc::Rc;

use serde_json::{Value, json};
use testbed::keys;
use testbed::tokens::Token;
use traefik_jwt_auth::core::answer::{Decision, Forward};
use traefik_jwt_auth::core::config::{Capabilities, compile};
use traefik_jwt_auth::core::decide::decide as decided;
use traefik_jwt_auth::core::policy::Policy;
use traefik_jwt_auth::core::refusal::Refusal;
use traefik_jwt_auth::core::request::header_name::is_alias;
use traefik_jwt_auth::core::request::path::unambiguous;
use traefik_jwt_auth::core::request::{RecordedRequest, RequestView};
use traefik_jwt_auth::core::token::base64url;
use traefik_jwt_auth::core::token::jws;
use traefik_jwt_auth::core::token::source::find;
use traefik_jwt_auth::core::unix_time::UnixTime;
use traefik_jwt_auth::keys::keyring::Keyring;

use crate::NOW;
use crate::cut::{choice, text};
use crate::mark::mark;

/// Whether a policy lets this method and target pass without a token, by what its configuration says.
type Opened = fn(&str, &[u8]) -> bool;

struct Named {
    policy: Rc<Policy>,
    keyring: Keyring,
    opened: Opened,
    strips: bool,
}

struct Bench {
    /// Good tokens.
    tokens: Vec<Vec<u8>>,
    policies: Vec<Named>,
}

thread_local! {
    static BENCH: Bench = Bench::new();
}

impl Bench {
    fn new() -> Self {
        let claims = json!({
            "iss": "https://idp.example/", "sub": "alice", "exp": NOW + 600, "tenant": "acme", "scope": "orders:read",
        });
        let tokens = ["EdDSA", "ES256", "RS256", "PS256", "HS256", "ES384"];
        let tokens = tokens.map(|alg| Token::new(alg, claims.clone()).mint().into_bytes());
        let plain = json!({
            "jwks": keys::public_set(), "keys": {"secret": keys::SECRET}, "issuer": "https://idp.example/",
            "algorithms": ["EdDSA", "ES256", "RS256", "PS256", "HS256", "ES384"],
            "tokenSources": [
                {"header": "Authorization", "scheme": "Bearer"}, {"cookie": "session"}, {"query": "token"},
                {"webSocketProtocol": "bearer"}, {"webSocketPrefix": "bearer."}, {"header": "X-Token", "scheme": "Bearer?"},
            ],
            "forwardHeaders": {"X-User-Sub": "sub"}, "forwardAuthorization": false,
        });
        let with = |changes: Value| {
            let mut configuration = plain.clone();
            let changes = changes.as_object().expect("an object").clone();
            configuration.as_object_mut().expect("an object").extend(changes);
            configuration
        };
        let never: Opened = |_, _| false;
        let always: Opened = |_, _| true;
        let public: Opened = |_, target| {
            unambiguous(target).is_some_and(|path| path == "/health" || path.starts_with("/public/"))
        };
        let ruled: Opened = |_, target| unambiguous(target).is_some_and(|path| path.starts_with("/public/"));
        let policies = [
            (with(json!({"mode": "required"})), never),
            (with(json!({"mode": "optional"})), always),
            (with(json!({"mode": "permissive"})), always),
            (with(json!({"mode": "dryRun"})), always),
            (
                with(json!({
                    "bypassPaths": ["/health", "/public/*"], "claims": "Equals(`tenant`, `{path.0}`)",
                    "forwardAuthorization": true, "verdictHeader": {"request": "X-User-Verdict"},
                })),
                public,
            ),
            (
                with(json!({"rules": [
                    {"paths": ["/public/*"], "token": "none"},
                    {"methods": ["GET", "HEAD"], "paths": ["/orders", "/orders/*"], "scopes": {"required": "orders:read"}},
                    {"methods": ["POST"], "paths": ["/orders/{tenant}/*"], "claims": "Equals(`tenant`, `{path.1}`)"},
                    {"headers": {"X-Action": ["purge", "drop_*"]}, "scopes": {"required": "admin"}},
                    {"paths": ["/*"], "methods": ["GET", "PUT"]},
                ]})),
                ruled,
            ),
            (
                json!({
                    "jwks": keys::public_set(), "issuer": "https://idp.example/", "answerAs": "forwardAuth",
                    "forwardHeaders": {"X-User-Sub": "sub"},
                    "tokenSources": [{"header": "Authorization", "scheme": "Bearer"}, {"cookie": "session"}, {"query": "token"}],
                }),
                never,
            ),
        ];
        let policies = policies.into_iter().map(|(configuration, opened)| {
            let capabilities = Capabilities { fetch: true, env: &|_| None };
            let policy = Rc::new(compile(configuration.to_string(), &capabilities).expect("it is one"));
            let strips = configuration["forwardAuthorization"] == false;
            Named { keyring: Keyring::new(Rc::clone(&policy)), policy, opened, strips }
        });
        Self { tokens: tokens.to_vec(), policies: policies.collect() }
    }
}

impl Bench {
    /// Whether a good token is in a text, as it is or with escapes.
    fn holds(&self, text: &[u8]) -> bool {
        let decoded = percent_encoding::percent_decode(text).collect::<Vec<u8>>();
        let is_in = |good: &Vec<u8>| {
            [text, &decoded].iter().any(|text| text.windows(good.len()).any(|part| part == good))
        };
        self.tokens.iter().any(is_in)
    }
}

/// A request as its client sends it, and whatever comes of it.
pub(super) fn decide(input: &[u8]) {
    BENCH.with(|bench| {
        let (number, rest) = choice(input, bench.policies.len());
        run(bench, &bench.policies[number], &filled(bench, rest));
    });
}

/// With what stands for tokens and base64url in it.
fn filled(bench: &Bench, input: &[u8]) -> Vec<u8> {
    let (mut rest, mut out) = (input, Vec::new());
    while let Some((first, after)) = rest.split_first() {
        rest = match (*first, after) {
            (1, [digit @ b'0'..=b'5', behind @ ..]) => {
                out.extend_from_slice(&bench.tokens[usize::from(digit - b'0')]);
                behind
            }
            (2, _) if after.contains(&3) => {
                let end = after.iter().position(|byte| *byte == 3).unwrap_or_default();
                out.extend_from_slice(base64url::encode(&after[..end]).as_bytes());
                &after[end + 1..]
            }
            (byte, _) => {
                out.push(byte);
                after
            }
        };
    }
    out
}

fn run(bench: &Bench, named: &Named, input: &[u8]) {
    let mut lines = input.split(|byte| *byte == b'\n');
    let first = text(lines.next().unwrap_or_default());
    let (method, target) = first.split_once(' ').unwrap_or(("GET", first.as_str()));
    let mut sent = Vec::new();
    for line in lines.take(32) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (name, value) = line.split_at(colon);
        // Go refuses control characters in both, so the host hands on none.
        let is_clean = |byte: &u8| !byte.is_ascii_control() || *byte == b'\t';
        let value: Vec<u8> = value.get(1..).unwrap_or_default().iter().copied().filter(is_clean).collect();
        let name = text(name).replace(|c: char| c.is_ascii_control(), " ");
        sent.push((name, value.trim_ascii().to_vec()));
    }
    let request = recorded(method, target.as_bytes(), &sent);
    let now = UnixTime::from_seconds(NOW);
    let decided_first = decided(&named.policy, &named.keyring.at(now), now, &request);
    let is_known = decided_first.found.is_some() && decided_first.learned.is_empty();
    let first = decided_first.decision;
    named.keyring.remember(decided_first.learned);
    // Asked again, with what was remembered.
    assert_eq!(decided(&named.policy, &named.keyring.at(now), now, &request).decision, first);
    let known = bench.holds(target.as_bytes()) || sent.iter().any(|(_, value)| bench.holds(value));
    match first {
        Decision::Forward(forward) => {
            let has_identity = forward.headers().any(|(name, _)| name == "X-User-Sub");
            mark(if has_identity { "an identity" } else { "forwarded without" });
            if has_identity && is_known {
                mark("known from before");
            }
            assert!(known || !has_identity, "an identity without a good token: {request:?} {forward:?}");
            let open = (named.opened)(method, target.as_bytes());
            assert!(known || open, "nothing good, but it passes: {request:?} {forward:?}");
            headers(&sent, &forward);
            if named.strips {
                stripped(bench, named, (method, target), &sent, &forward);
            }
        }
        Decision::Accept(accept) => {
            mark("an identity");
            assert!(known, "nothing good, but it is accepted: {request:?} {accept:?}");
        }
        Decision::Reject(reject) => {
            mark("rejected");
            assert!(
                (400..=599).contains(&reject.status) || (300..=399).contains(&reject.status),
                "{reject:?}"
            );
        }
        Decision::Serve(_) | Decision::NeedKeys(_) => panic!("{request:?} {first:?}"),
    }
}

fn recorded(method: &str, target: &[u8], headers: &[(String, Vec<u8>)]) -> RecordedRequest {
    let request = RecordedRequest::new(method, &text(target));
    headers.iter().fold(request, |request, (name, value)| request.header(name, value.clone()))
}

/// No header of the client's passes that an upstream could take for one of ours.
fn headers(sent: &[(String, Vec<u8>)], forward: &Forward) {
    for (name, _) in sent {
        let removed = forward.removed().any(|gone| gone.eq_ignore_ascii_case(name));
        let replaced = forward.headers().any(|(set, _)| set.eq_ignore_ascii_case(name));
        assert!(!is_alias(name, "X-User-Sub") || removed || replaced, "{name} passes: {forward:?}");
    }
    for (name, value) in forward.headers() {
        assert!(
            !name.contains(['\r', '\n', '\0', ':'])
                && !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
        );
    }
}

/// What the upstream gets has no token in any place that was looked at.
fn stripped(
    bench: &Bench,
    named: &Named,
    (method, target): (&str, &str),
    sent: &[(String, Vec<u8>)],
    forward: &Forward,
) {
    let is_gone = |name: &str| {
        forward.removed().any(|gone| gone.eq_ignore_ascii_case(name))
            || forward.headers().any(|(set, _)| set.eq_ignore_ascii_case(name))
    };
    let mut left: Vec<(String, Vec<u8>)> = sent.iter().filter(|(name, _)| !is_gone(name)).cloned().collect();
    left.extend(forward.headers().map(|(name, value)| (name.to_owned(), value.to_vec())));
    let target = forward.uri.clone().unwrap_or_else(|| target.as_bytes().to_vec());
    let upstream = recorded(method, &target, &left);
    let shown = || format!("{left:?} {} is left of {sent:?}", target.escape_ascii());
    match find(&named.policy.token, &upstream) {
        Err(Refusal::TokenMissing | Refusal::SchemeUnexpected) => {}
        // A subprotocol that announces a token stays without one, since the upstream answers it. Credentials of another scheme
        // stay, even several.
        Err(Refusal::CredentialsMalformed | Refusal::TokenRepeated) => {
            let is_ours = |name: &str, value: &[u8]| {
                let mut words = value.trim_ascii().splitn(2, |byte| b" \t".contains(byte));
                let is_bearer = words.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer"));
                match name {
                    "Authorization" => is_bearer,
                    // The scheme may be left out.
                    "X-Token" => is_bearer || words.next().is_none(),
                    // A list of names, which is a place where the marker is in it.
                    "Sec-WebSocket-Protocol" => {
                        let names: Vec<&[u8]> =
                            value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect();
                        let is_token = |name: &&[u8]| jws::parse(name).is_ok();
                        let behind =
                            |name: &&[u8]| name.strip_prefix(b"bearer.").is_some_and(|rest| is_token(&rest));
                        let has_marker = names.iter().any(|name| name.eq_ignore_ascii_case(b"bearer"));
                        names.iter().any(behind) || has_marker && names.iter().any(is_token)
                    }
                    "Cookie" => value.split(|byte| *byte == b';').any(|pair| {
                        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
                        name.trim_ascii() == b"session" && bench.holds(pair)
                    }),
                    _ => true,
                }
            };
            for name in ["Authorization", "Cookie", "Sec-WebSocket-Protocol", "X-Token"] {
                let values = upstream.header_values(name);
                assert!(
                    !values.iter().any(|value| is_ours(name, value) && bench.holds(value)),
                    "{}",
                    shown()
                );
            }
        }
        // What is behind the marker now may be the name of another subprotocol.
        Ok(found) => assert!(jws::parse(&found.token).is_err(), "a token: {}", shown()),
        Err(refusal) => panic!("{refusal:?}: {}", shown()),
    }
}
